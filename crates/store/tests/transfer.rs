//! Moving a store: interrupted, resumed, refused, given up. What the binary makes of it is in `accord`'s tests.

mod scratch;

use accord_core::store::{self, Store};
use accord_store::fence::FENCE;
use accord_store::schema::Schema;
use accord_store::transfer::{TransferFault, abort, move_store};
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};
use accord_store::{postgres, sqlite};
use accord_testkit::postgres::{Fresh, fresh};
use scratch::Scratch;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

fn url(schema: &Fresh) -> PostgresUrl {
    PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL")
}

/// A file with rows of every kind of column, and of one table as many as two transactions copy; `codes` come before
/// `settings`.
fn filled(scratch: &Scratch) -> PathBuf {
    let file = scratch.file("accord.db");
    drop(SqliteStore::open(&file, SqliteOptions::default()).expect("a store"));
    let db = rusqlite::Connection::open(&file).expect("the database");
    db.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700)
         INSERT INTO settings SELECT 'name ' || i, 'value ''' || i || ' ö \"x\" \\ { , }' FROM n;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
         INSERT INTO pin_guards SELECT i % 7, 'user ' || i, i, i, -i, 0 FROM n;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO audit_checkpoints SELECT 0, i, i, 'x', randomblob(40) FROM n;",
    )
    .expect("rows");
    file
}

fn put(store: &dyn Store) -> bool {
    store::transact(store, |tx| Ok(tx.put_setting("new", "1")?)).is_ok()
}

fn read(store: &dyn Store) -> Option<String> {
    store::look(store, |rows| rows.setting("name 1")).expect("a look")
}

#[test]
fn a_move_that_broke_off_goes_on_where_it_was_and_both_sides_say_the_same() {
    let Some(schema) = fresh() else { return };
    let scratch = Scratch::new();
    let file = filled(&scratch);
    let serving = SqliteStore::open(&file, SqliteOptions::default()).expect("a store");
    assert!(put(&serving));

    let broken = catch_unwind(AssertUnwindSafe(|| {
        move_store(&file, &url(&schema), |table, _| assert_ne!(table, "pin_guards", "as it was asked"))
    }));
    assert!(broken.is_err());
    assert_eq!(schema.sql("SELECT count(*) FROM pin_guards"), "1300");
    assert!(!put(&serving) && read(&serving).is_some(), "reads go on, writes do not");
    // Neither side changes its shape meanwhile.
    let wider = Schema::default().with_extra("-- kind: expand\n-- name: a\nCREATE TABLE a (b INTEGER);");
    let wider = wider.expect("a step");
    let why = sqlite::migrations::apply(&file, &wider).expect_err("it is being moved").to_string();
    assert!(why.contains("being moved"), "{why}");
    let why = postgres::migrations::apply(&url(&schema), &wider).expect_err("it is being filled").to_string();
    assert!(why.contains("being filled"), "{why}");
    let opened = PostgresStore::open(url(&schema), PostgresOptions::default()).expect("a database");
    let fence = store::look(&opened, |rows| rows.setting(FENCE)).expect("a look").expect("a fence");
    assert!(fence.starts_with("filling "), "{fence}");
    drop(opened);
    schema.sql("DELETE FROM pin_guards WHERE (bucket, subject) > (3, 'user 2')");

    let moved = move_store(&file, &url(&schema), |_, _| {}).expect("the rest");
    assert!(moved.resumed > 0, "{}", moved.resumed);
    let rows = |table: &str| moved.tables.iter().find(|sum| sum.table == table).map(|sum| sum.rows);
    assert_eq!((rows("settings"), rows("pin_guards"), rows("codes")), (Some(1701), Some(1300), Some(0)));
    assert_eq!(rows("audit_checkpoints"), Some(100_000));
    assert_eq!(schema.sql(&format!("SELECT count(*) FROM settings WHERE name = '{FENCE}'")), "0");
    assert!(!put(&serving) && read(&serving).is_some(), "the file stays closed");
    // The last stroke was missing when the machine went down: it is made up for.
    let fence = store::look(&serving, |rows| rows.setting(FENCE)).expect("a look").expect("a fence");
    let id = fence.split(' ').nth(1).expect("its name");
    schema.sql(&format!("INSERT INTO settings VALUES ('{FENCE}', 'filling {id} the file')"));
    assert_eq!(move_store(&file, &url(&schema), |_, _| {}).expect("opened").tables, moved.tables);
    let there = PostgresStore::open(url(&schema), PostgresOptions::default()).expect("a store");
    assert!(put(&there));
    assert_eq!(read(&there), read(&serving));
    let why = move_store(&file, &url(&schema), |_, _| {}).expect_err("it is done").to_string();
    assert!(why.contains("moved") && why.contains("already"), "{why}");
    assert!(matches!(abort(&file, None), Err(TransferFault::AlreadyMoved { .. })));
}

