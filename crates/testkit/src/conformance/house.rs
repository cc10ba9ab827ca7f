//! The house: a request in, a signed reply out, over any store. What the server does, without its sockets and threads.

use crate::conformance::fixture::{self, KEY_VERSION, Person, Registered};
use crate::vectors::story::Control;
use accord_core::agreement::control::{self, Change, Changed};
use accord_core::agreement::decide::{self, Decide, Decided, Shown};
use accord_core::agreement::end::end;
use accord_core::agreement::limits::Limits;
use accord_core::agreement::{Agreement, EndedBy};
use accord_core::client::{Client, ClientStatus};
use accord_core::ids::{AuthId, ClientId, DialectName, NotificationId};
use accord_core::ledger::funding::{Funding, OwnLedger};
use accord_core::ledger::post;
use accord_core::money::Amount;
use accord_core::notification::Notification;
use accord_core::payment::pay::Forced;
use accord_core::payment::refund;
use accord_core::payment::resolve::resolve;
use accord_core::secret::{DerivationKeys, Digest, SecretKind};
use accord_core::store::{self, Rows, Store, StoreFault, Stored, Tx};
use accord_core::user::{Language, User};
use accord_core::voice::Context;
use accord_core::{Moment, Ruled, Stop};
use accord_wire::dialect::{Answer, Dialect, Fault, Reason};
use accord_wire::gateway::{Gateway, Opened, ReplyEnvelope, Request};
use accord_wire::keys::PrivateKey;
use accord_wire::signature::Signed;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What a call meets beside its rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Twist {
    /// An outcome forced by a fault script.
    pub forced: Option<Forced>,
    /// How the store fails.
    pub store: Option<Trouble>,
}

/// How a store may fail a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The commit happened, and the store cannot say so.
    Unknown,
    /// Nothing happened.
    Unavailable,
}

/// An answer before it is signed.
pub struct Told {
    /// What is answered.
    pub answer: Answer,
    /// How.
    pub envelope: ReplyEnvelope,
    /// Why it is no success, where that is known without asking the table.
    pub reason: Option<Reason>,
}

/// A signed reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A furnished wallet over a store.
pub struct House {
    /// Its store.
    pub store: Arc<dyn Store>,
    gateway: Gateway,
    pub(super) keys: DerivationKeys,
    pub(super) wallet_key: PrivateKey,
    clients: Mutex<Arc<Registered>>,
    /// Notices that were sent.
    sent: Mutex<HashSet<NotificationId>>,
}

impl House {
    /// Furnishes an empty store and moves in.
    pub fn new(store: Arc<dyn Store>) -> House {
        House::funded(store, Arc::new(OwnLedger))
    }

    /// The same, with payments that reach money through `funding`.
    pub fn funded(store: Arc<dyn Store>, funding: Arc<dyn Funding>) -> House {
        fixture::furnish(&*store);
        let clients = store::look(&*store, |rows| Registered::read(rows)).expect("clients");
        House {
            store,
            gateway: fixture::gateway(funding),
            keys: fixture::derivation_keys(),
            wallet_key: fixture::wallet_key(),
            clients: Mutex::new(Arc::new(clients)),
            sent: Mutex::new(HashSet::new()),
        }
    }

    /// The dialect of that name.
    pub fn dialect(&self, name: &str) -> Arc<dyn Dialect> {
        self.gateway.dialect(&DialectName::new(name)).unwrap_or_else(|| panic!("no dialect `{name}`"))
    }

