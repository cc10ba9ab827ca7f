//! Verify: proves the books from the entries alone.

use crate::ids::{CustomerId, PostingId};
use crate::ledger::{Account, Party, PostingKind};
use crate::money::Currency;
use crate::payment::PaymentStage;
use crate::store::{Rows, Stored};
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
    /// What users hold, by currency.
    pub users_hold: BTreeMap<String, i128>,
    /// What is owed to clients, by client and currency.
    pub payable: BTreeMap<(String, String), i128>,
    /// What is wrong. Empty: the books balance.
    pub faults: Vec<String>,
}

const PAGE: usize = 500;

/// Reads the whole ledger and says what does not hold: every posting sums to zero in every currency, every
/// balance is the sum of its entries and not negative, every paid payment has one posting of its amount and
/// nobody else's, and every debit belongs to a paid payment.
pub fn verify(rows: &dyn Rows) -> Stored<Report> {
    let mut report = Report::default();
    let balances = sum_postings(rows, &mut report)?;
    compare_accounts(rows, &mut report, balances)?;
    compare_payments(rows, &mut report)?;
    Ok(report)
}

type Balances = BTreeMap<(CustomerId, Currency), i128>;

fn sum_postings(rows: &dyn Rows, report: &mut Report) -> Stored<Balances> {
    let mut balances = Balances::new();
    let mut last: Option<PostingId> = None;
    loop {
        let page = rows.postings_after(last.as_ref(), PAGE)?;
        for posting in &page {
            report.postings += 1;
            let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
            for entry in rows.entries_of(&posting.id)? {
                report.entries += 1;
                let amount = i128::from(entry.amount);
                *sums.entry(entry.currency).or_default() += amount;
                match entry.party {
                    Party::User(customer) => {
                        *report.users_hold.entry(entry.currency.to_string()).or_default() += amount;
                        *balances.entry((customer, entry.currency)).or_default() += amount;
                    }
                    Party::Payable { client, .. } => {
                        let key = (client.to_string(), entry.currency.to_string());
                        *report.payable.entry(key).or_default() += amount;
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
            None => return Ok(balances),
        }
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

fn compare_payments(rows: &dyn Rows, report: &mut Report) -> Stored<()> {
    let mut last = None;
    let mut debits: u64 = 0;
    loop {
        let page = rows.payments_after(last.as_ref(), PAGE)?;
        for payment in &page {
            report.payments += 1;
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
            let kept = rows.posting(posting)?.filter(|posting| posting.reference == payment.id.as_str());
            let entries = rows.entries_of(posting)?;
            let party = Party::User(payment.customer.clone());
            let right = entries.iter().any(|entry| {
                entry.party == party
                    && entry.currency == payment.amount.currency
                    && entry.amount == -payment.amount.value()
            });
            if kept.is_none() || !right {
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
    let posted = count_debits(rows)?;
    if posted != debits {
        report.faults.push(format!("{posted} debits were posted for {debits} payments"));
    }
    Ok(())
}

fn count_debits(rows: &dyn Rows) -> Stored<u64> {
    let mut last: Option<PostingId> = None;
    let mut count = 0;
    loop {
        let page = rows.postings_after(last.as_ref(), PAGE)?;
        count += page.iter().filter(|posting| posting.kind == PostingKind::Debit).count() as u64;
        match page.last() {
            Some(posting) => last = Some(posting.id.clone()),
            None => return Ok(count),
        }
    }
}
