//! The sandbox's control API: decide a session, look at a user, move the clock, script a fault.
//!
//! For tests and for people who try the wallet out; it exists only under `accord dev`. It is unsigned, so
//! [`guard`] lets in nobody but this machine itself. It goes around nothing: a decision takes the way of the
//! page's form, money moves through the ledger only, and what it shows is what the store holds.
//!
//! JSON in and out; unknown members are ignored. A failure is 4xx (503 when the store is away) with
//! `{"error": {"code": "…", "message": "…"}}`.

mod agreements;
pub(crate) mod answer;
mod auth_code;
mod clock;
pub(crate) mod decide;
pub mod faults;
mod guard;
mod notifications;
mod users;

pub(crate) use guard::names_loopback;
pub(crate) use users::{agreements_of, parameter};

use crate::app::App;
use answer::Failure;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{any, get, post};
use std::sync::Arc;

/// Everything under `/sandbox`, behind its guard.
pub fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/sandbox/decide", post(decide::decide).fallback(wrong_method))
        .route("/sandbox/getAuthCode", post(auth_code::get_auth_code).fallback(wrong_method))
        .route("/sandbox/users/{login_id}", get(users::user).fallback(wrong_method))
        .route("/sandbox/messages", get(users::messages).fallback(wrong_method))
        .route("/sandbox/notifications", get(notifications::notifications).fallback(wrong_method))
        .route("/sandbox/agreements/end", post(agreements::end).fallback(wrong_method))
        .route("/sandbox/consult", post(agreements::consult).fallback(wrong_method))
        .route("/sandbox/clock", get(clock::show).post(clock::advance).fallback(wrong_method))
        .route("/sandbox/faults", post(faults::script).delete(faults::clear).fallback(wrong_method))
        .route("/sandbox", any(unknown_path))
        .route("/sandbox/", any(unknown_path))
        .route("/sandbox/{*rest}", any(unknown_path))
        .layer(middleware::from_fn(guard::guard))
        .with_state(app)
}

async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "this call has another method")
}

async fn unknown_path() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "NOT_FOUND", "the sandbox has no such call")
}
