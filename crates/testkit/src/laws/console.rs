//! Operators of the console, their sign-ins, and what only the console looks up.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::agreement::AgreementStage;
use accord_core::console::{ConsoleRole, Operator, Session, bucket_of};
use accord_core::handle::Bucket;
use accord_core::ids::{ConsoleSessionId, OperatorName};
use accord_core::moment::{Moment, Timestamp};
use accord_core::notification::NotificationState;
use accord_core::store::{Store, StoreFault};
use std::cmp::Reverse;

fn operator(name: &str, rich: bool) -> Operator {
    Operator {
        name: OperatorName::new(name),
        role: ConsoleRole::ALL[name.len() % ConsoleRole::ALL.len()],
        password_hash: text(rich),
        created_at: time(rich),
        disabled_at: maybe_time(rich),
    }
}

fn session_id(number: u8, name: &str) -> ConsoleSessionId {
    let bucket = bucket_of(&OperatorName::new(name));
    ConsoleSessionId::mint(bucket, &mut Moment::new(Timestamp(0), [number; 32]).random("console"))
}

fn sign_in(number: u8, name: &str, at: i64, rich: bool) -> Session {
    Session {
        id: session_id(number, name),
        operator: OperatorName::new(name),
        digest: digest("console", u32::from(number)),
        created_at: Timestamp(at),
        last_seen_at: time(rich),
        expires_at: Timestamp(at),
        address: text(rich),
    }
}

/// An operator is replaced whole; a sign-in comes back as it was, is inserted once, and is removed for good.
pub fn operators_and_their_sign_ins_come_back_as_they_were(store: &dyn Store) {
    keep(store, |tx| {
        tx.put_operator(&operator("layla", true))?;
        tx.put_operator(&operator("ahmed", false))?;
        tx.put_operator(&operator("layla", false))?;
        for (number, rich) in [(1, false), (2, true)] {
            tx.insert_console_session(&sign_in(number, "layla", i64::MIN, rich))?;
            tx.update_console_session(&sign_in(number, "layla", i64::MAX, !rich))?;
        }
        Ok(())
    });
    see(store, |rows| {
        assert_eq!(rows.operator(&OperatorName::new("layla"))?, Some(operator("layla", false)));
        assert_eq!(rows.operator(&OperatorName::new("nobody"))?, None);
        assert_eq!(rows.operators(9)?, [operator("ahmed", false), operator("layla", false)]);
        assert_eq!(rows.operators(1)?, [operator("ahmed", false)]);
        for (number, rich) in [(1, true), (2, false)] {
            let expected = sign_in(number, "layla", i64::MAX, rich);
            assert_eq!(rows.console_session(&session_id(number, "layla"))?, Some(expected));
        }
        assert_eq!(rows.console_session(&session_id(1, "ahmed"))?, None);
        Ok(())
    });
    let again = end_of(store, |tx| tx.insert_console_session(&sign_in(1, "layla", 0, false)));
    assert!(matches!(again, Err(StoreFault::Conflict(_))), "{again:?}");
    keep(store, |tx| {
        tx.remove_console_session(&session_id(1, "layla"))?;
        tx.remove_console_session(&session_id(9, "layla"))
    });
    see(store, |rows| {
        assert_eq!(rows.console_session(&session_id(1, "layla"))?, None);
        assert!(rows.console_session(&session_id(2, "layla"))?.is_some());
        Ok(())
    });
    let missing = end_of(store, |tx| tx.update_console_session(&sign_in(1, "layla", 0, false)));
    assert!(matches!(missing, Err(StoreFault::Corrupt(_))), "{missing:?}");
}

/// An operator's sign-ins come newest first and are nobody else's; what is over comes earliest first.
pub fn sign_ins_come_newest_first_and_go_by_expiry(store: &dyn Store) {
    let mut hers: Vec<Session> =
        [(1, 5), (2, 7), (3, 5), (4, -5)].map(|(number, at)| sign_in(number, "layla", at, true)).to_vec();
    let his = sign_in(5, "ahmed", 6, false);
    let (rows, other) = (hers.clone(), his.clone());
    keep(store, move |tx| {
        rows.iter().try_for_each(|row| tx.insert_console_session(row))?;
        tx.insert_console_session(&other)
    });
    let mut over: Vec<Session> =
        hers.iter().cloned().chain([his]).filter(|row| row.expires_at.0 < 7).collect();
    over.sort_by_key(|row| (row.expires_at, row.id.bucket(), row.id.clone()));
    hers.sort_by_key(|row| Reverse((row.created_at, row.id.clone())));
    see(store, move |rows| {
        assert_eq!(rows.console_sessions_of(&OperatorName::new("layla"), 9)?, hers);
        assert_eq!(rows.console_sessions_of(&OperatorName::new("layla"), 2)?, hers[..2]);
        assert_eq!(rows.console_sessions_of(&OperatorName::new("nobody"), 9)?, vec![]);
        assert_eq!(rows.console_sessions_over_before(Timestamp(7), 9)?, over);
        assert_eq!(rows.console_sessions_over_before(Timestamp(7), 2)?, over[..2]);
        assert_eq!(rows.console_sessions_over_before(Timestamp(-5), 9)?, vec![]);
        Ok(())
    });
}

