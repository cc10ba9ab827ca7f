//! The authorization page over HTTP: shows the question, takes the answer, leads the browser back.
//!
//! [`submit`] is the one way to decide: the page's form and the sandbox's control API both go through it. Markup is
//! in [`crate::pages`], rules are in `accord_core::agreement`.

use crate::app::App;
use crate::cookies::Browser;
use crate::http::{Sender, page, redirect};
use crate::pages::authorize::{AuthorizeView, Hint, Offer, TypedLimits, render, shown_text};
use crate::pages::i18n::{best_language, catalogue, page_version};
use crate::pages::policy::{content_security_policy, content_security_policy_with_script};
use crate::pages::result::{self, Handover, HandoverView, Outcome, ResultView};
use crate::pin;
use accord_core::agreement::control::{self, Change};
use accord_core::agreement::decide::{Answer, Decide, Decided, Shown, decide, outcome_of};
use accord_core::agreement::limits::Limits;
use accord_core::agreement::sign_in::{self, Begun, SignIn};
use accord_core::agreement::{Decision, Session, SessionStage, Terms};
use accord_core::ids::{AuthId, CustomerId, LoginId};
use accord_core::secret::Digest;
use accord_core::store::{Rows, StoreFault, Stored, Tx};
use accord_core::user::{Language, mask_login_id};
use accord_core::voice::Context;
use accord_core::{Moment, Refusal, Ruled, Stop, Timestamp};
use accord_wire::redirect::{Return, fill};
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Router, routing::get};
use serde::Deserialize;
use std::sync::Arc;

/// The page's routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/authorize", get(show).post(receive)).route("/q/{handle}", get(scanned))
}

/// An answer typed into the page, or given for a test user.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The session.
    pub auth_id: AuthId,
    /// As whom.
    pub login_id: Option<String>,
    /// With which PIN.
    pub pin: Option<String>,
    /// Was the box ticked?
    pub agreed: bool,
    /// The user's own limits, as typed.
    pub limits: TypedLimits,
    /// Yes or no.
    pub decision: Decision,
    /// The language the page was shown in.
    pub language: Language,
    /// The sender's address.
    pub address: String,
    /// Digest of the browser's cookie.
    pub browser: Option<Digest>,
    /// Who is signed in to the wallet in this browser: approving asks for the PIN all the same.
    pub signed_in: Option<CustomerId>,
}

/// What came of a submission.
#[derive(Debug)]
pub enum Submitted {
    /// It was decided, now or before.
    Decided {
        /// How.
        decided: Box<Decided>,
        /// By whom, if signed in.
        customer: Option<CustomerId>,
    },
    /// Approved without the box; whoever typed the right PIN is signed in now.
    BoxNotTicked {
        /// Who typed the right PIN.
        customer: Option<CustomerId>,
    },
    /// Approved without a login id or PIN.
    SignInMissing,
    /// Unknown, frozen or wrong: they look the same.
    WrongSignIn,
    /// A limit was typed that is no whole number above zero.
    LimitUnreadable,
    /// Too many wrong PINs; nothing: never again in this session.
    TooMany(Option<Timestamp>),
    /// The store could not do it.
    Fault(StoreFault),
}

/// Judges and decides. The PIN is checked between two transactions, off the threads that answer calls.
pub async fn submit(app: &Arc<App>, submission: Submission) -> Submitted {
    match try_submit(app, submission).await {
        Ok(submitted) => submitted,
        Err(Stop::Fault(fault)) => Submitted::Fault(fault),
        // Frozen between PIN and decision: it looks like a wrong PIN.
        Err(Stop::Refused(Refusal::UserFrozen)) => Submitted::WrongSignIn,
        Err(Stop::Refused(refusal)) => Submitted::Fault(StoreFault::Unavailable(refusal.to_string())),
    }
}

