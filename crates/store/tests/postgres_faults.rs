//! Connections that break, servers that die, databases that will not do: nothing acknowledged is lost, nothing is done
//! twice, and whoever asks hears what to do.

mod cut;
mod overfill;
mod scratch;

use accord_core::outcome::Stop;
use accord_core::store::{self, Store, StoreFault};
use accord_store::{PostgresFault, PostgresOptions, PostgresStore, PostgresUrl};
use accord_testkit::postgres::{self, Server};
use cut::{Between, Cut};
use overfill::overfill;
use scratch::Scratch;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

fn options() -> PostgresOptions {
    PostgresOptions { migrate: true, writers: 4, readers: 2, ..PostgresOptions::default() }
}

fn open(url: &str) -> PostgresStore {
    let url = PostgresUrl::parse(url, Path::new("/")).expect("a URL");
    PostgresStore::open(url, options()).expect("a store")
}

fn fault(url: &str, options: PostgresOptions) -> PostgresFault {
    let url = PostgresUrl::parse(url, Path::new("/")).expect("a URL");
    match PostgresStore::open(url, options) {
        Ok(_) => panic!("it was not to be opened"),
        Err(why) => why,
    }
}

/// Adds one to a number, and leaves a row that only this addition has.
fn add_one(store: &dyn Store, name: &str, own: &str) -> Result<(), StoreFault> {
    let (name, own) = (name.to_owned(), own.to_owned());
    let ended = store::transact(store, move |tx| {
        let before: u64 = tx.setting(&name)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        tx.put_setting(&name, &(before + 1).to_string())?;
        Ok(tx.put_setting(&own, "done")?)
    });
    match ended {
        Ok(()) => Ok(()),
        Err(Stop::Fault(why)) => Err(why),
        Err(Stop::Refused(refusal)) => panic!("{refusal}"),
    }
}

fn number(store: &dyn Store, name: &str) -> u64 {
    let name = name.to_owned();
    let text = store::look(store, move |rows| rows.setting(&name)).expect("a look");
    text.map_or(0, |text| text.parse().expect("a number"))
}

fn has(store: &dyn Store, name: &str) -> bool {
    let name = name.to_owned();
    store::look(store, move |rows| rows.setting(&name)).expect("a look").is_some()
}

#[test]
fn a_commit_whose_answer_is_lost_is_looked_for_and_never_done_twice() {
    let Some(schema) = postgres::fresh() else { return };
    for (how, runs_expected) in [(Cut::Before, 2), (Cut::After, 1)] {
        let scratch = Scratch::short();
        let between = Between::new(&scratch.file("."), schema.socket(), move |_| Some(how));
        let store = open(&schema.url_by(between.folder()));
        let before = number(&store, "count");
        between.arm(1);
        let runs = std::sync::Arc::new(AtomicU32::new(0));
        let counted = runs.clone();
        let ended = store::transact(&store, move |tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            let before: u64 = tx.setting("count")?.and_then(|text| text.parse().ok()).unwrap_or(0);
            Ok(tx.put_setting("count", &(before + 1).to_string())?)
        });
        assert!(ended.is_ok(), "{how:?}: {ended:?}");
        assert_eq!(between.cuts(), 1, "{how:?}");
        assert_eq!(number(&store, "count"), before + 1, "{how:?}");
        // The rule reads before it writes a table without a bucket, so each run of it starts once more; and a group has run
        // it twice before it was known to need that.
        assert_eq!(runs.load(Ordering::SeqCst), 2 + runs_expected + 1, "{how:?}");
    }
}

#[test]
fn cut_at_random_every_transaction_happens_exactly_once() {
    let Some(schema) = postgres::fresh() else { return };
    let scratch = Scratch::short();
    let between = Between::new(&scratch.file("."), schema.socket(), |number| match number % 5 {
        1 => Some(Cut::Before),
        3 => Some(Cut::After),
        _ => None,
    });
    let stores = [open(&schema.url_by(between.folder())), open(&schema.url_by(between.folder()))];
    between.arm(40);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &stores[thread % 2];
            scope.spawn(move || {
                for round in 0..10 {
                    add_one(store, "count", &format!("{thread}/{round}")).expect("an end that is known");
                }
            });
        }
    });
    assert!(between.cuts() > 10, "{} cuts", between.cuts());
    assert_eq!(number(&stores[0], "count"), 80);
}

