//! Unbind: an agreement is ended in the wallet, by its user or by the wallet itself. Its owner's way is
//! [`crate::token::cancel_token`]; all three meet in [`end`].
//!
//! A paper may want its owner asked before a user ends an agreement. Asking is the server's work; what the answer
//! means is decided here. An owner that cannot be reached does not hold a user for ever: the third time within a
//! day that no answer comes, the agreement ends all the same, unless the deployment says otherwise.

use crate::agreement::Agreement;
use crate::agreement::EndedBy;
use crate::agreement::end::end;
use crate::ids::{AgreementId, CustomerId, DialectName};
use crate::journal;
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::policy::DAY;
use crate::store::Tx;
use crate::voice::Context;

/// So many questions without an answer…
pub const MOST_SILENCES: usize = 3;
/// …within this time free the user.
pub const SILENCE_WINDOW_MS: i64 = DAY;

/// What the owner of an agreement said when asked whether its user may end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consulted {
    /// Nobody had to be asked.
    NotAsked,
    /// Yes.
    Allowed,
    /// No: the user must go to the merchant.
    NotAllowed,
    /// No answer that could be relied on.
    Unknown {
        /// May the agreement end after [`MOST_SILENCES`] of them?
        silence_frees: bool,
    },
}

/// Questions about an agreement that brought no answer. Kept while they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consult {
    /// The agreement.
    pub agreement: AgreementId,
    /// When, oldest first; at most [`MOST_SILENCES`].
    pub failed_at: Vec<Timestamp>,
}

/// What came of the user's wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbound {
    /// It is over, now or before.
    Ended(Agreement),
    /// The owner says no.
    NotAllowed(Agreement),
    /// The owner could not be asked: try later.
    TryLater {
        /// The agreement.
        agreement: Agreement,
        /// Questions without an answer within [`SILENCE_WINDOW_MS`].
        silences: usize,
    },
    /// There is no such agreement.
    NotFound,
}

/// The user wants to end an agreement, and its owner has been asked if need be. Repeating it changes nothing.
pub fn by_user(
    tx: &mut dyn Tx,
    id: &AgreementId,
    consulted: Consulted,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<Unbound> {
    let Some(agreement) = tx.agreement(id)? else { return Ok(Unbound::NotFound) };
    if agreement.ended() {
        return Ok(Unbound::Ended(agreement));
    }
    let actor = agreement.customer.as_str().to_owned();
    let told = |tx: &mut dyn Tx, detail: &str| {
        journal::append(tx, at, id.bucket(), "agreement.consulted", id.as_str(), &actor, detail)
    };
    match consulted {
        Consulted::NotAsked => {}
        Consulted::Allowed => told(tx, "allowed")?,
        Consulted::NotAllowed => {
            told(tx, "not allowed")?;
            // It did answer: silences before it no longer count.
            if tx.consult(id)?.is_some() {
                tx.put_consult(&Consult { agreement: id.clone(), failed_at: Vec::new() })?;
            }
            return Ok(Unbound::NotAllowed(agreement));
        }
        Consulted::Unknown { silence_frees } => {
            told(tx, "no answer")?;
            let silences = note_silence(tx, id, at.now)?;
            if silences < MOST_SILENCES || !silence_frees {
                return Ok(Unbound::TryLater { agreement, silences });
            }
        }
    }
    Ok(Unbound::Ended(end(tx, agreement, EndedBy::User, &actor, context, at)?))
}

/// Keeps a question without an answer; says how many count.
fn note_silence(tx: &mut dyn Tx, id: &AgreementId, now: Timestamp) -> Ruled<usize> {
    let mut failed_at = tx.consult(id)?.map(|consult| consult.failed_at).unwrap_or_default();
    failed_at.retain(|then| now.since(*then) < SILENCE_WINDOW_MS);
    failed_at.push(now);
    let surplus = failed_at.len().saturating_sub(MOST_SILENCES);
    failed_at.drain(..surplus);
    let silences = failed_at.len();
    tx.put_consult(&Consult { agreement: id.clone(), failed_at })?;
    Ok(silences)
}

/// The wallet ends an agreement: fraud, a closed account. Nobody is asked. Nothing when there is no such agreement.
pub fn by_wallet(
    tx: &mut dyn Tx,
    id: &AgreementId,
    actor: &str,
    reason: &str,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<Option<Agreement>> {
    let Some(agreement) = tx.agreement(id)? else { return Ok(None) };
    if agreement.ended() {
        return Ok(Some(agreement));
    }
    if !reason.is_empty() {
        journal::append(tx, at, id.bucket(), "agreement.end_reason", id.as_str(), actor, reason)?;
    }
    end(tx, agreement, EndedBy::Wallet, actor, context, at).map(Some)
}

/// The wallet ends every agreement of a user, each in the words of its dialect: the account is closed. Says which
/// were ended now; one whose dialect is not served stays.
pub fn all_by_wallet<'c>(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    actor: &str,
    reason: &str,
    context_of: &dyn Fn(&DialectName) -> Option<Context<'c>>,
    at: &Moment,
) -> Ruled<Vec<Agreement>> {
    let mut ended = Vec::new();
    for agreement in tx.agreements_of(customer, usize::MAX)? {
        let Some(context) = context_of(&agreement.dialect).filter(|_| !agreement.ended()) else { continue };
        ended.extend(by_wallet(tx, &agreement.id, actor, reason, context, at)?);
    }
    Ok(ended)
}
