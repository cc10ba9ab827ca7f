//! The audit journal's checkpoints, what pruning finds, and what it removes or moves to the cold tables.

use super::agreement::{read_agreement, read_claim, read_session};
use super::desk::Desk;
use super::notification::read_notification;
use super::sql::{self, statements};
use super::token::{read_code, read_set};
use super::user::read_guard;
use super::value::{Params, params};
use super::{agreement, journal, notification, token, user};
use accord_core::agreement::{Agreement, PrepareClaim, Session};
use accord_core::checkpoint::Checkpoint;
use accord_core::handle::Bucket;
use accord_core::ids::{AgreementId, AuthId, NotificationId};
use accord_core::journal::{JournalHead, JournalLine};
use accord_core::moment::Timestamp;
use accord_core::notification::Notification;
use accord_core::secret::Digest;
use accord_core::store::Stored;
use accord_core::store::audit::{AuditRows, AuditTx};
use accord_core::token::{Code, TokenSet};
use accord_core::user::PinGuard;

statements! {
    CHECKPOINTS = "SELECT number, at, content, signature FROM audit_checkpoints
        WHERE bucket = ?1 AND number > ?2 ORDER BY number LIMIT ?3";
    LAST_CHECKPOINT = "SELECT number, at, content, signature FROM audit_checkpoints
        WHERE bucket = ?1 ORDER BY number DESC LIMIT 1";
    INSERT_CHECKPOINT = "INSERT INTO audit_checkpoints (bucket, number, at, content, signature)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    SEALED = "SELECT bucket, number FROM audit_sealed ORDER BY bucket";
    SEAL = "INSERT INTO audit_sealed (bucket, number) VALUES (?1, ?2)
        ON CONFLICT (bucket) DO UPDATE SET number = excluded.number";

    REMOVE_SESSION = "DELETE FROM sessions WHERE bucket = ?1 AND auth_id = ?2";
    REMOVE_TERMS = "DELETE FROM terms WHERE bucket = ?1 AND auth_id = ?2";
    CHILL_TERMS = "INSERT INTO terms_cold SELECT * FROM terms WHERE bucket = ?1 AND auth_id = ?2";
    THAW_TERMS = "INSERT INTO terms SELECT * FROM terms_cold WHERE bucket = ?1 AND auth_id = ?2";
    REMOVE_COLD_TERMS = "DELETE FROM terms_cold WHERE bucket = ?1 AND auth_id = ?2";
    CHILL_CLAIM = "INSERT INTO prepare_claims_cold SELECT * FROM prepare_claims WHERE bucket = ?1 AND key = ?2";
    REMOVE_CLAIM = "DELETE FROM prepare_claims WHERE bucket = ?1 AND key = ?2";
    REMOVE_CODE = "DELETE FROM codes WHERE bucket = ?1 AND digest = ?2";
    CHILL_SET = "INSERT INTO token_sets_cold SELECT * FROM token_sets
        WHERE bucket = ?1 AND agreement = ?2 AND generation = ?3";
    REMOVE_SET = "DELETE FROM token_sets WHERE bucket = ?1 AND agreement = ?2 AND generation = ?3";
    REMOVE_ATTEMPTS = "DELETE FROM attempts WHERE bucket = ?1 AND notification = ?2";
    REMOVE_NOTIFICATION = "DELETE FROM notifications WHERE bucket = ?1 AND id = ?2";
    REMOVE_GUARD = "DELETE FROM pin_guards WHERE bucket = ?1 AND subject = ?2";
}

/// The bucket of all checkpoints.
const HOME: u16 = 0;

fn read_checkpoint(row: &mut sql::Columns<'_>) -> Stored<Checkpoint> {
    Ok(Checkpoint { number: row.get()?, at: row.time()?, content: row.get()?, signature: row.get()? })
}

