//! The time that the nodes on one store share: the database's clock, read about once a second.
//!
//! A reading is off by half of its round trip at most, so of the last few the one with the shortest is believed. A
//! reading that contradicts those before means that the clock was set, or that another server has taken over: then
//! only the new one counts. A node whose own clock is far from the database's goes by the database's all the same,
//! but is not ready: nobody knows what else is wrong with it. Nor is one that has not read the database's clock for a
//! while: it stood still (a paused machine), or cannot reach the database.

use crate::app::App;
use crate::clock::Clock;
use crate::telemetry;
use accord_core::store::clock::ClockReading;
use accord_core::store::{Store, StoreFault, Stored};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A machine's clock may be so far from the database's, either way.
pub const FARTHEST_MS: i64 = 2_000;
/// A node whose last reading is older is not ready.
pub const LONGEST_SILENCE_MS: i64 = 10_000;
/// Between two readings.
const EVERY: Duration = Duration::from_secs(1);
/// Readings that are remembered.
const KEPT: usize = 8;
/// Readings before a node begins.
const FIRST: usize = 3;
/// What two sound readings may contradict each other by, beside their round trips: rounding, and clocks that are being
/// pulled together by NTP.
const SLACK: Duration = Duration::from_millis(10);

/// The last readings of a shared clock, oldest first.
#[derive(Debug, Default)]
pub struct Readings(VecDeque<ClockReading>);

impl Readings {
    /// Takes a reading in, and gives the one to go by.
    pub fn add(&mut self, reading: ClockReading) -> ClockReading {
        self.0.retain(|before| agree(before, &reading));
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(reading);
        self.0.iter().min_by_key(|reading| reading.round_trip).copied().unwrap_or(reading)
    }
}

/// Could both be readings of one clock that nobody set in between?
fn agree(before: &ClockReading, after: &ClockReading) -> bool {
    let apart = after.at.saturating_duration_since(before.at);
    let elapsed = after.time.since(before.time);
    let doubt = (before.round_trip + after.round_trip) / 2 + SLACK;
    let expected = i64::try_from(apart.as_millis()).unwrap_or(i64::MAX);
    u128::from(elapsed.abs_diff(expected)) <= doubt.as_millis()
}

/// Lets a clock go by the store's, where there is one; for threads that may block.
pub fn begin(clock: &Clock, store: &dyn Store) -> Stored<Readings> {
    let mut readings = Readings::default();
    for _ in 0..FIRST {
        match store.read_clock()? {
            Some(reading) => follow(clock, &mut readings, reading),
            None => break,
        }
    }
    Ok(readings)
}

fn follow(clock: &Clock, readings: &mut Readings, reading: ClockReading) {
    clock.follow(&readings.add(reading));
    clock.heard(reading.at);
}

/// What is wrong with this machine's clock, in a sentence for its operator.
pub fn fault(clock: &Clock) -> Option<String> {
    clock.machine_ahead_ms().and_then(sentence)
}

/// Why this node should get no calls for now, as far as time tells.
pub fn not_ready(clock: &Clock) -> Option<String> {
    fault(clock).or_else(|| {
        clock.silent_ms().filter(|silent| *silent > LONGEST_SILENCE_MS).map(|silent| {
            let (seconds, tenths) = (silent / 1_000, silent % 1_000 / 100);
            format!(
                "the database's clock was last read {seconds}.{tenths} s ago: this node stood still, or cannot reach \
                 the database"
            )
        })
    })
}

fn sentence(ahead_ms: i64) -> Option<String> {
    (ahead_ms.abs() > FARTHEST_MS).then(|| {
        let way = if ahead_ms > 0 { "ahead of" } else { "behind" };
        let (seconds, tenths) = (ahead_ms.abs() / 1_000, ahead_ms.abs() % 1_000 / 100);
        format!(
            "this machine's clock is {seconds}.{tenths} s {way} the database's: set it, and keep it by NTP"
        )
    })
}

/// Reads the store's clock until the server stops.
pub async fn run(app: Arc<App>, readings: Readings, mut stopped: watch::Receiver<bool>) {
    let readings = Arc::new(Mutex::new(readings));
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut off, mut silent) = (fault(&app.clock).is_some(), false);
    let mut before = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        // Whatever a node had claimed by then is another's now.
        if before.elapsed() > Duration::from_millis(LONGEST_SILENCE_MS.unsigned_abs()) && !silent {
            tracing::warn!(
                seconds = before.elapsed().as_secs(),
                "this node stood still: its leases may be over"
            );
            telemetry::stood_still();
        }
        let (seen, kept) = (app.clone(), readings.clone());
        let read = tokio::task::spawn_blocking(move || read(&seen, &kept)).await;
        let read = read.unwrap_or_else(|broken| Err(StoreFault::Unavailable(broken.to_string())));
        if let Err(fault) = &read
            && !silent
        {
            tracing::warn!(%fault, "the database's clock cannot be read: time is counted from its last reading");
        }
        silent = read.is_err();
        before = Instant::now();
        off = tell(&app.clock, off);
    }
}

