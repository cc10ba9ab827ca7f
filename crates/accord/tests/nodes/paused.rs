//! A node that stands still, as a paused machine does (SIGSTOP), while two others serve: they take over what it had
//! leased, and when it wakes it sends nothing that they have sent, doubles nothing, and says that it was away.
//!
//! `ACCORD_LONG=1` lets it stand still for a minute, longer than any lease; else for as long as the database bears
//! with a silent transaction. `ACCORD_SEED=…` repeats the choices of a run.

use crate::house::load::audit::open_boxes;
use crate::house::load::{Record, World};
use crate::house::mailbox::Mailbox;
use crate::house::nodes::Nodes;
use crate::house::support::get;
use crate::rounds;
use accord_core::notification::retry::LEASE;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Tasks that call at the same time.
const TASKS: usize = 8;
/// The node that stands still: one of those beside the house.
const VICTIM: usize = 1;

/// Every letter so far: how many, and which.
fn arrived(boxes: &[Mailbox; 2]) -> (usize, HashSet<(String, Vec<u8>)>) {
    let letters: Vec<_> = boxes.iter().flat_map(Mailbox::letters).collect();
    (letters.len(), letters.into_iter().map(|letter| (letter.target, letter.body)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stood_still_sends_nothing_that_others_have_sent() {
    let given = std::env::var("ACCORD_SEED").ok().map(|seed| seed.parse().expect("ACCORD_SEED: a number"));
    let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    println!("ACCORD_SEED={seed}");
    let Some(nodes) = Nodes::open("nodes-paused", 3) else { return };
    let pause = Duration::from_secs(rounds(17, 60) as u64);
    let boxes = open_boxes(&nodes.house).await;
    let urls = boxes.each_ref().map(|mailbox| mailbox.url.clone());
    let opening = Record::opening(&nodes.house).await;
    let mut all = Record::default();

    let world = Arc::new(World::new(0, &nodes.house, &nodes.others(), urls.clone()).await);
    let tasks = world.start(TASKS, seed, &mut all);
    let enough = async |world: &World, count: usize| {
        let reached = async || (world.acknowledged.load(Ordering::Relaxed) >= count).then_some(());
        nodes.house.eventually("enough answers", reached).await;
    };
    enough(&world, 200).await;
    let victim = nodes.others()[VICTIM];
    victim.pause();
    let paused = Instant::now();
    // Who calls it waits for it; nobody else does.
    let waiting = world.clone();
    let waiting = tokio::spawn(async move { tasks.stop(&waiting).await });
    let serving = Arc::new(World::new(1, &nodes.house, &[nodes.others()[1 - VICTIM]], urls.clone()).await);
    let tasks = serving.start(TASKS, seed, &mut all);
    enough(&serving, 300).await;
    all.absorb(tasks.stop(&serving).await);
    let pending = "SELECT count(*) FROM notifications WHERE state = 'pending'";
    if rounds(0, 1) == 1 {
        // Whatever it had in its hands is sent without it.
        nodes.house.eventually("an empty outbox", async || (nodes.count(pending) == 0).then_some(())).await;
    }
    tokio::time::sleep(pause.saturating_sub(paused.elapsed())).await;
    let leased = nodes.count(pending);
    // Everything that it had sent has arrived by now.
    let (letters, before) = arrived(&boxes);
    victim.wake();

    all.absorb(waiting.await.expect("calls that end"));
    let ready = async || get(&victim.url, "/health/ready").starts_with("HTTP/1.1 200").then_some(());
    nodes.house.eventually("a node that is ready again", ready).await;
    let log = victim.log();
    assert!(log.contains("this node stood still"), "{log}");
    let metrics = get(&victim.url, "/metrics");
    assert!(metrics.contains("\naccord_standstills_total 1\n"), "{metrics}");
    // What it was sending when it was stopped may have timed out: that is tried again two minutes later.
    let soon = format!(
        "{pending} AND next_attempt_at < floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + {LEASE}"
    );
    let carried = async || (nodes.count(&soon) == 0).then_some(());
    nodes.house.eventually("an outbox with nothing due", carried).await;
    let (all_letters, after) = arrived(&boxes);
    let (since, new) = (all_letters - letters, after.difference(&before).count());
    println!(
        "{leased} notifications waited when it woke; {since} letters came afterwards, {new} of them for the first time"
    );
    assert_eq!(since, new, "what others had sent was sent again");

    let world = World::new(2, &nodes.house, &nodes.others(), urls).await;
    let told = all.audit(&world).await;
    println!("{} debits, {} payments without an answer had been made", told.debits, told.made);
    all.check_books(&nodes.house, &opening).await;
    all.check_notices(&nodes.house, &boxes).await;
    all.check_books(&nodes.house, &opening).await;
}
