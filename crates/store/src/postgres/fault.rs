//! Why a PostgreSQL database cannot be used, in sentences for the operator, and what its errors mean to the rules.

use super::settings::PostgresUrl;
use accord_core::store::StoreFault;
use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

/// Why a database could not be opened. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PostgresFault {
    /// The URL makes no sense.
    #[error("the URL of the store cannot be used: {0}")]
    BadUrl(String),
    /// Nobody answers there.
    #[error(
        "{place} cannot be reached ({why}): check host and port, that PostgreSQL runs, and the network between"
    )]
    Unreachable {
        /// The database, without password.
        place: String,
        /// What the system said.
        why: String,
    },
    /// User or password are wrong.
    #[error(
        "{place} does not let this user in ({why}): check user and password, and the server's pg_hba.conf"
    )]
    NotLetIn {
        /// The database.
        place: String,
        /// What the server said.
        why: String,
    },
    /// No such database.
    #[error("{place}: there is no such database: create it (createdb), then run `accord migrate`")]
    NoDatabase {
        /// The database.
        place: String,
    },
    /// TLS failed.
    #[error(
        "{place}: no secure connection ({why}): check sslrootcert, the server's certificate and its ssl setting"
    )]
    NotSecure {
        /// The database.
        place: String,
        /// What went wrong.
        why: String,
    },
    /// The user may not do what is needed.
    #[error("{place}: this user lacks rights ({why}): let it own the tables, or grant what is missing")]
    NotAllowed {
        /// The database.
        place: String,
        /// What is missing.
        why: String,
    },
    /// Every server that answers is a replica.
    #[error(
        "{place} is read-only, a replica or in recovery: name the primary, or all hosts with commas between"
    )]
    ReadOnly {
        /// The database.
        place: String,
    },
    /// The server takes no more connections.
    #[error("{place} takes no more connections: raise max_connections, or run fewer nodes or smaller pools")]
    Full {
        /// The database.
        place: String,
    },
    /// The server's disk is full.
    #[error(
        "{place}: the server's disk is full ({why}): free some of it and do this again; nothing is half done"
    )]
    DiskFull {
        /// The database.
        place: String,
        /// What the server said.
        why: String,
    },
    /// The server is too old.
    #[error("{place} is PostgreSQL {found}: accord needs 15 or newer")]
    OldServer {
        /// The database.
        place: String,
        /// Its version.
        found: String,
    },
    /// Somebody else's tables.
    #[error("{place} holds tables, but not those of accord: name a database (or a schema) of its own")]
    NotOurs {
        /// The database.
        place: String,
    },
    /// Written by a newer accord.
    #[error(
        "{place} has schema version {found}, this accord knows versions up to {known}: run the newer accord"
    )]
    SchemaTooNew {
        /// The database.
        place: String,
        /// Its version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// Written by an older accord, and migrating was not asked for.
    #[error(
        "{place} has schema version {found}, this accord needs version {needed}: make a backup and run `accord migrate`"
    )]
    SchemaTooOld {
        /// The database.
        place: String,
        /// Its version; 0: no schema yet.
        found: u32,
        /// The version that this program needs.
        needed: u32,
    },
    /// A migration was applied with another text than this program has.
    #[error(
        "{place}: migration {version} was applied with another text than this accord has: run the accord that made the database"
    )]
    SchemaDiffers {
        /// The database.
        place: String,
        /// The migration.
        version: u32,
    },
    /// It is being filled by a move.
    #[error("{place}: {why}")]
    Fenced {
        /// The database.
        place: String,
        /// What is going on, and what to do.
        why: String,
    },
    /// A step would take away what running nodes need.
    #[error(
        "{place}: step {version} would stop these nodes: {nodes}: bring them to the newer accord first, or stop them; nothing was changed"
    )]
    NodesTooOld {
        /// The database.
        place: String,
        /// The step.
        version: u32,
        /// The nodes.
        nodes: String,
    },
    /// A step did not get its locks.
    #[error(
        "{place}: step {version} waited a minute for its locks in vain: look for long transactions in pg_stat_activity, then run `accord migrate` again; the step changed nothing"
    )]
    InUse {
        /// The database.
        place: String,
        /// The step.
        version: u32,
    },
    /// Anything else.
    #[error("{place}: {why}")]
    Other {
        /// The database.
        place: String,
        /// What was said.
        why: String,
    },
}

