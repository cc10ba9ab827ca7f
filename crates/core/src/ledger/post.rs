//! Post: the one function that moves money.

use crate::handle::Bucket;
use crate::ids::{CustomerId, PaymentId, PostingId};
use crate::ledger::settle::{SettlementItem, SettlementKind, Subject};
use crate::ledger::{Account, Entry, Party, Posting, PostingKind};
use crate::moment::Moment;
use crate::money::{Amount, Currency};
use crate::outcome::{Refusal, Ruled};
use crate::payment::Payment;
use crate::payment::refund::{Refund, RefundStage};
use crate::secret::Digest;
use crate::store::{StoreFault, Tx};
use std::collections::BTreeMap;

/// How many slots a client's payable account has. The slot is chosen by the payment, so retries land on the same.
pub const PAYABLE_SLOTS: u8 = 16;

/// One side of a movement: who, in which currency, how much more the wallet owes them.
type Line = (Party, Currency, i64);

/// Why money moves. Whatever touches a client's payable account has a subject, and so a settlement item.
struct Cause<'a> {
    kind: PostingKind,
    reference: &'a str,
    subject: Option<Subject<'a>>,
}

/// Debits the payer of a payment in favour of its owner.
pub fn debit(tx: &mut dyn Tx, payment: &Payment, at: &Moment) -> Ruled<PostingId> {
    let lines = moved(Party::User(payment.customer.clone()), payable_of(payment), payment.amount);
    let subject = Some(Subject { payment, refund: None });
    let cause = Cause { kind: PostingKind::Debit, reference: payment.id.as_str(), subject };
    post(tx, payment.customer.bucket(), &cause, &lines, at)
}

/// Gives back to the payer what was left of a cancelled payment.
pub fn cancel(tx: &mut dyn Tx, payment: &Payment, amount: Amount, at: &Moment) -> Ruled<PostingId> {
    let lines = moved(payable_of(payment), Party::User(payment.customer.clone()), amount);
    let subject = Some(Subject { payment, refund: None });
    let cause = Cause { kind: PostingKind::Cancel, reference: payment.id.as_str(), subject };
    post(tx, payment.customer.bucket(), &cause, &lines, at)
}

/// Takes a refund from the owner's payable: to the payer, or into flight when its end is not known yet.
pub fn refund(tx: &mut dyn Tx, payment: &Payment, refund: &Refund, at: &Moment) -> Ruled<PostingId> {
    let to = match refund.stage {
        RefundStage::InProcess => Party::RefundsInFlight,
        RefundStage::Succeeded { .. } | RefundStage::Failed { .. } => Party::User(payment.customer.clone()),
    };
    let lines = moved(payable_of(payment), to, refund.amount);
    let subject = Some(Subject { payment, refund: Some(refund) });
    let cause = Cause { kind: PostingKind::Refund, reference: refund.id.as_str(), subject };
    post(tx, payment.customer.bucket(), &cause, &lines, at)
}

/// Brings a refund in flight to its end: to the payer, or back to where it came from.
pub fn end_refund(
    tx: &mut dyn Tx,
    payment: &Payment,
    refund: &Refund,
    succeed: bool,
    at: &Moment,
) -> Ruled<PostingId> {
    let to = if succeed { Party::User(payment.customer.clone()) } else { payable_of(payment) };
    let lines = moved(Party::RefundsInFlight, to, refund.amount);
    let subject = Some(Subject { payment, refund: Some(refund) });
    let cause = Cause { kind: PostingKind::RefundEnd, reference: refund.id.as_str(), subject };
    post(tx, payment.customer.bucket(), &cause, &lines, at)
}

fn payable_of(payment: &Payment) -> Party {
    Party::Payable { client: payment.client.clone(), slot: slot_of(&payment.id) }
}

fn moved(from: Party, to: Party, amount: Amount) -> [Line; 2] {
    [(from, amount.currency, -amount.value()), (to, amount.currency, amount.value())]
}

