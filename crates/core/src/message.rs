//! Messages to users. A message keeps what is to be said; the words come from the message files of its language.

use crate::ids::{AgreementId, CustomerId, MessageId, PaymentId};
use crate::moment::{Moment, Timestamp};
use crate::money::Amount;
use crate::outcome::Refusal;
use crate::store::{Stored, Tx};
use crate::user::Language;

crate::words! {
    /// How a message reaches the user.
    Channel {
        /// The wallet's own inbox.
        Inbox = "inbox",
    }
}

/// What a message tells: the result of one debit (Qi prepare, step 17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id; the bucket is the user's.
    pub id: MessageId,
    /// To whom.
    pub customer: CustomerId,
    /// By which way.
    pub channel: Channel,
    /// In which language.
    pub language: Language,
    /// The payment it tells of. One message per payment and channel.
    pub payment: PaymentId,
    /// Nothing when the debit succeeded.
    pub failure: Option<Refusal>,
    /// The merchant, as the user knows it.
    pub merchant: String,
    /// The amount.
    pub amount: Amount,
    /// The agreement it was made under: what to end if it is unwanted.
    pub agreement: AgreementId,
    /// When.
    pub at: Timestamp,
}

/// Leaves the message about a final debit in the user's inbox, once.
pub fn tell(
    tx: &mut dyn Tx,
    at: &Moment,
    message: impl FnOnce(MessageId) -> Message,
    customer: &CustomerId,
    payment: &PaymentId,
) -> Stored<()> {
    let id = MessageId::mint(customer.bucket(), &mut at.random(&format!("message/{payment}")));
    tx.insert_message(&message(id))
}
