//! The published vectors of the signed envelope, byte for byte, and what must hold for any input.

use std::path::PathBuf;

use accord_wire::fields::{Fields, Strictness, UrlRule};
use accord_wire::json::{self, Json};
use accord_wire::keys::{KeyFault, PrivateKey, PublicKey};
use accord_wire::signature::{self, Encoding, SignatureFault};
use accord_wire::time;
use proptest::prelude::*;

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/envelope").join(name);
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(file(name)).expect("text")
}

fn public(name: &str) -> PublicKey {
    PublicKey::parse(&text(&format!("{name}.pub.pem"))).expect("a public key")
}

fn private(name: &str) -> PrivateKey {
    PrivateKey::parse(&text(&format!("{name}.key.pem"))).expect("a private key")
}

struct Vector {
    lines: String,
    body: Vec<u8>,
}

impl Vector {
    fn read(name: &str) -> Self {
        Self { lines: text(&format!("{name}.txt")), body: file(&format!("{name}.body")) }
    }

    fn get(&self, key: &str) -> &str {
        let prefix = format!("{key}: ");
        self.lines
            .lines()
            .find_map(|line| line.strip_prefix(prefix.as_str()))
            .unwrap_or_else(|| panic!("no {key}"))
    }

    fn content_for(&self, uri: &str) -> Vec<u8> {
        let (client, at) = (self.get("clientId"), self.get("time"));
        signature::content_to_sign(b"POST", uri.as_bytes(), client.as_bytes(), at.as_bytes(), &self.body)
    }

    fn content(&self) -> Vec<u8> {
        self.content_for(self.get("uri"))
    }

    fn verify(&self, key: &PublicKey, content: &[u8]) -> Result<(), SignatureFault> {
        let header = signature::parse([self.get("signature").as_bytes()])?;
        signature::verify(key, content, &header)
    }
}

const SIGNED: [&str; 3] =
    ["alipay-plus-1-prepare-request", "alipay-plus-2-prepare-response", "alipay-plus-3-auth-notify-request"];
const ALL: [&str; 5] = [SIGNED[0], SIGNED[1], SIGNED[2], "qi-1-prepare-request", "qi-2-prepare-response"];

#[test]
fn every_content_has_the_published_length_and_hash() {
    for name in ALL {
        let vector = Vector::read(name);
        let digest = signature::content_digest(&vector.content());
        assert_eq!(digest.length.to_string(), vector.get("contentBytes"), "{name}");
        assert_eq!(digest.sha256, vector.get("contentSha256"), "{name}");
        assert!(time::parse_header_time(vector.get("time")).is_ok(), "{name}");
        assert!(matches!(json::parse(&vector.body), Ok(Json::Object(_))), "{name}");
    }
    let digest = signature::content_digest(b"");
    let empty = "0 bytes, SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(digest.to_string(), empty);
}

#[test]
fn every_published_header_is_reproduced_and_verified() {
    for name in SIGNED {
        let vector = Vector::read(name);
        let key = private(vector.get("key"));
        assert_eq!(key.public_key().pem(), text(&format!("{}.pub.pem", vector.get("key"))));
        let value = key.sign(&vector.content()).unwrap();
        assert_eq!(signature::render("1", &value, Encoding::Percent), vector.get("signature"), "{name}");
        let header = signature::parse([vector.get("signature").as_bytes()]).unwrap();
        assert_eq!((header.key_version.as_deref(), header.encoding), (Some("1"), Encoding::Percent));
        assert_eq!(vector.verify(&public(vector.get("key")), &vector.content()), Ok(()), "{name}");
    }
}

#[test]
fn what_must_fail_fails() {
    let first = Vector::read(SIGNED[0]);
    let mut longer = first.content();
    longer.push(b'\n');
    assert_eq!(first.verify(&public("network"), &longer), Err(SignatureFault::Mismatch));
    assert_eq!(first.verify(&public("wallet"), &first.content()), Err(SignatureFault::Mismatch));
    let third = Vector::read(SIGNED[2]);
    let (path, _) = third.get("uri").split_once('?').unwrap();
    assert_eq!(third.verify(&public("wallet"), &third.content_for(path)), Err(SignatureFault::Mismatch));
}

#[test]
fn a_value_of_another_length_is_refused_before_the_key_is_used() {
    let vector = Vector::read(SIGNED[0]);
    let mut header = signature::parse([vector.get("signature").as_bytes()]).unwrap();
    header.value.insert(0, 0);
    let fault = SignatureFault::ValueLength { got: 257, expected: 256 };
    assert_eq!(signature::verify(&public("network"), &vector.content(), &header), Err(fault));
    header.value = vec![0; 256];
    let mismatch = signature::verify(&public("network"), &vector.content(), &header);
    assert_eq!(mismatch, Err(SignatureFault::Mismatch));
}

