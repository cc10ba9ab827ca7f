//! The store of a cluster: PostgreSQL 15 or newer, and whatever speaks its protocol and its transactions.
//!
//! One thread runs rules in groups (`group`), a bounded set of others runs those that must run alone (`writer`), others only
//! read; they share a pool of connections. Many nodes, each with such a store, work on one database. A transaction holds the buckets it touches (`session`), and an acknowledged one is
//! as durable as the server's `synchronous_commit` says, which is never `off`. Nothing here knows a business rule.

pub(crate) mod apply;
mod fault;
mod group;
mod holder;
mod keeper;
mod link;
pub mod migrations;
pub(crate) mod nodes;
pub mod partitions;
mod pool;
mod readers;
mod session;
mod settings;
mod statement;
mod tls;
mod writer;

pub use fault::PostgresFault;
pub(crate) use fault::sentence;
pub use settings::{PostgresOptions, PostgresUrl};

use crate::pace::Pace;
use crate::queue::{Glance, Job, Queue};
use accord_core::Timestamp;
use accord_core::store::clock::ClockReading;
use accord_core::store::partitions::TimeParts;
use accord_core::store::{Done, Look, Store, StoreFault, Stored, Work};
use crossbeam_channel::{Receiver, Sender, bounded};
use group::Grouper;
use keeper::Keeper;
pub(crate) use link::Link;
use nodes::Register;
use partitions::Coverage;
use pool::Pool;
use readers::Reader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use writer::{Alone, Writer};

/// Threads that run rules in groups. A second one would find a good part of its buckets held by the first.
const GROUPERS: usize = 1;

/// A store in a PostgreSQL database. Dropping it finishes what is queued.
pub struct PostgresStore {
    url: PostgresUrl,
    jobs: Queue<Job>,
    glances: Queue<Glance>,
    keeper: Option<Keeper>,
    stop_register: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    /// Set once the schema has moved on without this program.
    outdated: Arc<AtomicBool>,
    pace: Pace,
    /// What waits for a thread of its own; only looked at here.
    alone: Receiver<Alone>,
    writers: usize,
    pace_alone: Pace,
}

impl PostgresStore {
    /// Opens the database: looks at its version, its schema and the user's rights, then starts the threads.
    pub fn open(url: PostgresUrl, options: PostgresOptions) -> Result<PostgresStore, PostgresFault> {
        let link = Link::open(&url, &options)?;
        if options.migrate {
            apply::migrate(&link, &url, &options.schema, None)?;
        }
        rights(&link, &url)?;
        let register = match &options.node {
            Some(address) => Register::enter(&link, &url, &options, address)?,
            None => None,
        };
        if let Err(why) = fits(&link, &url, &options) {
            register.iter().for_each(|register| register.leave(&link));
            return Err(why);
        }
        drop(link);

        let mut threads = Vec::new();
        let pool = Pool::new(url.clone(), options.clone());
        let (jobs, jobs_queue) = Queue::new(options.queue);
        let (send_alone, alone) = bounded(options.queue.max(1));
        let (pace, pace_alone) = (Pace::default(), Pace::default());
        for number in 1..=GROUPERS {
            let (pool, inquiries, queue) = (pool.clone(), options.inquiries, jobs_queue.clone());
            let (noting, send_alone) = (pace.clone(), send_alone.clone());
            let body = move || Grouper::new(pool, inquiries, send_alone).run(&queue, &noting);
            threads.push(spawn(&url, &format!("group-{number}"), body)?);
        }
        drop(send_alone);
        let writers = options.writers.clamp(1, 256);
        for number in 1..=writers {
            let (pool, inquiries, queue) = (pool.clone(), options.inquiries, alone.clone());
            let noting = pace_alone.clone();
            let body = move || Writer::new(pool, inquiries).run(&queue, &noting);
            threads.push(spawn(&url, &format!("writer-{number}"), body)?);
        }
        let (glances, glances_queue) = Queue::new(options.queue);
        for number in 1..=options.readers.clamp(1, 64) {
            let (pool, queue) = (pool.clone(), glances_queue.clone());
            let body = move || Reader::new(pool).run(&queue);
            threads.push(spawn(&url, &format!("reader-{number}"), body)?);
        }
        let (stop_register, stopped) = bounded::<()>(1);
        let outdated = register.as_ref().map(Register::outdated).unwrap_or_default();
        if let Some(register) = register {
            threads.push(spawn(&url, "register", move || register.run(&stopped))?);
        }
        let (keeper, asked) = keeper::open();
        let place = url.clone();
        threads.push(spawn(&url, "keeper", move || keeper::run(place, options, &asked))?);
        let (keeper, stop_register) = (Some(keeper), Some(stop_register));
        Ok(PostgresStore {
            url,
            jobs,
            glances,
            keeper,
            stop_register,
            threads,
            outdated,
            pace,
            alone,
            writers,
            pace_alone,
        })
    }

