//! What was debited long ago is folded and one-time codes go, and no limit is judged otherwise than before.

mod stores;

use accord_core::agreement::limits::{Alignment, Period};
use accord_core::agreement::usage::{self, DayUsage, FOLDED_DAY};
use accord_core::agreement::{AgreementStage, EndedBy};
use accord_core::ids::CodeRequestId;
use accord_core::people::ContactKind;
use accord_core::people::one_time_code::OneTimeCode;
use accord_core::policy::DAY;
use accord_core::prune::{self, Retention};
use accord_core::secret::Digest;
use accord_core::store::{self, Store, Stored, Tx};
use accord_core::{Moment, Ruled, Timestamp};
use accord_testkit::laws::samples::{agreement, agreement_id, bucket, currency};
use stores::on_every_store;

/// 2026-02-01, as a day number.
const TODAY: i64 = 20_485;

fn moment(day: i64) -> Moment {
    Moment::new(Timestamp(day * DAY + 1), [9; 32])
}

fn keep(store: &dyn Store, mut acts: impl FnMut(&mut dyn Tx) -> Stored<()> + Send + 'static) {
    let kept: Ruled<()> = store::transact(store, move |tx| Ok(acts(tx)?));
    kept.expect("kept");
}

fn prune_all(store: &dyn Store, day: i64) -> usize {
    let step = move || {
        store::transact(store, move |tx| prune::step(tx, &Retention::default(), 3, &moment(day)))
            .expect("a step")
    };
    std::iter::repeat_with(step).take_while(|taken| *taken > 0).sum()
}

fn day(number: u32, day: i64, code: &str, amount: i64) -> DayUsage {
    DayUsage { agreement: agreement_id(number), day, currency: currency(code), amount, count: 2 }
}

fn all_of(store: &dyn Store, number: u32) -> Vec<DayUsage> {
    store::look(store, move |rows| rows.usage_since(&agreement_id(number), i64::MIN)).expect("usage")
}

#[test]
fn nodes_that_fold_at_once_fold_each_day_once() {
    on_every_store(|shelf| {
        let store: &dyn Store = &shelf.open();
        const AGREEMENTS: u32 = 4;
        const DAYS: i64 = 30;
        keep(store, |tx| {
            for number in 1..=AGREEMENTS {
                tx.insert_agreement(&agreement(number, 1, AgreementStage::Active, false))?;
                for ago in 500..500 + DAYS {
                    tx.put_day_usage(&day(number, TODAY - ago, "IQD", 7))?;
                }
            }
            Ok(())
        });
        let taken: usize = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..6).map(|_| scope.spawn(|| prune_all(store, TODAY))).collect();
            nodes.into_iter().map(|node| node.join().expect("a node")).sum()
        });
        assert_eq!(taken, AGREEMENTS as usize * DAYS as usize, "each row is taken by one of them");
        for number in 1..=AGREEMENTS {
            let folded = DayUsage { count: 2 * DAYS as u32, ..day(number, FOLDED_DAY, "IQD", 7 * DAYS) };
            assert_eq!(all_of(store, number), [folded]);
        }
    });
}

