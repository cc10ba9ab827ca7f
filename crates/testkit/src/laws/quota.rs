//! Calls a second of clients: one row for each, replaced whole.

use super::samples::client_id;
use super::{keep, see};
use accord_core::client::quota::CallQuota;
use accord_core::store::Store;

fn quota(number: u32, most: bool) -> CallQuota {
    CallQuota {
        client: client_id(number),
        window: if most { i64::MAX } else { 0 },
        taken: if most { u32::MAX } else { 0 },
        nodes: if most { u32::MAX } else { 1 },
        nodes_before: if most { 7 } else { 0 },
    }
}

/// What was reserved comes back as it was, whether it was created or replaced; each client has its own.
pub fn reserved_calls_come_back_as_they_were(store: &dyn Store) {
    for most in [false, true, false] {
        keep(store, move |tx| {
            tx.put_call_quota(&quota(1, most))?;
            assert_eq!(tx.call_quota(&client_id(1))?, Some(quota(1, most)));
            Ok(())
        });
        see(store, move |rows| {
            assert_eq!(rows.call_quota(&client_id(1))?, Some(quota(1, most)));
            assert_eq!(rows.call_quota(&client_id(2))?, None);
            Ok(())
        });
    }
}
