//! The ledger: double entry, immutable. [`post`] is the one function that moves money; [`funding`] is the
//! port through which payments call it; [`verify`] proves the books, [`settle`] says what is owed to whom.

mod agree;
pub mod funding;
pub mod post;
pub mod settle;
pub mod verify;

use crate::ids::{ClientId, CustomerId, PostingId};
use crate::moment::Timestamp;
use crate::money::Currency;

/// A user's account: its balance is the sum of its entries and never negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub customer: CustomerId,
    /// In which currency.
    pub currency: Currency,
    /// Smallest units.
    pub balance: i64,
}

/// Who stands at one end of an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A user's account; it has a balance row.
    User(CustomerId),
    /// What the wallet owes a client, in one of its slots. No balance row: the sum of its entries.
    Payable {
        /// The client.
        client: ClientId,
        /// Chosen by a hash, so that no merchant is one hot row.
        slot: u8,
    },
    /// Where money comes into the wallet from, and goes when it leaves.
    Funding,
    /// Refunds that have left the client's payable and not yet reached the payer.
    RefundsInFlight,
}

impl Party {
    /// As rows keep it: `user:…`, `payable:<slot>:<client>`, `funding`, `refunds-in-flight`.
    pub fn to_row(&self) -> String {
        match self {
            Party::User(id) => format!("user:{id}"),
            Party::Payable { client, slot } => format!("payable:{slot}:{client}"),
            Party::Funding => "funding".to_owned(),
            Party::RefundsInFlight => "refunds-in-flight".to_owned(),
        }
    }

    /// From a row.
    pub fn from_row(text: &str) -> Option<Party> {
        if text == "funding" {
            return Some(Party::Funding);
        }
        if text == "refunds-in-flight" {
            return Some(Party::RefundsInFlight);
        }
        if let Some(id) = text.strip_prefix("user:") {
            return CustomerId::read(id).map(Party::User);
        }
        let (slot, client) = text.strip_prefix("payable:")?.split_once(':')?;
        Some(Party::Payable { client: ClientId::new(client), slot: slot.parse().ok()? })
    }
}

/// One line of a posting. Positive: the wallet owes the party more; negative: less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The posting.
    pub posting: PostingId,
    /// 0 is the first line.
    pub line: u32,
    /// Who.
    pub party: Party,
    /// In which currency.
    pub currency: Currency,
    /// Smallest units, signed.
    pub amount: i64,
}

crate::words! {
    /// Why money moved.
    PostingKind {
        /// Into the wallet: an operator's act.
        Credit = "credit",
        /// Into the wallet: a transfer.
        TopUp = "top_up",
        /// Out of the wallet: a transfer.
        Withdraw = "withdraw",
        /// From a user to an owner, under an agreement.
        Debit = "debit",
        /// Out of an owner's payable, for a refund: to the payer, or on its way there.
        Refund = "refund",
        /// The end of a refund that was on its way: to the payer, or back to the owner.
        RefundEnd = "refund_end",
        /// What was left of a payment, back to the payer of a cancelled order.
        Cancel = "cancel",
    }
}

/// A posting: entries that sum to zero in every currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Its id; the bucket is the payer's.
    pub id: PostingId,
    /// Why.
    pub kind: PostingKind,
    /// The id of what it belongs to: a payment id, a refund id, a transfer's id, an operator's reference.
    pub reference: String,
    /// When.
    pub at: Timestamp,
}
