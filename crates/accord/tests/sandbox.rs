//! `accord dev` from outside: first start, later starts, ports, a second process; and the commands that work on it.

mod support;

use serde_json::Value;
use support::{On, Running, Scratch, body, get, on_every_store, post, run, run_with, sandbox, sandbox_json};

on_every_store!(
    a_first_start_makes_everything_and_a_later_one_continues,
    call_tells_outcomes_by_its_exit_status_and_follows_the_clock,
    provisioning_works_beside_a_running_sandbox,
);

const BODY: &str =
    r#"{"scopes":"AGREEMENT_PAY","extendInfo":"{\"language\":\"en-US\",\"contractDesc\":\"a plan\"}"}"#;

fn port(url: &str) -> u16 {
    url.rsplit_once(':').expect("a port").1.parse().expect("a number")
}

fn a_first_start_makes_everything_and_a_later_one_continues(on: On) {
    let dir = Scratch::on("starts", on);
    let data = dir.file("data");
    let (mut first, url) = sandbox(&dir, &[]);
    let file = sandbox_json(&dir);
    for client in ["qi", "qi2", "alipayPlus", "alipayPlus2"] {
        assert_eq!(file[client]["keyVersion"], "1");
        let key = file[client]["privateKeyFile"].as_str().expect("a text");
        let mode = std::fs::metadata(dir.path().join("data").join(key)).expect("a file").permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600, "{key}");
    }
    assert_eq!(file["alipayPlus"]["pspId"], "102208800000001234");
    assert_eq!(file["alipayPlus2"]["walletName"], file["alipayPlus"]["walletName"]);
    let users = file["users"].as_array().expect("a list");
    assert_eq!(users[0]["balances"]["IQD"], "100000000000");
    assert_eq!(users[0]["balances"]["USD"], "1000000");
    assert!(users.iter().any(|user| user["status"] == "active" && user["balances"]["IQD"] == "0"));
    assert!(users.iter().any(|user| user["status"] == "frozen"));

    // Another port for the second start would be a new public URL, so it takes the old one.
    std::fs::write(dir.path().join("data/mine.txt"), "a file of mine").expect("written");
    let said = run(&["call", "prepare", "--sandbox", &data, "--set", "scopes=NOTHING"]);
    assert_eq!(said.status, 10, "{}", said.err);
    assert_eq!(first.terminate(), 0, "{}", first.said());
    run(&["account", "credit", "--data", &data, users[1]["loginId"].as_str().expect("a text"), "IQD", "5"])
        .ends(0);

    let (mut second, again) = sandbox(&dir, &[]);
    assert_eq!(again, url);
    let later = sandbox_json(&dir);
    assert_eq!(later["users"][0], users[0]);
    assert_eq!(later["users"][1]["balances"]["IQD"], "5");
    assert_eq!(std::fs::read_to_string(dir.path().join("data/mine.txt")).expect("read"), "a file of mine");

    // Killed, not stopped: the lock dies with the process.
    second.kill();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port(&url))).expect("a port");
    let (third, elsewhere) = sandbox(&dir, &[]);
    assert_ne!(elsewhere, url);
    assert!(third.said().contains(&format!("was {url} and is now {elsewhere}")), "{}", third.said());
    drop(taken);
    let said = run_with(&["call", "prepare", "--sandbox", &data, "-"], BODY).ends(0).json();
    assert!(said["authUrl"].as_str().expect("a text").starts_with(&elsewhere), "{said}");
}

#[test]
fn a_second_process_ends_with_a_sentence_and_the_first_goes_on() {
    let dir = Scratch::new("second");
    let data = dir.file("data");
    let (_first, url) = sandbox(&dir, &[]);
    let before = sandbox_json(&dir);
    let mut second =
        Running::start(&["dev", "--data", &data, "--listen", "127.0.0.1:0"], &dir.path().join("second.log"));
    assert_eq!(second.wait(), 1);
    assert!(second.said().contains(&url) && second.said().contains("--data"), "{}", second.said());
    assert_eq!(sandbox_json(&dir), before);
    assert!(get(&url, "/health/ready").starts_with("HTTP/1.1 200"));

    let other = Scratch::new("taken");
    let taken = format!("127.0.0.1:{}", port(&url));
    let args = ["dev", "--data", &other.file("data"), "--listen", &taken];
    let mut third = Running::start(&args, &other.path().join("log"));
    assert_eq!(third.wait(), 1);
    assert!(third.said().contains("is taken"), "{}", third.said());
}

