//! Receipts of revocation from outside: an operator ends an agreement, and anybody checks the paper without a server.

mod support;

use serde_json::json;
use support::{On, Scratch, body, get, on_every_store, post, run, run_with, sandbox, sandbox_json};

on_every_store!(a_receipt_is_checked_with_the_public_key_alone,);

const PREPARE: &str = r#"{"scopes":"AGREEMENT_PAY","extendInfo":"{\"contractDesc\":\"a plan\"}"}"#;

fn a_receipt_is_checked_with_the_public_key_alone(on: On) {
    let dir = Scratch::on("receipts", on);
    let data = dir.file("data");
    let (mut server, url) = sandbox(&dir, &[]);
    let file = sandbox_json(&dir);
    let user = &file["users"][0];
    let login = user["loginId"].as_str().expect("a text");
    let agree = || {
        let prepared = run_with(&["call", "prepare", "--sandbox", &data, "-"], PREPARE).ends(0).json();
        let decision = json!({
            "url": prepared["authUrl"], "loginId": login, "pin": user["pin"], "decision": "approve",
        });
        body(&post(&url, "/sandbox/decide", &decision.to_string()));
        let user = body(&get(&url, &format!("/sandbox/users/{}", login.replace('+', "%2B"))));
        user["agreements"][0]["agreementId"].as_str().expect("a text").to_owned()
    };
    let (first, second) = (agree(), agree());

    // One ended by its user, one by the operator.
    let wish = json!({ "agreementId": first, "by": "user" }).to_string();
    let ended = body(&post(&url, "/sandbox/agreements/end", &wish));
    assert_eq!(ended["status"], "ended", "{ended}");
    let living = run(&["agreement", "receipt", "--data", &data, "--agreement", &second]).ends(1);
    living.complains_of(&["is not over"]);
    let by_wallet =
        ["agreement", "end", "--data", &data, "--user", login, "--by", "wallet", "--reason", "fraud"];
    run(&by_wallet).ends(0);
    let printed = run(&["agreement", "receipt", "--data", &data, "--agreement", &second]).ends(0);
    assert_eq!(server.terminate(), 0, "{}", server.said());

    let key = dir.file("data").to_owned() + "/" + file["receiptKeyFile"].as_str().expect("a text");
    let theirs = dir.write("user.json", &ended["receipt"].to_string());
    let ours = dir.write("wallet.json", &printed.out);
    let said = run(&["verify-receipt", &theirs, "--key", &key, "--json"]).ends(0).json();
    assert_eq!(
        (&said["receipt"]["agreementId"], &said["receipt"]["endedBy"]),
        (&json!(first), &json!("user"))
    );
    let said = run(&["verify-receipt", &ours, "--key", &key]).ends(0).out;
    assert!(said.contains("the receipt holds") && said.contains("by the wallet"), "{said}");

    let forged = dir
        .write("forged.json", &printed.out.replace("\\\"wallet\\\",\\\"wallet", "\\\"user\\\",\\\"wallet"));
    assert_ne!(std::fs::read_to_string(&forged).expect("a file"), printed.out);
    let said = run(&["verify-receipt", &forged, "--key", &key]).ends(3).out;
    assert!(said.contains("does NOT hold") && said.contains("the content was changed"), "{said}");
    run(&["keys", "generate", "--dir", &dir.file("other")]).ends(0);
    let other = dir.file("other/receipts.pub.pem");
    assert!(run(&["verify-receipt", &ours, "--key", &other]).ends(3).out.contains("names key"));
    let text = dir.write("text.json", "a letter");
    assert!(run(&["verify-receipt", &text, "--key", &key]).ends(3).out.contains("no receipt"));
    run(&["verify-receipt", &dir.file("none.json"), "--key", &key]).ends(1).complains_of(&["cannot be read"]);
}
