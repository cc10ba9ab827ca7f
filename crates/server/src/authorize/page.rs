//! The authorization page over HTTP: shows the question, takes the answer, asks once more, leads the browser back.
//!
//! Each step is a page of its own at a GET address, so that reloading, going back and a second tab are harmless. The
//! second step holds no PIN but a [`proof`] that it was right.

use super::proof::{self, Proof};
use super::step_up;
use super::{Submission, Submitted, ended, offer_of, redirect_of, session_of, shown, submit, text_shown};
use crate::app::App;
use crate::cookies::{Browser, origin_of};
use crate::handover::{self, Visit};
use crate::http::{Sender, page, redirect};
use crate::pages::authorize::{AuthorizeView, Hint, TypedLimits, render};
use crate::pages::confirm::{self, CodeField, CodeHint, ConfirmView, TextView};
use crate::pages::i18n::{best_language, catalogue};
use crate::pages::markup::left_to_right;
use crate::pages::policy::{
    content_security_policy, content_security_policy_with_live_script, content_security_policy_with_script,
};
use crate::pages::result::{self, Handover, HandoverView, Outcome, ResultView};
use accord_core::Stop;
use accord_core::agreement::decide::Decided;
use accord_core::agreement::limits::Limits;
use accord_core::agreement::{Decision, Session, SessionStage, Terms};
use accord_core::device::Origin;
use accord_core::ids::{AuthId, CustomerId};
use accord_core::store::StoreFault;
use accord_core::user::{Language, mask_login_id};
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::{Extension, Router, routing::get};
use serde::Deserialize;
use std::sync::Arc;

/// The page's routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/authorize", get(show).post(receive)).route("/authorize/text", get(read))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(rename = "authId")]
    auth_id: String,
    lang: Option<String>,
    /// The decision to be confirmed.
    step: Option<String>,
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
    /// Of the second step: the first was taken.
    confirm: Option<String>,
    /// Of the second step: the one-time code, where one is asked for.
    code: Option<String>,
    lang: Option<String>,
}

/// What the second step's form token is about: this session and this decision.
fn confirming(auth_id: &AuthId, decision: Decision) -> String {
    format!("{auth_id} {decision}")
}

