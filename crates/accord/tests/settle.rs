//! Closing the day by the command line: a day that is not over, files and their digests, a counterparty's file that was
//! altered, statements.

mod support;

use serde_json::Value;
use support::{On, Scratch, body, get, on_every_store, post, run, sandbox, sandbox_json};

on_every_store!(a_day_is_closed_once_and_a_counterpartys_file_is_held_against_it,);

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
const DAY: i64 = 86_400;

#[track_caller]
fn call(data: &str, example: &str, sets: &[String]) -> Value {
    let file = format!("{EXAMPLES}/{example}.json");
    let operation = example.rsplit('/').next().expect("an operation");
    let mut args = vec!["call", operation, "--sandbox", data, "--as", "qi", &file];
    for set in sets {
        args.extend(["--set", set]);
    }
    run(&args).ends(0).json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Agrees and pays three times under Qi; gives the time of the sandbox, `2026-01-15T…+00:00`.
fn trade(data: &str, url: &str) -> String {
    let prepared = call(data, "qi/prepare", &[]);
    let who = r#""loginId":"+9647701000001","pin":"135790""#;
    let request = format!(r#"{{"url":"{}",{who},"decision":"approve"}}"#, text(&prepared["authUrl"]));
    let decided = body(&post(url, "/sandbox/decide", &request));
    let tokens = call(data, "qi/applyToken", &[format!("authCode={}", text(&decided["authCode"]))]);
    for order in ["=1+1", "plain", "a \"quoted\", one"] {
        let token = format!("paymentAuthCode={}", text(&tokens["accessToken"]));
        call(data, "qi/pay", &[token, format!("paymentRequestId={order}")]);
    }
    text(&body(&get(url, "/sandbox/clock"))["now"])
}

fn a_day_is_closed_once_and_a_counterpartys_file_is_held_against_it(on: On) {
    let dir = Scratch::on("settle", on);
    let data = dir.file("data");
    let (_running, url) = sandbox(&dir, &[]);
    // One in the afternoon of Baghdad, so that all of this is one day there.
    let now = text(&body(&get(&url, "/sandbox/clock"))["now"]);
    let hour: i64 = now[11..13].parse().expect("an hour");
    let wait = (34 - hour).rem_euclid(24) * 3600;
    post(&url, "/sandbox/clock", &format!(r#"{{"advanceSeconds": {wait}}}"#));
    let now = trade(&data, &url);
    let (date, out) = (&now[..10], dir.file("books"));
    let client = text(&sandbox_json(&dir)["qi"]["clientId"]);
    let settle = |more: &[&str]| {
        let mut args = vec!["settle", "--data", &data, "--date", date, "--client", &client, "--out", &out];
        args.extend(more);
        run(&args)
    };

    settle(&[]).ends(1).complains_of(&["is not over in Asia/Baghdad", "--partial"]);
    assert!(!dir.path().join("books").exists(), "a refused day writes nothing");
    let partial = settle(&["--partial", "--json"]).ends(0).json();
    assert_eq!(partial["files"][0]["totals"][0]["count"], 3);
    assert!(text(&partial["files"][0]["file"]).ends_with(&format!("{date}.partial.csv")));
    run(&["settle", "--data", &data, "--date", "2026-02-30", "--out", &out])
        .ends(2)
        .complains_of(&["--date"]);
    run(&["settle", "--data", &data, "--date", date, "--client", "NOBODY", "--out", &out]).ends(1);

    post(&url, "/sandbox/clock", &format!(r#"{{"advanceSeconds": {DAY}}}"#));
    let first = settle(&["--json"]).ends(0).json();
    let file = text(&first["files"][0]["file"]);
    assert_eq!(
        (&first["files"][0]["fresh"], &first["files"][0]["net"]["IQD"]),
        (&true.into(), &"75000000".into())
    );
    let written = |path: &str| std::fs::read_to_string(path).expect("a file");
    let (bytes, seal) = (written(&file), written(&file.replace(".csv", ".sig.json")));
    assert!(bytes.contains(",'=1+1,") && bytes.contains(r#","a ""quoted"", one","#), "{bytes}");
    let again = settle(&["--json"]).ends(0).json();
    assert_eq!(again["files"][0]["fresh"], false);
    assert_eq!((written(&file), written(&file.replace(".csv", ".sig.json"))), (bytes.clone(), seal.clone()));
    // Everybody's files at once: those who traded nothing have one as well.
    let all =
        run(&["settle", "--data", &data, "--date", date, "--out", &dir.file("all"), "--json"]).ends(0).json();
    assert_eq!(all["files"].as_array().map(Vec::len), Some(4), "{all}");
    assert_eq!(
        written(&text(
            &all["files"]
                .as_array()
                .and_then(|files| files.iter().find(|file| file["clientId"] == client.as_str()))
                .expect("the client's")["file"]
        )),
        bytes
    );

    // A file that went out is never replaced.
    std::fs::write(&file, bytes.replace("75000000", "75000001")).expect("written");
    settle(&[]).ends(1).complains_of(&["was written before with other bytes"]);
    std::fs::write(&file, &bytes).expect("written");

    let theirs = dir.write("theirs.csv", &bytes);
    dir.write("theirs.sig.json", &seal);
    let key = format!("{data}/keys/settlement.pub.pem");
    let reconcile = |more: &[&str]| run(&[&["reconcile", "--theirs", &theirs][..], more].concat());
    reconcile(&["--ours", &file, "--key", &key]).ends(0);
    reconcile(&["--data", &data, "--date", date, "--client", &client]).ends(0);
    reconcile(&[]).ends(2);
    dir.write("theirs.csv", &bytes.replacen(",25000000,", ",25000001,", 1));
    reconcile(&["--ours", &file, "--key", &key]).ends(3).complains_of(&["is not the file that was signed"]);
    let said = reconcile(&["--ours", &file]).ends(1);
    assert!(said.out.contains("theirs:3: value is 25000001, ours:3: 25000000"), "{}", said.out);
    let found = reconcile(&["--ours", &file, "--json"]).ends(1).json();
    assert_eq!(found["same"], false);
    assert_eq!(
        (&found["differences"][0]["kind"], &found["differences"][0]["theirLine"]),
        (&"amount".into(), &3.into())
    );

    statements(&data, &client, date);
}

fn statements(data: &str, client: &str, date: &str) {
    let statement = |account: &str, more: &[&str]| {
        let args = ["ledger", "statement", "--data", data, "--account", account, "--json"];
        run(&[&args[..], more].concat())
    };
    let payable = statement(&format!("payable:{client}"), &["--from", date, "--to", date]).ends(0).json();
    let balances: Vec<&Value> =
        payable["entries"].as_array().expect("entries").iter().map(|entry| &entry["balance"]).collect();
    assert_eq!(balances, ["25000000", "50000000", "75000000"]);
    let later = statement(&format!("payable:{client}"), &["--from", "2090-01-01"]).ends(0).json();
    assert_eq!((&later["opening"]["IQD"], &later["entries"]), (&"75000000".into(), &Value::Array(vec![])));
    let user = statement("user:+9647701000001", &[]).ends(0).json();
    let shown = run(&["user", "show", "--data", data, "+9647701000001", "--json"]).ends(0).json();
    assert_eq!(user["closing"], shown["balances"], "the statement ends with the balance");
    let by_id = statement(&format!("user:{}", text(&shown["customerId"])), &[]).ends(0).json();
    assert_eq!(by_id["entries"], user["entries"]);
    statement("user:nobody", &[]).ends(1);
    statement("nobody", &[]).ends(2);
    statement("user:+9647701000001", &["--from", "yesterday"]).ends(2);
    let verified = run(&["ledger", "verify", "--data", data, "--json"]).ends(0).json();
    assert_eq!(verified["settlementItems"], 3);
}
