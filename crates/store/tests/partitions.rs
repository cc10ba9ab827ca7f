//! Partitions by time: made ahead, made for rows that came before them, taken away without a trace in what goes on.

use accord_core::handle::Bucket;
use accord_core::moment::{Moment, Timestamp};
use accord_core::store::{self, StoreFault};
use accord_core::{journal, outcome::Stop};
use accord_store::postgres::{migrations, partitions};
use accord_store::schema::{NEWEST, Schema};
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl};
use accord_testkit::postgres::{Fresh, fresh};
use partitions::Span;
use std::path::Path;

fn url(schema: &Fresh) -> PostgresUrl {
    PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL")
}

fn open(schema: &Fresh) -> PostgresStore {
    let options = PostgresOptions { writers: 2, readers: 1, ..PostgresOptions::default() };
    PostgresStore::open(url(schema), options).expect("a store")
}

/// 1 January of that year.
fn year(year: i64) -> i64 {
    let before = year - 1970;
    let leap_days = (1970..year).filter(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)).count();
    (before * 365 + leap_days as i64) * 24 * 3_600_000
}

fn append(store: &PostgresStore, stream: u16, at: i64) -> Result<(), StoreFault> {
    let at = Moment::new(Timestamp(at), [7; 32]);
    let done = store::transact(store, move |tx| {
        Ok(journal::append(tx, &at, Bucket::new(stream), "act", "subject", "wallet", "")?)
    });
    match done {
        Ok(()) => Ok(()),
        Err(Stop::Fault(why)) => Err(why),
        Err(Stop::Refused(refusal)) => panic!("{refusal}"),
    }
}

fn made(schema: &Fresh, span: Option<Span>) -> Vec<String> {
    migrations::apply_with(&url(schema), &Schema::default(), span).expect("made").partitions
}

#[test]
fn rows_of_a_time_without_a_partition_wait_for_it_and_move() {
    let Some(schema) = fresh() else { return };
    assert_eq!(made(&schema, None).len(), 4 * 4, "four tables, this year and three to come");
    let now = schema.sql("SELECT extract(year FROM now() AT TIME ZONE 'UTC')").parse().expect("a year");
    let (store, far) = (open(&schema), now + 7);
    let times = [year(2001), year(2002) - 1, year(now), year(far), year(far + 1) - 1, -1, i64::MAX];
    for (stream, at) in (0..).zip(times) {
        append(&store, stream, at).expect("kept");
        append(&store, 9, at).expect("kept");
    }
    let coverage = partitions::look(&url(&schema)).expect("a look");
    let of_journal = coverage.iter().find(|row| row.table == "journal").expect("the journal");
    assert!(of_journal.strays && of_journal.until == Some(year(now + 4)), "{of_journal:?}");
    assert!(coverage.iter().all(|row| row.strays == (row.table == "journal")), "{coverage:?}");

    let plan = migrations::plan(&url(&schema), &Schema::default()).expect("a plan");
    let expected = ["journal_2001".to_owned(), format!("journal_{far}")];
    assert_eq!(plan.partitions, expected);
    assert_eq!(made(&schema, None), expected);
    assert_eq!(made(&schema, None), Vec::<String>::new());
    let lies = |part: &str| schema.sql(&format!("SELECT count(*) FROM {part}"));
    assert_eq!((lies("journal_2001").as_str(), lies(&format!("journal_{far}")).as_str()), ("4", "4"));
    // What no calendar has stays where it is, and the chain knows nothing of all this.
    assert_eq!(lies("journal_default"), "4");
    let (lines, heads) =
        store::look(&store, |rows| Ok((rows.journal_after(Bucket::new(9), 0, 99)?, rows.journal_heads()?)))
            .expect("a look");
    assert_eq!(lines.iter().map(|line| line.at.0).collect::<Vec<_>>(), times);
    assert_eq!((heads.len(), heads[7].number), (8, 7));
    append(&store, 9, year(2001)).expect("the year has a partition now");
    assert_eq!(lies("journal_2001"), "5");
}

#[test]
fn a_year_is_taken_away_and_the_chain_goes_on() {
    let Some(schema) = fresh() else { return };
    made(&schema, None);
    let store = open(&schema);
    for at in [year(2001), year(2001) + 1] {
        append(&store, 1, at).expect("kept");
    }
    made(&schema, None);
    let head =
        || store::look(&store, |rows| rows.journal_head(Bucket::new(1))).expect("a look").expect("a head");
    let before = head();
    schema.sql("ALTER TABLE journal DETACH PARTITION journal_2001");
    assert_eq!(head(), before);
    append(&store, 1, before.number.into()).expect("kept");
    let lines = store::look(&store, |rows| rows.journal_after(Bucket::new(1), 0, 9)).expect("a look");
    assert_eq!((lines.len(), lines[0].number), (1, 3));
    assert_eq!(lines[0].hash, lines[0].chained(&before.hash), "it is chained to the line that went");
    // What was a partition is nobody's concern any more, as long as it lies there and afterwards.
    assert_eq!(migrations::verify(&url(&schema), &Schema::default()).expect("a look"), Vec::<String>::new());
    drop(open(&schema));
    schema.sql("DROP TABLE journal_2001");
    drop(open(&schema));
}

#[test]
fn months_are_asked_for_once() {
    let Some(schema) = fresh() else { return };
    let first = made(&schema, Some(Span::Month));
    assert!(
        first.len() >= 4 * 13 && first.len() <= 4 * 24 && first[0].len() == "entries_2026_01".len() + 1,
        "{first:?}"
    );
    let store = open(&schema);
    append(&store, 1, year(2001) + 40 * 24 * 3_600_000).expect("kept");
    // The span of the last partition goes on.
    assert_eq!(made(&schema, None), ["journal_2001_02"]);
    // Where months are, no year is laid over them.
    let years = made(&schema, Some(Span::Year));
    assert!(
        !years.is_empty() && years.iter().all(|name| !first.iter().any(|month| month.starts_with(name))),
        "{years:?}"
    );
}

#[test]
fn an_index_comes_to_every_partition_while_nodes_serve() {
    let Some(schema) = fresh() else { return };
    made(&schema, None);
    let text = "-- kind: expand\n-- name: more\nCREATE INDEX journal_by_actor\n  ON journal (bucket, actor) WHERE actor <> 'x';\n";
    let next = Schema::default().with_extra(text).expect("a step");
    let store = open(&schema);
    append(&store, 1, 5).expect("kept");
    let done = migrations::apply(&url(&schema), &next).expect("applied");
    assert_eq!((done.steps.len(), done.indexes), (1, vec!["journal_by_actor".to_owned()]));
    assert_eq!(done.partitions, ["journal_1970"], "with its index");
    append(&store, 1, 6).expect("kept");
    let indexes = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal_by_actor'::regclass";
    let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal'::regclass";
    assert_eq!(schema.sql(indexes), schema.sql(partitions));
    assert_eq!(migrations::verify(&url(&schema), &next).expect("a look"), Vec::<String>::new());
    let plan = migrations::plan(&url(&schema), &next).expect("a plan");
    assert_eq!((plan.level, plan.unbuilt.len(), plan.partitions.len()), (NEWEST + 1, 0, 0));
}
