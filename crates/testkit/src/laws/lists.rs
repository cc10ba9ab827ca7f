//! Lists: their order, their limit, what belongs in them.

use super::samples::*;
use super::{keep, see};
use accord_core::agreement::{Agreement, AgreementStage};
use accord_core::client::ClientKey;
use accord_core::handle::Bucket;
use accord_core::journal::JournalLine;
use accord_core::ledger::Posting;
use accord_core::message::Message;
use accord_core::moment::Timestamp;
use accord_core::notification::{Notification, NotificationState};
use accord_core::payment::{Payment, PaymentStage, Resolution};
use accord_core::store::Store;

/// Every question has an answer on an empty store: nothing.
pub fn an_empty_store_has_nothing(store: &dyn Store) {
    see(store, |rows| {
        assert_eq!(rows.client(&client_id(1))?, None);
        assert_eq!(rows.clients()?, vec![]);
        assert_eq!(rows.client_keys()?, vec![]);
        assert_eq!(rows.customer_of(&login_id(1))?, None);
        assert_eq!(rows.user(&customer_id(1))?, None);
        assert_eq!(rows.users(9)?, vec![]);
        assert_eq!(rows.pin_guard(bucket(1), "login:1")?, None);
        assert_eq!(rows.prepare_claim(bucket(1), &digest("key", 1))?, None);
        assert_eq!(rows.terms(&auth_id(1))?, None);
        assert_eq!(rows.session(&auth_id(1))?, None);
        assert_eq!(rows.consent(&auth_id(1))?, None);
        assert_eq!(rows.agreement(&agreement_id(1))?, None);
        assert_eq!(rows.agreements_of(&customer_id(1), 9)?, vec![]);
        assert_eq!(rows.code(bucket(1), &digest("code", 1))?, None);
        assert_eq!(rows.token_set(&agreement_id(1), 1)?, None);
        assert_eq!(rows.token_set_by_access(bucket(1), &digest("access/1", 1))?, None);
        assert_eq!(rows.token_set_by_refresh(bucket(1), &digest("refresh/1", 1))?, None);
        assert_eq!(rows.payment_claim(&owner(1), &request_id(1))?, None);
        assert_eq!(rows.payment(&payment_id(1))?, None);
        assert_eq!(rows.payments_to_resolve(time(true), 9)?, vec![]);
        assert_eq!(rows.next_payment_to_resolve()?, None);
        assert_eq!(rows.payments_after(None, 9)?, vec![]);
        assert_eq!(rows.account(&customer_id(1), currency("IQD"))?, None);
        assert_eq!(rows.accounts_of(&customer_id(1))?, vec![]);
        assert_eq!(rows.accounts_after(None, 9)?, vec![]);
        assert_eq!(rows.posting(&posting_id(1))?, None);
        assert_eq!(rows.postings_after(None, 9)?, vec![]);
        assert_eq!(rows.entries_of(&posting(1, true).0)?, vec![]);
        assert_eq!(rows.notification(&notification_id(1))?, None);
        assert_eq!(rows.notifications(9)?, vec![]);
        assert_eq!(rows.due_targets(time(true), 9)?, Vec::<String>::new());
        assert_eq!(rows.due_notifications("host-1.example:443", time(true), 9)?, vec![]);
        assert_eq!(rows.next_notification_due()?, None);
        assert_eq!(rows.attempts(&notification_id(1))?, vec![]);
        assert_eq!(rows.messages(&customer_id(1), 9)?, vec![]);
        assert_eq!(rows.journal_of(bucket(1), "subject")?, vec![]);
        assert_eq!(rows.setting("name")?, None);
        Ok(())
    });
}

/// Users come by login id, at most as many as asked for.
pub fn users_come_by_login_id(store: &dyn Store) {
    keep(store, |tx| [3, 1, 4, 2].into_iter().try_for_each(|number| tx.insert_user(&user(number, false))));
    see(store, |rows| {
        assert_eq!(rows.users(3)?, [1, 2, 3].map(|number| user(number, false)));
        assert_eq!(rows.users(0)?, vec![]);
        assert_eq!(rows.users(usize::MAX)?.len(), 4);
        Ok(())
    });
}

