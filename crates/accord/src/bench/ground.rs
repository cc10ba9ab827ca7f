//! The ground that a measurement stands on: users, agreements, tokens and payments, made by the wallet's own rules
//! straight in the store of a sandbox, so that nothing has to be signed for them.

use super::ids::RequestIds;
use crate::cli::Where;
use crate::keys::read_secret;
use crate::place::Place;
use crate::storage::Purpose;
use accord_client::SandboxFile;
use accord_core::agreement::decide::{Answer, Decide, Decided, Shown, decide};
use accord_core::client::keys::bump_revision;
use accord_core::client::{Client, ClientKey};
use accord_core::handle::Bucket;
use accord_core::ids::{AuthId, ClientId, CustomerId, DialectName, LoginId};
use accord_core::ledger::post;
use accord_core::money::{Amount, Currency};
use accord_core::secret::{DerivationKeys, Digest};
use accord_core::store::{StoreFault, Tx, judge, settle};
use accord_core::user::{EXTERNAL_PIN, Language, User, UserStatus};
use accord_core::voice::Context;
use accord_core::{Moment, Ruled, Stop};
use accord_server::clock::random;
use accord_wire::dialect::{Dialect, Operation, Status};
use accord_wire::{json, qi};
use anyhow::{Context as _, anyhow};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

/// Users of a ground, unless more are asked for.
pub const USERS: u64 = 1_000;
/// What each of them has, in the smallest units of the currency.
const OPENING: i64 = 1_000_000_000_000;
/// Rules that wait in the store's queue at a time.
const AT_ONCE: u64 = 1_024;
/// The client that asks, which has no URL for notifications of its own.
pub const WHO: &str = "qi2";

/// A sandbox's store, and everything that rules need.
pub struct Ground {
    place: Place,
    rules: Arc<Rules>,
}

/// What the wallet knows while it runs a rule.
struct Rules {
    dialect: Arc<dyn Dialect>,
    client: Client,
    keys: DerivationKeys,
    customers: Arc<[CustomerId]>,
    ids: RequestIds,
}

/// How far an agreement is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// To its code, which is given.
    Code,
    /// To its access token, which is given.
    Token,
}

impl Ground {
    /// Opens the store of the sandbox in `dir` and makes the users that are missing.
    pub fn open(dir: &Path, users: u64, random_ids: bool) -> anyhow::Result<Ground> {
        let url = Where { config: None, data: Some(dir.to_owned()), store: None }.store_url()?;
        let place = Place::new(url.open(Purpose::Serve)?, true)?;
        let file = SandboxFile::read(dir)?;
        let (choices, ..) = crate::dev::choices(&dir.join("accord.toml"), &file.base_url)?;
        let keys = dir.join("keys");
        let mounted = choices.mount(read_secret(&keys.join("qr.key"))?).map_err(|fault| anyhow!(fault))?;
        let dialect = mounted.gateway.dialect(&DialectName::new(qi::NAME));
        let id = ClientId::new(&file.client(WHO)?.0.client_id);
        let client = place.look(move |rows| rows.client(&id))?;
        let derivation = BTreeMap::from([(1, read_secret(&keys.join("derivation-1.key"))?)]);
        let mut rules = Rules {
            dialect: dialect.ok_or_else(|| anyhow!("the sandbox does not serve Qi"))?,
            client: client.ok_or_else(|| anyhow!("the sandbox has lost its client {WHO}"))?,
            keys: DerivationKeys::new(derivation).ok_or_else(|| anyhow!("there is no derivation key"))?,
            customers: Arc::new([]),
            ids: RequestIds::new(place.clock.now(), random_ids),
        };
        let mut ground = Ground { place, rules: Arc::new(rules.copy()) };
        let customers = ground.each(0..users, |_, number| {
            Box::new(move |tx: &mut dyn Tx, at: &Moment| enrol(tx, number, at))
        })?;
        rules.customers = customers.into();
        ground.rules = Arc::new(rules);
        Ok(ground)
    }

