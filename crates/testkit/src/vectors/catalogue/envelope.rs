//! Around every call: the checks in their order (path, method, media type, headers, client, key, signature, time, JSON).

use super::{BOTH, Case, QI};
use crate::conformance::fixture::{drop_header, set_header};
use crate::vectors::play::{Play, S};
use accord_core::client::ClientStatus;
use accord_wire::dialect::Fault;
use accord_wire::gateway::Request;
use accord_wire::signature::Encoding;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    case("path", "Only the exact path is an interface: it is routed as it was signed.", path),
    case("method", "Only POST is served.", method),
    case("media-type", "JSON in UTF-8 it must be; without a Content-Type it is read as such.", media_type),
    case("headers", "Request-Time must be there and be a time; bodies come in the clear.", headers),
    case("client", "The Client-Id must be there once, registered, and for this protocol.", client),
    case("client-suspended", "A suspended client is told so.", client_suspended),
    case(
        "key-version",
        "The key version must be one that is registered; none named: the newest.",
        key_version,
    ),
    case(
        "signature",
        "No, two, short, foreign or changed: the signature must be right over the bytes sent.",
        signature,
    ),
    case(
        "signature-forms",
        "Percent-encoded, plain and URL-safe Base64 are read, in any order of items.",
        forms,
    ),
    case("request-time", "Five minutes either way are borne; then the server's time is told.", request_time),
    case(
        "request-time-forms",
        "ISO 8601 with an offset or Z and any fraction, or epoch milliseconds.",
        time_forms,
    ),
    case("json", "The body must be one JSON object, told apart byte by byte.", json_faults),
    case("order-of-checks", "The first check that fails answers, whatever else is wrong.", order),
    case("query", "A query is part of what is signed, byte for byte.", query),
    Case {
        operation: "envelope",
        name: "mounts",
        about: "/v1 and /api/v1 are the same interface; the path as sent is what is signed.",
        speeches: QI,
        tell: mounts,
    },
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "envelope", name, about, speeches: BOTH, tell }
}

/// A good prepare, about to be spoiled.
fn good(play: &Play) -> Request {
    play.request("prepare", &play.speech.prepare("agreement-1"))
}

/// Signed again after a change.
fn signed(play: &Play, request: Request) -> Request {
    play.who().sign(request, Encoding::Percent)
}

fn path(play: &mut Play) {
    let mount = play.speech.mount();
    for path in [
        "/v1/authorizations/prepared",
        "/v1/authorizations/prepare/",
        "/v1//authorizations/prepare",
        "/v1/authorizations/%70repare",
        "/v1/./authorizations/prepare",
        "/v1/Authorizations/prepare",
        "/v2/authorizations/prepare",
    ] {
        let target = format!("{mount}{path}");
        let request = signed(play, Request { target, ..good(play) });
        play.send(request, Fault::PathUnknown);
    }
}

fn method(play: &mut Play) {
    for method in ["GET", "PUT", "DELETE"] {
        let request = signed(play, Request { method: method.to_owned(), ..good(play) });
        play.send(request, Fault::MethodNotPost);
    }
}

fn media_type(play: &mut Play) {
    for media_type in
        ["text/plain", "application/json; charset=ISO-8859-1", "application/x-www-form-urlencoded"]
    {
        let mut request = good(play);
        set_header(&mut request, "content-type", media_type);
        play.send(request, Fault::MediaType);
    }
    for media_type in ["Application/JSON;charset=\"utf-8\"", "application/json"] {
        let mut request = good(play);
        set_header(&mut request, "content-type", media_type);
        play.send(request, S);
    }
    let mut request = good(play);
    drop_header(&mut request, "content-type");
    play.send(request, S);
}

fn headers(play: &mut Play) {
    let mut request = good(play);
    drop_header(&mut request, "request-time");
    let request = signed(play, request);
    play.send(request, Fault::Header);

    let mut request = good(play);
    request.headers.push(("request-time".to_owned(), play.time().into_bytes()));
    play.send(request, Fault::Header);

    let mut request = good(play);
    set_header(&mut request, "encrypt", "algorithm=RSA_AES, keyVersion=1, symmetricKey=AAAA");
    play.send(request, Fault::Header);

    for time in ["yesterday", "2026-01-15T09:30:00", "2026-13-15T09:30:00+03:00", ""] {
        let mut request = good(play);
        set_header(&mut request, "request-time", time);
        let request = signed(play, request);
        play.send(request, Fault::Header);
    }
}

