//! What a browser is remembered by: a random number of its own, and who is signed in.
//!
//! Both cookies are `HttpOnly` and `SameSite=Lax`. The browser's number makes form tokens and decides who is led
//! back with a code. The sign-in lives a quarter of an hour; approving asks for the PIN all the same.

use crate::app::App;
use crate::clock::random;
use accord_core::Timestamp;
use accord_core::ids::CustomerId;
use accord_core::moment::keyed_hash;
use accord_core::policy::MINUTE;
use accord_core::secret::Digest;
use axum::http::HeaderMap;
use subtle::ConstantTimeEq;

/// How long a sign-in lives.
pub const SIGNED_IN_MS: i64 = 15 * MINUTE;

const BROWSER: &str = "accord_browser";
const SIGN_IN: &str = "accord_sign_in";

/// One browser, as far as its cookies tell.
#[derive(Debug, Clone)]
pub struct Browser {
    number: Option<String>,
    customer: Option<CustomerId>,
    set: Vec<String>,
}

impl Browser {
    /// No browser: nothing is remembered.
    pub fn none() -> Browser {
        Browser { number: None, customer: None, set: Vec::new() }
    }

    /// Reads the cookies; a browser without a number gets one.
    pub fn read(app: &App, headers: &HeaderMap) -> Browser {
        let number = cookie(headers, BROWSER).filter(|number| {
            number.len() == 32 && number.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
        });
        let customer = cookie(headers, SIGN_IN).and_then(|value| read_sign_in(app, &value));
        match number {
            Some(number) => Browser { number: Some(number), customer, set: Vec::new() },
            None => {
                let number: String = random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
                let set = vec![set_cookie(app, BROWSER, &number)];
                Browser { number: Some(number), customer: None, set }
            }
        }
    }

    /// The same browser, signed in from now on.
    pub fn signed_in(&self, app: &App, customer: CustomerId) -> Browser {
        let expires_at = app.clock.now().plus_millis(SIGNED_IN_MS);
        let value = write_sign_in(app, &customer, expires_at);
        let mut set = self.set.clone();
        set.push(set_cookie(app, SIGN_IN, &value));
        Browser { number: self.number.clone(), customer: Some(customer), set }
    }

    /// Who is signed in.
    pub fn customer(&self) -> Option<CustomerId> {
        self.customer.clone()
    }

    /// What rows keep of it.
    pub fn digest(&self) -> Option<Digest> {
        self.number.as_deref().map(Digest::of)
    }

    /// The token of a form about `subject` in this browser.
    pub fn form_token(&self, app: &App, subject: &str) -> String {
        let number = self.number.as_deref().unwrap_or_default();
        hex(&keyed_hash(&app.options.page_key, &[b"form", number.as_bytes(), subject.as_bytes()]))
    }

    /// Was this token given to this browser for a form about `subject`?
    pub fn owns_form(&self, app: &App, subject: &str, token: &str) -> bool {
        self.set.is_empty() && self.form_token(app, subject).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// `Set-Cookie` values of this reply.
    pub fn set_cookies(&self) -> &[String] {
        &self.set
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned());
    values.next()
}

fn set_cookie(app: &App, name: &str, value: &str) -> String {
    let secure = if app.options.public_url.starts_with("https:") { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}")
}

fn write_sign_in(app: &App, customer: &CustomerId, expires_at: Timestamp) -> String {
    let tag = sign_in_tag(app, customer.as_str(), expires_at.0);
    format!("{customer}.{}.{tag}", expires_at.0)
}

fn read_sign_in(app: &App, value: &str) -> Option<CustomerId> {
    let mut parts = value.split('.');
    let (customer, expires_at, tag) = (parts.next()?, parts.next()?.parse::<i64>().ok()?, parts.next()?);
    let right: bool = sign_in_tag(app, customer, expires_at).as_bytes().ct_eq(tag.as_bytes()).into();
    let alive = app.clock.now() <= Timestamp(expires_at);
    if right && alive { CustomerId::read(customer) } else { None }
}

fn sign_in_tag(app: &App, customer: &str, expires_at: i64) -> String {
    let expires_at = expires_at.to_be_bytes();
    hex(&keyed_hash(&app.options.page_key, &[b"sign-in", customer.as_bytes(), &expires_at]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
