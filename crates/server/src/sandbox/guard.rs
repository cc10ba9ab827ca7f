//! Who may use the control API: this machine, directly.
//!
//! A page of the web can make a browser on this machine send requests here. It is kept out by the Host header (a
//! name that was rebound to 127.0.0.1 is not loopback), by the media type (a form cannot send JSON) and by there
//! being no CORS answer. A proxy on this machine is kept out by the headers it adds.

use super::answer::Failure;
use crate::http::Peer;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};

/// Headers by which a proxy tells that it stands between.
const FORWARDED: [&str; 7] =
    ["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-host"];

/// Lets a request through or says why not.
pub async fn guard(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match judge(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(failure) => failure.into_response(),
    }
}

fn judge(parts: &Parts) -> Result<(), Failure> {
    let forbidden = |message| Err(Failure::new(StatusCode::FORBIDDEN, "FORBIDDEN", message));
    let Some(Peer(peer)) = parts.extensions.get::<Peer>() else {
        return forbidden("the sandbox is served to this machine only");
    };
    if !is_loopback(*peer) {
        return forbidden("the sandbox is served to this machine only");
    }
    if !host_is_loopback(parts) {
        return forbidden("Host must be 127.0.0.1, localhost or [::1]");
    }
    let forwarded = |name: &str| name.starts_with("x-forwarded") || FORWARDED.contains(&name);
    if parts.headers.keys().any(|name| forwarded(name.as_str())) {
        return forbidden("the sandbox is not served through a proxy");
    }
    if parts.method == Method::POST && !is_json(&parts.headers) {
        let message = "a POST needs Content-Type: application/json";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    Ok(())
}

fn is_loopback(peer: SocketAddr) -> bool {
    match peer.ip() {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
    }
}

fn host_is_loopback(parts: &Parts) -> bool {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let target = parts.uri.authority().is_none_or(|authority| names_loopback(authority.as_str()));
    target && host.to_str().is_ok_and(names_loopback)
}

/// Is this `127.0.0.1`, `localhost` or `[::1]`, perhaps with a port?
pub(crate) fn names_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| match host.strip_prefix(name) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(|port| {
            !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit())
        }),
        None => false,
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let media_type = value.to_str().ok().and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(peer: Option<&str>, method: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = axum::http::Request::builder().method(method).uri("/sandbox/decide");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        }
        request.into_parts().0
    }

    fn check(peer: Option<&str>, method: &str, headers: &[(&str, &str)]) -> u16 {
        judge(&parts(peer, method, headers)).map_or_else(|failure| failure.told().0, |()| 200)
    }

    #[test]
    fn only_this_machine_is_served() {
        for (peer, status) in [
            (Some("127.0.0.1:5000"), 200),
            (Some("127.8.0.1:5000"), 200),
            (Some("[::1]:5000"), 200),
            (Some("[::ffff:127.0.0.1]:5000"), 200),
            (Some("10.0.0.1:5000"), 403),
            (Some("[::ffff:10.0.0.1]:5000"), 403),
            (Some("[fe80::1]:5000"), 403),
            (None, 403),
        ] {
            assert_eq!(check(peer, "GET", &[("host", "127.0.0.1:8080")]), status, "{peer:?}");
        }
    }

    #[test]
    fn a_name_that_only_resolves_to_loopback_is_refused() {
        for (host, status) in [
            ("127.0.0.1", 200),
            ("localhost:8080", 200),
            ("LOCALHOST:8080", 200),
            ("[::1]:8080", 200),
            ("evil.example", 403),
            ("localhost.evil.example", 403),
            ("localhost:8080.evil.example", 403),
            ("127.0.0.1.evil.example:80", 403),
            ("localhost:", 403),
            ("localhost:80@evil.example", 403),
            ("127.0.0.2:8080", 403),
            ("", 403),
        ] {
            assert_eq!(check(Some("127.0.0.1:1"), "GET", &[("host", host)]), status, "{host}");
        }
        assert_eq!(check(Some("127.0.0.1:1"), "GET", &[]), 403);
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(check(Some("127.0.0.1:1"), "GET", &twice), 403);
    }

    #[test]
    fn a_proxy_is_refused() {
        for name in ["Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Real-IP", "Via"] {
            let headers = [("host", "localhost"), (name, "127.0.0.1")];
            assert_eq!(check(Some("127.0.0.1:1"), "GET", &headers), 403, "{name}");
        }
    }

    #[test]
    fn a_post_must_be_json_so_that_no_form_can_send_it() {
        for (media_type, status) in [
            ("application/json", 200),
            ("Application/JSON; charset=utf-8", 200),
            ("text/plain", 415),
            ("application/x-www-form-urlencoded", 415),
            ("application/jsonp", 415),
            ("", 415),
        ] {
            let headers = [("host", "localhost"), ("content-type", media_type)];
            assert_eq!(check(Some("127.0.0.1:1"), "POST", &headers), status, "{media_type}");
        }
        assert_eq!(check(Some("127.0.0.1:1"), "POST", &[("host", "localhost")]), 415);
        assert_eq!(check(Some("127.0.0.1:1"), "DELETE", &[("host", "localhost")]), 200);
    }
}
