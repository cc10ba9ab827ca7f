//! Taking the wallet's notifications: verify, then acknowledge with a signature of one's own.
//!
//! A receiver must expect a notification more than once and in any order; what it does about it is not known here.

use accord_wire::gateway::ReplyEnvelope;
use accord_wire::json::{self, Json};
use accord_wire::keys::{KeyFault, PublicKey};
use accord_wire::signature::{self, Encoding, Signed};
use accord_wire::time;

use crate::call::{Verification, one, verify};
use crate::request::Identity;

/// One receiver of notifications.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Whose notifications these are: its key signs the acknowledgements.
    pub identity: Identity,
    /// The wallet's public keys by version, oldest first.
    pub wallet_keys: Vec<(String, PublicKey)>,
}

/// A notification as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What it reports: `AUTHCODE_CREATED`, `TOKEN_CREATED`, `TOKEN_CANCELED`, `notifyPayment`,
    /// `consultUnbinding`; empty if none of them.
    pub kind: String,
    /// Whether the wallet signed it, for us. Act on nothing else.
    pub verified: Verification,
    /// Request-Time in milliseconds since 1970, if it can be read: refuse what is too old by your own clock.
    pub sent_at_ms: Option<i64>,
    /// The exact bytes that its signature should cover.
    pub content: Vec<u8>,
    /// The body; nothing when it is not JSON.
    pub body: Option<Json>,
    target: String,
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// `S`, `F` or `U`.
    pub status: String,
    /// `resultCode`.
    pub code: String,
    /// `resultMessage`.
    pub message: String,
}

impl Acknowledgement {
    /// Received and understood.
    pub fn success() -> Acknowledgement {
        Acknowledgement::of("S", "SUCCESS", "Success")
    }

    /// An answer in these words.
    pub fn of(status: &str, code: &str, message: &str) -> Acknowledgement {
        Acknowledgement { status: status.to_owned(), code: code.to_owned(), message: message.to_owned() }
    }
}

/// An acknowledgement, ready to be sent with HTTP 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedAcknowledgement {
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The exact bytes that were signed.
    pub content: Vec<u8>,
}

impl Receiver {
    /// Reads and verifies a POST to `target` (path and query as sent; header names in lower case).
    pub fn receive(&self, target: &str, headers: &[(String, Vec<u8>)], body: &[u8]) -> Received {
        let client_id = one(headers, "client-id").unwrap_or_default();
        let sent = one(headers, "request-time");
        let content =
            signature::content_to_sign(b"POST", target.as_bytes(), client_id, sent.unwrap_or_default(), body);
        let mut verified =
            verify(headers, sent.map(|_| content.as_slice()), "Request-Time", &self.wallet_keys);
        if verified == Verification::Verified && client_id != self.identity.client_id.as_bytes() {
            verified = Verification::Wrong("Client-Id: not ours".to_owned());
        }
        let body = json::parse(body).ok();
        Received {
            kind: body.as_ref().map(|body| kind_of(body, target)).unwrap_or_default(),
            verified,
            sent_at_ms: sent
                .and_then(|sent| std::str::from_utf8(sent).ok())
                .and_then(|sent| time::parse_header_time(sent).ok()),
            content,
            body,
            target: target.to_owned(),
        }
    }

    /// Writes and signs the answer to `received`; `response_time` becomes Response-Time as it is. What the paper
    /// wants repeated is repeated (Alipay+ authNotify: acquirerId and pspId).
    pub fn acknowledge(
        &self,
        received: &Received,
        answer: &Acknowledgement,
        response_time: &str,
    ) -> Result<SignedAcknowledgement, KeyFault> {
        self.acknowledge_with(received, answer, &[], response_time)
    }

    /// As [`Receiver::acknowledge`], with texts beside the result: the answer to a question (Alipay+
    /// consultUnbinding, allowUnbinding).
    pub fn acknowledge_with(
        &self,
        received: &Received,
        answer: &Acknowledgement,
        texts: &[(String, String)],
        response_time: &str,
    ) -> Result<SignedAcknowledgement, KeyFault> {
        let text = |text: &str| Json::String(text.to_owned());
        let result = Json::Object(vec![
            ("resultCode".to_owned(), text(&answer.code)),
            ("resultStatus".to_owned(), text(&answer.status)),
            ("resultMessage".to_owned(), text(&answer.message)),
        ]);
        let mut members = vec![("result".to_owned(), result)];
        for name in ["acquirerId", "pspId"] {
            if let Some(value) = received.body.as_ref().and_then(|body| body.get(name)) {
                members.push((name.to_owned(), value.clone()));
            }
        }
        members.extend(texts.iter().map(|(name, value)| (name.clone(), text(value))));
        let body = json::to_text(&Json::Object(members)).into_bytes();
        let envelope = ReplyEnvelope {
            http_status: 200,
            method: "POST".to_owned(),
            target: received.target.clone(),
            client_id: self.identity.client_id.clone(),
            echo: true,
            encoding: Encoding::Percent,
            utc_offset_seconds: 0,
        };
        let content = envelope.content(&body, response_time);
        let signature = self.identity.private_key.sign(&content)?;
        let signed = Signed { key_version: self.identity.key_version.clone(), signature };
        Ok(SignedAcknowledgement { headers: envelope.headers(Some(&signed), response_time), body, content })
    }
}

/// Alipay+ authNotify names its event; a payment's end is known by its result (both papers' notifyPayment);
/// consultUnbinding only by its path.
fn kind_of(body: &Json, target: &str) -> String {
    let event = body.get("authorizationNotifyType").and_then(Json::as_str);
    let asks = target.split('?').next().is_some_and(|path| path.ends_with("/consultUnbinding"));
    let kind = event.or(body.get("paymentResult").map(|_| "notifyPayment"));
    kind.or(asks.then_some("consultUnbinding")).unwrap_or_default().to_owned()
}
