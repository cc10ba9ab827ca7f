//! The embedded store obeys the laws.

mod scratch;

use accord_core::store::{Done, Look, Store, Work};
use accord_store::{SqliteOptions, SqliteStore};
use scratch::Scratch;

/// A store in a directory of its own. The store is closed before the directory goes.
struct Fresh {
    store: SqliteStore,
    _scratch: Scratch,
}

impl Store for Fresh {
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

fn fresh(options: SqliteOptions) -> Fresh {
    let scratch = Scratch::new();
    let store = SqliteStore::open(scratch.file("accord.db"), options).expect("a fresh store");
    Fresh { store, _scratch: scratch }
}

accord_testkit::store_laws!(laws, || fresh(SqliteOptions::default()));

// The smallest of everything: one reader, one transaction to a commit.
accord_testkit::store_laws!(laws_without_groups, || fresh(SqliteOptions {
    readers: 1,
    group: 1,
    ..SqliteOptions::default()
}));
