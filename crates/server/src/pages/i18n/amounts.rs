//! Numbers, money and time in words.

use super::{Key, Texts};
use accord_core::Timestamp;
use accord_core::calendar::Date;
use accord_core::money::Amount;
use jiff::tz::{Offset, TimeZone};
use std::sync::LazyLock;

const MONTHS: [Key; 12] = [
    Key("month-1"),
    Key("month-2"),
    Key("month-3"),
    Key("month-4"),
    Key("month-5"),
    Key("month-6"),
    Key("month-7"),
    Key("month-8"),
    Key("month-9"),
    Key("month-10"),
    Key("month-11"),
    Key("month-12"),
];

/// Where the wallet's users live. Baghdad has kept UTC+3 all year since 2008, so a machine without a time zone
/// database tells the same time.
static BAGHDAD: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get("Asia/Baghdad").unwrap_or_else(|_| TimeZone::fixed(Offset::constant(3))));

pub(super) fn money(t: &Texts, amount: &Amount) -> String {
    let decimal = amount.decimal();
    let (whole, part) = decimal.split_once('.').unwrap_or((&decimal, ""));
    let part = match part.len() {
        _ if part.bytes().all(|b| b == b'0') => "",
        0..=2 => part,
        _ => part.trim_end_matches('0'),
    };
    let mut number = grouped(whole);
    if !part.is_empty() {
        number.push('.');
        number.push_str(part);
    }
    named(t, &digits(t, &number), if part.is_empty() { counted(whole) } else { 100 }, amount.currency.code())
}

/// Nothing at all of a currency.
pub(super) fn no_money(t: &Texts, code: &str) -> String {
    named(t, &digits(t, "0"), 100, code)
}

fn named(t: &Texts, number: &str, count: u16, code: &str) -> String {
    let name = match code {
        "IQD" => Key("currency-iqd"),
        "USD" => Key("currency-usd"),
        _ => return t.with(Key("money"), &[("number", number), ("code", code)]),
    };
    let name = t.counting(name, count);
    t.with(Key("money-named"), &[("number", number), ("name", &name), ("code", code)])
}

/// A small number that takes the same form of a noun. Above a hundred the last two digits decide (103 is as 3 in Arabic),
/// but for those of a hundred, one and two, which are then said before it: 102 is as 100.
fn counted(whole: &str) -> u16 {
    let last = whole.get(whole.len().saturating_sub(2)..).unwrap_or(whole).parse().unwrap_or(0);
    if whole.len() > 2 && last < 3 { 100 } else { last }
}

pub(super) fn minutes(t: &Texts, ms: i64) -> String {
    let count = u64::try_from(ms / 60_000).unwrap_or(0);
    let noun = t.counting(Key("minutes"), counted(&count.to_string()));
    t.with(Key("number-of"), &[("number", &number(t, count)), ("noun", &noun)])
}

/// What a limit is typed in: `whole dinars (IQD)`.
pub(super) fn unit(t: &Texts, code: &str) -> String {
    match code {
        "IQD" => t.with(Key("unit-iqd"), &[]),
        "USD" => t.with(Key("unit-usd"), &[]),
        _ => t.with(Key("unit-other"), &[("code", code)]),
    }
}

pub(super) fn number(t: &Texts, number: u64) -> String {
    digits(t, &grouped(&number.to_string()))
}

pub(super) fn time(t: &Texts, at: Timestamp) -> String {
    // No such time is taken from anybody; the last one that can be shown stands for those after it.
    let end = if at.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let instant = jiff::Timestamp::from_millisecond(at.0).unwrap_or(end);
    let local = instant.to_zoned(BAGHDAD.clone());
    let month = usize::try_from(local.month() - 1).ok().and_then(|index| MONTHS.get(index));
    let month = month.map_or_else(|| local.month().to_string(), |key| t.with(*key, &[]));
    t.with(
        Key("date-time"),
        &[
            ("day", &digits(t, &local.day().to_string())),
            ("month", &month),
            ("year", &digits(t, &local.year().to_string())),
            ("time", &digits(t, &local.strftime("%H:%M").to_string())),
        ],
    )
}

pub(super) fn day(t: &Texts, at: Timestamp) -> String {
    let Ok(instant) = jiff::Timestamp::from_millisecond(at.0) else { return at.0.to_string() };
    let local = instant.to_zoned(BAGHDAD.clone()).strftime("%Y-%m-%d").to_string();
    Date::parse(&local).map_or(local, |day| date(t, day))
}

pub(super) fn date(t: &Texts, day: Date) -> String {
    // A date is shown as `yyyy-MM-dd`, which is the one way to look into it.
    let text = day.to_string();
    let mut parts = text.rsplitn(3, '-').map(|part| part.trim_start_matches('0'));
    let (Some(day), Some(month), Some(year)) = (parts.next(), parts.next(), parts.next()) else {
        return text;
    };
    let index = month.parse::<usize>().ok().and_then(|month| month.checked_sub(1));
    let month = index.and_then(|index| MONTHS.get(index)).map_or_else(String::new, |key| t.with(*key, &[]));
    t.with(Key("date"), &[("day", &digits(t, day)), ("month", &month), ("year", &digits(t, year))])
}

/// Commas between groups of three.
fn grouped(whole: &str) -> String {
    let mut grouped = String::with_capacity(whole.len() + whole.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The digits and separators that readers of the language are used to: ٠١٢, ٬ and ٫ in Iraq. Its file names them.
fn digits(t: &Texts, number: &str) -> String {
    let (figures, group, point) = (t.text("digits"), t.text("group-mark"), t.text("decimal-mark"));
    let mut written = String::with_capacity(number.len() * 2);
    for letter in number.chars() {
        let index = letter.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
        match (letter, index.and_then(|index| figures.chars().nth(index))) {
            (_, Some(figure)) => written.push(figure),
            (',', None) => written.push_str(&group),
            ('.', None) => written.push_str(&point),
            (other, None) => written.push(other),
        }
    }
    written
}
