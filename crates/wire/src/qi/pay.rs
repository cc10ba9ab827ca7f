//! Qi pay, agreement payment: a silent debit. Cashier and escrow products are not offered.

use crate::dialect::{Act, Answer, Fault, Refused};
use crate::fields::{Fields, UrlRule};
use crate::json::{self, Json};
use crate::qi::codes::{self, SUCCESS};
use crate::qi::common::{self, MAX_EXTEND_INFO, MAX_ID, MAX_TOKEN, time_text};
use crate::qi::{NAME, Qi};
use accord_core::client::Client;
use accord_core::ids::{DialectName, Owner, PaymentRequestId};
use accord_core::money::Amount;
use accord_core::payment::inquire;
use accord_core::payment::pay::{Forced, Pay, pay};
use accord_core::payment::{Payment, PaymentStage};
use accord_core::secret::{DerivationKeys, Digest, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::voice::Context;
use accord_core::{Moment, Refusal, Ruled, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// Qi pay, productCode: agreement payment.
pub(super) const AGREEMENT_PAYMENT: &str = "51051000101000100031";

/// Longest paymentNotifyUrl and paymentRedirectUrl (Qi pay).
const MAX_URL: usize = 1024;
/// Longest voidNotifyUrl (platform V2 pay).
const MAX_VOID_URL: usize = 2048;
/// Longest text shown to the payer (Qi pay, order.orderDescription).
const MAX_DESCRIPTION: usize = 256;

/// Members kept as received and not acted on: the order, and what belongs to other products or sibling wallets.
const KEPT: &[&str] = &[
    "order",
    "extendInfo",
    "paymentOrderTitle",
    "paymentRedirectUrl",
    "voidNotifyUrl",
    "agreedAmount",
    "serviceExpireTime",
    "nextPaymentDate",
];

pub(super) struct PayAct {
    qi: Arc<Qi>,
    command: Pay,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<PayAct, Refused> {
    let fields = common::members(body)?;
    let product = fields.required_text("productCode", 32)?;
    let request_id = fields.required_id("paymentRequestId", MAX_ID)?;
    let amount = common::amount_of(&fields, "paymentAmount")?;
    fields.required_object("order")?;
    let order = fields.optional_raw("order");
    // Before the token: only agreement payment needs one.
    if product != AGREEMENT_PAYMENT {
        let message = format!("productCode: only agreement payment ({AGREEMENT_PAYMENT}) is offered");
        return Err(Refused::new(Fault::NotAllowed, message));
    }
    let token = token(&fields)?;
    let expires_at = fields.optional_datetime("paymentExpiryTime")?.map(Timestamp);
    let notify_url = fields.optional_url("paymentNotifyUrl", MAX_URL, UrlRule::web(qi.config.allow_http))?;
    // Of other products: not acted on, but no longer than the paper lets them be.
    fields.optional_text("paymentRedirectUrl", MAX_URL)?;
    fields.optional_text("voidNotifyUrl", MAX_VOID_URL)?;
    fields.optional_text("extendInfo", MAX_EXTEND_INFO)?;
    fields.optional_text("paymentOrderTitle", MAX_DESCRIPTION)?;

    let command = Pay {
        bearer: common::bearer_of(client),
        client: client.id.clone(),
        dialect: DialectName::new(NAME),
        request_id: PaymentRequestId::new(request_id),
        fingerprint: fingerprint(product, &amount, order),
        token,
        amount,
        expires_at,
        evaluation: false,
        notify_url: notify_url.map(|url| url.text),
        description: description(&fields, order),
        extras: common::extras(common::kept_members(&fields, KEPT)),
        forced: None,
    };
    Ok(PayAct { qi, command })
}

/// paymentAuthCode carries the access token; a sibling wallet's name for it is taken where that is absent.
fn token(fields: &Fields<'_>) -> Result<Secret, Refused> {
    let token = match fields.optional_text("paymentAuthCode", MAX_TOKEN)? {
        Some(token) => Some(token),
        None => fields.optional_text("accessToken", MAX_TOKEN)?,
    };
    // Read as required for its exact fault: missing, null or empty.
    let token = token.map_or_else(|| fields.required_text("paymentAuthCode", MAX_TOKEN), Ok)?;
    Ok(Secret::new(token))
}

/// What a repeat must share (decision 29). Members of the order are never refused, so any JSON will do as its id.
fn fingerprint(product: &str, amount: &Amount, order: Option<&Json>) -> Digest {
    let reference = match order.and_then(|order| order.get("referenceOrderId")) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) if text.is_empty() => None,
        Some(Json::String(text)) => Some(text.clone()),
        Some(other) => Some(json::to_text(other)),
    };
    let amount = format!("{} {}", amount.currency, amount.value());
    let reference = reference.map(|reference| format!("={reference}"));
    Digest::of_fields([product, &amount, &reference.unwrap_or_default(), ""])
}

fn description(fields: &Fields<'_>, order: Option<&Json>) -> String {
    let of_order = order.and_then(|order| order.get("orderDescription")).and_then(Json::as_str);
    let title = || fields.optional_raw("paymentOrderTitle").and_then(Json::as_str);
    let text = of_order.filter(|text| !text.is_empty()).or_else(title).unwrap_or_default();
    text.chars().take(MAX_DESCRIPTION).collect()
}

/// What a repeat must share, in the order of its fingerprint.
const COMPARED: [&str; 4] = ["productCode", "paymentAmount", "order.referenceOrderId", ""];

impl Act for PayAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let context = Context { keys, voice: &*self.qi };
        let payment = pay(tx, &self.command, context, at)?;
        Ok(answer(&payment, self.qi.config.utc_offset_seconds))
    }

    fn is_known(&self, rows: &dyn Rows) -> Stored<bool> {
        Ok(rows.payment_claim(&self.command.bearer.owner, &self.command.request_id)?.is_some())
    }

    fn explain(&self, rows: &dyn Rows, refusal: Refusal) -> Stored<Option<String>> {
        if refusal != Refusal::PaymentReused {
            return Ok(None);
        }
        let print = inquire::fingerprint_of(rows, &self.command.bearer.owner, &self.command.request_id)?;
        Ok(print.map(|print| {
            let names = print.differing(&self.command.fingerprint, COMPARED).join(", ");
            let names = if names.is_empty() { "paymentAuthCode (its agreement)" } else { &names };
            format!("{names}: not as in the first request of this paymentRequestId")
        }))
    }

    fn owner(&self) -> &Owner {
        &self.command.bearer.owner
    }

    fn force(&mut self, forced: Forced) -> bool {
        self.command.forced = Some(forced);
        true
    }

    fn debit(&self) -> Option<&Pay> {
        Some(&self.command)
    }
}

fn answer(payment: &Payment, utc_offset_seconds: i32) -> Answer {
    let ids = |time: Value| {
        json!({
            "paymentId": payment.id.as_str(),
            "paymentRequestId": payment.request_id.as_str(),
            "paymentTime": time,
        })
    };
    let (code, time) = match payment.stage {
        PaymentStage::Succeeded { at } => (SUCCESS, json!(time_text(at, utc_offset_seconds))),
        PaymentStage::Failed { refusal, .. } => (codes::of_refusal(refusal), Value::Null),
        PaymentStage::InProcess => (codes::of_refusal(Refusal::PaymentRunning), Value::Null),
    };
    common::reply(&code, code.meaning, ids(time))
}
