//! Applying the steps of the schema, beside running nodes where that can be.
//!
//! An empty database gets all of them in one transaction. Later each step is a transaction of its own that waits for
//! its locks a moment at a time, so that the calls behind it are not held up; plain indexes on tables that are in use
//! are built afterwards and concurrently. A step that takes something away is refused while a node needs it.

use super::fault::PostgresFault;
use super::link::Link;
use super::migrations::{self, CREATE, translate};
use super::nodes;
use super::partitions::{self, Span};
use super::settings::PostgresUrl;
use crate::fence::{FENCE, Fence};
use crate::schema::words::{Act, act, is_built_aside, statements};
use crate::schema::{Applying, Migration, Schema, too_old};
use std::time::Duration;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Only one program migrates a schema at a time; the number is accord's own.
const ALONE: &str = "pg_try_advisory_lock(71617123, hashtext(current_schema()))";
/// How long a step waits for its locks before it makes room for others.
const LOCK_WAIT: &str = "SET LOCAL lock_timeout = '500ms'";
/// How often a step is tried, and the pause between: a minute at least.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Applies what is pending, then makes the partitions that are missing. Two programs that start at once do not do it
/// twice.
pub(crate) fn migrate(
    link: &Link,
    url: &PostgresUrl,
    schema: &Schema,
    span: Option<Span>,
) -> Result<Applying, PostgresFault> {
    let done = |link| {
        Ok(migrations::pending(link, url, schema)?.is_empty()
            && unbuilt(link, url, schema)?.is_empty()
            && partitions::unmade(link, url, schema, span)?.is_empty())
    };
    if done(link)? {
        return Ok(Applying::default());
    }
    let fault = |error: Error| PostgresFault::of(url, &error);
    let say = |words: &str| link.wait_long(link.client.batch_execute(words)).map_err(fault);
    // A step may take longer than a statement otherwise may.
    say("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
    // Asked for again and again: whoever waits inside a statement would hold up an index that is built concurrently.
    while !link
        .wait_long(link.client.query_one(&format!("SELECT {ALONE}"), &[]))
        .map_err(fault)?
        .get::<_, bool>(0)
    {
        std::thread::sleep(Duration::from_millis(100));
    }
    let applied = alone(link, url, schema).and_then(|applied| {
        let partitions = partitions::make(link, url, schema, span)?;
        Ok(Applying { partitions, ..applied })
    });
    let _ = say("SELECT pg_advisory_unlock_all()");
    applied
}

fn alone(link: &Link, url: &PostgresUrl, schema: &Schema) -> Result<Applying, PostgresFault> {
    let before = migrations::applied(link, url)?.len();
    let pending = migrations::pending(link, url, schema)?;
    if before == 0 {
        transact(link, url, |link| {
            pending.iter().try_for_each(|step| apply(link, url, schema, step, false))
        })?;
        return Ok(Applying { steps: pending.to_vec(), ..Applying::default() });
    }
    // Said before anything is changed: all steps, or none.
    if !pending.is_empty() {
        refuse_fenced(link, url)?;
    }
    refuse_too_old(link, url, pending)?;
    for step in pending {
        patiently(link, url, schema, step)?;
    }
    let indexes = unbuilt(link, url, schema)?;
    for index in &indexes {
        build(link, url, index)?;
    }
    let names = indexes.into_iter().map(|index| index.name).collect();
    Ok(Applying { steps: pending.to_vec(), indexes: names, ..Applying::default() })
}

/// What is being filled keeps the shape that its source has.
fn refuse_fenced(link: &Link, url: &PostgresUrl) -> Result<(), PostgresFault> {
    let rows = link.wait_long(link.client.query("SELECT value FROM settings WHERE name = $1", &[&FENCE]));
    match rows.map_err(|error| PostgresFault::of(url, &error))?.first() {
        Some(row) => {
            Err(PostgresFault::Fenced { place: url.to_string(), why: Fence::read(row.get(0)).sentence() })
        }
        None => Ok(()),
    }
}

fn refuse_too_old(link: &Link, url: &PostgresUrl, steps: &[Migration]) -> Result<(), PostgresFault> {
    let live = nodes::live(link, url)?;
    for step in steps {
        let nodes = too_old(step, &live);
        if !nodes.is_empty() {
            let (place, version) = (url.to_string(), step.version);
            return Err(PostgresFault::NodesTooOld { place, version, nodes: nodes.join(", ") });
        }
    }
    Ok(())
}

/// Applies a step while nodes serve: when others hold what it needs, it gives way and comes again.
fn patiently(link: &Link, url: &PostgresUrl, schema: &Schema, step: &Migration) -> Result<(), PostgresFault> {
    let mut tries = 0;
    loop {
        tries += 1;
        let tried = transact(link, url, |link| {
            let fault = |error: Error| PostgresFault::of(url, &error);
            link.wait_long(link.client.batch_execute(LOCK_WAIT)).map_err(fault)?;
            if !step.bears(0) {
                // No node comes in until this is done; it would find the new schema then, and stay out.
                link.wait_long(link.client.batch_execute("LOCK TABLE nodes IN SHARE MODE")).map_err(fault)?;
                refuse_too_old(link, url, std::slice::from_ref(step))?;
            }
            apply(link, url, schema, step, true)
        });
        match tried {
            Err(PostgresFault::InUse { .. }) if tries < TRIES => std::thread::sleep(PAUSE),
            tried => return tried,
        }
    }
}

fn transact(
    link: &Link,
    url: &PostgresUrl,
    act: impl FnOnce(&Link) -> Result<(), PostgresFault>,
) -> Result<(), PostgresFault> {
    let say = |words: &str| {
        link.wait_long(link.client.batch_execute(words)).map_err(|error| PostgresFault::of(url, &error))
    };
    say("BEGIN")?;
    let acted = act(link);
    let ended = say(if acted.is_ok() { "COMMIT" } else { "ROLLBACK" });
    acted.and(ended)
}

/// Applies one step inside a transaction; `beside` nodes, indexes on their tables are left for afterwards.
fn apply(
    link: &Link,
    url: &PostgresUrl,
    schema: &Schema,
    step: &Migration,
    beside: bool,
) -> Result<(), PostgresFault> {
    let fault = |error: Error| match error.code() {
        Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED) => {
            PostgresFault::InUse { place: url.to_string(), version: step.version }
        }
        _ => PostgresFault::of(url, &error),
    };
    let text = translate(&step.sql);
    let all = statements(&text);
    link.wait_long(link.client.batch_execute(CREATE)).map_err(fault)?;
    for statement in all.iter().filter(|statement| !beside || !is_built_aside(statement, &all)) {
        link.wait_long(link.client.batch_execute(statement)).map_err(fault)?;
    }
    link.wait_long(link.client.batch_execute(&step.of_postgres)).map_err(fault)?;
    link.wait_long(link.client.execute(
        "INSERT INTO schema_migrations (version, name, checksum, compatible_from) VALUES ($1, $2, $3, $4)",
        &[
            &i64::from(step.version),
            &step.name.as_ref(),
            &step.checksum().0.as_slice(),
            &i64::from(schema.compatible_from(step.version)),
        ],
    ))
    .map_err(fault)?;
    Ok(())
}

