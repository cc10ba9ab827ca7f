//! Qi notifyPayment: the one notice that Qi has. Codes, tokens and their end are not announced.

use crate::qi::Qi;
use crate::qi::codes::{self, SUCCESS};
use crate::qi::common::{amount_value, result, time_text};
use accord_core::client::Client;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::voice::{Announcement, Event};
use serde_json::{Map, Value, json};

/// The notice's name in the paper.
pub const NOTIFY_PAYMENT: &str = "notifyPayment";

/// The notice of that event: one after every final result of a payment whose request named a URL, or whose client
/// has one registered (decision 36).
pub(super) fn announce(qi: &Qi, client: &Client, event: &Event<'_>) -> Option<Announcement> {
    match event {
        Event::PaymentSettled { payment } => {
            let url = payment.notify_url.clone().or_else(|| client.payment_notify_url.clone())?;
            let body = body(payment, qi.config.utc_offset_seconds)?;
            Some(Announcement { kind: NOTIFY_PAYMENT, url, body })
        }
        Event::CodeCreated { .. } | Event::TokenCreated { .. } | Event::TokenCanceled { .. } => None,
    }
}

/// Qi's fields, and customerId as live deployments of the platform send it. Nothing of a running payment.
fn body(payment: &Payment, utc_offset_seconds: i32) -> Option<String> {
    let (code, time) = match payment.stage {
        PaymentStage::InProcess => return None,
        PaymentStage::Succeeded { at } => (SUCCESS, Some(time_text(at, utc_offset_seconds))),
        PaymentStage::Failed { refusal, .. } => (codes::of_refusal(refusal), None),
    };
    let mut body = Map::new();
    body.insert("paymentId".to_owned(), json!(payment.id.as_str()));
    body.insert("paymentRequestId".to_owned(), json!(payment.request_id.as_str()));
    body.insert("paymentResult".to_owned(), result(&code, code.meaning));
    body.insert("paymentAmount".to_owned(), amount_value(&payment.amount));
    if let Some(time) = time {
        body.insert("paymentTime".to_owned(), json!(time));
    }
    body.insert("paymentCreateTime".to_owned(), json!(time_text(payment.created_at, utc_offset_seconds)));
    body.insert("customerId".to_owned(), json!(payment.customer.as_str()));
    Some(Value::Object(body).to_string())
}
