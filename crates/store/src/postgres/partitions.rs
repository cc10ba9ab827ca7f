//! Tables that are only appended to are partitioned by time, so that a year of them can be taken away whole.
//!
//! The steps of the schema mark such a table in its first line. Its partitions are no part of the steps: they are made
//! by [`make`], which every `accord migrate` ends with, for this year and some to come. Rows of any other time lie in
//! the default partition until their year is made, which moves them.

use super::fault::PostgresFault;
use super::link::Link;
use super::settings::{PostgresOptions, PostgresUrl};
use crate::schema::Schema;
use std::time::Duration;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// What marks a table in its first line; the column follows.
const MARK: &str = "-- by time: ";

/// A table that waits for readers of its default partition gives way and comes again, for a minute.
const TRIES: u32 = 120;
const PAUSE: Duration = Duration::from_millis(250);

/// A table that is partitioned by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked<'s> {
    /// Its name.
    pub table: &'s str,
    /// The column: milliseconds since 1970-01-01T00:00:00Z, never empty.
    pub column: &'s str,
}

impl<'s> Marked<'s> {
    /// The mark in the first line of a table.
    pub(super) fn read(line: &'s str) -> Option<Marked<'s>> {
        let (code, column) = line.split_once(MARK)?;
        let table = code.strip_prefix("CREATE TABLE ")?.trim_end().strip_suffix(" (")?;
        Some(Marked { table, column: column.trim_end() })
    }

    /// A line of the table's definition where it differs: the key gets the time, the end says how it is partitioned.
    pub(super) fn put(&self, code: &str) -> Option<String> {
        let Marked { table, column } = self;
        if let Some(key) = code.trim_start().strip_prefix("PRIMARY KEY (") {
            return Some(format!("  PRIMARY KEY ({}", key.replacen(')', &format!(", {column})"), 1)));
        }
        code.starts_with(')').then(|| {
            format!(
                ") PARTITION BY RANGE ({column}); CREATE TABLE {table}_default PARTITION OF {table} DEFAULT;"
            )
        })
    }
}

/// Every table that the steps of the schema mark.
pub fn marked(schema: &Schema) -> Vec<Marked<'_>> {
    schema.steps().iter().flat_map(|step| step.sql.lines().filter_map(Marked::read)).collect()
}

/// How much time one partition holds, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A calendar year.
    Year,
    /// A calendar month: for a house with more than some hundred million rows a year.
    Month,
}

/// Where a table's partitions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The table.
    pub table: String,
    /// Are there rows that no partition by time holds?
    pub strays: bool,
    /// The beginning of the oldest partition that is there, in milliseconds since 1970; none: there is no partition by
    /// time.
    pub since: Option<i64>,
    /// The end of the last partition, in milliseconds since 1970; none: there is no partition by time.
    pub until: Option<i64>,
    /// The database's time, likewise.
    pub now: i64,
}

/// What the partitions of a database hold.
pub fn look(url: &PostgresUrl) -> Result<Vec<Coverage>, PostgresFault> {
    coverage(&Link::open(url, &PostgresOptions::default())?).map_err(|error| PostgresFault::of(url, &error))
}

fn coverage(link: &Link) -> Result<Vec<Coverage>, Error> {
    let mut all = Vec::new();
    for Marked { table, .. } in marked(&Schema::default()) {
        let words = format!(
            "SELECT EXISTS (SELECT FROM {table}_default), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
        );
        let row = link.wait_long(link.client.query_one(&words, &[]))?;
        let parts = there(link, table)?;
        let since = parts.iter().map(|part| part.from).min();
        let until = parts.iter().map(|part| part.until).max();
        let (table, strays, now) = (table.to_owned(), row.try_get(0)?, row.try_get(1)?);
        all.push(Coverage { table, strays, since, until, now });
    }
    Ok(all)
}

/// A partition: its name, its first moment and the first one after it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: String,
    from: i64,
    until: i64,
}

