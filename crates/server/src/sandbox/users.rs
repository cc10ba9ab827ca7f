//! What the wallet holds of a user: accounts, agreements, messages.

use super::answer::{Failure, Told, iso};
use crate::app::App;
use crate::pages::brief::brief;
use crate::pages::letter::letter;
use crate::pages::messages;
use accord_core::Timestamp;
use accord_core::agreement::control::{self, Overview};
use accord_core::ids::{CustomerId, LoginId};
use accord_core::message::Message;
use accord_core::message::delivery::Delivery;
use accord_core::message::routes::Carrier;
use accord_core::store::{Rows, Stored};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Rows shown at most. A sandbox that has more shows the newest.
pub(super) const LIMIT: usize = 10_000;
/// An SMS is shown in so many segments at most.
const SEGMENTS: usize = 3;
/// Messages counted at most.
const COUNT_LIMIT: usize = 1_000_000;

/// `GET /sandbox/users/{loginId}`
pub async fn user(State(app): State<Arc<App>>, Path(login): Path<String>) -> Result<Told, Failure> {
    let login = LoginId::new(login);
    let seen = app.clone();
    let found = app.look(move |rows| describe(&seen, rows, &login)).await?;
    found.map(Told).ok_or_else(no_such_user)
}

/// `GET /sandbox/messages?loginId=…`
pub async fn messages(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Told, Failure> {
    let login = query.as_deref().and_then(|query| parameter(query, "loginId"));
    let login = LoginId::new(login.ok_or_else(|| Failure::bad("loginId: missing in the query"))?);
    let found = app
        .look(move |rows| match rows.customer_of(&login)? {
            Some(customer) => {
                let found = (rows.messages(&customer, LIMIT)?, rows.deliveries_of(&customer, LIMIT)?);
                Ok(Some(found))
            }
            None => Ok(None),
        })
        .await?;
    let (found, deliveries) = found.ok_or_else(no_such_user)?;
    let mut told: Vec<Value> = Vec::new();
    for message in &found {
        let words = messages::render(message);
        told.push(json!({
            "channel": message.channel.as_str(),
            "language": message.language.as_str(),
            "title": words.title,
            "text": words.text,
            "time": iso(message.at),
        }));
        let its = deliveries.iter().filter(|delivery| delivery.message == message.id);
        told.extend(its.map(|delivery| carried(message, delivery)));
    }
    Ok(Told(json!({ "messages": told })))
}

/// A message on its way out of the wallet: as it is sent, and how far it is.
fn carried(message: &Message, delivery: &Delivery) -> Value {
    let mut row = json!({
        "channel": delivery.carrier.as_str(),
        "language": message.language.as_str(),
        "time": iso(message.at),
        "to": delivery.to,
        "state": delivery.state.as_str(),
        "tries": delivery.tries,
        "outcome": delivery.outcome,
    });
    let (title, text) = match delivery.carrier {
        Carrier::Email => {
            let letter = letter(message);
            (Some(letter.subject), letter.text)
        }
        Carrier::Sms => (None, brief(message, SEGMENTS).text),
    };
    if let Value::Object(row) = &mut row {
        row.insert("title".to_owned(), json!(title));
        row.insert("text".to_owned(), json!(text));
    }
    row
}

fn no_such_user() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "USER_NOT_FOUND", "nobody signs in by that loginId")
}

fn describe(app: &App, rows: &dyn Rows, login: &LoginId) -> Stored<Option<Value>> {
    let Some(customer) = rows.customer_of(login)? else { return Ok(None) };
    let Some(user) = rows.user(&customer)? else { return Ok(None) };
    let mut balances = Map::new();
    for account in rows.accounts_of(&customer)? {
        balances.insert(account.currency.to_string(), Value::String(account.balance.to_string()));
    }
    Ok(Some(json!({
        "loginId": user.login_id.as_str(),
        "customerId": customer.as_str(),
        "status": user.status.as_str(),
        "balances": balances,
        "agreements": agreements_of(app, rows, &customer)?,
        "inboxCount": rows.messages(&customer, COUNT_LIMIT)?.len(),
    })))
}

/// Every agreement of a user, and how it stands.
pub(crate) fn agreements_of(app: &App, rows: &dyn Rows, customer: &CustomerId) -> Stored<Vec<Value>> {
    let mut shown = Vec::new();
    for agreement in rows.agreements_of(customer, LIMIT)? {
        let terms = rows.terms(&agreement.auth_id)?;
        let overview = match app.dialect(&agreement.dialect) {
            Some(dialect) => Some(control::overview(rows, &agreement, dialect.policy(), app.clock.now())?),
            None => None,
        };
        let mut row = json!({
            "agreementId": agreement.id.as_str(),
            "dialect": agreement.dialect.as_str(),
            "merchant": terms.map(|terms| terms.display_name).unwrap_or_default(),
            "status": overview.as_ref().map_or("unserved", |overview| overview.state.as_str()),
        });
        if let (Some(overview), Value::Object(row)) = (overview, &mut row) {
            row.extend(controls(&overview));
        }
        shown.push(row);
    }
    Ok(shown)
}

/// What holds the debits of an agreement back: only members that are set.
fn controls(overview: &Overview) -> Map<String, Value> {
    let mut members = Map::new();
    let limits = overview.effective.map(|limits| {
        let sum = |name: &str, sum: Option<i64>| sum.map(|sum| (name.to_owned(), json!(sum.to_string())));
        let time = |name: &str, at: Option<Timestamp>| at.map(|at| (name.to_owned(), json!(iso(at))));
        let members = [
            limits.currency.map(|currency| ("currency".to_owned(), json!(currency.code()))),
            sum("perDebit", limits.per_debit),
            sum("perDay", limits.per_day),
            sum("perWeek", limits.per_week),
            sum("perMonth", limits.per_month),
            sum("perYear", limits.per_year),
            limits.max_count.map(|most| ("maxCount".to_owned(), json!(most))),
            time("validFrom", limits.valid_from),
            time("validTo", limits.valid_to),
        ];
        members.into_iter().flatten().collect::<Map<String, Value>>()
    });
    if let Some(limits) = limits.filter(|limits| !limits.is_empty()) {
        members.insert("limits".to_owned(), Value::Object(limits));
    }
    if let Some(until) = overview.paused_until {
        members.insert("pausedUntil".to_owned(), json!(iso(until)));
    }
    if let Some(due) = overview.next_due {
        members.insert("nextDue".to_owned(), json!(due.to_string()));
    }
    members
}

/// A parameter of a query, percent-decoded. `+` stays `+` (RFC 3986): login ids begin with one.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| percent_decode_str(value).decode_utf8().ok().map(|value| value.into_owned()))?
    })
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_login_id_is_found_with_its_plus_encoded_or_not() {
        for (query, found) in [
            ("loginId=%2B9647700000001", Some("+9647700000001")),
            ("loginId=+9647700000001", Some("+9647700000001")),
            ("x=1&loginId=a%40b.example&y", Some("a@b.example")),
            ("loginId=", Some("")),
            ("loginid=x", None),
            ("loginId", None),
            ("loginId=%ff", None),
            ("", None),
        ] {
            assert_eq!(parameter(query, "loginId").as_deref(), found, "{query}");
        }
    }
}
