//! What becomes of the calls of a load once everything is well again: the audit, the books, the notices.

use super::super::mailbox::{Letter, Mailbox, Manner};
use super::super::shop::Bill;
use super::super::support::run;
use super::super::{House, Tokens};
use super::{Debit, Pending, Record, USERS, World, end_of};
use accord_client::{DialectKind, Verification};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::Ordering;

/// What a round came to, for people.
pub struct Told {
    pub debits: usize,
    /// Calls whose end was not known.
    pub unknown: usize,
    /// Payments among them that had been made.
    pub made: usize,
}

impl Record {
    /// Looks after everything that was told, and asks for the rest again, as a caller would.
    pub async fn audit(&mut self, world: &World) -> Told {
        let again = async |shop: usize, operation: &str, body: &Value| {
            let said = world.call(1, shop, operation, body).await;
            said.unwrap_or_else(|| panic!("no end of {operation} {body}"))
        };
        for one in self.prepared.drain(..) {
            let body = world.prepare_body(one.shop, &one.reference);
            let first = again(one.shop, "prepare", &body).await;
            first.is("S SUCCESS");
            if world.shop(one.shop).kind == DialectKind::AlipayPlus {
                let expected = one.answer.as_ref().unwrap_or(&first.raw);
                let second = again(one.shop, "prepare", &body).await;
                assert!(first.raw == *expected && second.raw == *expected, "{}", first.body);
            }
        }
        for (id, user) in self.undecided.drain(..) {
            let (status, said) = world.decide(0, &id, user).await.expect("an answer");
            assert!(status == 200 || status == 409, "{said}");
        }
        let (unknown, mut made) = (world.unknown.load(Ordering::Relaxed), 0);
        let mut never = Vec::new();
        for debit in &mut self.debits {
            let shop = world.shop(debit.shop);
            if debit.end.is_none() {
                let said = again(debit.shop, "inquiryPayment", &shop.inquiry_body(&debit.bill.id)).await;
                let before = shop.standing(&said);
                made += usize::from(before.is_some());
                let said = again(debit.shop, "pay", &shop.pay_body(&debit.bill, &debit.token)).await;
                if before.is_none() && matches!(said.code.as_str(), "INVALID_ACCESS_TOKEN" | "INVALID_TOKEN")
                {
                    // It was never made, and its token has been replaced or cancelled since.
                    never.push(debit.bill.id.clone());
                    continue;
                }
                let end = end_of(&said);
                assert!(before.is_none_or(|before| before == end.0), "{}: {before:?}", debit.bill.id);
                debit.end = Some(end);
            } else if debit.cancel.is_none() {
                // Told once, told for ever.
                let said = again(debit.shop, "pay", &shop.pay_body(&debit.bill, &debit.token)).await;
                assert_eq!(debit.end, Some(end_of(&said)), "{}", debit.bill.id);
            }
            for at in 0..debit.refunds.len() {
                let said = again(debit.shop, "refund", &world.refund_body(debit, &debit.refunds[at])).await;
                said.is("S SUCCESS");
                let id = said.body["refundId"].as_str().expect("an id").to_owned();
                let known = debit.refunds[at].acknowledged.get_or_insert_with(|| id.clone());
                assert_eq!(*known, id, "{}", said.body);
            }
            if let Some(acknowledged) = &mut debit.cancel {
                again(debit.shop, "cancelPayment", &shop.inquiry_body(&debit.bill.id)).await.is("S SUCCESS");
                *acknowledged = true;
            }
        }
        self.debits.retain(|debit| !never.contains(&debit.bill.id));
        for (number, agreement) in self.agreements.iter_mut().enumerate() {
            let shop = world.shop(agreement.shop);
            let this_round = agreement.round == world.round;
            if agreement.canceled && !this_round {
                continue;
            }
            let code = again(agreement.shop, "applyToken", &shop.apply_body(&agreement.code)).await;
            match (agreement.pending, agreement.tokens.as_slice()) {
                (Pending::Apply, _) => {
                    code.is("S SUCCESS");
                    agreement.tokens.push(code.tokens());
                }
                // The refresh or the cancellation may have happened.
                (Pending::Refresh | Pending::Cancel, _) => {}
                (Pending::Nothing, [only]) if this_round && !agreement.canceled => {
                    assert_eq!(code.tokens(), *only);
                }
                // Later rounds may come behind the code's life.
                (Pending::Nothing, [only]) if !agreement.canceled && code.status == "S" => {
                    assert_eq!(code.tokens(), *only);
                }
                (Pending::Nothing, _) => code.is("F USED_CODE"),
            }
            let refresh = async |tokens: &Tokens| {
                let said = again(agreement.shop, "applyToken", &shop.refresh_body(&tokens.refresh)).await;
                said.is("S SUCCESS");
                said.tokens()
            };
            let newest = agreement.tokens.last().expect("tokens").clone();
            match (agreement.pending, agreement.tokens.as_slice()) {
                (Pending::Refresh, _) => {
                    let next = refresh(&newest).await;
                    assert_eq!(refresh(&newest).await, next);
                    agreement.tokens.push(next);
                }
                (Pending::Cancel, _) => {
                    let body = shop.cancel_body(&newest.access);
                    again(agreement.shop, "cancelToken", &body).await.is("S SUCCESS");
                    agreement.canceled = true;
                }
                (_, [.., before, newest]) if this_round && !agreement.canceled => {
                    assert_eq!(refresh(before).await, *newest);
                }
                _ => {}
            }
            agreement.pending = Pending::Nothing;
            // The newest tokens pay, unless their end was acknowledged.
            let newest = agreement.tokens.last().expect("tokens").clone();
            let id = format!("r{}-a{number}", world.round);
            let bill = Bill::new(&id, "IQD", 100);
            let bill = bill.notify(&format!("{}/pay/{id}", world.boxes[agreement.shop]));
            let said = again(agreement.shop, "pay", &shop.pay_body(&bill, &newest.access)).await;
            match (agreement.canceled, shop.kind) {
                (true, DialectKind::Qi) => said.is("F INVALID_ACCESS_TOKEN"),
                (true, DialectKind::AlipayPlus) => said.is("F INVALID_TOKEN"),
                (false, _) => {
                    let (shop, user, token) = (agreement.shop, agreement.user, newest.access);
                    let (end, refunds) = (Some(end_of(&said)), Vec::new());
                    self.debits.push(Debit { shop, user, bill, token, end, refunds, cancel: None });
                }
            }
        }
        self.recall(world).await;
        Told { debits: self.debits.len(), unknown, made }
    }

