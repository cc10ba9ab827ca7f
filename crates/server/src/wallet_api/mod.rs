//! The wallet API: how accord lives inside a wallet that already has users, PINs and an app.
//!
//! Under `/wallet/v1`, on a listener of its own ([`listen`]); in the sandbox on the main one. Every call but that for
//! the OpenAPI document needs a credential whose role [`CALLS`] allows ([`door`]). JSON in and out; a failure is 4xx
//! (503 when the store is away) with `{"error": {"code": "…", "message": "…"}}`. Nothing is decided here: users and
//! transfers are `accord_core::operator`, decisions and controls `accord_core::agreement`, the same that the pages
//! and the sandbox use.

mod agreements;
mod authorizations;
pub(crate) mod door;
pub mod listen;
mod transfers;
mod users;

pub use door::{Secret, new_secret};

use crate::app::App;
use crate::sandbox::answer::Failure;
use accord_core::operator::Role;
use accord_core::{Refusal, Stop};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;

/// The OpenAPI document, as it is served.
pub const OPENAPI: &str = include_str!("../../assets/wallet-api.json");

/// What a deployment wires accord to: who may call it, and whom it asks.
#[derive(Debug, Clone, Default)]
pub struct Seams {
    /// The listener of the wallet API; nothing: not served, or on the main listener (sandbox).
    pub wallet_api: Option<listen::Listen>,
    /// The risk engine that is asked before each debit; nothing: every debit is approved.
    pub risk: Option<crate::risk::RiskOptions>,
    /// Who says that a PIN is a user's; nothing: the hashes kept with the users.
    pub identity: Option<Arc<dyn accord_core::identity::Identity>>,
    /// The operator console; nothing: not served.
    pub console: Option<crate::admin::ConsoleOptions>,
}

/// One call: method, path and who may make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `POST`, `PATCH`.
    pub method: &'static str,
    /// As axum and OpenAPI write it.
    pub path: &'static str,
    /// Beside the operator, who may everything.
    pub roles: &'static [Role],
}

const LOOK: &[Role] = &[Role::Reader, Role::App, Role::Funding];
const APP: &[Role] = &[Role::App];
const FUNDING: &[Role] = &[Role::Funding];
const NOBODY_ELSE: &[Role] = &[];

/// Every call behind the door. What does not stand here is not let in.
pub const CALLS: &[Call] = &[
    Call { method: "POST", path: "/wallet/v1/users", roles: NOBODY_ELSE },
    Call { method: "GET", path: "/wallet/v1/users", roles: LOOK },
    Call { method: "GET", path: "/wallet/v1/users/{customerId}", roles: LOOK },
    Call { method: "PATCH", path: "/wallet/v1/users/{customerId}", roles: NOBODY_ELSE },
    Call { method: "POST", path: "/wallet/v1/users/{customerId}/freeze", roles: NOBODY_ELSE },
    Call { method: "POST", path: "/wallet/v1/users/{customerId}/unfreeze", roles: NOBODY_ELSE },
    Call { method: "GET", path: "/wallet/v1/users/{customerId}/agreements", roles: LOOK },
    Call { method: "GET", path: "/wallet/v1/users/{customerId}/inbox", roles: LOOK },
    Call { method: "GET", path: "/wallet/v1/users/{customerId}/balances", roles: LOOK },
    Call { method: "POST", path: "/wallet/v1/transfers/topUp", roles: FUNDING },
    Call { method: "POST", path: "/wallet/v1/transfers/withdraw", roles: FUNDING },
    Call { method: "POST", path: "/wallet/v1/authorizations/resolve", roles: APP },
    Call { method: "POST", path: "/wallet/v1/authorizations/decide", roles: APP },
    Call { method: "POST", path: "/wallet/v1/agreements/{agreementId}/limits", roles: APP },
    Call { method: "POST", path: "/wallet/v1/agreements/{agreementId}/pause", roles: APP },
    Call { method: "POST", path: "/wallet/v1/agreements/{agreementId}/resume", roles: APP },
    Call { method: "POST", path: "/wallet/v1/agreements/{agreementId}/skip", roles: APP },
    Call { method: "POST", path: "/wallet/v1/agreements/{agreementId}/end", roles: APP },
    Call { method: "POST", path: "/wallet/v1/agreements/{agreementId}/revoke", roles: NOBODY_ELSE },
];

/// Everything under `/wallet/v1`. The rest of `/wallet` is the user's pages.
pub fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/wallet/v1/users", get(users::find).post(users::create))
        .route("/wallet/v1/users/{customerId}", get(users::show).patch(users::change))
        .route("/wallet/v1/users/{customerId}/freeze", post(users::freeze))
        .route("/wallet/v1/users/{customerId}/unfreeze", post(users::unfreeze))
        .route("/wallet/v1/users/{customerId}/agreements", get(agreements::list))
        .route("/wallet/v1/users/{customerId}/inbox", get(users::inbox))
        .route("/wallet/v1/users/{customerId}/balances", get(users::balances))
        .route("/wallet/v1/transfers/topUp", post(transfers::top_up))
        .route("/wallet/v1/transfers/withdraw", post(transfers::withdraw))
        .route("/wallet/v1/authorizations/resolve", post(authorizations::resolve))
        .route("/wallet/v1/authorizations/decide", post(authorizations::decide))
        .route("/wallet/v1/agreements/{agreementId}/limits", post(agreements::limits))
        .route("/wallet/v1/agreements/{agreementId}/pause", post(agreements::pause))
        .route("/wallet/v1/agreements/{agreementId}/resume", post(agreements::resume))
        .route("/wallet/v1/agreements/{agreementId}/skip", post(agreements::skip))
        .route("/wallet/v1/agreements/{agreementId}/end", post(agreements::end))
        .route("/wallet/v1/agreements/{agreementId}/revoke", post(agreements::revoke))
        .route_layer(middleware::from_fn_with_state(app.clone(), door::door))
        .route("/wallet/v1/openapi.json", get(openapi))
        .route("/wallet/v1", axum::routing::any(unknown_path))
        .route("/wallet/v1/{*rest}", axum::routing::any(unknown_path))
        .with_state(app)
}

async fn openapi() -> Response {
    let mut response = OPENAPI.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn unknown_path() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "NOT_FOUND", "the wallet API has no such call")
}

/// A value that is read but makes no sense: 422.
fn unfit(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID", message)
}

fn no_such_user() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "USER_NOT_FOUND", "there is no such user")
}

/// What a rule that stopped is called here.
fn stopped(stop: Stop) -> Failure {
    let refusal = match stop {
        Stop::Fault(fault) => return fault.into(),
        Stop::Refused(refusal) => refusal,
    };
    match refusal {
        Refusal::UserNotFound => no_such_user(),
        Refusal::UserFrozen => {
            Failure::new(StatusCode::CONFLICT, "USER_FROZEN", "the user is frozen, or closed")
        }
        Refusal::BalanceNotEnough | Refusal::AccountMissing => {
            let message = "there is not so much money in the account";
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "BALANCE_NOT_ENOUGH", message)
        }
        other => Failure::new(StatusCode::CONFLICT, "REFUSED", format!("refused: {other}")),
    }
}
