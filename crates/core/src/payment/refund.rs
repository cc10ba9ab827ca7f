//! Refund: money of a paid payment goes back to its payer, whole or in parts.

use crate::handle::Bucket;
use crate::ids::*;
use crate::message::{self, About};
use crate::moment::{Moment, Timestamp};
use crate::money::Amount;
use crate::outcome::{Refusal, Ruled, Stop};
use crate::payment::inquire::{Which, inquire};
use crate::payment::pay::Forced;
use crate::payment::{Payment, Resolution, cancel};
use crate::policy::Policy;
use crate::secret::Digest;
use crate::store::{StoreFault, Stored, Tx};
use crate::user::UserStatus;

/// How far a refund is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStage {
    /// The money has left the owner and is on its way.
    InProcess,
    /// The payer has it.
    Succeeded {
        /// Since when.
        at: Timestamp,
    },
    /// Refused for good. A fact, stored and repeated.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        refusal: Refusal,
    },
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id; the bucket is the payer's.
    pub id: RefundId,
    /// Whose refund: the owner of the payment.
    pub owner: Owner,
    /// Who signed for it.
    pub client: ClientId,
    /// In which dialect.
    pub dialect: DialectName,
    /// The owner's idempotency key.
    pub request_id: RefundRequestId,
    /// Digest of the compared fields, the payment apart.
    pub fingerprint: Digest,
    /// The payment.
    pub payment: PaymentId,
    /// What was asked to be given back.
    pub amount: Amount,
    /// Why, for people.
    pub reason: Option<String>,
    /// Other members, as received: JSON text. Never acted on.
    pub extras: String,
    /// How far it is.
    pub stage: RefundStage,
    /// What is to become of it while it is running; nothing: a person must look.
    pub resolution: Option<Resolution>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The posting that took the money from the owner; nothing if it was refused at once.
    pub posting: Option<PostingId>,
    /// The posting that ended its flight, if it was in flight.
    pub end_posting: Option<PostingId>,
}

/// A refund request id, once claimed, belongs to one refund for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundClaim {
    /// Whose id.
    pub owner: Owner,
    /// The id.
    pub request_id: RefundRequestId,
    /// The refund.
    pub refund: RefundId,
    /// When.
    pub created_at: Timestamp,
}

impl RefundClaim {
    /// The bucket of owner and request id: it routes an inquiry, and catches a reuse for another user's payment.
    pub fn bucket_of(owner: &Owner, request: &RefundRequestId) -> Bucket {
        Bucket::of(&["refund", owner.as_str(), request.as_str()])
    }
}

/// The command.
#[derive(Debug, Clone)]
pub struct GiveBack {
    /// Who asks.
    pub owner: Owner,
    /// Who signed.
    pub client: ClientId,
    /// In which dialect.
    pub dialect: DialectName,
    /// The idempotency key, with the owner.
    pub request_id: RefundRequestId,
    /// Digest of the fields that a repeat must share, the payment apart.
    pub fingerprint: Digest,
    /// The payment, as the caller names it.
    pub payment: Which,
    /// The caller's own id of the payment, where it must fit as well.
    pub payment_request_id: Option<PaymentRequestId>,
    /// How much.
    pub amount: Amount,
    /// Why, for people.
    pub reason: Option<String>,
    /// Other members, as received.
    pub extras: String,
    /// An outcome forced by the sandbox's fault script.
    pub forced: Option<Forced>,
}

/// Gives money back, or says why not. Once the payment is known every end is a fact, stored and repeated; only a
/// payment that is still running, or is not there, leaves nothing behind.
///
/// Order: idempotency, payment, its state, currency, window, what is left, user.
pub fn refund(tx: &mut dyn Tx, command: &GiveBack, policy: &Policy, at: &Moment) -> Ruled<Refund> {
    let named = named(tx, command);
    if let Some(claim) = tx.refund_claim(&command.owner, &command.request_id)? {
        return repeat(tx, command, &claim, named);
    }
    let payment = named?;
    if let Some(Forced::Fail(refusal @ (Refusal::PaymentNotFound | Refusal::RefundReused))) = command.forced {
        return Err(refusal.into());
    }
    if payment.settled_at().is_none() {
        return Err(Refusal::PaymentNotRefundable.into());
    }

    let refund = claim(tx, command, &payment, at)?;
    let refund = match command.forced {
        Some(Forced::Fail(refusal)) => fail(refund, refusal, at),
        forced => match judge(tx, &payment, &refund, policy, at) {
            Ok(()) => give_back(tx, payment, refund, forced, policy, at)?,
            Err(Stop::Refused(refusal)) => fail(refund, refusal, at),
            Err(fault) => return Err(fault),
        },
    };
    tx.insert_refund(&refund)?;
    Ok(refund)
}

/// The payment that the command names, if it is the caller's and both names fit.
fn named(tx: &dyn Tx, command: &GiveBack) -> Ruled<Payment> {
    let payment = inquire(tx, &command.owner, &command.payment)?;
    match &command.payment_request_id {
        Some(request) if *request != payment.request_id => Err(Refusal::PaymentNotFound.into()),
        _ => Ok(payment),
    }
}

fn repeat(tx: &dyn Tx, command: &GiveBack, claim: &RefundClaim, named: Ruled<Payment>) -> Ruled<Refund> {
    let refund = tx
        .refund(&claim.refund)?
        .ok_or_else(|| StoreFault::Corrupt(format!("claimed refund {} is missing", claim.refund)))?;
    let same_payment = match named {
        Ok(payment) => payment.id == refund.payment,
        Err(Stop::Refused(_)) => false,
        Err(fault) => return Err(fault),
    };
    if !same_payment || refund.fingerprint != command.fingerprint {
        return Err(Refusal::RefundReused.into());
    }
    Ok(refund)
}

