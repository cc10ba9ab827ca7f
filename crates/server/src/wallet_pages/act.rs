//! What a user does to an agreement: limit, pause, resume, skip, end. Every form is answered with GET.

use super::agreement::{Found, draw, find, said};
use super::{Asked, Visit, either};
use crate::app::App;
use crate::http::Sender;
use crate::pages::authorize::read_units;
use crate::pages::wallet::Hint;
use crate::pages::wallet::agreement::{EndView, Typed, render_end};
use crate::sign_in::{self, Checked};
use crate::unbinding::{self, Ending};
use accord_core::agreement::control::{self, Change, Changed, Skip};
use accord_core::agreement::limits::Limits;
use accord_core::agreement::sign_in::SignIn;
use accord_core::agreement::unbind::SILENCE_WINDOW_MS;
use accord_core::calendar::{Date, start_of};
use accord_core::money::Currency;
use accord_core::{Ruled, Stop};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Posted {
    csrf: String,
    until: String,
    due: String,
    #[serde(rename = "perDebit")]
    per_debit: String,
    #[serde(rename = "perDay")]
    per_day: String,
    #[serde(rename = "perWeek")]
    per_week: String,
    #[serde(rename = "perMonth")]
    per_month: String,
    #[serde(rename = "perYear")]
    per_year: String,
    pin: String,
}

/// Lets the user in, finds the agreement and checks the form. A form that is too old gets the page as it stands now.
async fn begin(
    app: &Arc<App>,
    headers: &HeaderMap,
    id: &str,
    csrf: &str,
) -> Result<(Visit, Found), Response<Body>> {
    let path = format!("/wallet/agreements/{id}");
    let visit = Visit::enter(app, headers, &Asked::default(), path).await?;
    let found = find(&visit, id).await?;
    if !visit.owns(&found.form(), csrf) {
        return Err(either(draw(&visit.saying(Hint::FormTooOld), found, None, None).await));
    }
    Ok((visit, found))
}

fn change(visit: &Visit, found: &Found) -> Change {
    let customer = visit.account.user.id.clone();
    Change { agreement: found.agreement.id.clone(), actor: customer.as_str().to_owned(), customer }
}

/// Where to go after a change, or what to say instead. `unfit` is what a value that makes no sense is called.
async fn changed(
    visit: Visit,
    found: Found,
    ruled: Ruled<Changed>,
    unfit: Hint,
) -> Result<Response<Body>, Response<Body>> {
    visit.app.wake.notify_one();
    let hint = match visit.ruled(ruled)? {
        Changed::Done(_) => {
            return Ok(visit.go(&format!("/wallet/agreements/{}?done=1", found.agreement.id)));
        }
        Changed::Unknown => return Err(visit.nothing()),
        Changed::Ended => Hint::AlreadyEnded,
        Changed::Unfit(_) => unfit,
    };
    draw(&visit.saying(hint), found, None, None).await
}

