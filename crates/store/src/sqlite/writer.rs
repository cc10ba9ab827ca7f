//! The one writer: a thread that owns the one connection that writes, and commits many transactions together.
//!
//! It takes all that is queued, runs the rules, commits once, and only then tells each how it ended. A rule that refuses,
//! fails or panics harms nobody else in its group: when it has written anything, the group is rolled back and run again
//! with each rule in a savepoint of its own. Savepoints cost a copy of every page, so they wait until one is needed.

use super::engine::fault;
use super::statements::Statements;
use super::wal::WalWatch;
use crate::fence::{FENCE, Fence};
use crate::pace::Pace;
use crate::queue::Job;
use crate::rows::desk::Desk;
use accord_core::store::{Ended, StoreFault, Verdict, Work};
use crossbeam_channel::Receiver;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// How often a rule is run that ends in a conflict.
const RUNS: u32 = 4;

/// Runs until the queue is closed and empty.
pub(super) fn run(db: &Connection, queue: &Receiver<Job>, most: usize, mut wal: WalWatch, pace: &Pace) {
    let db = &Statements::new(db);
    while let Ok(first) = queue.recv() {
        let mut jobs = vec![first];
        jobs.extend(queue.try_iter().take(most.saturating_sub(1)));
        let (count, began) = (jobs.len(), Instant::now());
        group(db, jobs);
        pace.note(began.elapsed(), count);
        wal.look(db);
    }
}

/// Why a whole group came to nothing.
#[derive(Debug)]
enum Lost {
    /// A rule wrote and took it back; the group is rolled back, and each rule needs a savepoint.
    Mixed,
    /// One rule brought the transaction down: nothing is committed, each may be tried alone.
    Broken(StoreFault),
    /// The group as a whole could not begin or commit.
    Ended(StoreFault),
}

/// How the rules of a group are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// By nothing: all of them keep what they write.
    Never,
    /// Each by a savepoint.
    Each,
}

pub(super) fn group(db: &Statements<'_>, mut jobs: Vec<Job>) {
    let done = match together(db, &mut jobs, Apart::Never) {
        Err(Lost::Mixed) => together(db, &mut jobs, Apart::Each),
        done => done,
    };
    match done {
        Ok(ends) => jobs.into_iter().zip(ends).for_each(|(job, end)| tell(job, end)),
        Err(Lost::Broken(_)) if jobs.len() > 1 => jobs.into_iter().for_each(|job| group(db, vec![job])),
        Err(Lost::Broken(why) | Lost::Ended(why)) => {
            jobs.into_iter().for_each(|job| tell(job, Err(why.clone())));
        }
        Err(Lost::Mixed) => {
            let why = "the transaction came to nothing";
            jobs.into_iter().for_each(|job| tell(job, Err(StoreFault::Unavailable(why.into()))));
        }
    }
}

fn tell(job: Job, end: Ended) {
    let done = job.done;
    let _ = catch_unwind(AssertUnwindSafe(move || done(end)));
}

/// Runs the rules in one transaction and commits it.
fn together(db: &Statements<'_>, jobs: &mut [Job], apart: Apart) -> Result<Vec<Ended>, Lost> {
    let ended = |error| Lost::Ended(fault(error));
    db.step("BEGIN IMMEDIATE").map_err(ended)?;
    let Some(fence) = fence(db).map_err(ended)? else { return in_turn(db, jobs, apart) };
    // Nothing may be written any more: what only reads is answered, the rest fails at its first write.
    db.step("ROLLBACK").and_then(|()| db.step("BEGIN DEFERRED")).map_err(ended)?;
    db.pragma_update(None, "query_only", true).map_err(ended)?;
    let done = in_turn(db, jobs, apart);
    db.pragma_update(None, "query_only", false).map_err(ended)?;
    let refused = || Err(StoreFault::Unavailable(fence.sentence()));
    Ok(done?.into_iter().map(|end| if end.is_ok() { end } else { refused() }).collect())
}