/// The partitions of a table, with what the server says of their bounds.
fn bounds(link: &Link, table: &str) -> Result<Vec<(String, String)>, Error> {
    let rows = link.wait_long(link.client.query(
        "SELECT c.relname::text, pg_get_expr(c.relpartbound, c.oid)
         FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = to_regclass(quote_ident($1)) ORDER BY c.relname",
        &[&table],
    ))?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The names of a table's partitions, the default one included; none: it is not partitioned.
pub(super) fn names(link: &Link, table: &str) -> Result<Vec<String>, Error> {
    Ok(bounds(link, table)?.into_iter().map(|(name, _)| name).collect())
}

/// The partitions of a table, but for the default one.
fn there(link: &Link, table: &str) -> Result<Vec<Part>, Error> {
    let part =
        |(name, bound): (String, String)| range(&bound).map(|(from, until)| Part { name, from, until });
    Ok(bounds(link, table)?.into_iter().filter_map(part).collect())
}

/// What `FOR VALUES FROM ('1') TO ('2')` says; nothing for the default partition.
fn range(bound: &str) -> Option<(i64, i64)> {
    let (from, until) = bound.strip_prefix("FOR VALUES FROM (")?.split_once(") TO (")?;
    let number = |text: &str, open: i64| text.trim_matches('\'').parse().unwrap_or(open);
    Some((number(from, i64::MIN), number(until.strip_suffix(')')?, i64::MAX)))
}

/// Makes the partitions that are missing: of this year and the next three (by month: until the end of the next year),
/// and of each time that has rows in the default partition, which move. A span that was not asked for is that of the
/// last partition. Says which were made. Nodes may serve meanwhile.
///
/// Fails when readers of a table do not make room within a minute; what was made until then stays.
pub(super) fn make(
    link: &Link,
    url: &PostgresUrl,
    schema: &Schema,
    span: Option<Span>,
) -> Result<Vec<String>, PostgresFault> {
    let mut made = Vec::new();
    for marked in marked(schema) {
        let mut tries = 0;
        loop {
            tries += 1;
            match of_table(link, marked, span) {
                Ok(names) => break made.extend(names),
                Err(error) if tries < TRIES && in_the_way(&error) => std::thread::sleep(PAUSE),
                Err(error) => return Err(PostgresFault::of(url, &error)),
            }
        }
    }
    Ok(made)
}

/// The names of what [`make`] would make; nothing while a table is missing, as its step is then too.
pub(super) fn unmade(
    link: &Link,
    url: &PostgresUrl,
    schema: &Schema,
    span: Option<Span>,
) -> Result<Vec<String>, PostgresFault> {
    let mut names = Vec::new();
    for marked in marked(schema) {
        match missing(link, marked, span) {
            Ok(parts) => names.extend(parts.into_iter().map(|part| part.name)),
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
            Err(error) => return Err(PostgresFault::of(url, &error)),
        }
    }
    Ok(names)
}

/// Does it only have to wait for others?
pub(super) fn in_the_way(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED))
}

