//! Why a database could not be opened, in sentences for the operator.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why a database could not be opened. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The file was to be there and is not.
    #[error("there is no database at {0}: start `accord dev`, or run `accord migrate`, to create it")]
    Missing(PathBuf),
    /// The file or its directory cannot be read and written by this user.
    #[error(
        "{path} cannot be opened ({why}): this process must be able to read and write the file and its directory"
    )]
    NotAllowed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file holds something else.
    #[error(
        "{0} is not a SQLite database, or it is damaged: check the path; if it is right, restore a backup"
    )]
    NotADatabase(PathBuf),
    /// A SQLite database of somebody else.
    #[error("{0} is a SQLite database, but not one of accord's: check the path")]
    NotOurs(PathBuf),
    /// Written by a newer accord.
    #[error(
        "{path} has schema version {found}, this accord knows versions up to {known}: run the newer accord"
    )]
    SchemaTooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// Written by an older accord, and migrating was not asked for.
    #[error(
        "{path} has schema version {found}, this accord needs version {needed}: make a backup and run `accord migrate`"
    )]
    SchemaTooOld {
        /// The file.
        path: PathBuf,
        /// Its version; 0: no schema yet.
        found: u32,
        /// The version that this program needs.
        needed: u32,
    },
    /// A migration was applied with another text than this program has.
    #[error(
        "{path}: migration {version} was applied with another text than this accord has: run the accord that made the database"
    )]
    SchemaDiffers {
        /// The file.
        path: PathBuf,
        /// The migration.
        version: u32,
    },
    /// It is being moved, or was.
    #[error("{path}: {why}")]
    Fenced {
        /// The file.
        path: PathBuf,
        /// What is going on, and what to do.
        why: String,
    },
    /// No room.
    #[error(
        "the disk of {0} is full: free some space and start again; nothing that was acknowledged is lost"
    )]
    DiskFull(PathBuf),
    /// Somebody else holds the database.
    #[error("{0} is locked by another process: stop it, or wait until it has finished")]
    Locked(PathBuf),
    /// The file system cannot do what write-ahead logging needs.
    #[error("{0} lies on a file system without shared memory (a network share?): put it on a local disk")]
    NoWal(PathBuf),
    /// The SQLite that was linked is too old: earlier ones can corrupt a database that two connections write.
    #[error(
        "this program was linked with SQLite {0}; it needs 3.51.3 or newer: build it with the bundled SQLite"
    )]
    OldSqlite(String),
    /// Anything else.
    #[error("{path} cannot be opened: {why}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
}

impl OpenFault {
    /// What SQLite's error means while opening.
    pub(crate) fn of(path: &Path, error: rusqlite::Error) -> OpenFault {
        let path = path.to_owned();
        match error.sqlite_error().map(|inner| inner.code) {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenFault::NotADatabase(path),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                OpenFault::NotAllowed { path, why: error.to_string() }
            }
            Some(ErrorCode::DiskFull) => OpenFault::DiskFull(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenFault::Locked(path),
            _ => OpenFault::Other { path, why: error.to_string() },
        }
    }

    /// What an error of the file system means while opening.
    pub(super) fn of_io(path: &Path, error: &std::io::Error) -> OpenFault {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::StorageFull => OpenFault::DiskFull(path),
            std::io::ErrorKind::PermissionDenied
            | std::io::ErrorKind::NotFound
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::ReadOnlyFilesystem => {
                OpenFault::NotAllowed { path, why: error.to_string() }
            }
            _ => OpenFault::Other { path, why: error.to_string() },
        }
    }
}
