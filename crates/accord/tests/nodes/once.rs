//! 64 callers at one moment, spread over three nodes: each gets the same answer, and it happens once.

use crate::house::mailbox::{Letter, Mailbox, Manner};
use crate::house::nodes::Nodes;
use crate::house::shop::{Bill, Heard, Shop, auth_id};
use crate::house::{Tokens, attempts};
use crate::rounds;
use accord_client::Verification;
use serde_json::Value;
use std::collections::HashMap;

const CALLERS: usize = 64;
const NODES: usize = 3;
const SHOPS: [&str; 2] = ["qi2", "alipayPlus2"];

/// All callers at once, each at the next node; the one answer that all of them got.
async fn all_at_once(shops: &[Shop], time: &str, operation: &str, body: &Value) -> Heard {
    let mut calls = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (shop, operation) = (shops[caller % shops.len()].clone(), operation.to_owned());
        let (body, time) = (body.clone(), time.to_owned());
        calls.spawn(async move { shop.try_call(&operation, &body, &time).await.expect("an answer") });
    }
    let answers = calls.join_all().await;
    let first = answers.first().expect("an answer");
    for answer in &answers {
        assert_eq!(answer.body, first.body, "callers were told different things");
    }
    first.is("S SUCCESS");
    first.clone()
}

/// An agreement whose code nobody has redeemed: prepared at one node, decided at the next.
async fn code(nodes: &Nodes, shop: &Shop, reference: &str, notify: Option<&str>) -> String {
    let id = shop.at(&nodes.next()).prepare(reference, notify).await;
    nodes.house.approve_at(&nodes.next(), &id, 0).await
}

async fn tokens(nodes: &Nodes, shop: &Shop, reference: &str) -> Tokens {
    let code = code(nodes, shop, reference, None).await;
    let said = shop.at(&nodes.next()).apply(&code).await;
    said.is("S SUCCESS");
    said.tokens()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_buys_one_pair_of_tokens_on_all_nodes_together() {
    let Some(nodes) = Nodes::open("nodes-codes", NODES) else { return };
    let rounds = rounds(10, 500);
    for round in 0..rounds {
        let shops = nodes.shops(SHOPS[round % 2]);
        let code = code(&nodes, &shops[0], &format!("code {round}"), None).await;
        let time = nodes.house.now().await;
        all_at_once(&shops, &time, "applyToken", &shops[0].apply_body(&code)).await;
    }
    assert_eq!(nodes.count("SELECT count(*) FROM token_sets"), rounds as i64);
    assert_eq!(nodes.count("SELECT count(*) FROM agreements"), rounds as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_has_one_successor_on_all_nodes_together() {
    let Some(nodes) = Nodes::open("nodes-refresh", NODES) else { return };
    let rounds = rounds(10, 500);
    for round in 0..rounds {
        let shops = nodes.shops(SHOPS[round % 2]);
        let first = tokens(&nodes, &shops[0], &format!("refresh {round}")).await;
        let time = nodes.house.now().await;
        let body = shops[0].refresh_body(&first.refresh);
        let next = all_at_once(&shops, &time, "applyToken", &body).await.tokens();
        assert_ne!(next, first);
    }
    assert_eq!(nodes.count("SELECT count(*) FROM token_sets"), 2 * rounds as i64);
    assert_eq!(nodes.count("SELECT count(*) FROM token_sets WHERE replaced_at IS NULL"), rounds as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_request_debits_once_on_all_nodes_together() {
    let Some(nodes) = Nodes::open("nodes-pay", NODES) else { return };
    let before = nodes.house.balance(0, "IQD").await;
    let mut access = Vec::new();
    for who in SHOPS {
        let shops = nodes.shops(who);
        access.push(tokens(&nodes, &shops[0], "pay").await.access);
    }
    let rounds = rounds(10, 500);
    for round in 0..rounds {
        let shops = nodes.shops(SHOPS[round % 2]);
        let bill = Bill::new(&format!("order {round}"), "IQD", 3);
        let body = shops[0].pay_body(&bill, &access[round % 2]);
        let time = nodes.house.now().await;
        all_at_once(&shops, &time, "pay", &body).await;
    }
    assert_eq!(nodes.count("SELECT count(*) FROM payments"), rounds as i64);
    assert_eq!(nodes.count("SELECT count(*) FROM postings WHERE kind = 'debit'"), rounds as i64);
    assert_eq!(nodes.house.balance(0, "IQD").await, before - 3 * rounds as i128);
    nodes.verify_ledger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_opens_one_session_on_all_nodes_together() {
    let Some(nodes) = Nodes::open("nodes-prepare", NODES) else { return };
    let shops = nodes.shops("alipayPlus2");
    let rounds = rounds(10, 500);
    let mut opened = std::collections::HashSet::new();
    for round in 0..rounds {
        let body = shops[0].prepare_body(&format!("prepare {round}"), None);
        let time = nodes.house.now().await;
        opened.insert(auth_id(&all_at_once(&shops, &time, "prepare", &body).await.body));
    }
    assert_eq!(opened.len(), rounds);
    assert_eq!(nodes.count("SELECT count(*) FROM sessions"), rounds as i64);
    assert_eq!(nodes.count("SELECT count(*) FROM terms"), rounds as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_sent_once_while_all_nodes_are_well() {
    let Some(nodes) = Nodes::open("nodes-outbox", NODES) else { return };
    let shop = nodes.house.shop("alipayPlus2");
    // Slow enough that other nodes find what is being sent.
    let mailbox = Mailbox::open(shop.receiver(), |_: &Letter| Manner::Slow(30)).await;
    let rounds = rounds(10, 500);
    for round in 0..rounds {
        let url = format!("{}/auth/{}", mailbox.url, round % 7);
        let code = code(&nodes, &shop, &format!("outbox {round}"), Some(&url)).await;
        let access = shop.at(&nodes.next()).apply(&code).await.tokens().access;
        // Several targets, each with several notices at a time.
        for number in 0..3 {
            let bill = Bill::new(&format!("order {round} {number}"), "IQD", 1);
            let bill = bill.notify(&format!("{}/pay/{number}?order={round}-{number}", mailbox.url));
            shop.at(&nodes.next()).pay(&bill, &access).await.is("S SUCCESS");
        }
    }
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
