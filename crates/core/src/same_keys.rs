//! Keys that every process on one store must have alike, known there by fingerprints that tell nothing of the key.
//!
//! A key with a version is the same for good: its fingerprint is kept when it is first used, and another key by that
//! version is one that was mixed up. Keys without a version may be changed, but not while others serve with the old
//! one: for those a [lease](crate::lease) is enough, whose holder is the fingerprint.

use crate::outcome::Ruled;
use crate::secret::Digest;
use crate::store::{Rows, Stored, Tx};

/// What a fingerprint is made with, so that it is good for nothing else.
pub const LABEL: &[u8] = b"accord key fingerprint v1";

/// A key, as a store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print {
    /// Under which name.
    pub name: String,
    /// The fingerprint.
    pub print: Digest,
}

fn setting(name: &str) -> String {
    format!("key_{name}")
}

/// The first key that is not the one which is kept under its name. One that is not kept yet is none.
pub fn mixed_up(rows: &dyn Rows, prints: &[Print]) -> Stored<Option<Print>> {
    for key in prints {
        if rows.setting(&setting(&key.name))?.is_some_and(|kept| kept != key.print.hex()) {
            return Ok(Some(key.clone()));
        }
    }
    Ok(None)
}

/// Keeps the fingerprints that are not kept yet, for good; or gives the first key that is mixed up, and keeps none.
pub fn keep(tx: &mut dyn Tx, prints: &[Print]) -> Ruled<Option<Print>> {
    if let Some(other) = mixed_up(tx, prints)? {
        return Ok(Some(other));
    }
    for key in prints {
        if tx.setting(&setting(&key.name))?.is_none() {
            tx.put_setting(&setting(&key.name), &key.print.hex())?;
        }
    }
    Ok(None)
}
