//! The sockets: pages first, everything else that is a dialect's to the gateway, the rest is a plain 404.

use crate::app::App;
use crate::cookies::Browser;
use crate::pages;
use crate::{authorize, calls, demo, handover, sandbox, telemetry};
use accord_core::user::Language;
use accord_wire::gateway::{Request, origin_form};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts};
use axum::response::IntoResponse;
use axum::{Router, middleware, routing::get};
use http_body_util::BodyExt;
use hyper::body::Frame;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

/// Largest body of a call (decision 10).
pub const BODY_LIMIT: usize = 256 * 1024;
/// So much of a larger one is read on, so that its sender can receive the 413.
const DRAIN_LIMIT: usize = 8 * 1024 * 1024;
/// Largest form.
const FORM_LIMIT: usize = 16 * 1024;
/// A body that takes longer is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// The address of the other end of the socket.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The caller's address: the peer's, or what a configured proxy says of it.
#[derive(Debug, Clone, Copy)]
pub struct Sender(pub IpAddr);

/// Everything served on the main listener.
pub fn router(app: Arc<App>) -> Router {
    let mut pages = Router::new()
        .route("/", get(home).fallback(call))
        .route("/assets/{name}", get(asset).fallback(call))
        .route("/logo/{auth_id}", get(crate::logo::show).fallback(call))
        .route("/health/live", get(|| async { "live\n" }).fallback(call))
        .route("/health/ready", get(ready).fallback(call))
        .merge(authorize::routes())
        .merge(handover::routes())
        .merge(crate::wallet_pages::routes())
        .merge(crate::app_links::routes());
    if app.options.admin_listen.is_none() {
        pages = pages.route("/metrics", get(metrics).fallback(call));
    }
    let console = app.options.admin_listen.is_none().then(|| crate::admin::routes(app.clone())).flatten();
    let pages =
        pages.layer(axum::extract::DefaultBodyLimit::max(FORM_LIMIT)).layer(middleware::from_fn(mannered));
    let mut all: Router = pages.fallback(call).with_state(app.clone());
    if app.options.sandbox.is_some() {
        all = all.merge(sandbox::routes(app.clone())).merge(demo::routes(app.clone()));
        all = all.merge(crate::wallet_api::routes(app.clone()));
    }
    if let Some(console) = console {
        all = all.merge(console);
    }
    all.layer(middleware::from_fn_with_state(app, note_sender))
}

/// What is served on the admin listener.
pub fn admin_router(app: Arc<App>) -> Router {
    let mut all = Router::new()
        .route("/metrics", get(metrics))
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .with_state(app.clone());
    if let Some(console) = crate::admin::routes(app.clone()) {
        all = all.merge(console).route("/assets/{name}", get(asset));
    }
    all.layer(middleware::from_fn_with_state(app, note_sender))
}

/// A body that is given up when it has not come to its end in time: whoever sends it byte by byte holds no connection for
/// ever.
pub(crate) struct Patient {
    body: Body,
    until: Pin<Box<tokio::time::Sleep>>,
}

impl Patient {
    /// That body, for twenty seconds.
    pub(crate) fn body(body: Body) -> Body {
        Patient::within(body, BODY_TIMEOUT)
    }

    fn within(body: Body, patience: Duration) -> Body {
        Body::new(Patient { body, until: Box::pin(tokio::time::sleep(patience)) })
    }
}

impl HttpBody for Patient {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err("took too long".into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }
}

/// What cannot be read as a page's question or form (a field that comes twice, another media type, too long) is told
/// by a page like all others, not in the words of a library.
async fn mannered(request: axum::extract::Request, next: middleware::Next) -> Response<Body> {
    let language = language(request.headers());
    let reply = next.run(request.map(Patient::body)).await;
    let kind = reply.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !reply.status().is_client_error() || !kind.is_some_and(|kind| kind.starts_with("text/plain")) {
        return reply;
    }
    let html = pages::home::render_unreadable(language);
    page(reply.status().as_u16(), html, &pages::policy::content_security_policy(None), &Browser::none())
}

async fn note_sender(
    State(app): State<Arc<App>>,
    mut request: axum::extract::Request,
    next: middleware::Next,
) -> Response<Body> {
    let peer = request.extensions().get::<Peer>().copied();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let sender = sender_of(peer, &app.options.trusted_proxies, request.headers());
    request.extensions_mut().insert(Sender(sender));
    next.run(request).await
}

/// The nearest address in `X-Forwarded-For` that is not one of our proxies, if the peer is one.
fn sender_of(peer: IpAddr, proxies: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<IpAddr> =
        lines.flat_map(|line| line.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| !proxies.contains(hop)).unwrap_or(peer)
}