    /// Answers, unsigned: checks, rule, table.
    pub fn answer(&self, request: &Request, at: &Moment, twist: Twist) -> Told {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut accepted = match self.gateway.open(&*clients, request, at) {
            Opened::Accepted(accepted) => accepted,
            Opened::Refused(declined) => {
                let reason = Some(Reason::Fault(declined.fault));
                return Told { answer: declined.answer, envelope: declined.envelope, reason };
            }
        };
        if let Some(forced) = twist.forced {
            assert!(accepted.act.force(forced), "{} can be forced", accepted.operation.name);
        }
        let (envelope, stale) = (accepted.envelope.clone(), accepted.stale.clone());
        let accepted = Arc::new(Mutex::new(accepted));
        let result = match twist.store {
            Some(Trouble::Unavailable) => {
                Err(Stop::Fault(StoreFault::Unavailable("as the story says".into())))
            }
            _ => {
                let (act, keys, at) = (accepted.clone(), self.keys.clone(), at.clone());
                store::transact(&*self.store, move |tx| {
                    act.lock().unwrap_or_else(PoisonError::into_inner).execute(tx, &keys, &at)
                })
            }
        };
        let result = match twist.store {
            Some(Trouble::Unknown) => Err(Stop::Fault(StoreFault::Unknown("as the story says".into()))),
            _ => result,
        };
        let reason = match &result {
            Ok(answer) if stale.as_ref() == Some(answer) => Some(Reason::Fault(Fault::Stale)),
            Ok(_) => None,
            Err(Stop::Refused(refusal)) => Some(Reason::Refusal(*refusal)),
            Err(Stop::Fault(_)) => Some(Reason::Fault(Fault::Unexpected)),
        };
        let answer = accepted.lock().unwrap_or_else(PoisonError::into_inner).conclude(result);
        Told { answer, envelope, reason }
    }

    /// Answers and signs, all at one moment.
    pub fn reply(&self, request: &Request, at: &Moment, twist: Twist) -> (Reply, Option<Reason>) {
        let Told { answer, envelope, reason } = self.answer(request, at, twist);
        let time = envelope.response_time(at.now);
        let content = envelope.content(&answer.body, &time);
        let signature = self.wallet_key.sign(&content).expect("the wallet's key signs");
        let signed = Signed { key_version: KEY_VERSION.to_owned(), signature };
        let headers = envelope.headers(Some(&signed), &time);
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        (Reply { status: envelope.http_status, headers, body: answer.body }, reason)
    }

    /// A user decides a session; the authorization code, if there is one.
    pub fn decide(&self, auth_id: &AuthId, person: &Person, approve: bool, at: &Moment) -> Decided {
        let customer = person.id();
        let command = Decide {
            auth_id: auth_id.clone(),
            answer: match approve {
                true => decide::Answer::Approve { customer },
                false => decide::Answer::Refuse { customer: Some(customer) },
            },
            shown: Shown {
                text_digest: Digest::of("the text of the story"),
                language: Language::English,
                version: "story".to_owned(),
            },
            address: "192.0.2.1".to_owned(),
            browser: None,
        };
        let session = auth_id.clone();
        let terms = self.look(move |rows| rows.terms(&session));
        let Some(terms) = terms else { return Decided::Unknown };
        let (dialect, keys, at) = (self.dialect(terms.dialect.as_str()), self.keys.clone(), at.clone());
        self.transact(move |tx| decide::decide(tx, &command, Context { keys: &keys, voice: &*dialect }, &at))
    }

    /// Brings money in.
    pub fn credit(&self, person: &Person, amount: Amount, at: &Moment) {
        let (customer, at) = (person.id(), at.clone());
        self.transact(move |tx| post::credit(tx, &customer, amount, "a credit of the story", &at));
    }

    /// Changes a user's row.
    pub fn change_user(&self, person: &Person, change: impl Fn(&mut User) + Send + 'static) {
        let customer = person.id();
        self.transact(move |tx| {
            let mut user = tx.user(&customer)?.ok_or(StoreFault::Corrupt("a user of the house".into()))?;
            change(&mut user);
            Ok(tx.update_user(&user)?)
        });
    }

    /// Changes a client's registration; the next call sees it.
    pub fn change_client(&self, client_id: &str, change: impl Fn(&mut Client) + Send + 'static) {
        let id = ClientId::new(client_id);
        self.transact(move |tx| {
            let mut client = tx.client(&id)?.ok_or(StoreFault::Corrupt("a client of the house".into()))?;
            change(&mut client);
            Ok(tx.put_client(&client)?)
        });
        let clients = self.look(|rows| Registered::read(rows));
        *self.clients.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(clients);
    }

    /// Suspends a client.
    pub fn suspend(&self, client_id: &str) {
        self.change_client(client_id, |client| client.status = ClientStatus::Suspended);
    }

    /// The user ends the newest of the user's agreements in the wallet.
    pub fn end_agreement(&self, person: &Person, at: &Moment) {
        let agreement = self.agreement_of(person);
        let dialect = self.dialect(agreement.dialect.as_str());
        let (customer, keys, at) = (person.id(), self.keys.clone(), at.clone());
        self.transact(move |tx| {
            let context = Context { keys: &keys, voice: &*dialect };
            end(tx, agreement.clone(), EndedBy::User, customer.as_str(), context, &at).map(|_| ())
        });
    }