/// Brings money into a user's account, opening it when missing: an operator's act, without a transfer.
pub fn credit(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    amount: Amount,
    reference: &str,
    at: &Moment,
) -> Ruled<PostingId> {
    bring_in(tx, PostingKind::Credit, customer, amount, reference, at)
}

/// Brings in the money of the transfer of that id, opening the account when missing.
pub fn top_up(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    amount: Amount,
    transfer: &str,
    at: &Moment,
) -> Ruled<PostingId> {
    bring_in(tx, PostingKind::TopUp, customer, amount, transfer, at)
}

fn bring_in(
    tx: &mut dyn Tx,
    kind: PostingKind,
    customer: &CustomerId,
    amount: Amount,
    reference: &str,
    at: &Moment,
) -> Ruled<PostingId> {
    open(tx, customer, amount.currency)?;
    let lines = moved(Party::Funding, Party::User(customer.clone()), amount);
    post(tx, customer.bucket(), &Cause { kind, reference, subject: None }, &lines, at)
}

/// Takes the money of the transfer of that id out of a user's account. Refuses what is not there.
pub fn withdraw(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    amount: Amount,
    reference: &str,
    at: &Moment,
) -> Ruled<PostingId> {
    let lines = moved(Party::User(customer.clone()), Party::Funding, amount);
    let cause = Cause { kind: PostingKind::Withdraw, reference, subject: None };
    post(tx, customer.bucket(), &cause, &lines, at)
}

/// Opens a user's account in a currency with nothing in it; an open one stays as it is.
pub fn open(tx: &mut dyn Tx, customer: &CustomerId, currency: Currency) -> Ruled<()> {
    if tx.account(customer, currency)?.is_none() {
        tx.put_account(&Account { customer: customer.clone(), currency, balance: 0 })?;
    }
    Ok(())
}

/// Writes a balanced posting with its settlement item and moves the users' balances by it. Refuses before anything is
/// written.
fn post(tx: &mut dyn Tx, bucket: Bucket, cause: &Cause<'_>, lines: &[Line], at: &Moment) -> Ruled<PostingId> {
    let Cause { kind, reference, .. } = *cause;
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for (_, currency, amount) in lines {
        *sums.entry(*currency).or_default() += i128::from(*amount);
    }
    if sums.values().any(|sum| *sum != 0) {
        return Err(StoreFault::Corrupt(format!("the posting for {reference} does not sum to zero")).into());
    }
    let item = settle(cause, lines, at)?;
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
    if let Some(item) = item {
        tx.insert_settlement_item(&item(id.clone()))?;
    }
    Ok(id)
}

/// What makes the settlement item of a posting, given its id; nothing when no client is a party.
fn settle<'a>(
    cause: &'a Cause<'_>,
    lines: &'a [Line],
    at: &'a Moment,
) -> Ruled<Option<impl FnOnce(PostingId) -> SettlementItem + 'a>> {
    let mut payable = lines.iter().filter_map(|(party, currency, amount)| match party {
        Party::Payable { client, .. } => Some((client, *currency, *amount)),
        Party::User(_) | Party::Funding | Party::RefundsInFlight => None,
    });
    let Some((client, currency, amount)) = payable.next() else { return Ok(None) };
    let (Some(kind), Some(subject), None) = (SettlementKind::of(cause.kind), cause.subject, payable.next())
    else {
        let why = format!("the posting for {} cannot be settled as one item", cause.reference);
        return Err(StoreFault::Corrupt(why).into());
    };
    Ok(Some(move |posting| SettlementItem {
        posting,
        client: client.clone(),
        owner: subject.payment.owner.clone(),
        settled_at: at.now,
        kind,
        payment: subject.payment.id.clone(),
        request_id: subject.payment.request_id.clone(),
        refund: subject.refund.map(|refund| refund.id.clone()),
        refund_request_id: subject.refund.map(|refund| refund.request_id.clone()),
        currency,
        amount,
    }))
}

fn slot_of(payment: &PaymentId) -> u8 {
    Digest::of(payment.as_str()).0[0] % PAYABLE_SLOTS
}
