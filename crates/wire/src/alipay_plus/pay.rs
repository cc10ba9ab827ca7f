//! pay: a silent debit with an access token (Auto Debit), or the same judged without moving money (payment evaluation).

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{self, MAX_ID, MAX_NOTIFY_URL, MAX_TOKEN, Parties, Reply, amount, refused};
use crate::dialect::{Act, Answer, Refused};
use crate::fields::{AmountFields, FieldFault, Fields, UrlRule};
use crate::json::{self, Json};
use accord_core::client::Client;
use accord_core::ids::{DialectName, Owner, PaymentRequestId};
use accord_core::money::{Amount, Currency};
use accord_core::payment::inquire;
use accord_core::payment::pay::{Forced, Pay, close_expired, pay};
use accord_core::payment::{Payment, PaymentStage};
use accord_core::secret::{DerivationKeys, Digest, Secret};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::live::Bearer;
use accord_core::voice::Context;
use accord_core::{Moment, Refusal, Ruled, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// Members that are stored as received and reported back or shown to people, never acted on (decision 9). The
/// paymentMethod is not among them: it holds the token.
const KEPT: &[&str] = &[
    "order",
    "payToAmount",
    "paymentQuote",
    "surchargeInfo",
    "paymentFactor",
    "paymentRedirectUrl",
    "paymentPromoInfo",
    "passThroughInfo",
];

/// The request, shaped like the paper as far as it is acted on.
struct Request {
    parties: Parties,
    description: String,
    payment_request_id: PaymentRequestId,
    payment_amount: Amount,
    pay_to_amount: Option<AmountFields>,
    surcharge_info: String,
    access_token: Secret,
    auth_client_id: Option<String>,
    is_payment_evaluation: bool,
    payment_expiry_time: Option<Timestamp>,
    payment_notify_url: Option<String>,
    payment_promo_info: String,
    extras: String,
}

impl Request {
    /// Reads every field in the order of the paper; the first fault answers.
    fn read(dialect: &AlipayPlus, body: &Fields<'_>) -> Result<Request, FieldFault> {
        let parties = Parties::read_acquirer_first(body)?;
        let description = description(body)?;
        let payment_request_id = PaymentRequestId::new(body.required_id("paymentRequestId", MAX_ID)?);
        let payment_amount = required_amount(body, "paymentAmount")?;
        let pay_to_amount = body.optional_amount("payToAmount")?;
        let surcharge_info = compared(body, "surchargeInfo")?;
        let (access_token, auth_client_id) = payment_method(body)?;
        let is_payment_evaluation = payment_factor(body)?;
        let payment_expiry_time = body.optional_datetime("paymentExpiryTime")?.map(Timestamp);
        let web = UrlRule::web(dialect.config.allow_http);
        let payment_notify_url = body.optional_url("paymentNotifyUrl", MAX_NOTIFY_URL, web)?;
        let payment_promo_info = compared(body, "paymentPromoInfo")?;
        common::pass_through(body)?;
        Ok(Request {
            parties,
            description,
            payment_request_id,
            payment_amount,
            pay_to_amount,
            surcharge_info,
            access_token,
            auth_client_id,
            is_payment_evaluation,
            payment_expiry_time,
            payment_notify_url: payment_notify_url.map(|url| url.text),
            payment_promo_info,
            extras: extras(body),
        })
    }

    /// The fields that a repeat must share, the agreement apart (decision 29; Alipay+ API idempotency).
    fn fingerprint(&self) -> Digest {
        let amount = format!("{} {}", self.payment_amount.currency, self.payment_amount.value());
        let pay_to = self.pay_to_amount.as_ref().map(|to| format!("{} {}", to.currency, to.value));
        let kind = if self.is_payment_evaluation { "evaluation" } else { "payment" };
        let others = format!("{kind} {} {}", self.surcharge_info.len(), self.surcharge_info);
        Digest::of_fields([&amount, &pay_to.unwrap_or_default(), &others, &self.payment_promo_info])
    }
}

/// `order` must be there; its members are stored as received and never cause a refusal (decision 9).
fn description(body: &Fields<'_>) -> Result<String, FieldFault> {
    body.required_object("order")?;
    let order = body.optional_raw("order").and_then(|order| order.get("orderDescription"));
    Ok(order.and_then(Json::as_str).unwrap_or_default().chars().take(256).collect())
}

/// An amount above zero in a currency that exists.
pub(super) fn required_amount(body: &Fields<'_>, name: &str) -> Result<Amount, FieldFault> {
    let fields = body.required_amount(name)?;
    let currency = Currency::parse(&fields.currency)
        .ok_or_else(|| body.fault(&format!("{name}.currency"), "not a currency of ISO 4217"))?;
    Amount::parse(currency, &fields.value).ok_or_else(|| body.fault(name, "not an amount"))
}

/// Alipay+ make payment, paymentMethod: paymentMethodId is the access token.
fn payment_method(body: &Fields<'_>) -> Result<(Secret, Option<String>), FieldFault> {
    let method = body.required_object("paymentMethod")?;
    method.optional_text("paymentMethodType", MAX_ID)?;
    let token = Secret::new(method.required_text("paymentMethodId", MAX_TOKEN)?);
    let auth_client_id = match method.optional_object("paymentMethodMetaData")? {
        Some(meta) => meta.optional_id("authClientId", MAX_ID)?.map(str::to_owned),
        None => None,
    };
    Ok((token, auth_client_id))
}

/// Alipay+ pay, paymentFactor: only agreement payments are served (decision 34). True for a payment evaluation.
fn payment_factor(body: &Fields<'_>) -> Result<bool, FieldFault> {
    let factor = body.required_object("paymentFactor")?;
    if factor.optional_boolean("isAgreementPayment")? != Some(true) {
        return Err(
            factor.fault("isAgreementPayment", "must be \"true\": only agreement payments are served")
        );
    }
    Ok(factor.optional_boolean("isPaymentEvaluation")?.unwrap_or(false))
}

/// A structure as compact text with sorted names, so that two ways of writing the same thing are the same. What it
/// holds is not judged.
pub(super) fn compared(body: &Fields<'_>, name: &str) -> Result<String, FieldFault> {
    match body.optional_raw(name) {
        Some(json @ (Json::Object(_) | Json::Array(_))) => Ok(json::to_text(&sorted(json))),
        None => Ok(String::new()),
        Some(Json::String(text)) if text.is_empty() && body.strictness().empty_is_absent => Ok(String::new()),
        Some(other) => Err(body.fault(name, format!("must be an object, not {}", other.kind()))),
    }
}

/// The same with the names of every object in order.
pub(super) fn sorted(json: &Json) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        Json::Object(members) => {
            let mut members: Vec<(String, Json)> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Json::Object(members)
        }
        other => other.clone(),
    }
}

