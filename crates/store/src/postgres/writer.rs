//! The writers: threads that take a connection for each rule. A rule runs in a transaction of its own, again from the start when
//! another was in the way, and its end is told only when it is known.

use super::fault::{PostgresFault, Trouble, sentence};
use super::pool::{Lent, Pool};
use super::session::Session;
use crate::pace::Pace;
use crate::queue::Job;
use crate::rows::desk::Desk;
use accord_core::store::{Ended, StoreFault, Verdict, Work};
use crossbeam_channel::Receiver;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a rule is run that ends in a conflict.
const RUNS: u32 = 4;
/// How often a rule is run because others were in its way, or because the connection was lost.
const DETOURS: u32 = 24;
/// The pause before a rule runs again whose connection was lost.
const PAUSE: Duration = Duration::from_millis(50);

/// One writing thread.
pub(super) struct Writer {
    pool: Arc<Pool>,
    /// How often a lost commit is looked for.
    inquiries: u32,
    /// What the job at hand works on.
    link: Option<Lent>,
}

/// How a run ended that may be followed by another.
enum Turn {
    Over(Ended),
    /// The rule met a key that exists.
    Conflict(StoreFault),
    /// Others were in the way, or the connection is gone; nothing happened.
    Again(String),
}

impl Writer {
    pub(super) fn new(pool: Arc<Pool>, inquiries: u32) -> Writer {
        Writer { pool, inquiries, link: None }
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Receiver<Job>, pace: &Pace) {
        for Job { mut work, done } in queue.iter() {
            let began = Instant::now();
            let end = self.perform(&mut work);
            pace.note(began.elapsed(), 1);
            self.link = None;
            let _ = catch_unwind(AssertUnwindSafe(move || done(end)));
        }
    }

    fn perform(&mut self, work: &mut Work) -> Ended {
        let (mut runs, mut detours) = (0, 0);
        let mut wanted = BTreeSet::new();
        loop {
            let turn = match self.connected() {
                Ok(()) => self.turn(work, &mut wanted),
                Err(why) => return Err(StoreFault::Unavailable(why.to_string())),
            };
            match turn {
                Turn::Over(end) => return end,
                Turn::Conflict(why) => {
                    runs += 1;
                    if runs == RUNS {
                        return Err(why);
                    }
                }
                Turn::Again(why) => {
                    detours += 1;
                    if detours == DETOURS {
                        return Err(StoreFault::Unavailable(format!("not committed: {why}")));
                    }
                    if self.link.is_none() {
                        std::thread::sleep(PAUSE);
                    }
                }
            }
        }
    }

    fn connected(&mut self) -> Result<(), PostgresFault> {
        if self.link.as_ref().is_none_or(|link| link.is_closed()) {
            self.lose();
            self.link = Some(self.pool.take()?);
        }
        Ok(())
    }

    /// The connection is of no use any more.
    fn lose(&mut self) {
        if let Some(link) = self.link.take() {
            link.forget();
        }
    }

    /// Runs the rule once.
    fn turn(&mut self, work: &mut Work, wanted: &mut BTreeSet<i64>) -> Turn {
        let Some(link) = &self.link else { return Turn::Again("there is no connection".into()) };
        let session = Session::act(link, std::mem::take(wanted));
        let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut Desk(&session))));
        let trouble = session.trouble();
        let keeps = matches!(verdict, Ok(Verdict::Keep));
        if keeps && trouble.is_none() {
            let (begun, wrote, home) = (session.begun(), session.wrote(), session.home());
            *wanted = session.learned();
            return if begun { self.commit(wrote, home) } else { Turn::Over(Ok(())) };
        }
        let begun = session.begun();
        *wanted = session.learned();
        if matches!(trouble, Some(Trouble::Lost(_))) || (begun && link.run("ROLLBACK").is_err()) {
            self.lose();
        }
        match (trouble, verdict) {
            (Some(Trouble::Again(why) | Trouble::Lost(why)), _) => Turn::Again(why),
            (Some(Trouble::Conflict(why)), _) => Turn::Conflict(StoreFault::Conflict(why)),
            (Some(Trouble::Fault(fault)), _) => Turn::Over(Err(fault)),
            (None, Ok(Verdict::Fault(why @ StoreFault::Conflict(_)))) => Turn::Conflict(why),
            (None, Ok(Verdict::Fault(why))) => Turn::Over(Err(why)),
            (None, Ok(Verdict::Keep | Verdict::TakeBack)) => Turn::Over(Ok(())),
            (None, Err(_)) => Turn::Over(Err(StoreFault::Unavailable("the rule panicked".into()))),
        }
    }

    /// Commits. A transaction that wrote leaves a marker, by which its end can be found out when the answer is lost.
    fn commit(&mut self, wrote: bool, home: i64) -> Turn {
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