impl PostgresFault {
    /// What an error means while connecting or preparing.
    pub(crate) fn of(url: &PostgresUrl, error: &Error) -> PostgresFault {
        let place = url.to_string();
        let why = sentence(error);
        match error.code() {
            Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                PostgresFault::NotLetIn { place, why }
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => PostgresFault::NoDatabase { place },
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => PostgresFault::NotAllowed { place, why },
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => PostgresFault::ReadOnly { place },
            Some(&SqlState::TOO_MANY_CONNECTIONS) => PostgresFault::Full { place },
            Some(&SqlState::DISK_FULL) => PostgresFault::DiskFull { place, why },
            // Said without a code of its own, by a server that starts a session on a full disk.
            Some(_) if why.contains("could not write init file") => PostgresFault::DiskFull { place, why },
            Some(_) => PostgresFault::Other { place, why },
            None if why.contains("does not allow writes") => PostgresFault::ReadOnly { place },
            None if why.contains("password missing") => PostgresFault::NotLetIn { place, why },
            None if why.contains("TLS") || why.contains("certificate") => {
                PostgresFault::NotSecure { place, why }
            }
            None => PostgresFault::Unreachable { place, why },
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn sentence(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        return format!("{}{detail}", error.message());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// What went wrong inside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another transaction was in the way: run the rule again.
    Again(String),
    /// A key exists already, or so the engine thinks: run the rule again, as after any conflict.
    Conflict(String),
    /// The connection is gone, or of no use any more.
    Lost(String),
    /// Anything else.
    Fault(StoreFault),
}

impl Trouble {
    /// What an error of the server, or of the way to it, means.
    pub(super) fn of(error: &Error) -> Trouble {
        let why = sentence(error);
        let Some(db) = error.as_db_error() else {
            // A value of another type than the column's is the program's fault, not the line's.
            return match error.is_closed() || std::error::Error::source(error).is_some_and(is_io) {
                true => Trouble::Lost(why),
                false => Trouble::Fault(StoreFault::Corrupt(why)),
            };
        };
        let class = db.code().code().get(..2).unwrap_or_default();
        if matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) || class == "08" {
            return Trouble::Lost(why);
        }
        match *db.code() {
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::LOCK_NOT_AVAILABLE => Trouble::Again(why),
            SqlState::UNIQUE_VIOLATION => Trouble::Conflict(why),
            // The row's partition was made a moment ago: it is found by whoever looks again.
            SqlState::CHECK_VIOLATION if db.constraint().is_none() => Trouble::Again(why),
            // The primary has become a replica: the next connection finds the new one.
            SqlState::READ_ONLY_SQL_TRANSACTION => Trouble::Lost(why),
            _ if class == "22" || class == "23" || class == "42" || class == "XX" => {
                Trouble::Fault(StoreFault::Corrupt(why))
            }
            _ => Trouble::Fault(StoreFault::Unavailable(why)),
        }
    }

    /// What a rule or a look is told.
    pub(super) fn told(&self) -> StoreFault {
        match self {
            Trouble::Again(why) | Trouble::Conflict(why) => StoreFault::Conflict(why.clone()),
            Trouble::Lost(why) => StoreFault::Unavailable(why.clone()),
            Trouble::Fault(fault) => fault.clone(),
        }
    }
}

fn is_io(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<std::io::Error>() || error.source().is_some_and(is_io)
}
