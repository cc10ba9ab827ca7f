//! A connection for as long as it is good for something, and the end of a transaction on it, which is told only when it
//! is known.

use super::fault::{PostgresFault, Trouble, sentence};
use super::link::Link;
use super::pool::{Lent, Pool};
use accord_core::store::{Ended, StoreFault};
use std::sync::Arc;
use std::time::Duration;

/// Whoever works on one connection at a time.
pub(super) struct Holder {
    pool: Arc<Pool>,
    /// How often a lost commit is looked for.
    inquiries: u32,
    /// What the work at hand is done on.
    link: Option<Lent>,
}

/// How a run ended that may be followed by another.
pub(super) enum Turn {
    Over(Ended),
    /// The rule met a key that exists.
    Conflict(StoreFault),
    /// Others were in the way, or the connection is gone; nothing happened.
    Again(String),
}

impl Holder {
    pub(super) fn new(pool: Arc<Pool>, inquiries: u32) -> Holder {
        Holder { pool, inquiries, link: None }
    }

    /// The connection, if there is one.
    pub(super) fn link(&self) -> Option<&Link> {
        self.link.as_deref()
    }

    /// Takes a connection unless it holds one that is good.
    pub(super) fn connect(&mut self) -> Result<(), PostgresFault> {
        if self.link.as_ref().is_none_or(|link| link.is_closed()) {
            self.lose();
            self.link = Some(self.pool.take()?);
        }
        Ok(())
    }

    /// Gives the connection back.
    pub(super) fn give_back(&mut self) {
        self.link = None;
    }

    /// The connection is of no use any more.
    pub(super) fn lose(&mut self) {
        if let Some(link) = self.link.take() {
            link.forget();
        }
    }

    /// Commits. A transaction that wrote leaves a marker, by which its end can be found out when the answer is lost.
    pub(super) fn commit(&mut self, wrote: bool, home: i64) -> Turn {
        let Some(link) = &self.link else { return Turn::Again("there is no connection".into()) };
        if !wrote {
            // Nothing to lose: what was read was true when it was read.
            if link.run("COMMIT").is_err() {
                self.lose();
            }
            return Turn::Over(Ok(()));
        }
        let marker = link.next_marker();
        let _ = link.warned();
        // A cancelled wait for a standby would be acknowledged with a warning: nothing may cancel it.
        let words = format!("{}; SET LOCAL statement_timeout = 0; COMMIT", mark(home, &marker));
        match link.wait_raw(&words) {
            Ok(()) if link.warned() => {
                Turn::Over(Err(StoreFault::Unknown("committed, but perhaps not on the standby".into())))
            }
            Ok(()) => Turn::Over(Ok(())),
            Err(Some(error)) if error.as_db_error().is_some() && !is_lost(&error) => {
                // The server said no, so nothing happened.
                if link.run("ROLLBACK").is_err() {
                    self.lose();
                }
                match Trouble::of(&error) {
                    Trouble::Again(why) | Trouble::Conflict(why) => Turn::Again(why),
                    _ => Turn::Over(Err(StoreFault::Unavailable(format!(
                        "not committed: {}",
                        sentence(&error)
                    )))),
                }
            }
            Err(_) => {
                self.lose();
                self.look_for(home, &marker)
            }
        }
    }

    /// Finds out how a transaction ended whose commit was not answered. Whoever writes the marker first decides: if
    /// it is there, the transaction was committed; if it is written now, it never will be.
    fn look_for(&mut self, home: i64, marker: &str) -> Turn {
        let words = format!("{} ON CONFLICT DO NOTHING", mark(home, marker));
        for inquiry in 0..self.inquiries {
            if inquiry > 0 {
                std::thread::sleep(Duration::from_millis(500));
            }
            if self.link.as_ref().is_none_or(|link| link.is_closed()) {
                self.lose();
                self.link = self.pool.try_take().ok();
            }
            let Some(link) = &self.link else { continue };
            match link.wait(link.client.execute(&words, &[])) {
                Ok(0) => return Turn::Over(Ok(())),
                Ok(_) => return Turn::Again("the connection was lost before the commit".into()),
                Err(Trouble::Lost(_)) => self.lose(),
                Err(_) => {}
            }
        }
        Turn::Over(Err(StoreFault::Unknown("the connection was lost during the commit".into())))
    }
}

fn is_lost(error: &tokio_postgres::Error) -> bool {
    matches!(Trouble::of(error), Trouble::Lost(_))
}

/// Writes a marker. The time is the server's, for the one who removes old markers.
fn mark(home: i64, marker: &str) -> String {
    format!(
        "INSERT INTO commits (bucket, marker, at) VALUES ({home}, '\\x{marker}',
         floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)"
    )
}
