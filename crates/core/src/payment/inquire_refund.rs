//! Inquire refund: what became of a refund.

use crate::ids::{Owner, RefundId, RefundRequestId};
use crate::outcome::{Refusal, Ruled};
use crate::payment::refund::Refund;
use crate::store::{Rows, Stored};

/// How a refund is asked for. The wallet's id wins if both are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichRefund {
    /// By the wallet's id, as the caller wrote it.
    Id(String),
    /// By the caller's own id.
    Request(RefundRequestId),
}

/// The refund that a request id became, for saying what differs in a repeat.
pub fn first_of(rows: &dyn Rows, owner: &Owner, request: &RefundRequestId) -> Stored<Option<Refund>> {
    let Some(claim) = rows.refund_claim(owner, request)? else { return Ok(None) };
    rows.refund(&claim.refund)
}

/// The refund of that owner; a stranger's refund does not exist.
pub fn inquire_refund(rows: &dyn Rows, owner: &Owner, which: &WhichRefund) -> Ruled<Refund> {
    let refund = match which {
        WhichRefund::Id(id) => match RefundId::read(id) {
            Some(id) => rows.refund(&id)?,
            None => None,
        },
        WhichRefund::Request(request) => match rows.refund_claim(owner, request)? {
            Some(claim) => rows.refund(&claim.refund)?,
            None => None,
        },
    };
    refund.filter(|refund| refund.owner == *owner).ok_or_else(|| Refusal::RefundNotFound.into())
}
