//! What the wallet around accord does: credentials of its API, transfers in and out.

use super::desk::Desk;
use super::sql::{self, Columns, statements};
use super::value::params;
use accord_core::ids::{CredentialId, CustomerId, PostingId};
use accord_core::operator::transfer::{Direction, Transfer};
use accord_core::operator::{Credential, Role};
use accord_core::store::Stored;
use accord_core::store::operator::{OperatorRows, OperatorTx};

statements! {
    CREDENTIAL = "SELECT id, role, name, digest, created_at, retired_at FROM credentials
        WHERE bucket = ?1 AND id = ?2";
    CREDENTIALS = "SELECT id, role, name, digest, created_at, retired_at FROM credentials
        ORDER BY created_at, id LIMIT ?1";
    PUT_CREDENTIAL = "INSERT INTO credentials (bucket, id, role, name, digest, created_at, retired_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (bucket, id) DO UPDATE SET role = excluded.role, name = excluded.name,
        digest = excluded.digest, created_at = excluded.created_at, retired_at = excluded.retired_at";
    TRANSFER = "SELECT id, customer, direction, currency, value, posting, at FROM transfers
        WHERE bucket = ?1 AND id = ?2";
    TRANSFERS_AFTER = "SELECT id, customer, direction, currency, value, posting, at FROM transfers
        WHERE (bucket, id) > (?1, ?2) ORDER BY bucket, id LIMIT ?3";
    INSERT_TRANSFER = "INSERT INTO transfers (bucket, id, customer, direction, currency, value, posting, at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
}

fn read_credential(row: &mut Columns<'_>) -> Stored<Credential> {
    Ok(Credential {
        id: row.parsed(CredentialId::read)?,
        role: row.parsed(Role::parse)?,
        name: row.get()?,
        digest: row.digest()?,
        created_at: row.time()?,
        retired_at: row.maybe_time()?,
    })
}

fn read_transfer(row: &mut Columns<'_>) -> Stored<Transfer> {
    Ok(Transfer {
        id: row.get()?,
        customer: row.parsed(CustomerId::read)?,
        direction: row.parsed(Direction::parse)?,
        amount: row.amount()?,
        posting: row.parsed(PostingId::read)?,
        at: row.time()?,
    })
}

impl OperatorRows for Desk<'_> {
    fn credential(&self, id: &CredentialId) -> Stored<Option<Credential>> {
        sql::one(self.0, CREDENTIAL, params![id.bucket().number(), id.as_str()], read_credential)
    }

    fn credentials(&self, limit: usize) -> Stored<Vec<Credential>> {
        sql::scan(self.0, CREDENTIALS, params![sql::limit(limit)], read_credential, |row| row.id.bucket())
    }

    fn transfer(&self, id: &str) -> Stored<Option<Transfer>> {
        sql::one(self.0, TRANSFER, params![Transfer::bucket_of(id).number(), id], read_transfer)
    }

    fn transfers_after(&self, after: Option<&str>, limit: usize) -> Stored<Vec<Transfer>> {
        let (bucket, id) = after.map_or((-1, ""), |id| (i64::from(Transfer::bucket_of(id).number()), id));
        let values = params![bucket, id, sql::limit(limit)];
        sql::scan(self.0, TRANSFERS_AFTER, values, read_transfer, |row| Transfer::bucket_of(&row.id))
    }
}

impl OperatorTx for Desk<'_> {
    fn put_credential(&mut self, credential: &Credential) -> Stored<()> {
        let values = params![
            credential.id.bucket().number(),
            credential.id.as_str(),
            credential.role.as_str(),
            credential.name,
            credential.digest.0,
            credential.created_at.0,
            credential.retired_at.map(|at| at.0),
        ];
        sql::write(self.0, PUT_CREDENTIAL, values)
    }

    fn insert_transfer(&mut self, transfer: &Transfer) -> Stored<()> {
        let values = params![
            Transfer::bucket_of(&transfer.id).number(),
            transfer.id,
            transfer.customer.as_str(),
            transfer.direction.as_str(),
            transfer.amount.currency.code(),
            transfer.amount.value(),
            transfer.posting.as_str(),
            transfer.at.0,
        ];
        sql::write(self.0, INSERT_TRANSFER, values)
    }
}
