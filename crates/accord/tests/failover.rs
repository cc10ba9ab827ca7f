//! A primary that is killed under mixed load, and its synchronous standby promoted: nothing acknowledged is lost,
//! nothing is doubled, the books balance, and two nodes serve again without a restart.
//!
//! `ACCORD_LONG=1` fails over ten times instead of once; each time the dead server comes back as the new standby.
//! `ACCORD_SEED=…` repeats the choices of a run; how far the machine gets between two is never the same.

mod house;

use accord_testkit::postgres;
use house::cluster::{Node, Pair};
use house::load::audit::open_boxes;
use house::load::{Record, World};
use house::support::On;
use house::{Dice, House};
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Tasks that call at the same time.
const TASKS: usize = 10;
/// How soon each node must serve again: a promise of the wallet.
const PROMISED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_has_everything_acknowledged_and_the_nodes_find_it() {
    if postgres::binaries().is_none() {
        return;
    }
    let long = std::env::var("ACCORD_LONG").is_ok_and(|long| long == "1");
    let rounds = if long { 10 } else { 1 };
    let given = std::env::var("ACCORD_SEED").ok().map(|seed| seed.parse().expect("ACCORD_SEED: a number"));
    let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    println!("ACCORD_SEED={seed}");
    let mut dice = Dice(seed);

    let mut pair = Pair::start().expect("servers");
    let url = pair.url();
    let house = House::open_with("failover", On::Sqlite, &["--store", &url]);
    let mut node = Node::join(&house, &url);
    let boxes = open_boxes(&house).await;
    let urls = boxes.each_ref().map(|mailbox| mailbox.url.clone());
    let opening = Record::opening(&house).await;
    let steady = house.agree(&house.shop("qi2"), "steady", 0, None).await;
    let (mut all, mut waits) = (Record::default(), Vec::new());

    for round in 0..rounds {
        let world = Arc::new(World::new(round, &house, &[&node], urls.clone()).await);
        let tasks = world.start(TASKS, seed, &mut all);
        let enough = async |count: usize| {
            let reached = async || (world.acknowledged.load(Ordering::Relaxed) >= count).then_some(());
            house.eventually("enough answers", reached).await;
        };
        let before = 100 + dice.roll(300) as usize;
        enough(before).await;
        tokio::time::sleep(Duration::from_micros(dice.roll(20_000))).await;
        pair.kill_primary();
        let lost = world.unknown.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(dice.roll(4_000))).await;
        let promoted = pair.promote_standby();
        let mut own = Record::default();
        for number in 0..2 {
            world.serves(&house, number, &steady, &mut own).await;
            waits.push(promoted.elapsed());
        }
        assert!(lost == 0, "{lost} calls had no end before anything was broken");
        enough(world.acknowledged.load(Ordering::Relaxed) + 100).await;
        let mut record = tasks.stop(&world).await;
        record.absorb(own);
        let told = record.audit(&world).await;
        println!(
            "round {round}: killed after {before} answers, both nodes served {:.1?} after the promotion began; {} debits, \
             {} calls without an end, {} payments among them had been made",
            waits.last().expect("a time"),
            told.debits,
            told.unknown,
            told.made
        );
        all.absorb(record);
        all.check_books(&house, &opening).await;
        pair.rebuild_standby();
    }

    // What the first rounds were told holds to the end.
    let world = World::new(rounds, &house, &[&node], urls).await;
    all.recall(&world).await;
    node.stop();
    all.check_notices(&house, &boxes).await;
    all.check_books(&house, &opening).await;
    let longest = waits.iter().max().expect("a time");
    println!("the longest time until service was back: {longest:.1?}");
    assert!(*longest < PROMISED, "service was back after {longest:.1?}");
}
