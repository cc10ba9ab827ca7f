//! Civil dates: days counted, months added, weekdays told. Proleptic Gregorian; no zone but a fixed offset.
//!
//! A *day number* counts days since 1970-01-01 in the wallet's zone. Iraq keeps no summer time, so a day is always
//! 24 hours; a zone with summer time is served by its standard offset. Formats for people are not made here.

use crate::moment::Timestamp;
use crate::policy::DAY;

/// A date of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i64,
    month: u8,
    day: u8,
}

impl Date {
    /// That date; nothing if there is none, such as 29 February of a common year.
    pub fn new(year: i64, month: u8, day: u8) -> Option<Date> {
        let real = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
        real.then_some(Date { year, month, day })
    }

    /// Reads `yyyy-MM-dd`, four digits of year, as the papers write dates.
    pub fn parse(text: &str) -> Option<Date> {
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes
                .iter()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
        if !shaped {
            return None;
        }
        Date::new(text.get(..4)?.parse().ok()?, text.get(5..7)?.parse().ok()?, text.get(8..)?.parse().ok()?)
    }

    /// Can people be shown it, and any time within it, wherever they are? From 1970 to 9998: what no calendar library
    /// refuses, a day to the east or west included.
    pub fn showable(self) -> bool {
        (1970..=9998).contains(&self.year)
    }

    /// The date of a day number. (Howard Hinnant, chrono-compatible low-level date algorithms, civil_from_days.)
    pub fn of_day(number: i64) -> Date {
        let shifted = number.saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
        let month = (if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 }) as u8;
        Date { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
    }

    /// The day number of this date.
    pub fn day_number(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let shifted_month = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        era * 146_097 + of_era - 719_468
    }

    /// The same day of the month that many months later (or earlier); the last of the month where there is none.
    pub fn plus_months(self, months: i64) -> Date {
        let count = self.months().saturating_add(months);
        let (year, month) = (count.div_euclid(12), (count.rem_euclid(12) + 1) as u8);
        Date { year, month, day: self.day.min(days_in_month(year, month)) }
    }

    /// The first of its month.
    pub fn first_of_month(self) -> Date {
        Date { day: 1, ..self }
    }

    /// The first of January.
    pub fn first_of_year(self) -> Date {
        Date { month: 1, day: 1, ..self }
    }

    /// Months since year 0, so that differences can be taken.
    pub(crate) fn months(self) -> i64 {
        self.year.saturating_mul(12).saturating_add(i64::from(self.month) - 1)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The day number of a time in a zone that is `zone_offset_ms` east of UTC.
pub fn day_of(at: Timestamp, zone_offset_ms: i64) -> i64 {
    at.0.saturating_add(zone_offset_ms).div_euclid(DAY)
}

/// The first moment of a day in that zone.
pub fn start_of(day: i64, zone_offset_ms: i64) -> Timestamp {
    Timestamp(day.saturating_mul(DAY).saturating_sub(zone_offset_ms))
}

/// Can people be shown that time ([`Date::showable`])?
pub fn showable(at: Timestamp) -> bool {
    Date::of_day(day_of(at, 0)).showable()
}

/// The weekday of a day number: 0 is Monday (1970-01-01 was a Thursday).
pub fn weekday(day: i64) -> i64 {
    day.saturating_add(3).rem_euclid(7)
}

fn days_in_month(year: i64, month: u8) -> u8 {
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap_or_else(|| panic!("{text} is a date"))
    }

    #[test]
    fn every_day_of_eight_hundred_years_follows_the_one_before() {
        let mut before = date("1600-01-01");
        let first = before.day_number();
        for number in first + 1..first + 292_194 {
            let today = Date::of_day(number);
            assert_eq!(today.day_number(), number, "{today}");
            let next = Date::new(before.year, before.month, before.day + 1)
                .or_else(|| Date::new(before.year, before.month + 1, 1))
                .or_else(|| Date::new(before.year + 1, 1, 1));
            assert_eq!(Some(today), next);
            before = today;
        }
        assert_eq!(before, date("2399-12-31"));
    }

    #[test]
    fn days_that_everybody_knows() {
        for (text, number, on) in [
            ("1970-01-01", 0, 3),
            ("1969-12-31", -1, 2),
            ("2000-02-29", 11_016, 1),
            ("2024-02-29", 19_782, 3),
            ("2026-11-22", 20_779, 6),
            ("9999-12-31", 2_932_896, 4),
        ] {
            assert_eq!(date(text).day_number(), number, "{text}");
            assert_eq!(Date::of_day(number).to_string(), text);
            assert_eq!(weekday(number), on, "{text}");
        }
    }

    #[test]
    fn months_are_added_to_the_last_of_a_shorter_month() {
        for (from, months, to) in [
            ("2026-01-31", 1, "2026-02-28"),
            ("2028-01-31", 1, "2028-02-29"),
            ("2026-01-31", 2, "2026-03-31"),
            ("2026-01-31", 3, "2026-04-30"),
            ("2026-12-31", 1, "2027-01-31"),
            ("2024-02-29", 12, "2025-02-28"),
            ("2024-02-29", 48, "2028-02-29"),
            ("2026-03-31", -1, "2026-02-28"),
            ("2026-01-15", -13, "2024-12-15"),
        ] {
            assert_eq!(date(from).plus_months(months), date(to), "{from} and {months} months");
        }
    }

    #[test]
    fn a_day_of_baghdad_begins_at_nine_in_the_evening_of_utc() {
        let zone = 3 * 3_600_000;
        let midnight = start_of(date("2026-03-01").day_number(), zone);
        assert_eq!(midnight, Timestamp(1_772_312_400_000)); // 2026-02-28T21:00:00Z
        assert_eq!(Date::of_day(day_of(midnight, zone)), date("2026-03-01"));
        assert_eq!(Date::of_day(day_of(midnight.plus_millis(-1), zone)), date("2026-02-28"));
        assert_eq!(Date::of_day(day_of(midnight.plus_millis(DAY - 1), zone)), date("2026-03-01"));
        assert_eq!(Date::of_day(day_of(Timestamp(-1), 0)), date("1969-12-31"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "2026/01/01",
            "2026-04-31",
            "٢٠٢٦-01-01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_people_cannot_be_shown_is_told_apart() {
        for (text, shown) in [
            ("0001-01-01", false),
            ("1969-12-31", false),
            ("1970-01-01", true),
            ("9998-12-31", true),
            ("9999-01-01", false),
            ("9999-12-31", false),
        ] {
            assert_eq!(date(text).showable(), shown, "{text}");
            assert_eq!(showable(start_of(date(text).day_number(), 0)), shown, "{text}");
        }
        assert!(!showable(Timestamp(i64::MAX)) && !showable(Timestamp(i64::MIN)));
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for at in [Timestamp(i64::MIN), Timestamp(i64::MAX)] {
            let day = day_of(at, 3 * 3_600_000);
            let _ = (Date::of_day(day).plus_months(-12), start_of(day, -1), weekday(day));
        }
    }
}
