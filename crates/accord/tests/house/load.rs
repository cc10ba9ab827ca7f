//! Mixed load on the nodes of one wallet while things break, and the [audit] afterwards: what was acknowledged is so, and
//! what was answered Unknown, or not at all, comes to one end when it is asked again.

pub mod audit;

use super::cluster::Node;
use super::shop::{Bill, Heard, Shop, auth_id};
use super::{Dice, House, Tokens, http};
use accord_client::DialectKind;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Who pays: two with money, one without.
pub const USERS: [usize; 3] = [0, 3, 1];

/// What the tasks of one round share.
pub struct World {
    round: usize,
    time: String,
    /// Of each node: its URL, and the Qi and the Alipay+ client that call it.
    nodes: Vec<(String, [Shop; 2])>,
    boxes: [String; 2],
    users: Vec<(String, String)>,
    /// Sign-ins of each user at a time. A try counts as a wrong one until its PIN was checked, for ever where a node is
    /// killed between the two, and the fifth blocks the user (decision 21): two may be cut off, and two more begin.
    sign_ins: Vec<Semaphore>,
    stop: AtomicBool,
    /// Does a call without an end stop everybody? There is nobody left to be called then.
    until_lost: bool,
    /// Calls that were answered S or F.
    pub acknowledged: AtomicUsize,
    /// Calls that were answered Unknown, or not at all.
    pub unknown: AtomicUsize,
}

/// A session that was asked for, Alipay+ with the answer's bytes.
struct Prepared {
    shop: usize,
    reference: String,
    answer: Option<Vec<u8>>,
}

/// A call that changes an agreement and whose end is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    Apply,
    Refresh,
    Cancel,
}

#[derive(Debug, Clone)]
struct Agreement {
    /// In which it got its newest tokens, or lost them.
    round: usize,
    shop: usize,
    user: usize,
    reference: String,
    code: String,
    tokens: Vec<Tokens>,
    pending: Pending,
    canceled: bool,
}

/// A refund of a part, with the wallet's id of it once that was acknowledged.
struct Refund {
    id: String,
    value: u64,
    acknowledged: Option<String>,
}

/// A payment, its end if one was acknowledged, and what went back of it.
struct Debit {
    shop: usize,
    user: usize,
    bill: Bill,
    token: String,
    /// S with the paymentId, or F with the code.
    end: Option<(char, String)>,
    refunds: Vec<Refund>,
    /// Was a cancel of it asked for? Acknowledged?
    cancel: Option<bool>,
}

/// What came of the calls.
#[derive(Default)]
pub struct Record {
    prepared: Vec<Prepared>,
    undecided: Vec<(String, usize)>,
    agreements: Vec<Agreement>,
    debits: Vec<Debit>,
}

#[track_caller]
fn end_of(said: &Heard) -> (char, String) {
    match (said.status.as_str(), said.code.as_str()) {
        ("S", "SUCCESS") => ('S', said.body["paymentId"].as_str().expect("an id").to_owned()),
        ("F", code @ "USER_BALANCE_NOT_ENOUGH") => ('F', code.to_owned()),
        _ => panic!("{}", said.body),
    }
}

impl World {
    /// The house and its further nodes, at the house's time.
    pub async fn new(round: usize, house: &House, more: &[&Node], boxes: [String; 2]) -> World {
        let own = std::iter::once(house.url.as_str());
        let urls = own.chain(more.iter().map(|node| node.url.as_str()));
        let shops = |url: &str| ["qi2", "alipayPlus2"].map(|who| house.shop(who).at(url));
        World {
            round,
            time: house.now().await,
            nodes: urls.map(|url| (url.to_owned(), shops(url))).collect(),
            boxes,
            users: house.file.users.iter().map(|user| (user.login_id.clone(), user.pin.clone())).collect(),
            sign_ins: house.file.users.iter().map(|_| Semaphore::new(2)).collect(),
            stop: AtomicBool::new(false),
            until_lost: false,
            acknowledged: AtomicUsize::new(0),
            unknown: AtomicUsize::new(0),
        }
    }

