//! What is settled with counterparties, day by day. A part of the port.

use super::Stored;
use crate::ids::{ClientId, CustomerId, PostingId};
use crate::ledger::settle::{SettlementItem, Span};
use crate::ledger::{Entry, Posting};
use crate::moment::Timestamp;

/// What can be read of it.
pub trait SettlementRows {
    /// The item of that posting.
    fn settlement_item(&self, posting: &PostingId) -> Stored<Option<SettlementItem>>;
    /// A client's items of a span after that place, by time and then by posting.
    fn settlement_items(
        &self,
        client: &ClientId,
        span: Span,
        after: Option<(Timestamp, &PostingId)>,
        limit: usize,
    ) -> Stored<Vec<SettlementItem>>;
    /// All items after that one, each once, in an order of the store's own; for proving the books.
    fn settlement_items_after(&self, after: Option<&PostingId>, limit: usize) -> Stored<Vec<SettlementItem>>;
    /// The entries of a user's accounts with their postings after that place, by time, posting and line.
    fn entries_of_customer(
        &self,
        customer: &CustomerId,
        after: Option<(Timestamp, &PostingId, u32)>,
        limit: usize,
    ) -> Stored<Vec<(Posting, Entry)>>;
}

/// What can be written of it.
pub trait SettlementTx {
    /// Appends an item. Unique: its posting. Never changed. Only `ledger::post` calls this.
    fn insert_settlement_item(&mut self, item: &SettlementItem) -> Stored<()>;
}
