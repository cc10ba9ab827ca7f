//! Rows of limits, usage, pauses and schedules of agreements.

use super::desk::Desk;
use super::sql::{self, Columns, statements};
use super::value::params;
use accord_core::agreement::control::{Controls, Pause};
use accord_core::agreement::limits::{Alignment, Limits};
use accord_core::agreement::schedule::{Every, Schedule};
use accord_core::agreement::usage::DayUsage;
use accord_core::calendar::Date;
use accord_core::ids::AgreementId;
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::store::control::{ControlRows, ControlTx};
use accord_core::store::{StoreFault, Stored};

statements! {
    CONTROLS = "SELECT agreement, merchant, by_user, every, anchor, paused_since, paused_until, woken_at, notice_at,
        due_day FROM controls WHERE bucket = ?1 AND agreement = ?2";
    NOTICES_DUE = "SELECT agreement, merchant, by_user, every, anchor, paused_since, paused_until, woken_at,
        notice_at, due_day FROM controls WHERE notice_at IS NOT NULL AND notice_at <= ?1
        ORDER BY notice_at, bucket, agreement LIMIT ?2";
    NEXT_NOTICE = "SELECT notice_at FROM controls WHERE notice_at IS NOT NULL ORDER BY notice_at LIMIT 1";
    PUT_CONTROLS = "INSERT INTO controls (bucket, agreement, merchant, by_user, every, anchor,
        paused_since, paused_until, woken_at, notice_at, due_day)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        ON CONFLICT (bucket, agreement) DO UPDATE SET merchant = excluded.merchant,
        by_user = excluded.by_user, every = excluded.every, anchor = excluded.anchor,
        paused_since = excluded.paused_since, paused_until = excluded.paused_until, woken_at = excluded.woken_at,
        notice_at = excluded.notice_at, due_day = excluded.due_day";
    DAY_USAGE = "SELECT agreement, day, currency, amount, count FROM usage_days
        WHERE bucket = ?1 AND agreement = ?2 AND day = ?3 AND currency = ?4";
    USAGE_SINCE = "SELECT agreement, day, currency, amount, count FROM usage_days
        WHERE bucket = ?1 AND agreement = ?2 AND day >= ?3 ORDER BY day, currency";
    LAST_USAGE_DAY = "SELECT day FROM usage_days WHERE bucket = ?1 AND agreement = ?2 ORDER BY day DESC LIMIT 1";
    pub(crate) USAGE_BETWEEN = "SELECT agreement, day, currency, amount, count FROM usage_days
        WHERE day >= ?1 AND day < ?2 ORDER BY day, agreement, currency LIMIT ?3";
    PUT_DAY_USAGE = "INSERT INTO usage_days (bucket, agreement, day, currency, amount, count)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (bucket, agreement, day, currency) DO UPDATE SET amount = excluded.amount,
        count = excluded.count";
}

impl ControlRows for Desk<'_> {
    fn controls(&self, agreement: &AgreementId) -> Stored<Option<Controls>> {
        sql::one(self.0, CONTROLS, params![agreement.bucket().number(), agreement.as_str()], read_controls)
    }

    fn notices_due(&self, until: Timestamp, limit: usize) -> Stored<Vec<Controls>> {
        sql::scan(self.0, NOTICES_DUE, params![until.0, sql::limit(limit)], read_controls, |row| {
            row.agreement.bucket()
        })
    }

    fn next_notice_due(&self) -> Stored<Option<Timestamp>> {
        sql::one(self.0, NEXT_NOTICE, params![], |row| row.time())
    }

    fn day_usage(&self, agreement: &AgreementId, day: i64, currency: Currency) -> Stored<Option<DayUsage>> {
        let key = params![agreement.bucket().number(), agreement.as_str(), day, currency.code()];
        sql::one(self.0, DAY_USAGE, key, read_usage)
    }

    fn usage_since(&self, agreement: &AgreementId, from: i64) -> Stored<Vec<DayUsage>> {
        let key = params![agreement.bucket().number(), agreement.as_str(), from];
        sql::many(self.0, USAGE_SINCE, key, read_usage)
    }

    fn last_usage_day(&self, agreement: &AgreementId) -> Stored<Option<i64>> {
        let key = params![agreement.bucket().number(), agreement.as_str()];
        sql::one(self.0, LAST_USAGE_DAY, key, |row| row.get())
    }
}

