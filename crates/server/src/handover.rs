//! Hand-over from a PC to a phone over HTTP: the QR code's image, the phone's page `/q/<handle>`, and what the PC's page
//! is told while it waits. The rule is `accord_core::agreement::handover`; markup is in [`crate::pages::handover`].

use crate::app::App;
use crate::authorize::page::{language_of, plain, unavailable, unknown};
use crate::authorize::session_of;
use crate::cookies::Browser;
use crate::http::{Sender, page, redirect};
use crate::pages;
use crate::pages::handover::{Panel, ScanHint, ScanStage, ScanView, render_scan};
use crate::pages::policy::content_security_policy;
use crate::pages::result::Outcome;
use accord_core::agreement::handover::{self, Handover, Opening, Scanned};
use accord_core::agreement::{Session, SessionStage, Terminal, Terms};
use accord_core::ids::AuthId;
use accord_core::store::Stored;
use accord_core::user::Language;
use accord_core::{Ruled, Stop};
use axum::body::Body;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Router, routing::get};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/q/{handle}", get(show).post(receive))
        .route("/qr/{auth_id}", get(image))
        .route("/authorize/state", get(state))
}

/// A browser opens the page of an open session: the first one on a PC gets the panel. A store that cannot do it leaves
/// the page without one.
pub(crate) async fn panel(app: &Arc<App>, visit: &Visit<'_>, terms: &Terms) -> Option<Panel> {
    let scans = app.dialect(&terms.dialect)?.code_value(&terms.auth_id).is_some();
    if terms.terminal != Terminal::Web || !scans {
        return None;
    }
    let opening = visit.opening(&terms.auth_id)?;
    let (browser, at) = (opening.browser, app.clock.moment());
    let found = match visit.opens {
        true => app.transact(move |tx| handover::open(tx, &opening, &at)).await,
        false => look(app, &terms.auth_id).await.map_err(Stop::Fault),
    };
    match found {
        Ok(handover) => {
            let handover = handover.filter(|handover| handover.offered_to(browser))?;
            Some(Panel::new(terms.auth_id.as_str(), handover.number))
        }
        Err(fault) => {
            tracing::error!(?fault, "a page could not be handed over");
            None
        }
    }
}

/// A browser at a page.
pub(crate) struct Visit<'a> {
    /// Who.
    pub browser: &'a Browser,
    /// From which address.
    pub address: String,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Does a person open the page now? No: a form comes back, or the browser only looks ahead.
    pub opens: bool,
}

impl<'a> Visit<'a> {
    /// A GET or HEAD of a page.
    pub(crate) fn by(method: &Method, sender: Sender, headers: &'a HeaderMap, browser: &'a Browser) -> Self {
        let ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
            headers.get(*name).is_some_and(|value| {
                value.to_str().is_ok_and(|value| value.contains("prefetch") || value.contains("preview"))
            })
        });
        let opens = method == Method::GET && !ahead;
        Visit { browser, address: sender.0.to_string(), headers, opens }
    }

    fn opening(&self, auth_id: &AuthId) -> Option<Opening> {
        let device = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Some(Opening {
            auth_id: auth_id.clone(),
            browser: self.browser.digest()?,
            address: self.address.clone(),
            device: device.unwrap_or_default().to_owned(),
        })
    }
}

/// What a phone is told whose decision leads the PC back: nothing for every other browser.
pub(crate) async fn handed_over(app: &Arc<App>, auth_id: &AuthId, browser: &Browser) -> bool {
    let Some(phone) = browser.digest() else { return false };
    match look(app, auth_id).await {
        Ok(Some(handover)) => handover.taken_by == Some(phone) && handover.opened_by != phone,
        Ok(None) | Err(_) => false,
    }
}

async fn look(app: &Arc<App>, auth_id: &AuthId) -> Stored<Option<Handover>> {
    let id = auth_id.clone();
    app.look(move |rows| match rows.session(&id)? {
        Some(session) => handover::current(rows, &session),
        None => Ok(None),
    })
    .await
}

