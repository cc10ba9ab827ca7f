//! The connections of a store: opened when they are needed, at most one for each thread, and kept for the next.
//!
//! When the server takes no more of them, a thread waits for one that another gives back. Without that, threads
//! without a connection would fail at once, be free again first, and so take most of the work.

use super::fault::PostgresFault;
use super::link::Link;
use super::settings::{PostgresOptions, PostgresUrl};
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a connection is tried before whoever needs it is told that there is none, and the first pause between.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);
/// So long a server that was full is not asked again, unless a connection comes free.
const FULL_PAUSE: Duration = Duration::from_millis(250);

/// The connections.
pub(super) struct Pool {
    url: PostgresUrl,
    options: PostgresOptions,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    /// Not in use; the last given back is the first taken again.
    idle: Vec<Link>,
    /// In use.
    lent: usize,
}

/// A connection in use. Dropping it gives it back.
pub(super) struct Lent {
    pool: Arc<Pool>,
    link: Option<Link>,
}

impl Pool {
    pub(super) fn new(url: PostgresUrl, options: PostgresOptions) -> Arc<Pool> {
        Arc::new(Pool { url, options, state: Mutex::default(), returned: Condvar::new() })
    }

    /// A connection; tries a few times, and waits as long as a statement may take where the server is full and this
    /// store has connections that come back.
    pub(super) fn take(self: &Arc<Self>) -> Result<Lent, PostgresFault> {
        let deadline = Instant::now() + self.options.statement_timeout;
        let mut tries = 0;
        loop {
            match self.try_take() {
                Ok(lent) => return Ok(lent),
                Err(PostgresFault::Full { .. }) if Instant::now() < deadline && self.lends() => {
                    let state = self.state();
                    if state.idle.is_empty() {
                        drop(self.returned.wait_timeout(state, FULL_PAUSE));
                    }
                }
                Err(why) => {
                    tries += 1;
                    if tries == TRIES {
                        return Err(why);
                    }
                    std::thread::sleep(PAUSE * (1 << tries));
                }
            }
        }
    }

    /// One that is not in use, or a new one; tries once.
    pub(super) fn try_take(self: &Arc<Self>) -> Result<Lent, PostgresFault> {
        let idle = self.state().idle.pop();
        let link = match idle {
            Some(link) => link,
            None => Link::open(&self.url, &self.options)?,
        };
        self.state().lent += 1;
        Ok(Lent { pool: self.clone(), link: Some(link) })
    }

    fn lends(&self) -> bool {
        self.state().lent > 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    /// It is of no use any more. Those that are not in use have probably met the same fate.
    pub(super) fn forget(mut self) {
        self.link = None;
        let idle = std::mem::take(&mut self.pool.state().idle);
        drop(idle);
    }
}

impl Deref for Lent {
    type Target = Link;

    #[expect(clippy::expect_used, reason = "only forget takes it, and that consumes the whole")]
    fn deref(&self) -> &Link {
        self.link.as_ref().expect("a connection")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let link = self.link.take().filter(|link| !link.is_closed());
        let mut state = self.pool.state();
        state.lent -= 1;
        state.idle.extend(link);
        drop(state);
        self.pool.returned.notify_one();
    }
}
