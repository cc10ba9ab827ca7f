//! The journal's streams and checkpoints; what pruning finds, removes and keeps cold.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::agreement::{Agreement, AgreementStage, EndedBy, PrepareClaim, Session, SessionStage};
use accord_core::checkpoint::Checkpoint;
use accord_core::handle::Bucket;
use accord_core::journal::{JournalHead, JournalLine};
use accord_core::moment::Timestamp;
use accord_core::notification::Notification;
use accord_core::notification::NotificationState::{Delivered, Pending};
use accord_core::store::{Rows, Store, StoreFault, Stored};
use accord_core::token::{Code, TokenSet};
use accord_core::user::PinGuard;

fn checkpoint(number: u32) -> Checkpoint {
    let content = format!("{ODD_TEXT}\n{number}");
    Checkpoint { number, at: Timestamp(i64::from(number)), content, signature: vec![0, 255, number as u8] }
}

/// Each bucket is a stream by itself: its head is its highest number, and its lines come in pages.
pub fn streams_have_heads_and_pages(store: &dyn Store) {
    see(store, |rows| {
        assert_eq!(rows.journal_head(bucket(1))?, None);
        assert_eq!(rows.journal_heads()?, vec![]);
        Ok(())
    });
    // Buckets 1, 511, 1, 511, 1.
    keep(store, |tx| {
        [1, 2, 5, 6, 9]
            .into_iter()
            .try_for_each(|number| tx.insert_journal(&journal_line(number, "it", true)))
    });
    // Nothing comes behind the head: not its number again, at whatever time, and none below.
    for (number, later) in [(9, 0), (9, 400 * 24 * 3_600_000), (5, 400 * 24 * 3_600_000), (1, 0)] {
        let line = journal_line(number, "it", true);
        let late = JournalLine { at: Timestamp(line.at.0 + later), ..line };
        let end = end_of(store, move |tx| tx.insert_journal(&late));
        assert!(matches!(end, Err(StoreFault::Conflict(_))), "{number}: {end:?}");
    }
    see(store, |rows| {
        let heads = [(1, 9), (511, 6)].map(|(stream, number)| JournalHead {
            stream: Bucket::new(stream),
            number,
            hash: journal_line(number, "it", true).hash,
        });
        assert_eq!(rows.journal_heads()?, heads);
        assert_eq!(rows.journal_head(Bucket::new(511))?, Some(heads[1]));
        assert_eq!(rows.journal_head(Bucket::new(510))?, None);
        let line = |number| journal_line(number, "it", true);
        assert_eq!(rows.journal_after(bucket(1), 0, 2)?, [line(1), line(5)]);
        assert_eq!(rows.journal_after(bucket(1), 5, 2)?, [line(9)]);
        assert_eq!(rows.journal_after(bucket(1), 9, 2)?, []);
        Ok(())
    });
}

/// Checkpoints come by number, each number once, and say how far the streams are sealed.
pub fn checkpoints_come_back_as_they_were(store: &dyn Store) {
    let head = |stream, number| JournalHead { stream: Bucket::new(stream), number, hash: digest("line", 1) };
    keep(store, move |tx| {
        assert_eq!(tx.last_checkpoint()?, None);
        tx.insert_checkpoint(&checkpoint(1), &[head(7, 3), head(1, 1)])?;
        tx.insert_checkpoint(&checkpoint(2), &[head(7, 4)])
    });
    let twice = end_of(store, |tx| tx.insert_checkpoint(&checkpoint(2), &[]));
    assert!(matches!(twice, Err(StoreFault::Conflict(_))), "{twice:?}");
    see(store, |rows| {
        assert_eq!(rows.last_checkpoint()?, Some(checkpoint(2)));
        assert_eq!(rows.checkpoints_after(0, 9)?, [checkpoint(1), checkpoint(2)]);
        assert_eq!(rows.checkpoints_after(1, 9)?, [checkpoint(2)]);
        assert_eq!(rows.checkpoints_after(0, 1)?, [checkpoint(1)]);
        assert_eq!(rows.sealed_heads()?, [(Bucket::new(1), 1), (Bucket::new(7), 4)]);
        Ok(())
    });
}

