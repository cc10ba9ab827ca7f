//! Limits: how much, how often and how long an owner may debit under an agreement.
//!
//! Limits come in three layers: the wallet's policy, the merchant's terms, the user's own. A debit must keep within
//! every layer, so the tightest wins. Nothing is limited until somebody sets a limit (decision 33).
//!
//! Edges of periods, all in the wallet's zone: a day begins at 00:00; a week on Monday (ISO 8601) or, aligned to the
//! agreement, on the weekday it was made; a month on its first day or on the agreement's day of the month (the last
//! day of a month that has none: the 31st, the 28th of February, the 31st again); a year on 1 January or on the
//! agreement's date (28 February in common years for one made on 29 February). A beginning belongs to its period.

use crate::agreement::usage::DayUsage;
use crate::calendar::{Date, showable, weekday};
use crate::moment::Timestamp;
use crate::money::{Amount, Currency};
use crate::outcome::Refusal;

crate::words! {
    /// Where periods begin.
    Alignment {
        /// With the calendar: Mondays, firsts of months, New Year.
        Calendar = "calendar",
        /// With the date of the agreement.
        Agreement = "agreement",
    }
}

crate::words! {
    /// A span of days that sums are limited for.
    Period {
        /// One day.
        Day = "day",
        /// Seven days.
        Week = "week",
        /// A month.
        Month = "month",
        /// A year.
        Year = "year",
    }
}

impl Period {
    /// The day on which the period that `today` is in began. `anchor` is the day of the agreement.
    pub fn start(self, alignment: Alignment, today: i64, anchor: i64) -> i64 {
        match (self, alignment) {
            (Period::Day, _) => today,
            (Period::Week, Alignment::Calendar) => today - weekday(today),
            (Period::Week, Alignment::Agreement) => today - (today - anchor).rem_euclid(7),
            (Period::Month, Alignment::Calendar) => Date::of_day(today).first_of_month().day_number(),
            (Period::Year, Alignment::Calendar) => Date::of_day(today).first_of_year().day_number(),
            (Period::Month, Alignment::Agreement) => latest_step(anchor, today, 1),
            (Period::Year, Alignment::Agreement) => latest_step(anchor, today, 12),
        }
    }
}

/// The latest of `anchor` plus whole steps of months that is not after `today`.
fn latest_step(anchor: i64, today: i64, step: i64) -> i64 {
    let (from, now) = (Date::of_day(anchor), Date::of_day(today));
    let steps = (now.months() - from.months()).div_euclid(step);
    let here = from.plus_months(steps * step).day_number();
    if here <= today { here } else { from.plus_months((steps - 1) * step).day_number() }
}

/// One layer of limits. Sums are in smallest units of `currency`; a layer with a sum refuses every other currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The currency of the sums.
    pub currency: Option<Currency>,
    /// The most for one debit.
    pub per_debit: Option<i64>,
    /// The most for a day.
    pub per_day: Option<i64>,
    /// The most for a week.
    pub per_week: Option<i64>,
    /// The most for a month.
    pub per_month: Option<i64>,
    /// The most for a year.
    pub per_year: Option<i64>,
    /// How many debits there may be in all.
    pub max_count: Option<u32>,
    /// Where the periods begin.
    pub alignment: Alignment,
    /// No debit before this time.
    pub valid_from: Option<Timestamp>,
    /// No debit from this time on: the agreement's tokens are then as good as ended.
    pub valid_to: Option<Timestamp>,
}

impl Limits {
    /// No limit at all.
    pub const NONE: Limits = Limits {
        currency: None,
        per_debit: None,
        per_day: None,
        per_week: None,
        per_month: None,
        per_year: None,
        max_count: None,
        alignment: Alignment::Calendar,
        valid_from: None,
        valid_to: None,
    };

    /// The limits of periods that are set.
    pub fn periods(&self) -> impl Iterator<Item = (Period, i64)> {
        [
            (Period::Day, self.per_day),
            (Period::Week, self.per_week),
            (Period::Month, self.per_month),
            (Period::Year, self.per_year),
        ]
        .into_iter()
        .filter_map(|(period, limit)| Some((period, limit?)))
    }

