//! The door of the console: who asks, in which role, with a form that is ours.
//!
//! The sign-in is a row ([`accord_core::console`]); the browser holds a token in a cookie that goes with requests of
//! this site alone. A form carries a token bound to sign-in and path. Who is not signed in is led to the sign-in page;
//! an act that the role does not allow, or whose form is not ours, is refused and written down.

use super::{ROUTES, Route, failed};
use crate::app::App;
use crate::clock::random;
use crate::cookies::Browser;
use crate::http::{Patient, redirect};
use crate::pages::i18n::{Texts, best_language, catalogue};
use crate::wallet_api::door::is_of;
use accord_core::Ruled;
use accord_core::console::{self, Operator, SEEN_STEP_MS, Session, sign_in};
use accord_core::moment::keyed_hash;
use accord_core::secret::Secret;
use accord_core::user::Language;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::IntoResponse;
use std::collections::HashMap;
use std::sync::Arc;
use subtle::ConstantTimeEq;

const SESSION: &str = "accord_admin";
const VISIT: &str = "accord_admin_visit";
const LANGUAGE: &str = "accord_admin_language";
/// Largest form: a public key and a few words.
const FORM_LIMIT: usize = 32 * 1024;

/// Who is signed in, and what a page needs to know of the request.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The sign-in.
    pub session: Session,
    /// Whose.
    pub operator: Operator,
    /// The language to speak.
    pub language: Language,
    /// Address of this page in another language, up to and including `lang=`.
    pub switch: String,
    /// Address of this page, ready for another parameter.
    pub again: String,
    /// What came of the act before.
    pub done: String,
    /// Cookies of the reply.
    pub cookies: Browser,
    key: [u8; 32],
}

impl Signed {
    /// The words of the page.
    pub fn texts(&self) -> Texts {
        Texts(self.language)
    }

    /// The token of a form that posts to `path`.
    pub fn token(&self, path: &str) -> String {
        token(&self.key, self.session.id.as_str(), path)
    }

    /// May the role do that? Pages ask it to show no form in vain; the door asks it again.
    pub fn may(&self, method: &str, path: &str) -> bool {
        let roles = route_of(method, path).and_then(|route| route.roles);
        roles.is_some_and(|roles| roles.contains(&self.operator.role))
    }
}

/// What a form says, once the door has let it in.
#[derive(Debug, Clone, Default)]
pub struct Fields(HashMap<String, String>);

