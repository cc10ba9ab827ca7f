//! The stores that rules are tried on: one list for every test. A wall (`tests/walls.rs`) keeps it the only one.
//!
//! On PostgreSQL several nodes are at work on one database, and each call goes to the next. A server of a test has a node
//! of its own, and not on the model: that goes with its program.

#![allow(dead_code, reason = "each test takes what it needs")]

use accord_core::store::clock::ClockReading;
use accord_core::store::{Done, Look, Store, Stored, Work};
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};
use accord_testkit::model::ModelStore;
use accord_testkit::postgres::{self, Fresh};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
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
    /// The list.
    const LIST: [Shelf; 3] = [Shelf::Model, Shelf::Sqlite, Shelf::Postgres];

    /// The list; without PostgreSQL where this machine has none, which is said.
    pub fn all() -> Vec<Shelf> {
        Shelf::LIST.into_iter().filter(|shelf| shelf.is_there()).collect()
    }

    /// Is it on this machine? Says so when it is not.
    pub fn is_there(self) -> bool {
        self != Shelf::Postgres || postgres::binaries().is_some()
    }

    /// Does it play that one of many rounds, where a story has more of them than PostgreSQL has time for? There every
    /// `nth` is played, and each under `ACCORD_LONG=1`.
    pub fn plays(self, round: usize, nth: usize) -> bool {
        self != Shelf::Postgres || long() || round.is_multiple_of(nth)
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
            Shelf::Postgres => Arc::new(nodes(count)),
        })
    }
}

/// Is there time for everything?
pub fn long() -> bool {
    std::env::var_os("ACCORD_LONG").is_some_and(|value| value == "1")
}

/// Tries something on every store of the list.
pub fn on_every_store(check: impl FnMut(Shelf)) {
    Shelf::all().into_iter().for_each(check);
}

/// The same for stories that take a while: makes a test of each on each store of the list, so that they run side by
/// side. A story is a function of the shelf.
#[allow(unused_macros, reason = "each test takes what it needs")]
macro_rules! tests_on_every_store {
    ($($story:ident),+ $(,)?) => {
        mod model {
            $(#[test] fn $story() { crate::stores::told_on(crate::stores::Shelf::Model, super::$story) })+
        }
        mod sqlite {
            $(#[test] fn $story() { crate::stores::told_on(crate::stores::Shelf::Sqlite, super::$story) })+
        }
        mod postgres {
            $(#[test] fn $story() { crate::stores::told_on(crate::stores::Shelf::Postgres, super::$story) })+
        }
    };
}
#[allow(unused_imports, reason = "each test takes what it needs")]
pub(crate) use tests_on_every_store;

/// The same for stories about a running server: on every store of the list that outlives it. A story is an `async`
/// function of the shelf.
#[allow(unused_macros, reason = "each test takes what it needs")]
macro_rules! served_from_every_store {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $story() {
                crate::stores::served_from(crate::stores::Shelf::Sqlite, super::$story).await
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $story() {
                crate::stores::served_from(crate::stores::Shelf::Postgres, super::$story).await
            })+
        }
    };
}
#[allow(unused_imports, reason = "each test takes what it needs")]
pub(crate) use served_from_every_store;

/// A story about a server on one store of the list, if that is on this machine.
pub async fn served_from<S: Future<Output = ()>>(shelf: Shelf, story: impl FnOnce(Shelf) -> S) {
    assert!(Shelf::LIST.contains(&shelf));
    if shelf.is_there() {
        story(shelf).await;
    }
}

/// A story on one store of the list, if that is on this machine.
pub fn told_on(shelf: Shelf, story: impl FnOnce(Shelf)) {
    assert!(Shelf::LIST.contains(&shelf));
    if shelf.is_there() {
        story(shelf);
    }
}

/// What a store holds: every row of every table, as a text, sorted. What nodes keep for themselves (locks, leases, markers
/// of commits, who is at work) is left out.
pub type Picture = BTreeMap<String, Vec<String>>;

/// A store that can be looked through as a whole.
trait Kept: Store {
    fn picture(&self) -> Picture;
    fn empty(&self);
}

/// An open store. What it lies in goes with it.
#[derive(Clone)]
pub struct Opened(Arc<dyn Kept>);

impl Opened {
    /// Every row.
    pub fn picture(&self) -> Picture {
        let mut picture = self.0.picture();
        picture.values_mut().for_each(|rows| rows.sort());
        picture
    }

    /// Removes every row.
    pub fn empty(&self) {
        self.0.empty();
    }
}

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
    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }
    fn read_clock(&self) -> Stored<Option<ClockReading>> {
        self.0.read_clock()
    }
}

impl Kept for ModelStore {
    fn picture(&self) -> Picture {
        ModelStore::picture(self)
    }
    fn empty(&self) {
        ModelStore::empty(self);
    }
}

/// Where rows lie that outlive a program: it opens them when it starts, and again when it starts anew. They go with this.
pub struct Place(Lasting);

enum Lasting {
    Folder(Folder),
    Schema(Fresh),
}

impl Place {
    /// An empty one.
    pub fn on(shelf: Shelf) -> Place {
        Place(match shelf {
            Shelf::Model => panic!("the model goes with its program"),
            Shelf::Sqlite => Lasting::Folder(Folder::new()),
            Shelf::Postgres => Lasting::Schema(postgres::fresh().expect("PostgreSQL")),
        })
    }

