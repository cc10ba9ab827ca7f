//! refund: gives money of a payment back to the user, whole or in parts.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{self, MAX_ID, Parties, Reply, amount, refused};
use crate::alipay_plus::pay::{compared, required_amount, sorted};
use crate::dialect::{Act, Answer, Refused};
use crate::fields::{AmountFields, FieldFault, Fields};
use crate::json::{self, Json};
use accord_core::client::Client;
use accord_core::ids::{DialectName, Owner, PaymentRequestId, RefundRequestId};
use accord_core::money::Amount;
use accord_core::payment::inquire::Which;
use accord_core::payment::inquire_refund::first_of;
use accord_core::payment::pay::Forced;
use accord_core::payment::refund::{GiveBack, Refund, RefundStage, refund};
use accord_core::secret::{DerivationKeys, Digest};
use accord_core::store::{Rows, Stored, Tx};
use accord_core::voice::Voice;
use accord_core::{Moment, Refusal, Ruled};
use std::sync::Arc;

/// Members that are stored as received and never acted on.
const KEPT: &[&str] =
    &["refundFromAmount", "refundQuote", "refundPromoInfo", "surchargeInfo", "passThroughInfo"];

/// The request, shaped like the paper as far as it is acted on.
struct Request {
    parties: Parties,
    payment_request_id: PaymentRequestId,
    payment_id: String,
    refund_request_id: RefundRequestId,
    refund_amount: Amount,
    refund_from_amount: Option<AmountFields>,
    refund_reason: Option<String>,
    refund_promo_info: String,
    surcharge_info: String,
    extras: String,
}

impl Request {
    /// Reads every field in the order of the paper; the first fault answers.
    fn read(body: &Fields<'_>) -> Result<Request, FieldFault> {
        let parties = Parties::read_acquirer_first(body)?;
        let payment_request_id = PaymentRequestId::new(body.required_id("paymentRequestId", MAX_ID)?);
        let payment_id = body.required_id("paymentId", MAX_ID)?.to_owned();
        let refund_request_id = RefundRequestId::new(body.required_id("refundRequestId", MAX_ID)?);
        let refund_amount = required_amount(body, "refundAmount")?;
        let refund_from_amount = body.optional_amount("refundFromAmount")?;
        let refund_reason = body.optional_text("refundReason", 256)?.map(str::to_owned);
        let refund_promo_info = compared(body, "refundPromoInfo")?;
        let surcharge_info = compared(body, "surchargeInfo")?;
        common::pass_through(body)?;
        let kept =
            KEPT.iter().filter_map(|name| Some(((*name).to_owned(), body.optional_raw(name)?.clone())));
        let extras = json::to_text(&Json::Object(kept.collect()));
        Ok(Request {
            parties,
            payment_request_id,
            payment_id,
            refund_request_id,
            refund_amount,
            refund_from_amount,
            refund_reason,
            refund_promo_info,
            surcharge_info,
            extras,
        })
    }

    /// The fields that a repeat must share, the payment apart (Alipay+ API idempotency).
    fn fingerprint(&self) -> Digest {
        let from = self.refund_from_amount.as_ref();
        let (from_currency, from_value) =
            from.map(|from| (from.currency.as_str(), from.value.as_str())).unwrap_or_default();
        Digest::of_parts(&[
            "alipay-plus refund",
            self.refund_amount.currency.code(),
            &self.refund_amount.value().to_string(),
            from_currency,
            from_value,
            &self.refund_promo_info,
            &self.surcharge_info,
        ])
    }
}

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let request = Request::read(fields)?;
    let owner = request.parties.admit(&dialect, client)?;
    let fingerprint = request.fingerprint();
    let command = GiveBack {
        owner,
        client: client.id.clone(),
        dialect: DialectName::new(super::NAME),
        request_id: request.refund_request_id,
        fingerprint,
        payment: Which::Id(request.payment_id),
        payment_request_id: Some(request.payment_request_id),
        amount: request.refund_amount,
        reason: request.refund_reason,
        extras: request.extras,
        forced: None,
    };
    Ok(Box::new(RefundAct { dialect, command }))
}

struct RefundAct {
    dialect: Arc<AlipayPlus>,
    command: GiveBack,
}

impl Act for RefundAct {
    fn run(&mut self, tx: &mut dyn Tx, _keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let refund = refund(tx, &self.command, self.dialect.policy(), at)?;
        Ok(answer(&self.dialect, &refund))
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
            let names = differing(&first, &self.command).join(", ");
            let names = if names.is_empty() { "paymentId or paymentRequestId" } else { &names };
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

/// The compared members in which a repeat differs from the refund that its id became.
fn differing(first: &Refund, again: &GiveBack) -> Vec<&'static str> {
    let kept = |extras: &str| json::parse(extras.as_bytes()).ok();
    let (ours, theirs) = (kept(&first.extras), kept(&again.extras));
    let member = |of: &Option<Json>, name: &str| of.as_ref().and_then(|of| of.get(name)).map(sorted);
    let others = ["refundFromAmount", "refundPromoInfo", "surchargeInfo"].into_iter();
    let others = others.filter(|name| member(&ours, name) != member(&theirs, name));
    (first.amount != again.amount).then_some("refundAmount").into_iter().chain(others).collect()
}

fn answer(dialect: &AlipayPlus, refund: &Refund) -> Answer {
    match refund.stage {
        RefundStage::Succeeded { at } => Reply::success()
            .with("refundId", refund.id.as_str())
            .with("refundTime", dialect.time(at))
            .with("refundAmount", amount(&refund.amount))
            .answer(),
        RefundStage::Failed { refusal, .. } => refused(refusal),
        RefundStage::InProcess => refused(Refusal::RefundRunning),
    }
}
