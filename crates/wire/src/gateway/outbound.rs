//! The wallet's own calls: what is signed, which headers are sent, and what an acknowledgement means (decision 37).
//!
//! Sending, retrying and looking at addresses is the dispatcher's business.

use accord_core::notification::retry::Delivery;

use crate::dialect::Dialect;
use crate::directory::KnownClient;
use crate::json::{self, Json};
use crate::signature::{self, Encoding, SignatureFault, Signed};

/// The one media type spoken, in both directions.
pub(super) const JSON_UTF8: &str = "application/json; charset=UTF-8";

/// The headers of a call of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

impl Outbound {
    /// Client-Id of the client notified (decision 36a), Request-Time as signed, signature percent-encoded.
    pub fn new(client_id: &str, request_time: &str, signed: &Signed) -> Outbound {
        let value = signature::render(&signed.key_version, &signed.signature, Encoding::Percent);
        Outbound {
            headers: vec![
                ("content-type", JSON_UTF8.to_owned()),
                ("client-id", client_id.to_owned()),
                ("request-time", request_time.to_owned()),
                ("signature", value),
            ],
        }
    }
}

/// The exact bytes to sign for a call of ours; `target` is [`target_of`] the URL called.
pub fn outbound_content(method: &str, target: &str, client_id: &str, time: &str, body: &[u8]) -> Vec<u8> {
    signature::content_to_sign(
        method.as_bytes(),
        target.as_bytes(),
        client_id.as_bytes(),
        time.as_bytes(),
        body,
    )
}

/// Path and query that an HTTP client sends for this URL.
pub fn target_of(url: &url::Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// What came back for a call of ours.
#[derive(Debug, Clone, Copy)]
pub struct Replied<'a> {
    /// HTTP status.
    pub status: u16,
    /// Every header line: name in lower case, value as received.
    pub headers: &'a [(String, Vec<u8>)],
    /// The body, as far as it was read.
    pub body: &'a [u8],
}

impl<'a> Replied<'a> {
    fn values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers;
        headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_slice())
    }

    /// Checks the reply's signature: over the request's method, target and Client-Id, with the reply's time and body.
    pub fn check_signature<'k>(
        &self,
        target: &str,
        client_id: &str,
        key: impl FnOnce(Option<&str>) -> Option<&'k crate::keys::PublicKey>,
    ) -> AcknowledgementSignature {
        use AcknowledgementSignature as Found;
        let header = match signature::parse(self.values("signature")) {
            Ok(header) => header,
            Err(SignatureFault::Missing) => return Found::Missing,
            Err(fault) => return Found::Wrong(fault.to_string()),
        };
        let mut times = self.values("response-time");
        let (Some(time), None) = (times.next(), times.next()) else {
            return Found::Wrong("Response-Time: header missing or sent more than once".to_owned());
        };
        let Some(key) = key(header.key_version.as_deref()) else {
            return Found::Wrong("Signature: no active key of that keyVersion".to_owned());
        };
        let content =
            signature::content_to_sign(b"POST", target.as_bytes(), client_id.as_bytes(), time, self.body);
        match signature::verify(key, &content, &header) {
            Ok(()) => Found::Valid,
            Err(fault) => Found::Wrong(format!(
                "{fault}; the content checked has {}",
                signature::content_digest(&content)
            )),
        }
    }
}

/// What is to be said of a reply's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcknowledgementSignature {
    /// It verifies.
    Valid,
    /// There is none.
    Missing,
    /// It is there and cannot be accepted.
    Wrong(String),
}

impl std::fmt::Display for AcknowledgementSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AcknowledgementSignature::Valid => f.write_str("signature valid"),
            AcknowledgementSignature::Missing => f.write_str("unsigned"),
            AcknowledgementSignature::Wrong(why) => write!(f, "signature not accepted: {why}"),
        }
    }
}

/// The `result` of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultWords {
    /// `resultStatus`: S, F, U, at times A.
    pub status: String,
    /// `resultCode`; empty when absent.
    pub code: String,
    /// `resultMessage`; empty when absent.
    pub message: String,
}

/// Reads the `result` of a body; nothing when there is none, or none with a status.
pub fn read_result(body: &[u8]) -> Option<ResultWords> {
    let body = json::parse(body).ok()?;
    let result = body.get("result")?;
    let text = |name| result.get(name).and_then(Json::as_str).map(str::to_owned);
    Some(ResultWords {
        status: text("resultStatus")?,
        code: text("resultCode").unwrap_or_default(),
        message: text("resultMessage").unwrap_or_default(),
    })
}

/// Reads an acknowledgement: what becomes of the notification, and the sentence for its list of attempts.
///
/// `target` and `client_id` are those of our request; `client` is whom we told, with its keys.
pub fn acknowledgement(
    dialect: &dyn Dialect,
    client: Option<&KnownClient>,
    target: &str,
    client_id: &str,
    reply: &Replied<'_>,
) -> (Delivery, String) {
    if reply.status != 200 {
        return (Delivery::Failed, format!("HTTP status {}", reply.status));
    }
    let Some(ResultWords { status, code, .. }) = read_result(reply.body) else {
        return (Delivery::Failed, "no result in the body".to_owned());
    };
    let code = json::shown(&code);
    let signature = reply.check_signature(target, client_id, |version| {
        client.and_then(|client| client.key(version)).map(|known| &known.key)
    });
    match status.as_str() {
        "S" if signature == AcknowledgementSignature::Valid || dialect.trusts_unsigned_acknowledgement() => {
            (Delivery::Acknowledged, format!("acknowledged, {signature}"))
        }
        "S" => (Delivery::Failed, format!("acknowledgement not trusted, {signature}")),
        "F" => (Delivery::Refused, format!("refused with {code}, {signature}")),
        _ => (Delivery::Failed, format!("result status {}, code {code}", json::shown(&status))),
    }
}