#[test]
fn old_usage_is_folded_and_counts_for_the_number_of_debits_alone() {
    on_every_store(|shelf| {
        let store: &dyn Store = &shelf.open();
        let days = [-1200, -900, -401, -400, -366, -31, -1, 0].map(|ago| TODAY + ago);
        keep(store, move |tx| {
            tx.insert_agreement(&agreement(1, 1, AgreementStage::Active, false))?;
            let ended = AgreementStage::Ended { at: Timestamp(0), by: EndedBy::User };
            tx.insert_agreement(&agreement(2, 1, ended, false))?;
            for (index, at) in (1..).zip(days) {
                tx.put_day_usage(&day(1, at, "IQD", index))?;
                tx.put_day_usage(&day(2, at, "IQD", index))?;
            }
            tx.put_day_usage(&day(1, TODAY - 900, "USD", 50))
        });
        let before = all_of(store, 1);
        assert!(prune_all(store, TODAY) > 0);
        let after = all_of(store, 1);
        let folded = |code: &str, amount, count| DayUsage { count, ..day(1, FOLDED_DAY, code, amount) };
        assert_eq!(after[..2], [folded("IQD", 1 + 2 + 3, 6), folded("USD", 50, 2)]);
        assert_eq!(after[2..], before[4..], "nothing younger than 400 days is touched");
        let debits = |rows: &[DayUsage]| rows.iter().map(|row| row.count).sum::<u32>();
        assert_eq!(debits(&after), debits(&before));
        for anchor in [TODAY - 1200, TODAY - 1] {
            for (period, alignment) in Period::ALL.iter().zip([Alignment::Calendar, Alignment::Agreement]) {
                let start = period.start(alignment, TODAY, anchor);
                let since = |rows: &[DayUsage]| rows.iter().filter(|row| row.day >= start).count();
                assert_eq!(since(&after), since(&before), "{period} {alignment}");
            }
        }
        assert_eq!(all_of(store, 2).len(), 5, "of an ended agreement nothing is folded");
        let last = store::look(store, |rows| rows.last_usage_day(&agreement_id(1)));
        assert_eq!(last.expect("a day"), Some(TODAY));

        assert_eq!(prune_all(store, TODAY), 0);
        assert!(prune_all(store, TODAY + 2000) > 0);
        assert_eq!(all_of(store, 1), [folded("IQD", (1..=8).sum(), 16), folded("USD", 50, 2)]);
        assert_eq!(all_of(store, 2), []);
    });
}

#[test]
fn a_year_is_never_longer_than_what_is_kept() {
    let kept = Retention::default().usage_ms / DAY;
    assert!(prune::SHORTEST_USAGE_MS / DAY > 366 && kept >= prune::SHORTEST_USAGE_MS / DAY);
    for today in TODAY..TODAY + 1500 {
        for anchor in [today - 1500, today - 365, today] {
            for alignment in Alignment::ALL {
                let start = Period::Year.start(*alignment, today, anchor);
                assert!(start >= today - 366, "{alignment}: {}", today - start);
            }
        }
    }
}

#[test]
fn debits_of_one_day_add_up_in_one_row() {
    on_every_store(|shelf| {
        let store: &dyn Store = &shelf.open();
        let amount = accord_core::money::Amount::new(currency("IQD"), 7).expect("an amount");
        for _ in 0..3 {
            keep(store, move |tx| usage::add(tx, &agreement_id(1), &amount, 0, moment(TODAY).now));
        }
        assert_eq!(all_of(store, 1), [DayUsage { count: 3, ..day(1, TODAY, "IQD", 21) }]);
    });
}

#[test]
fn one_time_codes_go_with_the_other_codes() {
    on_every_store(|shelf| {
        let store: &dyn Store = &shelf.open();
        let id = |number: u8| {
            let random = &mut Moment::new(Timestamp(0), [number; 32]).random("code");
            CodeRequestId::mint(bucket(u32::from(number)), random)
        };
        let code = move |number: u8, day: i64| OneTimeCode {
            id: id(number),
            agreement: agreement_id(u32::from(number)),
            channel: ContactKind::MobilePhone,
            salt: [0; 16],
            digest: Digest::of("code"),
            wrong: 0,
            sent_at: Timestamp(0),
            expires_at: Timestamp(day * DAY),
            verified_at: None,
        };
        keep(store, move |tx| {
            tx.insert_one_time_code(&code(1, TODAY - 31))?;
            tx.insert_one_time_code(&code(2, TODAY - 29))
        });
        assert_eq!(prune_all(store, TODAY), 1);
        let there = store::look(store, move |rows| {
            Ok([rows.one_time_code(&id(1))?.is_some(), rows.one_time_code(&id(2))?.is_some()])
        });
        assert_eq!(there.expect("codes"), [false, true]);
    });
}