/// Keys come by client, then oldest first, then by version; clients by id.
pub fn keys_come_by_client_and_age(store: &dyn Store) {
    let key =
        |number, version, at| ClientKey { created_at: Timestamp(at), ..client_key(number, version, true) };
    let ordered = vec![key(1, "10", 1), key(1, "9", 1), key(1, "2", 2), key(2, "2", -5), key(2, "1", 0)];
    let expected = ordered.clone();
    keep(store, move |tx| {
        tx.put_client(&client(2, true))?;
        tx.put_client(&client(1, false))?;
        ordered.iter().rev().try_for_each(|key| tx.put_client_key(key))
    });
    see(store, move |rows| {
        assert_eq!(rows.client_keys()?, expected);
        assert_eq!(rows.clients()?, vec![client(1, false), client(2, true)]);
        Ok(())
    });
}

/// A user's agreements come newest first, of one time by descending id, and stay in the list when they end.
pub fn agreements_come_newest_first(store: &dyn Store) {
    let mut all: Vec<Agreement> =
        (1..=7).map(|number| agreement(number, 1, AgreementStage::Consented, false)).collect();
    let rows = all.clone();
    keep(store, move |tx| {
        rows.iter().try_for_each(|row| tx.insert_agreement(row))?;
        tx.insert_agreement(&agreement(8, 2, AgreementStage::Consented, false))?;
        tx.update_agreement(&agreement(4, 1, AgreementStage::Active, true))
    });
    all[3] = agreement(4, 1, AgreementStage::Active, true);
    all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    see(store, move |rows| {
        assert_eq!(rows.agreements_of(&customer_id(1), usize::MAX)?, all);
        assert_eq!(rows.agreements_of(&customer_id(1), 3)?, all[..3]);
        Ok(())
    });
}

/// Running payments with a script come when it is time, earliest first; ended and unscripted ones never do.
pub fn payments_to_resolve_come_earliest_first(store: &dyn Store) {
    let due = |number, at| {
        let resolution = Resolution { due_at: Timestamp(at), succeed: number % 2 == 0 };
        payment(number, PaymentStage::InProcess, Some(resolution), false)
    };
    let ended =
        move |number, at| Payment { stage: PaymentStage::Succeeded { at: Timestamp(0) }, ..due(number, at) };
    keep(store, move |tx| {
        for row in [due(1, 30), due(2, 10), due(3, 20), due(4, -10), ended(5, -100)] {
            tx.insert_payment(&row)?;
        }
        tx.insert_payment(&payment(6, PaymentStage::InProcess, None, false))
    });
    see(store, move |rows| {
        let at = |until, limit| rows.payments_to_resolve(Timestamp(until), limit);
        assert_eq!(at(20, 9)?, vec![due(4, -10), due(2, 10), due(3, 20)]);
        assert_eq!(at(20, 2)?, vec![due(4, -10), due(2, 10)]);
        assert_eq!(at(-11, 9)?, vec![]);
        assert_eq!(rows.next_payment_to_resolve()?, Some(Timestamp(-10)));
        Ok(())
    });
    keep(store, move |tx| tx.update_payment(&ended(4, -10)));
    see(store, |rows| {
        assert_eq!(rows.next_payment_to_resolve()?, Some(Timestamp(10)));
        Ok(())
    });
}

