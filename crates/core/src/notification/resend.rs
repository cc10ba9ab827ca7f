//! Send again, by a person's hand (decision 37): what a receiver refused, or what every try was in vain for.

use crate::ids::NotificationId;
use crate::journal;
use crate::moment::Moment;
use crate::notification::{Notification, NotificationState};
use crate::outcome::Ruled;
use crate::store::Tx;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resent {
    /// It is due now.
    Due,
    /// It is not as the person saw it: tried again meanwhile, or no longer rejected or dead. Nothing was changed.
    Changed,
    /// There is no such notification.
    Unknown,
}

/// Makes a rejected or dead notification due now. `seen_tries` is how many tries the person saw, so that asking twice
/// sends once. Tries are counted on: a rejected one goes on in the schedule where it was, a dead one has one try.
pub fn resend(
    tx: &mut dyn Tx,
    id: &NotificationId,
    seen_tries: u32,
    actor: &str,
    at: &Moment,
) -> Ruled<Resent> {
    let Some(notification) = tx.notification(id)? else { return Ok(Resent::Unknown) };
    let stuck = matches!(notification.state, NotificationState::Rejected | NotificationState::Dead);
    if !stuck || notification.tries != seen_tries {
        return Ok(Resent::Changed);
    }
    let was = notification.state;
    let state = NotificationState::Pending;
    tx.update_notification(&Notification { state, next_attempt_at: at.now, ..notification })?;
    journal::append(tx, at, id.bucket(), "notification.resent", id.as_str(), actor, was.as_str())?;
    Ok(Resent::Due)
}
