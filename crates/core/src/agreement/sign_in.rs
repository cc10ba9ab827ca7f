//! Signing in, on the authorization page and on the wallet's own pages: who may try a PIN now.
//!
//! A try is counted *before* the PIN is checked, so that parallel guesses cannot outrun the count, and taken
//! back when the PIN was right. Checking the hash is slow and happens outside of any transaction. A try that a crash
//! cuts off between the two stays counted as a wrong one: the safe side, since nobody knows what was typed, and a
//! server that can be made to fall must not give guesses for nothing. It costs the user one try of the session and of
//! the window; the next right PIN clears it.

use crate::agreement::{Session, SessionStage};
use crate::handle::Bucket;
use crate::ids::{AuthId, CustomerId, LoginId};
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::policy::MINUTE;
use crate::secret::Digest;
use crate::store::Tx;
use crate::user::{PinGuard, UserStatus};

/// How many wrong PINs are borne (decision 21).
#[derive(Debug, Clone)]
pub struct SignInLimits {
    /// In one session.
    pub per_session: u32,
    /// Of one user in one window.
    pub per_user: u32,
    /// From one address in one window.
    pub per_address: u32,
    /// The window; also the first block, which doubles each time up to `longest_block_ms`.
    pub window_ms: i64,
    /// The longest block.
    pub longest_block_ms: i64,
}

impl Default for SignInLimits {
    fn default() -> SignInLimits {
        SignInLimits {
            per_session: 5,
            per_user: 5,
            per_address: 50,
            window_ms: 15 * MINUTE,
            longest_block_ms: 24 * 60 * MINUTE,
        }
    }
}

/// Who wants to sign in, and from where.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Into which session; nothing on the wallet's own pages: there user and address are guarded alone.
    pub auth_id: Option<AuthId>,
    /// As whom.
    pub login: LoginId,
    /// From which address.
    pub address: String,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Check the PIN against this hash. Nobody: check against any hash, so that it takes as long, and fail.
    Check {
        /// The user, if there is one that may sign in.
        candidate: Option<(CustomerId, String)>,
    },
    /// Too many wrong PINs, in this session or until that time.
    TooMany {
        /// When to try again; nothing: never in this session.
        until: Option<Timestamp>,
    },
    /// The session cannot be decided: unknown, expired or decided.
    Closed,
}

/// Counts a try and says whether it may be made.
pub fn begin(tx: &mut dyn Tx, sign_in: &SignIn, limits: &SignInLimits, at: &Moment) -> Ruled<Begun> {
    let session = match &sign_in.auth_id {
        None => None,
        Some(id) => {
            let open =
                |session: &Session| session.stage == SessionStage::Open && at.now <= session.expires_at;
            let Some(session) = tx.session(id)?.filter(open) else { return Ok(Begun::Closed) };
            if session.wrong_pins >= limits.per_session {
                return Ok(Begun::TooMany { until: None });
            }
            Some(session)
        }
    };
    let of_login = guard_of_login(tx, &sign_in.login, at)?;
    let of_address = guard_of_address(tx, &sign_in.address, at)?;
    if let Some(until) = blocked(&[&of_login, &of_address], at) {
        return Ok(Begun::TooMany { until: Some(until) });
    }
    tx.put_pin_guard(&count(of_login, limits.per_user, limits, at))?;
    tx.put_pin_guard(&count(of_address, limits.per_address, limits, at))?;
    if let Some(session) = session {
        tx.update_session(&Session { wrong_pins: session.wrong_pins + 1, ..session })?;
    }

    let user = match tx.customer_of(&sign_in.login)? {
        Some(customer) => tx.user(&customer)?,
        None => None,
    };
    let candidate =
        user.filter(|user| user.status == UserStatus::Active).map(|user| (user.id, user.pin_hash));
    Ok(Begun::Check { candidate })
}

/// Takes the counted try back: the PIN was right.
pub fn succeed(tx: &mut dyn Tx, sign_in: &SignIn, at: &Moment) -> Ruled<()> {
    if let Some(auth_id) = &sign_in.auth_id
        && let Some(session) = tx.session(auth_id)?
    {
        tx.update_session(&Session { wrong_pins: session.wrong_pins.saturating_sub(1), ..session })?;
    }
    let guard = guard_of_login(tx, &sign_in.login, at)?;
    tx.put_pin_guard(&PinGuard { wrong: 0, blocked_until: Timestamp(0), blocks: 0, ..guard })?;
    let guard = guard_of_address(tx, &sign_in.address, at)?;
    tx.put_pin_guard(&PinGuard { wrong: guard.wrong.saturating_sub(1), ..guard })?;
    Ok(())
}

/// Until when one of the guards lets nobody try. Asked of all of them before any counts: from an address that is blocked,
/// nobody can block users.
pub(crate) fn blocked(guards: &[&PinGuard], at: &Moment) -> Option<Timestamp> {
    guards.iter().map(|guard| guard.blocked_until).filter(|until| at.now < *until).max()
}

/// The guard with one more try counted.
pub(crate) fn count(guard: PinGuard, limit: u32, limits: &SignInLimits, at: &Moment) -> PinGuard {
    let fresh = at.now.since(guard.window_started_at) > limits.window_ms;
    let (wrong, window_started_at) =
        if fresh { (1, at.now) } else { (guard.wrong + 1, guard.window_started_at) };
    if wrong < limit {
        return PinGuard { wrong, window_started_at, ..guard };
    }
    let block = limits.window_ms.saturating_mul(1 << guard.blocks.min(16)).min(limits.longest_block_ms);
    PinGuard {
        wrong: 0,
        window_started_at: at.now,
        blocked_until: at.now.plus_millis(block),
        blocks: guard.blocks + 1,
        ..guard
    }
}

fn guard_of_login(tx: &dyn Tx, login: &LoginId, at: &Moment) -> Ruled<PinGuard> {
    guard_of(tx, format!("login:{}", Digest::of(login.as_str()).hex()), at)
}

/// The guard of an address.
pub(crate) fn guard_of_address(tx: &dyn Tx, address: &str, at: &Moment) -> Ruled<PinGuard> {
    guard_of(tx, format!("address:{address}"), at)
}

/// The guard of any subject.
pub(crate) fn guard_of(tx: &dyn Tx, subject: String, at: &Moment) -> Ruled<PinGuard> {
    let bucket = Bucket::of(&["pin", &subject]);
    let known = tx.pin_guard(bucket, &subject)?;
    Ok(known.unwrap_or(PinGuard {
        bucket,
        subject,
        wrong: 0,
        window_started_at: at.now,
        blocked_until: Timestamp(0),
        blocks: 0,
    }))
}