    /// Is any sum limited?
    pub fn limits_money(&self) -> bool {
        self.per_debit.is_some() || self.periods().next().is_some()
    }

    /// Would they let a debit through that `before` holds back? Other currencies and alignments are not compared:
    /// they count as wider.
    pub fn widen(&self, before: &Limits) -> bool {
        let looser = |now: Option<i64>, then: Option<i64>| match (now, then) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(now), Some(then)) => now > then,
        };
        let sums = |limits: &Limits| {
            [limits.per_debit, limits.per_day, limits.per_week, limits.per_month, limits.per_year]
        };
        let times = |limits: &Limits| {
            [limits.valid_to.map(|to| to.0), limits.valid_from.map(|from| from.0.saturating_neg())]
        };
        let moved = self.alignment != before.alignment && before.periods().next().is_some();
        (before.limits_money() && self.currency != before.currency)
            || moved
            || looser(self.max_count.map(i64::from), before.max_count.map(i64::from))
            || sums(self).into_iter().zip(sums(before)).any(|(now, then)| looser(now, then))
            || times(self).into_iter().zip(times(before)).any(|(now, then)| looser(now, then))
    }

    /// Reads what [`std::fmt::Display`] wrote into the journal; nothing for any other text.
    pub fn read(text: &str) -> Option<Limits> {
        let mut limits = Limits::NONE;
        if text == "none" {
            return Some(limits);
        }
        for part in text.split(' ') {
            let (name, value) = part.split_once('=')?;
            let number = || value.parse::<i64>().ok();
            match name {
                "per_debit" => limits.per_debit = Some(number()?),
                "per_day" => limits.per_day = Some(number()?),
                "per_week" => limits.per_week = Some(number()?),
                "per_month" => limits.per_month = Some(number()?),
                "per_year" => limits.per_year = Some(number()?),
                "currency" => limits.currency = Some(Currency::parse(value)?),
                "alignment" => limits.alignment = Alignment::parse(value)?,
                "max_count" => limits.max_count = Some(value.parse().ok()?),
                "valid_from" => limits.valid_from = Some(Timestamp(number()?)),
                "valid_to" => limits.valid_to = Some(Timestamp(number()?)),
                _ => return None,
            }
        }
        Some(limits)
    }

    /// What makes no sense in these limits, if anything does.
    pub fn fault(&self) -> Option<&'static str> {
        let sums = || self.per_debit.into_iter().chain(self.periods().map(|(_, limit)| limit));
        if sums().any(|sum| !(1..=Amount::MAX_VALUE).contains(&sum)) {
            return Some("a limit must be above zero and have at most 16 digits");
        }
        if self.limits_money() != self.currency.is_some() {
            return Some("a limit of sums needs a currency, and a currency a limit");
        }
        if self.max_count == Some(0) {
            return Some("the number of debits must be above zero");
        }
        if self.valid_from.into_iter().chain(self.valid_to).any(|time| !showable(time)) {
            return Some("validity must begin and end between the years 1970 and 9998");
        }
        if self.valid_from.zip(self.valid_to).is_some_and(|(from, to)| from >= to) {
            return Some("the end of validity must be after its beginning");
        }
        None
    }

    /// The tighter of each limit; nothing where the two are in different currencies, which allow no debit together.
    /// For showing: two layers that are aligned differently are judged each by its own periods.
    pub fn tightest(&self, other: &Limits) -> Option<Limits> {
        let both = self.limits_money() && other.limits_money();
        if both && self.currency != other.currency {
            return None;
        }
        let periods = |limits: &Limits| limits.periods().next().is_some();
        let min = |one: Option<i64>, two: Option<i64>| one.into_iter().chain(two).min();
        Some(Limits {
            currency: self.currency.or(other.currency),
            per_debit: min(self.per_debit, other.per_debit),
            per_day: min(self.per_day, other.per_day),
            per_week: min(self.per_week, other.per_week),
            per_month: min(self.per_month, other.per_month),
            per_year: min(self.per_year, other.per_year),
            max_count: self.max_count.into_iter().chain(other.max_count).min(),
            alignment: if periods(self) || !periods(other) { self.alignment } else { other.alignment },
            valid_from: self.valid_from.max(other.valid_from),
            valid_to: self.valid_to.into_iter().chain(other.valid_to).min(),
        })
    }
}

