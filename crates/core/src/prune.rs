//! Prune: what nobody will ask for again leaves the hot tables, a few rows at a time.
//!
//! Nothing here changes an answer that a paper or a decision promises. What is promised without time limit moves
//! to cold tables: prepare claims with the terms of their undecided sessions (decision 17), and dead pairs of
//! tokens, which cancelToken and repeats of pay still recognise (decisions 29 and 32). Codes go when they would
//! be answered as unknown anyway (decision 25). What was debited long ago counts for no period any more, but for the
//! number of debits: of a living agreement it is folded into one row. Payments, postings, agreements, their terms,
//! consents and the journal stay for good.

use crate::agreement::{SessionStage, usage};
use crate::ids::AgreementId;
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::policy::DAY;
use crate::store::{Stored, Tx};

/// How long rows stay hot, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Undecided sessions, after they expired: so long their page says "expired".
    pub open_ms: i64,
    /// Decided sessions, after the decision: so long their page shows the outcome.
    pub decided_ms: i64,
    /// Prepare claims, after the first call; then cold.
    pub claim_ms: i64,
    /// Codes, after they expired. Not shorter than any dialect's `code_memory_ms`.
    pub code_ms: i64,
    /// Pairs of tokens, after they were replaced, lapsed, or their agreement ended; then cold.
    pub token_ms: i64,
    /// Notifications and attempts, and deliveries of messages, after they were written. Pending ones stay.
    pub notification_ms: i64,
    /// PIN guards, after their counting began.
    pub guard_ms: i64,
    /// What was debited on a day, after that day; then folded. Not shorter than [`SHORTEST_USAGE_MS`], nor than the time
    /// after which any dialect lets agreements fall asleep.
    pub usage_ms: i64,
    /// Signed-in devices and sign-ins to the console, after they were over for good.
    pub device_ms: i64,
}

/// A year that began on the agreement's date, and a day for zones.
pub const SHORTEST_USAGE_MS: i64 = 368 * DAY;

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            open_ms: DAY,
            decided_ms: 30 * DAY,
            claim_ms: 7 * DAY,
            code_ms: 30 * DAY,
            token_ms: 30 * DAY,
            notification_ms: 30 * DAY,
            guard_ms: 30 * DAY,
            usage_ms: 400 * DAY,
            device_ms: 0,
        }
    }
}

/// Most rows that one step takes, so that no call waits long behind it.
pub const MOST: usize = 200;

/// Up to where ended agreements have been looked through.
const ENDED_SETTING: &str = "pruned_ended";

type Prune = fn(&mut dyn Tx, &Retention, Timestamp, usize) -> Stored<usize>;

const PRUNES: [Prune; 14] = [
    open_sessions,
    decided_sessions,
    claims,
    codes,
    replaced,
    lapsed,
    ended,
    notices,
    told,
    guards,
    one_time_codes,
    day_usage,
    devices,
    console_sessions,
];

/// Takes one step of at most `most` rows ([`MOST`] is the limit) and says how many it took; fewer than `most`:
/// nothing is left for now.
pub fn step(tx: &mut dyn Tx, retention: &Retention, most: usize, at: &Moment) -> Ruled<usize> {
    let most = most.min(MOST);
    let mut taken = 0;
    for prune in PRUNES {
        if taken < most {
            taken += prune(tx, retention, at.now, most - taken)?;
        }
    }
    Ok(taken)
}

fn open_sessions(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let sessions = tx.sessions_open_before(now.plus_millis(-retention.open_ms), most)?;
    for session in &sessions {
        tx.remove_session(&session.auth_id)?;
        tx.remove_handover(&session.auth_id)?;
        tx.remove_step_up(&session.auth_id)?;
        // A reference makes prepare idempotent: a repeat opens the session again, on the first call's terms.
        let terms = tx.terms(&session.auth_id)?;
        match terms.is_some_and(|terms| terms.reference_agreement_id.is_some()) {
            true => tx.chill_terms(&session.auth_id)?,
            false => tx.remove_terms(&session.auth_id)?,
        }
    }
    Ok(sessions.len())
}

fn decided_sessions(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let sessions = tx.sessions_decided_before(now.plus_millis(-retention.decided_ms), most)?;
    for session in &sessions {
        tx.remove_session(&session.auth_id)?;
        tx.remove_handover(&session.auth_id)?;
        tx.remove_step_up(&session.auth_id)?;
        // The terms of an approved one are the agreement's. The consent stays: it is the evidence, and it tells a
        // repeat of prepare that this session must not be opened again.
        if matches!(session.stage, SessionStage::Refused { .. }) {
            tx.remove_terms(&session.auth_id)?;
        }
    }
    Ok(sessions.len())
}

