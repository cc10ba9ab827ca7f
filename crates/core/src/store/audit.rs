//! The audit journal's chains and checkpoints, and what pruning finds and keeps cold. A part of the port.
//!
//! Rows that must be kept without time limit but are hardly ever asked for lie *cold*, in tables of their own.
//! [`Rows::prepare_claim`](super::Rows::prepare_claim) and the look-ups of pairs of tokens find cold rows too, after
//! the hot ones; cold terms must be fetched back first.

use crate::agreement::{Agreement, PrepareClaim, Session};
use crate::checkpoint::Checkpoint;
use crate::handle::Bucket;
use crate::ids::{AgreementId, AuthId, NotificationId};
use crate::journal::{JournalHead, JournalLine};
use crate::moment::Timestamp;
use crate::notification::Notification;
use crate::secret::Digest;
use crate::store::Stored;
use crate::token::{Code, TokenSet};
use crate::user::PinGuard;

/// What can be read of it.
pub trait AuditRows {
    /// The last line of a stream.
    fn journal_head(&self, stream: Bucket) -> Stored<Option<JournalHead>>;
    /// The last lines of all streams that have lines, by stream.
    fn journal_heads(&self) -> Stored<Vec<JournalHead>>;
    /// Lines of a stream after that number, by number.
    fn journal_after(&self, stream: Bucket, number: u32, limit: usize) -> Stored<Vec<JournalLine>>;
    /// The newest checkpoint.
    fn last_checkpoint(&self) -> Stored<Option<Checkpoint>>;
    /// Checkpoints after that number, by number.
    fn checkpoints_after(&self, number: u32, limit: usize) -> Stored<Vec<Checkpoint>>;
    /// The newest line of each stream that a checkpoint names, by stream.
    fn sealed_heads(&self) -> Stored<Vec<(Bucket, u32)>>;

    /// Open sessions whose `expires_at` is before that time, earliest first, then by bucket and id.
    fn sessions_open_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>>;
    /// Decided sessions that were decided before that time, earliest first, then by bucket and id.
    fn sessions_decided_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>>;
    /// Prepare claims (not cold) made before that time, earliest first, then by bucket and key.
    fn prepare_claims_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<PrepareClaim>>;
    /// Codes whose `expires_at` is before that time, earliest first, then by bucket and digest.
    fn codes_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Code>>;
    /// Pairs (not cold) replaced before that time, earliest first, then by bucket, agreement and generation.
    fn token_sets_replaced_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<TokenSet>>;
    /// Pairs (not cold) whose `refresh_expires_at` is before that time, in the same order.
    fn token_sets_lapsed_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<TokenSet>>;
    /// Agreements that ended before that time and after that place, by time, bucket and id.
    fn agreements_ended_before(
        &self,
        time: Timestamp,
        after: Option<(Timestamp, &AgreementId)>,
        limit: usize,
    ) -> Stored<Vec<Agreement>>;
    /// Notifications made before that time that are not pending, earliest first, then by id.
    fn notifications_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Notification>>;
    /// PIN guards whose counting began before that time, earliest first, then by bucket and subject.
    fn pin_guards_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<PinGuard>>;
}

/// What can be written of it. Removing or moving what is not there changes nothing.
pub trait AuditTx {
    /// Keeps a checkpoint, and that it names these heads. Unique: number.
    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint, heads: &[JournalHead]) -> Stored<()>;

    /// Removes a session.
    fn remove_session(&mut self, id: &AuthId) -> Stored<()>;
    /// Removes terms.
    fn remove_terms(&mut self, id: &AuthId) -> Stored<()>;
    /// Moves terms to the cold ones.
    fn chill_terms(&mut self, id: &AuthId) -> Stored<()>;
    /// Moves terms back from the cold ones.
    fn thaw_terms(&mut self, id: &AuthId) -> Stored<()>;
    /// Moves a prepare claim to the cold ones.
    fn chill_prepare_claim(&mut self, bucket: Bucket, key: &Digest) -> Stored<()>;
    /// Removes a code.
    fn remove_code(&mut self, bucket: Bucket, digest: &Digest) -> Stored<()>;
    /// Moves a pair to the cold ones.
    fn chill_token_set(&mut self, agreement: &AgreementId, generation: u32) -> Stored<()>;
    /// Removes a notification and the attempts at it.
    fn remove_notification(&mut self, id: &NotificationId) -> Stored<()>;
    /// Removes a PIN guard.
    fn remove_pin_guard(&mut self, bucket: Bucket, subject: &str) -> Stored<()>;
}
