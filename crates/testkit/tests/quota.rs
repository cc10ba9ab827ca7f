//! Calls a second of a client, reserved by several nodes from one row: never more than agreed, and little is lost.

mod stores;

use accord_core::client::quota::{self, Reserved};
use accord_core::ids::ClientId;
use accord_core::store::{self, Store};
use stores::on_every_store;

fn reserve(store: &dyn Store, limit: u32, window: i64, last: Option<i64>) -> Reserved {
    let client = ClientId::new("SHOP");
    store::transact(store, move |tx| quota::reserve(tx, &client, limit, window, last)).expect("an answer")
}

/// What each node gets, reserving in turn until the window is empty.
fn drain(store: &dyn Store, limit: u32, window: i64, nodes: usize, before: bool) -> Vec<Vec<u32>> {
    let mut got = vec![Vec::new(); nodes];
    let mut last = vec![before.then_some(window - 1); nodes];
    loop {
        for node in 0..nodes {
            let Reserved { window: given, permits } = reserve(store, limit, window, last[node]);
            assert_eq!(given, window);
            if permits == 0 {
                return got;
            }
            last[node] = Some(window);
            got[node].push(permits);
        }
    }
}

#[test]
fn a_window_gives_exactly_its_limit_in_chunks() {
    on_every_store(|shelf| {
        let store = shelf.open();
        for (round, limit) in [1, 2, 3, 39, 40, 41, 100, 1_000, 999_999].into_iter().enumerate() {
            for nodes in [1, 3, 4, 12].into_iter().filter(|nodes| shelf.plays(round + nodes, 4)) {
                store.empty();
                for window in 100..103 {
                    let got = drain(&store, limit, window, nodes, window > 100);
                    let all: u32 = got.iter().flatten().sum();
                    assert_eq!(all, limit, "{nodes} nodes");
                    // What nodes hold back: all but one of their last chunk. From the second window on their number is
                    // known.
                    let lost: u32 =
                        got.iter().filter_map(|chunks| chunks.last()).map(|chunk| chunk - 1).sum();
                    if nodes <= 4 || window > 100 {
                        assert!(lost <= limit / 10, "{nodes} nodes lose {lost} of {limit}");
                    }
                }
            }
        }
    });
}

#[test]
fn a_limit_of_nothing_gives_nothing() {
    on_every_store(|shelf| {
        assert_eq!(reserve(&shelf.open(), 0, 7, None), Reserved { window: 7, permits: 0 });
    });
}

#[test]
fn nodes_whose_clocks_differ_share_the_later_window_and_a_clock_set_back_begins_anew() {
    on_every_store(|shelf| {
        let store = shelf.open();
        assert_eq!(reserve(&store, 80, 11, None), Reserved { window: 11, permits: 2 });
        assert_eq!(reserve(&store, 80, 10, None), Reserved { window: 11, permits: 2 });
        assert_eq!(reserve(&store, 80, 8, None), Reserved { window: 8, permits: 2 });
        assert_eq!(reserve(&store, 3, 8, Some(8)), Reserved { window: 8, permits: 1 });
        assert_eq!(reserve(&store, 3, 8, Some(8)), Reserved { window: 8, permits: 0 });
    });
}
