//! PostgreSQL as an engine of rows: a transaction that holds the buckets it touches, or a look.
//!
//! Several nodes write at once, so a transaction locks the row of each bucket in `bucket_locks` before it reads or
//! writes there, and keeps the lock until its end: what it has read stays true. It waits only for buckets above
//! those that it holds, so that no two wait for each other; one below that is taken makes it start again, holding
//! from the outset all that it is known to need. See docs/decisions/0005-a-transaction-holds-its-buckets.md.

use super::fault::Trouble;
use super::link::{Link, Prepared};
use super::statement::{Guard, REFERENCE};
use crate::rows::engine::{Each, Engine, Row as EngineRow};
use crate::rows::value::{Params, Value};
use accord_core::handle::Bucket;
use accord_core::store::{StoreFault, Stored};
use bytes::BytesMut;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::error::Error;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

const WAIT_FOR: &str = "SELECT bucket FROM bucket_locks WHERE bucket = ?1 FOR UPDATE";
const TAKE_IF_FREE: &str = "SELECT bucket FROM bucket_locks WHERE bucket = ?1 FOR UPDATE SKIP LOCKED";

/// A transaction in progress.
pub(super) struct Session<'l> {
    link: &'l Link,
    /// A look holds nothing and sees one state of the database.
    look: bool,
    begun: Cell<bool>,
    wrote: Cell<bool>,
    read_reference: Cell<bool>,
    held: RefCell<BTreeSet<i64>>,
    wanted: RefCell<BTreeSet<i64>>,
    trouble: RefCell<Option<Trouble>>,
}

/// What must be locked together with a statement.
enum Lock {
    Nothing,
    Wait(i64),
    IfFree(i64),
}

