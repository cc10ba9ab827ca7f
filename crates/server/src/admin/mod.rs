//! The operator console at `/admin`: on the admin listener, on the one listener of a sandbox, off unless configured.
//!
//! Who may do what stands in [`ROUTES`] and is judged in [`door`] alone: a request without a line there reaches no
//! handler. What an operator does goes through the same acts of the core as the command line and the wallet API, under
//! the operator's name; every act, and every refusal of one, is a line of the journal. Reads are found by indexes. HTML
//! is in [`crate::pages::admin`]; nothing needs a script.

mod agreements;
pub mod chart;
mod clients;
pub mod door;
mod journal;
mod notifications;
mod overview;
mod payments;
mod sign_in;
mod users;
mod words;

use crate::app::App;
use crate::cookies::Browser;
use crate::http::{page, redirect};
use crate::pages::admin::{Act, AdminView, Block, Cell, Field, Notice, Table, render};
use crate::pages::i18n::Texts;
use crate::pages::policy::{content_security_policy, content_security_policy_with_live_script};
use accord_core::Stop;
use accord_core::console::{ConsoleRole, actor};
use accord_core::handle::Bucket;
use accord_core::journal::JournalLine;
use accord_core::store::{Rows, StoreFault, Stored};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::middleware;
use axum::routing::{any, get, post};
use door::Signed;
use std::collections::HashMap;
use std::sync::Arc;

/// How the console is served.
#[derive(Debug, Clone, Default)]
pub struct ConsoleOptions {
    /// Is it reached over https, a proxy in front of it? Then its cookies are for https alone.
    pub over_tls: bool,
}

/// One route and who may take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As axum writes it.
    pub path: &'static str,
    /// Which roles; nothing: whoever knows the address.
    pub roles: Option<&'static [ConsoleRole]>,
}

const EVERY: Option<&[ConsoleRole]> = Some(ConsoleRole::ALL);
const OPERATORS: Option<&[ConsoleRole]> = Some(&[ConsoleRole::Operator]);
const KEY_OFFICERS: Option<&[ConsoleRole]> = Some(&[ConsoleRole::KeyOfficer]);

/// Every route. What does not stand here is not let in.
pub const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/admin/sign-in", roles: None },
    Route { method: "POST", path: "/admin/sign-in", roles: None },
    Route { method: "POST", path: "/admin/sign-out", roles: EVERY },
    Route { method: "GET", path: "/admin", roles: EVERY },
    Route { method: "GET", path: "/admin/agreements", roles: EVERY },
    Route { method: "GET", path: "/admin/agreements/{id}", roles: EVERY },
    Route { method: "GET", path: "/admin/payments", roles: EVERY },
    Route { method: "GET", path: "/admin/payments/{id}", roles: EVERY },
    Route { method: "GET", path: "/admin/unresolved", roles: EVERY },
    Route { method: "POST", path: "/admin/unresolved/{id}", roles: OPERATORS },
    Route { method: "GET", path: "/admin/notifications", roles: EVERY },
    Route { method: "GET", path: "/admin/notifications/{id}", roles: EVERY },
    Route { method: "POST", path: "/admin/notifications/{id}/resend", roles: OPERATORS },
    Route { method: "GET", path: "/admin/users", roles: EVERY },
    Route { method: "GET", path: "/admin/users/{id}", roles: EVERY },
    Route { method: "POST", path: "/admin/users/{id}/freeze", roles: OPERATORS },
    Route { method: "POST", path: "/admin/users/{id}/unfreeze", roles: OPERATORS },
    Route { method: "GET", path: "/admin/clients", roles: EVERY },
    Route { method: "GET", path: "/admin/clients/{id}", roles: EVERY },
    Route { method: "POST", path: "/admin/clients/{id}/keys", roles: KEY_OFFICERS },
    Route { method: "POST", path: "/admin/clients/{id}/retire", roles: KEY_OFFICERS },
    Route { method: "GET", path: "/admin/journal", roles: EVERY },
];

/// Everything under `/admin`; nothing unless the console is configured.
pub fn routes(app: Arc<App>) -> Option<Router> {
    app.options.seams.console.as_ref()?;
    let router = Router::new()
        .route("/admin/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/admin/sign-out", post(sign_in::sign_out))
        .route("/admin", get(overview::show))
        .route("/admin/agreements", get(agreements::search))
        .route("/admin/agreements/{id}", get(agreements::show))
        .route("/admin/payments", get(payments::search))
        .route("/admin/payments/{id}", get(payments::show))
        .route("/admin/unresolved", get(payments::unresolved))
        .route("/admin/unresolved/{id}", post(payments::resolve))
        .route("/admin/notifications", get(notifications::search))
        .route("/admin/notifications/{id}", get(notifications::show))
        .route("/admin/notifications/{id}/resend", post(notifications::resend))
        .route("/admin/users", get(users::search))
        .route("/admin/users/{id}", get(users::show))
        .route("/admin/users/{id}/freeze", post(users::freeze))
        .route("/admin/users/{id}/unfreeze", post(users::unfreeze))
        .route("/admin/clients", get(clients::list))
        .route("/admin/clients/{id}", get(clients::show))
        .route("/admin/clients/{id}/keys", post(clients::add_key))
        .route("/admin/clients/{id}/retire", post(clients::retire_key))
        .route("/admin/journal", get(journal::show))
        .route("/admin/{*rest}", any(unknown))
        .route_layer(middleware::from_fn_with_state(app.clone(), door::door))
        .layer(middleware::map_response(tell_origin))
        .with_state(app);
    Some(router)
}

