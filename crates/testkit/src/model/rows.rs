//! Reading the books.

use super::Books;
use accord_core::agreement::{Agreement, Consent, PrepareClaim, Session, Terms};
use accord_core::client::{Client, ClientKey};
use accord_core::handle::Bucket;
use accord_core::ids::*;
use accord_core::journal::JournalLine;
use accord_core::ledger::{Account, Entry, Posting};
use accord_core::message::Message;
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::notification::{Attempt, Notification, NotificationState};
use accord_core::payment::{Payment, PaymentClaim, PaymentStage};
use accord_core::secret::Digest;
use accord_core::store::{Rows, Stored};
use accord_core::token::{Code, TokenSet};
use accord_core::user::{PinGuard, User};
use std::collections::BTreeMap;
use std::ops::Bound;

/// The first `limit` of `rows` in the order of `key`.
pub(super) fn sorted<'a, T: Clone + 'a, K: Ord>(
    rows: impl Iterator<Item = &'a T>,
    limit: usize,
    key: impl Fn(&'a T) -> K,
) -> Vec<T> {
    let mut rows: Vec<&T> = rows.collect();
    rows.sort_by_key(|row| key(row));
    rows.into_iter().take(limit).cloned().collect()
}

/// Everything behind `after`.
pub(super) fn behind<K>(after: Option<K>) -> (Bound<K>, Bound<K>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

impl Books {
    /// The cold pair of that bucket that has what is asked for.
    fn cold(&self, bucket: Bucket, has: impl Fn(&TokenSet) -> bool) -> Option<&TokenSet> {
        self.cold_sets.values().find(|set| set.agreement.bucket() == bucket && has(set))
    }

    fn pending(&self) -> impl Iterator<Item = &Notification> {
        self.notifications.values().filter(|row| row.state == NotificationState::Pending)
    }

    /// Running payments that are to be resolved, with the time.
    fn to_resolve(&self) -> impl Iterator<Item = (&Payment, Timestamp)> {
        let running = self.payments.values().filter(|row| row.stage == PaymentStage::InProcess);
        running.filter_map(|row| row.resolution.map(|resolution| (row, resolution.due_at)))
    }
}

impl Rows for Books {
    fn client(&self, id: &ClientId) -> Stored<Option<Client>> {
        Ok(self.clients.get(id).cloned())
    }
    fn clients(&self) -> Stored<Vec<Client>> {
        Ok(self.clients.values().cloned().collect())
    }
    fn client_keys(&self) -> Stored<Vec<ClientKey>> {
        let key = |row: &ClientKey| (row.client.clone(), row.created_at, row.version.clone());
        Ok(sorted(self.client_keys.values(), usize::MAX, key))
    }
    fn customer_of(&self, login: &LoginId) -> Stored<Option<CustomerId>> {
        Ok(self.logins.get(login).cloned())
    }
    fn user(&self, id: &CustomerId) -> Stored<Option<User>> {
        Ok(self.users.get(id).cloned())
    }
    fn users(&self, limit: usize) -> Stored<Vec<User>> {
        Ok(sorted(self.users.values(), limit, |row| &row.login_id))
    }
    fn pin_guard(&self, bucket: Bucket, subject: &str) -> Stored<Option<PinGuard>> {
        Ok(self.pin_guards.get(&(bucket, subject.to_owned())).cloned())
    }
    fn prepare_claim(&self, bucket: Bucket, key: &Digest) -> Stored<Option<PrepareClaim>> {
        let key = (bucket, *key);
        Ok(self.prepare_claims.get(&key).or_else(|| self.cold_claims.get(&key)).cloned())
    }
    fn terms(&self, id: &AuthId) -> Stored<Option<Terms>> {
        Ok(self.terms.get(id).cloned())
    }
    fn session(&self, id: &AuthId) -> Stored<Option<Session>> {
        Ok(self.sessions.get(id).cloned())
    }
    fn consent(&self, id: &AuthId) -> Stored<Option<Consent>> {
        Ok(self.consents.get(id).cloned())
    }
    fn agreement(&self, id: &AgreementId) -> Stored<Option<Agreement>> {
        Ok(self.agreements.get(id).cloned())
    }
    fn agreements_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Agreement>> {
        let mut ids: Vec<_> =
            self.user_agreements.range(..).filter(|((of, ..), ())| of == customer).collect();
        ids.reverse();
        let found = ids.into_iter().filter_map(|((_, _, id), ())| self.agreements.get(id).cloned());
        Ok(found.take(limit).collect())
    }
    fn code(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<Code>> {
        Ok(self.codes.get(&(bucket, *digest)).cloned())
    }
    fn token_set(&self, agreement: &AgreementId, generation: u32) -> Stored<Option<TokenSet>> {
        let key = (agreement.clone(), generation);
        Ok(self.token_sets.get(&key).or_else(|| self.cold_sets.get(&key)).cloned())
    }
    fn token_set_by_access(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>> {
        let hot = self.sets_by_access.get(&(bucket, *digest)).and_then(|key| self.token_sets.get(key));
        Ok(hot.or_else(|| self.cold(bucket, |set| set.access_digest == *digest)).cloned())
    }
    fn token_set_by_refresh(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>> {
        let hot = self.sets_by_refresh.get(&(bucket, *digest)).and_then(|key| self.token_sets.get(key));
        Ok(hot.or_else(|| self.cold(bucket, |set| set.refresh_digest == *digest)).cloned())
    }
    fn payment_claim(&self, owner: &Owner, request: &PaymentRequestId) -> Stored<Option<PaymentClaim>> {
        Ok(self.payment_claims.get(&(owner.clone(), request.clone())).cloned())
    }
    fn payment(&self, id: &PaymentId) -> Stored<Option<Payment>> {
        Ok(self.payments.get(&(id.bucket(), id.clone())).cloned())
    }
    fn payments_of_agreement(
        &self,
        customer: &CustomerId,
        agreement: &AgreementId,
        before: Option<(Timestamp, &PaymentId)>,
        limit: usize,
    ) -> Stored<Vec<Payment>> {
        let of_both = |row: &&Payment| row.agreement == *agreement && row.customer == *customer;
        let older = |row: &&Payment| before.is_none_or(|before| (row.created_at, &row.id) < before);
        let found = self.payments.values().filter(of_both).filter(older);
        Ok(sorted(found, limit, |row| std::cmp::Reverse((row.created_at, &row.id))))
    }
    fn payments_to_resolve(&self, until: Timestamp, limit: usize) -> Stored<Vec<Payment>> {
        let due = self.to_resolve().filter(|(_, at)| *at <= until).map(|(row, _)| row);
        let at = |row: &Payment| row.resolution.map(|resolution| resolution.due_at);
        Ok(sorted(due, limit, |row| (at(row), row.id.bucket(), &row.id)))
    }
    fn next_payment_to_resolve(&self) -> Stored<Option<Timestamp>> {
        Ok(self.to_resolve().map(|(_, at)| at).min())
    }
    fn payments_after(&self, after: Option<&PaymentId>, limit: usize) -> Stored<Vec<Payment>> {
        let range = behind(after.map(|id| (id.bucket(), id.clone())));
        Ok(self.payments.range(range).take(limit).map(|(_, row)| row.clone()).collect())
    }
    fn account(&self, customer: &CustomerId, currency: Currency) -> Stored<Option<Account>> {
        Ok(self.accounts.get(&(customer.bucket(), customer.clone(), currency)).cloned())
    }
    fn accounts_of(&self, customer: &CustomerId) -> Stored<Vec<Account>> {
        Ok(self.accounts.values().filter(|row| row.customer == *customer).cloned().collect())
    }
    fn accounts_after(&self, after: Option<(&CustomerId, Currency)>, limit: usize) -> Stored<Vec<Account>> {
        let range = behind(after.map(|(customer, currency)| (customer.bucket(), customer.clone(), currency)));
        Ok(self.accounts.range(range).take(limit).map(|(_, row)| row.clone()).collect())
    }
    fn posting(&self, id: &PostingId) -> Stored<Option<Posting>> {
        Ok(self.postings.get(&(id.bucket(), id.clone())).cloned())
    }
    fn postings_after(&self, after: Option<&PostingId>, limit: usize) -> Stored<Vec<Posting>> {
        let range = behind(after.map(|id| (id.bucket(), id.clone())));
        Ok(self.postings.range(range).take(limit).map(|(_, row)| row.clone()).collect())
    }
    fn entries_of(&self, posting: &Posting) -> Stored<Vec<Entry>> {
        let Posting { id, at, .. } = posting;
        if self.posting(id)?.is_none_or(|row| row.at != *at) {
            return Ok(Vec::new());
        }
        let range = (id.clone(), 0)..=(id.clone(), u32::MAX);
        Ok(self.entries.range(range).map(|(_, row)| row.clone()).collect())
    }
    fn notification(&self, id: &NotificationId) -> Stored<Option<Notification>> {
        Ok(self.notifications.get(id).cloned())
    }
    fn notifications(&self, limit: usize) -> Stored<Vec<Notification>> {
        Ok(sorted(self.notifications.values(), limit, |row| std::cmp::Reverse((row.created_at, &row.id))))
    }
    fn due_targets(&self, until: Timestamp, limit: usize) -> Stored<Vec<String>> {
        let mut earliest: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for row in self.pending().filter(|row| row.next_attempt_at <= until) {
            let at = earliest.entry(&row.target).or_insert(row.next_attempt_at);
            *at = row.next_attempt_at.min(*at);
        }
        let mut targets: Vec<(Timestamp, &str)> =
            earliest.into_iter().map(|(target, at)| (at, target)).collect();
        targets.sort_unstable();
        Ok(targets.into_iter().take(limit).map(|(_, target)| target.to_owned()).collect())
    }
    fn due_notifications(&self, target: &str, until: Timestamp, limit: usize) -> Stored<Vec<Notification>> {
        let due = self.pending().filter(|row| row.target == target && row.next_attempt_at <= until);
        Ok(sorted(due, limit, |row| (row.next_attempt_at, row.created_at, &row.id)))
    }
    fn next_notification_due(&self) -> Stored<Option<Timestamp>> {
        Ok(self.pending().map(|row| row.next_attempt_at).min())
    }
    fn attempts(&self, id: &NotificationId) -> Stored<Vec<Attempt>> {
        let range = (id.clone(), 0)..=(id.clone(), u32::MAX);
        Ok(self.attempts.range(range).map(|(_, row)| row.clone()).collect())
    }
    fn messages(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Message>> {
        let theirs = self.messages.values().filter(|row| row.customer == *customer);
        Ok(sorted(theirs, limit, |row| std::cmp::Reverse((row.at, row.id.clone(), row.about.subject()))))
    }
    fn journal_of(&self, bucket: Bucket, subject: &str) -> Stored<Vec<JournalLine>> {
        let lines =
            self.journal.range((bucket, 0)..=(bucket, u32::MAX)).filter(|(_, line)| line.subject == subject);
        Ok(lines.map(|(_, row)| row.clone()).collect())
    }
    fn setting(&self, name: &str) -> Stored<Option<String>> {
        Ok(self.settings.get(&name.to_owned()).cloned())
    }
}
