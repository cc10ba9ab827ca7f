//! Limits, usage, pauses and schedules of agreements. A part of the port.

use crate::agreement::control::Controls;
use crate::agreement::usage::DayUsage;
use crate::ids::AgreementId;
use crate::moment::Timestamp;
use crate::money::Currency;
use crate::store::Stored;

/// What can be read of it.
pub trait ControlRows {
    /// The controls of an agreement; nothing where none was ever set.
    fn controls(&self, agreement: &AgreementId) -> Stored<Option<Controls>>;
    /// Controls whose `notice_at` is not after `until`, earliest first, then by bucket and agreement.
    fn notices_due(&self, until: Timestamp, limit: usize) -> Stored<Vec<Controls>>;
    /// The earliest `notice_at` of all.
    fn next_notice_due(&self) -> Stored<Option<Timestamp>>;
    /// What was debited on that day in that currency.
    fn day_usage(&self, agreement: &AgreementId, day: i64, currency: Currency) -> Stored<Option<DayUsage>>;
    /// What was debited on `from` and after it, by day, then currency.
    fn usage_since(&self, agreement: &AgreementId, from: i64) -> Stored<Vec<DayUsage>>;
    /// The last day with a debit.
    fn last_usage_day(&self, agreement: &AgreementId) -> Stored<Option<i64>>;
}

/// What can be written of it.
pub trait ControlTx {
    /// Sets the controls of an agreement, creating or replacing them.
    fn put_controls(&mut self, controls: &Controls) -> Stored<()>;
    /// Sets what was debited on a day. Only a successful debit calls this, in its own transaction.
    fn put_day_usage(&mut self, usage: &DayUsage) -> Stored<()>;
}
