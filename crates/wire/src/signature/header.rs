//! The `Signature` header: read leniently (decision 6), written in one of three forms (decision 7).
//!
//! `algorithm=RSA256, keyVersion=1, signature=<value>`; the official Alipay+ client needs exactly this order, three
//! items, and no raw `=` in the value. Nothing here knows keys or contents.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE_NO_PAD};

use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::SignatureFault;

/// Longest `Signature` header read, in bytes. A 4096-bit value with every character escaped has 2052.
pub const MAX_HEADER_BYTES: usize = 8192;
/// Most items read in one `Signature` header.
pub const MAX_HEADER_ITEMS: usize = 16;
/// Longest keyVersion, in characters.
pub const MAX_KEY_VERSION: usize = 32;

/// Standard alphabet, padding optional, no stray bits at the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The three characters of Base64 that are not unreserved.
const RESERVED: AsciiSet = AsciiSet::EMPTY.add(b'+').add(b'/').add(b'=');

/// How the bytes of a signature are written in the header (Qi 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Standard Base64 with padding, then percent-encoded: `%2B`, `%2F`, `%3D`. Alipay+ always; the default.
    #[default]
    Percent,
    /// Standard Base64 with padding.
    Plain,
    /// URL-safe Base64 without padding.
    Base64Url,
}

/// The one algorithm: RSASSA-PKCS1-v1_5 with SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `RSA256`, also written `SHA256withRSA`; the default when the item is absent.
    Rsa256,
}

/// A `Signature` header that was understood; nothing of it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeader {
    /// The algorithm named, or the default.
    pub algorithm: Algorithm,
    /// The key version named; absent means the newest key of the client.
    pub key_version: Option<String>,
    /// The decoded signature.
    pub value: Vec<u8>,
    /// The form the value was written in.
    pub encoding: Encoding,
}

/// What the `Signature` headers of one message say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The header; there must be exactly one. The faults of its structure come first, then keyVersion, then algorithm
    /// and value.
    pub header: Result<SignatureHeader, SignatureFault>,
    /// The form of the value in the first header, if one can be read at all, also when the header is refused: an answer
    /// to Qi mirrors it (decision 7).
    pub encoding: Option<Encoding>,
}

impl Reading {
    /// Reads the values of all `Signature` headers, once.
    pub fn of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Reading {
        let mut values = values.into_iter();
        let Some(value) = values.next() else {
            return Reading { header: Err(SignatureFault::Missing), encoding: None };
        };
        let items = match Items::read(value) {
            Ok(items) => items,
            Err(fault) => return Reading { header: Err(fault), encoding: None }.alone(values.next()),
        };
        let text = items.signature.filter(|text| !text.is_empty());
        let value = text.ok_or(SignatureFault::ValueMissing);
        let value = value.and_then(|text| decode(text).ok_or(SignatureFault::ValueEncoding));
        let encoding = value.as_ref().ok().map(|(_, encoding)| *encoding);
        Reading { header: items.judge(value), encoding }.alone(values.next())
    }

    fn alone(self, second: Option<&[u8]>) -> Reading {
        match second {
            Some(_) => Reading { header: Err(SignatureFault::Doubled), ..self },
            None => self,
        }
    }
}

/// Reads the values of all `Signature` headers of one message: [`Reading::header`].
pub fn parse<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Result<SignatureHeader, SignatureFault> {
    Reading::of(values).header
}

/// Writes the header's value: `algorithm=RSA256, keyVersion=1, signature=...`.
pub fn render(key_version: &str, signature: &[u8], encoding: Encoding) -> String {
    let value = match encoding {
        Encoding::Percent => utf8_percent_encode(&STANDARD.encode(signature), &RESERVED).to_string(),
        Encoding::Plain => STANDARD.encode(signature),
        Encoding::Base64Url => URL_SAFE_NO_PAD.encode(signature),
    };
    format!("algorithm=RSA256, keyVersion={key_version}, signature={value}")
}

/// Whether `text` may name a key version: 1 to 32 visible ASCII characters, no comma.
pub fn is_key_version(text: &str) -> bool {
    (1..=MAX_KEY_VERSION).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// The items we know, as sent. Unknown items were looked at only to find duplicates.
#[derive(Default)]
struct Items<'h> {
    algorithm: Option<&'h str>,
    key_version: Option<&'h str>,
    signature: Option<&'h str>,
}

