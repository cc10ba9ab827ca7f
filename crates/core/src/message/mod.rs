//! Messages to users. A message keeps what is to be said; the words come from the message files of its language.
//!
//! Every message is in the wallet's inbox. Which of them leave the wallet too, by e-mail or SMS, is decided by
//! [`routes`] in the transaction that leaves the message; what becomes of each on its way is said in [`delivery`].

pub mod delivery;
pub mod routes;

use crate::agreement::EndedBy;
use crate::calendar::Date;
use crate::ids::{AgreementId, CustomerId, MessageId, PaymentId};
use crate::moment::{Moment, Timestamp};
use crate::money::Amount;
use crate::outcome::Refusal;
use crate::people::ContactKind;
use crate::store::{Stored, Tx};
use crate::user::{Language, User};
use routes::MessagePolicy;

crate::words! {
    /// What a message is about.
    Kind {
        /// The result of one debit.
        Debit = "debit",
        /// Money given back.
        Refund = "refund",
        /// A debit to come.
        Upcoming = "upcoming",
        /// An agreement that is over.
        Ended = "ended",
        /// A one-time code.
        OneTimeCode = "one_time_code",
        /// What a merchant wrote.
        FromMerchant = "from_merchant",
    }
}

crate::words! {
    /// How a message reaches the user.
    Channel {
        /// The wallet's own inbox.
        Inbox = "inbox",
        /// A push to the phone, kept here for whoever carries it there.
        Push = "push",
    }
}

crate::words! {
    /// Where a one-time code is to be typed.
    CodePurpose {
        /// At the merchant that asked the wallet to send it.
        Merchant = "merchant",
        /// On the wallet's page, to approve an agreement with that merchant.
        Approval = "approval",
    }
}

/// What a merchant says of its plan with a debit. Its own words: told to the user, never acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// What was agreed to be paid at a time.
    pub agreed: Option<Amount>,
    /// The day of the next debit.
    pub next: Option<Date>,
    /// The day until which the service is paid.
    pub until: Option<Date>,
}

impl Plan {
    /// Nothing was said.
    pub const NOTHING: Plan = Plan { agreed: None, next: None, until: None };
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
        /// What the merchant said of its plan with it.
        plan: Plan,
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
    /// A one-time code.
    OneTimeCode {
        /// Where it is to be typed.
        purpose: CodePurpose,
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
    pub fn kind(&self) -> Kind {
        match self {
            About::Debit { .. } => Kind::Debit,
            About::Refund { .. } => Kind::Refund,
            About::Upcoming { .. } => Kind::Upcoming,
            About::Ended { .. } => Kind::Ended,
            About::OneTimeCode { .. } => Kind::OneTimeCode,
            About::FromMerchant { .. } => Kind::FromMerchant,
        }
    }

    /// Until when it is worth telling: a code after its life, or a debit to come once it is due, says nothing any more.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            About::OneTimeCode { expires_at, .. } => Some(*expires_at),
            About::Upcoming { due_at, .. } => Some(*due_at),
            About::Debit { .. } | About::Refund { .. } | About::Ended { .. } | About::FromMerchant { .. } => {
                None
            }
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

/// Leaves a message in the user's inbox, and a delivery by each carrier that policy and user want for it; a second
/// message about the same is silently the first.
pub fn tell(tx: &mut dyn Tx, at: &Moment, user: &User, about: About, policy: &MessagePolicy) -> Stored<()> {
    let message = written(at, user, about);
    leave(tx, &message, user, None, policy)
}

/// Leaves a message that goes out by one way and no other: a one-time code, to what the user was asked to be reached by.
pub fn tell_by(
    tx: &mut dyn Tx,
    at: &Moment,
    user: &User,
    about: About,
    way: ContactKind,
    policy: &MessagePolicy,
) -> Stored<()> {
    let message = written(at, user, about);
    leave(tx, &message, user, Some(way), policy)
}

/// Keeps a message, and leaves its deliveries unless it was there before.
pub fn leave(
    tx: &mut dyn Tx,
    message: &Message,
    user: &User,
    only: Option<ContactKind>,
    policy: &MessagePolicy,
) -> Stored<()> {
    let carriers = routes::carriers(tx, message, user, only, policy)?;
    tx.insert_message(message)?;
    carriers.iter().try_for_each(|delivery| tx.insert_delivery(delivery))
}

fn written(at: &Moment, user: &User, about: About) -> Message {
    let label = format!("message/{}/{}", about.kind(), about.subject());
    Message {
        id: MessageId::mint(user.id.bucket(), &mut at.random(&label)),
        customer: user.id.clone(),
        channel: Channel::Inbox,
        language: user.language,
        about,
        at: at.now,
    }
}