    /// Opens it for one program. Not from within a runtime: PostgreSQL's connections bring their own.
    pub fn open(&self) -> Arc<dyn Store> {
        match &self.0 {
            Lasting::Folder(folder) => Arc::new(folder.store()),
            Lasting::Schema(schema) => Arc::new(node(schema, 4)),
        }
    }
}

/// A SQLite store in a folder of its own; in memory where there is one: that a commit is on the disk is proved by
/// other tests.
struct File {
    store: SqliteStore,
    folder: Folder,
}

impl File {
    fn new() -> File {
        let folder = Folder::new();
        File { store: folder.store(), folder }
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

impl File {
    fn aside(&self, flags: OpenFlags) -> Connection {
        let db = Connection::open_with_flags(self.folder.0.join("accord.db"), flags).expect("the database");
        db.busy_timeout(std::time::Duration::from_secs(30)).expect("patience");
        db
    }
}

fn tables(db: &Connection) -> Vec<String> {
    let words = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                 AND name <> 'schema_migrations'";
    let mut names = db.prepare(words).expect("tables");
    let names = names.query_map([], |row| row.get(0)).expect("tables");
    names.map(|name| name.expect("a table")).collect()
}

fn readable(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    }
}

impl Kept for File {
    fn picture(&self) -> Picture {
        let db = self.aside(OpenFlags::SQLITE_OPEN_READ_ONLY);
        let rows_of = |table: &String| {
            let mut select = db.prepare(&format!("SELECT * FROM {table}")).expect("a table");
            let columns = select.column_count();
            let rows = select.query_map([], |row| {
                let cells: Result<Vec<String>, _> =
                    (0..columns).map(|at| row.get_ref(at).map(readable)).collect();
                cells.map(|cells| cells.join("|"))
            });
            rows.expect("rows").map(|row| row.expect("a row")).collect()
        };
        tables(&db).into_iter().map(|table| (table.clone(), rows_of(&table))).collect()
    }

    fn empty(&self) {
        let db = self.aside(OpenFlags::SQLITE_OPEN_READ_WRITE);
        let words = tables(&db).iter().map(|table| format!("DELETE FROM {table};")).collect::<String>();
        db.execute_batch(&format!("BEGIN IMMEDIATE; {words} COMMIT")).expect("an empty store");
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let memory = PathBuf::from("/dev/shm");
        let base = if memory.is_dir() { memory } else { PathBuf::from(env!("CARGO_TARGET_TMPDIR")) };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = Folder(base.join(format!("accord-store-{}-{number}", std::process::id())));
        let _ = std::fs::remove_dir_all(&folder.0);
        std::fs::create_dir_all(&folder.0).expect("a folder");
        folder
    }

    fn store(&self) -> SqliteStore {
        let options = SqliteOptions { readers: 1, ..SqliteOptions::default() };
        SqliteStore::open(self.0.join("accord.db"), options).expect("a store")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Nodes behind a round robin. The database goes with the last of them.
struct Nodes {
    stores: Vec<PostgresStore>,
    turn: AtomicUsize,
    schema: Fresh,
}

impl Nodes {
    fn next(&self) -> &PostgresStore {
        &self.stores[self.turn.fetch_add(1, Ordering::Relaxed) % self.stores.len()]
    }

    /// What `words` make of each table that holds rows of ours, `%I` being its name, with `between` between.
    fn of_each_table(&self, words: &str, between: &str) -> String {
        self.schema.sql(&format!(
            "SELECT string_agg(replace('{words}', '%I', quote_ident(relname)), '{between}' ORDER BY relname)
             FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
             AND NOT relispartition
             AND relname NOT IN ('bucket_locks', 'schema_migrations', 'commits', 'nodes')"
        ))
    }
}

impl Kept for Nodes {
    fn picture(&self) -> Picture {
        // A name alone, so that a table without rows is there too.
        let words = "SELECT ''%I'' UNION ALL SELECT ''%I|'' || replace(t::text, chr(10), ''\\n'') FROM %I t";
        let words = self.of_each_table(words, " UNION ALL ");
        let mut picture = Picture::new();
        for line in self.schema.sql(&words).lines() {
            let (table, row) = line.split_once('|').map_or((line, None), |(table, row)| (table, Some(row)));
            picture.entry(table.to_owned()).or_default().extend(row.map(str::to_owned));
        }
        picture.entry("settings".to_owned()).or_default().retain(|row| !row.starts_with("(lease_"));
        picture
    }

    fn empty(&self) {
        let words = self.of_each_table("DELETE FROM %I", "; ");
        self.schema.sql(&words);
    }
}

impl Store for Nodes {
    fn submit(&self, work: Work, done: Done) {
        self.next().submit(work, done);
    }
    fn submit_read(&self, look: Look, done: Done) {
        self.next().submit_read(look, done);
    }
    fn name(&self) -> &'static str {
        "postgres"
    }
    fn is_shared(&self) -> bool {
        true
    }
    fn read_clock(&self) -> Stored<Option<ClockReading>> {
        self.next().read_clock()
    }
}

/// So many nodes on an empty database.
fn nodes(count: usize) -> Nodes {
    let schema = postgres::fresh().expect("PostgreSQL");
    Nodes { stores: (0..count).map(|_| node(&schema, 8)).collect(), turn: AtomicUsize::new(0), schema }
}

/// A node with so many writers.
fn node(schema: &Fresh, writers: usize) -> PostgresStore {
    let url = PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL");
    let options = PostgresOptions { migrate: true, writers, readers: 2, ..PostgresOptions::default() };
    PostgresStore::open(url, options).expect("a store")
}
