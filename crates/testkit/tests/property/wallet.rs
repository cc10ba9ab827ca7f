//! A wallet on one store, without signatures and sockets: bodies go through the dialects' own code, the rest through
//! the core's rules; due work is done in the order of its times.

use super::acts::*;
use super::{bodies, days};
use accord_core::agreement::control::{self, Change, Changed, Skip};
use accord_core::agreement::decide::{self, Answer as Decision, Decide, Decided, Shown};
use accord_core::agreement::unbind::{self, Consulted, Unbound};
use accord_core::agreement::{SessionStage, schedule};
use accord_core::checkpoint::draft;
use accord_core::client::Client;
use accord_core::ids::{AgreementId, AuthId, CustomerId, DialectName, LoginId};
use accord_core::money::Amount;
use accord_core::notification::retry::{self, Delivery};
use accord_core::notification::{Attempt, Notification, NotificationState};
use accord_core::operator::{transfer, users};
use accord_core::payment::{refund, resolve};
use accord_core::policy::ControlPolicy;
use accord_core::prune::{self, Retention};
use accord_core::secret::{DerivationKeys, Digest, SecretKind};
use accord_core::store::{self, Rows, Store, Stored, Tx};
use accord_core::user::{Language, UserStatus};
use accord_core::voice::Context;
use accord_core::{Moment, Refusal, Ruled, Stop, Timestamp};
use accord_testkit::conformance::fixture::{self, CLIENTS, PUBLIC_URL};
use accord_testkit::conformance::speech::Speech;
use accord_wire::alipay_plus::{self, AlipayPlus};
use accord_wire::dialect::{Dialect, Fault, Reason, result_only};
use accord_wire::gateway::{self, Replied};
use accord_wire::json;
use accord_wire::qi::{self, Qi};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The wallet.
pub struct Wallet {
    store: Arc<dyn Store>,
    keys: DerivationKeys,
    clients: BTreeMap<&'static str, Client>,
    dialects: [Arc<dyn Dialect>; 2],
    seed: u64,
}

impl Wallet {
    /// Moves into an empty store.
    pub fn open(store: Arc<dyn Store>, setup: &Setup, seed: u64) -> Wallet {
        let control = ControlPolicy {
            limits: bodies::limits(&setup.caps),
            asleep_after_days: setup.asleep_after,
            ..ControlPolicy::default()
        };
        let mut qi = qi::Config::new(PUBLIC_URL);
        qi.control = control.clone();
        let mut plus = alipay_plus::Config::new(PUBLIC_URL, [9; 32]);
        plus.control = control;
        plus.notify_payment_always = setup.notify_always;
        plus.cancel_unknown_order = !setup.unknown_orders_refused;
        let clients = CLIENTS.map(|who| {
            let mut client = who.registration();
            let owner = OWNERS.iter().find(|owner| owner.who == who && owner.registered);
            client.payment_notify_url = owner.map(|owner| format!("https://{}.example/default", owner.name));
            (who.client_id, client)
        });
        let wallet = Wallet {
            store,
            keys: fixture::derivation_keys(),
            clients: clients.into_iter().collect(),
            dialects: [Qi::new(qi), AlipayPlus::new(plus)],
            seed,
        };
        let clients: Vec<Client> = wallet.clients.values().cloned().collect();
        wallet.transact(move |tx| Ok(clients.iter().try_for_each(|client| tx.put_client(client))?));
        wallet
    }