    /// The database.
    pub fn url(&self) -> &PostgresUrl {
        &self.url
    }

    /// Transactions that wait for a thread now.
    pub fn queued(&self) -> usize {
        self.jobs.len() + self.alone.len()
    }

    /// The version of the schema in the database.
    pub fn schema_version(&self) -> Result<u32, PostgresFault> {
        migrations::version(&Link::open(&self.url, &PostgresOptions::default())?, &self.url)
    }
}

impl Store for PostgresStore {
    fn submit(&self, work: Work, done: Done) {
        if self.outdated.load(Ordering::Relaxed) {
            let why = "the schema needs a newer accord than this node";
            return done(Err(StoreFault::Unavailable(why.into())));
        }
        self.jobs.submit(Job { work, done });
    }

    fn submit_read(&self, look: Look, done: Done) {
        self.glances.submit(Glance { look, done });
    }

    fn name(&self) -> &'static str {
        "postgres"
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn read_clock(&self) -> Stored<Option<ClockReading>> {
        let closed = || StoreFault::Unavailable("the store is closed".into());
        self.keeper.as_ref().ok_or_else(closed)?.read_clock().map(Some)
    }

    fn expected_wait_micros(&self) -> u64 {
        let alone = self.pace_alone.wait_micros(self.alone.len(), self.writers);
        alone.max(self.pace.wait_micros(self.jobs.len(), GROUPERS))
    }

    fn time_parts(&self) -> Stored<Vec<TimeParts>> {
        let coverage = partitions::look(&self.url).map_err(|why| StoreFault::Unavailable(why.to_string()))?;
        let parts = |table: Coverage| TimeParts {
            table: table.table,
            since: table.since.map(Timestamp),
            until: table.until.map(Timestamp),
            strays: table.strays,
        };
        Ok(coverage.into_iter().map(parts).collect())
    }

    /// The whole database, indexes included.
    fn size_bytes(&self) -> Option<u64> {
        let link = Link::open(&self.url, &PostgresOptions::default()).ok()?;
        let words = "SELECT pg_database_size(current_database())";
        let row = link.wait_long(link.client.query_one(words, &[])).ok()?;
        row.try_get::<_, i64>(0).ok().and_then(|bytes| u64::try_from(bytes).ok())
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.glances.close();
        self.jobs.close();
        self.keeper = None;
        self.stop_register = None;
        for thread in self.threads.drain(..) {
            // The last owner of a store may be a `done` on one of its threads.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// Is the schema one that this program works on?
fn fits(link: &Link, url: &PostgresUrl, options: &PostgresOptions) -> Result<(), PostgresFault> {
    if migrations::pending(link, url, &options.schema)?.is_empty() {
        return Ok(());
    }
    let (found, needed) = (migrations::version(link, url)?, options.schema.level());
    Err(PostgresFault::SchemaTooOld { place: url.to_string(), found, needed })
}

/// May this user read and write every table? Partitions are reached through their tables, and detached ones not at all.
fn rights(link: &Link, url: &PostgresUrl) -> Result<(), PostgresFault> {
    let rows = link
        .wait_long(link.client.query(
            "SELECT c.relname::text FROM pg_catalog.pg_class c
             WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p')
             AND NOT c.relispartition AND c.relname !~ '_[0-9]{4}(_[0-9]{2})?$' AND NOT (has_table_privilege(c.oid, 'SELECT') AND (c.relname = 'schema_migrations' OR (
               has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
               AND has_table_privilege(c.oid, 'DELETE'))))
             ORDER BY c.relname",
            &[],
        ))
        .map_err(|error| PostgresFault::of(url, &error))?;
    let Some(row) = rows.first() else { return Ok(()) };
    let table: String = row.try_get(0).map_err(|error| PostgresFault::of(url, &error))?;
    let more = if rows.len() > 1 { format!(" and {} more", rows.len() - 1) } else { String::new() };
    let why = format!("SELECT, INSERT, UPDATE and DELETE on {table}{more}");
    Err(PostgresFault::NotAllowed { place: url.to_string(), why })
}

fn spawn(
    url: &PostgresUrl,
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, PostgresFault> {
    std::thread::Builder::new()
        .name(format!("store-{name}"))
        .spawn(body)
        .map_err(|error| PostgresFault::Other { place: url.to_string(), why: error.to_string() })
}