/// Is the store being moved?
pub(super) fn fence(db: &Statements<'_>) -> rusqlite::Result<Option<Fence>> {
    let statement = db.statement("SELECT value FROM settings WHERE name = ?1")?;
    let text = statement.borrow_mut().query_row([FENCE], |row| row.get::<_, String>(0)).optional()?;
    Ok(text.map(|text| Fence::read(&text)))
}

fn in_turn(db: &Statements<'_>, jobs: &mut [Job], apart: Apart) -> Result<Vec<Ended>, Lost> {
    let (only, mut ends) = (jobs.len() == 1, Vec::with_capacity(jobs.len()));
    for job in jobs {
        let end = match apart {
            Apart::Never => bare(db, &mut job.work, only),
            Apart::Each => alone(db, &mut job.work).map_err(Lost::Broken),
        };
        match end {
            Ok(end) => ends.push(end),
            Err(why) => {
                if !db.is_autocommit() {
                    // A connection that cannot roll back fails every later BEGIN, so nothing is ever half told.
                    let _ = db.step("ROLLBACK");
                }
                return Err(why);
            }
        }
    }
    if db.is_autocommit() {
        // The only rule was taken back, and the transaction with it.
        return Ok(ends);
    }
    match db.step("COMMIT") {
        Ok(()) => Ok(ends),
        Err(error) => Err(Lost::Ended(not_committed(db, &error))),
    }
}

/// What a failed COMMIT means: certain that nothing happened, or not certain of anything.
fn not_committed(db: &Statements<'_>, error: &rusqlite::Error) -> StoreFault {
    let code = error.sqlite_error().map(|inner| inner.code);
    if !db.is_autocommit() {
        // Still inside: SQLite did not begin to write the end of the transaction.
        return match db.step("ROLLBACK") {
            Ok(()) => StoreFault::Unavailable(format!("not committed: {error}")),
            Err(_) => StoreFault::Unknown(error.to_string()),
        };
    }
    match code {
        // The log had no room for the transaction's end, so it has none.
        Some(ErrorCode::DiskFull) => StoreFault::Unavailable(format!("not committed: {error}")),
        // A failed sync: the end may be on the disk or not.
        _ => StoreFault::Unknown(error.to_string()),
    }
}

/// Runs one rule in the group's transaction. What it wrote and wants to take back cannot be parted from what others wrote
/// before it, unless it is the `only` one.
fn bare(db: &Statements<'_>, work: &mut Work, only: bool) -> Result<Ended, Lost> {
    for last in (0..RUNS).map(|run| run + 1 == RUNS) {
        let before = db.total_changes();
        let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut Desk(db))));
        if db.is_autocommit() {
            return Err(Lost::Broken(rolled_back(verdict.ok())));
        }
        let wrote = db.total_changes() != before;
        let end = match verdict {
            Ok(Verdict::Keep) => return Ok(Ok(())),
            Ok(Verdict::TakeBack) => Ok(()),
            Ok(Verdict::Fault(StoreFault::Conflict(_))) if wrote => return Err(Lost::Mixed),
            Ok(Verdict::Fault(StoreFault::Conflict(_))) if !last => continue,
            Ok(Verdict::Fault(why)) => Err(why),
            Err(_) => Err(panicked()),
        };
        return match (wrote, only) {
            (false, _) => Ok(end),
            (true, true) => db.step("ROLLBACK").map(|()| end).map_err(|error| Lost::Ended(fault(error))),
            (true, false) => Err(Lost::Mixed),
        };
    }
    Ok(Err(lasting_conflict()))
}

/// What is told when the database itself ended the transaction under a rule.
fn rolled_back(verdict: Option<Verdict>) -> StoreFault {
    match verdict {
        Some(Verdict::Fault(why)) => why,
        _ => StoreFault::Unavailable("the database rolled the transaction back".into()),
    }
}

