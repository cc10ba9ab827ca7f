//! How long transactions take, so that the wait of one more can be foretold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Moving average of a transaction's time on one thread, in nanoseconds; 0 while nothing is measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace(Arc<AtomicU64>);

impl Pace {
    /// Notes that so many transactions took so long, and moves the average an eighth of the way.
    pub(crate) fn note(&self, took: Duration, transactions: usize) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let each = (nanos / transactions.max(1) as u64).max(1);
        // Threads may overwrite each other's step: it is an estimate.
        let before = self.0.load(Ordering::Relaxed);
        let after = if before == 0 { each } else { before - before / 8 + each / 8 };
        self.0.store(after, Ordering::Relaxed);
    }

    /// How long one more would wait behind so many on so many threads, in microseconds.
    pub(crate) fn wait_micros(&self, queued: usize, threads: usize) -> u64 {
        (queued as u64).saturating_mul(self.0.load(Ordering::Relaxed)) / (threads.max(1) as u64) / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_with_the_queue_and_shrinks_with_the_threads() {
        let pace = Pace::default();
        assert_eq!(pace.wait_micros(100, 1), 0);
        pace.note(Duration::from_micros(400), 4);
        assert_eq!((pace.wait_micros(100, 1), pace.wait_micros(100, 4)), (10_000, 2_500));
        pace.note(Duration::from_micros(900), 1);
        assert_eq!(pace.wait_micros(1, 1), 200);
    }
}
