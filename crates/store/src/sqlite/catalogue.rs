//! Tests of the schema and the statements against an empty migrated database.

use super::*;
use crate::rows::{
    self, agreement, console, control, delivery, device, journal, message, notification, payment, people,
    refund, settlement, token, user,
};
use rusqlite::StatementStatus;
use std::collections::BTreeMap;

fn empty() -> Connection {
    let db = Connection::open_in_memory().expect("a database in memory");
    migrations::migrate(&db, Path::new(":memory:"), &Default::default()).expect("a migrated database");
    db
}

fn texts(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).expect(sql);
    let rows = statement.query_map([], |row| row.get(0)).expect(sql);
    rows.collect::<Result<_, _>>().expect(sql)
}

#[test]
fn every_statement_fits_the_schema_and_none_searches_a_table_from_end_to_end() {
    let db = empty();
    for sql in rows::STATEMENTS.iter().copied().flatten() {
        db.prepare(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let steps = plan(&db, sql);
        let scans = steps.iter().filter_map(|step| step.strip_prefix("SCAN "));
        let unwanted: Vec<&str> =
            scans.filter(|step| !step.contains(" INDEX ") && !READ_WHOLE.contains(step)).collect();
        assert!(unwanted.is_empty(), "{unwanted:?} in {sql}");
    }
}

#[test]
fn no_statement_is_prepared_anew_for_other_parameters() {
    let dir = std::env::temp_dir().join(format!("accord-prepared-once-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let path = dir.join("accord.db");
    create_file(&path).expect("a file");
    let db = connect(&path, Access::Write).expect("a connection");
    migrations::migrate(&db, &path, &Default::default()).expect("a migrated database");
    db.execute_batch("BEGIN").expect("a transaction");
    for sql in rows::STATEMENTS.iter().copied().flatten() {
        let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        for value in 1..4 {
            for index in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(index, value).expect("a parameter");
            }
            // Rows that contradict a check are no matter here.
            let _ = statement.raw_query().next();
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
    }
    drop(db);
    std::fs::remove_dir_all(&dir).expect("it goes");
}

/// Small tables that are read from end to end. A walk along an index is in its order, and ends at a limit or with the
/// few rows of a partial index.
const READ_WHOLE: &[&str] =
    &["audit_sealed", "clients", "client_keys", "credentials", "journal_heads", "operators"];

fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
    // Parameters are left unbound: a plan does not depend on them.
    let rows = statement.raw_query();
    rows.mapped(|row| row.get(3)).collect::<Result<_, _>>().expect("steps")
}

/// Small reference tables that every shard would hold whole.
const WITHOUT_BUCKET: &[&str] = &["settings", "clients", "client_keys", "schema_migrations"];

#[test]
fn every_key_and_every_unique_constraint_begins_or_ends_with_the_bucket() {
    let db = empty();
    let tables =
        texts(&db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    assert!(tables.len() > 15, "{tables:?}");
    for table in tables.iter().filter(|table| !WITHOUT_BUCKET.contains(&table.as_str())) {
        let key =
            texts(&db, &format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"));
        assert!(has_bucket(&key), "primary key of {table}: {key:?}");
        let unique =
            texts(&db, &format!("SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" = 1"));
        for index in unique {
            let columns =
                texts(&db, &format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno"));
            assert!(has_bucket(&columns), "{index} of {table}: {columns:?}");
        }
    }
}

fn has_bucket(key: &[String]) -> bool {
    [key.first(), key.last()].into_iter().flatten().any(|column| column == "bucket")
}

#[test]
fn a_cold_table_has_the_columns_of_its_hot_one() {
    let db = empty();
    for hot in ["prepare_claims", "terms", "token_sets"] {
        let columns = |table: &str| {
            texts(
                &db,
                &format!(
                    "SELECT name || ' ' || type || ' ' || \"notnull\" FROM pragma_table_info('{table}')"
                ),
            )
        };
        assert_eq!(columns(&format!("{hot}_cold")), columns(hot), "{hot}");
    }
}

#[test]
fn every_table_is_strict() {
    let db = empty();
    let loose = texts(
        &db,
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
    );
    assert_eq!(loose, Vec::<String>::new());
}

#[test]
fn what_is_due_is_found_by_an_index() {
    let db = empty();
    let plans: BTreeMap<&str, &str> = [
        ("notifications_due_by_target", notification::STATEMENTS[3]),
        ("notifications_due", notification::STATEMENTS[5]),
        ("notifications_over", notification::OVER_BEFORE),
        ("sessions_open", agreement::OPEN_BEFORE),
        ("sessions_decided", agreement::DECIDED_BEFORE),
        ("prepare_claims_by_time", agreement::CLAIMS_BEFORE),
        ("agreements_ended", agreement::ENDED_BEFORE),
        ("codes_by_expiry", token::CODES_BEFORE),
        ("token_sets_replaced", token::REPLACED_BEFORE),
        ("token_sets_by_lapse", token::LAPSED_BEFORE),
        ("pin_guards_by_time", user::GUARDS_BEFORE),
        ("payments_to_resolve", payment::STATEMENTS[3]),
        ("payments_of_customer", payment::OF_AGREEMENT),
        ("devices_of_customer", device::OF_CUSTOMER),
        ("devices_by_expiry", device::OVER_BEFORE),
        ("console_sessions_of_operator", console::OF_OPERATOR),
        ("console_sessions_by_expiry", console::OVER_BEFORE),
        ("terms_by_reference", agreement::BY_REFERENCE),
        ("notifications_by_time", notification::BEFORE),
        ("notifications_stuck", notification::STUCK),
        ("settlement_items_of_client", settlement::STATEMENTS[1]),
        ("controls_to_tell", control::STATEMENTS[1]),
        ("deliveries_due", delivery::DUE),
        ("deliveries_over", delivery::OVER_BEFORE),
        ("deliveries_of_customer", delivery::OF_CUSTOMER),
        ("refunds_to_resolve", refund::STATEMENTS[4]),
        ("payments_in_process", payment::RUNNING),
        ("refunds_in_process", refund::RUNNING),
        ("usage_days_by_day", control::USAGE_BETWEEN),
        ("one_time_codes_by_expiry", people::CODES_BEFORE),
    ]
    .into();
    for (index, sql) in plans {
        let sql = sql.replace("?1", "'x'").replace("?2", "9").replace("?3", "9");
        let sql = sql.replace("?4", "9").replace("?5", "'x'").replace("?6", "9");
        let steps = plan(&db, &sql).join("; ");
        assert!(steps.contains(index) && !steps.contains("TEMP B-TREE"), "{index}: {steps}");
    }
}

#[test]
fn what_happened_is_found_by_an_index() {
    let db = empty();
    for (index, sql) in [
        ("journal_by_subject", journal::ABOUT),
        ("journal_by_subject", journal::JOURNAL_OF),
        ("entries_of_customer", settlement::ENTRIES_LISTED),
        ("payments_of_customer", settlement::ENTRIES_OF_PAYMENTS),
        ("inbox_listed", message::LISTED),
        ("payments_of_customer", message::OF_PAYMENTS),
    ] {
        let sql = (1..=7).fold(sql.to_owned(), |sql, number| sql.replace(&format!("?{number}"), "9"));
        let steps = plan(&db, &sql);
        assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:#?}");
        // Only what shares a millisecond is sorted, and each table is searched by a key.
        let slow = |step: &&String| step.contains("TEMP B-TREE FOR ORDER BY") || !step.contains("SEARCH ");
        let slow = |step: &&String| slow(step) && !step.contains("LAST ") && !step.contains("SUBQUERY");
        assert_eq!(steps.iter().find(slow), None, "{steps:#?}");
    }
}

#[test]
fn the_operators_book_says_of_every_table_how_long_it_is_kept() {
    let (_, kept) = include_str!("../../../../docs/operating.md")
        .split_once("## What is kept, and for how long")
        .expect("the chapter is there");
    for table in texts(&empty(), "SELECT name FROM sqlite_schema WHERE type = 'table'") {
        assert!(kept.contains(&format!("`{table}`")), "docs/operating.md says nothing of {table}");
    }
}

#[test]
fn migrations_are_numbered_without_gaps() {
    for (index, step) in crate::schema::ALL.iter().enumerate() {
        assert_eq!(step.version as usize, index + 1, "{}", step.name);
    }
}
