//! One-time codes of approvals.

use super::desk::Desk;
use super::sql::{self, statements};
use super::value::params;
use accord_core::agreement::step_up::StepUp;
use accord_core::ids::{AuthId, CustomerId};
use accord_core::store::Stored;
use accord_core::store::step_up::{StepUpRows, StepUpTx};

statements! {
    STEP_UP = "SELECT auth_id, customer, salt, digest, wrong, sent_at, expires_at FROM step_ups
        WHERE bucket = ?1 AND auth_id = ?2";
    PUT_STEP_UP = "INSERT INTO step_ups (bucket, auth_id, customer, salt, digest, wrong, sent_at, expires_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (bucket, auth_id) DO UPDATE SET customer = excluded.customer, salt = excluded.salt,
        digest = excluded.digest, wrong = excluded.wrong, sent_at = excluded.sent_at,
        expires_at = excluded.expires_at";
    REMOVE_STEP_UP = "DELETE FROM step_ups WHERE bucket = ?1 AND auth_id = ?2";
}

impl StepUpRows for Desk<'_> {
    fn step_up(&self, id: &AuthId) -> Stored<Option<StepUp>> {
        sql::one(self.0, STEP_UP, params![id.bucket().number(), id.as_str()], |row| {
            Ok(StepUp {
                auth_id: row.parsed(AuthId::read)?,
                customer: row.parsed(CustomerId::read)?,
                salt: row.get()?,
                digest: row.digest()?,
                wrong: row.get()?,
                sent_at: row.time()?,
                expires_at: row.time()?,
            })
        })
    }
}

impl StepUpTx for Desk<'_> {
    fn put_step_up(&mut self, code: &StepUp) -> Stored<()> {
        let values = params![
            code.auth_id.bucket().number(),
            code.auth_id.as_str(),
            code.customer.as_str(),
            code.salt,
            code.digest.0,
            code.wrong,
            code.sent_at.0,
            code.expires_at.0,
        ];
        sql::write(self.0, PUT_STEP_UP, values)
    }

    fn remove_step_up(&mut self, id: &AuthId) -> Stored<()> {
        sql::write(self.0, REMOVE_STEP_UP, params![id.bucket().number(), id.as_str()])
    }
}