    /// Makes agreements and gives their codes or tokens.
    pub fn agreements(&self, numbers: std::ops::Range<u64>, depth: Depth) -> anyhow::Result<Vec<String>> {
        self.each(numbers, move |rules, number| {
            Box::new(move |tx: &mut dyn Tx, at: &Moment| rules.agree(tx, number, depth, at))
        })
    }

    /// Registers so many merchants like the one that asks otherwise, and with its key, and gives their ids.
    pub fn merchants(&self, count: u64) -> anyhow::Result<Vec<Client>> {
        let like = self.rules.client.clone();
        self.transact(move |tx, _| {
            let key = tx.client_keys()?.into_iter().find(|key| key.client == like.id);
            let key = key.ok_or_else(|| odd("the sandbox's client has no key"))?;
            let mut all = Vec::new();
            for number in 0..count {
                let id = ClientId::new(format!("{}-{number:05}", like.id));
                let merchant = Client { id: id.clone(), ..like.clone() };
                tx.put_client(&merchant)?;
                tx.put_client_key(&ClientKey { client: id, ..key.clone() })?;
                all.push(merchant);
            }
            bump_revision(tx)?;
            Ok(all)
        })
    }

    /// Makes agreements, each with the next of the merchants, and gives their tokens in the order of the numbers.
    pub fn agreements_with(
        &self,
        merchants: &[Client],
        numbers: std::ops::Range<u64>,
    ) -> anyhow::Result<Vec<String>> {
        let merchants: Arc<[Client]> = merchants.into();
        self.each(numbers, move |rules, number| {
            let client = pick(&merchants, number).cloned();
            let rules = client.map_or(rules.clone(), |client| Arc::new(Rules { client, ..rules.copy() }));
            Box::new(move |tx: &mut dyn Tx, at: &Moment| rules.agree(tx, number, Depth::Token, at))
        })
    }

    /// Makes debits, each under the next of the tokens, and gives the ids of the payments. With a delay, their
    /// notifications become due when so many milliseconds have passed, for they are dated then.
    pub fn payments(
        &self,
        tokens: &[String],
        numbers: std::ops::Range<u64>,
        notify: Option<&Notify>,
    ) -> anyhow::Result<Vec<String>> {
        let tokens: Arc<[String]> = tokens.into();
        let notify = notify.cloned();
        self.each(numbers, move |rules, number| {
            let (tokens, notify) = (tokens.clone(), notify.clone());
            Box::new(move |tx: &mut dyn Tx, at: &Moment| {
                let token = pick(&tokens, number).map_or("", String::as_str);
                let (url, at) = match &notify {
                    Some(notify) => (Some(notify.url(number)), Moment::new(notify.due_at, random())),
                    None => (None, at.clone()),
                };
                let said = rules.act(tx, "pay", &pay(token, &rules.ids, number, url.as_deref()), &at)?;
                member(&said, "paymentId")
            })
        })
    }

    /// One agreement with a number of debits each, all in one transaction: the quickest way to fill a store.
    pub fn lives(&self, numbers: std::ops::Range<u64>, debits: u64) -> anyhow::Result<()> {
        self.each(numbers, move |rules, number| {
            Box::new(move |tx: &mut dyn Tx, at: &Moment| {
                let token = rules.agree(tx, number, Depth::Token, at)?;
                for debit in 0..debits {
                    // Ids are drawn from the moment: each debit needs one of its own.
                    let at = Moment::new(at.now, random());
                    rules.act(tx, "pay", &pay(&token, &rules.ids, number * debits + debit, None), &at)?;
                }
                Ok(())
            })
        })
        .map(|_| ())
    }

