//! The keeper: a thread with a connection of its own, which reads the server's clock when it is asked and removes old
//! markers of commits now and then. No transaction and no look waits in front of it.

use super::fault::Trouble;
use super::link::Link;
use super::settings::{PostgresOptions, PostgresUrl};
use accord_core::Timestamp;
use accord_core::store::clock::ClockReading;
use accord_core::store::{StoreFault, Stored};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::time::{Duration, Instant};

/// How often old markers of commits are removed, and how old they are then.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
const MARKERS_KEPT: Duration = Duration::from_secs(24 * 3600);

const CLOCK: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Who wants to know the time.
pub(super) type Asked = Sender<Stored<ClockReading>>;

/// The end where questions come in. Dropping it stops the thread.
pub(super) struct Keeper(Sender<Asked>);

/// A keeper that has yet to run, and what it is asked.
pub(super) fn open() -> (Keeper, Receiver<Asked>) {
    let (send, asked) = bounded(64);
    (Keeper(send), asked)
}

impl Keeper {
    /// Reads the server's clock; waits for the answer.
    pub(super) fn read_clock(&self) -> Stored<ClockReading> {
        let (send, told) = bounded(1);
        let stopped = || StoreFault::Unavailable("the database's clock cannot be read now".into());
        self.0.try_send(send).map_err(|_| stopped())?;
        told.recv().map_err(|_| stopped())?
    }
}

/// Runs until the store is closed.
pub(super) fn run(url: PostgresUrl, options: PostgresOptions, asked: &Receiver<Asked>) {
    let mut link = None;
    let mut sweep_at = Instant::now() + SWEEP_EVERY;
    loop {
        match asked.recv_timeout(sweep_at.saturating_duration_since(Instant::now())) {
            Ok(told) => {
                let _ = told.send(with(&mut link, &url, &options, read_clock));
            }
            Err(RecvTimeoutError::Timeout) => {
                // A failure is no harm: the next sweep finds them.
                let _ = with(&mut link, &url, &options, sweep);
                sweep_at = Instant::now() + SWEEP_EVERY;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Does something on the connection, which is opened when there is none and forgotten when it is lost.
fn with<T>(
    link: &mut Option<Link>,
    url: &PostgresUrl,
    options: &PostgresOptions,
    act: impl FnOnce(&Link) -> Result<T, Trouble>,
) -> Stored<T> {
    link.take_if(|link| link.is_closed());
    let open = match link.take() {
        Some(open) => open,
        None => Link::open(url, options).map_err(|why| StoreFault::Unavailable(why.to_string()))?,
    };
    let done = act(&open);
    if !matches!(done, Err(Trouble::Lost(_))) {
        *link = Some(open);
    }
    done.map_err(|trouble| trouble.told())
}

fn read_clock(link: &Link) -> Result<ClockReading, Trouble> {
    // Prepared before the time is taken: one round trip.
    let prepared = link.prepare(CLOCK)?;
    let asked_at = Instant::now();
    let row = link.wait(link.client.query_one(&prepared.statement, &[]))?;
    let round_trip = asked_at.elapsed();
    let millis = link.wait(std::future::ready(row.try_get::<_, i64>(0)))?;
    Ok(ClockReading { time: Timestamp(millis), at: asked_at + round_trip / 2, round_trip })
}

fn sweep(link: &Link) -> Result<(), Trouble> {
    let words = format!(
        "DELETE FROM commits WHERE (bucket, marker) IN (SELECT bucket, marker FROM commits
         WHERE at < floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - {} ORDER BY at LIMIT 5000)",
        MARKERS_KEPT.as_millis()
    );
    while link.wait(link.client.execute(&words, &[]))? == 5000 {}
    Ok(())
}
