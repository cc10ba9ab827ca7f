//! The demo merchant's receiver of notifications: verifies, acknowledges with its own signature, writes down.
//!
//! It does not judge Request-Time: what the wallet could not deliver for a day is still news, and a signature is
//! the wallet's whenever it was made. Receiving the same notification twice is normal and only listed twice.

use super::{ConsentAnswer, Demo, consent, dialect_of, wire_log};
use crate::pages::demo::DemoDialect;
use crate::pages::demo_wire::{Exchange, SignatureState};
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
    /// What was received in that dialect after everything up to `since`, newest first.
    pub(super) fn shown(&self, dialect: DemoDialect, since: u64) -> Vec<Exchange> {
        let Ok(kept) = self.0.lock() else { return Vec::new() };
        kept.iter()
            .filter(|one| one.dialect == dialect && one.shown.number > since)
            .take(MOST_SHOWN)
            .map(|one| one.shown.clone())
            .collect()
    }

    /// The number of the newest of that dialect.
    pub(super) fn newest(&self, dialect: DemoDialect) -> u64 {
        let Ok(kept) = self.0.lock() else { return 0 };
        kept.iter().find(|one| one.dialect == dialect).map_or(0, |one| one.shown.number)
    }

    /// Status, code and paymentId of a debit, as the wallet notified them; nothing of what is not verified.
    pub(super) fn result_of(&self, dialect: DemoDialect, request_id: &str) -> Option<[String; 3]> {
        let kept = self.0.lock().ok()?;
        kept.iter().filter(|one| one.dialect == dialect && one.verified).find_map(|one| {
            let body: Value = serde_json::from_str(&one.shown.request.body).ok()?;
            (body.get("paymentRequestId")?.as_str()? == request_id).then_some(())?;
            let word = |name| body.pointer(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let told = ["/paymentResult/resultStatus", "/paymentResult/resultCode", "/paymentId"].map(word);
            matches!(told[0].as_str(), "S" | "F").then_some(told)
        })
    }

    /// Did the wallet notify that the agreement behind this token is over (authNotify; Qi, the contract's status)?
    pub(super) fn ended(&self, dialect: DemoDialect, token: &str) -> bool {
        let Ok(kept) = self.0.lock() else { return false };
        kept.iter().filter(|one| one.dialect == dialect && one.verified).any(|one| {
            let body: Value = serde_json::from_str(&one.shown.request.body).unwrap_or_default();
            let word = |name: &str| body.get(name).and_then(Value::as_str);
            let over = one.kind == "TOKEN_CANCELED" || word("contractStatus") == Some("INVALID");
            over && word("accessToken") == Some(token)
        })
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
    let request = wire_log::message(
        format!("POST {}{target}", demo.url),
        wire_log::readable(&headers),
        &received.content,
        body,
        wire_log::signature(&received.verified),
    );
    let reply_headers = signed.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let reply = wire_log::message(
        "200".to_owned(),
        reply_headers.collect(),
        &signed.content,
        &signed.body,
        SignatureState::Made,
    );
    let outcome = format!("{} {}", judgement.status, judgement.code);
    let operation = match received.kind.as_str() {
        "" if request.body.contains("\"contractStatus\"") => "contractStatus".to_owned(),
        "" => "?".to_owned(),
        kind => kind.to_owned(),
    };
    demo.inbox.keep(Kept {
        dialect,
        kind: received.kind.clone(),
        path: target.to_owned(),
        verified,
        acknowledged: outcome.clone(),
        shown: Exchange {
            number: demo.next_number(),
            from_wallet: true,
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
