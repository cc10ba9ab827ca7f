//! What a dialect or a deployment may choose: lifetimes, shapes of codes and tokens. Facts, not code.

use crate::handle::Shape;

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
    /// Shape of authorization codes.
    pub code: Shape,
    /// Shape of access tokens.
    pub access: Shape,
    /// Shape of refresh tokens.
    pub refresh: Shape,
}
