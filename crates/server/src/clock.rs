//! The real clock and the real dice: the only file that reads either.

use accord_core::{Moment, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};

/// The server's time: the machine's, moved by an offset that only the sandbox ever sets.
#[derive(Debug, Default)]
pub struct Clock {
    offset_ms: AtomicI64,
}

/// The setting under which a store keeps the offset, so that it survives restarts and holds for every process.
pub const OFFSET_SETTING: &str = "clock_offset_ms";

impl Clock {
    /// A clock that is `offset_ms` ahead of the machine's.
    pub fn new(offset_ms: i64) -> Clock {
        Clock { offset_ms: AtomicI64::new(offset_ms) }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        machine_time().plus_millis(self.offset_ms())
    }

    /// How far ahead of the machine's clock.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Sets how far ahead of the machine's clock.
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