/// `POST /wallet/agreements/{id}/pause`
pub(super) async fn pause(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response<Body> {
    either(
        async {
            let (visit, found) = begin(&app, &headers, &id, &posted.csrf).await?;
            let until = match posted.until.trim() {
                "" => None,
                day => match Date::parse(day) {
                    Some(day) => Some(start_of(day.day_number(), found.zone_offset_ms)),
                    None => return draw(&visit.saying(Hint::DayUnreadable), found, None, None).await,
                },
            };
            let (change, at) = (change(&visit, &found), app.clock.moment());
            let ruled = app.transact(move |tx| control::pause(tx, &change, until, &at)).await;
            changed(visit, found, ruled, Hint::DayUnreadable).await
        }
        .await,
    )
}

/// `POST /wallet/agreements/{id}/resume`
pub(super) async fn resume(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response<Body> {
    either(
        async {
            let (visit, found) = begin(&app, &headers, &id, &posted.csrf).await?;
            let (change, at) = (change(&visit, &found), app.clock.moment());
            let ruled = app.transact(move |tx| control::resume(tx, &change, &at)).await;
            changed(visit, found, ruled, Hint::Unavailable).await
        }
        .await,
    )
}

/// `POST /wallet/agreements/{id}/skip`
pub(super) async fn skip(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response<Body> {
    either(
        async {
            let (visit, found) = begin(&app, &headers, &id, &posted.csrf).await?;
            // The day that the page named: a page that is too old must not skip another debit.
            let Some(due) = Date::parse(&posted.due) else {
                return draw(&visit.saying(Hint::FormTooOld), found, None, None).await;
            };
            let (change, at) = (change(&visit, &found), app.clock.moment());
            let ruled = app
                .transact_with(&found.agreement.dialect.clone(), move |tx, context| {
                    control::skip_next(tx, &change, Skip::Due(due), context.voice.policy(), &at)
                })
                .await;
            changed(visit, found, ruled, Hint::FormTooOld).await
        }
        .await,
    )
}

/// `POST /wallet/agreements/{id}/limits`: tighter at once, wider with the PIN.
pub(super) async fn limits(
    State(app): State<Arc<App>>,
    Extension(sender): Extension<Sender>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response<Body> {
    either(
        async {
            let (visit, found) = begin(&app, &headers, &id, &posted.csrf).await?;
            let short = |text: &str| text.chars().take(64).collect::<String>();
            let typed = Typed {
                per_debit: short(&posted.per_debit),
                per_day: short(&posted.per_day),
                per_week: short(&posted.per_week),
                per_month: short(&posted.per_month),
                per_year: short(&posted.per_year),
            };
            let Some(wanted) = read_limits(&found.controls.user, &typed, found.currency) else {
                return draw(&visit.saying(Hint::LimitUnreadable), found, Some(typed), None).await;
            };
            if wanted.widen(&found.controls.user)
                && let Some(hint) = check_pin(&visit, &sender, posted.pin).await?
            {
                return draw(&visit.saying(hint), found, Some(typed), None).await;
            }
            let (change, at) = (change(&visit, &found), app.clock.moment());
            let ruled = app.transact(move |tx| control::set_user_limits(tx, &change, wanted, &at)).await;
            changed(visit, found, ruled, Hint::LimitUnreadable).await
        }
        .await,
    )
}

/// The user's limits with those of the form in their places; what the form does not show stays, and so does a limit whose
/// field still holds what it was shown with, fractions included.
fn read_limits(before: &Limits, typed: &Typed, currency: Option<Currency>) -> Option<Limits> {
    let shown = Typed::of(before);
    let read = |text: &String, shown: &String, before: Option<i64>| match text == shown {
        true => Some(before),
        false => read_units(Some(text), currency),
    };
    let limits = Limits {
        per_debit: read(&typed.per_debit, &shown.per_debit, before.per_debit)?,
        per_day: read(&typed.per_day, &shown.per_day, before.per_day)?,
        per_week: read(&typed.per_week, &shown.per_week, before.per_week)?,
        per_month: read(&typed.per_month, &shown.per_month, before.per_month)?,
        per_year: read(&typed.per_year, &shown.per_year, before.per_year)?,
        ..*before
    };
    let currency = if limits.limits_money() { before.currency.or(currency) } else { None };
    Some(Limits { currency, ..limits })
}

/// Nothing when the PIN is right; else what to say.
async fn check_pin(visit: &Visit, sender: &Sender, pin: String) -> Result<Option<Hint>, Response<Body>> {
    if pin.is_empty() || pin.len() > 256 {
        return Ok(Some(Hint::PinNeeded));
    }
    let login = visit.account.user.login_id.clone();
    let attempt = SignIn { auth_id: None, login, address: sender.0.to_string() };
    match sign_in::check(&visit.app, attempt, pin).await {
        Ok(Checked::Right(customer)) if customer == visit.account.user.id => Ok(None),
        Ok(Checked::Right(_) | Checked::Wrong | Checked::Closed) => Ok(Some(Hint::WrongPin)),
        Ok(Checked::TooMany(until)) => Ok(Some(until.map_or(Hint::TooManyForGood, Hint::TooMany))),
        Err(Stop::Fault(fault)) => Err(visit.fault(&fault)),
        Err(Stop::Refused(_)) => Ok(Some(Hint::WrongPin)),
    }
}

/// `GET /wallet/agreements/{id}/end`
pub(super) async fn ask_end(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    either(
        async {
            let path = format!("/wallet/agreements/{id}/end");
            let visit = Visit::enter(&app, &headers, &asked, path).await?;
            let found = find(&visit, &id).await?;
            if found.agreement.ended() {
                return Ok(visit.go(&format!("/wallet/agreements/{}", found.agreement.id)));
            }
            draw_end(&visit, &found).await
        }
        .await,
    )
}

async fn draw_end(visit: &Visit, found: &Found) -> Result<Response<Body>, Response<Body>> {
    let (id, now) = (found.agreement.id.clone(), visit.app.clock.now());
    let (journal, consult) =
        visit.look(move |rows| Ok((rows.journal_of(id.bucket(), id.as_str())?, rows.consult(&id)?))).await?;
    let asked = journal.iter().rev().find(|line| line.act == "agreement.consulted");
    let last = asked.and_then(|line| Some((said(&line.detail)?, line.at)));
    let silences = consult.map(|consult| consult.failed_at).unwrap_or_default();
    let counting = silences.iter().filter(|then| now.since(**then) < SILENCE_WINDOW_MS).count();
    let client = found.agreement.client.clone();
    let (terms, dialect) = (found.terms.clone(), visit.app.dialect(&found.agreement.dialect));
    let client = visit.look(move |rows| rows.client(&client)).await?;
    // Whom the paper wants asked is the dialect's to know; what it would be asked with does not matter here.
    let nobody = accord_core::secret::Secret::new(String::new());
    let asks = client.zip(dialect).is_some_and(|(client, dialect)| {
        found.agreement.generation > 0 && dialect.consult(&client, &terms, &nobody).is_some()
    });
    let view = EndView {
        frame: visit.frame(),
        id: found.agreement.id.to_string(),
        merchant: found.terms.display_name.clone(),
        csrf: visit.token(&found.form()),
        asks,
        last: last.filter(|(_, at)| now.since(*at) < SILENCE_WINDOW_MS),
        silences: counting,
    };
    Ok(visit.page(render_end(&view)))
}

/// `POST /wallet/agreements/{id}/end`: its owner is asked where the paper says so; the answer is shown by GET.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response<Body> {
    either(
        async {
            let (visit, found) = begin(&app, &headers, &id, &posted.csrf).await?;
            let ended = unbinding::end_by_user(&app, &found.agreement.id).await;
            let id = &found.agreement.id;
            match ended.map_err(|fault| visit.fault(&fault))? {
                Ending::Ended { .. } => Ok(visit.go(&format!("/wallet/agreements/{id}?done=1"))),
                Ending::NotAllowed { .. } | Ending::Unknown => {
                    Ok(visit.go(&format!("/wallet/agreements/{id}/end")))
                }
                Ending::NotFound => Err(visit.nothing()),
            }
        }
        .await,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dinars() -> Option<Currency> {
        Currency::parse("IQD")
    }

    #[test]
    fn a_limit_that_was_not_touched_stays_to_the_last_fils() {
        let before =
            Limits { currency: dinars(), per_debit: Some(1_500), per_year: Some(7_000), ..Limits::NONE };
        let shown = Typed::of(&before);
        assert_eq!((shown.per_debit.as_str(), shown.per_year.as_str()), ("1.500", "7"));
        assert_eq!(read_limits(&before, &shown, dinars()), Some(before));
        let typed = Typed { per_week: "٥".into(), per_year: String::new(), ..shown.clone() };
        let after = Limits { per_week: Some(5_000), per_year: None, ..before };
        assert_eq!(read_limits(&before, &typed, dinars()), Some(after));
        assert_eq!(read_limits(&before, &Typed { per_debit: "1.6".into(), ..shown }, dinars()), None);
        assert_eq!(read_limits(&before, &Typed::default(), dinars()), Some(Limits::NONE));
    }
}
