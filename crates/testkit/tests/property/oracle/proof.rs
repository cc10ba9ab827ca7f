//! The books, read entry by entry and held against the oracle's own counts.

use super::super::wallet::{Wallet, customer_id};
use super::*;
use accord_core::checkpoint::Examiner;
use accord_core::ids::CustomerId;
use accord_core::ledger::verify::verify;
use accord_core::ledger::{Party, PostingKind};
use accord_core::message::About;

impl Oracle {
    /// Every balance is the oracle's, and none is below zero.
    pub fn prove_balances(&self, wallet: &Wallet) {
        let customers: Vec<CustomerId> = self.users.iter().map(|user| customer_id(&user.id)).collect();
        let accounts = wallet.look(move |rows| {
            customers.iter().map(|customer| rows.accounts_of(customer)).collect::<Result<Vec<_>, _>>()
        });
        for (user, accounts) in self.users.iter().zip(accounts) {
            let found: BTreeMap<String, i64> =
                accounts.iter().map(|account| (account.currency.to_string(), account.balance)).collect();
            let wanted: BTreeMap<String, i64> =
                user.money.iter().map(|(currency, balance)| ((*currency).to_owned(), *balance)).collect();
            assert_eq!(found, wanted, "{}", user.id);
            assert!(found.values().all(|balance| *balance >= 0), "{found:?}");
        }
    }

    /// The books balance by their own proof, and owe each client what the oracle counts.
    pub fn prove_books(&self, wallet: &Wallet) {
        self.prove_balances(wallet);
        let report = wallet.look(verify);
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        assert_eq!(report.payments, self.payments.len() as u64);
        assert_eq!(report.refunds, self.refunds.len() as u64);
        let mut owed: BTreeMap<(String, String), i128> = BTreeMap::new();
        for payment in self.payments.iter().filter(|payment| payment.paid()) {
            assert!((0..=payment.call.value).contains(&payment.refunded), "{payment:?}");
            let client = OWNERS[payment.call.owner].who.client_id.to_owned();
            *owed.entry((client, payment.call.currency.to_owned())).or_default() +=
                i128::from(payment.call.value - payment.refunded);
        }
        assert_eq!(report.payable, owed);
    }

    /// Posting by posting: one debit of the amount for each paid payment and nobody else, never more given back than
    /// debited; and whatever moved was told to the user, once.
    pub fn prove_entries(&self, wallet: &Wallet) {
        let (postings, refunds) = wallet.look(|rows| {
            let mut all = Vec::new();
            for posting in rows.postings_after(None, usize::MAX)? {
                let entries = rows.entries_of(&posting)?;
                all.push((posting, entries));
            }
            Ok((all, rows.refunds_after(None, usize::MAX)?))
        });
        let payment_of: HashMap<&str, &str> =
            refunds.iter().map(|refund| (refund.id.as_str(), refund.payment.as_str())).collect();
        let (mut debited, mut back) = (HashMap::<&str, i64>::new(), HashMap::<&str, i64>::new());
        for (posting, entries) in &postings {
            let sum: i64 = entries.iter().map(|entry| entry.amount).sum();
            assert_eq!(sum, 0, "{posting:?}: {entries:?}");
            let to_user = entries.iter().filter(|entry| matches!(entry.party, Party::User(_)));
            let to_user: i64 = to_user.map(|entry| entry.amount).sum();
            let reference = posting.reference.as_str();
            match posting.kind {
                PostingKind::Debit => {
                    assert!(debited.insert(reference, -to_user).is_none(), "{reference} was debited twice");
                }
                PostingKind::Refund | PostingKind::RefundEnd => {
                    *back.entry(payment_of[reference]).or_default() += to_user;
                }
                PostingKind::Cancel => *back.entry(reference).or_default() += to_user,
                PostingKind::Credit | PostingKind::TopUp | PostingKind::Withdraw => {}
            }
        }
        for payment in self.payments.iter().filter(|payment| payment.paid()) {
            let id = payment.id.as_deref().expect("every payment was inquired");
            assert_eq!(debited.remove(id), Some(payment.call.value), "{payment:?}");
            let flying: i64 = self
                .refunds
                .iter()
                .filter(|refund| self.payments[refund.payment].id.as_deref() == Some(id))
                .filter(|refund| matches!(refund.standing, Standing::Running(_)))
                .map(|refund| refund.call.value)
                .sum();
            let given = back.remove(id).unwrap_or(0);
            assert_eq!(given + flying, payment.refunded, "{payment:?}");
        }
        assert!(debited.is_empty(), "debits without a payment: {debited:?}");
        assert!(back.values().all(|given| *given == 0), "given back of nothing: {back:?}");
        self.prove_messages(wallet);
    }

