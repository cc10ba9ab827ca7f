//! The audit journal: whatever happens leaves chains that hold, and a checkpoint that says so.

mod stores;

use accord_core::checkpoint::{Checkpoint, Examined, Examiner, draft};
use accord_core::handle::Bucket;
use accord_core::ids::AuthId;
use accord_core::journal::{self, JournalHead};
use accord_core::secret::Digest;
use accord_core::store::{self, Rows, Store, StoreFault};
use accord_core::{Moment, Ruled, Stop, Timestamp};
use accord_testkit::conformance::fixture::{RICH, START};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, text};
use serde_json::Value;
use std::sync::Arc;
use stores::on_every_store;

fn moment(number: u8) -> Moment {
    Moment::new(Timestamp(START), [number; 32])
}

/// Writes a checkpoint with a signature that nobody checks here; says whether there was anything to seal.
fn seal(store: &dyn Store) -> bool {
    let sealed: Ruled<bool> = store::transact(store, |tx| {
        let Some(drafted) = draft(tx, Timestamp(START))? else { return Ok(false) };
        tx.insert_checkpoint(&drafted.signed(vec![1]), &drafted.heads)?;
        Ok(true)
    });
    sealed.expect("a checkpoint")
}

fn examine(rows: &dyn Rows) -> Result<Examined, String> {
    let mut examiner = Examiner::default();
    for checkpoint in rows.checkpoints_after(0, usize::MAX).expect("checkpoints") {
        examiner.checkpoint(&checkpoint, true)?;
    }
    for head in rows.journal_heads().expect("heads") {
        for line in rows.journal_after(head.stream, 0, usize::MAX).expect("lines") {
            examiner.line(&line)?;
        }
    }
    examiner.end()
}

fn examined(store: &dyn Store) -> Examined {
    store::look(store, |rows| Ok(examine(rows))).expect("a look").expect("a journal that holds")
}

#[test]
fn both_flows_leave_a_journal_that_holds() {
    on_every_store(|shelf| {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        let house = House::new(store.clone());
        assert!(!seal(&*store) || examined(&*store).lines > 0, "nothing is sealed before something happened");
        let before = examined(&*store).lines;
        for (speech, number) in [(Speech::Qi, 1), (Speech::AlipayPlus, 101)] {
            let mut at = number;
            let mut call = |operation: &str, body: &Value| -> Value {
                at += 1;
                let [who, _] = speech.clients();
                let time = "2026-01-15T09:30:00+03:00";
                let request = who.request(&speech.target(operation), body.to_string().as_bytes(), time);
                let told = house.answer(&request, &moment(at), Twist::default());
                serde_json::from_slice(&told.answer.body).expect("JSON")
            };
            let answer = call("prepare", &speech.prepare("ref-1"));
            assert_eq!(
                examined(&*store).lines - before,
                if number == 1 { 0 } else { 4 },
                "prepare writes no line"
            );
            let id = AuthId::read(&speech.auth_id(&answer)).expect("an id");
            let decided = house.decide(&id, RICH, true, &moment(number + 90));
            let accord_core::agreement::decide::Decided::Approved { code, .. } = decided else {
                panic!("not approved");
            };
            let granted = call("applyToken", &speech.apply(code.reveal()));
            assert!(seal(&*store));
            let granted = call("applyToken", &speech.refresh(&text(&granted, "refreshToken")));
            call("cancelToken", &speech.cancel(&text(&granted, "accessToken")));
        }
        let behind = examined(&*store);
        assert_eq!((behind.lines - before, behind.unsealed > 0), (8, true));
        assert!(seal(&*store));
        assert_eq!(examined(&*store).unsealed, 0);
        assert!(!seal(&*store), "nothing has moved since");
    });
}

#[test]
fn parallel_acts_in_one_stream_leave_one_chain_without_gaps() {
    on_every_store(|shelf| {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let store = &store;
                scope.spawn(move || {
                    for number in 0..10 {
                        let subject = format!("{thread}/{number}");
                        let at = moment(thread);
                        let kept: Ruled<()> = store::transact(&**store, move |tx| {
                            Ok(journal::append(tx, &at, Bucket::new(5), "act", &subject, "wallet", "")?)
                        });
                        kept.expect("kept");
                    }
                });
            }
        });
        let head = store::look(&*store, |rows| rows.journal_head(Bucket::new(5))).expect("a look");
        assert_eq!(head.map(|head| head.number), Some(160));
        assert_eq!(examined(&*store).lines, 160);
    });
}