impl Fields {
    /// A field, trimmed; empty when it is missing.
    pub fn said(&self, name: &str) -> &str {
        self.0.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    /// A field exactly as it came.
    pub fn exact(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Was the box ticked?
    pub fn confirmed(&self) -> bool {
        self.said("confirm") == "yes"
    }
}

fn route_of(method: &str, path: &str) -> Option<&'static Route> {
    let method = if method == "HEAD" { "GET" } else { method };
    ROUTES.iter().find(|route| route.method == method && is_of(path, route.path))
}

fn token(key: &[u8; 32], who: &str, path: &str) -> String {
    let hash = keyed_hash(key, &[b"admin", who.as_bytes(), path.as_bytes()]);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lets a request through with [`Signed`] and [`Fields`], or says why not.
pub async fn door(State(app): State<Arc<App>>, request: Request, next: Next) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let route = route_of(parts.method.as_str(), &path);
    let posts = parts.method != Method::GET && parts.method != Method::HEAD;
    let fields = match posts {
        true => read(body).await,
        false => Some(Fields::default()),
    };
    let Some(fields) = fields else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    if let Some(Route { roles: None, .. }) = route {
        parts.extensions.insert(fields);
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    let found = match cookie(&parts.headers, SESSION) {
        Some(token) => {
            let now = app.clock.now();
            app.look(move |rows| sign_in::find(rows, &Secret::new(token), now)).await
        }
        None => Ok(None),
    };
    let (session, operator) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return redirect("/admin/sign-in", &Browser::none()),
        Err(fault) => {
            tracing::error!(%fault, "a sign-in to the console could not be looked up");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let signed = signed(&app, &parts, session, operator);
    let allowed = match route.and_then(|route| route.roles) {
        Some(roles) => roles.contains(&signed.operator.role),
        // No such page: whoever is signed in may hear that.
        None => !posts,
    };
    if !allowed {
        return refuse(&app, &signed, &format!("{} {path}: role", parts.method), 403).await;
    }
    if posts {
        let ours = signed.token(&path).as_bytes().ct_eq(fields.exact("csrf").as_bytes());
        if !bool::from(ours) || !same_origin(&parts.headers) {
            return refuse(&app, &signed, &format!("{} {path}: form", parts.method), 403).await;
        }
    }
    if !is_live(&parts) {
        touch(&app, &signed).await;
    }
    parts.extensions.insert(signed);
    parts.extensions.insert(fields);
    next.run(Request::from_parts(parts, Body::empty())).await
}

/// A page that refreshes itself keeps nobody signed in.
fn is_live(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "live=1"))
}

async fn refuse(app: &Arc<App>, signed: &Signed, what: &str, status: u16) -> Response<Body> {
    let (name, what, at) = (signed.operator.name.clone(), what.to_owned(), app.clock.moment());
    tracing::warn!(operator = %name, what, "the console refused");
    let noted: Ruled<()> = app.transact(move |tx| console::refused(tx, &name, &what, &at)).await;
    match noted {
        Ok(()) => failed(signed, status),
        Err(_) => failed(signed, 503),
    }
}

async fn touch(app: &Arc<App>, signed: &Signed) {
    if app.clock.now().since(signed.session.last_seen_at) < SEEN_STEP_MS {
        return;
    }
    let (id, at) = (signed.session.id.clone(), app.clock.moment());
    let noted: Ruled<()> = app.transact(move |tx| sign_in::touch(tx, &id, &at)).await;
    if noted.is_err() {
        tracing::warn!(operator = %signed.operator.name, "the use of a sign-in was not noted");
    }
}

fn signed(app: &App, parts: &Parts, session: Session, operator: Operator) -> Signed {
    let query = parts.uri.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let asked = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let (language, cookies) = language(app, &parts.headers, asked("lang").as_deref());
    let mut kept = url::form_urlencoded::Serializer::new(String::new());
    kept.extend_pairs(pairs.iter().filter(|(key, _)| !["lang", "done", "live"].contains(&key.as_str())));
    let kept = kept.finish();
    let again = match kept.is_empty() {
        true => format!("{}?", parts.uri.path()),
        false => format!("{}?{kept}&", parts.uri.path()),
    };
    let switch = format!("{again}lang=");
    let done = asked("done").unwrap_or_default();
    Signed { session, operator, language, switch, again, done, cookies, key: app.options.page_key }
}

/// The language chosen now, or before, or that of the browser; a choice is kept in a cookie.
pub(super) fn language(app: &App, headers: &HeaderMap, asked: Option<&str>) -> (Language, Browser) {
    if let Some(language) = asked.and_then(catalogue::find) {
        let kept = set_cookie(app, LANGUAGE, language.as_str());
        return (language, Browser::setting(vec![kept]));
    }
    let chosen = cookie(headers, LANGUAGE).as_deref().and_then(catalogue::find);
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    (chosen.unwrap_or_else(|| best_language(accepted.unwrap_or_default())), Browser::none())
}

/// Browsers say where a form comes from; who says another site than ours is refused.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, site)| site == host),
        (Some(_), None) => false,
    }
}

/// The number of a browser that is not signed in yet, and the token of its sign-in form.
pub(super) struct Visit {
    number: String,
    /// The form's token.
    pub token: String,
}

impl Visit {
    /// The visit of that cookie; nothing without one.
    pub(super) fn read(app: &App, headers: &HeaderMap) -> Option<Visit> {
        let number = cookie(headers, VISIT)?;
        (number.len() == 32).then(|| Visit::of(app, number))
    }

    /// A new one.
    pub(super) fn new(app: &App) -> Visit {
        Visit::of(app, random::<16>().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn of(app: &App, number: String) -> Visit {
        let token = token(&app.options.page_key, &number, "/admin/sign-in");
        Visit { number, token }
    }

    /// The cookie that keeps it.
    pub(super) fn cookie(&self, app: &App) -> String {
        set_cookie(app, VISIT, &self.number)
    }
}

/// The cookie of a sign-in.
pub(super) fn session_cookie(app: &App, token: &Secret) -> String {
    set_cookie(app, SESSION, token.reveal())
}

/// The cookie that takes it away.
pub(super) fn no_session_cookie(app: &App) -> String {
    format!("{}; Max-Age=0", set_cookie(app, SESSION, ""))
}

fn over_tls(app: &App) -> bool {
    app.options.seams.console.as_ref().is_some_and(|console| console.over_tls)
}

fn set_cookie(app: &App, name: &str, value: &str) -> String {
    let secure = if over_tls(app) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/admin; HttpOnly; SameSite=Strict{secure}")
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

async fn read(body: Body) -> Option<Fields> {
    let bytes = axum::body::to_bytes(Patient::body(body), FORM_LIMIT).await.ok()?;
    Some(Fields(url::form_urlencoded::parse(&bytes).into_owned().collect()))
}
