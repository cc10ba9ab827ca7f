//! The writers: threads that take a connection for each rule that must run alone (see `group`). It runs in a transaction of
//! its own, again from the start when another was in the way, and its end is told only when it is known.

use super::fault::Trouble;
use super::holder::{Holder, Turn};
use super::pool::Pool;
use super::session::Session;
use crate::pace::Pace;
use crate::rows::desk::Desk;
use accord_core::store::{Done, Ended, StoreFault, Verdict, Work};
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
pub(super) struct Writer(Holder);

/// A rule that is to run alone, and the buckets that it is known to need.
pub(super) struct Alone {
    pub(super) work: Work,
    pub(super) done: Done,
    pub(super) wanted: BTreeSet<i64>,
}

impl Writer {
    pub(super) fn new(pool: Arc<Pool>, inquiries: u32) -> Writer {
        Writer(Holder::new(pool, inquiries))
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Receiver<Alone>, pace: &Pace) {
        for Alone { mut work, done, wanted } in queue.iter() {
            let began = Instant::now();
            let end = self.perform(&mut work, wanted);
            pace.note(began.elapsed(), 1);
            self.0.give_back();
            let _ = catch_unwind(AssertUnwindSafe(move || done(end)));
        }
    }

    fn perform(&mut self, work: &mut Work, mut wanted: BTreeSet<i64>) -> Ended {
        let (mut runs, mut detours) = (0, 0);
        loop {
            let turn = match self.0.connect() {
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
                    if self.0.link().is_none() {
                        std::thread::sleep(PAUSE);
                    }
                }
            }
        }
    }

    /// Runs the rule once.
    fn turn(&mut self, work: &mut Work, wanted: &mut BTreeSet<i64>) -> Turn {
        let Some(link) = self.0.link() else { return Turn::Again("there is no connection".into()) };
        let session = Session::act(link, std::mem::take(wanted));
        let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut Desk(&session))));
        let trouble = session.trouble();
        let keeps = matches!(verdict, Ok(Verdict::Keep));
        if keeps && trouble.is_none() {
            let (begun, wrote, home) = (session.begun(), session.wrote(), session.home());
            *wanted = session.learned();
            return if begun { self.0.commit(wrote, home) } else { Turn::Over(Ok(())) };
        }
        let begun = session.begun();
        *wanted = session.learned();
        if matches!(trouble, Some(Trouble::Lost(_))) || (begun && link.run("ROLLBACK").is_err()) {
            self.0.lose();
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
}
