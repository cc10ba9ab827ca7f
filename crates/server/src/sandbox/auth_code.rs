//! `my.getAuthCode` without an app: a mini program of a Qi client asks a signed-in user for scopes.
//!
//! The sandbox stands for the app: it takes the user as signed in (a PIN is checked if it is given) and counts scopes
//! that are not silent as agreed to. The rule is the one that a real app's back end would call.

use super::answer::{Failure, Told};
use crate::app::{App, as_voice};
use crate::http::Peer;
use crate::pages::i18n::page_version;
use crate::sign_in::prove;
use accord_core::agreement::decide::Shown;
use accord_core::agreement::login::log_in;
use accord_core::identity::Claim;
use accord_core::ids::{ClientId, DialectName, LoginId};
use accord_core::secret::Digest;
use accord_core::user::UserStatus;
use accord_core::voice::Context;
use accord_core::{Refusal, Stop};
use accord_wire::qi;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Most scopes in one call.
const MOST_SCOPES: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    login_id: String,
    pin: Option<String>,
    client_id: Option<String>,
    #[serde(rename = "as")]
    named: Option<String>,
    scopes: Vec<String>,
}

/// `POST /sandbox/getAuthCode`
pub async fn get_auth_code(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    body: Bytes,
) -> Result<Told, Failure> {
    let asked: Asked = serde_json::from_slice(&body).map_err(|fault| Failure::bad(fault.to_string()))?;
    if asked.scopes.len() > MOST_SCOPES {
        return Err(Failure::bad(format!("scopes: more than {MOST_SCOPES}")));
    }
    let client_id = match (asked.client_id, asked.named) {
        (Some(id), _) => id,
        (None, named) => client_named(&app, named.unwrap_or_else(|| "qi".to_owned())).await?,
    };
    let login = LoginId::new(asked.login_id);
    let (client, user) = app
        .look(move |rows| {
            let user = match rows.customer_of(&login)? {
                Some(id) => rows.user(&id)?,
                None => None,
            };
            Ok((rows.client(&ClientId::new(client_id))?, user))
        })
        .await?;
    let client = client.filter(|client| client.dialect.as_str() == qi::NAME).ok_or_else(|| {
        Failure::new(StatusCode::NOT_FOUND, "CLIENT_NOT_FOUND", "there is no client of Qi by that name")
    })?;
    let user = user.filter(|user| user.status == UserStatus::Active).ok_or_else(wrong_sign_in)?;
    if let Some(typed) = asked.pin {
        let claim = Claim { customer: Some(user.id.clone()), kept: Some(user.pin_hash.clone()), typed };
        if !prove(&app, claim).await? {
            return Err(wrong_sign_in());
        }
    }

    let (granted, refused) = qi::login::sort_scopes(asked.scopes.iter().map(String::as_str));
    let errors: Map<String, Value> =
        refused.into_iter().map(|fault| (fault.scope, fault.error.into())).collect();
    if granted.is_empty() {
        let answer = json!({ "authCode": null, "authSuccessScopes": [], "authErrorScopes": errors });
        return Ok(Told(answer));
    }
    let words: Vec<&str> = granted.iter().map(|scope| scope.as_str()).collect();
    let shown = Shown {
        text_digest: Digest::of(&words.join("\n")),
        language: user.language,
        version: format!("sandbox {}", page_version()),
    };
    let command = qi::login::log_in(&client, user.id, granted.clone(), shown, peer.ip().to_string());
    let dialect = app.dialect(&DialectName::new(qi::NAME)).ok_or_else(|| {
        Failure::new(StatusCode::NOT_FOUND, "DIALECT_NOT_SERVED", "this wallet does not serve Qi")
    })?;
    let (at, keys) = (app.clock.moment(), app.options.keys.clone());
    let code = app
        .transact(move |tx| {
            log_in(tx, &command, Context { keys: &keys, voice: as_voice(dialect.as_ref()) }, &at)
        })
        .await
        .map_err(|stop| match stop {
            Stop::Fault(fault) => fault.into(),
            Stop::Refused(Refusal::UserFrozen) => wrong_sign_in(),
            Stop::Refused(refusal) => Failure::bad(refusal.to_string()),
        })?;
    app.wake.notify_one();
    Ok(Told(json!({
        "authCode": code.reveal(),
        "authSuccessScopes": words,
        "authErrorScopes": errors,
    })))
}

/// The Client-Id of that name in `sandbox.json`.
async fn client_named(app: &App, name: String) -> Result<String, Failure> {
    let Some(sandbox) = &app.options.sandbox else { return Err(no_name(&name)) };
    let path = sandbox.dir.join("sandbox.json");
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    let file: Value = match read {
        Ok(Ok(bytes)) => serde_json::from_slice(&bytes).unwrap_or_default(),
        _ => Value::Null,
    };
    file[&name]["clientId"].as_str().map(str::to_owned).ok_or_else(|| no_name(&name))
}

fn no_name(name: &str) -> Failure {
    Failure::bad(format!("as: no client is called `{name}` in sandbox.json; or give clientId"))
}

fn wrong_sign_in() -> Failure {
    let message = "loginId or pin is wrong, or the user may not sign in";
    Failure::new(StatusCode::FORBIDDEN, "WRONG_SIGN_IN", message)
}
