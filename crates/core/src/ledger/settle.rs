//! Settle: what is owed to and by a counterparty, item by item, and the totals of a day.
//!
//! An item is written by [`post`](super::post) beside each posting that touches a client's payable account, and never
//! changed. The files made of items, their zones and their signatures are in `accord-wire`.

use crate::ids::{ClientId, Owner, PaymentId, PaymentRequestId, PostingId, RefundId, RefundRequestId};
use crate::ledger::PostingKind;
use crate::moment::Timestamp;
use crate::money::Currency;
use crate::payment::Payment;
use crate::payment::refund::Refund;
use crate::store::{Rows, Stored};
use std::collections::BTreeMap;

crate::words! {
    /// What an item settles.
    SettlementKind {
        /// A debit: the wallet owes the counterparty more.
        Debit = "debit",
        /// A payment taken back by cancelPayment.
        Cancel = "cancel",
        /// Money taken for a refund.
        Refund = "refund",
        /// A refund that did not reach the payer: its money comes back to the counterparty.
        RefundReturned = "refund_returned",
    }
}

impl SettlementKind {
    /// What a posting of that kind settles when it touches a payable account; nothing: it must touch none.
    pub fn of(kind: PostingKind) -> Option<SettlementKind> {
        match kind {
            PostingKind::Credit | PostingKind::TopUp | PostingKind::Withdraw => None,
            PostingKind::Debit => Some(SettlementKind::Debit),
            PostingKind::Cancel => Some(SettlementKind::Cancel),
            PostingKind::Refund => Some(SettlementKind::Refund),
            PostingKind::RefundEnd => Some(SettlementKind::RefundReturned),
        }
    }
}

/// What a posting is about, as its settlement item tells the counterparty.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The payment.
    pub payment: &'a Payment,
    /// The refund, when it is one.
    pub refund: Option<&'a Refund>,
}

/// One movement of money between the wallet and a counterparty. Unique: its posting, whose bucket is the payer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementItem {
    /// The posting that moved the money.
    pub posting: PostingId,
    /// The counterparty.
    pub client: ClientId,
    /// Whose payment.
    pub owner: Owner,
    /// When the money moved: the posting's time.
    pub settled_at: Timestamp,
    /// What it settles.
    pub kind: SettlementKind,
    /// The payment.
    pub payment: PaymentId,
    /// The counterparty's id of the payment.
    pub request_id: PaymentRequestId,
    /// Our id of the refund.
    pub refund: Option<RefundId>,
    /// The counterparty's id of the refund.
    pub refund_request_id: Option<RefundRequestId>,
    /// In which currency.
    pub currency: Currency,
    /// Smallest units, as the counterparty sees it: positive, the wallet owes it more.
    pub amount: i64,
}

/// From a time to another: the first belongs to it, the last does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first millisecond.
    pub from: Timestamp,
    /// The first millisecond after it.
    pub until: Timestamp,
}

impl Span {
    /// All time.
    pub const ALL: Span = Span { from: Timestamp(i64::MIN), until: Timestamp(i64::MAX) };
}

/// How many items of one currency and kind, and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Items.
    pub count: u64,
    /// Smallest units, signed.
    pub sum: i128,
}

/// Control totals, by currency and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals(pub BTreeMap<(Currency, SettlementKind), Total>);

impl Totals {
    /// Counts an amount in.
    pub fn add(&mut self, currency: Currency, kind: SettlementKind, amount: i64) {
        let total = self.0.entry((currency, kind)).or_default();
        total.count += 1;
        total.sum += i128::from(amount);
    }

    /// By currency: all kinds together.
    pub fn net(&self) -> BTreeMap<Currency, Total> {
        let mut net: BTreeMap<Currency, Total> = BTreeMap::new();
        for ((currency, _), total) in &self.0 {
            let all = net.entry(*currency).or_default();
            all.count += total.count;
            all.sum += total.sum;
        }
        net
    }
}

const PAGE: usize = 500;

/// Shows every item of a client in a span, by time and then by posting, and gives the totals.
pub fn each(
    rows: &dyn Rows,
    client: &ClientId,
    span: Span,
    mut see: impl FnMut(&SettlementItem),
) -> Stored<Totals> {
    let mut totals = Totals::default();
    let mut last: Option<SettlementItem> = None;
    loop {
        let page = rows.settlement_items(client, span, last.as_ref().map(SettlementItem::place), PAGE)?;
        for item in &page {
            totals.add(item.currency, item.kind, item.amount);
            see(item);
        }
        match page.into_iter().next_back() {
            Some(item) => last = Some(item),
            None => return Ok(totals),
        }
    }
}

/// What is owed to a client, by currency: the sum over all slots of its payable account. No row holds it.
pub fn balance(rows: &dyn Rows, client: &ClientId) -> Stored<BTreeMap<Currency, i128>> {
    let net = each(rows, client, Span::ALL, |_| {})?.net();
    Ok(net.into_iter().map(|(currency, total)| (currency, total.sum)).collect())
}

impl SettlementItem {
    /// Its place in the total order of a client's items.
    pub fn place(&self) -> (Timestamp, &PostingId) {
        (self.settled_at, &self.posting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up_by_kind_and_by_currency() {
        let currency = |code| Currency::parse(code).expect("a currency");
        let mut totals = Totals::default();
        for (code, kind, amount) in [
            ("IQD", SettlementKind::Debit, 700),
            ("IQD", SettlementKind::Debit, 300),
            ("IQD", SettlementKind::Refund, -400),
            ("USD", SettlementKind::Cancel, -5),
        ] {
            totals.add(currency(code), kind, amount);
        }
        let debits = totals.0[&(currency("IQD"), SettlementKind::Debit)];
        assert_eq!(debits, Total { count: 2, sum: 1000 });
        assert_eq!(totals.net()[&currency("IQD")], Total { count: 3, sum: 600 });
        assert_eq!(totals.net()[&currency("USD")], Total { count: 1, sum: -5 });
    }
}
