//! The register of nodes: each that serves writes a row of its own every few seconds, with the database's time. It
//! registers before it looks at the schema, and a step that would stop it looks at the register under a lock: so
//! either the step finds the node, or the node finds the step.

use super::fault::PostgresFault;
use super::link::Link;
use super::settings::{PostgresOptions, PostgresUrl};
use crate::schema::Node;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_postgres::Error;

/// How often a node says that it lives.
const BEAT: Duration = Duration::from_secs(5);
/// A node that has not said so for so long is taken for dead.
const LIFE: Duration = Duration::from_secs(30);
/// A row of a dead node is removed after that.
const KEPT: Duration = Duration::from_secs(24 * 3600);

const NOW: &str = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// This node's row.
pub(super) struct Register {
    url: PostgresUrl,
    options: PostgresOptions,
    id: String,
    address: String,
    /// Set once the schema has moved on without this program.
    outdated: Arc<AtomicBool>,
}

impl Register {
    /// Writes the row. Nothing, when the schema has no register yet.
    pub(super) fn enter(
        link: &Link,
        url: &PostgresUrl,
        options: &PostgresOptions,
        address: &str,
    ) -> Result<Option<Register>, PostgresFault> {
        let fault = |error: Error| PostgresFault::of(url, &error);
        let there = link.wait_long(link.client.query_one("SELECT to_regclass('nodes') IS NOT NULL", &[]));
        if !there.map_err(fault)?.get::<_, bool>(0) {
            return Ok(None);
        }
        let register = Register {
            url: url.clone(),
            options: options.clone(),
            id: link.next_marker(),
            address: address.to_owned(),
            outdated: Arc::default(),
        };
        let old = format!("DELETE FROM nodes WHERE bucket = 0 AND seen_at < {NOW} - {}", KEPT.as_millis());
        link.wait_long(link.client.batch_execute(&old)).map_err(fault)?;
        register.beat(link).map_err(fault)?;
        Ok(Some(register))
    }

    /// Set once this program must not serve any more.
    pub(super) fn outdated(&self) -> Arc<AtomicBool> {
        self.outdated.clone()
    }

    /// Says that this node lives, and looks whether it still may.
    fn beat(&self, link: &Link) -> Result<(), Error> {
        let words = format!(
            "INSERT INTO nodes (bucket, id, address, pid, level, started_at, seen_at)
             VALUES (0, $1, $2, $3, $4, {NOW}, {NOW}) ON CONFLICT (bucket, id) DO UPDATE SET seen_at = excluded.seen_at"
        );
        let level = self.options.schema.level();
        let pid = i64::from(std::process::id());
        link.wait_long(link.client.execute(&words, &[&self.id, &self.address, &pid, &i64::from(level)]))?;
        let newest = "SELECT compatible_from FROM schema_migrations ORDER BY version DESC LIMIT 1";
        let rows = link.wait_long(link.client.query(newest, &[]))?;
        let from: i64 = rows.first().map_or(0, |row| row.get(0));
        self.outdated.store(from > i64::from(level), Ordering::Relaxed);
        Ok(())
    }

    /// Takes the row out.
    pub(super) fn leave(&self, link: &Link) {
        let words = "DELETE FROM nodes WHERE bucket = 0 AND id = $1";
        // Nobody misses it: it is taken for dead soon.
        let _ = link.wait_long(link.client.execute(words, &[&self.id]));
    }

    /// Beats until the store is closed.
    pub(super) fn run(self, calls: &Receiver<()>) {
        let mut link = None;
        while calls.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
            if link.as_ref().is_none_or(Link::is_closed) {
                link = Link::open(&self.url, &self.options).ok();
            }
            if link.as_ref().is_some_and(|link| self.beat(link).is_err()) {
                link = None;
            }
        }
        if let Some(link) = link.or_else(|| Link::open(&self.url, &self.options).ok()) {
            self.leave(&link);
        }
    }
}

/// The nodes that live.
pub(crate) fn live(link: &Link, url: &PostgresUrl) -> Result<Vec<Node>, PostgresFault> {
    let fault = |error: Error| PostgresFault::of(url, &error);
    let there = link.wait_long(link.client.query_one("SELECT to_regclass('nodes') IS NOT NULL", &[]));
    if !there.map_err(fault)?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let words = format!(
        "SELECT address, pid, level FROM nodes WHERE bucket = 0 AND seen_at > {NOW} - {} ORDER BY address, pid",
        LIFE.as_millis()
    );
    let rows = link.wait_long(link.client.query(&words, &[])).map_err(fault)?;
    let node = |row: &tokio_postgres::Row| Node {
        address: row.get(0),
        pid: row.get(1),
        level: u32::try_from(row.get::<_, i64>(2)).unwrap_or(0),
    };
    Ok(rows.iter().map(node).collect())
}
