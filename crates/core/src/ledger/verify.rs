//! Verify: proves the books from the entries alone.

use crate::ids::{CustomerId, PostingId};
use crate::ledger::{Account, Entry, Party, Posting, PostingKind, agree};
use crate::money::Currency;
use crate::payment::PaymentStage;
use crate::payment::refund::{Refund, RefundStage};
use crate::store::{Rows, StoreFault, Stored};
use std::collections::BTreeMap;

/// What was read, and every sentence that does not hold.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Postings read.
    pub postings: u64,
    /// Entries read.
    pub entries: u64,
    /// Users' accounts read.
    pub accounts: u64,
    /// Payments read.
    pub payments: u64,
    /// Refunds read.
    pub refunds: u64,
    /// What has left clients as refunds and not reached a payer, by currency.
    pub refunds_in_flight: BTreeMap<String, i128>,
    /// What users hold, by currency.
    pub users_hold: BTreeMap<String, i128>,
    /// Transfers read.
    pub transfers: u64,
    /// Settlement items read.
    pub settlement_items: u64,
    /// Entries of clients' payable accounts among the entries.
    pub payable_entries: u64,
    /// What is owed to clients, by client and currency.
    pub payable: BTreeMap<(String, String), i128>,
    /// What is wrong. Empty: the books balance.
    pub faults: Vec<String>,
}

const PAGE: usize = 500;

/// Reads the whole ledger and says what does not hold: every posting sums to zero in every currency, every
/// balance is the sum of its entries, each listed under its user and time, and not negative, every paid payment has one posting of its amount and
/// nobody else's, at the time that it says, and every debit belongs to a paid payment; every refund has the postings of its amount and they
/// are nobody else's, what is in flight is what running refunds say, and what each payment says was given back is
/// the sum of its refunds and its cancellation, never above the payment; every transfer has the posting of its id and
/// amount, and no top-up or withdrawal was posted without one.
pub fn verify(rows: &dyn Rows) -> Stored<Report> {
    let mut report = Report::default();
    let mut posted = sum_postings(rows, &mut report)?;
    let balances = std::mem::take(&mut posted.balances);
    compare_accounts(rows, &mut report, balances)?;
    compare_refunds(rows, &mut report, &mut posted)?;
    agree::compare_transfers(rows, &mut report, posted.top_ups, posted.withdrawals)?;
    compare_payments(rows, &mut report, posted)?;
    agree::compare_items(rows, &mut report)?;
    Ok(report)
}

type Balances = BTreeMap<(CustomerId, Currency), i128>;

/// What the postings say, to be held against rows.
#[derive(Default)]
struct Posted {
    balances: Balances,
    debits: u64,
    refunds: u64,
    refund_ends: u64,
    top_ups: u64,
    withdrawals: u64,
    in_flight: BTreeMap<Currency, i128>,
    /// What went back for each payment id: cancellations from their postings, refunds from their rows.
    given_back: BTreeMap<String, i128>,
}

impl Posted {
    /// Counts a posting of that kind.
    fn count(&mut self, kind: PostingKind) {
        match kind {
            PostingKind::Debit => self.debits += 1,
            PostingKind::Refund => self.refunds += 1,
            PostingKind::RefundEnd => self.refund_ends += 1,
            PostingKind::TopUp => self.top_ups += 1,
            PostingKind::Withdraw => self.withdrawals += 1,
            PostingKind::Cancel | PostingKind::Credit => {}
        }
    }
}

