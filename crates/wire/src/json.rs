//! Strict JSON: what arrives is read once, whole, and kept as received (decision 10).
//!
//! serde_json reads; this file adds what it leaves open: duplicate members, NUL, depth and positions. Which members
//! an operation needs is read from the result by `fields`.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 32;

/// Objects with more members look their names up in a set: names come from strangers.
const FEW_MEMBERS: usize = 16;

/// A JSON value with its members in the order received.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; only whole numbers of 64 bits are kept exactly.
    Number(serde_json::Number),
    /// A number beyond what 64 bits can hold, as it was written.
    Beyond(String),
    /// A text without NUL.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; no name occurs twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member `name` of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, for messages: `a string`, `an object`.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) | Json::Beyond(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }
}

/// Why a body is not read. Displayed as `duplicate member authState at byte 17`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {position}")]
pub struct JsonFault {
    /// What is wrong, with the member's path where there is one.
    pub reason: String,
    /// How many bytes had been read when it was noticed.
    pub position: usize,
}

/// Reads one JSON value, surrounded by white space at most.
pub fn parse(bytes: &[u8]) -> Result<Json, JsonFault> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(JsonFault { reason: "body begins with a byte order mark".to_owned(), position: 0 });
    }
    // Checked first: serde_json does not look into what it skips.
    if let Err(fault) = std::str::from_utf8(bytes) {
        return Err(JsonFault {
            reason: "body is not valid UTF-8".to_owned(),
            position: fault.valid_up_to(),
        });
    }
    match read(bytes, VecDeque::new()) {
        // Such a number may be in a member that nobody looks at, where it must do no harm.
        Err(fault) if fault.reason.ends_with(OUT_OF_RANGE) => {
            let (bytes, beyond) = set_aside(bytes);
            read(&bytes, beyond)
        }
        read => read,
    }
}

/// How serde_json ends when a number is too large for it.
const OUT_OF_RANGE: &str = "number out of range";

fn read(bytes: &[u8], beyond: VecDeque<String>) -> Result<Json, JsonFault> {
    let (ours, beyond) = (RefCell::new(None), RefCell::new(beyond));
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let seed = Seed { depth: 1, path: Path::Root, fault: &ours, beyond: &beyond };
    let read = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|fault| JsonFault {
        position: offset(bytes, fault.line(), fault.column()),
        reason: ours.take().unwrap_or_else(|| reason(&fault)),
    })
}

/// Takes the numbers that are too large out of a body, each replaced by a minus zero of the same length, so that the
/// places of faults stay true. A minus zero that was there already is taken out as well: which one is read, the order tells.
fn set_aside(bytes: &[u8]) -> (Vec<u8>, VecDeque<String>) {
    let (mut replaced, mut beyond) = (bytes.to_vec(), VecDeque::new());
    let (mut index, mut in_string) = (0, false);
    while let Some(byte) = bytes.get(index) {
        let rest = bytes.get(index..).unwrap_or_default();
        let length = match byte {
            b'"' => {
                in_string = !in_string;
                1
            }
            b'\\' if in_string => 2,
            b'-' | b'0'..=b'9' if !in_string => rest
                .iter()
                .take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
                .count(),
            _ => 1,
        };
        let token = rest.get(..length).and_then(|token| std::str::from_utf8(token).ok()).unwrap_or_default();
        let number = token.parse::<f64>().ok().filter(|_| !in_string && matches!(byte, b'-' | b'0'..=b'9'));
        if number.is_some_and(|number| number.is_infinite() || is_minus_zero(number)) {
            beyond.push_back(token.to_owned());
            let zeros = b"-0.".iter().chain(std::iter::repeat(&b'0'));
            let place = replaced.iter_mut().skip(index).take(length);
            // What is too large is written in five characters at least; a minus zero may stay what it is.
            if number.is_some_and(f64::is_infinite) {
                place.zip(zeros).for_each(|(place, zero)| *place = *zero);
            }
        }
        index += length;
    }
    (replaced, beyond)
}

fn is_minus_zero(number: f64) -> bool {
    number == 0.0 && number.is_sign_negative()
}

/// Writes compact JSON, members in the order received.
pub fn to_text(json: &Json) -> String {
    let mut text = String::new();
    write(json, &mut text);
    text
}

