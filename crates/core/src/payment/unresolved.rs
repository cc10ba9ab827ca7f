//! Unresolved: payments and refunds that were answered Unknown and have no end yet. For whoever watches them, and for
//! the person who must decide about one that nothing will resolve by itself.

use crate::handle::Bucket;
use crate::ids::{DialectName, PaymentId, RefundId};
use crate::journal;
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::payment::refund::{Refund, RefundStage};
use crate::payment::{Payment, PaymentStage, Resolution};
use crate::store::{Rows, Stored, Tx};
use crate::token::live;

/// How many are running in a dialect, and since when the oldest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Which dialect.
    pub dialect: DialectName,
    /// How many.
    pub count: u32,
    /// When the oldest was asked for.
    pub oldest: Timestamp,
}

/// Which one a person decides about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Running {
    /// A payment.
    Payment(PaymentId),
    /// A refund.
    Refund(RefundId),
}

/// What came of the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It is due now: the server brings it to its end within a second, and tells owner and user.
    Due,
    /// Its paymentExpiryTime has passed: it fails, whatever is decided. Nothing was changed.
    Expired,
    /// Its agreement is over: it cannot succeed any more. Nothing was changed; it can be decided to fail.
    AgreementOver,
    /// It has its end already. Nothing was changed.
    Ended,
    /// There is no such payment or refund.
    Unknown,
}

/// Makes a running one due now, whatever was planned for it. A payment that is to succeed is still judged like any
/// debit when the money moves: an empty account fails it.
pub fn decide(tx: &mut dyn Tx, running: &Running, succeed: bool, actor: &str, at: &Moment) -> Ruled<Decided> {
    let resolution = Some(Resolution { due_at: at.now, succeed });
    let (bucket, id) = match running {
        Running::Payment(id) => {
            let Some(payment) = tx.payment(id)? else { return Ok(Decided::Unknown) };
            if payment.stage != PaymentStage::InProcess {
                return Ok(Decided::Ended);
            }
            if payment.late(at.now) {
                return Ok(Decided::Expired);
            }
            if succeed && over(tx, &payment, at)? {
                return Ok(Decided::AgreementOver);
            }
            tx.update_payment(&Payment { resolution, ..payment })?;
            (id.bucket(), id.as_str())
        }
        Running::Refund(id) => {
            let Some(refund) = tx.refund(id)? else { return Ok(Decided::Unknown) };
            if refund.stage != RefundStage::InProcess {
                return Ok(Decided::Ended);
            }
            tx.update_refund(&Refund { resolution, ..refund })?;
            (id.bucket(), id.as_str())
        }
    };
    note(tx, bucket, id, succeed, actor, at)?;
    Ok(Decided::Due)
}

fn over(rows: &dyn Rows, payment: &Payment, at: &Moment) -> Stored<bool> {
    let Some(agreement) = rows.agreement(&payment.agreement)? else { return Ok(true) };
    live::over(rows, &agreement, at.now)
}

fn note(tx: &mut dyn Tx, bucket: Bucket, id: &str, succeed: bool, actor: &str, at: &Moment) -> Ruled<()> {
    let detail = if succeed { "to succeed" } else { "to fail" };
    Ok(journal::append(tx, at, bucket, "unresolved.decided", id, actor, detail)?)
}
