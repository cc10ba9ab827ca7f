//! Round trips: a row of every type, poor and rich, comes back as it was, when inserted and when replaced.

use super::samples::*;
use super::{keep, see};
use accord_core::ledger::Entry;
use accord_core::money::Currency;
use accord_core::notification::{Notification, NotificationState};
use accord_core::payment::Resolution;
use accord_core::store::Store;

/// Clients, keys and settings.
pub fn clients_and_settings_come_back_as_they_were(store: &dyn Store) {
    keep(store, |tx| {
        for (number, rich) in [(1, false), (2, true)] {
            tx.put_client(&client(number, rich))?;
            tx.put_client_key(&client_key(number, ODD_TEXT, rich))?;
        }
        tx.put_setting(ODD_TEXT, ODD_TEXT)?;
        tx.put_setting("", "")
    });
    see(store, |rows| {
        for (number, rich) in [(1, false), (2, true)] {
            assert_eq!(rows.client(&client_id(number))?, Some(client(number, rich)));
        }
        assert_eq!(rows.client_keys()?, vec![client_key(1, ODD_TEXT, false), client_key(2, ODD_TEXT, true)]);
        assert_eq!(rows.setting(ODD_TEXT)?.as_deref(), Some(ODD_TEXT));
        assert_eq!(rows.setting("")?.as_deref(), Some(""));
        Ok(())
    });
}

/// Users and guards.
pub fn users_and_guards_come_back_as_they_were(store: &dyn Store) {
    for (inserted, replaced) in [(false, true), (true, false)] {
        let number = 1 + u32::from(inserted);
        keep(store, move |tx| {
            tx.insert_user(&user(number, inserted))?;
            assert_eq!(tx.user(&customer_id(number))?, Some(user(number, inserted)));
            tx.put_pin_guard(&pin_guard(number, inserted))?;
            assert_eq!(
                tx.pin_guard(bucket(number), &format!("login:{number}"))?,
                Some(pin_guard(number, inserted))
            );
            tx.update_user(&user(number, replaced))
        });
        see(store, move |rows| {
            assert_eq!(rows.customer_of(&login_id(number))?, Some(customer_id(number)));
            assert_eq!(rows.user(&customer_id(number))?, Some(user(number, replaced)));
            Ok(())
        });
    }
}

/// Claims, terms, sessions in every stage, consents, agreements in every stage.
pub fn agreements_and_what_led_to_them_come_back_as_they_were(store: &dyn Store) {
    for (number, rich) in [(1, false), (2, true)] {
        keep(store, move |tx| {
            tx.insert_prepare_claim(&prepare_claim(number, rich))?;
            tx.insert_terms(&terms(number, rich))?;
            tx.insert_consent(&consent(number, rich))
        });
        see(store, move |rows| {
            let claim = rows.prepare_claim(bucket(number), &digest("key", number))?;
            assert_eq!(claim, Some(prepare_claim(number, rich)));
            assert_eq!(rows.terms(&auth_id(number))?, Some(terms(number, rich)));
            assert_eq!(rows.consent(&auth_id(number))?, Some(consent(number, rich)));
            Ok(())
        });
    }
    for (number, stage) in (10..).zip(session_stages()) {
        keep(store, move |tx| {
            tx.insert_session(&session(number, stage.clone(), false))?;
            assert_eq!(tx.session(&auth_id(number))?, Some(session(number, stage.clone(), false)));
            for stage in session_stages() {
                let row = session(number, stage, true);
                tx.update_session(&row)?;
                assert_eq!(tx.session(&auth_id(number))?, Some(row));
            }
            Ok(())
        });
    }
    for (number, stage) in (10..).zip(agreement_stages()) {
        keep(store, move |tx| {
            let row = agreement(number, 1, stage.clone(), false);
            tx.insert_agreement(&row)?;
            assert_eq!(tx.agreement(&row.id)?, Some(row));
            for stage in agreement_stages() {
                let row = agreement(number, 1, stage, true);
                tx.update_agreement(&row)?;
                assert_eq!(tx.agreement(&row.id)?, Some(row));
            }
            Ok(())
        });
    }
}

/// Codes and pairs of tokens, found by every way that leads to them.
pub fn codes_and_tokens_come_back_as_they_were(store: &dyn Store) {
    for (inserted, replaced) in [(false, true), (true, false)] {
        let number = 1 + u32::from(inserted);
        for (generation, rich) in [(1, inserted), (u32::MAX, replaced)] {
            keep(store, move |tx| tx.insert_token_set(&token_set(number, generation, rich)));
        }
        keep(store, move |tx| {
            tx.insert_code(&code(number, inserted))?;
            assert_eq!(tx.code(bucket(number), &digest("code", number))?, Some(code(number, inserted)));
            assert_eq!(tx.token_set(&agreement_id(number), 1)?, Some(token_set(number, 1, inserted)));
            tx.update_token_set(&token_set(number, 1, replaced))
        });
        see(store, move |rows| {
            assert_eq!(rows.code(bucket(number), &digest("code", number))?, Some(code(number, inserted)));
            for generation in [1, u32::MAX] {
                let set = Some(token_set(number, generation, replaced));
                let access = digest(&format!("access/{generation}"), number);
                let refresh = digest(&format!("refresh/{generation}"), number);
                assert_eq!(rows.token_set(&agreement_id(number), generation)?, set);
                assert_eq!(rows.token_set_by_access(bucket(number), &access)?, set);
                assert_eq!(rows.token_set_by_refresh(bucket(number), &refresh)?, set);
            }
            Ok(())
        });
    }
}

