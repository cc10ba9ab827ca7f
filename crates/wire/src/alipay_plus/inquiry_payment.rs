//! inquiryPayment: what became of a payment.
//!
//! Two results with two meanings: `result` is that of the inquiry, `paymentResult` that of the payment (Alipay+, respond
//! to payment inquiry). pay, inquiry and notification must tell the same end.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::codes;
use crate::alipay_plus::common::{self, MAX_ID, Parties, Reply, SUCCESS, amount};
use crate::alipay_plus::pay::pay_to_amount;
use crate::dialect::{Act, Answer, Refused, Status};
use crate::fields::Fields;
use accord_core::client::Client;
use accord_core::ids::{Owner, PaymentRequestId};
use accord_core::payment::inquire::{Which, inquire, was_closed};
use accord_core::payment::pay::Forced;
use accord_core::payment::{Payment, PaymentStage};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::{Moment, Refusal, Ruled, Stop};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let parties = Parties::read_acquirer_first(fields)?;
    let request_id = PaymentRequestId::new(fields.required_id("paymentRequestId", MAX_ID)?);
    let owner = parties.admit(&dialect, client)?;
    let which = Which::Request(request_id.clone());
    Ok(Box::new(InquiryPaymentAct { dialect, owner, parties, request_id, which }))
}

struct InquiryPaymentAct {
    dialect: Arc<AlipayPlus>,
    owner: Owner,
    parties: Parties,
    request_id: PaymentRequestId,
    which: Which,
}

impl Act for InquiryPaymentAct {
    fn run(&mut self, tx: &mut dyn Tx, _keys: &DerivationKeys, _at: &Moment) -> Ruled<Answer> {
        match inquire(tx, &self.owner, &self.which) {
            Ok(payment) => Ok(answer(&self.dialect, &self.parties, &payment)),
            // The order was cancelled before its pay came, which will now never be done.
            Err(Stop::Refused(Refusal::PaymentNotFound))
                if was_closed(tx, &self.owner, &self.request_id)? =>
            {
                Ok(closed(&self.parties, &self.request_id))
            }
            Err(stop) => Err(stop),
        }
    }

    fn is_known(&self, _rows: &dyn Rows) -> Stored<bool> {
        Ok(false)
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    fn force(&mut self, _forced: Forced) -> bool {
        false
    }
}

fn answer(dialect: &AlipayPlus, parties: &Parties, payment: &Payment) -> Answer {
    let paid_at = match payment.stage {
        PaymentStage::Succeeded { at } if payment.closed_at.is_none() => Some(at),
        PaymentStage::Succeeded { .. } | PaymentStage::Failed { .. } | PaymentStage::InProcess => None,
    };
    Reply::success()
        .with("paymentResult", payment_result(payment))
        .with("acquirerId", parties.acquirer_id.as_str())
        .with("pspId", parties.psp_id.as_str())
        .with("paymentRequestId", payment.request_id.as_str())
        .with("paymentId", payment.id.as_str())
        .with("paymentAmount", amount(&payment.amount))
        .with_some("payToAmount", pay_to_amount(payment))
        .with_some("paymentTime", paid_at.map(|at| dialect.time(at)))
        .with_some("customerId", paid_at.map(|_| payment.customer.as_str()))
        .answer()
}

/// An order of which nothing but its cancellation is known.
fn closed(parties: &Parties, request_id: &PaymentRequestId) -> Answer {
    Reply::success()
        .with("paymentResult", failed(Refusal::OrderClosed))
        .with("acquirerId", parties.acquirer_id.as_str())
        .with("pspId", parties.psp_id.as_str())
        .with("paymentRequestId", request_id.as_str())
        .answer()
}

/// The payment's own result. A cancelled one is closed, even if it had been paid (Alipay+ inquiryPayment).
pub(super) fn payment_result(payment: &Payment) -> Value {
    failed(match payment.stage {
        PaymentStage::Succeeded { .. } if payment.closed_at.is_some() => Refusal::OrderClosed,
        PaymentStage::Succeeded { .. } => return common::result(SUCCESS, "Success", Status::S),
        PaymentStage::Failed { refusal, .. } => refusal,
        PaymentStage::InProcess => Refusal::PaymentRunning,
    })
}

fn failed(refusal: Refusal) -> Value {
    let code = codes::of_refusal(refusal);
    common::result(code.code, code.meaning, code.status)
}