impl<'l> Session<'l> {
    /// A transaction that takes `wanted` at its beginning.
    pub(super) fn act(link: &'l Link, wanted: BTreeSet<i64>) -> Session<'l> {
        let session = Session::look(link);
        Session { look: false, begun: Cell::new(false), wanted: RefCell::new(wanted), ..session }
    }

    /// A look, whose transaction has begun.
    pub(super) fn look(link: &'l Link) -> Session<'l> {
        Session {
            link,
            look: true,
            begun: Cell::new(true),
            wrote: Cell::new(false),
            read_reference: Cell::new(false),
            held: RefCell::default(),
            wanted: RefCell::default(),
            trouble: RefCell::default(),
        }
    }

    /// Has anything reached the server?
    pub(super) fn begun(&self) -> bool {
        self.begun.get()
    }

    /// Has it changed rows?
    pub(super) fn wrote(&self) -> bool {
        self.wrote.get()
    }

    /// A bucket that it holds: where the marker of its commit lies.
    pub(super) fn home(&self) -> i64 {
        self.held.borrow().iter().copied().find(|bucket| *bucket >= 0).unwrap_or(0)
    }

    /// What broke it, if anything did. A rule that went on regardless changes nothing about that.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.borrow().clone()
    }

    /// What the next run should hold from its beginning: all that this one held or asked for.
    pub(super) fn learned(self) -> BTreeSet<i64> {
        let mut all = self.wanted.into_inner();
        all.extend(self.held.into_inner());
        all
    }

    fn sound(&self) -> Stored<()> {
        match &*self.trouble.borrow() {
            Some(trouble) => Err(trouble.told()),
            None => Ok(()),
        }
    }

    fn broken(&self, trouble: Trouble) -> StoreFault {
        let told = trouble.told();
        self.trouble.borrow_mut().get_or_insert(trouble);
        told
    }

    /// The first words of the transaction, if they have not been said.
    fn opening(&self) -> Option<String> {
        if self.begun.replace(true) {
            return None;
        }
        let wanted = self.wanted.borrow();
        let mut words = "BEGIN ISOLATION LEVEL READ COMMITTED".to_owned();
        if !wanted.is_empty() {
            words.push_str("; ");
            words.push_str(&lock_all(wanted.iter(), ""));
            self.held.borrow_mut().extend(wanted.iter());
        }
        Some(words)
    }

    fn lock_for(&self, bucket: Option<i64>) -> Lock {
        let Some(bucket) = bucket.filter(|_| !self.look) else { return Lock::Nothing };
        let held = self.held.borrow();
        match held.last() {
            _ if held.contains(&bucket) => Lock::Nothing,
            Some(last) if *last > bucket => Lock::IfFree(bucket),
            _ => Lock::Wait(bucket),
        }
    }

    /// Opens the transaction if need be, takes the lock and runs the statement: one round trip.
    fn send(&self, prepared: &Prepared, params: Params<'_>, bucket: Option<i64>) -> Result<Answer, Trouble> {
        // Opening comes first: it may take what is asked for.
        let opening = self.opening();
        let (lock, wanted) = match self.lock_for(bucket) {
            Lock::Nothing => (None, None),
            Lock::Wait(bucket) => (Some(self.link.prepare(WAIT_FOR)?), Some(bucket)),
            Lock::IfFree(bucket) => (Some(self.link.prepare(TAKE_IF_FREE)?), Some(bucket)),
        };
        let bound: Vec<Bound<'_>> = params.iter().map(|field| Bound(field.value())).collect();
        let bound: Vec<&(dyn ToSql + Sync)> =
            bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let place = Bound(wanted.map_or(Value::Null, Value::Int));
        let client = &self.link.client;
        // What is sent together arrives in this order; each statement sees what was committed before it began.
        let (locked, answer) = self.link.wait(async {
            let open = async {
                match &opening {
                    Some(words) => client.batch_execute(words).await,
                    None => Ok(()),
                }
            };
            let take = async {
                match &lock {
                    Some(lock) => client.query(&lock.statement, &[&place]).await.map(|rows| !rows.is_empty()),
                    None => Ok(true),
                }
            };
            let save = async {
                match prepared.translated.may_collide {
                    true => client.batch_execute("SAVEPOINT act").await,
                    false => Ok(()),
                }
            };
            let act = async {
                match prepared.statement.columns().is_empty() {
                    true => client.execute(&prepared.statement, &bound).await.map(Answer::Changed),
                    false => client.query(&prepared.statement, &bound).await.map(Answer::Rows),
                }
            };
            let (open, take, save, act) = tokio::join!(biased; open, take, save, act);
            open?;
            let taken = take?;
            save?;
            match act {
                _ if !taken => Ok((false, Answer::Changed(0))),
                Err(error)
                    if prepared.translated.may_collide
                        && error.code() == Some(&SqlState::UNIQUE_VIOLATION) =>
                {
                    client.batch_execute("ROLLBACK TO act").await?;
                    Ok((true, Answer::KeyExists))
                }
                act => act.map(|answer| (true, answer)),
            }
        })?;
        if let Some(bucket) = wanted {
            if !locked {
                self.wanted.borrow_mut().insert(bucket);
                return Err(Trouble::Again(format!("bucket {bucket} is held by another transaction")));
            }
            self.held.borrow_mut().insert(bucket);
        }
        Ok(answer)
    }
}

enum Answer {
    Rows(Vec<Row>),
    Changed(u64),
    KeyExists,
}

impl Engine for Session<'_> {
    fn query(&self, sql: &'static str, params: Params<'_>, each: &mut Each<'_>) -> Stored<()> {
        self.sound()?;
        let prepared = self.link.prepare(sql).map_err(|trouble| self.broken(trouble))?;
        if prepared.translated.guard == Guard::Reference {
            self.read_reference.set(true);
        }
        let bucket = prepared.translated.bucket(params);
        match self.send(&prepared, params, bucket).map_err(|trouble| self.broken(trouble))? {
            Answer::Rows(rows) => {
                for row in &rows {
                    if !each(row)? {
                        break;
                    }
                }
                Ok(())
            }
            _ => Err(StoreFault::Corrupt("a query without columns".into())),
        }
    }

