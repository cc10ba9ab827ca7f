//! Limits on callers: how many signed refusals a stranger gets, and how fast a client may call.
//!
//! A client's limit holds for all nodes together: what was agreed is not multiplied by machines. The budget of signed
//! refusals is each node's own, because it guards that node's processors: whoever sends to three nodes is refused by
//! three, and none of them signs more than it may.

use crate::app::{Limits, transact};
use accord_core::client::Client;
use accord_core::client::quota::{self, Reserved};
use accord_core::ids::ClientId;
use accord_core::store::{Store, StoreFault};
use accord_core::{Stop, Timestamp};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Signed refusals: to addresses before a signature was ever good, and to clients whose well signed calls are faulty.
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

    /// May a refusal of this verified client's call be signed, one that came before any rule was asked? Always, where no
    /// budget is set. It must be signed or not be given: beyond the budget the answer is 503.
    pub fn may_refuse(&self, limits: &Limits, client: &Client, now: Timestamp) -> bool {
        let Some(limit) = limits.signed_refusals_per_client_per_minute else { return true };
        let window = now.0.div_euclid(MINUTE_MS);
        let key = client.id.as_str().to_owned();
        self.clients.lock().is_ok_and(|mut windows| windows.take(key, limit, window))
    }
}

/// What a client's limit says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// It may be made.
    Given,
    /// There were enough in this second.
    Over,
    /// The store that counts for all nodes could not be asked.
    Unknown(StoreFault),
}

/// Permits of one client that this node has reserved.
#[derive(Debug, Default)]
struct Held {
    window: i64,
    left: u32,
    /// The last window that anything was reserved of.
    last: Option<i64>,
    /// The window has no more.
    empty: bool,
}

type Holding = Arc<tokio::sync::Mutex<Held>>;

/// Calls of verified clients. Alone on its store a server counts by itself; nodes that share one reserve permits
/// from it in chunks ([`accord_core::client::quota`]).
pub struct CallLimits {
    alone: Mutex<Windows<String>>,
    shared: Mutex<HashMap<ClientId, Holding>>,
}

impl Default for CallLimits {
    fn default() -> CallLimits {
        CallLimits { alone: Mutex::new(Windows::new()), shared: Mutex::default() }
    }
}

/// So often a reservation is made anew whose second was over when it came.
const LATE: u32 = 3;

impl CallLimits {
    /// May this verified client call now? Always, where it has no limit.
    pub async fn permit(&self, store: &dyn Store, client: &Client, now: impl Fn() -> Timestamp) -> Permit {
        let Some(limit) = client.rate_limit else { return Permit::Given };
        let window = || now().0.div_euclid(SECOND_MS);
        if store.is_shared() {
            return self.reserved(store, client, limit, window).await;
        }
        let key = client.id.as_str().to_owned();
        let given = self.alone.lock().is_ok_and(|mut windows| windows.take(key, limit, window()));
        if given { Permit::Given } else { Permit::Over }
    }

    async fn reserved(
        &self,
        store: &dyn Store,
        client: &Client,
        limit: u32,
        now: impl Fn() -> i64,
    ) -> Permit {
        let holding = {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.entry(client.id.clone()).or_default().clone()
        };
        // Those who come meanwhile wait for the same chunk.
        let mut held = holding.lock().await;
        for _ in 0..LATE {
            let window = now();
            // A node whose clock is ahead may have opened the next window already.
            if !(window..=window + 1).contains(&held.window) {
                *held = Held { window, left: 0, empty: false, last: held.last };
            }
            if held.left > 0 {
                held.left -= 1;
                return Permit::Given;
            }
            if held.empty {
                return Permit::Over;
            }
            let (id, last) = (client.id.clone(), held.last);
            let wanted = held.window;
            match transact(store, move |tx| quota::reserve(tx, &id, limit, wanted, last)).await {
                Ok(Reserved { window, permits }) => {
                    let last = if permits > 0 { Some(window) } else { last };
                    *held = Held { window, left: permits, empty: permits == 0, last };
                }
                Err(Stop::Fault(fault)) => return Permit::Unknown(fault),
                Err(Stop::Refused(_)) => return Permit::Over,
            }
        }
        Permit::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::client::ClientStatus;
    use accord_core::ids::{ClientId, DialectName};

    #[test]
    fn a_stranger_gets_so_many_signed_refusals_a_minute() {
        let budget = RefusalBudget::default();
        let limits = Limits { signed_refusals_per_minute: Some(2), ..Limits::default() };
        let address = "192.0.2.1".parse().unwrap();
        let answers: Vec<bool> =
            (0..4).map(|second| budget.may_sign(&limits, address, Timestamp(second * 1_000))).collect();
        assert_eq!(answers, [true, true, false, false]);
        assert!(budget.may_sign(&limits, "192.0.2.2".parse().unwrap(), Timestamp(0)));
        assert!(budget.may_sign(&limits, address, Timestamp(61_000)));
        assert!(budget.may_sign(&Limits::default(), address, Timestamp(0)));
    }

    #[test]
    fn a_client_gets_so_many_signed_refusals_of_faulty_calls() {
        let budget = RefusalBudget::default();
        let limits = Limits { signed_refusals_per_client_per_minute: Some(2), ..Limits::default() };
        let one = Client {
            id: ClientId::new("one"),
            dialect: DialectName::new("qi"),
            legal_name: String::new(),
            display_name: String::new(),
            status: ClientStatus::Active,
            agreement_pay: true,
            lenient: false,
            auth_notify_url: None,
            payment_notify_url: None,
            return_url: None,
            acquirers: Vec::new(),
            redirect_hosts: Vec::new(),
            rate_limit: None,
            created_at: Timestamp(0),
        };
        let noon = Timestamp(60_000 * 1_000);
        let may = |limits: &Limits, now| budget.may_refuse(limits, &one, now);
        assert_eq!([may(&limits, noon), may(&limits, noon), may(&limits, noon)], [true, true, false]);
        assert!(may(&Limits::default(), noon) && may(&limits, noon.plus_millis(MINUTE_MS)));
    }
}