fn claims(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let claims = tx.prepare_claims_before(now.plus_millis(-retention.claim_ms), most)?;
    for claim in &claims {
        tx.chill_prepare_claim(claim.bucket, &claim.key)?;
    }
    Ok(claims.len())
}

fn codes(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let codes = tx.codes_before(now.plus_millis(-retention.code_ms), most)?;
    for code in &codes {
        tx.remove_code(code.agreement.bucket(), &code.digest)?;
    }
    Ok(codes.len())
}

fn replaced(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let sets = tx.token_sets_replaced_before(now.plus_millis(-retention.token_ms), most)?;
    for set in &sets {
        tx.chill_token_set(&set.agreement, set.generation)?;
    }
    Ok(sets.len())
}

fn lapsed(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let sets = tx.token_sets_lapsed_before(now.plus_millis(-retention.token_ms), most)?;
    for set in &sets {
        tx.chill_token_set(&set.agreement, set.generation)?;
    }
    Ok(sets.len())
}

/// The newest pair of each ended agreement; older ones were replaced. Ended agreements stay for good, so a
/// setting keeps the place up to which they are done.
fn ended(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let place = tx.setting(ENDED_SETTING)?;
    let place = place.as_deref().and_then(|text| {
        let (time, id) = text.split_once(' ')?;
        Some((Timestamp(time.parse().ok()?), AgreementId::read(id)?))
    });
    let after = place.as_ref().map(|(time, id)| (*time, id));
    let agreements = tx.agreements_ended_before(now.plus_millis(-retention.token_ms), after, most)?;
    for agreement in &agreements {
        tx.chill_token_set(&agreement.id, agreement.generation)?;
    }
    if let Some(last) = agreements.last()
        && let crate::agreement::AgreementStage::Ended { at, .. } = last.stage
    {
        tx.put_setting(ENDED_SETTING, &format!("{} {}", at.0, last.id))?;
    }
    Ok(agreements.len())
}

fn notices(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let notices = tx.notifications_over_before(now.plus_millis(-retention.notification_ms), most)?;
    for notice in &notices {
        tx.remove_notification(&notice.id)?;
    }
    Ok(notices.len())
}

fn told(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let over = tx.deliveries_over_before(now.plus_millis(-retention.notification_ms), most)?;
    for delivery in &over {
        tx.remove_delivery(delivery.customer.bucket(), delivery.kind, &delivery.subject, delivery.carrier)?;
    }
    Ok(over.len())
}

fn devices(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let devices = tx.devices_over_before(now.plus_millis(-retention.device_ms), most)?;
    for device in &devices {
        tx.remove_device(&device.id)?;
    }
    Ok(devices.len())
}

fn console_sessions(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let sessions = tx.console_sessions_over_before(now.plus_millis(-retention.device_ms), most)?;
    for session in &sessions {
        tx.remove_console_session(&session.id)?;
    }
    Ok(sessions.len())
}

fn guards(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let guards = tx.pin_guards_before(now.plus_millis(-retention.guard_ms), most)?;
    let quiet = guards.iter().filter(|guard| guard.blocked_until <= now);
    let mut taken = 0;
    for guard in quiet {
        tx.remove_pin_guard(guard.bucket, &guard.subject)?;
        taken += 1;
    }
    Ok(taken)
}

/// As long as other codes: a late try hears that the code expired, and after that, that it is wrong.
fn one_time_codes(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let codes = tx.one_time_codes_before(now.plus_millis(-retention.code_ms), most)?;
    for code in &codes {
        tx.remove_one_time_code(&code.id)?;
    }
    Ok(codes.len())
}

/// Folds what no period counts any more; of an ended agreement nothing is asked again.
fn day_usage(tx: &mut dyn Tx, retention: &Retention, now: Timestamp, most: usize) -> Stored<usize> {
    let kept_ms = retention.usage_ms.max(SHORTEST_USAGE_MS);
    let until = now.plus_millis(-kept_ms).0.div_euclid(DAY);
    let rows = tx.usage_between(usage::FOLDED_DAY + 1, until, most)?;
    for row in &rows {
        tx.remove_day_usage(&row.agreement, row.day, row.currency)?;
        if tx.agreement(&row.agreement)?.is_some_and(|agreement| !agreement.ended()) {
            usage::fold(tx, row)?;
        }
    }
    Ok(rows.len())
}
