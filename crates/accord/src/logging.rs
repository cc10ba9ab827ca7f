//! Logs: JSON lines under `serve`, short text under `dev`. Both go to standard error; `RUST_LOG` chooses.
//!
//! A line a call is written: warnings and errors at once, the rest together a moment later, because a system call for
//! each line is felt on every request.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

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
        .with_ansi(io::stderr().is_terminal())
        .with_writer(Lines);
    let started = match reader {
        Reader::Machine => builder.json().flatten_event(true).with_current_span(false).try_init(),
        Reader::Person => builder.compact().with_target(false).try_init(),
    };
    if let Err(fault) = started {
        eprintln!("accord: logging was set up before: {fault}");
    }
    static WRITING: Once = Once::new();
    WRITING.call_once(|| {
        // Without the thread each line is still written, when the next warning or a full buffer comes.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(|| {
            loop {
                std::thread::sleep(PAUSE);
                flush();
            }
        });
    });
}

/// Lines wait so long at most.
const PAUSE: Duration = Duration::from_millis(50);
/// And in so many bytes at most.
const BUFFER: usize = 64 * 1024;

static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// Held while bytes go out, so that they keep their order although lines may be added meanwhile.
static GOING: Mutex<()> = Mutex::new(());

/// Writes what waits. To be called once more at the end of the process.
pub fn flush() {
    let _going = lock(&GOING);
    let bytes = std::mem::take(&mut *lock(&WAITING));
    if !bytes.is_empty() {
        // A standard error that is closed has no other place to complain at.
        let _ = io::stderr().write_all(&bytes);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Lines;

/// One line.
struct Line {
    at_once: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { at_once: true }
    }

    fn make_writer_for(&'a self, about: &tracing::Metadata<'_>) -> Line {
        Line { at_once: *about.level() <= tracing::Level::WARN }
    }
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let full = {
            let mut waiting = lock(&WAITING);
            waiting.extend_from_slice(bytes);
            waiting.len() >= BUFFER
        };
        if self.at_once || full {
            flush();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
