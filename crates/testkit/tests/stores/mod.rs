//! A PostgreSQL database for one test, with several nodes at work on it: each call goes to the next.

#![allow(dead_code, reason = "each test takes what it needs")]

use accord_core::store::{Done, Look, Store, Work};
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl};
use accord_testkit::postgres::{self, Fresh};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
