//! Signing in and out. The PIN stands behind the same guards as on the authorization page (decision 21).

use super::{Asked, Visit, language_of, unavailable};
use crate::app::App;
use crate::cookies::{Browser, origin_of};
use crate::http::{Sender, page, redirect};
use crate::pages::i18n::catalogue;
use crate::pages::policy::content_security_policy;
use crate::pages::wallet::{Hint, SignInView, render_sign_in};
use crate::sign_in::{self, Checked};
use crate::typed;
use accord_core::agreement::sign_in::SignIn;
use accord_core::device;
use accord_core::ids::LoginId;
use accord_core::user::Language;
use accord_core::{Ruled, Stop};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use std::sync::Arc;

/// What the form is about.
const FORM: &str = "wallet/sign-in";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Posted {
    csrf: String,
    next: String,
    lang: Option<String>,
    #[serde(rename = "loginId")]
    login_id: String,
    pin: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Bare {
    pub(super) csrf: String,
}

/// Asks who is there, and goes on to `next`.
pub(super) fn ask(
    app: &Arc<App>,
    browser: &Browser,
    language: Language,
    next: &str,
    hint: Option<Hint>,
    typed: Option<String>,
) -> Response<Body> {
    let view = SignInView {
        language,
        next: next.to_owned(),
        csrf: browser.form_token(app, FORM),
        typed_login_id: typed,
        hint,
        idle_ms: app.options.screens.sign_in.idle_ms,
    };
    page(200, render_sign_in(&view), &content_security_policy(None), browser)
}

/// `POST /wallet/sign-in`
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response<Body> {
    let browser = Browser::read(&app, &headers).await;
    let chosen = posted.lang.as_deref().and_then(catalogue::find);
    let language = chosen.unwrap_or_else(|| language_of(&browser, &headers));
    let next = if is_ours(&posted.next) { posted.next.clone() } else { "/wallet".to_owned() };
    let login = typed::plain(&posted.login_id).trim().to_owned();
    let back = Some(login.clone()).filter(|login| login.chars().count() <= 128);
    let again = |hint| ask(&app, &browser, language, &next, Some(hint), back.clone());
    if browser.is_fresh() {
        return again(Hint::NoCookies);
    }
    if !browser.owns_form(&app, FORM, &posted.csrf) {
        return again(Hint::FormTooOld);
    }
    if login.is_empty() || posted.pin.is_empty() || posted.pin.len() > 256 {
        return again(Hint::SignIn);
    }
    let attempt = SignIn { auth_id: None, login: LoginId::new(login), address: sender.0.to_string() };
    let customer = match sign_in::check(&app, attempt, posted.pin).await {
        Ok(Checked::Right(customer)) => customer,
        Ok(Checked::Wrong | Checked::Closed) => return again(Hint::WrongSignIn),
        Ok(Checked::TooMany(Some(until))) => return again(Hint::TooMany(until)),
        Ok(Checked::TooMany(None)) => return again(Hint::TooManyForGood),
        Err(Stop::Fault(fault)) => return unavailable(language, &fault),
        Err(Stop::Refused(_)) => return again(Hint::WrongSignIn),
    };
    match browser.sign_in(&app, customer, origin_of(sender.0, &headers)).await {
        Ok(browser) => redirect(&next, &browser),
        // Frozen between PIN and sign-in: it looks like a wrong PIN.
        Err(Stop::Refused(_)) => again(Hint::WrongSignIn),
        Err(Stop::Fault(fault)) => unavailable(language, &fault),
    }
}

/// `POST /wallet/sign-out`
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(posted): Form<Bare>,
) -> Response<Body> {
    let visit = match Visit::enter(&app, &headers, &Asked::default(), "/wallet".to_owned()).await {
        Ok(visit) => visit,
        Err(reply) => return reply,
    };
    if !visit.owns("sign-out", &posted.csrf) {
        return visit.go("/wallet");
    }
    let (customer, id, at) =
        (visit.account.user.id.clone(), visit.account.device.id.clone(), app.clock.moment());
    let ended: Ruled<bool> = app.transact(move |tx| device::sign_out(tx, &customer, &id, &at)).await;
    match ended {
        Err(Stop::Fault(fault)) => visit.fault(&fault),
        Ok(_) | Err(Stop::Refused(_)) => {
            let browser = visit.browser.signed_out(&app);
            ask(&app, &browser, visit.language, "/wallet", Some(Hint::SignedOut), None)
        }
    }
}

/// A path of these pages that a browser can be led to with GET; never an address elsewhere.
fn is_ours(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-');
    let rest = path.strip_prefix("/wallet");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        && path.bytes().all(plain)
        && !path.contains("//")
        && !matches!(path, "/wallet/sign-in" | "/wallet/sign-out")
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn a_sign_in_leads_to_these_pages_and_nowhere_else() {
        for path in ["/wallet", "/wallet/inbox", "/wallet/agreements/Ab0/end"] {
            assert!(is_ours(path), "{path}");
        }
        for path in [
            "",
            "/",
            "/walletx",
            "//evil.example/wallet",
            "/wallet//evil.example",
            "https://evil.example/wallet",
            "/wallet/../authorize",
            "/wallet?x=1",
            "/wallet\r\nSet-Cookie: a=b",
            "/wallet/sign-out",
            "/wallet/sign-in",
            "\\wallet",
        ] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
