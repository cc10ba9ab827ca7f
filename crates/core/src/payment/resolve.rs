//! Resolve: a payment that answered Unknown reaches its end. After its paymentExpiryTime that end is a failure, whatever
//! was planned or decided: the owner may have given the order up, and nobody waits for the goods. So it is once the
//! agreement is over: no money had moved, and its user was told that the owner can no longer debit.

use crate::agreement::control;
use crate::ids::PaymentId;
use crate::moment::Moment;
use crate::outcome::{Refusal, Ruled};
use crate::payment::pay::{attempt, fail, tell_everybody};
use crate::payment::{Payment, PaymentStage};
use crate::store::{StoreFault, Tx};
use crate::token::live;
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
    let lost = || StoreFault::Corrupt(format!("payment {id} lost its agreement"));
    let agreement = tx.agreement(&payment.agreement)?.ok_or_else(lost)?;
    let terms = tx.terms(&agreement.auth_id)?.ok_or_else(lost)?;
    let payment = Payment { resolution: None, ..payment };
    let user = tx.user(&payment.customer)?;
    let payment = if payment.late(at.now) {
        fail(payment, Refusal::OrderExpired, at)
    } else if resolution.succeed && live::over(tx, &agreement, at.now)? {
        fail(payment, Refusal::AccessTokenUnknown, at)
    } else if resolution.succeed {
        // User, state and limits are judged when the money moves.
        let held = control::hold(tx, &agreement, context.voice.policy())?;
        attempt(tx, payment, user.as_ref(), &held, at)?
    } else {
        fail(payment, Refusal::RiskRejected, at)
    };
    tx.update_payment(&payment)?;
    tell_everybody(tx, &payment, user.as_ref(), &terms, context, at)?;
    Ok(true)
}
