//! The embedded store: one SQLite file, one writer that commits many transactions together, a few readers.
//!
//! An acknowledged transaction is on the disk: the log is synced at each commit (`synchronous=FULL`), and
//! `done` is called after it. [`migrations`] is the schema; what a row means is in `rows`, shared by the SQL stores.

pub mod backup;
mod cache;
#[cfg(test)]
mod catalogue;
mod engine;
mod fault;
mod inline;
pub mod migrations;
mod readers;
mod statements;
#[cfg(test)]
mod upgrade;
mod wal;
mod writer;

pub use fault::OpenFault;
pub use inline::InlineStore;

use crate::pace::Pace;
use crate::queue::{Glance, Job, Queue};
use crate::schema::Schema;
use accord_core::store::{Done, Look, Store, StoreFault, Stored, Work};
use crossbeam_channel::bounded;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// SQLite before this version can damage a database that two connections write (checkpoint and reset race).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Size of a page of a new file.
const PAGE_BYTES: u32 = 2_048;
/// How long a lock of another process is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Create the file when it is missing? Needs `migrate` as well.
    pub create: bool,
    /// Bring an older schema up to date?
    pub migrate: bool,
    /// Reading threads, 1 to 16.
    pub readers: usize,
    /// Transactions, and looks, that may wait in the queue; one more is told at once that the store is
    /// unavailable.
    pub queue: usize,
    /// Transactions that are committed together at most.
    pub group: usize,
    /// The steps that the program knows.
    pub schema: Schema,
}

impl Default for SqliteOptions {
    /// Creates and migrates; 3 readers, 4,096 in the queue, 256 in a commit.
    fn default() -> SqliteOptions {
        let schema = Schema::default();
        SqliteOptions { create: true, migrate: true, readers: 3, queue: 4096, group: 256, schema }
    }
}

/// A store in one SQLite file. Dropping it finishes what is queued.
pub struct SqliteStore {
    path: PathBuf,
    jobs: Queue<Job>,
    glances: Queue<Glance>,
    readers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    pace: Pace,
}

impl SqliteStore {
    /// Opens the database file at `path`. Its directory must exist.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<SqliteStore, OpenFault> {
        let path = path.as_ref();
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(OpenFault::OldSqlite(rusqlite::version().to_owned()));
        }
        if options.create {
            create_file(path)?;
        }
        let mut db = connect(path, Access::Write)?;
        if options.migrate {
            migrations::migrate(&db, path, &options.schema)?;
        } else if !migrations::pending(&db, path, &options.schema)?.is_empty() {
            let (found, needed) = (migrations::version(&db, path)?, options.schema.level());
            return Err(OpenFault::SchemaTooOld { path: path.to_owned(), found, needed });
        }

        let mut readers = Vec::new();
        let (glances, glances_queue) = Queue::new(options.queue);
        for number in 1..=options.readers.clamp(1, 16) {
            let reader = connect(path, Access::ReadOnly)?;
            let queue = glances_queue.clone();
            readers.push(spawn(path, &format!("reader-{number}"), move || readers::run(&reader, &queue))?);
        }

        cache::fit(&db).map_err(|error| OpenFault::of(path, error))?;
        let (wake, calls) = bounded(1);
        let aside = connect(path, Access::Write)?;
        let nearly = Arc::new(AtomicBool::new(false));
        let watch =
            wal::WalWatch::new(&mut db, wake, nearly.clone()).map_err(|error| OpenFault::of(path, error))?;
        let checkpointer = spawn(path, "checkpoint", move || wal::run(&aside, &calls, &nearly))?;
        let (jobs, jobs_queue) = Queue::new(options.queue);
        let most = options.group.max(1);
        let pace = Pace::default();
        let noting = pace.clone();
        let writer = spawn(path, "writer", move || {
            writer::run(&db, &jobs_queue, most, watch, &noting);
            // The last connection to go copies the log into the database and removes it: the one file is whole.
            let _ = checkpointer.join();
            let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        })?;
        let path = path.to_owned();
        Ok(SqliteStore { path, jobs, glances, readers, writer: Some(writer), pace })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Transactions that wait for the writer now.
    pub fn queued(&self) -> usize {
        self.jobs.len()
    }

    /// The version of the schema in the file.
    pub fn schema_version(&self) -> Result<u32, OpenFault> {
        migrations::version(&connect(&self.path, Access::ReadOnly)?, &self.path)
    }

    /// Reads the whole file and says what is wrong with it: nothing, when it is sound. Takes long on a large
    /// file; for `accord doctor`.
    pub fn check_integrity(&self) -> Stored<Vec<String>> {
        let db =
            connect(&self.path, Access::ReadOnly).map_err(|why| StoreFault::Unavailable(why.to_string()))?;
        let lines: Vec<String> = db
            .prepare("PRAGMA integrity_check")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(engine::fault)?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

impl Store for SqliteStore {
    fn submit(&self, work: Work, done: Done) {
        self.jobs.submit(Job { work, done });
    }

    fn submit_read(&self, look: Look, done: Done) {
        self.glances.submit(Glance { look, done });
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn expected_wait_micros(&self) -> u64 {
        self.pace.wait_micros(self.queued(), 1)
    }

    /// The file and its log.
    fn size_bytes(&self) -> Option<u64> {
        let log = std::fs::metadata(wal::wal_path(&self.path)).map_or(0, |data| data.len());
        std::fs::metadata(&self.path).ok().map(|data| data.len() + log)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.glances.close();
        self.readers.drain(..).for_each(join);
        self.jobs.close();
        self.writer.take().into_iter().for_each(join);
    }
}

/// Waits for a thread, unless it is this one: the last owner of a store may be a `done` on one of its threads.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() {
        let _ = thread.join();
    }
}

