//! What was acknowledged is on the disk, and what is on the disk can be opened or is refused with a sentence.

mod overfill;
mod scratch;

use accord_core::store::{self, Store, StoreFault, Verdict};
use accord_store::schema::{NEWEST, Schema};
use accord_store::sqlite::migrations;
use accord_store::{OpenFault, SqliteOptions, SqliteStore};
use overfill::overfill;
use scratch::Scratch;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).expect("a store that opens")
}

fn fault(path: &Path, options: SqliteOptions) -> OpenFault {
    match SqliteStore::open(path, options) {
        Ok(_) => panic!("{} was not to be opened", path.display()),
        Err(why) => why,
    }
}

fn put(store: &dyn Store, name: u32, value: &str) {
    let value = value.to_owned();
    store::transact(store, move |tx| Ok(tx.put_setting(&name.to_string(), &value)?)).expect("a kept row");
}

fn count(store: &dyn Store, names: std::ops::Range<u32>) -> usize {
    store::look(store, move |rows| {
        let found: Result<Vec<_>, _> = names.map(|name| rows.setting(&name.to_string())).collect();
        Ok(found?.into_iter().flatten().count())
    })
    .expect("a look")
}

#[test]
fn after_a_drop_everything_acknowledged_is_there() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    for round in 0..3 {
        let store = open(&path);
        assert_eq!(count(&store, 0..300), round * 100);
        let first = round as u32 * 100;
        (first..first + 100).for_each(|name| put(&store, name, "kept"));
    }
    assert_eq!(count(&open(&path), 0..300), 300);
    assert!(!scratch.file("accord.db-wal").exists(), "the log has been copied into the database");
}

#[test]
fn a_drop_finishes_what_is_queued() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    let (send, receive) = mpsc::channel();
    let store = open(&path);
    for name in 0..500_u32 {
        let told = send.clone();
        store.submit(
            Box::new(move |tx| match tx.put_setting(&name.to_string(), "kept") {
                Ok(()) => Verdict::Keep,
                Err(why) => Verdict::Fault(why),
            }),
            Box::new(move |end| drop(told.send(end))),
        );
    }
    drop((store, send));
    assert_eq!(receive.iter().filter(Result::is_ok).count(), 500);
    assert_eq!(count(&open(&path), 0..500), 500);
}

/// The files as they lie on the disk right after an acknowledgement are all that is left when the power goes.
#[test]
fn a_copy_of_the_files_without_a_goodbye_has_everything_acknowledged() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    let store = open(&path);
    for round in 1..=5_u32 {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    (0..25).for_each(|name| put(store, (round - 1) * 100 + thread * 25 + name, "kept"));
                });
            }
        });
        let crashed = scratch.file(&format!("crashed-{round}.db"));
        std::fs::copy(&path, &crashed).expect("a copy");
        std::fs::copy(scratch.file("accord.db-wal"), scratch.file(&format!("crashed-{round}.db-wal")))
            .expect("a copy of the log");
        let crashed = open(&crashed);
        assert_eq!(count(&crashed, 0..500), round as usize * 100);
        assert_eq!(crashed.check_integrity(), Ok(vec![]));
        put(&crashed, 1000, "and it goes on");
    }
}

#[test]
fn a_long_log_is_checkpointed_while_the_store_works() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    let store = open(&path);
    let large = "x".repeat(256 * 1024);
    // Some 128 MB through a log that is to stay at about 32.
    for round in 0..512_u32 {
        put(&store, round % 8, &large);
    }
    let log = std::fs::metadata(scratch.file("accord.db-wal")).expect("a log").len();
    assert!(log < 80 * 1024 * 1024, "the log has {log} bytes");
    assert_eq!(count(&store, 0..8), 8);
}

#[test]
fn under_calls_without_a_pause_the_log_starts_anew() {
    let scratch = Scratch::new();
    let store = open(&scratch.file("accord.db"));
    let medium = "x".repeat(64 * 1024);
    // Sixteen callers leave the writer no rest. Some 600 MB in all.
    std::thread::scope(|threads| {
        for caller in 0..16_u32 {
            let (store, medium) = (&store, &medium);
            threads.spawn(move || (0..600).for_each(|round| put(store, caller * 8 + round % 8, medium)));
        }
    });
    let log = std::fs::metadata(scratch.file("accord.db-wal")).expect("a log").len();
    assert!(log < 200 * 1024 * 1024, "the log has {log} bytes");
    assert_eq!(count(&store, 0..128), 128);
}

#[test]
fn a_full_queue_says_so_at_once() {
    let scratch = Scratch::new();
    let options = SqliteOptions { queue: 2, ..SqliteOptions::default() };
    let store = SqliteStore::open(scratch.file("accord.db"), options).expect("a store");
    overfill(&store);
}

#[test]
fn a_look_does_not_wait_for_the_writer() {
    let scratch = Scratch::new();
    let store = open(&scratch.file("accord.db"));
    let (go, wait) = mpsc::channel::<()>();
    let (told, end) = mpsc::channel();
    store.submit(
        Box::new(move |tx| {
            let written = tx.put_setting("1", "half");
            let released = wait.recv_timeout(Duration::from_secs(20)).is_ok();
            if written.is_ok() && released { Verdict::Keep } else { Verdict::TakeBack }
        }),
        Box::new(move |end| drop(told.send(end))),
    );
    // The writer is inside its transaction until it is told to go on.
    assert_eq!(count(&store, 1..2), 0);
    go.send(()).expect("the writer waits");
    assert_eq!(end.recv(), Ok(Ok(())));
    assert_eq!(count(&store, 1..2), 1);
}