    /// Runs a rule in one durable transaction.
    pub fn transact<T: Send + 'static>(
        &self,
        rule: impl FnMut(&mut dyn Tx, &Moment) -> Ruled<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        self.place.transact(rule)
    }

    /// The ids of debits that are made here and over HTTP.
    pub fn ids(&self) -> &RequestIds {
        &self.rules.ids
    }

    /// The store's time.
    pub fn now(&self) -> accord_core::Timestamp {
        self.place.clock.now()
    }

    /// Runs a rule for each number, many at a time, and gives what they gave in the order of the numbers.
    fn each<T: Send + 'static>(
        &self,
        numbers: std::ops::Range<u64>,
        rule: impl Fn(Arc<Rules>, u64) -> Rule<T>,
    ) -> anyhow::Result<Vec<T>> {
        let (send, receive) = mpsc::channel::<(u64, Ruled<T>)>();
        let mut ended = BTreeMap::new();
        let mut under_way = 0;
        let wait = |ended: &mut BTreeMap<u64, T>| -> anyhow::Result<()> {
            let (number, result) = receive.recv().context("the store went away")?;
            let result = result.map_err(|stop| match stop {
                Stop::Refused(refusal) => anyhow!("the store cannot be filled: {refusal}"),
                Stop::Fault(fault) => anyhow!("the store cannot be filled: {fault}"),
            })?;
            ended.insert(number, result);
            Ok(())
        };
        for number in numbers {
            if under_way == AT_ONCE {
                wait(&mut ended)?;
                under_way -= 1;
            }
            let (mut rule, send) = (rule(self.rules.clone(), number), send.clone());
            let at = self.place.clock.moment();
            let slot = Arc::new(Mutex::new(None));
            let filled = slot.clone();
            self.place.store.submit(
                Box::new(move |tx| judge(rule(tx, &at), &filled)),
                Box::new(move |end| {
                    let _ = send.send((number, settle(end, &slot)));
                }),
            );
            under_way += 1;
        }
        for _ in 0..under_way {
            wait(&mut ended)?;
        }
        Ok(ended.into_values().collect())
    }
}

type Rule<T> = Box<dyn FnMut(&mut dyn Tx, &Moment) -> Ruled<T> + Send>;

/// Where notifications of payments go, and when.
#[derive(Clone)]
pub struct Notify {
    /// The receiver: scheme, host and port.
    pub base_url: String,
    /// When they become due.
    pub due_at: accord_core::Timestamp,
    /// Over so many targets.
    pub targets: u64,
}

impl Notify {
    fn url(&self, number: u64) -> String {
        format!("{}/merchant/{}", self.base_url, number % self.targets.max(1))
    }
}

impl Rules {
    fn copy(&self) -> Rules {
        Rules {
            dialect: self.dialect.clone(),
            client: self.client.clone(),
            keys: self.keys.clone(),
            customers: self.customers.clone(),
            ids: self.ids.clone(),
        }
    }

    /// prepare, the user's yes, and for a token applyToken.
    fn agree(&self, tx: &mut dyn Tx, number: u64, depth: Depth, at: &Moment) -> Ruled<String> {
        let said = self.act(tx, "prepare", &prepare(number), at)?;
        let url = member(&said, "authUrl")?;
        let auth_id = url.split_once("authId=").and_then(|(_, id)| AuthId::read(id));
        let auth_id = auth_id.ok_or_else(|| odd("prepare gave no authId"))?;
        let customer = pick(&self.customers, number).cloned().ok_or_else(|| odd("there are no users"))?;
        let yes = Decide {
            auth_id,
            answer: Answer::Approve { customer },
            shown: Shown {
                text_digest: Digest::of("bench"),
                language: Language::English,
                version: "bench".to_owned(),
            },
            address: "127.0.0.1".to_owned(),
            browser: None,
        };
        let context = Context { keys: &self.keys, voice: accord_server::app::as_voice(&*self.dialect) };
        let Decided::Approved { code, .. } = decide(tx, &yes, context, at)? else {
            return Err(odd("the session could not be decided"));
        };
        match depth {
            Depth::Code => Ok(code.reveal().to_owned()),
            Depth::Token => {
                member(&self.act(tx, "applyToken", &apply_token(code.reveal()), at)?, "accessToken")
            }
        }
    }

