//! The agreed number of calls a second is one for all nodes together.

use crate::house::nodes::Nodes;
use crate::house::support::{On, run};
use crate::rounds;
use accord_core::Timestamp;
use accord_core::client::{Client, ClientStatus};
use accord_core::ids::{ClientId, DialectName};
use accord_server::limits::{CallLimits, Permit};
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl};
use accord_testkit::postgres;
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

fn client(limit: u32) -> Client {
    Client {
        id: ClientId::new("SHOP"),
        dialect: DialectName::new("qi"),
        legal_name: "Shop".into(),
        display_name: "Shop".into(),
        status: ClientStatus::Active,
        agreement_pay: true,
        lenient: false,
        auth_notify_url: None,
        payment_notify_url: None,
        return_url: None,
        acquirers: Vec::new(),
        redirect_hosts: Vec::new(),
        rate_limit: Some(limit),
        created_at: Timestamp(0),
    }
}

/// Time stands still within a second, so that the machine's speed does not matter.
#[test]
fn in_a_second_that_stands_still_three_nodes_give_the_limit_within_a_tenth() {
    if !On::Postgres.is_there() {
        return;
    }
    let schema = postgres::fresh().expect("a server");
    let url = PostgresUrl::parse(&schema.url(), Path::new("/")).expect("a URL");
    let options = PostgresOptions { migrate: true, writers: 4, readers: 1, ..PostgresOptions::default() };
    let node = || {
        let store = PostgresStore::open(url.clone(), options.clone()).expect("a store");
        Arc::new((store, CallLimits::default()))
    };
    let nodes = [node(), node(), node()];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(seconds_that_stand_still(&nodes));
}

async fn seconds_that_stand_still(nodes: &[Arc<(PostgresStore, CallLimits)>; 3]) {
    for round in 0..rounds(5, 60) {
        let limit = [1, 7, 100, 400, 1_000][round % 5];
        let now = Timestamp(1_795_300_000_000 + round as i64 * 1_000);
        let mut callers = tokio::task::JoinSet::new();
        let given = Arc::new(AtomicUsize::new(0));
        // Each node has callers enough for the whole limit, and stops at the first refusal.
        for caller in 0..3 * 16 {
            let (node, client, given) = (nodes[caller % 3].clone(), client(limit), given.clone());
            callers.spawn(async move {
                loop {
                    match node.1.permit(&node.0, &client, || now).await {
                        Permit::Given => given.fetch_add(1, Ordering::Relaxed),
                        Permit::Over => return,
                        Permit::Unknown(fault) => panic!("{fault}"),
                    };
                }
            });
        }
        callers.join_all().await;
        assert_eq!(given.load(Ordering::Relaxed), limit as usize, "no node keeps what it can use");

        // A node that is asked once in a second, while the others are asked for everything.
        let now = Timestamp(now.0 + 500_000);
        let (mut given, client) = (0, client(limit));
        for turn in 0.. {
            let node = &nodes[if turn < 3 { turn } else { 2 }];
            match node.1.permit(&node.0, &client, || now).await {
                Permit::Given => given += 1,
                Permit::Over if turn < 3 => {}
                Permit::Over => break,
                Permit::Unknown(fault) => panic!("{fault}"),
            }
        }
        assert!(given <= limit && given >= limit - limit / 10, "{given} of {limit}");
    }
}

/// Real processes and real seconds. In none of them more is let through than agreed, whatever the machine's speed.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_let_a_client_through_as_often_as_one_would() {
    const LIMIT: i64 = 120;
    let Some(nodes) = Nodes::open("nodes-limits", 3) else { return };
    let shops = nodes.shops("qi2");
    let id = nodes.house.file.client("qi2").expect("a client").0.client_id.clone();
    let data = nodes.house.data();
    let args = ["client", "add", &id, "--data", data.to_str().expect("UTF-8"), "--rate-limit", "120"];
    run(&args).ends(0);
    // Each node looks for changed clients once a second.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let time = nodes.house.now().await;
    let second = |time: &str| accord_wire::time::parse_iso(time).expect("a time").div_euclid(1_000);
    let begun = second(&nodes.house.now().await);
    let (given, refused) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..24 {
        let (shop, time) = (shops[caller % 3].clone(), time.clone());
        let (given, refused) = (given.clone(), refused.clone());
        callers.spawn(async move {
            for _ in 0..rounds(60, 600) {
                let said = shop.try_call("inquiryPayment", &json!({ "paymentRequestId": "x" }), &time).await;
                match said.expect("an answer").code.as_str() {
                    "ORDER_NOT_EXIST" => given.fetch_add(1, Ordering::Relaxed),
                    "REQUEST_TRAFFIC_EXCEED_LIMIT" => refused.fetch_add(1, Ordering::Relaxed),
                    other => panic!("{other}"),
                };
            }
        });
    }
    callers.join_all().await;
    let seconds = second(&nodes.house.now().await) - begun + 1;
    let (given, refused) = (given.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    println!("{given} given and {refused} refused in {seconds} seconds that were touched");
    assert!(given <= LIMIT * seconds, "{given} in {seconds} seconds");
    // A call is refused when all of its second is given away, but for what nodes keep: a tenth at most.
    assert!(refused == 0 || given >= LIMIT - LIMIT / 10, "{given} given, {refused} refused");
    let all: HashMap<i64, i64> = nodes
        .sql("SELECT time_window, taken FROM call_quotas")
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(window, taken)| (window.parse().expect("a window"), taken.parse().expect("a number")))
        .collect();
    assert_eq!(all.len(), 1, "one row for a client: {all:?}");
    assert!(all.values().all(|taken| *taken <= LIMIT), "{all:?}");
}
