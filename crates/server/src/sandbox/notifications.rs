//! The outbox, as it was or will be sent.

use super::answer::{Failure, Told, iso};
use super::users::LIMIT;
use crate::app::App;
use crate::dispatcher;
use accord_core::notification::{Attempt, Notification};
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
    // A secret whose key is gone stays a placeholder.
    let body = dispatcher::body_of(app, notification).unwrap_or_else(|| notification.body.clone());
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