/// What a connection may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    Write,
}

pub(crate) fn connect(path: &Path, access: Access) -> Result<Connection, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    if !path.exists() {
        return Err(OpenFault::Missing(path.to_owned()));
    }
    let mode = match access {
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let db = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fault)?;
    // Else a statement with a parameter that a plan could go by (`LIMIT ?3`) is prepared anew each time that is bound.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
    db.busy_timeout(BUSY).map_err(fault)?;
    db.execute_batch(
        "PRAGMA mmap_size = 0; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 0;",
    )
    .map_err(fault)?;
    if access == Access::ReadOnly {
        db.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16384;").map_err(fault)?;
        return Ok(db);
    }
    // SQLite quietly opens for reading only what it may not write.
    if db.is_readonly("main").map_err(fault)? {
        let why = "it is read-only".to_owned();
        return Err(OpenFault::NotAllowed { path: path.to_owned(), why });
    }
    // Asks for the schema before anything is changed, so that another's file stays as it was.
    migrations::applied(&db, path)?;
    // Takes effect in a file without tables only. A row of ours is some hundred bytes and lies anywhere: half of the
    // usual page halves what a commit writes.
    db.execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES};")).map_err(fault)?;
    let mode = keep_a_log(&db).map_err(fault)?;
    if mode != "wal" {
        return Err(OpenFault::NoWal(path.to_owned()));
    }
    db.execute_batch(&format!("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = {};", wal::KEPT_BYTES))
        .map_err(fault)?;
    Ok(db)
}

/// Sets the journal mode, and says which it is. For the first time in a new file that needs the file alone; SQLite does not
/// wait for another that opens it in the same moment, so this does, as long as for any lock.
fn keep_a_log(db: &Connection) -> rusqlite::Result<String> {
    let began = Instant::now();
    loop {
        match db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < BUSY =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            told => return told,
        }
    }
}

/// Creates an empty file that its owner alone may read, unless there is one. SQLite gives the log beside it the
/// same permissions.
fn create_file(path: &Path) -> Result<(), OpenFault> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenFault::of_io(path, &error)),
    }
}

fn spawn(path: &Path, name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenFault> {
    std::thread::Builder::new()
        .name(format!("store-{name}"))
        .spawn(body)
        .map_err(|error| OpenFault::of_io(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn two_that_open_a_new_file_at_once_both_open_it() {
        let dir = std::env::temp_dir().join(format!("accord-open-at-once-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        for round in 0..200 {
            let (path, start) = (dir.join(format!("{round}.db")), Barrier::new(2));
            create_file(&path).expect("an empty file");
            std::thread::scope(|scope| {
                let open = || {
                    start.wait();
                    connect(&path, Access::Write).map(drop)
                };
                for task in [scope.spawn(open), scope.spawn(open)] {
                    task.join().expect("it ends").unwrap_or_else(|fault| panic!("round {round}: {fault}"));
                }
            });
        }
        std::fs::remove_dir_all(&dir).expect("it goes");
    }
}
