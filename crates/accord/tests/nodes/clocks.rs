//! Nodes whose own clocks are wrong, and a sandbox's clock that is moved.

use crate::house::mailbox::{Letter, Mailbox, Manner};
use crate::house::nodes::Nodes;
use crate::house::shop::Bill;
use crate::house::support::{self, Scratch, accord, body, get};
use crate::house::{attempts, millis};
use crate::rounds;
use serde_json::{Value, json};

const SKEW: &str = "ACCORD_SANDBOX_CLOCK_SKEW_MS";
const HOUR_MS: i64 = 3_600_000;
const DATABASE_TIME: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

fn time_at(url: &str) -> i64 {
    millis(&body(&get(url, "/sandbox/clock"))["now"])
}

#[test]
fn nodes_with_wrong_clocks_go_by_the_databases_and_are_not_ready() {
    let Some(nodes) = Nodes::open("nodes-clocks", 1) else { return };
    for (skew, said) in [(HOUR_MS, "s ahead of the database's"), (-2_500, "s behind the database's")] {
        let skew = skew.to_string();
        let node = nodes.beside_them(&[(SKEW, &skew)]);
        let url = &node.url;
        let before = nodes.count(DATABASE_TIME);
        let now = time_at(url);
        let after = nodes.count(DATABASE_TIME);
        // Off by half of a round trip at most; the wrong clocks are much farther off.
        assert!((before - 1_000..=after + 1_000).contains(&now), "{before} {now} {after}");

        let ready = get(url, "/health/ready");
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains(said), "{ready}");
        let metrics = get(url, "/metrics");
        let told = metrics.lines().find_map(|line| line.strip_prefix("accord_clock_offset_seconds "));
        let told: f64 = told.expect("a metric").parse().expect("a number");
        assert_eq!(told > 2.0, skew == HOUR_MS.to_string(), "{told}");
        let logged = node.log();
        assert!(logged.contains("not ready: this machine's clock is"), "{logged}");

        let data = nodes.house.data();
        let args = ["doctor", "--data", data.to_str().expect("UTF-8")];
        let doctor = accord().args(args).env(SKEW, &skew).output().expect("a doctor");
        let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(!doctor.status.success() && found.contains(said), "{found}");
    }
    // A second either way is nothing to worry about.
    let node = nodes.beside_them(&[(SKEW, "-1000")]);
    assert!(get(&node.url, "/health/ready").starts_with("HTTP/1.1 200"));
    assert!(get(&nodes.house.url, "/health/ready").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_real_wallet_does_not_start_with_a_clock_made_wrong() {
    let scratch = Scratch::new("skewed-serve");
    let example = support::run(&["config", "example"]).ends(0).out;
    let config = scratch.write("accord.toml", &example);
    // Whatever else its configuration lacks.
    let said = accord().args(["serve", "--config", &config]).env(SKEW, "5000").output().expect("an end");
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(2) && told.contains(SKEW), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_clock_is_moved_for_all_nodes_and_its_due_work_is_done_once() {
    let Some(nodes) = Nodes::open("nodes-moved", 3) else { return };
    let shop = nodes.house.shop("alipayPlus2");
    // Each notice fails until its third try.
    let mailbox = Mailbox::open(shop.receiver(), |_: &Letter| Manner::Status(500)).await;
    let access = nodes.house.agree(&shop, "moved", 0, None).await.access;
    for round in 0..rounds(3, 30) {
        let balance = nodes.house.balance(0, "IQD").await;
        let (running, notice) = (format!("running {round}"), format!("notice {round}"));
        let url = format!("{}/pay/{round}", mailbox.url);
        nodes
            .house
            .fault(json!({ "operation": "pay", "outcome": "U", "then": "success", "afterSeconds": 900 }))
            .await;
        shop.pay(&Bill::new(&running, "IQD", 50), &access).await.is("U PAYMENT_IN_PROCESS");
        shop.pay(&Bill::new(&notice, "IQD", 7).notify(&url), &access).await.is("S SUCCESS");
        nodes.house.tried(&url, 1).await;

        // An hour by one node: the schedule's tries at 2, 10, 10 minutes fall into it, the payment's end too.
        let mover = nodes.urls()[round % 3].clone();
        let moved = body(&support::post(&mover, "/sandbox/clock", r#"{"advanceSeconds":3000}"#));
        let goal = millis(&moved["now"]);
        for url in nodes.urls() {
            let there = async || (time_at(&url) >= goal).then_some(());
            nodes.house.eventually("a clock that follows", there).await;
        }
        assert_eq!(shop.at(&nodes.next()).inquire(&running).await, Some('S'));
        assert_eq!(nodes.house.balance(0, "IQD").await, balance - 57);
        let told: Value = nodes.house.notification(&url).await;
        let times: Vec<i64> = attempts(&told).iter().map(|attempt| millis(&attempt["time"])).collect();
        let delays: Vec<i64> = times.windows(2).map(|pair| (pair[1] - pair[0]) / 10_000).collect();
        assert_eq!(delays, [12, 60, 60], "{told}");
        assert_eq!(mailbox.letters_to(&format!("/pay/{round}")).len(), 4, "a try that nobody wrote down");
    }
    nodes.verify_ledger();
}