    fn prove_messages(&self, wallet: &Wallet) {
        for (number, user) in self.users.iter().enumerate() {
            let customer = customer_id(&user.id);
            let messages = wallet.look(move |rows| rows.messages(&customer, usize::MAX));
            let mut debits: HashMap<String, bool> = HashMap::new();
            let (mut back, mut ended, mut upcoming) = (BTreeMap::new(), 0, BTreeSet::new());
            for message in messages {
                match message.about {
                    About::Debit { payment, failure, .. } => {
                        let twice = debits.insert(payment.to_string(), failure.is_none());
                        assert!(twice.is_none(), "{payment} was told twice");
                    }
                    About::Refund { amount, .. } => {
                        *back.entry(amount.currency.to_string()).or_insert(0) += amount.value();
                    }
                    About::Ended { .. } => ended += 1,
                    About::Upcoming { agreement, due_at, .. } => {
                        let agreement = &self.agreements[self.agreement_ids[agreement.as_str()]];
                        let (first, months) = agreement.schedule.expect("a schedule");
                        let due = days::day_of(due_at.0);
                        assert_eq!(days::next_due(first, months, due - 1), due, "{agreement:?}");
                        assert!(due_at.0 > message.at.0 && upcoming.insert((agreement.id.clone(), due)));
                    }
                    other => panic!("{other:?}"),
                }
            }
            let theirs = || self.payments.iter().filter(move |payment| payment.user == number);
            let settled = theirs().filter(|payment| {
                !payment.call.evaluation && !matches!(payment.standing, Standing::Running(_))
            });
            for payment in settled {
                let id = payment.id.as_deref().expect("every payment was inquired");
                assert_eq!(debits.remove(id), Some(payment.paid()), "{payment:?}");
            }
            assert!(debits.is_empty(), "{debits:?}");
            let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
            for payment in theirs().filter(|payment| payment.paid()) {
                *wanted.entry(payment.call.currency.to_owned()).or_default() += payment.refunded;
            }
            for refund in self.refunds.iter().filter(|refund| {
                matches!(refund.standing, Standing::Running(_))
                    && self.payments[refund.payment].user == number
            }) {
                *wanted.entry(refund.call.currency.to_owned()).or_default() -= refund.call.value;
            }
            wanted.retain(|_, sum| *sum != 0);
            assert_eq!(back, wanted, "money that came back to {}", user.id);
            let over = self.agreements.iter().filter(|one| one.user == number && one.ended).count();
            assert_eq!(ended, over, "ends told to {}", user.id);
        }
    }

    /// The journal's chains and checkpoints hold.
    pub fn prove_journal(&self, wallet: &Wallet) {
        let examined = wallet.look(|rows| {
            let mut examiner = Examiner::default();
            for checkpoint in rows.checkpoints_after(0, usize::MAX)? {
                examiner.checkpoint(&checkpoint, true).expect("a checkpoint that holds");
            }
            for head in rows.journal_heads()? {
                for line in rows.journal_after(head.stream, 0, usize::MAX)? {
                    examiner.line(&line).expect("a line that holds");
                }
            }
            Ok(examiner.end())
        });
        let examined = examined.expect("a journal that holds");
        assert!(examined.lines > 0 && examined.checkpoints > 0, "{examined:?}");
    }
}

impl Payment {
    /// Did money move for it?
    pub fn paid(&self) -> bool {
        matches!(self.standing, Standing::Paid(_)) && !self.call.evaluation
    }
}
