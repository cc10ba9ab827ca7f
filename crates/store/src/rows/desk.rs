//! The port over one connection. Each method is one line; the work is in the file of its area.

use super::engine::Engine;
use super::{agreement, client, journal, ledger, message, notification, payment, token, user};
use accord_core::agreement::{Agreement, Consent, PrepareClaim, Session, Terms};
use accord_core::client::{Client, ClientKey};
use accord_core::handle::Bucket;
use accord_core::ids::*;
use accord_core::journal::JournalLine;
use accord_core::ledger::{Account, Entry, Posting};
use accord_core::message::Message;
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::notification::{Attempt, Notification};
use accord_core::payment::{Payment, PaymentClaim};
use accord_core::secret::Digest;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::token::{Code, TokenSet};
use accord_core::user::{PinGuard, User};

/// A connection inside a transaction, or inside a look.
pub(crate) struct Desk<'c>(pub(crate) &'c dyn Engine);

impl Rows for Desk<'_> {
    fn client(&self, id: &ClientId) -> Stored<Option<Client>> {
        client::client(self.0, id)
    }
    fn clients(&self) -> Stored<Vec<Client>> {
        client::clients(self.0)
    }
    fn client_keys(&self) -> Stored<Vec<ClientKey>> {
        client::client_keys(self.0)
    }
    fn customer_of(&self, login: &LoginId) -> Stored<Option<CustomerId>> {
        user::customer_of(self.0, login)
    }
    fn user(&self, id: &CustomerId) -> Stored<Option<User>> {
        user::user(self.0, id)
    }
    fn users(&self, limit: usize) -> Stored<Vec<User>> {
        user::users(self.0, limit)
    }
    fn pin_guard(&self, bucket: Bucket, subject: &str) -> Stored<Option<PinGuard>> {
        user::pin_guard(self.0, bucket, subject)
    }
    fn prepare_claim(&self, bucket: Bucket, key: &Digest) -> Stored<Option<PrepareClaim>> {
        agreement::prepare_claim(self.0, bucket, key)
    }
    fn terms(&self, id: &AuthId) -> Stored<Option<Terms>> {
        agreement::terms(self.0, id)
    }
    fn session(&self, id: &AuthId) -> Stored<Option<Session>> {
        agreement::session(self.0, id)
    }
    fn consent(&self, id: &AuthId) -> Stored<Option<Consent>> {
        agreement::consent(self.0, id)
    }
    fn agreement(&self, id: &AgreementId) -> Stored<Option<Agreement>> {
        agreement::agreement(self.0, id)
    }
    fn agreements_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Agreement>> {
        agreement::agreements_of(self.0, customer, limit)
    }
    fn code(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<Code>> {
        token::code(self.0, bucket, digest)
    }
    fn token_set(&self, agreement: &AgreementId, generation: u32) -> Stored<Option<TokenSet>> {
        token::token_set(self.0, agreement, generation)
    }
    fn token_set_by_access(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>> {
        token::by_access(self.0, bucket, digest)
    }
    fn token_set_by_refresh(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>> {
        token::by_refresh(self.0, bucket, digest)
    }
    fn payment_claim(&self, owner: &Owner, request: &PaymentRequestId) -> Stored<Option<PaymentClaim>> {
        payment::payment_claim(self.0, owner, request)
    }
    fn payment(&self, id: &PaymentId) -> Stored<Option<Payment>> {
        payment::payment(self.0, id)
    }
    fn payments_of_agreement(
        &self,
        customer: &CustomerId,
        agreement: &AgreementId,
        before: Option<(Timestamp, &PaymentId)>,
        limit: usize,
    ) -> Stored<Vec<Payment>> {
        payment::payments_of_agreement(self.0, customer, agreement, before, limit)
    }
    fn payments_to_resolve(&self, until: Timestamp, limit: usize) -> Stored<Vec<Payment>> {
        payment::payments_to_resolve(self.0, until, limit)
    }
    fn next_payment_to_resolve(&self) -> Stored<Option<Timestamp>> {
        payment::next_payment_to_resolve(self.0)
    }
    fn payments_after(&self, after: Option<&PaymentId>, limit: usize) -> Stored<Vec<Payment>> {
        payment::payments_after(self.0, after, limit)
    }
    fn account(&self, customer: &CustomerId, currency: Currency) -> Stored<Option<Account>> {
        ledger::account(self.0, customer, currency)
    }
    fn accounts_of(&self, customer: &CustomerId) -> Stored<Vec<Account>> {
        ledger::accounts_of(self.0, customer)
    }
    fn accounts_after(&self, after: Option<(&CustomerId, Currency)>, limit: usize) -> Stored<Vec<Account>> {
        ledger::accounts_after(self.0, after, limit)
    }
    fn posting(&self, id: &PostingId) -> Stored<Option<Posting>> {
        ledger::posting(self.0, id)
    }
    fn postings_after(&self, after: Option<&PostingId>, limit: usize) -> Stored<Vec<Posting>> {
        ledger::postings_after(self.0, after, limit)
    }
    fn entries_of(&self, posting: &Posting) -> Stored<Vec<Entry>> {
        ledger::entries_of(self.0, posting)
    }
    fn notification(&self, id: &NotificationId) -> Stored<Option<Notification>> {
        notification::notification(self.0, id)
    }
    fn notifications(&self, limit: usize) -> Stored<Vec<Notification>> {
        notification::notifications(self.0, limit)
    }
    fn due_targets(&self, until: Timestamp, limit: usize) -> Stored<Vec<String>> {
        notification::due_targets(self.0, until, limit)
    }
    fn due_notifications(&self, target: &str, until: Timestamp, limit: usize) -> Stored<Vec<Notification>> {
        notification::due_notifications(self.0, target, until, limit)
    }
    fn next_notification_due(&self) -> Stored<Option<Timestamp>> {
        notification::next_notification_due(self.0)
    }
    fn attempts(&self, id: &NotificationId) -> Stored<Vec<Attempt>> {
        notification::attempts(self.0, id)
    }
    fn messages(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Message>> {
        message::messages(self.0, customer, limit)
    }
    fn journal_of(&self, bucket: Bucket, subject: &str) -> Stored<Vec<JournalLine>> {
        journal::journal_of(self.0, bucket, subject)
    }
    fn setting(&self, name: &str) -> Stored<Option<String>> {
        client::setting(self.0, name)
    }
}

impl Tx for Desk<'_> {
    fn put_client(&mut self, client: &Client) -> Stored<()> {
        client::put_client(self.0, client)
    }
    fn put_client_key(&mut self, key: &ClientKey) -> Stored<()> {
        client::put_client_key(self.0, key)
    }
    fn insert_user(&mut self, user: &User) -> Stored<()> {
        user::insert_user(self.0, user)
    }
    fn update_user(&mut self, user: &User) -> Stored<()> {
        user::update_user(self.0, user)
    }
    fn put_pin_guard(&mut self, guard: &PinGuard) -> Stored<()> {
        user::put_pin_guard(self.0, guard)
    }
    fn insert_prepare_claim(&mut self, claim: &PrepareClaim) -> Stored<()> {
        agreement::insert_prepare_claim(self.0, claim)
    }
    fn insert_terms(&mut self, terms: &Terms) -> Stored<()> {
        agreement::insert_terms(self.0, terms)
    }
    fn insert_session(&mut self, session: &Session) -> Stored<()> {
        agreement::insert_session(self.0, session)
    }
    fn update_session(&mut self, session: &Session) -> Stored<()> {
        agreement::update_session(self.0, session)
    }
    fn insert_consent(&mut self, consent: &Consent) -> Stored<()> {
        agreement::insert_consent(self.0, consent)
    }
    fn insert_agreement(&mut self, agreement: &Agreement) -> Stored<()> {
        agreement::insert_agreement(self.0, agreement)
    }
    fn update_agreement(&mut self, agreement: &Agreement) -> Stored<()> {
        agreement::update_agreement(self.0, agreement)
    }
    fn insert_code(&mut self, code: &Code) -> Stored<()> {
        token::insert_code(self.0, code)
    }
    fn insert_token_set(&mut self, set: &TokenSet) -> Stored<()> {
        token::insert_token_set(self.0, set)
    }
    fn update_token_set(&mut self, set: &TokenSet) -> Stored<()> {
        token::update_token_set(self.0, set)
    }
    fn insert_payment_claim(&mut self, claim: &PaymentClaim) -> Stored<()> {
        payment::insert_payment_claim(self.0, claim)
    }
    fn insert_payment(&mut self, payment: &Payment) -> Stored<()> {
        payment::insert_payment(self.0, payment)
    }
    fn update_payment(&mut self, payment: &Payment) -> Stored<()> {
        payment::update_payment(self.0, payment)
    }
    fn put_account(&mut self, account: &Account) -> Stored<()> {
        ledger::put_account(self.0, account)
    }
    fn insert_posting(&mut self, posting: &Posting, entries: &[Entry]) -> Stored<()> {
        ledger::insert_posting(self.0, posting, entries)
    }
    fn insert_notification(&mut self, notification: &Notification) -> Stored<()> {
        notification::insert_notification(self.0, notification)
    }
    fn update_notification(&mut self, notification: &Notification) -> Stored<()> {
        notification::update_notification(self.0, notification)
    }
    fn insert_attempt(&mut self, attempt: &Attempt) -> Stored<()> {
        notification::insert_attempt(self.0, attempt)
    }
    fn insert_message(&mut self, message: &Message) -> Stored<()> {
        message::insert_message(self.0, message)
    }
    fn insert_journal(&mut self, line: &JournalLine) -> Stored<()> {
        journal::insert_journal(self.0, line)
    }
    fn put_setting(&mut self, name: &str, value: &str) -> Stored<()> {
        client::put_setting(self.0, name, value)
    }
}
