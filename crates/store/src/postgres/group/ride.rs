//! The transaction of a group: what its rules ask for is locked and read together, what they write is sent together.

use super::ask::{Answer, Ask, Kept, Write, same};
use super::foresight::Foresight;
use super::many::List;
use super::{Member, Place, TRIES};
use crate::postgres::fault::Trouble;
use crate::postgres::link::{Link, Prepared};
use crate::postgres::session::Bound;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

/// Never waits for another transaction.
const TAKE_FREE: &str =
    "SELECT bucket FROM bucket_locks WHERE bucket = ANY(?1) ORDER BY bucket FOR UPDATE SKIP LOCKED";

/// The transaction.
pub(super) struct Ride<'l> {
    link: &'l Link,
    begun: bool,
    wrote: bool,
    /// Whose each bucket is.
    held: BTreeMap<i64, usize>,
    /// Among them, those that have yet to be locked.
    unlocked: BTreeSet<i64>,
}

/// What came back.
enum Came {
    Nothing,
    Rows(Vec<Row>),
    Changed(u64),
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<Came, Error>> + 'a>>;

impl<'l> Ride<'l> {
    pub(super) fn new(link: &'l Link) -> Ride<'l> {
        Ride { link, begun: false, wrote: false, held: BTreeMap::new(), unlocked: BTreeSet::new() }
    }

    /// Has it begun, has it written, and a bucket that it holds.
    pub(super) fn end(self) -> (bool, bool, i64) {
        (self.begun, self.wrote, self.held.keys().copied().find(|bucket| *bucket >= 0).unwrap_or(0))
    }

    /// Brings every rule to its end, or out of the group, and sends what they write.
    pub(super) fn all(&mut self, members: &mut [Member], foresight: &mut Foresight) -> Result<(), Trouble> {
        for (seat, member) in members.iter_mut().enumerate() {
            let wanted: Vec<i64> = member.wanted.iter().copied().collect();
            self.claim_all(seat, member, wanted);
        }
        loop {
            for member in members.iter_mut().filter(|member| member.place == Place::Riding) {
                member.run(self.link, foresight)?;
            }
            if !members.iter().any(|member| member.place == Place::Riding) {
                break;
            }
            self.read(members)?;
        }
        self.write(members)
    }

    /// Is the bucket this rule's, from now on if it was nobody's?
    fn claim(&mut self, seat: usize, bucket: i64) -> bool {
        match self.held.get(&bucket) {
            Some(holder) => *holder == seat,
            None => {
                self.held.insert(bucket, seat);
                self.unlocked.insert(bucket);
                true
            }
        }
    }

    fn claim_all(&mut self, seat: usize, member: &mut Member, buckets: Vec<i64>) {
        if !buckets.into_iter().all(|bucket| self.claim(seat, bucket)) {
            member.place = Place::Later;
        }
    }

    /// Takes what was locked from what was to be; whoever lacks a bucket that it needs tries again, and then waits alone.
    fn locked(&mut self, members: &mut [Member], taken: &[Row]) {
        let taken: BTreeSet<i64> = taken.iter().filter_map(|row| row.try_get(0).ok()).collect();
        for bucket in std::mem::take(&mut self.unlocked) {
            if taken.contains(&bucket) {
                continue;
            }
            let Some(member) = self.held.remove(&bucket).and_then(|seat| members.get_mut(seat)) else {
                continue;
            };
            if member.needs().contains(&bucket) && matches!(member.place, Place::Riding | Place::Keeps) {
                member.missed += 1;
                member.place = if member.missed < TRIES { Place::Later } else { Place::Alone };
            }
            member.asks.retain(|ask| ask.asked || ask.bucket != Some(bucket));
        }
    }

    /// Locks and reads what rules have asked for.
    fn read(&mut self, members: &mut [Member]) -> Result<(), Trouble> {
        for (seat, member) in members.iter_mut().enumerate() {
            if member.place != Place::Riding {
                continue;
            }
            let needed = member.asks.iter().filter(|ask| ask.asked).filter_map(|ask| ask.bucket).collect();
            self.claim_all(seat, member, needed);
            if member.place == Place::Riding {
                member
                    .asks
                    .retain(|ask| ask.asked || ask.bucket.is_none_or(|bucket| self.claim(seat, bucket)));
            }
        }
        let asks = Asks::of(members, self.link)?;
        let (lock, buckets) = (self.link.prepare(TAKE_FREE)?, self.to_lock());
        let mut sent = self.opening(&lock, &buckets);
        sent.extend(asks.0.iter().map(|query| query.send(self.link)));
        self.begun = true;
        let mut came = self.link.wait(all(sent))?.into_iter();
        let (_, taken) = (came.next(), came.next());
        let answers: Vec<Came> = came.collect();
        // Whose rows they are, while every place is as it was.
        let asks: Vec<(Vec<(usize, usize)>, bool)> =
            asks.0.into_iter().map(|query| (query.whose, query.together.is_some())).collect();
        for ((whose, together), came) in asks.into_iter().zip(answers) {
            let Came::Rows(rows) = came else { continue };
            give(members, &whose, rows, together);
        }
        if let Some(Came::Rows(taken)) = taken {
            self.locked(members, &taken);
        }
        Ok(())
    }

    fn to_lock(&self) -> Vec<i64> {
        self.unlocked.iter().copied().collect()
    }

    /// The first words of the transaction, if they have not been said, and the locks.
    fn opening<'a>(&self, lock: &'a Prepared, buckets: &'a Vec<i64>) -> Vec<Sent<'a>>
    where
        'l: 'a,
    {
        let (link, begun) = (self.link, self.begun);
        let open = Box::pin(async move {
            match begun {
                true => Ok(Came::Nothing),
                false => {
                    let words = "BEGIN ISOLATION LEVEL READ COMMITTED";
                    link.client.batch_execute(words).await.map(|()| Came::Nothing)
                }
            }
        });
        let take = Box::pin(async move {
            match buckets.is_empty() {
                true => Ok(Came::Nothing),
                false => link.client.query(&lock.statement, &[buckets]).await.map(Came::Rows),
            }
        });
        vec![open, take]
    }

    /// Sends what the rules that keep have written.
    fn write(&mut self, members: &mut [Member]) -> Result<(), Trouble> {
        for (seat, member) in members.iter_mut().enumerate() {
            if member.place == Place::Keeps {
                let written = member.writes.iter().map(|write| write.bucket).collect();
                self.claim_all(seat, member, written);
            }
        }
        if !self.unlocked.is_empty() {
            let (lock, buckets) = (self.link.prepare(TAKE_FREE)?, self.to_lock());
            let sent = self.opening(&lock, &buckets);
            self.begun = true;
            let came = self.link.wait(all(sent))?;
            if let Some(Came::Rows(taken)) = came.into_iter().nth(1) {
                self.locked(members, &taken);
            }
        }
        let changes = Changes::of(members, self.link)?;
        if changes.0.is_empty() {
            return Ok(());
        }
        self.wrote = true;
        let came = self.link.wait(all(changes.0.iter().map(|change| change.send(self.link)).collect()))?;
        for (change, came) in changes.0.iter().zip(came) {
            if let (Some(expected), Came::Changed(rows)) = (change.expected, came)
                && rows != expected
            {
                return Err(Trouble::Conflict(format!("{rows} rows instead of {expected}")));
            }
        }
        Ok(())
    }
}

/// Sends all at once, and waits for all.
async fn all(mut sent: Vec<Sent<'_>>) -> Result<Vec<Came>, Error> {
    let mut came: Vec<Option<Result<Came, Error>>> = sent.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (sent, came) in sent.iter_mut().zip(&mut came).filter(|(_, came)| came.is_none()) {
            match sent.as_mut().poll(context) {
                Poll::Ready(result) => *came = Some(result),
                Poll::Pending => waiting = true,
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    came.into_iter().flatten().collect()
}

/// One statement for one rule or for many.
struct Step<'m> {
    prepared: Arc<Prepared>,
    /// For many at once.
    together: Option<(Statement, Vec<List<'m>>)>,
    /// The parameters of each.
    params: Vec<&'m [Kept]>,
    /// Whose: member and query.
    whose: Vec<(usize, usize)>,
    /// So many rows must change.
    expected: Option<u64>,
}

impl<'m> Step<'m> {
    fn new(
        link: &Link,
        sql: &'static str,
        params: Vec<&'m [Kept]>,
        whose: Vec<(usize, usize)>,
    ) -> Result<Step<'m>, Trouble> {
        let prepared = link.prepare(sql)?;
        let statement = if params.len() > 1 { link.prepare_many(sql)? } else { None };
        let lists = |statement: Statement| {
            let kinds = prepared.statement.params().iter().enumerate();
            let list = kinds.map(|(at, kind)| {
                List::of(kind, params.iter().filter_map(|params| params.get(at)).map(Kept::value))
            });
            list.collect::<Result<Vec<_>, _>>().map(|lists| (statement, lists))
        };
        let together = statement.map(lists).transpose().map_err(Trouble::Fault)?;
        Ok(Step { prepared, together, params, whose, expected: None })
    }

    fn send<'a>(&'a self, link: &'a Link) -> Sent<'a> {
        Box::pin(async move {
            let one;
            let (statement, bound): (_, Vec<&(dyn ToSql + Sync)>) = match &self.together {
                Some((statement, lists)) => (statement, lists.iter().map(List::bound).collect()),
                None => {
                    let params = self.params.iter().flat_map(|params| params.iter());
                    one = params.map(|kept| Bound(kept.value())).collect::<Vec<_>>();
                    (&self.prepared.statement, one.iter().map(|bound| bound as &(dyn ToSql + Sync)).collect())
                }
            };
            match statement.columns().is_empty() {
                true => link.client.execute(statement, &bound).await.map(Came::Changed),
                false => link.client.query(statement, &bound).await.map(Came::Rows),
            }
        })
    }
}

/// What is to be read, each statement once where it can be said for many.
struct Asks<'m>(Vec<Step<'m>>);

impl<'m> Asks<'m> {
    fn of(members: &'m [Member], link: &Link) -> Result<Asks<'m>, Trouble> {
        let mut found: Vec<(&'static str, Vec<(usize, usize)>)> = Vec::new();
        let ask = |(seat, index): (usize, usize)| -> Option<&'m Ask> { members.get(seat)?.asks.get(index) };
        for (seat, member) in members.iter().enumerate().filter(|(_, member)| member.place == Place::Riding) {
            for (index, ask) in member.asks.iter().enumerate().filter(|(_, ask)| ask.answer.is_none()) {
                match found.iter_mut().find(|(sql, _)| same(sql, ask.sql)) {
                    Some((_, whose)) => whose.push((seat, index)),
                    None => found.push((ask.sql, vec![(seat, index)])),
                }
            }
        }
        let mut steps = Vec::new();
        for (sql, whose) in found {
            let params: Vec<&[Kept]> =
                whose.iter().filter_map(|place| ask(*place)).map(|ask| ask.params.as_slice()).collect();
            if params.len() > 1 && link.prepare_many(sql)?.is_none() {
                for (params, place) in params.into_iter().zip(whose) {
                    steps.push(Step::new(link, sql, vec![params], vec![place])?);
                }
            } else {
                steps.push(Step::new(link, sql, params, whose)?);
            }
        }
        Ok(Asks(steps))
    }
}

/// Gives each rule its rows.
fn give(members: &mut [Member], whose: &[(usize, usize)], rows: Vec<Row>, together: bool) {
    let rows = Rc::new(rows);
    let mut mine: Vec<Vec<usize>> = whose.iter().map(|_| Vec::new()).collect();
    for (index, row) in rows.iter().enumerate() {
        let place = match together {
            true => row.try_get::<_, i64>(0).ok().and_then(|place| usize::try_from(place - 1).ok()),
            false => Some(0),
        };
        if let Some(mine) = place.and_then(|place| mine.get_mut(place)) {
            mine.push(index);
        }
    }
    for ((seat, index), mine) in whose.iter().zip(mine) {
        if let Some(ask) = members.get_mut(*seat).and_then(|member| member.asks.get_mut(*index)) {
            ask.answer = Some(Answer { rows: rows.clone(), mine, skip: usize::from(together) });
        }
    }
}

/// What is to be written: each rule's changes in its own order, those of many rules together where they are alike.
struct Changes<'m>(Vec<Step<'m>>);

impl<'m> Changes<'m> {
    fn of(members: &'m [Member], link: &Link) -> Result<Changes<'m>, Trouble> {
        let mut slots: Vec<(&'static str, Vec<&'m Write>)> = Vec::new();
        for member in members.iter().filter(|member| member.place == Place::Keeps) {
            let mut from = 0;
            for write in &member.writes {
                let many = link.prepare_many(write.sql)?.is_some();
                let alike = slots.iter().skip(from).position(|(sql, _)| many && same(sql, write.sql));
                let slot = match alike {
                    Some(place) => from + place,
                    None => {
                        slots.push((write.sql, Vec::new()));
                        slots.len() - 1
                    }
                };
                if let Some((_, writes)) = slots.get_mut(slot) {
                    writes.push(write);
                }
                // New rows may come together; whatever else comes a second time comes after the first.
                let inserts = link.prepare(write.sql)?.translated.inserts_once;
                from = slot + usize::from(!inserts);
            }
        }
        let steps = slots.into_iter().map(|(sql, writes)| {
            let expected = writes.iter().all(|write| write.one_row).then_some(writes.len() as u64);
            let params = writes.into_iter().map(|write| write.params.as_slice()).collect();
            let step = Step::new(link, sql, params, Vec::new())?;
            Ok(Step { expected, ..step })
        });
        steps.collect::<Result<Vec<_>, Trouble>>().map(Changes)
    }
}
