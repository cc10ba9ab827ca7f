//! Rules that share a transaction: none sees or disturbs another, and each happens exactly once, whatever is cut.

mod cut;
mod scratch;

use accord_core::Timestamp;
use accord_core::agreement::PrepareClaim;
use accord_core::handle::Bucket;
use accord_core::ids::AuthId;
use accord_core::moment::Moment;
use accord_core::outcome::{Ruled, Stop};
use accord_core::secret::Digest;
use accord_core::store::{self, Done, Ended, Store, StoreFault, Tx, Work, judge};
use accord_core::user::PinGuard;
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl};
use accord_testkit::postgres;
use cut::{Between, Cut};
use scratch::Scratch;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

type Rule = Box<dyn FnMut(&mut dyn Tx) -> Ruled<()> + Send>;

fn open(url: &str) -> PostgresStore {
    let url = PostgresUrl::parse(url, Path::new("/")).expect("a URL");
    let options = PostgresOptions { migrate: true, writers: 4, readers: 2, ..PostgresOptions::default() };
    PostgresStore::open(url, options).expect("a store")
}

/// Adds one to a number in that bucket.
fn add_one(tx: &mut dyn Tx, bucket: u16, name: &str) -> Ruled<()> {
    let bucket = Bucket::new(bucket);
    let before = tx.pin_guard(bucket, name)?.map_or(0, |guard| guard.wrong);
    Ok(tx.put_pin_guard(&PinGuard {
        bucket,
        subject: name.to_owned(),
        wrong: before + 1,
        window_started_at: Timestamp(0),
        blocked_until: Timestamp(0),
        blocks: 0,
    })?)
}

fn number(store: &dyn Store, bucket: u16, name: &str) -> u32 {
    let name = name.to_owned();
    let guard = store::look(store, move |rows| rows.pin_guard(Bucket::new(bucket), &name)).expect("a look");
    guard.map_or(0, |guard| guard.wrong)
}

/// Gives a store rules, all at once, and how each ended.
fn together(store: &dyn Store, rules: Vec<Rule>) -> Vec<Ended> {
    let (send, receive) = mpsc::channel();
    for (place, mut rule) in rules.into_iter().enumerate() {
        let (send, slot) = (send.clone(), Arc::new(Mutex::new(None)));
        let work: Work = Box::new(move |tx| judge(rule(tx), &slot));
        let done: Done = Box::new(move |end| drop(send.send((place, end))));
        store.submit(work, done);
    }
    drop(send);
    let ends: BTreeMap<usize, Ended> = receive.iter().collect();
    ends.into_values().collect()
}

#[test]
fn rules_of_one_bucket_come_one_after_the_other() {
    let Some(schema) = postgres::fresh() else { return };
    let stores = [open(&schema.url()), open(&schema.url())];
    let ends: Vec<Ended> = std::thread::scope(|scope| {
        let rules = || {
            let rule = |turn: u16| {
                move |tx: &mut dyn Tx| {
                    add_one(tx, 7, "all")?;
                    add_one(tx, turn % 3, "some")
                }
            };
            (0..60).map(|turn| Box::new(rule(turn)) as _).collect::<Vec<_>>()
        };
        let workers: Vec<_> =
            stores.iter().map(|store| scope.spawn(move || together(store, rules()))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("the rules")).collect()
    });
    assert!(ends.len() == 120 && ends.iter().all(Result::is_ok), "{ends:?}");
    assert_eq!(number(&stores[0], 7, "all"), 120);
    assert_eq!([0, 1, 2].map(|bucket| number(&stores[0], bucket, "some")), [40, 40, 40]);
}

#[test]
fn a_rule_sees_what_it_has_written_itself() {
    let Some(schema) = postgres::fresh() else { return };
    let store = open(&schema.url());
    let rule = |tx: &mut dyn Tx| {
        for _ in 0..3 {
            add_one(tx, 9, "mine")?;
        }
        Ok(())
    };
    assert!(together(&store, vec![Box::new(rule)]).iter().all(Result::is_ok));
    assert_eq!(number(&store, 9, "mine"), 3);
}

fn claim(bucket: u16, key: &str) -> PrepareClaim {
    let bucket = Bucket::new(bucket);
    let auth_id = AuthId::mint(bucket, &mut Moment::new(Timestamp(0), [7; 32]).random(key));
    let (key, fingerprint) = (Digest::of(key), Digest::of("terms"));
    PrepareClaim { bucket, key, fingerprint, auth_id, answer: b"{}".to_vec(), created_at: Timestamp(0) }
}

