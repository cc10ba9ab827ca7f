//! The oracle: what must be true of a wallet, kept in plain lists and judged without any code of `accord-core`.
//!
//! [`Oracle::hold`] is given an act and what the wallet said, says itself how the act must have ended, fails where the
//! two differ, and learns what only the wallet could know: ids, codes, tokens. Money is counted here a second time.

mod agreements;
mod notices;
mod payments;
mod proof;
mod refunds;

use super::acts::*;
use super::days::{self, Caps, Taken};
use super::papers::End;
use accord_testkit::conformance::speech::{Speech, result_code};
use notices::Notice;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const MINUTE: i64 = 60_000;

/// A user and the user's money.
#[derive(Debug)]
pub struct User {
    pub id: String,
    pub frozen: bool,
    pub closed: bool,
    pub qualified: bool,
    /// An account for each currency that ever came in.
    pub money: BTreeMap<&'static str, i64>,
}

/// How a session was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Open,
    Refused(i64),
    Approved(i64),
}

/// An authorization asked for.
#[derive(Debug)]
pub struct Session {
    pub owner: usize,
    pub reference: String,
    pub auth_id: String,
    pub answer: String,
    pub expires: i64,
    pub stage: Stage,
    pub told: bool,
    pub debits: bool,
    /// Another value of a compared field.
    pub other: bool,
    pub contract: Contract,
}

/// A pair of tokens.
#[derive(Debug)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
    pub made: i64,
    pub replaced: Option<i64>,
    /// The answer that gave it out.
    pub answer: String,
}

/// An agreement.
#[derive(Debug)]
pub struct Agreement {
    pub id: String,
    pub owner: usize,
    pub user: usize,
    pub session: usize,
    pub made: i64,
    pub ended: bool,
    pub code: String,
    pub code_used: bool,
    pub pairs: Vec<Pair>,
    pub merchant: Caps,
    pub own: Caps,
    /// First due day, and months between due days.
    pub schedule: Option<(i64, i64)>,
    /// Until when; nothing inside: until resumed.
    pub pause: Option<Option<i64>>,
    pub woken: Option<i64>,
    pub taken: Vec<Taken>,
    /// When its owner did not answer whether it may end.
    pub silences: Vec<i64>,
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Running(Option<(i64, bool)>),
    Paid(i64),
    Failed(End),
}

/// A payment that was recorded.
#[derive(Debug)]
pub struct Payment {
    pub call: Pay,
    pub agreement: usize,
    pub user: usize,
    pub id: Option<String>,
    pub standing: Standing,
    pub unsure: bool,
    pub closed: bool,
    pub refunded: i64,
    pub made: i64,
    pub answer: Option<String>,
}

/// A refund that was recorded.
#[derive(Debug)]
pub struct GivenBack {
    pub call: Refund,
    pub payment: usize,
    pub id: Option<String>,
    pub standing: Standing,
    pub answer: Option<String>,
}

/// What must be true.
pub struct Oracle {
    pub now: i64,
    pub setup: Setup,
    pub users: Vec<User>,
    pub sessions: Vec<Session>,
    pub agreements: Vec<Agreement>,
    pub payments: Vec<Payment>,
    pub refunds: Vec<GivenBack>,
    pub transfers: Vec<Act>,
    /// Orders that were cancelled before they were known.
    pub closed_orders: BTreeSet<(usize, String)>,
    customers: HashMap<String, usize>,
    references: HashMap<(usize, String), usize>,
    auth_ids: HashMap<String, usize>,
    agreement_ids: HashMap<String, usize>,
    codes: HashMap<String, usize>,
    accesses: HashMap<String, (usize, usize)>,
    refreshes: HashMap<String, (usize, usize)>,
    requests: HashMap<(usize, String), usize>,
    refund_requests: HashMap<(usize, String), usize>,
    notices: BTreeMap<String, Notice>,
    /// How often calls ended so.
    pub ends: BTreeMap<(&'static str, End), usize>,
    /// How many letters were received, and how many notices ended without one.
    pub letters: usize,
}

impl Oracle {
    /// Of an empty wallet.
    pub fn new(setup: Setup, now: i64) -> Oracle {
        Oracle {
            now,
            setup,
            users: Vec::new(),
            sessions: Vec::new(),
            agreements: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            transfers: Vec::new(),
            closed_orders: BTreeSet::new(),
            customers: HashMap::new(),
            references: HashMap::new(),
            auth_ids: HashMap::new(),
            agreement_ids: HashMap::new(),
            codes: HashMap::new(),
            accesses: HashMap::new(),
            refreshes: HashMap::new(),
            requests: HashMap::new(),
            refund_requests: HashMap::new(),
            notices: BTreeMap::new(),
            ends: BTreeMap::new(),
            letters: 0,
        }
    }

