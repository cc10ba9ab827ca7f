//! Checkpoints: a thread with its own connection copies the log into the database when the log has grown, so
//! that no commit waits for it.
//!
//! A log starts anew, over its old pages, only at a commit before which everything in it was copied. While commits come
//! without a pause the thread alone never gets there: each pass leaves what was written during it. So it passes until
//! little is left, and the writer copies that little between two commits.

use super::cache;
use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The log is checkpointed when it is longer. A page that is written often is copied once for all that time; a log of
/// this length is read in some tens of milliseconds when a server starts that was killed.
pub(super) const WAL_BYTES: u64 = 32 * 1024 * 1024;
/// A log that starts anew is cut back to this length. What is not cut need not be found again on the disk.
pub(super) const KEPT_BYTES: u64 = 2 * WAL_BYTES;
/// While readers keep the log from starting anew, it is checkpointed again after this much more.
const MORE_BYTES: u64 = 2 * 1024 * 1024;
/// So much the writer copies itself: a few milliseconds.
const LITTLE_BYTES: u64 = 1024 * 1024;
/// Passes of the thread at one call at most.
const PASSES: u32 = 5;

/// Where SQLite keeps the log of the database at `path`.
pub(super) fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// The writer's eye on the length of the log.
pub(super) struct WalWatch {
    wake: Sender<()>,
    /// Pages in the log, as the last commit left it.
    pages: Arc<AtomicU64>,
    page_bytes: u64,
    nearly: Arc<AtomicBool>,
    next_at: u64,
}

impl WalWatch {
    /// Watches the log that `db`, the only connection that commits, writes; wakes the checkpointer through `wake` and
    /// hears by `nearly` that little is left.
    pub(super) fn new(
        db: &mut Connection,
        wake: Sender<()>,
        nearly: Arc<AtomicBool>,
    ) -> rusqlite::Result<WalWatch> {
        let pages = Arc::new(AtomicU64::new(0));
        let counted = pages.clone();
        db.wal_hook(Some(move |_: &mut Wal, pages| {
            counted.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let page_bytes = db.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0))?;
        Ok(WalWatch { wake, pages, page_bytes: u64::from(page_bytes), nearly, next_at: WAL_BYTES })
    }

    /// Called after each commit.
    pub(super) fn look(&mut self, db: &Connection) {
        let length = self.pages.load(Ordering::Relaxed).saturating_mul(self.page_bytes);
        if length <= WAL_BYTES {
            self.next_at = WAL_BYTES;
            // A pass that came after the log began anew says nothing about the next one.
            self.nearly.store(false, Ordering::Relaxed);
        } else if self.nearly.swap(false, Ordering::Acquire) {
            let _ = pass(db);
            let _ = cache::fit(db);
        } else if length > self.next_at && self.wake.try_send(()).is_ok() {
            self.next_at = length + MORE_BYTES;
        }
    }
}

/// Checkpoints at each call, until the writer has gone.
pub(super) fn run(db: &Connection, calls: &Receiver<()>, nearly: &AtomicBool) {
    let page_bytes = db.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0)).map_or(0, u64::from);
    while calls.recv().is_ok() {
        for _ in 0..PASSES {
            // A failure is no harm: the log grows and the next call tries again.
            let Ok(left) = pass(db) else { break };
            if left * page_bytes <= LITTLE_BYTES {
                nearly.store(true, Ordering::Release);
                break;
            }
        }
    }
}

/// Copies what it can and waits for nobody; says how many pages of the log are left.
fn pass(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (log, copied) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
        Ok(u64::try_from(log - copied).unwrap_or(0))
    })
}
