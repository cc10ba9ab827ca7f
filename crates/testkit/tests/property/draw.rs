//! Draws the next act: mostly what callers do, often what they should not do, and at times the very edge of something.

use super::acts::*;
use super::days::{self, Caps, DAY};
use super::edges::Probe;
use super::oracle::{Oracle, Payment, Stage, Standing};
use accord_core::Moment;
use accord_core::Timestamp;
use accord_core::moment::Random;
use accord_testkit::conformance::speech::Speech;
use std::collections::BTreeSet;

const MINUTE: i64 = 60_000;
const CURRENCIES: [&str; 3] = ["IQD", "USD", "JPY"];
/// Nobody's id, code or token.
const NOTHING: &str = "28101013NOBODYSNOBODYSNOBODYSNOB";

/// The one source of chance of a life.
pub struct Dice {
    random: Random,
    number: u64,
    due: BTreeSet<i64>,
    /// What is to be done next, once an edge was reached.
    pub probe: Option<Probe>,
    /// The last pair of tokens that was looked at for what follows its replacement.
    pub followed: Option<(usize, usize)>,
}

impl Dice {
    /// Everything comes of the seed.
    pub fn new(seed: u64) -> Dice {
        let mut bytes = [3; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let random = Moment::new(Timestamp(0), bytes).random("property");
        Dice { random, number: 0, due: BTreeSet::new(), probe: None, followed: None }
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.random.below(u32::try_from(bound).expect("a small number")) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn range(&mut self, from: i64, to: i64) -> i64 {
        from + self.below(usize::try_from(to - from + 1).expect("a range")) as i64
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A place in a list, more often near its end.
    fn place(&mut self, len: usize) -> Option<usize> {
        match len {
            0 => None,
            _ if self.chance(70) => Some(len - 1 - self.below(len.min(25))),
            _ => Some(self.below(len)),
        }
    }

    pub fn id(&self, kind: &str) -> String {
        format!("{kind}-{}", self.number)
    }

    fn owner(&mut self) -> usize {
        self.below(OWNERS.len())
    }

    /// That owner; now and then somebody else.
    fn mostly(&mut self, owner: usize) -> usize {
        if self.chance(5) { self.owner() } else { owner }
    }

    fn client(&mut self) -> Option<bool> {
        match self.below(20) {
            0 => Some(false),
            1..=4 => Some(true),
            _ => None,
        }
    }

    fn stale(&mut self) -> bool {
        self.chance(3)
    }

    /// The next act.
    pub fn draw(&mut self, oracle: &Oracle) -> Act {
        self.number += 1;
        if oracle.users.len() < 4 {
            return self.join(oracle);
        }
        let probed = match self.probe.take() {
            Some(Probe::Do(act)) => Some(act),
            Some(Probe::PayUnder(agreement)) => self.pay_under(oracle, agreement),
            None => None,
        };
        if let Some(act) = probed.or_else(|| self.after_a_refresh(oracle)) {
            return act;
        }
        let drawn = match self.below(1_000) {
            0..=79 => Some(self.prepare(oracle)),
            80..=149 => self.decide(oracle),
            150..=219 => self.apply(oracle),
            220..=259 => self.refresh(oracle),
            260..=267 => self.cancel_token(oracle),
            268..=281 => self.unbind(oracle),
            282..=589 => self.pay(oracle),
            590..=639 => Some(self.inquire(oracle)),
            640..=679 => Some(self.cancel(oracle)),
            680..=779 => self.refund(oracle),
            780..=799 => Some(self.inquire_refund(oracle)),
            800..=859 => Some(self.transfer(oracle)),
            860..=865 => Some(self.join(oracle)),
            866..=889 => Some(self.user(oracle)),
            890..=929 => self.control(oracle),
            _ => Some(self.wait(oracle)),
        };
        drawn.unwrap_or_else(|| self.prepare(oracle))
    }

    fn join(&mut self, oracle: &Oracle) -> Act {
        if oracle.users.len() >= 12 {
            return self.transfer(oracle);
        }
        Act::Join { login: format!("+96477{:08}", self.number) }
    }

    fn transfer(&mut self, oracle: &Oracle) -> Act {
        if let (true, Some(place)) = (self.chance(12), self.place(oracle.transfers.len())) {
            let mut again = oracle.transfers[place].clone();
            if let Act::Transfer { value, .. } = &mut again
                && self.chance(30)
            {
                *value += 1;
            }
            return again;
        }
        let without = oracle.users.iter().position(|user| user.money.is_empty() && !user.closed);
        let (user, currency) = match without.filter(|_| self.chance(80)) {
            Some(user) => (user, "IQD"),
            None => (self.below(oracle.users.len()), self.of(&["IQD", "IQD", "IQD", "USD", "JPY"])),
        };
        let balance = oracle.users[user].money.get(currency).copied().unwrap_or(0);
        let top_up = self.chance(75);
        let value = match self.below(8) {
            0 if balance > 0 => balance,
            1 => balance + 1,
            _ => self.range(1, 60_000),
        };
        let customer = oracle.users[user].id.clone();
        Act::Transfer { id: self.id("transfer"), customer, top_up, currency, value }
    }

    fn user(&mut self, oracle: &Oracle) -> Act {
        let frozen = (0..oracle.users.len()).find(|user| oracle.users[*user].frozen);
        let low = (0..oracle.users.len()).find(|user| !oracle.users[*user].qualified);
        let any = self.below(oracle.users.len());
        let open = oracle.users.iter().filter(|user| !user.closed).count();
        let (user, change) = match (self.below(20), frozen, low) {
            (0, ..) if open > 4 => (any, UserChange::Close),
            (1..=9, Some(user), _) => (user, UserChange::Thaw),
            (1..=5, ..) => (any, UserChange::Freeze),
            (_, _, Some(user)) => (user, UserChange::Qualified(true)),
            (10..=12, ..) => (any, UserChange::Qualified(false)),
            _ => (any, UserChange::Thaw),
        };
        Act::User { customer: oracle.users[user].id.clone(), change }
    }

    fn prepare(&mut self, oracle: &Oracle) -> Act {
        let known = match self.chance(22) {
            true => self.place(oracle.sessions.len()),
            false => None,
        };
        if let Some(session) = known.map(|place| &oracle.sessions[place]) {
            return Act::Prepare {
                owner: self.mostly(session.owner),
                // Another owner's reference is a first call of this one's.
                reference: session.reference.clone(),
                other: session.other != self.chance(25),
                told: self.chance(70),
                debits: session.debits,
                contract: session.contract.clone(),
                stale: self.stale(),
            };
        }
        let today = days::day_of(oracle.now);
        let mut contract = Contract::default();
        if self.chance(35) {
            contract.amount = self
                .chance(60)
                .then(|| (if self.chance(90) { "IQD" } else { "USD" }, self.range(500, 3_000)));
            contract.from = self.chance(40).then(|| today + self.range(-40, 6));
            let from = contract.from.unwrap_or(today);
            contract.last = self.chance(25).then(|| from.max(today) + self.range(0, 90));
            contract.count = self.chance(25).then(|| self.range(1, 12) as u32);
            contract.every = self.chance(50).then(|| self.of(&[1, 3, 12]));
        }
        let debits = !self.chance(5);
        let (owner, reference) = (self.owner(), self.id("agreement"));
        let told = self.chance(70);
        Act::Prepare { owner, reference, other: false, told, debits, contract, stale: self.stale() }
    }

    fn decide(&mut self, oracle: &Oracle) -> Option<Act> {
        let open: Vec<usize> = (oracle.sessions.len().saturating_sub(30)..oracle.sessions.len())
            .filter(|place| oracle.sessions[*place].stage == Stage::Open)
            .filter(|place| oracle.sessions[*place].expires >= oracle.now)
            .collect();
        let place = match open.is_empty() || self.chance(15) {
            true => self.place(oracle.sessions.len())?,
            false => self.of(&open),
        };
        let user = self.below(oracle.users.len());
        Some(Act::Decide {
            auth_id: oracle.sessions[place].auth_id.clone(),
            customer: oracle.users[user].id.clone(),
            yes: self.chance(88),
        })
    }

    fn apply(&mut self, oracle: &Oracle) -> Option<Act> {
        let fresh: Vec<usize> = (oracle.agreements.len().saturating_sub(12)..oracle.agreements.len())
            .filter(|place| !oracle.agreements[*place].code_used)
            .filter(|place| oracle.now - oracle.agreements[*place].made <= 10 * MINUTE)
            .collect();
        let place = match fresh.is_empty() || self.chance(25) {
            true => self.place(oracle.agreements.len())?,
            false => self.of(&fresh),
        };
        let agreement = &oracle.agreements[place];
        let code = if self.chance(3) { NOTHING } else { &agreement.code };
        let (owner, code, client) = (self.mostly(agreement.owner), code.to_owned(), self.client());
        Some(Act::Apply { owner, code, client, stale: self.stale() })
    }

    /// An agreement, mostly one with tokens that lives.
    pub fn agreement(&mut self, oracle: &Oracle) -> Option<usize> {
        let mut place = self.place(oracle.agreements.len())?;
        for _ in 0..10 {
            let agreement = &oracle.agreements[place];
            let session = &oracle.sessions[agreement.session];
            if !agreement.pairs.is_empty() && !agreement.ended && session.debits || self.chance(4) {
                break;
            }
            place = self.place(oracle.agreements.len())?;
        }
        Some(place)
    }

    /// One of an agreement's pairs, mostly the newest; nothing if it has none.
    fn pair(&mut self, oracle: &Oracle, agreement: usize) -> Option<usize> {
        let pairs = oracle.agreements[agreement].pairs.len();
        match self.chance(85) {
            _ if pairs == 0 => None,
            true => Some(pairs - 1),
            false => Some(self.below(pairs)),
        }
    }

    fn refresh(&mut self, oracle: &Oracle) -> Option<Act> {
        let agreement = self.agreement(oracle)?;
        let pair = self.pair(oracle, agreement)?;
        let token = oracle.agreements[agreement].pairs[pair].refresh.clone();
        let token = if self.chance(3) { NOTHING.to_owned() } else { token };
        let owner = self.mostly(oracle.agreements[agreement].owner);
        Some(Act::Refresh { owner, token, client: self.client(), stale: self.stale() })
    }

    fn access(&mut self, oracle: &Oracle, agreement: usize) -> Option<String> {
        let pair = self.pair(oracle, agreement)?;
        let token = oracle.agreements[agreement].pairs[pair].access.clone();
        Some(if self.chance(2) { NOTHING.to_owned() } else { token })
    }

    fn cancel_token(&mut self, oracle: &Oracle) -> Option<Act> {
        let agreement = match self.chance(30) {
            true => self.place(oracle.agreements.len())?,
            false => self.agreement(oracle)?,
        };
        let token = self.access(oracle, agreement)?;
        let owner = self.mostly(oracle.agreements[agreement].owner);
        Some(Act::CancelToken { owner, token, client: self.client(), stale: self.chance(10) })
    }

    fn unbind(&mut self, oracle: &Oracle) -> Option<Act> {
        let agreement = self.agreement(oracle)?;
        let by = match self.below(8) {
            0 => Unbinder::User,
            1 => Unbinder::Wallet,
            2 => Unbinder::Asked(Some(true)),
            3 => Unbinder::Asked(Some(false)),
            _ => Unbinder::Asked(None),
        };
        Some(Act::Unbind { agreement: oracle.agreements[agreement].id.clone(), by })
    }

    fn script(&mut self, now: i64) -> Option<Script> {
        match self.below(100) {
            0 | 1 => Some(Script::Fail),
            2 => Some(Script::Run(None)),
            3..=10 => {
                let delay = self.of(&[1_000, 5_000, MINUTE, 60 * MINUTE, DAY, 2 * DAY]);
                // No two at one time: their order would be the store's.
                let mut at = now + self.range(1, 30_000).min(delay) + delay;
                while !self.due.insert(at) {
                    at += 1;
                }
                Some(Script::Run(Some((at, self.chance(70)))))
            }
            _ => None,
        }
    }

    /// When the order expires: about now, or before or after the end that a running payment is to have.
    fn expiry(&mut self, now: i64, script: Option<Script>) -> Option<i64> {
        let Some(Script::Run(planned)) = script else {
            return self.chance(8).then(|| now + self.range(-2_000, 3_000));
        };
        if !self.chance(40) {
            return None;
        }
        let about = planned.map_or(now + MINUTE, |(at, _)| at);
        let mut expires = (about + self.range(-90_000, 90_000)).max(now + 1_000).div_euclid(1_000) * 1_000;
        while !self.due.insert(expires + 1) {
            expires += 1_000;
        }
        Some(expires)
    }

    fn pay(&mut self, oracle: &Oracle) -> Option<Act> {
        if self.chance(22)
            && let Some(place) = self.place(oracle.payments.len())
        {
            return Some(Act::Pay(self.again(oracle, &oracle.payments[place])));
        }
        let agreement = self.agreement(oracle)?;
        self.pay_under(oracle, agreement)
    }

    fn pay_under(&mut self, oracle: &Oracle, agreement: usize) -> Option<Act> {
        let token = self.access(oracle, agreement)?;
        let agreement = &oracle.agreements[agreement];
        let owner = self.mostly(agreement.owner);
        let currency = match self.below(20) {
            0 => "JPY",
            1 => self.of(&CURRENCIES),
            _ => agreement.merchant.currency.or(agreement.own.currency).unwrap_or("IQD"),
        };
        let edge = self.below(2) as i64;
        let balance = oracle.users[agreement.user].money.get(currency).copied().unwrap_or(0);
        // Exactly what is left of a limit, or one more.
        let (agreed, today) = (days::day_of(agreement.made), days::day_of(oracle.now));
        let spent = agreement.own.spent(&agreement.taken, agreed, today, currency);
        let mut rooms: Vec<i64> =
            spent.map(|(most, before)| most - before).filter(|room| *room > 0).collect();
        rooms.extend([agreement.merchant.debit, agreement.own.debit].into_iter().flatten());
        let value = match (self.below(16), rooms.iter().min()) {
            (0, _) => balance + edge,
            (1..=4, Some(room)) => room + edge,
            (5, _) => self.range(3_000, 9_000),
            _ => self.range(1, 2_500),
        };
        let request = match self.below(40) {
            // An id that another owner has used, or a closed order of this one.
            0 => self.place(oracle.payments.len()).map(|place| oracle.payments[place].call.request.clone()),
            1 | 2 => oracle.closed_orders.iter().rfind(|(of, _)| *of == owner).map(|(_, id)| id.clone()),
            _ => None,
        };
        let known = |request: &String| {
            oracle.payments.iter().any(|one| one.call.owner == owner && one.call.request == *request)
        };
        let script = self.script(oracle.now);
        let expires = self.expiry(oracle.now, script);
        Some(Act::Pay(Pay {
            owner,
            token,
            client: self.client(),
            request: request.filter(|request| !known(request)).unwrap_or_else(|| self.id("order")),
            currency,
            value: value.max(1),
            other: 0,
            loose: 0,
            told: self.chance(70),
            expires,
            evaluation: OWNERS[owner].speech == Speech::AlipayPlus && self.chance(4),
            script,
            stale: self.stale(),
        }))
    }

    /// A repeat: the same, the same in other words, or another one of the same id.
    fn again(&mut self, oracle: &Oracle, payment: &Payment) -> Pay {
        let agreement = &oracle.agreements[payment.agreement];
        let newest = agreement.pairs.last().map(|pair| pair.access.clone());
        let mut call = Pay { script: None, client: None, stale: self.chance(15), ..payment.call.clone() };
        match self.below(20) {
            0 => call.value += 1,
            1 => call.other += 1,
            2 => call.currency = self.of(&CURRENCIES),
            3 => {
                let other = self.agreement(oracle).and_then(|other| self.access(oracle, other));
                call.token = other.unwrap_or(call.token);
            }
            4..=8 => call.token = newest.unwrap_or(call.token),
            9..=12 => (call.loose, call.told, call.expires) = (call.loose + 1, !call.told, None),
            13 => call.script = Some(Script::Fail),
            14 => call.client = Some(false),
            _ => {}
        }
        call
    }

    fn inquire(&mut self, oracle: &Oracle) -> Act {
        let closed = oracle.closed_orders.len();
        if closed > 0 && self.chance(8) {
            let (owner, request) = oracle.closed_orders.iter().nth(self.below(closed)).expect("an order");
            return Act::Inquire { owner: *owner, payment: Name::Request(request.clone()) };
        }
        let Some(place) = self.place(oracle.payments.len()).filter(|_| !self.chance(5)) else {
            return Act::Inquire { owner: self.owner(), payment: Name::Request(NOTHING.to_owned()) };
        };
        let payment = &oracle.payments[place];
        let owner = self.mostly(payment.call.owner);
        let by_id = OWNERS[owner].speech == Speech::Qi && self.chance(50);
        let payment = match payment.id.clone().filter(|_| by_id) {
            Some(id) => Name::Id(id),
            None => Name::Request(payment.call.request.clone()),
        };
        Act::Inquire { owner, payment }
    }

    fn cancel(&mut self, oracle: &Oracle) -> Act {
        let owner = self.of(&[2, 3, 4]);
        let found = (0..6).find_map(|_| {
            let place = self.place(oracle.payments.len())?;
            let call = &oracle.payments[place].call;
            (OWNERS[call.owner].speech == Speech::AlipayPlus).then_some((call.owner, call.request.clone()))
        });
        let (owner, request) = match found.filter(|_| !self.chance(20)) {
            Some((of, request)) if self.chance(5) => (if of == owner { 2 } else { owner }, request),
            Some(found) => found,
            None => (owner, self.id("never-seen")),
        };
        Act::Cancel { owner, request, stale: self.chance(6) }
    }

    fn refund(&mut self, oracle: &Oracle) -> Option<Act> {
        if self.chance(20)
            && let Some(place) = self.place(oracle.refunds.len())
        {
            let mut call = oracle.refunds[place].call.clone();
            (call.script, call.stale) = (None, self.chance(10));
            match self.below(10) {
                0 => call.value += 1,
                1 => call.currency = self.of(&CURRENCIES),
                2 => call.payment = Name::Id(NOTHING.to_owned()),
                _ => {}
            }
            return Some(Act::Refund(call));
        }
        let mut place = self.place(oracle.payments.len())?;
        for _ in 0..6 {
            let payment = &oracle.payments[place];
            if matches!(payment.standing, Standing::Paid(_)) && payment.refunded < payment.call.value {
                break;
            }
            place = self.place(oracle.payments.len())?;
        }
        let payment = &oracle.payments[place];
        let left = payment.call.value - payment.refunded;
        let value = match self.below(8) {
            0 => left,
            1 => left + 1,
            2 => payment.call.value,
            _ => self.range(1, payment.call.value.min(60_000)),
        };
        let owner = self.mostly(payment.call.owner);
        let qi = OWNERS[owner].speech == Speech::Qi;
        let by_request = qi && self.chance(50);
        let id = payment.id.clone().unwrap_or_else(|| NOTHING.to_owned());
        let right = !self.chance(3);
        Some(Act::Refund(Refund {
            owner,
            request: self.id("refund"),
            order: if right { payment.call.request.clone() } else { NOTHING.to_owned() },
            payment: if by_request { Name::Request(payment.call.request.clone()) } else { Name::Id(id) },
            currency: if self.chance(4) { self.of(&CURRENCIES) } else { payment.call.currency },
            value: value.max(1),
            script: self.script(oracle.now),
            stale: self.stale(),
        }))
    }

    fn inquire_refund(&mut self, oracle: &Oracle) -> Act {
        let found = (0..6).find_map(|_| {
            let place = self.place(oracle.refunds.len())?;
            let refund = &oracle.refunds[place];
            (OWNERS[refund.call.owner].speech == Speech::Qi).then_some(refund)
        });
        let Some(refund) = found.filter(|_| !self.chance(10)) else {
            return Act::InquireRefund { owner: self.below(2), refund: Name::Request(NOTHING.to_owned()) };
        };
        let owner = if self.chance(6) { self.below(2) } else { refund.call.owner };
        let refund = match refund.id.clone().filter(|_| self.chance(50)) {
            Some(id) => Name::Id(id),
            None => Name::Request(refund.call.request.clone()),
        };
        Act::InquireRefund { owner, refund }
    }

    fn control(&mut self, oracle: &Oracle) -> Option<Act> {
        let number = self.agreement(oracle)?;
        let agreement = &oracle.agreements[number];
        let user = if self.chance(5) { self.below(oracle.users.len()) } else { agreement.user };
        let later = oracle.now + self.of(&[-1, 1, MINUTE, 60 * MINUTE, DAY, 9 * DAY, 40 * DAY]);
        let paused = agreement.pause.is_some();
        let change = match self.below(12) {
            _ if paused && self.chance(60) => Control::Resume,
            0 => Control::Pause(None),
            1 => Control::Pause(Some(later)),
            2 => Control::Skip(Some(later)),
            3 => Control::Skip(None),
            4 => Control::Resume,
            _ => Control::Limit(self.caps(oracle.now)),
        };
        let customer = oracle.users[user].id.clone();
        Some(Act::Control { agreement: agreement.id.clone(), customer, change })
    }

    fn caps(&mut self, now: i64) -> Caps {
        if self.chance(25) {
            return Caps::default();
        }
        let mut sum = |percent, most| self.chance(percent).then(|| self.range(500, most));
        let [debit, day, week, month, year] =
            [sum(25, 3_000), sum(30, 6_000), sum(25, 12_000), sum(25, 25_000), sum(20, 60_000)];
        let any = [debit, day, week, month, year].iter().any(Option::is_some);
        Caps {
            currency: any.then(|| if self.chance(92) { "IQD" } else { "USD" }),
            debit,
            day,
            week,
            month,
            year,
            count: self.chance(10).then(|| self.range(1, 30) as u32),
            by_agreement: self.chance(50),
            from: self.chance(5).then(|| now + self.range(-1, 50_000)),
            // Seldom an end that has passed.
            to: self.chance(5).then(|| now + if self.chance(4) { 0 } else { DAY + self.range(0, 50_000) }),
        }
    }

    fn wait(&mut self, oracle: &Oracle) -> Act {
        let now = oracle.now;
        if self.chance(25)
            && let Some((until, probe)) = self.edge(oracle)
        {
            self.probe = Some(probe);
            return Act::Wait { until };
        }
        let millis = match self.below(1_000) {
            0..=449 => self.range(1, 60_000),
            450..=649 => self.range(1, 20) * MINUTE,
            650..=799 => self.range(1, 20) * 60 * MINUTE,
            800..=869 => days::start_of(days::day_of(now) + 1) - now - self.range(0, 1),
            870..=959 => self.range(1, 4) * DAY,
            960..=991 => self.range(5, 40) * DAY,
            992..=997 => self.range(100, 200) * DAY,
            _ => 400 * DAY,
        };
        Act::Wait { until: now + millis.max(1) }
    }
}
