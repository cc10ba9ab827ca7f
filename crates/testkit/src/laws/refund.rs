//! Money given back: refunds, their claims, closed orders.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::moment::Timestamp;
use accord_core::payment::refund::{Refund, RefundStage::InProcess};
use accord_core::store::{Store, StoreFault, Stored, Tx};

type Act = fn(&mut dyn Tx) -> Stored<()>;

/// Every member of every row, in every stage.
pub fn refunds_come_back_as_they_were(store: &dyn Store) {
    for (stage, number) in refund_stages().into_iter().zip(1..) {
        for rich in [false, true] {
            let row = refund(number * 2 + u32::from(rich), 1, 5, stage.clone(), rich);
            let (kept, id) = (row.clone(), row.id.clone());
            keep(store, move |tx| tx.insert_refund(&kept));
            assert_eq!(see(store, move |rows| rows.refund(&id)), Some(row));
        }
    }
    let row = refund(2, 7, 9, InProcess, true);
    let (changed, id) = (row.clone(), row.id.clone());
    keep(store, move |tx| {
        tx.update_refund(&changed)?;
        tx.insert_refund_claim(&refund_claim(1, 2))?;
        tx.insert_closed_order(&closed_order(1, 3))
    });
    assert_eq!(see(store, move |rows| rows.refund(&id)), Some(row));
    let claim = refund_claim(1, 2);
    see(store, move |rows| {
        assert_eq!(rows.refund_claim(&claim.owner, &claim.request_id)?, Some(refund_claim(1, 2)));
        assert_eq!(rows.refund_claim(&owner(2), &claim.request_id)?, None);
        assert_eq!(rows.closed_order(&owner(1), &request_id(1))?, Some(closed_order(1, 3)));
        assert_eq!(rows.closed_order(&owner(1), &request_id(2))?, None);
        Ok(())
    });
}

/// A key is inserted once; an update of what is not there is corruption.
pub fn a_refund_and_a_closed_order_are_inserted_once(store: &dyn Store) {
    let update = end_of(store, |tx| tx.update_refund(&refund(1, 1, 1, InProcess, false)));
    assert!(matches!(update, Err(StoreFault::Corrupt(_))), "{update:?}");
    let inserts: [(&str, Act); 3] = [
        ("refund claim", |tx| tx.insert_refund_claim(&refund_claim(1, 1))),
        ("refund", |tx| tx.insert_refund(&refund(1, 1, 1, InProcess, false))),
        ("closed order", |tx| tx.insert_closed_order(&closed_order(1, 1))),
    ];
    for (what, insert) in inserts {
        keep(store, insert);
        let again = end_of(store, insert);
        assert!(matches!(again, Err(StoreFault::Conflict(_))), "{what}: {again:?}");
    }
}

/// A payment's refunds come oldest first, those to be resolved earliest first, all of them in pages.
pub fn refunds_come_in_order(store: &dyn Store) {
    // Numbers 1, 5 and 9 share a bucket; 9 and 1 are of one moment.
    let rows: Vec<Refund> = [(1, 1, 30), (5, 1, 10), (9, 1, 30), (2, 2, 20)]
        .map(|(number, payment, at)| refund(number, payment, at, InProcess, true))
        .into();
    let kept = rows.clone();
    keep(store, move |tx| kept.iter().try_for_each(|row| tx.insert_refund(row)));

    let mut of_payment: Vec<Refund> = rows[..3].to_vec();
    of_payment.sort_by_key(|row| (row.created_at, row.id.clone()));
    let mut due = rows.clone();
    due.sort_by_key(|row| (row.created_at, row.id.bucket(), row.id.clone()));
    let mut all = rows;
    all.sort_by_key(|row| row.id.clone());
    see(store, move |rows| {
        assert_eq!(rows.refunds_of(&payment_id(1), 9)?, of_payment);
        assert_eq!(rows.refunds_of(&payment_id(1), 2)?, of_payment[..2]);
        assert_eq!(rows.refunds_to_resolve(Timestamp(30), 9)?, due);
        assert_eq!(rows.refunds_to_resolve(Timestamp(29), 9)?, due[..2]);
        assert_eq!(rows.next_refund_to_resolve()?, Some(Timestamp(10)));
        let mut pages = rows.refunds_after(None, 2)?;
        assert_eq!(pages.len(), 2);
        pages.extend(rows.refunds_after(Some(&pages[1].id), 9)?);
        pages.sort_by_key(|row| row.id.clone());
        assert_eq!(pages, all);
        Ok(())
    });
}
