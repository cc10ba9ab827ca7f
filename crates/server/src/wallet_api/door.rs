//! The door: who calls, and whether that one may make this call.
//!
//! A credential is `Authorization: Bearer <id>.<secret>`. The store has the secret's SHA-256; an unknown id, a retired
//! one and a wrong secret are told alike.

use super::CALLS;
use crate::app::App;
use crate::clock::random;
use crate::sandbox::answer::Failure;
use accord_core::ids::CredentialId;
use accord_core::operator::{Credential, Role};
use accord_core::secret::Digest;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Who calls: a credential's id, the actor of the journal's lines.
#[derive(Debug, Clone)]
pub struct Caller(pub String);

/// The secret part of a token, to be told once.
pub struct Secret {
    /// What goes after the dot.
    pub text: String,
    /// What the store keeps.
    pub digest: Digest,
}

/// Draws a secret: 32 random bytes as base64url.
pub fn new_secret() -> Secret {
    let text = URL_SAFE_NO_PAD.encode(random::<32>());
    Secret { digest: Digest::of(&text), text }
}

/// Lets a call through with its [`Caller`], or says why not.
pub async fn door(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match judge(&app, &parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(failure) => {
            let mut response = failure.into_response();
            if response.status() == StatusCode::UNAUTHORIZED {
                let scheme = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            response
        }
    }
}

async fn judge(app: &App, parts: &Parts) -> Result<Caller, Failure> {
    let credential = authenticate(app, &parts.headers).await?;
    let call = CALLS
        .iter()
        .find(|call| call.method == parts.method.as_str() && is_of(parts.uri.path(), call.path))
        .ok_or_else(|| {
            let message = "this call has another method";
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
        })?;
    if credential.role != Role::Operator && !call.roles.contains(&credential.role) {
        let message = format!("a credential of role {} may not do this", credential.role);
        return Err(Failure::new(StatusCode::FORBIDDEN, "FORBIDDEN", message));
    }
    Ok(Caller(credential.id.to_string()))
}

/// Is `path` one of `template`, whose `{…}` stand for one segment each?
pub(crate) fn is_of(path: &str, template: &str) -> bool {
    let mut segments = path.split('/');
    let same = template.split('/').all(|expected| {
        segments.next().is_some_and(|segment| segment == expected || expected.starts_with('{'))
    });
    same && segments.next().is_none()
}

async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Credential, Failure> {
    let wrong = || {
        let message = "Authorization must be `Bearer` and a credential that was not retired";
        Failure::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
    };
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(wrong()) };
    let token = line.to_str().ok().and_then(|line| line.strip_prefix("Bearer ")).ok_or_else(wrong)?;
    let (id, secret) = token.trim().split_once('.').ok_or_else(wrong)?;
    let id = CredentialId::read(id).ok_or_else(wrong)?;
    let known = app.look(move |rows| rows.credential(&id)).await?;
    let expected = known.as_ref().map_or(Digest([0; 32]), |credential| credential.digest);
    let right: bool = Digest::of(secret).0.ct_eq(&expected.0).into();
    known.filter(|credential| right && credential.retired_at.is_none()).ok_or_else(wrong)
}
