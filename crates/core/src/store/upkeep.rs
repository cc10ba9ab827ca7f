//! What has no end yet, for whoever watches; and what pruning finds in limits and one-time codes. A part of the port.

use crate::agreement::usage::DayUsage;
use crate::ids::{AgreementId, CodeRequestId};
use crate::moment::Timestamp;
use crate::money::Currency;
use crate::payment::Payment;
use crate::payment::refund::Refund;
use crate::payment::unresolved::Tally;
use crate::people::one_time_code::OneTimeCode;
use crate::store::Stored;

/// What can be read of it.
pub trait UpkeepRows {
    /// Running payments of each dialect that has some, by dialect.
    fn payments_running(&self) -> Stored<Vec<Tally>>;
    /// Running refunds of each dialect that has some, by dialect.
    fn refunds_running(&self) -> Stored<Vec<Tally>>;
    /// Running payments, oldest first, then by bucket and id.
    fn running_payments(&self, limit: usize) -> Stored<Vec<Payment>>;
    /// Running refunds, oldest first, then by bucket and id.
    fn running_refunds(&self, limit: usize) -> Stored<Vec<Refund>>;

    /// Usage of the days from `from` on and before `until`, by day, agreement and currency.
    fn usage_between(&self, from: i64, until: i64, limit: usize) -> Stored<Vec<DayUsage>>;
    /// One-time codes whose `expires_at` is before that time, earliest first, then by bucket and id.
    fn one_time_codes_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<OneTimeCode>>;
}

/// What can be written of it. Removing what is not there changes nothing.
pub trait UpkeepTx {
    /// Removes what was debited on a day.
    fn remove_day_usage(&mut self, agreement: &AgreementId, day: i64, currency: Currency) -> Stored<()>;
    /// Removes a one-time code.
    fn remove_one_time_code(&mut self, id: &CodeRequestId) -> Stored<()>;
}