fn write(json: &Json, text: &mut String) {
    match json {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Number(number) => text.push_str(&number.to_string()),
        Json::Beyond(digits) => text.push_str(digits),
        Json::String(string) => write_string(string, text),
        Json::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Json::Object(members) => {
            text.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(name, text);
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    text.push_str(&text_of(string));
}

/// What goes out as text: a value, or a string. Neither can fail to be written; `Value`'s own Display says the same, piece
/// by piece through a formatter.
pub(crate) fn text_of(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).unwrap_or_default()
}

/// Where a value stands; built on the stack, written out only for a fault.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Member(Path::Root, name) => f.write_str(&shown(name)),
            Path::Member(parent, name) => write!(f, "{parent}.{}", shown(name)),
            Path::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A stranger's name, fit for a message: printable and short.
pub(crate) fn shown(name: &str) -> String {
    let mut text: String =
        name.chars().take(64).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if name.chars().nth(64).is_some() {
        text.push('…');
    }
    text
}

#[derive(Clone, Copy)]
struct Seed<'s> {
    /// Depth of an array or object read here; the outermost has 1.
    depth: usize,
    path: Path<'s>,
    /// Our own reasons pass serde_json on the side, so that its errors need no taking apart.
    fault: &'s RefCell<Option<String>>,
    /// Numbers that were set aside, in the order of the body.
    beyond: &'s RefCell<VecDeque<String>>,
}