async fn try_submit(app: &Arc<App>, submission: Submission) -> Result<Submitted, Stop> {
    let wanted = submission.auth_id.clone();
    let offered = app.look(move |rows| rows.terms(&wanted)).await?.map(|terms| offer_of(app, &terms));
    let currency = offered.and_then(|offer| offer.limit_currency);
    let limits = match (submission.decision, submission.limits.read(currency)) {
        (Decision::Refuse, _) => Limits::NONE,
        (Decision::Approve, Some(limits)) => limits,
        (Decision::Approve, None) => return Ok(Submitted::LimitUnreadable),
    };
    let customer = match submission.decision {
        Decision::Refuse => submission.signed_in.clone(),
        Decision::Approve => match check_sign_in(app, &submission).await? {
            SignedIn::Yes(customer) if submission.agreed => Some(customer),
            SignedIn::Yes(customer) => return Ok(Submitted::BoxNotTicked { customer: Some(customer) }),
            SignedIn::Closed => None,
            SignedIn::Missing if !submission.agreed => return Ok(Submitted::BoxNotTicked { customer: None }),
            SignedIn::Missing => return Ok(Submitted::SignInMissing),
            SignedIn::No => return Ok(Submitted::WrongSignIn),
            SignedIn::TooMany(until) => return Ok(Submitted::TooMany(until)),
        },
    };
    let auth_id = submission.auth_id.clone();
    let Some((session, terms)) = app.look(move |rows| session_of(rows, &auth_id)).await? else {
        return Ok(Submitted::Decided { decided: Box::new(Decided::Unknown), customer: None });
    };
    let answer = match (submission.decision, customer.clone()) {
        (Decision::Refuse, customer) => Answer::Refuse { customer },
        (Decision::Approve, Some(customer)) => Answer::Approve { customer },
        // The session was closed before anybody could sign in: say how it ended.
        (Decision::Approve, None) => {
            let decided = ended(app, session, terms, submission.browser).await?;
            return Ok(Submitted::Decided { decided: Box::new(decided), customer: None });
        }
    };
    let command = Decide {
        auth_id: submission.auth_id.clone(),
        answer,
        shown: shown(app, &terms, submission.language, session.expires_at, &submission.limits),
        address: submission.address.clone(),
        browser: submission.browser,
    };
    let at = app.clock.moment();
    let decided = app
        .transact_with(&terms.dialect, move |tx, context| {
            let session = tx.session(&command.auth_id)?;
            let open = session.is_some_and(|session| session.stage == SessionStage::Open);
            let decided = decide(tx, &command, context, &at)?;
            if open && limits != Limits::NONE {
                limit(tx, &command, limits, &at)?;
            }
            Ok(decided)
        })
        .await?;
    app.wake.notify_one();
    Ok(Submitted::Decided { decided: Box::new(decided), customer })
}

/// Keeps the limits that the user set on the page, with the agreement that has just been made there.
fn limit(tx: &mut dyn Tx, command: &Decide, limits: Limits, at: &Moment) -> Ruled<()> {
    let session = tx.session(&command.auth_id)?;
    if let (
        Answer::Approve { customer },
        Some(Session { stage: SessionStage::Approved { agreement, .. }, .. }),
    ) = (&command.answer, session)
    {
        let change = Change { agreement, customer: customer.clone(), actor: customer.as_str().to_owned() };
        control::set_user_limits(tx, &change, limits, at)?;
    }
    Ok(())
}

enum SignedIn {
    Yes(CustomerId),
    No,
    Missing,
    TooMany(Option<Timestamp>),
    Closed,
}

