//! Post: the one function that moves money.

use crate::handle::Bucket;
use crate::ids::{CustomerId, PaymentId, PostingId};
use crate::ledger::{Account, Entry, Party, Posting, PostingKind};
use crate::moment::Moment;
use crate::money::{Amount, Currency};
use crate::outcome::{Refusal, Ruled};
use crate::payment::Payment;
use crate::secret::Digest;
use crate::store::{StoreFault, Tx};
use std::collections::BTreeMap;

/// How many slots a client's payable account has. The slot is chosen by the payment, so retries land on the same.
pub const PAYABLE_SLOTS: u8 = 16;

/// One side of a movement: who, in which currency, how much more the wallet owes them.
type Line = (Party, Currency, i64);

/// Debits the payer of a payment in favour of its owner.
pub fn debit(tx: &mut dyn Tx, payment: &Payment, at: &Moment) -> Ruled<PostingId> {
    let Amount { currency, .. } = payment.amount;
    let value = payment.amount.value();
    let payable = Party::Payable { client: payment.client.clone(), slot: slot_of(&payment.id) };
    let lines = [(Party::User(payment.customer.clone()), currency, -value), (payable, currency, value)];
    post(tx, payment.customer.bucket(), PostingKind::Debit, payment.id.as_str(), &lines, at)
}

/// Brings money into a user's account, opening it when missing.
pub fn credit(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    amount: Amount,
    reference: &str,
    at: &Moment,
) -> Ruled<PostingId> {
    open(tx, customer, amount.currency)?;
    let value = amount.value();
    let lines =
        [(Party::Funding, amount.currency, -value), (Party::User(customer.clone()), amount.currency, value)];
    post(tx, customer.bucket(), PostingKind::Credit, reference, &lines, at)
}

/// Opens a user's account in a currency with nothing in it; an open one stays as it is.
pub fn open(tx: &mut dyn Tx, customer: &CustomerId, currency: Currency) -> Ruled<()> {
    if tx.account(customer, currency)?.is_none() {
        tx.put_account(&Account { customer: customer.clone(), currency, balance: 0 })?;
    }
    Ok(())
}

/// Writes a balanced posting and moves the users' balances by it. Refuses before anything is written.
fn post(
    tx: &mut dyn Tx,
    bucket: Bucket,
    kind: PostingKind,
    reference: &str,
    lines: &[Line],
    at: &Moment,
) -> Ruled<PostingId> {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for (_, currency, amount) in lines {
        *sums.entry(*currency).or_default() += i128::from(*amount);
    }
    if sums.values().any(|sum| *sum != 0) {
        return Err(StoreFault::Corrupt(format!("the posting for {reference} does not sum to zero")).into());
    }
    let mut accounts = Vec::new();
    for (party, currency, amount) in lines {
        let Party::User(customer) = party else { continue };
        let account = tx.account(customer, *currency)?.ok_or(Refusal::AccountMissing)?;
        let balance = account.balance.checked_add(*amount).filter(|balance| *balance >= 0);
        accounts.push(Account { balance: balance.ok_or(Refusal::BalanceNotEnough)?, ..account });
    }

    let mut label = format!("posting/{kind}/{reference}");
    if kind == PostingKind::Credit {
        // One reference may credit several users in one moment (a sandbox's opening balances), even of one bucket.
        accounts.iter().for_each(|account| label += &format!("/{}", account.customer));
    }
    let id = PostingId::mint(bucket, &mut at.random(&label));
    let entries: Vec<Entry> = lines
        .iter()
        .zip(0..)
        .map(|((party, currency, amount), line)| Entry {
            posting: id.clone(),
            line,
            party: party.clone(),
            currency: *currency,
            amount: *amount,
        })
        .collect();
    for account in &accounts {
        tx.put_account(account)?;
    }
    tx.insert_posting(
        &Posting { id: id.clone(), kind, reference: reference.to_owned(), at: at.now },
        &entries,
    )?;
    Ok(id)
}

fn slot_of(payment: &PaymentId) -> u8 {
    Digest::of(payment.as_str()).0[0] % PAYABLE_SLOTS
}
