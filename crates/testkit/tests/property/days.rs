//! Days counted by stepping through the calendar, not by the arithmetic of `accord-core`; and limits judged by them.

use super::papers::End;

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;
/// The wallet's days begin three hours before UTC's.
const ZONE: i64 = 3 * 3_600_000;

/// The day of a time in Baghdad, counted from 1970-01-01.
pub fn day_of(time: i64) -> i64 {
    (time + ZONE).div_euclid(DAY)
}

/// When that day begins.
pub fn start_of(day: i64) -> i64 {
    day * DAY - ZONE
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn length(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month, day of a day number.
pub fn date(day: i64) -> (i64, i64, i64) {
    let (mut left, mut year) = (day, 1970);
    while left >= if leap(year) { 366 } else { 365 } {
        left -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let mut month = 1;
    while left >= length(year, month) {
        left -= length(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

/// The day number of a date; a day that its month does not have is the month's last.
pub fn number((year, month, day): (i64, i64, i64)) -> i64 {
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: i64 = (1..month).map(|month| length(year, month)).sum();
    years + months + day.min(length(year, month)) - 1
}

/// The text of a day: `yyyy-MM-dd`.
pub fn text(day: i64) -> String {
    let (year, month, day) = date(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// That many months later; the 31st is the last day of a shorter month.
pub fn months_later(day: i64, months: i64) -> i64 {
    let (year, month, of_month) = date(day);
    let count = year * 12 + month - 1 + months;
    number((count.div_euclid(12), count.rem_euclid(12) + 1, of_month))
}

/// The first due day after `day` of debits due every so many months from `anchor` on.
pub fn next_due(anchor: i64, months: i64, day: i64) -> i64 {
    (0..).map(|step| months_later(anchor, step * months)).find(|due| *due > day).expect("there is a next one")
}

/// Limits, in plain numbers. Sums are in smallest units of `currency`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    pub currency: Option<&'static str>,
    pub debit: Option<i64>,
    pub day: Option<i64>,
    pub week: Option<i64>,
    pub month: Option<i64>,
    pub year: Option<i64>,
    pub count: Option<u32>,
    /// Periods begin with the agreement's date, not with the calendar.
    pub by_agreement: bool,
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// A debit that happened: on which day, in which currency, how much.
pub type Taken = (i64, &'static str, i64);

impl Caps {
    fn sums(&self) -> bool {
        [self.debit, self.day, self.week, self.month, self.year].iter().any(Option::is_some)
    }

    /// Are these two days in one period of that kind? `agreed` is the day of the agreement.
    fn together(&self, period: &str, agreed: i64, one: i64, other: i64) -> bool {
        let step_of = |months: i64, day: i64| {
            (1..).find(|step| months_later(agreed, step * months) > day).expect("a step")
        };
        // Of the calendar: 1970-01-05 was a Monday.
        let ((year, month, _), (other_year, other_month, _)) = (date(one), date(other));
        match (period, self.by_agreement) {
            ("day", _) => one == other,
            ("week", false) => (one + 3) / 7 == (other + 3) / 7,
            ("week", true) => (one - agreed) / 7 == (other - agreed) / 7,
            ("month", false) => (year, month) == (other_year, other_month),
            ("month", true) => step_of(1, one) == step_of(1, other),
            (_, false) => year == other_year,
            (_, true) => step_of(12, one) == step_of(12, other),
        }
    }
}

impl Caps {
    /// For each limited period: the limit, and what was taken of it before.
    pub fn spent<'a>(
        &'a self,
        taken: &'a [Taken],
        agreed: i64,
        today: i64,
        currency: &'a str,
    ) -> impl Iterator<Item = (i64, i64)> + 'a {
        let periods = [("day", self.day), ("week", self.week), ("month", self.month), ("year", self.year)];
        periods.into_iter().filter_map(move |(period, most)| {
            let before = taken
                .iter()
                .rev()
                .take_while(|(day, ..)| today - day <= 366)
                .filter(|(day, of, _)| *of == currency && self.together(period, agreed, *day, today));
            Some((most?, before.map(|(.., value)| value).sum()))
        })
    }
}

/// May that much be debited today, under all these limits?
pub fn judge(
    layers: &[Caps],
    taken: &[Taken],
    agreed: i64,
    today: i64,
    currency: &str,
    value: i64,
) -> Result<(), End> {
    for caps in layers {
        let foreign = caps.sums() && caps.currency != Some(currency);
        if foreign || caps.debit.is_some_and(|most| value > most) {
            return Err(End::OverDebitLimit);
        }
    }
    let over =
        |caps: &Caps| caps.spent(taken, agreed, today, currency).any(|(most, before)| before + value > most);
    if layers.iter().any(over) {
        return Err(End::OverPeriodLimit);
    }
    match layers.iter().any(|caps| caps.count.is_some_and(|most| taken.len() >= most as usize)) {
        true => Err(End::OverCount),
        false => Ok(()),
    }
}
