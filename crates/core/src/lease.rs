//! Leases: what only one of several processes does at a time, and another when that one died.
//!
//! A lease is a setting with a holder and an end. Whoever holds it renews it before the end; whoever finds it ended
//! takes it. It keeps work from being done many times over, and is no proof: what is done under a lease must be right
//! too when two do it, since a process may sleep through the end of its lease.

use crate::moment::Timestamp;
use crate::outcome::Ruled;
use crate::store::{Rows, Stored, Tx};

/// Who has it, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub holder: String,
    /// From this time on anybody may take it.
    pub until: Timestamp,
}

impl Lease {
    /// Is it somebody's now?
    pub fn lasts(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

fn setting(name: &str) -> String {
    format!("lease_{name}")
}

/// Who has the lease of that name, or had it last.
pub fn read(rows: &dyn Rows, name: &str) -> Stored<Option<Lease>> {
    let text = rows.setting(&setting(name))?;
    Ok(text.as_deref().and_then(|text| {
        let (until, holder) = text.split_once(' ')?;
        Some(Lease { holder: holder.to_owned(), until: Timestamp(until.parse().ok()?) })
    }))
}

/// Takes or renews a lease for `life_ms` from now on. False: another has it.
pub fn take(tx: &mut dyn Tx, name: &str, holder: &str, life_ms: i64, now: Timestamp) -> Ruled<bool> {
    let free = read(tx, name)?.is_none_or(|lease| lease.holder == holder || !lease.lasts(now));
    if free {
        tx.put_setting(&setting(name), &format!("{} {holder}", now.plus_millis(life_ms).0))?;
    }
    Ok(free)
}

/// Gives a lease back, if it is still held.
pub fn release(tx: &mut dyn Tx, name: &str, holder: &str, now: Timestamp) -> Ruled<()> {
    if read(tx, name)?.is_some_and(|lease| lease.holder == holder && lease.lasts(now)) {
        tx.put_setting(&setting(name), &format!("{} {holder}", now.0))?;
    }
    Ok(())
}
