//! Steps of the schema beside running nodes: what adds is applied under them, what takes away waits for them, and the
//! catalogue is what the steps say.

mod scratch;

use accord_core::outcome::Stop;
use accord_core::store::{self, Store, StoreFault};
use accord_store::schema::{NEWEST, Schema};
use accord_store::{PostgresFault, PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};
use accord_store::{postgres, sqlite};
use accord_testkit::postgres::{Fresh, fresh};
use scratch::Scratch;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const WIDER: &str = "-- kind: expand\n-- name: wider\nALTER TABLE settings ADD COLUMN note TEXT;\n\
    CREATE TABLE later (bucket INTEGER NOT NULL PRIMARY KEY, text TEXT) STRICT;\n\
    CREATE INDEX later_by_text ON later (text, bucket);\nCREATE INDEX settings_by_value ON settings (value);\n";

fn wider() -> Schema {
    Schema::default().with_extra(WIDER).expect("a step")
}

fn narrower() -> Schema {
    let text = format!(
        "-- kind: contract, needs {}\n-- name: narrower\nDROP INDEX settings_by_value;\n",
        NEWEST + 1
    );
    wider().with_extra(&text).expect("a step")
}

fn url(schema: &Fresh) -> PostgresUrl {
    PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL")
}

/// A node that serves, of a program with those steps.
fn node(schema: &Fresh, name: &str, steps: Schema) -> Result<PostgresStore, PostgresFault> {
    let node = Some(name.to_owned());
    let options =
        PostgresOptions { writers: 4, readers: 1, schema: steps, node, ..PostgresOptions::default() };
    PostgresStore::open(url(schema), options)
}

fn put(store: &dyn Store, name: &str, value: &str) -> Result<(), StoreFault> {
    let (name, value) = (name.to_owned(), value.to_owned());
    match store::transact(store, move |tx| Ok(tx.put_setting(&name, &value)?)) {
        Ok(()) => Ok(()),
        Err(Stop::Fault(why)) => Err(why),
        Err(Stop::Refused(refusal)) => panic!("{refusal}"),
    }
}

#[test]
fn what_adds_is_applied_under_running_nodes_and_none_of_their_calls_fails() {
    let Some(schema) = fresh() else { return };
    let (now, next) = (Schema::default(), wider());
    let made = postgres::migrations::apply(&url(&schema), &now).expect("made");
    assert_eq!((made.steps.len() as u32, made.indexes.len()), (NEWEST, 0));
    let first = node(&schema, "first", now.clone()).expect("a node");
    let (stop, calls) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for task in 0..4 {
            let (first, stop, calls) = (&first, &stop, &calls);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    put(first, &format!("setting {task}"), "value").expect("a call");
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Somebody holds the table for a while: the step gives way, and those who come meanwhile are not held up for long.
        scope
            .spawn(|| schema.sql("BEGIN; LOCK TABLE settings IN ROW SHARE MODE; SELECT pg_sleep(2); COMMIT"));
        std::thread::sleep(Duration::from_millis(300));
        let done = postgres::migrations::apply(&url(&schema), &next);
        let before = calls.load(Ordering::Relaxed);
        while calls.load(Ordering::Relaxed) < before + 20 {
            std::thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::Relaxed);
        let done = done.expect("applied");
        assert_eq!(done.steps.len(), 1);
        assert_eq!(done.indexes, ["settings_by_value"], "and that of the new table was built with it");
    });
    assert_eq!(postgres::migrations::verify(&url(&schema), &next).expect("a look"), Vec::<String>::new());
    // N and N + 1 serve together, whoever starts first.
    let second = node(&schema, "second", next.clone()).expect("a newer node");
    let third = node(&schema, "third", now.clone()).expect("an older node");
    for (name, store) in [("first", &first), ("second", &second), ("third", &third)] {
        put(store, name, "written").expect(name);
    }
    let outlook = postgres::migrations::plan(&url(&schema), &now).expect("a plan");
    assert_eq!((outlook.level, outlook.pending.len(), outlook.nodes.len()), (NEWEST + 1, 0, 3));
}

#[test]
fn what_takes_away_is_refused_while_a_node_needs_it() {
    let Some(schema) = fresh() else { return };
    let (now, next, last) = (Schema::default(), wider(), narrower());
    postgres::migrations::apply(&url(&schema), &next).expect("made");
    let old = node(&schema, "old node", now.clone()).expect("a node");
    let new = node(&schema, "new node", next.clone()).expect("a node");
    let why = postgres::migrations::apply(&url(&schema), &last).expect_err("refused").to_string();
    assert!(
        why.contains("old node") && !why.contains("new node") && why.contains("nothing was changed"),
        "{why}"
    );
    let outlook = postgres::migrations::plan(&url(&schema), &last).expect("a plan");
    assert_eq!((outlook.level, outlook.pending.len()), (NEWEST + 1, 1));
    drop(old);
    let done = postgres::migrations::apply(&url(&schema), &last).expect("applied");
    assert_eq!((done.steps.len(), done.indexes.len()), (1, 0));
    put(&new, "new", "still serves").expect("a call");
    let why = node(&schema, "late", now).err().map(|why| why.to_string()).unwrap_or_default();
    assert!(why.contains("run the newer accord"), "{why}");
    assert_eq!(schema.sql("SELECT address FROM nodes"), "new node", "the one that was refused left no row");
    assert_eq!(postgres::migrations::verify(&url(&schema), &last).expect("a look"), Vec::<String>::new());
}