impl ControlTx for Desk<'_> {
    fn put_controls(&mut self, controls: &Controls) -> Stored<()> {
        let values = params![
            controls.agreement.bucket().number(),
            controls.agreement.as_str(),
            write_limits(&controls.merchant),
            write_limits(&controls.user),
            controls.schedule.map(|schedule| schedule.every.as_str()),
            controls.schedule.map(|schedule| schedule.anchor.day_number()),
            controls.pause.map(|pause| pause.since.0),
            controls.pause.and_then(|pause| pause.until).map(|until| until.0),
            controls.woken_at.map(|at| at.0),
            controls.notice_at.map(|at| at.0),
            controls.due_day,
        ];
        sql::write(self.0, PUT_CONTROLS, values)
    }

    fn put_day_usage(&mut self, usage: &DayUsage) -> Stored<()> {
        let values = params![
            usage.agreement.bucket().number(),
            usage.agreement.as_str(),
            usage.day,
            usage.currency.code(),
            usage.amount,
            usage.count,
        ];
        sql::write(self.0, PUT_DAY_USAGE, values)
    }
}

fn read_controls(row: &mut Columns<'_>) -> Stored<Controls> {
    let agreement = row.parsed(AgreementId::read)?;
    let (merchant, user) = (row.parsed(read_limits)?, row.parsed(read_limits)?);
    let (every, anchor) = (row.maybe(Every::parse)?, row.get::<Option<i64>>()?);
    let schedule = match (every, anchor) {
        (Some(every), Some(anchor)) => Some(Schedule { every, anchor: Date::of_day(anchor) }),
        (None, None) => None,
        _ => return Err(StoreFault::Corrupt(format!("controls of {agreement} have half a schedule"))),
    };
    let (since, until) = (row.maybe_time()?, row.maybe_time()?);
    Ok(Controls {
        agreement,
        merchant,
        user,
        schedule,
        pause: since.map(|since| Pause { since, until }),
        woken_at: row.maybe_time()?,
        notice_at: row.maybe_time()?,
        due_day: row.get()?,
    })
}

pub(crate) fn read_usage(row: &mut Columns<'_>) -> Stored<DayUsage> {
    Ok(DayUsage {
        agreement: row.parsed(AgreementId::read)?,
        day: row.get()?,
        currency: row.parsed(Currency::parse)?,
        amount: row.get()?,
        count: row.get()?,
    })
}

fn write_limits(limits: &Limits) -> String {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields = [
        limits.currency.map(|currency| currency.code().to_owned()).unwrap_or_default(),
        number(limits.per_debit),
        number(limits.per_day),
        number(limits.per_week),
        number(limits.per_month),
        number(limits.per_year),
        number(limits.max_count.map(i64::from)),
        limits.alignment.as_str().to_owned(),
        number(limits.valid_from.map(|at| at.0)),
        number(limits.valid_to.map(|at| at.0)),
    ];
    sql::write_list([fields.iter().map(String::as_str).collect()])
}

fn read_limits(text: &str) -> Option<Limits> {
    let [fields] = <[Vec<String>; 1]>::try_from(sql::read_list(text)?).ok()?;
    let fields: Vec<Option<&str>> =
        fields.iter().map(|field| Some(field.as_str()).filter(|field| !field.is_empty())).collect();
    let [currency, debit, day, week, month, year, count, alignment, from, to] =
        <[Option<&str>; 10]>::try_from(fields).ok()?;
    // A field that is there must be readable; one that is empty limits nothing.
    fn field<T>(field: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
        field.map_or(Some(None), |text| parse(text).map(Some))
    }
    let number = |text: Option<&str>| field(text, |text| text.parse::<i64>().ok());
    Some(Limits {
        currency: field(currency, Currency::parse)?,
        per_debit: number(debit)?,
        per_day: number(day)?,
        per_week: number(week)?,
        per_month: number(month)?,
        per_year: number(year)?,
        max_count: field(count, |text| text.parse().ok())?,
        alignment: Alignment::parse(alignment?)?,
        valid_from: number(from)?.map(Timestamp),
        valid_to: number(to)?.map(Timestamp),
    })
}
