//! Times as the papers write them: read into, and written from, milliseconds since 1970 (UTC).
//!
//! Read: ISO 8601 with an offset or `Z` and any fraction; for Request-Time also epoch milliseconds (decision 8).
//! Written: always with a numeric offset, because one paper's clients refuse `Z` (Qi 1.7). No clock is read here.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::Offset;

/// Longest text read as a time, in bytes.
pub const MAX_TIME_BYTES: usize = 64;

/// The text is not a time in an accepted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 8601 time with offset, such as 2026-01-15T09:30:00+03:00")]
pub struct TimeFault;

/// Reads a Request-Time or Response-Time: [`parse_iso`], or epoch milliseconds in 13 digits.
pub fn parse_header_time(text: &str) -> Result<i64, TimeFault> {
    if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| TimeFault);
    }
    parse_iso(text)
}

/// Reads `2019-04-04T12:08:56+05:30`, with seconds, an optional fraction of any length, and `Z` or an offset
/// (`+05:30`, `+0530`, `+05`). What is finer than a millisecond is cut off.
pub fn parse_iso(text: &str) -> Result<i64, TimeFault> {
    if text.len() > MAX_TIME_BYTES || !text.is_ascii() {
        return Err(TimeFault);
    }
    read(text.as_bytes()).ok_or(TimeFault)
}

fn read(text: &[u8]) -> Option<i64> {
    let (stamp, rest) = text.split_at_checked(19)?;
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T' | b't', h1, h2, b':', mi1, mi2, b':', s1, s2] =
        stamp
    else {
        return None;
    };
    let year = digits(&[*y1, *y2, *y3, *y4])?;
    let two = |tens: &u8, ones: &u8| i8::try_from(digits(&[*tens, *ones])?).ok();
    let (month, day) = (two(mo1, mo2)?, two(d1, d2)?);
    // A leap second counts as the second before it.
    let second = match two(s1, s2)? {
        60 => 59,
        second => second,
    };
    let civil =
        DateTime::new(i16::try_from(year).ok()?, month, day, two(h1, h2)?, two(mi1, mi2)?, second, 0).ok()?;
    let (millis, zone) = fraction(rest)?;
    let seconds = offset(zone)?.to_timestamp(civil).ok()?.as_second();
    seconds.checked_mul(1000)?.checked_add(millis)
}

/// The milliseconds of `.123…` (ISO 8601 allows a comma as well), and what follows.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.' | b',', rest @ ..] = text else {
        return Some((0, text));
    };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (found, rest) = rest.split_at_checked(length)?;
    let mut first = [b'0'; 3];
    for (place, digit) in first.iter_mut().zip(found) {
        *place = *digit;
    }
    (length > 0).then_some((digits(&first)?, rest))
}

fn offset(text: &[u8]) -> Option<Offset> {
    let (sign, hours, minutes) = match text {
        [b'Z' | b'z'] => return Some(Offset::UTC),
        [sign, h1, h2] => (sign, digits(&[*h1, *h2])?, 0),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => {
            (sign, digits(&[*h1, *h2])?, digits(&[*m1, *m2])?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    match sign {
        b'+' => Offset::from_seconds(seconds).ok(),
        b'-' => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Writes `2026-01-15T09:30:01+03:00`: to the second, cut off, with the offset in hours and minutes.
///
/// Out of the years 0 to 9999 the nearest end is written; an offset beyond a day counts as none.
pub fn format_seconds(epoch_ms: i64, offset_seconds: i32) -> String {
    format(epoch_ms, offset_seconds, 0)
}

/// Writes `2026-01-15T09:30:01.123+03:00` (RFC 3339 with milliseconds); limits as in [`format_seconds`].
pub fn format_millis(epoch_ms: i64, offset_seconds: i32) -> String {
    format(epoch_ms, offset_seconds, 3)
}

fn format(epoch_ms: i64, offset_seconds: i32, digits: u8) -> String {
    // 0000-01-02 to 9999-12-30T21:59:59, so that no offset leaves the four-digit years.
    let clamped = epoch_ms.clamp(-62_167_132_800_000, 253_402_207_199_999);
    let timestamp = Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH);
    // The papers' offsets have whole minutes.
    let minutes = if offset_seconds.unsigned_abs() < 86_400 { offset_seconds / 60 } else { 0 };
    let offset = Offset::from_seconds(minutes * 60).unwrap_or(Offset::UTC);
    DateTimePrinter::new().precision(Some(digits)).timestamp_with_offset_to_string(&timestamp, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_form_is_the_same_moment() {
        for text in [
            "2026-01-15T09:30:00+03:00",
            "2026-01-15T09:30:00+0300",
            "2026-01-15T09:30:00+03",
            "2026-01-15T06:30:00Z",
            "2026-01-15t06:30:00z",
            "2026-01-15T06:30:00-00:00",
            "2026-01-15T12:00:00.000+05:30",
            "2026-01-14T23:30:00.0000000000000000-07:00",
            "1768458600000",
        ] {
            assert_eq!(parse_header_time(text), Ok(1_768_458_600_000), "{text}");
        }
        assert_eq!(parse_iso("2025-02-20T08:51:49.09Z"), Ok(1_740_041_509_090));
        assert_eq!(parse_iso("2025-02-20T08:51:49,123456789123456789+00:00"), Ok(1_740_041_509_123));
        assert_eq!(parse_iso("2016-12-31T23:59:60Z"), parse_iso("2016-12-31T23:59:59Z"));
        assert_eq!(parse_iso("1969-12-31T23:59:59.500Z"), Ok(-500));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "now",
            "2026-01-15",
            "2026-01-15T09:30:00",
            "2026-01-15T09:30+03:00",
            "2026-01-15 09:30:00+03:00",
            "2026-01-15T09:30:00 03:00",
            "2026-01-15T09:30:00.+03:00",
            "2026-01-15T09:30:00+3:00",
            "2026-01-15T09:30:00+24:00",
            "2026-01-15T09:30:00+03:60",
            "2026-01-15T24:00:00Z",
            "2026-13-15T09:30:00Z",
            "2026-02-29T09:30:00Z",
            "2026-01-15T09:30:00ZZ",
            "2026-01-15T09:30:0٣Z",
            "+026-01-15T09:30:00Z",
            "176845860000",
            "17684586000000",
            "-768458600000",
            "2026-01-15T09:30:00.000000000000000000000000000000000000000000000000Z",
        ] {
            assert_eq!(parse_header_time(text), Err(TimeFault), "{text}");
        }
        assert_eq!(parse_iso("1768458600000"), Err(TimeFault));
    }

    #[test]
    fn times_are_written_with_a_numeric_offset() {
        assert_eq!(format_seconds(1_768_458_601_999, 10_800), "2026-01-15T09:30:01+03:00");
        assert_eq!(format_seconds(1_768_458_601_000, 0), "2026-01-15T06:30:01+00:00");
        assert_eq!(format_seconds(1_768_458_601_000, -12_600), "2026-01-15T03:00:01-03:30");
        assert_eq!(format_millis(1_768_458_601_007, 10_800), "2026-01-15T09:30:01.007+03:00");
        assert_eq!(format_seconds(i64::MAX, 50_000), "9999-12-31T11:52:59+13:53");
        assert_eq!(format_seconds(i64::MIN, i32::MAX), "0000-01-02T00:00:00+00:00");
        assert_eq!(format_millis(-1, 0), "1969-12-31T23:59:59.999+00:00");
        for ms in [0, -1, 1_768_458_601_007] {
            assert_eq!(parse_iso(&format_millis(ms, -12_600)), Ok(ms));
        }
    }
}
