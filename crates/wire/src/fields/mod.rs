//! Reads a request body as the paper prints it, member by member, and names the first member that is wrong.
//!
//! Types and lengths are judged here, in the mode of the dialect and client (decision 9); meaning is not. What a
//! field's absence or content leads to is decided by the operation that asked for it.

use std::borrow::Cow;

use crate::json::{self, Json};
use crate::time;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

mod url;

pub use url::{CheckedUrl, FORBIDDEN_SCHEMES, UrlRule, check_url};

/// Most items of an array of texts.
pub const MAX_ITEMS: usize = 100;

/// A member that is not as the paper wants it. Displayed as `authState: longer than 256 characters`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct FieldFault {
    /// Where it stands: `paymentAmount.value`.
    pub path: String,
    /// What is wrong, in our words; never the value itself.
    pub reason: String,
}

/// How exact the caller must be (decision 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strictness {
    /// `""` in an optional field counts as absent.
    pub empty_is_absent: bool,
    /// `true` is taken for `"true"`.
    pub booleans_as_text: bool,
    /// A whole JSON number is taken where a field asks for it: the value of an amount.
    pub integers_as_text: bool,
}

impl Strictness {
    /// Alipay+: every scalar is a JSON string, and no optional one is empty.
    pub const ALIPAY_PLUS: Self =
        Self { empty_is_absent: false, booleans_as_text: false, integers_as_text: false };
    /// An Alipay+ client registered `lenient`.
    pub const ALIPAY_PLUS_LENIENT: Self =
        Self { empty_is_absent: true, booleans_as_text: true, integers_as_text: false };
    /// Qi: merchants send `""` for what they lack, and amounts as numbers.
    pub const QI: Self = Self { empty_is_absent: true, booleans_as_text: false, integers_as_text: true };
}

/// An amount as the paper prints it: the value in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountFields {
    /// Three capital letters; whether the currency is known is not judged here.
    pub currency: String,
    /// 1 to 16 digits, above zero, no leading zero.
    pub value: String,
}

/// The members of one object, and where it stands in the body.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    members: &'a [(String, Json)],
    path: String,
    strictness: Strictness,
}

/// What a text member turned out to be.
enum Found<'a> {
    Missing,
    Null,
    Empty,
    Text(&'a str),
}

impl<'a> Fields<'a> {
    /// The members of a whole body, which must be an object.
    pub fn of(body: &'a Json, strictness: Strictness) -> Result<Self, FieldFault> {
        Self::at(body, "", strictness)
    }

    /// The members of an object that stands at `path`, such as JSON text inside a string.
    pub fn at(json: &'a Json, path: &str, strictness: Strictness) -> Result<Self, FieldFault> {
        match json {
            Json::Object(members) => Ok(Self { members, path: path.to_owned(), strictness }),
            other => Err(FieldFault {
                path: if path.is_empty() { "body".to_owned() } else { path.to_owned() },
                reason: format!("must be an object, not {}", other.kind()),
            }),
        }
    }

    /// A fault at the member `name`, for rules of the caller's own.
    pub fn fault(&self, name: &str, reason: impl Into<String>) -> FieldFault {
        FieldFault { path: self.path_of(name), reason: reason.into() }
    }

    /// The mode these members are read in.
    pub fn strictness(&self) -> Strictness {
        self.strictness
    }

