//! Writing the books.

use super::Books;
use accord_core::agreement::{Agreement, Consent, PrepareClaim, Session, Terms};
use accord_core::client::{Client, ClientKey};
use accord_core::journal::JournalLine;
use accord_core::ledger::{Account, Entry, Posting};
use accord_core::message::Message;
use accord_core::notification::{Attempt, Notification};
use accord_core::payment::{Payment, PaymentClaim};
use accord_core::store::audit::AuditRows as _;
use accord_core::store::{StoreFault, Stored, Tx};
use accord_core::token::{Code, TokenSet};
use accord_core::user::{PinGuard, User};
use std::collections::BTreeSet;

impl Tx for Books {
    fn put_client(&mut self, client: &Client) -> Stored<()> {
        self.clients.put(client.id.clone(), client.clone());
        Ok(())
    }
    fn put_client_key(&mut self, key: &ClientKey) -> Stored<()> {
        self.client_keys.put((key.client.clone(), key.version.clone()), key.clone());
        Ok(())
    }
    fn insert_user(&mut self, user: &User) -> Stored<()> {
        self.logins.free(&user.login_id)?;
        self.users.insert(user.id.clone(), user.clone())?;
        self.logins.insert(user.login_id.clone(), user.id.clone())
    }
    fn update_user(&mut self, user: &User) -> Stored<()> {
        let User { id, pin_hash, status, qualified, language, .. } = user.clone();
        let before = self.users.there(&id)?.clone();
        self.users.change(id, User { pin_hash, status, qualified, language, ..before })
    }
    fn put_pin_guard(&mut self, guard: &PinGuard) -> Stored<()> {
        self.pin_guards.put((guard.bucket, guard.subject.clone()), guard.clone());
        Ok(())
    }
    fn insert_prepare_claim(&mut self, claim: &PrepareClaim) -> Stored<()> {
        self.prepare_claims.insert((claim.bucket, claim.key), claim.clone())
    }
    fn insert_terms(&mut self, terms: &Terms) -> Stored<()> {
        self.terms.insert(terms.auth_id.clone(), terms.clone())
    }
    fn insert_session(&mut self, session: &Session) -> Stored<()> {
        self.sessions.insert(session.auth_id.clone(), session.clone())
    }
    fn update_session(&mut self, session: &Session) -> Stored<()> {
        self.sessions.change(session.auth_id.clone(), session.clone())
    }
    fn insert_consent(&mut self, consent: &Consent) -> Stored<()> {
        self.consents.insert(consent.auth_id.clone(), consent.clone())
    }
    fn insert_agreement(&mut self, agreement: &Agreement) -> Stored<()> {
        let Agreement { id, auth_id, customer, created_at, .. } = agreement;
        self.agreements_by_auth.free(&(id.bucket(), auth_id.clone()))?;
        self.agreements.insert(id.clone(), agreement.clone())?;
        self.agreements_by_auth.put((id.bucket(), auth_id.clone()), id.clone());
        self.user_agreements.put((customer.clone(), *created_at, id.clone()), ());
        Ok(())
    }
    fn update_agreement(&mut self, agreement: &Agreement) -> Stored<()> {
        let Agreement { id, stage, generation, code_salt, .. } = agreement.clone();
        let before = self.agreements.there(&id)?.clone();
        self.agreements.change(id, Agreement { stage, generation, code_salt, ..before })
    }
    fn insert_code(&mut self, code: &Code) -> Stored<()> {
        self.codes.insert((code.agreement.bucket(), code.digest), code.clone())
    }
    fn insert_token_set(&mut self, set: &TokenSet) -> Stored<()> {
        let bucket = set.agreement.bucket();
        let key = (set.agreement.clone(), set.generation);
        self.sets_by_access.free(&(bucket, set.access_digest))?;
        self.sets_by_refresh.free(&(bucket, set.refresh_digest))?;
        self.token_sets.insert(key.clone(), set.clone())?;
        self.sets_by_access.put((bucket, set.access_digest), key.clone());
        self.sets_by_refresh.put((bucket, set.refresh_digest), key);
        Ok(())
    }
    fn update_token_set(&mut self, set: &TokenSet) -> Stored<()> {
        let bucket = set.agreement.bucket();
        let key = (set.agreement.clone(), set.generation);
        let before = self.token_sets.there(&key)?.clone();
        let access = (bucket, set.access_digest);
        let refresh = (bucket, set.refresh_digest);
        if self.sets_by_access.get(&access).is_some_and(|other| *other != key)
            || self.sets_by_refresh.get(&refresh).is_some_and(|other| *other != key)
        {
            return Err(StoreFault::Conflict("another pair has that digest".into()));
        }
        self.sets_by_access.remove(&(bucket, before.access_digest));
        self.sets_by_refresh.remove(&(bucket, before.refresh_digest));
        self.sets_by_access.put(access, key.clone());
        self.sets_by_refresh.put(refresh, key.clone());
        self.token_sets.change(key, set.clone())
    }
    fn insert_payment_claim(&mut self, claim: &PaymentClaim) -> Stored<()> {
        self.payment_claims.insert((claim.owner.clone(), claim.request_id.clone()), claim.clone())
    }
    fn insert_payment(&mut self, payment: &Payment) -> Stored<()> {
        self.payments.insert((payment.id.bucket(), payment.id.clone()), payment.clone())
    }
    fn update_payment(&mut self, payment: &Payment) -> Stored<()> {
        self.payments.change((payment.id.bucket(), payment.id.clone()), payment.clone())
    }
    fn put_account(&mut self, account: &Account) -> Stored<()> {
        let Account { customer, currency, .. } = account;
        self.accounts.put((customer.bucket(), customer.clone(), *currency), account.clone());
        Ok(())
    }
    fn insert_posting(&mut self, posting: &Posting, entries: &[Entry]) -> Stored<()> {
        let lines: BTreeSet<u32> = entries.iter().map(|entry| entry.line).collect();
        if lines.len() < entries.len() {
            return Err(StoreFault::Conflict("two entries of a posting have one line number".into()));
        }
        self.postings.insert((posting.id.bucket(), posting.id.clone()), posting.clone())?;
        for entry in entries {
            let entry = Entry { posting: posting.id.clone(), ..entry.clone() };
            self.entries.put((posting.id.clone(), entry.line), entry);
        }
        Ok(())
    }
    fn insert_notification(&mut self, notification: &Notification) -> Stored<()> {
        self.notifications.insert(notification.id.clone(), notification.clone())
    }
    fn update_notification(&mut self, notification: &Notification) -> Stored<()> {
        let Notification { id, state, tries, next_attempt_at, .. } = notification.clone();
        let before = self.notifications.there(&id)?.clone();
        self.notifications.change(id, Notification { state, tries, next_attempt_at, ..before })
    }
    fn insert_attempt(&mut self, attempt: &Attempt) -> Stored<()> {
        self.attempts.insert((attempt.notification.clone(), attempt.number), attempt.clone())
    }
    fn insert_message(&mut self, message: &Message) -> Stored<()> {
        let about = &message.about;
        let key = (message.customer.bucket(), about.kind(), about.subject(), message.channel);
        if self.messages.get(&key).is_none() {
            self.messages.put(key, message.clone());
        }
        Ok(())
    }
    fn insert_journal(&mut self, line: &JournalLine) -> Stored<()> {
        if self.journal_head(line.stream)?.is_some_and(|head| head.number >= line.number) {
            return Err(StoreFault::Conflict("the stream has a line of that number, or a later one".into()));
        }
        self.journal.insert((line.stream, line.number), line.clone())
    }
    fn put_setting(&mut self, name: &str, value: &str) -> Stored<()> {
        self.settings.put(name.to_owned(), value.to_owned());
        Ok(())
    }
}
