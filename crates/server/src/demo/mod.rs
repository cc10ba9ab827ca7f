//! The demo merchant: a shop in the browser that runs both flows step by step and shows every signed message.
//!
//! It is a real merchant. It reads its keys from the sandbox's directory, calls the wallet over HTTP with
//! `accord-client`, takes notifications at URLs of its own, and knows nothing of the wallet's insides: what it asks
//! of the sandbox (time, users, messages) it asks over HTTP as well. It lives on `localhost` while the wallet is on
//! `127.0.0.1`, so that they are different origins as in life. What it holds is in memory and gone at a restart.
//!
//! Pages are drawn by [`crate::pages::demo`], which lists the steps and their fields.

mod calls;
mod consent;
mod log_in;
mod merchant;
mod notify;
mod shop;
mod steps;
mod visit;
mod wire_log;

pub use consent::{ConsentAnswer, DemoConsent};

use crate::app::App;
use crate::cookies::Browser;
use crate::http;
use crate::pages::demo::{self as view, DemoDialect, DemoIndexView, DemoView, Look, Notice, Said};
use crate::pages::i18n::{best_language, catalogue};
use crate::pages::policy::{content_security_policy_with_live_script, content_security_policy_with_script};
use crate::sandbox::names_loopback;
use accord_core::user::Language;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Form, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use merchant::Merchant;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, OnceCell};
use url::Url;
use visit::Visits;

/// Largest form or notification taken.
const BODY_LIMIT: usize = 256 * 1024;

/// The demo merchant's back end.
pub(crate) struct Demo {
    /// Its own origin.
    url: String,
    /// Where the wallet is.
    wallet_url: String,
    /// Where its keys are.
    dir: PathBuf,
    merchant: OnceCell<Merchant>,
    visits: Visits,
    inbox: notify::Inbox,
    consent: Arc<DemoConsent>,
    /// Counts everything that happens, so that calls and notifications can be told in their order.
    happened: AtomicU64,
    /// Steps are made one at a time, so that a second click finds what the first one did.
    turn: Mutex<()>,
}

impl Demo {
    /// The place of what happens now in the order of everything.
    fn next_number(&self) -> u64 {
        self.happened.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Keys and connections, made at first use: when a server starts, its sandbox's files may not be written yet.
    async fn merchant(&self) -> Result<&Merchant, String> {
        let (dir, wallet_url) = (self.dir.clone(), self.wallet_url.clone());
        self.merchant
            .get_or_try_init(|| async {
                let load = move || Merchant::load(&dir, &wallet_url);
                tokio::task::spawn_blocking(load).await.unwrap_or_else(|broken| Err(broken.to_string()))
            })
            .await
    }
}

/// Everything under `/demo`; nothing where there is no sandbox.
pub fn routes(app: Arc<App>) -> Router {
    let Some(sandbox) = &app.options.sandbox else { return Router::new() };
    let demo = Arc::new(Demo {
        url: sandbox.demo_url.trim_end_matches('/').to_owned(),
        wallet_url: app.options.public_url.trim_end_matches('/').to_owned(),
        dir: sandbox.dir.clone(),
        merchant: OnceCell::new(),
        visits: Visits::default(),
        inbox: notify::Inbox::default(),
        consent: app.demo_consent.clone(),
        happened: AtomicU64::new(0),
        turn: Mutex::new(()),
    });
    Router::new()
        .route("/demo", get(index))
        .route("/demo/", get(index))
        .route("/demo/notify/{dialect}", post(notify::receive))
        .route("/demo/notify/{dialect}/consultUnbinding", post(notify::receive))
        .route("/demo/notifications.json", get(list_notifications))
        .route("/demo/{dialect}", get(show))
        .route("/demo/{dialect}/return", get(come_back))
        .route("/demo/{dialect}/stamp", get(stamp))
        .route("/demo/{dialect}/{step}", post(step).get(nothing_here))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(demo.clone(), keep_origin))
        .with_state(demo)
}

/// Pages are served on the demo's own origin only; a browser that comes by another name is led there.
async fn keep_origin(State(demo): State<Arc<Demo>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    let at_home = is_at(&demo.url, host);
    let anywhere =
        path.starts_with("/demo/notify/") || (path == "/demo/notifications.json" && names_loopback(host));
    if at_home || anywhere {
        return next.run(request).await;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::FORBIDDEN, "the demo merchant is elsewhere\n").into_response();
    }
    http::redirect(&format!("{}{}", demo.url, path_and_query(request.uri())), &Browser::none())
}

fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/demo", |target| target.as_str())
}

/// Is `host` (with its port) that of this URL?
fn is_at(url: &str, host: &str) -> bool {
    let (Ok(url), Ok(host)) = (Url::parse(url), Url::parse(&format!("http://{host}/"))) else { return false };
    url.host_str() == host.host_str() && url.port_or_known_default() == host.port_or_known_default()
}