    /// A text of at most `max` Unicode scalar values, not empty.
    pub fn required_text(&self, name: &str, max: usize) -> Result<&'a str, FieldFault> {
        self.longest(name, self.required(name)?, max)
    }

    /// As [`required_text`](Self::required_text), or absent.
    pub fn optional_text(&self, name: &str, max: usize) -> Result<Option<&'a str>, FieldFault> {
        self.optional(name)?.map(|text| self.longest(name, text, max)).transpose()
    }

    /// A text of at most `max` bytes (authCode).
    pub fn required_text_bytes(&self, name: &str, max: usize) -> Result<&'a str, FieldFault> {
        let text = self.required(name)?;
        if text.len() > max { Err(self.fault(name, format!("longer than {max} bytes"))) } else { Ok(text) }
    }

    /// As [`required_text_bytes`](Self::required_text_bytes), or absent.
    pub fn optional_text_bytes(&self, name: &str, max: usize) -> Result<Option<&'a str>, FieldFault> {
        self.optional(name)?.map(|_| self.required_text_bytes(name, max)).transpose()
    }

    /// A text of one line without control characters, not blank: an id, a name.
    pub fn required_id(&self, name: &str, max: usize) -> Result<&'a str, FieldFault> {
        self.one_line(name, self.required_text(name, max)?)
    }

    /// As [`required_id`](Self::required_id), or absent.
    pub fn optional_id(&self, name: &str, max: usize) -> Result<Option<&'a str>, FieldFault> {
        self.optional_text(name, max)?.map(|text| self.one_line(name, text)).transpose()
    }

    /// One of `values`, exactly.
    pub fn required_one_of(&self, name: &str, values: &[&str]) -> Result<&'a str, FieldFault> {
        let text = self.required(name)?;
        if values.contains(&text) {
            Ok(text)
        } else {
            Err(self.fault(name, format!("must be one of {}", values.join(", "))))
        }
    }

    /// As [`required_one_of`](Self::required_one_of), or absent.
    pub fn optional_one_of(&self, name: &str, values: &[&str]) -> Result<Option<&'a str>, FieldFault> {
        self.optional(name)?.map(|_| self.required_one_of(name, values)).transpose()
    }

    /// `"true"` or `"false"`, or absent.
    pub fn optional_boolean(&self, name: &str) -> Result<Option<bool>, FieldFault> {
        Ok(self.optional_one_of(name, &["true", "false"])?.map(|text| text == "true"))
    }

    /// The members of an object.
    pub fn required_object(&self, name: &str) -> Result<Fields<'a>, FieldFault> {
        match self.member(name) {
            None => Err(self.fault(name, "required, but missing")),
            Some(Json::Null) => Err(self.fault(name, "required, but null")),
            Some(json) => Fields::at(json, &self.path_of(name), self.strictness),
        }
    }

    /// As [`required_object`](Self::required_object), or absent.
    pub fn optional_object(&self, name: &str) -> Result<Option<Fields<'a>>, FieldFault> {
        match self.member(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) if text.is_empty() && self.strictness.empty_is_absent => Ok(None),
            Some(_) => self.required_object(name).map(Some),
        }
    }

    /// An array of 1 to [`MAX_ITEMS`] texts, each of 1 to `max_each` Unicode scalar values (scopes).
    pub fn required_text_array(&self, name: &str, max_each: usize) -> Result<Vec<&'a str>, FieldFault> {
        let items = match self.member(name) {
            None => return Err(self.fault(name, "required, but missing")),
            Some(Json::Null) => return Err(self.fault(name, "required, but null")),
            Some(Json::Array(items)) => items,
            Some(other) => return Err(self.fault(name, format!("must be an array, not {}", other.kind()))),
        };
        if items.is_empty() {
            return Err(self.fault(name, "must not be empty"));
        }
        if items.len() > MAX_ITEMS {
            return Err(self.fault(name, format!("more than {MAX_ITEMS} items")));
        }
        let item = |(index, json): (usize, &'a Json)| {
            let place = format!("{name}[{index}]");
            match json {
                Json::String(text) if text.is_empty() => Err(self.fault(&place, "must not be empty")),
                Json::String(text) => self.longest(&place, text, max_each),
                other => Err(self.fault(&place, format!("must be a string, not {}", other.kind()))),
            }
        };
        items.iter().enumerate().map(item).collect()
    }

    /// Whatever was sent, to be stored as received; `null` counts as absent.
    pub fn optional_raw(&self, name: &str) -> Option<&'a Json> {
        self.member(name).filter(|json| **json != Json::Null)
    }

    /// An object `{currency, value}` (Alipay+ 2, Qi 2.3).
    pub fn required_amount(&self, name: &str) -> Result<AmountFields, FieldFault> {
        let amount = self.required_object(name)?;
        let currency = amount.required("currency")?;
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(amount.fault("currency", "must be three capital letters"));
        }
        let value: Cow<'_, str> = match amount.member("value") {
            Some(Json::Number(number)) if self.strictness.integers_as_text => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed(amount.required("value")?),
        };
        if !is_value(&value) {
            return Err(
                amount.fault("value", "must be 1 to 16 digits above zero, without sign or leading zero")
            );
        }
        Ok(AmountFields { currency: currency.to_owned(), value: value.into_owned() })
    }

    /// As [`required_amount`](Self::required_amount), or absent.
    pub fn optional_amount(&self, name: &str) -> Result<Option<AmountFields>, FieldFault> {
        self.optional_object(name)?.map(|_| self.required_amount(name)).transpose()
    }

    /// A URL of at most `max` Unicode scalar values as received.
    pub fn required_url(&self, name: &str, max: usize, rule: UrlRule<'_>) -> Result<CheckedUrl, FieldFault> {
        check_url(self.required_text(name, max)?, rule).map_err(|reason| self.fault(name, reason))
    }

    /// As [`required_url`](Self::required_url), or absent.
    pub fn optional_url(
        &self,
        name: &str,
        max: usize,
        rule: UrlRule<'_>,
    ) -> Result<Option<CheckedUrl>, FieldFault> {
        self.optional(name)?.map(|_| self.required_url(name, max, rule)).transpose()
    }

    /// A time in ISO 8601 with offset, in milliseconds since 1970.
    pub fn required_datetime(&self, name: &str) -> Result<i64, FieldFault> {
        time::parse_iso(self.required(name)?).map_err(|fault| self.fault(name, fault.to_string()))
    }

    /// As [`required_datetime`](Self::required_datetime), or absent.
    pub fn optional_datetime(&self, name: &str) -> Result<Option<i64>, FieldFault> {
        self.optional(name)?.map(|_| self.required_datetime(name)).transpose()
    }

    /// JSON text inside a string (Qi extendInfo): the text and what it says. Read on with [`Fields::at`].
    pub fn required_json_text(&self, name: &str, max: usize) -> Result<(&'a str, Json), FieldFault> {
        let text = self.required_text(name, max)?;
        let json = json::parse(text.as_bytes()).map_err(|fault| self.fault(name, fault.to_string()))?;
        Ok((text, json))
    }

    /// As [`required_json_text`](Self::required_json_text), or absent.
    pub fn optional_json_text(&self, name: &str, max: usize) -> Result<Option<(&'a str, Json)>, FieldFault> {
        self.optional(name)?.map(|_| self.required_json_text(name, max)).transpose()
    }

    /// Where `name` stands, from the body's outermost object.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn member(&self, name: &str) -> Option<&'a Json> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn found(&self, name: &str) -> Result<Found<'a>, FieldFault> {
        match self.member(name) {
            None => Ok(Found::Missing),
            Some(Json::Null) => Ok(Found::Null),
            Some(Json::String(text)) if text.is_empty() => Ok(Found::Empty),
            Some(Json::String(text)) => Ok(Found::Text(text)),
            Some(Json::Bool(value)) if self.strictness.booleans_as_text => {
                Ok(Found::Text(if *value { "true" } else { "false" }))
            }
            Some(other) => Err(self.fault(name, format!("must be a string, not {}", other.kind()))),
        }
    }

    fn required(&self, name: &str) -> Result<&'a str, FieldFault> {
        match self.found(name)? {
            Found::Text(text) => Ok(text),
            Found::Missing => Err(self.fault(name, "required, but missing")),
            Found::Null => Err(self.fault(name, "required, but null")),
            Found::Empty => Err(self.fault(name, "must not be empty")),
        }
    }

    fn optional(&self, name: &str) -> Result<Option<&'a str>, FieldFault> {
        match self.found(name)? {
            Found::Text(text) => Ok(Some(text)),
            Found::Missing | Found::Null => Ok(None),
            Found::Empty if self.strictness.empty_is_absent => Ok(None),
            Found::Empty => Err(self.fault(name, "must not be empty; leave it out or send null")),
        }
    }

    fn longest(&self, name: &str, text: &'a str, max: usize) -> Result<&'a str, FieldFault> {
        if text.chars().nth(max).is_some() {
            return Err(self.fault(name, format!("longer than {max} characters")));
        }
        Ok(text)
    }

    fn one_line(&self, name: &str, text: &'a str) -> Result<&'a str, FieldFault> {
        if is_blank(text) {
            return Err(self.fault(name, "must not be blank"));
        }
        if text.chars().any(char::is_control) {
            return Err(self.fault(name, "must not hold control characters"));
        }
        Ok(text)
    }
}

/// Does this text show nothing? A merchant called U+200B or U+3164 would ask without a name.
pub fn is_blank(text: &str) -> bool {
    // Letters and signs that are drawn as nothing: Hangul fillers, the empty Braille cell, joiners and selectors.
    let filler = |letter: char| {
        matches!(letter, '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0100}'..='\u{E01EF}')
    };
    let nothing = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || filler(letter)
            || letter.general_category() == GeneralCategory::Format
    };
    text.chars().all(nothing)
}

