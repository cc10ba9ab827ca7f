//! The schema on SQLite: the pending steps are applied in order, in one exclusive transaction. The database remembers
//! their checksums.

use super::OpenFault;
use super::statements::Statements;
use crate::schema::{Applied, Migration, Misfit, Outlook, Schema, differences};
use rusqlite::{Connection, params};
use std::path::Path;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
  version         INTEGER NOT NULL PRIMARY KEY,
  name            TEXT    NOT NULL,
  checksum        BLOB    NOT NULL,
  compatible_from INTEGER NOT NULL
) STRICT";

/// The steps that the database at `path` still needs. Changes nothing.
pub fn plan(path: &Path, schema: &Schema) -> Result<Outlook, OpenFault> {
    if !path.exists() {
        return Ok(Outlook { pending: schema.steps().to_vec(), ..Outlook::default() });
    }
    let db = super::connect(path, super::Access::ReadOnly)?;
    let pending = pending(&db, path, schema)?;
    Ok(Outlook { level: version(&db, path)?, pending: pending.to_vec(), ..Outlook::default() })
}

/// Applies the steps that the database at `path` still needs, creating it when it is missing. Says which.
pub fn apply(path: &Path, schema: &Schema) -> Result<Vec<Migration>, OpenFault> {
    super::create_file(path)?;
    let db = super::connect(path, super::Access::Write)?;
    migrate(&db, path, schema)
}

/// What the catalogue of the database at `path` says beside what the steps say; nothing: they agree.
pub fn verify(path: &Path, schema: &Schema) -> Result<Vec<String>, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    let db = super::connect(path, super::Access::ReadOnly)?;
    let (pending, found) = (pending(&db, path, schema)?.len() as u32, version(&db, path)?);
    if pending > 0 {
        return Err(OpenFault::SchemaTooOld { path: path.to_owned(), found, needed: schema.level() });
    }
    if found > schema.level() {
        return Err(OpenFault::SchemaTooNew { path: path.to_owned(), found, known: schema.level() });
    }
    let model = Connection::open_in_memory().map_err(fault)?;
    migrate(&model, path, schema)?;
    Ok(differences(&catalogue(&model).map_err(fault)?, &catalogue(&db).map_err(fault)?))
}

/// Every table, column and index, a line each.
fn catalogue(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let lines = "SELECT 'table ' || name || CASE strict WHEN 1 THEN ', strict' ELSE '' END
            || CASE wr WHEN 1 THEN ', without rowid' ELSE '' END
        FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || CASE c.\"notnull\" WHEN 1 THEN ' not null' ELSE '' END
            || coalesce(' default ' || c.dflt_value, '') || CASE c.pk WHEN 0 THEN '' ELSE ' key ' || c.pk END
        FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
        UNION ALL
        SELECT type || ' ' || name || ': ' || sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL
        UNION ALL
        SELECT 'words of ' || name || ': ' || sql FROM sqlite_schema
        WHERE type = 'table' AND sql LIKE '%CHECK%' AND name NOT LIKE 'sqlite_%'
        ORDER BY 1";
    let mut statement = db.prepare(lines)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|line| Ok(line?.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

/// The last step applied, which may be a newer program's; 0: none.
pub(crate) fn version(db: &Connection, path: &Path) -> Result<u32, OpenFault> {
    Ok(applied(db, path)?.last().map_or(0, |step| step.version))
}

/// The steps applied, after checking that the database is accord's or empty.
pub(super) fn applied(db: &Connection, path: &Path) -> Result<Vec<Applied>, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    let names: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(fault)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    if !names.iter().any(|name| name == "schema_migrations") {
        return Err(OpenFault::NotOurs(path.to_owned()));
    }
    db.prepare("SELECT version, checksum, compatible_from FROM schema_migrations ORDER BY version")
        .and_then(|mut statement| {
            let row = |row: &rusqlite::Row<'_>| {
                Ok(Applied { version: row.get(0)?, checksum: row.get(1)?, compatible_from: row.get(2)? })
            };
            statement.query_map([], row)?.collect()
        })
        .map_err(fault)
}

/// The steps still needed, after checking that those applied are the ones that this program knows.
pub(crate) fn pending<'s>(
    db: &Connection,
    path: &Path,
    schema: &'s Schema,
) -> Result<&'s [Migration], OpenFault> {
    schema.pending(&applied(db, path)?).map_err(|misfit| match misfit {
        Misfit::TooNew(found) => {
            OpenFault::SchemaTooNew { path: path.to_owned(), found, known: schema.level() }
        }
        Misfit::Differs(version) => OpenFault::SchemaDiffers { path: path.to_owned(), version },
    })
}

/// Applies what is pending. Two programs that start at once do not do it twice.
pub(super) fn migrate(db: &Connection, path: &Path, schema: &Schema) -> Result<Vec<Migration>, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    if pending(db, path, schema)?.is_empty() {
        return Ok(Vec::new());
    }
    if version(db, path)? > 0
        && let Some(fence) = super::writer::fence(&Statements::new(db)).map_err(fault)?
    {
        return Err(OpenFault::Fenced { path: path.to_owned(), why: fence.sentence() });
    }
    db.execute_batch("BEGIN EXCLUSIVE").map_err(fault)?;
    let applied = steps(db, path, schema);
    let end = if applied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = db.execute_batch(end).map_err(fault);
    let applied = applied?;
    if ended.is_err() && !db.is_autocommit() {
        let _ = db.execute_batch("ROLLBACK");
    }
    ended.map(|()| applied)
}

fn steps(db: &Connection, path: &Path, schema: &Schema) -> Result<Vec<Migration>, OpenFault> {
    let fault = |error| OpenFault::of(path, error);
    let pending = pending(db, path, schema)?;
    db.execute_batch(CREATE).map_err(fault)?;
    for step in pending {
        db.execute_batch(&step.sql).map_err(fault)?;
        db.execute(
            "INSERT INTO schema_migrations (version, name, checksum, compatible_from) VALUES (?1, ?2, ?3, ?4)",
            params![step.version, step.name, step.checksum().0, schema.compatible_from(step.version)],
        )
        .map_err(fault)?;
    }
    Ok(pending.to_vec())
}
