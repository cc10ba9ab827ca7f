//! Tests of what the steps of the schema do to rows that are there already.

use super::statements::Statements;
use crate::rows::desk::Desk;
use accord_core::handle::Bucket;
use accord_core::ids::{ClientId, Owner, PaymentId, PaymentRequestId, PostingId};
use accord_core::ledger::settle::{SettlementItem, SettlementKind, Span};
use accord_core::money::Currency;
use accord_core::store::settlement::SettlementRows;
use accord_core::{Moment, Timestamp};
use rusqlite::Connection;

#[test]
fn debits_of_before_get_their_items_and_their_users_when_the_schema_is_brought_up_to_date() {
    let mut random = Moment::new(Timestamp(0), [5; 32]).random("ids");
    let bucket = Bucket::new(7);
    let posting = PostingId::mint(bucket, &mut random);
    let payment = PaymentId::mint(bucket, &mut random);
    let db = Connection::open_in_memory().expect("a database in memory");
    let [first, second, third, ..] = crate::schema::ALL else { panic!("three steps") };
    db.execute_batch(&first.sql).expect("the first step");
    db.execute_batch(&format!(
        "INSERT INTO payments (bucket, id, owner, client, dialect, request_id, fingerprint, agreement, customer,
           currency, amount, evaluation, stage, settled_at, answered_unknown, description, extras, created_at,
           posting)
         VALUES (7, '{payment}', 'o', 'c', 'd', '=r', x'00', 'a', 'u', 'IQD', 5, 0, 'succeeded', 9, 0, '', '{{}}',
           1, '{posting}');
         INSERT INTO postings VALUES (7, '{posting}', 'debit', '{payment}', 9), (7, 'x', 'credit', 'in', 8);
         INSERT INTO entries VALUES (7, '{posting}', 0, 'user:u', 'IQD', -5, 9),
           (7, '{posting}', 1, 'payable:3:c', 'IQD', 5, 9), (7, 'x', 0, 'funding', 'IQD', -5, 8),
           (7, 'x', 1, 'user:u', 'IQD', 5, 8);"
    ))
    .expect("rows of before");
    db.execute_batch(&second.sql).expect("the second step");
    db.execute_batch(
        "INSERT INTO transfers VALUES (3, 'in', 'u', 'top_up', 'IQD', 5, 'x', 8);
         INSERT INTO postings VALUES (7, 'y', 'credit', 'an operator', 8);",
    )
    .expect("a transfer of before");
    let statements = Statements::new(&db);
    let desk = Desk(&statements);
    let items = desk.settlement_items(&ClientId::new("c"), Span::ALL, None, 9).expect("items");
    let expected = SettlementItem {
        posting,
        client: ClientId::new("c"),
        owner: Owner::from_row("o"),
        settled_at: Timestamp(9),
        kind: SettlementKind::Debit,
        payment,
        request_id: PaymentRequestId::new("=r"),
        refund: None,
        refund_request_id: None,
        currency: Currency::parse("IQD").expect("a currency"),
        amount: 5,
    };
    assert_eq!(items, [expected]);
    assert_eq!(desk.settlement_items_after(None, 9).expect("items").len(), 1);

    db.execute_batch(&third.sql).expect("the third step");
    let kinds = db.prepare("SELECT id, kind FROM postings WHERE id IN ('x', 'y') ORDER BY id");
    let mut kinds = kinds.expect("SQL");
    let kinds = kinds.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("postings");
    let kinds: Vec<(String, String)> = kinds.collect::<Result<_, _>>().expect("postings");
    let expected = [("x", "top_up"), ("y", "credit")];
    assert_eq!(kinds, expected.map(|(id, kind)| (id.to_owned(), kind.to_owned())));
    let mut whose =
        db.prepare("SELECT party, customer, at FROM entries ORDER BY posting, line").expect("SQL");
    let whose = whose.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("entries");
    let whose: Vec<(String, Option<String>, i64)> = whose.collect::<Result<_, _>>().expect("entries");
    let users: Vec<_> = whose.iter().filter(|(party, ..)| party == "user:u").collect();
    assert!(users.iter().all(|(_, customer, _)| customer.as_deref() == Some("u")), "{whose:?}");
    assert_eq!(users.iter().map(|(.., at)| *at).collect::<Vec<_>>(), [9, 8]);
    assert_eq!(whose.iter().filter(|(_, customer, _)| customer.is_none()).count(), 2);
}
