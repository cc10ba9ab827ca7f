//! The demo merchant: a shop in the browser that runs both flows step by step and shows every signed message.
//!
//! It is a real merchant. It reads its keys from the sandbox's directory, calls the wallet over HTTP with
//! `accord-client`, takes notifications at URLs of its own, and knows nothing of the wallet's insides: what it asks
//! of the sandbox (time, users, messages) it asks over HTTP as well. It lives on `localhost` while the wallet is on
//! `127.0.0.1`, so that they are different origins as in life. What it holds is in memory and gone at a restart.
//!
//! Pages are drawn by [`crate::pages::demo`], which lists the steps and their fields.

mod consent;
mod log_in;
mod merchant;
mod notify;
mod steps;
mod visit;
mod wire_log;

pub use consent::{ConsentAnswer, DemoConsent};

use crate::app::App;
use crate::cookies::Browser;
use crate::http;
use crate::pages::demo::{self as view, DemoDialect, DemoIndexView, DemoView, Notice};
use crate::pages::i18n::{best_language, catalogue};
use crate::pages::policy::content_security_policy_with_script;
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
use tokio::sync::OnceCell;
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
}

impl Demo {
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
    });
    Router::new()
        .route("/demo", get(index))
        .route("/demo/", get(index))
        .route("/demo/notify/{dialect}", post(notify::receive))
        .route("/demo/notify/{dialect}/consultUnbinding", post(notify::receive))
        .route("/demo/notifications.json", get(list_notifications))
        .route("/demo/{dialect}", get(show))
        .route("/demo/{dialect}/return", get(come_back))
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
            demo.visits.with(&visitor, |visit| steps::come_back(visit.flow(DemoDialect::AlipayPlus), &given));
            with_cookie(to_page(DemoDialect::AlipayPlus), &visitor)
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
        demo.visits.with(&visitor, |visit| {
            let text = "the form was too old or not from here; nothing was done".to_owned();
            visit.flow(dialect).notice = Some(Notice { good: false, text });
        });
        return with_cookie(to_page(dialect), &visitor);
    }
    let before = demo.visits.with(&visitor, |visit| visit.flow(dialect).clone());
    let after = steps::run(&demo, dialect, step, before, &fields).await;
    demo.visits.with(&visitor, |visit| *visit.flow(dialect) = after);
    with_cookie(to_page(dialect), &visitor)
}

fn to_page(dialect: DemoDialect) -> Response {
    http::redirect(&format!("/demo/{}", dialect.path()), &Browser::none())
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
    let (flow, language) = demo.visits.with(&visitor, |visit| {
        visit.language = asked_language(query).or(visit.language);
        (visit.flow(dialect).clone(), visit.language)
    });
    let merchant = demo.merchant().await;
    let (users, messages) = match &merchant {
        Ok(merchant) => (merchant.users().await, merchant.messages_of(flow.customer_id.as_deref()).await),
        Err(_) => (Vec::new(), Vec::new()),
    };
    let trouble = merchant.err().map(|fault| Notice { good: false, text: fault });
    let body = view::render(&DemoView {
        language: language.unwrap_or_else(|| accepted(headers)),
        dialect,
        csrf: visitor.form_token(),
        wallet_url: demo.wallet_url.clone(),
        state: flow.state,
        notice: flow.notice.or(trouble),
        users,
        exchanges: flow.exchanges.into(),
        notifications: demo.inbox.shown(dialect),
        consult_answer: demo.consent.get().as_str(),
        messages,
    });
    with_cookie(http::page(200, body, &content_security_policy_with_script(None), &Browser::none()), &visitor)
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
