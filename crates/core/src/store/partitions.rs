//! How far a store is prepared for the time to come, where it keeps tables in parts by time.

use crate::moment::Timestamp;

/// The parts by time of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeParts {
    /// The table.
    pub table: String,
    /// The beginning of the oldest part that is still there; none: there is no part by time.
    pub since: Option<Timestamp>,
    /// The end of the newest one.
    pub until: Option<Timestamp>,
    /// Are there rows of a time without a part of its own?
    pub strays: bool,
}
