//! Why a signature does not match: tries what signers are known to get wrong, one thing at a time.
//!
//! It only explains. Whether a message is believed is decided in `call` and `receive`, by exact bytes.

use std::fmt;

use accord_wire::json;
use accord_wire::keys::PublicKey;
use accord_wire::signature::{self, SignatureFault};
use accord_wire::time;

/// A message to be looked at: the parts of its content, its `Signature` header and the signer's key.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query as sent.
    pub target: &'a str,
    /// Client-Id as sent.
    pub client_id: &'a str,
    /// Request-Time or Response-Time as sent.
    pub time: &'a str,
    /// The body as sent.
    pub body: &'a [u8],
    /// The value of the `Signature` header, or the bare value of the signature.
    pub signature: &'a str,
    /// The signer's public key.
    pub key: &'a PublicKey,
}

impl Check<'_> {
    /// The exact bytes that should have been signed.
    pub fn content(&self) -> Vec<u8> {
        signature::content_to_sign(
            self.method.as_bytes(),
            self.target.as_bytes(),
            self.client_id.as_bytes(),
            self.time.as_bytes(),
            self.body,
        )
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// The signature is good.
    Good,
    /// The header cannot be read, or its value cannot be this key's.
    Unreadable(SignatureFault),
    /// This was signed instead.
    Differs(&'static str),
    /// Another key, or other content: none of the known mistakes.
    Unknown {
        /// Length of the content that should have been signed.
        length: usize,
        /// Its SHA-256, lower-case hexadecimal.
        sha256: String,
    },
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Diagnosis::Good => f.write_str("the signature is good"),
            Diagnosis::Unreadable(fault) => write!(f, "{fault}"),
            Diagnosis::Differs(what) => write!(f, "the signer signed {what}"),
            Diagnosis::Unknown { length, sha256 } => write!(
                f,
                "signed with another key, or over other content; the content to sign has {length} bytes, SHA-256 {sha256}"
            ),
        }
    }
}

/// Checks, and when the signature is wrong looks for the first thing that explains it.
pub fn diagnose(check: &Check<'_>) -> Diagnosis {
    // A bare value reads like a header with the item's name in front.
    let bare = !check.signature.contains(',') && !check.signature.trim_start().starts_with("signature");
    let value = if bare { format!("signature={}", check.signature) } else { check.signature.to_owned() };
    let header = match signature::parse([value.as_bytes()]) {
        Ok(header) => header,
        Err(fault) => return Diagnosis::Unreadable(fault),
    };
    let content = check.content();
    match signature::verify(check.key, &content, &header) {
        Ok(()) => return Diagnosis::Good,
        Err(fault @ SignatureFault::ValueLength { .. }) => return Diagnosis::Unreadable(fault),
        Err(_) => {}
    }
    let found = mistakes(check).into_iter().find(|(_, content)| check.key.verifies(content, &header.value));
    match found {
        Some((what, _)) => Diagnosis::Differs(what),
        None => {
            let digest = signature::content_digest(&content);
            Diagnosis::Unknown { length: digest.length, sha256: digest.sha256 }
        }
    }
}

