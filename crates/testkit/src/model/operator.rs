//! What the wallet around accord does: credentials of its API, transfers in and out.

use super::Books;
use super::rows::sorted;
use accord_core::ids::CredentialId;
use accord_core::operator::Credential;
use accord_core::operator::transfer::Transfer;
use accord_core::store::Stored;
use accord_core::store::operator::{OperatorRows, OperatorTx};

impl OperatorRows for Books {
    fn credential(&self, id: &CredentialId) -> Stored<Option<Credential>> {
        Ok(self.credentials.get(id).cloned())
    }
    fn credentials(&self, limit: usize) -> Stored<Vec<Credential>> {
        let mut all: Vec<Credential> = self.credentials.values().cloned().collect();
        all.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        all.truncate(limit);
        Ok(all)
    }
    fn transfer(&self, id: &str) -> Stored<Option<Transfer>> {
        Ok(self.transfers.get(&id.to_owned()).cloned())
    }
    fn transfers_after(&self, after: Option<&str>, limit: usize) -> Stored<Vec<Transfer>> {
        let place = |id: &str| (Transfer::bucket_of(id), id.to_owned());
        let behind = self.transfers.values().filter(|row| after.is_none_or(|id| place(&row.id) > place(id)));
        Ok(sorted(behind, limit, |row| place(&row.id)))
    }
}

impl OperatorTx for Books {
    fn put_credential(&mut self, credential: &Credential) -> Stored<()> {
        self.credentials.put(credential.id.clone(), credential.clone());
        Ok(())
    }
    fn insert_transfer(&mut self, transfer: &Transfer) -> Stored<()> {
        self.transfers.insert(transfer.id.clone(), transfer.clone())
    }
}
