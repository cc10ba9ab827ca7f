//! What has no end yet, and what pruning finds in limits and one-time codes.

use super::desk::Desk;
use super::sql::{self, Columns, statements};
use super::value::params;
use super::{control, payment, people, refund};
use accord_core::agreement::usage::DayUsage;
use accord_core::ids::{AgreementId, CodeRequestId, DialectName};
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::payment::Payment;
use accord_core::payment::refund::Refund;
use accord_core::payment::unresolved::Tally;
use accord_core::people::one_time_code::OneTimeCode;
use accord_core::store::Stored;
use accord_core::store::upkeep::{UpkeepRows, UpkeepTx};

statements! {
    PAYMENTS_RUNNING = "SELECT dialect, count(*), min(created_at) FROM payments
        WHERE stage = 'in_process' GROUP BY dialect ORDER BY dialect";
    REFUNDS_RUNNING = "SELECT dialect, count(*), min(created_at) FROM refunds
        WHERE stage = 'in_process' GROUP BY dialect ORDER BY dialect";
    REMOVE_DAY_USAGE = "DELETE FROM usage_days WHERE bucket = ?1 AND agreement = ?2 AND day = ?3 AND currency = ?4";
    REMOVE_ONE_TIME_CODE = "DELETE FROM one_time_codes WHERE bucket = ?1 AND id = ?2";
}

fn read_tally(row: &mut Columns<'_>) -> Stored<Tally> {
    Ok(Tally { dialect: DialectName::new(row.get::<String>()?), count: row.get()?, oldest: row.time()? })
}

impl UpkeepRows for Desk<'_> {
    fn payments_running(&self) -> Stored<Vec<Tally>> {
        sql::many(self.0, PAYMENTS_RUNNING, params![], read_tally)
    }
    fn refunds_running(&self) -> Stored<Vec<Tally>> {
        sql::many(self.0, REFUNDS_RUNNING, params![], read_tally)
    }
    fn running_payments(&self, limit: usize) -> Stored<Vec<Payment>> {
        sql::scan(self.0, payment::RUNNING, params![sql::limit(limit)], payment::read_payment, |row| {
            row.id.bucket()
        })
    }
    fn running_refunds(&self, limit: usize) -> Stored<Vec<Refund>> {
        sql::scan(self.0, refund::RUNNING, params![sql::limit(limit)], refund::read, |row| row.id.bucket())
    }
    fn usage_between(&self, from: i64, until: i64, limit: usize) -> Stored<Vec<DayUsage>> {
        let span = params![from, until, sql::limit(limit)];
        sql::scan(self.0, control::USAGE_BETWEEN, span, control::read_usage, |row| row.agreement.bucket())
    }
    fn one_time_codes_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<OneTimeCode>> {
        sql::scan(
            self.0,
            people::CODES_BEFORE,
            params![time.0, sql::limit(limit)],
            people::read_code,
            |row| row.id.bucket(),
        )
    }
}

impl UpkeepTx for Desk<'_> {
    fn remove_day_usage(&mut self, agreement: &AgreementId, day: i64, currency: Currency) -> Stored<()> {
        let key = params![agreement.bucket().number(), agreement.as_str(), day, currency.code()];
        sql::write(self.0, REMOVE_DAY_USAGE, key)
    }
    fn remove_one_time_code(&mut self, id: &CodeRequestId) -> Stored<()> {
        sql::write(self.0, REMOVE_ONE_TIME_CODE, params![id.bucket().number(), id.as_str()])
    }
}
