//! Who is let in while calls wait: judged before anything is read, stored or verified.
//!
//! A call that is let in holds a [`Ticket`] until it is answered. How long a new one would wait is foretold from the
//! tickets out (each will need a signature) and from the store's queue. Beyond the longest wait, callers that hold more
//! than their fair share are turned away, and beyond twice that everybody is. A caller is the Client-Id that a request
//! names together with the address that it came from: the signature is not verified yet, so that a Client-Id alone
//! would let anybody crowd a client out from elsewhere.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the calls that are being answered, by caller.
#[derive(Debug, Default)]
pub struct Admission {
    callers: Mutex<HashMap<u64, u64>>,
    inside: AtomicU64,
    turned_away: AtomicU64,
    hasher: RandomState,
}

/// The right to be answered; given back when it is dropped.
#[derive(Debug)]
pub struct Ticket {
    admission: Arc<Admission>,
    caller: u64,
}

impl Admission {
    /// Calls that are being answered now.
    pub fn inside(&self) -> u64 {
        self.inside.load(Ordering::Relaxed)
    }

    /// Calls turned away since the process began.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Lets a call in, or does not. `wait` and `longest` are in the same unit; without a longest wait everybody is let
    /// in.
    pub fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        client_id: &[u8],
        wait: u64,
        longest: Option<u64>,
    ) -> Option<Ticket> {
        let caller = self.hasher.hash_one((address, client_id));
        let mut callers = self.lock();
        if let Some(longest) = longest
            && wait > longest
        {
            let holds = callers.get(&caller).copied().unwrap_or(0);
            let active = callers.len() as u64 + u64::from(holds == 0);
            // One part stays free for who comes next, so that nobody alone fills the second half of the wait.
            let fair = self.inside() / (active + 1);
            if holds > fair || wait > longest.saturating_mul(2) {
                self.turned_away.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        }
        *callers.entry(caller).or_insert(0) += 1;
        self.inside.fetch_add(1, Ordering::Relaxed);
        Some(Ticket { admission: self.clone(), caller })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut callers = self.admission.lock();
        if let Some(holds) = callers.get_mut(&self.caller) {
            *holds -= 1;
            if *holds == 0 {
                callers.remove(&self.caller);
            }
        }
        self.admission.inside.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Option<u64> = Some(100);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn nobody_is_turned_away_before_the_longest_wait_or_without_one() {
        let admission = Arc::new(Admission::default());
        let mut tickets: Vec<_> =
            (0..50).filter_map(|_| admission.enter(address(1), b"a", 100, LONGEST)).collect();
        tickets.extend(admission.enter(address(1), b"a", u64::MAX, None));
        assert_eq!((tickets.len(), admission.inside(), admission.turned_away()), (51, 51, 0));
        drop(tickets);
        assert_eq!(admission.inside(), 0);
        assert!(admission.lock().is_empty());
    }

    #[test]
    fn a_flood_is_turned_away_before_others() {
        let admission = Arc::new(Admission::default());
        let flood: Vec<_> = (0..90).filter_map(|_| admission.enter(address(1), b"a", 0, LONGEST)).collect();
        assert!(admission.enter(address(1), b"a", 101, LONGEST).is_none());
        // Another comes in, until it holds its share of three: one part each, and one free.
        let others: Vec<_> =
            (0..90).filter_map(|_| admission.enter(address(2), b"b", 150, LONGEST)).collect();
        assert!((40..60).contains(&others.len()), "{}", others.len());
        assert!(admission.enter(address(1), b"a", 150, LONGEST).is_none());
        // Nobody beyond twice the longest wait.
        assert!(admission.enter(address(3), b"c", 201, LONGEST).is_none());
        assert!(admission.enter(address(3), b"c", 200, LONGEST).is_some());
        drop(flood);
        assert!(
            admission.enter(address(1), b"a", 150, LONGEST).is_some(),
            "a flood that has ended is forgotten"
        );
    }

    #[test]
    fn nobody_is_crowded_out_in_its_own_name_from_elsewhere() {
        let admission = Arc::new(Admission::default());
        let _flood: Vec<_> = (0..90).filter_map(|_| admission.enter(address(9), b"a", 0, LONGEST)).collect();
        assert!(admission.enter(address(9), b"a", 150, LONGEST).is_none());
        assert!(admission.enter(address(1), b"a", 150, LONGEST).is_some());
    }
}
