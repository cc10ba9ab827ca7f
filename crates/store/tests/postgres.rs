//! The store of a cluster obeys the laws, alone and with a second node at work on the same database.

use accord_core::store::{Done, Look, Store, Work};
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl};
use accord_testkit::postgres::{self, Fresh};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Nodes on a schema of their own: work goes to each in turn. Closed before the schema goes.
struct Nodes {
    stores: Vec<PostgresStore>,
    turn: AtomicUsize,
    schema: Fresh,
}

impl Nodes {
    fn next(&self) -> &PostgresStore {
        &self.stores[self.turn.fetch_add(1, Ordering::Relaxed) % self.stores.len()]
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
}

fn fresh(count: usize, options: &PostgresOptions) -> Option<Nodes> {
    let schema = postgres::fresh()?;
    let url = PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL");
    let options = PostgresOptions { migrate: true, ..options.clone() };
    let open = || PostgresStore::open(url.clone(), options.clone()).expect("a fresh store");
    let stores = (0..count).map(|_| open()).collect();
    Some(Nodes { stores, turn: AtomicUsize::new(0), schema })
}

accord_testkit::store_laws!(maybe laws, || fresh(
    1,
    &PostgresOptions { writers: 8, readers: 2, ..PostgresOptions::default() }
));

// Two nodes that share the work, each with one connection for it.
accord_testkit::store_laws!(maybe laws_with_two_nodes, || fresh(
    2,
    &PostgresOptions { writers: 3, readers: 1, ..PostgresOptions::default() }
));

#[test]
fn the_time_is_the_servers() {
    let Some(nodes) = fresh(2, &PostgresOptions::default()) else { return };
    let server = || {
        let words = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        nodes.schema.sql(words).parse::<i64>().expect("a time")
    };
    for store in &nodes.stores {
        let (before, asked_at) = (server(), Instant::now());
        let reading = store.read_clock().expect("an answer").expect("a clock");
        assert!((before..=server()).contains(&reading.time.0), "{reading:?}");
        assert!(reading.at > asked_at && reading.at < Instant::now(), "{reading:?}");
    }
}
