//! Deliveries: a message on its way out of the wallet by one carrier.
//!
//! A delivery is written in the transaction of its message and carried later by whoever claims it. A claim is a lease:
//! it counts the try and moves `due_at` to its own end, so that nobody else takes the delivery meanwhile and a claimer
//! that died is followed by another. So a delivery is carried at least once, and mostly once; what is carried bears the
//! same id each time, by which a receiver drops the second.

use super::routes::Carrier;
use super::{Channel, Kind, Message};
use crate::ids::{CustomerId, MessageId};
use crate::moment::Timestamp;
use crate::outcome::Ruled;
use crate::policy::MINUTE;
use crate::store::{Stored, Tx};

crate::words! {
    /// How far a delivery is.
    DeliveryState {
        /// To be tried at `due_at`.
        Pending = "pending",
        /// The carrier has it.
        Sent = "sent",
        /// The carrier refuses it for good.
        Failed = "failed",
        /// Every try was in vain, or it came too late.
        Dead = "dead",
        /// Written down, never sent: a sandbox without that carrier.
        Held = "held",
    }
}

/// A message on its way by one carrier. One for each kind, subject and carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: MessageId,
    /// To whom; the bucket is the user's.
    pub customer: CustomerId,
    /// What the message is about.
    pub kind: Kind,
    /// What there is one message of.
    pub subject: String,
    /// By whom.
    pub carrier: Carrier,
    /// E-mail address or phone number, as it was when the message was written.
    pub to: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Claims so far; the newest one's number tells its claimer from those before.
    pub tries: u32,
    /// When to take it next; while somebody has it, when their lease ends.
    pub due_at: Timestamp,
    /// Never sent after this time.
    pub expires_at: Option<Timestamp>,
    /// What came of the last try, for people.
    pub outcome: String,
    /// When it was written.
    pub created_at: Timestamp,
}

impl Delivery {
    /// Does somebody wait for it? Such are carried before all others.
    pub fn is_urgent(&self) -> bool {
        self.kind == Kind::OneTimeCode
    }
}

/// Delay before each try, counted from the one before: at once, then 1 m, 5 m, 15 m, 1 h, 3 h, 8 h, 12 h.
pub const SCHEDULE: [i64; 8] =
    [0, MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 180 * MINUTE, 480 * MINUTE, 720 * MINUTE];

/// The same for what somebody waits for, in seconds: at once, then 5, 10, 20, 30, 60, 60, 60; its life ends it earlier.
pub const URGENT_SCHEDULE: [i64; 8] = [0, 5_000, 10_000, 20_000, 30_000, MINUTE, MINUTE, MINUTE];

/// So long a claim keeps others away. Longer than any try may take.
pub const LEASE_MS: i64 = MINUTE;

/// Why a delivery died that came too late.
pub const EXPIRED: &str = "expired";

/// Why a delivery died whose claimers never came back.
const NEVER_BACK: &str = "no try came to an end";

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// The carrier has it.
    Sent,
    /// The carrier refuses it for good.
    Refused,
    /// Anything else: try again.
    Failed,
}

/// A delivery with what it carries, leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The delivery, its try counted.
    pub delivery: Delivery,
    /// What is said.
    pub message: Message,
}

/// Takes up to `most` due deliveries of a carrier for itself, and buries those that came too late.
pub fn claim(
    tx: &mut dyn Tx,
    carrier: Carrier,
    urgent: bool,
    most: usize,
    now: Timestamp,
) -> Ruled<Vec<Claimed>> {
    let mut claimed = Vec::new();
    for due in tx.deliveries_due(carrier, urgent, now, most)? {
        let message = tx.message(due.customer.bucket(), due.kind, &due.subject, Channel::Inbox)?;
        let late = due.expires_at.is_some_and(|expires_at| now > expires_at);
        let (Some(message), false, Some(_)) = (message, late, schedule(&due).get(due.tries as usize)) else {
            let outcome = if late { EXPIRED } else { NEVER_BACK };
            bury(tx, due, outcome)?;
            continue;
        };
        let delivery = Delivery { tries: due.tries + 1, due_at: now.plus_millis(LEASE_MS), ..due };
        tx.update_delivery(&delivery)?;
        claimed.push(Claimed { delivery, message });
    }
    Ok(claimed)
}

/// Writes down what came of a claimed delivery, and gives how it stands. Whoever lost the claim writes nothing.
pub fn settle(
    tx: &mut dyn Tx,
    claimed: &Delivery,
    carried: Carried,
    outcome: &str,
    now: Timestamp,
) -> Ruled<Option<Delivery>> {
    let current = tx.delivery(claimed.customer.bucket(), claimed.kind, &claimed.subject, claimed.carrier)?;
    let ours = |current: &Delivery| {
        current.state == DeliveryState::Pending
            && current.tries == claimed.tries
            && current.message == claimed.message
    };
    let Some(current) = current.filter(ours) else { return Ok(None) };
    let settled = after_try(Delivery { outcome: outcome.to_owned(), ..current }, carried, now);
    tx.update_delivery(&settled)?;
    Ok(Some(settled))
}

/// The delivery after a try that ended at `now`.
fn after_try(delivery: Delivery, carried: Carried, now: Timestamp) -> Delivery {
    let next = schedule(&delivery).get(delivery.tries as usize).map(|delay| now.plus_millis(*delay));
    let in_time = |next: &Timestamp| delivery.expires_at.is_none_or(|expires_at| *next <= expires_at);
    let (state, due_at) = match (carried, next.filter(in_time)) {
        (Carried::Sent, _) => (DeliveryState::Sent, now),
        (Carried::Refused, _) => (DeliveryState::Failed, now),
        (Carried::Failed, Some(next)) => (DeliveryState::Pending, next),
        (Carried::Failed, None) => (DeliveryState::Dead, now),
    };
    Delivery { state, due_at, ..delivery }
}

fn schedule(delivery: &Delivery) -> &'static [i64] {
    if delivery.is_urgent() { &URGENT_SCHEDULE } else { &SCHEDULE }
}

fn bury(tx: &mut dyn Tx, delivery: Delivery, why: &str) -> Stored<()> {
    tx.update_delivery(&Delivery { state: DeliveryState::Dead, outcome: why.to_owned(), ..delivery })
}
