//! The real clock and the real dice: the only file that reads either.
//!
//! A server alone on its store goes by its machine's clock. Where several share a store they go by the store's: time
//! since a reading of it is counted by the machine's monotonic clock, which nobody sets ([`crate::shared_time`]).

use accord_core::store::clock::ClockReading;
use accord_core::{Moment, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// No reading of a shared clock yet, or none to be had.
const NONE: i64 = i64::MIN;

/// The server's time, moved by an offset that only the sandbox ever sets.
#[derive(Debug)]
pub struct Clock {
    offset_ms: AtomicI64,
    /// How wrong the machine's clock is made, for tests of it.
    skew_ms: i64,
    origin: Instant,
    /// The shared clock's time at `origin`, or [`NONE`].
    shared_ms: AtomicI64,
    /// When the shared clock was last read, since `origin`.
    heard_ms: AtomicI64,
}

/// The setting under which a store keeps the offset, so that it survives restarts and holds for every process.
pub const OFFSET_SETTING: &str = "clock_offset_ms";

impl Default for Clock {
    /// A clock that nobody moved.
    fn default() -> Clock {
        Clock::new(0)
    }
}

impl Clock {
    /// A clock that is `offset_ms` ahead of the machine's.
    pub fn new(offset_ms: i64) -> Clock {
        Clock::skewed(offset_ms, 0)
    }

    /// The same on a machine whose clock is taken to be `skew_ms` ahead. For tests, in a sandbox.
    pub fn skewed(offset_ms: i64, skew_ms: i64) -> Clock {
        let [offset_ms, shared_ms, heard_ms] = [offset_ms, NONE, 0].map(AtomicI64::new);
        Clock { offset_ms, skew_ms, origin: Instant::now(), shared_ms, heard_ms }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.unmoved().plus_millis(self.offset_ms())
    }

    /// Now, whatever the sandbox did to the clock: for leases.
    pub fn unmoved(&self) -> Timestamp {
        self.shared().unwrap_or_else(|| self.machine())
    }

    /// Goes by a shared clock from now on.
    pub fn follow(&self, reading: &ClockReading) {
        let at_origin = reading.time.0.saturating_sub(self.since_origin(reading.at));
        self.shared_ms.store(at_origin, Ordering::Relaxed);
    }

    /// The shared clock was read then.
    pub fn heard(&self, at: Instant) {
        self.heard_ms.store(self.since_origin(at), Ordering::Relaxed);
    }

    /// How long ago the shared clock was last read, in milliseconds; nothing without a shared one.
    pub fn silent_ms(&self) -> Option<i64> {
        self.shared()?;
        Some(self.since_origin(Instant::now()) - self.heard_ms.load(Ordering::Relaxed))
    }

    /// The same clock, last read so much longer ago.
    #[cfg(test)]
    pub(crate) fn aged(self, by: std::time::Duration) -> Clock {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(0);
        self.shared_ms.fetch_sub(by_ms, Ordering::Relaxed);
        Clock { origin: self.origin.checked_sub(by).unwrap_or(self.origin), ..self }
    }

    fn since_origin(&self, at: Instant) -> i64 {
        i64::try_from(at.saturating_duration_since(self.origin).as_millis()).unwrap_or(i64::MAX)
    }

    /// How far the machine's clock is ahead of the shared one, in milliseconds; nothing without a shared one.
    pub fn machine_ahead_ms(&self) -> Option<i64> {
        self.shared().map(|shared| self.machine().since(shared))
    }

    fn shared(&self) -> Option<Timestamp> {
        let at_origin =
            Some(self.shared_ms.load(Ordering::Relaxed)).filter(|at_origin| *at_origin != NONE)?;
        Some(Timestamp(at_origin.saturating_add(self.since_origin(Instant::now()))))
    }

    fn machine(&self) -> Timestamp {
        machine_time().plus_millis(self.skew_ms)
    }

    /// How far the sandbox moved it.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Sets how far the sandbox moved it.
    pub fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }

    /// The moment of a call that begins now.
    pub fn moment(&self) -> Moment {
        self.moment_at(self.now())
    }

    /// A moment at another time: due work runs at its own due time.
    pub fn moment_at(&self, now: Timestamp) -> Moment {
        Moment::new(now, random())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]
fn machine_time() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// Random bytes from the operating system.
#[expect(clippy::panic, reason = "without entropy nothing this server could do would be safe")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        panic!("the operating system gives no random bytes");
    }
    bytes
}