fn at(number: u32) -> Timestamp {
    Timestamp(i64::from(number))
}

/// What is old enough comes earliest first, in steps; what is not, or is still needed, does not come.
pub fn what_can_be_pruned_comes_earliest_first(store: &dyn Store) {
    let ended = |number, time| {
        let stage = AgreementStage::Ended { at: at(time), by: EndedBy::User };
        Agreement { generation: 0, ..agreement(number, 1, stage, false) }
    };
    let session = |number, stage| Session { expires_at: at(number), ..session(number, stage, false) };
    let refused = move |number| session(number, SessionStage::Refused { at: at(20 - number) });
    let claim = |number| PrepareClaim { created_at: at(number), ..prepare_claim(number, false) };
    let code = |number| Code { expires_at: at(number), ..code(number, false) };
    let set = |number, replaced: Option<u32>| TokenSet {
        replaced_at: replaced.map(at),
        refresh_expires_at: at(number),
        ..token_set(number, 1, false)
    };
    let notice =
        |number, state| Notification { created_at: at(number), ..notification(number, state, 0, false) };
    let guard = |number: u32| PinGuard {
        subject: format!("login:{number}"),
        window_started_at: at(number),
        ..pin_guard(number, false)
    };
    keep(store, move |tx| {
        for number in [3, 1, 4, 2] {
            tx.insert_session(&session(number, SessionStage::Open))?;
            tx.insert_session(&refused(number + 10))?;
            tx.insert_prepare_claim(&claim(number))?;
            tx.insert_code(&code(number))?;
            tx.insert_token_set(&set(number, (number < 3).then_some(9 - number)))?;
            tx.insert_agreement(&ended(number, number.max(2)))?;
            tx.put_pin_guard(&guard(number))?;
            let state = if number == 2 { Pending } else { Delivered };
            tx.insert_notification(&notice(number, state))?;
        }
        tx.insert_agreement(&agreement(5, 1, AgreementStage::Active, false))
    });
    see(store, move |rows| {
        let open = [1, 2, 3].map(|number| session(number, SessionStage::Open));
        assert_eq!(rows.sessions_open_before(at(4), 9)?, open);
        assert_eq!(rows.sessions_open_before(at(4), 2)?, open[..2]);
        assert_eq!(rows.sessions_decided_before(at(9), 9)?, [refused(14), refused(13), refused(12)]);
        assert_eq!(rows.prepare_claims_before(at(3), 9)?, [claim(1), claim(2)]);
        assert_eq!(rows.codes_before(at(3), 9)?, [code(1), code(2)]);
        assert_eq!(rows.token_sets_replaced_before(at(99), 9)?, [set(2, Some(7)), set(1, Some(8))]);
        assert_eq!(rows.token_sets_replaced_before(at(8), 9)?, [set(2, Some(7))]);
        assert_eq!(rows.token_sets_lapsed_before(at(3), 9)?, [set(1, Some(8)), set(2, Some(7))]);
        // Two ended at one time: by bucket then.
        let all = rows.agreements_ended_before(at(4), None, 9)?;
        assert_eq!(all, [ended(1, 2), ended(2, 2), ended(3, 3)]);
        assert_eq!(rows.agreements_ended_before(at(4), Some((at(2), &all[0].id)), 9)?, all[1..]);
        assert_eq!(rows.agreements_ended_before(at(4), Some((at(2), &all[0].id)), 1)?, all[1..2]);
        assert_eq!(rows.agreements_ended_before(at(4), Some((at(3), &all[2].id)), 9)?, []);
        let over = rows.notifications_over_before(at(4), 9)?;
        assert_eq!(over, [1, 3].map(|number| notice(number, Delivered)));
        assert_eq!(rows.pin_guards_before(at(3), 9)?, [guard(1), guard(2)]);
        Ok(())
    });
}

