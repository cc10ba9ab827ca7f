//! Resolve: a payment that answered Unknown reaches its end.

use crate::ids::PaymentId;
use crate::moment::Moment;
use crate::outcome::{Refusal, Ruled};
use crate::payment::pay::{attempt, fail, tell_everybody};
use crate::payment::{Payment, PaymentStage};
use crate::store::{StoreFault, Tx};
use crate::voice::Context;

/// Brings a running payment to its end if that is due; says whether it did. Money moves at this moment.
pub fn resolve(tx: &mut dyn Tx, id: &PaymentId, context: Context<'_>, at: &Moment) -> Ruled<bool> {
    let Some(payment) = tx.payment(id)? else { return Ok(false) };
    let Some(resolution) = payment.resolution.filter(|resolution| resolution.due_at <= at.now) else {
        return Ok(false);
    };
    if payment.stage != PaymentStage::InProcess {
        return Ok(false);
    }
    let payment = Payment { resolution: None, ..payment };
    let payment =
        if resolution.succeed { attempt(tx, payment, at)? } else { fail(payment, Refusal::RiskRejected, at) };
    tx.update_payment(&payment)?;

    let agreement = tx.agreement(&payment.agreement)?;
    let terms = match agreement {
        Some(agreement) => tx.terms(&agreement.auth_id)?,
        None => None,
    };
    let terms = terms.ok_or_else(|| StoreFault::Corrupt(format!("payment {id} lost its agreement")))?;
    tell_everybody(tx, &payment, &terms, context, at)?;
    Ok(true)
}
