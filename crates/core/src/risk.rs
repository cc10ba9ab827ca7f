//! Risk: the port to whoever judges debits before they are made, and what is asked there.
//!
//! The built-in rules are those of [`crate::payment::pay`]: user, agreement, limits, balance. A wallet with an engine of
//! its own puts it behind [`RiskEngine`]. Rules run inside a transaction, where nothing may be waited for; so the
//! engine is asked first, outside, and its verdict goes along with the command ([`Verdict::forced`]).

use crate::ids::{AgreementId, ClientId, CustomerId, DialectName, PaymentRequestId};
use crate::money::Amount;
use crate::outcome::{Refusal, Stop};
use crate::payment::pay::{Forced, Pay};
use crate::policy::Policy;
use crate::store::{Rows, Stored};
use crate::token::live;
use crate::user::UserStatus;

/// A debit to be judged. No token, no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The payer.
    pub customer: CustomerId,
    /// Under which agreement.
    pub agreement: AgreementId,
    /// In which dialect.
    pub dialect: DialectName,
    /// Who signed.
    pub client: ClientId,
    /// The merchant's name, as the user knows it.
    pub merchant: Option<String>,
    /// The owner's idempotency key.
    pub request_id: PaymentRequestId,
    /// How much.
    pub amount: Amount,
    /// Text of the order.
    pub description: String,
    /// Nothing will move: a payment evaluation.
    pub evaluation: bool,
}

/// What an engine says of a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on, and is judged by the built-in rules.
    Approve,
    /// It is refused as a risk.
    Reject,
    /// It is refused: the user is not identified well enough.
    NotQualified,
}

impl Verdict {
    /// What the rule is told: a refused payment is stored with this as its end.
    pub fn forced(self) -> Option<Forced> {
        match self {
            Verdict::Approve => None,
            Verdict::Reject => Some(Forced::Fail(Refusal::RiskRejected)),
            Verdict::NotQualified => Some(Forced::Fail(Refusal::UserNotQualified)),
        }
    }
}

/// Called once with the verdict; nothing: the engine did not answer, or nothing that can be understood.
pub type Said = Box<dyn FnOnce(Option<Verdict>) + Send>;

/// An engine. It is asked outside of any transaction, and never about a debit that was answered before.
pub trait RiskEngine: Send + Sync {
    /// Judges a debit, now or later, on whatever thread.
    fn judge(&self, question: Question, said: Said);
}

/// What an engine is to be asked; nothing when there is nothing to ask: the answer is stored already, the token is not
/// good, or the user may not pay whatever the engine thinks.
pub fn question(rows: &dyn Rows, pay: &Pay, policy: &Policy) -> Stored<Option<Question>> {
    if rows.payment_claim(&pay.bearer.owner, &pay.request_id)?.is_some() {
        return Ok(None);
    }
    let agreement = match live::by_access(rows, &pay.bearer, &pay.token, policy) {
        Ok(Some((_, agreement))) => agreement,
        Ok(None) | Err(Stop::Refused(_)) => return Ok(None),
        Err(Stop::Fault(fault)) => return Err(fault),
    };
    let user = rows.user(&agreement.customer)?;
    if user.is_none_or(|user| user.status != UserStatus::Active || !user.qualified) {
        return Ok(None);
    }
    let terms = rows.terms(&agreement.auth_id)?;
    Ok(Some(Question {
        customer: agreement.customer,
        agreement: agreement.id,
        dialect: pay.dialect.clone(),
        client: pay.client.clone(),
        merchant: terms.map(|terms| terms.display_name),
        request_id: pay.request_id.clone(),
        amount: pay.amount,
        description: pay.description.clone(),
        evaluation: pay.evaluation,
    }))
}