#[test]
fn two_stores_on_one_file_do_not_harm_each_other() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    let stores = [open(&path), open(&path)];
    std::thread::scope(|scope| {
        for (store, first) in stores.iter().zip([0, 100]) {
            scope.spawn(move || (first..first + 100).for_each(|name| put(store, name, "kept")));
        }
    });
    for store in &stores {
        assert_eq!(count(store, 0..200), 200);
    }
}

#[test]
fn a_missing_file_is_created_only_when_asked() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    let options = SqliteOptions { create: false, ..SqliteOptions::default() };
    assert!(matches!(fault(&path, options), OpenFault::Missing(_)));
    assert!(!path.exists());
    let nowhere = scratch.file("missing/accord.db");
    assert!(matches!(fault(&nowhere, SqliteOptions::default()), OpenFault::NotAllowed { .. }));
    assert!(matches!(
        fault(&scratch.file("."), SqliteOptions::default()),
        OpenFault::NotAllowed { .. } | OpenFault::Other { .. }
    ));
}

#[test]
fn migrations_are_planned_applied_and_remembered() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    let now = Schema::default();
    assert_eq!(migrations::plan(&path, &now).expect("a plan").pending, now.steps());
    assert!(!path.exists(), "a plan changes nothing");

    std::fs::write(&path, b"").expect("an empty file");
    let options = SqliteOptions { migrate: false, ..SqliteOptions::default() };
    let why = fault(&path, options.clone());
    assert!(matches!(why, OpenFault::SchemaTooOld { found: 0, .. }), "{why}");
    assert!(why.to_string().contains("accord migrate"), "{why}");

    assert_eq!(migrations::apply(&path, &now).expect("applied"), now.steps());
    assert_eq!(migrations::apply(&path, &now).expect("applied"), vec![]);
    assert_eq!(migrations::plan(&path, &now).expect("a plan").pending, vec![]);
    let store = SqliteStore::open(&path, options).expect("a migrated database");
    assert_eq!(store.schema_version().ok(), Some(NEWEST));
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_as_it_was() {
    let scratch = Scratch::new();
    let text = scratch.file("notes.txt");
    let words =
        "this is not a database, but it is long enough to be taken for one at first sight. ".repeat(20);
    std::fs::write(&text, &words).expect("a file");
    assert!(matches!(fault(&text, SqliteOptions::default()), OpenFault::NotADatabase(_)));
    assert_eq!(std::fs::read_to_string(&text).expect("the file"), words);

    let other = scratch.file("other.db");
    let db = rusqlite::Connection::open(&other).expect("another's database");
    db.execute_batch("CREATE TABLE songs (title TEXT)").expect("a table");
    drop(db);
    let before = std::fs::read(&other).expect("the file");
    assert!(matches!(fault(&other, SqliteOptions::default()), OpenFault::NotOurs(_)));
    assert_eq!(std::fs::read(&other).expect("the file"), before);
}

#[test]
fn a_schema_from_the_future_or_with_another_text_is_refused() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    for (change, newer) in [
        ("INSERT INTO schema_migrations VALUES (999, 'from_the_future', x'00', 999)", true),
        ("UPDATE schema_migrations SET checksum = zeroblob(32) WHERE version = 1", false),
    ] {
        let _ = std::fs::remove_file(&path);
        drop(open(&path));
        let db = rusqlite::Connection::open(&path).expect("the database");
        db.execute_batch(&change.replace("x'00'", "zeroblob(32)")).expect("a change");
        drop(db);
        let why = fault(&path, SqliteOptions::default());
        assert_eq!(matches!(why, OpenFault::SchemaTooNew { found: 999, .. }), newer, "{why}");
        assert_eq!(matches!(why, OpenFault::SchemaDiffers { version: 1, .. }), !newer, "{why}");
    }
}

#[cfg(unix)]
#[test]
fn a_new_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let store = open(&scratch.file("accord.db"));
    put(&store, 1, "kept");
    for name in ["accord.db", "accord.db-wal"] {
        let mode = std::fs::metadata(scratch.file(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[test]
fn damage_is_found_and_told() {
    let scratch = Scratch::new();
    let path = scratch.file("accord.db");
    let store = open(&path);
    (0..2000).for_each(|name| put(&store, name, "some text that fills the pages"));
    assert_eq!(store.check_integrity(), Ok(vec![]));
    drop(store);
    let mut bytes = std::fs::read(&path).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&path, bytes).expect("the damaged file");
    match SqliteStore::open(&path, SqliteOptions::default()) {
        Err(why) => assert!(matches!(why, OpenFault::NotADatabase(_)), "{why}"),
        Ok(store) => match store.check_integrity() {
            Ok(problems) => assert!(!problems.is_empty()),
            Err(why) => assert!(matches!(why, StoreFault::Corrupt(_)), "{why}"),
        },
    }
}