async fn nothing_here(headers: HeaderMap) -> Response {
    let body = crate::pages::home::render_not_found(accepted(&headers));
    http::page(404, body, &content_security_policy_with_script(None), &Browser::none())
}

async fn index(State(demo): State<Arc<Demo>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = asked_language(query.as_deref()).unwrap_or_else(|| accepted(&headers));
    let body = view::render_index(&DemoIndexView { language, wallet_url: demo.wallet_url.clone() });
    http::page(200, body, &content_security_policy_with_script(None), &Browser::none())
}

/// `GET /demo/notifications.json`: what was received, newest first.
async fn list_notifications(State(demo): State<Arc<Demo>>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(demo.inbox.list())).into_response()
}

async fn show(
    State(demo): State<Arc<Demo>>,
    Path(dialect): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(dialect) = dialect_of(&dialect) else { return nothing_here(headers).await };
    draw(&demo, dialect, query.as_deref(), &headers).await
}

/// Where the wallet's page leads back to. Qi: the code is in the fragment, for the emulator's script. Alipay+: it is
/// in the query; it is taken and does not stay in the address.
async fn come_back(
    State(demo): State<Arc<Demo>>,
    Path(dialect): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match dialect_of(&dialect) {
        Some(DemoDialect::Qi) => draw(&demo, DemoDialect::Qi, query.as_deref(), &headers).await,
        Some(DemoDialect::AlipayPlus) => {
            let visitor = demo.visits.visitor(&headers);
            let given: HashMap<String, String> =
                url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
            let _turn = demo.turn.lock().await;
            let before = demo.visits.with(&visitor, |visit| visit.flow(DemoDialect::AlipayPlus).clone());
            let after = steps::come_back(&demo, before, &given).await;
            let next = to_page(DemoDialect::AlipayPlus, after.at_steps);
            demo.visits.with(&visitor, |visit| *visit.flow(DemoDialect::AlipayPlus) = after);
            with_cookie(next, &visitor)
        }
        None => nothing_here(headers).await,
    }
}

/// A step's form.
async fn step(
    State(demo): State<Arc<Demo>>,
    Path((dialect, step)): Path<(String, String)>,
    headers: HeaderMap,
    Form(fields): Form<HashMap<String, String>>,
) -> Response {
    let Some(dialect) = dialect_of(&dialect) else { return nothing_here(headers).await };
    let Some(step) = steps::Step::parse(&step) else { return nothing_here(headers).await };
    let visitor = demo.visits.visitor(&headers);
    let csrf = fields.get("csrf").map(String::as_str).unwrap_or_default();
    if foreign_origin(&demo.url, &headers) || !demo.visits.owns_form(&visitor, csrf) {
        let at_steps = demo.visits.with(&visitor, |visit| {
            let flow = visit.flow(dialect);
            flow.notice = Some(Notice { good: false, said: Said::FormTooOld });
            flow.at_steps
        });
        return with_cookie(to_page(dialect, at_steps), &visitor);
    }
    let _turn = demo.turn.lock().await;
    let (before, language) =
        demo.visits.with(&visitor, |visit| (visit.flow(dialect).clone(), visit.language));
    let language = language.unwrap_or_else(|| accepted(&headers));
    let after = steps::run(&demo, dialect, step, before, (&fields, language)).await;
    let next = to_page(dialect, after.at_steps);
    demo.visits.with(&visitor, |visit| *visit.flow(dialect) = after);
    with_cookie(next, &visitor)
}

fn to_page(dialect: DemoDialect, at_steps: bool) -> Response {
    let view = if at_steps { "?view=steps" } else { "" };
    http::redirect(&format!("/demo/{}{view}", dialect.path()), &Browser::none())
}

/// Was the form sent by a page of another origin? `null` says nothing: our pages send no referrer.
fn foreign_origin(own: &str, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().unwrap_or_default();
    let same = |own: Url, other: Url| own.origin() == other.origin();
    origin != "null"
        && !Url::parse(own).is_ok_and(|own| Url::parse(origin).is_ok_and(|other| same(own, other)))
}