fn client(play: &mut Play) {
    let mut request = good(play);
    drop_header(&mut request, "client-id");
    let request = signed(play, request);
    play.send(request, Fault::ClientUnknown);

    let mut request = good(play);
    request.headers.push(("client-id".to_owned(), play.who().client_id.as_bytes().to_vec()));
    play.send(request, Fault::ClientUnknown);

    let too_long = "C".repeat(65);
    for id in ["NOBODY", too_long.as_str(), "WITH SPACE", "", play.speech.stranger().client_id] {
        let mut request = good(play);
        set_header(&mut request, "client-id", id);
        let request = signed(play, request);
        play.send(request, Fault::ClientUnknown);
    }
    let stranger = play.speech.stranger();
    let body = play.speech.prepare("agreement-1").to_string();
    let request = stranger.request(&play.speech.target("prepare"), body.as_bytes(), &play.time());
    play.send(request, Fault::ClientUnknown);
}

fn client_suspended(play: &mut Play) {
    play.client(ClientStatus::Suspended, true, &[]);
    let request = good(play);
    play.send(request, Fault::ClientSuspended);
    play.client(ClientStatus::Active, true, &[]);
    let request = good(play);
    play.send(request, S);
}

/// Rewrites the Signature header.
fn with_signature(play: &Play, change: impl Fn(&str) -> String) -> Request {
    let mut request = good(play);
    let header = request.values("signature").next().unwrap_or_default().to_vec();
    let header = change(&String::from_utf8(header).expect("ASCII"));
    set_header(&mut request, "signature", &header);
    request
}

fn key_version(play: &mut Play) {
    let malformed = format!("keyVersion={}", "9".repeat(33));
    for version in ["keyVersion=2", "keyVersion=", malformed.as_str()] {
        let request = with_signature(play, |header| header.replace("keyVersion=1", version));
        play.send(request, Fault::KeyUnknown);
    }
    let request = with_signature(play, |header| header.replace("keyVersion=1, ", ""));
    play.send(request, S);
}

fn signature(play: &mut Play) {
    let mut request = good(play);
    drop_header(&mut request, "signature");
    play.send(request, Fault::SignatureWrong);

    let mut request = good(play);
    let twice = request.values("signature").next().unwrap_or_default().to_vec();
    request.headers.push(("signature".to_owned(), twice));
    play.send(request, Fault::SignatureWrong);

    let changes: [fn(&str) -> String; 7] = [
        |_| String::new(),
        |_| "signature".to_owned(),
        |header| header.replace("RSA256", "RSA512"),
        |header| format!("{header}, signature=AAAA"),
        |header| header.split("signature=").next().unwrap_or_default().to_owned() + "signature=AAAA",
        |header| header.split("signature=").next().unwrap_or_default().to_owned() + "signature=***",
        |header| header.trim_end_matches(|letter: char| letter != '.').chars().take(120).collect(),
    ];
    for change in changes {
        let request = with_signature(play, change);
        play.send(request, Fault::SignatureWrong);
    }

    let [_, other] = play.speech.clients();
    let request = other.sign(good(play), Encoding::Percent);
    play.send(request, Fault::SignatureWrong);

    let mut request = good(play);
    request.body.push(b'\n');
    play.send(request, Fault::SignatureWrong);
}

fn forms(play: &mut Play) {
    for encoding in [Encoding::Percent, Encoding::Plain, Encoding::Base64Url] {
        let request = play.who().sign(good(play), encoding);
        play.send(request, S);
    }
    let changes: [fn(&str) -> String; 3] = [
        |header| header.replace("algorithm=RSA256", "algorithm=SHA256withRSA"),
        |header| header.split(", ").collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(","),
        |header| header.replace("keyVersion", "KEYVERSION").replace(", ", " ,  "),
    ];
    for change in changes {
        let request = with_signature(play, change);
        play.send(request, S);
    }
}

