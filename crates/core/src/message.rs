//! Messages to users. A message keeps what is to be said; the words come from the message files of its language.

use crate::agreement::EndedBy;
use crate::ids::{AgreementId, CustomerId, MessageId, PaymentId};
use crate::moment::{Moment, Timestamp};
use crate::money::Amount;
use crate::outcome::Refusal;
use crate::store::{Stored, Tx};
use crate::user::{Language, User};

crate::words! {
    /// How a message reaches the user.
    Channel {
        /// The wallet's own inbox.
        Inbox = "inbox",
        /// A push to the phone, kept here for whoever carries it there.
        Push = "push",
    }
}

/// What a message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The result of one debit (Qi prepare, step 17).
    Debit {
        /// The payment.
        payment: PaymentId,
        /// Nothing when it succeeded.
        failure: Option<Refusal>,
        /// The merchant, as the user knows it.
        merchant: String,
        /// The amount.
        amount: Amount,
        /// The agreement it was made under: what to end if it is unwanted.
        agreement: AgreementId,
    },
    /// Money given back.
    Refund {
        /// Our id of the refund or cancellation.
        refund: String,
        /// The payment it belongs to.
        payment: PaymentId,
        /// The merchant.
        merchant: String,
        /// What was given back.
        amount: Amount,
    },
    /// A debit to come (at least a day ahead, where the agreement has a schedule).
    Upcoming {
        /// The agreement.
        agreement: AgreementId,
        /// The merchant.
        merchant: String,
        /// How much, if that is agreed.
        amount: Option<Amount>,
        /// When.
        due_at: Timestamp,
    },
    /// An agreement is over.
    Ended {
        /// The agreement.
        agreement: AgreementId,
        /// The merchant.
        merchant: String,
        /// Who ended it.
        by: EndedBy,
    },
    /// A one-time code that a merchant asked the wallet to send.
    OneTimeCode {
        /// Names the request, so that it is sent once.
        request: String,
        /// The merchant.
        merchant: String,
        /// The code itself: it lives minutes, and the user must read it.
        code: String,
        /// Until when it is good.
        expires_at: Timestamp,
    },
    /// What a merchant wrote to the user (Qi sendInbox, sendPush).
    FromMerchant {
        /// Names the request, so that it is sent once.
        request: String,
        /// The merchant.
        merchant: String,
        /// Its title.
        title: String,
        /// Its text.
        content: String,
        /// Where it leads.
        url: Option<String>,
    },
}

impl About {
    /// Which kind it is, as rows keep it.
    pub fn kind(&self) -> &'static str {
        match self {
            About::Debit { .. } => "debit",
            About::Refund { .. } => "refund",
            About::Upcoming { .. } => "upcoming",
            About::Ended { .. } => "ended",
            About::OneTimeCode { .. } => "one_time_code",
            About::FromMerchant { .. } => "from_merchant",
        }
    }

    /// What there is one message of, for each kind and channel.
    pub fn subject(&self) -> String {
        match self {
            About::Debit { payment, .. } => payment.to_string(),
            About::Refund { refund, .. } => refund.clone(),
            About::Upcoming { agreement, due_at, .. } => format!("{agreement}/{}", due_at.0),
            About::Ended { agreement, .. } => agreement.to_string(),
            About::OneTimeCode { request, .. } | About::FromMerchant { request, .. } => request.clone(),
        }
    }
}

/// A message.
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
    /// What it tells.
    pub about: About,
    /// When.
    pub at: Timestamp,
}

/// Leaves a message in the user's inbox; a second one about the same is silently the first.
pub fn tell(tx: &mut dyn Tx, at: &Moment, user: &User, about: About) -> Stored<()> {
    let label = format!("message/{}/{}", about.kind(), about.subject());
    let id = MessageId::mint(user.id.bucket(), &mut at.random(&label));
    tx.insert_message(&Message {
        id,
        customer: user.id.clone(),
        channel: Channel::Inbox,
        language: user.language,
        about,
        at: at.now,
    })
}
