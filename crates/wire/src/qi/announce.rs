//! Qi notifyPayment: the one notice that Qi has. Of tokens and their end only those merchants are told who named a
//! URL for it, as a sibling wallet's paper has it (contract status notification).

use crate::json::text_of;
use crate::qi::Qi;
use crate::qi::codes::{self, SUCCESS};
use crate::qi::common::{amount_value, result, time_text};
use accord_core::Timestamp;
use accord_core::agreement::{AgreementStage, Terms};
use accord_core::client::Client;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::voice::{Announcement, Event};
use serde_json::{Map, json};

/// The notice's name in the paper.
pub const NOTIFY_PAYMENT: &str = "notifyPayment";
/// The name of the contract status notification.
pub const CONTRACT_STATUS: &str = "contractStatus";

/// The notice of that event: one after every final result of a payment whose request named a URL, or whose client
/// has one registered (decision 36).
pub(super) fn announce(qi: &Qi, client: &Client, event: &Event<'_>) -> Option<Announcement> {
    match event {
        Event::PaymentSettled { payment } => {
            let url = payment.notify_url.clone().or_else(|| client.payment_notify_url.clone())?;
            let body = body(payment, qi.config.utc_offset_seconds)?;
            Some(Announcement { kind: NOTIFY_PAYMENT, url, body })
        }
        Event::TokenCreated { terms, set, access, .. } => {
            contract_status(terms, access, "VALID", set.issued_at)
        }
        // A contract that ended before any token was made was never valid.
        Event::TokenCanceled { agreement, terms, access, .. } => {
            let AgreementStage::Ended { at, .. } = agreement.stage else { return None };
            contract_status(terms, (*access)?, "INVALID", at)
        }
        Event::CodeCreated { .. } => None,
    }
}

/// accessToken, contractStatus, modifyTime (seconds since 1970, ten digits as text), to the URL that prepare named.
fn contract_status(terms: &Terms, access: &str, status: &str, at: Timestamp) -> Option<Announcement> {
    let seconds = format!("{:010}", at.0.div_euclid(1_000).max(0));
    let body = json!({ "accessToken": access, "contractStatus": status, "modifyTime": seconds });
    Some(Announcement { kind: CONTRACT_STATUS, url: terms.notify_url.clone()?, body: text_of(body) })
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
    Some(text_of(body))
}
