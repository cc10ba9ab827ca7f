//! cancelPayment: closes an order, whatever became of it; money already taken goes back at once.

use crate::alipay_plus::AlipayPlus;
use crate::alipay_plus::common::{MAX_ID, Parties, Reply};
use crate::dialect::{Act, Answer, Refused};
use crate::fields::Fields;
use accord_core::client::Client;
use accord_core::ids::{Owner, PaymentRequestId};
use accord_core::payment::PaymentStage;
use accord_core::payment::cancel::cancel;
use accord_core::payment::pay::Forced;
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::voice::Context;
use accord_core::{Moment, Ruled};
use std::sync::Arc;

pub(super) fn read(
    dialect: Arc<AlipayPlus>,
    client: &Client,
    fields: &Fields<'_>,
) -> Result<Box<dyn Act>, Refused> {
    let parties = Parties::read_acquirer_first(fields)?;
    let request_id = PaymentRequestId::new(fields.required_id("paymentRequestId", MAX_ID)?);
    let owner = parties.admit(&dialect, client)?;
    Ok(Box::new(CancelPaymentAct { dialect, owner, request_id }))
}

struct CancelPaymentAct {
    dialect: Arc<AlipayPlus>,
    owner: Owner,
    request_id: PaymentRequestId,
}

impl Act for CancelPaymentAct {
    fn run(&mut self, tx: &mut dyn Tx, keys: &DerivationKeys, at: &Moment) -> Ruled<Answer> {
        let context = Context { keys, voice: &*self.dialect };
        cancel(tx, &self.owner, &self.request_id, context, at)?;
        Ok(Reply::success().answer())
    }

    /// The key is the order, and it has been seen once the order is closed. A stale call about a living order is no
    /// repeat: it must not close it.
    fn is_known(&self, rows: &dyn Rows) -> Stored<bool> {
        let CancelPaymentAct { owner, request_id, .. } = self;
        let Some(claim) = rows.payment_claim(owner, request_id)? else {
            return Ok(rows.closed_order(owner, request_id)?.is_some());
        };
        let payment = rows.payment(&claim.payment)?;
        Ok(payment.is_some_and(|payment| {
            payment.closed_at.is_some() || matches!(payment.stage, PaymentStage::Failed { .. })
        }))
    }

    fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Cancelling is final at once: there is nothing that a script could leave running.
    fn force(&mut self, _forced: Forced) -> bool {
        false
    }
}
