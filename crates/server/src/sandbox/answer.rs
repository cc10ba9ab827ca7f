//! Reading and writing the JSON of the control API and of the wallet API.

use accord_core::Timestamp;
use accord_core::store::StoreFault;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Longest body read.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    /// A failure with that status, code and sentence.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
        Failure { status, code, message: message.into() }
    }

    /// The request is not as this page of the interfaces says.
    pub fn bad(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// HTTP status and code, for tests.
    #[cfg(test)]
    pub fn told(&self) -> (u16, &'static str) {
        (self.status.as_u16(), self.code)
    }
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Failure {
        tracing::error!(%fault, "an API met a fault of the store");
        let message = "the store could not do it; the server's log says why";
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "STORE_FAULT", message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        reply(self.status, &json!({ "error": { "code": self.code, "message": self.message } }))
    }
}

/// A call that worked: 200 and this JSON.
pub struct Told(pub Value);

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        reply(StatusCode::OK, &self.0)
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The members of a request's body.
pub struct Members(Map<String, Value>);

impl<S: Sync> FromRequest<S> for Members {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Members, Failure> {
        let told = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        let too_long =
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", "the body is longer than 64 KiB");
        if told.is_some_and(|length: usize| length > BODY_LIMIT) {
            return Err(too_long);
        }
        match axum::body::to_bytes(request.into_body(), BODY_LIMIT).await {
            Ok(bytes) => Members::read(&bytes),
            Err(_) => Err(too_long),
        }
    }
}

impl Members {
    /// Reads a body: one JSON object, as strictly as a dialect's (decision 10): no name twice, no NUL, not too deep.
    pub fn read(bytes: &[u8]) -> Result<Members, Failure> {
        if let Err(fault) = accord_wire::json::parse(bytes) {
            return Err(Failure::bad(format!("the body is not JSON: {fault}")));
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Members(members)),
            Ok(_) => Err(Failure::bad("the body is not a JSON object")),
            Err(fault) => Err(Failure::bad(format!("the body is not JSON: {fault}"))),
        }
    }

    /// A text; `null` is absent.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Failure::bad(format!("{name}: not a string"))),
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.text(name)?.ok_or_else(|| Failure::bad(format!("{name}: missing")))
    }

    /// A yes or no; `null` is absent.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Failure::bad(format!("{name}: neither true nor false"))),
        }
    }

    /// The members of an object; `null` is absent.
    pub fn object(&self, name: &str) -> Result<Option<Members>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Members(members.clone()))),
            Some(_) => Err(Failure::bad(format!("{name}: not an object"))),
        }
    }

    /// A whole number from `least` to `most`; `null` is absent.
    pub fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64().filter(|number| (least..=most).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => Err(Failure::bad(format!("{name}: not a whole number from {least} to {most}"))),
            },
        }
    }
}

/// A time as this API writes it: `2026-01-15T06:30:01.123+00:00`.
pub fn iso(time: Timestamp) -> String {
    accord_wire::time::format_millis(time.0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_json_object() {
        for body in ["", "[]", "1", "{\"a\":", "{} {}", "\u{0}"] {
            assert_eq!(
                Members::read(body.as_bytes()).err().map(|fault| fault.told().0),
                Some(400),
                "{body:?}"
            );
        }
        for body in [r#"{"a":1,"a":1}"#, r#"{"amount":{"value":"1","value":"7"}}"#] {
            let refused = Members::read(body.as_bytes()).err().expect("a failure");
            assert!(refused.message.contains("duplicate member"), "{refused:?}");
        }
        assert!(Members::read(br#"{"unknown": [1, {"x": null}]}"#).is_ok());
    }

    #[test]
    fn members_have_types_and_bounds() {
        let members = Members::read(br#"{"a":"x","b":7,"c":null,"d":1.5,"e":-1,"f":"7"}"#).unwrap();
        assert_eq!(members.text("a"), Ok(Some("x")));
        assert_eq!(members.text("c"), Ok(None));
        assert_eq!(members.text("z"), Ok(None));
        assert!(members.text("b").is_err());
        assert!(members.required("c").is_err());
        assert_eq!(members.number("b", 0, 7), Ok(Some(7)));
        assert_eq!(members.number("c", 0, 7), Ok(None));
        for (name, most) in [("b", 6), ("d", 9), ("e", 9), ("f", 9), ("a", 9)] {
            assert!(members.number(name, 0, most).is_err(), "{name}");
        }
    }
}