    /// Holds an act against what was said of it.
    pub fn hold(&mut self, act: &Act, said: &Said) {
        match act {
            Act::Prepare { owner, reference, other, told, debits, contract, stale } => {
                let asked = Session {
                    owner: *owner,
                    reference: reference.clone(),
                    auth_id: String::new(),
                    answer: String::new(),
                    expires: self.now + 15 * MINUTE,
                    stage: Stage::Open,
                    told: *told,
                    debits: *debits || OWNERS[*owner].speech == Speech::Qi,
                    other: *other,
                    // Only Qi's contracts say such things.
                    contract: match OWNERS[*owner].speech {
                        Speech::Qi => contract.clone(),
                        Speech::AlipayPlus => Contract::default(),
                    },
                };
                self.prepare(asked, *stale, said);
            }
            Act::Decide { auth_id, customer, yes } => self.decide(auth_id, customer, *yes, said),
            Act::Apply { owner, code, client, stale } => self.apply(*owner, code, *client, *stale, said),
            Act::Refresh { owner, token, client, stale } => {
                self.refresh(*owner, token, *client, *stale, said)
            }
            Act::CancelToken { owner, token, client, stale } => {
                self.cancel_token(*owner, token, *client, *stale, said)
            }
            Act::Unbind { agreement, by } => self.unbind(agreement, *by, said),
            Act::Pay(call) => self.pay(call, said),
            Act::Inquire { owner, payment } => self.inquire(*owner, payment, said),
            Act::Cancel { owner, request, stale } => self.cancel(*owner, request, *stale, said),
            Act::Refund(call) => self.refund(call, said),
            Act::InquireRefund { owner, refund } => self.inquire_refund(*owner, refund, said),
            Act::Transfer { .. } => self.transfer(act, said),
            Act::Join { .. } => {
                let Said::Word(id) = said else { panic!("{said:?}") };
                self.customers.insert(id.clone(), self.users.len());
                self.users.push(User {
                    id: id.clone(),
                    frozen: false,
                    closed: false,
                    qualified: true,
                    money: BTreeMap::new(),
                });
            }
            Act::User { customer, change } => self.change_user(customer, *change, said),
            Act::Control { agreement, customer, change } => self.control(agreement, customer, change, said),
            Act::Wait { until } => {
                self.resolve(*until);
                self.now = *until;
                let Said::Work(letters) = said else { panic!("{said:?}") };
                letters.iter().for_each(|letter| self.receive(letter));
            }
        }
    }

    /// The answer, which must end so.
    fn ended(&mut self, said: &Said, speech: Speech, end: End) -> Value {
        let Said::Answer(body) = said else { panic!("an answer, not {said:?}") };
        let answer: Value = serde_json::from_str(body).expect("JSON");
        let found = (result_code(&answer), answer["result"]["resultStatus"].as_str().unwrap_or_default());
        assert_eq!(found, end.words(speech), "it must end with {end:?}: {answer}");
        *self.ends.entry((speech.name(), end)).or_default() += 1;
        answer
    }

    fn word(&self, said: &Said, wanted: &str) {
        assert_eq!(*said, Said::Word(wanted.to_owned()));
    }

    fn transfer(&mut self, act: &Act, said: &Said) {
        let Act::Transfer { id, customer, top_up, currency, value } = act else { panic!("{act:?}") };
        let same_id = |known: &&Act| matches!(known, Act::Transfer { id: other, .. } if other == id);
        if let Some(known) = self.transfers.iter().find(same_id) {
            let same = format!("{known:?}") == format!("{act:?}");
            return self.word(said, if same { "before" } else { "other" });
        }
        let user = &mut self.users[self.customers[customer]];
        let wanted = match (top_up, user.money.get(currency).copied()) {
            (true, _) if user.closed => "user_not_found",
            (true, balance) => {
                user.money.insert(currency, balance.unwrap_or(0) + value);
                "done"
            }
            (false, _) if user.frozen => "user frozen",
            (false, None) => "account_missing",
            (false, Some(balance)) if balance < *value => "balance_not_enough",
            (false, Some(balance)) => {
                user.money.insert(currency, balance - value);
                "done"
            }
        };
        self.word(said, wanted);
        if wanted == "done" {
            self.transfers.push(act.clone());
        }
    }

    fn change_user(&mut self, customer: &str, change: UserChange, said: &Said) {
        let number = self.customers[customer];
        let user = &mut self.users[number];
        if user.closed {
            return self.word(said, "closed");
        }
        match change {
            UserChange::Freeze => user.frozen = true,
            UserChange::Thaw => user.frozen = false,
            UserChange::Qualified(yes) => user.qualified = yes,
            UserChange::Close => {
                (user.closed, user.frozen) = (true, false);
                for agreement in 0..self.agreements.len() {
                    if self.agreements[agreement].user == number {
                        self.end(agreement);
                    }
                }
            }
        }
        self.word(said, "changed");
    }

    /// The agreement and generation behind an access token, for that owner.
    fn behind(&self, owner: usize, token: &str, client: Option<bool>) -> Option<(usize, usize)> {
        self.owned(owner, self.accesses.get(token).copied(), client)
    }

    fn owned(
        &self,
        owner: usize,
        found: Option<(usize, usize)>,
        client: Option<bool>,
    ) -> Option<(usize, usize)> {
        let right = client != Some(false) || OWNERS[owner].speech == Speech::Qi;
        found.filter(|(agreement, _)| right && self.agreements[*agreement].owner == owner)
    }

    /// How long tokens of that owner live: access, refresh.
    fn lives(owner: usize) -> (i64, i64) {
        match OWNERS[owner].speech {
            Speech::Qi => (3_650 * days::DAY, 3_680 * days::DAY),
            Speech::AlipayPlus => (180 * days::DAY, 365 * days::DAY),
        }
    }
}
