//! Payments under an agreement. The acts: [`pay`], [`inquire`], [`resolve`]; money given back: [`refund`],
//! [`inquire_refund`], [`cancel`]; what has no end yet: [`unresolved`].

pub mod cancel;
pub mod inquire;
pub mod inquire_refund;
pub mod pay;
pub mod refund;
pub mod resolve;
pub mod unresolved;

use crate::handle::Bucket;
use crate::ids::*;
use crate::moment::Timestamp;
use crate::money::Amount;
use crate::outcome::Refusal;
use crate::secret::Digest;

/// How far a payment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentStage {
    /// Still running; nothing may be said of its end.
    InProcess,
    /// Debited.
    Succeeded {
        /// When the money moved.
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

/// What a running payment becomes, and when: the sandbox's script of a passing Unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// When it is to be resolved.
    pub due_at: Timestamp,
    /// Debit (true) or fail (false).
    pub succeed: bool,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id; the bucket is the payer's.
    pub id: PaymentId,
    /// Whose payment.
    pub owner: Owner,
    /// Who signed for it.
    pub client: ClientId,
    /// In which dialect.
    pub dialect: DialectName,
    /// The owner's idempotency key.
    pub request_id: PaymentRequestId,
    /// Digest of the compared fields.
    pub fingerprint: Digest,
    /// The agreement it was made under.
    pub agreement: AgreementId,
    /// The payer.
    pub customer: CustomerId,
    /// What the payer pays.
    pub amount: Amount,
    /// Nothing moves: a payment evaluation (Alipay+ isPaymentEvaluation).
    pub evaluation: bool,
    /// How far it is.
    pub stage: PaymentStage,
    /// What is to become of it while it is running; nothing: a person must look.
    pub resolution: Option<Resolution>,
    /// The last moment at which it may be debited (paymentExpiryTime); nothing: whenever. An evaluation has none.
    pub expires_at: Option<Timestamp>,
    /// Was an answer Unknown ever given? Then the end is notified (decision 36).
    pub answered_unknown: bool,
    /// Where its end is to be notified, if the request said so.
    pub notify_url: Option<String>,
    /// Text of the order, for people.
    pub description: String,
    /// Other members, as received: JSON text. Reported back, never acted on.
    pub extras: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The posting that moved the money.
    pub posting: Option<PostingId>,
    /// How much of it was given back, refunds on their way included. Never above the amount.
    pub refunded: i64,
    /// When its order was cancelled, before or after it was paid.
    pub closed_at: Option<Timestamp>,
}

impl Payment {
    /// When its end was reached.
    pub fn settled_at(&self) -> Option<Timestamp> {
        match self.stage {
            PaymentStage::InProcess => None,
            PaymentStage::Succeeded { at } | PaymentStage::Failed { at, .. } => Some(at),
        }
    }
}

impl Payment {
    /// Has its order expired? Then nothing is debited for it any more.
    pub fn late(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| now > expires_at)
    }

    /// It stays running, towards that end, or towards a person's decision; but a running payment does not outlive its
    /// order: at the expiry it fails.
    pub fn running(self, planned: Option<Resolution>) -> Payment {
        let expiry = self.expires_at.map(|last| Resolution { due_at: last.plus_millis(1), succeed: false });
        let first = [planned, expiry].into_iter().flatten().min_by_key(|end| end.due_at);
        Payment { resolution: first, ..self }
    }

    /// Did money move for it, and when?
    pub fn paid_at(&self) -> Option<Timestamp> {
        match self.stage {
            PaymentStage::Succeeded { at } if !self.evaluation => Some(at),
            PaymentStage::Succeeded { .. } | PaymentStage::Failed { .. } | PaymentStage::InProcess => None,
        }
    }

    /// What has not been given back of a paid payment, if anything.
    pub fn left(&self) -> Option<Amount> {
        self.paid_at()?;
        Amount::new(self.amount.currency, self.amount.value().saturating_sub(self.refunded))
    }
}

/// A request id, once claimed, belongs to one payment for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentClaim {
    /// Whose id.
    pub owner: Owner,
    /// The id.
    pub request_id: PaymentRequestId,
    /// The payment.
    pub payment: PaymentId,
    /// When.
    pub created_at: Timestamp,
}

impl PaymentClaim {
    /// The bucket of owner and request id: it catches a reuse with another user's token and routes an inquiry.
    pub fn bucket_of(owner: &Owner, request: &PaymentRequestId) -> Bucket {
        Bucket::of(&[owner.as_str(), request.as_str()])
    }
}
