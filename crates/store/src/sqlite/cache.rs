//! How much of the file the writer keeps in memory.
//!
//! A commit that has split a page looks through its whole cache, as long as the file ends before SQLite's lock byte: the
//! splitting parks a page at that byte's place, and the commit drops all that lies beyond the end. So a small cache serves a
//! small file best, most of which the system has in memory anyway. Beyond the lock byte nothing is looked through, and
//! a debit's rows lie in more pages than a small cache holds.

use rusqlite::Connection;

/// The cache of a small file, in KiB.
const SMALL_KIB: u64 = 4 * 1024;
/// The cache of a large one.
const LARGE_KIB: u64 = 32 * 1024;
/// Where SQLite's lock byte lies.
const LOCK_BYTE: u64 = 1 << 30;

/// Gives the writer the cache that suits its file: at the start, and each time the log begins anew.
pub(super) fn fit(db: &Connection) -> rusqlite::Result<()> {
    let number = |sql| {
        db.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|number| u64::try_from(number).unwrap_or(0))
    };
    let bytes = number("PRAGMA page_count")?.saturating_mul(number("PRAGMA page_size")?);
    let kib = if bytes > LOCK_BYTE { LARGE_KIB } else { SMALL_KIB };
    db.execute_batch(&format!("PRAGMA cache_size = -{kib}"))
}
