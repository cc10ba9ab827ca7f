//! Deciding, whoever asks: [`submit`] is the one way. The page's form ([`page`]), the sandbox's control API and the
//! wallet API all go through it. Markup is in [`crate::pages`], rules are in `accord_core::agreement`.
//! The way from a PC to a phone is [`crate::handover`].

pub mod page;
pub mod proof;
pub mod step_up;

use crate::app::App;
use crate::pages::authorize::{AuthorizeView, Offer, TypedLimits, shown_text};
use crate::pages::confirm::CodeHint;
use crate::pages::i18n::page_version;
use crate::sign_in::{self, Checked};
use crate::typed;
use accord_core::agreement::control::{self, Change};
use accord_core::agreement::decide::{Answer, Decide, Decided, Shown, decide, outcome_of};
use accord_core::agreement::limits::Limits;
use accord_core::agreement::sign_in::SignIn;
use accord_core::agreement::{Decision, Session, SessionStage, Terms};
use accord_core::ids::{AuthId, CustomerId, LoginId};
use accord_core::secret::Digest;
use accord_core::store::{Rows, StoreFault, Stored, Tx};
use accord_core::user::Language;
use accord_core::voice::Context;
use accord_core::{Moment, Refusal, Ruled, Stop, Timestamp};
use accord_wire::redirect::{Return, fill};
use std::sync::Arc;

pub use page::routes;

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
    /// Whose PIN was right a moment ago in this browser, for this session ([`proof`]): it is not asked for again.
    pub proven: Option<CustomerId>,
    /// Was the user asked once more? Without it nothing is decided yet.
    pub confirmed: bool,
    /// The one-time code that was typed, where approving needs one ([`step_up`]).
    pub code: Option<String>,
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
    /// Everything is in order, and the user is to be asked once more.
    Confirm {
        /// Who typed the right PIN; nobody for a refusal.
        customer: Option<CustomerId>,
    },
    /// Approving needs a one-time code: none, or another, was typed.
    CodeNeeded(CodeHint),
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
        Decision::Approve if submission.proven.is_some() => submission.proven.clone(),
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
    let open = session.stage == SessionStage::Open && app.clock.now() <= session.expires_at;
    let ready = submission.decision == Decision::Refuse || customer.is_some();
    let approver = customer.as_ref().filter(|_| submission.decision == Decision::Approve);
    let stepping_up = approver.filter(|_| open && step_up::needed(app, &terms, limits));
    if open && ready && !submission.confirmed {
        if let Some(customer) = stepping_up {
            step_up::send(app, &terms, customer).await?;
        }
        return Ok(Submitted::Confirm { customer: approver.cloned() });
    }
    if let Some(customer) = stepping_up
        && let Some(hint) = step_up::ask(app, &submission, &terms, customer).await?
    {
        return Ok(Submitted::CodeNeeded(hint));
    }
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
    let typed = submission.login_id.as_deref().map(typed::plain);
    let typed = typed.as_deref().map(str::trim).filter(|login| !login.is_empty());
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

    let (auth_id, address) = (Some(submission.auth_id.clone()), submission.address.clone());
    Ok(match sign_in::check(app, SignIn { auth_id, login, address }, pin).await? {
        Checked::Right(customer) => SignedIn::Yes(customer),
        Checked::Wrong => SignedIn::No,
        Checked::TooMany(until) => SignedIn::TooMany(until),
        Checked::Closed => SignedIn::Closed,
    })
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
        Some(dialect) => Offer {
            network: dialect.network(),
            ..Offer::of(terms, dialect.asked(terms), dialect.policy().control.currency)
        },
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
        panel: None,
        app_link: None,
    })
}
