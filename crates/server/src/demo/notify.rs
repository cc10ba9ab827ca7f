//! The demo merchant's receiver of notifications: verifies, acknowledges with its own signature, writes down.
//!
//! It does not judge Request-Time: what the wallet could not deliver for a day is still news, and a signature is
//! the wallet's whenever it was made. Receiving the same notification twice is normal and only listed twice.

use super::{ConsentAnswer, Demo, consent, dialect_of, wire_log};
use crate::pages::demo::{DemoDialect, Exchange, SignatureState, SignedMessage};
use accord_client::{Acknowledgement, Received, Receiver, Verification};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Notifications kept.
const MOST_KEPT: usize = 1_000;
/// Notifications shown on the page.
const MOST_SHOWN: usize = 30;

/// What was received.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<VecDeque<Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    dialect: DemoDialect,
    kind: String,
    path: String,
    verified: bool,
    acknowledged: String,
    shown: Exchange,
}

impl Inbox {
    /// What was received in that dialect, newest first.
    pub(super) fn shown(&self, dialect: DemoDialect) -> Vec<Exchange> {
        let Ok(kept) = self.0.lock() else { return Vec::new() };
        kept.iter()
            .filter(|one| one.dialect == dialect)
            .take(MOST_SHOWN)
            .map(|one| one.shown.clone())
            .collect()
    }

    /// Everything that was received, newest first, for programs.
    pub(super) fn list(&self) -> Vec<Value> {
        let Ok(kept) = self.0.lock() else { return Vec::new() };
        kept.iter()
            .map(|one| {
                json!({
                    "time": one.shown.time,
                    "dialect": one.dialect.path(),
                    "type": one.kind,
                    "path": one.path,
                    "verified": one.verified,
                    "acknowledged": one.acknowledged,
                    "body": one.shown.request.body,
                })
            })
            .collect()
    }

    fn keep(&self, one: Kept) {
        if let Ok(mut kept) = self.0.lock() {
            wire_log::push_bounded(&mut kept, one, MOST_KEPT);
        }
    }
}

/// `POST /demo/notify/{dialect}`
pub(super) async fn receive(
    State(demo): State<Arc<Demo>>,
    Path(dialect): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(dialect) = dialect_of(&dialect) else { return StatusCode::NOT_FOUND.into_response() };
    let merchant = match demo.merchant().await {
        Ok(merchant) => merchant,
        // Not acknowledged: the wallet tries again.
        Err(fault) => return (StatusCode::SERVICE_UNAVAILABLE, fault).into_response(),
    };
    let headers: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    // Where the wallet's clock cannot be asked, the time it sent is the best guess.
    let time = match merchant.now().await {
        Ok(now) => now.text,
        Err(_) => {
            let sent = headers.iter().find(|(name, _)| name == "request-time");
            sent.map(|(_, value)| wire_log::text(value)).unwrap_or_default()
        }
    };
    let target = super::path_and_query(&uri);
    if target.ends_with("/consultUnbinding") && demo.consent.get() == ConsentAnswer::Silence {
        tokio::time::sleep(consent::SILENCE).await;
    }
    answer(&demo, &merchant.receiver(dialect), dialect, target, headers, &body, &time)
}

fn answer(
    demo: &Demo,
    receiver: &Receiver,
    dialect: DemoDialect,
    target: &str,
    headers: Vec<(String, Vec<u8>)>,
    body: &[u8],
    time: &str,
) -> Response {
    let received = receiver.receive(target, &headers, body);
    let judgement = judge(&received);
    let mut members = Vec::new();
    if received.kind == "consultUnbinding" && judgement.status == "S" {
        let allow = if demo.consent.get() == ConsentAnswer::Deny { "false" } else { "true" };
        members.push(("allowUnbinding".to_owned(), allow.to_owned()));
    }
    let Ok(signed) = receiver.acknowledge_with(&received, &judgement, &members, time) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let verified = received.verified == Verification::Verified;
    let request = SignedMessage {
        start_line: format!("POST {}{target}", demo.url),
        headers: wire_log::readable(&headers),
        signed_content: wire_log::text(&received.content),
        body: wire_log::text(body),
        signature: wire_log::signature(&received.verified),
    };
    let reply = SignedMessage {
        start_line: "200".to_owned(),
        headers: signed.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        signed_content: wire_log::text(&signed.content),
        body: wire_log::text(&signed.body),
        signature: SignatureState::Made,
    };
    let outcome = format!("{} {}", judgement.status, judgement.code);
    let operation = if received.kind.is_empty() { "?".to_owned() } else { received.kind.clone() };
    demo.inbox.keep(Kept {
        dialect,
        kind: received.kind.clone(),
        path: target.to_owned(),
        verified,
        acknowledged: outcome.clone(),
        shown: Exchange {
            operation,
            time: time.to_owned(),
            outcome,
            good: verified,
            request,
            reply: Some(reply),
        },
    });

    let mut response = Response::new(Body::from(signed.body));
    for (name, value) in signed.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn judge(received: &Received) -> Acknowledgement {
    match &received.verified {
        Verification::Verified if received.body.is_none() => {
            Acknowledgement::of("F", "PARAM_ILLEGAL", "the body is not JSON")
        }
        Verification::Verified => Acknowledgement::success(),
        Verification::Unverified => {
            Acknowledgement::of("F", "INVALID_SIGNATURE", "Signature: header missing")
        }
        Verification::Wrong(why) => Acknowledgement::of("F", "INVALID_SIGNATURE", why),
    }
}
