//! Every fault of the envelope: which one answers, in which words, and which of two comes first.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod gateway_support;

use accord_wire::gateway::{Opened, Request};
use accord_wire::signature::{Encoding, content_digest};
use gateway_support::*;

#[track_caller]
fn check(name: &str, request: &Request, code: &str, words: &str) {
    let (found, message) = outcome(request);
    assert_eq!((found.as_str(), message.contains(words)), (code, true), "{name}: {found}: {message}");
}

/// One row: a name, what is done to a good signed request, the fault, and words of its message.
type Row = (&'static str, fn(&mut Request), &'static str, &'static str);

#[track_caller]
fn rows(rows: &[Row]) {
    for (name, spoil, code, words) in rows {
        for call in [Call::plus(), Call::qi()] {
            let mut request = call.signed();
            spoil(&mut request);
            check(name, &request, code, words);
        }
    }
}

#[test]
fn a_good_call_is_accepted_in_both_dialects_and_at_every_mount() {
    check("plus", &Call::plus().signed(), "accepted", "");
    for target in
        ["/v1/payments/pay", "/api/v1/payments/pay", "/v1/payments/pay?x=%2F&y", "/v1/payments/pay?"]
    {
        check(target, &Call { target: target.into(), ..Call::qi() }.signed(), "accepted", "");
    }
}

#[test]
fn header_faults_answer_as_the_table_says() {
    rows(&[
        ("no signature", |r| drop_header(r, "signature"), "signature_wrong", "Signature: header missing"),
        ("two", |r| add(r, "signature", "signature=AQ"), "signature_wrong", "sent more than once"),
        ("no list", |r| set(r, "signature", "AQ"), "signature_wrong", "not a list"),
        ("no value", |r| set(r, "signature", "algorithm=RSA256"), "signature_wrong", "missing or empty"),
        (
            "algorithm",
            |r| set(r, "signature", "algorithm=ECC224, signature=AQ=="),
            "signature_wrong",
            "RSA256",
        ),
        ("short", |r| set(r, "signature", "signature=AQ=="), "signature_wrong", "has 1 bytes; this key's"),
        ("no client", |r| drop_header(r, "client-id"), "client_unknown", "Client-Id: header missing"),
        ("two clients", |r| add(r, "client-id", "PLUS"), "client_unknown", "more than once"),
        ("empty client", |r| set(r, "client-id", ""), "client_unknown", "1 to 64"),
        ("spaced client", |r| set(r, "client-id", "PL US"), "client_unknown", "1 to 64"),
        ("long client", |r| set(r, "client-id", &"c".repeat(65)), "client_unknown", "1 to 64"),
        ("foreign letters", |r| set(r, "client-id", "PLÜS"), "client_unknown", "1 to 64"),
        ("stranger", |r| set(r, "client-id", &"c".repeat(64)), "client_unknown", "not registered"),
        ("no time", |r| drop_header(r, "request-time"), "header", "Request-Time: header missing"),
        (
            "two times",
            |r| add(r, "request-time", NOW_TEXT),
            "header",
            "Request-Time: header sent more than once",
        ),
        ("encrypted", |r| add(r, "encrypt", "algorithm=RSA_AES"), "header", "Encrypt: not supported"),
    ]);
}

#[test]
fn media_types_other_than_json_in_utf8_are_refused() {
    rows(&[
        ("none", |r| drop_header(r, "content-type"), "accepted", ""),
        ("bare", |r| set(r, "content-type", "application/json"), "accepted", ""),
        ("case", |r| set(r, "content-type", "Application/JSON;Charset=\"utf-8\""), "accepted", ""),
        (
            "others",
            |r| set(r, "content-type", "application/json ; profile=x; charset=UTF-8;"),
            "accepted",
            "",
        ),
        ("any accept", |r| set(r, "accept", "text/html"), "accepted", ""),
        ("text", |r| set(r, "content-type", "text/plain"), "media_type", "application/json"),
        ("form", |r| set(r, "content-type", "application/x-www-form-urlencoded"), "media_type", "json"),
        ("like it", |r| set(r, "content-type", "application/json5"), "media_type", "json"),
        ("empty", |r| set(r, "content-type", ""), "media_type", "json"),
        ("charset", |r| set(r, "content-type", "application/json; charset=GBK"), "media_type", "charset"),
        ("two", |r| add(r, "content-type", "application/json"), "media_type", "more than once"),
    ]);
}

#[test]
fn the_path_is_taken_as_it_was_signed() {
    for (target, code) in [
        ("/aps/api/v1/authorizations/prepare/", "path_unknown"),
        ("/aps/api//v1/authorizations/prepare", "path_unknown"),
        ("//aps/api/v1/authorizations/prepare", "path_unknown"),
        ("/aps/api/v1/authorizations/./prepare", "path_unknown"),
        ("/aps/api/v1/authorizations/%70repare", "path_unknown"),
        ("/aps/api/v1/authorizations/Prepare", "path_unknown"),
        ("/aps/api/v2/authorizations/prepare", "path_unknown"),
        ("/aps/api/v1/authorizations/prepare#x", "path_unknown"),
        ("/aps/api", "path_unknown"),
        ("*", "path_unknown"),
        ("", "path_unknown"),
        ("/aps/api/v1/authorizations/prepare?a=b%20c&&", "accepted"),
    ] {
        check(target, &Call { target: target.into(), ..Call::plus() }.signed(), code, "");
    }
}

#[test]
fn requests_belong_to_the_longest_mount() {
    let gateway = gateway();
    for (method, target, claimed, dialect) in [
        ("POST", "/aps/api/v1/x", true, "alipay-plus"),
        ("GET", "/aps/api/v1/x", true, "alipay-plus"),
        ("POST", "/aps/api/x", true, "alipay-plus"),
        ("POST", "/aps/apix/v1/x", true, "qi"),
        ("POST", "/aps/v1/x", true, "qi"),
        ("GET", "/aps/v1/x", false, "qi"),
        ("GET", "/v1/x?y", true, "qi"),
        ("DELETE", "/api/v22/x", true, "qi"),
        ("GET", "/v1", false, "qi"),
        ("GET", "/?/v1/x", false, "qi"),
        ("POST", "/", true, "qi"),
        ("GET", "/", false, "qi"),
    ] {
        assert_eq!(gateway.claims(method, target), claimed, "{method} {target}");
        let Opened::Refused(declined) =
            open(&Request { method: method.into(), target: target.into(), ..Request::default() })
        else {
            panic!("{target} was accepted")
        };
        assert_eq!(
            (declined.dialect.name().as_str(), declined.answer.code),
            (dialect, "path_unknown"),
            "{target}"
        );
    }
}

#[test]
fn clients_keys_and_signatures_must_fit() {
    let plus = Call::plus;
    let foreign = Call { client_id: "QI", ..plus() };
    check(
        "a client of the other dialect",
        &foreign.signed(),
        "client_unknown",
        "not registered for this protocol",
    );
    let suspended = Call { client_id: "SUSPENDED", ..plus() };
    check("suspended", &suspended.signed(), "client_suspended", "suspended");
    check("version unknown", &Call { key_version: "9", ..plus() }.signed(), "key_unknown", "keyVersion");
    check("version malformed", &Call { key_version: "1 1", ..plus() }.signed(), "key_unknown", "keyVersion");
    check(
        "version of another key",
        &Call { key_version: "0", ..plus() }.signed(),
        "signature_wrong",
        "match",
    );
    let rotated = Call { client_id: "ROTATED", ..plus() };
    check("version retired", &rotated.signed(), "key_unknown", "no active key");
    check("newer version", &Call { key_version: "2", ..rotated.clone() }.signed(), "accepted", "");
    for call in [plus(), rotated] {
        let mut request = call.signed();
        let header = request.headers.iter_mut().find(|(name, _)| name == "signature").unwrap();
        let text = String::from_utf8(header.1.clone()).unwrap();
        header.1 = text.replace("keyVersion=1, ", "").into_bytes();
        check("no version: the newest", &request, "accepted", "");
    }
}

#[test]
fn a_wrong_signature_tells_what_was_checked() {
    for call in [Call::plus(), Call::qi()] {
        let mut request = call.signed();
        request.body = br#"{"key":"K"}"#.to_vec();
        let digest = content_digest(&Call { body: request.body.clone(), ..call }.content());
        assert_eq!(digest.sha256.len(), 64);
        check(
            "body",
            &request,
            "signature_wrong",
            &format!("does not match the content; the content checked has {digest}"),
        );
        drop_header(&mut request, "signature");
        check("missing", &request, "signature_wrong", &digest.to_string());
    }
    let spoils: [fn(&mut Request); 3] = [
        |r| r.target.push_str("?x"),
        |r| set(r, "request-time", "2026-01-15T09:30:00.0+03:00"),
        |r| set(r, "client-id", "ROTATED"),
    ];
    for spoil in spoils {
        let mut request = Call { key_version: "2", ..Call::plus() }.signed();
        spoil(&mut request);
        assert_ne!(outcome(&request).0, "accepted");
    }
}

#[test]
fn the_request_time_is_judged_after_the_signature_and_before_the_body() {
    let at = |time: &str| Call { time: time.into(), ..Call::plus() };
    for time in [
        "2026-01-15T06:30:00Z",
        "1768458600000",
        "2026-01-15T09:35:00.000+03:00",
        "2026-01-15T06:25:00.0+00:00",
    ] {
        check(time, &at(time).signed(), "accepted", "");
    }
    for (time, words) in [
        ("2026-01-15T09:23:00+03:00", "Request-Time: 420 s behind the server's 2026-01-15T06:30:00+00:00"),
        ("2026-01-15T06:35:00.001Z", "Request-Time: 301 s ahead of the server's 2026-01-15T06:30:00+00:00"),
        ("1000000000000", "behind the server's"),
    ] {
        check(time, &at(time).signed(), "stale, known keys only", words);
        for body in [b"{}".as_slice(), b"[", b"{\"key\":1}"] {
            check(time, &Call { body: body.to_vec(), ..at(time) }.signed(), "stale", words);
        }
    }
    for time in ["now", "", "2026-01-15T09:30:00", "2026-01-15"] {
        check(time, &at(time).signed(), "header", "Request-Time: not an ISO 8601 time");
    }
    let mut forged = at("2020-01-01T00:00:00Z").signed();
    forged.body.push(b' ');
    check("stale and forged", &forged, "signature_wrong", "");
}

#[test]
fn only_an_object_is_read() {
    for (body, code, words) in [
        (b"".as_slice(), "malformed", "at byte 0"),
        (b"[{}]", "malformed", "must be an object, found an array"),
        (b"null", "malformed", "must be an object, found null"),
        (b"{\"key\":\"a\",\"key\":\"b\"}", "malformed", "body: duplicate member key at byte"),
        (b"{\"key\":\"\xff\"}", "malformed", "not valid UTF-8 at byte 8"),
        (b"{\"key\":\"a\"}x", "malformed", "at byte 12"),
        (b"{\"key\":1}", "field", "key: missing"),
        (b"\n{ \"key\" : \"a\" }\n", "accepted", ""),
    ] {
        let call = Call { body: body.to_vec(), ..Call::plus() };
        check(&body.escape_ascii().to_string(), &call.signed(), code, words);
        let declined = match open(&call.signed()) {
            Opened::Refused(declined) => declined,
            Opened::Accepted(_) => continue,
        };
        assert!(declined.verified && declined.client.is_some());
    }
    let deep = format!("{{\"key\":{}", "[".repeat(40));
    check("deep", &Call { body: deep.into_bytes(), ..Call::plus() }.signed(), "malformed", "32 levels");
    let long = format!("{{\"{}\":1,\"x\":}}", "n".repeat(100_000));
    check("long name", &Call { body: long.into_bytes(), ..Call::plus() }.signed(), "malformed", "at byte");
}

/// A fault, and what is spoilt for it before and after signing.
type Step = (&'static str, fn(&mut Call), fn(&mut Request));

#[test]
fn the_first_failure_answers() {
    // Each step spoils one thing more, against the order of the checks; the earliest spoilt thing must answer.
    let steps: [Step; 12] = [
        ("field", |c| c.body = b"{}".to_vec(), |_| {}),
        ("malformed", |c| c.body = b"[]".to_vec(), |_| {}),
        ("stale", |c| c.time = "2025-01-15T09:30:00Z".into(), |_| {}),
        ("signature_wrong", |_| {}, |r| r.body = b"[ ]".to_vec()),
        ("key_unknown", |c| c.key_version = "9", |_| {}),
        ("client_suspended", |c| c.client_id = "SUSPENDED", |_| {}),
        ("client_unknown", |c| c.client_id = "QI", |_| {}),
        ("header", |_| {}, |r| drop_header(r, "request-time")),
        ("signature_wrong", |_| {}, |r| drop_header(r, "signature")),
        ("too_large", |_| {}, |r| r.too_large = true),
        ("media_type", |_| {}, |r| set(r, "content-type", "text/plain")),
        ("method_not_post", |_| {}, |r| r.method = "PUT".into()),
    ];
    for made in 1..=steps.len() {
        let mut call = Call::plus();
        steps.iter().take(made).for_each(|(_, spoil, _)| spoil(&mut call));
        let mut request = call.signed();
        steps.iter().take(made).for_each(|(_, _, spoil)| spoil(&mut request));
        let (code, _, _) = steps[made - 1];
        check(code, &request, code, "");
        request.target.push('/');
        check(code, &request, "path_unknown", "no interface");
    }
}

#[test]
fn every_writing_of_a_signature_is_taken() {
    for encoding in [Encoding::Percent, Encoding::Plain, Encoding::Base64Url] {
        for call in [Call::plus(), Call::qi()] {
            let request = Call { encoding, ..call }.signed();
            check("encoding", &request, "accepted", "");
            let mut shuffled = request.clone();
            let header = shuffled.headers.iter_mut().find(|(name, _)| name == "signature").unwrap();
            let text = String::from_utf8(header.1.clone()).unwrap();
            let mut items: Vec<&str> = text.split(", ").collect();
            items.reverse();
            header.1 = items.join(" ,").replace("keyVersion", "KEYVERSION").into_bytes();
            check("order and case", &shuffled, "accepted", "");
        }
    }
}