async fn draw(demo: &Arc<Demo>, dialect: DemoDialect, query: Option<&str>, headers: &HeaderMap) -> Response {
    let visitor = demo.visits.visitor(headers);
    // Taken first: what arrives while the page is being drawn must not be counted as drawn.
    let before = demo.visits.with(&visitor, |visit| visit.flow(dialect).clone());
    let stamp = stamp_of(demo, dialect, &before).await;
    let (flow, language) = demo.visits.with(&visitor, |visit| {
        visit.language = asked_language(query).or(visit.language);
        let flow = visit.flow(dialect);
        shop::hear(demo, dialect, flow);
        (flow.clone(), visit.language)
    });
    let merchant = demo.merchant().await;
    let customer = flow.state.customer_id.clone();
    let (users, messages, now) = match &merchant {
        Ok(merchant) => {
            let (users, messages) = (merchant.users().await, merchant.messages_of(customer.as_deref()).await);
            (users, messages, merchant.now().await.ok().map(|now| now.millis))
        }
        Err(_) => (Vec::new(), Vec::new(), None),
    };
    let trouble = merchant.err().map(|fault| Notice { good: false, said: Said::Raw(fault) });
    let mut exchanges: Vec<_> = flow.exchanges.into();
    exchanges.extend(demo.inbox.shown(dialect, flow.since));
    exchanges.sort_by_key(|exchange| std::cmp::Reverse(exchange.number));
    let body = view::render(&DemoView {
        language: language.unwrap_or_else(|| accepted(headers)),
        dialect,
        look: asked_look(query).unwrap_or(if flow.at_steps { Look::Steps } else { Look::Wire }),
        csrf: visitor.form_token(),
        wallet_url: demo.wallet_url.clone(),
        state: flow.state,
        shop: flow.shop,
        notice: flow.notice.or(trouble),
        users,
        exchanges,
        events: flow.events.into(),
        consult_answer: demo.consent.get().as_str(),
        messages,
        now,
        stamp,
    });
    let policy = content_security_policy_with_live_script(None);
    with_cookie(http::page(200, body, &policy, &Browser::none()), &visitor)
}

/// `GET /demo/{dialect}/stamp`: changes whenever there is something new to draw for this browser.
async fn stamp(State(demo): State<Arc<Demo>>, Path(dialect): Path<String>, headers: HeaderMap) -> Response {
    let Some(dialect) = dialect_of(&dialect) else { return nothing_here(headers).await };
    let visitor = demo.visits.visitor(&headers);
    let flow = demo.visits.with(&visitor, |visit| visit.flow(dialect).clone());
    let stamp = stamp_of(&demo, dialect, &flow).await;
    ([(header::CACHE_CONTROL, "no-store")], stamp).into_response()
}

/// The newest call, event and notification, and how many messages the user has.
async fn stamp_of(demo: &Demo, dialect: DemoDialect, flow: &visit::Flow) -> String {
    let called = flow.exchanges.front().map_or(0, |exchange| exchange.number);
    let happened = flow.events.front().map_or(0, |event| event.number);
    let messages = match demo.merchant().await {
        Ok(merchant) => merchant.count_messages_of(flow.state.customer_id.as_deref()).await,
        Err(_) => 0,
    };
    format!("{called}-{happened}-{}-{messages}", demo.inbox.newest(dialect))
}

/// `view` in the query; nothing where it is not asked for.
fn asked_look(query: Option<&str>) -> Option<Look> {
    let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
    pairs.find_map(|(name, value)| (name == "view").then(|| Look::parse(&value))?)
}

fn with_cookie(mut response: Response, visitor: &visit::Visitor) -> Response<Body> {
    if let Some(Ok(cookie)) = visitor.set_cookie().map(|cookie| HeaderValue::from_str(&cookie)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Both spellings of the second dialect are understood; its pages use the first.
fn dialect_of(name: &str) -> Option<DemoDialect> {
    match name {
        "qi" => Some(DemoDialect::Qi),
        "alipayPlus" | "alipay-plus" => Some(DemoDialect::AlipayPlus),
        _ => None,
    }
}

fn accepted(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    best_language(accepted.unwrap_or_default())
}

fn asked_language(query: Option<&str>) -> Option<Language> {
    let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
    pairs.find_map(|(name, value)| (name == "lang").then(|| catalogue::find(&value))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_an_origin_of_its_own() {
        for (host, own) in [
            ("localhost:8080", true),
            ("LOCALHOST:8080", true),
            ("127.0.0.1:8080", false),
            ("localhost", false),
            ("localhost:80", false),
            ("localhost:8080.evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_at("http://localhost:8080", host), own, "{host}");
        }
        assert!(is_at("http://localhost:80", "localhost"));
    }

    #[test]
    fn a_form_of_another_origin_is_known_as_one() {
        let check = |origin: &'static str| {
            let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
            foreign_origin("http://localhost:8080", &headers)
        };
        assert!(!check("http://localhost:8080") && !check("null"));
        assert!(!foreign_origin("http://localhost:8080", &HeaderMap::new()));
        for origin in ["http://127.0.0.1:8080", "http://localhost", "https://localhost:8080", "x", ""] {
            assert!(check(origin), "{origin}");
        }
    }
}
