//! Limits on callers: how many signed refusals a stranger gets, and how fast a client may call.

use crate::app::Limits;
use accord_core::Timestamp;
use accord_core::client::Client;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

const MINUTE_MS: i64 = 60_000;
const SECOND_MS: i64 = 1_000;
/// Addresses remembered at once; beyond it the oldest minute is forgotten as a whole.
const ADDRESSES: usize = 100_000;

/// Counts, per key, what happened in the running window.
struct Windows<K> {
    window: i64,
    counts: HashMap<K, u32>,
}

impl<K: std::hash::Hash + Eq> Windows<K> {
    fn new() -> Windows<K> {
        Windows { window: 0, counts: HashMap::new() }
    }

    /// Takes one of `limit` in the window that `now` falls in; false when none is left.
    fn take(&mut self, key: K, limit: u32, window: i64) -> bool {
        if self.window != window || self.counts.len() >= ADDRESSES {
            self.window = window;
            self.counts.clear();
        }
        let count = self.counts.entry(key).or_insert(0);
        *count = count.saturating_add(1);
        *count <= limit
    }
}

/// Signed refusals before a signature was ever good, and calls of verified clients.
pub struct RefusalBudget {
    addresses: Mutex<Windows<IpAddr>>,
    clients: Mutex<Windows<String>>,
}

impl Default for RefusalBudget {
    fn default() -> RefusalBudget {
        RefusalBudget { addresses: Mutex::new(Windows::new()), clients: Mutex::new(Windows::new()) }
    }
}

impl RefusalBudget {
    /// May a refusal to this address be signed? (decision 2) Always, where no budget is set.
    pub fn may_sign(&self, limits: &Limits, address: IpAddr, now: Timestamp) -> bool {
        let Some(limit) = limits.signed_refusals_per_minute else { return true };
        let window = now.0.div_euclid(MINUTE_MS);
        self.addresses.lock().is_ok_and(|mut windows| windows.take(address, limit, window))
    }

    /// May this verified client call now? Always, where it has no limit.
    pub fn may_call(&self, client: &Client, now: Timestamp) -> bool {
        let Some(limit) = client.rate_limit else { return true };
        let window = now.0.div_euclid(SECOND_MS);
        let key = client.id.as_str().to_owned();
        self.clients.lock().is_ok_and(|mut windows| windows.take(key, limit, window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_gets_so_many_signed_refusals_a_minute() {
        let budget = RefusalBudget::default();
        let limits = Limits { signed_refusals_per_minute: Some(2), longest_wait_ms: None };
        let address = "192.0.2.1".parse().unwrap();
        let answers: Vec<bool> =
            (0..4).map(|second| budget.may_sign(&limits, address, Timestamp(second * 1_000))).collect();
        assert_eq!(answers, [true, true, false, false]);
        assert!(budget.may_sign(&limits, "192.0.2.2".parse().unwrap(), Timestamp(0)));
        assert!(budget.may_sign(&limits, address, Timestamp(61_000)));
        assert!(budget.may_sign(&Limits::default(), address, Timestamp(0)));
    }
}