fn panicked() -> StoreFault {
    StoreFault::Unavailable("the rule panicked".into())
}

fn lasting_conflict() -> StoreFault {
    StoreFault::Conflict("the rule ended in a conflict each time".into())
}

/// Runs one rule in its savepoint. An error means that the whole transaction is gone.
fn alone(db: &Statements<'_>, work: &mut Work) -> Result<Ended, StoreFault> {
    for last in (0..RUNS).map(|run| run + 1 == RUNS) {
        db.step("SAVEPOINT job").map_err(fault)?;
        let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut Desk(db))));
        if db.is_autocommit() {
            return Err(rolled_back(verdict.ok()));
        }
        if let Ok(Verdict::Keep) = verdict {
            db.step("RELEASE job").map_err(fault)?;
            return Ok(Ok(()));
        }
        db.step("ROLLBACK TO job").map_err(fault)?;
        db.step("RELEASE job").map_err(fault)?;
        match verdict {
            Ok(Verdict::Fault(StoreFault::Conflict(_))) if !last => {}
            Ok(Verdict::Fault(why)) => return Ok(Err(why)),
            Ok(Verdict::Keep | Verdict::TakeBack) => return Ok(Ok(())),
            Err(_) => return Ok(Err(panicked())),
        }
    }
    Ok(Err(lasting_conflict()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migrations;
    use accord_core::store::{Rows, Tx};
    use std::path::Path;
    use std::sync::mpsc;

    fn empty() -> Connection {
        let db = Connection::open_in_memory().expect("a database in memory");
        migrations::migrate(&db, Path::new(":memory:"), &Default::default()).expect("a migrated database");
        db
    }

    /// Runs rules as one group and gives how each ended.
    fn ends(db: &Connection, rules: Vec<fn(&mut dyn Tx) -> Verdict>) -> Vec<Ended> {
        let (send, receive) = mpsc::channel();
        let jobs = rules.into_iter().enumerate().map(|(number, rule)| {
            let send = send.clone();
            Job { work: Box::new(rule), done: Box::new(move |end| drop(send.send((number, end)))) }
        });
        group(&Statements::new(db), jobs.collect());
        drop(send);
        let mut ends: Vec<(usize, Ended)> = receive.iter().collect();
        ends.sort_by_key(|(number, _)| *number);
        ends.into_iter().map(|(_, end)| end).collect()
    }

    fn put(tx: &mut dyn Tx, name: &str, value: &str) -> Verdict {
        match tx.put_setting(name, value) {
            Ok(()) => Verdict::Keep,
            Err(why) => Verdict::Fault(why),
        }
    }

    fn has(db: &Connection, name: &str) -> bool {
        Desk(&Statements::new(db)).setting(name).expect("a setting").is_some()
    }

    #[test]
    fn a_rule_that_fills_the_disk_fails_alone() {
        let db = empty();
        let pages: u32 = db.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("pages");
        db.query_row(&format!("PRAGMA max_page_count = {}", pages + 20), [], |_| Ok(())).expect("a limit");
        let large = |tx: &mut dyn Tx| put(tx, "large", &"x".repeat(1_000_000));
        let stubborn = |tx: &mut dyn Tx| {
            // It goes on as if nothing had happened; nothing of it may stay.
            let _ = tx.put_setting("large", &"x".repeat(1_000_000));
            let _ = tx.put_setting("stubborn", "1");
            Verdict::Keep
        };
        let ends = ends(
            &db,
            vec![|tx| put(tx, "a", "1"), large, |tx| put(tx, "b", "1"), stubborn, |tx| put(tx, "c", "1")],
        );
        for number in [1, 3] {
            assert!(matches!(ends[number], Err(StoreFault::Unavailable(_))), "{ends:?}");
        }
        assert!(ends[0].is_ok() && ends[2].is_ok() && ends[4].is_ok(), "{ends:?}");
        assert!(has(&db, "a") && has(&db, "b") && has(&db, "c"));
        assert!(!has(&db, "large") && !has(&db, "stubborn"));
    }

    #[test]
    fn a_commit_that_is_refused_is_told_to_all_and_leaves_nothing() {
        let db = empty();
        db.execute_batch(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE children (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER poison AFTER INSERT ON settings WHEN new.name = 'poison'
             BEGIN INSERT INTO children VALUES (1); END;",
        )
        .expect("a trap");
        let told =
            ends(&db, vec![|tx| put(tx, "a", "1"), |tx| put(tx, "poison", "1"), |_| Verdict::TakeBack]);
        assert!(told.iter().all(|end| matches!(end, Err(StoreFault::Unavailable(_)))), "{told:?}");
        assert!(!has(&db, "a") && !has(&db, "poison"));
        assert_eq!(ends(&db, vec![|tx| put(tx, "a", "1")]), vec![Ok(())]);
    }

    #[test]
    fn only_a_commit_that_surely_failed_is_called_failed() {
        let db = empty();
        let db = Statements::new(&db);
        let failed = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        for (code, sure) in [
            (rusqlite::ffi::SQLITE_FULL, true),
            (rusqlite::ffi::SQLITE_IOERR_FSYNC, false),
            (rusqlite::ffi::SQLITE_NOMEM, false),
        ] {
            let told = not_committed(&db, &failed(code));
            assert_eq!(matches!(told, StoreFault::Unavailable(_)), sure, "{told:?}");
            assert_eq!(matches!(told, StoreFault::Unknown(_)), !sure, "{told:?}");
        }
        db.step("BEGIN IMMEDIATE").expect("a transaction");
        let told = not_committed(&db, &failed(rusqlite::ffi::SQLITE_BUSY));
        assert!(matches!(told, StoreFault::Unavailable(_)) && db.is_autocommit(), "{told:?}");
    }

    #[test]
    fn behind_a_fence_what_only_reads_is_answered() {
        let db = empty();
        ends(&db, vec![|tx| put(tx, "a", "1")]);
        let fence = Fence { stage: crate::fence::Stage::Moving, id: "x".into(), other: "there".into() };
        db.execute("INSERT INTO settings VALUES (?1, ?2)", [FENCE, &fence.written()]).expect("a fence");
        let reads = |tx: &mut dyn Tx| match tx.setting("a") {
            Ok(Some(_)) => Verdict::Keep,
            _ => Verdict::Fault(StoreFault::Corrupt("a is gone".into())),
        };
        let stubborn = |tx: &mut dyn Tx| {
            let _ = tx.put_setting("stubborn", "1");
            Verdict::Keep
        };
        let told = ends(&db, vec![reads, |tx| put(tx, "b", "1"), reads, stubborn, |_| Verdict::TakeBack]);
        assert!(told[0].is_ok() && told[2].is_ok() && told[4].is_ok(), "{told:?}");
        assert!(
            matches!(&told[1], Err(StoreFault::Unavailable(why)) if why.contains("being moved to there")),
            "{told:?}"
        );
        assert!(!has(&db, "b") && !has(&db, "stubborn"));
        db.execute("DELETE FROM settings WHERE name = ?1", [FENCE]).expect("no fence");
        assert_eq!(ends(&db, vec![|tx| put(tx, "b", "1")]), vec![Ok(())]);
    }

    #[test]
    fn whoever_panics_when_told_harms_nobody() {
        let db = empty();
        let (send, receive) = mpsc::channel();
        let keep = || -> Work { Box::new(|_: &mut dyn Tx| Verdict::Keep) };
        let deaf = Job { work: keep(), done: Box::new(|_| panic!("so it was asked")) };
        let other = Job { work: keep(), done: Box::new(move |end| drop(send.send(end))) };
        group(&Statements::new(&db), vec![deaf, other]);
        assert_eq!(receive.recv(), Ok(Ok(())));
    }
}
