//! The model store: the port in memory, so plain that it can be believed.
//!
//! One lock, ordered maps, an undo list. It is what other stores are compared with ([`crate::laws`]) and what
//! fast tests and the simulator run on. It is not durable, and nothing of it is in the product.

mod audit;
mod console;
mod control;
mod delivery;
mod device;
mod handover;
mod operator;
mod people;
mod preference;
mod quota;
mod refund;
mod rows;
mod settlement;
mod step_up;
mod table;
mod tx;
mod unbinding;
mod upkeep;

use accord_core::agreement::control::Controls;
use accord_core::agreement::handover::Handover;
use accord_core::agreement::step_up::StepUp;
use accord_core::agreement::unbind::Consult;
use accord_core::agreement::usage::DayUsage;
use accord_core::agreement::{Agreement, Consent, PrepareClaim, Session, Terms};
use accord_core::checkpoint::Checkpoint;
use accord_core::client::quota::CallQuota;
use accord_core::client::{Client, ClientKey};
use accord_core::console::Operator;
use accord_core::device::Device;
use accord_core::handle::Bucket;
use accord_core::ids::*;
use accord_core::journal::JournalLine;
use accord_core::ledger::settle::SettlementItem;
use accord_core::ledger::{Account, Entry, Posting};
use accord_core::message::delivery::Delivery;
use accord_core::message::routes::Carrier;
use accord_core::message::{Channel, Kind, Message};
use accord_core::moment::Timestamp;
use accord_core::money::Currency;
use accord_core::notification::{Attempt, Notification};
use accord_core::operator::Credential;
use accord_core::operator::transfer::Transfer;
use accord_core::payment::cancel::ClosedOrder;
use accord_core::payment::refund::{Refund, RefundClaim};
use accord_core::payment::{Payment, PaymentClaim};
use accord_core::people::Profile;
use accord_core::people::merchant_message::MessageClaim;
use accord_core::people::one_time_code::{CodeBudget, OneTimeCode};
use accord_core::preference::Preferences;
use accord_core::secret::Digest;
use accord_core::store::{Done, Ended, Look, Store, StoreFault, Verdict, Work};
use accord_core::token::{Code, TokenSet};
use accord_core::user::{PinGuard, User};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard};
use table::{Table, Undo};

/// How often a rule is run that ends in a conflict.
const RUNS: u32 = 4;

/// A failure to be played by [`ModelStore::fail_next`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is written, and the store says so.
    Unavailable,
    /// Everything is written, and the store cannot say whether.
    UnknownKept,
    /// Nothing is written, and the store cannot say whether.
    UnknownLost,
}

/// A store in memory.
#[derive(Default)]
pub struct ModelStore {
    books: Mutex<Books>,
    failures: Mutex<VecDeque<Failure>>,
}

impl ModelStore {
    /// An empty store.
    pub fn new() -> ModelStore {
        ModelStore::default()
    }

    /// The next transaction that would have been kept ends like this instead. Several calls queue up.
    pub fn fail_next(&self, failure: Failure) {
        lock(&self.failures).push_back(failure);
    }

    /// Every row of every table, as a text.
    pub fn picture(&self) -> BTreeMap<String, Vec<String>> {
        lock(&self.books).picture()
    }

    /// Removes every row.
    pub fn empty(&self) {
        *lock(&self.books) = Books::default();
    }

    fn run(&self, mut work: Work) -> Ended {
        let mut books = lock(&self.books);
        for last in (0..RUNS).map(|run| run + 1 == RUNS) {
            let verdict = catch_unwind(AssertUnwindSafe(|| work(&mut *books)));
            if let Ok(Verdict::Keep) = verdict {
                return self.keep(&mut books);
            }
            books.take_back();
            match verdict {
                Ok(Verdict::Fault(StoreFault::Conflict(_))) if !last => {}
                Ok(Verdict::Fault(why)) => return Err(why),
                Ok(Verdict::Keep | Verdict::TakeBack) => return Ok(()),
                Err(_) => return Err(StoreFault::Unavailable("the rule panicked".into())),
            }
        }
        Err(StoreFault::Conflict("the rule ended in a conflict each time".into()))
    }

