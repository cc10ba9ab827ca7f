//! The readers: threads with a connection each. A look sees one state of the database from its beginning to its end,
//! and never waits for writers.

use super::fault::Trouble;
use super::link::Link;
use super::session::Session;
use super::settings::{PostgresOptions, PostgresUrl};
use crate::queue::Glance;
use crate::rows::desk::Desk;
use accord_core::store::{Ended, Look, StoreFault};
use crossbeam_channel::Receiver;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// How often a connection is tried before a look is told that there is none.
const TRIES: u32 = 4;

/// One reading thread.
pub(super) struct Reader {
    url: PostgresUrl,
    options: PostgresOptions,
    link: Option<Link>,
}

impl Reader {
    pub(super) fn new(url: PostgresUrl, options: PostgresOptions) -> Reader {
        Reader { url, options, link: None }
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Receiver<Glance>) {
        for Glance { look, done } in queue.iter() {
            let end = self.glance(look);
            let _ = catch_unwind(AssertUnwindSafe(move || done(end)));
        }
    }

    fn glance(&mut self, look: Look) -> Ended {
        self.begin()?;
        let Some(link) = &self.link else { return Err(StoreFault::Unavailable("no connection".into())) };
        let session = Session::look(link);
        let looked = catch_unwind(AssertUnwindSafe(|| look(&Desk(&session))));
        let trouble = session.trouble();
        if matches!(trouble, Some(Trouble::Lost(_))) || link.run("ROLLBACK").is_err() {
            self.link = None;
        }
        match (looked, trouble) {
            (Err(_), _) => Err(StoreFault::Unavailable("the look panicked".into())),
            (Ok(()), Some(trouble)) => Err(trouble.told()),
            (Ok(()), None) => Ok(()),
        }
    }

    /// Begins a transaction; a connection that has gone stale is replaced.
    fn begin(&mut self) -> Ended {
        let mut why = StoreFault::Unavailable("no connection".into());
        for tries in 0..TRIES {
            if tries > 1 {
                std::thread::sleep(Duration::from_millis(50 << tries));
            }
            self.link.take_if(|link| link.is_closed());
            if self.link.is_none() {
                match Link::open(&self.url, &self.options) {
                    Ok(link) => self.link = Some(link),
                    Err(fault) => {
                        why = StoreFault::Unavailable(fault.to_string());
                        continue;
                    }
                }
            }
            match self.link.as_ref().map(|link| link.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")) {
                Some(Ok(())) => return Ok(()),
                Some(Err(trouble)) => {
                    why = StoreFault::Unavailable(format!("{trouble:?}"));
                    self.link = None;
                }
                None => {}
            }
        }
        Err(why)
    }
}
