//! Logs: JSON lines under `serve`, short text under `dev`. Both go to standard error; `RUST_LOG` chooses.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A log collector.
    Machine,
    /// The person at the terminal.
    Person,
}

/// Sets logging up for the life of the process. A second call changes nothing.
pub fn start(reader: Reader) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match reader {
        Reader::Machine => builder.json().flatten_event(true).with_current_span(false).try_init(),
        Reader::Person => builder.compact().with_target(false).try_init(),
    };
    if let Err(fault) = started {
        eprintln!("accord: logging was set up before: {fault}");
    }
}
