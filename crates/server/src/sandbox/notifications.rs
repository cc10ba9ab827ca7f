//! The outbox, as it was or will be sent.

use super::answer::{Failure, Told, iso};
use super::users::LIMIT;
use crate::app::App;
use accord_core::notification::{Attempt, Notification};
use accord_core::policy::Policy;
use accord_core::secret::{DerivationKeys, SecretKind};
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /sandbox/notifications`
pub async fn notifications(State(app): State<Arc<App>>) -> Result<Told, Failure> {
    let found = app
        .look(|rows| {
            let newest = rows.notifications(LIMIT)?;
            newest.into_iter().map(|one| Ok((rows.attempts(&one.id)?, one))).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let shown: Vec<Value> = found.iter().map(|(attempts, one)| show(&app, one, attempts)).collect();
    Ok(Told(json!({ "notifications": shown })))
}

fn show(app: &App, notification: &Notification, attempts: &[Attempt]) -> Value {
    let body = match app.dialect(&notification.dialect) {
        Some(dialect) => reveal(notification, &app.options.keys, dialect.policy()),
        None => notification.body.clone(),
    };
    let attempts: Vec<Value> = attempts
        .iter()
        .map(|attempt| {
            json!({ "time": iso(attempt.at), "httpStatus": attempt.http_status, "outcome": attempt.outcome })
        })
        .collect();
    json!({
        "notificationId": notification.id.as_str(),
        "type": notification.kind,
        "url": notification.url,
        "body": body,
        "state": notification.state.as_str(),
        "attempts": attempts,
    })
}

/// The body with its secrets derived anew. A secret whose key is gone stays a placeholder.
fn reveal(notification: &Notification, keys: &DerivationKeys, policy: &Policy) -> String {
    notification.marks.iter().fold(notification.body.clone(), |body, mark| {
        let shape = match mark.secret.kind {
            SecretKind::AuthCode => &policy.code,
            SecretKind::AccessToken => &policy.access,
            SecretKind::RefreshToken => &policy.refresh,
        };
        match keys.derive(&mark.secret, shape) {
            Some(secret) => body.replace(&mark.placeholder, secret.reveal()),
            None => body,
        }
    })
}
