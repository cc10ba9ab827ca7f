//! Usage: how much was debited under an agreement, day by day.
//!
//! One row for each agreement, day (in the wallet's zone) and currency with a debit. Every period that can be limited
//! is made of whole days, whichever date it is aligned to, so days are all that is kept, and a limit set later counts
//! what was debited before it in its period. Only a successful debit adds to a row, in the transaction of the debit.
//!
//! Days that no period counts any more are folded ([`fold`]) into one row of [`FOLDED_DAY`], before all others: only the
//! number of debits is still asked of it.
//!
//! Refunds and cancellations do not give room back: a limit caps what a merchant may *take* in a period. Otherwise a
//! debit, its refund and a further debit could run through the account without end, and a refund that comes in the
//! next period would open room that the period of its debit no longer has.

use crate::calendar::day_of;
use crate::ids::AgreementId;
use crate::moment::Timestamp;
use crate::money::{Amount, Currency};
use crate::store::{Stored, Tx};

/// The day of what was folded: long before any debit.
pub const FOLDED_DAY: i64 = i32::MIN as i64;

/// What was debited on one day in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayUsage {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Day number in the wallet's zone ([`crate::calendar`]), or [`FOLDED_DAY`].
    pub day: i64,
    /// In which currency.
    pub currency: Currency,
    /// How much together, in smallest units.
    pub amount: i64,
    /// How often.
    pub count: u32,
}

/// Adds a debit that has just succeeded.
pub fn add(
    tx: &mut dyn Tx,
    agreement: &AgreementId,
    amount: &Amount,
    zone_offset_ms: i64,
    now: Timestamp,
) -> Stored<()> {
    let day = day_of(now, zone_offset_ms);
    let debit = DayUsage {
        agreement: agreement.clone(),
        day,
        currency: amount.currency,
        amount: amount.value(),
        count: 1,
    };
    plus(tx, debit)
}

/// Adds a row, which the caller has removed, to what was folded of its agreement.
pub fn fold(tx: &mut dyn Tx, row: &DayUsage) -> Stored<()> {
    plus(tx, DayUsage { day: FOLDED_DAY, ..row.clone() })
}

fn plus(tx: &mut dyn Tx, more: DayUsage) -> Stored<()> {
    let before = tx.day_usage(&more.agreement, more.day, more.currency)?;
    let (sum, count) = before.map_or((0, 0), |row| (row.amount, row.count));
    tx.put_day_usage(&DayUsage {
        amount: sum.saturating_add(more.amount),
        count: count.saturating_add(more.count),
        ..more
    })
}
