//! What a browser is remembered by: a random number of its own, and the device that somebody is signed in on.
//!
//! All cookies are `HttpOnly` and `SameSite=Lax`; on https they are `Secure` and bound to this host (`__Host-`). The
//! browser's number makes form tokens and decides who is led back with a code. The device is a row
//! ([`accord_core::device`]), so that every node knows it and its user can end it; approving asks for the PIN all the
//! same (decision 21).

use crate::app::App;
use crate::clock::random;
use crate::pages::i18n::catalogue;
use accord_core::device::{self, Device, Origin, SEEN_STEP_MS};
use accord_core::ids::CustomerId;
use accord_core::moment::keyed_hash;
use accord_core::secret::{Digest, Secret};
use accord_core::user::{Language, User};
use accord_core::{Ruled, Stop};
use axum::http::{HeaderMap, header};
use std::sync::Arc;
use subtle::ConstantTimeEq;

const BROWSER: &str = "accord_browser";
const DEVICE: &str = "accord_device";
const LANGUAGE: &str = "accord_language";

/// Who is signed in, and on which device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The device: this browser.
    pub device: Device,
    /// Its user, who may act.
    pub user: User,
}

/// One browser, as far as its cookies tell.
#[derive(Debug, Clone)]
pub struct Browser {
    number: Option<String>,
    fresh: bool,
    account: Option<Box<Account>>,
    language: Option<Language>,
    set: Vec<String>,
}

impl Browser {
    /// No browser: nothing is remembered.
    pub fn none() -> Browser {
        Browser { number: None, fresh: false, account: None, language: None, set: Vec::new() }
    }

    /// No browser that is remembered, but these cookies are set.
    pub(crate) fn setting(set: Vec<String>) -> Browser {
        Browser { set, ..Browser::none() }
    }

    /// Reads the cookies; a browser without a number gets one. Who cannot be looked up is not signed in.
    pub async fn read(app: &Arc<App>, headers: &HeaderMap) -> Browser {
        let number = cookie(app, headers, BROWSER).filter(|number| {
            number.len() == 32 && number.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
        });
        let language = cookie(app, headers, LANGUAGE).as_deref().and_then(catalogue::find);
        let Some(number) = number else {
            let number: String = random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
            let set = vec![set_cookie(app, BROWSER, &number)];
            return Browser { number: Some(number), fresh: true, account: None, language, set };
        };
        let account = match cookie(app, headers, DEVICE) {
            Some(token) => find(app, Secret::new(token)).await.map(Box::new),
            None => None,
        };
        Browser { number: Some(number), fresh: false, account, language, set: Vec::new() }
    }

    /// The same browser, signed in from now on: a new device. What it was before ends.
    pub async fn sign_in(&self, app: &Arc<App>, customer: CustomerId, origin: Origin) -> Ruled<Browser> {
        let before = self.account.as_ref().map(|account| account.device.id.clone());
        let (at, lives) = (app.clock.moment(), app.options.screens.sign_in);
        let (account, token) = app
            .transact(move |tx| {
                let (device, token) = device::sign_in(tx, &customer, &origin, before.as_ref(), &lives, &at)?;
                let user = tx.user(&customer)?.ok_or(accord_core::Refusal::UserNotFound)?;
                Ok((Account { device, user }, token))
            })
            .await?;
        let mut set = self.set.clone();
        set.push(set_cookie(app, DEVICE, token.reveal()));
        Ok(Browser { account: Some(Box::new(account)), set, ..self.clone() })
    }

    /// As [`Browser::sign_in`]; a store that fails leaves the browser as it is.
    pub async fn signed_in(&self, app: &Arc<App>, customer: CustomerId, origin: Origin) -> Browser {
        match self.sign_in(app, customer, origin).await {
            Ok(browser) => browser,
            Err(Stop::Refused(_)) => self.clone(),
            Err(Stop::Fault(fault)) => {
                tracing::warn!(%fault, "a sign-in was not kept");
                self.clone()
            }
        }
    }

