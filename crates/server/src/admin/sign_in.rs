//! Signing in to the console and out of it: `/admin/sign-in`, `/admin/sign-out`.

use super::door::{self, Fields, Signed, Visit, language, same_origin};
use crate::app::App;
use crate::cookies::Browser;
use crate::http::{Sender, page, redirect};
use crate::pages::admin::{SignInHint, SignInView, render_sign_in};
use crate::pages::policy::content_security_policy;
use crate::pin;
use accord_core::console::LONGEST_PASSWORD;
use accord_core::console::sign_in::{self, Begun, Try};
use accord_core::{Ruled, Stop};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// `GET /admin/sign-in`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    asked: super::Asked,
    headers: HeaderMap,
) -> Response<Body> {
    form(&app, &headers, asked.get("lang").map(String::as_str), "", None)
}

fn form(
    app: &App,
    headers: &HeaderMap,
    lang: Option<&str>,
    name: &str,
    hint: Option<SignInHint>,
) -> Response<Body> {
    let (language, browser) = language(app, headers, lang);
    let visit = Visit::read(app, headers).unwrap_or_else(|| Visit::new(app));
    let mut cookies = browser.set_cookies().to_vec();
    cookies.push(visit.cookie(app));
    let name = crate::pages::markup::clean_line(name);
    let view = SignInView { language, csrf: visit.token, name, hint };
    let status = match hint {
        None => 200,
        Some(SignInHint::TooMany(_)) => 429,
        Some(SignInHint::Unavailable) => 503,
        Some(SignInHint::Wrong | SignInHint::FormTooOld) => 403,
    };
    page(status, render_sign_in(&view), &content_security_policy(None), &Browser::setting(cookies))
}

/// `POST /admin/sign-in`
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(Sender(address)): Extension<Sender>,
    headers: HeaderMap,
    Extension(fields): Extension<Fields>,
) -> Response<Body> {
    let name = fields.said("name").chars().take(64).collect::<String>();
    let again = |hint| form(&app, &headers, None, &name, Some(hint));
    let visit = Visit::read(&app, &headers);
    let ours =
        visit.is_some_and(|visit| visit.token.as_bytes().ct_eq(fields.exact("csrf").as_bytes()).into());
    if !ours || !same_origin(&headers) {
        return again(SignInHint::FormTooOld);
    }
    let attempt = Try { name: name.clone(), address: address.to_string() };
    let password = fields.exact("password").to_owned();
    match check(&app, attempt, password).await {
        Ok(Checked::Right(cookie)) => redirect("/admin", &Browser::setting(vec![cookie])),
        Ok(Checked::Wrong) => again(SignInHint::Wrong),
        Ok(Checked::TooMany(until)) => again(SignInHint::TooMany(until)),
        // Disabled between the check and the sign-in: it looks like a wrong password.
        Err(Stop::Refused(_)) => again(SignInHint::Wrong),
        Err(Stop::Fault(fault)) => {
            tracing::error!(%fault, "a sign-in to the console could not be judged");
            again(SignInHint::Unavailable)
        }
    }
}

enum Checked {
    Right(String),
    Wrong,
    TooMany(accord_core::Timestamp),
}

/// Counts the try, checks the password between two transactions, off the threads that answer calls.
async fn check(app: &Arc<App>, attempt: Try, password: String) -> Ruled<Checked> {
    let (begin, limits, at) = (attempt.clone(), app.options.sign_in.clone(), app.clock.moment());
    let hash = match app.transact(move |tx| sign_in::begin(tx, &begin, &limits, &at)).await? {
        Begun::Check(hash) => hash,
        Begun::TooMany(until) => return Ok(Checked::TooMany(until)),
    };
    let hash = hash.filter(|_| password.len() <= LONGEST_PASSWORD);
    let right = pin::check(&app.pin_permits, password, hash).await;
    let at = app.clock.moment();
    if !right {
        app.transact(move |tx| sign_in::failed(tx, &attempt, &at)).await?;
        return Ok(Checked::Wrong);
    }
    let (_, token) = app.transact(move |tx| sign_in::succeed(tx, &attempt, &at)).await?;
    Ok(Checked::Right(door::session_cookie(app, &token)))
}

/// `POST /admin/sign-out`
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
) -> Response<Body> {
    let (id, at) = (signed.session.id.clone(), app.clock.moment());
    let ended: Ruled<()> = app.transact(move |tx| sign_in::sign_out(tx, &id, &at)).await;
    match ended {
        Ok(()) => redirect("/admin/sign-in", &Browser::setting(vec![door::no_session_cookie(&app)])),
        Err(stop) => super::stopped(&signed, stop),
    }
}
