//! The port: what every store must remember. Rows, uniqueness and time order; never a business rule.
//!
//! A rule is a plain function over [`Tx`]. A store runs it in one durable transaction, again from the start on
//! a conflict, and reports the end only when it is durable. Reads that decide nothing use [`Rows`] alone, on a
//! path that never waits for the writer. The laws of this port are in `accord-testkit`.

pub mod audit;
pub mod clock;
pub mod console;
pub mod control;
pub mod delivery;
pub mod device;
pub mod handover;
pub mod operator;
pub mod partitions;
pub mod people;
pub mod preference;
pub mod quota;
pub mod refund;
pub mod settlement;
pub mod step_up;
pub mod unbinding;
pub mod upkeep;

use crate::agreement::{Agreement, Consent, PrepareClaim, Session, Terms};
use crate::client::{Client, ClientKey};
use crate::handle::Bucket;
use crate::ids::*;
use crate::journal::JournalLine;
use crate::ledger::{Account, Entry, Posting};
use crate::message::Message;
use crate::moment::Timestamp;
use crate::money::Currency;
use crate::notification::{Attempt, Notification};
use crate::payment::{Payment, PaymentClaim};
use crate::secret::Digest;
use crate::token::{Code, TokenSet};
use crate::user::{PinGuard, User};

/// Why a store could not do as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreFault {
    /// A row of that key exists already, or another transaction was in the way: run the rule again.
    Conflict(String),
    /// The store cannot be used now. Nothing happened.
    Unavailable(String),
    /// Whether the commit happened is not known. The only honest answer is U.
    Unknown(String),
    /// A row cannot be read: what is stored makes no sense.
    Corrupt(String),
}

impl std::fmt::Display for StoreFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreFault::Conflict(why) => write!(f, "conflict: {why}"),
            StoreFault::Unavailable(why) => write!(f, "store unavailable: {why}"),
            StoreFault::Unknown(why) => write!(f, "commit outcome unknown: {why}"),
            StoreFault::Corrupt(why) => write!(f, "corrupt row: {why}"),
        }
    }
}

impl std::error::Error for StoreFault {}

/// What a store operation gives back.
pub type Stored<T> = Result<T, StoreFault>;

