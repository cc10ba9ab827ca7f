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

/// Gives the writer the cache that suits its file: at the start, and after it has copied the end of a long log itself.
pub(super) fn fit(db: &Connection) -> rusqlite::Result<()> {
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let bytes = number("PRAGMA page_count")?.saturating_mul(number("PRAGMA page_size")?);
    db.execute_batch(&format!("PRAGMA cache_size = -{}", kib(u64::try_from(bytes).unwrap_or(0))))
}

fn kib(file_bytes: u64) -> u64 {
    if file_bytes > LOCK_BYTE { LARGE_KIB } else { SMALL_KIB }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beyond_the_lock_byte_has_the_large_cache() {
        assert_eq!((kib(0), kib(LOCK_BYTE), kib(LOCK_BYTE + 1)), (SMALL_KIB, SMALL_KIB, LARGE_KIB));
        let db = Connection::open_in_memory().expect("a database");
        fit(&db).expect("a cache");
        let set: i64 = db.query_row("PRAGMA cache_size", [], |row| row.get(0)).expect("a size");
        assert_eq!(set, -4096);
    }
}
