//! What is signed and sent with a body: the headers of a reply (decisions 1, 2 and 7).

use accord_core::Timestamp;

use super::{Gateway, Request, headers};
use crate::dialect::{Dialect, Fault};
use crate::signature::{self, Encoding, Signed};
use crate::time;

/// All of a reply but its body, its time and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyEnvelope {
    /// 200, or 413 or 503 (decision 1).
    pub http_status: u16,
    /// The request's method, as received.
    pub method: String,
    /// The request's path and query, as received.
    pub target: String,
    /// The request's Client-Id; empty when it may not be echoed (decision 2).
    pub client_id: String,
    /// Is the Client-Id echoed?
    pub echo: bool,
    /// The form of our signature (decision 7).
    pub encoding: Encoding,
    /// Offset of Response-Time, in seconds east of UTC.
    pub utc_offset_seconds: i32,
}

impl ReplyEnvelope {
    /// Response-Time, to the second.
    pub fn response_time(&self, now: Timestamp) -> String {
        time::format_seconds(now.0, self.utc_offset_seconds)
    }

    /// The exact bytes to sign: method, target and Client-Id of the request, time and body of the reply.
    pub fn content(&self, body: &[u8], response_time: &str) -> Vec<u8> {
        signature::content_to_sign(
            self.method.as_bytes(),
            self.target.as_bytes(),
            self.client_id.as_bytes(),
            response_time.as_bytes(),
            body,
        )
    }

    /// The reply's headers, names in lower case. Without `signed` the reply is unsigned.
    pub fn headers(&self, signed: Option<&Signed>, response_time: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![("content-type", super::outbound::JSON_UTF8.to_owned())];
        if self.echo {
            headers.push(("client-id", self.client_id.clone()));
        }
        headers.push(("response-time", response_time.to_owned()));
        if let Some(signed) = signed {
            let value = signature::render(&signed.key_version, &signed.signature, self.encoding);
            headers.push(("signature", value));
        }
        headers
    }
}

/// The two exceptions to HTTP 200 (decision 1).
pub(super) fn http_status(fault: Fault) -> u16 {
    match fault {
        Fault::TooLarge => 413,
        Fault::Overloaded => 503,
        _ => 200,
    }
}

impl Gateway {
    /// The envelope of whatever will be answered to this request.
    /// `used` is the form of the request's signature, if it could be read.
    pub(super) fn envelope(
        &self,
        request: &Request,
        dialect: &dyn Dialect,
        used: Option<Encoding>,
    ) -> ReplyEnvelope {
        let client_id = headers::client_id(request);
        let mirrored = used.filter(|_| dialect.mirrors_encoding());
        ReplyEnvelope {
            http_status: 200,
            method: request.method.clone(),
            target: request.target.clone(),
            client_id: client_id.unwrap_or_default().to_owned(),
            echo: client_id.is_some(),
            encoding: mirrored.unwrap_or(Encoding::Percent),
            utc_offset_seconds: dialect.utc_offset_seconds(),
        }
    }
}