fn claim(tx: &mut dyn Tx, command: &GiveBack, payment: &Payment, at: &Moment) -> Ruled<Refund> {
    let id = RefundId::mint(payment.customer.bucket(), &mut at.random("refund"));
    tx.insert_refund_claim(&RefundClaim {
        owner: command.owner.clone(),
        request_id: command.request_id.clone(),
        refund: id.clone(),
        created_at: at.now,
    })?;
    Ok(Refund {
        id,
        owner: command.owner.clone(),
        client: command.client.clone(),
        dialect: command.dialect.clone(),
        request_id: command.request_id.clone(),
        fingerprint: command.fingerprint,
        payment: payment.id.clone(),
        amount: command.amount,
        reason: command.reason.clone(),
        extras: command.extras.clone(),
        stage: RefundStage::InProcess,
        resolution: None,
        created_at: at.now,
        posting: None,
        end_posting: None,
    })
}

/// May that much of the payment go back now? A frozen user still gets money; one who is gone does not.
fn judge(tx: &dyn Tx, payment: &Payment, refund: &Refund, policy: &Policy, at: &Moment) -> Ruled<()> {
    let paid_at = payment.paid_at().filter(|_| payment.closed_at.is_none());
    let paid_at = paid_at.ok_or(Refusal::PaymentNotRefundable)?;
    if refund.amount.currency != payment.amount.currency {
        return Err(Refusal::RefundCurrency.into());
    }
    if policy.refund_window_ms.is_some_and(|window| at.now.since(paid_at) > window) {
        return Err(Refusal::RefundTooLate.into());
    }
    if payment.left().is_none_or(|left| refund.amount.value() > left.value()) {
        return Err(Refusal::RefundOverPayment.into());
    }
    match tx.user(&payment.customer)?.map(|user| user.status) {
        Some(UserStatus::Active | UserStatus::Frozen) => Ok(()),
        Some(UserStatus::Closed) | None => Err(Refusal::UserNotFound.into()),
    }
}

/// Takes the money from the owner and brings it to the payer; a forced Unknown leaves it on its way.
fn give_back(
    tx: &mut dyn Tx,
    payment: Payment,
    refund: Refund,
    forced: Option<Forced>,
    policy: &Policy,
    at: &Moment,
) -> Ruled<Refund> {
    let refund = match forced {
        Some(Forced::Running(resolution)) => Refund { resolution, ..refund },
        Some(Forced::Fail(_)) | None => Refund { stage: RefundStage::Succeeded { at: at.now }, ..refund },
    };
    let refund = Refund { posting: Some(policy.funding.refund(tx, &payment, &refund, at)?), ..refund };
    let payment = Payment { refunded: payment.refunded.saturating_add(refund.amount.value()), ..payment };
    tx.update_payment(&payment)?;
    if refund.stage != RefundStage::InProcess {
        tell_user(tx, &payment, refund.id.as_str(), refund.amount, policy, at)?;
    }
    Ok(refund)
}

fn fail(refund: Refund, refusal: Refusal, at: &Moment) -> Refund {
    Refund { stage: RefundStage::Failed { at: at.now, refusal }, ..refund }
}

/// Brings a refund on its way to its end if that is due; says whether it did.
pub fn resolve(tx: &mut dyn Tx, id: &RefundId, policy: &Policy, at: &Moment) -> Ruled<bool> {
    let Some(refund) = tx.refund(id)? else { return Ok(false) };
    let Some(resolution) = refund.resolution.filter(|resolution| resolution.due_at <= at.now) else {
        return Ok(false);
    };
    if refund.stage != RefundStage::InProcess {
        return Ok(false);
    }
    let payment = tx
        .payment(&refund.payment)?
        .ok_or_else(|| StoreFault::Corrupt(format!("refund {id} lost its payment")))?;
    let succeed = resolution.succeed;
    let end_posting = Some(policy.funding.end_refund(tx, &payment, &refund, succeed, at)?);
    let refund = Refund { resolution: None, end_posting, ..refund };
    if succeed {
        tell_user(tx, &payment, refund.id.as_str(), refund.amount, policy, at)?;
        tx.update_refund(&Refund { stage: RefundStage::Succeeded { at: at.now }, ..refund })?;
        return Ok(true);
    }
    let refunded = payment.refunded.saturating_sub(refund.amount.value());
    let payment = Payment { refunded, ..payment };
    tx.update_refund(&fail(refund, Refusal::RiskRejected, at))?;
    // A cancelled order keeps nothing: what did not reach the payer as a refund does so as a cancellation.
    match payment.closed_at {
        Some(_) => cancel::give_back_rest(tx, payment, policy, at)?,
        None => tx.update_payment(&payment)?,
    }
    Ok(true)
}

/// Leaves the user a message about money that came back.
pub(super) fn tell_user(
    tx: &mut dyn Tx,
    payment: &Payment,
    refund: &str,
    amount: Amount,
    policy: &Policy,
    at: &Moment,
) -> Stored<()> {
    let Some(user) = tx.user(&payment.customer)? else { return Ok(()) };
    let agreement = tx.agreement(&payment.agreement)?;
    let terms = match agreement {
        Some(agreement) => tx.terms(&agreement.auth_id)?,
        None => None,
    };
    let merchant = terms.map_or_else(|| payment.client.to_string(), |terms| terms.display_name);
    let about = About::Refund { refund: refund.to_owned(), payment: payment.id.clone(), merchant, amount };
    message::tell(tx, at, &user, about, &policy.messages)
}
