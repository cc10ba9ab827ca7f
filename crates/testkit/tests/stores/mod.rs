//! The stores that rules are tried on: one list for every test.
//!
//! On PostgreSQL several nodes are at work on one database, and each call goes to the next.

#![allow(dead_code, reason = "each test takes what it needs")]

use accord_core::store::{Done, Look, Store, Work};
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};
use accord_testkit::model::ModelStore;
use accord_testkit::postgres::{self, Fresh};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// The model: maps in memory.
    Model,
    /// A file.
    Sqlite,
    /// A database with two nodes at work.
    Postgres,
}

impl Shelf {
    /// The list; without PostgreSQL where this machine has none, which is said.
    pub fn all() -> Vec<Shelf> {
        let postgres = postgres::binaries().map(|_| Shelf::Postgres);
        [Shelf::Model, Shelf::Sqlite].into_iter().chain(postgres).collect()
    }

    /// An empty store.
    pub fn open(self) -> Opened {
        self.open_for(2)
    }

    /// An empty store, on PostgreSQL with so many nodes.
    pub fn open_for(self, count: usize) -> Opened {
        Opened(match self {
            Shelf::Model => Arc::new(ModelStore::new()),
            Shelf::Sqlite => Arc::new(File::new()),
            Shelf::Postgres => nodes(count).expect("PostgreSQL"),
        })
    }
}

/// Tries something on every store of the list.
pub fn on_every_store(check: impl FnMut(Shelf)) {
    Shelf::all().into_iter().for_each(check);
}

/// An open store. What it lies in goes with it.
#[derive(Clone)]
pub struct Opened(Arc<dyn Store>);

impl Store for Opened {
    fn submit(&self, work: Work, done: Done) {
        self.0.submit(work, done);
    }
    fn submit_read(&self, look: Look, done: Done) {
        self.0.submit_read(look, done);
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
}

/// A SQLite store in a folder of its own; in memory where there is one: that a commit is on the disk is proved by
/// other tests.
struct File {
    store: SqliteStore,
    _folder: Folder,
}

impl File {
    fn new() -> File {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let memory = PathBuf::from("/dev/shm");
        let base = if memory.is_dir() { memory } else { PathBuf::from(env!("CARGO_TARGET_TMPDIR")) };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = Folder(base.join(format!("accord-store-{}-{number}", std::process::id())));
        let _ = std::fs::remove_dir_all(&folder.0);
        std::fs::create_dir_all(&folder.0).expect("a folder");
        let options = SqliteOptions { readers: 1, ..SqliteOptions::default() };
        File {
            store: SqliteStore::open(folder.0.join("accord.db"), options).expect("a store"),
            _folder: folder,
        }
    }
}

impl Store for File {
    fn submit(&self, work: Work, done: Done) {
        self.store.submit(work, done);
    }
    fn submit_read(&self, look: Look, done: Done) {
        self.store.submit_read(look, done);
    }
    fn name(&self) -> &'static str {
        self.store.name()
    }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Nodes behind a round robin. The database goes with the last of them.
pub struct Nodes {
    stores: Vec<PostgresStore>,
    turn: AtomicUsize,
    schema: Fresh,
}

impl Nodes {
    fn next(&self) -> Option<&PostgresStore> {
        self.stores.get(self.turn.fetch_add(1, Ordering::Relaxed) % self.stores.len())
    }

    /// Removes every row.
    pub fn empty(&self) {
        let words = self.schema.sql(
            "SELECT string_agg('DELETE FROM ' || quote_ident(tablename), '; ') FROM pg_tables
             WHERE schemaname = current_schema() AND tablename NOT IN ('bucket_locks', 'schema_migrations')",
        );
        self.schema.sql(&words);
    }
}

impl Store for Nodes {
    fn submit(&self, work: Work, done: Done) {
        if let Some(store) = self.next() {
            store.submit(work, done);
        }
    }
    fn submit_read(&self, look: Look, done: Done) {
        if let Some(store) = self.next() {
            store.submit_read(look, done);
        }
    }
    fn name(&self) -> &'static str {
        "postgres"
    }
}

/// So many nodes on an empty database; nothing when the machine has no PostgreSQL, which is said.
pub fn nodes(count: usize) -> Option<Arc<Nodes>> {
    let schema = postgres::fresh()?;
    let url = PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL");
    let options = PostgresOptions { migrate: true, writers: 8, readers: 2, ..PostgresOptions::default() };
    let open = || PostgresStore::open(url.clone(), options.clone()).expect("a store");
    let stores = (0..count).map(|_| open()).collect();
    Some(Arc::new(Nodes { stores, turn: AtomicUsize::new(0), schema }))
}