fn extras(body: &Fields<'_>) -> String {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), body.optional_raw(name)?.clone())));
    json::to_text(&Json::Object(kept.collect()))
}

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let request = Request::read(&dialect, fields)?;
    let owner = request.parties.admit(&dialect, client)?;
    let fingerprint = request.fingerprint();
    let command = Pay {
        bearer: Bearer { owner, auth_client_id: request.auth_client_id },
        client: client.id.clone(),
        dialect: DialectName::new(super::NAME),
        request_id: request.payment_request_id,
        fingerprint,
        token: request.access_token,
        amount: request.payment_amount,
        expires_at: request.payment_expiry_time,
        evaluation: request.is_payment_evaluation,
        notify_url: request.payment_notify_url,
        description: request.description,
        extras: request.extras,
        forced: None,
    };
    Ok(Box::new(PayAct { dialect, allowed: client.agreement_pay, command }))
}

struct PayAct {
    dialect: Arc<AlipayPlus>,
    /// May this client debit at present?
    allowed: bool,
    command: Pay,
}

/// What a repeat must share, in the order of its fingerprint.
const COMPARED: [&str; 4] =
    ["paymentAmount", "payToAmount", "surchargeInfo or isPaymentEvaluation", "paymentPromoInfo"];

impl Act for PayAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        // A repeat gets the payment's answer, whatever the client may ask for by now.
        if !self.allowed && !self.is_known(tx)? {
            return Err(Refusal::ProductNotAllowed.into());
        }
        // An order that has expired is closed, and stays so (Alipay+ pay, paymentExpiryTime).
        if close_expired(tx, &self.command, at)? {
            return Ok(refused(Refusal::OrderExpired));
        }
        let context = Context { keys, voice: &*self.dialect };
        let payment = pay(tx, &self.command, context, at)?;
        Ok(answer(&self.dialect, &payment))
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
            let names =
                if names.is_empty() { "paymentMethod.paymentMethodId (its agreement)" } else { &names };
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

fn answer(dialect: &AlipayPlus, payment: &Payment) -> Answer {
    match payment.stage {
        PaymentStage::Succeeded { at } => Reply::success()
            .with("paymentId", payment.id.as_str())
            .with("paymentTime", dialect.time(at))
            .with("paymentAmount", amount(&payment.amount))
            .with_some("payToAmount", pay_to_amount(payment))
            .with("customerId", payment.customer.as_str())
            .answer(),
        PaymentStage::Failed { refusal, .. } => refused(refusal),
        PaymentStage::InProcess => refused(Refusal::PaymentRunning),
    }
}

/// What is settled to Alipay+, as it was asked for; nothing when it is what the payer pays.
pub(super) fn pay_to_amount(payment: &Payment) -> Option<Value> {
    let extras = json::parse(payment.extras.as_bytes()).ok()?;
    let asked = extras.get("payToAmount")?;
    let member = |name: &str| asked.get(name).and_then(Json::as_str);
    let (currency, value) = (member("currency")?, member("value")?);
    let same = payment.amount.currency.code() == currency && payment.amount.value().to_string() == value;
    (!same).then(|| serde_json::json!({ "currency": currency, "value": value }))
}