fn sum_postings(rows: &dyn Rows, report: &mut Report) -> Stored<Posted> {
    let mut posted = Posted::default();
    let mut last: Option<PostingId> = None;
    loop {
        let page = rows.postings_after(last.as_ref(), PAGE)?;
        for posting in &page {
            report.postings += 1;
            posted.count(posting.kind);
            let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
            let entries = match rows.entries_of(posting) {
                Err(StoreFault::Corrupt(why)) => {
                    report.faults.push(why);
                    continue;
                }
                entries => entries?,
            };
            for entry in entries {
                report.entries += 1;
                let amount = i128::from(entry.amount);
                *sums.entry(entry.currency).or_default() += amount;
                match entry.party {
                    Party::User(customer) => {
                        *report.users_hold.entry(entry.currency.to_string()).or_default() += amount;
                        *posted.balances.entry((customer, entry.currency)).or_default() += amount;
                        if posting.kind == PostingKind::Cancel {
                            *posted.given_back.entry(posting.reference.clone()).or_default() += amount;
                        }
                    }
                    Party::Payable { client, .. } => {
                        let key = (client.to_string(), entry.currency.to_string());
                        *report.payable.entry(key).or_default() += amount;
                        report.payable_entries += 1;
                    }
                    Party::RefundsInFlight => {
                        *posted.in_flight.entry(entry.currency).or_default() += amount;
                        *report.refunds_in_flight.entry(entry.currency.to_string()).or_default() += amount;
                    }
                    Party::Funding => {}
                }
            }
            if sums.is_empty() {
                report.faults.push(format!("posting {} has no entries", posting.id));
            }
            for (currency, sum) in sums.into_iter().filter(|(_, sum)| *sum != 0) {
                report.faults.push(format!("posting {} sums to {sum} {currency}, not to zero", posting.id));
            }
        }
        match page.last() {
            Some(posting) => last = Some(posting.id.clone()),
            None => return Ok(posted),
        }
    }
}

/// The entries of a posting; none where they cannot be read, which was said when all were read.
pub(super) fn readable(rows: &dyn Rows, posting: &Posting) -> Stored<Vec<Entry>> {
    match rows.entries_of(posting) {
        Err(StoreFault::Corrupt(_)) => Ok(Vec::new()),
        entries => entries,
    }
}

fn compare_accounts(rows: &dyn Rows, report: &mut Report, mut balances: Balances) -> Stored<()> {
    let mut last: Option<Account> = None;
    loop {
        let after = last.as_ref().map(|account| (&account.customer, account.currency));
        let page = rows.accounts_after(after, PAGE)?;
        for account in &page {
            report.accounts += 1;
            let Account { customer, currency, balance } = account;
            let sum = balances.remove(&(customer.clone(), *currency)).unwrap_or(0);
            if sum != i128::from(*balance) {
                report
                    .faults
                    .push(format!("account {customer} {currency} says {balance}, its entries sum to {sum}"));
            }
            if *balance < 0 {
                report.faults.push(format!("account {customer} {currency} is negative: {balance}"));
            }
        }
        match page.last() {
            Some(account) => last = Some(account.clone()),
            None => break,
        }
    }
    for ((customer, currency), sum) in balances {
        report.faults.push(format!("entries of {customer} sum to {sum} {currency}, but there is no account"));
    }
    Ok(())
}

/// Holds refunds against their postings, and adds what they gave back to `posted`.
fn compare_refunds(rows: &dyn Rows, report: &mut Report, posted: &mut Posted) -> Stored<()> {
    let (mut left, mut ended) = (0, 0);
    let mut last = None;
    loop {
        let page = rows.refunds_after(last.as_ref(), PAGE)?;
        for refund in &page {
            report.refunds += 1;
            left += u64::from(refund.posting.is_some());
            ended += u64::from(refund.end_posting.is_some());
            if !agrees(rows, refund)? {
                report.faults.push(format!("refund {} does not agree with its postings", refund.id));
            }
            let amount = i128::from(refund.amount.value());
            match refund.stage {
                RefundStage::InProcess => {
                    *posted.in_flight.entry(refund.amount.currency).or_default() -= amount;
                }
                RefundStage::Succeeded { .. } => {}
                RefundStage::Failed { .. } => continue,
            }
            *posted.given_back.entry(refund.payment.to_string()).or_default() += amount;
        }
        match page.last() {
            Some(refund) => last = Some(refund.id.clone()),
            None => break,
        }
    }
    if (left, ended) != (posted.refunds, posted.refund_ends) {
        let Posted { refunds, refund_ends, .. } = posted;
        report.faults.push(format!(
            "{refunds} refunds were posted, {refund_ends} of them ended later, for {left} and {ended} in the rows"
        ));
    }
    for (currency, sum) in posted.in_flight.iter().filter(|(_, sum)| **sum != 0) {
        report.faults.push(format!("{sum} {currency} are in flight beyond what running refunds say"));
    }
    Ok(())
}

