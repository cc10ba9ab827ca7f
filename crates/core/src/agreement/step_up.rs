//! Step-up: before a wallet that wants it lets a user approve, a one-time code goes to that user, beside the PIN.
//!
//! The code is bound to the session and the user whose PIN was right. Its row keeps a salted digest; the code itself is
//! in the message to the user and nowhere else: by SMS or e-mail where one of them reaches the user, and the wallet's own
//! inbox, which the PIN alone opens, then does not show it. How often one is sent is counted for each user, in all
//! sessions.

use crate::agreement::Scope;
use crate::handle::Bucket;
use crate::ids::{AuthId, CustomerId};
use crate::journal;
use crate::message::routes::{self, MessagePolicy};
use crate::message::{self, About, CodePurpose};
use crate::moment::{Moment, Timestamp};
use crate::money::Amount;
use crate::outcome::Ruled;
use crate::people::one_time_code::{self, CodeLimits};
use crate::policy::DAY;
use crate::secret::{Digest, Secret};
use crate::store::{Stored, Tx};
use crate::user::{PinGuard, User};

/// Which approvals need a code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// None.
    #[default]
    Never,
    /// All.
    Always,
    /// Those that may debit more than this at once, or without a limit for one debit, or in another currency.
    Above(Amount),
}

/// What a wallet chooses about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepUpPolicy {
    /// When.
    pub when: When,
    /// What is borne of codes: `per_day` and `spacing_ms` for each user, `tries` for each code.
    pub codes: CodeLimits,
}

impl StepUpPolicy {
    /// Does an approval of these scopes need a code, when one debit may be at most so much?
    pub fn needed(&self, scopes: &[Scope], most_per_debit: Option<Amount>) -> bool {
        match (self.when, most_per_debit) {
            (When::Never, _) => false,
            (When::Always, _) => true,
            (When::Above(_), _) if !scopes.contains(&Scope::AgreementPay) => false,
            (When::Above(bound), Some(most)) if most.currency == bound.currency => {
                most.value() > bound.value()
            }
            (When::Above(_), _) => true,
        }
    }
}

/// The newest code of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepUp {
    /// The session.
    pub auth_id: AuthId,
    /// To whom it was sent: the PIN of that user was right.
    pub customer: CustomerId,
    /// 128 random bits.
    pub salt: [u8; 16],
    /// Digest of session, salt and code.
    pub digest: Digest,
    /// Wrong tries so far.
    pub wrong: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Until when it may be typed.
    pub expires_at: Timestamp,
}

/// What came of asking for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was sent now, or a moment ago: it is good until then.
    Until(Timestamp),
    /// There have been enough; the next not before then.
    NotBefore(Timestamp),
}

/// Sends a code for that session to the user, whose PIN was right. One that was sent a moment ago is not sent again.
pub fn send(
    tx: &mut dyn Tx,
    auth_id: &AuthId,
    user: &User,
    merchant: &str,
    limits: &CodeLimits,
    messages: &MessagePolicy,
    at: &Moment,
) -> Ruled<Sent> {
    let now = at.now;
    let living = tx
        .step_up(auth_id)?
        .filter(|code| code.customer == user.id && code.wrong < limits.tries && now <= code.expires_at);
    let guard = guard_of(tx, &user.id, now)?;
    let spent = guard.wrong >= limits.per_day;
    if now < guard.blocked_until || spent {
        let again = if spent { guard.window_started_at.plus_millis(DAY) } else { guard.blocked_until };
        return Ok(living.map_or(Sent::NotBefore(again), |code| Sent::Until(code.expires_at)));
    }
    let blocked_until = now.plus_millis(limits.spacing_ms);
    tx.put_pin_guard(&PinGuard { wrong: guard.wrong + 1, blocked_until, ..guard })?;

    let random = &mut at.random("step-up code");
    let (code, salt) = (one_time_code::draw(random), random.bytes());
    let expires_at = now.plus_millis(limits.life_ms);
    tx.put_step_up(&StepUp {
        auth_id: auth_id.clone(),
        customer: user.id.clone(),
        salt,
        digest: one_time_code::digest_of(auth_id.as_str(), &salt, &code),
        wrong: 0,
        sent_at: now,
        expires_at,
    })?;
    let about = About::OneTimeCode {
        purpose: CodePurpose::Approval,
        request: format!("{auth_id}/{}", now.0),
        merchant: merchant.to_owned(),
        code,
        expires_at,
    };
    match routes::way_of_code(tx, user, messages)? {
        Some(way) => message::tell_by(tx, at, user, about, way, messages)?,
        None => message::tell(tx, at, user, about, messages)?,
    }
    let (bucket, subject, actor) = (auth_id.bucket(), auth_id.as_str(), user.id.as_str());
    journal::append(tx, at, bucket, "authorization.code_sent", subject, actor, "")?;
    Ok(Sent::Until(expires_at))
}

/// Is this the code?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Yes.
    Right,
    /// No; so many tries are left.
    Wrong {
        /// How many.
        left: u32,
    },
    /// It came too late, was tried too often, or none was sent: another must be.
    Over,
}

/// Checks a code that the user typed, and counts a wrong one.
pub fn check(
    tx: &mut dyn Tx,
    auth_id: &AuthId,
    customer: &CustomerId,
    typed: &Secret,
    limits: &CodeLimits,
    at: &Moment,
) -> Ruled<Checked> {
    let code = tx.step_up(auth_id)?.filter(|code| code.customer == *customer);
    let Some(code) = code.filter(|code| code.wrong < limits.tries && at.now <= code.expires_at) else {
        return Ok(Checked::Over);
    };
    if one_time_code::digest_of(auth_id.as_str(), &code.salt, typed.reveal()) == code.digest {
        let (subject, actor) = (auth_id.as_str(), customer.as_str());
        journal::append(tx, at, auth_id.bucket(), "authorization.code_right", subject, actor, "")?;
        return Ok(Checked::Right);
    }
    let wrong = code.wrong + 1;
    tx.put_step_up(&StepUp { wrong, ..code })?;
    Ok(match limits.tries.saturating_sub(wrong) {
        0 => Checked::Over,
        left => Checked::Wrong { left },
    })
}

/// Codes of that user since the day began that began with the first of them.
fn guard_of(tx: &dyn Tx, customer: &CustomerId, now: Timestamp) -> Stored<PinGuard> {
    let subject = format!("step-up:{customer}");
    let bucket = Bucket::of(&["pin", &subject]);
    let known = tx.pin_guard(bucket, &subject)?.filter(|guard| now.since(guard.window_started_at) < DAY);
    Ok(known.unwrap_or(PinGuard {
        bucket,
        subject,
        wrong: 0,
        window_started_at: now,
        blocked_until: Timestamp(0),
        blocks: 0,
    }))
}