/// Adds from four threads until told to stop; gives what was acknowledged and what is not known.
fn add_until(store: &dyn Store, stop: &AtomicBool) -> (Vec<String>, Vec<String>) {
    std::thread::scope(|scope| {
        let adders: Vec<_> = (0..4)
            .map(|thread| {
                scope.spawn(move || {
                    let (mut done, mut unknown) = (Vec::new(), Vec::new());
                    let mut round = 0;
                    while !stop.load(Ordering::SeqCst) {
                        round += 1;
                        let own = format!("{thread}/{round}");
                        match add_one(store, "count", &own) {
                            Ok(()) => done.push(own),
                            Err(StoreFault::Unknown(_)) => unknown.push(own),
                            Err(StoreFault::Unavailable(_)) => std::thread::sleep(Duration::from_millis(20)),
                            Err(other) => panic!("{other}"),
                        }
                    }
                    (done, unknown)
                })
            })
            .collect();
        let mut all = (Vec::new(), Vec::new());
        for adder in adders {
            let (done, unknown) = adder.join().expect("an adder");
            all.0.extend(done);
            all.1.extend(unknown);
        }
        all
    })
}

fn check(store: &dyn Store, done: &[String], unknown: &[String]) {
    for own in done {
        assert!(has(store, own), "{own} was acknowledged");
    }
    let happened = unknown.iter().filter(|own| has(store, own)).count();
    assert_eq!(number(store, "count"), (done.len() + happened) as u64, "each that happened counts once");
}

#[test]
fn a_server_that_is_killed_under_load_loses_nothing_acknowledged() {
    let Some(server) = Server::start(&[]) else { return };
    let store = open(&server.url(""));
    let stop = AtomicBool::new(false);
    let (done, unknown) = std::thread::scope(|scope| {
        let adding = scope.spawn(|| add_until(&store, &stop));
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(700));
            server.kill();
            server.restart();
        }
        std::thread::sleep(Duration::from_millis(700));
        stop.store(true, Ordering::SeqCst);
        adding.join().expect("the adders")
    });
    assert!(done.len() > 20, "{} acknowledged", done.len());
    check(&store, &done, &unknown);
}

#[test]
fn a_standby_that_is_promoted_has_everything_acknowledged_and_is_found_without_a_restart() {
    let settings = ["synchronous_standby_names = '*'", "hot_standby = on", "wal_level = replica"];
    let rounds = if std::env::var_os("ACCORD_LONG").is_some_and(|value| value == "1") { 10 } else { 1 };
    for _ in 0..rounds {
        let Some(first) = Server::start(&settings) else { return };
        let second = first.replica("second");
        second.sql("SELECT 1");
        let store = open(&first.url_with(&second));
        let stop = AtomicBool::new(false);
        let promoted = AtomicBool::new(false);
        let (done, unknown) = std::thread::scope(|scope| {
            let adding = scope.spawn(|| add_until(&store, &stop));
            std::thread::sleep(Duration::from_millis(900));
            first.kill();
            // Nobody follows the new primary, so it must not wait for anybody.
            second.set("synchronous_standby_names = ''");
            second.promote();
            promoted.store(true, Ordering::SeqCst);
            let mut waited = 0;
            while add_one(&store, "after", "after the promotion").is_err() {
                waited += 1;
                assert!(waited < 100, "no service after the promotion");
                std::thread::sleep(Duration::from_millis(100));
            }
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::SeqCst);
            adding.join().expect("the adders")
        });
        assert!(done.len() > 10, "{} acknowledged", done.len());
        check(&store, &done, &unknown);
    }
}

