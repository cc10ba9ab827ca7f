//! Qi inquiryPayment: what became of a payment.
//!
//! S says that the inquiry worked; paymentStatus says how the payment stands.

use crate::dialect::{Act, Answer, Refused};
use crate::json::Json;
use crate::qi::common::{self, MAX_ID, amount_value, time_text};
use crate::qi::{Qi, codes};
use accord_core::client::Client;
use accord_core::ids::{Owner, PaymentRequestId};
use accord_core::payment::inquire::{Which, inquire};
use accord_core::payment::pay::Forced;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::{Moment, Ruled};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) struct InquiryPaymentAct {
    qi: Arc<Qi>,
    owner: Owner,
    which: Which,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<InquiryPaymentAct, Refused> {
    let fields = common::members(body)?;
    let id = fields.optional_id("paymentId", MAX_ID)?;
    let request_id = fields.optional_id("paymentRequestId", MAX_ID)?;
    let which = match (id, request_id) {
        (Some(id), _) => Which::Id(id.to_owned()),
        (None, Some(request_id)) => Which::Request(PaymentRequestId::new(request_id)),
        (None, None) => {
            return Err(fields.fault("paymentId", "required when there is no paymentRequestId").into());
        }
    };
    Ok(InquiryPaymentAct { qi, owner: common::owner_of(client), which })
}

impl Act for InquiryPaymentAct {
    fn run(&mut self, tx: &mut dyn Tx, _: &DerivationKeys, _: &Moment) -> Ruled<Answer> {
        let payment = inquire(tx, &self.owner, &self.which)?;
        Ok(answer(&payment, self.qi.config.utc_offset_seconds))
    }

    fn is_known(&self, _: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn force(&mut self, _: Forced) -> bool {
        false
    }
}

fn answer(payment: &Payment, utc_offset_seconds: i32) -> Answer {
    let amount = amount_value(&payment.amount);
    let (status, time, failure) = match payment.stage {
        PaymentStage::InProcess => ("PROCESSING", None, None),
        PaymentStage::Succeeded { at } => ("SUCCESS", Some(time_text(at, utc_offset_seconds)), None),
        PaymentStage::Failed { refusal, .. } => ("FAIL", None, Some(codes::of_refusal(refusal))),
    };
    // One for each movement of money.
    let transactions: Vec<Value> = payment
        .posting
        .iter()
        .map(|posting| {
            json!({
                "transactionId": posting.as_str(),
                "transactionTime": time,
                "transactionType": "PAYMENT",
                "transactionAmount": amount,
                "transactionStatus": status,
            })
        })
        .collect();
    common::success(json!({
        "paymentId": payment.id.as_str(),
        "paymentRequestId": payment.request_id.as_str(),
        "paymentAmount": amount,
        "paymentTime": time,
        "paymentStatus": status,
        "paymentFailReason": failure.map(|code| code.meaning),
        "transactions": transactions,
        "extendInfo": failure.map(|code| json!({ "resultCode": code.code }).to_string()),
    }))
}
