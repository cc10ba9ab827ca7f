//! Qi inquiryPayment: what became of a payment.
//!
//! S says that the inquiry worked; paymentStatus says how the payment stands.

use crate::dialect::{Act, Answer, Refused};
use crate::fields::{FieldFault, Fields};
use crate::json::Json;
use crate::qi::common::{self, MAX_ID, amount_value, time_text};
use crate::qi::{Qi, codes, inquiry_refund};
use accord_core::client::Client;
use accord_core::ids::{Owner, PaymentRequestId};
use accord_core::payment::inquire::{Which, inquire};
use accord_core::payment::pay::Forced;
use accord_core::payment::refund::Refund;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::{Moment, Ruled};
use serde_json::{Value, json};
use std::sync::Arc;

/// Refunds told of one payment at most, the oldest.
const MOST_REFUNDS: usize = 100;

pub(super) struct InquiryPaymentAct {
    qi: Arc<Qi>,
    owner: Owner,
    which: Which,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<InquiryPaymentAct, Refused> {
    let fields = common::members(body)?;
    let which = which(&fields)?;
    Ok(InquiryPaymentAct { qi, owner: common::owner_of(client), which })
}

/// Which payment a request names: by paymentId if it is there, else by paymentRequestId.
pub(super) fn which(fields: &Fields<'_>) -> Result<Which, FieldFault> {
    let id = fields.optional_id("paymentId", MAX_ID)?;
    let request_id = fields.optional_id("paymentRequestId", MAX_ID)?;
    match (id, request_id) {
        (Some(id), _) => Ok(Which::Id(id.to_owned())),
        (None, Some(request_id)) => Ok(Which::Request(PaymentRequestId::new(request_id))),
        (None, None) => Err(fields.fault("paymentId", "required when there is no paymentRequestId")),
    }
}

impl Act for InquiryPaymentAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        self.look(tx, keys, at)
    }

    fn only_reads(&self) -> bool {
        true
    }

    fn look(&mut self, rows: &dyn Rows, _: &DerivationKeys, _: &Moment) -> Ruled<Answer> {
        let payment = inquire(rows, &self.owner, &self.which)?;
        let refunds = match payment.posting {
            Some(_) => rows.refunds_of(&payment.id, MOST_REFUNDS)?,
            None => Vec::new(),
        };
        Ok(answer(&payment, &refunds, self.qi.config.utc_offset_seconds))
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

fn answer(payment: &Payment, refunds: &[Refund], utc_offset_seconds: i32) -> Answer {
    let amount = amount_value(&payment.amount);
    let (status, time, failure) = match payment.stage {
        PaymentStage::InProcess => ("PROCESSING", None, None),
        PaymentStage::Succeeded { at } => ("SUCCESS", Some(time_text(at, utc_offset_seconds)), None),
        PaymentStage::Failed { refusal, .. } => ("FAIL", None, Some(codes::of_refusal(refusal))),
    };
    // One for each movement of money.
    let paid = payment.posting.iter().map(|posting| {
        json!({
            "transactionId": posting.as_str(),
            "transactionTime": time,
            "transactionType": "PAYMENT",
            "transactionAmount": amount,
            "transactionStatus": status,
        })
    });
    // A refund that was refused at once moved nothing.
    let given_back = refunds.iter().filter(|refund| refund.posting.is_some()).map(|refund| {
        let (status, time, _) = inquiry_refund::standing(refund, utc_offset_seconds);
        json!({
            "transactionId": refund.id.as_str(),
            "transactionTime": time,
            "transactionType": "REFUND",
            "transactionAmount": amount_value(&refund.amount),
            "transactionStatus": status,
        })
    });
    let mut transactions: Vec<Value> = paid.chain(given_back).collect();
    transactions
        .iter_mut()
        .filter_map(Value::as_object_mut)
        .for_each(|one| one.retain(|_, value| !value.is_null()));
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
