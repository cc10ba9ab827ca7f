//! Pay: a silent debit under an agreement.

use crate::agreement::control::{self, Held};
use crate::agreement::{Agreement, Scope, Terms};
use crate::ids::{ClientId, DialectName, PaymentId, PaymentRequestId, PostingId};
use crate::message::{self, About};
use crate::moment::{Moment, Timestamp};
use crate::money::Amount;
use crate::notification::outbox;
use crate::outcome::{Refusal, Ruled, Stop};
use crate::payment::cancel::ClosedOrder;
use crate::payment::{Payment, PaymentClaim, PaymentStage, Resolution};
use crate::secret::{Digest, Secret};
use crate::store::{StoreFault, Tx};
use crate::token::live::{self, Bearer};
use crate::user::{User, UserStatus};
use crate::voice::{Context, Event};

/// The command.
#[derive(Debug, Clone)]
pub struct Pay {
    /// Who asks.
    pub bearer: Bearer,
    /// Who signed.
    pub client: ClientId,
    /// In which dialect.
    pub dialect: DialectName,
    /// The idempotency key, with the owner.
    pub request_id: PaymentRequestId,
    /// Digest of the fields that a repeat must share, the agreement apart (decision 29).
    pub fingerprint: Digest,
    /// The access token.
    pub token: Secret,
    /// How much.
    pub amount: Amount,
    /// No debit after this time.
    pub expires_at: Option<Timestamp>,
    /// Judge as if paying, move nothing (Alipay+ isPaymentEvaluation).
    pub evaluation: bool,
    /// Where the end is to be notified.
    pub notify_url: Option<String>,
    /// Text of the order.
    pub description: String,
    /// Other members, as received.
    pub extras: String,
    /// An outcome forced by the sandbox's fault script.
    pub forced: Option<Forced>,
}

impl Pay {
    /// Has the order expired? An evaluation has no order.
    fn late(&self, at: &Moment) -> bool {
        !self.evaluation && self.expires_at.is_some_and(|expires_at| at.now > expires_at)
    }
}

/// An outcome forced by a fault script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    /// Fail so.
    Fail(Refusal),
    /// Stay running; become what the script says, or wait for a person.
    Running(Option<Resolution>),
}

/// Debits, or says why not. A stored end is a fact and is repeated; refusals before a payment exists are not kept.
///
/// The order is that of decision 31: idempotency, expiry, token, user, agreement, account, balance, debit.
pub fn pay(tx: &mut dyn Tx, command: &Pay, context: Context<'_>, at: &Moment) -> Ruled<Payment> {
    let policy = context.voice.policy();
    let behind = live::by_access(tx, &command.bearer, &command.token, policy)?;
    if let Some(claim) = tx.payment_claim(&command.bearer.owner, &command.request_id)? {
        return repeat(tx, command, &claim, behind.map(|(_, agreement)| agreement));
    }
    // A cancel overtook its pay: the order is closed for good (decision 35).
    if tx.closed_order(&command.bearer.owner, &command.request_id)?.is_some() {
        return Err(Refusal::OrderClosed.into());
    }
    if command.late(at) {
        return Err(Refusal::OrderExpired.into());
    }
    let (set, agreement) = behind.ok_or(Refusal::AccessTokenUnknown)?;
    let held = control::hold(tx, &agreement, policy)?;
    held.judge_validity(at.now)?;
    live::judge(&set, &agreement, policy, at.now)?;
    let terms = tx
        .terms(&agreement.auth_id)?
        .ok_or_else(|| StoreFault::Corrupt(format!("agreement {} has no terms", agreement.id)))?;
    if !terms.scopes.contains(&Scope::AgreementPay) {
        return Err(Refusal::ScopeMissing.into());
    }

    if let Some(Forced::Fail(refusal)) = command.forced
        && refusal.before_a_payment()
    {
        return Err(refusal.into());
    }
    let payment = claim(tx, command, &agreement, at)?;
    let user = tx.user(&payment.customer)?;
    let payment = match command.forced {
        Some(Forced::Running(planned)) => Payment { answered_unknown: true, ..payment.running(planned) },
        Some(Forced::Fail(refusal)) => fail(payment, refusal, at),
        None => attempt(tx, payment, user.as_ref(), &held, at)?,
    };
    tx.insert_payment(&payment)?;
    if payment.stage != PaymentStage::InProcess {
        tell_everybody(tx, &payment, user.as_ref(), &terms, context, at)?;
    }
    Ok(payment)
}

/// Closes an order that comes after its expiry, for networks that take an expired order for closed: no later call of
/// that id can debit, and inquiries say the same. Says whether it is expired; an order with a payment is not touched.
pub fn close_expired(tx: &mut dyn Tx, command: &Pay, at: &Moment) -> Ruled<bool> {
    let (owner, request_id) = (&command.bearer.owner, &command.request_id);
    if !command.late(at) || tx.payment_claim(owner, request_id)?.is_some() {
        return Ok(false);
    }
    if tx.closed_order(owner, request_id)?.is_none() {
        let order = ClosedOrder { owner: owner.clone(), request_id: request_id.clone(), at: at.now };
        tx.insert_closed_order(&order)?;
    }
    Ok(true)
}

