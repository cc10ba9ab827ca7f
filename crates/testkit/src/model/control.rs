//! Limits, usage, pauses and schedules of agreements.

use super::Books;
use super::rows::sorted;
use accord_core::agreement::control::Controls;
use accord_core::agreement::usage::DayUsage;
use accord_core::ids::AgreementId;
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::store::Stored;
use accord_core::store::control::{ControlRows, ControlTx};

impl Books {
    fn usage_of(&self, agreement: &AgreementId) -> impl Iterator<Item = &DayUsage> {
        self.usage_days.values().filter(move |row| row.agreement == *agreement)
    }
}

impl ControlRows for Books {
    fn controls(&self, agreement: &AgreementId) -> Stored<Option<Controls>> {
        Ok(self.controls.get(agreement).cloned())
    }
    fn notices_due(&self, until: Timestamp, limit: usize) -> Stored<Vec<Controls>> {
        let due = self.controls.values().filter(|row| row.notice_at.is_some_and(|at| at <= until));
        Ok(sorted(due, limit, |row| (row.notice_at, row.agreement.bucket(), &row.agreement)))
    }
    fn next_notice_due(&self) -> Stored<Option<Timestamp>> {
        Ok(self.controls.values().filter_map(|row| row.notice_at).min())
    }
    fn day_usage(&self, agreement: &AgreementId, day: i64, currency: Currency) -> Stored<Option<DayUsage>> {
        Ok(self.usage_days.get(&(agreement.clone(), day, currency)).cloned())
    }
    fn usage_since(&self, agreement: &AgreementId, from: i64) -> Stored<Vec<DayUsage>> {
        Ok(self.usage_of(agreement).filter(|row| row.day >= from).cloned().collect())
    }
    fn last_usage_day(&self, agreement: &AgreementId) -> Stored<Option<i64>> {
        Ok(self.usage_of(agreement).map(|row| row.day).max())
    }
}

impl ControlTx for Books {
    fn put_controls(&mut self, controls: &Controls) -> Stored<()> {
        self.controls.put(controls.agreement.clone(), controls.clone());
        Ok(())
    }
    fn put_day_usage(&mut self, usage: &DayUsage) -> Stored<()> {
        self.usage_days.put((usage.agreement.clone(), usage.day, usage.currency), usage.clone());
        Ok(())
    }
}
