//! The readers: a few threads, each with a connection that cannot write. A look sees one state of the database
//! from its beginning to its end, and never waits for the writer.

use super::engine::fault;
use super::statements::Statements;
use crate::queue::Glance;
use crate::rows::desk::Desk;
use accord_core::store::{Done, Ended, Look, StoreFault};
use crossbeam_channel::Receiver;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs until the queue is closed and empty.
pub(super) fn run(db: &Connection, queue: &Receiver<Glance>) {
    let db = &Statements::new(db);
    for Glance { look, done } in queue.iter() {
        serve(db, look, done);
    }
}

/// Looks, and says that it is over.
pub(super) fn serve(db: &Statements<'_>, look: Look, done: Done) {
    let end = glance(db, look);
    let _ = catch_unwind(AssertUnwindSafe(move || done(end)));
}

fn glance(db: &Statements<'_>, look: Look) -> Ended {
    db.step("BEGIN DEFERRED").map_err(fault)?;
    let looked = catch_unwind(AssertUnwindSafe(|| look(&Desk(db))));
    if !db.is_autocommit() {
        db.step("ROLLBACK").map_err(fault)?;
    }
    looked.map_err(|_| StoreFault::Unavailable("the look panicked".into()))
}
