//! One of three nodes is killed as by `kill -9` under mixed load, again and again: the others take over what it had
//! leased, nothing that was acknowledged is lost, nothing is doubled, and the books balance.
//!
//! `ACCORD_SEED=…` repeats the choices of a run; how far the machine gets between two is never the same.

use crate::house::Dice;
use crate::house::load::audit::open_boxes;
use crate::house::load::{Record, World};
use crate::house::nodes::Nodes;
use crate::house::support::post;
use crate::rounds;
use accord_core::notification::retry::LEASE;
use serde_json::json;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Tasks that call at the same time.
const TASKS: usize = 12;
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_node_had_leased_is_taken_over_and_nothing_is_lost_or_doubled() {
    let given = std::env::var("ACCORD_SEED").ok().map(|seed| seed.parse().expect("ACCORD_SEED: a number"));
    let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    println!("ACCORD_SEED={seed}");
    let mut dice = Dice(seed);
    let Some(mut nodes) = Nodes::open("nodes-killed", 3) else { return };
    let boxes = open_boxes(&nodes.house).await;
    let urls = boxes.each_ref().map(|mailbox| mailbox.url.clone());
    let opening = Record::opening(&nodes.house).await;
    let mut all = Record::default();
    let rounds = rounds(2, 20);
    for round in 0..rounds {
        let world = Arc::new(World::new(round, &nodes.house, &nodes.others(), urls.clone()).await);
        let tasks = world.start(TASKS, seed, &mut all);
        let before = 100 + dice.roll(300) as usize;
        enough(&world, before).await;
        tokio::time::sleep(Duration::from_micros(dice.roll(20_000))).await;
        let victim = dice.roll(3) as usize;
        nodes.kill(victim);
        // The others go on.
        enough(&world, world.acknowledged.load(Ordering::Relaxed) + 100).await;
        let mut record = tasks.stop(&world).await;
        let unknown = world.unknown.load(Ordering::Relaxed);
        let alive = nodes.alive(victim);
        let leased = take_over(&nodes, &alive).await;
        nodes.replace(victim);
        let world = World::new(round, &nodes.house, &nodes.others(), urls.clone()).await;
        let told = record.audit(&world).await;
        println!(
            "round {round}: node {victim} killed after {before} answers with {leased} notifications in its hands; {} debits, \
             {unknown} calls without an end, {} payments among them had been made",
            told.debits, told.made
        );
        all.absorb(record);
        all.check_books(&nodes.house, &opening).await;
    }
    all.check_notices(&nodes.house, &boxes).await;
    all.check_books(&nodes.house, &opening).await;
}

async fn enough(world: &World, count: usize) {
    let reached = async {
        while world.acknowledged.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("enough answers");
}

/// What the living have to send they send; then only what the dead one had claimed is left. When its leases are over,
/// by the wallet's own time, that is sent too: nothing waits longer. How many there were.
async fn take_over(nodes: &Nodes, alive: &str) -> i64 {
    let pending = "SELECT count(*) FROM notifications WHERE state = 'pending'";
    let time = "SELECT value FROM settings WHERE name = 'clock_offset_ms'";
    let offset: i64 = nodes.sql(time).parse().unwrap_or(0);
    let unclaimed = || {
        let now = nodes.count("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint") + offset;
        nodes.count(&format!("{pending} AND next_attempt_at <= {now}"))
    };
    // Twice in a row: what was just claimed has been sent by then.
    let mut quiet = 0;
    let all_sent = async {
        while quiet < 2 {
            quiet = if unclaimed() == 0 { quiet + 1 } else { 0 };
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_sent).await.expect("what the living have to send");
    let leased = nodes.count(pending);
    let lease = json!({ "advanceSeconds": LEASE / 1_000 });
    let said = post(alive, "/sandbox/clock", &lease.to_string());
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert_eq!(nodes.count(pending), 0, "a lease outlived its time");
    leased
}