impl Seed<'_> {
    fn refuse<E: Error>(&self, reason: String) -> E {
        self.fault.replace(Some(reason));
        E::custom("refused")
    }

    fn place(&self) -> String {
        match self.path.to_string() {
            path if path.is_empty() => "body".to_owned(),
            path => path,
        }
    }

    fn enter<E: Error>(&self) -> Result<(), E> {
        if self.depth > MAX_DEPTH {
            return Err(self.refuse(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn text<E: Error>(&self, text: String) -> Result<Json, E> {
        if text.contains('\0') {
            return Err(self.refuse(format!("NUL character in {}", self.place())));
        }
        Ok(Json::String(text))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        if is_minus_zero(value)
            && let Some(digits) = self.beyond.borrow_mut().pop_front()
        {
            return Ok(Json::Beyond(digits));
        }
        serde_json::Number::from_f64(value)
            .map(Json::Number)
            .ok_or_else(|| self.refuse(format!("number out of range in {}", self.place())))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        self.text(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        self.text(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        self.enter()?;
        let mut items = Vec::new();
        loop {
            let path = Path::Item(&self.path, items.len());
            match seq.next_element_seed(Seed { depth: self.depth + 1, path, ..self })? {
                Some(item) => items.push(item),
                None => return Ok(Json::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        self.enter()?;
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.contains('\0') {
                return Err(self.refuse(format!("NUL character in a member name of {}", self.place())));
            }
            if members.len() == FEW_MEMBERS {
                names.extend(members.iter().map(|(known, _)| known.clone()));
            }
            let known = if members.len() < FEW_MEMBERS {
                members.iter().any(|(known, _)| *known == name)
            } else {
                !names.insert(name.clone())
            };
            let path = Path::Member(&self.path, &name);
            if known {
                return Err(self.refuse(format!("duplicate member {path}")));
            }
            let value = map.next_value_seed(Seed { depth: self.depth + 1, path, ..self })?;
            members.push((name, value));
        }
        Ok(Json::Object(members))
    }
}

/// serde_json's reason without its ` at line 1 column 2`.
fn reason(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    format!("malformed JSON: {reason}")
}

/// serde_json counts lines from 1 and bytes within the line.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
    let start = std::iter::once(0).chain(starts).nth(line.saturating_sub(1)).unwrap_or(0);
    (start + column).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(body: &[u8], message: &str) {
        assert_eq!(parse(body).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_body_keeps_its_order_and_its_values() {
        let body = "{\"b\":[1,-2,true,null,{}],\"a\":\"\\u00e9\\ud83d\\ude00\\n\",\"\":18446744073709551615}";
        let json = parse(format!(" \r\n\t{body}\n").as_bytes()).unwrap();
        assert_eq!(to_text(&json), "{\"b\":[1,-2,true,null,{}],\"a\":\"é😀\\n\",\"\":18446744073709551615}");
        assert_eq!(json.get("a").and_then(Json::as_str), Some("é😀\n"));
        assert_eq!(parse(to_text(&json).as_bytes()), Ok(json));
        assert_eq!(parse(b"\"x\""), Ok(Json::String("x".into())));
        assert_eq!(parse(b" 7 "), Ok(Json::Number(7.into())));
    }

    #[test]
    fn duplicate_members_are_named_with_their_path() {
        refused(b"{\"a\":1,\"a\":2}", "duplicate member a at byte 10");
        refused(b"{\"a\":1,\"\\u0061\":2}", "duplicate member a at byte 15");
        refused(
            b"{\n\"x\":[{\"y\":0},\n{\"y\":{\"z\":1,\n\"z\":1}}]}",
            "duplicate member x[1].y.z at byte 32",
        );
        let many: String = (0..40).map(|n| format!("\"m{n}\":0,")).collect();
        assert!(parse(format!("{{{many}\"x\":0}}").as_bytes()).is_ok());
        for name in ["m0", "m15", "m16", "m39"] {
            let fault = parse(format!("{{{many}\"{name}\":0}}").as_bytes()).unwrap_err();
            assert_eq!(fault.reason, format!("duplicate member {name}"));
        }
    }

    #[test]
    fn what_is_not_strict_json_is_refused_at_its_byte() {
        refused(b"\xef\xbb\xbf{}", "body begins with a byte order mark at byte 0");
        refused(b"{\"a\":\"\xff\"}", "body is not valid UTF-8 at byte 6");
        refused(b"{} \xc0\x80", "body is not valid UTF-8 at byte 3");
        refused(b"{\"a\":\"\xed\xa0\x80\"}", "body is not valid UTF-8 at byte 6");
        refused(b"{\"a\":\"x\\u0000\"}", "NUL character in a at byte 14");
        refused(b"[{\"a\\u0000\":1}]", "NUL character in a member name of [0] at byte 11");
        refused(b"", "malformed JSON: EOF while parsing a value at byte 0");
        for (body, position) in [
            (b"{}x".as_slice(), 3),
            (b"{}{}", 3),
            (b"{}\0", 3),
            (b"{\"a\":\"\x00\"}", 6),
            (b"{\"a\":\"\x1f\"}", 6),
            (b"{\"a\":1,}", 8),
            (b"{a:1}", 2),
            (b"{'a':1}", 2),
            (b"{\"a\":01}", 7),
            (b"{\"a\":NaN}", 6),
            (b"[1 2]", 4),
            (b"{\"a\":1", 6),
            (b"\n\n{\"a\" 1}", 8),
            (b"// x\n{}", 1),
        ] {
            let fault = parse(body).unwrap_err();
            assert!(fault.reason.starts_with("malformed JSON: "), "{fault}");
            assert!(fault.position.abs_diff(position) <= 1, "{}: {fault}", body.escape_ascii());
        }
        for surrogate in ["\\ud800", "\\ud800x", "\\udc00", "\\ud800\\ud800", "\\ud83d\\u0041"] {
            assert!(parse(format!("{{\"a\":\"{surrogate}\"}}").as_bytes()).is_err(), "{surrogate}");
            assert!(parse(format!("{{\"{surrogate}\":1}}").as_bytes()).is_err(), "{surrogate}");
        }
    }

    #[test]
    fn a_number_beyond_64_bits_is_kept_as_written_and_harms_nobody() {
        for body in [
            "{\"a\":1e400,\"b\":-1E+999,\"c\":[-0,-0.0,1e309,0,\"1e400 \\\" 1e500\"],\"d\":1}",
            "[-0,1e309]",
            "1e999",
        ] {
            let json = parse(body.as_bytes()).unwrap();
            assert_eq!(to_text(&json), body);
            assert_eq!(parse(to_text(&json).as_bytes()), Ok(json));
        }
        let json = parse(b"{\"a\":1e400}").unwrap();
        assert_eq!(json.get("a"), Some(&Json::Beyond("1e400".to_owned())));
        assert_eq!(json.get("a").map(Json::kind), Some("a number"));
        let digits = "9".repeat(400);
        assert_eq!(to_text(&parse(digits.as_bytes()).unwrap()), digits);
        refused(b"{\"a\":1e400,\"a\":1}", "duplicate member a at byte 14");
        assert!(parse(b"{\"a\":1e400,\"b\":01}").is_err() && parse(b"[1e400e5]").is_err());
    }

    #[test]
    fn thirty_two_levels_are_read_and_no_more() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(parse(nested(32).as_bytes()).is_ok() && parse(objects(32).as_bytes()).is_ok());
        assert_eq!(parse(nested(33).as_bytes()).unwrap_err().reason, "nested deeper than 32 levels");
        assert_eq!(parse(objects(33).as_bytes()).unwrap_err().reason, "nested deeper than 32 levels");
        assert_eq!(parse("[".repeat(200_000).as_bytes()).unwrap_err().reason, "nested deeper than 32 levels");
    }

    #[test]
    fn a_strangers_name_cannot_swell_or_break_a_message() {
        let name = "\\u0007".repeat(500);
        let fault = parse(format!("{{\"{name}\":1,\"{name}\":1}}").as_bytes()).unwrap_err();
        assert_eq!(fault.reason.chars().count(), "duplicate member ".len() + 65);
        assert!(!fault.reason.contains('\u{7}'));
    }
}
