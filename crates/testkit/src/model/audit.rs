//! The audit journal's chains and checkpoints, and what pruning keeps cold.

use super::Books;
use super::rows::sorted;
use accord_core::agreement::{Agreement, AgreementStage, PrepareClaim, Session, SessionStage};
use accord_core::checkpoint::Checkpoint;
use accord_core::handle::Bucket;
use accord_core::ids::{AgreementId, AuthId, NotificationId};
use accord_core::journal::{JournalHead, JournalLine};
use accord_core::moment::Timestamp;
use accord_core::notification::{Notification, NotificationState};
use accord_core::secret::Digest;
use accord_core::store::Stored;
use accord_core::store::audit::{AuditRows, AuditTx};
use accord_core::token::{Code, TokenSet};
use accord_core::user::PinGuard;

fn decided_at(session: &Session) -> Option<Timestamp> {
    match session.stage {
        SessionStage::Open => None,
        SessionStage::Refused { at } | SessionStage::Approved { at, .. } => Some(at),
    }
}

fn ended_at(agreement: &Agreement) -> Option<Timestamp> {
    match agreement.stage {
        AgreementStage::Ended { at, .. } => Some(at),
        AgreementStage::Consented | AgreementStage::Active => None,
    }
}

fn place(set: &TokenSet) -> (Bucket, &AgreementId, u32) {
    (set.agreement.bucket(), &set.agreement, set.generation)
}

impl AuditRows for Books {
    fn journal_head(&self, stream: Bucket) -> Stored<Option<JournalHead>> {
        let last = self.journal.range((stream, 0)..=(stream, u32::MAX)).next_back();
        Ok(last.map(|(_, line)| JournalHead { stream, number: line.number, hash: line.hash }))
    }
    fn journal_heads(&self) -> Stored<Vec<JournalHead>> {
        let mut heads: Vec<JournalHead> = Vec::new();
        for line in self.journal.values() {
            heads.retain(|head| head.stream != line.stream);
            heads.push(JournalHead { stream: line.stream, number: line.number, hash: line.hash });
        }
        Ok(heads)
    }
    fn journal_after(&self, stream: Bucket, number: u32, limit: usize) -> Stored<Vec<JournalLine>> {
        let lines = self.journal.range((stream, 0)..=(stream, u32::MAX));
        let lines = lines.filter(|(_, line)| line.number > number);
        Ok(lines.take(limit).map(|(_, line)| line.clone()).collect())
    }
    fn last_checkpoint(&self) -> Stored<Option<Checkpoint>> {
        Ok(self.checkpoints.values().next_back().cloned())
    }
    fn checkpoints_after(&self, number: u32, limit: usize) -> Stored<Vec<Checkpoint>> {
        let all = self.checkpoints.values().filter(|checkpoint| checkpoint.number > number);
        Ok(all.take(limit).cloned().collect())
    }
    fn sealed_heads(&self) -> Stored<Vec<(Bucket, u32)>> {
        Ok(self.sealed.range(..).map(|(stream, number)| (*stream, *number)).collect())
    }

    fn sessions_open_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>> {
        let open = self.sessions.values().filter(|row| row.stage == SessionStage::Open);
        let before = open.filter(|row| row.expires_at < time);
        Ok(sorted(before, limit, |row| (row.expires_at, row.auth_id.bucket(), &row.auth_id)))
    }
    fn sessions_decided_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>> {
        let before = self.sessions.values().filter(|row| decided_at(row).is_some_and(|at| at < time));
        Ok(sorted(before, limit, |row| (decided_at(row), row.auth_id.bucket(), &row.auth_id)))
    }
    fn prepare_claims_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<PrepareClaim>> {
        let before = self.prepare_claims.values().filter(|row| row.created_at < time);
        Ok(sorted(before, limit, |row| (row.created_at, row.bucket, row.key)))
    }
    fn codes_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Code>> {
        let before = self.codes.values().filter(|row| row.expires_at < time);
        Ok(sorted(before, limit, |row| (row.expires_at, row.agreement.bucket(), row.digest)))
    }
    fn token_sets_replaced_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<TokenSet>> {
        let before = self.token_sets.values().filter(|row| row.replaced_at.is_some_and(|at| at < time));
        Ok(sorted(before, limit, |row| (row.replaced_at, place(row))))
    }
    fn token_sets_lapsed_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<TokenSet>> {
        let before = self.token_sets.values().filter(|row| row.refresh_expires_at < time);
        Ok(sorted(before, limit, |row| (row.refresh_expires_at, place(row))))
    }
    fn agreements_ended_before(
        &self,
        time: Timestamp,
        after: Option<(Timestamp, &AgreementId)>,
        limit: usize,
    ) -> Stored<Vec<Agreement>> {
        let after = after.map(|(at, id)| (Some(at), id.bucket(), id));
        let key = |row: &Agreement| (ended_at(row), row.id.bucket(), row.id.clone());
        let ended = self.agreements.values().filter(|row| ended_at(row).is_some_and(|at| at < time));
        let behind =
            ended.filter(|row| after.is_none_or(|after| (ended_at(row), row.id.bucket(), &row.id) > after));
        Ok(sorted(behind, limit, key))
    }
    fn notifications_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Notification>> {
        let over = self.notifications.values().filter(|row| row.state != NotificationState::Pending);
        let before = over.filter(|row| row.created_at < time);
        Ok(sorted(before, limit, |row| (row.created_at, &row.id)))
    }
    fn pin_guards_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<PinGuard>> {
        let before = self.pin_guards.values().filter(|row| row.window_started_at < time);
        Ok(sorted(before, limit, |row| (row.window_started_at, row.bucket, &row.subject)))
    }
}