/// Pages of payments, joined, are all payments, each once.
pub fn payments_come_in_pages(store: &dyn Store) {
    let mut all: Vec<Payment> =
        (1..=11).map(|number| payment(number, PaymentStage::InProcess, None, false)).collect();
    let rows = all.clone();
    keep(store, move |tx| rows.iter().try_for_each(|row| tx.insert_payment(row)));
    all.sort_by(|a, b| a.id.cmp(&b.id));
    see(store, move |rows| {
        let mut pages: Vec<Payment> = Vec::new();
        loop {
            let page = rows.payments_after(pages.last().map(|row| &row.id), 3)?;
            assert!(page.len() <= 3);
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        pages.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(pages, all);
        Ok(())
    });
}

/// The payments under one agreement come newest first; pages, joined, hold each once, and no other user's.
pub fn payments_of_an_agreement_come_newest_first_in_pages(store: &dyn Store) {
    let under = |number: u32, agreement: u32, customer: u32, at: i64| Payment {
        agreement: agreement_id(agreement),
        customer: customer_id(customer),
        created_at: Timestamp(at),
        ..payment(number, PaymentStage::InProcess, None, false)
    };
    // The ids of numbers 1, 5, 9, … are in the bucket of customer 1.
    let mut all: Vec<Payment> = [(1, 3), (5, 3), (9, i64::MIN), (13, i64::MAX), (17, 3), (21, 4)]
        .map(|(number, at)| under(number, 1, 1, at))
        .to_vec();
    let rows = all.clone();
    keep(store, move |tx| {
        rows.iter().try_for_each(|row| tx.insert_payment(row))?;
        tx.insert_payment(&under(25, 2, 1, 3))?;
        tx.insert_payment(&under(29, 1, 5, 3))
    });
    all.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id.clone())));
    see(store, move |rows| {
        let page = |before: Option<&Payment>| {
            let before = before.map(|row| (row.created_at, &row.id));
            rows.payments_of_agreement(&customer_id(1), &agreement_id(1), before, 2)
        };
        let mut pages = page(None)?;
        loop {
            let next = page(pages.last())?;
            if next.is_empty() {
                break;
            }
            pages.extend(next);
        }
        assert_eq!(pages, all);
        assert_eq!(rows.payments_of_agreement(&customer_id(2), &agreement_id(1), None, 9)?, vec![]);
        Ok(())
    });
}

/// A user's accounts come by currency; pages of all accounts hold each once.
pub fn accounts_come_by_currency_and_in_pages(store: &dyn Store) {
    keep(store, |tx| {
        for customer in 1..=5 {
            for code in ["USD", "IQD", "JPY"] {
                tx.put_account(&account(customer, code, i64::from(customer)))?;
            }
        }
        Ok(())
    });
    see(store, |rows| {
        let of_one = ["IQD", "JPY", "USD"].map(|code| account(1, code, 1));
        assert_eq!(rows.accounts_of(&customer_id(1))?, of_one);
        let mut pages = rows.accounts_after(None, 4)?;
        while let Some(last) = pages.last().cloned() {
            let page = rows.accounts_after(Some((&last.customer, last.currency)), 4)?;
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        let key = |row: &accord_core::ledger::Account| {
            (row.customer.bucket(), row.customer.clone(), row.currency.code().to_owned())
        };
        assert_eq!(pages.len(), 15);
        assert!(pages.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])), "{pages:?}");
        Ok(())
    });
}

/// Pages of postings hold each once; the entries of one come by line.
pub fn postings_come_in_pages_and_entries_by_line(store: &dyn Store) {
    keep(store, |tx| {
        for number in 1..=7 {
            let (row, mut entries) = posting(number, true);
            entries.reverse();
            tx.insert_posting(&row, &entries)?;
        }
        Ok(())
    });
    see(store, |rows| {
        let mut ids = Vec::new();
        loop {
            let page = rows.postings_after(ids.last(), 3)?;
            if page.is_empty() {
                break;
            }
            ids.extend(page.into_iter().map(|row| row.id));
        }
        let mut expected: Vec<_> = (1..=7).map(posting_id).collect();
        expected.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids, expected);
        let (row, entries) = posting(3, true);
        assert_eq!(rows.entries_of(&row)?, entries);
        let at = Timestamp(row.at.0 - 1);
        assert_eq!(rows.entries_of(&Posting { at, ..row })?, vec![]);
        Ok(())
    });
}

/// What is pending and due comes earliest first, then oldest, for its target alone.
pub fn due_notifications_come_earliest_first(store: &dyn Store) {
    // Numbers 1, 4, 7, … go to host 1; they were created at number % 4.
    let due = |number, at| notification(number, NotificationState::Pending, at, false);
    keep(store, move |tx| {
        for row in [due(1, 5), due(4, 5), due(7, 5), due(10, -5), due(13, 6), due(2, 1)] {
            tx.insert_notification(&row)?;
        }
        for (number, state) in (100..).step_by(3).zip(NotificationState::ALL) {
            if *state != NotificationState::Pending {
                tx.insert_notification(&notification(number, *state, i64::MIN, false))?;
            }
        }
        Ok(())
    });
    see(store, move |rows| {
        let at = |until, limit| rows.due_notifications("host-1.example:443", Timestamp(until), limit);
        assert_eq!(at(5, 9)?, vec![due(10, -5), due(4, 5), due(1, 5), due(7, 5)]);
        assert_eq!(at(5, 2)?, vec![due(10, -5), due(4, 5)]);
        assert_eq!(at(-6, 9)?, vec![]);
        assert_eq!(rows.next_notification_due()?, Some(Timestamp(-5)));
        Ok(())
    });
    keep(store, move |tx| tx.update_notification(&notification(10, NotificationState::Delivered, -5, false)));
    see(store, |rows| {
        assert_eq!(rows.next_notification_due()?, Some(Timestamp(1)));
        Ok(())
    });
}

