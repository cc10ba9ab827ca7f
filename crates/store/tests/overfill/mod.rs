//! What every store does with work that it cannot take.

use accord_core::store::{Store, StoreFault, Verdict};
use std::sync::mpsc;
use std::time::Duration;

/// Gives a store with little room a hundred transactions at once: each is told its end, some that they were kept and
/// some that there was no room.
pub fn overfill(store: &dyn Store) {
    let (send, receive) = mpsc::channel();
    for _ in 0..100 {
        let told = send.clone();
        store.submit(
            Box::new(|_| {
                std::thread::sleep(Duration::from_millis(2));
                Verdict::Keep
            }),
            Box::new(move |end| drop(told.send(end))),
        );
    }
    drop(send);
    let ends: Vec<_> = receive.iter().collect();
    assert_eq!(ends.len(), 100, "each end is told");
    assert!(ends.contains(&Ok(())) && ends.iter().any(|end| matches!(end, Err(StoreFault::Unavailable(_)))));
}
