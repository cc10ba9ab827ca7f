//! Money: whole smallest units with a currency. No float has ever met a dinar here.

/// An ISO 4217 currency in use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Currencies whose smallest unit is not a hundredth (ISO 4217, list one).
const EXPONENTS: &[(&str, u8)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// Every active code whose smallest unit is a hundredth.
const HUNDREDTHS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD \
    CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU \
    MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK \
    SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG \
    YER ZAR ZMW ZWG";

impl Currency {
    /// The currency of that alphabetic code, or nothing when ISO 4217 has none in use.
    pub fn parse(code: &str) -> Option<Currency> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        let known =
            EXPONENTS.iter().any(|(c, _)| *c == code) || HUNDREDTHS.split_whitespace().any(|c| c == code);
        known.then_some(Currency(letters))
    }

    /// The alphabetic code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimal places between the unit people speak of and the smallest unit: IQD 3, HKD 2, JPY 0.
    pub fn exponent(&self) -> u8 {
        EXPONENTS.iter().find(|(code, _)| *code == self.code()).map_or(2, |(_, exponent)| *exponent)
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// A positive sum of money, at most 16 digits of the smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    /// The currency.
    pub currency: Currency,
    value: i64,
}

impl Amount {
    /// The largest value a request can name: 16 digits.
    pub const MAX_VALUE: i64 = 9_999_999_999_999_999;

    /// An amount of `value` smallest units; nothing unless 1 to 9,999,999,999,999,999.
    pub fn new(currency: Currency, value: i64) -> Option<Amount> {
        (1..=Self::MAX_VALUE).contains(&value).then_some(Amount { currency, value })
    }

    /// Reads a value as the papers write it: 1–16 digits, no sign, no leading zero, above zero.
    pub fn parse(currency: Currency, digits: &str) -> Option<Amount> {
        let plain =
            digits.len() <= 16 && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        Amount::new(currency, plain.then(|| digits.parse().ok()).flatten()?)
    }

    /// The count of smallest units.
    pub fn value(&self) -> i64 {
        self.value
    }

    /// The amount in the unit people speak of, without a currency: `25000.000` for 25,000,000 fils.
    pub fn decimal(&self) -> String {
        let exponent = usize::from(self.currency.exponent());
        let digits = format!("{:0width$}", self.value, width = exponent + 1);
        let (whole, part) = digits.split_at(digits.len() - exponent);
        if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_come_from_the_table() {
        for (code, exponent) in [("IQD", 3), ("JPY", 0), ("HKD", 2), ("USD", 2), ("CLF", 4)] {
            assert_eq!(Currency::parse(code).expect(code).exponent(), exponent);
        }
        for code in ["iqd", "XXX", "US", "USDD", "ABC", ""] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
    }

    #[test]
    fn a_value_is_one_to_sixteen_digits_above_zero() {
        let iqd = Currency::parse("IQD").expect("a currency");
        for digits in ["1", "25000000", "9999999999999999"] {
            assert_eq!(Amount::parse(iqd, digits).map(|a| a.value().to_string()).as_deref(), Some(digits));
        }
        for digits in ["", "0", "007", "-1", "+1", "1.0", "1e3", "10000000000000000", "٣"] {
            assert_eq!(Amount::parse(iqd, digits), None, "{digits}");
        }
    }

    #[test]
    fn fils_are_thousandths_of_a_dinar() {
        let iqd = Currency::parse("IQD").expect("a currency");
        assert_eq!(Amount::new(iqd, 25_000_000).map(|a| a.decimal()).as_deref(), Some("25000.000"));
        assert_eq!(Amount::new(iqd, 7).map(|a| a.decimal()).as_deref(), Some("0.007"));
    }
}
