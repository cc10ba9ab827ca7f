//! What can be said without a server: usage, configuration files, signatures.

mod support;

use support::{Scratch, run, run_with};

#[test]
fn the_command_line_explains_itself_and_wrong_usage_ends_with_2() {
    let help = run(&["--help"]).ends(0);
    for command in ["dev", "serve", "call", "sign", "verify", "migrate", "doctor", "ledger", "bench"] {
        assert!(help.out.contains(&format!("\n  {command}")), "{command}: {}", help.out);
    }
    assert!(help.out.contains("Exit statuses"));
    for args in [
        &["nonsense"][..],
        &["dev", "--listen", "8080"],
        &["dev", "--store", "postgres://h", "--data", "/nonexistent/sandbox"],
        &["ledger", "verify"],
        &["call", "prepare"],
        &["call", "prepare", "--client", "c", "--key", "k", "--url", "http://h", "--dialect", "xx"],
        &["bench", "fill"],
        &["bench", "flow", "--percent", "50"],
        &["bench", "nonsense"],
    ] {
        let said = run(args);
        assert_eq!(said.status, 2, "{args:?}: {}", said.err);
    }
}

#[test]
fn serve_says_what_is_wrong_with_its_file_and_makes_nothing() {
    let dir = Scratch::new("faults");
    let missing = dir.file("none.toml");
    run(&["serve", "--config", &missing]).ends(1).complains_of(&["none.toml", "config example"]);

    let example = run(&["config", "example"]).ends(0).out;
    let file = dir.write("accord.toml", &example);
    // The example itself is in order; its keys are not there yet.
    let said = run(&["serve", "--config", &file]).ends(1);
    said.complains_of(&["accord.toml, `keys.wallet, version 1`", "`keys.pages`", "cannot be read"]);
    assert!(!dir.path().join("keys").exists() && !dir.path().join("accord.db").exists());

    for (old, new, parts) in [
        ("[limits]", "[limit]", &["line ", "unknown field `limit`"][..]),
        ("listen = \"0.0.0.0:8443\"", "listen = 8443", &["`listen`", "config example"]),
        ("listen = \"0.0.0.0:8443\"", "", &["missing field `listen`", "add it"]),
        ("session = \"15m\"", "session = \"15 minutes\"", &["lifetimes.session`", "such as \"15m\""]),
    ] {
        let file = dir.write("faulty.toml", &example.replacen(old, new, 1));
        let said = run(&["serve", "--config", &file]).ends(1);
        said.complains_of(parts);
        said.complains_of(&["faulty.toml"]);
    }
}

#[test]
fn what_is_signed_verifies_and_a_mistake_is_named() {
    let dir = Scratch::new("sign");
    let keys = dir.file("keys");
    run(&["keys", "generate", "--dir", &keys]).ends(0);
    let (private, public) = (format!("{keys}/wallet-1.pem"), format!("{keys}/wallet-1.pub.pem"));
    let body = r#"{"scopes":"AGREEMENT_PAY","extendInfo":"{\"language\":\"ar-IQ\",\"contractDesc\":\"Gym plan, 25000 IQD monthly\"}"}"#;
    let file = dir.write("body.json", body);
    let message = ["--client", "MERCH_DEMO_0001", "--path", "/v1/authorizations/prepare", &file];
    let time = ["--time", "2026-01-15T09:30:00+03:00"];
    let sign = |encoding: &str| {
        let key = ["sign", "--json", "--key", &private, "--encoding", encoding];
        run(&[&key[..], &time, &message].concat()).ends(0).json()
    };
    // Length and hash as the Qi paper's worked example prints them.
    let signed = sign("percent");
    assert_eq!(signed["length"], 189);
    assert_eq!(signed["sha256"], "e964d0ada439c74855be8ed6064c7d6aebbe7e513e9aa3952425a708ae9c59fe");

    for encoding in ["percent", "plain", "base64url"] {
        let header = sign(encoding)["headers"]["Signature"].as_str().unwrap().to_owned();
        let key = ["verify", "--key", &public, "--signature", &header];
        run(&[&key[..], &time, &message].concat()).ends(0);
    }
    let header = signed["headers"]["Signature"].as_str().unwrap().to_owned();
    let key = ["verify", "--json", "--key", &public, "--signature", &header];
    let moved = ["--client", "MERCH_DEMO_0001", "--path", "/api/v1/authorizations/prepare", &file];
    let said = run(&[&key[..], &time, &moved].concat()).ends(3).json();
    assert!(said["diagnosis"].as_str().unwrap().contains("part of the path"), "{said}");
    let said = run_with(&[&key[..], &time, &message[..4], &["-"]].concat(), "{}").ends(3).json();
    assert_eq!(said["good"], false);

    std::fs::set_permissions(&private, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    // A merchant's key may lie open; that is only said.
    run(&[&["sign", "--key", &private][..], &message].concat()).ends(0).complains_of(&["chmod 600"]);
}

#[test]
fn an_answer_of_nobody_ends_with_3_and_an_unknown_operation_with_2() {
    let dir = Scratch::new("nobody");
    let keys = dir.file("keys");
    run(&["keys", "generate", "--dir", &keys]).ends(0);
    let (private, public) = (format!("{keys}/wallet-1.pem"), format!("{keys}/wallet-1.pub.pem"));
    let whom = ["--client", "c", "--key", &private, "--dialect", "qi", "--url", "http://127.0.0.1:1"];
    let call = |operation: &str, more: &[&str]| run(&[&["call", operation][..], &whom, more].concat());
    call("prepare", &["--wallet-key", &public]).ends(3).complains_of(&["no reply"]);
    call("prepare", &[]).ends(3).complains_of(&["no reply"]);
    call("praepare", &["--wallet-key", &public]).ends(2).complains_of(&["applyToken"]);
    run(&["call", "prepare", "--sandbox", dir.text()]).ends(1).complains_of(&["accord dev"]);
}
