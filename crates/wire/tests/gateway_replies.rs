//! What is sent back: status, headers and the bytes that are signed; and what acknowledgements mean.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod gateway_support;

use accord_core::notification::retry::Delivery;
use accord_core::secret::DerivationKeys;
use accord_core::store::{self, StoreFault};
use accord_core::{Refusal, Stop, Timestamp};
use accord_testkit::model::ModelStore;
use accord_wire::dialect::{Answer, Fault, Status};
use accord_wire::directory::Directory;
use accord_wire::gateway::{
    Gateway, GatewayOptions, Mount, Opened, Outbound, Replied, ReplyEnvelope, Request, acknowledgement,
    outbound_content,
};
use accord_wire::signature::{self, Encoding, Signed};
use gateway_support::*;

fn envelope(request: &Request) -> ReplyEnvelope {
    match open(request) {
        Opened::Accepted(accepted) => accepted.envelope,
        Opened::Refused(declined) => declined.envelope,
    }
}

fn sign(envelope: &ReplyEnvelope, body: &[u8], time: &str) -> Vec<(&'static str, String)> {
    let signature = private("wallet").sign(&envelope.content(body, time)).unwrap();
    envelope.headers(Some(&Signed { key_version: "1".into(), signature }), time)
}

fn header<'h>(headers: &'h [(&'static str, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_published_reply_is_signed_byte_for_byte() {
    let target = "/aps/api/v1/authorizations/prepare".to_owned();
    let mut request = Request { method: "POST".into(), target, ..Request::default() };
    add(&mut request, "client-id", "TEST_MPP_000000001");
    let body = vector("alipay-plus-2-prepare-response.body");
    let headers = sign(&envelope(&request), &body, "2026-01-02T03:04:06+08:00");
    let published = String::from_utf8(vector("alipay-plus-2-prepare-response.txt")).unwrap();
    let value = published.lines().find_map(|line| line.strip_prefix("signature: ")).unwrap();
    assert_eq!(header(&headers, "signature"), Some(value));
    assert_eq!(header(&headers, "client-id"), Some("TEST_MPP_000000001"));
    assert_eq!(header(&headers, "response-time"), Some("2026-01-02T03:04:06+08:00"));
    assert_eq!(header(&headers, "content-type"), Some("application/json; charset=UTF-8"));
}

#[test]
fn a_reply_is_signed_over_the_request_line_as_received() {
    let request = Call { target: "/v1/payments/pay?a=%2f&b".into(), ..Call::qi() }.signed();
    let envelope = envelope(&request);
    assert_eq!(envelope.response_time(Timestamp(NOW + 999)), NOW_TEXT);
    let expected = format!("POST /v1/payments/pay?a=%2f&b\nQI.{NOW_TEXT}.{{}}");
    assert_eq!(envelope.content(b"{}", NOW_TEXT), expected.as_bytes());
    let headers = sign(&envelope, b"{}", NOW_TEXT);
    let read = signature::parse([header(&headers, "signature").unwrap().as_bytes()]).unwrap();
    assert_eq!(signature::verify(&public("wallet"), expected.as_bytes(), &read), Ok(()));
    assert_eq!(header(&envelope.headers(None, NOW_TEXT), "signature"), None);
}

#[test]
fn a_client_id_that_cannot_be_echoed_is_signed_as_empty() {
    let spoils: [fn(&mut Request); 4] = [
        |r| drop_header(r, "client-id"),
        |r| add(r, "client-id", "QI"),
        |r| set(r, "client-id", &"x".repeat(65)),
        |r| set(r, "client-id", "Q I"),
    ];
    for spoil in spoils {
        let mut request = Call::qi().signed();
        spoil(&mut request);
        let envelope = envelope(&request);
        assert!(envelope.content(b"{}", "t").ends_with(b"\n.t.{}"));
        assert_eq!(header(&envelope.headers(None, "t"), "client-id"), None);
    }
    let stranger = Call { client_id: "NOBODY", ..Call::qi() }.signed();
    assert_eq!(header(&envelope(&stranger).headers(None, "t"), "client-id"), Some("NOBODY"));
}

#[test]
fn qi_mirrors_the_form_of_the_signature_and_alipay_plus_does_not() {
    for encoding in [Encoding::Percent, Encoding::Plain, Encoding::Base64Url] {
        assert_eq!(envelope(&Call { encoding, ..Call::qi() }.signed()).encoding, encoding);
        assert_eq!(envelope(&Call { encoding, ..Call::plus() }.signed()).encoding, Encoding::Percent);
    }
    let mut unreadable = Call::qi().signed();
    set(&mut unreadable, "signature", "?");
    assert_eq!(envelope(&unreadable).encoding, Encoding::Percent);
    let mut refused = Call { encoding: Encoding::Plain, ..Call::qi() }.signed();
    refused.body.push(b' ');
    assert_eq!(envelope(&refused).encoding, Encoding::Plain);
}

#[test]
fn only_two_replies_are_not_200() {
    let mut large = Call::plus().signed();
    large.too_large = true;
    assert_eq!((envelope(&large).http_status, outcome(&large).0.as_str()), (413, "too_large"));
    let gateway = gateway();
    for (fault, status, result) in [
        (Fault::Overloaded, 503, Status::U),
        (Fault::TooLarge, 413, Status::F),
        (Fault::Unexpected, 200, Status::U),
        (Fault::PathUnknown, 200, Status::F),
    ] {
        let (answer, envelope) = gateway.refuse(&Call::plus().signed(), fault, "in our words");
        assert_eq!((envelope.http_status, answer.status, answer.code), (status, result, fault.as_str()));
        assert_eq!((message(&answer).as_str(), envelope.client_id.as_str()), ("in our words", "PLUS"));
    }
    assert_eq!(message(&gateway.refuse(&large, Fault::Unexpected, "").0), "as the table says");
    assert_eq!(message(&gateway.refuse(&large, Fault::Unexpected, &"ü".repeat(999)).0), "ü".repeat(256));
}

#[test]
fn a_refusal_is_the_tables_and_a_store_fault_is_unknown() {
    let Opened::Accepted(accepted) = open(&Call::plus().signed()) else { panic!("refused") };
    let refused = accepted.conclude(Err(Stop::Refused(Refusal::CodeUsed)));
    assert_eq!((refused.status, refused.code), (Status::F, "code_used"));
    for fault in [StoreFault::Unknown, StoreFault::Unavailable, StoreFault::Conflict, StoreFault::Corrupt] {
        let answer = accepted.conclude(Err(Stop::Fault(fault("disk /var/x is full".into()))));
        assert_eq!((answer.status, answer.code), (Status::U, "unexpected"));
        assert!(!message(&answer).contains("disk"));
    }
    let done = Answer { body: b"{}".to_vec(), status: Status::S, code: "SUCCESS" };
    assert_eq!(accepted.conclude(Ok(done.clone())), done);
}

#[test]
fn a_stale_call_gets_an_answer_only_for_a_key_that_is_known() {
    let derivation = DerivationKeys::new([(1, [7; 32])].into()).unwrap();
    for (time, key, code) in [
        (NOW_TEXT, "new", "SUCCESS"),
        (NOW_TEXT, "known", "SUCCESS"),
        ("2026-01-14T09:30:00Z", "new", "stale"),
        ("2026-01-14T09:30:00Z", "known", "SUCCESS"),
    ] {
        let body = format!("{{\"key\":\"{key}\"}}").into_bytes();
        let call = Call { time: time.into(), body, ..Call::plus() };
        let Opened::Accepted(mut accepted) = open(&call.signed()) else { panic!("refused") };
        let keys = derivation.clone();
        let answer = store::transact(&ModelStore::new(), move |tx| accepted.execute(tx, &keys, &moment()));
        assert_eq!(answer.unwrap().code, code, "{time} {key}");
    }
}

#[test]
fn mounts_must_be_clean_and_different() {
    let build = |prefixes: &[&str]| {
        let mount = |prefix: &&str| Mount { prefix: (*prefix).to_owned(), dialect: Fake::new("qi") };
        Gateway::new(prefixes.iter().map(mount).collect(), GatewayOptions::default()).map(|gateway| {
            assert_eq!(gateway.dialects().len(), 1);
            gateway.mounts().iter().map(|mount| mount.prefix.clone()).collect::<Vec<_>>()
        })
    };
    assert_eq!(build(&["", "/a/b", "/a"]), Ok(vec!["/a/b".into(), "/a".into(), String::new()]));
    for wrong in [&[][..], &["/a", "/a"], &["/"], &["/a/"], &["a"], &["/a?b"], &["/a b"]] {
        assert!(build(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn our_own_calls_carry_what_was_signed() {
    let url = url::Url::parse("https://Shop.example:8443/notify/../in?order=a%20b&x#f").unwrap();
    let target = accord_wire::gateway::target_of(&url);
    assert_eq!(target, "/in?order=a%20b&x");
    let content = outbound_content("POST", &target, "PLUS", NOW_TEXT, b"{}");
    assert_eq!(content, format!("POST /in?order=a%20b&x\nPLUS.{NOW_TEXT}.{{}}").as_bytes());
    let signature = private("wallet").sign(&content).unwrap();
    let Outbound { headers } =
        Outbound::new("PLUS", NOW_TEXT, &Signed { key_version: "7".into(), signature });
    assert_eq!(header(&headers, "client-id"), Some("PLUS"));
    assert_eq!(header(&headers, "request-time"), Some(NOW_TEXT));
    let value = header(&headers, "signature").unwrap();
    assert!(value.starts_with("algorithm=RSA256, keyVersion=7, signature=") && !value.contains("=="));
}

/// How a receiver signs its acknowledgement.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Nobody,
    Itself,
    AnotherKey,
    AnotherPath,
    WithoutTime,
}

fn told(dialect: &'static str, status: u16, body: &str, by: By) -> (Delivery, String) {
    let client_id = if dialect == "qi" { "QI" } else { "PLUS" };
    let path = if by == By::AnotherPath { "/v1/payments/notifyPayment" } else { "/in?x" };
    let content = outbound_content("POST", path, client_id, NOW_TEXT, body.as_bytes());
    let key = private(if by == By::AnotherKey { "wallet" } else { "network" });
    let value = signature::render("1", &key.sign(&content).unwrap(), Encoding::Plain);
    let mut headers = vec![("signature".to_owned(), value.into_bytes())];
    headers.push(("response-time".to_owned(), NOW_TEXT.into()));
    headers.retain(|(name, _)| match by {
        By::Nobody => false,
        By::WithoutTime => name == "signature",
        _ => true,
    });
    let reply = Replied { status, headers: &headers, body: body.as_bytes() };
    let client = Clients::new().find(client_id);
    acknowledgement(&*Fake::new(dialect), client.as_deref(), "/in?x", client_id, &reply)
}

#[test]
fn acknowledgements_are_read_as_decided() {
    use Delivery::{Acknowledged, Failed, Refused};
    let result =
        |status: &str| format!("{{\"result\":{{\"resultStatus\":\"{status}\",\"resultCode\":\"CODE\"}}}}");
    let (s, f, u) = (result("S"), result("F"), result("U"));
    for (dialect, status, body, by, delivery, words) in [
        ("alipay-plus", 200, s.as_str(), By::Itself, Acknowledged, "acknowledged, signature valid"),
        ("alipay-plus", 200, &s, By::Nobody, Failed, "not trusted, unsigned"),
        ("alipay-plus", 200, &s, By::AnotherKey, Failed, "does not match"),
        ("alipay-plus", 200, &s, By::AnotherPath, Failed, "does not match"),
        ("alipay-plus", 200, &s, By::WithoutTime, Failed, "Response-Time"),
        ("alipay-plus", 200, &f, By::Itself, Refused, "refused with CODE, signature valid"),
        ("alipay-plus", 200, &f, By::Nobody, Refused, "refused with CODE, unsigned"),
        ("qi", 200, &s, By::Itself, Acknowledged, "acknowledged, signature valid"),
        ("qi", 200, &s, By::Nobody, Acknowledged, "acknowledged, unsigned"),
        ("qi", 200, &s, By::AnotherPath, Acknowledged, "acknowledged, signature not accepted"),
        ("qi", 200, &f, By::Nobody, Refused, "refused with CODE"),
        ("qi", 200, &u, By::Itself, Failed, "result status U, code CODE"),
        ("qi", 200, "", By::Itself, Failed, "no result"),
        ("qi", 200, "OK", By::Itself, Failed, "no result"),
        ("qi", 200, "{\"result\":{}}", By::Itself, Failed, "no result"),
        ("qi", 201, &s, By::Itself, Failed, "HTTP status 201"),
        ("qi", 302, &s, By::Itself, Failed, "HTTP status 302"),
        ("alipay-plus", 500, &f, By::Itself, Failed, "HTTP status 500"),
    ] {
        let (found, text) = told(dialect, status, body, by);
        assert!(found == delivery && text.contains(words), "{dialect} {status} {body}: {found:?} {text}");
    }
}