impl AuditRows for Desk<'_> {
    fn journal_head(&self, stream: Bucket) -> Stored<Option<JournalHead>> {
        journal::head(self.0, stream)
    }
    fn journal_heads(&self) -> Stored<Vec<JournalHead>> {
        journal::heads(self.0)
    }
    fn journal_after(&self, stream: Bucket, number: u32, limit: usize) -> Stored<Vec<JournalLine>> {
        journal::after(self.0, stream, number, limit)
    }
    fn last_checkpoint(&self) -> Stored<Option<Checkpoint>> {
        sql::one(self.0, LAST_CHECKPOINT, params![HOME], read_checkpoint)
    }
    fn checkpoints_after(&self, number: u32, limit: usize) -> Stored<Vec<Checkpoint>> {
        sql::many(self.0, CHECKPOINTS, params![HOME, number, sql::limit(limit)], read_checkpoint)
    }
    fn sealed_heads(&self) -> Stored<Vec<(Bucket, u32)>> {
        sql::many(self.0, SEALED, params![], |row| Ok((row.bucket()?, row.get()?)))
    }

    fn sessions_open_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>> {
        sql::scan(self.0, agreement::OPEN_BEFORE, params![time.0, sql::limit(limit)], read_session, |row| {
            row.auth_id.bucket()
        })
    }
    fn sessions_decided_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>> {
        sql::scan(
            self.0,
            agreement::DECIDED_BEFORE,
            params![time.0, sql::limit(limit)],
            read_session,
            |row| row.auth_id.bucket(),
        )
    }
    fn prepare_claims_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<PrepareClaim>> {
        sql::scan(self.0, agreement::CLAIMS_BEFORE, params![time.0, sql::limit(limit)], read_claim, |row| {
            row.bucket
        })
    }
    fn codes_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Code>> {
        sql::scan(self.0, token::CODES_BEFORE, params![time.0, sql::limit(limit)], read_code, |row| {
            row.agreement.bucket()
        })
    }
    fn token_sets_replaced_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<TokenSet>> {
        sql::scan(self.0, token::REPLACED_BEFORE, params![time.0, sql::limit(limit)], read_set, |row| {
            row.agreement.bucket()
        })
    }
    fn token_sets_lapsed_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<TokenSet>> {
        sql::scan(self.0, token::LAPSED_BEFORE, params![time.0, sql::limit(limit)], read_set, |row| {
            row.agreement.bucket()
        })
    }
    fn agreements_ended_before(
        &self,
        time: Timestamp,
        after: Option<(Timestamp, &AgreementId)>,
        limit: usize,
    ) -> Stored<Vec<Agreement>> {
        let limit = sql::limit(limit);
        let Some((at, id)) = after else {
            return sql::scan(
                self.0,
                agreement::ENDED_BEFORE,
                params![time.0, limit],
                read_agreement,
                |row| row.id.bucket(),
            );
        };
        let values = params![time.0, limit, at.0, id.bucket().number(), id.as_str()];
        sql::scan(self.0, agreement::ENDED_BETWEEN, values, read_agreement, |row| row.id.bucket())
    }
    fn notifications_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Notification>> {
        sql::scan(
            self.0,
            notification::OVER_BEFORE,
            params![time.0, sql::limit(limit)],
            read_notification,
            |row| row.id.bucket(),
        )
    }
    fn pin_guards_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<PinGuard>> {
        sql::scan(self.0, user::GUARDS_BEFORE, params![time.0, sql::limit(limit)], read_guard, |row| {
            row.bucket
        })
    }
}

impl Desk<'_> {
    /// Runs statements of the same parameters, one after the other.
    fn all(&self, statements: &[&'static str], values: Params<'_>) -> Stored<()> {
        statements.iter().try_for_each(|sql| sql::write(self.0, sql, values))
    }
}

impl AuditTx for Desk<'_> {
    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint, heads: &[JournalHead]) -> Stored<()> {
        let Checkpoint { number, at, content, signature } = checkpoint;
        sql::write(self.0, INSERT_CHECKPOINT, params![HOME, number, at.0, content, signature])?;
        heads.iter().try_for_each(|head| sql::write(self.0, SEAL, params![head.stream.number(), head.number]))
    }

    fn remove_session(&mut self, id: &AuthId) -> Stored<()> {
        self.all(&[REMOVE_SESSION], params![id.bucket().number(), id.as_str()])
    }
    fn remove_terms(&mut self, id: &AuthId) -> Stored<()> {
        self.all(&[REMOVE_TERMS], params![id.bucket().number(), id.as_str()])
    }
    fn chill_terms(&mut self, id: &AuthId) -> Stored<()> {
        self.all(&[CHILL_TERMS, REMOVE_TERMS], params![id.bucket().number(), id.as_str()])
    }
    fn thaw_terms(&mut self, id: &AuthId) -> Stored<()> {
        self.all(&[THAW_TERMS, REMOVE_COLD_TERMS], params![id.bucket().number(), id.as_str()])
    }
    fn chill_prepare_claim(&mut self, bucket: Bucket, key: &Digest) -> Stored<()> {
        self.all(&[CHILL_CLAIM, REMOVE_CLAIM], params![bucket.number(), key.0])
    }
    fn remove_code(&mut self, bucket: Bucket, digest: &Digest) -> Stored<()> {
        self.all(&[REMOVE_CODE], params![bucket.number(), digest.0])
    }
    fn chill_token_set(&mut self, agreement: &AgreementId, generation: u32) -> Stored<()> {
        self.all(
            &[CHILL_SET, REMOVE_SET],
            params![agreement.bucket().number(), agreement.as_str(), generation],
        )
    }
    fn remove_notification(&mut self, id: &NotificationId) -> Stored<()> {
        self.all(&[REMOVE_ATTEMPTS, REMOVE_NOTIFICATION], params![id.bucket().number(), id.as_str()])
    }
    fn remove_pin_guard(&mut self, bucket: Bucket, subject: &str) -> Stored<()> {
        self.all(&[REMOVE_GUARD], params![bucket.number(), subject])
    }
}
