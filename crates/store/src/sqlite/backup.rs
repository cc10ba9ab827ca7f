//! Backups of a SQLite store: a copy of one moment, taken while others read and write, and what proves it whole.

use super::migrations;
use super::{Access, OpenFault, connect, create_file};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use sha2::Digest as _;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

/// What is known of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The last step of its schema.
    pub level: u32,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 over them, lower-case hex.
    pub sha256: String,
}

/// Copies the database at `from` as it is at one moment to the new file `to`, which its owner alone may read. Others
/// go on meanwhile. The copy is read from end to end before this returns; its one file is all of it.
pub fn copy(from: &Path, to: &Path) -> Result<Contents, OpenFault> {
    let db = connect(from, Access::ReadOnly)?;
    migrations::applied(&db, from)?;
    create_file(to)?;
    let fault = |error| OpenFault::of(to, error);
    let mut copy = Connection::open(to).map_err(fault)?;
    {
        let backup = Backup::new(&db, &mut copy).map_err(fault)?;
        // All pages in one step: a copy in several begins anew with each commit of another process.
        loop {
            match backup.step(-1).map_err(fault)? {
                StepResult::Done => break,
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
    // The log's mode is written in the file; without it the copy needs nothing beside it.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(fault)?;
    drop(copy);
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| OpenFault::of_io(to, &error))?;
    inspect(to)
}

/// Reads a database that nobody has open from end to end: its digest, its soundness, its rows.
pub fn inspect(path: &Path) -> Result<Contents, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    let (bytes, sha256) = digest(path)?;
    let db = connect(path, Access::ReadOnly)?;
    let lines: Vec<String> = db
        .prepare("PRAGMA integrity_check")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(fault)?;
    if lines.iter().any(|line| line != "ok") {
        return Err(OpenFault::NotADatabase(path.to_owned()));
    }
    let level = migrations::version(&db, path)?;
    let names: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(fault)?;
    let mut rows = BTreeMap::new();
    for name in names {
        let count: i64 =
            db.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).map_err(fault)?;
        rows.insert(name, count.unsigned_abs());
    }
    Ok(Contents { level, rows, bytes, sha256 })
}

/// Length and SHA-256 of a file, which may be any.
pub fn digest(path: &Path) -> Result<(u64, String), OpenFault> {
    let read = || -> std::io::Result<(u64, String)> {
        let (mut file, mut hash, mut bytes) = (File::open(path)?, sha2::Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            bytes += count as u64;
        }
        Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    };
    read().map_err(|error| OpenFault::of_io(path, &error))
}