    /// The user pauses, resumes or limits the newest of the user's agreements.
    pub fn control(&self, person: &Person, how: Control, at: &Moment) {
        let change = Change {
            agreement: self.agreement_of(person).id,
            customer: person.id(),
            actor: person.id().as_str().to_owned(),
        };
        let at = at.clone();
        let changed = self.transact(move |tx| match how {
            Control::Pause => control::pause(tx, &change, None, &at),
            Control::Resume => control::resume(tx, &change, &at),
            Control::Limit { per_debit, per_month, max_count } => {
                let currency = per_debit.or(per_month).map(|_| fixture::currency("IQD"));
                let limits = Limits { currency, per_debit, per_month, max_count, ..Limits::NONE };
                control::set_user_limits(tx, &change, limits, &at)
            }
        });
        assert!(matches!(changed, Changed::Done(_)), "{how:?}: {changed:?}");
    }

    /// The newest agreement of a user.
    pub fn agreement_of(&self, person: &Person) -> Agreement {
        let customer = person.id();
        let agreements = self.look(move |rows| rows.agreements_of(&customer, 1));
        agreements.into_iter().next().expect("an agreement of the user")
    }

    /// Brings running payments and refunds that are due to their end.
    pub fn resolve_due(&self, at: &Moment) {
        let now = at.now;
        for payment in self.look(move |rows| rows.payments_to_resolve(now, 100)) {
            let dialect = self.dialect(payment.dialect.as_str());
            let (keys, at) = (self.keys.clone(), at.clone());
            self.transact(move |tx| resolve(tx, &payment.id, Context { keys: &keys, voice: &*dialect }, &at));
        }
        for refund in self.look(move |rows| rows.refunds_to_resolve(now, 100)) {
            let (dialect, at) = (self.dialect(refund.dialect.as_str()), at.clone());
            self.transact(move |tx| refund::resolve(tx, &refund.id, dialect.policy(), &at));
        }
    }

    /// A user's balance in smallest units.
    pub fn balance(&self, person: &Person, code: &str) -> Option<i64> {
        let (customer, currency) = (person.id(), fixture::currency(code));
        self.look(move |rows| rows.account(&customer, currency)).map(|account| account.balance)
    }

    fn told(&self) -> Vec<Notification> {
        let mut notices = self.look(|rows| rows.notifications(1_000));
        notices.sort_by(|one, other| (one.created_at, &one.kind).cmp(&(other.created_at, &other.kind)));
        notices
    }

    /// What waits to be sent for the first time, oldest first; from now on it was sent.
    pub(super) fn waiting(&self) -> Vec<Notification> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        self.told().into_iter().filter(|notice| sent.insert(notice.id.clone())).collect()
    }

    /// What was to be told, oldest first: kind, URL, body as it will be sent.
    pub fn notices(&self) -> Vec<(String, String, String)> {
        self.told()
            .into_iter()
            .map(|notice| (notice.kind.clone(), notice.url.clone(), self.said(&notice)))
            .collect()
    }

    /// The body of a notice, its secrets derived anew.
    pub(super) fn said(&self, notice: &Notification) -> String {
        let dialect = self.dialect(notice.dialect.as_str());
        let policy = dialect.policy();
        let mut body = notice.body.clone();
        for mark in &notice.marks {
            let shape = match mark.secret.kind {
                SecretKind::AuthCode => &policy.code,
                SecretKind::AccessToken => &policy.access,
                SecretKind::RefreshToken => &policy.refresh,
            };
            let secret = self.keys.derive(&mark.secret, shape).expect("a key that is there");
            body = body.replace(&mark.placeholder, secret.reveal());
        }
        body
    }

    /// Looks at committed rows.
    pub fn look<T: Send + 'static>(&self, look: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static) -> T {
        store::look(&*self.store, look).expect("a look")
    }

    pub(super) fn transact<T: Send + 'static>(
        &self,
        rule: impl FnMut(&mut dyn Tx) -> Ruled<T> + Send + 'static,
    ) -> T {
        store::transact(&*self.store, rule).expect("a transaction that is kept")
    }
}
