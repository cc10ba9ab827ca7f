//! What has no end yet, and what pruning finds in limits and one-time codes.

use super::control::usage;
use super::people::{code_id, one_time_code};
use super::samples::*;
use super::{keep, see};
use accord_core::agreement::usage::FOLDED_DAY;
use accord_core::ids::DialectName;
use accord_core::moment::Timestamp;
use accord_core::payment::refund::{Refund, RefundStage};
use accord_core::payment::unresolved::Tally;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::people::one_time_code::OneTimeCode;
use accord_core::store::Store;

/// Running payments and refunds are counted by dialect and come oldest first; what has its end is not among them.
pub fn what_is_running_is_counted_and_comes_oldest_first(store: &dyn Store) {
    let named = |number: u32| DialectName::new(["one", "other"][number as usize % 2]);
    let payment = move |number: u32, at: i64, stage: PaymentStage| Payment {
        dialect: named(number),
        created_at: Timestamp(at),
        ..payment(number, stage, None, false)
    };
    let refund = move |number: u32, at: i64, stage: RefundStage| Refund {
        dialect: named(number),
        ..refund(number, number, at, stage, false)
    };
    // Numbers 2 and 4 are of one moment.
    let times = [(1, 30), (2, 20), (3, 10), (4, 20)];
    let mut payments = times.map(|(number, at)| payment(number, at, PaymentStage::InProcess)).to_vec();
    let mut refunds = times.map(|(number, at)| refund(number, at, RefundStage::InProcess)).to_vec();
    see(store, |rows| {
        assert_eq!((rows.payments_running()?, rows.refunds_running()?), (vec![], vec![]));
        Ok(())
    });
    let kept = (payments.clone(), refunds.clone());
    keep(store, move |tx| {
        kept.0.iter().try_for_each(|row| tx.insert_payment(row))?;
        kept.1.iter().try_for_each(|row| tx.insert_refund(row))?;
        tx.insert_payment(&payment(5, 1, PaymentStage::Succeeded { at: Timestamp(2) }))?;
        tx.insert_refund(&refund(5, 1, RefundStage::Succeeded { at: Timestamp(2) }))
    });
    payments.sort_by_key(|row| (row.created_at, row.id.bucket(), row.id.clone()));
    refunds.sort_by_key(|row| (row.created_at, row.id.bucket(), row.id.clone()));
    let tally =
        |name: &str, oldest| Tally { dialect: DialectName::new(name), count: 2, oldest: Timestamp(oldest) };
    see(store, move |rows| {
        assert_eq!(rows.payments_running()?, [tally("one", 20), tally("other", 10)]);
        assert_eq!(rows.refunds_running()?, [tally("one", 20), tally("other", 10)]);
        assert_eq!(rows.running_payments(9)?, payments);
        assert_eq!(rows.running_payments(3)?, payments[..3]);
        assert_eq!(rows.running_refunds(9)?, refunds);
        assert_eq!(rows.running_refunds(1)?, refunds[..1]);
        Ok(())
    });
    keep(store, move |tx| {
        tx.update_payment(&payment(3, 10, PaymentStage::Succeeded { at: Timestamp(40) }))?;
        tx.update_refund(&refund(3, 10, RefundStage::Succeeded { at: Timestamp(40) }))
    });
    see(store, move |rows| {
        assert_eq!(rows.payments_running()?[1], Tally { count: 1, ..tally("other", 30) });
        assert_eq!(rows.refunds_running()?[1], Tally { count: 1, ..tally("other", 30) });
        Ok(())
    });
}

/// Usage comes by day, agreement and currency, between two days; what is removed is gone, and nothing else.
pub fn old_usage_comes_by_day_and_goes(store: &dyn Store) {
    let rows = [
        usage(1, FOLDED_DAY, "IQD", 9),
        usage(1, 3, "IQD", 1),
        usage(1, 3, "USD", 2),
        usage(2, 3, "IQD", 3),
        usage(2, -1, "IQD", 4),
        usage(5, 4, "IQD", 5),
    ];
    let mut all = rows.to_vec();
    keep(store, move |tx| rows.iter().try_for_each(|row| tx.put_day_usage(row)));
    all.sort_by_key(|row| (row.day, row.agreement.clone(), row.currency));
    let expected = all.clone();
    see(store, move |rows| {
        assert_eq!(rows.usage_between(i64::MIN, i64::MAX, 9)?, expected);
        assert_eq!(rows.usage_between(FOLDED_DAY + 1, 4, 9)?, expected[1..5]);
        assert_eq!(rows.usage_between(FOLDED_DAY + 1, 4, 2)?, expected[1..3]);
        assert_eq!(rows.usage_between(4, 4, 9)?, vec![]);
        Ok(())
    });
    for _ in 0..2 {
        keep(store, |tx| tx.remove_day_usage(&agreement_id(1), 3, currency("USD")));
    }
    all.retain(|row| row.currency != currency("USD"));
    see(store, move |rows| {
        assert_eq!(rows.usage_between(i64::MIN, i64::MAX, 9)?, all);
        assert_eq!(rows.day_usage(&agreement_id(1), 3, currency("USD"))?, None);
        Ok(())
    });
}

/// One-time codes come by the time they expired; what is removed is gone, and nothing else.
pub fn old_one_time_codes_come_earliest_first_and_go(store: &dyn Store) {
    let code =
        |number: u8, at: i64| OneTimeCode { expires_at: Timestamp(at), ..one_time_code(number, false) };
    let mut all = vec![code(1, 30), code(2, 10), code(3, 20), code(5, 20)];
    let kept = all.clone();
    keep(store, move |tx| kept.iter().try_for_each(|row| tx.insert_one_time_code(row)));
    all.sort_by_key(|row| (row.expires_at, row.id.bucket(), row.id.clone()));
    see(store, move |rows| {
        assert_eq!(rows.one_time_codes_before(Timestamp(30), 9)?, all[..3]);
        assert_eq!(rows.one_time_codes_before(Timestamp(30), 2)?, all[..2]);
        assert_eq!(rows.one_time_codes_before(Timestamp(10), 9)?, vec![]);
        Ok(())
    });
    for _ in 0..2 {
        keep(store, |tx| tx.remove_one_time_code(&code_id(2)));
    }
    see(store, move |rows| {
        assert_eq!(rows.one_time_code(&code_id(2))?, None);
        assert_eq!(rows.one_time_codes_before(Timestamp(31), 9)?.len(), 3);
        Ok(())
    });
}
