//! Messages on their way out: rows come back, one for each event and carrier, lists in order, a claim for one.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::message::delivery::{self, Claimed, Delivery, DeliveryState};
use accord_core::message::routes::Carrier;
use accord_core::message::{Channel, Kind};
use accord_core::moment::Timestamp;
use accord_core::outcome::Ruled;
use accord_core::store::{self, Store, StoreFault};
use std::cmp::Reverse;

fn sample(number: u32, kind: Kind, carrier: Carrier, state: DeliveryState, rich: bool) -> Delivery {
    Delivery {
        message: message_id(number),
        customer: customer_id(number % 3),
        kind,
        subject: format!("{ODD_TEXT}{number}"),
        carrier,
        to: text(rich),
        state,
        tries: most(rich),
        due_at: Timestamp(i64::from(number % 5)),
        expires_at: maybe_time(rich),
        outcome: text(rich),
        created_at: Timestamp(i64::from(number % 4)),
    }
}

/// Every kind by every carrier in every state, each with a number of its own.
fn samples() -> Vec<Delivery> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        for carrier in Carrier::ALL {
            for state in DeliveryState::ALL {
                let number = all.len() as u32;
                all.push(sample(number, *kind, *carrier, *state, number % 2 == 1));
            }
        }
    }
    all
}

/// A delivery of each kind, carrier and state comes back, is replaced, and goes.
pub fn deliveries_come_back_as_they_were(store: &dyn Store) {
    for row in samples() {
        let bucket = row.customer.bucket();
        let (kept, key) = (row.clone(), (row.kind, row.subject.clone(), row.carrier));
        keep(store, move |tx| tx.insert_delivery(&kept));
        let (kind, subject, carrier) = key.clone();
        assert_eq!(see(store, move |rows| rows.delivery(bucket, kind, &subject, carrier)), Some(row.clone()));

        let later = Delivery {
            state: DeliveryState::Dead,
            tries: 7,
            due_at: Timestamp(i64::MAX),
            outcome: "x".to_owned(),
            ..row.clone()
        };
        let (kept, (kind, subject, carrier)) = (later.clone(), key.clone());
        keep(store, move |tx| tx.update_delivery(&kept));
        assert_eq!(see(store, move |rows| rows.delivery(bucket, kind, &subject, carrier)), Some(later));

        let (kind, subject, carrier) = key.clone();
        keep(store, move |tx| tx.remove_delivery(bucket, kind, &subject, carrier));
        let (kind, subject, carrier) = key;
        assert_eq!(see(store, move |rows| rows.delivery(bucket, kind, &subject, carrier)), None);
        let end = end_of(store, move |tx| tx.update_delivery(&row));
        assert!(matches!(end, Err(StoreFault::Corrupt(_))), "{end:?}");
    }
}

/// One delivery for each event and carrier: a second one changes nothing and is no fault.
pub fn a_second_delivery_by_one_carrier_is_silently_the_first(store: &dyn Store) {
    let first = sample(1, Kind::Debit, Carrier::Sms, DeliveryState::Sent, false);
    let second = Delivery { state: DeliveryState::Pending, to: "x".to_owned(), ..first.clone() };
    let other = Delivery { carrier: Carrier::Email, ..second.clone() };
    for row in [first.clone(), second, other.clone()] {
        keep(store, move |tx| tx.insert_delivery(&row));
    }
    let customer = first.customer.clone();
    assert_eq!(see(store, move |rows| rows.deliveries_of(&customer, 9)), vec![other, first]);
}

/// Pending ones come by carrier and urgency, earliest first; a user's newest first.
pub fn due_deliveries_come_earliest_first(store: &dyn Store) {
    let pending = |row: Delivery| Delivery { state: DeliveryState::Pending, ..row };
    let mut all: Vec<Delivery> =
        samples().into_iter().zip(0..).map(|(row, n)| if n % 4 > 0 { pending(row) } else { row }).collect();
    let kept = all.clone();
    keep(store, move |tx| kept.iter().try_for_each(|row| tx.insert_delivery(row)));
    for carrier in Carrier::ALL.iter().copied() {
        for urgent in [false, true] {
            let is_due = |row: &&Delivery| {
                row.state == DeliveryState::Pending
                    && row.carrier == carrier
                    && (row.kind == Kind::OneTimeCode) == urgent
            };
            let mut due: Vec<Delivery> = all.iter().filter(is_due).cloned().collect();
            due.sort_by_key(|row| {
                (row.due_at, row.customer.bucket(), row.kind.as_str(), row.subject.clone())
            });
            see(store, move |rows| {
                let early: Vec<Delivery> =
                    due.iter().filter(|row| row.due_at <= Timestamp(2)).cloned().collect();
                assert_eq!(rows.deliveries_due(carrier, urgent, Timestamp(2), 99)?, early);
                assert_eq!(rows.deliveries_due(carrier, urgent, Timestamp(2), 1)?, early[..1]);
                assert_eq!(rows.next_delivery_due(carrier, urgent)?, Some(due[0].due_at));
                assert_eq!(rows.deliveries_due(carrier, urgent, Timestamp(-1), 99)?, vec![]);
                Ok(())
            });
        }
    }
    all.sort_by_key(|row| (Reverse(row.created_at), row.kind.as_str(), row.subject.clone(), row.carrier));
    all.retain(|row| row.customer == customer_id(1));
    assert_eq!(see(store, |rows| rows.deliveries_of(&customer_id(1), 99)), all);
    assert_eq!(see(store, |rows| rows.deliveries_of(&customer_id(1), 3)), all[..3]);
    assert_eq!(see(store, |rows| rows.deliveries_of(&customer_id(8), 3)), vec![]);
}

