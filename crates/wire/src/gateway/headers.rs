//! The headers of a request, read once: what they must be, and in which order they are refused (decision 4).

use super::Request;
use crate::dialect::{Fault, Refused};
use crate::signature::{self, SignatureFault, SignatureHeader};

/// Longest Client-Id, in characters.
const MAX_CLIENT_ID: usize = 64;

/// The headers of a well-formed envelope; nothing of them is verified yet.
pub(super) struct Headers<'r> {
    pub(super) client_id: &'r str,
    /// A malformed keyVersion is kept: it is refused after the client has been found (`KEY_NOT_FOUND`).
    pub(super) signature: Result<SignatureHeader, SignatureFault>,
    pub(super) request_time: &'r [u8],
}

/// Why there is not exactly one header of a name.
enum Absent {
    Missing,
    Doubled,
}

impl Absent {
    fn as_str(&self) -> &'static str {
        match self {
            Absent::Missing => "header missing",
            Absent::Doubled => "header sent more than once",
        }
    }
}

/// The value of the one header of that name.
fn one<'r>(request: &'r Request, name: &'r str) -> Result<&'r [u8], Absent> {
    let mut values = request.values(name);
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(Absent::Missing),
        _ => Err(Absent::Doubled),
    }
}

/// The Client-Id, if there is exactly one and it may be echoed (decision 2).
pub(super) fn client_id(request: &Request) -> Option<&str> {
    one(request, "client-id").ok().and_then(|value| {
        let good = (1..=MAX_CLIENT_ID).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
        std::str::from_utf8(value).ok().filter(|_| good)
    })
}

/// The content that this request's signature should cover; what is missing or doubled counts as empty.
pub(super) fn content(request: &Request) -> Vec<u8> {
    signature::content_to_sign(
        request.method.as_bytes(),
        request.target.as_bytes(),
        client_id(request).unwrap_or_default().as_bytes(),
        one(request, "request-time").unwrap_or_default(),
        &request.body,
    )
}

/// Reads the headers. The order is Client-Id, Signature, Request-Time, Encrypt; the first fault answers.
pub(super) fn read(
    request: &Request,
    signature: Result<SignatureHeader, SignatureFault>,
) -> Result<Headers<'_>, Refused> {
    let refuse = |fault, name: &str, why: &str| Refused::new(fault, format!("{name}: {why}"));
    one(request, "client-id").map_err(|why| refuse(Fault::ClientUnknown, "Client-Id", why.as_str()))?;
    let client_id = client_id(request).ok_or_else(|| {
        refuse(Fault::ClientUnknown, "Client-Id", "must be 1 to 64 visible ASCII characters")
    })?;
    let signature = match signature {
        Err(fault) if !fault.is_key_version() => return Err(wrong_signature(fault, &content(request))),
        read => read,
    };
    let request_time =
        one(request, "request-time").map_err(|why| refuse(Fault::Header, "Request-Time", why.as_str()))?;
    if request.values("encrypt").next().is_some() {
        return Err(Refused::new(
            Fault::Header,
            "Encrypt: not supported, the body must be sent in the clear",
        ));
    }
    Ok(Headers { client_id, signature, request_time })
}

/// `INVALID_SIGNATURE` tells what we checked, so that callers can compare it with what they signed (decision 14).
pub(super) fn wrong_signature(fault: SignatureFault, content: &[u8]) -> Refused {
    let digest = signature::content_digest(content);
    Refused::new(Fault::SignatureWrong, format!("{fault}; the content checked has {digest}"))
}

/// The media type is JSON in UTF-8, or absent.
pub(super) fn check_media_type(request: &Request) -> Result<(), Refused> {
    let refused = |why: &str| Err(Refused::new(Fault::MediaType, format!("Content-Type: {why}")));
    let value = match one(request, "content-type") {
        Ok(value) => value,
        Err(Absent::Missing) => return Ok(()),
        Err(why) => return refused(why.as_str()),
    };
    let Ok(value) = std::str::from_utf8(value) else { return refused("must be application/json") };
    let mut parts = value.split(';').map(str::trim);
    if !parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json")) {
        return refused("must be application/json");
    }
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let charset = value.trim().trim_matches('"');
        let utf8 = charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8");
        if name.trim().eq_ignore_ascii_case("charset") && !utf8 {
            return refused("charset must be UTF-8");
        }
    }
    Ok(())
}