fn repeat(tx: &dyn Tx, command: &Pay, claim: &PaymentClaim, agreement: Option<Agreement>) -> Ruled<Payment> {
    let payment = tx
        .payment(&claim.payment)?
        .ok_or_else(|| StoreFault::Corrupt(format!("claimed payment {} is missing", claim.payment)))?;
    let same_agreement = agreement.is_some_and(|agreement| agreement.id == payment.agreement);
    if !same_agreement || payment.fingerprint != command.fingerprint {
        return Err(Refusal::PaymentReused.into());
    }
    // Paid, then cancelled: the money is back, and the stored success no longer holds (decision 35).
    if payment.closed_at.is_some() {
        return Err(Refusal::OrderClosed.into());
    }
    Ok(payment)
}

fn claim(tx: &mut dyn Tx, command: &Pay, agreement: &Agreement, at: &Moment) -> Ruled<Payment> {
    let id = PaymentId::mint(agreement.customer.bucket(), &mut at.random("payment"));
    tx.insert_payment_claim(&PaymentClaim {
        owner: command.bearer.owner.clone(),
        request_id: command.request_id.clone(),
        payment: id.clone(),
        created_at: at.now,
    })?;
    Ok(Payment {
        id,
        owner: command.bearer.owner.clone(),
        client: command.client.clone(),
        dialect: command.dialect.clone(),
        request_id: command.request_id.clone(),
        fingerprint: command.fingerprint,
        agreement: agreement.id.clone(),
        customer: agreement.customer.clone(),
        amount: command.amount,
        evaluation: command.evaluation,
        stage: PaymentStage::InProcess,
        resolution: None,
        expires_at: command.expires_at.filter(|_| !command.evaluation),
        answered_unknown: false,
        notify_url: command.notify_url.clone(),
        description: command.description.clone(),
        extras: command.extras.clone(),
        created_at: at.now,
        posting: None,
        refunded: 0,
        closed_at: None,
    })
}

/// Tries to debit its payer, if there is one, now. Refusals become the payment's end.
pub(super) fn attempt(
    tx: &mut dyn Tx,
    payment: Payment,
    payer: Option<&User>,
    held: &Held<'_>,
    at: &Moment,
) -> Ruled<Payment> {
    match judge_and_debit(tx, &payment, payer, held, at) {
        Ok(posting) => Ok(Payment { stage: PaymentStage::Succeeded { at: at.now }, posting, ..payment }),
        Err(Stop::Refused(refusal)) => Ok(fail(payment, refusal, at)),
        Err(fault) => Err(fault),
    }
}

pub(super) fn fail(payment: Payment, refusal: Refusal, at: &Moment) -> Payment {
    Payment { stage: PaymentStage::Failed { at: at.now, refusal }, ..payment }
}

fn judge_and_debit(
    tx: &mut dyn Tx,
    payment: &Payment,
    payer: Option<&User>,
    held: &Held<'_>,
    at: &Moment,
) -> Ruled<Option<PostingId>> {
    judge_user(payer.ok_or(Refusal::UserNotFound)?)?;
    // An evaluation asks after token, user and balance; its table has no code for limits (Alipay+ pay_evaluation).
    match payment.evaluation {
        true => held.judge_state(tx, at.now)?,
        false => held.judge(tx, &payment.amount, at.now)?,
    }
    held.funding.judge(tx, &payment.customer, payment.amount)?;
    if payment.evaluation {
        return Ok(None);
    }
    let posting = held.funding.debit(tx, payment, at)?;
    held.count(tx, &payment.amount, at.now)?;
    Ok(Some(posting))
}

fn judge_user(user: &User) -> Result<(), Refusal> {
    match user.status {
        UserStatus::Closed => Err(Refusal::UserNotFound),
        UserStatus::Frozen => Err(Refusal::UserFrozen),
        UserStatus::Active if !user.qualified => Err(Refusal::UserNotQualified),
        UserStatus::Active => Ok(()),
    }
}

/// Leaves the notice to the owner and the message to the payer, with the end they report.
pub(super) fn tell_everybody(
    tx: &mut dyn Tx,
    payment: &Payment,
    payer: Option<&User>,
    terms: &Terms,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<()> {
    if payment.evaluation {
        return Ok(());
    }
    let notice = outbox::Notice::new(at, payment.id.bucket(), &format!("payment/{}", payment.id));
    notice.leave(tx, &payment.client, context, &Event::PaymentSettled { payment })?;

    let Some(user) = payer else { return Ok(()) };
    let failure = match payment.stage {
        PaymentStage::Failed { refusal, .. } => Some(refusal),
        PaymentStage::Succeeded { .. } | PaymentStage::InProcess => None,
    };
    let about = About::Debit {
        payment: payment.id.clone(),
        failure,
        merchant: terms.display_name.clone(),
        amount: payment.amount,
        agreement: payment.agreement.clone(),
        plan: context.voice.plan(payment),
    };
    message::tell(tx, at, user, about, &context.voice.policy().messages)?;
    Ok(())
}