    fn execute(&self, sql: &'static str, params: Params<'_>) -> Stored<u64> {
        self.sound()?;
        let prepared = self.link.prepare(sql).map_err(|trouble| self.broken(trouble))?;
        let bucket = match prepared.translated.guard {
            Guard::Reference => {
                let held = || {
                    self.held.borrow().contains(&REFERENCE)
                        || (!self.begun.get() && self.wanted.borrow().contains(&REFERENCE))
                };
                if self.read_reference.get() && !held() {
                    // What was read may no longer be true: again, holding them from the beginning.
                    self.wanted.borrow_mut().insert(REFERENCE);
                    return Err(self.broken(Trouble::Again("reference tables were read unheld".into())));
                }
                Some(REFERENCE)
            }
            _ => prepared.translated.bucket(params),
        };
        self.wrote.set(true);
        match self.send(&prepared, params, bucket).map_err(|trouble| self.broken(trouble))? {
            Answer::Changed(0) if prepared.translated.inserts_once => Err(key_exists()),
            Answer::KeyExists => Err(key_exists()),
            Answer::Changed(rows) => Ok(rows),
            Answer::Rows(_) => Err(StoreFault::Corrupt("a change with columns".into())),
        }
    }

    fn hold(&self, buckets: &mut dyn Iterator<Item = Bucket>) -> Stored<bool> {
        if self.look {
            return Ok(true);
        }
        let mut missing: BTreeSet<i64> = buckets.map(|bucket| i64::from(bucket.number())).collect();
        missing.retain(|bucket| !self.held.borrow().contains(bucket));
        let Some(first) = missing.first() else { return Ok(true) };
        let below = self.held.borrow().last().is_some_and(|last| last > first);
        let words = lock_all(missing.iter(), if below { " SKIP LOCKED" } else { "" });
        let taken = self.link.rows(&words).map_err(|trouble| self.broken(trouble))?.len();
        if taken < missing.len() {
            self.wanted.borrow_mut().extend(missing);
            return Err(self.broken(Trouble::Again("buckets are held by other transactions".into())));
        }
        self.held.borrow_mut().extend(missing);
        Ok(false)
    }
}

pub(super) fn key_exists() -> StoreFault {
    StoreFault::Conflict("a row of that key exists".into())
}

/// Locks buckets from the lowest to the highest.
fn lock_all<'b>(buckets: impl Iterator<Item = &'b i64>, manner: &str) -> String {
    let list: Vec<String> = buckets.map(i64::to_string).collect();
    format!(
        "SELECT bucket FROM bucket_locks WHERE bucket IN ({}) ORDER BY bucket FOR UPDATE{manner}",
        list.join(", ")
    )
}

/// A parameter, as the client library asks for it.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub(super) Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Value::Text(text) if *kind == Type::TEXT => text.to_sql(kind, out),
            Value::Bytes(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            _ => Err(format!("a parameter is not of type {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A column's bytes.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Raw<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(Some(bytes)))
    }

    fn from_sql_null(_: &Type) -> Result<Raw<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl EngineRow for Row {
    fn value(&self, index: usize) -> Option<Value<'_>> {
        let Some(bytes) = self.try_get::<_, Raw<'_>>(index).ok()?.0 else { return Some(Value::Null) };
        match *self.columns().get(index)?.type_() {
            Type::INT8 => Some(Value::Int(i64::from_be_bytes(bytes.try_into().ok()?))),
            Type::TEXT => std::str::from_utf8(bytes).ok().map(Value::Text),
            Type::BYTEA => Some(Value::Bytes(bytes)),
            _ => None,
        }
    }

    fn name(&self, index: usize) -> String {
        self.columns().get(index).map_or("?", |column| column.name()).to_owned()
    }
}
