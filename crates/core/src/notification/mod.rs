//! Notifications: left in the outbox by the transaction they report, carried by the dispatcher.
//!
//! [`outbox`] writes them, [`retry`] says what becomes of an attempt, [`resend`] is a person's second chance. Nothing is sent while answering.

pub mod outbox;
pub mod resend;
pub mod retry;

use crate::ids::{ClientId, DialectName, NotificationId};
use crate::moment::Timestamp;
use crate::secret::SecretRef;

crate::words! {
    /// How far a notification is.
    NotificationState {
        /// To be tried at `next_attempt_at`.
        Pending = "pending",
        /// Acknowledged.
        Delivered = "delivered",
        /// The receiver handled it and refused it; a person may send it again.
        Rejected = "rejected",
        /// Every try was in vain.
        Dead = "dead",
        /// Waits because this server contacts nobody but loopback.
        Held = "held",
        /// What it reports no longer matters: its code was used or expired.
        Moot = "moot",
    }
}

/// A secret inside a stored body: the placeholder that stands for it there, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Random text that stands in the body.
    pub placeholder: String,
    /// The secret to be derived anew for each attempt.
    pub secret: SecretRef,
}

/// An outgoing notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// What it reports: `AUTHCODE_CREATED`, `notifyPayment`, …
    pub kind: String,
    /// Whom it tells; Client-Id of the request.
    pub client: ClientId,
    /// In which dialect.
    pub dialect: DialectName,
    /// Where it goes.
    pub url: String,
    /// The URL without its query: deliveries to one target do not delay another's.
    pub target: String,
    /// The body, with placeholders for secrets.
    pub body: String,
    /// The secrets in the body.
    pub marks: Vec<Mark>,
    /// How far it is.
    pub state: NotificationState,
    /// Tries so far.
    pub tries: u32,
    /// When to try next, while pending.
    pub next_attempt_at: Timestamp,
    /// Not worth sending after this time, or once its code is used (decision 37).
    pub moot_after: Option<Timestamp>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Of which notification.
    pub notification: NotificationId,
    /// 1 is the first.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// HTTP status, if an answer came.
    pub http_status: Option<u16>,
    /// What came of it, for people: `acknowledged`, `timed out`, …
    pub outcome: String,
}
