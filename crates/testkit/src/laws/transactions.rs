//! Transactions: kept or taken back as a whole, each for itself, none lost.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::outcome::{Refusal, Stop};
use accord_core::store::{self, Ended, Store, StoreFault, Stored, Tx, Verdict};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// Reads inside a transaction see its own writes.
pub fn a_rule_sees_what_it_wrote(store: &dyn Store) {
    keep(store, |tx| {
        tx.put_setting("a", "1")?;
        assert_eq!(tx.setting("a")?.as_deref(), Some("1"));
        tx.insert_user(&user(1, true))?;
        assert_eq!(tx.user(&customer_id(1))?, Some(user(1, true)));
        assert_eq!(tx.users(1)?, vec![user(1, true)]);
        Ok(())
    });
}

/// After the end was told, every look sees the rows.
pub fn what_is_kept_is_seen_by_the_next_look(store: &dyn Store) {
    for number in 0..50_u32 {
        keep(store, move |tx| tx.put_setting("number", &number.to_string()));
        let seen = see(store, |rows| rows.setting("number"));
        assert_eq!(seen, Some(number.to_string()));
    }
}

/// A refusal takes back everything the rule wrote: new rows, replaced rows, lists.
pub fn what_is_taken_back_leaves_nothing(store: &dyn Store) {
    keep(store, |tx| {
        tx.put_setting("a", "before")?;
        tx.insert_token_set(&token_set(1, 1, false))
    });
    let refused = store::transact::<()>(store, |tx| {
        write_much(tx)?;
        tx.put_setting("a", "after")?;
        tx.update_token_set(&token_set(1, 1, true))?;
        Err(Refusal::CodeUsed.into())
    });
    assert!(matches!(refused, Err(Stop::Refused(Refusal::CodeUsed))), "{refused:?}");
    see(store, |rows| {
        assert_eq!(rows.setting("a")?.as_deref(), Some("before"));
        assert_eq!(rows.token_set(&agreement_id(1), 1)?, Some(token_set(1, 1, false)));
        assert_eq!(rows.users(9)?, vec![]);
        assert_eq!(rows.customer_of(&login_id(2))?, None);
        assert_eq!(rows.agreements_of(&customer_id(2), 9)?, vec![]);
        assert_eq!(rows.postings_after(None, 9)?, vec![]);
        assert_eq!(rows.entries_of(&posting(2, true).0)?, vec![]);
        assert_eq!(rows.next_notification_due()?, None);
        assert_eq!(rows.messages(&customer_id(2), 9)?, vec![]);
        Ok(())
    });
    // And all of it can still be written.
    keep(store, write_much);
}

fn write_much(tx: &mut dyn Tx) -> Stored<()> {
    tx.insert_user(&user(2, false))?;
    tx.insert_agreement(&agreement(2, 2, accord_core::agreement::AgreementStage::Active, true))?;
    let (row, entries) = posting(2, true);
    tx.insert_posting(&row, &entries)?;
    tx.insert_notification(&notification(2, accord_core::notification::NotificationState::Pending, 1, true))?;
    tx.insert_message(&message(2, 2, 2, true))
}

/// A fault that is no conflict is told as it is, at once, and leaves nothing.
pub fn a_fault_is_told_and_leaves_nothing(store: &dyn Store) {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let end = end_of::<()>(store, move |tx| {
        tx.put_setting("a", "1")?;
        // Counted at its end: a store may stop a run before that, and run the rule again.
        counted.fetch_add(1, Ordering::SeqCst);
        Err(StoreFault::Corrupt("so it seems".into()))
    });
    assert_eq!(end, Err(StoreFault::Corrupt("so it seems".into())));
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(see(store, |rows| rows.setting("a")), None);
}

/// A conflict takes back the run and runs the rule again; only the last run counts.
pub fn a_conflict_runs_the_rule_again(store: &dyn Store) {
    let mut runs = 0;
    let last = keep(store, move |tx| {
        assert_eq!(tx.setting("runs")?, None, "the run before was taken back");
        tx.put_setting("runs", &(runs + 1).to_string())?;
        // Only runs that come to their end are counted: a store may stop one before that.
        runs += 1;
        if runs < 3 { Err(StoreFault::Conflict("not yet".into())) } else { Ok(runs) }
    });
    assert_eq!(last, 3);
    assert_eq!(see(store, |rows| rows.setting("runs")).as_deref(), Some("3"));
}

/// A rule that meets a conflict each time is told so.
pub fn a_lasting_conflict_is_told(store: &dyn Store) {
    let end = end_of::<()>(store, |tx| {
        tx.put_setting("a", "1")?;
        Err(StoreFault::Conflict("always".into()))
    });
    assert_eq!(end, Err(StoreFault::Conflict("always".into())));
    assert_eq!(see(store, |rows| rows.setting("a")), None);
}

/// A rule that panics is unavailable, leaves nothing, and the store goes on.
pub fn a_panic_harms_nobody_else(store: &dyn Store) {
    let end = end_of::<()>(store, |tx| {
        tx.put_setting("a", "1")?;
        panic!("a rule that panics, as the law has it");
    });
    assert!(matches!(end, Err(StoreFault::Unavailable(_))), "{end:?}");
    assert_eq!(see(store, |rows| rows.setting("a")), None);
    keep(store, |tx| tx.put_setting("a", "2"));
}

