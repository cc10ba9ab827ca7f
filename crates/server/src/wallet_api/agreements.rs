//! Agreements of a user: listed, limited, paused, resumed, skipped, revoked.

use super::door::Caller;
use super::users::known;
use super::{stopped, unfit};
use crate::app::App;
use crate::sandbox::agreements_of;
use crate::sandbox::answer::{Failure, Members, Told, iso};
use crate::unbinding::{self, Ending};
use accord_core::Timestamp;
use accord_core::agreement::Agreement;
use accord_core::agreement::control::{self, Change, Changed, Skip};
use accord_core::agreement::limits::{Alignment, Limits};
use accord_core::calendar::Date;
use accord_core::ids::{AgreementId, CustomerId};
use accord_core::journal;
use accord_core::money::Currency;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// `GET /wallet/v1/users/{customerId}/agreements`
pub async fn list(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Told, Failure> {
    let id = known(&app, &id).await?.id;
    let seen = app.clone();
    let agreements = app.look(move |rows| agreements_of(&seen, rows, &id)).await?;
    Ok(Told(json!({ "agreements": agreements })))
}

/// `POST /wallet/v1/agreements/{agreementId}/limits`
pub async fn limits(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    members: Members,
) -> Result<Told, Failure> {
    let user = limits_of(&members)?;
    let change = change_of(&id, caller, &members)?;
    let at = app.clock.moment();
    let changed = app.transact(move |tx| control::set_user_limits(tx, &change, user, &at));
    told(&id, changed.await.map_err(stopped)?)
}

/// `POST /wallet/v1/agreements/{agreementId}/pause`
pub async fn pause(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    members: Members,
) -> Result<Told, Failure> {
    let until = time_of(&members, "until")?;
    let change = change_of(&id, caller, &members)?;
    let at = app.clock.moment();
    let changed = app.transact(move |tx| control::pause(tx, &change, until, &at));
    told(&id, changed.await.map_err(stopped)?)
}

/// `POST /wallet/v1/agreements/{agreementId}/resume`
pub async fn resume(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    members: Members,
) -> Result<Told, Failure> {
    let change = change_of(&id, caller, &members)?;
    let at = app.clock.moment();
    let changed = app.transact(move |tx| control::resume(tx, &change, &at));
    told(&id, changed.await.map_err(stopped)?)
}

/// `POST /wallet/v1/agreements/{agreementId}/skip`
pub async fn skip(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    members: Members,
) -> Result<Told, Failure> {
    let skip = match (time_of(&members, "until")?, members.text("due")?) {
        (Some(_), Some(_)) => return Err(unfit("due: not beside until")),
        (Some(until), None) => Skip::Until(until),
        (None, Some(day)) => {
            Skip::Due(Date::parse(day).ok_or_else(|| unfit("due: a day such as 2026-01-31"))?)
        }
        (None, None) => Skip::Next,
    };
    let change = change_of(&id, caller, &members)?;
    let agreement = found(&app, &change).await?;
    let at = app.clock.moment();
    let changed = app.transact_with(&agreement.dialect, move |tx, context| {
        control::skip_next(tx, &change, skip, context.voice.policy(), &at)
    });
    told(&id, changed.await.map_err(stopped)?)
}

/// `POST /wallet/v1/agreements/{agreementId}/revoke`: the wallet ends it; nobody is asked.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    members: Members,
) -> Result<Told, Failure> {
    let reason = members.text("reason")?.unwrap_or_default().to_owned();
    if reason.chars().count() > 256 {
        return Err(unfit("reason: longer than 256 characters"));
    }
    let change = change_of(&id, caller, &members)?;
    let agreement = found(&app, &change).await?;
    let ending = unbinding::end_by_wallet(&app, &agreement.id, &change.actor, &reason).await?;
    ended(&id, &ending)
}

/// `POST /wallet/v1/agreements/{agreementId}/end`: its user ends it; the owner is asked where the paper says so.
pub async fn end(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    members: Members,
) -> Result<Told, Failure> {
    let change = change_of(&id, caller, &members)?;
    let agreement = found(&app, &change).await?;
    if !agreement.ended() {
        let (id, at) = (agreement.id.clone(), app.clock.moment());
        let noted = app.transact(move |tx| {
            let act = "agreement.end_by_app";
            Ok(journal::append(tx, &at, id.bucket(), act, id.as_str(), &change.actor, "")?)
        });
        noted.await.map_err(stopped)?;
    }
    let ending = unbinding::end_by_user(&app, &agreement.id).await?;
    ended(&id, &ending)
}

