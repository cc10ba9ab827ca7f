//! The last six hours of this node, in memory, for the charts of the operator console: calls, results, latency, the
//! age of the outbox. Counted beside the metrics of [`crate::telemetry`], sampled every [`STEP_MS`]; gone with the
//! process. What all nodes together do is the business of whoever scrapes `/metrics`.

use crate::app::App;
use accord_core::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Between two samples.
pub const STEP_MS: i64 = 10_000;
/// Samples kept: six hours.
pub const KEPT: usize = 2_160;
/// Latency is counted in so many spans, each a quarter longer than the one before.
const SPANS: usize = 64;
/// Upper edge of the first span, in microseconds; that of the last is some two minutes.
const FIRST_SPAN_MICROS: u64 = 100;
/// So many pairs of operation and result code are told apart. There are fewer.
const MOST_RESULTS: usize = 1_000;

/// What this process counts.
pub static LIVE: Live = Live::new();

/// Counters since the process began, and the samples taken of them.
pub struct Live {
    counts: Counts,
    spans: [AtomicU64; SPANS],
    oldest_due_ms: AtomicU64,
    results: Mutex<BTreeMap<(String, &'static str, String), u64>>,
    samples: Mutex<VecDeque<Sample>>,
    last: Mutex<Sample>,
}

struct Counts {
    success: AtomicU64,
    failure: AtomicU64,
    unknown: AtomicU64,
    delivered: AtomicU64,
    undelivered: AtomicU64,
}

/// What happened within a step, or within several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its end.
    pub at: Timestamp,
    /// Calls answered S.
    pub success: u64,
    /// Calls answered F.
    pub failure: u64,
    /// Calls answered U.
    pub unknown: u64,
    /// Attempts at notifications that were acknowledged.
    pub delivered: u64,
    /// Attempts that were not.
    pub undelivered: u64,
    /// How old the oldest due notification was, at its end.
    pub oldest_due_ms: u64,
    /// Calls by how long they took.
    spans: [u32; SPANS],
}

impl Sample {
    const ZERO: Sample = Sample {
        at: Timestamp(0),
        success: 0,
        failure: 0,
        unknown: 0,
        delivered: 0,
        undelivered: 0,
        oldest_due_ms: 0,
        spans: [0; SPANS],
    };

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.success + self.failure + self.unknown
    }

    /// How long `per_mille` of a thousand calls took at most, in microseconds, to a quarter; nothing without calls.
    pub fn latency_micros(&self, per_mille: u64) -> Option<u64> {
        let all: u64 = self.spans.iter().map(|count| u64::from(*count)).sum();
        let wanted = (all * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        edges().zip(self.spans).find_map(|(edge, count)| {
            seen += u64::from(count);
            (all > 0 && seen >= wanted).then_some(edge)
        })
    }

    /// Both together; the age is the greater one.
    fn and(mut self, later: &Sample) -> Sample {
        self.at = later.at;
        self.success += later.success;
        self.failure += later.failure;
        self.unknown += later.unknown;
        self.delivered += later.delivered;
        self.undelivered += later.undelivered;
        self.oldest_due_ms = self.oldest_due_ms.max(later.oldest_due_ms);
        for (mine, theirs) in self.spans.iter_mut().zip(later.spans) {
            *mine = mine.saturating_add(theirs);
        }
        self
    }
}

/// Upper edges of the spans, in microseconds.
fn edges() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(FIRST_SPAN_MICROS), |edge| Some(edge + edge / 4)).take(SPANS)
}

impl Live {
    const fn new() -> Live {
        Live {
            counts: Counts {
                success: AtomicU64::new(0),
                failure: AtomicU64::new(0),
                unknown: AtomicU64::new(0),
                delivered: AtomicU64::new(0),
                undelivered: AtomicU64::new(0),
            },
            spans: [const { AtomicU64::new(0) }; SPANS],
            oldest_due_ms: AtomicU64::new(0),
            results: Mutex::new(BTreeMap::new()),
            samples: Mutex::new(VecDeque::new()),
            last: Mutex::new(Sample::ZERO),
        }
    }

    /// Counts an answered call.
    pub fn call(&self, operation: &str, code: &str, status: &str, took: Duration) {
        let (count, status) = match status {
            "S" => (&self.counts.success, "S"),
            "F" => (&self.counts.failure, "F"),
            _ => (&self.counts.unknown, "U"),
        };
        count.fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let span = edges().position(|edge| micros <= edge).unwrap_or(SPANS - 1);
        if let Some(span) = self.spans.get(span) {
            span.fetch_add(1, Relaxed);
        }
        let mut results = lock(&self.results);
        let key = (operation.to_owned(), status, code.to_owned());
        if results.len() < MOST_RESULTS || results.contains_key(&key) {
            *results.entry(key).or_default() += 1;
        }
    }