    /// Every payment is as it was told, asked at each node in turn.
    pub async fn recall(&self, world: &World) {
        for (node, debit) in self.debits.iter().enumerate().filter(|(_, debit)| debit.cancel.is_none()) {
            let shop = world.shop(debit.shop);
            let said =
                world.call(node, debit.shop, "inquiryPayment", &shop.inquiry_body(&debit.bill.id)).await;
            let said = said.unwrap_or_else(|| panic!("{}: no answer", debit.bill.id));
            let (status, id) = debit.end.as_ref().expect("an end");
            assert_eq!(shop.standing(&said), Some(*status), "{}", said.body);
            if *status == 'S' {
                assert_eq!(said.body["paymentId"], id.as_str());
            }
        }
    }

    /// Every user's money against all that was told, and the books against themselves.
    pub async fn check_books(&self, house: &House, opening: &BTreeMap<usize, i128>) {
        for (user, opening) in opening {
            let mine = self.debits.iter().filter(|debit| debit.user == *user);
            let made = mine.filter(|debit| debit.end.as_ref().is_some_and(|end| end.0 == 'S'));
            let kept = |debit: &Debit| match debit.cancel {
                Some(_) => 0,
                None => debit.bill.value - debit.refunds.iter().map(|refund| refund.value).sum::<u64>(),
            };
            let spent: i128 = made.map(|debit| i128::from(kept(debit))).sum();
            assert_eq!(house.balance(*user, "IQD").await, opening - spent, "user {user}");
        }
        let ends = self.debits.iter().filter_map(|debit| debit.end.as_ref()).filter(|end| end.0 == 'S');
        let mut ids: Vec<&String> = ends.map(|end| &end.1).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "two debits have one paymentId");
        let data = house.data();
        let said = run(&["ledger", "verify", "--data", data.to_str().expect("UTF-8"), "--json"]).ends(0);
        assert_eq!(said.json()["balanced"], true, "{}", said.out);
    }

    /// Moves the clock until nothing waits; then each debit has told its end, and nothing is stored twice. How many
    /// letters came again: a node that lost its store after sending one sends it again.
    pub async fn check_notices(&self, house: &House, boxes: &[Mailbox; 2]) -> usize {
        let mut all = Vec::new();
        for _ in 0..5 {
            house.advance(660).await;
            all = house.notifications().await;
            if all.iter().all(|one| one["state"] != "pending") {
                break;
            }
        }
        let mut stored: HashMap<String, usize> = HashMap::new();
        for one in &all {
            assert!(one["state"] == "delivered" || one["state"] == "moot", "{one}");
            *stored.entry(format!("{} {}", one["url"], one["type"])).or_default() += 1;
        }
        let url = |debit: &Debit| debit.bill.notify.clone().expect("a URL");
        for debit in &self.debits {
            let about = format!("\"{}\" ", url(debit));
            let kinds = stored.iter().filter(|(key, _)| key.starts_with(&about));
            assert!(kinds.clone().all(|(_, count)| *count == 1), "{:?}", kinds.collect::<Vec<_>>());
        }
        let (mut arrived, mut distinct): (HashMap<String, Vec<Letter>>, _) = (HashMap::new(), HashSet::new());
        let mut again = 0;
        for mailbox in boxes {
            for letter in mailbox.letters() {
                assert_eq!(letter.received.verified, Verification::Verified, "{letter:?}");
                again += usize::from(!distinct.insert((letter.target.clone(), letter.body.clone())));
                arrived.entry(format!("{}{}", mailbox.url, letter.target)).or_default().push(letter);
            }
        }
        for debit in &self.debits {
            let letters = arrived.get(&url(debit)).unwrap_or_else(|| panic!("{}: no notice", debit.bill.id));
            let (status, word) = debit.end.as_ref().expect("an end");
            for letter in letters {
                let body = letter.json();
                assert_eq!(body["paymentResult"]["resultStatus"], status.to_string(), "{body}");
                let told =
                    if *status == 'S' { &body["paymentId"] } else { &body["paymentResult"]["resultCode"] };
                assert_eq!(told, word.as_str(), "{body}");
                assert_eq!(letter.body, letters[0].body);
            }
        }
        for agreement in self.agreements.iter().filter(|agreement| agreement.shop == 1) {
            let letters = arrived.get(&format!("{}/auth/{}", boxes[1].url, agreement.reference));
            let told = |kind: &str, token: &str| {
                let mut letters = letters.into_iter().flatten();
                letters.any(|letter| letter.received.kind == kind && letter.text("accessToken") == token)
            };
            assert!(told("TOKEN_CREATED", &agreement.tokens[0].access), "{agreement:?}");
            let newest = &agreement.tokens.last().expect("tokens").access;
            assert_eq!(told("TOKEN_CANCELED", newest), agreement.canceled, "{agreement:?}");
        }
        println!("{} notices stored, {again} letters came again", all.len());
        again
    }

    /// Each user has one message about each debit.
    pub fn check_inbox(&self, house: &House) {
        for user in USERS {
            let told = format!(
                "SELECT count(*) FROM inbox WHERE kind = 'debit' AND customer = '{}'",
                house.file.users[user].customer_id
            );
            let mine = self.debits.iter().filter(|debit| debit.user == user).count();
            assert_eq!(house.store().count(&told), mine as i64, "user {user}");
        }
    }

    /// How many debits were made.
    pub fn made(&self) -> usize {
        let made = |debit: &&Debit| debit.end.as_ref().is_some_and(|end| end.0 == 'S');
        self.debits.iter().filter(made).count()
    }

    /// The money that each user of the load begins with.
    pub async fn opening(house: &House) -> BTreeMap<usize, i128> {
        let mut opening = BTreeMap::new();
        for user in USERS {
            opening.insert(user, house.balance(user, "IQD").await);
        }
        opening
    }
}

/// Receivers that acknowledge whatever comes.
pub async fn open_boxes(house: &House) -> [Mailbox; 2] {
    let open = async |who| Mailbox::open(house.shop(who).receiver(), |_| Manner::Sign).await;
    [open("qi2").await, open("alipayPlus2").await]
}