fn call_tells_outcomes_by_its_exit_status_and_follows_the_clock(on: On) {
    let dir = Scratch::on("call", on);
    let data = dir.file("data");
    let (_running, url) = sandbox(&dir, &[]);
    let file = dir.write("body.json", BODY);

    let said = run(&["call", "prepare", "--sandbox", &data, &file]).ends(0);
    let reply = said.json();
    assert_eq!(reply["result"]["resultCode"], "SUCCESS");
    said.complains_of(&["HTTP 200", "S SUCCESS", "reply signature: verified", "trace "]);

    assert!(post(&url, "/sandbox/clock", r#"{"advanceSeconds": 864000}"#).starts_with("HTTP/1.1 200"));
    run(&["call", "prepare", "--sandbox", &data, &file]).ends(0);
    let stale = ["--time", "2026-01-15T09:30:00+03:00"];
    let said =
        run(&[&["call", "prepare", "--sandbox", &data, &file, "--json"][..], &stale].concat()).ends(10);
    assert_eq!(said.json()["body"]["result"]["resultCode"], "PARAM_ILLEGAL");
    assert_eq!(said.json()["verified"], true);

    assert!(
        post(&url, "/sandbox/faults", r#"{"operation":"prepare","outcome":"U","count":1}"#).contains("200")
    );
    let said = run(&["call", "prepare", "--sandbox", &data, &file]);
    assert_eq!(said.status, 11, "{}{}", said.out, said.err);

    // The wallet's keys are not those of another sandbox: the reply is not believed and not printed.
    let foreign = dir.file("foreign");
    run(&["keys", "generate", "--dir", &foreign]).ends(0);
    let sandbox = sandbox_json(&dir);
    let key = format!("{data}/{}", sandbox["qi"]["privateKeyFile"].as_str().expect("a text"));
    let whom =
        ["--client", sandbox["qi"]["clientId"].as_str().expect("a text"), "--key", &key, "--url", &url];
    let wrong = format!("{foreign}/wallet-1.pub.pem");
    let rest = ["--dialect", "qi", "--wallet-key", &wrong, &file];
    let said = run(&[&["call", "prepare"][..], &whom, &rest].concat()).ends(3);
    assert_eq!(said.out, "");
    said.complains_of(&["not to be believed"]);
}

fn provisioning_works_beside_a_running_sandbox(on: On) {
    let dir = Scratch::on("provision", on);
    let data = dir.file("data");
    let (_running, url) = sandbox(&dir, &[]);
    let keys = dir.file("keys");
    run(&["keys", "generate", "--dir", &keys]).ends(0);
    let (private, public) = (format!("{keys}/wallet-1.pem"), format!("{keys}/wallet-1.pub.pem"));
    let place = ["--data", &data];

    let user = "+9647709999999";
    run_with(&[&["user", "add", user][..], &place].concat(), "4711\n").ends(0);
    run(&[&["user", "add", user, "--pin", "0815"][..], &place].concat()).ends(0);
    run(&[&["user", "add", "nobody", "--pin", "4711"][..], &place].concat()).ends(2);
    run(&[&["user", "add", "+9647708888888", "--pin", "12"][..], &place].concat()).ends(2);
    let credit = |value: &str, reference: &str| {
        let args = ["account", "credit", user, "IQD", value, "--reference", reference, "--json"];
        run(&[&args[..], &place].concat())
    };
    assert_eq!(credit("25000000", "r-1").ends(0).json()["balance"], "25000000");
    assert_eq!(credit("25000000", "r-1").ends(0).json()["credited"], Value::Bool(false));
    credit("1", "r-1").ends(1).complains_of(&["another credit"]);
    credit("-1", "r-2").ends(2);
    run(&[&["user", "freeze", user][..], &place].concat()).ends(0);
    let seen = body(&get(&url, &format!("/sandbox/users/{}", user.replace('+', "%2B"))));
    assert_eq!(seen["status"], "frozen");
    assert_eq!(seen["balances"]["IQD"], "25000000");
    run(&[&["user", "thaw", user][..], &place].concat()).ends(0);

    let add =
        ["client", "add", "SHOP_1", "--dialect", "qi", "--public-key", &public, "--display-name", "Shop"];
    run(&[&add[..], &place].concat()).ends(0);
    run(&[&["client", "add", "SHOP_1", "--dialect", "alipay-plus"][..], &place].concat()).ends(1);
    let listed = run(&[&["key", "list", "--client", "SHOP_1", "--json"][..], &place].concat()).ends(0).json();
    assert_eq!(listed["keys"][0]["keyVersion"], "1");
    let wallet = format!("{data}/keys/wallet-1.pub.pem");
    let file = dir.write("body.json", BODY);
    let call = || {
        let whom = ["--client", "SHOP_1", "--key", &private, "--url", &url, "--dialect", "qi"];
        run(&[&["call", "prepare", "--wallet-key", &wallet, &file, "--json"][..], &whom].concat())
    };
    // A running server notices within a second.
    let called = (0..100).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        call()
    });
    let called = called.take(100).find(|said| said.status == 0);
    assert!(called.is_some(), "{}", call().out);
    run(&[&["key", "retire", "SHOP_1", "--key-version", "1"][..], &place].concat()).ends(0);
    let refused = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        Some(call()).filter(|said| said.status == 10)
    });
    assert_eq!(refused.expect("refused").json()["resultCode"], "KEY_NOT_FOUND");

    let books = run(&[&["ledger", "verify", "--json"][..], &place].concat()).ends(0).json();
    assert_eq!(books["balanced"], true);
    run(&[&["doctor"][..], &place].concat()).ends(0);
}