/// Do a refund's postings move its amount, from where and to where its stage says?
fn agrees(rows: &dyn Rows, refund: &Refund) -> Stored<bool> {
    let moves = |id: &Option<PostingId>, kind: PostingKind, credited: Option<Party>| -> Stored<bool> {
        let Some(id) = id else { return Ok(false) };
        let Some(posting) = rows.posting(id)? else { return Ok(false) };
        let right = posting.kind == kind && posting.reference == refund.id.as_str();
        let entries = readable(rows, &posting)?;
        let credit = entries.iter().find(|entry| entry.amount == refund.amount.value());
        Ok(right
            && credit.is_some_and(|entry| {
                entry.currency == refund.amount.currency
                    && match &credited {
                        Some(party) => entry.party == *party,
                        None => matches!(entry.party, Party::Payable { .. }),
                    }
            }))
    };
    let payer = || -> Stored<Option<Party>> {
        Ok(rows.payment(&refund.payment)?.map(|payment| Party::User(payment.customer)))
    };
    let Some(payer) = payer()? else { return Ok(false) };
    let flown = || moves(&refund.posting, PostingKind::Refund, Some(Party::RefundsInFlight));
    Ok(match (&refund.stage, &refund.posting, &refund.end_posting) {
        (RefundStage::InProcess, Some(_), None) => flown()?,
        (RefundStage::Succeeded { .. }, Some(_), None) => {
            moves(&refund.posting, PostingKind::Refund, Some(payer))?
        }
        (RefundStage::Succeeded { .. }, Some(_), Some(_)) => {
            flown()? && moves(&refund.end_posting, PostingKind::RefundEnd, Some(payer))?
        }
        (RefundStage::Failed { .. }, Some(_), Some(_)) => {
            flown()? && moves(&refund.end_posting, PostingKind::RefundEnd, None)?
        }
        (RefundStage::Failed { .. }, None, None) => true,
        _ => false,
    })
}

fn compare_payments(rows: &dyn Rows, report: &mut Report, mut posted: Posted) -> Stored<()> {
    let mut last = None;
    let mut debits: u64 = 0;
    loop {
        let page = rows.payments_after(last.as_ref(), PAGE)?;
        for payment in &page {
            report.payments += 1;
            let given_back = posted.given_back.remove(payment.id.as_str()).unwrap_or(0);
            if given_back != i128::from(payment.refunded) || payment.refunded > payment.amount.value() {
                report.faults.push(format!(
                    "payment {} of {} says that {} were given back; its refunds and its cancellation sum to {given_back}",
                    payment.id,
                    payment.amount.value(),
                    payment.refunded
                ));
            }
            if payment.id.minted_at() != Some(payment.created_at) {
                // What is found by the payment would be missed.
                let (id, at) = (&payment.id, payment.created_at.0);
                report.faults.push(format!("payment {id} says it was made at {at}, its id says otherwise"));
            }
            let paid = matches!(payment.stage, PaymentStage::Succeeded { .. }) && !payment.evaluation;
            let Some(posting) = &payment.posting else {
                if paid {
                    report.faults.push(format!("payment {} is paid without a posting", payment.id));
                }
                continue;
            };
            debits += 1;
            if !paid {
                report.faults.push(format!("payment {} is not paid but has a posting", payment.id));
            }
            let kept = rows.posting(posting)?.filter(|posting| {
                posting.reference == payment.id.as_str() && payment.settled_at() == Some(posting.at)
            });
            let entries = kept.as_ref().map(|row| readable(rows, row)).transpose()?.unwrap_or_default();
            let party = Party::User(payment.customer.clone());
            let right = entries.iter().any(|entry| {
                entry.party == party
                    && entry.currency == payment.amount.currency
                    && entry.amount == -payment.amount.value()
            });
            if !right {
                report
                    .faults
                    .push(format!("payment {} does not agree with its posting {posting}", payment.id));
            }
        }
        match page.last() {
            Some(payment) => last = Some(payment.id.clone()),
            None => break,
        }
    }
    if posted.debits != debits {
        report.faults.push(format!("{} debits were posted for {debits} payments", posted.debits));
    }
    for (payment, sum) in posted.given_back {
        report.faults.push(format!("{sum} were given back of payment {payment}, which does not exist"));
    }
    Ok(())
}
