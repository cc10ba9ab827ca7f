//! Spans of time as people write them: `90s`, `15m`, `24h`, `30d`, `10y`. A year has 365 days.

use serde::{Deserialize, Deserializer};

/// A span of time in milliseconds, not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(i64);

impl Span {
    /// So many minutes.
    pub fn minutes(count: i64) -> Span {
        Span(count.saturating_mul(60_000))
    }

    /// Milliseconds.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Reads digits and a unit.
    pub fn parse(text: &str) -> Result<Span, String> {
        let fault =
            || format!("`{text}` is not a span of time: write a number and s, m, h, d or y, such as \"15m\"");
        let unit = text.chars().next_back().ok_or_else(fault)?;
        let seconds: i64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'y' => 365 * 86_400,
            _ => return Err(fault()),
        };
        let digits = &text[..text.len() - unit.len_utf8()];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault());
        }
        let count: i64 = digits.parse().map_err(|_| fault())?;
        count.checked_mul(seconds * 1_000).map(Span).ok_or_else(fault)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, millis) in
            [("0s", 0), ("90s", 90_000), ("15m", 900_000), ("24h", 86_400_000), ("1y", 31_536_000_000)]
        {
            assert_eq!(Span::parse(text).map(Span::millis), Ok(millis), "{text}");
        }
        for text in ["", "15", "m", "-1m", "1.5h", "15 m", "99999999999999999999d", "999999999999999y", "5é"]
        {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