/// Everything that is no page: a call of a dialect, or nothing.
async fn call(State(app): State<Arc<App>>, request: axum::extract::Request) -> Response<Body> {
    let sender = request.extensions().get::<Sender>().map_or(IpAddr::from([0, 0, 0, 0]), |sender| sender.0);
    let (parts, body) = request.into_parts();
    let target = target_of(&parts);
    if !app.options.gateway.claims(parts.method.as_str(), &target) {
        let body = pages::home::render_not_found(language(&parts.headers));
        return page(404, body, &pages::policy::content_security_policy(None), &Browser::none());
    }
    let line =
        |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
    let client_id = parts.headers.get("client-id").map(HeaderValue::as_bytes).unwrap_or_default();
    let admitted = calls::admit(&app, sender, client_id);
    let headers = parts.headers.iter().map(line).collect();
    let method = parts.method.as_str().to_owned();
    let request = |body, too_large| Request { method, target, headers, body, too_large };
    let reply = match admitted {
        // Not read: what has arrived of a small body is passed over, and a large one costs the connection.
        Err(why) => calls::turn_away(&app, &request(Vec::new(), false), why),
        Ok(_ticket) => match tokio::time::timeout(BODY_TIMEOUT, read(body)).await {
            Ok(Some((body, too_large))) => calls::answer(&app, request(body, too_large), sender).await,
            Ok(None) => calls::broken(&app, request(Vec::new(), false), sender, "body: broke off").await,
            Err(_) => calls::broken(&app, request(Vec::new(), false), sender, "body: took too long").await,
        },
    };

    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Path and query as they were sent, whatever the form of the target.
fn target_of(parts: &Parts) -> String {
    match parts.uri.path_and_query() {
        Some(target) => target.as_str().to_owned(),
        None => origin_form(&parts.uri.to_string()),
    }
}

/// The body, or so much of it as is allowed, and whether there was more.
async fn read(mut body: Body) -> Option<(Vec<u8>, bool)> {
    let mut read = Vec::new();
    let mut seen: usize = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen <= BODY_LIMIT {
            read.extend_from_slice(&data);
        } else if seen > DRAIN_LIMIT {
            break;
        }
    }
    Some((read, seen > BODY_LIMIT))
}

fn language(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    pages::i18n::best_language(accepted.unwrap_or_default())
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Chosen {
    lang: Option<String>,
}

async fn home(
    State(app): State<Arc<App>>,
    Query(asked): Query<Chosen>,
    headers: HeaderMap,
) -> Response<Body> {
    let chosen = asked.lang.as_deref().and_then(pages::i18n::catalogue::find);
    let view = pages::home::HomeView {
        language: chosen.unwrap_or_else(|| language(&headers)),
        demo_url: app.options.sandbox.as_ref().map(|sandbox| format!("{}/demo", sandbox.demo_url)),
        metrics: app.options.admin_listen.is_none(),
    };
    page(200, pages::home::render(&view), &pages::policy::content_security_policy(None), &Browser::none())
}

async fn asset(axum::extract::Path(name): axum::extract::Path<String>) -> Response<Body> {
    let Some(asset) = pages::assets::find(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::new(Body::from(asset.body.clone()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn ready(State(app): State<Arc<App>>) -> Response<Body> {
    if app.draining.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    if let Some(why) = crate::shared_time::not_ready(&app.clock) {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response();
    }
    if let Some(why) = app.same_keys.fault() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response();
    }
    match app.look(|rows| rows.setting("ready").map(|_| ())).await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read\n").into_response(),
    }
}

async fn metrics() -> Response<Body> {
    let mut response = Response::new(Body::from(telemetry::render()));
    let text = HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// A page, with the headers that every page has.
pub fn page(status: u16, html: String, content_security_policy: &str, browser: &Browser) -> Response<Body> {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(content_security_policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    guard(headers, browser);
    response
}

/// Leads the browser elsewhere with GET.
pub fn redirect(url: &str, browser: &Browser) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    // A location is bytes: a merchant's URL is kept as it came, non-ASCII included.
    match HeaderValue::from_bytes(url.as_bytes()) {
        Ok(location) => {
            headers.insert(header::LOCATION, location);
        }
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
    guard(headers, browser);
    response
}

fn guard(headers: &mut HeaderMap, browser: &Browser) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for cookie in browser.set_cookies() {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body that never ends and never sends.
    struct Silent;

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = axum::BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_form_that_never_comes_to_its_end_is_given_up_and_one_that_does_is_whole() {
        let silent = Patient::within(Body::new(Silent), Duration::from_millis(10));
        assert!(axum::body::to_bytes(silent, FORM_LIMIT).await.is_err());
        let form = Patient::body(Body::from("authId=x"));
        assert_eq!(axum::body::to_bytes(form, FORM_LIMIT).await.unwrap(), "authId=x");
    }

    #[test]
    fn forwarded_addresses_are_believed_only_from_our_proxies() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1, 198.51.100.7, 10.0.0.2"));
        let proxies: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let stranger: IpAddr = "203.0.113.9".parse().unwrap();
        assert_eq!(sender_of(stranger, &proxies, &headers), stranger);
        let expected: IpAddr = "198.51.100.7".parse().unwrap();
        assert_eq!(sender_of(proxies[0], &proxies, &headers), expected);
        assert_eq!(sender_of(proxies[0], &proxies, &HeaderMap::new()), proxies[0]);
    }
}