/// The missing partitions of one table, in one transaction. Nobody else migrates meanwhile.
fn of_table(link: &Link, marked: Marked<'_>, span: Option<Span>) -> Result<Vec<String>, Error> {
    let parts = missing(link, marked, span)?;
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let say = |words: &str| link.wait_long(link.client.batch_execute(words));
    say("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '500ms'")?;
    let made = parts.iter().try_for_each(|part| say(&creation(marked, part)));
    say(if made.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    made.map(|()| parts.into_iter().map(|part| part.name).collect())
}

/// A partition comes into being beside its table and is attached with its rows, so that only the default partition is
/// closed to others meanwhile.
fn creation(Marked { table, column }: Marked<'_>, Part { name, from, until }: &Part) -> String {
    format!(
        "LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE;
         CREATE TABLE {name} (LIKE {table} INCLUDING ALL);
         WITH moved AS (DELETE FROM {table}_default WHERE {column} >= {from} AND {column} < {until} RETURNING *)
         INSERT INTO {name} SELECT * FROM moved;
         ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({until})"
    )
}

/// What should be there and is not. What overlaps a partition is left as it is.
fn missing(link: &Link, marked: Marked<'_>, span: Option<Span>) -> Result<Vec<Part>, Error> {
    let Marked { table, column } = marked;
    let there = there(link, table)?;
    let last = there.iter().max_by_key(|part| part.until);
    let by_month = |part: &Part| part.until.saturating_sub(part.from) <= 31 * 24 * 3_600_000;
    let span = span.unwrap_or(if last.is_some_and(by_month) { Span::Month } else { Span::Year });
    let (unit, ahead, name) = match span {
        Span::Year => ("year", "3 years", "YYYY"),
        Span::Month => ("month", "1 year 11 months", "YYYY_MM"),
    };
    // Times that no calendar should have (a sandbox's, an attack's) stay in the default partition.
    let words = format!(
        "WITH clock AS (SELECT now() AT TIME ZONE 'UTC' AS now), spans AS (
           SELECT generate_series(date_trunc('{unit}', now), date_trunc('year', now) + interval '{ahead}',
             interval '1 {unit}') AS first FROM clock
           UNION
           SELECT date_trunc('{unit}', to_timestamp({column} / 1000) AT TIME ZONE 'UTC') FROM {table}_default
           WHERE {column} BETWEEN 0 AND 7258118399999)
         SELECT '{table}_' || to_char(first, '{name}'), (extract(epoch FROM first) * 1000)::bigint,
           (extract(epoch FROM first + interval '1 {unit}') * 1000)::bigint
         FROM spans ORDER BY first"
    );
    let rows = link.wait_long(link.client.query(&words, &[]))?;
    let mut parts = Vec::new();
    for row in &rows {
        let part = Part { name: row.try_get(0)?, from: row.try_get(1)?, until: row.try_get(2)? };
        if !there.iter().any(|other| other.from < part.until && part.from < other.until) {
            parts.push(part);
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    /// Tables without a mark that rows are only ever added to, and why.
    const WITHOUT: &[(&str, &str)] = &[
        ("audit_checkpoints", "one a minute at most, and each proves lines of any age"),
        ("closed_orders", IDEMPOTENCY),
        ("consents", "evidence as long as the agreement lives, found by a session's id"),
        ("inbox", "one message for a kind, subject and channel, at whatever time"),
        ("logins", "as old as their users"),
        ("message_claims", IDEMPOTENCY),
        ("payment_claims", IDEMPOTENCY),
        ("prepare_claims_cold", IDEMPOTENCY),
        ("refund_claims", IDEMPOTENCY),
        ("token_sets_cold", "found by digests, at whatever time"),
        ("transfers", IDEMPOTENCY),
        ("user_agreements", "as old as their agreements"),
    ];
    /// A key that had the time in it would not know the repeat.
    const IDEMPOTENCY: &str = "a caller may repeat the key at any later time";

    #[test]
    fn every_table_that_is_only_appended_to_is_marked() {
        let all: Vec<&str> = rows::STATEMENTS.iter().copied().flatten().copied().collect();
        let words = |sql: &str| sql.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut appended = Vec::new();
        for sql in &all {
            let words = words(sql);
            if words.first().is_some_and(|word| word == "INSERT") && !appended.contains(&words[2]) {
                appended.push(words[2].clone());
            }
        }
        appended.retain(|table| {
            let changes = |sql: &&str| {
                sql.starts_with(&format!("UPDATE {table} "))
                    || sql.starts_with(&format!("DELETE FROM {table} "))
                    || (sql.starts_with(&format!("INSERT INTO {table} ")) && sql.contains("DO UPDATE"))
            };
            !all.iter().any(changes)
        });
        appended.sort_unstable();
        let schema = Schema::default();
        let mut known: Vec<&str> =
            marked(&schema).iter().map(|mark| mark.table).chain(WITHOUT.iter().map(|row| row.0)).collect();
        known.sort_unstable();
        assert_eq!(appended, known);
    }

    /// The plan of a statement for any parameters, over partitions of many years. Without rows only an index that is
    /// missing is a reason to read a table from end to end.
    fn plan(server: &accord_testkit::postgres::Fresh, sql: &str) -> String {
        let text = super::super::statement::Translated::of(sql).sql;
        let parameters = (1..20).filter(|number| text.contains(&format!("${number}"))).count();
        let values = vec!["'1780000000000'"; parameters].join(", ");
        server.sql(&format!(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET client_min_messages = warning;
             PREPARE one AS {text}; EXPLAIN (COSTS OFF) EXECUTE one{}",
            if parameters > 0 { format!("({values})") } else { String::new() }
        ))
    }

    #[test]
    fn every_partition_is_searched_by_an_index_and_those_of_other_times_are_not() {
        let Some(server) = accord_testkit::postgres::fresh() else { return };
        let url = PostgresUrl::parse(&server.url(), std::path::Path::new("/")).expect("a URL");
        let schema = Schema::default();
        crate::postgres::migrations::apply(&url, &schema).expect("a schema");
        for Marked { table, .. } in marked(&schema) {
            let years: Vec<String> = (2010..2026)
                .map(|year| {
                    let day = (year - 1970) * 365 + (year - 1969) / 4;
                    let (from, until) = (day * 86_400_000_i64, (day + 365) * 86_400_000_i64);
                    format!("CREATE TABLE {table}_{year} PARTITION OF {table} FOR VALUES FROM ({from}) TO ({until})")
                })
                .collect();
            server.sql(&years.join("; "));
        }
        let all = rows::STATEMENTS.iter().copied().flatten().copied();
        let mut seen = 0;
        for sql in all.filter(|sql| sql.starts_with("SELECT")) {
            let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            let of_marked = |marked: &Marked<'_>| words.contains(&format!("FROM {} ", marked.table));
            if !marked(&schema).iter().any(of_marked) {
                continue;
            }
            seen += 1;
            let plan = plan(&server, sql);
            assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{sql}\n{plan}");
            // One of 21 partitions is left where the time is known, and some of them where only its beginning is.
            let knows = [" at = ?", "settled_at < ?", "e.at >= ?"].iter().any(|words| sql.contains(words));
            assert_eq!(plan.contains("Subplans Removed"), knows, "{sql}\n{plan}");
        }
        assert!(seen >= 9, "{seen}");
    }

    #[test]
    fn bounds_are_read_as_the_server_writes_them() {
        assert_eq!(range("FOR VALUES FROM ('1') TO ('20')"), Some((1, 20)));
        assert_eq!(range("FOR VALUES FROM (MINVALUE) TO ('-3')"), Some((i64::MIN, -3)));
        assert_eq!(range("DEFAULT"), None);
    }
}