impl<'h> Items<'h> {
    fn read(header: &'h [u8]) -> Result<Self, SignatureFault> {
        if header.len() > MAX_HEADER_BYTES {
            return Err(SignatureFault::TooLong);
        }
        if !header.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return Err(SignatureFault::Unparseable);
        }
        let header = std::str::from_utf8(header).map_err(|_| SignatureFault::Unparseable)?;
        let mut items = Items::default();
        let mut keys: Vec<&str> = Vec::new();
        for item in header.split(',').map(trim).filter(|item| !item.is_empty()) {
            // Base64 padding contains `=`: only the first one divides.
            let (key, value) = item.split_once('=').ok_or(SignatureFault::Unparseable)?;
            let (key, value) = (trim(key), trim(value));
            if key.is_empty() {
                return Err(SignatureFault::Unparseable);
            }
            if keys.iter().any(|seen| seen.eq_ignore_ascii_case(key)) {
                return Err(SignatureFault::DuplicateItem);
            }
            if keys.len() == MAX_HEADER_ITEMS {
                return Err(SignatureFault::TooLong);
            }
            keys.push(key);
            if key.eq_ignore_ascii_case("algorithm") {
                items.algorithm = Some(value);
            } else if key.eq_ignore_ascii_case("keyVersion") {
                items.key_version = Some(value);
            } else if key.eq_ignore_ascii_case("signature") {
                items.signature = Some(value);
            }
        }
        Ok(items)
    }

    /// Joins them with the value that was decoded.
    fn judge(
        self,
        value: Result<(Vec<u8>, Encoding), SignatureFault>,
    ) -> Result<SignatureHeader, SignatureFault> {
        if self.key_version.is_some_and(|version| !is_key_version(version)) {
            return Err(SignatureFault::KeyVersion);
        }
        let algorithm = match self.algorithm {
            None => Algorithm::Rsa256,
            Some(name) if name.eq_ignore_ascii_case("RSA256") => Algorithm::Rsa256,
            Some(name) if name.eq_ignore_ascii_case("SHA256withRSA") => Algorithm::Rsa256,
            Some(_) => return Err(SignatureFault::Algorithm),
        };
        let (value, encoding) = value?;
        Ok(SignatureHeader { algorithm, key_version: self.key_version.map(str::to_owned), value, encoding })
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The bytes and the form of a value, or `None` when it is not Base64 in any of them.
fn decode(text: &str) -> Option<(Vec<u8>, Encoding)> {
    let escaped = text.contains('%');
    // No form decoding: `+` stays `+`. An escaped space is a `+` that somebody decoded too often (Alipay+ 1.6).
    let plain: Cow<'_, [u8]> = percent_encoding::percent_decode_str(text).into();
    let has = |wanted: &[u8]| plain.iter().any(|byte| wanted.contains(byte));
    let (url_safe, spaced) = (has(b"-_"), escaped && has(b" "));
    let in_standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        b' ' if escaped => b'+',
        other => *other,
    };
    let unpadded = !plain.len().is_multiple_of(4) && !spaced && !has(b"+/=");
    let bytes = match url_safe || spaced {
        true => LENIENT.decode(plain.iter().map(in_standard).collect::<Vec<u8>>()),
        false => LENIENT.decode(&plain),
    };
    let bytes = bytes.ok()?;
    let encoding = match (escaped, url_safe || unpadded) {
        (true, _) => Encoding::Percent,
        (false, true) => Encoding::Base64Url,
        (false, false) => Encoding::Plain,
    };
    (!bytes.is_empty()).then_some((bytes, encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<SignatureHeader, SignatureFault> {
        parse([header.as_bytes()])
    }

    #[track_caller]
    fn reads(header: &str, version: Option<&str>, value: &[u8], encoding: Encoding) {
        let read = read(header).unwrap();
        assert_eq!(
            (read.key_version.as_deref(), read.value.as_slice(), read.encoding),
            (version, value, encoding)
        );
    }

    #[test]
    fn every_tolerated_writing_is_read() {
        use Encoding::*;
        let bytes: &[u8] = &[0xfb, 0xff, 0xbf, 0x01];
        reads("algorithm=RSA256, keyVersion=1, signature=%2B%2F%2B%2FAQ%3D%3D", Some("1"), bytes, Percent);
        reads("algorithm=RSA256,keyVersion=1,signature=%2b%2f%2b%2fAQ%3d%3d", Some("1"), bytes, Percent);
        reads("algorithm=RSA256, keyVersion=1, signature=+/+/AQ==", Some("1"), bytes, Plain);
        reads("algorithm=RSA256, keyVersion=1, signature=+/+/AQ", Some("1"), bytes, Plain);
        reads("algorithm=RSA256, keyVersion=1, signature=-_-_AQ", Some("1"), bytes, Base64Url);
        reads("algorithm=RSA256, keyVersion=1, signature=-_-_AQ==", Some("1"), bytes, Base64Url);
        reads("algorithm=RSA256, keyVersion=1, signature=AQID/w==", Some("1"), &[1, 2, 3, 255], Plain);
        reads("algorithm=RSA256, keyVersion=1, signature=AQIDBA", Some("1"), &[1, 2, 3, 4], Base64Url);
        // `+` beside an escape stays; an escaped space was a `+` once.
        reads("signature=+/%2B/AQ%3D%3D", None, bytes, Percent);
        reads("signature=%20/%20/AQ%3D%3D", None, bytes, Percent);
        // Order, case, spaces, unknown and empty items, the alias, a missing algorithm.
        reads(" signature = +/+/AQ== ,\tKEYVERSION=v-2 , Algorithm=rsa256", Some("v-2"), bytes, Plain);
        reads("Signature=+/+/AQ==, algorithm=sha256WITHrsa, note=x=y, ,", None, bytes, Plain);
        reads("keyVersion=0,signature=+/+/AQ==", Some("0"), bytes, Plain);
    }

    #[test]
    fn every_other_writing_is_refused_by_name() {
        use SignatureFault as F;
        let long_version = format!("keyVersion={}, signature=AQ==", "v".repeat(33));
        let many = (0..17).map(|n| format!("i{n}=,")).collect::<String>();
        let huge = format!("signature={}", "A".repeat(MAX_HEADER_BYTES));
        for (header, fault) in [
            ("", F::ValueMissing),
            ("signature=", F::ValueMissing),
            ("algorithm=RSA256, keyVersion=1", F::ValueMissing),
            ("AQ", F::Unparseable),
            ("algorithm=RSA256, keyVersion=1, AQ", F::Unparseable),
            ("=1, signature=AQ==", F::Unparseable),
            ("signature=AQ==\u{e9}", F::Unparseable),
            ("signature=AQ==\r\n", F::Unparseable),
            ("signature=AQ==, Signature=AQ==", F::DuplicateItem),
            ("keyVersion=1, keyversion=2, signature=AQ==", F::DuplicateItem),
            ("note=1, NOTE=1, signature=AQ==", F::DuplicateItem),
            ("algorithm=RSA512, signature=AQ==", F::Algorithm),
            ("algorithm=ECC224, signature=AQ==", F::Algorithm),
            ("algorithm=, signature=AQ==", F::Algorithm),
            ("algorithm=none, signature=AQ==", F::Algorithm),
            ("keyVersion=, signature=AQ==", F::KeyVersion),
            ("keyVersion=1 2, signature=AQ==", F::KeyVersion),
            (&long_version, F::KeyVersion),
            ("signature=A", F::ValueEncoding),
            ("signature=AQ===", F::ValueEncoding),
            ("signature=====", F::ValueEncoding),
            ("signature=%", F::ValueEncoding),
            ("signature=%FF%FE", F::ValueEncoding),
            ("signature=A Q==", F::ValueEncoding),
            ("signature=AQ%253D%253D", F::ValueEncoding),
            ("signature=AR==", F::ValueEncoding),
            ("signature=\"AQ==\"", F::ValueEncoding),
            (&many, F::TooLong),
            (&huge, F::TooLong),
        ] {
            assert_eq!(read(header), Err(fault), "{header}");
        }
        assert_eq!(parse([]), Err(F::Missing));
        assert_eq!(parse([b"signature=AQ==".as_slice(), b"signature=AQ=="]), Err(F::Doubled));
    }

    #[test]
    fn a_refused_header_still_tells_its_form() {
        let used = |header: &str| Reading::of([header.as_bytes()]).encoding;
        assert_eq!(used("algorithm=ECC224, signature=+/+/AQ=="), Some(Encoding::Plain));
        assert_eq!(used("keyVersion=, signature=-_-_AQ"), Some(Encoding::Base64Url));
        assert_eq!(used("signature=%2B%2F%2B%2FAQ%3D%3D"), Some(Encoding::Percent));
        assert_eq!((used("signature=A"), used("x"), Reading::of([]).encoding), (None, None, None));
    }
}
