//! What the load generator is told, and what it tells: files and lines of JSON between two processes.

use super::ids::RequestIds;
use super::operation::{DEBITS, Operation};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A round of load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Directory of the sandbox, for its keys.
    pub sandbox: PathBuf,
    /// Where the server answers.
    pub url: String,
    /// Which test client asks.
    pub who: String,
    /// What is sent.
    pub load: Load,
    /// How long.
    pub seconds: u64,
    /// Connections that are kept alive.
    pub connections: usize,
}

/// What a load generator sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Load {
    /// Calls of one operation, signed ahead.
    Calls {
        /// The API's name.
        api: String,
        /// Their bodies. Each is sent once, unless the rate wants them again.
        bodies: Vec<String>,
        /// Under which Client-Id each is signed, in turns; none: the test client's own.
        #[serde(default)]
        clients: Vec<String>,
        /// So many a second, whatever the server says (open loop); nothing: as many as it answers.
        rate: Option<u64>,
    },
    /// Whole flows, signed on the way.
    Flows {
        /// Users who say yes: login id and PIN.
        users: Vec<(String, String)>,
        /// The ids of their debits.
        ids: RequestIds,
    },
    /// Nothing: notifications are received until so many have come.
    Sink {
        /// How many.
        expected: u64,
    },
}

/// What one round of load said.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Round {
    /// Calls (flows, notifications) answered, whatever the answer.
    pub calls: u64,
    /// Calls that failed, among them: no answer, or one that is not S and signed. Refusals are not counted here.
    pub failures: u64,
    /// Calls answered with HTTP 503, among them.
    pub refused: u64,
    /// What the first failure was.
    pub first_failure: Option<String>,
    /// How long it took.
    pub elapsed_micros: u64,
    /// CPU time of the load generator meanwhile.
    pub generator_cpu_nanos: u64,
    /// Median latency of successes.
    pub p50_micros: u64,
    /// 99 of 100 successes took no longer.
    pub p99_micros: u64,
    /// 999 of 1000 successes took no longer.
    pub p999_micros: u64,
    /// After an open loop: how long until calls were answered at once again.
    pub recovery_micros: Option<u64>,
}

impl Round {
    /// Successes a second.
    pub fn per_second(&self) -> u64 {
        self.successes().saturating_mul(1_000_000) / self.elapsed_micros.max(1)
    }

    /// Calls answered with S.
    pub fn successes(&self) -> u64 {
        self.calls.saturating_sub(self.failures).saturating_sub(self.refused)
    }

    /// How long it took.
    pub fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::from_micros(self.elapsed_micros)
    }

    /// Fills in the latencies.
    pub fn with_latencies(mut self, mut micros: Vec<u64>) -> Round {
        micros.sort_unstable();
        let at = |thousandth: usize| {
            let place = micros.len().saturating_mul(thousandth) / 1_000;
            micros.get(place.min(micros.len().saturating_sub(1))).copied().unwrap_or(0)
        };
        (self.p50_micros, self.p99_micros, self.p999_micros) = (at(500), at(990), at(999));
        self
    }
}

/// Calls in one unit of an operation: a flow has twelve.
pub fn calls_in(operation: Operation) -> u64 {
    if operation == Operation::Flow { DEBITS + 2 } else { 1 }
}
