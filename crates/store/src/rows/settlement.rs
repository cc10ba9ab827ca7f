//! What is settled with counterparties, day by day.

use super::desk::Desk;
use super::sql::{self, Columns, statements};
use super::value::params;
use accord_core::ids::{
    ClientId, CustomerId, Owner, PaymentId, PaymentRequestId, PostingId, RefundId, RefundRequestId,
};
use accord_core::ledger::settle::{SettlementItem, SettlementKind, Span};
use accord_core::ledger::{Entry, Party, Posting, PostingKind};
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::store::Stored;
use accord_core::store::settlement::{SettlementRows, SettlementTx};

macro_rules! item_columns {
    () => {
        "posting, client, owner, settled_at, kind, payment, request_id, refund, refund_request_id, currency, amount"
    };
}

macro_rules! entry_columns {
    () => {
        "e.posting,
        (SELECT p.kind FROM postings AS p WHERE p.bucket = e.bucket AND p.id = e.posting AND p.at = e.at),
        (SELECT p.reference FROM postings AS p WHERE p.bucket = e.bucket AND p.id = e.posting AND p.at = e.at),
        e.at, e.line, e.party, e.currency, e.amount"
    };
}

statements! {
    ITEM = concat!("SELECT ", item_columns!(), " FROM settlement_items WHERE bucket = ?1 AND posting = ?2");
    ITEMS = concat!(
        "SELECT ", item_columns!(), " FROM settlement_items
        WHERE client = ?1 AND settled_at >= ?2 AND settled_at < ?3 AND (settled_at, posting) > (?4, ?5)
        ORDER BY settled_at, posting LIMIT ?6"
    );
    ITEMS_AFTER = concat!(
        "SELECT ", item_columns!(), " FROM settlement_items
        WHERE (posting, bucket) > (?2, ?1) ORDER BY posting, bucket LIMIT ?3"
    );
    INSERT_ITEM = concat!(
        "INSERT INTO settlement_items (bucket, ", item_columns!(), ")
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    );
    // Each posting by its key and time: a join might read all postings of the bucket for a page of entries.
    pub(crate) ENTRIES_LISTED = concat!(
        "SELECT ", entry_columns!(), " FROM entries AS e
        WHERE e.bucket = ?1 AND e.customer = ?2 AND e.at >= ?3 AND (e.at, e.posting, e.line) > (?3, ?4, ?5)
        ORDER BY e.at, e.posting, e.line LIMIT ?6"
    );
    // Those of debits in the moment in which their payment was made.
    pub(crate) ENTRIES_OF_PAYMENTS = concat!(
        "SELECT ", entry_columns!(), " FROM payments AS d CROSS JOIN entries AS e
        WHERE d.bucket = ?1 AND d.customer = ?2 AND d.created_at >= ?3 AND e.bucket = d.bucket
        AND e.posting = d.posting AND e.at = d.created_at AND e.customer IS NULL AND e.party = ?7
        AND (e.at, e.posting, e.line) > (?3, ?4, ?5)
        ORDER BY d.created_at, e.posting, e.line LIMIT ?6"
    );
}

fn read_item(row: &mut Columns<'_>) -> Stored<SettlementItem> {
    Ok(SettlementItem {
        posting: row.parsed(PostingId::read)?,
        client: ClientId::new(row.get::<String>()?),
        owner: Owner::from_row(row.get::<String>()?),
        settled_at: row.time()?,
        kind: row.parsed(SettlementKind::parse)?,
        payment: row.parsed(PaymentId::read)?,
        request_id: PaymentRequestId::new(row.get::<String>()?),
        refund: row.maybe(RefundId::read)?,
        refund_request_id: row.get::<Option<String>>()?.map(RefundRequestId::new),
        currency: row.parsed(Currency::parse)?,
        amount: row.get()?,
    })
}

fn read_entry(row: &mut Columns<'_>) -> Stored<(Posting, Entry)> {
    let posting = Posting {
        id: row.parsed(PostingId::read)?,
        kind: row.parsed(PostingKind::parse)?,
        reference: row.get()?,
        at: row.time()?,
    };
    let entry = Entry {
        posting: posting.id.clone(),
        line: row.get()?,
        party: row.parsed(Party::from_row)?,
        currency: row.parsed(Currency::parse)?,
        amount: row.get()?,
    };
    Ok((posting, entry))
}

impl SettlementRows for Desk<'_> {
    fn settlement_item(&self, posting: &PostingId) -> Stored<Option<SettlementItem>> {
        sql::one(self.0, ITEM, params![posting.bucket().number(), posting.as_str()], read_item)
    }

    fn settlement_items(
        &self,
        client: &ClientId,
        span: Span,
        after: Option<(Timestamp, &PostingId)>,
        limit: usize,
    ) -> Stored<Vec<SettlementItem>> {
        let (at, posting) = after.map_or((i64::MIN, ""), |(at, posting)| (at.0, posting.as_str()));
        let key = params![client.as_str(), span.from.0, span.until.0, at, posting, sql::limit(limit)];
        sql::many(self.0, ITEMS, key, read_item)
    }

    fn settlement_items_after(&self, after: Option<&PostingId>, limit: usize) -> Stored<Vec<SettlementItem>> {
        let (bucket, id) = after.map_or((-1, ""), |id| (i64::from(id.bucket().number()), id.as_str()));
        sql::many(self.0, ITEMS_AFTER, params![bucket, id, sql::limit(limit)], read_item)
    }

    fn entries_of_customer(
        &self,
        customer: &CustomerId,
        after: Option<(Timestamp, &PostingId, u32)>,
        limit: usize,
    ) -> Stored<Vec<(Posting, Entry)>> {
        let (at, posting, line) = match after {
            Some((at, posting, line)) => (at.0, posting.as_str(), i64::from(line)),
            None => (i64::MIN, "", -1),
        };
        let (bucket, party) = (customer.bucket().number(), Party::User(customer.clone()).to_row());
        let most = sql::limit(limit);
        let listed = params![bucket, customer.as_str(), at, posting, line, most];
        let of_payments = params![bucket, customer.as_str(), at, posting, line, most, party];
        let mut found = sql::many(self.0, ENTRIES_LISTED, listed, read_entry)?;
        found.extend(sql::many(self.0, ENTRIES_OF_PAYMENTS, of_payments, read_entry)?);
        found.sort_by_cached_key(|(posting, entry)| (posting.at, posting.id.clone(), entry.line));
        found.truncate(limit);
        Ok(found)
    }
}

impl SettlementTx for Desk<'_> {
    fn insert_settlement_item(&mut self, item: &SettlementItem) -> Stored<()> {
        let values = params![
            item.posting.bucket().number(),
            item.posting.as_str(),
            item.client.as_str(),
            item.owner.as_str(),
            item.settled_at.0,
            item.kind.as_str(),
            item.payment.as_str(),
            item.request_id.as_str(),
            item.refund.as_ref().map(RefundId::as_str),
            item.refund_request_id.as_ref().map(RefundRequestId::as_str),
            item.currency.code(),
            item.amount,
        ];
        sql::write(self.0, INSERT_ITEM, values)
    }
}
