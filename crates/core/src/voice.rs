//! What a rule needs of the dialect it serves: its policy, and the words of its notifications.
//!
//! The core decides *that* somebody must be told; a dialect decides *whether its paper has such a notice* and how
//! it reads. [`Voice`] is that seam: rules call it inside their transaction, so that the notice is durable with
//! what it reports.

use crate::agreement::control::Asked;
use crate::agreement::{Agreement, EndedBy, Terms};
use crate::client::Client;
use crate::message::Plan;
use crate::payment::Payment;
use crate::policy::Policy;
use crate::secret::DerivationKeys;
use crate::token::TokenSet;
use crate::user::User;

/// Something that happened and may have to be told. Secrets are placeholders, filled in when it is sent.
#[derive(Debug)]
pub enum Event<'a> {
    /// A code was made (the user agreed).
    CodeCreated {
        /// The new agreement.
        agreement: &'a Agreement,
        /// What was agreed.
        terms: &'a Terms,
        /// The user who agreed.
        user: &'a User,
        /// Stands for the code.
        code: &'a str,
    },
    /// A code was redeemed for the first pair of tokens.
    TokenCreated {
        /// The agreement.
        agreement: &'a Agreement,
        /// What was agreed.
        terms: &'a Terms,
        /// The user who agreed.
        user: &'a User,
        /// The pair's expiry times.
        set: &'a TokenSet,
        /// Stands for the access token.
        access: &'a str,
        /// Stands for the refresh token.
        refresh: &'a str,
    },
    /// An agreement ended, and its tokens with it.
    TokenCanceled {
        /// The agreement.
        agreement: &'a Agreement,
        /// What was agreed.
        terms: &'a Terms,
        /// Stands for the access token; nothing if none was ever made.
        access: Option<&'a str>,
        /// Who ended it.
        by: EndedBy,
    },
    /// A payment reached its end.
    PaymentSettled {
        /// The payment, settled.
        payment: &'a Payment,
    },
}

/// A notice to be left in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// What it reports, in the paper's word.
    pub kind: &'static str,
    /// Where it goes.
    pub url: String,
    /// The body.
    pub body: String,
}

/// A dialect as the rules see it.
pub trait Voice: Send + Sync {
    /// Its choices in this deployment.
    fn policy(&self) -> &Policy;
    /// What those terms ask for beside the text: limits and due days. Nothing in a dialect that knows none.
    fn asked(&self, _terms: &Terms) -> Asked {
        Asked::NOTHING
    }
    /// What the owner of a payment said of its plan. Nothing in a dialect whose paper has no such member.
    fn plan(&self, _payment: &Payment) -> Plan {
        Plan::NOTHING
    }
    /// The notice of that event to that client; nothing when the paper has none or there is nowhere to send it.
    fn announce(&self, client: &Client, event: &Event<'_>) -> Option<Announcement>;
}

/// What every rule is given beside its command.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// For deriving codes and tokens.
    pub keys: &'a DerivationKeys,
    /// The dialect served.
    pub voice: &'a dyn Voice,
}
