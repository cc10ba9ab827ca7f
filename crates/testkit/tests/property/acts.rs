//! What can be done to a wallet: plain data, so that the last acts before a failure can be printed and read.

use super::days::Caps;
use accord_testkit::conformance::fixture::{ALIPAY_PLUS_1, ALIPAY_PLUS_2, QI_1, QI_2, Signatory};
use accord_testkit::conformance::speech::{ACQUIRER_ID, Speech};

/// One who owns agreements: a client, at Alipay+ together with an acquirer.
#[derive(Debug)]
pub struct Owner {
    /// Host name of its receiver of notices.
    pub name: &'static str,
    pub speech: Speech,
    pub who: &'static Signatory,
    pub acquirer: &'static str,
    /// Has its client an address registered for notices of payments?
    pub registered: bool,
}

/// Everybody: two acquirers of one network are strangers to each other.
pub const OWNERS: [Owner; 5] = [
    Owner { name: "qi-1", speech: Speech::Qi, who: QI_1, acquirer: "", registered: false },
    Owner { name: "qi-2", speech: Speech::Qi, who: QI_2, acquirer: "", registered: true },
    Owner {
        name: "plus-1",
        speech: Speech::AlipayPlus,
        who: ALIPAY_PLUS_1,
        acquirer: ACQUIRER_ID,
        registered: false,
    },
    Owner {
        name: "plus-1b",
        speech: Speech::AlipayPlus,
        who: ALIPAY_PLUS_1,
        acquirer: "acquirer-b",
        registered: false,
    },
    Owner {
        name: "plus-2",
        speech: Speech::AlipayPlus,
        who: ALIPAY_PLUS_2,
        acquirer: ACQUIRER_ID,
        registered: true,
    },
];

/// What the wallet of one life is configured to, beside the defaults.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Limits of every agreement.
    pub caps: Caps,
    /// Agreements fall asleep after so many days without a debit.
    pub asleep_after: Option<u32>,
    /// Alipay+: every final payment is notified.
    pub notify_always: bool,
    /// Alipay+: cancelling an order that was never seen is refused.
    pub unknown_orders_refused: bool,
}

/// What a Qi contract says of limits and due days.
#[derive(Debug, Clone, Default)]
pub struct Contract {
    pub amount: Option<(&'static str, i64)>,
    /// First and last day, as day numbers.
    pub from: Option<i64>,
    pub last: Option<i64>,
    pub count: Option<u32>,
    /// Months between due days: 1, 3 or 12.
    pub every: Option<i64>,
}

/// How a call names a payment or refund.
#[derive(Debug, Clone)]
pub enum Name {
    /// By the wallet's id.
    Id(String),
    /// By the caller's own.
    Request(String),
}

/// A fault script's outcome of one call.
#[derive(Debug, Clone, Copy)]
pub enum Script {
    Fail,
    /// U, for good or until that time, and then success or failure.
    Run(Option<(i64, bool)>),
}

#[derive(Debug, Clone)]
pub struct Pay {
    pub owner: usize,
    pub token: String,
    /// Alipay+: names the right auth client, or a wrong one.
    pub client: Option<bool>,
    pub request: String,
    pub currency: &'static str,
    pub value: i64,
    /// Another value of a compared field.
    pub other: u8,
    /// Another value of a field that is not compared.
    pub loose: u8,
    pub told: bool,
    pub expires: Option<i64>,
    pub evaluation: bool,
    pub script: Option<Script>,
    pub stale: bool,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub owner: usize,
    pub request: String,
    /// The order, as Alipay+ names it beside the payment's id; Qi names one of the two.
    pub order: String,
    pub payment: Name,
    pub currency: &'static str,
    pub value: i64,
    pub script: Option<Script>,
    pub stale: bool,
}

/// What the wallet does to a user.
#[derive(Debug, Clone, Copy)]
pub enum UserChange {
    Freeze,
    Thaw,
    Close,
    Qualified(bool),
}

/// What a user does to an agreement.
#[derive(Debug, Clone)]
pub enum Control {
    Pause(Option<i64>),
    Resume,
    Skip(Option<i64>),
    Limit(Caps),
}

/// Who ends an agreement in the wallet, and what its owner said when asked.
#[derive(Debug, Clone, Copy)]
pub enum Unbinder {
    User,
    /// The owner was asked and said yes, no, nothing.
    Asked(Option<bool>),
    Wallet,
}

#[derive(Debug, Clone)]
pub enum Act {
    Prepare {
        owner: usize,
        reference: String,
        other: bool,
        told: bool,
        debits: bool,
        contract: Contract,
        stale: bool,
    },
    Decide {
        auth_id: String,
        customer: String,
        yes: bool,
    },
    Apply {
        owner: usize,
        code: String,
        client: Option<bool>,
        stale: bool,
    },
    Refresh {
        owner: usize,
        token: String,
        client: Option<bool>,
        stale: bool,
    },
    CancelToken {
        owner: usize,
        token: String,
        client: Option<bool>,
        stale: bool,
    },
    Unbind {
        agreement: String,
        by: Unbinder,
    },
    Pay(Pay),
    Inquire {
        owner: usize,
        payment: Name,
    },
    Cancel {
        owner: usize,
        request: String,
        stale: bool,
    },
    Refund(Refund),
    InquireRefund {
        owner: usize,
        refund: Name,
    },
    Transfer {
        id: String,
        customer: String,
        top_up: bool,
        currency: &'static str,
        value: i64,
    },
    Join {
        login: String,
    },
    User {
        customer: String,
        change: UserChange,
    },
    Control {
        agreement: String,
        customer: String,
        change: Control,
    },
    Wait {
        until: i64,
    },
}

/// What came of an act. Equal on every store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The body of a dialect's answer.
    Answer(String),
    /// An end of something done in the wallet.
    Word(String),
    /// What was sent while time passed.
    Work(Vec<Letter>),
}

/// One try to deliver a notice, as its receiver saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub notification: String,
    pub kind: String,
    pub url: String,
    pub body: String,
    pub at: i64,
    pub manner: Manner,
}

/// How a receiver takes a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// S, signed where the paper wants it.
    Good,
    /// S without a signature.
    Unsigned,
    /// F.
    Refuses,
    /// U.
    Unsure,
    /// 200 and something that is no result.
    Garbage,
    /// HTTP 500.
    Broken,
    /// Nothing comes within the time of a try.
    Silent,
}