/// An index that is built while nodes serve.
pub(super) struct Index {
    pub(super) name: String,
    statement: String,
}

impl Index {
    /// Its table, and what follows: columns and condition.
    fn target(&self) -> (&str, &str) {
        let (_, rest) = self.statement.split_once("ON").unwrap_or_default();
        let rest = rest.trim_start();
        rest.split_at(rest.find([' ', '(']).unwrap_or(rest.len()))
    }
}

/// The indexes of applied steps that are to be built concurrently and are not there, or not valid.
pub(super) fn unbuilt(link: &Link, url: &PostgresUrl, schema: &Schema) -> Result<Vec<Index>, PostgresFault> {
    let fault = |error: Error| PostgresFault::of(url, &error);
    let level = migrations::version(link, url)?;
    let rows = link
        .wait_long(link.client.query(
            "SELECT c.relname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
             WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND i.indisvalid",
            &[],
        ))
        .map_err(fault)?;
    let there: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let (mut missing, mut dropped) = (Vec::new(), Vec::new());
    for step in schema.steps().iter().filter(|step| step.version <= level) {
        let text = translate(&step.sql);
        let all = statements(&text);
        for statement in &all {
            match act(statement) {
                Act::CreateIndex { name, .. } if is_built_aside(statement, &all) => {
                    missing.push(Index { name: name.to_owned(), statement: (*statement).to_owned() });
                }
                Act::Drop(name) => dropped.push(name.to_owned()),
                _ => {}
            }
        }
    }
    missing.retain(|index| !there.contains(&index.name) && !dropped.contains(&index.name));
    Ok(missing)
}

/// Builds an index concurrently. What is left of an attempt that broke off is removed first. On a partitioned table it
/// is built partition by partition, and is valid with the last of them.
fn build(link: &Link, url: &PostgresUrl, index: &Index) -> Result<(), PostgresFault> {
    let Index { name, statement } = index;
    // Building waits for older transactions to end, in nobody's way.
    let long = |words: &str| retry(link, url, &["SET lock_timeout = 0", words]);
    let brief = |words: &str| retry(link, url, &["SET lock_timeout = '500ms'", words]);
    let drop = |name: &str| brief(&format!("DROP INDEX IF EXISTS {name}"));
    let (table, columns) = index.target();
    let parts = partitions::names(link, table).map_err(|error| PostgresFault::of(url, &error))?;
    drop(name)?;
    if parts.is_empty() {
        return long(&statement.replacen("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1));
    }
    brief(&format!("CREATE INDEX {name} ON ONLY {table}{columns}"))?;
    for part in parts {
        let of_part = format!("{part}_{name}");
        drop(&of_part)?;
        long(&format!("CREATE INDEX CONCURRENTLY {of_part} ON {part}{columns}"))?;
        brief(&format!("ALTER INDEX {name} ATTACH PARTITION {of_part}"))?;
    }
    Ok(())
}

/// Says words until nobody is in the way.
fn retry(link: &Link, url: &PostgresUrl, words: &[&str]) -> Result<(), PostgresFault> {
    let mut tries = 0;
    loop {
        tries += 1;
        match words.iter().try_for_each(|words| link.wait_long(link.client.batch_execute(words))) {
            Err(error) if tries < TRIES && partitions::in_the_way(&error) => std::thread::sleep(PAUSE),
            said => return said.map_err(|error| PostgresFault::of(url, &error)),
        }
    }
}
