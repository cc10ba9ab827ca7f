//! What was answered Unknown can be watched and decided: metrics, the list, a person's decision that the running server
//! carries out; payments and refunds.

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{On, Scratch, body, get, on_every_store, post, run, sandbox};

on_every_store!(what_is_unresolved_is_counted_listed_and_decided,);

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

#[track_caller]
fn call(data: &str, status: i32, example: &str, sets: &[String]) -> Value {
    let file = format!("{EXAMPLES}/{example}.json");
    let operation = example.rsplit('/').next().expect("an operation");
    let mut args = vec!["call", operation, "--sandbox", data, "--as", "qi", &file];
    for set in sets {
        args.extend(["--set", set]);
    }
    run(&args).ends(status).json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Waits until the metrics have these lines.
#[track_caller]
fn metrics(url: &str, lines: &[&str]) {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let said = get(url, "/metrics");
        if lines.iter().all(|line| said.contains(line)) {
            return;
        }
        assert!(Instant::now() < patience, "{lines:?} are not in {said}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn what_is_unresolved_is_counted_listed_and_decided(on: On) {
    let dir = Scratch::on("unresolved", on);
    let data = dir.file("data");
    let (_running, url) = sandbox(&dir, &[]);
    let prepared = call(&data, 0, "qi/prepare", &[]);
    let who = r#""loginId":"+9647701000001","pin":"135790""#;
    let request = format!(r#"{{"url":"{}",{who},"decision":"approve"}}"#, text(&prepared["authUrl"]));
    let decided = body(&post(&url, "/sandbox/decide", &request));
    let tokens = call(&data, 0, "qi/applyToken", &[format!("authCode={}", text(&decided["authCode"]))]);
    let token = format!("paymentAuthCode={}", text(&tokens["accessToken"]));
    let pay = |status: i32, order: &str| {
        call(&data, status, "qi/pay", &[token.clone(), format!("paymentRequestId={order}")])
    };
    let script = |body: Value| {
        let reply = post(&url, "/sandbox/faults", &body.to_string());
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    };
    let list = |more: &[&str]| -> Vec<Value> {
        let args = [&["payment", "unresolved", "--data", &data, "--json"][..], more].concat();
        run(&args).ends(0).json()["unresolved"].as_array().expect("rows").clone()
    };
    let balance = || {
        let user = body(&get(&url, "/sandbox/users/%2B9647701000001"));
        text(&user["balances"]["IQD"]).parse::<i64>().expect("a number")
    };
    metrics(&url, &[r#"accord_unresolved{kind="payment",dialect="qi"} 0"#]);

    let paid = pay(0, "whole");
    let before = balance();
    // One payment that nothing resolves, one that time does, and a refund that nothing resolves.
    script(json!({ "operation": "pay", "outcome": "U", "then": null }));
    pay(11, "stuck");
    script(json!({ "operation": "pay", "outcome": "U", "then": "success", "afterSeconds": 3600 }));
    pay(11, "later");
    script(json!({ "operation": "refund", "outcome": "U", "then": null }));
    let payment = format!("paymentId={}", text(&paid["paymentId"]));
    let sets = [payment, "paymentRequestId=whole".to_owned(), "refundRequestId=back".to_owned()];
    call(&data, 11, "qi/refund", &sets);
    assert_eq!(balance(), before, "nothing has reached or left the payer");
    metrics(
        &url,
        &[
            r#"accord_unresolved{kind="payment",dialect="qi"} 2"#,
            r#"accord_unresolved{kind="refund",dialect="qi"} 1"#,
            r#"accord_unresolved{kind="payment",dialect="alipay-plus"} 0"#,
        ],
    );
    let rows = list(&[]);
    let told: Vec<(String, String)> =
        rows.iter().map(|row| (text(&row["kind"]), text(&row["requestId"]))).collect();
    let expected = [("payment", "stuck"), ("payment", "later"), ("refund", "back")];
    assert_eq!(told, expected.map(|(kind, id)| (kind.to_owned(), id.to_owned())), "oldest first");
    assert_eq!((&rows[0]["resolvesAt"], &rows[1]["becomes"]), (&Value::Null, &json!("success")));
    assert_eq!(rows[0]["amount"]["currency"], "IQD");
    assert!(list(&["--older-than", "3000"]).is_empty());
    let plain = run(&["payment", "unresolved", "--data", &data]).ends(0).out;
    assert!(
        plain.contains("waits for `accord payment resolve`") && plain.contains("3 unresolved"),
        "{plain}"
    );

    // Time resolves one, a person the others.
    let (stuck, back) = (text(&rows[0]["id"]), text(&rows[2]["id"]));
    post(&url, "/sandbox/clock", r#"{"advanceSeconds": 3601}"#);
    assert_eq!(list(&["--older-than", "3000"]).len(), 2);
    let age = get(&url, "/metrics");
    assert!(age.contains("accord_unresolved_oldest_seconds"), "{age}");
    let value = text(&rows[0]["amount"]["value"]).parse::<i64>().expect("a number");
    assert_eq!(balance(), before - value, "the one that time resolves was debited");
    for (id, to) in [(&stuck, "failure"), (&back, "success")] {
        run(&["payment", "resolve", "--data", &data, id, "--to", to]).ends(0);
    }
    metrics(
        &url,
        &[
            r#"accord_unresolved{kind="payment",dialect="qi"} 0"#,
            r#"accord_unresolved{kind="refund",dialect="qi"} 0"#,
            r#"accord_unresolved_oldest_seconds{kind="payment",dialect="qi"} 0"#,
        ],
    );
    assert!(list(&[]).is_empty());
    assert_eq!(pay(10, "stuck")["result"]["resultStatus"], "F");
    assert_eq!(pay(0, "later")["result"]["resultStatus"], "S");
    assert_eq!(call(&data, 0, "qi/refund", &sets)["result"]["resultStatus"], "S");
    let refunded = text(&rows[2]["amount"]["value"]).parse::<i64>().expect("a number");
    assert_eq!(balance(), before - value + refunded, "one debit more, one refund");

    run(&["payment", "resolve", "--data", &data, &stuck, "--to", "success"])
        .ends(1)
        .complains_of(&["its end"]);
    run(&["payment", "resolve", "--data", &data, "nonsense", "--to", "success"]).ends(2);
    run(&["ledger", "verify", "--data", &data]).ends(0);
}