/// What is not pending comes by age.
pub fn deliveries_that_are_over_come_earliest_first(store: &dyn Store) {
    let all = samples();
    let kept = all.clone();
    keep(store, move |tx| kept.iter().try_for_each(|row| tx.insert_delivery(row)));
    let mut over: Vec<Delivery> = all
        .into_iter()
        .filter(|row| row.state != DeliveryState::Pending && row.created_at < Timestamp(2))
        .collect();
    over.sort_by_key(|row| {
        let bucket = row.customer.bucket();
        (row.created_at, bucket, row.kind.as_str(), row.subject.clone(), row.carrier.as_str())
    });
    see(store, move |rows| {
        assert_eq!(rows.deliveries_over_before(Timestamp(2), 99)?, over);
        assert_eq!(rows.deliveries_over_before(Timestamp(2), 2)?, over[..2]);
        assert_eq!(rows.deliveries_over_before(Timestamp(0), 99)?, vec![]);
        Ok(())
    });
}

/// The message that a delivery carries is found by kind, subject and channel.
pub fn a_message_is_found_by_what_it_is_about(store: &dyn Store) {
    for (about, number) in abouts(true).into_iter().zip(1..) {
        let row = message_about(number, 1, true, about);
        let (kept, wanted) = (row.clone(), row.about.clone());
        keep(store, move |tx| tx.insert_message(&kept));
        see(store, move |rows| {
            let (bucket, kind, subject) = (row.customer.bucket(), wanted.kind(), wanted.subject());
            assert_eq!(rows.message(bucket, kind, &subject, Channel::Inbox)?, Some(row));
            assert_eq!(rows.message(bucket, kind, &subject, Channel::Push)?, None);
            assert_eq!(rows.message(bucket, kind, "another", Channel::Inbox)?, None);
            Ok(())
        });
    }
}

/// Of many who claim at once, each due delivery goes to one.
pub fn a_claim_is_for_one(store: &dyn Store) {
    const DELIVERIES: u32 = 12;
    keep(store, |tx| {
        for number in 0..DELIVERIES {
            let message = message(number, 1, number, false);
            let delivery = Delivery {
                message: message.id.clone(),
                customer: message.customer.clone(),
                subject: message.about.subject(),
                due_at: Timestamp(0),
                tries: 0,
                expires_at: None,
                ..sample(number, Kind::Debit, Carrier::Email, DeliveryState::Pending, false)
            };
            tx.insert_message(&message)?;
            tx.insert_delivery(&delivery)?;
        }
        Ok(())
    });
    let taken: Vec<Claimed> = std::thread::scope(|scope| {
        let claim = || -> Vec<Claimed> {
            let claimed: Ruled<Vec<Claimed>> =
                store::transact(store, |tx| delivery::claim(tx, Carrier::Email, false, 5, Timestamp(1)));
            claimed.expect("a claim")
        };
        let claimers: Vec<_> = (0..4).map(|_| scope.spawn(claim)).collect();
        claimers.into_iter().flat_map(|claimer| claimer.join().expect("a claimer")).collect()
    });
    let mut subjects: Vec<String> = taken.into_iter().map(|claimed| claimed.delivery.subject).collect();
    subjects.sort();
    let mut expected: Vec<String> = (0..DELIVERIES).map(|number| payment_id(number).to_string()).collect();
    expected.sort();
    assert_eq!(subjects, expected);
    let none = see(store, |rows| rows.deliveries_due(Carrier::Email, false, Timestamp(1), 9));
    assert_eq!(none, vec![]);
}