#[test]
fn a_node_that_was_taken_for_dead_stops_writing_when_it_wakes() {
    let Some(schema) = fresh() else { return };
    let (now, last) = (Schema::default(), narrower());
    postgres::migrations::apply(&url(&schema), &wider()).expect("made");
    let old = node(&schema, "asleep", now).expect("a node");
    schema.sql("UPDATE nodes SET seen_at = 0");
    postgres::migrations::apply(&url(&schema), &last).expect("nobody is there");
    // It looks when it beats.
    let mut said = Ok(());
    for _ in 0..300 {
        said = put(&old, "late", "x");
        if said.is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(matches!(&said, Err(StoreFault::Unavailable(why)) if why.contains("newer accord")), "{said:?}");
}

#[test]
fn an_index_that_was_not_finished_is_seen_and_built() {
    let Some(schema) = fresh() else { return };
    let next = wider();
    postgres::migrations::apply(&url(&schema), &Schema::default()).expect("made");
    postgres::migrations::apply(&url(&schema), &next).expect("applied");
    schema.sql("DROP INDEX settings_by_value");
    let outlook = postgres::migrations::plan(&url(&schema), &next).expect("a plan");
    assert_eq!((outlook.unbuilt, outlook.pending.len()), (vec!["settings_by_value".to_owned()], 0));
    let missing = postgres::migrations::verify(&url(&schema), &next).expect("a look");
    assert!(missing.len() == 1 && missing[0].contains("settings_by_value"), "{missing:?}");
    let done = postgres::migrations::apply(&url(&schema), &next).expect("built");
    assert_eq!((done.steps.len(), done.indexes.len()), (0, 1));
    assert_eq!(postgres::migrations::verify(&url(&schema), &next).expect("a look"), Vec::<String>::new());
}

#[test]
fn the_catalogue_is_compared_with_the_steps() {
    let Some(schema) = fresh() else { return };
    let now = Schema::default();
    let why = postgres::migrations::verify(&url(&schema), &now).expect_err("nothing is there");
    assert!(matches!(why, PostgresFault::SchemaTooOld { found: 0, .. }), "{why}");
    postgres::migrations::apply(&url(&schema), &now).expect("made");
    assert_eq!(postgres::migrations::verify(&url(&schema), &now).expect("a look"), Vec::<String>::new());
    schema.sql(
        "ALTER TABLE users ADD COLUMN nick text; DROP INDEX codes_by_expiry; CREATE TABLE notes (a int);
         ALTER TABLE settings ALTER COLUMN value DROP NOT NULL",
    );
    let found = postgres::migrations::verify(&url(&schema), &now).expect("a look");
    for part in ["users.nick", "codes_by_expiry", "table notes", "missing: column settings.value text"] {
        assert!(found.iter().any(|line| line.contains(part)), "{part}: {found:?}");
    }

    let scratch = Scratch::new();
    let file = scratch.file("accord.db");
    drop(SqliteStore::open(&file, SqliteOptions::default()).expect("a store"));
    assert_eq!(sqlite::migrations::verify(&file, &now).expect("a look"), Vec::<String>::new());
    let db = rusqlite::Connection::open(&file).expect("the database");
    db.execute_batch(
        "ALTER TABLE users ADD COLUMN nick TEXT; DROP INDEX codes_by_expiry; CREATE TABLE notes (a INT);",
    )
    .expect("changes");
    let found = sqlite::migrations::verify(&file, &now).expect("a look");
    for part in ["users.nick", "codes_by_expiry", "table notes"] {
        assert!(found.iter().any(|line| line.contains(part)), "{part}: {found:?}");
    }
}

#[test]
fn a_file_too_is_served_by_the_program_of_before_while_steps_only_add() {
    let scratch = Scratch::new();
    let file = scratch.file("accord.db");
    let serving = SqliteStore::open(&file, SqliteOptions::default()).expect("a store");
    assert_eq!(sqlite::migrations::apply(&file, &wider()).expect("applied").len(), 1);
    put(&serving, "a", "1").expect("a call");
    drop(serving);
    let as_is = || SqliteOptions { migrate: false, ..SqliteOptions::default() };
    put(&SqliteStore::open(&file, as_is()).expect("the older program"), "b", "1").expect("a call");
    sqlite::migrations::apply(&file, &narrower()).expect("applied");
    let why = SqliteStore::open(&file, as_is()).err().map(|why| why.to_string()).unwrap_or_default();
    assert!(why.contains("run the newer accord"), "{why}");
    let newer = SqliteOptions { schema: wider(), ..as_is() };
    put(&SqliteStore::open(&file, newer).expect("the newer program"), "c", "1").expect("a call");
}