    /// Looks at committed rows.
    pub fn look<T: Send + 'static>(&self, look: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static) -> T {
        store::look(&*self.store, look).expect("a look")
    }

    fn transact<T: Send + 'static>(&self, rule: impl FnMut(&mut dyn Tx) -> Ruled<T> + Send + 'static) -> T {
        store::transact(&*self.store, rule).expect("a transaction that is kept")
    }

    fn dialect(&self, speech: Speech) -> Arc<dyn Dialect> {
        self.dialects[usize::from(speech == Speech::AlipayPlus)].clone()
    }

    fn dialect_named(&self, name: &DialectName) -> Arc<dyn Dialect> {
        self.dialects.iter().find(|dialect| dialect.name() == *name).expect("a dialect").clone()
    }

    fn moment(&self, now: i64, number: u64, part: u64) -> Moment {
        let mut seed = [0; 32];
        for (bytes, word) in seed.chunks_exact_mut(8).zip([self.seed, number, part]) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Moment::new(Timestamp(now), seed)
    }

    /// Does it; `number` is that of the act in its life.
    pub fn perform(&self, act: &Act, now: i64, number: u64) -> Said {
        let at = self.moment(now, number, 0);
        let call = |owner: &usize, operation: &str, body: Value, stale: bool| {
            Said::Answer(self.call(&OWNERS[*owner], operation, body, None, stale, &at))
        };
        match act {
            Act::Prepare { owner, reference, other, told, debits, contract, stale } => {
                let body = bodies::prepare(&OWNERS[*owner], reference, *other, *told, *debits, contract);
                call(owner, "prepare", body, *stale)
            }
            Act::Decide { auth_id, customer, yes } => self.decide(auth_id, customer, *yes, &at),
            Act::Apply { owner, code, client, stale } => {
                let body =
                    bodies::with_client(OWNERS[*owner].speech.apply(code), OWNERS[*owner].speech, *client);
                call(owner, "applyToken", body, *stale)
            }
            Act::Refresh { owner, token, client, stale } => {
                let body =
                    bodies::with_client(OWNERS[*owner].speech.refresh(token), OWNERS[*owner].speech, *client);
                call(owner, "applyToken", body, *stale)
            }
            Act::CancelToken { owner, token, client, stale } => {
                let body =
                    bodies::with_client(OWNERS[*owner].speech.cancel(token), OWNERS[*owner].speech, *client);
                call(owner, "cancelToken", body, *stale)
            }
            Act::Unbind { agreement, by } => self.unbind(agreement, *by, &at),
            Act::Pay(pay) => {
                let owner = &OWNERS[pay.owner];
                Said::Answer(self.call(owner, "pay", bodies::pay(owner, pay), pay.script, pay.stale, &at))
            }
            Act::Inquire { owner, payment } => {
                let mut body = OWNERS[*owner].speech.inquire("");
                bodies::name(&mut body, payment, "paymentId", "paymentRequestId");
                call(owner, "inquiryPayment", body, false)
            }
            Act::Cancel { owner, request, stale } => {
                call(owner, "cancelPayment", OWNERS[*owner].speech.cancel_payment(request), *stale)
            }
            Act::Refund(refund) => {
                let owner = &OWNERS[refund.owner];
                let body = bodies::refund(owner, refund);
                Said::Answer(self.call(owner, "refund", body, refund.script, refund.stale, &at))
            }
            Act::InquireRefund { owner, refund } => {
                let mut body = OWNERS[*owner].speech.inquire_refund("");
                bodies::name(&mut body, refund, "refundId", "refundRequestId");
                call(owner, "inquiryRefund", body, false)
            }
            Act::Transfer { id, customer, top_up, currency, value } => {
                let order = transfer::Order {
                    id: id.clone(),
                    customer: customer_id(customer),
                    direction: match top_up {
                        true => transfer::Direction::TopUp,
                        false => transfer::Direction::Withdraw,
                    },
                    amount: amount(currency, *value),
                    actor: "the bank".to_owned(),
                };
                word(store::transact(&*self.store, move |tx| {
                    Ok(match transfer::transfer(tx, &order, &at)? {
                        transfer::Transferred::Done(_) => "done",
                        transfer::Transferred::Before(_) => "before",
                        transfer::Transferred::Other(_) => "other",
                        transfer::Transferred::OutOfRange => "out of range",
                    })
                }))
            }
            Act::Join { login } => {
                let new = users::NewUser {
                    login_id: LoginId::new(login),
                    pin_hash: "nobody signs in by PIN here".to_owned(),
                    status: UserStatus::Active,
                    qualified: true,
                    language: Language::English,
                    actor: "the wallet".to_owned(),
                };
                Said::Word(self.transact(move |tx| match users::create(tx, &new, &at)? {
                    users::Created::Now(user) => Ok(user.id.to_string()),
                    users::Created::Taken => Ok("taken".to_owned()),
                }))
            }
            Act::User { customer, change } => self.change_user(customer, *change, &at),
            Act::Control { agreement, customer, change } => self.control(agreement, customer, change, &at),
            Act::Wait { until } => Said::Work(self.wait(now, *until, number)),
        }
    }

    /// A call of an owner: read by its dialect, run in a transaction, refused in the words of the dialect's table.
    fn call(
        &self,
        owner: &Owner,
        operation: &str,
        mut body: Value,
        script: Option<Script>,
        stale: bool,
        at: &Moment,
    ) -> String {
        let (client, dialect) = (&self.clients[owner.who.client_id], self.dialect(owner.speech));
        if body.get("acquirerId").is_some() {
            body["acquirerId"] = owner.acquirer.into();
        }
        let of = |reason| {
            let code = dialect.code(reason);
            result_only(&code, code.meaning)
        };
        let known = dialect.operations().iter().find(|known| known.name == operation).expect("an operation");
        let body = json::parse(body.to_string().as_bytes()).expect("JSON");
        let answer = match dialect.clone().read(known, client, &body) {
            Err(refused) => panic!("{operation}: {}", refused.message),
            Ok(mut act) => {
                if let Some(script) = script {
                    assert!(act.force(bodies::forced(script)), "{operation} can be forced");
                }
                let (keys, at, late) = (self.keys.clone(), at.clone(), of(Reason::Fault(Fault::Stale)));
                let ruled = store::transact(&*self.store, move |tx| match stale && !act.is_known(tx)? {
                    true => Ok(late.clone()),
                    false => act.run(tx, &keys, &at),
                });
                match ruled {
                    Ok(answer) => answer,
                    Err(Stop::Refused(refusal)) => of(Reason::Refusal(refusal)),
                    Err(Stop::Fault(fault)) => panic!("{operation}: {fault}"),
                }
            }
        };
        String::from_utf8(answer.body).expect("UTF-8")
    }

    fn decide(&self, auth_id: &str, customer: &str, yes: bool, at: &Moment) -> Said {
        let auth_id = AuthId::read(auth_id).expect("an authId");
        let customer = customer_id(customer);
        let command = Decide {
            auth_id: auth_id.clone(),
            answer: match yes {
                true => Decision::Approve { customer },
                false => Decision::Refuse { customer: Some(customer) },
            },
            shown: Shown {
                text_digest: Digest::of("the text of the page"),
                language: Language::English,
                version: "1".to_owned(),
            },
            address: "192.0.2.1".to_owned(),
            browser: None,
        };
        let session = auth_id.clone();
        let Some(terms) = self.look(move |rows| rows.terms(&session)) else {
            return Said::Word("unknown".to_owned());
        };
        let (dialect, keys, at) = (self.dialect_named(&terms.dialect), self.keys.clone(), at.clone());
        word(store::transact(&*self.store, move |tx| {
            let context = Context { keys: &keys, voice: &*dialect };
            let decided = decide::decide(tx, &command, context, &at)?;
            Ok(match decided {
                Decided::Approved { code, .. } => {
                    let stage = tx.session(&command.auth_id)?.map(|session| session.stage);
                    let Some(SessionStage::Approved { agreement, .. }) = stage else {
                        panic!("approved, not {stage:?}")
                    };
                    format!("approved {} {agreement}", code.reveal())
                }
                Decided::Refused { .. } => "refused".to_owned(),
                Decided::Already { .. } => "already".to_owned(),
                Decided::Expired { .. } => "expired".to_owned(),
                Decided::Unknown => "unknown".to_owned(),
            })
        }))
    }

    fn unbind(&self, agreement: &str, by: Unbinder, at: &Moment) -> Said {
        let id = agreement_id(agreement);
        let wanted = id.clone();
        let agreement = self.look(move |rows| rows.agreement(&wanted)).expect("an agreement");
        let (dialect, keys, at) = (self.dialect_named(&agreement.dialect), self.keys.clone(), at.clone());
        Said::Word(self.transact(move |tx| {
            let context = Context { keys: &keys, voice: &*dialect };
            let consulted = match by {
                Unbinder::Wallet => {
                    let ended = unbind::by_wallet(tx, &id, "the wallet", "fraud", context, &at)?;
                    return Ok(ended.map_or("unknown", |_| "ended").to_owned());
                }
                Unbinder::User => Consulted::NotAsked,
                Unbinder::Asked(Some(true)) => Consulted::Allowed,
                Unbinder::Asked(Some(false)) => Consulted::NotAllowed,
                Unbinder::Asked(None) => Consulted::Unknown { silence_frees: true },
            };
            Ok(match unbind::by_user(tx, &id, consulted, context, &at)? {
                Unbound::Ended(_) => "ended",
                Unbound::NotAllowed(_) => "not allowed",
                Unbound::TryLater { .. } => "later",
                Unbound::NotFound => "unknown",
            }
            .to_owned())
        }))
    }

    fn change_user(&self, customer: &str, change: UserChange, at: &Moment) -> Said {
        let change = match change {
            UserChange::Freeze => users::Change { status: Some(UserStatus::Frozen), ..Default::default() },
            UserChange::Thaw => users::Change { status: Some(UserStatus::Active), ..Default::default() },
            UserChange::Close => users::Change { status: Some(UserStatus::Closed), ..Default::default() },
            UserChange::Qualified(yes) => users::Change { qualified: Some(yes), ..Default::default() },
        };
        let (id, at, keys, dialects) =
            (customer_id(customer), at.clone(), self.keys.clone(), self.dialects.clone());
        Said::Word(self.transact(move |tx| {
            let context = |name: &DialectName| {
                let dialect = dialects.iter().find(|dialect| dialect.name() == *name)?;
                Some(Context { keys: &keys, voice: &**dialect })
            };
            Ok(match users::change(tx, &id, &change, "the wallet", &context, &at)? {
                users::Changed::Now(_) => "changed".to_owned(),
                users::Changed::Unknown => "unknown".to_owned(),
                users::Changed::Closed => "closed".to_owned(),
            })
        }))
    }

    fn control(&self, agreement: &str, customer: &str, how: &Control, at: &Moment) -> Said {
        let change = Change {
            agreement: agreement_id(agreement),
            customer: customer_id(customer),
            actor: customer.to_owned(),
        };
        let (how, at, policy) = (how.clone(), at.clone(), self.dialect(Speech::Qi).policy().clone());
        Said::Word(self.transact(move |tx| {
            let changed = match &how {
                Control::Pause(until) => control::pause(tx, &change, until.map(Timestamp), &at)?,
                Control::Resume => control::resume(tx, &change, &at)?,
                Control::Skip(until) => {
                    let skip = until.map_or(Skip::Next, |until| Skip::Until(Timestamp(until)));
                    control::skip_next(tx, &change, skip, &policy, &at)?
                }
                Control::Limit(caps) => control::set_user_limits(tx, &change, bodies::limits(caps), &at)?,
            };
            Ok(match changed {
                Changed::Done(controls) => {
                    let until = controls.pause.map(|pause| pause.until.map(|until| until.0));
                    format!("done {until:?}")
                }
                Changed::Unknown => "unknown".to_owned(),
                Changed::Ended => "ended".to_owned(),
                Changed::Unfit(_) => "unfit".to_owned(),
            })
        }))
    }

    /// Lets time pass. What becomes due is done in order, each piece at its own time; then house is kept.
    fn wait(&self, mut now: i64, until: i64, number: u64) -> Vec<Letter> {
        let (mut letters, mut part) = (Vec::new(), 0);
        loop {
            let waiting = self.look(|rows| {
                let (payment, refund) = (rows.next_payment_to_resolve()?, rows.next_refund_to_resolve()?);
                Ok([payment, refund, rows.next_notice_due()?, rows.next_notification_due()?])
            });
            let Some(due) = waiting.iter().flatten().min().filter(|due| due.0 <= until).copied() else {
                break;
            };
            now = now.max(due.0);
            part += 1;
            let (at, keys) = (self.moment(now, number, part), self.keys.clone());
            if waiting[0] == Some(due) {
                let payment = self.look(move |rows| rows.payments_to_resolve(due, 1)).remove(0);
                let dialect = self.dialect_named(&payment.dialect);
                let done = self.transact(move |tx| {
                    let context = Context { keys: &keys, voice: &*dialect };
                    resolve::resolve(tx, &payment.id, context, &at)
                });
                assert!(done, "a payment that is due is resolved");
            } else if waiting[1] == Some(due) {
                let due = self.look(move |rows| rows.refunds_to_resolve(due, 1)).remove(0);
                let policy = self.dialect_named(&due.dialect).policy().clone();
                let done = self.transact(move |tx| refund::resolve(tx, &due.id, &policy, &at));
                assert!(done, "a refund too");
            } else if waiting[2] == Some(due) {
                let controls = self.look(move |rows| rows.notices_due(due, 1)).remove(0);
                let wanted = controls.agreement.clone();
                let agreement = self.look(move |rows| rows.agreement(&wanted)).expect("an agreement");
                let dialect = self.dialect_named(&agreement.dialect);
                let done = self.transact(move |tx| {
                    let context = Context { keys: &keys, voice: &*dialect };
                    schedule::announce(tx, &agreement.id, context, &at)
                });
                assert!(done, "a due notice moves on");
            } else {
                letters.extend(self.deliver(due, &at));
            }
        }
        self.keep_house(until, number);
        letters
    }

    /// Makes one try at everything that is due at that time.
    fn deliver(&self, due: Timestamp, at: &Moment) -> Vec<Letter> {
        let mut notices = self.look(move |rows| {
            let targets = rows.due_targets(due, usize::MAX)?;
            let due = targets.iter().map(|target| rows.due_notifications(target, due, usize::MAX));
            Ok(due.collect::<Stored<Vec<_>>>()?.concat())
        });
        notices.sort_by(|one, other| one.id.cmp(&other.id));
        assert!(!notices.is_empty(), "something is due");
        let tries: Vec<_> = notices
            .into_iter()
            .map(|notice| {
                let dialect = self.dialect_named(&notice.dialect);
                let manner = self.manner(&notice, at.now.0);
                let (delivery, outcome) = self.answered(&*dialect, &notice, manner);
                let body = self.body_of(&*dialect, &notice);
                (notice, manner, delivery, outcome, body)
            })
            .collect();
        let at = at.clone();
        self.transact(move |tx| {
            let mut letters = Vec::new();
            for (notice, manner, delivery, outcome, body) in &tries {
                if retry::is_moot(tx, notice, &at)? {
                    tx.update_notification(&Notification {
                        state: NotificationState::Moot,
                        ..notice.clone()
                    })?;
                    continue;
                }
                tx.insert_attempt(&Attempt {
                    notification: notice.id.clone(),
                    number: notice.tries + 1,
                    at: at.now,
                    http_status: None,
                    outcome: outcome.clone(),
                })?;
                tx.update_notification(&retry::after_attempt(notice.clone(), *delivery, at.now))?;
                letters.push(Letter {
                    notification: notice.id.to_string(),
                    kind: notice.kind.clone(),
                    url: notice.url.clone(),
                    body: body.clone(),
                    at: at.now.0,
                    manner: *manner,
                });
            }
            Ok(letters)
        })
    }

    /// How its receiver takes this try: by chance, and some weeks no receiver is up at all.
    fn manner(&self, notice: &Notification, now: i64) -> Manner {
        let chance = |parts: &[&str], of: u32| {
            let digest = Digest::of_parts(parts);
            u32::from_be_bytes([digest.0[0], digest.0[1], digest.0[2], digest.0[3]]) % of
        };
        let week = (now / (7 * days::DAY)).to_string();
        if chance(&[&self.seed.to_string(), &notice.target, &week], 8) == 0 {
            return Manner::Broken;
        }
        match chance(&[notice.id.as_str(), &notice.tries.to_string()], 20) {
            0 => Manner::Refuses,
            1 | 2 => Manner::Unsure,
            3 => Manner::Garbage,
            4 => Manner::Broken,
            5 | 6 => Manner::Silent,
            7 => Manner::Unsigned,
            _ => Manner::Good,
        }
    }

    /// What such an answer means to the dialect. A signature is not made here: a good one is taken as read.
    fn answered(&self, dialect: &dyn Dialect, notice: &Notification, manner: Manner) -> (Delivery, String) {
        let result =
            |status: &str| json!({ "result": { "resultStatus": status, "resultCode": "X" } }).to_string();
        let (status, body) = match manner {
            Manner::Good => return (Delivery::Acknowledged, "acknowledged".to_owned()),
            Manner::Silent => return (Delivery::Failed, "timed out".to_owned()),
            Manner::Unsigned => (200, result("S")),
            Manner::Refuses => (200, result("F")),
            Manner::Unsure => (200, result("U")),
            Manner::Garbage => (200, "<html>{\"result\":".to_owned()),
            Manner::Broken => (500, result("S")),
        };
        let reply = Replied { status, headers: &[], body: body.as_bytes() };
        gateway::acknowledgement(dialect, None, "/", notice.client.as_str(), &reply)
    }

    fn body_of(&self, dialect: &dyn Dialect, notice: &Notification) -> String {
        let policy = dialect.policy();
        notice.marks.iter().fold(notice.body.clone(), |body, mark| {
            let shape = match mark.secret.kind {
                SecretKind::AuthCode => &policy.code,
                SecretKind::AccessToken => &policy.access,
                SecretKind::RefreshToken => &policy.refresh,
            };
            let secret = self.keys.derive(&mark.secret, shape).expect("a key that is there");
            body.replace(&mark.placeholder, secret.reveal())
        })
    }

    /// Prunes what is old and seals the journal.
    fn keep_house(&self, now: i64, number: u64) {
        let at = self.moment(now, number, u64::MAX);
        loop {
            let at = at.clone();
            let step = self.transact(move |tx| prune::step(tx, &Retention::default(), prune::MOST, &at));
            if step < prune::MOST {
                break;
            }
        }
        // The first time, so that no life goes without, and then one time in eight.
        let none = self.look(|rows| rows.checkpoints_after(0, 1)).is_empty();
        if none || number.is_multiple_of(8) {
            self.transact(move |tx| {
                let Some(drafted) = draft(tx, at.now)? else { return Ok(()) };
                Ok(tx.insert_checkpoint(&drafted.signed(vec![1]), &drafted.heads)?)
            });
        }
    }
}

fn word(said: Ruled<impl ToString>) -> Said {
    match said {
        Ok(word) => Said::Word(word.to_string()),
        Err(Stop::Refused(Refusal::UserFrozen)) => Said::Word("user frozen".to_owned()),
        Err(Stop::Refused(refusal)) => Said::Word(refusal.to_string()),
        Err(Stop::Fault(fault)) => panic!("{fault}"),
    }
}

pub fn customer_id(text: &str) -> CustomerId {
    CustomerId::read(text).expect("a customer")
}

fn agreement_id(text: &str) -> AgreementId {
    AgreementId::read(text).expect("an agreement")
}

pub fn amount(currency: &str, value: i64) -> Amount {
    Amount::new(fixture::currency(currency), value).expect("an amount")
}