/// Many transactions that wait together: the refused, the faulty and the panicking ones leave nothing and
/// harm nobody; none sees another's half-written rows.
pub fn each_in_a_group_ends_its_own_way(store: &dyn Store) {
    const JOBS: u32 = 200;
    let (send, receive) = mpsc::channel();
    let first = send.clone();
    // While this one sleeps, the others queue up.
    store.submit(
        Box::new(|_| {
            std::thread::sleep(Duration::from_millis(30));
            Verdict::Keep
        }),
        Box::new(move |end| drop(first.send((u32::MAX, end)))),
    );
    for number in 0..JOBS {
        let told = send.clone();
        store.submit(
            Box::new(move |tx| act_in_group(tx, number)),
            Box::new(move |end| drop(told.send((number, end)))),
        );
    }
    drop(send);
    let ends: Vec<(u32, Ended)> = receive.iter().collect();
    assert_eq!(ends.len(), JOBS as usize + 1, "each end is told once");
    for (number, end) in ends.into_iter().filter(|(number, _)| *number < JOBS) {
        match number % 4 {
            0 | 1 => assert_eq!(end, Ok(()), "number {number}"),
            2 => assert_eq!(end, Err(StoreFault::Corrupt("as asked".into())), "number {number}"),
            _ => assert!(matches!(end, Err(StoreFault::Unavailable(_))), "number {number}: {end:?}"),
        }
        let seen = see(store, move |rows| rows.setting(&number.to_string()));
        assert_eq!(seen.is_some(), number % 4 == 0, "number {number}: {seen:?}");
    }
}

fn act_in_group(tx: &mut dyn Tx, number: u32) -> Verdict {
    // Every job writes this one first and only keepers put it back: nobody may see another's mark.
    let marked = tx.setting("mark");
    let written = tx.put_setting("mark", "half").and_then(|()| tx.put_setting(&number.to_string(), "kept"));
    if !matches!(marked.as_ref().map(Option::as_deref), Ok(None | Some("whole"))) || written.is_err() {
        return Verdict::Fault(StoreFault::Unknown(format!("saw {marked:?}, wrote {written:?}")));
    }
    match number % 4 {
        0 => match tx.put_setting("mark", "whole") {
            Ok(()) => Verdict::Keep,
            Err(why) => Verdict::Fault(why),
        },
        1 => Verdict::TakeBack,
        2 => Verdict::Fault(StoreFault::Corrupt("as asked".into())),
        _ => panic!("a rule that panics, as the law has it"),
    }
}

/// Read, add one, write: from 64 threads on one row, nothing is lost.
pub fn parallel_increments_lose_nothing(store: &dyn Store) {
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..10 {
                    keep(store, |tx| {
                        let before = tx.account(&customer_id(1), currency("IQD"))?;
                        let balance = before.map_or(0, |row| row.balance);
                        tx.put_account(&account(1, "IQD", balance + 1))
                    });
                }
            });
        }
    });
    let end = see(store, |rows| rows.account(&customer_id(1), currency("IQD")));
    assert_eq!(end, Some(account(1, "IQD", 640)));
}

/// 64 threads claim one request id: one payment, and everybody reads that one.
pub fn one_of_many_claims_wins(store: &dyn Store) {
    let claimed: Vec<_> = std::thread::scope(|scope| {
        let claimers: Vec<_> = (0..64)
            .map(|number| {
                scope.spawn(move || {
                    keep(store, move |tx| {
                        if let Some(first) = tx.payment_claim(&owner(1), &request_id(1))? {
                            return Ok(first.payment);
                        }
                        tx.insert_payment_claim(&payment_claim(1, number))?;
                        Ok(payment_id(number))
                    })
                })
            })
            .collect();
        claimers.into_iter().map(|claimer| claimer.join().expect("a claimer")).collect()
    });
    let winner = see(store, |rows| rows.payment_claim(&owner(1), &request_id(1))).expect("one claim");
    assert!(claimed.iter().all(|payment| *payment == winner.payment), "{winner:?}: {claimed:?}");
}

/// Two rows written together are always seen together, within one look too.
pub fn a_look_sees_all_of_a_transaction_or_nothing(store: &dyn Store) {
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..200_u32 {
                keep(store, move |tx| {
                    tx.put_setting("left", &number.to_string())?;
                    tx.put_setting("right", &number.to_string())
                });
            }
        });
        while !writer.is_finished() {
            let (left, right, again) =
                see(store, |rows| Ok((rows.setting("left")?, rows.setting("right")?, rows.setting("left")?)));
            assert_eq!((&left, &left), (&right, &again));
        }
    });
}

/// A look that panics is told, and the next one works.
pub fn a_panicking_look_is_told(store: &dyn Store) {
    for _ in 0..8 {
        let (send, receive) = mpsc::channel();
        store.submit_read(
            Box::new(|_| panic!("a look that panics, as the law has it")),
            Box::new(move |end| drop(send.send(end))),
        );
        let end = receive.recv();
        assert!(matches!(end, Ok(Err(StoreFault::Unavailable(_)))), "{end:?}");
    }
    assert_eq!(see(store, |rows| rows.setting("a")), None);
}