async fn check_sign_in(app: &Arc<App>, submission: &Submission) -> Result<SignedIn, Stop> {
    let typed = submission.login_id.as_deref().map(str::trim).filter(|login| !login.is_empty());
    let login = match (typed, &submission.signed_in) {
        (Some(login), _) => Some(LoginId::new(login)),
        (None, Some(customer)) => {
            let customer = customer.clone();
            app.look(move |rows| Ok(rows.user(&customer)?.map(|user| user.login_id))).await?
        }
        (None, None) => None,
    };
    let pin = submission.pin.clone().filter(|pin| !pin.is_empty() && pin.len() <= 256);
    let (Some(login), Some(pin)) = (login, pin) else { return Ok(SignedIn::Missing) };

    let sign_in = SignIn { auth_id: submission.auth_id.clone(), login, address: submission.address.clone() };
    let (begin, limits, at) = (sign_in.clone(), app.options.sign_in.clone(), app.clock.moment());
    let begun = app.transact(move |tx| sign_in::begin(tx, &begin, &limits, &at)).await?;
    let candidate = match begun {
        Begun::Check { candidate } => candidate,
        Begun::TooMany { until } => return Ok(SignedIn::TooMany(until)),
        Begun::Closed => return Ok(SignedIn::Closed),
    };
    let (customer, hash) = candidate.unzip();
    if !pin::check(app, pin, hash).await {
        return Ok(SignedIn::No);
    }
    let at = app.clock.moment();
    app.transact(move |tx| sign_in::succeed(tx, &sign_in, &at)).await?;
    Ok(customer.map_or(SignedIn::No, SignedIn::Yes))
}

pub(crate) fn session_of(rows: &dyn Rows, auth_id: &AuthId) -> Stored<Option<(Session, Terms)>> {
    Ok(rows.session(auth_id)?.zip(rows.terms(auth_id)?))
}

/// How a session ended, for this browser.
async fn ended(
    app: &Arc<App>,
    session: Session,
    terms: Terms,
    browser: Option<Digest>,
) -> Result<Decided, Stop> {
    let Some(dialect) = app.dialect(&terms.dialect) else { return Ok(Decided::Already { terms, session }) };
    let at = app.clock.moment();
    let seen = app.clone();
    app.look(move |rows| {
        let context = Context { keys: &seen.options.keys, voice: crate::app::as_voice(dialect.as_ref()) };
        match outcome_of(rows, session, terms, browser, context, &at) {
            Ok(decided) => Ok(decided),
            Err(Stop::Fault(fault)) => Err(fault),
            Err(Stop::Refused(refusal)) => Err(StoreFault::Corrupt(refusal.to_string())),
        }
    })
    .await
    .map_err(Stop::Fault)
}

/// Where the browser goes after a decision; nothing where the dialect knows no redirect.
pub fn redirect_of(decided: &Decided) -> Option<String> {
    let (terms, outcome) = match decided {
        Decided::Approved { terms, code } => (terms, Return::Approved { code: code.reveal() }),
        Decided::Refused { terms } | Decided::Expired { terms } => (terms, Return::Refused),
        Decided::Already { .. } | Decided::Unknown => return None,
    };
    let url = terms.redirect_url.as_deref()?;
    Some(fill(url, outcome, terms.auth_state.as_deref().unwrap_or_default()))
}

/// What the page asks, with what the dialect reads in the terms.
fn offer_of(app: &App, terms: &Terms) -> Offer {
    match app.dialect(&terms.dialect) {
        Some(dialect) => Offer::of(terms, dialect.asked(terms), dialect.policy().control.currency),
        None => Offer::of(terms, control::Asked::NOTHING, None),
    }
}

pub(crate) fn shown(
    app: &App,
    terms: &Terms,
    language: Language,
    expires_at: Timestamp,
    limits: &TypedLimits,
) -> Shown {
    let text = text_shown(app, terms, language, expires_at, limits);
    Shown { text_digest: Digest::of(&text), language, version: page_version().to_owned() }
}

