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
    seed: Keyed,
}

impl Moment {
    /// A moment at `now` whose random streams come from `seed`.
    pub fn new(now: Timestamp, seed: [u8; 32]) -> Moment {
        Moment { now, seed: Keyed::new(&seed) }
    }

    /// The random stream of that label: always the same for one moment, independent between labels.
    pub fn random(&self, label: &str) -> Random {
        Random { now: self.now, ..Random::of(self.seed.clone(), &[label.as_bytes()]) }
    }
}

impl std::fmt::Debug for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment").field("now", &self.now).finish_non_exhaustive()
    }
}

/// A stream of bytes that nobody can foretell without its key: its n-th block of 32 is the [`keyed_hash`] of its parts and
/// n, eight bytes from 0.
pub struct Random {
    now: Timestamp,
    /// The parts are in it.
    begun: Keyed,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Random {
    /// The stream of `key` for these parts. Parts are length-prefixed, so `["a","bc"]` is not `["ab","c"]`.
    pub fn new(key: &[u8; 32], parts: &[&[u8]]) -> Random {
        Random::of(Keyed::new(key), parts)
    }

    fn of(mut key: Keyed, parts: &[&[u8]]) -> Random {
        parts.iter().for_each(|part| key.take(part));
        Random { now: Timestamp(0), begun: key, counter: 0, block: [0; 32], used: 32 }
    }

    /// The same stream at another time.
    pub fn at(self, now: Timestamp) -> Random {
        Random { now, ..self }
    }

    /// The time of the moment that it belongs to; of no moment: 1970.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            let mut next = self.begun.clone();
            next.take(&self.counter.to_be_bytes());
            self.block = next.end();
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
        let range = if bound <= 256 { 256 } else { 65_536 };
        let limit = range - (range % bound);
        loop {
            let draw = match range {
                256 => u32::from(self.byte()),
                _ => u32::from(u16::from_be_bytes([self.byte(), self.byte()])),
            };
            if draw < limit {
                return draw % bound;
            }
        }
    }
}

/// HMAC-SHA256 over length-prefixed parts.
pub fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut keyed = Keyed::new(key);
    parts.iter().for_each(|part| keyed.take(part));
    keyed.end()
}

/// HMAC-SHA256 with its key worked in: copying it costs less than keying it anew.
#[derive(Clone)]
struct Keyed(Option<Hmac<Sha256>>);

impl Keyed {
    fn new(key: &[u8; 32]) -> Keyed {
        // A 32-byte key is always accepted: HMAC takes keys of any length.
        Keyed(Hmac::new_from_slice(key).ok())
    }

    fn take(&mut self, part: &[u8]) {
        if let Some(mac) = &mut self.0 {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
    }

    fn end(self) -> [u8; 32] {
        self.0.map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }
}
