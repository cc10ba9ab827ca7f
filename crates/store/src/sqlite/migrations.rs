//! The schema, step by step: numbered SQL files inside the program, each applied once, in order, in one
//! exclusive transaction. The database remembers their checksums; a file that has been released never changes.

use super::OpenFault;
use accord_core::secret::Digest;
use rusqlite::{Connection, params};
use std::path::Path;

/// One step of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// 1 is the first.
    pub version: u32,
    /// What it does, as its file is named.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

impl Migration {
    /// The digest of its statements, which a database remembers.
    pub(crate) fn checksum(&self) -> Digest {
        Digest::of(self.sql)
    }
}

/// Every step that this program knows, in order.
pub const ALL: &[Migration] = &[
    Migration { version: 1, name: "first_tables", sql: include_str!("migrations/0001_first_tables.sql") },
    Migration {
        version: 2,
        name: "refunds_controls_and_books",
        sql: concat!(
            include_str!("migrations/0002_inbox.sql"),
            include_str!("migrations/0002_refund.sql"),
            include_str!("migrations/0002_control.sql"),
            include_str!("migrations/0002_people.sql"),
            include_str!("migrations/0002_unbinding.sql"),
            include_str!("migrations/0002_settlement.sql"),
            include_str!("migrations/0002_audit.sql"),
            include_str!("migrations/0002_operator.sql"),
        ),
    },
    Migration {
        version: 3,
        name: "upkeep_pages_and_preferences",
        sql: concat!(
            include_str!("migrations/0003_delivery.sql"),
            include_str!("migrations/0003_statement.sql"),
            include_str!("migrations/0003_upkeep.sql"),
            include_str!("migrations/0003_handover.sql"),
            include_str!("migrations/0003_step_up.sql"),
            include_str!("migrations/0003_device.sql"),
            include_str!("migrations/0003_preference.sql"),
            include_str!("migrations/0003_payment_list.sql"),
            include_str!("migrations/0003_console.sql"),
        ),
    },
];

/// The newest version that this program knows.
pub const NEWEST: u32 = ALL.len() as u32;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
  version  INTEGER NOT NULL PRIMARY KEY,
  name     TEXT    NOT NULL,
  checksum BLOB    NOT NULL
) STRICT";

/// The steps that the database at `path` still needs. Changes nothing.
pub fn plan(path: &Path) -> Result<Vec<Migration>, OpenFault> {
    if !path.exists() {
        return Ok(ALL.to_vec());
    }
    let db = super::connect(path, super::Access::ReadOnly)?;
    Ok(pending(&db, path)?.to_vec())
}

/// Applies the steps that the database at `path` still needs, creating it when it is missing. Says which.
pub fn apply(path: &Path) -> Result<Vec<Migration>, OpenFault> {
    super::create_file(path)?;
    let db = super::connect(path, super::Access::Write)?;
    migrate(&db, path)
}

/// The version of the schema; 0: none yet.
pub(super) fn version(db: &Connection, path: &Path) -> Result<u32, OpenFault> {
    Ok(NEWEST - pending(db, path)?.len() as u32)
}

/// The steps still needed, after checking that those applied are the ones that this program knows.
pub(super) fn pending(db: &Connection, path: &Path) -> Result<&'static [Migration], OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    let names: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(fault)?;
    if names.is_empty() {
        return Ok(ALL);
    }
    if !names.iter().any(|name| name == "schema_migrations") {
        return Err(OpenFault::NotOurs(path.to_owned()));
    }
    let applied: Vec<(u32, [u8; 32])> = db
        .prepare("SELECT version, checksum FROM schema_migrations ORDER BY version")
        .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .map_err(fault)?;
    if let Some((found, _)) = applied.last().filter(|(version, _)| *version > NEWEST) {
        return Err(OpenFault::SchemaTooNew { path: path.to_owned(), found: *found, known: NEWEST });
    }
    let same = |(known, (version, sum)): &(&Migration, &(u32, [u8; 32]))| {
        known.version == *version && known.checksum().0 == *sum
    };
    if let Some((known, _)) = ALL.iter().zip(&applied).find(|pair| !same(pair)) {
        return Err(OpenFault::SchemaDiffers { path: path.to_owned(), version: known.version });
    }
    Ok(ALL.get(applied.len()..).unwrap_or(&[]))
}

/// Applies what is pending. Two programs that start at once do not do it twice.
pub(super) fn migrate(db: &Connection, path: &Path) -> Result<Vec<Migration>, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    if pending(db, path)?.is_empty() {
        return Ok(Vec::new());
    }
    db.execute_batch("BEGIN EXCLUSIVE").map_err(fault)?;
    let applied = steps(db, path);
    let end = if applied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = db.execute_batch(end).map_err(fault);
    let applied = applied?;
    if ended.is_err() && !db.is_autocommit() {
        let _ = db.execute_batch("ROLLBACK");
    }
    ended.map(|()| applied)
}

fn steps(db: &Connection, path: &Path) -> Result<Vec<Migration>, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    let pending = pending(db, path)?;
    db.execute_batch(CREATE).map_err(fault)?;
    for step in pending {
        db.execute_batch(step.sql).map_err(fault)?;
        db.execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES (?1, ?2, ?3)",
            params![step.version, step.name, step.checksum().0],
        )
        .map_err(fault)?;
    }
    Ok(pending.to_vec())
}
