//! A rule's place in a group: an engine of rows that answers from what has been read, and keeps what is to be written.
//!
//! A rule that asks for what has not been read yet stops there; it runs again from the start when it is read. What a group
//! cannot do for a rule (lists over many buckets, tables without a bucket, reading what itself has written) it does alone.

use super::ask::{Ask, Kept, Write, same};
use crate::postgres::fault::Trouble;
use crate::postgres::link::{Link, Prepared};
use crate::postgres::statement::Guard;
use crate::rows::engine::{Each, Engine};
use crate::rows::value::Params;
use accord_core::handle::Bucket;
use accord_core::store::{StoreFault, Stored};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// One run of a rule.
pub(super) struct Seat<'a> {
    link: &'a Link,
    asks: &'a [Ask],
    used: RefCell<Vec<usize>>,
    writes: RefCell<Vec<Write>>,
    stop: RefCell<Option<Stop>>,
    wrote: Cell<bool>,
}

/// Why a run was of no use.
pub(super) enum Stop {
    /// It needs this first.
    Unread(Ask),
    /// It must run alone.
    Alone,
    /// The connection or the server failed.
    Trouble(Trouble),
}

/// What a run left.
pub(super) struct Ran {
    pub(super) stop: Option<Stop>,
    /// Which answers it used, in that order.
    pub(super) used: Vec<usize>,
    pub(super) writes: Vec<Write>,
}

impl<'a> Seat<'a> {
    pub(super) fn new(link: &'a Link, asks: &'a [Ask]) -> Seat<'a> {
        Seat {
            link,
            asks,
            used: RefCell::default(),
            writes: RefCell::default(),
            stop: RefCell::default(),
            wrote: Cell::new(false),
        }
    }

    pub(super) fn ran(self) -> Ran {
        Ran { stop: self.stop.into_inner(), used: self.used.into_inner(), writes: self.writes.into_inner() }
    }

    /// The run is over; a rule that goes on regardless changes nothing about that.
    fn stopped(&self, stop: Stop) -> StoreFault {
        self.stop.borrow_mut().get_or_insert(stop);
        over()
    }

    fn prepared(&self, sql: &'static str) -> Stored<Arc<Prepared>> {
        if self.stop.borrow().is_some() {
            return Err(over());
        }
        self.link.prepare(sql).map_err(|trouble| self.stopped(Stop::Trouble(trouble)))
    }

    /// Does the rule want to write to one of those tables?
    fn has_written(&self, prepared: &Prepared) -> Stored<bool> {
        for write in &*self.writes.borrow() {
            let written = self.prepared(write.sql)?;
            if written.translated.tables.iter().any(|table| prepared.translated.tables.contains(table)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn keep(&self, sql: &'static str, params: Params<'_>, one_row: bool) -> Stored<()> {
        let prepared = self.prepared(sql)?;
        let bucket = match prepared.translated.guard {
            Guard::FirstParameter | Guard::Home(_) => prepared.translated.bucket(params),
            Guard::Reference | Guard::Scan => None,
        };
        let Some(bucket) = bucket else { return Err(self.stopped(Stop::Alone)) };
        // An insert of a key that exists is a conflict even where the rule does not count rows.
        let one_row = one_row || prepared.translated.inserts_once;
        self.writes.borrow_mut().push(Write { sql, params: Kept::all(params), bucket, one_row });
        self.wrote.set(true);
        Ok(())
    }
}

fn over() -> StoreFault {
    StoreFault::Unavailable("this run of the rule is over".into())
}

impl Engine for Seat<'_> {
    fn query(&self, sql: &'static str, params: Params<'_>, each: &mut Each<'_>) -> Stored<()> {
        let prepared = self.prepared(sql)?;
        let guard = prepared.translated.guard;
        let bucket = prepared.translated.bucket(params);
        let placed = guard == Guard::Reference || bucket.is_some();
        if !placed || (self.wrote.get() && self.has_written(&prepared)?) {
            return Err(self.stopped(Stop::Alone));
        }
        let found = self.asks.iter().position(|ask| same(ask.sql, sql) && ask.is(sql, params));
        let answer = found.and_then(|index| Some((index, self.asks.get(index)?.answer.as_ref()?)));
        let Some((index, answer)) = answer else {
            let ask = Ask { sql, params: Kept::all(params), bucket, asked: true, answer: None };
            return Err(self.stopped(Stop::Unread(ask)));
        };
        if !self.used.borrow().contains(&index) {
            self.used.borrow_mut().push(index);
        }
        for row in answer.each() {
            if !each(&row)? {
                break;
            }
        }
        Ok(())
    }

    fn execute(&self, sql: &'static str, params: Params<'_>) -> Stored<u64> {
        // That it changes one row is seen before the commit.
        self.keep(sql, params, true).map(|()| 1)
    }

    fn run(&self, sql: &'static str, params: Params<'_>) -> Stored<()> {
        self.keep(sql, params, false)
    }

    fn hold(&self, _: &mut dyn Iterator<Item = Bucket>) -> Stored<bool> {
        Err(self.stopped(Stop::Alone))
    }
}
