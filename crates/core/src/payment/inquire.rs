//! Inquire: what became of a payment.

use crate::ids::{Owner, PaymentId, PaymentRequestId};
use crate::outcome::{Refusal, Ruled};
use crate::payment::Payment;
use crate::secret::Digest;
use crate::store::{Rows, Stored};

/// How a payment is asked for. The wallet's id wins if both are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By the wallet's id, as the caller wrote it.
    Id(String),
    /// By the caller's own id.
    Request(PaymentRequestId),
}

/// The payment of that owner; a stranger's payment does not exist.
pub fn inquire(rows: &dyn Rows, owner: &Owner, which: &Which) -> Ruled<Payment> {
    let payment = match which {
        Which::Id(id) => match PaymentId::read(id) {
            Some(id) => rows.payment(&id)?,
            None => None,
        },
        Which::Request(request) => match rows.payment_claim(owner, request)? {
            Some(claim) => rows.payment(&claim.payment)?,
            None => None,
        },
    };
    payment.filter(|payment| payment.owner == *owner).ok_or_else(|| Refusal::PaymentNotFound.into())
}

/// Was that order cancelled before anything was known of it? Then no payment of that id can ever be.
pub fn was_closed(rows: &dyn Rows, owner: &Owner, request: &PaymentRequestId) -> Ruled<bool> {
    Ok(rows.closed_order(owner, request)?.is_some())
}

/// The compared fields of the payment that a request id became, for saying what differs in a repeat.
pub fn fingerprint_of(rows: &dyn Rows, owner: &Owner, request: &PaymentRequestId) -> Stored<Option<Digest>> {
    let Some(claim) = rows.payment_claim(owner, request)? else { return Ok(None) };
    Ok(rows.payment(&claim.payment)?.map(|payment| payment.fingerprint))
}
