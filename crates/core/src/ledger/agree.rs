//! Agree: settlement items and transfers tell the same as postings, one to one. A part of [`verify`](super::verify).

use crate::ids::PostingId;
use crate::ledger::settle::{SettlementItem, SettlementKind};
use crate::ledger::verify::{Report, readable};
use crate::ledger::{Entry, Party, PostingKind};
use crate::operator::transfer::{Direction, Transfer};
use crate::store::{Rows, Stored};
use std::collections::BTreeMap;

const PAGE: usize = 500;

/// Holds every item against its posting, payment and refund, and their number and sums against the payable entries
/// that the report has counted: an item for each entry, and no entry without one.
pub(super) fn compare_items(rows: &dyn Rows, report: &mut Report) -> Stored<()> {
    let mut sums: BTreeMap<(String, String), i128> = BTreeMap::new();
    let mut last: Option<PostingId> = None;
    loop {
        let page = rows.settlement_items_after(last.as_ref(), PAGE)?;
        for item in &page {
            report.settlement_items += 1;
            let key = (item.client.to_string(), item.currency.to_string());
            *sums.entry(key).or_default() += i128::from(item.amount);
            if let Some(what) = judge(rows, item)? {
                report.faults.push(format!("settlement item of posting {} {what}", item.posting));
            }
        }
        match page.into_iter().next_back() {
            Some(item) => last = Some(item.posting),
            None => break,
        }
    }
    let (items, entries) = (report.settlement_items, report.payable_entries);
    if items != entries {
        report.faults.push(format!("{items} settlement items tell of {entries} payable entries"));
    }
    let mut keys: Vec<(String, String)> = sums.keys().chain(report.payable.keys()).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let of = |sums: &BTreeMap<(String, String), i128>| sums.get(&key).copied().unwrap_or(0);
        let (settled, owed) = (of(&sums), of(&report.payable));
        if settled != owed {
            let (client, currency) = key;
            report
                .faults
                .push(format!("the items of {client} sum to {settled} {currency}, its entries to {owed}"));
        }
    }
    Ok(())
}

/// Holds every transfer against its posting, and their number against what was posted. A posting names its transfer's
/// id, which is unique: as many of each mean one to one.
pub(super) fn compare_transfers(
    rows: &dyn Rows,
    report: &mut Report,
    top_ups: u64,
    withdrawals: u64,
) -> Stored<()> {
    let (mut into, mut out) = (0, 0);
    let mut last: Option<String> = None;
    loop {
        let page = rows.transfers_after(last.as_deref(), PAGE)?;
        for transfer in &page {
            report.transfers += 1;
            match transfer.direction {
                Direction::TopUp => into += 1,
                Direction::Withdraw => out += 1,
            }
            if !moved(rows, transfer)? {
                report.faults.push(format!("transfer {} does not agree with its posting", transfer.id));
            }
        }
        match page.into_iter().next_back() {
            Some(transfer) => last = Some(transfer.id),
            None => break,
        }
    }
    if (into, out) != (top_ups, withdrawals) {
        report.faults.push(format!(
            "{top_ups} top-ups and {withdrawals} withdrawals were posted for {into} and {out} transfers"
        ));
    }
    Ok(())
}

/// Does a transfer's posting move its amount, then and that way?
fn moved(rows: &dyn Rows, transfer: &Transfer) -> Stored<bool> {
    let (kind, sign) = match transfer.direction {
        Direction::TopUp => (PostingKind::TopUp, 1),
        Direction::Withdraw => (PostingKind::Withdraw, -1),
    };
    let Some(posting) = rows.posting(&transfer.posting)? else { return Ok(false) };
    let same = (posting.kind, posting.reference.as_str(), posting.at) == (kind, &transfer.id, transfer.at);
    let of_user = |entry: &&Entry| matches!(entry.party, Party::User(_));
    let entries = readable(rows, &posting)?;
    let mut of_users = entries.iter().filter(of_user);
    let party = Party::User(transfer.customer.clone());
    let right = of_users.next().is_some_and(|entry| {
        (&entry.party, entry.currency, entry.amount)
            == (&party, transfer.amount.currency, sign * transfer.amount.value())
    });
    Ok(same && right && of_users.next().is_none())
}

/// What does not hold about an item.
fn judge(rows: &dyn Rows, item: &SettlementItem) -> Stored<Option<&'static str>> {
    let Some(posting) = rows.posting(&item.posting)? else { return Ok(Some("has no posting")) };
    if SettlementKind::of(posting.kind) != Some(item.kind) || posting.at != item.settled_at {
        return Ok(Some("tells another kind or time than its posting"));
    }
    let entries = readable(rows, &posting)?;
    let mut payable = entries.iter().filter(|entry| matches!(entry.party, Party::Payable { .. }));
    let same = |entry: &Entry| {
        let of_client = matches!(&entry.party, Party::Payable { client, .. } if *client == item.client);
        of_client && entry.currency == item.currency && entry.amount == item.amount
    };
    if !payable.next().is_some_and(same) || payable.next().is_some() {
        return Ok(Some("does not agree with its posting"));
    }
    let payment = rows.payment(&item.payment)?.filter(|payment| {
        (&payment.owner, &payment.client, &payment.request_id)
            == (&item.owner, &item.client, &item.request_id)
    });
    let refund = match &item.refund {
        Some(id) => rows.refund(id)?,
        None => None,
    };
    let refunds_agree = match &refund {
        Some(refund) => {
            refund.payment == item.payment && item.refund_request_id.as_ref() == Some(&refund.request_id)
        }
        None => item.refund.is_none() && item.refund_request_id.is_none(),
    };
    let of_refund = matches!(item.kind, SettlementKind::Refund | SettlementKind::RefundReturned);
    let reference = match (&item.refund, of_refund) {
        (Some(refund), true) => refund.as_str(),
        (None, false) => item.payment.as_str(),
        _ => return Ok(Some("tells of a refund and is none, or the other way round")),
    };
    if payment.is_none() || !refunds_agree || posting.reference != reference {
        return Ok(Some("does not agree with its payment or refund"));
    }
    Ok(None)
}