/// `GET /qr/<authId>`: the QR code of an open session, as an image.
async fn image(State(app): State<Arc<App>>, Path(auth_id): Path<String>) -> Response<Body> {
    let svg = async {
        let auth_id = AuthId::read(&auth_id)?;
        let (_, terms) = app.look(move |rows| session_of(rows, &auth_id)).await.ok()??;
        pages::qr::svg(&app.dialect(&terms.dialect)?.code_value(&terms.auth_id)?)
    };
    let Some(svg) = svg.await else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::new(Body::from(svg));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(rename = "authId")]
    auth_id: String,
    lang: Option<String>,
}

/// `GET /authorize/state?authId=…`: how far the phone is, told to the browser that has the page to hand over.
async fn state(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    let told = async {
        let (auth_id, browser) =
            (AuthId::read(&asked.auth_id)?, Browser::read(&app, &headers).await.digest()?);
        let now = app.clock.now();
        let found = app.look(move |rows| {
            let Some(session) = rows.session(&auth_id)? else { return Ok(None) };
            let handover = handover::current(rows, &session)?;
            Ok(handover.filter(|handover| handover.opened_by == browser).map(|handover| (session, handover)))
        });
        let (session, handover) = found.await.ok()??;
        Some(if session.stage != SessionStage::Open || now > session.expires_at {
            "over"
        } else if handover.taken_by.is_some() {
            "taken"
        } else if handover.dead() {
            "dead"
        } else {
            "waiting"
        })
    };
    let Some(state) = told.await else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::new(Body::from(json!({ "state": state }).to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /q/<handle>`: a phone has scanned. Nothing is written: whatever looks at links may look at this one.
async fn show(
    State(app): State<Arc<App>>,
    Path(handle): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    let browser = Browser::read(&app, &headers).await;
    let scan = match Scan::find(&app, handle, asked.lang, &headers, browser).await {
        Ok(scan) => scan,
        Err(response) => return response,
    };
    match look(&app, &scan.auth_id).await {
        Ok(None) => scan.page(&app, ScanStage::Direct { asked_at: scan.terms.created_at, too_old: false }),
        Ok(Some(handover)) if handover.taken_by == scan.browser.digest() => scan.goes_on(),
        Ok(Some(handover)) if Some(handover.opened_by) == scan.browser.digest() => scan.goes_on(),
        Ok(Some(handover)) if handover.dead() => scan.page(&app, ScanStage::Dead),
        Ok(Some(handover)) => scan.page(&app, number(handover, None)),
        Err(fault) => unavailable(scan.language, &fault),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Posted {
    csrf: String,
    number: Option<String>,
    lang: Option<String>,
}

/// `POST /q/<handle>`: the phone goes on, by the number where there is one.
async fn receive(
    State(app): State<Arc<App>>,
    Extension(sender): Extension<Sender>,
    Path(handle): Path<String>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response<Body> {
    let browser = Browser::read(&app, &headers).await;
    let owned = browser.owns_form(&app, &handle, &posted.csrf);
    let scan = match Scan::find(&app, handle, posted.lang, &headers, browser).await {
        Ok(scan) => scan,
        Err(response) => return response,
    };
    let typed = posted.number.as_deref().unwrap_or_default();
    let read = owned.then(|| read_number(typed)).flatten();
    let before = match look(&app, &scan.auth_id).await {
        Ok(before) => before,
        Err(fault) => return unavailable(scan.language, &fault),
    };
    // Without a number nothing is counted; without the form's token nothing is written.
    let scanned = match &before {
        None if !owned => {
            return scan.page(&app, ScanStage::Direct { asked_at: scan.terms.created_at, too_old: true });
        }
        Some(handover) if !owned && !handover.dead() => {
            return scan.page(&app, number(handover.clone(), Some(ScanHint::TooOld)));
        }
        _ => scan.scan(&app, sender, &headers, read).await,
    };
    let handover = look(&app, &scan.auth_id).await.ok().flatten();
    match (scanned, handover) {
        (Ok(Scanned::Taken), _) => scan.goes_on(),
        (Ok(Scanned::AskNumber { wrong, left }), Some(handover)) => {
            let hint = if wrong { ScanHint::Wrong { left } } else { ScanHint::Unreadable };
            scan.page(&app, number(handover, Some(hint)))
        }
        (Ok(Scanned::Dead), _) => scan.page(&app, ScanStage::Dead),
        // Decided or expired meanwhile: the next look says how.
        (Ok(Scanned::Closed | Scanned::AskNumber { .. }), _) => scan.again(),
        (Err(Stop::Fault(fault)), _) => unavailable(scan.language, &fault),
        (Err(Stop::Refused(_)), _) => unknown(scan.language),
    }
}

fn number(handover: Handover, hint: Option<ScanHint>) -> ScanStage {
    ScanStage::Number {
        opened_at: handover.opened_at,
        address: handover.address,
        user_agent: handover.device,
        hint,
    }
}

/// Two digits, Arabic ones too.
fn read_number(typed: &str) -> Option<u32> {
    let digits: Option<Vec<u32>> =
        crate::typed::plain(typed).trim().chars().map(|letter| letter.to_digit(10)).collect();
    match digits?.as_slice() {
        [tens, units] => Some(tens * 10 + units),
        _ => None,
    }
}

/// A phone with a handle of an open session.
struct Scan {
    handle: String,
    auth_id: AuthId,
    terms: Terms,
    language: Language,
    browser: Browser,
}

impl Scan {
    /// The open session that the handle leads to, or the page that says why there is none.
    async fn find(
        app: &Arc<App>,
        handle: String,
        lang: Option<String>,
        headers: &HeaderMap,
        browser: Browser,
    ) -> Result<Scan, Response<Body>> {
        let accepted = language_of(lang.as_deref(), None, headers);
        let auth_id = app.options.qr_handles.as_ref().and_then(|handles| handles.resolve(&handle));
        let wanted = auth_id.clone().ok_or_else(|| unknown(accepted))?;
        let found = app.look(move |rows| session_of(rows, &wanted)).await;
        let (session, terms): (Session, Terms) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Err(unknown(accepted)),
            Err(fault) => return Err(unavailable(accepted, &fault)),
        };
        let language = language_of(lang.as_deref(), terms.language, headers);
        let merchant = terms.display_name.clone();
        let approved = matches!(session.stage, SessionStage::Approved { .. });
        let scan = Scan { handle, auth_id: session.auth_id.clone(), terms, language, browser };
        let outcome = match session.stage {
            SessionStage::Open if app.clock.now() <= session.expires_at => return Ok(scan),
            SessionStage::Open => Outcome::Expired { merchant, return_url: None },
            // Whoever decided is told by the page itself.
            _ if session.decided_by == scan.browser.digest() => return Err(scan.goes_on()),
            _ => Outcome::AlreadyDecided { merchant, approved },
        };
        Err(plain(200, language, None, outcome, &scan.browser))
    }

    async fn scan(
        &self,
        app: &Arc<App>,
        sender: Sender,
        headers: &HeaderMap,
        number: Option<u32>,
    ) -> Ruled<Scanned> {
        let visit = Visit { browser: &self.browser, address: sender.0.to_string(), headers, opens: true };
        let Some(phone) = visit.opening(&self.auth_id) else { return Ok(Scanned::Closed) };
        let at = app.clock.moment();
        app.transact(move |tx| handover::scan(tx, &phone, number, &at)).await
    }

    fn page(&self, app: &App, stage: ScanStage) -> Response<Body> {
        let view = ScanView {
            language: self.language,
            handle: self.handle.clone(),
            csrf: self.browser.form_token(app, &self.handle),
            merchant: self.terms.display_name.clone(),
            stage,
        };
        page(200, render_scan(&view), &content_security_policy(None), &self.browser)
    }

    /// To the authorization page, on the phone.
    fn goes_on(&self) -> Response<Body> {
        redirect(&format!("/authorize?authId={}&lang={}", self.auth_id, self.language), &self.browser)
    }

    fn again(&self) -> Response<Body> {
        redirect(&format!("/q/{}?lang={}", self.handle, self.language), &self.browser)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_two_digits_in_any_digits() {
        for (typed, number) in [
            ("42", Some(42)),
            (" 07 ", Some(7)),
            ("٤٢", Some(42)),
            ("\u{200F}٤٢", Some(42)),
            ("۴۲", Some(42)),
            ("", None),
            ("4", None),
            ("421", None),
            ("-4", None),
            ("4x", None),
        ] {
            assert_eq!(read_number(typed), number, "{typed}");
        }
    }
}