/// Under `no-referrer`, which every other page has, a browser says `null` for where its form comes from, and the door
/// could not tell ours from another site's.
async fn tell_origin(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// What a request asks, from its query.
type Asked = axum::extract::Query<HashMap<String, String>>;

/// Rows on a page.
const PAGE: usize = 50;
/// Rows of a list within a page.
const PART: usize = 20;

/// What of a query is typed text: trimmed, and short.
fn typed(asked: &Asked, name: &str) -> String {
    let text = asked.get(name).map(|text| text.trim()).unwrap_or_default();
    text.chars().take(256).collect()
}

async fn unknown(axum::Extension(signed): axum::Extension<Signed>) -> Response<Body> {
    failed(&signed, 404)
}

/// A page of the console for whoever is signed in.
fn show(
    signed: &Signed,
    status: u16,
    section: &'static str,
    title: String,
    blocks: Vec<Block>,
) -> Response<Body> {
    let t = signed.texts();
    let view = AdminView {
        language: signed.language,
        title,
        section,
        operator: (signed.operator.name.to_string(), role(&t, signed.operator.role)),
        sign_out: signed.token("/admin/sign-out"),
        notice: notice(&t, &signed.done),
        blocks,
        switch: signed.switch.clone(),
        live: (section.is_empty() && status == 200).then(|| format!("{}live=1", signed.again)),
    };
    let policy = match view.live {
        Some(_) => content_security_policy_with_live_script(None),
        None => content_security_policy(None),
    };
    page(status, render(&view), &policy, &signed.cookies)
}

/// What a role is called.
fn role(t: &Texts, role: ConsoleRole) -> String {
    match role {
        ConsoleRole::Viewer => t.text("admin-role-viewer"),
        ConsoleRole::Operator => t.text("admin-role-operator"),
        ConsoleRole::KeyOfficer => t.text("admin-role-key-officer"),
    }
}

/// What came of an act, as the address it led to says.
fn notice(t: &Texts, done: &str) -> Option<Notice> {
    let (tone, text) = match done {
        "resent" => ("good", t.text("admin-done-resent")),
        "decided" => ("good", t.text("admin-done-decided")),
        "frozen" => ("good", t.text("admin-done-frozen")),
        "thawed" => ("good", t.text("admin-done-thawed")),
        "key-added" => ("good", t.text("admin-done-key-added")),
        "key-retired" => ("good", t.text("admin-done-key-retired")),
        "as-it-was" => ("warn", t.text("admin-done-nothing")),
        "key-unreadable" => ("", t.text("admin-key-unreadable")),
        "version-unreadable" => ("", t.text("admin-version-unreadable")),
        "version-taken" => ("", t.text("admin-version-taken")),
        "unconfirmed" => ("", t.text("admin-unconfirmed")),
        _ => return None,
    };
    Some(Notice { tone, text })
}

/// A page that cannot be shown: 403, 404 or 503.
fn failed(signed: &Signed, status: u16) -> Response<Body> {
    let t = signed.texts();
    let (title, words) = match status {
        403 => (t.text("admin-forbidden-title"), t.text("admin-forbidden")),
        404 => (t.text("not-found-title"), t.text("admin-not-found")),
        _ => (t.text("admin-failed-title"), t.text("admin-unavailable")),
    };
    show(signed, status, "none", title, vec![Block::Words(words)])
}

/// A store that could not be asked.
fn fault(signed: &Signed, fault: &StoreFault) -> Response<Body> {
    tracing::error!(%fault, "a page of the console could not be shown");
    failed(signed, 503)
}

/// A rule that did not do it.
fn stopped(signed: &Signed, stop: Stop) -> Response<Body> {
    match stop {
        Stop::Fault(why) => fault(signed, &why),
        Stop::Refused(refusal) => {
            tracing::warn!(%refusal, "an act of the console was refused");
            failed(signed, 503)
        }
    }
}

/// Leads on to a page that says what came of an act.
fn done(path: &str, done: &str) -> Response<Body> {
    redirect(&format!("{path}?done={done}"), &Browser::none())
}

/// Looks, and gives up with a page.
async fn look<T: Send + 'static>(
    app: &App,
    signed: &Signed,
    see: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static,
) -> Result<T, Box<Response<Body>>> {
    app.look(see).await.map_err(|why| Box::new(fault(signed, &why)))
}

/// Who acts, for the journal.
fn who(signed: &Signed) -> String {
    actor(&signed.operator.name)
}

/// An act's form, if the role may act.
fn act(signed: &Signed, action: String, words: [String; 4], danger: bool) -> Option<Act> {
    let [heading, words, confirm, button] = words;
    let csrf = signed.token(&action);
    let act = Act { heading, words, action, csrf, hidden: vec![], fields: vec![], confirm, button, danger };
    signed.may("POST", &act.action).then_some(act)
}

/// The journal about one thing, newest first, with a link to all of it.
fn journal_table(t: &Texts, stream: Bucket, subject: &str, lines: &[JournalLine]) -> Block {
    let all = format!("/admin/journal?stream={}&subject={}", stream.number(), escaped(subject));
    Block::Table(Table {
        heading: t.text("admin-journal"),
        columns: journal::columns(t),
        rows: lines.iter().take(PART).map(|line| journal::row(t, line, None)).collect(),
        empty: t.text("admin-nothing-written"),
        older: (lines.len() > PART).then_some(all),
    })
}

/// A text as part of an address.
fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A cell that leads to a page of the console about an id.
fn link(part: &str, id: &str) -> Cell {
    Cell::code(id).to(format!("/admin/{part}/{}", escaped(id)))
}

/// A field to type into.
fn field(name: &'static str, label: String, asked: &Asked) -> Field {
    Field::typed(name, label, &typed(asked, name))
}
