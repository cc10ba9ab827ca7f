//! Daily settlement files: what a counterparty and the wallet owe each other for one day, as CSV with a signed digest.
//!
//! [`Day`] says which day in which zone, [`sheet`] writes and reads the file, [`digest`] signs it, [`compare`] lists
//! what two files tell differently. Items and totals come from `accord_core::ledger::settle`; no file is opened here.

pub mod compare;
pub mod digest;
pub mod sheet;

use crate::alipay_plus;
use accord_core::Timestamp;
use accord_core::ids::DialectName;
use accord_core::ledger::settle::Span;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

/// Where Alipay+ settlement days begin and end (decision 33).
pub const ALIPAY_PLUS_ZONE: &str = "+08:00";
/// Where everybody else's do unless configured.
pub const DEFAULT_ZONE: &str = "Asia/Baghdad";

/// A zone in which days begin and end. Its name stands in files, so the same zone always has the same name.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Reads `Asia/Baghdad` (a name of the machine's time zone database) or an offset such as `+08:00`.
    pub fn parse(name: &str) -> Result<Zone, String> {
        let fault = || format!("`{name}` is no zone: write for example \"{DEFAULT_ZONE}\" or \"+03:00\"");
        let zone = if name.starts_with(['+', '-']) {
            TimeZone::fixed(offset(name).ok_or_else(fault)?)
        } else {
            match TimeZone::get(name) {
                Ok(zone) => zone,
                // Iraq has kept no summer time since 2008: a machine without a database knows its zone all the same.
                Err(_) if name == DEFAULT_ZONE => TimeZone::fixed(Offset::constant(3)),
                Err(_) => return Err(fault()),
            }
        };
        Ok(Zone { name: name.to_owned(), zone })
    }

    /// The zone of a dialect's settlement days: its own, or the wallet's.
    pub fn of(dialect: &DialectName, wallets: &Zone) -> Zone {
        match dialect.as_str() {
            alipay_plus::NAME => {
                Zone { name: ALIPAY_PLUS_ZONE.to_owned(), zone: TimeZone::fixed(Offset::constant(8)) }
            }
            _ => wallets.clone(),
        }
    }

    /// As it was configured.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of UTC at that time.
    pub fn offset_at(&self, at: Timestamp) -> i32 {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        self.zone.to_offset(at).seconds()
    }

    /// A time with milliseconds and this zone's offset.
    pub fn write(&self, at: Timestamp) -> String {
        crate::time::format_millis(at.0, self.offset_at(at))
    }
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let two = |text: &str, most: i32| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<i32>().ok()).flatten().filter(|number| *number <= most)
    };
    let seconds = two(hours, 14)? * 3600 + two(minutes, 59)? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// A day of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    date: Date,
    zone: Zone,
    span: Span,
}

impl Day {
    /// Reads `2026-01-15` as a day of that zone.
    pub fn parse(text: &str, zone: &Zone) -> Result<Day, String> {
        let fault = || format!("`{text}` is no date: write for example 2026-01-15");
        let date: Date = text.parse().map_err(|_| fault())?;
        if date.to_string() != text || date.year() < 1970 {
            return Err(fault());
        }
        let start = |date: Date| -> Result<Timestamp, String> {
            let start = date.to_zoned(zone.zone.clone()).map_err(|_| fault())?;
            Ok(Timestamp(start.timestamp().as_millisecond()))
        };
        let span = Span { from: start(date)?, until: start(date.tomorrow().map_err(|_| fault())?)? };
        Ok(Day { date, zone: zone.clone(), span })
    }

    /// `2026-01-15`.
    pub fn date(&self) -> String {
        self.date.to_string()
    }

    /// The zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// From its first millisecond to the first of the next day.
    pub fn span(&self) -> Span {
        self.span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn a_day_has_the_edges_of_its_zone() {
        let edges = |name: &str| {
            let span = Day::parse("2026-01-15", &zone(name)).unwrap().span();
            [span.from, span.until].map(|at| crate::time::format_millis(at.0, 0))
        };
        assert_eq!(edges("+08:00"), ["2026-01-14T16:00:00.000+00:00", "2026-01-15T16:00:00.000+00:00"]);
        assert_eq!(edges("Asia/Baghdad"), ["2026-01-14T21:00:00.000+00:00", "2026-01-15T21:00:00.000+00:00"]);
        assert_eq!(edges("-03:30"), ["2026-01-15T03:30:00.000+00:00", "2026-01-16T03:30:00.000+00:00"]);
    }

    #[test]
    fn the_network_has_its_own_days_and_everybody_else_the_wallets() {
        let wallets = zone(DEFAULT_ZONE);
        assert_eq!(Zone::of(&DialectName::new(alipay_plus::NAME), &wallets), zone("+08:00"));
        assert_eq!(Zone::of(&DialectName::new(crate::qi::NAME), &wallets), wallets);
    }

    #[test]
    fn what_is_no_date_or_no_zone_is_refused() {
        for text in ["", "2026-1-15", "2026-02-29", "20260115", "2026-01-15T00:00:00", "1969-12-31", "today"]
        {
            assert!(Day::parse(text, &zone("+03:00")).is_err(), "{text}");
        }
        for text in ["", "+3", "+15:00", "+03:60", "Asia/Nowhere", "+٠3:00"] {
            assert!(Zone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_of_summer_time_has_twenty_three_hours() {
        let Ok(berlin) = Zone::parse("Europe/Berlin") else { return };
        let span = Day::parse("2026-03-29", &berlin).unwrap().span();
        assert_eq!(span.until.since(span.from), 23 * 3_600_000);
    }
}
