//! Decide a session without a browser: the same way as the page's form. For a QR value the number that a PC's page shows
//! is answered for the caller.

use super::answer::{Failure, Members, Told};
use crate::app::App;
use crate::authorize::{self, Submission, Submitted};
use crate::clock::random;
use crate::http::Peer;
use crate::pages::authorize::TypedLimits;
use crate::pages::confirm::CodeHint;
use accord_core::Stop;
use accord_core::agreement::decide::Decided;
use accord_core::agreement::handover;
use accord_core::agreement::{Decision, Session, SessionStage};
use accord_core::ids::AuthId;
use accord_core::secret::Digest;
use accord_core::user::Language;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;

/// Decisions made at a time. Every sign-in counts as a wrong one until its PIN was checked, so a test that decides
/// fifty sessions of one user at once would lock that user out; more than two PINs are not checked at once anyway.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// `POST /sandbox/decide`
pub async fn decide(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    members: Members,
) -> Result<Told, Failure> {
    let decision = Decision::parse(members.required("decision")?)
        .ok_or_else(|| Failure::bad("decision: neither approve nor refuse"))?;
    let (login_id, pin) = (members.text("loginId")?, members.text("pin")?);
    if decision == Decision::Approve && (login_id.is_none() || pin.is_none()) {
        return Err(Failure::bad("loginId and pin: needed to approve"));
    }
    let auth_id = match (members.text("authId")?, members.text("url")?) {
        (Some(auth_id), _) => AuthId::read(auth_id),
        (None, Some(url)) => auth_id_of(&app, url),
        (None, None) => return Err(Failure::bad("authId or url: missing")),
    };
    let auth_id = auth_id.ok_or_else(unknown_session)?;
    let scanned = members.text("authId")?.is_none() && members.text("url")?.is_some_and(is_scanned);
    // Another browser for each call: a decided session is told as decided, not led back again.
    let browser = scanned.then(|| Digest(random()));
    if let Some(taker) = browser {
        let (id, at) = (auth_id.clone(), app.clock.moment());
        app.transact(move |tx| handover::take_unasked(tx, &id, taker, &at)).await.map_err(stopped)?;
    }

    // What the page would have shown: the language asked for, else English.
    let sought = auth_id.clone();
    let terms = app.look(move |rows| rows.terms(&sought)).await?;
    let language = terms.and_then(|terms| terms.language).unwrap_or(Language::English);
    let submission = Submission {
        auth_id,
        login_id: login_id.map(str::to_owned),
        pin: pin.map(str::to_owned),
        agreed: true,
        limits: TypedLimits {
            per_debit: members.text("limitPerDebit")?.map(str::to_owned),
            per_month: members.text("limitPerMonth")?.map(str::to_owned),
        },
        decision,
        language,
        address: peer.ip().to_string(),
        browser,
        signed_in: None,
        proven: None,
        confirmed: true,
        code: members.text("code")?.map(str::to_owned),
    };
    let Ok(_permit) = AT_ONCE.acquire().await else { return Err(closed()) };
    match authorize::submit(&app, submission).await {
        Submitted::Decided { decided, .. } => told(&decided),
        Submitted::WrongSignIn => Err(Failure::new(
            StatusCode::FORBIDDEN,
            "WRONG_SIGN_IN",
            "loginId or pin is wrong, or the user may not sign in",
        )),
        Submitted::TooMany(until) => Err(Failure::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TOO_MANY_TRIES",
            match until {
                Some(until) => {
                    format!("too many wrong PINs; no sign-in before {}", super::answer::iso(until))
                }
                None => "too many wrong PINs in this session; it can only be refused".to_owned(),
            },
        )),
        Submitted::SignInMissing => Err(Failure::bad("loginId and pin: needed to approve")),
        Submitted::LimitUnreadable => Err(Failure::bad(
            "limitPerDebit and limitPerMonth: whole numbers above zero, of the page's currency",
        )),
        Submitted::CodeNeeded(hint) => Err(Failure::new(
            StatusCode::FORBIDDEN,
            "CODE_NEEDED",
            match hint {
                CodeHint::Sent => "code: missing; one was sent to the user",
                CodeHint::NotBefore { .. } => "code: missing, and too many were sent",
                CodeHint::Wrong { .. } => "code: wrong",
                CodeHint::Over => "code: too late, or tried too often; without one another is sent",
            },
        )),
        Submitted::Confirm { .. } => Err(Failure::bad("the decision was not confirmed")),
        Submitted::BoxNotTicked { .. } => Err(Failure::bad("the agreement was not ticked")),
        Submitted::Fault(fault) => Err(fault.into()),
    }
}

