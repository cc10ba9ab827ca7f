//! How a command ends: the exit statuses that scripts rely on.

use std::process::ExitCode;

/// An exit status of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; for `call`: S.
    Done,
    /// Anything that none of the others names.
    Other,
    /// The arguments make no sense.
    Usage,
    /// No answer, or a signature that does not hold.
    Transport,
    /// `call`: F.
    Failure,
    /// `call`: U.
    Unknown,
    /// `call`: A, accepted.
    Accepted,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Exit::Done => 0,
            Exit::Other => 1,
            Exit::Usage => 2,
            Exit::Transport => 3,
            Exit::Failure => 10,
            Exit::Unknown => 11,
            Exit::Accepted => 12,
        })
    }
}

/// The arguments are well formed, but make no sense together, or a value is out of its range.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Nobody answered, or what came back is not signed as it must be.
#[derive(Debug)]
pub struct Transport(pub String);

impl std::fmt::Display for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Transport {}

/// A usage error with that sentence.
pub fn usage(sentence: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(sentence.into()))
}

/// A transport or signature fault with that sentence.
pub fn transport(sentence: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Transport(sentence.into()))
}

/// The exit status of an error.
pub fn of_error(error: &anyhow::Error) -> Exit {
    if error.is::<Usage>() {
        Exit::Usage
    } else if error.is::<Transport>() {
        Exit::Transport
    } else {
        Exit::Other
    }
}
