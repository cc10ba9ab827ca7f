//! Calls and their replies: what goes over the wire, and which replies are believed.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::path::PathBuf;

use accord_client::{
    CallFault, Client, DialectKind, Exchange, Identity, Replied, SignedRequest, Verification, Wallet, judge,
    operations, prepare_request, sign_request,
};
use accord_wire::keys::{PrivateKey, PublicKey};
use accord_wire::signature::{Encoding, content_to_sign, render};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const TIME: &str = "2026-01-15T09:30:00+03:00";
const S: &[u8] = br#"{"result":{"resultStatus":"S","resultCode":"SUCCESS","resultMessage":"Success"}}"#;
const F: &[u8] = br#"{"result":{"resultStatus":"F","resultCode":"INVALID_SIGNATURE"}}"#;

fn vector(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/envelope").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn key(name: &str) -> PrivateKey {
    PrivateKey::parse(&vector(&format!("{name}.key.pem"))).unwrap()
}

fn public(name: &str) -> PublicKey {
    PublicKey::parse(&vector(&format!("{name}.pub.pem"))).unwrap()
}

fn identity() -> Identity {
    Identity { client_id: "TEST_MPP_000000001".into(), key_version: "1".into(), private_key: key("network") }
}

fn wallet(base_url: &str) -> Wallet {
    Wallet {
        base_url: base_url.into(),
        path_prefix: "/aps/api".into(),
        dialect: DialectKind::AlipayPlus,
        wallet_keys: vec![("1".into(), public("network")), ("2".into(), public("wallet"))],
    }
}

fn request() -> SignedRequest {
    prepare_request(&identity(), &wallet("https://wallet.example/"), "pay", b"{}", TIME).unwrap()
}

/// A reply signed by the wallet's newest key.
fn signed(request: &SignedRequest, body: &[u8]) -> Replied {
    let parts = [request.method, &request.target, &request.client_id, TIME].map(str::as_bytes);
    let content = content_to_sign(parts[0], parts[1], parts[2], parts[3], body);
    let signature = render("2", &key("wallet").sign(&content).unwrap(), Encoding::Percent);
    let headers = [
        ("client-id", request.client_id.clone()),
        ("response-time", TIME.to_owned()),
        ("signature", signature),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec();
    Replied { status: 200, headers, body: body.to_vec() }
}

fn without(mut reply: Replied, name: &str) -> Replied {
    reply.headers.retain(|(found, _)| found != name);
    reply
}

fn with(mut reply: Replied, name: &str, value: &str) -> Replied {
    reply = without(reply, name);
    reply.headers.push((name.into(), value.as_bytes().to_vec()));
    reply
}

fn judged(reply: Replied) -> Result<Exchange, CallFault> {
    judge(request(), reply, &wallet("").wallet_keys)
}

#[test]
fn the_published_request_is_signed_byte_for_byte() {
    let body = vector("alipay-plus-1-prepare-request.body");
    let published = vector("alipay-plus-1-prepare-request.txt");
    let field = |name: &str| published.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let wallet = wallet("http://127.0.0.1:8080");
    let request = prepare_request(&identity(), &wallet, "prepare", body.as_bytes(), field("time: ")).unwrap();
    assert_eq!(request.url, "http://127.0.0.1:8080/aps/api/v1/authorizations/prepare");
    assert_eq!(request.target, field("uri: "));
    assert_eq!(request.content.len().to_string(), field("contentBytes: "));
    assert!(request.headers.contains(&("signature", field("signature: ").to_owned())));
    assert!(request.headers.contains(&("request-time", field("time: ").to_owned())));
}

#[test]
fn operations_have_the_papers_paths() {
    for (dialect, name, path) in [
        (DialectKind::Qi, "applyToken", "/v1/authorizations/applyToken"),
        (DialectKind::Qi, "sendInbox", "/v1/messages/sendInbox"),
        (DialectKind::AlipayPlus, "cancelPayment", "/v1/payments/cancelPayment"),
        (DialectKind::AlipayPlus, "verifyOTP", "/v1/otp/verifyOTP"),
    ] {
        assert!(operations(dialect).contains(&(name, path)));
        let wallet = Wallet { dialect, path_prefix: String::new(), ..wallet("http://h") };
        let url = |name: &str| prepare_request(&identity(), &wallet, name, b"", TIME).map(|made| made.url);
        assert_eq!(url(name).unwrap(), format!("http://h{path}"));
        assert_eq!(url("/v9/x?y=z").unwrap(), "http://h/v9/x?y=z");
        assert!(matches!(url("Pay"), Err(CallFault::Operation { .. })));
    }
    for (url, good) in
        [("https://h/x", true), ("ftp://h/x", false), ("h/x", false), ("data:x", false), ("", false)]
    {
        assert_eq!(sign_request(&identity(), url, b"", TIME).is_ok(), good, "{url}");
    }
}

#[test]
fn a_signed_reply_is_believed_whatever_it_says() {
    let exchange = judged(signed(&request(), S)).unwrap();
    assert_eq!((exchange.verification.clone(), exchange.is_success()), (Verification::Verified, true));
    assert_eq!(exchange.result.code, "SUCCESS");
    let content = format!("POST /aps/api/v1/payments/pay\nTEST_MPP_000000001.{TIME}.").into_bytes();
    assert_eq!(exchange.reply_content.unwrap(), [&content, S].concat());
    assert!(!judged(signed(&request(), F)).unwrap().is_success());
}

#[test]
fn a_success_without_a_good_signature_is_never_believed() {
    let good = || signed(&request(), S);
    let other = SignedRequest { target: "/aps/api/v1/payments/refund".into(), ..request() };
    let foreign = SignedRequest { client_id: "OTHER".into(), ..request() };
    let empty = SignedRequest { client_id: String::new(), ..request() };
    for (name, reply) in [
        ("stripped", without(good(), "signature")),
        ("all stripped", Replied { headers: Vec::new(), ..good() }),
        ("no time", without(good(), "response-time")),
        ("other time", with(good(), "response-time", "2026-01-15T09:30:01+03:00")),
        ("changed body", Replied { body: [S, b" "].concat(), ..good() }),
        ("failure made success", Replied { body: S.to_vec(), ..signed(&request(), F) }),
        ("reply to another call", signed(&other, S)),
        ("reply to another client", signed(&foreign, S)),
        ("reply to nobody", without(signed(&empty, S), "client-id")),
        ("no client", without(good(), "client-id")),
        ("unreadable", with(good(), "signature", "signature=?")),
        ("unknown key", {
            let value = String::from_utf8(good().header("signature").unwrap().to_vec()).unwrap();
            with(good(), "signature", &value.replace("keyVersion=2", "keyVersion=3"))
        }),
        ("another key", {
            let value = String::from_utf8(good().header("signature").unwrap().to_vec()).unwrap();
            with(good(), "signature", &value.replace("keyVersion=2", "keyVersion=1"))
        }),
    ] {
        assert!(matches!(judged(reply), Err(CallFault::Signature(_))), "{name}");
    }
}

#[test]
fn an_unsigned_failure_is_reported_as_unverified_and_a_wrongly_signed_one_refused() {
    let exchange = judged(without(signed(&request(), F), "signature")).unwrap();
    assert_eq!(
        (exchange.verification, exchange.result.code.as_str()),
        (Verification::Unverified, "INVALID_SIGNATURE")
    );
    let changed = Replied { body: F.to_vec(), ..signed(&request(), S) };
    assert!(matches!(judged(changed), Err(CallFault::Signature(_))));
    // The wallet could not read our Client-Id: it signs an empty one and echoes none.
    let empty = SignedRequest { client_id: String::new(), ..request() };
    let exchange = judged(without(signed(&empty, F), "client-id")).unwrap();
    assert_eq!(exchange.verification, Verification::Verified);
    for body in [b"".as_slice(), b"<html>", b"{}", b"[]"] {
        let reply = Replied { status: 502, headers: Vec::new(), body: body.to_vec() };
        let Err(CallFault::NoResult(exchange)) = judged(reply) else { panic!("believed") };
        assert_eq!(exchange.reply.status, 502);
    }
}

/// Answers one connection with these bytes and gives back the request.
async fn once(
    answer: impl FnOnce(&SignedRequest) -> Vec<u8>,
    operation: &str,
) -> (Vec<u8>, Result<Exchange, CallFault>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::new(identity(), wallet(&base_url)).unwrap();
    let request =
        prepare_request(client.identity(), client.wallet(), operation, b"{\"a\": 1}\n", TIME).unwrap();
    let bytes = answer(&request);
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n{\"a\": 1}\n") {
            let mut chunk = [0; 4096];
            let count = socket.read(&mut chunk).await.unwrap();
            assert_ne!(count, 0, "the caller hung up");
            read.extend_from_slice(&chunk[..count]);
        }
        socket.write_all(&bytes).await.unwrap();
        read
    });
    let result = client.call(operation, b"{\"a\": 1}\n", TIME).await;
    (server.await.unwrap(), result)
}

