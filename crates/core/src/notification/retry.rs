//! What becomes of a notification after an attempt (decision 37).

use crate::moment::{Moment, Timestamp};
use crate::notification::{Notification, NotificationState};
use crate::policy::MINUTE;
use crate::secret::{DerivationKeys, SecretKind};
use crate::store::{Rows, Stored};
use crate::voice::Voice;

/// Delay before each try, counted from the one before: at once, then 2 m, 10 m, 10 m, 1 h, 2 h, 6 h, 15 h.
pub const SCHEDULE: [i64; 8] =
    [0, 2 * MINUTE, 10 * MINUTE, 10 * MINUTE, 60 * MINUTE, 120 * MINUTE, 360 * MINUTE, 900 * MINUTE];

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

/// Does what it reports no longer matter? True once its code was used or has expired.
pub fn is_moot(
    rows: &dyn Rows,
    notification: &Notification,
    keys: &DerivationKeys,
    voice: &dyn Voice,
    at: &Moment,
) -> Stored<bool> {
    let Some(moot_after) = notification.moot_after else { return Ok(false) };
    if at.now > moot_after {
        return Ok(true);
    }
    for mark in notification.marks.iter().filter(|mark| mark.secret.kind == SecretKind::AuthCode) {
        let Some(code) = keys.derive(&mark.secret, &voice.policy().code) else { continue };
        let code = rows.code(mark.secret.agreement.bucket(), &code.digest())?;
        if code.is_some_and(|code| code.used_at.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}
