//! The time and the chance of one call.
//!
//! A [`Moment`] is made once per call, outside of this crate, and passed down like any other fact. Its random
//! streams are labelled and repeatable: a rule that runs again after a conflict draws the same ids and codes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time and `millis` more; it stops at the end of time instead of wrapping.
    pub fn plus_millis(self, millis: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this time.
    pub fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// When a call happens, and the seed of everything random about it.
#[derive(Clone)]
pub struct Moment {
    /// The server's time for the whole call.
    pub now: Timestamp,
    seed: [u8; 32],
}

impl Moment {
    /// A moment at `now` whose random streams come from `seed`.
    pub fn new(now: Timestamp, seed: [u8; 32]) -> Moment {
        Moment { now, seed }
    }

    /// The random stream of that label: always the same for one moment, independent between labels.
    pub fn random(&self, label: &str) -> Random {
        Random::new(&self.seed, &[label.as_bytes()])
    }
}

impl std::fmt::Debug for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment").field("now", &self.now).finish_non_exhaustive()
    }
}

/// A stream of bytes that nobody can foretell without its key: HMAC-SHA256 over parts and a counter.
pub struct Random {
    key: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Random {
    /// The stream of `key` for these parts. Parts are length-prefixed, so `["a","bc"]` is not `["ab","c"]`.
    pub fn new(key: &[u8; 32], parts: &[&[u8]]) -> Random {
        Random { key: keyed_hash(key, parts), counter: 0, block: [0; 32], used: 32 }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            self.block = keyed_hash(&self.key, &[&self.counter.to_be_bytes()]);
            self.counter += 1;
            self.used = 0;
        }
        let byte = self.block[self.used];
        self.used += 1;
        byte
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A number below `bound` (at most 65,536), every one equally likely.
    pub fn below(&mut self, bound: u32) -> u32 {
        let bound = bound.clamp(1, 65_536);
        let limit = 65_536 - (65_536 % bound);
        loop {
            let draw = u32::from(u16::from_be_bytes([self.byte(), self.byte()]));
            if draw < limit {
                return draw % bound;
            }
        }
    }
}

/// HMAC-SHA256 over length-prefixed parts.
pub fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A 32-byte key is always accepted: HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