fn http(status: &str, reply: &Replied) -> Vec<u8> {
    let mut text =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n", reply.body.len());
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
    }
    [text.as_bytes(), b"\r\n", &reply.body].concat()
}

#[tokio::test]
async fn a_call_sends_exactly_what_it_signed() {
    let (sent, result) = once(|request| http("200 OK", &signed(request, S)), "/v1/payments/pay?x=%2F").await;
    let exchange = result.unwrap();
    let text = String::from_utf8(sent).unwrap();
    assert!(text.starts_with("POST /aps/api/v1/payments/pay?x=%2F HTTP/1.1\r\n"), "{text}");
    for (name, value) in &exchange.request.headers {
        assert!(text.contains(&format!("\r\n{name}: {value}\r\n")), "{name}: {text}");
    }
    assert!(exchange.is_success() && exchange.verification == Verification::Verified);
}

#[tokio::test]
async fn stripped_and_redirected_replies_are_not_followed() {
    let stripped = |request: &SignedRequest| http("200 OK", &without(signed(request, S), "signature"));
    assert!(matches!(once(stripped, "pay").await.1, Err(CallFault::Signature(_))));
    let moved = |_: &SignedRequest| {
        let location = ("location".to_owned(), b"http://127.0.0.1:1/".to_vec());
        http("307 Temporary Redirect", &Replied { status: 307, headers: vec![location], body: Vec::new() })
    };
    let Err(CallFault::NoResult(exchange)) = once(moved, "pay").await.1 else { panic!("followed") };
    assert_eq!(exchange.reply.status, 307);
    let garbage = |_: &SignedRequest| b"SSH-2.0-x\r\n\r\n".to_vec();
    assert!(matches!(once(garbage, "pay").await.1, Err(CallFault::Transport(_))));
}
