//! The wallet's words: a message file for each language, read once. English and Arabic are compiled in; more are files
//! that the operator names ([`catalogue`]).
//!
//! A [`Texts`] speaks one language. Every argument of a message is cleaned and isolated, so that a merchant's
//! name cannot turn the sentence around it. A test walks over the keys in sources, templates and both files, so
//! one that is missing anywhere is found there. What a further language leaves out is said in English.

mod amounts;
pub mod catalogue;
mod negotiation;

use super::markup::{self, Markup};
use accord_core::Timestamp;
use accord_core::calendar::Date;
use accord_core::money::{Amount, Currency};
use accord_core::user::Language;
use catalogue::catalogue;
use fluent_bundle::FluentArgs;

pub use catalogue::spoken;
pub use negotiation::best_language;

pub(super) const ENGLISH: &str = include_str!("../../../messages/en-US.ftl");
pub(super) const ARABIC: &str = include_str!("../../../messages/ar-IQ.ftl");

/// The name of a message, the same in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub &'static str);

/// The words of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts(pub Language);

impl Texts {
    /// The tag of the language, for `lang`: `en-US` or `ar-IQ`.
    pub fn tag(&self) -> &str {
        self.0.as_str()
    }

    /// Its direction, for `dir`: `ltr` or `rtl`.
    pub fn dir(&self) -> &'static str {
        if self.text("direction") == "rtl" { "rtl" } else { "ltr" }
    }

    /// The other languages of the wallet, that a page in this one offers to switch to. A page's template has a field
    /// `switch: Option<String>` with its own address up to and including `lang=`; `base.html` adds the tags.
    pub fn others(&self) -> Vec<Texts> {
        spoken().into_iter().filter(|language| *language != self.0).map(Texts).collect()
    }

    /// What this wallet is called in the language.
    pub fn wallet_name(&self) -> String {
        super::brand::name(self.0).unwrap_or_else(|| self.text("wallet-name"))
    }

    /// The message `key` without arguments.
    pub fn text(&self, key: &'static str) -> String {
        self.with(Key(key), &[])
    }

    /// The message `key` as plain text. Arguments are cleaned and stand between isolation marks.
    pub fn with(&self, key: Key, args: &[(&'static str, &str)]) -> String {
        self.format(key, args.iter().map(|(name, value)| (*name, markup::clean(value))).collect())
    }

    /// The message `key`, a noun, in the form that it has after this number.
    fn counting(&self, key: Key, count: u16) -> String {
        self.format(key, [("count", count)].into_iter().collect())
    }

    fn format(&self, key: Key, args: FluentArgs<'_>) -> String {
        let Some((bundle, message)) = catalogue().message(self.0, key.0) else { return key.0.to_owned() };
        let Some(pattern) = message.value() else { return key.0.to_owned() };
        let mut faults = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&args), &mut faults).into_owned();
        #[cfg(test)]
        assert!(faults.is_empty(), "{key:?}: {faults:?}");
        text
    }

    /// The message `key` as HTML, each argument in a `<bdi>`.
    pub fn html(&self, key: Key, args: &[(&'static str, &str)]) -> Markup {
        Markup::of(&self.with(key, args))
    }

    /// An amount as people read it, in English with its ISO code, in Arabic with the noun in the form that the number
    /// asks for: `25,000 IQD`, `٢٥٬٠٠٠ دينار عراقي`, `٣ دنانير عراقية`. A fraction of nothing but zeros is left out; of three or more places the zeros at the end are (`1.500` would read as
    /// fifteen hundred to some). Nothing else is rounded or lost.
    pub fn money(&self, amount: &Amount) -> String {
        amounts::money(self, amount)
    }

    /// Nothing of that currency: an account that is empty.
    pub fn no_money(&self, currency: Currency) -> String {
        amounts::no_money(self, currency.code())
    }

    /// What sums of that currency are typed in: `whole dinars (IQD)`.
    pub fn unit(&self, currency: Currency) -> String {
        amounts::unit(self, currency.code())
    }

    /// A day: `22 November 2026`.
    pub fn date(&self, day: Date) -> String {
        amounts::date(self, day)
    }

    /// The day of a point in time, in Baghdad: `22 November 2026`.
    pub fn day(&self, at: Timestamp) -> String {
        amounts::day(self, at)
    }

    /// A whole number in the language's digits.
    pub fn number(&self, number: impl Into<u64>) -> String {
        amounts::number(self, number.into())
    }

    /// A span of time in whole minutes: `15 minutes`.
    pub fn minutes(&self, ms: i64) -> String {
        amounts::minutes(self, ms)
    }

    /// A point in time, to the minute, in Baghdad: `22 November 2026, 01:28 (Baghdad)`.
    pub fn time(&self, at: Timestamp) -> String {
        amounts::time(self, at)
    }
}

/// The message `key` of `language`, as [`Texts::with`].
pub fn text(language: Language, key: Key, args: &[(&'static str, &str)]) -> String {
    Texts(language).with(key, args)
}

/// The direction of `language`, as [`Texts::dir`].
pub fn dir(language: Language) -> &'static str {
    Texts(language).dir()
}

/// Version of what users are shown: the first 16 hex digits of a SHA-256 over the templates of the authorization
/// page and the message files. Recorded with each decision.
pub fn page_version() -> &'static str {
    catalogue().version()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(code: &str, value: i64) -> [String; 2] {
        let amount = Currency::parse(code).and_then(|currency| Amount::new(currency, value)).unwrap();
        [Language::English, Language::Arabic].map(|language| {
            Texts(language).money(&amount).replace([markup::ISOLATE, markup::POP_ISOLATE], "")
        })
    }

    #[test]
    fn money_is_read_as_people_read_it() {
        for (code, value, english, arabic) in [
            ("IQD", 25_000_000, "25,000 IQD", "٢٥٬٠٠٠ دينار عراقي"),
            ("IQD", 7, "0.007 IQD", "٠٫٠٠٧ دينار عراقي"),
            ("IQD", 1_500, "1.5 IQD", "١٫٥ دينار عراقي"),
            ("IQD", 1_234_567_891, "1,234,567.891 IQD", "١٬٢٣٤٬٥٦٧٫٨٩١ دينار عراقي"),
            ("IQD", 100_000, "100 IQD", "١٠٠ دينار عراقي"),
            ("IQD", 1_000, "1 IQD", "١ دينار عراقي"),
            ("IQD", 3_000, "3 IQD", "٣ دنانير عراقية"),
            ("IQD", 10_000, "10 IQD", "١٠ دنانير عراقية"),
            ("IQD", 11_000, "11 IQD", "١١ دينارًا عراقيًا"),
            ("IQD", 99_000, "99 IQD", "٩٩ دينارًا عراقيًا"),
            ("IQD", 102_000, "102 IQD", "١٠٢ دينار عراقي"),
            ("IQD", 5_005_000, "5,005 IQD", "٥٬٠٠٥ دنانير عراقية"),
            ("IQD", 25_050_000, "25,050 IQD", "٢٥٬٠٥٠ دينارًا عراقيًا"),
            ("IQD", 3_500, "3.5 IQD", "٣٫٥ دينار عراقي"),
            ("USD", 500, "5 USD", "٥ دولارات أمريكية"),
            ("USD", 1_250, "12.50 USD", "١٢٫٥٠ دولار أمريكي"),
            ("USD", 100_000, "1,000 USD", "١٬٠٠٠ دولار أمريكي"),
            ("JPY", 1_000, "1,000 JPY", "١٬٠٠٠ JPY"),
            ("HKD", 9_999_999_999_999_999, "99,999,999,999,999.99 HKD", "٩٩٬٩٩٩٬٩٩٩٬٩٩٩٬٩٩٩٫٩٩ HKD"),
        ] {
            assert_eq!(money(code, value), [english.to_owned(), arabic.to_owned()]);
        }
    }

    #[test]
    fn time_is_told_as_in_baghdad() {
        let at = Timestamp(1_795_300_080_000);
        assert_eq!(
            Texts(Language::English).time(at).replace(['\u{2068}', '\u{2069}'], ""),
            "22 November 2026, 01:28 (Baghdad)"
        );
        assert_eq!(
            Texts(Language::Arabic).time(at).replace(['\u{2068}', '\u{2069}'], ""),
            "٢٢ تشرين الثاني ٢٠٢٦، ٠١:٢٨ (بغداد)"
        );
    }

    #[test]
    fn the_version_is_sixteen_hex_digits() {
        assert_eq!(page_version().len(), 16);
        assert!(page_version().bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn a_name_cannot_leave_its_isolate() {
        let said =
            Texts(Language::English).with(Key("authorize-title"), &[("merchant", "A\u{2069}\u{202E}B")]);
        assert!(said.contains("\u{2068}AB\u{2069}"), "{said:?}");
    }
}
