//! Qi refund: gives money of a payment back to the payer, whole or in parts.

use crate::dialect::{Act, Answer, Refused};
use crate::json::Json;
use crate::qi::codes::{self, SUCCESS};
use crate::qi::common::{self, MAX_EXTEND_INFO, MAX_ID, time_text};
use crate::qi::{NAME, Qi, inquiry_payment};
use accord_core::client::Client;
use accord_core::ids::{DialectName, Owner, RefundRequestId};
use accord_core::payment::inquire_refund::first_of;
use accord_core::payment::pay::Forced;
use accord_core::payment::refund::{GiveBack, Refund, RefundStage, refund};
use accord_core::secret::{DerivationKeys, Digest};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::{Moment, Refusal, Ruled};
use serde_json::{Value, json};
use std::sync::Arc;

/// Longest reason (Qi refund, refundReason).
const MAX_REASON: usize = 256;

pub(super) struct RefundAct {
    qi: Arc<Qi>,
    command: GiveBack,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<RefundAct, Refused> {
    let fields = common::members(body)?;
    let request_id = RefundRequestId::new(fields.required_id("refundRequestId", MAX_ID)?);
    let payment = inquiry_payment::which(&fields)?;
    // Of authorise and capture, which is not offered; taken and kept.
    fields.optional_id("captureId", MAX_ID)?;
    let amount = common::amount_of(&fields, "refundAmount")?;
    let reason = fields.optional_text("refundReason", MAX_REASON)?.map(str::to_owned);
    fields.optional_text("extendInfo", MAX_EXTEND_INFO)?;
    let value = amount.value().to_string();
    let command = GiveBack {
        owner: common::owner_of(client),
        client: client.id.clone(),
        dialect: DialectName::new(NAME),
        request_id,
        fingerprint: Digest::of_parts(&["qi refund", amount.currency.code(), &value]),
        payment,
        payment_request_id: None,
        amount,
        reason,
        extras: common::extras(common::kept_members(&fields, &["captureId", "extendInfo"])),
        forced: None,
    };
    Ok(RefundAct { qi, command })
}

impl Act for RefundAct {
    fn run(&mut self, tx: &mut dyn Tx, _: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let refund = refund(tx, &self.command, &self.qi.policy, at)?;
        Ok(answer(&refund, self.qi.config.utc_offset_seconds))
    }

    fn is_known(&self, rows: &dyn Rows) -> Stored<bool> {
        Ok(rows.refund_claim(&self.command.owner, &self.command.request_id)?.is_some())
    }

    fn explain(&self, rows: &dyn Rows, refusal: Refusal) -> Stored<Option<String>> {
        if refusal != Refusal::RefundReused {
            return Ok(None);
        }
        let first = first_of(rows, &self.command.owner, &self.command.request_id)?;
        Ok(first.map(|first| {
            let same = first.amount == self.command.amount;
            let names = if same { "paymentId or paymentRequestId" } else { "refundAmount" };
            format!("{names}: not as in the first request of this refundRequestId")
        }))
    }

    fn owner(&self) -> &Owner {
        &self.command.owner
    }

    fn force(&mut self, forced: Forced) -> bool {
        self.command.forced = Some(forced);
        true
    }
}

fn answer(refund: &Refund, utc_offset_seconds: i32) -> Answer {
    let (code, time) = match refund.stage {
        RefundStage::Succeeded { at } => (SUCCESS, json!(time_text(at, utc_offset_seconds))),
        RefundStage::Failed { refusal, .. } => (codes::of_refusal(refusal), Value::Null),
        RefundStage::InProcess => (codes::of_refusal(Refusal::RefundRunning), Value::Null),
    };
    let members = json!({ "refundId": refund.id.as_str(), "refundTime": time });
    common::reply(&code, code.meaning, members)
}