/// A claim or a pair that lies cold is found as before; cold terms come back when they are fetched.
pub fn what_lies_cold_is_not_lost(store: &dyn Store) {
    for rich in [false, true] {
        let number = u32::from(rich) + 1;
        let (id, claimed) = (auth_id(number), prepare_claim(number, rich));
        let sets = [0, 1].map(|generation| token_set(number, generation, rich));
        let (claim, pairs) = (claimed.clone(), sets.clone());
        keep(store, move |tx| {
            tx.insert_terms(&terms(number, rich))?;
            tx.insert_prepare_claim(&claim)?;
            pairs.iter().try_for_each(|pair| tx.insert_token_set(pair))
        });
        let (cold, key) = (id.clone(), claimed.key);
        keep(store, move |tx| {
            tx.chill_terms(&cold)?;
            tx.chill_prepare_claim(bucket(number), &key)?;
            tx.chill_token_set(&agreement_id(number), 1)?;
            // A second time, and what was never there.
            tx.chill_terms(&cold)?;
            tx.chill_prepare_claim(bucket(number), &key)?;
            tx.chill_token_set(&agreement_id(number), 1)?;
            tx.chill_token_set(&agreement_id(9), 1)
        });
        let cold = id.clone();
        see(store, move |rows| {
            assert_eq!(rows.terms(&cold)?, None);
            assert_eq!(rows.prepare_claim(bucket(number), &claimed.key)?, Some(claimed));
            assert!(
                !rows.prepare_claims_before(Timestamp(i64::MAX), 9)?.iter().any(|row| row.auth_id == cold)
            );
            found(rows, number, &sets)
        });
        keep(store, move |tx| {
            tx.thaw_terms(&id)?;
            tx.thaw_terms(&id)?;
            assert_eq!(tx.terms(&id)?, Some(terms(number, rich)));
            tx.chill_terms(&id)
        });
    }
}

fn found(rows: &dyn Rows, number: u32, sets: &[TokenSet]) -> Stored<()> {
    for set in sets {
        assert_eq!(rows.token_set(&set.agreement, set.generation)?.as_ref(), Some(set));
        assert_eq!(rows.token_set_by_access(bucket(number), &set.access_digest)?.as_ref(), Some(set));
        assert_eq!(rows.token_set_by_refresh(bucket(number), &set.refresh_digest)?.as_ref(), Some(set));
    }
    let hot = rows.token_sets_lapsed_before(Timestamp(i64::MAX), 9)?;
    assert!(!hot.iter().any(|set| set.agreement == agreement_id(number) && set.generation == 1));
    Ok(())
}

/// What is removed is gone, its neighbours are not, and removing what is not there is nothing.
pub fn what_is_removed_is_gone(store: &dyn Store) {
    keep(store, |tx| {
        for number in [1, 2] {
            tx.insert_terms(&terms(number, false))?;
            tx.insert_session(&session(number, SessionStage::Open, false))?;
            tx.insert_code(&code(number, false))?;
            tx.insert_notification(&notification(number, Delivered, 0, false))?;
            tx.insert_attempt(&attempt(number, 1, false))?;
            tx.put_pin_guard(&PinGuard { subject: number.to_string(), ..pin_guard(1, false) })?;
        }
        Ok(())
    });
    for _ in 0..2 {
        keep(store, |tx| {
            tx.remove_terms(&auth_id(1))?;
            tx.remove_session(&auth_id(1))?;
            tx.remove_code(bucket(1), &digest("code", 1))?;
            tx.remove_notification(&notification_id(1))?;
            tx.remove_pin_guard(pin_guard(1, false).bucket, "1")
        });
    }
    see(store, |rows| {
        let guard = |subject: &str| rows.pin_guard(pin_guard(1, false).bucket, subject);
        let there = |number: u32| -> Stored<[bool; 6]> {
            Ok([
                rows.terms(&auth_id(number))?.is_some(),
                rows.session(&auth_id(number))?.is_some(),
                rows.code(bucket(number), &digest("code", number))?.is_some(),
                rows.notification(&notification_id(number))?.is_some(),
                !rows.attempts(&notification_id(number))?.is_empty(),
                guard(&number.to_string())?.is_some(),
            ])
        };
        assert_eq!(there(1)?, [false; 6]);
        assert_eq!(there(2)?, [true; 6]);
        Ok(())
    });
}