    /// The same browser, signed out from now on.
    pub fn signed_out(&self, app: &App) -> Browser {
        let mut set = self.set.clone();
        set.push(format!("{}; Max-Age=0", set_cookie(app, DEVICE, "")));
        Browser { account: None, set, ..self.clone() }
    }

    /// The same browser, which speaks that language from now on.
    pub fn speaking(&self, app: &App, language: Language) -> Browser {
        let mut set = self.set.clone();
        set.push(set_cookie(app, LANGUAGE, language.as_str()));
        Browser { language: Some(language), set, ..self.clone() }
    }

    /// Who is signed in, and on which device.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_deref()
    }

    /// Is that user signed in to the wallet itself, and not for one authorization only?
    pub fn opens_wallet_of(&self, app: &App, customer: &CustomerId) -> bool {
        let lives = &app.options.screens.sign_in;
        self.account()
            .is_some_and(|account| account.device.opens_wallet(lives) && account.user.id == *customer)
    }

    /// Who is signed in.
    pub fn customer(&self) -> Option<CustomerId> {
        self.account.as_ref().map(|account| account.user.id.clone())
    }

    /// The language that was chosen in this browser.
    pub fn language(&self) -> Option<Language> {
        self.language
    }

    /// Came the request without the browser's own number? Then its cookies are off, or it is here for the first time.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The same browser, with one more line of `Set-Cookie`.
    pub fn with_cookie(&self, line: String) -> Browser {
        let mut browser = self.clone();
        browser.set.push(line);
        browser
    }

    /// Its number; empty where there is no browser.
    pub(crate) fn number(&self) -> &str {
        self.number.as_deref().unwrap_or_default()
    }

    /// What rows keep of it.
    pub fn digest(&self) -> Option<Digest> {
        self.number.as_deref().map(Digest::of)
    }

    /// The token of a form about `subject` in this browser.
    pub fn form_token(&self, app: &App, subject: &str) -> String {
        let number = self.number().as_bytes();
        hex(&keyed_hash(&app.options.page_key, &[b"form", number, subject.as_bytes()]))
    }

    /// Was this token given to this browser for a form about `subject`?
    pub fn owns_form(&self, app: &App, subject: &str, token: &str) -> bool {
        !self.fresh && self.form_token(app, subject).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// `Set-Cookie` values of this reply.
    pub fn set_cookies(&self) -> &[String] {
        &self.set
    }
}

/// What is kept of where a sign-in comes from.
pub fn origin_of(address: impl ToString, headers: &HeaderMap) -> Origin {
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        address: address.to_string(),
        user_agent: user_agent.unwrap_or_default().to_owned(),
        until: None,
    }
}

/// The account of a token; notes now and then that it is used.
async fn find(app: &Arc<App>, token: Secret) -> Option<Account> {
    let (now, lives) = (app.clock.now(), app.options.screens.sign_in);
    let found = app.look(move |rows| device::find(rows, &token, &lives, now)).await;
    let (device, user) =
        found.inspect_err(|fault| tracing::warn!(%fault, "a device was not found")).ok()??;
    if now.since(device.last_seen_at) >= SEEN_STEP_MS {
        let (id, at) = (device.id.clone(), app.clock.moment());
        let noted: Ruled<()> = app.transact(move |tx| device::touch(tx, &id, &lives, &at)).await;
        if let Err(Stop::Fault(fault)) = noted {
            tracing::warn!(%fault, "a device's use was not noted");
        }
    }
    Some(Account { device, user })
}

/// The name of a cookie on the wire.
fn name_of(app: &App, name: &str) -> String {
    if secure(app) { format!("__Host-{name}") } else { name.to_owned() }
}

fn secure(app: &App) -> bool {
    app.options.public_url.starts_with("https:")
}

pub(crate) fn cookie(app: &App, headers: &HeaderMap, name: &str) -> Option<String> {
    let name = name_of(app, name);
    let pairs = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned());
    values.next()
}

pub(crate) fn set_cookie(app: &App, name: &str, value: &str) -> String {
    let secure = if secure(app) { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", name_of(app, name))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