#[test]
fn the_papers_own_bodies_are_read() {
    let body = json::parse(&file("seed-alipay-plus-prepare.json")).unwrap();
    let fields = Fields::of(&body, Strictness::ALIPAY_PLUS).unwrap();
    assert_eq!(fields.required_id("authState", 256).unwrap(), "663A8FA9-D836-48EE-8AA1-1FF682989DC7");
    assert_eq!(fields.required_text_array("scopes", 64).unwrap(), ["AGREEMENT_PAY"]);
    assert_eq!(fields.required_one_of("terminalType", &["WEB", "WAP", "APP"]).unwrap(), "APP");
    let back = fields.required_url("authRedirectUrl", 1024, UrlRule::redirect(false, &[])).unwrap();
    assert_eq!(back.text, "https://www.merchant.com/authenticationResult?param1=123&param2=234");
    assert!(fields.optional_url("authNotifyUrl", 2048, UrlRule::web(false)).unwrap().is_some());
    assert_eq!(fields.optional_text("userAgent", 1024).unwrap(), None);

    let body = json::parse(&file("seed-qi-prepare.json")).unwrap();
    let fields = Fields::of(&body, Strictness::QI).unwrap();
    assert_eq!(fields.required_text("scopes", 16).unwrap(), "AGREEMENT_PAY");
    let (text, inner) = fields.required_json_text("extendInfo", 4096).unwrap();
    assert_eq!(json::to_text(&inner), text);
    let inner = Fields::at(&inner, "extendInfo", Strictness::QI).unwrap();
    assert_eq!(inner.required_one_of("language", &["en-US", "ar-IQ"]).unwrap(), "en-US");
}

#[test]
fn a_key_is_the_same_in_both_private_forms() {
    let pkcs1 = text("wallet.pkcs1.pem");
    let content = b"content";
    let signature = private("wallet").sign(content).unwrap();
    assert_eq!(PrivateKey::parse(&pkcs1).unwrap().sign(content).unwrap(), signature);
    let bare: String = pkcs1.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(PrivateKey::parse(&bare).unwrap().sign(content).unwrap(), signature);
}

#[test]
fn keys_of_other_sizes_and_kinds_are_refused() {
    let refused = |name: &str| PublicKey::parse(&text(&format!("refused-{name}.pub.pem"))).unwrap_err();
    assert_eq!(refused("rsa-1024"), KeyFault::Size);
    assert_eq!(refused("rsa-5120"), KeyFault::Size);
    assert_eq!(refused("p256"), KeyFault::NotRsa("SubjectPublicKeyInfo"));
    assert_eq!(refused("rsa-pss"), KeyFault::NotRsa("SubjectPublicKeyInfo"));
    assert!(matches!(refused("pkcs1"), KeyFault::WrongLabel { found, .. } if found == "RSA PUBLIC KEY"));
    let bare: String = text("refused-pkcs1.pub.pem").lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(PublicKey::parse(&bare).unwrap_err(), KeyFault::NotRsa("SubjectPublicKeyInfo"));
    let encrypted = PrivateKey::parse(&text("refused-encrypted.key.pem")).unwrap_err();
    assert!(matches!(encrypted, KeyFault::WrongLabel { found, .. } if found == "ENCRYPTED PRIVATE KEY"));
}

/// Texts that look like JSON more often than random bytes do.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&str; 20] = [
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\u0000", "\\ud83d", "\\", "1", "-", "e", ".", "true",
        "null", "\n", "\0", "é",
    ];
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)
        .prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_signature_survives_all_three_forms(value in prop::collection::vec(any::<u8>(), 1..600)) {
        for encoding in [Encoding::Percent, Encoding::Plain, Encoding::Base64Url] {
            let header = signature::render("v.1", &value, encoding);
            let read = signature::parse([header.as_bytes()]).unwrap();
            prop_assert_eq!(&read.value, &value);
            prop_assert_eq!(read.key_version.as_deref(), Some("v.1"));
            let [first, second, third] = header.split(',').collect::<Vec<_>>()[..] else { panic!("not three items") };
            prop_assert!(first == "algorithm=RSA256" && second == " keyVersion=1".replace('1', "v.1"));
            // The official client drops a value that splits at `=` into more than two parts.
            prop_assert!(encoding != Encoding::Percent || third.split('=').count() == 2);
        }
    }

    #[test]
    fn a_2048_bit_signature_tells_its_form(value in prop::collection::vec(any::<u8>(), 256)) {
        for encoding in [Encoding::Percent, Encoding::Plain, Encoding::Base64Url] {
            let header = signature::render("1", &value, encoding);
            prop_assert_eq!(signature::parse([header.as_bytes()]).unwrap().encoding, encoding);
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = signature::parse([bytes.as_slice()]);
        let _ = signature::Reading::of([bytes.as_slice()]);
        let _ = json::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = time::parse_header_time(&text);
        let _ = PublicKey::parse(&text);
        let _ = PrivateKey::parse(&text);
        let _ = accord_wire::fields::check_url(&text, UrlRule::redirect(true, &[]));
    }

    #[test]
    fn whatever_is_read_as_json_is_written_and_read_the_same(bytes in json_like()) {
        if let Ok(json) = json::parse(&bytes) {
            prop_assert_eq!(json::parse(json::to_text(&json).as_bytes()), Ok(json));
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        }
    }

    #[test]
    fn header_like_texts_never_panic(parts in prop::collection::vec("(algorithm|keyVersion|signature|x)?[=,% A-Za-z0-9+/_-]{0,12}", 0..6)) {
        let header = parts.join(",");
        if let Ok(read) = signature::parse([header.as_bytes()]) {
            prop_assert_eq!(signature::Reading::of([header.as_bytes()]).encoding, Some(read.encoding));
        }
    }

    #[test]
    fn time_like_texts_never_panic(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{0,20})?(Z|[+-][0-9]{2}:?[0-9]{2})?", offset in any::<i32>()) {
        if let Ok(ms) = time::parse_header_time(&text) {
            prop_assert_eq!(time::parse_iso(&time::format_millis(ms, 0)), Ok(ms));
            let _ = time::format_seconds(ms, offset);
        }
    }
}
