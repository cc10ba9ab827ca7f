//! The wallet's own pages over HTTP, under `/wallet`: a user signs in, sees what was agreed to and why money went, and
//! limits, pauses or ends it.
//!
//! Every page begins with [`Visit::enter`]: who is not signed in is asked to, on the spot, and learns nothing else. What
//! is another's looks like what is not there. Every form carries a token of this browser, this sign-in and what it is
//! about; forms that change an agreement carry how it stood as well, so that a form from before is told to be too old.
//! Rules are in `accord_core`, the same that the sandbox and the wallet API call; markup is in
//! [`crate::pages::wallet`].

#![expect(clippy::result_large_err, reason = "an early reply is a whole response, and is sent at once")]

mod act;
mod agreement;
mod home;
mod payment;
mod settings;
mod sign_in;

use crate::app::App;
use crate::cookies::{Account, Browser};
use crate::http::page;
use crate::pages::home::render_not_found;
use crate::pages::i18n::{best_language, catalogue};
use crate::pages::policy::content_security_policy;
use crate::pages::wallet::{Frame, Hint};
use accord_core::preference;
use accord_core::store::{StoreFault, Stored};
use accord_core::user::Language;
use accord_core::{Ruled, Stop};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use std::sync::Arc;

/// Messages looked at.
const LETTERS: usize = 200;

/// The pages' routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/wallet", get(home::show))
        .route("/wallet/sign-in", get(home::show).post(sign_in::sign_in))
        .route("/wallet/sign-out", post(sign_in::sign_out))
        .route("/wallet/agreements/{id}", get(agreement::show))
        .route("/wallet/agreements/{id}/receipt", get(agreement::receipt))
        .route("/wallet/receipts.pub.pem", get(agreement::receipt_key))
        .route("/wallet/agreements/{id}/limits", post(act::limits))
        .route("/wallet/agreements/{id}/pause", post(act::pause))
        .route("/wallet/agreements/{id}/resume", post(act::resume))
        .route("/wallet/agreements/{id}/skip", post(act::skip))
        .route("/wallet/agreements/{id}/end", get(act::ask_end).post(act::end))
        .route("/wallet/payments/{id}", get(payment::show))
        .route("/wallet/inbox", get(home::inbox))
        .route("/wallet/preferences", get(settings::preferences).post(settings::choose))
        .route("/wallet/devices", get(settings::devices))
        .route("/wallet/devices/end-all", post(settings::end_all))
        .route("/wallet/devices/{id}/end", post(settings::end_device))
}

/// What any page may be asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    lang: Option<String>,
    done: Option<String>,
    before: Option<String>,
    state: Option<String>,
}

/// One request of a user who is signed in.
pub(super) struct Visit {
    app: Arc<App>,
    browser: Browser,
    account: Account,
    language: Language,
    unread: usize,
    path: String,
    hint: Option<Hint>,
}

impl Visit {
    /// Lets a user in, or gives the page that asks who is there; it goes on to `path` afterwards.
    async fn enter(
        app: &Arc<App>,
        headers: &HeaderMap,
        asked: &Asked,
        path: String,
    ) -> Result<Visit, Response<Body>> {
        let mut browser = Browser::read(app, headers).await;
        if let Some(chosen) = asked.lang.as_deref().and_then(catalogue::find) {
            browser = browser.speaking(app, chosen);
        }
        let account =
            browser.account().filter(|account| account.device.opens_wallet(&app.options.screens.sign_in));
        let Some(account) = account.cloned() else {
            let language = language_of(&browser, headers);
            return Err(sign_in::ask(app, &browser, language, &path, None, None));
        };
        let language = browser.language().unwrap_or(account.user.language);
        let customer = account.user.id.clone();
        let unread = app.look(move |rows| {
            let seen_at = preference::of(rows, &customer)?.seen_at;
            Ok(rows.messages(&customer, LETTERS)?.iter().filter(|message| message.at > seen_at).count())
        });
        let unread = unread.await.map_err(|fault| unavailable(language, &fault))?;
        let hint = asked.done.is_some().then_some(Hint::Done);
        Ok(Visit { app: app.clone(), browser, account, language, unread, path, hint })
    }

    /// The same, with something to be said first.
    fn saying(mut self, hint: Hint) -> Visit {
        self.hint = Some(hint);
        self
    }

    fn frame(&self) -> Frame {
        Frame {
            language: self.language,
            path: self.path.clone(),
            unread: self.unread,
            sign_out: self.token("sign-out"),
            hint: self.hint,
        }
    }

    /// The token of a form about `subject`, for this browser and this sign-in.
    fn token(&self, subject: &str) -> String {
        self.browser.form_token(&self.app, &self.subject(subject))
    }

    /// Was this token given for a form about `subject`, in this browser and this sign-in?
    fn owns(&self, subject: &str, token: &str) -> bool {
        self.browser.owns_form(&self.app, &self.subject(subject), token)
    }

    fn subject(&self, subject: &str) -> String {
        format!("wallet/{}/{subject}", self.account.device.id)
    }

    fn page(&self, html: String) -> Response<Body> {
        page(200, html, &content_security_policy(None), &self.browser)
    }

    /// What is not there, or another's.
    fn nothing(&self) -> Response<Body> {
        page(404, render_not_found(self.language), &content_security_policy(None), &self.browser)
    }

    fn fault(&self, fault: &StoreFault) -> Response<Body> {
        unavailable(self.language, fault)
    }

    fn go(&self, path: &str) -> Response<Body> {
        crate::http::redirect(path, &self.browser)
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn accord_core::store::Rows) -> Stored<T> + Send + 'static,
    ) -> Result<T, Response<Body>> {
        self.app.look(look).await.map_err(|fault| self.fault(&fault))
    }

    /// What a rule said. These rules refuse nothing that a user could do something about.
    fn ruled<T>(&self, ruled: Ruled<T>) -> Result<T, Response<Body>> {
        ruled.map_err(|stop| match stop {
            Stop::Fault(fault) => self.fault(&fault),
            Stop::Refused(_) => self.nothing(),
        })
    }
}

/// The language of a browser in which nobody is signed in.
fn language_of(browser: &Browser, headers: &HeaderMap) -> Language {
    let accepted = headers.get("accept-language").and_then(|value| value.to_str().ok());
    browser.language().unwrap_or_else(|| best_language(accepted.unwrap_or_default()))
}

fn unavailable(language: Language, fault: &StoreFault) -> Response<Body> {
    tracing::error!(%fault, "a page of the wallet met a fault of the store");
    let view = crate::pages::result::ResultView {
        language,
        auth_id: None,
        outcome: crate::pages::result::Outcome::Unavailable,
    };
    let html = crate::pages::result::render(&view);
    page(503, html, &content_security_policy(None), &Browser::none())
}

/// Either way a reply.
fn either(reply: Result<Response<Body>, Response<Body>>) -> Response<Body> {
    reply.unwrap_or_else(|reply| reply)
}
