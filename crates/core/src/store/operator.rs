//! What the wallet around accord does: credentials of its API, transfers in and out. A part of the port.

use crate::ids::CredentialId;
use crate::operator::Credential;
use crate::operator::transfer::Transfer;
use crate::store::Stored;

/// What can be read of it.
pub trait OperatorRows {
    /// The credential of that id.
    fn credential(&self, id: &CredentialId) -> Stored<Option<Credential>>;
    /// All credentials, oldest first, then by id.
    fn credentials(&self, limit: usize) -> Stored<Vec<Credential>>;
    /// The transfer of that id of its caller.
    fn transfer(&self, id: &str) -> Stored<Option<Transfer>>;
    /// Transfers behind that id, by bucket of the id and then id. For proofs.
    fn transfers_after(&self, after: Option<&str>, limit: usize) -> Stored<Vec<Transfer>>;
}

/// What can be written of it.
pub trait OperatorTx {
    /// Keeps a credential, or replaces the row of its id.
    fn put_credential(&mut self, credential: &Credential) -> Stored<()>;
    /// Keeps a transfer. Unique: its id. Never changed.
    fn insert_transfer(&mut self, transfer: &Transfer) -> Stored<()>;
}