/// Claims, and payments in every stage, with and without a script.
pub fn payments_come_back_as_they_were(store: &dyn Store) {
    let scripts = [
        None,
        Some(Resolution { due_at: time(true), succeed: true }),
        Some(Resolution { due_at: time(false), succeed: false }),
    ];
    for (number, stage) in (1..).zip(payment_stages()) {
        keep(store, move |tx| {
            tx.insert_payment_claim(&payment_claim(number, number))?;
            let row = payment(number, stage.clone(), None, false);
            tx.insert_payment(&row)?;
            assert_eq!(tx.payment(&row.id)?, Some(row));
            for script in scripts {
                let row = payment(number, stage.clone(), script, true);
                tx.update_payment(&row)?;
                assert_eq!(tx.payment(&row.id)?, Some(row));
            }
            Ok(())
        });
        see(store, move |rows| {
            let claim = rows.payment_claim(&owner(number), &request_id(number))?;
            assert_eq!(claim, Some(payment_claim(number, number)));
            assert_eq!(rows.payment_claim(&owner(number), &request_id(0))?, None);
            assert_eq!(rows.payment_claim(&owner(0), &request_id(number))?, None);
            Ok(())
        });
    }
}

/// Accounts at their limits, postings with every kind of party and with none.
pub fn the_ledger_comes_back_as_it_was(store: &dyn Store) {
    for (number, balance) in (1..).zip([i64::MIN, -1, 0, 1, i64::MAX]) {
        keep(store, move |tx| tx.put_account(&account(number, "CLF", balance)));
        let code: Currency = currency("CLF");
        let seen = see(store, move |rows| rows.account(&customer_id(number), code));
        assert_eq!(seen, Some(account(number, "CLF", balance)));
    }
    for (number, rich) in [(1, false), (2, true)] {
        let (row, entries) = posting(number, rich);
        let (expected, expected_entries): (_, Vec<Entry>) = posting(number, rich);
        keep(store, move |tx| tx.insert_posting(&row, &entries));
        see(store, move |rows| {
            assert_eq!(rows.entries_of(&expected)?, expected_entries);
            assert_eq!(rows.posting(&posting_id(number))?, Some(expected));
            Ok(())
        });
    }
}

/// Notifications in every state, with and without marks, and attempts.
pub fn the_outbox_comes_back_as_it_was(store: &dyn Store) {
    for (number, state) in (1..).zip(NotificationState::ALL) {
        keep(store, move |tx| {
            for (row, replaced) in [(number, false), (number + 100, true)] {
                tx.insert_notification(&notification(row, *state, i64::MIN, replaced))?;
                let seen = tx.notification(&notification_id(row))?;
                assert_eq!(seen, Some(notification(row, *state, i64::MIN, replaced)));
                let new = notification(row, *state, i64::MAX, !replaced);
                tx.update_notification(&new)?;
                // Of all that was given, state, tries and next attempt.
                let Notification { tries, next_attempt_at, .. } = new;
                let old = notification(row, *state, i64::MIN, replaced);
                let seen = tx.notification(&notification_id(row))?;
                assert_eq!(seen, Some(Notification { tries, next_attempt_at, ..old }));
            }
            tx.insert_attempt(&attempt(number, 1, false))?;
            tx.insert_attempt(&attempt(number, u32::MAX, true))
        });
        see(store, move |rows| {
            let expected = vec![attempt(number, 1, false), attempt(number, u32::MAX, true)];
            assert_eq!(rows.attempts(&notification_id(number))?, expected);
            Ok(())
        });
    }
}

/// Messages and journal lines.
pub fn messages_and_journal_come_back_as_they_were(store: &dyn Store) {
    for (number, rich) in [(1, false), (2, true)] {
        keep(store, move |tx| {
            tx.insert_message(&message(number, number, number, rich))?;
            tx.insert_journal(&journal_line(number, &text(rich), rich))
        });
        see(store, move |rows| {
            let messages = rows.messages(&customer_id(number), 9)?;
            assert_eq!(messages, vec![message(number, number, number, rich)]);
            let lines = rows.journal_of(bucket(number), &text(rich))?;
            assert_eq!(lines, vec![journal_line(number, &text(rich), rich)]);
            Ok(())
        });
    }
}

/// Every kind of message comes back as it was.
pub fn messages_of_every_kind_come_back_as_they_were(store: &dyn Store) {
    for rich in [false, true] {
        for (about, number) in abouts(rich).into_iter().zip(1..) {
            let customer = number + if rich { 100 } else { 0 };
            let row = message_about(number, customer, rich, about);
            let written = row.clone();
            keep(store, move |tx| tx.insert_message(&written));
            see(store, move |rows| {
                assert_eq!(rows.messages(&customer_id(customer), 9)?, vec![row]);
                Ok(())
            });
        }
    }
}