fn ended(id: &str, ending: &Ending) -> Result<Told, Failure> {
    match ending {
        Ending::Ended { receipt, .. } => {
            let receipt = receipt.as_ref().map(|receipt| receipt.document());
            Ok(Told(json!({ "agreementId": id, "ended": true, "receipt": receipt })))
        }
        Ending::NotAllowed { merchant } => {
            let message = format!("{merchant} does not allow it now: send the user there");
            Err(Failure::new(StatusCode::CONFLICT, "END_NOT_ALLOWED", message))
        }
        Ending::Unknown => {
            let message = "the owner could not be asked: try later";
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "TRY_LATER", message))
        }
        Ending::NotFound => Err(unknown()),
    }
}

fn change_of(id: &str, Caller(actor): Caller, members: &Members) -> Result<Change, Failure> {
    let agreement = AgreementId::read(id).ok_or_else(unknown)?;
    let customer = CustomerId::read(members.required("customerId")?).ok_or_else(unknown)?;
    Ok(Change { agreement, customer, actor })
}

/// The agreement, if it is that customer's.
async fn found(app: &App, change: &Change) -> Result<Agreement, Failure> {
    let (id, customer) = (change.agreement.clone(), change.customer.clone());
    let agreement = app.look(move |rows| rows.agreement(&id)).await?;
    agreement.filter(|agreement| agreement.customer == customer).ok_or_else(unknown)
}

fn told(id: &str, changed: Changed) -> Result<Told, Failure> {
    match changed {
        Changed::Done(controls) => Ok(Told(json!({
            "agreementId": id,
            "paused": controls.pause.is_some(),
            "pausedUntil": controls.pause.and_then(|pause| pause.until).map(iso),
        }))),
        Changed::Unknown => Err(unknown()),
        Changed::Ended => Err(Failure::new(StatusCode::CONFLICT, "AGREEMENT_ENDED", "the agreement is over")),
        Changed::Unfit(why) => Err(unfit(why)),
    }
}

fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "AGREEMENT_NOT_FOUND", "this user has no such agreement")
}

/// What is absent limits nothing: the user's limits are replaced as a whole.
fn limits_of(members: &Members) -> Result<Limits, Failure> {
    let sum = |name: &str| {
        let digits = |text: &str| -> Result<i64, Failure> {
            let plain = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            let value = plain.then(|| text.parse().ok()).flatten();
            value.ok_or_else(|| unfit(format!("{name}: 1 to 16 digits of the smallest unit")))
        };
        members.text(name)?.map(digits).transpose()
    };
    let currency = members.text("currency")?.map(|code| {
        Currency::parse(code).ok_or_else(|| unfit("currency: no currency of ISO 4217, such as IQD"))
    });
    let alignment = members
        .text("alignment")?
        .map(|word| Alignment::parse(word).ok_or_else(|| unfit("alignment: calendar or agreement")));
    let most = members.number("maxCount", 1, i64::from(u32::MAX))?;
    Ok(Limits {
        currency: currency.transpose()?,
        per_debit: sum("perDebit")?,
        per_day: sum("perDay")?,
        per_week: sum("perWeek")?,
        per_month: sum("perMonth")?,
        per_year: sum("perYear")?,
        max_count: most.and_then(|most| u32::try_from(most).ok()),
        alignment: alignment.transpose()?.unwrap_or(Alignment::Calendar),
        valid_from: time_of(members, "validFrom")?,
        valid_to: time_of(members, "validTo")?,
    })
}

fn time_of(members: &Members, name: &str) -> Result<Option<Timestamp>, Failure> {
    let parse = |text| {
        let time = accord_wire::time::parse_iso(text).map(Timestamp);
        time.map_err(|_| unfit(format!("{name}: a time such as 2026-01-31T00:00:00+03:00")))
    };
    members.text(name)?.map(parse).transpose()
}