/// Everything that can be read.
///
/// Lists are in the order named and at most `limit` long.
pub trait Rows:
    refund::RefundRows
    + control::ControlRows
    + people::PeopleRows
    + unbinding::UnbindingRows
    + handover::HandoverRows
    + step_up::StepUpRows
    + settlement::SettlementRows
    + audit::AuditRows
    + device::DeviceRows
    + preference::PreferenceRows
    + operator::OperatorRows
    + upkeep::UpkeepRows
    + delivery::DeliveryRows
    + console::ConsoleRows
    + quota::QuotaRows
{
    /// The client of that id.
    fn client(&self, id: &ClientId) -> Stored<Option<Client>>;
    /// All clients, by id.
    fn clients(&self) -> Stored<Vec<Client>>;
    /// All keys of all clients, by client, then oldest first.
    fn client_keys(&self) -> Stored<Vec<ClientKey>>;

    /// Who signs in by that login id.
    fn customer_of(&self, login: &LoginId) -> Stored<Option<CustomerId>>;
    /// The user of that id.
    fn user(&self, id: &CustomerId) -> Stored<Option<User>>;
    /// All users, by login id.
    fn users(&self, limit: usize) -> Stored<Vec<User>>;
    /// The guard of that subject.
    fn pin_guard(&self, bucket: Bucket, subject: &str) -> Stored<Option<PinGuard>>;

    /// The first answer given for that idempotency key of prepare.
    fn prepare_claim(&self, bucket: Bucket, key: &Digest) -> Stored<Option<PrepareClaim>>;
    /// What was asked for in that authorization.
    fn terms(&self, id: &AuthId) -> Stored<Option<Terms>>;
    /// The authorization session of that id.
    fn session(&self, id: &AuthId) -> Stored<Option<Session>>;
    /// What was shown when that session was decided.
    fn consent(&self, id: &AuthId) -> Stored<Option<Consent>>;
    /// The agreement of that id.
    fn agreement(&self, id: &AgreementId) -> Stored<Option<Agreement>>;
    /// The agreements of a user, newest first.
    fn agreements_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Agreement>>;

    /// The code of that digest.
    fn code(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<Code>>;
    /// The pair of that generation.
    fn token_set(&self, agreement: &AgreementId, generation: u32) -> Stored<Option<TokenSet>>;
    /// The pair whose access token has that digest.
    fn token_set_by_access(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>>;
    /// The pair whose refresh token has that digest.
    fn token_set_by_refresh(&self, bucket: Bucket, digest: &Digest) -> Stored<Option<TokenSet>>;

    /// Which payment that request id of that owner became.
    fn payment_claim(&self, owner: &Owner, request: &PaymentRequestId) -> Stored<Option<PaymentClaim>>;
    /// The payment of that id.
    fn payment(&self, id: &PaymentId) -> Stored<Option<Payment>>;
    /// A user's payments under an agreement, newest first, then by descending id; those older than `before`.
    fn payments_of_agreement(
        &self,
        customer: &CustomerId,
        agreement: &AgreementId,
        before: Option<(Timestamp, &PaymentId)>,
        limit: usize,
    ) -> Stored<Vec<Payment>>;
    /// Running payments whose `resolve_at` is not after `until`, earliest first.
    fn payments_to_resolve(&self, until: Timestamp, limit: usize) -> Stored<Vec<Payment>>;
    /// The earliest `resolve_at` of any running payment.
    fn next_payment_to_resolve(&self) -> Stored<Option<Timestamp>>;
    /// Payments after that one, each once, in an order of the store's own; for proving the books.
    fn payments_after(&self, after: Option<&PaymentId>, limit: usize) -> Stored<Vec<Payment>>;

    /// A user's account in a currency.
    fn account(&self, customer: &CustomerId, currency: Currency) -> Stored<Option<Account>>;
    /// A user's accounts, by currency.
    fn accounts_of(&self, customer: &CustomerId) -> Stored<Vec<Account>>;
    /// All users' accounts after that one, by bucket, customer and currency; for proving the books.
    fn accounts_after(&self, after: Option<(&CustomerId, Currency)>, limit: usize) -> Stored<Vec<Account>>;
    /// The posting of that id.
    fn posting(&self, id: &PostingId) -> Stored<Option<Posting>>;
    /// Postings after that one, each once, in an order of the store's own; for proving the books.
    fn postings_after(&self, after: Option<&PostingId>, limit: usize) -> Stored<Vec<Posting>>;
    /// The entries of a posting, by line. They lie with its id and its time.
    fn entries_of(&self, posting: &Posting) -> Stored<Vec<Entry>>;

    /// The notification of that id.
    fn notification(&self, id: &NotificationId) -> Stored<Option<Notification>>;
    /// Notifications, newest first.
    fn notifications(&self, limit: usize) -> Stored<Vec<Notification>>;
    /// Targets (URLs without query) that have pending notifications due at `until`, each once.
    fn due_targets(&self, until: Timestamp, limit: usize) -> Stored<Vec<String>>;
    /// Pending notifications to a target due at `until`, earliest first, then oldest.
    fn due_notifications(&self, target: &str, until: Timestamp, limit: usize) -> Stored<Vec<Notification>>;
    /// The earliest `next_attempt_at` of any pending notification.
    fn next_notification_due(&self) -> Stored<Option<Timestamp>>;
    /// The attempts at a notification, oldest first.
    fn attempts(&self, id: &NotificationId) -> Stored<Vec<Attempt>>;

    /// A user's messages, newest first.
    fn messages(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Message>>;
    /// Journal lines about a subject, oldest first.
    fn journal_of(&self, bucket: Bucket, subject: &str) -> Stored<Vec<JournalLine>>;
    /// A setting of this store (`clock_offset_ms`, `public_url`, `clients_revision`, …).
    fn setting(&self, name: &str) -> Stored<Option<String>>;
}

/// Everything that can be written, inside one transaction. An insert of a key that exists is a
/// [`StoreFault::Conflict`]; an update of a key that does not exist is [`StoreFault::Corrupt`].
pub trait Tx:
    Rows
    + refund::RefundTx
    + control::ControlTx
    + people::PeopleTx
    + unbinding::UnbindingTx
    + handover::HandoverTx
    + step_up::StepUpTx
    + settlement::SettlementTx
    + audit::AuditTx
    + device::DeviceTx
    + preference::PreferenceTx
    + operator::OperatorTx
    + upkeep::UpkeepTx
    + delivery::DeliveryTx
    + console::ConsoleTx
    + quota::QuotaTx
{
    /// Registers a client, or replaces the row of its id.
    fn put_client(&mut self, client: &Client) -> Stored<()>;
    /// Registers a key, or replaces the row of its client and version.
    fn put_client_key(&mut self, key: &ClientKey) -> Stored<()>;

    /// Creates a user and the login id that leads to it. Unique: user id, login id.
    fn insert_user(&mut self, user: &User) -> Stored<()>;
    /// Replaces status, PIN hash, qualification and language of a user.
    fn update_user(&mut self, user: &User) -> Stored<()>;
    /// Sets the guard of a subject.
    fn put_pin_guard(&mut self, guard: &PinGuard) -> Stored<()>;

    /// Keeps the first answer for an idempotency key. Unique: bucket and key.
    fn insert_prepare_claim(&mut self, claim: &PrepareClaim) -> Stored<()>;
    /// Keeps what was asked for. Unique: id. Never changed.
    fn insert_terms(&mut self, terms: &Terms) -> Stored<()>;
    /// Opens a session. Unique: id.
    fn insert_session(&mut self, session: &Session) -> Stored<()>;
    /// Replaces a session.
    fn update_session(&mut self, session: &Session) -> Stored<()>;
    /// Keeps what was shown. Unique: id.
    fn insert_consent(&mut self, consent: &Consent) -> Stored<()>;
    /// Creates an agreement and the entry in its user's list. Unique: id, and its authorization.
    fn insert_agreement(&mut self, agreement: &Agreement) -> Stored<()>;
    /// Replaces stage, generation and code salt of an agreement.
    fn update_agreement(&mut self, agreement: &Agreement) -> Stored<()>;

    /// Creates a code. Unique: bucket and digest.
    fn insert_code(&mut self, code: &Code) -> Stored<()>;
    /// Creates a pair. Unique: agreement and generation; each digest in its bucket.
    fn insert_token_set(&mut self, set: &TokenSet) -> Stored<()>;
    /// Replaces a pair.
    fn update_token_set(&mut self, set: &TokenSet) -> Stored<()>;

    /// Claims a request id. Unique: owner and request id.
    fn insert_payment_claim(&mut self, claim: &PaymentClaim) -> Stored<()>;
    /// Creates a payment. Unique: id, which was minted at its `created_at`.
    fn insert_payment(&mut self, payment: &Payment) -> Stored<()>;
    /// Replaces a payment.
    fn update_payment(&mut self, payment: &Payment) -> Stored<()>;

    /// Sets the balance of a user's account, creating it when missing. Only `ledger::post` calls this.
    fn put_account(&mut self, account: &Account) -> Stored<()>;
    /// Appends a posting and its entries. Unique: id, which is minted with its time; a store may have to look at both.
    /// Never changed. A debit in the moment in which its payment was made may be found by the payment alone, whose row then
    /// says which posting it is and is written in the same transaction.
    fn insert_posting(&mut self, posting: &Posting, entries: &[Entry]) -> Stored<()>;

    /// Leaves a notification in the outbox. Unique: id.
    fn insert_notification(&mut self, notification: &Notification) -> Stored<()>;
    /// Replaces state, tries and next attempt of a notification.
    fn update_notification(&mut self, notification: &Notification) -> Stored<()>;
    /// Appends an attempt. Unique: notification and number.
    fn insert_attempt(&mut self, attempt: &Attempt) -> Stored<()>;

    /// Leaves a message. Unique: kind, subject and channel; a second one is silently the first.
    /// About a debit in the moment in which its payment was made, it may be found by the payment alone.
    fn insert_message(&mut self, message: &Message) -> Stored<()>;
    /// Appends a line to the journal. A number that is not behind the stream's last one is a conflict.
    fn insert_journal(&mut self, line: &JournalLine) -> Stored<()>;
    /// Sets a setting.
    fn put_setting(&mut self, name: &str, value: &str) -> Stored<()>;
}

/// How a transaction ended, told after the end is durable.
pub type Ended = Result<(), StoreFault>;

/// What a rule says at its end: keep what it wrote, or take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Commit.
    Keep,
    /// Roll back: the rule refused.
    TakeBack,
    /// Roll back and, for a conflict, run again.
    Fault(StoreFault),
}

/// A rule as the store sees it. It may run more than once; only its last run counts.
pub type Work = Box<dyn FnMut(&mut dyn Tx) -> Verdict + Send>;
/// A read as the store sees it.
pub type Look = Box<dyn FnOnce(&dyn Rows) + Send>;
/// Called once, when the transaction has ended and its end is durable.
pub type Done = Box<dyn FnOnce(Ended) + Send>;

/// A store: takes work, does it, says when it is durable.
pub trait Store: Send + Sync {
    /// Queues a transaction. `done` runs on a thread of the store and must be quick.
    fn submit(&self, work: Work, done: Done);
    /// Queues a read of committed rows; `done` hears of a fault, or that the look is over.
    fn submit_read(&self, look: Look, done: Done);
    /// `sqlite`, `memory`, …
    fn name(&self) -> &'static str;
    /// May other processes work on the same rows? Then due work is claimed before it is done.
    fn is_shared(&self) -> bool {
        false
    }
    /// Reads the clock that all processes on a shared store go by; nothing: the store has none. Waits for the answer,
    /// so it is for threads that may block.
    fn read_clock(&self) -> Stored<Option<clock::ClockReading>> {
        Ok(None)
    }
    /// How long a transaction submitted now would wait for its turn, in microseconds; 0 while nothing is measured.
    fn expected_wait_micros(&self) -> u64 {
        0
    }
    /// The tables that are kept in parts by time, with these parts; none: the store has no such tables. Waits for the
    /// answer, so it is for threads that may block.
    fn time_parts(&self) -> Stored<Vec<partitions::TimeParts>> {
        Ok(Vec::new())
    }
    /// How many bytes the rows take on the disk, where the store can tell.
    fn size_bytes(&self) -> Option<u64> {
        None
    }
}

/// Runs a rule and waits for the durable end. For threads that may block; servers have an async twin.
pub fn transact<T: Send + 'static>(
    store: &dyn Store,
    mut rule: impl FnMut(&mut dyn Tx) -> crate::Ruled<T> + Send + 'static,
) -> crate::Ruled<T> {
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    let slot = std::sync::Arc::new(std::sync::Mutex::new(None));
    let filled = slot.clone();
    store.submit(
        Box::new(move |tx| judge(rule(tx), &filled)),
        Box::new(move |ended| {
            let _ = send.send(ended);
        }),
    );
    let ended = receive.recv().unwrap_or_else(|_| Err(StoreFault::Unknown("the store went away".into())));
    settle(ended, &slot)
}

/// Keeps a rule's result in `slot` and turns it into a verdict. Half of [`transact`], for async callers.
pub fn judge<T>(result: crate::Ruled<T>, slot: &std::sync::Mutex<Option<crate::Ruled<T>>>) -> Verdict {
    let verdict = match &result {
        Ok(_) => Verdict::Keep,
        Err(crate::Stop::Refused(_)) => Verdict::TakeBack,
        Err(crate::Stop::Fault(fault)) => Verdict::Fault(fault.clone()),
    };
    if let Ok(mut slot) = slot.lock() {
        *slot = Some(result);
    }
    verdict
}

/// Joins how the transaction ended with what the rule said. The other half of [`transact`].
pub fn settle<T>(ended: Ended, slot: &std::sync::Mutex<Option<crate::Ruled<T>>>) -> crate::Ruled<T> {
    ended?;
    let result = slot.lock().ok().and_then(|mut slot| slot.take());
    result
        .unwrap_or_else(|| Err(StoreFault::Unknown("the store ended without running the rule".into()).into()))
}

/// Looks at committed rows and waits for the answer.
pub fn look<T: Send + 'static>(
    store: &dyn Store,
    look: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static,
) -> Stored<T> {
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    let fault = send.clone();
    store.submit_read(
        Box::new(move |rows| {
            let _ = send.send(look(rows));
        }),
        Box::new(move |ended| {
            if let Err(why) = ended {
                let _ = fault.try_send(Err(why));
            }
        }),
    );
    receive.recv().unwrap_or_else(|_| Err(StoreFault::Unavailable("the store went away".into())))
}
