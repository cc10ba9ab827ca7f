//! Signing in to the console: who may try a password now, and what a browser is known by after it.
//!
//! The guard is that of the wallet's PINs (decision 21): a try is counted before the password is checked, wrong ones
//! block name and address for a while that doubles, and an unknown, a disabled and a wrong one look and take the
//! same. Checking the hash is slow and happens outside of any transaction.

use super::{LIFE_MS, Operator, SEEN_STEP_MS, Session, actor, bucket_of};
use crate::agreement::sign_in::{SignInLimits, blocked, count, guard_of, guard_of_address};
use crate::ids::ConsoleSessionId;
use crate::journal;
use crate::moment::{Moment, Timestamp};
use crate::outcome::{Refusal, Ruled};
use crate::secret::{Digest, Secret};
use crate::store::{Rows, Stored, Tx};
use crate::user::PinGuard;

/// Who wants to sign in, and from where.
#[derive(Debug, Clone)]
pub struct Try {
    /// As typed. What is no name is guarded and refused like an unknown one.
    pub name: String,
    /// From which address.
    pub address: String,
}

impl Try {
    fn subject(&self) -> String {
        format!("operator:{}", Digest::of(&self.name).hex())
    }

    fn operator(&self, rows: &dyn Rows) -> Stored<Option<Operator>> {
        match super::read_name(&self.name) {
            Some(name) => Ok(rows.operator(&name)?.filter(|operator| operator.disabled_at.is_none())),
            None => Ok(None),
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Check the password against this hash. Nothing: against any hash, so that it takes as long, and fail.
    Check(Option<String>),
    /// Too many wrong ones, until that time.
    TooMany(Timestamp),
}

/// Counts a try and says whether it may be made.
pub fn begin(tx: &mut dyn Tx, attempt: &Try, limits: &SignInLimits, at: &Moment) -> Ruled<Begun> {
    let of_name = guard_of(tx, attempt.subject(), at)?;
    let of_address = guard_of_address(tx, &attempt.address, at)?;
    if let Some(until) = blocked(&[&of_name, &of_address], at) {
        return Ok(Begun::TooMany(until));
    }
    tx.put_pin_guard(&count(of_name, limits.per_user, limits, at))?;
    tx.put_pin_guard(&count(of_address, limits.per_address, limits, at))?;
    Ok(Begun::Check(attempt.operator(tx)?.map(|operator| operator.password_hash)))
}

/// The password was wrong: that goes to the journal of an operator there is. Strangers' names do not: anybody could
/// fill what is never pruned. Their guard is written once more instead, so that time tells nobody which names there are.
pub fn failed(tx: &mut dyn Tx, attempt: &Try, at: &Moment) -> Ruled<()> {
    match attempt.operator(tx)? {
        Some(Operator { name, .. }) => {
            let (act, address) = ("console.sign_in_failed", attempt.address.as_str());
            journal::append(tx, at, bucket_of(&name), act, name.as_str(), "nobody", address)?;
        }
        None => {
            let guard = guard_of(tx, attempt.subject(), at)?;
            tx.put_pin_guard(&guard)?;
        }
    }
    Ok(())
}

/// The password was right: takes the counted try back and signs the operator in. Gives the session and the token for
/// the browser. Refused when the operator was disabled meanwhile.
pub fn succeed(tx: &mut dyn Tx, attempt: &Try, at: &Moment) -> Ruled<(Session, Secret)> {
    let operator = attempt.operator(tx)?.ok_or(Refusal::UserFrozen)?;
    let guard = guard_of(tx, attempt.subject(), at)?;
    tx.put_pin_guard(&PinGuard { wrong: 0, blocked_until: Timestamp(0), blocks: 0, ..guard })?;
    let guard = guard_of_address(tx, &attempt.address, at)?;
    tx.put_pin_guard(&PinGuard { wrong: guard.wrong.saturating_sub(1), ..guard })?;

    let random = &mut at.random("console");
    let bucket = bucket_of(&operator.name);
    let id = ConsoleSessionId::mint(bucket, random);
    let secret: String = random.bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    let token = Secret::new(format!("{id}.{secret}"));
    let session = Session {
        id,
        operator: operator.name,
        digest: token.digest(),
        created_at: at.now,
        last_seen_at: at.now,
        expires_at: at.now.plus_millis(LIFE_MS),
        address: attempt.address.clone(),
    };
    tx.insert_console_session(&session)?;
    let name = &session.operator;
    journal::append(tx, at, bucket, "console.signed_in", name.as_str(), &actor(name), &session.address)?;
    Ok((session, token))
}

/// The sign-in of a token and its operator, if it is good and the operator was not disabled.
pub fn find(rows: &dyn Rows, token: &Secret, now: Timestamp) -> Stored<Option<(Session, Operator)>> {
    let id = token.reveal().split_once('.').and_then(|(id, _)| ConsoleSessionId::read(id));
    let Some(id) = id else { return Ok(None) };
    let good = |session: &Session| session.digest == token.digest() && session.lives(now);
    let Some(session) = rows.console_session(&id)?.filter(good) else { return Ok(None) };
    let operator = rows.operator(&session.operator)?.filter(|operator| operator.disabled_at.is_none());
    Ok(operator.map(|operator| (session, operator)))
}

/// Notes that a sign-in was used. Changes nothing if it has ended meanwhile, or was noted a moment ago.
pub fn touch(tx: &mut dyn Tx, id: &ConsoleSessionId, at: &Moment) -> Ruled<()> {
    let stale = |row: &Session| row.lives(at.now) && at.now.since(row.last_seen_at) >= SEEN_STEP_MS;
    if let Some(session) = tx.console_session(id)?.filter(stale) {
        tx.update_console_session(&Session { last_seen_at: at.now, ..session })?;
    }
    Ok(())
}

/// Ends a sign-in. Nothing happens when it is over already.
pub fn sign_out(tx: &mut dyn Tx, id: &ConsoleSessionId, at: &Moment) -> Ruled<()> {
    if let Some(Session { operator, .. }) = tx.console_session(id)? {
        tx.remove_console_session(id)?;
        let name = operator.as_str();
        journal::append(tx, at, bucket_of(&operator), "console.signed_out", name, &actor(&operator), "")?;
    }
    Ok(())
}