    /// The same, whose tasks end at the first call without an end.
    pub fn until_lost(self) -> World {
        World { until_lost: true, ..self }
    }

    /// Starts so many tasks that call until [`World::stop`]. They take over agreements of earlier rounds.
    pub fn start(self: &Arc<World>, tasks: usize, seed: u64, before: &mut Record) -> Tasks {
        let mut set = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let dice = Dice(seed ^ ((self.round * 1_000 + task + 1) as u64) << 32);
            let agreements = before.agreements.pop().into_iter().collect();
            set.spawn(self.clone().work(task, dice, Record { agreements, ..Record::default() }));
        }
        Tasks(set)
    }

    fn count(&self, known: bool) {
        let counter = if known { &self.acknowledged } else { &self.unknown };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn any_node(&self, dice: &mut Dice) -> usize {
        dice.roll(self.nodes.len() as u64) as usize
    }

    /// Calls a node. Nothing: the end is not known.
    async fn call(&self, node: usize, shop: usize, operation: &str, body: &Value) -> Option<Heard> {
        let (_, shops) = &self.nodes[node % self.nodes.len()];
        let said = shops[shop].try_call(operation, body, &self.time).await.filter(|said| said.status != "U");
        self.count(said.is_some());
        said
    }

    async fn decide(&self, node: usize, auth_id: &str, user: usize) -> Option<(u16, String)> {
        let (login, pin) = &self.users[user];
        let _permit = self.sign_ins[user].acquire().await.expect("never closed");
        let body = json!({ "authId": auth_id, "loginId": login, "pin": pin, "decision": "approve" });
        let head = "POST /sandbox/decide HTTP/1.1\r\nContent-Type: application/json";
        let url = &self.nodes[node % self.nodes.len()].0;
        let said = http(url, head, &body.to_string()).await.filter(|(status, _)| *status < 500);
        self.count(said.is_some());
        said
    }

    fn shop(&self, shop: usize) -> &Shop {
        &self.nodes[0].1[shop]
    }

    fn prepare_body(&self, shop: usize, reference: &str) -> Value {
        self.shop(shop).prepare_body(reference, Some(&format!("{}/auth/{reference}", self.boxes[shop])))
    }

    fn refund_body(&self, debit: &Debit, refund: &Refund) -> Value {
        let payment = debit.end.as_ref().map(|end| end.1.clone());
        let mut body = self.shop(debit.shop).inquiry_body(&debit.bill.id);
        body["paymentId"] = json!(payment);
        body["refundRequestId"] = json!(refund.id);
        body["refundAmount"] = json!({ "currency": "IQD", "value": refund.value.to_string() });
        body
    }

    /// prepare, decide, applyToken; ends where an end is not known.
    async fn agree(
        &self,
        node: usize,
        shop: usize,
        user: usize,
        reference: String,
        record: &mut Record,
    ) -> Option<()> {
        let said = self.call(node, shop, "prepare", &self.prepare_body(shop, &reference)).await;
        let answer = said.as_ref().map(|said| said.raw.clone());
        record.prepared.push(Prepared { shop, reference: reference.clone(), answer });
        let said = said?;
        said.is("S SUCCESS");
        let id = auth_id(&said.body);
        let Some((status, said)) = self.decide(node + 1, &id, user).await else {
            record.undecided.push((id, user));
            return None;
        };
        assert_eq!(status, 200, "{said}");
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let code = said["authCode"].as_str().expect("a code").to_owned();
        record.agreements.push(Agreement {
            round: self.round,
            shop,
            user,
            reference,
            code,
            tokens: Vec::new(),
            pending: Pending::Apply,
            canceled: false,
        });
        let agreement = record.agreements.last_mut()?;
        let said = self.call(node, shop, "applyToken", &self.shop(shop).apply_body(&agreement.code)).await?;
        said.is("S SUCCESS");
        (agreement.tokens, agreement.pending) = (vec![said.tokens()], Pending::Nothing);
        Some(())
    }

    /// A new payment, one time in four asked for at two nodes at once.
    async fn pay(&self, id: String, agreement: &Agreement, dice: &mut Dice) -> Debit {
        let (shop, user) = (agreement.shop, agreement.user);
        let bill = Bill::new(&id, "IQD", 100 + dice.roll(9_900));
        let bill = bill.notify(&format!("{}/pay/{id}", self.boxes[shop]));
        let token = agreement.tokens.last().expect("tokens").access.clone();
        let body = self.shop(shop).pay_body(&bill, &token);
        let node = self.any_node(dice);
        let pay = |node| self.call(node, shop, "pay", &body);
        let said = match dice.roll(4) {
            0 => <[_; 2]>::from(tokio::join!(pay(node), pay(node + 1))),
            _ => [pay(node).await, None],
        };
        let ends: Vec<_> = said.iter().flatten().map(end_of).collect();
        assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}");
        Debit { shop, user, bill, token, end: ends.first().cloned(), refunds: Vec::new(), cancel: None }
    }

    /// Calls until it is told to stop.
    async fn work(self: Arc<World>, task: usize, mut dice: Dice, mut record: Record) -> Record {
        for number in 0.. {
            let ended = self.until_lost && self.unknown.load(Ordering::Relaxed) > 0;
            if ended || self.stop.load(Ordering::Relaxed) {
                return record;
            }
            let (id, node) = (format!("r{}-t{task}-{number}", self.round), self.any_node(&mut dice));
            let live: Vec<usize> = (0..record.agreements.len())
                .filter(|at| {
                    let one = &record.agreements[*at];
                    !one.canceled && one.pending == Pending::Nothing
                })
                .collect();
            if live.is_empty() || dice.roll(40) == 0 {
                let (shop, user) = ((task + number) % 2, USERS[(dice.roll(8) / 3) as usize]);
                self.agree(node, shop, user, id, &mut record).await;
                continue;
            }
            let agreement = &mut record.agreements[live[dice.roll(live.len() as u64) as usize]];
            match dice.roll(23) {
                0..=11 => record.debits.push(self.pay(id, agreement, &mut dice).await),
                12..=14 => self.refund(node, id, &mut record.debits, &mut dice).await,
                15 => self.cancel_payment(node, &mut record.debits, &mut dice).await,
                16..=18 => self.inquire(node, &record.debits, &mut dice).await,
                19..=20 => self.change(node, agreement, dice.roll(2) > 0).await,
                // A payment while its token is replaced.
                _ => {
                    let (mut renewed, newest) = (agreement.clone(), &*agreement);
                    let (debit, ()) =
                        tokio::join!(self.pay(id, newest, &mut dice), self.change(node, &mut renewed, true));
                    record.debits.push(debit);
                    *agreement = renewed;
                }
            }
        }
        record
    }

    /// Refreshes the tokens of an agreement, or cancels them.
    async fn change(&self, node: usize, agreement: &mut Agreement, refresh: bool) {
        let (shop, newest) = (self.shop(agreement.shop), agreement.tokens.last().expect("tokens").clone());
        let (operation, body, pending) = match refresh {
            true => ("applyToken", shop.refresh_body(&newest.refresh), Pending::Refresh),
            false => ("cancelToken", shop.cancel_body(&newest.access), Pending::Cancel),
        };
        let Some(said) = self.call(node, agreement.shop, operation, &body).await else {
            agreement.pending = pending;
            return;
        };
        said.is("S SUCCESS");
        agreement.round = self.round;
        match refresh {
            true => agreement.tokens.push(said.tokens()),
            false => agreement.canceled = true,
        }
    }

    /// One of the payments that were made and are not cancelled.
    fn one_made<'d>(debits: &'d mut [Debit], dice: &mut Dice) -> Option<&'d mut Debit> {
        let mut made: Vec<&mut Debit> = debits
            .iter_mut()
            .filter(|debit| debit.cancel.is_none() && debit.end.as_ref().is_some_and(|end| end.0 == 'S'))
            .collect();
        (!made.is_empty()).then(|| made.swap_remove(dice.roll(made.len() as u64) as usize))
    }

    async fn refund(&self, node: usize, id: String, debits: &mut [Debit], dice: &mut Dice) {
        let Some(debit) = World::one_made(debits, dice) else { return };
        let left = debit.bill.value - debit.refunds.iter().map(|refund| refund.value).sum::<u64>();
        if left == 0 {
            return;
        }
        let mut refund = Refund { id, value: 1 + dice.roll(left), acknowledged: None };
        if let Some(said) = self.call(node, debit.shop, "refund", &self.refund_body(debit, &refund)).await {
            said.is("S SUCCESS");
            refund.acknowledged = Some(said.body["refundId"].as_str().expect("an id").to_owned());
        }
        debit.refunds.push(refund);
    }

    /// Alipay+ alone knows cancelPayment. A refund whose end is not known comes first.
    async fn cancel_payment(&self, node: usize, debits: &mut [Debit], dice: &mut Dice) {
        let Some(debit) = World::one_made(debits, dice) else { return };
        let clear = debit.refunds.iter().all(|refund| refund.acknowledged.is_some());
        if !clear || self.shop(debit.shop).kind != DialectKind::AlipayPlus {
            return;
        }
        let body = self.shop(debit.shop).inquiry_body(&debit.bill.id);
        let said = self.call(node, debit.shop, "cancelPayment", &body).await;
        if let Some(said) = &said {
            said.is("S SUCCESS");
        }
        debit.cancel = Some(said.is_some());
    }

    async fn inquire(&self, node: usize, debits: &[Debit], dice: &mut Dice) {
        let known: Vec<&Debit> =
            debits.iter().filter(|debit| debit.cancel.is_none() && debit.end.is_some()).collect();
        if known.is_empty() {
            return;
        }
        let debit = known[dice.roll(known.len() as u64) as usize];
        let shop = self.shop(debit.shop);
        let said = self.call(node, debit.shop, "inquiryPayment", &shop.inquiry_body(&debit.bill.id)).await;
        if let Some(said) = said {
            let end = debit.end.as_ref().map(|end| end.0);
            assert_eq!(shop.standing(&said), end, "{} was acknowledged: {}", debit.bill.id, said.body);
        }
    }

    /// Has that node acknowledged a debit by now? Asks with new ones until it has.
    pub async fn serves(&self, house: &House, node: usize, tokens: &Tokens, record: &mut Record) {
        let mut number = 0;
        house
            .eventually("service", async || {
                number += 1;
                let id = format!("r{}-n{node}-{number}", self.round);
                let bill = Bill::new(&id, "IQD", 1).notify(&format!("{}/pay/{id}", self.boxes[0]));
                let body = self.shop(0).pay_body(&bill, &tokens.access);
                let end = self.call(node, 0, "pay", &body).await.map(|said| end_of(&said));
                let made = end.is_some();
                let (token, refunds) = (tokens.access.clone(), Vec::new());
                record.debits.push(Debit { shop: 0, user: 0, bill, token, end, refunds, cancel: None });
                made.then_some(())
            })
            .await;
    }
}

/// Tasks under way.
pub struct Tasks(tokio::task::JoinSet<Record>);

impl Tasks {
    /// Tells them to stop, and waits for what they have to tell.
    pub async fn stop(mut self, world: &World) -> Record {
        world.stop.store(true, Ordering::Relaxed);
        let mut record = Record::default();
        while let Some(ended) = self.0.join_next().await {
            record.absorb(ended.expect("a task that ends well"));
        }
        record
    }
}

impl Record {
    /// Adds what another one has.
    pub fn absorb(&mut self, other: Record) {
        self.prepared.extend(other.prepared);
        self.undecided.extend(other.undecided);
        self.agreements.extend(other.agreements);
        self.debits.extend(other.debits);
    }
}
