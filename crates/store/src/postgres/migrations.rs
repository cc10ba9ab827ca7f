//! The schema, step by step: SQLite's steps in PostgreSQL's words, and beside the first one the tables that only
//! many writers need. The database remembers the checksums of the steps.

use super::fault::PostgresFault;
use super::link::Link;
use super::settings::{PostgresOptions, PostgresUrl};
use crate::sqlite::migrations::{ALL, Migration, NEWEST};
use tokio_postgres::Error;

/// What the first step creates besides.
const OF_ITS_OWN: &str = include_str!("migrations/0001_locks_and_commits.sql");

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
  version  bigint NOT NULL PRIMARY KEY,
  name     text COLLATE \"C\" NOT NULL,
  checksum bytea NOT NULL
)";

/// The steps that the database still needs. Changes nothing.
pub fn plan(url: &PostgresUrl) -> Result<Vec<Migration>, PostgresFault> {
    let link = Link::open(url, &PostgresOptions::default())?;
    Ok(pending(&link, url)?.to_vec())
}

/// Applies the steps that the database still needs. Says which.
pub fn apply(url: &PostgresUrl) -> Result<Vec<Migration>, PostgresFault> {
    let link = Link::open(url, &PostgresOptions::default())?;
    migrate(&link, url)
}

/// The version of the schema; 0: none yet.
pub(super) fn version(link: &Link, url: &PostgresUrl) -> Result<u32, PostgresFault> {
    Ok(NEWEST - pending(link, url)?.len() as u32)
}

/// The steps still needed, after checking that those applied are the ones that this program knows.
pub(super) fn pending(link: &Link, url: &PostgresUrl) -> Result<&'static [Migration], PostgresFault> {
    let fault = |error: Error| PostgresFault::of(url, &error);
    let place = || url.to_string();
    let names = link
        .wait_long(link.client.query(
            "SELECT c.relname::text FROM pg_catalog.pg_class c
             WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p')",
            &[],
        ))
        .map_err(fault)?;
    if names.is_empty() {
        return Ok(ALL);
    }
    let mut ours = false;
    for row in &names {
        ours |= row.try_get::<_, String>(0).map_err(fault)? == "schema_migrations";
    }
    if !ours {
        return Err(PostgresFault::NotOurs { place: place() });
    }
    let rows = link
        .wait_long(link.client.query("SELECT version, checksum FROM schema_migrations ORDER BY version", &[]))
        .map_err(fault)?;
    let mut applied: Vec<(u32, Vec<u8>)> = Vec::new();
    for row in &rows {
        let version = u32::try_from(row.try_get::<_, i64>(0).map_err(fault)?).unwrap_or(u32::MAX);
        applied.push((version, row.try_get(1).map_err(fault)?));
    }
    if let Some((found, _)) = applied.last().filter(|(version, _)| *version > NEWEST) {
        return Err(PostgresFault::SchemaTooNew { place: place(), found: *found, known: NEWEST });
    }
    let same = |(known, (version, sum)): &(&Migration, &(u32, Vec<u8>))| {
        known.version == *version && known.checksum().0 == sum.as_slice()
    };
    if let Some((known, _)) = ALL.iter().zip(&applied).find(|pair| !same(pair)) {
        return Err(PostgresFault::SchemaDiffers { place: place(), version: known.version });
    }
    Ok(ALL.get(applied.len()..).unwrap_or(&[]))
}

/// Applies what is pending, in one transaction. Two programs that start at once do not do it twice.
pub(super) fn migrate(link: &Link, url: &PostgresUrl) -> Result<Vec<Migration>, PostgresFault> {
    if pending(link, url)?.is_empty() {
        return Ok(Vec::new());
    }
    let fault = |error: Error| PostgresFault::of(url, &error);
    // One at a time; the number is accord's own. A step may take longer than a statement otherwise may.
    link.wait_long(link.client.batch_execute(
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
         SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(7161712300512)",
    ))
    .map_err(fault)?;
    let applied = steps(link, url);
    let end = if applied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = link.wait_long(link.client.batch_execute(end)).map_err(fault);
    let applied = applied?;
    ended.map(|()| applied)
}

fn steps(link: &Link, url: &PostgresUrl) -> Result<Vec<Migration>, PostgresFault> {
    let fault = |error: Error| PostgresFault::of(url, &error);
    let pending = pending(link, url)?;
    link.wait_long(link.client.batch_execute(CREATE)).map_err(fault)?;
    for step in pending {
        link.wait_long(link.client.batch_execute(&translate(step.sql))).map_err(fault)?;
        if step.version == 1 {
            link.wait_long(link.client.batch_execute(OF_ITS_OWN)).map_err(fault)?;
        }
        link.wait_long(link.client.execute(
            "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
            &[&i64::from(step.version), &step.name, &step.checksum().0.as_slice()],
        ))
        .map_err(fault)?;
    }
    Ok(pending.to_vec())
}

/// A step in PostgreSQL's words: 64-bit integers, bytes, texts in the order of their bytes, no table options.
/// What stands in quotes or in a comment stays.
fn translate(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() * 2);
    for line in sql.lines() {
        let (code, comment) = match line.find("--") {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        for (index, part) in code.split('\'').enumerate() {
            if index > 0 {
                text.push('\'');
            }
            if index % 2 == 1 {
                text.push_str(part);
            } else {
                words(part, &mut text);
            }
        }
        text.push_str(comment);
        text.push('\n');
    }
    text
}

fn words(code: &str, text: &mut String) {
    let code = code.replace(" STRICT, WITHOUT ROWID", "").replace(" STRICT", "");
    let mut word = String::new();
    for letter in code.chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        text.push_str(match word.as_str() {
            "INTEGER" => "bigint",
            "BLOB" => "bytea",
            "TEXT" => "text COLLATE \"C\"",
            "char" => "chr",
            other => other,
        });
        word.clear();
        text.push(letter);
    }
    text.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_put_in_its_words() {
        let step = "-- A TEXT about INTEGER.\nCREATE TABLE a (\n  bucket INTEGER NOT NULL, b TEXT CHECK (b IN ('TEXT', 'x')),\n  \
                    c BLOB\n) STRICT, WITHOUT ROWID;\nSELECT char(9) || 'char(9)';\n";
        assert_eq!(
            translate(step),
            "-- A TEXT about INTEGER.\nCREATE TABLE a (\n  bucket bigint NOT NULL, b text COLLATE \"C\" CHECK (b IN ('TEXT', 'x')),\n  \
             c bytea\n);\nSELECT chr(9) || 'char(9)';\n"
        );
    }

    #[test]
    fn nothing_of_sqlites_is_left() {
        for step in ALL {
            let text = translate(step.sql);
            let code: String = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
            for word in ["STRICT", "ROWID", "BLOB", "INTEGER", "AUTOINCREMENT"] {
                assert!(!code.contains(word), "{}: {word}", step.name);
            }
        }
    }
}