/// Shows how the machine's clock stands, and says so when that has changed. Is it wrong now?
pub fn tell(clock: &Clock, before: bool) -> bool {
    telemetry::clock(clock.machine_ahead_ms().unwrap_or(0));
    let fault = fault(clock);
    match &fault {
        Some(why) if !before => tracing::error!("not ready: {why}"),
        None if before => tracing::info!("this machine's clock is right again"),
        _ => {}
    }
    fault.is_some()
}

fn read(app: &App, readings: &Mutex<Readings>) -> Stored<()> {
    if let Some(reading) = app.options.store.read_clock()? {
        follow(&app.clock, &mut readings.lock().unwrap_or_else(PoisonError::into_inner), reading);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::Timestamp;

    fn readings(made: &[(u64, i64, u64)]) -> Vec<i64> {
        let origin = Instant::now();
        let mut readings = Readings::default();
        let mut believed = Vec::new();
        for (at, ahead, round_trip) in made {
            let time = Timestamp(i64::try_from(*at).unwrap() + ahead);
            let (at, round_trip) = (origin + Duration::from_millis(*at), Duration::from_millis(*round_trip));
            let best = readings.add(ClockReading { time, at, round_trip });
            let since = i64::try_from(best.at.duration_since(origin).as_millis()).unwrap();
            believed.push(best.time.0 - since);
        }
        believed
    }

    #[test]
    fn the_shortest_of_the_last_round_trips_is_believed() {
        assert_eq!(readings(&[(0, 510, 40), (1_000, 500, 4), (2_000, 495, 20)]), [510, 500, 500]);
        let long_ago =
            (0..10).map(|second| (second * 1_000, if second == 0 { 500 } else { 502 }, 2 + second));
        let believed = readings(&long_ago.collect::<Vec<_>>());
        assert_eq!((believed[7], believed[8]), (500, 502));
    }

    #[test]
    fn a_clock_that_was_set_is_followed_at_once() {
        assert_eq!(readings(&[(0, 500, 2), (1_000, 501, 2), (2_000, 5_500, 30)]), [500, 500, 5_500]);
        assert_eq!(readings(&[(0, 500, 2), (1_000, 400, 30)]), [500, 400]);
    }

    #[test]
    fn a_machine_that_is_more_than_two_seconds_off_is_told_so() {
        for (ahead_ms, said) in
            [(2_000, None), (-2_000, None), (2_001, Some("2.0 s ahead of")), (-61_250, Some("61.2 s behind"))]
        {
            let sentence = sentence(ahead_ms);
            assert_eq!(sentence.is_some(), said.is_some(), "{ahead_ms}");
            assert!(sentence.is_none_or(|sentence| sentence.contains(said.unwrap_or("?"))), "{ahead_ms}");
        }
    }

    #[test]
    fn a_node_that_has_not_heard_of_the_time_for_long_is_not_ready() {
        let clock = Clock::new(0);
        assert_eq!((clock.silent_ms(), not_ready(&clock)), (None, None), "alone on its store");
        let now = Instant::now();
        let machine = clock.unmoved();
        clock.follow(&ClockReading { time: machine, at: now, round_trip: Duration::ZERO });
        clock.heard(now);
        assert_eq!(not_ready(&clock), None);
        let later = clock.aged(Duration::from_millis(61_000));
        let said = not_ready(&later).unwrap();
        assert!(said.contains("last read 61.") && said.contains("stood still"), "{said}");
        later.heard(Instant::now());
        assert_eq!(not_ready(&later), None);
    }

    #[test]
    fn time_is_counted_from_the_reading_and_moved_as_the_sandbox_says() {
        let clock = Clock::skewed(7_000, 3_600_000);
        assert_eq!(clock.machine_ahead_ms(), None);
        clock.follow(&ClockReading {
            time: Timestamp(1_000),
            at: Instant::now(),
            round_trip: Duration::from_millis(1),
        });
        let unmoved = clock.unmoved();
        assert!((1_000..1_000_000_000).contains(&unmoved.0), "{unmoved:?}");
        assert!(clock.now().since(unmoved) >= 7_000);
        assert!(clock.machine_ahead_ms().unwrap() > 1_000_000_000_000);
    }
}