fn is_value(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Strictness = Strictness::ALIPAY_PLUS;

    /// What `read` says of `body` in the mode: `Debug` of its answer, or the fault.
    #[track_caller]
    fn check<T: std::fmt::Debug>(
        mode: Strictness,
        body: &str,
        read: impl Fn(&Fields<'_>) -> Result<T, FieldFault>,
        expected: &str,
    ) {
        let json = json::parse(body.as_bytes()).unwrap();
        let said = match Fields::of(&json, mode).and_then(|fields| read(&fields)) {
            Ok(value) => format!("{value:?}"),
            Err(fault) => fault.to_string(),
        };
        assert_eq!(said, expected, "{body}");
    }

    #[test]
    fn a_required_text_is_a_string_with_something_in_it() {
        let read = |fields: &Fields<'_>| fields.required_text("a", 3).map(str::to_owned);
        for (mode, body, expected) in [
            (STRICT, r#"{"a":"xyz"}"#, "\"xyz\""),
            (STRICT, r#"{"a":"\u0639\ud83d\ude00z"}"#, "\"ع😀z\""),
            (STRICT, r#"{"a":"wxyz"}"#, "a: longer than 3 characters"),
            (STRICT, r#"{"A":"x"}"#, "a: required, but missing"),
            (STRICT, r#"{"a":null}"#, "a: required, but null"),
            (STRICT, r#"{"a":""}"#, "a: must not be empty"),
            (Strictness::QI, r#"{"a":""}"#, "a: must not be empty"),
            (STRICT, r#"{"a":7}"#, "a: must be a string, not a number"),
            (Strictness::QI, r#"{"a":7}"#, "a: must be a string, not a number"),
            (STRICT, r#"{"a":true}"#, "a: must be a string, not a boolean"),
            (STRICT, r#"{"a":["x"]}"#, "a: must be a string, not an array"),
            (STRICT, r#"[]"#, "body: must be an object, not an array"),
        ] {
            check(mode, body, read, expected);
        }
    }

    #[test]
    fn an_optional_text_may_be_absent_in_the_ways_of_its_mode() {
        let read = |fields: &Fields<'_>| fields.optional_text("a", 5).map(|text| text.map(str::to_owned));
        for (mode, body, expected) in [
            (STRICT, r#"{}"#, "None"),
            (STRICT, r#"{"a":null}"#, "None"),
            (STRICT, r#"{"a":""}"#, "a: must not be empty; leave it out or send null"),
            (Strictness::ALIPAY_PLUS_LENIENT, r#"{"a":""}"#, "None"),
            (Strictness::QI, r#"{"a":""}"#, "None"),
            (STRICT, r#"{"a":false}"#, "a: must be a string, not a boolean"),
            (Strictness::ALIPAY_PLUS_LENIENT, r#"{"a":false}"#, "Some(\"false\")"),
            (Strictness::QI, r#"{"a":false}"#, "a: must be a string, not a boolean"),
            (Strictness::ALIPAY_PLUS_LENIENT, r#"{"a":1}"#, "a: must be a string, not a number"),
            (STRICT, r#"{"a":"abcdef"}"#, "a: longer than 5 characters"),
        ] {
            check(mode, body, read, expected);
        }
    }

    #[test]
    fn ids_codes_and_lists_have_their_own_rules() {
        check(
            STRICT,
            r#"{"a":"x\ny"}"#,
            |f| f.required_id("a", 9).map(str::len),
            "a: must not hold control characters",
        );
        check(
            STRICT,
            r#"{"a":"x\u0085"}"#,
            |f| f.optional_id("a", 9).map(|_| ()),
            "a: must not hold control characters",
        );
        check(STRICT, r#"{"a":"x\ny"}"#, |f| f.required_text("a", 9).map(str::len), "3");
        check(STRICT, r#"{"a":"éé"}"#, |f| f.required_text_bytes("a", 4).map(str::len), "4");
        check(
            STRICT,
            r#"{"a":"ééa"}"#,
            |f| f.required_text_bytes("a", 4).map(str::len),
            "a: longer than 4 bytes",
        );
        let one = |f: &Fields<'_>| f.required_one_of("a", &["WEB", "WAP", "APP"]).map(str::to_owned);
        check(STRICT, r#"{"a":"WAP"}"#, one, "\"WAP\"");
        check(STRICT, r#"{"a":"wap"}"#, one, "a: must be one of WEB, WAP, APP");
        let flag = |f: &Fields<'_>| f.optional_boolean("a");
        check(STRICT, r#"{"a":"true"}"#, flag, "Some(true)");
        check(STRICT, r#"{"a":"yes"}"#, flag, "a: must be one of true, false");
        check(STRICT, r#"{"a":true}"#, flag, "a: must be a string, not a boolean");
        check(Strictness::ALIPAY_PLUS_LENIENT, r#"{"a":true}"#, flag, "Some(true)");
        check(STRICT, r#"{}"#, flag, "None");
        let list = |f: &Fields<'_>| f.required_text_array("a", 3).map(|items| items.join("+"));
        check(STRICT, r#"{"a":["x","y"]}"#, list, "\"x+y\"");
        check(STRICT, r#"{"a":[]}"#, list, "a: must not be empty");
        check(STRICT, r#"{"a":"x"}"#, list, "a: must be an array, not a string");
        check(STRICT, r#"{"a":["x",1]}"#, list, "a[1]: must be a string, not a number");
        check(STRICT, r#"{"a":["x",""]}"#, list, "a[1]: must not be empty");
        check(STRICT, r#"{"a":["long"]}"#, list, "a[0]: longer than 3 characters");
        check(STRICT, &format!("{{\"a\":[{}\"x\"]}}", "\"x\",".repeat(100)), list, "a: more than 100 items");
    }

    #[test]
    fn an_amount_is_a_currency_and_digits() {
        let read = |fields: &Fields<'_>| {
            fields.required_amount("p").map(|amount| format!("{} {}", amount.currency, amount.value))
        };
        const VALUE: &str = "p.value: must be 1 to 16 digits above zero, without sign or leading zero";
        let text = |value: &str| format!(r#"{{"p":{{"currency":"IQD","value":{value}}}}}"#);
        for (mode, value, expected) in [
            (STRICT, "\"25000000\"", "\"IQD 25000000\""),
            (STRICT, "\"9999999999999999\"", "\"IQD 9999999999999999\""),
            (STRICT, "\"10000000000000000\"", VALUE),
            (STRICT, "\"0\"", VALUE),
            (STRICT, "\"01\"", VALUE),
            (STRICT, "\"-1\"", VALUE),
            (STRICT, "\"+1\"", VALUE),
            (STRICT, "\"1.0\"", VALUE),
            (STRICT, "\" 1\"", VALUE),
            (STRICT, "\"١\"", VALUE),
            (STRICT, "\"\"", "p.value: must not be empty"),
            (STRICT, "5", "p.value: must be a string, not a number"),
            (Strictness::ALIPAY_PLUS_LENIENT, "5", "p.value: must be a string, not a number"),
            (Strictness::QI, "5", "\"IQD 5\""),
            (Strictness::QI, "0", VALUE),
            (Strictness::QI, "-5", VALUE),
            (Strictness::QI, "5.0", VALUE),
            (Strictness::QI, "5e3", VALUE),
            (Strictness::QI, "99999999999999999", VALUE),
        ] {
            check(mode, &text(value), read, expected);
        }
        check(
            STRICT,
            r#"{"p":{"currency":"iqd","value":"1"}}"#,
            read,
            "p.currency: must be three capital letters",
        );
        check(STRICT, r#"{"p":{"value":"1"}}"#, read, "p.currency: required, but missing");
        check(STRICT, r#"{"p":"1"}"#, read, "p: must be an object, not a string");
        check(STRICT, r#"{}"#, read, "p: required, but missing");
        let optional = |fields: &Fields<'_>| fields.optional_amount("p").map(|amount| amount.is_some());
        check(STRICT, r#"{"p":null}"#, optional, "false");
        check(STRICT, r#"{"p":""}"#, optional, "p: must be an object, not a string");
        check(Strictness::QI, r#"{"p":""}"#, optional, "false");
        check(STRICT, r#"{"p":{"currency":"HKD","value":"599"}}"#, optional, "true");
    }

    #[test]
    fn nested_members_are_named_from_the_outside() {
        let read = |f: &Fields<'_>| {
            f.required_object("a")?.required_object("b")?.required_text("c", 1).map(str::len)
        };
        check(STRICT, r#"{"a":{"b":{"c":"xy"}}}"#, read, "a.b.c: longer than 1 characters");
        check(STRICT, r#"{"a":{"b":[]}}"#, read, "a.b: must be an object, not an array");
        check(STRICT, r#"{"a":{"b":{}}}"#, read, "a.b.c: required, but missing");
        let inner = |f: &Fields<'_>| {
            let (_, json) = f.required_json_text("e", 99)?;
            Fields::at(&json, "e", STRICT)?.required_text("language", 9).map(str::to_owned)
        };
        check(STRICT, r#"{"e":"{\"language\":\"ar-IQ\"}"}"#, inner, "\"ar-IQ\"");
        check(STRICT, r#"{"e":"{}"}"#, inner, "e.language: required, but missing");
        check(STRICT, r#"{"e":"[]"}"#, inner, "e: must be an object, not an array");
        check(STRICT, r#"{"e":"{"}"#, inner, "e: malformed JSON: EOF while parsing an object at byte 1");
    }

    #[test]
    fn urls_times_and_raw_members_are_read() {
        let url =
            |f: &Fields<'_>| f.optional_url("u", 30, UrlRule::web(false)).map(|url| url.map(|url| url.text));
        check(STRICT, r#"{"u":"https://shop.example/n"}"#, url, "Some(\"https://shop.example/n\")");
        check(STRICT, r#"{"u":"http://shop.example/n"}"#, url, "u: must be https");
        check(STRICT, r#"{"u":"https://shop.example/abcdefghijk"}"#, url, "u: longer than 30 characters");
        check(STRICT, r#"{}"#, url, "None");
        let at = |f: &Fields<'_>| f.optional_datetime("t");
        check(STRICT, r#"{"t":"2026-01-15T09:30:00+03:00"}"#, at, "Some(1768458600000)");
        check(
            STRICT,
            r#"{"t":"1768458600000"}"#,
            at,
            "t: not an ISO 8601 time with offset, such as 2026-01-15T09:30:00+03:00",
        );
        let raw = |f: &Fields<'_>| Ok(f.optional_raw("r").map(json::to_text));
        check(STRICT, r#"{"r":{"b": 1,"a":[""]}}"#, raw, "Some(\"{\\\"b\\\":1,\\\"a\\\":[\\\"\\\"]}\")");
        check(STRICT, r#"{"r":null}"#, raw, "None");
    }
}