impl std::fmt::Display for Limits {
    /// What is set, for the journal: `per_debit=5000000 currency=IQD`; `none` for nothing.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut said: Vec<String> =
            self.per_debit.map(|most| format!("per_debit={most}")).into_iter().collect();
        said.extend(self.periods().map(|(period, most)| format!("per_{period}={most}")));
        said.extend(self.currency.map(|currency| format!("currency={currency}")));
        said.extend(self.periods().next().map(|_| format!("alignment={}", self.alignment)));
        said.extend(self.max_count.map(|most| format!("max_count={most}")));
        said.extend(self.valid_from.map(|from| format!("valid_from={}", from.0)));
        said.extend(self.valid_to.map(|to| format!("valid_to={}", to.0)));
        if said.is_empty() { f.write_str("none") } else { f.write_str(&said.join(" ")) }
    }
}

/// The day from which usage must be known to judge these layers; nothing where no sum of a period and no count is
/// limited.
pub fn usage_needed_from(layers: &[&Limits], today: i64, anchor: i64) -> Option<i64> {
    let starts = layers.iter().flat_map(|limits| {
        let counted = limits.max_count.map(|_| i64::MIN);
        limits.periods().map(|(period, _)| period.start(limits.alignment, today, anchor)).chain(counted)
    });
    starts.min()
}

/// Does this debit keep within every layer? `usage` is what was debited since [`usage_needed_from`]. The order is
/// that of decision 33: one debit, periods, number.
pub fn judge(
    layers: &[&Limits],
    amount: &Amount,
    today: i64,
    anchor: i64,
    usage: &[DayUsage],
) -> Result<(), Refusal> {
    for limits in layers {
        let foreign = limits.limits_money() && limits.currency != Some(amount.currency);
        if foreign || limits.per_debit.is_some_and(|most| amount.value() > most) {
            return Err(Refusal::AmountOverDebitLimit);
        }
    }
    for limits in layers {
        for (period, most) in limits.periods() {
            let start = period.start(limits.alignment, today, anchor);
            if spent_since(usage, start, amount.currency).saturating_add(amount.value()) > most {
                return Err(Refusal::AmountOverPeriodLimit);
            }
        }
    }
    let made = usage.iter().fold(0_u32, |sum, row| sum.saturating_add(row.count));
    if layers.iter().any(|limits| limits.max_count.is_some_and(|most| made >= most)) {
        return Err(Refusal::CountOverLimit);
    }
    Ok(())
}