#[test]
fn a_target_with_rows_or_with_nodes_or_of_somebody_else_is_refused_and_the_file_stays_open() {
    let Some(schema) = fresh() else { return };
    let scratch = Scratch::new();
    let file = filled(&scratch);
    let serving = SqliteStore::open(&file, SqliteOptions::default()).expect("a store");
    let fails = |schema: &Fresh, part: &str| {
        let why = move_store(&file, &url(schema), |_, _| {}).expect_err(part).to_string();
        assert!(why.contains(part), "{why}");
        assert!(put(&serving), "{part}");
    };
    let options = PostgresOptions { migrate: true, node: Some("here".into()), ..PostgresOptions::default() };
    let node = PostgresStore::open(url(&schema), options).expect("a store");
    fails(&schema, "nodes serve from");
    assert!(put(&node));
    drop(node);
    fails(&schema, "is not empty (table settings)");
    schema.sql("DELETE FROM settings");
    schema.sql("INSERT INTO settings VALUES ('store.fence', 'filling other sqlite:/elsewhere.db')");
    fails(&schema, "/elsewhere.db by another move");
    let Some(others) = fresh() else { return };
    others.sql("CREATE TABLE songs (title text)");
    fails(&others, "not those of accord");
    assert!(matches!(abort(&file, None), Err(TransferFault::NotMoving { .. })));
}

#[test]
fn what_differs_keeps_the_target_closed_and_giving_up_opens_the_file() {
    let Some(schema) = fresh() else { return };
    let scratch = Scratch::new();
    let file = filled(&scratch);
    let serving = SqliteStore::open(&file, SqliteOptions::default()).expect("a store");
    let why = move_store(&file, &url(&schema), |table, _| {
        if table == "settings" {
            schema.sql("UPDATE settings SET value = 'other' WHERE name = 'name 5'");
        }
    })
    .expect_err("they differ");
    assert!(matches!(&why, TransferFault::Differs(tables) if tables.contains("settings")), "{why}");
    assert!(!put(&serving));
    let elsewhere = PostgresUrl::parse("postgres://me@localhost:1/elsewhere", Path::new("/")).expect("a URL");
    let why = move_store(&file, &elsewhere, |_, _| {}).expect_err("one move at a time");
    assert!(matches!(&why, TransferFault::AnotherTarget { .. }), "{why}");
    abort(&file, Some(&url(&schema))).expect("given up");
    assert!(put(&serving));
}

#[test]
fn giving_up_empties_the_target_and_another_try_succeeds() {
    let Some(schema) = fresh() else { return };
    let scratch = Scratch::new();
    let file = filled(&scratch);
    let serving = SqliteStore::open(&file, SqliteOptions::default()).expect("a store");
    let broken = catch_unwind(AssertUnwindSafe(|| {
        move_store(&file, &url(&schema), |table, _| assert_ne!(table, "settings", "as it was asked"))
    }));
    assert!(broken.is_err() && !put(&serving));
    abort(&file, Some(&url(&schema))).expect("given up");
    assert!(put(&serving));
    assert_eq!(schema.sql("SELECT (SELECT count(*) FROM settings) + (SELECT count(*) FROM pin_guards)"), "0");
    let moved = move_store(&file, &url(&schema), |_, _| {}).expect("moved");
    assert_eq!(moved.resumed, 0);
}

#[test]
fn a_text_that_postgresql_cannot_hold_is_said_with_its_table() {
    let Some(schema) = fresh() else { return };
    let scratch = Scratch::new();
    let file = filled(&scratch);
    let db = rusqlite::Connection::open(&file).expect("the database");
    db.execute_batch("INSERT INTO settings VALUES ('nul', 'a' || char(0) || 'b')").expect("a row");
    let why = move_store(&file, &url(&schema), |_, _| {}).expect_err("it cannot be held").to_string();
    assert!(why.contains("table settings") && why.contains("run the same command again"), "{why}");
    db.execute_batch("DELETE FROM settings WHERE name = 'nul'").expect("mended");
    move_store(&file, &url(&schema), |_, _| {}).expect("moved");
}