#[test]
fn whoever_meets_a_key_that_exists_fails_alone() {
    let Some(schema) = postgres::fresh() else { return };
    let store = open(&schema.url());
    let insert = |bucket: u16, key: &str| {
        let key = key.to_owned();
        Box::new(move |tx: &mut dyn Tx| Ok(tx.insert_prepare_claim(&claim(bucket, &key))?)) as _
    };
    assert_eq!(together(&store, vec![insert(3, "first")]), [Ok(())]);
    let mut rules: Vec<_> = (0..30).map(|turn| insert(100 + turn, "new")).collect();
    rules.insert(11, insert(3, "first"));
    let ends = together(&store, rules);
    for (place, end) in ends.iter().enumerate() {
        match place {
            11 => assert!(matches!(end, Err(StoreFault::Conflict(_))), "{end:?}"),
            _ => assert_eq!(*end, Ok(()), "{place}"),
        }
    }
    assert_eq!(schema.sql("SELECT count(*) FROM prepare_claims"), "31");
}

#[test]
fn a_refusal_among_others_leaves_nothing() {
    let Some(schema) = postgres::fresh() else { return };
    let store = open(&schema.url());
    let rules = (0..40_u16).map(|turn| {
        let rule = move |tx: &mut dyn Tx| {
            add_one(tx, turn, "here")?;
            if turn % 2 == 1 { Err(accord_core::Refusal::UserNotFound.into()) } else { Ok(()) }
        };
        Box::new(rule) as _
    });
    let ends = together(&store, rules.collect());
    assert!(ends.len() == 40 && ends.iter().all(Result::is_ok), "{ends:?}");
    for turn in 0..40 {
        assert_eq!(number(&store, turn, "here"), u32::from(turn % 2 == 0), "{turn}");
    }
}

#[test]
fn whoever_waits_for_another_nodes_transaction_holds_nobody_up() {
    let Some(schema) = postgres::fresh() else { return };
    let (slow, quick) = (open(&schema.url()), open(&schema.url()));
    let (here, arrived) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let (end, ended) = mpsc::channel();
    let slot = Arc::new(Mutex::new(None));
    let rule = move |tx: &mut dyn Tx| {
        add_one(tx, 7, "held")?;
        // Its bucket is locked from here on, for what was in it has been read.
        let _ = here.send(());
        let _ = gone.recv();
        Ok(())
    };
    let mut rule: Rule = Box::new(rule);
    slow.submit(Box::new(move |tx| judge(rule(tx), &slot)), Box::new(move |how| drop(end.send(how))));
    arrived.recv().expect("it has read");
    std::thread::scope(|scope| {
        let waits =
            scope.spawn(|| together(&quick, vec![Box::new(|tx: &mut dyn Tx| add_one(tx, 7, "held"))]));
        let others =
            (100..160_u16).map(|bucket| Box::new(move |tx: &mut dyn Tx| add_one(tx, bucket, "free")) as _);
        assert!(together(&quick, others.collect()).iter().all(Result::is_ok));
        assert_eq!(number(&quick, 7, "held"), 0, "what is not committed is not seen");
        go.send(()).expect("it waits");
        assert_eq!(waits.join().expect("it ends"), [Ok(())]);
    });
    assert_eq!(ended.recv(), Ok(Ok(())));
    assert_eq!(number(&quick, 7, "held"), 2);
}

#[test]
fn cut_at_random_every_rule_of_every_group_happens_exactly_once() {
    let Some(schema) = postgres::fresh() else { return };
    let scratch = Scratch::short();
    let between = Between::new(&scratch.file("."), schema.socket(), |number| match number % 4 {
        1 => Some(Cut::Before),
        3 => Some(Cut::After),
        _ => None,
    });
    let stores = [open(&schema.url_by(between.folder())), open(&schema.url_by(between.folder()))];
    between.arm(30);
    std::thread::scope(|scope| {
        for (place, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..12_u16 {
                    let rules = (0..20_u16).map(|turn| {
                        let rule = move |tx: &mut dyn Tx| -> Result<(), Stop> {
                            add_one(tx, turn, "count")?;
                            add_one(tx, 100 + turn, &format!("{place}/{round}"))
                        };
                        Box::new(rule) as _
                    });
                    let ends = together(store, rules.collect());
                    assert!(ends.len() == 20 && ends.iter().all(Result::is_ok), "{ends:?}");
                }
            });
        }
    });
    assert!(between.cuts() > 10, "{} cuts", between.cuts());
    for turn in 0..20 {
        assert_eq!(number(&stores[0], turn, "count"), 24, "{turn}");
        assert_eq!(number(&stores[0], 100 + turn, "1/11"), 1);
    }
    assert_eq!(schema.sql("SELECT count(*), sum(wrong) FROM pin_guards WHERE bucket >= 100"), "480|480");
}
