//! Both engines have one schema, and on PostgreSQL it can be sharded by bucket.

mod scratch;

use accord_store::postgres::partitions::{self, Marked};
use accord_store::schema::Schema;
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};
use accord_testkit::postgres::{self, Fresh};
use scratch::Scratch;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Tables that one engine alone has.
const OF_POSTGRES: [&str; 3] = ["bucket_locks", "commits", "nodes"];
/// Small tables that every shard would hold whole.
const WITHOUT_BUCKET: [&str; 4] = ["settings", "clients", "client_keys", "schema_migrations"];

fn migrated() -> Option<Fresh> {
    let schema = postgres::fresh()?;
    let url = PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL");
    let options = PostgresOptions { migrate: true, ..PostgresOptions::default() };
    drop(PostgresStore::open(url, options).expect("a migrated database"));
    Some(schema)
}

/// What tables look like: for each its columns, and its keys, written alike for both engines: with the bucket first.
type Shape = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

fn of_postgres(schema: &Fresh) -> Shape {
    let mut shape = Shape::new();
    let columns = schema.sql(
        "SELECT table_name, column_name || ' ' || data_type || CASE is_nullable WHEN 'YES' THEN '' ELSE ' always' END
         FROM information_schema.columns WHERE table_schema = current_schema()
         AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition)",
    );
    for line in columns.lines() {
        let (table, column) = line.split_once('|').expect("two columns");
        shape.entry(table.to_owned()).or_default().0.insert(column.to_owned());
    }
    for line in schema.sql(UNIQUE).lines() {
        let (table, key) = line.split_once('|').expect("two columns");
        shape.entry(table.to_owned()).or_default().1.insert(key.to_owned());
    }
    shape
}

/// The columns of every unique index, in their order.
const UNIQUE: &str = "SELECT t.relname, string_agg(a.attname, ',' ORDER BY k.n)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
    WHERE t.relnamespace = to_regnamespace(current_schema()) AND i.indisunique AND NOT t.relispartition GROUP BY t.relname, i.indexrelid";

fn of_sqlite(file: &Path) -> Shape {
    drop(SqliteStore::open(file, SqliteOptions::default()).expect("a migrated database"));
    let db = rusqlite::Connection::open(file).expect("the database");
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = db.prepare(sql).expect(sql);
        let rows = statement.query_map([], |row| row.get(0)).expect(sql);
        rows.collect::<Result<_, _>>().expect(sql)
    };
    let kind = "CASE type WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN 'bytea' ELSE 'text' END";
    let mut shape = Shape::new();
    for table in texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        let columns = texts(&format!(
            "SELECT name || ' ' || {kind} || CASE \"notnull\" WHEN 1 THEN ' always' ELSE '' END
             FROM pragma_table_info('{table}')"
        ));
        let mut keys = BTreeSet::from([bucket_first(texts(&format!(
            "SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"
        )))]);
        for index in texts(&format!("SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" = 1")) {
            keys.insert(bucket_first(texts(&format!(
                "SELECT name FROM pragma_index_info('{index}') ORDER BY seqno"
            ))));
        }
        shape.insert(table, (columns.into_iter().collect(), keys));
    }
    shape
}

fn bucket_first(mut key: Vec<String>) -> String {
    if let Some(place) = key.iter().position(|column| column == "bucket") {
        key[..=place].rotate_right(1);
    }
    key.join(",")
}

#[test]
fn both_engines_have_the_same_tables_columns_and_keys() {
    let Some(schema) = migrated() else { return };
    let scratch = Scratch::new();
    let mut found = of_postgres(&schema);
    found.retain(|table, _| !OF_POSTGRES.contains(&table.as_str()));
    let expected = of_sqlite(&scratch.file("accord.db"));
    assert!(expected.len() > 30, "{expected:?}");
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let steps = Schema::default();
    for (table, shape) in expected {
        let shape = match partitions::marked(&steps).into_iter().find(|marked| marked.table == table) {
            Some(Marked { column, .. }) => {
                (shape.0, shape.1.iter().map(|key| format!("{key},{column}")).collect())
            }
            None => shape,
        };
        assert_eq!(found[&table], shape, "{table}");
    }
}

