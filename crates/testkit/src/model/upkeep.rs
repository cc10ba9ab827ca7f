//! What has no end yet, and what pruning finds in limits and one-time codes.

use super::Books;
use super::rows::sorted;
use accord_core::agreement::usage::DayUsage;
use accord_core::ids::{AgreementId, CodeRequestId, DialectName};
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::payment::refund::{Refund, RefundStage};
use accord_core::payment::unresolved::Tally;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::people::one_time_code::OneTimeCode;
use accord_core::store::Stored;
use accord_core::store::upkeep::{UpkeepRows, UpkeepTx};
use std::collections::BTreeMap;

impl Books {
    fn payments_open(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values().filter(|row| row.stage == PaymentStage::InProcess)
    }
    fn refunds_open(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.values().filter(|row| row.stage == RefundStage::InProcess)
    }
}

fn tally<'a>(rows: impl Iterator<Item = (&'a DialectName, Timestamp)>) -> Vec<Tally> {
    let mut all: BTreeMap<&str, Tally> = BTreeMap::new();
    for (dialect, at) in rows {
        let fresh = || Tally { dialect: dialect.clone(), count: 0, oldest: at };
        let tally = all.entry(dialect.as_str()).or_insert_with(fresh);
        tally.count += 1;
        tally.oldest = tally.oldest.min(at);
    }
    all.into_values().collect()
}

impl UpkeepRows for Books {
    fn payments_running(&self) -> Stored<Vec<Tally>> {
        Ok(tally(self.payments_open().map(|row| (&row.dialect, row.created_at))))
    }
    fn refunds_running(&self) -> Stored<Vec<Tally>> {
        Ok(tally(self.refunds_open().map(|row| (&row.dialect, row.created_at))))
    }
    fn running_payments(&self, limit: usize) -> Stored<Vec<Payment>> {
        Ok(sorted(self.payments_open(), limit, |row| (row.created_at, row.id.bucket(), &row.id)))
    }
    fn running_refunds(&self, limit: usize) -> Stored<Vec<Refund>> {
        Ok(sorted(self.refunds_open(), limit, |row| (row.created_at, row.id.bucket(), &row.id)))
    }
    fn usage_between(&self, from: i64, until: i64, limit: usize) -> Stored<Vec<DayUsage>> {
        let rows = self.usage_days.values().filter(|row| (from..until).contains(&row.day));
        Ok(sorted(rows, limit, |row| (row.day, &row.agreement, row.currency)))
    }
    fn one_time_codes_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<OneTimeCode>> {
        let before = self.one_time_codes.values().filter(|row| row.expires_at < time);
        Ok(sorted(before, limit, |row| (row.expires_at, row.id.bucket(), &row.id)))
    }
}

impl UpkeepTx for Books {
    fn remove_day_usage(&mut self, agreement: &AgreementId, day: i64, currency: Currency) -> Stored<()> {
        self.usage_days.remove(&(agreement.clone(), day, currency));
        Ok(())
    }
    fn remove_one_time_code(&mut self, id: &CodeRequestId) -> Stored<()> {
        self.one_time_codes.remove(id);
        Ok(())
    }
}
