//! Groups: many rules in one transaction on one connection, as SQLite's writer does it, for what a statement and a commit
//! cost beside their rows is shared then.
//!
//! The rules of a group never touch one bucket together, so none can see or disturb what another does; who needs a bucket
//! that another of the group has goes with the next one. Each runs until it asks for rows that have not been read; what
//! all of them ask for is locked and read together ([`ride`]), and they run again from the start, with more answers. What
//! they write is kept until every rule has ended, and goes together then, once, in front of the commit. So a rule that
//! refuses leaves nothing to take back, and the end of all is the end of one commit.
//!
//! This is a way to be quick, not a second truth: wherever something is not as expected (a lock that another transaction
//! holds, a key that exists, a row that is not there, a lost connection), nothing is kept, and each rule that is concerned
//! runs alone ([`super::writer`]), where it hears of everything at its place.
//! See docs/decisions/0012-rules-ride-together.md.

mod ask;
mod foresight;
pub(super) mod many;
mod ride;
mod seat;

use super::fault::Trouble;
use super::holder::{Holder, Turn};
use super::link::Link;
use super::pool::Pool;
use super::writer::Alone;
use crate::pace::Pace;
use crate::queue::Job;
use crate::rows::desk::Desk;
use accord_core::store::{Done, Ended, StoreFault, Verdict, Work};
use ask::{Ask, Write};
use crossbeam_channel::{Receiver, Sender};
use foresight::Foresight;
use ride::Ride;
use seat::{Seat, Stop};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// Rules in a group at most.
const MOST: usize = 64;
/// So often a rule whose bucket another transaction holds goes with the next group, before it waits alone.
const TRIES: u32 = 3;

/// One thread that brings groups to their end.
pub(super) struct Grouper {
    holder: Holder,
    foresight: Foresight,
    /// Where rules go that must run alone.
    alone: Sender<Alone>,
    /// Who goes with the next group.
    later: Vec<Member>,
}

/// A rule of a group.
pub(super) struct Member {
    work: Work,
    done: Done,
    /// What it has asked for, or is expected to.
    asks: Vec<Ask>,
    writes: Vec<Write>,
    /// Buckets that it is known to need.
    wanted: BTreeSet<i64>,
    /// How often a bucket that it needs was held by another transaction.
    missed: u32,
    place: Place,
}

/// How far a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It runs, again when it has been answered.
    Riding,
    /// It has ended; what it wants to write is to be kept.
    Keeps,
    /// It has ended, and wrote nothing that is to stay.
    Leaves,
    /// It goes with the next group.
    Later,
    /// It must run alone.
    Alone,
}

impl Member {
    fn of(job: Job) -> Member {
        let Job { work, done } = job;
        let (asks, writes, wanted) = (Vec::new(), Vec::new(), BTreeSet::new());
        Member { work, done, asks, writes, wanted, missed: 0, place: Place::Riding }
    }

    /// Runs the rule as far as the answers go.
    fn run(&mut self, link: &Link, foresight: &mut Foresight) -> Result<(), Trouble> {
        let seat = Seat::new(link, &self.asks);
        let verdict = catch_unwind(AssertUnwindSafe(|| (self.work)(&mut Desk(&seat))));
        let ran = seat.ran();
        match (ran.stop, verdict) {
            (Some(Stop::Trouble(trouble)), _) => return Err(trouble),
            (Some(Stop::Alone), _) => self.place = Place::Alone,
            (Some(Stop::Unread(ask)), _) => {
                let expected =
                    self.asks.iter_mut().find(|known| known.sql == ask.sql && known.params == ask.params);
                match expected {
                    Some(known) => known.asked = true,
                    None => self.asks.push(ask),
                }
                foresight.foresee(link, &mut self.asks);
            }
            (None, Ok(Verdict::Keep)) => {
                foresight.learn(&self.asks, &ran.used);
                self.place = if ran.writes.is_empty() { Place::Leaves } else { Place::Keeps };
                self.writes = ran.writes;
            }
            (None, Ok(Verdict::TakeBack)) if ran.writes.is_empty() => self.place = Place::Leaves,
            // A refusal may have come of a write that was only thought to succeed. Whatever it is, it is told where the rule
            // runs alone.
            (None, Ok(Verdict::TakeBack | Verdict::Fault(_)) | Err(_)) => self.place = Place::Alone,
        }
        Ok(())
    }

    /// The buckets that it has asked for, or wants to write to.
    fn needs(&self) -> BTreeSet<i64> {
        let asked = self.asks.iter().filter(|ask| ask.asked).filter_map(|ask| ask.bucket);
        let written = self.writes.iter().map(|write| write.bucket);
        self.wanted.iter().copied().chain(asked).chain(written).collect()
    }

    fn tell(self, end: Ended) {
        let done = self.done;
        let _ = catch_unwind(AssertUnwindSafe(move || done(end)));
    }
}

impl Grouper {
    pub(super) fn new(pool: Arc<Pool>, inquiries: u32, alone: Sender<Alone>) -> Grouper {
        let (holder, foresight) = (Holder::new(pool, inquiries), Foresight::default());
        Grouper { holder, foresight, alone, later: Vec::new() }
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Receiver<Job>, pace: &Pace) {
        loop {
            let mut members = std::mem::take(&mut self.later);
            if members.is_empty() {
                let Ok(job) = queue.recv() else { return };
                members.push(Member::of(job));
            }
            members.extend(queue.try_iter().take(MOST.saturating_sub(members.len())).map(Member::of));
            let (count, began) = (members.len(), Instant::now());
            self.group(members);
            pace.note(began.elapsed(), count.saturating_sub(self.later.len()));
        }
    }

    fn group(&mut self, mut members: Vec<Member>) {
        if let Err(why) = self.holder.connect() {
            let why = StoreFault::Unavailable(why.to_string());
            return members.into_iter().for_each(|member| member.tell(Err(why.clone())));
        }
        let turn = self.transact(&mut members);
        self.holder.give_back();
        for mut member in members {
            match (member.place, &turn) {
                (Place::Leaves, _) | (Place::Keeps, Turn::Over(Ok(()))) => member.tell(Ok(())),
                (Place::Keeps, Turn::Over(Err(why @ StoreFault::Unknown(_)))) => {
                    let why = why.clone();
                    member.tell(Err(why));
                }
                (Place::Later, _) => {
                    member.wanted = member.needs();
                    member.asks.clear();
                    member.writes.clear();
                    member.place = Place::Riding;
                    self.later.push(member);
                }
                // Nothing of it happened.
                (Place::Alone | Place::Riding | Place::Keeps, _) => {
                    let wanted = member.needs();
                    let Member { work, done, .. } = member;
                    if let Err(closed) = self.alone.send(Alone { work, done, wanted }) {
                        (closed.0.done)(Err(StoreFault::Unavailable("the writers have stopped".into())));
                    }
                }
            }
        }
    }

    /// Brings a group to the end of its transaction.
    fn transact(&mut self, members: &mut [Member]) -> Turn {
        let Some(link) = self.holder.link() else { return Turn::Again("there is no connection".into()) };
        let mut ride = Ride::new(link);
        match ride.all(members, &mut self.foresight) {
            Ok(()) => {
                let (begun, wrote, home) = ride.end();
                if begun { self.holder.commit(wrote, home) } else { Turn::Over(Ok(())) }
            }
            Err(trouble) => {
                let (begun, ..) = ride.end();
                if matches!(trouble, Trouble::Lost(_)) || (begun && link.run("ROLLBACK").is_err()) {
                    self.holder.lose();
                }
                Turn::Again(format!("{trouble:?}"))
            }
        }
    }
}
