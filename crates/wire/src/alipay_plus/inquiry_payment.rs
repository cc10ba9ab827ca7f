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
use accord_core::money::Amount;
use accord_core::payment::inquire::{Which, inquire, was_closed};
use accord_core::payment::pay::Forced;
use accord_core::payment::refund::{Refund, RefundStage};
use accord_core::payment::{Payment, PaymentStage};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::{Moment, Refusal, Ruled, Stop};
use serde_json::{Value, json};
use std::sync::Arc;

/// Refunds told of one payment at most, the oldest.
const MOST_REFUNDS: usize = 100;

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
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        self.look(tx, keys, at)
    }

    fn only_reads(&self) -> bool {
        true
    }

    fn look(&mut self, rows: &dyn Rows, _keys: &DerivationKeys, _at: &Moment) -> Ruled<Answer> {
        match inquire(rows, &self.owner, &self.which) {
            Ok(payment) => {
                let transactions = transactions(&self.dialect, rows, &payment)?;
                Ok(answer(&self.dialect, &self.parties, &payment, transactions))
            }
            // The order was cancelled before its pay came, which will now never be done.
            Err(Stop::Refused(Refusal::PaymentNotFound))
                if was_closed(rows, &self.owner, &self.request_id)? =>
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

fn answer(dialect: &AlipayPlus, parties: &Parties, payment: &Payment, transactions: Vec<Value>) -> Answer {
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
        .with_some("transactions", (!transactions.is_empty()).then_some(transactions))
        .answer()
}

/// Every movement of the payment's money, oldest first: the debit, what was refunded, what a cancellation gave back.
fn transactions(dialect: &AlipayPlus, rows: &dyn Rows, payment: &Payment) -> Stored<Vec<Value>> {
    let (Some(posting), Some(paid_at)) = (&payment.posting, payment.paid_at()) else { return Ok(Vec::new()) };
    let mut refunds = rows.refunds_of(&payment.id, MOST_REFUNDS + 1)?;
    let all = refunds.len() <= MOST_REFUNDS;
    refunds.truncate(MOST_REFUNDS);
    // A refund that was refused at once moved nothing.
    refunds.retain(|refund| refund.posting.is_some());
    let kept = |refund: &&Refund| !matches!(refund.stage, RefundStage::Failed { .. });
    let refunded: i64 = refunds.iter().filter(kept).map(|refund| refund.amount.value()).sum();

    let success = || common::result(SUCCESS, "Success", Status::S);
    let mut transactions = vec![json!({
        "transactionResult": success(),
        "transactionId": posting.as_str(),
        "transactionType": "PAYMENT",
        "transactionStatus": if payment.closed_at.is_some() { "CANCELLED" } else { "SUCCESS" },
        "transactionAmount": amount(&payment.amount),
        "transactionRequestId": payment.request_id.as_str(),
        "transactionTime": dialect.time(paid_at),
    })];
    transactions.extend(refunds.iter().map(|refund| {
        let (result, status, at) = match refund.stage {
            RefundStage::InProcess => (failed(Refusal::RefundRunning), "PROCESSING", None),
            RefundStage::Succeeded { at } => (success(), "SUCCESS", Some(at)),
            RefundStage::Failed { refusal, .. } => (failed(refusal), "FAIL", None),
        };
        json!({
            "transactionResult": result,
            "transactionId": refund.id.as_str(),
            "transactionType": "REFUND",
            "transactionStatus": status,
            "transactionAmount": amount(&refund.amount),
            "transactionRequestId": refund.request_id.as_str(),
            "transactionTime": at.map(|at| dialect.time(at)),
        })
    }));
    let rest = payment.amount.value().saturating_sub(refunded);
    let rest = Amount::new(payment.amount.currency, rest).filter(|_| all);
    if let Some(closed_at) = payment.closed_at.filter(|_| rest.is_some() || !all) {
        transactions.push(json!({
            "transactionResult": success(),
            "transactionType": "CANCEL",
            "transactionStatus": "SUCCESS",
            "transactionAmount": rest.as_ref().map(amount),
            "transactionRequestId": payment.request_id.as_str(),
            "transactionTime": dialect.time(closed_at),
        }));
    }
    let members = transactions.iter_mut().filter_map(Value::as_object_mut);
    members.for_each(|members| members.retain(|_, value| !value.is_null()));
    Ok(transactions)
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
