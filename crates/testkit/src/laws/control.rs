//! Limits, usage, pauses and schedules: rows come back as they were, puts replace, lists come in order.

use super::samples::*;
use super::{keep, see};
use accord_core::agreement::control::{Controls, Pause};
use accord_core::agreement::limits::{Alignment, Limits};
use accord_core::agreement::schedule::{Every, Schedule};
use accord_core::agreement::usage::DayUsage;
use accord_core::calendar::Date;
use accord_core::moment::Timestamp;
use accord_core::store::Store;

fn limits(rich: bool) -> Limits {
    if !rich {
        return Limits::NONE;
    }
    Limits {
        currency: Some(currency("IQD")),
        per_debit: Some(1),
        per_day: Some(i64::MAX),
        per_week: Some(3),
        per_month: Some(i64::MIN),
        per_year: Some(5),
        max_count: Some(u32::MAX),
        alignment: Alignment::Agreement,
        valid_from: Some(time(false)),
        valid_to: Some(time(true)),
    }
}

fn controls(number: u32, notice_at: Option<i64>, rich: bool) -> Controls {
    Controls {
        agreement: agreement_id(number),
        merchant: limits(rich),
        user: Limits { per_week: None, valid_to: None, ..limits(rich) },
        schedule: rich.then(|| Schedule { every: Every::Quarter, anchor: Date::of_day(19_782) }),
        pause: rich.then_some(Pause { since: time(true), until: (number % 2 == 1).then(|| time(false)) }),
        woken_at: maybe_time(rich),
        notice_at: notice_at.map(Timestamp),
        due_day: rich.then_some(i64::MIN),
    }
}

pub(super) fn usage(number: u32, day: i64, code: &str, amount: i64) -> DayUsage {
    DayUsage { agreement: agreement_id(number), day, currency: currency(code), amount, count: u32::MAX }
}

/// Controls come back as they were, and a second put replaces the first.
pub fn controls_come_back_as_they_were(store: &dyn Store) {
    for (number, rich) in [(1, true), (2, true), (2, false), (3, false), (3, true)] {
        let row = controls(number, rich.then_some(7), rich);
        let (kept, id) = (row.clone(), agreement_id(number));
        keep(store, move |tx| tx.put_controls(&kept));
        assert_eq!(see(store, move |rows| rows.controls(&id)), Some(row));
    }
    assert_eq!(see(store, |rows| rows.controls(&agreement_id(4))), None);
}

/// Every single limit is kept apart from the others.
pub fn each_limit_comes_back_alone(store: &dyn Store) {
    let none = Limits::NONE;
    for alone in [
        Limits { currency: Some(currency("JPY")), ..none },
        Limits { per_debit: Some(2), ..none },
        Limits { per_day: Some(2), ..none },
        Limits { per_week: Some(2), ..none },
        Limits { per_month: Some(2), ..none },
        Limits { per_year: Some(2), ..none },
        Limits { max_count: Some(2), ..none },
        Limits { alignment: Alignment::Agreement, ..none },
        Limits { valid_from: Some(Timestamp(2)), ..none },
        Limits { valid_to: Some(Timestamp(2)), ..none },
    ] {
        let row = Controls { merchant: alone, ..Controls::none(agreement_id(1)) };
        let kept = row.clone();
        keep(store, move |tx| tx.put_controls(&kept));
        assert_eq!(see(store, |rows| rows.controls(&agreement_id(1))), Some(row));
    }
}

/// Notices come earliest first, then by bucket and agreement; what has none is not in the list.
pub fn notices_come_earliest_first(store: &dyn Store) {
    let rows = [(1, Some(5)), (2, Some(3)), (3, None), (4, Some(5)), (5, Some(5)), (6, Some(9))];
    let rows: Vec<Controls> = rows.map(|(number, at)| controls(number, at, number == 1)).to_vec();
    let kept = rows.clone();
    keep(store, move |tx| kept.iter().try_for_each(|row| tx.put_controls(row)));
    let mut due: Vec<Controls> =
        rows.into_iter().filter(|row| row.notice_at.is_some_and(|at| at <= Timestamp(5))).collect();
    due.sort_by_key(|row| (row.notice_at, row.agreement.bucket(), row.agreement.clone()));
    see(store, move |rows| {
        assert_eq!(rows.notices_due(Timestamp(5), 9)?, due);
        assert_eq!(rows.notices_due(Timestamp(5), 2)?, due[..2]);
        assert_eq!(rows.notices_due(Timestamp(2), 9)?, vec![]);
        assert_eq!(rows.next_notice_due()?, Some(Timestamp(3)));
        Ok(())
    });
    keep(store, |tx| tx.put_controls(&controls(2, None, false)));
    assert_eq!(see(store, |rows| rows.next_notice_due()), Some(Timestamp(5)));
}

/// Usage is one row for each day and currency, and comes by day, then currency.
pub fn usage_comes_by_day(store: &dyn Store) {
    let rows =
        [usage(1, 3, "USD", 1), usage(1, 3, "IQD", i64::MAX), usage(1, -2, "IQD", 2), usage(1, 9, "JPY", 4)];
    keep(store, move |tx| {
        rows.iter().try_for_each(|row| tx.put_day_usage(row))?;
        tx.put_day_usage(&usage(5, 10, "IQD", 8))?;
        tx.put_day_usage(&usage(1, -2, "IQD", 3))
    });
    see(store, |rows| {
        let all = [
            usage(1, -2, "IQD", 3),
            usage(1, 3, "IQD", i64::MAX),
            usage(1, 3, "USD", 1),
            usage(1, 9, "JPY", 4),
        ];
        assert_eq!(rows.usage_since(&agreement_id(1), i64::MIN)?, all);
        assert_eq!(rows.usage_since(&agreement_id(1), 3)?, all[1..]);
        assert_eq!(rows.usage_since(&agreement_id(1), 10)?, vec![]);
        assert_eq!(rows.day_usage(&agreement_id(1), 3, currency("USD"))?, Some(usage(1, 3, "USD", 1)));
        assert_eq!(rows.day_usage(&agreement_id(1), 3, currency("JPY"))?, None);
        assert_eq!(rows.last_usage_day(&agreement_id(1))?, Some(9));
        assert_eq!(rows.last_usage_day(&agreement_id(2))?, None);
        Ok(())
    });
}
