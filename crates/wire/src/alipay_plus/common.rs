//! What every operation shares: who calls for whom, and how an answer is written.

use crate::alipay_plus::AlipayPlus;
use crate::dialect::{Answer, Code, Fault, Refused, Status};
use crate::fields::{FieldFault, Fields};
use crate::json::text_of;
use crate::time;
use accord_core::client::Client;
use accord_core::ids::Owner;
use accord_core::money::Amount;
use accord_core::{Refusal, Timestamp};
use serde_json::{Map, Value, json};

/// `resultCode` of a success.
pub const SUCCESS: &str = "SUCCESS";
/// Longest id in a request, in characters (pspId, acquirerId, authClientId, paymentRequestId, …).
pub const MAX_ID: usize = 64;
/// Longest passThroughInfo, in characters.
pub const MAX_PASS_THROUGH: usize = 20_000;
/// Longest token, in characters (cancelToken, accessToken).
pub const MAX_TOKEN: usize = 128;
/// Longest URL of a notice, in characters (prepare, authNotifyUrl).
pub const MAX_NOTIFY_URL: usize = 2048;

/// The two parties that a body names beside the signer.
#[derive(Debug, Clone)]
pub(super) struct Parties {
    pub psp_id: String,
    pub acquirer_id: String,
}

impl Parties {
    /// In the order of the authorization papers: pspId, then acquirerId.
    pub fn read(fields: &Fields<'_>) -> Result<Parties, FieldFault> {
        let psp_id = fields.required_id("pspId", MAX_ID)?.to_owned();
        let acquirer_id = fields.required_id("acquirerId", MAX_ID)?.to_owned();
        Ok(Parties { psp_id, acquirer_id })
    }

    /// In the order of the payment papers: acquirerId, then pspId.
    pub fn read_acquirer_first(fields: &Fields<'_>) -> Result<Parties, FieldFault> {
        let acquirer_id = fields.required_id("acquirerId", MAX_ID)?.to_owned();
        let psp_id = fields.required_id("pspId", MAX_ID)?.to_owned();
        Ok(Parties { psp_id, acquirer_id })
    }

    /// Who owns what this call makes or names, if the signer may call for these two (decision 12).
    pub fn admit(&self, dialect: &AlipayPlus, client: &Client) -> Result<Owner, Refused> {
        if self.psp_id != dialect.config.psp_id {
            return Err(Refused::new(Fault::NotAllowed, "pspId: not the id of this wallet"));
        }
        if !client.acquirers.is_empty() && !client.acquirers.contains(&self.acquirer_id) {
            return Err(Refused::new(Fault::NotAllowed, "acquirerId: not one that this client may name"));
        }
        Ok(Owner::of(&[client.id.as_str(), &self.psp_id, &self.acquirer_id]))
    }
}

/// passThroughInfo, checked and kept, never echoed (decision 13).
pub(super) fn pass_through(fields: &Fields<'_>) -> Result<Option<String>, FieldFault> {
    Ok(fields.optional_text("passThroughInfo", MAX_PASS_THROUGH)?.map(str::to_owned))
}

/// A successful answer being written, members in the paper's order.
pub(super) struct Reply(Map<String, Value>);

impl Reply {
    /// Begins with `result`: SUCCESS.
    pub fn success() -> Reply {
        let mut members = Map::new();
        members.insert("result".to_owned(), result(SUCCESS, "Success", Status::S));
        Reply(members)
    }

    /// Adds a member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Reply {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member if there is something to say: absent, never empty.
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Reply {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The bytes.
    pub fn body(self) -> Vec<u8> {
        text_of(self.0).into_bytes()
    }

    /// The answer.
    pub fn answer(self) -> Answer {
        success(self.body())
    }
}

/// A successful answer of these bytes.
pub(super) fn success(body: Vec<u8>) -> Answer {
    Answer { body, status: Status::S, code: SUCCESS }
}

/// A result object, members in the order of the paper's sample.
pub(super) fn result(code: &str, message: &str, status: Status) -> Value {
    json!({ "resultCode": code, "resultMessage": message, "resultStatus": status.as_str() })
}

/// An answer that only says that code: a refusal which is nevertheless kept.
pub(super) fn only(code: &Code) -> Answer {
    let body = json!({ "result": result(code.code, code.meaning, code.status) });
    Answer { body: text_of(body).into_bytes(), status: code.status, code: code.code }
}

/// The answer that a refusal is.
pub(super) fn refused(refusal: Refusal) -> Answer {
    only(&super::codes::of_refusal(refusal))
}

/// An amount as the paper prints it.
pub(super) fn amount(amount: &Amount) -> Value {
    json!({ "currency": amount.currency.code(), "value": amount.value().to_string() })
}

impl AlipayPlus {
    /// A time as we write it: ISO 8601 with our offset, to the second.
    pub(super) fn time(&self, at: Timestamp) -> String {
        time::format_seconds(at.0, self.config.utc_offset_seconds)
    }
}
