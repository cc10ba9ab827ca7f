//! Refunds and closed orders: money given back.

use super::Books;
use super::rows::{behind, sorted};
use accord_core::ids::{Owner, PaymentId, PaymentRequestId, RefundId, RefundRequestId};
use accord_core::moment::Timestamp;
use accord_core::payment::cancel::ClosedOrder;
use accord_core::payment::refund::{Refund, RefundClaim, RefundStage};
use accord_core::store::Stored;
use accord_core::store::refund::{RefundRows, RefundTx};

impl Books {
    /// Running refunds that are to be resolved, with the time.
    fn refunds_due(&self) -> impl Iterator<Item = (&Refund, Timestamp)> {
        let running = self.refunds.values().filter(|row| row.stage == RefundStage::InProcess);
        running.filter_map(|row| row.resolution.map(|resolution| (row, resolution.due_at)))
    }
}

impl RefundRows for Books {
    fn refund_claim(&self, owner: &Owner, request: &RefundRequestId) -> Stored<Option<RefundClaim>> {
        Ok(self.refund_claims.get(&(owner.clone(), request.clone())).cloned())
    }
    fn refund(&self, id: &RefundId) -> Stored<Option<Refund>> {
        Ok(self.refunds.get(&(id.bucket(), id.clone())).cloned())
    }
    fn refunds_of(&self, payment: &PaymentId, limit: usize) -> Stored<Vec<Refund>> {
        // Refunds live in their payment's bucket.
        let same = |row: &&Refund| row.payment == *payment && row.id.bucket() == payment.bucket();
        Ok(sorted(self.refunds.values().filter(same), limit, |row| (row.created_at, &row.id)))
    }
    fn refunds_to_resolve(&self, until: Timestamp, limit: usize) -> Stored<Vec<Refund>> {
        let due = self.refunds_due().filter(|(_, at)| *at <= until).map(|(row, _)| row);
        let at = |row: &Refund| row.resolution.map(|resolution| resolution.due_at);
        Ok(sorted(due, limit, |row| (at(row), row.id.bucket(), &row.id)))
    }
    fn next_refund_to_resolve(&self) -> Stored<Option<Timestamp>> {
        Ok(self.refunds_due().map(|(_, at)| at).min())
    }
    fn refunds_after(&self, after: Option<&RefundId>, limit: usize) -> Stored<Vec<Refund>> {
        let range = behind(after.map(|id| (id.bucket(), id.clone())));
        Ok(self.refunds.range(range).take(limit).map(|(_, row)| row.clone()).collect())
    }
    fn closed_order(&self, owner: &Owner, request: &PaymentRequestId) -> Stored<Option<ClosedOrder>> {
        Ok(self.closed_orders.get(&(owner.clone(), request.clone())).cloned())
    }
}

impl RefundTx for Books {
    fn insert_refund_claim(&mut self, claim: &RefundClaim) -> Stored<()> {
        self.refund_claims.insert((claim.owner.clone(), claim.request_id.clone()), claim.clone())
    }
    fn insert_refund(&mut self, refund: &Refund) -> Stored<()> {
        self.refunds.insert((refund.id.bucket(), refund.id.clone()), refund.clone())
    }
    fn update_refund(&mut self, refund: &Refund) -> Stored<()> {
        self.refunds.change((refund.id.bucket(), refund.id.clone()), refund.clone())
    }
    fn insert_closed_order(&mut self, order: &ClosedOrder) -> Stored<()> {
        self.closed_orders.insert((order.owner.clone(), order.request_id.clone()), order.clone())
    }
}
