//! Transfer: money into a user's account, or out of it. Once for each id that the caller gives.

use crate::handle::Bucket;
use crate::ids::{CustomerId, PostingId};
use crate::journal;
use crate::ledger::post;
use crate::moment::{Moment, Timestamp};
use crate::money::Amount;
use crate::outcome::{Refusal, Ruled};
use crate::store::Tx;
use crate::user::UserStatus;

crate::words! {
    /// Which way the money goes.
    Direction {
        /// Into the user's account.
        TopUp = "top_up",
        /// Out of it.
        Withdraw = "withdraw",
    }
}

/// Money that came in or went out. Its id belongs to it for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The caller's id of it, 1 to 64 characters.
    pub id: String,
    /// Whose account.
    pub customer: CustomerId,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// The posting that moved it.
    pub posting: PostingId,
    /// When.
    pub at: Timestamp,
}

impl Transfer {
    /// In which compared members an order differs from it; nothing: it is a repeat.
    pub fn differing(&self, order: &Order) -> Vec<&'static str> {
        [
            ("customerId", self.customer != order.customer),
            ("direction", self.direction != order.direction),
            ("amount", self.amount != order.amount),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// The bucket of an id: it catches the same id with another user.
    pub fn bucket_of(id: &str) -> Bucket {
        Bucket::of(&["transfer", id])
    }
}

/// The command.
#[derive(Debug, Clone)]
pub struct Order {
    /// The caller's id of it.
    pub id: String,
    /// Whose account.
    pub customer: CustomerId,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// The credential that asks.
    pub actor: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transferred {
    /// The money moved now.
    Done(Transfer),
    /// It moved before: the same id with the same content.
    Before(Transfer),
    /// The id stands for another transfer, which differs in these members. Nothing was done.
    Other(Vec<&'static str>),
    /// The account would hold more than 64 bits count. Nothing was done; the id stays free.
    OutOfRange,
}

/// Moves the money, once. Refuses an unknown or closed user (a closed one may still take out what is left), a frozen
/// one who takes out, and more than there is.
pub fn transfer(tx: &mut dyn Tx, order: &Order, at: &Moment) -> Ruled<Transferred> {
    if let Some(known) = tx.transfer(&order.id)? {
        let differing = known.differing(order);
        return Ok(if differing.is_empty() {
            Transferred::Before(known)
        } else {
            Transferred::Other(differing)
        });
    }
    let user = tx.user(&order.customer)?.ok_or(Refusal::UserNotFound)?;
    let balance = tx.account(&order.customer, order.amount.currency)?.map_or(0, |account| account.balance);
    if order.direction == Direction::TopUp && balance.checked_add(order.amount.value()).is_none() {
        return Ok(Transferred::OutOfRange);
    }
    let posting = match (order.direction, user.status) {
        (Direction::TopUp, UserStatus::Closed) => return Err(Refusal::UserNotFound.into()),
        (Direction::Withdraw, UserStatus::Frozen) => return Err(Refusal::UserFrozen.into()),
        (Direction::TopUp, UserStatus::Active | UserStatus::Frozen) => {
            post::top_up(tx, &order.customer, order.amount, &order.id, at)?
        }
        (Direction::Withdraw, UserStatus::Active | UserStatus::Closed) => {
            post::withdraw(tx, &order.customer, order.amount, &order.id, at)?
        }
    };
    let done = Transfer {
        id: order.id.clone(),
        customer: order.customer.clone(),
        direction: order.direction,
        amount: order.amount,
        posting,
        at: at.now,
    };
    tx.insert_transfer(&done)?;
    let act = match order.direction {
        Direction::TopUp => "transfer.top_up",
        Direction::Withdraw => "transfer.withdraw",
    };
    let customer = &order.customer;
    journal::append(tx, at, customer.bucket(), act, customer.as_str(), &order.actor, &order.id)?;
    Ok(Transferred::Done(done))
}