    fn keep(&self, books: &mut Books) -> Ended {
        let failure = lock(&self.failures).pop_front();
        match failure {
            None | Some(Failure::UnknownKept) => books.keep(),
            Some(Failure::Unavailable | Failure::UnknownLost) => books.take_back(),
        }
        match failure {
            None => Ok(()),
            Some(Failure::Unavailable) => Err(StoreFault::Unavailable("as asked by the test".into())),
            Some(Failure::UnknownKept | Failure::UnknownLost) => {
                Err(StoreFault::Unknown("as asked by the test".into()))
            }
        }
    }
}

impl Store for ModelStore {
    fn submit(&self, work: Work, done: Done) {
        let end = self.run(work);
        done(end);
    }

    fn submit_read(&self, look: Look, done: Done) {
        let looked = {
            let books = lock(&self.books);
            catch_unwind(AssertUnwindSafe(|| look(&*books)))
        };
        done(looked.map_err(|_| StoreFault::Unavailable("the look panicked".into())));
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under the lock was caught and taken back: what it guards is whole.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

macro_rules! books {
    ($($field:ident: $key:ty => $value:ty,)+) => {
        /// All tables. Keys are those of the port; lists that need another order are sorted when read.
        #[derive(Default)]
        struct Books {
            $($field: Table<$key, $value>,)+
        }

        impl Undo for Books {
            fn keep(&mut self) {
                $(self.$field.keep();)+
            }
            fn take_back(&mut self) {
                $(self.$field.take_back();)+
            }
        }

        impl Books {
            fn picture(&self) -> BTreeMap<String, Vec<String>> {
                [$((stringify!($field).to_owned(), self.$field.rows()),)+].into()
            }
        }
    };
}

books! {
    settings: String => String,
    clients: ClientId => Client,
    client_keys: (ClientId, String) => ClientKey,
    call_quotas: ClientId => CallQuota,
    users: CustomerId => User,
    logins: LoginId => CustomerId,
    pin_guards: (Bucket, String) => PinGuard,
    prepare_claims: (Bucket, Digest) => PrepareClaim,
    terms: AuthId => Terms,
    sessions: AuthId => Session,
    handovers: AuthId => Handover,
    step_ups: AuthId => StepUp,
    consents: AuthId => Consent,
    agreements: AgreementId => Agreement,
    agreements_by_auth: (Bucket, AuthId) => AgreementId,
    user_agreements: (CustomerId, Timestamp, AgreementId) => (),
    codes: (Bucket, Digest) => Code,
    consults: AgreementId => Consult,
    token_sets: (AgreementId, u32) => TokenSet,
    sets_by_access: (Bucket, Digest) => (AgreementId, u32),
    sets_by_refresh: (Bucket, Digest) => (AgreementId, u32),
    payment_claims: (Owner, PaymentRequestId) => PaymentClaim,
    payments: (Bucket, PaymentId) => Payment,
    refund_claims: (Owner, RefundRequestId) => RefundClaim,
    refunds: (Bucket, RefundId) => Refund,
    closed_orders: (Owner, PaymentRequestId) => ClosedOrder,
    accounts: (Bucket, CustomerId, Currency) => Account,
    postings: (Bucket, PostingId) => Posting,
    entries: (PostingId, u32) => Entry,
    settlement_items: (Bucket, PostingId) => SettlementItem,
    notifications: NotificationId => Notification,
    attempts: (NotificationId, u32) => Attempt,
    controls: AgreementId => Controls,
    usage_days: (AgreementId, i64, Currency) => DayUsage,
    messages: (Bucket, Kind, String, Channel) => Message,
    deliveries: (Bucket, Kind, String, Carrier) => Delivery,
    devices: DeviceId => Device,
    operators: OperatorName => Operator,
    console_sessions: ConsoleSessionId => accord_core::console::Session,
    preferences: CustomerId => Preferences,
    profiles: CustomerId => Profile,
    one_time_codes: CodeRequestId => OneTimeCode,
    code_budgets: AgreementId => CodeBudget,
    message_claims: (Owner, Channel, String) => MessageClaim,
    credentials: CredentialId => Credential,
    transfers: String => Transfer,
    journal: (Bucket, u32) => JournalLine,
    checkpoints: u32 => Checkpoint,
    sealed: Bucket => u32,
    cold_claims: (Bucket, Digest) => PrepareClaim,
    cold_terms: AuthId => Terms,
    cold_sets: (AgreementId, u32) => TokenSet,
}
