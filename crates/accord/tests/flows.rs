//! Both flows from prepare to a silent debit by `accord call`, with the money moved and the books in balance.

mod support;

use serde_json::Value;
use support::{On, Scratch, body, get, on_every_store, post, run, sandbox, sandbox_json};

on_every_store!(qi_leads_from_prepare_to_a_silent_debit, alipay_plus_leads_from_prepare_to_a_silent_debit,);

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// Calls an example of a dialect as a client, with members set; gives the body.
#[track_caller]
fn call(data: &str, who: &str, example: &str, sets: &[String], status: i32) -> Value {
    let file = format!("{EXAMPLES}/{example}.json");
    let name = example.rsplit('/').next().expect("a name");
    let operation = name.split('-').next().expect("an operation");
    let mut args = vec!["call", operation, "--sandbox", data, "--as", who, &file];
    for set in sets {
        args.extend(["--set", set]);
    }
    run(&args).ends(status).json()
}

fn decide(url: &str, page: &Value, decision: &str) -> Value {
    let page = page.as_str().expect("a URL");
    let who = r#""loginId":"+9647701000001","pin":"135790""#;
    let request = format!(r#"{{"url":"{page}",{who},"decision":"{decision}"}}"#);
    body(&post(url, "/sandbox/decide", &request))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn balance(url: &str, currency: &str) -> i64 {
    let user = body(&get(url, "/sandbox/users/%2B9647701000001"));
    text(&user["balances"][currency]).parse().expect("a number")
}

fn qi_leads_from_prepare_to_a_silent_debit(on: On) {
    let dir = Scratch::on("flow-qi", on);
    let data = dir.file("data");
    let (_running, url) = sandbox(&dir, &[]);
    let prepared = call(&data, "qi", "qi/prepare", &[], 0);
    let decided = decide(&url, &prepared["authUrl"], "approve");
    let code = format!("authCode={}", text(&decided["authCode"]));
    let tokens = call(&data, "qi", "qi/applyToken", std::slice::from_ref(&code), 0);
    // The same code again gives the same tokens; another client's gives none.
    assert_eq!(call(&data, "qi", "qi/applyToken", std::slice::from_ref(&code), 0), tokens);
    let foreign = call(&data, "qi2", "qi/applyToken", &[code], 10);
    assert_eq!(foreign["result"]["resultCode"], "INVALID_CODE");

    let before = balance(&url, "IQD");
    let token = format!("paymentAuthCode={}", text(&tokens["accessToken"]));
    let paid = call(&data, "qi", "qi/pay", std::slice::from_ref(&token), 0);
    assert_eq!(call(&data, "qi", "qi/pay", &[token], 0)["paymentId"], paid["paymentId"]);
    assert_eq!(before - balance(&url, "IQD"), 25_000_000);
    let inquired = call(&data, "qi", "qi/inquiryPayment", &[], 0);
    assert_eq!(inquired["paymentId"], paid["paymentId"]);
    let messages = get(&url, "/sandbox/messages?loginId=%2B9647701000001");
    assert!(messages.contains(&text(&paid["paymentId"])), "{messages}");
    run(&["ledger", "verify", "--data", &data]).ends(0);
}

fn alipay_plus_leads_from_prepare_to_a_silent_debit(on: On) {
    let dir = Scratch::on("flow-alipay-plus", on);
    let data = dir.file("data");
    let (_running, url) = sandbox(&dir, &[]);
    let prepared = call(&data, "alipayPlus", "alipay-plus/prepare", &[], 0);
    assert_eq!(call(&data, "alipayPlus", "alipay-plus/prepare", &[], 0), prepared, "prepare is idempotent");
    let decided = decide(&url, &prepared["codeValue"], "approve");
    let code = text(&decided["authCode"]);
    assert!(code.starts_with("28101013") && code.len() == 32, "{code}");
    assert!(text(&decided["redirectUrl"]).contains(&format!("authCode={code}&authState=")));
    let tokens = call(&data, "alipayPlus", "alipay-plus/applyToken", &[format!("authCode={code}")], 0);

    let before = balance(&url, "USD");
    let token = format!("paymentMethod.paymentMethodId={}", text(&tokens["accessToken"]));
    let paid = call(&data, "alipayPlus", "alipay-plus/pay", std::slice::from_ref(&token), 0);
    assert_eq!(before - balance(&url, "USD"), 599);
    let cancel = format!("accessToken={}", text(&tokens["accessToken"]));
    call(&data, "alipayPlus", "alipay-plus/cancelToken", &[cancel], 0);
    let more = [token, "paymentRequestId=pay-2".to_owned()];
    let refused = call(&data, "alipayPlus", "alipay-plus/pay", &more, 10);
    assert_eq!(refused["result"]["resultCode"], "INVALID_TOKEN");
    let request = format!("paymentRequestId={}", "pay-20260115-0001");
    let inquired = call(&data, "alipayPlus", "alipay-plus/inquiryPayment", &[request], 0);
    assert_eq!(inquired["paymentId"], paid["paymentId"]);
    run(&["ledger", "verify", "--data", &data]).ends(0);
}

#[test]
fn a_sandbox_remembers_the_store_of_its_last_start() {
    let dir = Scratch::new("store");
    let data = dir.file("data");
    let other = format!("sqlite:{}", dir.file("elsewhere/other.db"));
    let (mut first, _) = sandbox(&dir, &["--store", &other]);
    call(&data, "qi", "qi/prepare", &[], 0);
    first.terminate();
    assert!(!dir.path().join("data/accord.db").exists());
    let customer = sandbox_json(&dir)["users"][0]["customerId"].clone();
    let (_second, _) = sandbox(&dir, &[]);
    assert_eq!(sandbox_json(&dir)["users"][0]["customerId"], customer);
    let seen = run(&["user", "show", "--data", &data, "+9647701000001", "--json"]).ends(0).json();
    assert_eq!(seen["customerId"], customer);
    let user = ["user", "show", "--data", &data, "+9647701000001"];
    let missing = format!("sqlite:{}", dir.file("none.db"));
    run(&[&user[..], &["--store", &missing]].concat()).ends(1).complains_of(&["there is no database"]);
}

#[test]
fn bench_measures_every_operation_and_counts_what_fails() {
    for operation in ["apply-token", "pay", "inquiry", "flow", "notify"] {
        let args = ["bench", operation, "--seconds", "1", "--rounds", "1", "--connections", "4", "--json"];
        let report = run(&args).ends(0).json();
        assert_eq!((&report["operation"], &report["failures"]), (&operation.into(), &0.into()), "{report}");
        assert!(report["perSecond"].as_u64().is_some_and(|rate| rate > 0), "{report}");
    }
}

#[test]
fn bench_sets_one_merchant_against_many() {
    let args = ["bench", "pay", "--merchants", "3", "--seconds", "1", "--rounds", "1", "--connections", "4"];
    let report = run(&[&args[..], &["--json"]].concat()).ends(0).json();
    let [many, one] = report.as_array().expect("two reports").as_slice() else { panic!("{report}") };
    assert_eq!((&many["merchants"], &one["merchants"]), (&3.into(), &1.into()), "{report}");
    assert!([many, one].iter().all(|report| report["failures"] == 0 && report["perSecond"] != 0), "{report}");
    assert!(one["ratioToFirst"].as_f64().is_some_and(|ratio| ratio > 0.0), "{report}");
    run(&["bench", "prepare", "--merchants", "3"]).ends(2).complains_of(&["--merchants goes with pay"]);
}

#[test]
fn bench_fills_a_store_measures_on_it_and_offers_more_than_it_takes() {
    let dir = Scratch::new("bench-fill");
    let (data, store) = (dir.file("full"), dir.file("full/accord.db"));
    let fill = ["bench", "fill", "--data", &data, "--agreements", "60", "--debits", "1", "--json"];
    let said = run(&fill).ends(0);
    said.complains_of(&["60 agreements and 60 payments need some"]);
    let report = said.json();
    assert_eq!((report["agreements"].as_u64(), report["payments"].as_u64()), (Some(60), Some(54)));
    assert!(report["storeBytes"].as_u64().is_some_and(|bytes| bytes > 0), "{report}");
    run(&["ledger", "verify", "--data", &data]).ends(0);

    // Nothing is written where something is already, or where there is no room.
    run(&fill).ends(1).complains_of(&["holds payments already"]);
    let huge = ["bench", "fill", "--data", &dir.file("huge"), "--agreements", "9000000000000"];
    run(&huge).ends(1).complains_of(&["nothing was written"]);
    let used = format!("sqlite:{store}");
    run(&["bench", "pay", "--store", &used]).ends(1).complains_of(&["is not empty", "--data"]);

    let quick = ["--seconds", "1", "--rounds", "1", "--connections", "4", "--json"];
    let full = [&["bench", "prepare", "--data", &data, "--percent", "50,300"][..], &quick[..]].concat();
    let report = run(&full).ends(0).json();
    let loads = report["offered"]["loads"].as_array().expect("loads");
    assert_eq!(loads.iter().map(|load| &load["percent"]).collect::<Vec<_>>(), [50, 300]);
    assert!(loads.iter().all(|load| load["goodPerSecond"].as_u64().is_some_and(|rate| rate > 0)), "{report}");
}

#[test]
fn bench_says_why_it_cannot_measure() {
    let dir = Scratch::new("bench-bad");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("an address").to_string();
    run(&["bench", "prepare", "--listen", &listen]).ends(1).complains_of(&["is taken"]);
    let nobody = ["bench", "prepare", "--url", "http://127.0.0.1:9", "--sandbox", &dir.file("none")];
    run(&nobody).ends(3).complains_of(&["does not answer"]);
}

#[test]
fn bench_prepare_measures_itself() {
    let said =
        run(&["bench", "prepare", "--seconds", "1", "--rounds", "1", "--connections", "8", "--json"]).ends(0);
    let report = said.json();
    for member in [
        "operation",
        "store",
        "perSecond",
        "cpuMicrosPerCall",
        "p50Micros",
        "p99Micros",
        "p999Micros",
        "ceilingPerSecond",
        "ratio",
        "cpuRatio",
        "failures",
        "peakMemoryBytes",
    ] {
        assert!(!report[member].is_null(), "{member}: {report}");
    }
    assert_eq!(report["failures"], 0);
    assert!(report["perSecond"].as_u64().is_some_and(|rate| rate > 0), "{report}");
}