/// Each target that has something due comes once; the one that has waited longest comes first.
pub fn the_target_that_waited_longest_comes_first(store: &dyn Store) {
    let due = |number, at| notification(number, NotificationState::Pending, at, false);
    keep(store, move |tx| {
        let rows = [due(1, 20), due(4, 5), due(2, 10), due(5, 10), due(3, 30), due(6, 31)];
        rows.iter().try_for_each(|row| tx.insert_notification(row))?;
        tx.insert_notification(&notification(9, NotificationState::Held, 0, false))
    });
    see(store, |rows| {
        let host = |number| format!("host-{number}.example:443");
        assert_eq!(rows.due_targets(Timestamp(29), 9)?, vec![host(1), host(2)]);
        assert_eq!(rows.due_targets(Timestamp(30), 9)?, vec![host(1), host(2), host(0)]);
        assert_eq!(rows.due_targets(Timestamp(30), 1)?, vec![host(1)]);
        assert_eq!(rows.due_targets(Timestamp(4), 9)?, Vec::<String>::new());
        Ok(())
    });
}

/// Notifications of any state come newest first.
pub fn notifications_come_newest_first(store: &dyn Store) {
    let mut all: Vec<Notification> = (1..)
        .zip(NotificationState::ALL)
        .map(|(number, state)| notification(number, *state, 0, true))
        .collect();
    let rows = all.clone();
    keep(store, move |tx| rows.iter().try_for_each(|row| tx.insert_notification(row)));
    all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    see(store, move |rows| {
        assert_eq!(rows.notifications(99)?, all);
        assert_eq!(rows.notifications(2)?, all[..2]);
        Ok(())
    });
}

/// A user's messages come newest first, and nobody else's.
pub fn messages_come_newest_first(store: &dyn Store) {
    let mut all: Vec<Message> = (1..=7).map(|number| message(number, 1, number, false)).collect();
    let rows = all.clone();
    keep(store, move |tx| {
        rows.iter().try_for_each(|row| tx.insert_message(row))?;
        // Customer 5 lives in the bucket of customer 1.
        tx.insert_message(&message(8, 5, 8, true))
    });
    all.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    see(store, move |rows| {
        assert_eq!(rows.messages(&customer_id(1), 99)?, all);
        assert_eq!(rows.messages(&customer_id(1), 4)?, all[..4]);
        Ok(())
    });
}

/// Attempts come by number; journal lines too, each about its own subject.
pub fn attempts_and_journal_lines_come_oldest_first(store: &dyn Store) {
    // Numbers that share a bucket, so that only the subject parts them.
    let about: Vec<JournalLine> = [1, 5, 9, 13].map(|number| journal_line(number, "it", true)).to_vec();
    let lines = about.clone();
    keep(store, move |tx| {
        [3, 1, 2, u32::MAX]
            .into_iter()
            .try_for_each(|number| tx.insert_attempt(&attempt(1, number, false)))?;
        tx.insert_attempt(&attempt(5, 1, true))?;
        lines.iter().try_for_each(|line| tx.insert_journal(line))?;
        tx.insert_journal(&journal_line(17, "it too", true))
    });
    see(store, move |rows| {
        let numbers: Vec<u32> =
            rows.attempts(&notification_id(1))?.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, [1, 2, 3, u32::MAX]);
        assert_eq!(rows.journal_of(bucket(1), "it")?, about);
        assert_eq!(rows.journal_of(Bucket::new(2), "it")?, vec![]);
        Ok(())
    });
}
