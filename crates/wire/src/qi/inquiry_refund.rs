//! Qi inquiryRefund: what became of a refund.
//!
//! S says that the inquiry worked; refundStatus says how the refund stands.

use crate::dialect::{Act, Answer, Refused};
use crate::json::Json;
use crate::qi::common::{self, MAX_ID, amount_value, time_text};
use crate::qi::{Qi, codes};
use accord_core::client::Client;
use accord_core::ids::{Owner, RefundRequestId};
use accord_core::payment::inquire_refund::{WhichRefund, inquire_refund};
use accord_core::payment::pay::Forced;
use accord_core::payment::refund::{Refund, RefundStage};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::{Moment, Ruled};
use serde_json::json;
use std::sync::Arc;

pub(super) struct InquiryRefundAct {
    qi: Arc<Qi>,
    owner: Owner,
    which: WhichRefund,
}

pub(super) fn read(qi: Arc<Qi>, client: &Client, body: &Json) -> Result<InquiryRefundAct, Refused> {
    let fields = common::members(body)?;
    let id = fields.optional_id("refundId", MAX_ID)?;
    let request_id = fields.optional_id("refundRequestId", MAX_ID)?;
    let which = match (id, request_id) {
        (Some(id), _) => WhichRefund::Id(id.to_owned()),
        (None, Some(request_id)) => WhichRefund::Request(RefundRequestId::new(request_id)),
        (None, None) => {
            return Err(fields.fault("refundId", "required when there is no refundRequestId").into());
        }
    };
    Ok(InquiryRefundAct { qi, owner: common::owner_of(client), which })
}

impl Act for InquiryRefundAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        self.look(tx, keys, at)
    }

    fn only_reads(&self) -> bool {
        true
    }

    fn look(&mut self, rows: &dyn Rows, _: &DerivationKeys, _: &Moment) -> Ruled<Answer> {
        let refund = inquire_refund(rows, &self.owner, &self.which)?;
        Ok(answer(&refund, self.qi.config.utc_offset_seconds))
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

fn answer(refund: &Refund, utc_offset_seconds: i32) -> Answer {
    let (status, time, failure) = standing(refund, utc_offset_seconds);
    common::success(json!({
        "refundId": refund.id.as_str(),
        "refundRequestId": refund.request_id.as_str(),
        "refundAmount": amount_value(&refund.amount),
        "refundReason": refund.reason,
        "refundTime": time,
        "refundStatus": status,
        "refundFailReason": failure.map(|code| code.meaning),
        "extendInfo": failure.map(|code| json!({ "resultCode": code.code }).to_string()),
    }))
}

/// refundStatus, the time of a success, the code of a failure.
pub(super) fn standing(
    refund: &Refund,
    utc_offset_seconds: i32,
) -> (&'static str, Option<String>, Option<crate::dialect::Code>) {
    match refund.stage {
        RefundStage::InProcess => ("PROCESSING", None, None),
        RefundStage::Succeeded { at } => ("SUCCESS", Some(time_text(at, utc_offset_seconds)), None),
        RefundStage::Failed { refusal, .. } => ("FAIL", None, Some(codes::of_refusal(refusal))),
    }
}
