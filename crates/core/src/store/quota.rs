//! Calls a second of clients, on a store that several nodes share. A part of the port.

use crate::client::quota::CallQuota;
use crate::ids::ClientId;
use crate::store::Stored;

/// What can be read of it.
pub trait QuotaRows {
    /// What was reserved of that client's newest window.
    fn call_quota(&self, client: &ClientId) -> Stored<Option<CallQuota>>;
}

/// What can be written of it.
pub trait QuotaTx {
    /// Sets it: one row for each client, in the bucket of its keys' journal.
    fn put_call_quota(&mut self, quota: &CallQuota) -> Stored<()>;
}
