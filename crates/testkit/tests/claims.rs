//! Due work that several nodes share: one of them has it, and it is not lost with that one.

mod stores;

use accord_core::notification::retry::{self, LEASE};
use accord_core::notification::{Notification, NotificationState};
use accord_core::store::{self, Store};
use accord_core::{Moment, Ruled, Timestamp};
use accord_testkit::laws::samples;
use accord_testkit::model::ModelStore;

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
    of_sixteen_nodes_one_has_it(&ModelStore::new());
    if let Some(nodes) = stores::nodes(3) {
        of_sixteen_nodes_one_has_it(nodes.as_ref());
    }
}