/// By its authorization, and by its owner's reference: several owners may use the same one.
pub fn an_agreement_is_found_by_authorization_and_reference(store: &dyn Store) {
    let named = |number: u32, reference: Option<&str>, at: i64| {
        let mut terms = terms(number, true);
        terms.reference_agreement_id = reference.map(str::to_owned);
        terms.created_at = Timestamp(at);
        terms
    };
    let made = |number: u32| agreement(number, 1, AgreementStage::Active, true);
    keep(store, move |tx| {
        for (number, reference, at) in
            [(1, Some("one"), 5), (2, Some("two"), 5), (3, Some("one"), 9), (4, None, 9), (5, Some("one"), 9)]
        {
            tx.insert_terms(&named(number, reference, at))?;
        }
        // Number 5 was never agreed to.
        (1..5).try_for_each(|number| tx.insert_agreement(&made(number)))
    });
    see(store, move |rows| {
        assert_eq!(rows.agreement_of_authorization(&auth_id(2))?, Some(made(2)));
        assert_eq!(rows.agreement_of_authorization(&auth_id(5))?, None);
        assert_eq!(rows.agreements_by_reference("one", 9)?, [made(3), made(1)]);
        assert_eq!(rows.agreements_by_reference("one", 1)?, [made(3)]);
        assert_eq!(rows.agreements_by_reference("", 9)?, []);
        Ok(())
    });
}

/// All of them, those that wait for a person, those that wait for their time.
pub fn notifications_come_in_pages_by_state(store: &dyn Store) {
    let states = NotificationState::ALL.len() as u32;
    let all: Vec<_> = (0..3 * states)
        .map(|number| {
            let state = NotificationState::ALL[(number % states) as usize];
            notification(number, state, i64::from(number / 2), number.is_multiple_of(2))
        })
        .collect();
    let mut newest = all.clone();
    newest.sort_by_key(|row| Reverse((row.created_at, row.id.clone())));
    let mut due = all.clone();
    due.retain(|row| row.state == NotificationState::Pending);
    due.sort_by_key(|row| (row.next_attempt_at, row.created_at, row.id.clone()));
    keep(store, move |tx| all.iter().try_for_each(|row| tx.insert_notification(row)));
    see(store, move |rows| {
        assert_eq!(rows.notifications_before(None, 99)?, newest);
        let (fourth, rest) = (&newest[3], &newest[4..]);
        assert_eq!(rows.notifications_before(Some((fourth.created_at, &fourth.id)), 99)?, rest);
        assert_eq!(rows.notifications_before(None, 2)?, newest[..2]);
        for state in NotificationState::ALL {
            use NotificationState::{Dead, Held, Rejected};
            let mut expected = newest.clone();
            expected.retain(|row| row.state == *state && matches!(state, Rejected | Dead | Held));
            assert_eq!(rows.notifications_stuck(*state, None, 99)?, expected, "{state}");
            if let [first, rest @ ..] = expected.as_slice() {
                let after = rows.notifications_stuck(*state, Some((first.created_at, &first.id)), 99)?;
                assert_eq!(after, rest, "{state}");
            }
        }
        assert_eq!(rows.notifications_pending(99)?, due);
        assert_eq!(rows.notifications_pending(1)?, due[..1]);
        Ok(())
    });
}

/// A stream's lines, and a subject's, from the last one backwards.
pub fn journal_lines_come_newest_first_in_pages(store: &dyn Store) {
    // Numbers that share a bucket.
    let lines =
        [1, 5, 9, 13].map(|number| journal_line(number, if number == 5 { "it too" } else { "it" }, true));
    let rows = lines.clone();
    keep(store, move |tx| rows.iter().try_for_each(|line| tx.insert_journal(line)));
    let [first, second, third, last] = lines;
    see(store, move |rows| {
        let newest = [last.clone(), third.clone(), second.clone(), first.clone()];
        assert_eq!(rows.journal_before(bucket(1), None, 9)?, newest);
        assert_eq!(rows.journal_before(bucket(1), Some(third.number), 1)?, [second]);
        assert_eq!(rows.journal_before(Bucket::new(2), None, 9)?, []);
        assert_eq!(rows.journal_about(bucket(1), "it", None, 2)?, [last.clone(), third]);
        assert_eq!(rows.journal_about(bucket(1), "it", Some(last.number), 9)?.len(), 2);
        assert_eq!(rows.journal_about(bucket(1), "nothing", None, 9)?, []);
        Ok(())
    });
}