    /// Runs a call as the gateway would once its signature was verified, and gives the answer's body.
    fn act(&self, tx: &mut dyn Tx, operation: &str, body: &str, at: &Moment) -> Ruled<serde_json::Value> {
        let known = self.dialect.operations().iter().find(|known| known.name == operation);
        let operation: &Operation = known.ok_or_else(|| odd("no such operation"))?;
        let body = json::parse(body.as_bytes()).map_err(|_| odd("a body that is no JSON"))?;
        let act = self.dialect.clone().read(operation, &self.client, &body);
        let answer = act.map_err(|refused| odd(&refused.message))?.run(tx, &self.keys, at)?;
        if answer.status != Status::S {
            return Err(odd(answer.code));
        }
        serde_json::from_slice(&answer.body).map_err(|_| odd("an answer that is no JSON"))
    }
}

fn pick<T>(all: &[T], number: u64) -> Option<&T> {
    let index = number.checked_rem(all.len() as u64)?;
    all.get(usize::try_from(index).ok()?)
}

fn odd(what: &str) -> Stop {
    Stop::Fault(StoreFault::Corrupt(what.to_owned()))
}

fn member(body: &serde_json::Value, name: &str) -> Ruled<String> {
    let text = body.get(name).and_then(serde_json::Value::as_str);
    text.map(str::to_owned).ok_or_else(|| odd("an answer without its member"))
}

fn login(number: u64) -> LoginId {
    LoginId::new(format!("+999{number:09}"))
}

/// A user with money; one that is there already stays.
fn enrol(tx: &mut dyn Tx, number: u64, at: &Moment) -> Ruled<CustomerId> {
    let login_id = login(number);
    if let Some(known) = tx.customer_of(&login_id)? {
        return Ok(known);
    }
    let mut random = at.random("bench user");
    let id = CustomerId::mint(Bucket::random(&mut random), &mut random);
    tx.insert_user(&User {
        id: id.clone(),
        login_id,
        pin_hash: EXTERNAL_PIN.to_owned(),
        status: UserStatus::Active,
        qualified: true,
        language: Language::English,
        created_at: at.now,
    })?;
    if let Some(amount) = Currency::parse("IQD").and_then(|currency| Amount::new(currency, OPENING)) {
        post::credit(tx, &id, amount, "bench opening", at)?;
    }
    Ok(id)
}

/// Body of a prepare.
pub fn prepare(number: u64) -> String {
    format!(
        "{{\"scopes\":\"AGREEMENT_PAY\",\"extendInfo\":\"{{\\\"language\\\":\\\"en-US\\\",\\\"contractDesc\\\":\
         \\\"Monthly subscription {number}: 25,000 IQD on the first day of each month until you cancel.\\\"}}\"}}"
    )
}

/// Body of an applyToken.
pub fn apply_token(code: &str) -> String {
    format!("{{\"grantType\":\"AUTHORIZATION_CODE\",\"authCode\":\"{code}\"}}")
}

/// Body of a debit of 25 dinars.
pub fn pay(token: &str, ids: &RequestIds, number: u64, notify_url: Option<&str>) -> String {
    let notify = notify_url.map(|url| format!("\"paymentNotifyUrl\":\"{url}\",")).unwrap_or_default();
    format!(
        "{{\"productCode\":\"51051000101000100031\",\"paymentRequestId\":\"{}\",\
         \"paymentAuthCode\":\"{token}\",{notify}\"paymentAmount\":{{\"currency\":\"IQD\",\"value\":\"25000\"}},\
         \"order\":{{\"referenceOrderId\":\"order-{number}\",\"orderDescription\":\"Subscription, January\"}}}}",
        ids.of(number)
    )
}

/// Body of an inquiry.
pub fn inquiry(payment_id: &str) -> String {
    format!("{{\"paymentId\":\"{payment_id}\"}}")
}