async fn show(
    State(app): State<Arc<App>>,
    Extension(sender): Extension<Sender>,
    method: Method,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let browser = Browser::read(&app, &headers).await;
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
        let step = asked.step.as_deref().and_then(Decision::parse);
        let proof = proof_of(&app, &browser, &headers, &session, &terms);
        return match (step, proof) {
            (Some(decision @ Decision::Approve), Some(proof)) => {
                let asked = (decision, Some(proof), None);
                second(&app, (&session, &terms), language, &browser, asked).await
            }
            (Some(Decision::Refuse), _) => {
                let asked = (Decision::Refuse, None, None);
                second(&app, (&session, &terms), language, &browser, asked).await
            }
            (step, _) => {
                let hint = step.map(|_| Hint::AgreeAgain);
                let visit = Visit::by(&method, sender, &headers, &browser);
                question(&app, (&session, &terms), language, &visit, hint, Typed::default()).await
            }
        };
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
    let browser = Browser::read(&app, &headers).await;
    let accepted = language_of(posted.lang.as_deref(), None, &headers);
    let Some(auth_id) = AuthId::read(&posted.auth_id) else { return unknown(accepted) };
    let wanted = auth_id.clone();
    let (session, terms) = match app.look(move |rows| session_of(rows, &wanted)).await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(accepted),
        Err(fault) => return unavailable(accepted, &fault),
    };
    let language = language_of(posted.lang.as_deref(), terms.language, &headers);
    if session.stage != SessionStage::Open || app.clock.now() > session.expires_at {
        // Decided or expired meanwhile, perhaps in another tab: nothing is decided twice, and the page says how it ended.
        return show_again(&auth_id, language, &browser);
    }
    let short = |text: &Option<String>, most: usize| text.clone().filter(|text| text.chars().count() <= most);
    let typed = Typed {
        login_id: short(&posted.login_id, 128),
        limits: TypedLimits {
            per_debit: short(&posted.limit_per_debit, 64),
            per_month: short(&posted.limit_per_month, 64),
        },
    };
    let ask_again = async |browser: &Browser, hint: Hint| {
        let visit = Visit { browser, address: sender.0.to_string(), headers: &headers, opens: false };
        question(&app, (&session, &terms), language, &visit, Some(hint), typed.clone()).await
    };

    let Some(decision) = Decision::parse(&posted.decision) else {
        return ask_again(&browser, Hint::FormTooOld).await;
    };
    if browser.is_fresh() {
        return ask_again(&browser, Hint::CookieMissing).await;
    }
    let confirmed = posted.confirm.is_some();
    let subject = if confirmed { confirming(&auth_id, decision) } else { auth_id.to_string() };
    if !browser.owns_form(&app, &subject, &posted.csrf) {
        return ask_again(&browser, Hint::FormTooOld).await;
    }
    let proof = match (confirmed, decision) {
        (true, Decision::Approve) => match proof_of(&app, &browser, &headers, &session, &terms) {
            Some(proof) => Some(proof),
            None => return ask_again(&browser, Hint::AgreeAgain).await,
        },
        _ => None,
    };
    let submission = Submission {
        auth_id: auth_id.clone(),
        login_id: posted.login_id,
        pin: posted.pin,
        agreed: posted.agree.is_some() || proof.is_some(),
        limits: match &proof {
            Some(proof) => proof.limits.clone(),
            None => TypedLimits { per_debit: posted.limit_per_debit, per_month: posted.limit_per_month },
        },
        decision,
        language: proof.as_ref().map_or(language, |proof| proof.language),
        address: sender.0.to_string(),
        browser: browser.digest(),
        signed_in: browser.customer(),
        proven: proof.as_ref().map(|proof| proof.customer.clone()),
        confirmed,
        code: posted.code,
    };
    let known = async |browser: Browser, customer: Option<CustomerId>| match customer {
        Some(customer) if browser.opens_wallet_of(&app, &customer) => browser,
        Some(customer) => {
            let origin = Origin { until: Some(session.expires_at), ..origin_of(sender.0, &headers) };
            browser.signed_in(&app, customer, origin).await
        }
        None => browser,
    };
    let limits = submission.limits.clone();
    match submit(&app, submission).await {
        Submitted::Confirm { customer } => {
            let browser = match customer {
                Some(customer) => {
                    let limits = limits.plain(offer_of(&app, &terms).limit_currency);
                    let text = shown(&app, &terms, language, session.expires_at, &limits).text_digest;
                    let proof = Proof { customer: customer.clone(), limits, language, text };
                    let line = proof::give(&app, &browser, &auth_id, &proof);
                    known(browser, Some(customer)).await.with_cookie(line)
                }
                None => browser,
            };
            redirect(&format!("/authorize?authId={auth_id}&lang={language}&step={decision}"), &browser)
        }
        Submitted::Decided { decided, customer } => {
            // The second step asks for no PIN and a refusal for none: they renew no sign-in.
            let renewed = customer.filter(|_| decision == Decision::Approve && !confirmed);
            let browser = known(browser, renewed).await.with_cookie(proof::take_back(&app, &auth_id));
            answered(&app, &decided, language, &browser).await
        }
        Submitted::CodeNeeded(hint) => {
            let asked = (decision, proof, Some(hint));
            second(&app, (&session, &terms), language, &browser, asked).await
        }
        Submitted::BoxNotTicked { customer } => {
            let browser = known(browser, customer).await;
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

/// The proof that this browser holds for that session.
fn proof_of(
    app: &App,
    browser: &Browser,
    headers: &HeaderMap,
    session: &Session,
    terms: &Terms,
) -> Option<Proof> {
    proof::read(app, browser, headers, &session.auth_id, |language, limits| {
        shown(app, terms, language, session.expires_at, limits).text_digest
    })
}

/// The page of a session that is decided says how.
fn show_again(auth_id: &AuthId, language: Language, browser: &Browser) -> Response {
    redirect(&format!("/authorize?authId={auth_id}&lang={language}"), browser)
}

/// The second step: once more, in short.
async fn second(
    app: &Arc<App>,
    (session, terms): (&Session, &Terms),
    language: Language,
    browser: &Browser,
    (decision, proof, hint): (Decision, Option<Proof>, Option<CodeHint>),
) -> Response {
    let code = match &proof {
        Some(proof) => code_field(app, terms, proof, hint).await,
        None => None,
    };
    let customer = proof.as_ref().map(|proof| proof.customer.clone());
    let view = ConfirmView {
        language,
        auth_id: session.auth_id.to_string(),
        csrf: browser.form_token(app, &confirming(&session.auth_id, decision)),
        decision,
        offer: offer_of(app, terms),
        limits: proof.map(|proof| proof.limits).unwrap_or_default(),
        masked_login_id: masked_login(app, customer).await,
        expires_at: session.expires_at,
        code,
    };
    let policy = content_security_policy(terms.redirect_url.as_deref());
    page(200, confirm::render(&view), &policy, browser)
}

/// The field for a one-time code, where approving needs one.
async fn code_field(
    app: &Arc<App>,
    terms: &Terms,
    proof: &Proof,
    hint: Option<CodeHint>,
) -> Option<CodeField> {
    let own = proof.limits.read(offer_of(app, terms).limit_currency).unwrap_or(Limits::NONE);
    if !step_up::needed(app, terms, own) {
        return None;
    }
    let good_until = step_up::good_until(app, &terms.auth_id, &proof.customer).await.ok().flatten();
    Some(CodeField { good_until, hint })
}

/// The text of what is asked, alone: to be read at leisure, kept or printed. Not longer than the question stands.
async fn read(State(app): State<Arc<App>>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let accepted = language_of(asked.lang.as_deref(), None, &headers);
    let Some(auth_id) = AuthId::read(&asked.auth_id) else { return unknown(accepted) };
    let (session, terms) = match app.look(move |rows| session_of(rows, &auth_id)).await {
        Ok(Some(found)) => found,
        Ok(None) => return unknown(accepted),
        Err(fault) => return unavailable(accepted, &fault),
    };
    let language = language_of(asked.lang.as_deref(), terms.language, &headers);
    let merchant = terms.display_name.clone();
    let over = match session.stage {
        SessionStage::Open if app.clock.now() <= session.expires_at => None,
        SessionStage::Open => Some(Outcome::Expired { merchant, return_url: None }),
        SessionStage::Approved { .. } => Some(Outcome::AlreadyDecided { merchant, approved: true }),
        SessionStage::Refused { .. } => Some(Outcome::AlreadyDecided { merchant, approved: false }),
    };
    if let Some(outcome) = over {
        return plain(200, language, None, outcome, &Browser::none());
    }
    let view = TextView {
        language,
        auth_id: session.auth_id.to_string(),
        merchant: terms.display_name.clone(),
        text: text_shown(&app, &terms, language, session.expires_at, &TypedLimits::default()),
    };
    page(200, confirm::render_text(&view), &content_security_policy(None), &Browser::none())
}

/// What a form that comes back still holds.
#[derive(Debug, Clone, Default)]
struct Typed {
    login_id: Option<String>,
    limits: TypedLimits,
}

async fn question(
    app: &Arc<App>,
    (session, terms): (&Session, &Terms),
    language: Language,
    visit: &Visit<'_>,
    hint: Option<Hint>,
    typed: Typed,
) -> Response {
    let browser = visit.browser;
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
        panel: handover::panel(app, visit, terms).await,
        app_link: crate::app_links::to_app(app, visit.headers, terms),
    };
    let target = terms.redirect_url.as_deref();
    let policy = match view.panel {
        Some(_) => content_security_policy_with_live_script(target),
        None => content_security_policy(target),
    };
    page(200, render(&view), &policy, browser)
}

async fn masked_login(app: &Arc<App>, customer: Option<CustomerId>) -> Option<String> {
    let customer = customer?;
    let user = app.look(move |rows| rows.user(&customer)).await.ok().flatten()?;
    Some(left_to_right(&mask_login_id(&user.login_id)))
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
        if handover::handed_over(app, &terms.auth_id, browser).await {
            let (merchant, approved) =
                (terms.display_name.clone(), matches!(decided, Decided::Approved { .. }));
            let outcome = Outcome::HandedOver { merchant, approved, return_url: Some(url) };
            return plain(200, language, Some(&terms.auth_id), outcome, browser);
        }
        // A browser that is sent to an app stays on the page it came from: that page is the result.
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        return if ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
            redirect(&url, browser)
        } else {
            to_app(terms, &handover, url, language, browser)
        };
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

/// The result, with the way to the merchant's app.
fn to_app(
    terms: &Terms,
    handover: &Handover,
    url: String,
    language: Language,
    browser: &Browser,
) -> Response {
    let (merchant, return_url) = (terms.display_name.clone(), Some(url));
    let outcome = match handover {
        Handover::Approved { masked_login_id, .. } => {
            Outcome::Approved { merchant, masked_login_id: masked_login_id.clone(), return_url }
        }
        _ => Outcome::Refused { merchant, return_url },
    };
    plain(200, language, Some(&terms.auth_id), outcome, browser)
}

pub(crate) fn language_of(chosen: Option<&str>, agreed: Option<Language>, headers: &HeaderMap) -> Language {
    if let Some(language) = chosen.and_then(catalogue::find).or(agreed) {
        return language;
    }
    let accepted = headers.get("accept-language").and_then(|value| value.to_str().ok());
    best_language(accepted.unwrap_or_default())
}

pub(crate) fn unknown(language: Language) -> Response {
    plain(404, language, None, Outcome::Unknown, &Browser::none())
}

pub(crate) fn unavailable(language: Language, fault: &StoreFault) -> Response {
    tracing::error!(%fault, "the authorization page met a fault of the store");
    plain(503, language, None, Outcome::Unavailable, &Browser::none())
}

pub(crate) fn plain(
    status: u16,
    language: Language,
    auth_id: Option<&AuthId>,
    outcome: Outcome,
    browser: &Browser,
) -> Response {
    let view = ResultView { language, auth_id: auth_id.map(ToString::to_string), outcome };
    page(status, result::render(&view), &content_security_policy(None), browser)
}
