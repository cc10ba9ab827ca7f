//! Refunds and closed orders: money given back. A part of the port.

use crate::ids::{Owner, PaymentId, PaymentRequestId, RefundId, RefundRequestId};
use crate::moment::Timestamp;
use crate::payment::cancel::ClosedOrder;
use crate::payment::refund::{Refund, RefundClaim};
use crate::store::Stored;

/// What can be read of it.
pub trait RefundRows {
    /// Which refund that request id of that owner became.
    fn refund_claim(&self, owner: &Owner, request: &RefundRequestId) -> Stored<Option<RefundClaim>>;
    /// The refund of that id.
    fn refund(&self, id: &RefundId) -> Stored<Option<Refund>>;
    /// The refunds of a payment, oldest first.
    fn refunds_of(&self, payment: &PaymentId, limit: usize) -> Stored<Vec<Refund>>;
    /// Running refunds whose `resolve_at` is not after `until`, earliest first.
    fn refunds_to_resolve(&self, until: Timestamp, limit: usize) -> Stored<Vec<Refund>>;
    /// The earliest `resolve_at` of any running refund.
    fn next_refund_to_resolve(&self) -> Stored<Option<Timestamp>>;
    /// Refunds after that one, each once, in an order of the store's own; for proving the books.
    fn refunds_after(&self, after: Option<&RefundId>, limit: usize) -> Stored<Vec<Refund>>;
    /// The mark that an order was cancelled before it was known.
    fn closed_order(&self, owner: &Owner, request: &PaymentRequestId) -> Stored<Option<ClosedOrder>>;
}

/// What can be written of it.
pub trait RefundTx {
    /// Claims a request id. Unique: owner and request id.
    fn insert_refund_claim(&mut self, claim: &RefundClaim) -> Stored<()>;
    /// Creates a refund. Unique: id.
    fn insert_refund(&mut self, refund: &Refund) -> Stored<()>;
    /// Replaces a refund.
    fn update_refund(&mut self, refund: &Refund) -> Stored<()>;
    /// Closes an order that is not known. Unique: owner and request id.
    fn insert_closed_order(&mut self, order: &ClosedOrder) -> Stored<()>;
}