/// The plain text of what the page asks in that language.
pub(crate) fn text_shown(
    app: &App,
    terms: &Terms,
    language: Language,
    expires_at: Timestamp,
    limits: &TypedLimits,
) -> String {
    shown_text(&AuthorizeView {
        language,
        auth_id: String::new(),
        csrf: String::new(),
        offer: offer_of(app, terms),
        expires_at,
        signed_in_as: None,
        typed_login_id: None,
        typed_limits: limits.clone(),
        hint: None,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(rename = "authId")]
    auth_id: String,
    lang: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Posted {
    #[serde(rename = "authId")]
    auth_id: String,
    csrf: String,
    #[serde(rename = "loginId")]
    login_id: Option<String>,
    pin: Option<String>,
    agree: Option<String>,
    #[serde(rename = "limitPerDebit")]
    limit_per_debit: Option<String>,
    #[serde(rename = "limitPerMonth")]
    limit_per_month: Option<String>,
    decision: String,
    lang: Option<String>,
}

/// A scanned QR value leads to its session; the value itself never carries the authId.
async fn scanned(State(app): State<Arc<App>>, Path(handle): Path<String>) -> Response {
    let auth_id = app.options.qr_handles.as_ref().and_then(|handles| handles.resolve(&handle));
    match auth_id {
        Some(auth_id) => redirect(&format!("/authorize?authId={auth_id}"), &Browser::none()),
        None => unknown(Language::English),
    }
}

async fn show(State(app): State<Arc<App>>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let browser = Browser::read(&app, &headers);
    let accepted = language_of(asked.lang.as_deref(), None, &headers);
    let Some(auth_id) = AuthId::read(&asked.auth_id) else { return unknown(accepted) };
    let found = app.look(move |rows| session_of(rows, &auth_id)).await;
    let (session, terms) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(accepted),
        Err(fault) => return unavailable(accepted, &fault),
    };
    let language = language_of(asked.lang.as_deref(), terms.language, &headers);
    if session.stage == SessionStage::Open && app.clock.now() <= session.expires_at {
        let typed = Typed::default();
        return question(&app, &session, &terms, language, &browser, None, typed).await;
    }
    match ended(&app, session, terms, browser.digest()).await {
        Ok(decided) => answered(&app, &decided, language, &browser).await,
        Err(Stop::Fault(fault)) => unavailable(language, &fault),
        Err(Stop::Refused(_)) => unknown(language),
    }
}

async fn receive(
    State(app): State<Arc<App>>,
    Extension(sender): Extension<Sender>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response {
    let browser = Browser::read(&app, &headers);
    let accepted = language_of(posted.lang.as_deref(), None, &headers);
    let Some(auth_id) = AuthId::read(&posted.auth_id) else { return unknown(accepted) };
    let wanted = auth_id.clone();
    let (session, terms) = match app.look(move |rows| session_of(rows, &wanted)).await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(accepted),
        Err(fault) => return unavailable(accepted, &fault),
    };
    let language = language_of(posted.lang.as_deref(), terms.language, &headers);
    let short = |text: &Option<String>, most: usize| text.clone().filter(|text| text.chars().count() <= most);
    let typed = Typed {
        login_id: short(&posted.login_id, 128),
        limits: TypedLimits {
            per_debit: short(&posted.limit_per_debit, 64),
            per_month: short(&posted.limit_per_month, 64),
        },
    };
    let ask_again = async |browser: &Browser, hint: Hint| {
        question(&app, &session, &terms, language, browser, Some(hint), typed.clone()).await
    };

    let Some(decision) = Decision::parse(&posted.decision) else {
        return ask_again(&browser, Hint::FormTooOld).await;
    };
    if !browser.owns_form(&app, auth_id.as_str(), &posted.csrf) {
        return ask_again(&browser, Hint::FormTooOld).await;
    }
    let submission = Submission {
        auth_id,
        login_id: posted.login_id,
        pin: posted.pin,
        agreed: posted.agree.is_some(),
        limits: TypedLimits { per_debit: posted.limit_per_debit, per_month: posted.limit_per_month },
        decision,
        language,
        address: sender.0.to_string(),
        browser: browser.digest(),
        signed_in: browser.customer(),
    };
    match submit(&app, submission).await {
        Submitted::Decided { decided, customer } => {
            let browser = customer.map_or(browser.clone(), |customer| browser.signed_in(&app, customer));
            answered(&app, &decided, language, &browser).await
        }
        Submitted::BoxNotTicked { customer } => {
            let browser = customer.map_or(browser.clone(), |customer| browser.signed_in(&app, customer));
            ask_again(&browser, Hint::TickTheBox).await
        }
        Submitted::LimitUnreadable => ask_again(&browser, Hint::LimitUnreadable).await,
        Submitted::SignInMissing => ask_again(&browser, Hint::SignIn).await,
        Submitted::WrongSignIn => ask_again(&browser, Hint::WrongSignIn).await,
        Submitted::TooMany(Some(until)) => ask_again(&browser, Hint::TooManyTries { until }).await,
        Submitted::TooMany(None) => ask_again(&browser, Hint::SessionBlocked).await,
        Submitted::Fault(fault) => unavailable(language, &fault),
    }
}

/// What a form that comes back still holds.
#[derive(Debug, Clone, Default)]
struct Typed {
    login_id: Option<String>,
    limits: TypedLimits,
}

async fn question(
    app: &Arc<App>,
    session: &Session,
    terms: &Terms,
    language: Language,
    browser: &Browser,
    hint: Option<Hint>,
    typed: Typed,
) -> Response {
    let view = AuthorizeView {
        language,
        auth_id: session.auth_id.to_string(),
        csrf: browser.form_token(app, session.auth_id.as_str()),
        offer: offer_of(app, terms),
        expires_at: session.expires_at,
        signed_in_as: masked_login(app, browser.customer()).await,
        typed_login_id: typed.login_id,
        typed_limits: typed.limits,
        hint,
    };
    let policy = content_security_policy(terms.redirect_url.as_deref());
    page(200, render(&view), &policy, browser)
}

async fn masked_login(app: &Arc<App>, customer: Option<CustomerId>) -> Option<String> {
    let customer = customer?;
    let user = app.look(move |rows| rows.user(&customer)).await.ok().flatten()?;
    Some(mask_login_id(&user.login_id))
}

/// Leads the browser back, hands the code to the web view, or shows how it ended.
async fn answered(app: &Arc<App>, decided: &Decided, language: Language, browser: &Browser) -> Response {
    let (terms, handover) = match decided {
        Decided::Unknown => return unknown(language),
        Decided::Already { terms, session } => {
            let merchant = terms.display_name.clone();
            let approved = matches!(session.stage, SessionStage::Approved { .. });
            let outcome = Outcome::AlreadyDecided { merchant, approved };
            return plain(200, language, Some(&terms.auth_id), outcome, browser);
        }
        Decided::Expired { terms } if terms.redirect_url.is_some() => {
            let merchant = terms.display_name.clone();
            let outcome = Outcome::Expired { merchant, return_url: redirect_of(decided) };
            return plain(200, language, Some(&terms.auth_id), outcome, browser);
        }
        Decided::Expired { terms } => (terms, Handover::NotSigned),
        Decided::Refused { terms } => (terms, Handover::Refused),
        Decided::Approved { terms, code } => {
            let masked_login_id = masked_login(app, browser.customer()).await.unwrap_or_default();
            (terms, Handover::Approved { auth_code: code.reveal().to_owned(), masked_login_id })
        }
    };
    if let Some(url) = redirect_of(decided) {
        return redirect(&url, browser);
    }
    let client = terms.client.clone();
    let client = app.look(move |rows| rows.client(&client)).await.ok().flatten();
    let view = HandoverView {
        language,
        auth_id: terms.auth_id.to_string(),
        merchant: terms.display_name.clone(),
        handover,
        return_url: client.and_then(|client| client.return_url),
    };
    page(200, result::render_handover(&view), &content_security_policy_with_script(None), browser)
}

fn language_of(chosen: Option<&str>, agreed: Option<Language>, headers: &HeaderMap) -> Language {
    if let Some(language) = chosen.and_then(catalogue::find).or(agreed) {
        return language;
    }
    let accepted = headers.get("accept-language").and_then(|value| value.to_str().ok());
    best_language(accepted.unwrap_or_default())
}

fn unknown(language: Language) -> Response {
    plain(404, language, None, Outcome::Unknown, &Browser::none())
}

fn unavailable(language: Language, fault: &StoreFault) -> Response {
    tracing::error!(%fault, "the authorization page met a fault of the store");
    plain(503, language, None, Outcome::Unavailable, &Browser::none())
}

fn plain(
    status: u16,
    language: Language,
    auth_id: Option<&AuthId>,
    outcome: Outcome,
    browser: &Browser,
) -> Response {
    let view = ResultView { language, auth_id: auth_id.map(ToString::to_string), outcome };
    page(status, result::render(&view), &content_security_policy(None), browser)
}