/// What signers have been seen to sign instead, each a single step away from the right content.
fn mistakes(check: &Check<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let content = check.content();
    let mut found = vec![
        ("a line feed after the body", [&content[..], b"\n"].concat()),
        ("CR LF after the body", [&content[..], b"\r\n"].concat()),
        ("the body alone", check.body.to_vec()),
    ];
    let (method, target, client_id, time) = (check.method, check.target, check.client_id, check.time);
    let crlf = format!("{method} {target}\r\n{client_id}.{time}.");
    found.push(("CR LF instead of a line feed after the path", [crlf.as_bytes(), check.body].concat()));
    let mut with = |what, target: &str, client_id: &str, time: &str, body: &[u8]| {
        let parts = [check.method, target, client_id, time].map(str::as_bytes);
        found.push((what, signature::content_to_sign(parts[0], parts[1], parts[2], parts[3], body)));
    };

    if let Some((path, _)) = target.split_once('?') {
        with("the path without its query", path, client_id, time, check.body);
    }
    for (start, _) in target.match_indices('/').skip(1) {
        with(
            "a part of the path, without what the path begins with",
            &target[start..],
            client_id,
            time,
            check.body,
        );
    }
    with("the path without its leading slash", target.trim_start_matches('/'), client_id, time, check.body);
    with("the path with a slash at its end", &format!("{target}/"), client_id, time, check.body);
    with("an empty Client-Id", target, "", time, check.body);
    with("an empty time", target, client_id, "", check.body);
    if let Ok(at) = time::parse_header_time(time) {
        let other = "another writing of the time than the header's";
        with(other, target, client_id, &at.to_string(), check.body);
        with(other, target, client_id, &time.replace("+00:00", "Z"), check.body);
        with(other, target, client_id, &time.replace('Z', "+00:00"), check.body);
        with(other, target, client_id, &time.replace('+', " "), check.body);
        with(other, target, client_id, &time::format_seconds(at, 0), check.body);
        with(other, target, client_id, &time::format_seconds(at, 0).replace("+00:00", "Z"), check.body);
        with(other, target, client_id, &time::format_millis(at, 0).replace("+00:00", "Z"), check.body);
    }
    for (what, body) in other_bodies(check.body) {
        with(what, target, client_id, time, &body);
    }
    for method in ["GET", "PUT", "post"] {
        let parts = [method, target, client_id, time].map(str::as_bytes);
        let content = signature::content_to_sign(parts[0], parts[1], parts[2], parts[3], check.body);
        found.push(("another method", content));
    }
    found
}

fn other_bodies(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut bodies = vec![
        ("an empty body", Vec::new()),
        ("the body without the white space around it", body.trim_ascii().to_vec()),
    ];
    let Ok(text) = std::str::from_utf8(body) else { return bodies };
    bodies.push(("the body with LF for CR LF", text.replace("\r\n", "\n").into_bytes()));
    bodies.push(("the body with CR LF for LF", text.replace('\n', "\r\n").into_bytes()));
    bodies.push(("the body with its slashes escaped", text.replace('/', "\\/").into_bytes()));
    bodies.push(("the body with its slashes not escaped", text.replace("\\/", "/").into_bytes()));
    bodies.push(("the body with its letters escaped as \\u", escaped(text).into_bytes()));
    if let Ok(read) = json::parse(body) {
        let compact = json::to_text(&read);
        bodies.push(("the JSON written anew, compact", compact.clone().into_bytes()));
        bodies.push(("the JSON written anew, letters escaped as \\u", escaped(&compact).into_bytes()));
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&compact) {
            bodies.push(("the JSON written anew, indented", format!("{value:#}").into_bytes()));
        }
    }
    bodies
}

/// Letters outside ASCII as `\uXXXX`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// Where two contents first differ, and in which part; nothing when they are equal.
pub fn first_difference(expected: &[u8], found: &[u8]) -> Option<String> {
    let shared = expected.iter().zip(found).take_while(|(one, other)| one == other).count();
    if shared == expected.len() && shared == found.len() {
        return None;
    }
    let show = |content: &[u8]| match content.get(shared..) {
        None | Some([]) => "the end".to_owned(),
        Some(rest) => format!("`{}`", rest.get(..24).unwrap_or(rest).escape_ascii()),
    };
    let before = expected.get(..shared).unwrap_or_default();
    let line_feed = before.iter().position(|byte| *byte == b'\n');
    let part = match line_feed.and_then(|end| before.get(end + 1..)) {
        None if !before.contains(&b' ') => "the method",
        None => "the path",
        // A dot inside Client-Id or time misleads this: it is a hint for people.
        Some(second) => match second.iter().filter(|byte| **byte == b'.').count() {
            0 => "the Client-Id",
            1 => "the time",
            _ => "the body",
        },
    };
    Some(format!(
        "first difference at byte {shared}, in {part}: {} expected, {} found",
        show(expected),
        show(found)
    ))
}