#[test]
fn a_full_queue_says_so_at_once() {
    let Some(schema) = postgres::fresh() else { return };
    let url = PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL");
    let few = PostgresOptions { writers: 1, queue: 2, ..options() };
    let store = PostgresStore::open(url, few).expect("a store");
    overfill(&store);
}

#[test]
fn what_cannot_be_opened_is_said_in_a_sentence() {
    let Some(server) = Server::start(&[]) else { return };
    server.sql("CREATE DATABASE fresh");
    server.sql("CREATE ROLE guest LOGIN; CREATE ROLE locked LOGIN PASSWORD 'right'");
    let at = |user: &str, database: &str| format!("postgres://{user}@{}:5432/{database}", server.host());
    let as_is = || PostgresOptions { migrate: false, ..options() };

    let why = fault(&at("accord", "fresh"), as_is());
    assert!(matches!(why, PostgresFault::SchemaTooOld { found: 0, .. }), "{why}");
    assert!(why.to_string().contains("accord migrate"), "{why}");
    let why = fault(&at("accord", "nowhere"), options());
    assert!(matches!(why, PostgresFault::NoDatabase { .. }), "{why}");
    let why = fault(&at("nobody_here", "fresh"), options());
    assert!(matches!(why, PostgresFault::NotLetIn { .. }), "{why}");
    let why = fault("postgres://accord@127.0.0.1:1/fresh", options());
    assert!(matches!(why, PostgresFault::Unreachable { .. }), "{why}");

    drop(open(&at("accord", "postgres")));
    let why = fault(&at("guest", "postgres"), as_is());
    assert!(matches!(why, PostgresFault::NotAllowed { .. }), "{why}");
    server.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest");
    let why = fault(&at("guest", "postgres"), as_is());
    assert!(matches!(&why, PostgresFault::NotAllowed { why, .. } if why.contains("accounts")), "{why}");

    server.require_passwords();
    let why = fault(&at("locked:wrong", "postgres"), as_is());
    assert!(matches!(why, PostgresFault::NotLetIn { .. }) && !why.to_string().contains("wrong@"), "{why}");
    let why = fault(&at("locked", "postgres"), as_is());
    assert!(matches!(why, PostgresFault::NotLetIn { .. }), "{why}");
}

#[test]
fn a_schema_from_the_future_or_of_another_text_is_refused() {
    let Some(schema) = postgres::fresh() else { return };
    drop(open(&schema.url()));
    schema.sql("INSERT INTO schema_migrations VALUES (999, 'from_the_future', '\\x00', 999)");
    let why = fault(&schema.url(), options());
    assert!(matches!(why, PostgresFault::SchemaTooNew { found: 999, .. }), "{why}");
    schema.sql("DELETE FROM schema_migrations WHERE version = 999; UPDATE schema_migrations SET checksum = '\\x00' WHERE version = 1");
    let why = fault(&schema.url(), options());
    assert!(matches!(why, PostgresFault::SchemaDiffers { version: 1, .. }), "{why}");

    let Some(schema) = postgres::fresh() else { return };
    schema.sql("CREATE TABLE songs (title text)");
    let why = fault(&schema.url(), options());
    assert!(matches!(why, PostgresFault::NotOurs { .. }), "{why}");
    assert_eq!(schema.sql("SELECT count(*) FROM pg_class WHERE relname = 'songs'"), "1");
}

#[test]
fn a_replica_is_refused() {
    let Some(first) = Server::start(&["wal_level = replica"]) else { return };
    drop(open(&first.url("")));
    let second = first.replica("second");
    let why = fault(&second.url(""), options());
    assert!(matches!(why, PostgresFault::ReadOnly { .. }), "{why}");
}

#[test]
fn two_nodes_that_start_at_once_migrate_once() {
    let Some(schema) = postgres::fresh() else { return };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(open(&schema.url())));
        }
    });
    let applied = schema.sql("SELECT count(*) = max(version) FROM schema_migrations");
    assert_eq!(applied, "t");
}
