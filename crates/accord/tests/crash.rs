//! `kill -9` under mixed load, again and again on one directory: nothing that was acknowledged is missing, nothing
//! is doubled, the books balance, and what was not yet delivered arrives.
//!
//! `ACCORD_LONG=1` kills 20 times instead of 3. `ACCORD_SEED=…` repeats the choices of a run that failed; how far
//! the machine gets between two choices is never the same, so a failure may need several runs to come again.

mod house;

use house::load::{Record, World};
use house::mailbox::{Letter, Mailbox, Manner};
use house::support::{On, on_every_store, run};
use house::{Dice, House};
use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

on_every_store!(
    async a_killed_wallet_has_kept_its_word_when_it_comes_back,
);

/// Tasks that call at the same time.
const TASKS: usize = 16;

/// The receivers: in the storm they are as bad as receivers can be; after it one in four still fails once.
async fn open_boxes(house: &House, storm: Arc<AtomicBool>) -> [Mailbox; 2] {
    let open = async |who: &str| {
        let (storm, failed) = (storm.clone(), Mutex::new(HashSet::new()));
        let count = AtomicU64::new(0);
        Mailbox::open(house.shop(who).receiver(), move |letter: &Letter| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            if storm.load(Ordering::Relaxed) {
                match Dice(number).roll(8) {
                    0..=1 => Manner::Status(500),
                    2 => Manner::Close,
                    3 => Manner::Slow(300),
                    _ => Manner::Sign,
                }
            } else if number.is_multiple_of(4) && failed.lock().expect("it").insert(letter.body.clone()) {
                Manner::SignAs("U")
            } else {
                Manner::Sign
            }
        })
        .await
    };
    [open("qi2").await, open("alipayPlus2").await]
}

fn verify_ledger(house: &House) {
    let data = house.data();
    let said = run(&["ledger", "verify", "--data", data.to_str().expect("UTF-8"), "--json"]).ends(0);
    assert_eq!(said.json()["balanced"], true, "{}", said.out);
}

async fn a_killed_wallet_has_kept_its_word_when_it_comes_back(on: On) {
    let long = std::env::var("ACCORD_LONG").is_ok_and(|long| long == "1");
    let rounds = if long { 20 } else { 3 };
    let given = std::env::var("ACCORD_SEED").ok().map(|seed| seed.parse().expect("ACCORD_SEED: a number"));
    let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    println!("ACCORD_SEED={seed}");
    let mut dice = Dice(seed);

    let mut house = House::open("crash", on);
    let storm = Arc::new(AtomicBool::new(false));
    let boxes = open_boxes(&house, storm.clone()).await;
    let urls = boxes.each_ref().map(|mailbox| mailbox.url.clone());
    let opening = Record::opening(&house).await;
    let mut all = Record::default();

    for round in 0..rounds {
        storm.store(true, Ordering::Relaxed);
        let world = Arc::new(World::new(round, &house, &[], urls.clone()).await.until_lost());
        let tasks = world.start(TASKS, seed, &mut all);
        // After so many answers, however long they take, and then anywhere in what goes on.
        let answers = 20 + dice.roll(700) as usize;
        let enough = async || (world.acknowledged.load(Ordering::Relaxed) >= answers).then_some(());
        house.eventually("enough answers", enough).await;
        tokio::time::sleep(Duration::from_micros(dice.roll(20_000))).await;
        let lost = world.unknown.load(Ordering::Relaxed);
        assert_eq!(lost, 0, "calls had no end before anything was broken");
        house.kill();
        let mut record = tasks.stop(&world).await;
        let unanswered = world.unknown.load(Ordering::Relaxed);
        storm.store(false, Ordering::Relaxed);

        house.start();
        verify_ledger(&house);
        let world = World::new(round, &house, &[], urls.clone()).await;
        let told = record.audit(&world).await;
        println!(
            "round {round}: killed after {answers} answers; {} debits, {unanswered} calls unanswered, {} payments among \
             them had been made",
            told.debits, told.made
        );
        all.absorb(record);
        all.check_notices(&house, &boxes).await;
        all.check_books(&house, &opening).await;
        all.check_inbox(&house);
    }

    // What the first rounds were told holds to the end, also when the process is asked to stop.
    house.stop();
    verify_ledger(&house);
    house.start();
    let world = World::new(rounds, &house, &[], urls).await;
    all.recall(&world).await;
    all.check_books(&house, &opening).await;
    all.check_inbox(&house);
    assert!(all.made() > rounds * TASKS, "too few debits to prove anything: {}", all.made());
}