impl AuditTx for Books {
    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint, heads: &[JournalHead]) -> Stored<()> {
        self.checkpoints.insert(checkpoint.number, checkpoint.clone())?;
        heads.iter().for_each(|head| self.sealed.put(head.stream, head.number));
        Ok(())
    }

    fn remove_session(&mut self, id: &AuthId) -> Stored<()> {
        self.sessions.remove(id);
        Ok(())
    }
    fn remove_terms(&mut self, id: &AuthId) -> Stored<()> {
        self.terms.remove(id);
        Ok(())
    }
    fn chill_terms(&mut self, id: &AuthId) -> Stored<()> {
        if let Some(terms) = self.terms.get(id).cloned() {
            self.cold_terms.insert(id.clone(), terms)?;
        }
        self.remove_terms(id)
    }
    fn thaw_terms(&mut self, id: &AuthId) -> Stored<()> {
        if let Some(terms) = self.cold_terms.get(id).cloned() {
            self.terms.insert(id.clone(), terms)?;
        }
        self.cold_terms.remove(id);
        Ok(())
    }
    fn chill_prepare_claim(&mut self, bucket: Bucket, key: &Digest) -> Stored<()> {
        let key = (bucket, *key);
        if let Some(claim) = self.prepare_claims.get(&key).cloned() {
            self.cold_claims.insert(key, claim)?;
        }
        self.prepare_claims.remove(&key);
        Ok(())
    }
    fn remove_code(&mut self, bucket: Bucket, digest: &Digest) -> Stored<()> {
        self.codes.remove(&(bucket, *digest));
        Ok(())
    }
    fn chill_token_set(&mut self, agreement: &AgreementId, generation: u32) -> Stored<()> {
        let key = (agreement.clone(), generation);
        let Some(set) = self.token_sets.get(&key).cloned() else { return Ok(()) };
        let digests = (set.access_digest, set.refresh_digest);
        let alike = self.cold_sets.values().filter(|row| row.agreement.bucket() == agreement.bucket());
        for row in alike {
            if row.access_digest == digests.0 || row.refresh_digest == digests.1 {
                return Err(accord_core::store::StoreFault::Conflict("a cold pair has that digest".into()));
            }
        }
        self.cold_sets.insert(key.clone(), set)?;
        self.sets_by_access.remove(&(agreement.bucket(), digests.0));
        self.sets_by_refresh.remove(&(agreement.bucket(), digests.1));
        self.token_sets.remove(&key);
        Ok(())
    }
    fn remove_notification(&mut self, id: &NotificationId) -> Stored<()> {
        let attempts: Vec<_> = self
            .attempts
            .range((id.clone(), 0)..=(id.clone(), u32::MAX))
            .map(|(key, _)| key.clone())
            .collect();
        attempts.iter().for_each(|key| self.attempts.remove(key));
        self.notifications.remove(id);
        Ok(())
    }
    fn remove_pin_guard(&mut self, bucket: Bucket, subject: &str) -> Stored<()> {
        self.pin_guards.remove(&(bucket, subject.to_owned()));
        Ok(())
    }
}
