//! What a dialect or a deployment may choose: lifetimes, shapes of codes and tokens. Facts, not code.

use crate::agreement::limits::Limits;
use crate::handle::Shape;
use crate::ledger::funding::Funding;
use crate::message::routes::MessagePolicy;
use crate::money::Currency;
use std::sync::Arc;

/// One minute in milliseconds.
pub const MINUTE: i64 = 60_000;
/// One day in milliseconds.
pub const DAY: i64 = 24 * 60 * MINUTE;

/// What becomes of the old access token when a refresh has made a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldAccess {
    /// It lives for the grace time of the old refresh token, then it is dead.
    UntilGrace,
    /// It lives to its own expiry.
    UntilExpiry,
}

/// The choices of one dialect in this deployment.
#[derive(Debug, Clone)]
pub struct Policy {
    /// From prepare to the decision.
    pub session_life_ms: i64,
    /// From the decision to the redemption of the code.
    pub code_life_ms: i64,
    /// How long used and expired codes are told apart after they died.
    pub code_memory_ms: i64,
    /// Life of an access token.
    pub access_life_ms: i64,
    /// Life of a refresh token.
    pub refresh_life_ms: i64,
    /// How long a replaced refresh token still gives the same new pair.
    pub refresh_grace_ms: i64,
    /// What a refresh does to the old access token.
    pub old_access: OldAccess,
    /// Whether an access token that has expired still cancels an agreement whose refresh token lives, and a
    /// lapsed agreement answers "expired" (Qi), or any known token cancels with success (Alipay+).
    pub lapsed_cancel_is_expired: bool,
    /// How long after a payment it can be refunded; nothing: without limit.
    pub refund_window_ms: Option<i64>,
    /// Does cancelling an order that was never seen succeed and close it, or is it refused (decision 35)?
    pub cancel_unknown: bool,
    /// Shape of authorization codes.
    pub code: Shape,
    /// Shape of access tokens.
    pub access: Shape,
    /// Shape of refresh tokens.
    pub refresh: Shape,
    /// Limits, days and notices of agreements.
    pub control: ControlPolicy,
    /// Which messages leave the wallet.
    pub messages: MessagePolicy,
    /// Where payments take money from and give it back to.
    pub funding: Arc<dyn Funding>,
}

/// What a wallet chooses about limits of agreements (decision 33).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPolicy {
    /// Limits that every agreement has, beside those of its merchant and user.
    pub limits: Limits,
    /// How far the wallet's days are east of UTC, in milliseconds: Baghdad's three hours.
    pub day_zone_offset_ms: i64,
    /// An agreement without a debit for more than so many days falls asleep; nothing: never.
    pub asleep_after_days: Option<u32>,
    /// How long before a due day begins the user is told of it: two days, so that a day's delay still leaves 24 hours.
    pub notice_ahead_ms: i64,
    /// The currency in which users limit an agreement whose terms name none.
    pub currency: Option<Currency>,
}

impl Default for ControlPolicy {
    fn default() -> ControlPolicy {
        ControlPolicy {
            limits: Limits::NONE,
            day_zone_offset_ms: 3 * 60 * MINUTE,
            asleep_after_days: None,
            notice_ahead_ms: 2 * DAY,
            currency: Currency::parse("IQD"),
        }
    }
}