/// What tells one partition of a table: its name and its bounds.
const PARTITIONS: &str = "SELECT p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.relnamespace = to_regnamespace(current_schema()) AND p.relkind = 'p' ORDER BY 1, 2";

#[test]
fn what_is_only_appended_to_is_partitioned_by_time() {
    let Some(schema) = migrated() else { return };
    let steps = Schema::default();
    let mut marked: Vec<String> = partitions::marked(&steps)
        .iter()
        .map(|marked| format!("{}|RANGE ({})", marked.table, marked.column))
        .collect();
    marked.sort_unstable();
    assert_eq!(
        marked,
        [
            "entries|RANGE (at)",
            "journal|RANGE (at)",
            "postings|RANGE (at)",
            "settlement_items|RANGE (settled_at)"
        ]
    );
    let partitioned = schema.sql(
        "SELECT relname, pg_get_partkeydef(oid) FROM pg_class
         WHERE relnamespace = to_regnamespace(current_schema()) AND relkind = 'p' ORDER BY relname",
    );
    assert_eq!(partitioned.lines().collect::<Vec<_>>(), marked);

    let year: i64 = schema.sql("SELECT extract(year FROM now() AT TIME ZONE 'UTC')").parse().expect("a year");
    let found = schema.sql(PARTITIONS);
    for Marked { table, .. } in partitions::marked(&steps) {
        let of_table: Vec<&str> =
            found.lines().filter_map(|line| line.strip_prefix(&format!("{table}|"))).collect();
        assert_eq!(of_table.len(), 5, "{of_table:?}");
        assert_eq!(of_table[4], format!("{table}_default|DEFAULT"));
        for (part, year) in of_table[..4].iter().zip(year..) {
            assert!(part.starts_with(&format!("{table}_{year}|FOR VALUES FROM ('")), "{part}");
        }
    }
    let without_key = schema.sql(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relispartition
         AND c.relkind = 'r' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)",
    );
    assert_eq!(without_key, "");
}

#[test]
fn every_key_and_every_unique_constraint_begins_with_the_bucket() {
    let Some(schema) = migrated() else { return };
    let unique = schema.sql(UNIQUE);
    assert!(unique.lines().count() > 30, "{unique}");
    for line in unique.lines() {
        let (table, key) = line.split_once('|').expect("two columns");
        let shards = key == "bucket" || key.starts_with("bucket,");
        assert!(shards || WITHOUT_BUCKET.contains(&table), "{table}: {key}");
    }
    let keyless = schema.sql(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace(current_schema())
         AND c.relkind IN ('r', 'p')
         AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)",
    );
    assert_eq!(keyless, "", "tables without a primary key");
}

#[test]
fn nothing_in_the_schema_stands_in_the_way_of_shards() {
    let Some(schema) = migrated() else { return };
    for (what, kinds) in [("sequences", "'S'"), ("views", "'v', 'm'")] {
        let found = schema.sql(&format!(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema())
             AND relkind IN ({kinds})"
        ));
        assert_eq!(found, "", "{what}");
    }
    let constraints = schema.sql(
        "SELECT conrelid::regclass, conname FROM pg_constraint
         WHERE connamespace = to_regnamespace(current_schema()) AND contype NOT IN ('p', 'u', 'c')",
    );
    assert_eq!(constraints, "", "foreign keys, exclusions and constraint triggers");
    let triggers = schema.sql(
        "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         WHERE c.relnamespace = to_regnamespace(current_schema())",
    );
    assert_eq!(triggers, "");
    let functions =
        schema.sql("SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace(current_schema())");
    assert_eq!(functions, "", "rules in SQL");
}

/// Whatever language the database was made for, lists come in the order that the other stores give.
#[test]
fn texts_are_ordered_by_their_bytes() {
    let Some(schema) = migrated() else { return };
    let loose = schema.sql(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         JOIN pg_collation o ON o.oid = a.attcollation
         WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p') AND a.attnum > 0
         AND o.collname <> 'C'",
    );
    assert_eq!(loose, "");
}
