//! The readers: threads that take a connection for each look. A look sees one state of the database from its beginning to its end,
//! and never waits for writers.

use super::fault::Trouble;
use super::pool::{Lent, Pool};
use super::session::Session;
use crate::queue::Glance;
use crate::rows::desk::Desk;
use accord_core::store::{Ended, Look, StoreFault, Stored};
use crossbeam_channel::Receiver;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How often a connection that has gone stale is replaced before a look is told that there is none.
const TRIES: u32 = 4;

/// One reading thread.
pub(super) struct Reader(Arc<Pool>);

impl Reader {
    pub(super) fn new(pool: Arc<Pool>) -> Reader {
        Reader(pool)
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(self, queue: &Receiver<Glance>) {
        for Glance { look, done } in queue.iter() {
            let end = self.glance(look);
            let _ = catch_unwind(AssertUnwindSafe(move || done(end)));
        }
    }

    fn glance(&self, look: Look) -> Ended {
        let link = self.begin()?;
        let session = Session::look(&link);
        let looked = catch_unwind(AssertUnwindSafe(|| look(&Desk(&session))));
        let trouble = session.trouble();
        drop(session);
        if matches!(trouble, Some(Trouble::Lost(_))) || link.run("ROLLBACK").is_err() {
            link.forget();
        }
        match (looked, trouble) {
            (Err(_), _) => Err(StoreFault::Unavailable("the look panicked".into())),
            (Ok(()), Some(trouble)) => Err(trouble.told()),
            (Ok(()), None) => Ok(()),
        }
    }

    /// A connection on which a transaction has begun.
    fn begin(&self) -> Stored<Lent> {
        let mut why = StoreFault::Unavailable("no connection".into());
        for _ in 0..TRIES {
            let link = self.0.take().map_err(|fault| StoreFault::Unavailable(fault.to_string()))?;
            match link.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {
                Ok(()) => return Ok(link),
                Err(trouble) => {
                    why = StoreFault::Unavailable(format!("{trouble:?}"));
                    link.forget();
                }
            }
        }
        Err(why)
    }
}
