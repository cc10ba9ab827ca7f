//! Authorizations: what the wallet's own app shows, and the decision of a user whom that app has made sure of.

use super::door::Caller;
use super::users::{known, language_of};
use super::{stopped, unfit};
use crate::app::App;
use crate::authorize::{redirect_of, session_of, shown, text_shown};
use crate::http::Peer;
use crate::pages::authorize::TypedLimits;
use crate::sandbox::answer::{Failure, Members, Told, iso};
use crate::sandbox::decide::{auth_id_of, is_scanned};
use accord_core::agreement::decide::{Answer, Decide, Decided, decide as decide_session};
use accord_core::agreement::handover::{self, Opening, Scanned};
use accord_core::agreement::{Decision, Session, SessionStage, Terms};
use accord_core::ids::AuthId;
use accord_core::journal;
use accord_core::secret::Digest;
use accord_core::user::Language;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /wallet/v1/authorizations/resolve`
pub async fn resolve(State(app): State<Arc<App>>, members: Members) -> Result<Told, Failure> {
    let (session, terms) = find(&app, &members).await?;
    let handover = match scanned(&members)? {
        true => pc_session(&app, &session).await?,
        false => Value::Null,
    };
    let language = language_of(&members, "language")?.or(terms.language).unwrap_or(Language::English);
    let state = match session.stage {
        SessionStage::Open if app.clock.now() > session.expires_at => "expired",
        SessionStage::Open => "open",
        SessionStage::Approved { .. } => "approved",
        SessionStage::Refused { .. } => "refused",
    };
    let text = text_shown(&app, &terms, language, session.expires_at, &TypedLimits::default());
    Ok(Told(json!({
        "authId": session.auth_id.as_str(),
        "state": state,
        "expiresAt": iso(session.expires_at),
        "dialect": terms.dialect.as_str(),
        "merchantDisplayName": terms.display_name,
        "merchantLegalName": terms.legal_name,
        "contractTitle": terms.contract_title,
        "contractText": terms.contract_text,
        "scopes": terms.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "terminalType": terms.terminal.as_str(),
        "language": language.as_str(),
        "shownText": text,
        "shownTextDigest": Digest::of(&text).hex(),
        "handover": handover,
    })))
}

/// `POST /wallet/v1/authorizations/decide`
pub async fn decide(
    State(app): State<Arc<App>>,
    Extension(Caller(actor)): Extension<Caller>,
    Extension(Peer(peer)): Extension<Peer>,
    members: Members,
) -> Result<Told, Failure> {
    let decision = Decision::parse(members.required("decision")?)
        .ok_or_else(|| unfit("decision: neither approve nor refuse"))?;
    let customer = known(&app, members.required("customerId")?).await?.id;
    let (session, terms) = find(&app, &members).await?;
    let language = language_of(&members, "language")?.or(terms.language).unwrap_or(Language::English);
    let mut shown = shown(&app, &terms, language, session.expires_at, &TypedLimits::default());
    if let Some(digest) = members.text("shownTextDigest")? {
        shown.text_digest = digest_of(digest)?;
        shown.version = format!("app of {actor}");
    }
    // In place of a browser's cookie: this user, asked by this API, may hear the answer again within the code's life.
    let key: String = app.options.page_key.iter().map(|byte| format!("{byte:02x}")).collect();
    let browser = Some(Digest::of_parts(&["wallet API", &key, customer.as_str()]));
    let answer = match decision {
        Decision::Approve => Answer::Approve { customer },
        Decision::Refuse => Answer::Refuse { customer: Some(customer) },
    };
    let auth_id = session.auth_id.clone();
    if let (true, Some(browser)) = (scanned(&members)?, browser) {
        let (address, device) = (peer.ip().to_string(), format!("app of {actor}"));
        take(&app, Opening { auth_id: auth_id.clone(), browser, address, device }, &members).await?;
    }
    let command = Decide { auth_id: auth_id.clone(), answer, shown, address: peer.ip().to_string(), browser };
    let at = app.clock.moment();
    let decided = app.transact_with(&terms.dialect, move |tx, context| {
        let open = matches!(session.stage, SessionStage::Open);
        let decided = decide_session(tx, &command, context, &at)?;
        if open && matches!(decided, Decided::Approved { .. } | Decided::Refused { .. }) {
            let id = &command.auth_id;
            journal::append(tx, &at, id.bucket(), "authorization.by_app", id.as_str(), &actor, "")?;
        }
        Ok(decided)
    });
    let decided = decided.await.map_err(stopped)?;
    app.wake.notify_one();
    told(&auth_id, decision, &decided)
}

fn told(auth_id: &AuthId, asked: Decision, decided: &Decided) -> Result<Told, Failure> {
    let conflict = |how: &str| {
        Err(Failure::new(StatusCode::CONFLICT, "ALREADY_DECIDED", format!("the session was {how} before")))
    };
    let (state, auth_code) = match decided {
        Decided::Approved { .. } if asked == Decision::Refuse => return conflict("approved"),
        Decided::Refused { .. } if asked == Decision::Approve => return conflict("refused"),
        Decided::Approved { code, .. } => ("approved", Some(code.reveal())),
        Decided::Refused { .. } => ("refused", None),
        Decided::Already { session, .. } => {
            return conflict(match session.stage {
                SessionStage::Approved { .. } => "approved",
                SessionStage::Refused { .. } | SessionStage::Open => "refused",
            });
        }
        Decided::Expired { .. } => {
            return Err(Failure::new(StatusCode::CONFLICT, "SESSION_EXPIRED", "nobody decided in time"));
        }
        Decided::Unknown => return Err(unknown_session()),
    };
    Ok(Told(json!({
        "authId": auth_id.as_str(),
        "state": state,
        "authCode": auth_code,
        "redirectUrl": redirect_of(decided).map_or(Value::Null, Value::String),
    })))
}

/// Did the app scan a QR code? A URL of prepare's answer names the session itself.
fn scanned(members: &Members) -> Result<bool, Failure> {
    Ok(members.text("qrValue")?.is_some() || members.text("url")?.is_some_and(is_scanned))
}

/// The browser that has the page to hand over: what the app shows beside the question for its number (decision 20).
async fn pc_session(app: &Arc<App>, session: &Session) -> Result<Value, Failure> {
    let session = session.clone();
    let found = app.look(move |rows| handover::current(rows, &session)).await?;
    Ok(found.filter(|handover| handover.taken_by.is_none()).map_or(Value::Null, |handover| {
        json!({
            "openedAt": iso(handover.opened_at),
            "address": handover.address,
            "device": handover.device,
            "triesLeft": handover::MOST_WRONG.saturating_sub(handover.wrong),
        })
    }))
}

/// Takes over what a PC shows, by the number that its user reads there. A code that no PC shows needs none.
async fn take(app: &Arc<App>, phone: Opening, members: &Members) -> Result<(), Failure> {
    let number = match members.text("number")? {
        Some(text) => Some(text.parse().map_err(|_| unfit("number: the two digits that the PC shows"))?),
        None => None,
    };
    let at = app.clock.moment();
    let scanned = app.transact(move |tx| handover::scan(tx, &phone, number, &at)).await.map_err(stopped)?;
    let conflict = |code, message: String| Err(Failure::new(StatusCode::CONFLICT, code, message));
    match scanned {
        // A closed session is answered by how it ended.
        Scanned::Taken | Scanned::Closed => Ok(()),
        Scanned::AskNumber { wrong: false, left } => conflict(
            "NUMBER_REQUIRED",
            format!("the number that the PC shows must be given; {left} tries are left"),
        ),
        Scanned::AskNumber { wrong: true, left } => {
            conflict("WRONG_NUMBER", format!("it is not the number that the PC shows; {left} tries are left"))
        }
        Scanned::Dead => {
            conflict("HANDOVER_CLOSED", "too many wrong numbers; it can be decided on the PC only".to_owned())
        }
    }
}

/// The session that is named by its id, by a URL of prepare's answer or by a scanned value.
async fn find(app: &Arc<App>, members: &Members) -> Result<(Session, Terms), Failure> {
    let auth_id = match (members.text("authId")?, members.text("url")?, members.text("qrValue")?) {
        (Some(auth_id), None, None) => AuthId::read(auth_id),
        (None, Some(text), None) | (None, None, Some(text)) => auth_id_of(app, text),
        _ => return Err(Failure::bad("one of authId, url and qrValue must be there")),
    };
    let auth_id = auth_id.ok_or_else(unknown_session)?;
    app.look(move |rows| session_of(rows, &auth_id)).await?.ok_or_else(unknown_session)
}

fn unknown_session() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "SESSION_NOT_FOUND", "there is no such session")
}

fn digest_of(text: &str) -> Result<Digest, Failure> {
    let fault = || unfit("shownTextDigest: SHA-256 in 64 hexadecimal digits");
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(fault());
    }
    let mut digest = [0; 32];
    for (place, at) in digest.iter_mut().zip((0..64).step_by(2)) {
        let pair = text.get(at..at + 2).ok_or_else(fault)?;
        *place = u8::from_str_radix(pair, 16).map_err(|_| fault())?;
    }
    Ok(Digest(digest))
}
