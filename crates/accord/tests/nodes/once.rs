//! 64 callers at one moment, spread over three nodes: each gets the same answer, and it happens once.
//!
//! A few rounds are under way at a time. What callers repeat is signed once: the signature is the same for each.

use crate::house::mailbox::{Letter, Mailbox, Manner};
use crate::house::nodes::Nodes;
use crate::house::shop::{Bill, Heard, Shop, auth_id};
use crate::house::{Tokens, attempts};
use crate::rounds;
use accord_client::Verification;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Barrier;

const CALLERS: usize = 64;
const NODES: usize = 3;
const SHOPS: [&str; 2] = ["qi2", "alipayPlus2"];

/// The nodes, and each client once for each of them.
struct Stage {
    nodes: Nodes,
    shops: [Vec<Shop>; 2],
    turn: AtomicUsize,
}

impl Stage {
    fn open(name: &str) -> Option<Stage> {
        let nodes = Nodes::open(name, NODES)?;
        let shops = SHOPS.map(|who| nodes.shops(who));
        Some(Stage { nodes, shops, turn: AtomicUsize::new(0) })
    }

    /// A client, at the node whose turn it is.
    fn shop(&self, who: usize) -> &Shop {
        &self.shops[who][self.turn.fetch_add(1, Ordering::Relaxed) % NODES]
    }

    /// All callers at once, each at the next node; the one answer that all of them got.
    async fn all_at_once(&self, who: usize, operation: &str, body: &Value) -> Heard {
        let time = self.nodes.house.now().await;
        let request = Arc::new(self.shops[who][0].sign(operation, body, &time));
        let (mut calls, start) = (tokio::task::JoinSet::new(), Arc::new(Barrier::new(CALLERS)));
        for caller in 0..CALLERS {
            let (shop, request) = (self.shops[who][caller % NODES].clone(), request.clone());
            let start = start.clone();
            calls.spawn(async move {
                start.wait().await;
                shop.try_send(&request).await.expect("an answer")
            });
        }
        let answers = calls.join_all().await;
        assert_eq!(answers.len(), CALLERS);
        let first = answers.first().expect("an answer");
        for answer in &answers {
            assert_eq!(answer.body, first.body, "callers were told different things");
        }
        first.is("S SUCCESS");
        first.clone()
    }

    /// An agreement whose code nobody has redeemed: prepared at one node, decided at the next.
    async fn code(&self, who: usize, reference: &str, notify: Option<&str>) -> String {
        let id = self.shop(who).prepare(reference, notify).await;
        self.nodes.house.approve_at(&self.nodes.next(), &id, 0).await
    }

    async fn tokens(&self, who: usize, reference: &str) -> Tokens {
        let code = self.code(who, reference, None).await;
        let said = self.shop(who).apply(&code).await;
        said.is("S SUCCESS");
        said.tokens()
    }

    fn count(&self, statement: &str) -> i64 {
        self.nodes.count(statement)
    }
}