fn told(decided: &Decided) -> Result<Told, Failure> {
    let auth_code = match decided {
        Decided::Approved { code, .. } => Some(code.reveal()),
        Decided::Refused { .. } => None,
        Decided::Already { session, .. } => return Err(already(session)),
        Decided::Expired { .. } => {
            return Err(Failure::new(StatusCode::GONE, "SESSION_EXPIRED", "nobody decided in time"));
        }
        Decided::Unknown => return Err(unknown_session()),
    };
    Ok(Told(json!({ "authCode": auth_code, "redirectUrl": authorize::redirect_of(decided) })))
}

fn already(session: &Session) -> Failure {
    let how = match session.stage {
        SessionStage::Approved { .. } => "approved",
        SessionStage::Refused { .. } => "refused",
        SessionStage::Open => "decided",
    };
    let message = format!("the session was {how} before");
    Failure::new(StatusCode::CONFLICT, "ALREADY_DECIDED", message)
}

fn stopped(stop: Stop) -> Failure {
    match stop {
        Stop::Fault(fault) => fault.into(),
        Stop::Refused(refusal) => Failure::bad(refusal.to_string()),
    }
}

fn closed() -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "STOPPING", "the server is about to stop")
}

fn unknown_session() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "SESSION_NOT_FOUND", "there is no such session")
}

/// The session that a URL or QR value of prepare's answer leads to. A QR value is a handle, or a URL that holds one
/// between its separators; no other text opens as a handle.
pub(crate) fn auth_id_of(app: &App, text: &str) -> Option<AuthId> {
    let handles = app.options.qr_handles.as_ref();
    let by_handle =
        || text.split(['/', '?', '&', '=', '#', ':']).rev().find_map(|part| handles?.resolve(part));
    auth_id_in(text, 2).or_else(by_handle)
}

/// Is it a QR value? It names no authId.
pub(crate) fn is_scanned(text: &str) -> bool {
    auth_id_in(text, 2).is_none()
}

/// The member `authId` of a URL's query; `depth` times also of a URL that stands in its query (app links do so).
fn auth_id_in(text: &str, depth: u8) -> Option<AuthId> {
    let url = Url::parse(text).ok()?;
    url.query_pairs().find_map(|(name, value)| match name.as_ref() {
        "authId" => AuthId::read(&value),
        _ if depth > 0 => auth_id_in(&value, depth - 1),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::Timestamp;
    use accord_core::handle::Bucket;
    use accord_core::moment::Moment;

    #[test]
    fn every_url_of_prepare_names_its_session() {
        let id = AuthId::mint(Bucket::new(5), &mut Moment::new(Timestamp(0), [1; 32]).random("test"));
        for url in [
            format!("http://127.0.0.1:8080/authorize?authId={id}"),
            format!("https://wallet.example/a?x=1&authId={id}#top"),
            format!("accord://authorize?authId={id}"),
            format!("https://app.example/open?url=https%3A%2F%2Fwallet.example%2Fauthorize%3FauthId%3D{id}"),
        ] {
            assert_eq!(auth_id_in(&url, 2).as_ref(), Some(&id), "{url}");
        }
        for url in [
            "".to_owned(),
            "nonsense".to_owned(),
            "https://wallet.example/authorize".to_owned(),
            "https://wallet.example/authorize?authId=short".to_owned(),
            format!("https://wallet.example/authorize?authid={id}"),
        ] {
            assert_eq!(auth_id_in(&url, 2), None, "{url}");
        }
    }
}
