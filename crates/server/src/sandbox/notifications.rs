//! The outbox, as it was or will be sent.

use super::answer::{Failure, Told, iso};
use super::users::LIMIT;
use crate::app::App;
use crate::dispatcher;
use accord_core::Moment;
use accord_core::notification::retry::is_moot;
use accord_core::notification::{Attempt, Notification, NotificationState};
use accord_core::store::{Rows, Stored};
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /sandbox/notifications`
pub async fn notifications(State(app): State<Arc<App>>) -> Result<Told, Failure> {
    let at = app.clock.moment();
    let found = app
        .look(move |rows| {
            let newest = rows.notifications(LIMIT)?.into_iter();
            newest
                .map(|one| Ok((rows.attempts(&one.id)?, as_of(rows, one, &at)?)))
                .collect::<Stored<Vec<_>>>()
        })
        .await?;
    let shown: Vec<Value> = found.iter().map(|(attempts, one)| show(&app, one, attempts)).collect();
    Ok(Told(json!({ "notifications": shown })))
}

/// The notification as it stands: one whose code has been used or has expired is moot, though nobody came by to write
/// that down yet.
fn as_of(rows: &dyn Rows, one: Notification, at: &Moment) -> Stored<Notification> {
    let pending = one.state == NotificationState::Pending;
    if pending && is_moot(rows, &one, at)? {
        return Ok(Notification { state: NotificationState::Moot, ..one });
    }
    Ok(one)
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
