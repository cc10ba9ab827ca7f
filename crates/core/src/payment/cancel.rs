//! Cancel: an order is closed, whatever became of it, and money already taken goes back at once.

use crate::handle::Bucket;
use crate::ids::{Owner, PaymentRequestId};
use crate::moment::{Moment, Timestamp};
use crate::outcome::{Refusal, Ruled};
use crate::payment::pay::{fail, tell_everybody};
use crate::payment::refund::tell_user;
use crate::payment::{Payment, PaymentClaim, PaymentStage};
use crate::policy::{DAY, MINUTE, Policy};
use crate::store::{StoreFault, Tx};
use crate::voice::Context;

/// The network's days begin eight hours before UTC's (decision 33: settlement days are UTC+8).
const NETWORK_OFFSET_MS: i64 = 8 * 60 * MINUTE;
/// So long after the end of the payment's day it can still be cancelled.
const CANCEL_GRACE_MS: i64 = 30 * MINUTE;

/// The mark of an order that was cancelled before anything was known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedOrder {
    /// Whose order.
    pub owner: Owner,
    /// Its payment request id.
    pub request_id: PaymentRequestId,
    /// Since when.
    pub at: Timestamp,
}

impl ClosedOrder {
    /// The bucket of owner and request id, that of the claim that will never be.
    pub fn bucket_of(owner: &Owner, request: &PaymentRequestId) -> Bucket {
        PaymentClaim::bucket_of(owner, request)
    }
}

/// Closes an order in any state; a repeat is the same success.
pub fn cancel(
    tx: &mut dyn Tx,
    owner: &Owner,
    request_id: &PaymentRequestId,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<()> {
    let Some(claim) = tx.payment_claim(owner, request_id)? else {
        return close_unknown(tx, owner, request_id, context, at);
    };
    let payment = tx
        .payment(&claim.payment)?
        .ok_or_else(|| StoreFault::Corrupt(format!("claimed payment {} is missing", claim.payment)))?;
    if payment.closed_at.is_some() || matches!(payment.stage, PaymentStage::Failed { .. }) {
        return Ok(());
    }
    if at.now > last_moment(payment.created_at) {
        return Err(Refusal::CancelTooLate.into());
    }
    let payment = Payment { closed_at: Some(at.now), ..payment };
    if payment.stage != PaymentStage::InProcess {
        return give_back_rest(tx, payment, context.voice.policy(), at);
    }
    let payment = fail(Payment { resolution: None, ..payment }, Refusal::OrderClosed, at);
    tx.update_payment(&payment)?;
    let agreement = tx.agreement(&payment.agreement)?;
    let terms = match agreement {
        Some(agreement) => tx.terms(&agreement.auth_id)?,
        None => None,
    };
    let lost = || StoreFault::Corrupt(format!("payment {} lost its agreement", payment.id));
    let user = tx.user(&payment.customer)?;
    tell_everybody(tx, &payment, user.as_ref(), &terms.ok_or_else(lost)?, context, at)
}

/// A cancel may overtake its pay: the order is closed before it is known (decision 35).
fn close_unknown(
    tx: &mut dyn Tx,
    owner: &Owner,
    request_id: &PaymentRequestId,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<()> {
    if !context.voice.policy().cancel_unknown {
        return Err(Refusal::PaymentNotFound.into());
    }
    if tx.closed_order(owner, request_id)?.is_none() {
        let order = ClosedOrder { owner: owner.clone(), request_id: request_id.clone(), at: at.now };
        tx.insert_closed_order(&order)?;
    }
    Ok(())
}

/// Gives back what is left of a payment, tells the user, and writes the payment down.
pub(super) fn give_back_rest(tx: &mut dyn Tx, payment: Payment, policy: &Policy, at: &Moment) -> Ruled<()> {
    let Some(rest) = payment.left() else { return Ok(tx.update_payment(&payment)?) };
    let posting = policy.funding.cancel(tx, &payment, rest, at)?;
    tx.update_payment(&Payment { refunded: payment.amount.value(), ..payment.clone() })?;
    Ok(tell_user(tx, &payment, posting.as_str(), rest, policy, at)?)
}

/// 00:30 of the day after the payment's, by the network's days (document 3.9).
fn last_moment(created_at: Timestamp) -> Timestamp {
    let day = created_at.plus_millis(NETWORK_OFFSET_MS).0.div_euclid(DAY);
    Timestamp((day + 1) * DAY).plus_millis(CANCEL_GRACE_MS - NETWORK_OFFSET_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_half_an_hour_after_the_networks_midnight() {
        const HOUR: i64 = 60 * MINUTE;
        let day = Timestamp(20_000 * DAY);
        let end = |hours: i64| last_moment(day.plus_millis(hours * HOUR)).since(day);
        // 00:00 and 15:59 UTC are 08:00 and 23:59 there; 16:00 UTC is the next day.
        assert_eq!(end(0), 16 * HOUR + 30 * MINUTE);
        assert_eq!(end(15), 16 * HOUR + 30 * MINUTE);
        assert_eq!(end(16), 40 * HOUR + 30 * MINUTE);
    }
}
