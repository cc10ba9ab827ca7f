//! Checkpoints: a thread with its own connection copies the log into the database when the log has grown, so
//! that no commit ever waits for it.

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// The log is checkpointed when it is longer, and cut back to this length when it starts anew.
/// A page that is written often is copied once for all that time; a log of this length is read in some tens of
/// milliseconds when a server starts that was killed.
pub(super) const WAL_BYTES: u64 = 32 * 1024 * 1024;
/// While readers keep the log from starting anew, it is checkpointed again after this much more.
const MORE_BYTES: u64 = 8 * 1024 * 1024;

/// Where SQLite keeps the log of the database at `path`.
pub(super) fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// The writer's eye on the length of the log.
pub(super) struct WalWatch {
    file: PathBuf,
    wake: Sender<()>,
    next_at: u64,
}

impl WalWatch {
    /// Watches the log of the database at `path` and wakes the checkpointer through `wake`.
    pub(super) fn new(path: &Path, wake: Sender<()>) -> WalWatch {
        WalWatch { file: wal_path(path), wake, next_at: WAL_BYTES }
    }

    /// Called after each commit.
    pub(super) fn look(&mut self) {
        let length = std::fs::metadata(&self.file).map_or(0, |data| data.len());
        if length <= WAL_BYTES {
            self.next_at = WAL_BYTES;
        } else if length > self.next_at && self.wake.try_send(()).is_ok() {
            self.next_at = length + MORE_BYTES;
        }
    }
}

/// Checkpoints at each call, until the writer has gone.
pub(super) fn run(db: &Connection, calls: &Receiver<()>) {
    while calls.recv().is_ok() {
        // PASSIVE waits for nobody. A failure is no harm: the log grows and the next call tries again.
        let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }
}