#[test]
fn nodes_that_seal_at_once_leave_one_chain_of_checkpoints() {
    on_every_store(|shelf| {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        for round in 0..5 {
            for stream in 0..8 {
                let at = moment(round);
                let kept: Ruled<()> = store::transact(&*store, move |tx| {
                    Ok(journal::append(tx, &at, Bucket::new(stream), "act", "subject", "wallet", "")?)
                });
                kept.expect("kept");
            }
            // As nodes do it: drafted from what is seen, kept if nobody was quicker.
            let kept: usize = std::thread::scope(|scope| {
                let nodes: Vec<_> = (0..8).map(|_| scope.spawn(|| seal_as_seen(&*store))).collect();
                nodes.into_iter().map(|node| usize::from(node.join().expect("a node"))).sum()
            });
            assert_eq!(kept, 1, "one of them writes the checkpoint");
        }
        let examined = examined(&*store);
        assert_eq!((examined.checkpoints, examined.unsealed), (5, 0));
    });
}

/// A checkpoint of what was seen before; false: another was quicker, or there is nothing to seal.
fn seal_as_seen(store: &dyn Store) -> bool {
    let Some(drafted) = store::look(store, |rows| draft(rows, Timestamp(START))).expect("a look") else {
        return false;
    };
    let kept: Ruled<()> = store::transact(store, move |tx| {
        Ok(tx.insert_checkpoint(&drafted.clone().signed(vec![1]), &drafted.heads)?)
    });
    match kept {
        Ok(()) => true,
        Err(Stop::Fault(StoreFault::Conflict(_))) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_line_that_was_taken_back_leaves_no_gap() {
    on_every_store(|shelf| {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        for kept in [true, false, true] {
            let end: Ruled<()> = store::transact(&*store, move |tx| {
                journal::append(tx, &moment(1), Bucket::new(5), "act", "it", "wallet", "")?;
                if kept { Ok(()) } else { Err(accord_core::Refusal::CodeUsed.into()) }
            });
            assert_eq!(end.is_ok(), kept);
        }
        assert_eq!(examined(&*store).lines, 2);
    });
}

/// What is hashed and what is signed are promises: exports of years ago must still hold.
#[test]
fn the_hash_of_a_line_and_the_content_of_a_checkpoint_are_for_good() {
    on_every_store(|shelf| {
        let store = shelf.open();
        let kept: Ruled<()> = store::transact(&store, |tx| {
            let at = Moment::new(Timestamp(1_768_458_600_000), [1; 32]);
            journal::append(tx, &at, Bucket::new(258), "agreement.ended", "agr", "wallet", "دينار")?;
            journal::append(tx, &at, Bucket::new(258), "agreement.ended", "agr", "wallet", "")?;
            Ok(journal::append(tx, &at, Bucket::new(3), "act", "it", "wallet", "")?)
        });
        kept.expect("kept");
        assert!(seal(&store));
        let (head, sealed) =
            store::look(&store, |rows| Ok((rows.journal_head(Bucket::new(258))?, rows.last_checkpoint()?)))
                .expect("a look");
        let JournalHead { number, hash, .. } = head.expect("a head");
        let Checkpoint { content, .. } = sealed.expect("a checkpoint");
        let three =
            store::look(&store, |rows| rows.journal_head(Bucket::new(3))).expect("a look").expect("a head");
        assert_eq!((number, hash.hex().as_str()), (2, SECOND));
        assert_eq!(
            content,
            format!(
                "accord audit checkpoint v1\nnumber 1\nat {START}\nprevious {}\nstream 3 1 {}\nstream 258 2 {SECOND}\n",
                Digest([0; 32]).hex(),
                three.hash.hex(),
            )
        );
    });
}

/// Made by another program after the documentation of `JournalLine::chained`.
const SECOND: &str = "9cf880a3caf14b2aa2d4c741b7a05d7f3868d20572df0b2be9ca6eb6b3efa069";
