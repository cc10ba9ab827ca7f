//! What went over the wire, as the page shows it.

use crate::pages::demo_wire::{Exchange, SignatureState, SignedMessage};
use accord_client::{Replied, SignedRequest, Verification};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// A call of the demo merchant that got a reply.
pub(super) fn answered(
    (operation, number): (&str, u64),
    time: &str,
    exchange: &accord_client::Exchange,
) -> Exchange {
    let result = &exchange.result;
    let outcome = match (result.status.as_str(), &exchange.verification) {
        ("", _) => format!("HTTP {}", exchange.reply.status),
        (status, Verification::Wrong(_)) => format!("{status} {} (not believed)", result.code),
        (status, _) => format!("{status} {}", result.code),
    };
    Exchange {
        number,
        from_wallet: false,
        operation: operation.to_owned(),
        time: time.to_owned(),
        outcome,
        good: exchange.is_success() && exchange.verification == Verification::Verified,
        request: made(&exchange.request),
        reply: Some(came(
            &exchange.reply,
            exchange.reply_content.as_deref().unwrap_or_default(),
            signature(&exchange.verification),
        )),
    }
}

/// A call of the demo merchant that got none.
pub(super) fn unanswered((operation, number): (&str, u64), time: &str, request: &SignedRequest) -> Exchange {
    Exchange {
        number,
        from_wallet: false,
        operation: operation.to_owned(),
        time: time.to_owned(),
        outcome: "no reply".to_owned(),
        good: false,
        request: made(request),
        reply: None,
    }
}

fn made(request: &SignedRequest) -> SignedMessage {
    let headers = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let start_line = format!("{} {}", request.method, request.url);
    message(start_line, headers, &request.content, &request.body, SignatureState::Made)
}

fn came(reply: &Replied, content: &[u8], signature: SignatureState) -> SignedMessage {
    message(reply.status.to_string(), readable(&reply.headers), content, &reply.body, signature)
}

/// A signed message, with the measure of its content.
pub(super) fn message(
    start_line: String,
    headers: Vec<(String, String)>,
    content: &[u8],
    body: &[u8],
    signature: SignatureState,
) -> SignedMessage {
    SignedMessage {
        start_line,
        headers,
        signed_content: text(content),
        signed_length: content.len(),
        signed_digest: Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect(),
        body: text(body),
        signature,
    }
}

/// Headers as text.
pub(super) fn readable(headers: &[(String, Vec<u8>)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// What is known of a signature of the wallet.
pub(super) fn signature(verification: &Verification) -> SignatureState {
    match verification {
        Verification::Verified => SignatureState::Verified,
        Verification::Unverified => SignatureState::Wrong("there is none".to_owned()),
        Verification::Wrong(why) => SignatureState::Wrong(why.clone()),
    }
}

/// Bytes as they can be shown.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Puts the newest in front and lets the oldest go.
pub(super) fn push_bounded<T>(list: &mut VecDeque<T>, newest: T, most: usize) {
    list.push_front(newest);
    list.truncate(most);
}
