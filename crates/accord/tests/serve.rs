//! `accord serve` from outside: made ready step by step by the commands, then called.

mod support;

use std::time::{Duration, Instant};
use support::{Running, Scratch, get, run};

const BODY: &str =
    r#"{"scopes":"AGREEMENT_PAY","extendInfo":"{\"language\":\"en-US\",\"contractDesc\":\"a plan\"}"}"#;

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_wallet_is_made_ready_by_the_commands_and_serves_without_a_sandbox() {
    let dir = Scratch::new("serve");
    let keys = dir.file("keys");
    let (main, admin) = (free_port(), free_port());
    let example = run(&["config", "example"]).ends(0).out;
    let text = example
        .replace("0.0.0.0:8443", &format!("127.0.0.1:{main}"))
        .replace("127.0.0.1:9090", &format!("127.0.0.1:{admin}"))
        .replace("# console = true ", "console = true ");
    let config = dir.write("accord.toml", &text);
    let place = ["--config", &config];

    run(&["keys", "generate", "--dir", &keys]).ends(0);
    run(&[&["config", "check"][..], &place].concat()).ends(0);
    run(&[&["serve"][..], &place].concat()).ends(1).complains_of(&["accord migrate"]);
    run(&[&["doctor"][..], &place].concat()).ends(1);
    let plan = run(&[&["migrate", "--plan", "--json"][..], &place].concat()).ends(0).json();
    assert_eq!(plan["steps"][0]["version"], 1);
    run(&[&["migrate"][..], &place].concat()).ends(0);
    let none = run(&[&["migrate", "--plan", "--json"][..], &place].concat()).ends(0).json();
    assert_eq!(none["steps"], serde_json::json!([]));

    let merchant = dir.file("merchant");
    run(&["keys", "generate", "--dir", &merchant]).ends(0);
    let public = format!("{merchant}/wallet-1.pub.pem");
    let add = ["client", "add", "SHOP_1", "--dialect", "qi", "--public-key", &public];
    run(&[&add[..], &place].concat()).ends(0);
    run(&[&["client", "add", "SHOP_1", "--payment-notify-url", "http://shop.example/"][..], &place].concat())
        .ends(2);
    run(&[&["user", "add", "sara@example.iq", "--pin", "135790"][..], &place].concat()).ends(0);
    run(&[&["account", "credit", "sara@example.iq", "IQD", "25000000"][..], &place].concat()).ends(0);
    let password = dir.write("password", "correct horse battery\n");
    let add = ["operator", "add", "--name", "layla", "--role", "key_officer", "--password-file", &password];
    run(&[&add[..], &place].concat()).ends(0);
    run(&[&add[..], &place].concat()).ends(1).complains_of(&["layla", "another name"]);
    let short = dir.write("short", "too short\n");
    let add = ["operator", "add", "--name", "omar", "--role", "operator", "--password-file", &short];
    run(&[&add[..], &place].concat()).ends(2).complains_of(&["12 characters"]);
    run(&[&["operator", "disable", "--name", "layla"][..], &place].concat()).ends(0);
    let said = run(&[&["operator", "list", "--json"][..], &place].concat()).ends(0).json();
    assert_eq!(said["operators"][0]["role"], "key_officer");
    assert!(said["operators"][0]["disabledAt"].is_string(), "{said}");
    let said = run(&[&["doctor", "--json"][..], &place].concat()).ends(0).json();
    assert_eq!(said["healthy"], true);

    let mut running = Running::start(&[&["serve"][..], &place].concat(), &dir.path().join("log"));
    let url = format!("http://127.0.0.1:{main}");
    let patience = Instant::now() + Duration::from_secs(30);
    while !get(&url, "/health/ready").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < patience, "not ready: {}", running.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    let file = dir.write("body.json", BODY);
    let private = format!("{merchant}/wallet-1.pem");
    let wallet = format!("{keys}/wallet-1.pub.pem");
    let whom =
        ["--client", "SHOP_1", "--key", &private, "--wallet-key", &wallet, "--url", &url, "--dialect", "qi"];
    let said = run(&[&["call", "prepare", &file][..], &whom].concat()).ends(0).json();
    assert!(
        said["authUrl"].as_str().unwrap().starts_with("https://wallet.example.iq/authorize?authId="),
        "{said}"
    );

    for path in ["/sandbox/clock", "/demo", "/metrics", "/admin"] {
        let reply = get(&url, path);
        assert!(!reply.starts_with("HTTP/1.1 200"), "{path}: {reply}");
    }
    let metrics = get(&format!("http://127.0.0.1:{admin}"), "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200") && metrics.contains("accord_calls_total"), "{metrics}");
    let console = get(&format!("http://127.0.0.1:{admin}"), "/admin/sign-in");
    assert!(console.starts_with("HTTP/1.1 200") && console.contains("accord_admin_visit"), "{console}");
    let sheet = get(&format!("http://127.0.0.1:{admin}"), "/assets/admin.css");
    assert!(sheet.starts_with("HTTP/1.1 200"), "{sheet}");
    assert_eq!(running.terminate(), 0, "{}", running.said());
    let log = running.said();
    let line = log.lines().find(|line| line.contains("\"operation\"")).unwrap_or_else(|| panic!("{log}"));
    let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    assert_eq!(line["code"], "SUCCESS");
}
