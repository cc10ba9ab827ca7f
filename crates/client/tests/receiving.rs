//! Notifications received, acknowledgements sent, signatures explained, sandbox files read.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

use std::path::{Path, PathBuf};

use accord_client::{
    Acknowledgement, Check, Client, Diagnosis, DialectKind, Identity, Receiver, SandboxFault, SandboxFile,
    Verification, diagnose, first_difference, sign_request,
};
use accord_wire::gateway::read_result;
use accord_wire::keys::{PrivateKey, PublicKey};
use accord_wire::signature::{self, content_to_sign};

const TIME: &str = "2026-01-15T09:30:00+00:00";
const BODY: &[u8] = br#"{"authorizationNotifyType":"TOKEN_CANCELED","acquirerId":"1","url":"https://x/y"}"#;

fn vector_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/envelope").join(name)
}

fn vector(name: &str) -> String {
    std::fs::read_to_string(vector_path(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn key(name: &str) -> PrivateKey {
    PrivateKey::parse(&vector(&format!("{name}.key.pem"))).unwrap()
}

fn public(name: &str) -> PublicKey {
    PublicKey::parse(&vector(&format!("{name}.pub.pem"))).unwrap()
}

fn receiver() -> Receiver {
    let identity = Identity { client_id: "M1".into(), key_version: "3".into(), private_key: key("network") };
    Receiver { identity, wallet_keys: vec![("1".into(), public("wallet"))] }
}

/// What the wallet sends to `target`: its key, the receiver's Client-Id.
fn notification(client_id: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let wallet =
        Identity { client_id: client_id.into(), key_version: "1".into(), private_key: key("wallet") };
    let sent = sign_request(&wallet, "https://shop.example/in?x=1", body, TIME).unwrap();
    sent.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()
}

#[test]
fn a_notification_is_verified_over_the_path_it_came_to() {
    let receiver = receiver();
    let headers = notification("M1", BODY);
    let received = receiver.receive("/in?x=1", &headers, BODY);
    assert_eq!((received.kind.as_str(), &received.verified), ("TOKEN_CANCELED", &Verification::Verified));
    assert_eq!(received.sent_at_ms, Some(1_768_469_400_000));
    let wrong = |target: &str, headers: &[(String, Vec<u8>)], body: &[u8]| {
        matches!(receiver.receive(target, headers, body).verified, Verification::Wrong(_))
    };
    assert!(wrong("/in", &headers, BODY));
    assert!(wrong("/in?x=1", &headers, &[BODY, b" "].concat()));
    assert!(wrong("/in?x=1", &notification("M2", BODY), BODY));
    let without = |name: &str| headers.iter().filter(|(found, _)| found != name).cloned().collect::<Vec<_>>();
    assert!(wrong("/in?x=1", &without("request-time"), BODY));
    assert!(wrong("/in?x=1", &without("client-id"), BODY));
    let stripped = receiver.receive("/in?x=1", &without("signature"), BODY);
    assert_eq!(stripped.verified, Verification::Unverified);
    let kinds = [(r#"{"paymentResult":{}}"#, "notifyPayment"), ("{}", ""), ("x", "")];
    for (body, kind) in kinds {
        assert_eq!(receiver.receive("/in", &headers, body.as_bytes()).kind, kind);
    }
}

#[test]
fn an_acknowledgement_is_signed_over_the_notifications_path() {
    let receiver = receiver();
    let received = receiver.receive("/in?x=1", &notification("M1", BODY), BODY);
    for (answer, status) in
        [(Acknowledgement::success(), "S"), (Acknowledgement::of("F", "PROCESS_FAIL", "no such order"), "F")]
    {
        let made = receiver.acknowledge(&received, &answer, TIME).unwrap();
        let header = |name: &str| made.headers.iter().find(|(found, _)| *found == name).unwrap().1.clone();
        let content = content_to_sign(b"POST", b"/in?x=1", b"M1", TIME.as_bytes(), &made.body);
        assert_eq!((made.content.as_slice(), header("response-time").as_str()), (content.as_slice(), TIME));
        let read = signature::parse([header("signature").as_bytes()]).unwrap();
        assert_eq!(signature::verify(&public("network"), &content, &read), Ok(()));
        assert_eq!(read_result(&made.body).unwrap().status, status);
        assert!(String::from_utf8(made.body).unwrap().ends_with(r#","acquirerId":"1"}"#));
    }
}

#[test]
fn a_wrong_signature_is_explained() {
    let body = "{ \"name\": \"Mäh\", \"url\": \"https://x/y\" }".as_bytes();
    let wrong = |content: &str| content.as_bytes().to_vec();
    let text = std::str::from_utf8(body).unwrap();
    let public = public("network");
    for (content, said) in [
        (wrong(&format!("POST /a/v1/p?q=1\nM1.{TIME}.{text}")), "the signature is good"),
        (wrong(&format!("POST /a/v1/p?q=1\nM1.{TIME}.{text}\n")), "a line feed after the body"),
        (wrong(&format!("POST /a/v1/p?q=1\r\nM1.{TIME}.{text}")), "CR LF instead of a line feed"),
        (wrong(&format!("POST /a/v1/p\nM1.{TIME}.{text}")), "the path without its query"),
        (wrong(&format!("POST /v1/p?q=1\nM1.{TIME}.{text}")), "without what the path begins with"),
        (wrong(&format!("POST a/v1/p?q=1\nM1.{TIME}.{text}")), "without its leading slash"),
        (wrong(&format!("POST /a/v1/p?q=1\nM1.2026-01-15T09:30:00Z.{text}")), "another writing of the time"),
        (wrong(&format!("POST /a/v1/p?q=1\n.{TIME}.{text}")), "an empty Client-Id"),
        (
            wrong(&format!("POST /a/v1/p?q=1\nM1.{TIME}.{{\"name\":\"Mäh\",\"url\":\"https://x/y\"}}")),
            "the JSON written anew, compact",
        ),
        (wrong(&format!("POST /a/v1/p?q=1\nM1.{TIME}.{}", text.replace('/', "\\/"))), "slashes escaped"),
        (wrong(&format!("POST /a/v1/p?q=1\nM1.{TIME}.{}", text.replace('ä', "\\u00e4"))), "letters escaped"),
        (wrong(&format!("GET /a/v1/p?q=1\nM1.{TIME}.{text}")), "another method"),
        (wrong("something else"), "signed with another key, or over other content"),
    ] {
        let value = key("network").sign(&content).unwrap();
        let header = signature::render("1", &value, signature::Encoding::Percent);
        let bare = header.split_once("signature=").unwrap().1;
        for signature in [header.as_str(), bare] {
            let check = Check {
                method: "POST",
                target: "/a/v1/p?q=1",
                client_id: "M1",
                time: TIME,
                body,
                signature,
                key: &public,
            };
            let diagnosis = diagnose(&check).to_string();
            assert!(diagnosis.contains(said), "{said}: {diagnosis}");
        }
    }
    let check =
        Check { method: "POST", target: "/", client_id: "", time: "", body, signature: "AQ==", key: &public };
    assert!(matches!(diagnose(&check), Diagnosis::Unreadable(_)));
}

#[test]
fn the_first_difference_is_named_with_its_part() {
    let content = b"POST /v1/x\nM1.T1.{\"a\":1}";
    let said = |other: &[u8]| first_difference(content, other);
    assert_eq!(said(content), None);
    for (other, part) in [
        (b"GET /v1/x\nM1.T1.{\"a\":1}".as_slice(), "byte 0, in the method"),
        (b"POST /v2/x\nM1.T1.{\"a\":1}", "byte 7, in the path"),
        (b"POST /v1/x\nM2.T1.{\"a\":1}", "byte 12, in the Client-Id"),
        (b"POST /v1/x\nM1.T2.{\"a\":1}", "byte 15, in the time"),
        (b"POST /v1/x\nM1.T1.{\"a\":1}\n", "byte 24, in the body: the end expected, `\\n` found"),
        (b"POST /v1/x\nM1.T1.{\"a\"", "in the body: `:1}` expected, the end found"),
    ] {
        let text = said(other).unwrap();
        assert!(text.contains(part), "{text}");
    }
}

const SANDBOX: &str = r#"{
  "baseUrl": "http://127.0.0.1:8080",
  "walletKeys": [{ "keyVersion": "1", "publicKeyFile": "wallet.pub.pem" }],
  "qi": { "clientId": "q", "keyVersion": "1", "privateKeyFile": "network.key.pem", "pathPrefix": "" },
  "alipayPlus": { "clientId": "a", "keyVersion": "1", "privateKeyFile": "network.key.pem", "pathPrefix": "/aps/api",
                  "pspId": "p", "acquirerId": "c", "walletName": "w" },
  "users": [{ "loginId": "+9647", "pin": "1", "customerId": "u", "status": "active", "balances": { "IQD": "100", "USD": "7" } }],
  "later": {}
}"#;

#[test]
fn the_sandbox_file_is_read_and_written_as_published() {
    let file: SandboxFile = serde_json::from_str(SANDBOX).unwrap();
    let mut expected: serde_json::Value = serde_json::from_str(SANDBOX).unwrap();
    expected.as_object_mut().unwrap().remove("later");
    assert_eq!(serde_json::to_value(&file).unwrap(), expected);

    let dir = std::env::temp_dir().join(format!("accord-client-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for name in ["wallet.pub.pem", "network.key.pem"] {
        std::fs::copy(vector_path(name), dir.join(name)).unwrap();
    }
    file.write(&dir).unwrap();
    assert_eq!(SandboxFile::read(&dir).unwrap(), file);
    let client = Client::from_sandbox(&dir, "alipayPlus").unwrap();
    assert_eq!(
        (client.wallet().dialect, client.wallet().path_prefix.as_str()),
        (DialectKind::AlipayPlus, "/aps/api")
    );
    assert_eq!(client.identity().client_id, "a");
    assert!(matches!(file.client("qi2"), Err(SandboxFault::Who(_))));
    std::fs::remove_file(dir.join("network.key.pem")).unwrap();
    let fault = Client::from_sandbox(&dir, "qi").unwrap_err().to_string();
    assert!(fault.contains("network.key.pem"), "{fault}");
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(SandboxFile::read(Path::new("/nonexistent")).is_err());
}