fn at_time(play: &Play, time: &str) -> Request {
    // A reference of its own: a late call whose answer is known would get that answer.
    let mut request = play.request("prepare", &play.speech.prepare(&format!("agreement at {time}")));
    set_header(&mut request, "request-time", time);
    signed(play, request)
}

fn request_time(play: &mut Play) {
    const MINUTES: i64 = 60_000;
    for (offset, good) in
        [(-5 * MINUTES, true), (5 * MINUTES, true), (-5 * MINUTES - 1, false), (5 * MINUTES + 1, false)]
    {
        let request = at_time(play, &(play.now + offset).to_string());
        if good {
            play.send(request, S)
        } else {
            play.send(request, Fault::Stale)
        };
    }
}

fn time_forms(play: &mut Play) {
    for time in [
        "2026-01-15T09:30:00+03:00",
        "2026-01-15T06:30:00Z",
        "2026-01-15T14:30:00.123456789+08:00",
        "2026-01-15T06:30:00.5-00:00",
        "1768458600000",
    ] {
        let request = at_time(play, time);
        play.send(request, S);
    }
}

fn json_faults(play: &mut Play) {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(33), "]".repeat(33));
    let bodies: [&[u8]; 12] = [
        b"",
        b"not JSON",
        b"[]",
        b"\"text\"",
        b"{\"scopes\":\"AGREEMENT_PAY\"",
        b"{\"scopes\":\"AGREEMENT_PAY\",\"scopes\":\"AGREEMENT_PAY\"}",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b"{\"scopes\":\"\xff\"}",
        b"{\"scopes\":\"\\ud800\"}",
        b"{\"scopes\":\"a\\u0000b\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let request = signed(play, Request { body: body.to_vec(), ..good(play) });
        play.send(request, Fault::Malformed);
    }
}

/// Everything is wrong; one thing after another is put right.
fn order(play: &mut Play) {
    let good = good(play);
    let mut wrong = signed(play, Request { body: b"not JSON".to_vec(), ..good.clone() });
    wrong.target.push('x');
    wrong.method = "GET".to_owned();
    for (name, value) in [
        ("content-type", "text/plain"),
        ("client-id", "NOBODY"),
        ("signature", "algorithm=RSA256, keyVersion=7, signature=AAAA"),
        ("request-time", "2020-01-01T00:00:00Z"),
    ] {
        set_header(&mut wrong, name, value);
    }
    play.send(wrong.clone(), Fault::PathUnknown);
    wrong.target.clone_from(&good.target);
    play.send(wrong.clone(), Fault::MethodNotPost);
    wrong.method.clone_from(&good.method);
    play.send(wrong.clone(), Fault::MediaType);
    set_header(&mut wrong, "content-type", "application/json");
    play.send(wrong.clone(), Fault::ClientUnknown);
    set_header(&mut wrong, "client-id", play.who().client_id);
    play.send(wrong.clone(), Fault::KeyUnknown);
    set_header(&mut wrong, "signature", "algorithm=RSA256, keyVersion=1, signature=AAAA");
    play.send(wrong.clone(), Fault::SignatureWrong);
    let late = signed(play, wrong.clone());
    play.send(late, Fault::Stale);
    set_header(&mut wrong, "request-time", &play.time());
    let malformed = signed(play, wrong.clone());
    play.send(malformed, Fault::Malformed);
    wrong.body = b"{}".to_vec();
    let empty = signed(play, wrong);
    play.send(empty, Fault::Field);
}

fn query(play: &mut Play) {
    let target = format!("{}?trace=a%2Fb&empty=&%C3%A4", play.speech.target("prepare"));
    let request = signed(play, Request { target, ..good(play) });
    play.send(request, S);
    let mut request = good(play);
    request.target.push_str("?added=later");
    play.send(request, Fault::SignatureWrong);
}

fn mounts(play: &mut Play) {
    for mount in ["", "/api"] {
        let target = format!("{mount}/v1/payments/inquiryPayment");
        let body = json!({ "paymentRequestId": "unknown" }).to_string();
        let request = play.who().request(&target, body.as_bytes(), &play.time());
        play.send(request, accord_core::Refusal::PaymentNotFound);
    }
}
