//! What Qi's acts share: replies in the paper's order, times, money, and who owns what.

use crate::dialect::{Answer, Code};
use crate::fields::{AmountFields, FieldFault, Fields, Strictness};
use crate::json::{self, Json, text_of};
use crate::qi::codes::SUCCESS;
use crate::time;
use accord_core::Timestamp;
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::money::{Amount, Currency};
use accord_core::store::Stored;
use accord_core::token::live::Bearer;
use accord_core::{Ruled, Stop};
use serde_json::{Map, Value, json};

/// Longest extendInfo (Qi prepare, cancelToken).
pub(super) const MAX_EXTEND_INFO: usize = 4096;
/// Longest access or refresh token (Qi applyToken).
pub(super) const MAX_TOKEN: usize = 128;
/// Longest id (Qi pay, paymentRequestId).
pub(super) const MAX_ID: usize = 64;

/// The members of a request's body, in Qi's mode (decision 9).
pub(super) fn members(body: &Json) -> Result<Fields<'_>, FieldFault> {
    Fields::of(body, Strictness::QI)
}

/// Who owns what this client makes: the client alone (decision 12).
pub(super) fn owner_of(client: &Client) -> Owner {
    Owner::of(&[client.id.as_str()])
}

/// The client as presenter of a token or code.
pub(super) fn bearer_of(client: &Client) -> Bearer {
    Bearer { owner: owner_of(client), auth_client_id: None }
}

/// A reply: `result` first, then `members` in their order, without those that are null.
pub(super) fn reply(code: &Code, message: &str, members: Value) -> Answer {
    let mut body = Map::new();
    body.insert("result".to_owned(), result(code, message));
    if let Value::Object(members) = members {
        body.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Answer { body: text_of(body).into_bytes(), status: code.status, code: code.code }
}

/// A reply that reports success.
pub(super) fn success(members: Value) -> Answer {
    reply(&SUCCESS, SUCCESS.meaning, members)
}

/// A `result` object, in the order of Qi prepare's sample.
pub(super) fn result(code: &Code, message: &str) -> Value {
    json!({ "resultCode": code.code, "resultStatus": code.status.as_str(), "resultMessage": message })
}

/// A time as Qi's clients parse it: `2026-01-15T09:30:01+03:00`.
pub(super) fn time_text(at: Timestamp, utc_offset_seconds: i32) -> String {
    time::format_seconds(at.0, utc_offset_seconds)
}

/// An `Amount` as the paper prints it: both members are strings.
pub(super) fn amount_value(amount: &Amount) -> Value {
    json!({ "currency": amount.currency.code(), "value": amount.value().to_string() })
}

/// The amount at `name`, in a currency that exists.
pub(super) fn amount_of(fields: &Fields<'_>, name: &str) -> Result<Amount, FieldFault> {
    let AmountFields { currency, value } = fields.required_amount(name)?;
    let currency = Currency::parse(&currency).ok_or_else(|| {
        fields.fault(&format!("{name}.currency"), "must be the code of an ISO 4217 currency in use")
    })?;
    Amount::parse(currency, &value).ok_or_else(|| {
        fields.fault(
            &format!("{name}.value"),
            "must be 1 to 16 digits above zero, without sign or leading zero",
        )
    })
}

/// The members of those names as received; `null` counts as absent.
pub(super) fn kept_members(fields: &Fields<'_>, names: &[&str]) -> Vec<(String, Json)> {
    names
        .iter()
        .filter_map(|name| fields.optional_raw(name).map(|json| ((*name).to_owned(), json.clone())))
        .collect()
}

/// Members as the JSON text that a row keeps.
pub(super) fn extras(members: Vec<(String, Json)>) -> String {
    json::to_text(&Json::Object(members))
}

/// What a look through a rule's helper found; a refusal there means that nothing was found.
pub(super) fn seen<T>(looked: Ruled<Option<T>>) -> Stored<Option<T>> {
    match looked {
        Ok(found) => Ok(found),
        Err(Stop::Refused(_)) => Ok(None),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}
