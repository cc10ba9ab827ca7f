//! What becomes of a notification after an attempt (decision 37).

use crate::moment::{Moment, Timestamp};
use crate::notification::{Notification, NotificationState};
use crate::policy::MINUTE;
use crate::secret::SecretKind;
use crate::store::{Rows, Stored, Tx};

/// Delay before each try, counted from the one before: at once, then 2 m, 10 m, 10 m, 1 h, 2 h, 6 h, 15 h.
pub const SCHEDULE: [i64; 8] =
    [0, 2 * MINUTE, 10 * MINUTE, 10 * MINUTE, 60 * MINUTE, 120 * MINUTE, 360 * MINUTE, 900 * MINUTE];

/// How long a node has a notification to itself once it has claimed it, in milliseconds: longer than any try takes.
pub const LEASE: i64 = MINUTE / 2;

/// Claims a notification for one attempt, where several nodes carry notifications: no other node finds it due before
/// the lease is over, and if this one dies the next takes it up then. False: another was quicker.
pub fn claim(tx: &mut dyn Tx, seen: &Notification, at: &Moment) -> Stored<bool> {
    let Some(current) = tx.notification(&seen.id)? else { return Ok(false) };
    let as_seen = current.state == NotificationState::Pending
        && current.tries == seen.tries
        && current.next_attempt_at == seen.next_attempt_at;
    if as_seen {
        tx.update_notification(&Notification { next_attempt_at: at.now.plus_millis(LEASE), ..current })?;
    }
    Ok(as_seen)
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it.
    Acknowledged,
    /// The receiver handled it and refuses it.
    Refused,
    /// Anything else: try again.
    Failed,
}

/// The notification after an attempt at `at`.
pub fn after_attempt(notification: Notification, delivery: Delivery, at: Timestamp) -> Notification {
    let tries = notification.tries + 1;
    let (state, next_attempt_at) = match (delivery, SCHEDULE.get(tries as usize)) {
        (Delivery::Acknowledged, _) => (NotificationState::Delivered, at),
        (Delivery::Refused, _) => (NotificationState::Rejected, at),
        (Delivery::Failed, Some(delay)) => (NotificationState::Pending, at.plus_millis(*delay)),
        (Delivery::Failed, None) => (NotificationState::Dead, at),
    };
    Notification { state, tries, next_attempt_at, ..notification }
}

/// Does what it reports no longer matter? True once its code was redeemed or has expired.
pub fn is_moot(rows: &dyn Rows, notification: &Notification, at: &Moment) -> Stored<bool> {
    let Some(moot_after) = notification.moot_after else { return Ok(false) };
    if at.now > moot_after {
        return Ok(true);
    }
    for mark in notification.marks.iter().filter(|mark| mark.secret.kind == SecretKind::AuthCode) {
        if rows.agreement(&mark.secret.agreement)?.is_some_and(|agreement| agreement.redeemed()) {
            return Ok(true);
        }
    }
    Ok(false)
}
