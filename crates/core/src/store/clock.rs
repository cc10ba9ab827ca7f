//! The clock that every process on a shared store takes its time from. A part of the port.

use crate::moment::Timestamp;
use std::time::{Duration, Instant};

/// What a store's clock said, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Its time.
    pub time: Timestamp,
    /// When it said so, by this machine's monotonic clock: the middle of the round trip.
    pub at: Instant,
    /// How long the round trip took: `time` is off by half of it at most, and by a millisecond for its rounding.
    pub round_trip: Duration,
}