/// What was debited on `start` and after it in that currency.
pub fn spent_since(usage: &[DayUsage], start: i64, currency: Currency) -> i64 {
    let counted = usage.iter().filter(|row| row.day >= start && row.currency == currency);
    counted.fold(0, |sum: i64, row| sum.saturating_add(row.amount))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AgreementId;

    fn day(text: &str) -> i64 {
        Date::parse(text).unwrap_or_else(|| panic!("{text} is a date")).day_number()
    }

    #[test]
    fn periods_begin_where_the_calendar_or_the_agreement_says() {
        use {Alignment::*, Period::*};
        for (period, alignment, agreed, today, start) in [
            (Day, Calendar, "2026-01-15", "2026-03-01", "2026-03-01"),
            (Day, Agreement, "2026-01-15", "2026-03-01", "2026-03-01"),
            (Week, Calendar, "2026-01-15", "2026-11-22", "2026-11-16"),
            (Week, Calendar, "2026-01-15", "2026-11-23", "2026-11-23"),
            (Week, Calendar, "2026-01-15", "2027-01-01", "2026-12-28"),
            (Week, Agreement, "2026-01-15", "2026-01-21", "2026-01-15"),
            (Week, Agreement, "2026-01-15", "2026-01-22", "2026-01-22"),
            (Month, Calendar, "2026-01-15", "2026-02-28", "2026-02-01"),
            (Month, Calendar, "2026-01-15", "2026-03-01", "2026-03-01"),
            (Month, Agreement, "2026-01-31", "2026-02-27", "2026-01-31"),
            (Month, Agreement, "2026-01-31", "2026-02-28", "2026-02-28"),
            (Month, Agreement, "2026-01-31", "2026-03-30", "2026-02-28"),
            (Month, Agreement, "2026-01-31", "2026-03-31", "2026-03-31"),
            (Month, Agreement, "2026-01-31", "2026-04-30", "2026-04-30"),
            (Month, Agreement, "2028-01-30", "2028-02-29", "2028-02-29"),
            (Month, Agreement, "2026-12-31", "2027-01-30", "2026-12-31"),
            (Month, Agreement, "2026-01-15", "2026-01-15", "2026-01-15"),
            (Year, Calendar, "2026-01-15", "2026-12-31", "2026-01-01"),
            (Year, Calendar, "2026-01-15", "2027-01-01", "2027-01-01"),
            (Year, Agreement, "2024-02-29", "2025-02-27", "2024-02-29"),
            (Year, Agreement, "2024-02-29", "2025-02-28", "2025-02-28"),
            (Year, Agreement, "2024-02-29", "2028-02-28", "2027-02-28"),
            (Year, Agreement, "2024-02-29", "2028-02-29", "2028-02-29"),
            (Year, Agreement, "2026-11-22", "2027-11-21", "2026-11-22"),
        ] {
            let found = Date::of_day(period.start(alignment, day(today), day(agreed)));
            assert_eq!(found.to_string(), start, "{period} by {alignment}, agreed {agreed}, today {today}");
        }
    }

    #[test]
    fn a_debit_keeps_within_every_layer_or_is_refused() {
        let iqd = Currency::parse("IQD").expect("a currency");
        let usd = Currency::parse("USD").expect("a currency");
        let none = Limits::NONE;
        let money = Limits { currency: Some(iqd), ..none };
        let agreement = AgreementId::mint(
            crate::handle::Bucket::new(1),
            &mut crate::Moment::new(Timestamp(0), [1; 32]).random("test"),
        );
        let used = |text: &str, amount, count| DayUsage {
            agreement: agreement.clone(),
            day: day(text),
            currency: iqd,
            amount,
            count,
        };
        let usage = [used("2026-02-28", 60, 2), used("2026-03-01", 30, 1)];
        let (debit, period) = (Refusal::AmountOverDebitLimit, Refusal::AmountOverPeriodLimit);
        for (layers, currency, value, end) in [
            ([none, none], usd, 100, Ok(())),
            ([Limits { per_debit: Some(100), ..money }, none], iqd, 100, Ok(())),
            ([Limits { per_debit: Some(100), ..money }, none], iqd, 101, Err(debit)),
            ([none, Limits { per_debit: Some(100), ..money }], iqd, 101, Err(debit)),
            ([none, Limits { per_month: Some(100), ..money }], usd, 1, Err(debit)),
            ([none, Limits { per_day: Some(100), ..money }], iqd, 70, Ok(())),
            ([none, Limits { per_day: Some(100), ..money }], iqd, 71, Err(period)),
            ([none, Limits { per_week: Some(100), ..money }], iqd, 10, Ok(())),
            ([none, Limits { per_week: Some(100), ..money }], iqd, 11, Err(period)),
            ([none, Limits { per_month: Some(100), ..money }], iqd, 70, Ok(())),
            ([none, Limits { per_year: Some(100), ..money }], iqd, 11, Err(period)),
            (
                [Limits { per_year: Some(100), ..money }, Limits { per_year: Some(90), ..money }],
                iqd,
                1,
                Err(period),
            ),
            ([Limits { max_count: Some(4), ..none }, none], usd, 1, Ok(())),
            ([Limits { max_count: Some(3), ..none }, none], usd, 1, Err(Refusal::CountOverLimit)),
        ] {
            let amount = Amount::new(currency, value).expect("an amount");
            let layers = [&layers[0], &layers[1]];
            let judged = judge(&layers, &amount, day("2026-03-01"), day("2026-01-15"), &usage);
            assert_eq!(judged, end, "{layers:?} {amount:?}");
        }
    }

    #[test]
    fn limits_are_wider_when_they_let_through_what_was_held_back() {
        let iqd = Currency::parse("IQD");
        let none = Limits::NONE;
        let month = Limits { currency: iqd, per_month: Some(20), ..none };
        let until = Limits { valid_to: Some(Timestamp(5)), ..none };
        for (before, after, wider) in [
            (none, none, false),
            (none, month, false),
            (month, none, true),
            (month, Limits { per_month: Some(20), ..month }, false),
            (month, Limits { per_month: Some(19), ..month }, false),
            (month, Limits { per_month: Some(21), ..month }, true),
            (month, Limits { per_debit: Some(5), ..month }, false),
            (month, Limits { per_month: None, per_debit: Some(5), ..month }, true),
            (month, Limits { currency: Currency::parse("USD"), ..month }, true),
            (month, Limits { alignment: Alignment::Agreement, ..month }, true),
            (until, Limits { valid_to: Some(Timestamp(4)), ..none }, false),
            (until, Limits { valid_to: Some(Timestamp(6)), ..none }, true),
            (until, none, true),
            (
                Limits { valid_from: Some(Timestamp(5)), ..none },
                Limits { valid_from: Some(Timestamp(4)), ..none },
                true,
            ),
            (Limits { max_count: Some(3), ..none }, Limits { max_count: Some(4), ..none }, true),
        ] {
            assert_eq!(after.widen(&before), wider, "{before} -> {after}");
        }
    }

    #[test]
    fn limits_are_read_as_the_journal_has_them() {
        let all = Limits {
            currency: Currency::parse("IQD"),
            per_debit: Some(1),
            per_day: Some(2),
            per_week: Some(3),
            per_month: Some(4),
            per_year: Some(5),
            max_count: Some(6),
            alignment: Alignment::Agreement,
            valid_from: Some(Timestamp(-7)),
            valid_to: Some(Timestamp(8)),
        };
        for limits in [all, Limits::NONE, Limits { max_count: Some(1), ..Limits::NONE }] {
            assert_eq!(Limits::read(&limits.to_string()), Some(limits));
        }
        for text in ["", "per_debit", "per_debit=x", "colour=red", "none none"] {
            assert_eq!(Limits::read(text), None, "{text}");
        }
    }

    #[test]
    fn limits_that_make_no_sense_are_named() {
        let iqd = Currency::parse("IQD");
        let none = Limits::NONE;
        for (limits, sound) in [
            (none, true),
            (Limits { currency: iqd, per_day: Some(1), ..none }, true),
            (Limits { currency: iqd, ..none }, false),
            (Limits { per_day: Some(1), ..none }, false),
            (Limits { currency: iqd, per_day: Some(0), ..none }, false),
            (Limits { max_count: Some(0), ..none }, false),
            (Limits { valid_from: Some(Timestamp(2)), valid_to: Some(Timestamp(2)), ..none }, false),
            (Limits { valid_from: Some(Timestamp(-1)), ..none }, false),
            (Limits { valid_to: Some(Timestamp(253_402_290_000_000)), ..none }, false),
        ] {
            assert_eq!(limits.fault().is_none(), sound, "{limits:?}");
        }
    }

    #[test]
    fn the_tightest_of_two_layers_is_the_smaller_of_each() {
        let iqd = Currency::parse("IQD");
        let one = Limits { currency: iqd, per_debit: Some(5), per_month: Some(20), ..Limits::NONE };
        let two = Limits {
            currency: iqd,
            per_debit: Some(7),
            per_day: Some(9),
            max_count: Some(3),
            ..Limits::NONE
        };
        let both = Limits {
            currency: iqd,
            per_debit: Some(5),
            per_day: Some(9),
            per_month: Some(20),
            max_count: Some(3),
            ..Limits::NONE
        };
        assert_eq!(one.tightest(&two), Some(both));
        assert_eq!(two.tightest(&one), Some(both));
        assert_eq!(one.tightest(&Limits::NONE), Some(one));
        let foreign = Limits { currency: Currency::parse("USD"), per_day: Some(1), ..Limits::NONE };
        assert_eq!(one.tightest(&foreign), None);
    }
}
