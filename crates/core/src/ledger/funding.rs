//! Funding: the port through which payments reach money. What a payment means is decided in [`crate::payment`]; from
//! where the payer's part comes, and whether it is there, is said here.
//!
//! The built-in answer is the wallet's own ledger ([`OwnLedger`]): the payer's account in the payment's currency
//! (decision 34). Every implementation works inside the transaction of the decision, and moves money by
//! [`post`] alone, so that the books balance whatever it adds: a reserve, a line of credit drawn before the debit, a
//! second account.

use super::post;
use crate::ids::{CustomerId, PostingId};
use crate::moment::Moment;
use crate::money::Amount;
use crate::outcome::{Refusal, Ruled};
use crate::payment::Payment;
use crate::payment::refund::Refund;
use crate::store::{Rows, Tx};

/// Where payments take money from and give it back to.
pub trait Funding: std::fmt::Debug + Send + Sync {
    /// Could the payer pay this now? Asked before a debit, and alone for a payment evaluation.
    fn judge(&self, rows: &dyn Rows, payer: &CustomerId, amount: Amount) -> Ruled<()>;
    /// Takes a payment from its payer in favour of its owner.
    fn debit(&self, tx: &mut dyn Tx, payment: &Payment, at: &Moment) -> Ruled<PostingId>;
    /// Gives back what was left of a cancelled payment.
    fn cancel(&self, tx: &mut dyn Tx, payment: &Payment, rest: Amount, at: &Moment) -> Ruled<PostingId>;
    /// Takes a refund from the owner: to the payer, or into flight while its end is not known.
    fn refund(&self, tx: &mut dyn Tx, payment: &Payment, refund: &Refund, at: &Moment) -> Ruled<PostingId>;
    /// Brings a refund in flight to its end: to the payer, or back to the owner.
    fn end_refund(
        &self,
        tx: &mut dyn Tx,
        payment: &Payment,
        refund: &Refund,
        succeed: bool,
        at: &Moment,
    ) -> Ruled<PostingId>;
}

/// The payer's account in the payment's currency, in the wallet's own ledger. Never below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnLedger;

impl Funding for OwnLedger {
    fn judge(&self, rows: &dyn Rows, payer: &CustomerId, amount: Amount) -> Ruled<()> {
        let account = rows.account(payer, amount.currency)?.ok_or(Refusal::AccountMissing)?;
        match account.balance < amount.value() {
            true => Err(Refusal::BalanceNotEnough.into()),
            false => Ok(()),
        }
    }

    fn debit(&self, tx: &mut dyn Tx, payment: &Payment, at: &Moment) -> Ruled<PostingId> {
        post::debit(tx, payment, at)
    }

    fn cancel(&self, tx: &mut dyn Tx, payment: &Payment, rest: Amount, at: &Moment) -> Ruled<PostingId> {
        post::cancel(tx, payment, rest, at)
    }

    fn refund(&self, tx: &mut dyn Tx, payment: &Payment, refund: &Refund, at: &Moment) -> Ruled<PostingId> {
        post::refund(tx, payment, refund, at)
    }

    fn end_refund(
        &self,
        tx: &mut dyn Tx,
        payment: &Payment,
        refund: &Refund,
        succeed: bool,
        at: &Moment,
    ) -> Ruled<PostingId> {
        post::end_refund(tx, payment, refund, succeed, at)
    }
}
