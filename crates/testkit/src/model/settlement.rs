//! What is settled with counterparties, day by day.

use super::Books;
use accord_core::ids::{ClientId, CustomerId, PostingId};
use accord_core::ledger::settle::{SettlementItem, Span};
use accord_core::ledger::{Entry, Party, Posting};
use accord_core::moment::Timestamp;
use accord_core::store::Stored;
use accord_core::store::settlement::{SettlementRows, SettlementTx};
use std::ops::Bound;

impl SettlementRows for Books {
    fn settlement_item(&self, posting: &PostingId) -> Stored<Option<SettlementItem>> {
        Ok(self.settlement_items.get(&(posting.bucket(), posting.clone())).cloned())
    }

    fn settlement_items(
        &self,
        client: &ClientId,
        span: Span,
        after: Option<(Timestamp, &PostingId)>,
        limit: usize,
    ) -> Stored<Vec<SettlementItem>> {
        let mut found: Vec<&SettlementItem> = self
            .settlement_items
            .values()
            .filter(|item| item.client == *client && span.from <= item.settled_at)
            .filter(|item| item.settled_at < span.until && after.is_none_or(|after| item.place() > after))
            .collect();
        found.sort_by_key(|item| item.place());
        Ok(found.into_iter().take(limit).cloned().collect())
    }

    fn settlement_items_after(&self, after: Option<&PostingId>, limit: usize) -> Stored<Vec<SettlementItem>> {
        let start = after.map_or(Bound::Unbounded, |id| Bound::Excluded((id.bucket(), id.clone())));
        let range = self.settlement_items.range((start, Bound::Unbounded));
        Ok(range.take(limit).map(|(_, item)| item.clone()).collect())
    }

    fn entries_of_customer(
        &self,
        customer: &CustomerId,
        after: Option<(Timestamp, &PostingId, u32)>,
        limit: usize,
    ) -> Stored<Vec<(Posting, Entry)>> {
        let party = Party::User(customer.clone());
        let theirs = self.entries.values().filter(|entry| entry.party == party);
        let mut found: Vec<(&Posting, &Entry)> = theirs
            .filter(|entry| entry.posting.bucket() == customer.bucket())
            .filter_map(|entry| {
                self.postings.get(&(entry.posting.bucket(), entry.posting.clone())).map(|row| (row, entry))
            })
            .filter(|(row, entry)| after.is_none_or(|after| (row.at, &row.id, entry.line) > after))
            .collect();
        found.sort_by_key(|(row, entry)| (row.at, &row.id, entry.line));
        Ok(found.into_iter().take(limit).map(|(row, entry)| (row.clone(), entry.clone())).collect())
    }
}

impl SettlementTx for Books {
    fn insert_settlement_item(&mut self, item: &SettlementItem) -> Stored<()> {
        self.settlement_items.insert((item.posting.bucket(), item.posting.clone()), item.clone())
    }
}