    /// Counts an attempt at a notification.
    pub fn attempt(&self, acknowledged: bool) {
        let count = if acknowledged { &self.counts.delivered } else { &self.counts.undelivered };
        count.fetch_add(1, Relaxed);
    }

    /// Notes how old the oldest due notification is.
    pub fn oldest_due(&self, age: Duration) {
        self.oldest_due_ms.store(u64::try_from(age.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Calls since the process began: operation, status, result code, how many.
    pub fn results(&self) -> Vec<(String, &'static str, String, u64)> {
        let results = lock(&self.results);
        results
            .iter()
            .map(|((operation, status, code), n)| (operation.clone(), *status, code.clone(), *n))
            .collect()
    }

    /// Takes a sample of what happened since the last one.
    pub fn sample(&self, at: Timestamp) {
        let mut now = Sample {
            at,
            success: self.counts.success.load(Relaxed),
            failure: self.counts.failure.load(Relaxed),
            unknown: self.counts.unknown.load(Relaxed),
            delivered: self.counts.delivered.load(Relaxed),
            undelivered: self.counts.undelivered.load(Relaxed),
            oldest_due_ms: self.oldest_due_ms.load(Relaxed),
            spans: [0; SPANS],
        };
        for (seen, count) in now.spans.iter_mut().zip(&self.spans) {
            // Counted around: differences stay right.
            *seen = count.load(Relaxed) as u32;
        }
        let mut last = lock(&self.last);
        let mut step = now.clone();
        step.success -= last.success.min(step.success);
        step.failure -= last.failure.min(step.failure);
        step.unknown -= last.unknown.min(step.unknown);
        step.delivered -= last.delivered.min(step.delivered);
        step.undelivered -= last.undelivered.min(step.undelivered);
        for (count, before) in step.spans.iter_mut().zip(last.spans) {
            *count = count.wrapping_sub(before);
        }
        *last = now;
        drop(last);
        let mut samples = lock(&self.samples);
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back(step);
    }

    /// The newest `steps` samples, oldest first, each `together` of them as one.
    pub fn history(&self, steps: usize, together: usize) -> Vec<Sample> {
        let samples = lock(&self.samples);
        let newest: Vec<&Sample> = samples.iter().skip(samples.len().saturating_sub(steps)).collect();
        // Whole groups end at the newest sample.
        let ragged = newest.len() % together.max(1);
        let groups = newest.get(ragged..).unwrap_or_default().chunks(together.max(1));
        groups.map(|group| group.iter().fold(Sample::ZERO, |sum, sample| sum.and(sample))).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes samples until the server stops.
pub async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(STEP_MS.unsigned_abs()));
    loop {
        tokio::select! {
            _ = ticks.tick() => LIVE.sample(app.clock.now()),
            _ = stopped.changed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_tells_of_its_own_step_and_several_add_up() {
        let live = Live::new();
        for _ in 0..99 {
            live.call("pay", "SUCCESS", "S", Duration::from_micros(900));
        }
        live.call("pay", "PROCESS_FAIL", "F", Duration::from_millis(800));
        live.attempt(true);
        live.sample(Timestamp(10));
        live.oldest_due(Duration::from_secs(3));
        live.call("pay", "UNKNOWN_EXCEPTION", "U", Duration::from_secs(1_000));
        live.attempt(false);
        live.sample(Timestamp(20));

        let steps = live.history(9, 1);
        assert_eq!(steps.iter().map(Sample::calls).collect::<Vec<_>>(), [100, 1]);
        assert_eq!((steps[1].unknown, steps[1].undelivered, steps[1].oldest_due_ms), (1, 1, 3_000));
        let (half, most) = (steps[0].latency_micros(500).unwrap(), steps[0].latency_micros(999).unwrap());
        assert!((900..=1_125).contains(&half), "{half}");
        assert!((800_000..=1_000_000).contains(&most), "{most}");
        assert_eq!(Sample::ZERO.latency_micros(500), None);

        let both = live.history(9, 2);
        assert_eq!(both.len(), 1);
        assert_eq!((both[0].at, both[0].calls(), both[0].oldest_due_ms), (Timestamp(20), 101, 3_000));
        assert_eq!(live.history(1, 1), steps[1..]);
        assert_eq!(live.results().len(), 3);
    }

    #[test]
    fn no_more_than_six_hours_are_kept() {
        let live = Live::new();
        for number in 0..=KEPT as i64 {
            live.sample(Timestamp(number));
        }
        let kept = live.history(usize::MAX, 1);
        assert_eq!((kept.len(), kept[0].at), (KEPT, Timestamp(1)));
    }
}