/// Plays so many rounds, four at a time.
async fn play(rounds: usize, round: impl AsyncFn(usize)) {
    let next = AtomicUsize::new(0);
    let lane = async || {
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && number < rounds
        {
            round(number).await;
        }
    };
    tokio::join!(lane(), lane(), lane(), lane());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_buys_one_pair_of_tokens_on_all_nodes_together() {
    let Some(stage) = Stage::open("nodes-codes") else { return };
    let rounds = rounds(10, 500);
    play(rounds, async |round| {
        let who = round % 2;
        let code = stage.code(who, &format!("code {round}"), None).await;
        stage.all_at_once(who, "applyToken", &stage.shops[who][0].apply_body(&code)).await;
    })
    .await;
    assert_eq!(stage.count("SELECT count(*) FROM token_sets"), rounds as i64);
    assert_eq!(stage.count("SELECT count(*) FROM agreements"), rounds as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_has_one_successor_on_all_nodes_together() {
    let Some(stage) = Stage::open("nodes-refresh") else { return };
    let rounds = rounds(10, 500);
    play(rounds, async |round| {
        let who = round % 2;
        let first = stage.tokens(who, &format!("refresh {round}")).await;
        let body = stage.shops[who][0].refresh_body(&first.refresh);
        let next = stage.all_at_once(who, "applyToken", &body).await.tokens();
        assert_ne!(next, first);
    })
    .await;
    assert_eq!(stage.count("SELECT count(*) FROM token_sets"), 2 * rounds as i64);
    assert_eq!(stage.count("SELECT count(*) FROM token_sets WHERE replaced_at IS NULL"), rounds as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_request_debits_once_on_all_nodes_together() {
    let Some(stage) = Stage::open("nodes-pay") else { return };
    let before = stage.nodes.house.balance(0, "IQD").await;
    let access = [stage.tokens(0, "pay").await.access, stage.tokens(1, "pay").await.access];
    let rounds = rounds(10, 500);
    play(rounds, async |round| {
        let who = round % 2;
        let bill = Bill::new(&format!("order {round}"), "IQD", 3);
        let body = stage.shops[who][0].pay_body(&bill, &access[who]);
        stage.all_at_once(who, "pay", &body).await;
    })
    .await;
    assert_eq!(stage.count("SELECT count(*) FROM payments"), rounds as i64);
    assert_eq!(stage.count("SELECT count(*) FROM postings WHERE kind = 'debit'"), rounds as i64);
    assert_eq!(stage.nodes.house.balance(0, "IQD").await, before - 3 * rounds as i128);
    stage.nodes.verify_ledger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_opens_one_session_on_all_nodes_together() {
    let Some(stage) = Stage::open("nodes-prepare") else { return };
    let rounds = rounds(10, 500);
    let opened = Mutex::new(HashSet::new());
    play(rounds, async |round| {
        let body = stage.shops[1][0].prepare_body(&format!("prepare {round}"), None);
        let said = stage.all_at_once(1, "prepare", &body).await;
        opened.lock().expect("ids").insert(auth_id(&said.body));
    })
    .await;
    assert_eq!(opened.lock().expect("ids").len(), rounds);
    assert_eq!(stage.count("SELECT count(*) FROM sessions"), rounds as i64);
    assert_eq!(stage.count("SELECT count(*) FROM terms"), rounds as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_sent_once_while_all_nodes_are_well() {
    let Some(stage) = Stage::open("nodes-outbox") else { return };
    let nodes = &stage.nodes;
    let shop = &stage.shops[1][0];
    // Slow enough that other nodes find what is being sent.
    let mailbox = Mailbox::open(shop.receiver(), |_: &Letter| Manner::Slow(30)).await;
    let rounds = rounds(10, 500);
    play(rounds, async |round| {
        let url = format!("{}/auth/{}", mailbox.url, round % 7);
        let code = stage.code(1, &format!("outbox {round}"), Some(&url)).await;
        let access = stage.shop(1).apply(&code).await.tokens().access;
        // Several targets, each with several notices at a time.
        for number in 0..3 {
            let bill = Bill::new(&format!("order {round} {number}"), "IQD", 1);
            let bill = bill.notify(&format!("{}/pay/{number}?order={round}-{number}", mailbox.url));
            stage.shop(1).pay(&bill, &access).await.is("S SUCCESS");
        }
    })
    .await;
    let pending = "SELECT count(*) FROM notifications WHERE state = 'pending'";
    nodes.house.eventually("an empty outbox", async || (nodes.count(pending) == 0).then_some(())).await;

    let mut arrived: HashMap<(String, Vec<u8>), usize> = HashMap::new();
    for letter in mailbox.letters() {
        assert_eq!(letter.received.verified, Verification::Verified);
        *arrived.entry((letter.target.clone(), letter.body.clone())).or_default() += 1;
    }
    let doubled: Vec<_> = arrived.iter().filter(|(_, count)| **count != 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    // A notice of a code may be moot before it is sent; every other is sent.
    let moot = nodes.count("SELECT count(*) FROM notifications WHERE state = 'moot'");
    let written = nodes.count("SELECT count(*) FROM notifications");
    assert_eq!(arrived.len() as i64, written - moot);
    assert!(written >= 4 * rounds as i64, "{written}");
    assert_eq!(nodes.count("SELECT count(*) FROM attempts"), written - moot);
    for one in nodes.house.notifications().await {
        assert!(attempts(&one).len() <= 1, "{one}");
    }
}
