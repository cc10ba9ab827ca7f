//! What is settled with counterparties: items by client and time, a user's entries by time.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::ids::RefundRequestId;
use accord_core::ledger::settle::{SettlementItem, SettlementKind, Span};
use accord_core::ledger::{Entry, Party, Posting, PostingKind};
use accord_core::moment::Timestamp;
use accord_core::store::{Store, StoreFault};

fn item(number: u32, client: u32, at: i64, rich: bool) -> SettlementItem {
    let kinds = SettlementKind::ALL;
    SettlementItem {
        posting: posting_id(number),
        client: client_id(client),
        owner: owner(number),
        settled_at: Timestamp(at),
        kind: kinds[number as usize % kinds.len()],
        payment: payment_id(number),
        request_id: request_id(number),
        refund: rich.then(|| refund_id(number)),
        refund_request_id: rich.then(|| RefundRequestId::new(ODD_TEXT)),
        currency: currency(if rich { "IQD" } else { "JPY" }),
        amount: if rich { i64::MIN } else { i64::MAX },
    }
}

/// Every kind of item, poor and rich, comes back; one of a posting is inserted once.
pub fn settlement_items_come_back_as_they_were(store: &dyn Store) {
    let all: Vec<SettlementItem> = (1..=8).map(|number| item(number, 1, 5, number % 2 == 0)).collect();
    let rows = all.clone();
    keep(store, move |tx| rows.iter().try_for_each(|row| tx.insert_settlement_item(row)));
    let again = end_of(store, |tx| tx.insert_settlement_item(&item(3, 2, 5, true)));
    assert!(matches!(again, Err(StoreFault::Conflict(_))), "{again:?}");
    see(store, move |rows| {
        for row in &all {
            assert_eq!(rows.settlement_item(&row.posting)?.as_ref(), Some(row));
        }
        assert_eq!(rows.settlement_item(&posting_id(9))?, None);
        Ok(())
    });
}

/// A client's items of a span come by time and then by posting, in pages that miss none; the span's end is not in it.
pub fn settlement_items_come_by_time_in_pages(store: &dyn Store) {
    let mut all: Vec<SettlementItem> =
        (1..=12).map(|number| item(number, 1, i64::from(number % 4) * 10, false)).collect();
    let rows = all.clone();
    keep(store, move |tx| {
        rows.iter().try_for_each(|row| tx.insert_settlement_item(row))?;
        tx.insert_settlement_item(&item(20, 2, 10, true))
    });
    let mut everybodys = all.clone();
    everybodys.push(item(20, 2, 10, true));
    everybodys.sort_by_key(|row| row.posting.clone());
    all.sort_by(|one, other| one.place().cmp(&other.place()));
    see(store, move |rows| {
        let span = |from, until| Span { from: Timestamp(from), until: Timestamp(until) };
        for (span, expected) in [
            (Span::ALL, all.clone()),
            (span(0, 10), all.iter().filter(|row| row.settled_at.0 == 0).cloned().collect()),
            (span(10, 30), all.iter().filter(|row| matches!(row.settled_at.0, 10 | 20)).cloned().collect()),
            (span(31, 99), vec![]),
        ] {
            let mut found: Vec<SettlementItem> = Vec::new();
            loop {
                let after = found.last().map(SettlementItem::place);
                let page = rows.settlement_items(&client_id(1), span, after, 2)?;
                assert!(page.len() <= 2);
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            assert_eq!(found, expected, "{span:?}");
        }
        let mut pages: Vec<SettlementItem> = Vec::new();
        loop {
            let page = rows.settlement_items_after(pages.last().map(|row| &row.posting), 5)?;
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        pages.sort_by_key(|row| row.posting.clone());
        assert_eq!(pages, everybodys);
        Ok(())
    });
}

/// A user's entries come with their postings by time, posting and line, in pages; nobody else's come.
pub fn a_users_entries_come_by_time_in_pages(store: &dyn Store) {
    // The posting is in the bucket of its customer, as every posting of the ledger is.
    let posted = |number: u32, customer: u32, at: i64| {
        let posting = Posting {
            id: posting_id(number),
            kind: PostingKind::ALL[number as usize % PostingKind::ALL.len()],
            reference: text(true),
            at: Timestamp(at),
        };
        let entries = vec![
            entry(&posting, 0, Party::Funding, -3),
            entry(&posting, 1, Party::User(customer_id(customer)), 1),
            entry(&posting, 2, Party::User(customer_id(customer)), 2),
        ];
        (posting, entries)
    };
    // Numbers 1, 5, 9, … share a bucket; customer 5 lives beside customer 1.
    let mut all: Vec<(Posting, Vec<Entry>)> =
        [(1, 30), (5, 10), (9, 10), (13, 20)].map(|(number, at)| posted(number, 1, at)).to_vec();
    let rows = all.clone();
    keep(store, move |tx| {
        rows.iter().try_for_each(|(posting, entries)| tx.insert_posting(posting, entries))?;
        let (posting, entries) = posted(17, 5, 15);
        tx.insert_posting(&posting, &entries)
    });
    all.sort_by(|one, other| (one.0.at, &one.0.id).cmp(&(other.0.at, &other.0.id)));
    see(store, move |rows| {
        let mut found: Vec<(Posting, Entry)> = Vec::new();
        loop {
            let after = found.last().map(|(posting, entry)| (posting.at, &posting.id, entry.line));
            let page = rows.entries_of_customer(&customer_id(1), after, 3)?;
            assert!(page.len() <= 3);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        let expected: Vec<(Posting, Entry)> = all
            .iter()
            .flat_map(|(posting, entries)| entries[1..].iter().map(|entry| (posting.clone(), entry.clone())))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(rows.entries_of_customer(&customer_id(5), None, 99)?.len(), 2);
        assert_eq!(rows.entries_of_customer(&customer_id(2), None, 99)?, vec![]);
        Ok(())
    });
}
