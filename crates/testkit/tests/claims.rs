//! Due work that several nodes share: one of them has it, and it is not lost with that one.

mod stores;

use accord_core::lease;
use accord_core::notification::retry::{self, LEASE};
use accord_core::notification::{Notification, NotificationState};
use accord_core::store::{self, Store};
use accord_core::{Moment, Ruled, Timestamp};
use accord_testkit::laws::samples;

fn claim(store: &dyn Store, seen: &Notification, now: i64) -> bool {
    let (seen, at) = (seen.clone(), Moment::new(Timestamp(now), [7; 32]));
    let claimed: Ruled<bool> = store::transact(store, move |tx| Ok(retry::claim(tx, &seen, &at)?));
    claimed.expect("a claim that is decided")
}

fn due(store: &dyn Store, target: &str, now: i64) -> Vec<Notification> {
    let target = target.to_owned();
    store::look(store, move |rows| rows.due_notifications(&target, Timestamp(now), 9)).expect("a look")
}

fn of_sixteen_nodes_one_has_it(store: &dyn Store) {
    for number in 0..10 {
        let row = samples::notification(number, NotificationState::Pending, 1, true);
        let written = row.clone();
        let kept: Ruled<()> = store::transact(store, move |tx| Ok(tx.insert_notification(&written)?));
        kept.expect("a notification");
        let now = row.next_attempt_at.0 + 5;
        let seen = due(store, &row.target, now).into_iter().find(|one| one.id == row.id).expect("it is due");
        let claimed: Vec<bool> = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..16).map(|_| scope.spawn(|| claim(store, &seen, now))).collect();
            nodes.into_iter().map(|node| node.join().expect("a node")).collect()
        });
        assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1, "{claimed:?}");
        let is_due = |now| due(store, &row.target, now).iter().any(|one| one.id == row.id);
        assert!(!is_due(now + LEASE - 1), "nobody else finds it while it is leased");
        assert!(is_due(now + LEASE), "when its node has died, another finds it");
        assert!(!claim(store, &seen, now + LEASE), "who saw it before the lease has seen too little");
    }
}

#[test]
fn a_notification_is_claimed_by_one_node_and_taken_over_when_that_one_dies() {
    stores::on_every_store(|shelf| of_sixteen_nodes_one_has_it(&shelf.open_for(3)));
}

fn of_sixteen_nodes_one_holds_the_lease(store: &dyn Store) {
    const LIFE: i64 = 30_000;
    let take = |node: usize, now: i64| {
        let taken: Ruled<bool> = store::transact(store, move |tx| {
            lease::take(tx, "upkeep", &format!("node {node}"), LIFE, Timestamp(now))
        });
        taken.expect("a lease that is decided")
    };
    let mut now = 1_795_300_000_000;
    for _ in 0..5 {
        let taken: Vec<usize> = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..16).map(|node| scope.spawn(move || take(node, now))).collect();
            let taken = nodes.into_iter().map(|node| node.join().expect("a node"));
            taken.enumerate().filter_map(|(node, taken)| taken.then_some(node)).collect()
        });
        let [holder] = taken[..] else { panic!("one of sixteen: {taken:?}") };
        let other = (holder + 1) % 16;
        assert!(take(holder, now + LIFE - 1), "its holder renews it");
        assert!(!take(other, now + LIFE), "and has it for longer");
        assert!(take(other, now + 2 * LIFE - 1), "when its holder has died, another takes it");
        assert!(!take(holder, now + 2 * LIFE), "who slept has lost it");
        let name = format!("node {other}");
        let released: Ruled<()> =
            store::transact(store, move |tx| lease::release(tx, "upkeep", &name, Timestamp(now + 2 * LIFE)));
        released.expect("given back");
        now += 2 * LIFE;
    }
}

#[test]
fn a_lease_is_one_nodes_until_it_ends() {
    stores::on_every_store(|shelf| of_sixteen_nodes_one_holds_the_lease(&shelf.open_for(3)));
}
