//! The sandbox control API as a tester uses it: scripted faults, users and their messages, decisions, its guard.

mod house;

use house::mailbox::{Mailbox, Manner};
use house::shop::{Bill, auth_id};
use house::support::{On, on_every_store};
use house::{House, http, millis};
use serde_json::{Value, json};

on_every_store!(
    async an_unknown_payment_succeeds_when_the_script_says_and_the_money_moves_then,
    an_unknown_payment_fails_or_stays_open_when_the_script_says_so,
    a_debit_in_process_is_judged_again_when_its_time_comes,
    a_scripted_failure_of_a_debit_is_its_end,
    a_script_is_for_so_many_valid_calls_of_its_operation_and_delete_forgets_it,
    users_are_told_of_every_debit_in_their_language,
    every_url_of_prepare_leads_to_the_same_decision,
    the_control_api_serves_only_this_machine_directly,
);

/// A script for pay.
fn script(outcome: &str, count: u32, then: Option<&str>, after_seconds: i64) -> Value {
    json!({ "operation": "pay", "outcome": outcome, "count": count, "then": then, "afterSeconds": after_seconds })
}

async fn an_unknown_payment_succeeds_when_the_script_says_and_the_money_moves_then(on: On) {
    let house = House::open("then-success", on);
    for (number, who) in ["qi2", "alipayPlus2"].into_iter().enumerate() {
        let shop = house.shop(who);
        let mailbox = Mailbox::open(shop.receiver(), |_| Manner::Sign).await;
        let url = format!("{}/paid", mailbox.url);
        let tokens = house.agree(&shop, "plan", 0, None).await;
        let before = house.balance(0, "IQD").await;
        let bill = Bill::new("pay-1", "IQD", 25_000).notify(&url);
        house.fault(script("U", 1, Some("success"), 600)).await;
        let asked = millis(&json!(house.now().await));
        shop.pay(&bill, &tokens.access).await.is("U PAYMENT_IN_PROCESS");
        for wait in [0, 590] {
            house.advance(wait).await;
            shop.pay(&bill, &tokens.access).await.is("U PAYMENT_IN_PROCESS");
            assert_eq!(shop.inquire("pay-1").await, Some('U'));
            assert_eq!(house.balance(0, "IQD").await, before);
            assert_eq!(house.messages(0).await.len(), number);
            assert!(mailbox.letters().is_empty());
        }
        // The token is refreshed and the agreement ends: a debit that was accepted is not shaken by either.
        let newer = shop.refresh(&tokens.refresh).await.tokens();
        house.advance(3_600).await;

        assert_eq!(shop.inquire("pay-1").await, Some('S'));
        assert_eq!(house.balance(0, "IQD").await, before - 25_000);
        let notice = house.notification(&url).await;
        assert_eq!(notice["state"], "delivered", "{notice}");
        let letter = mailbox.letters()[0].json();
        assert_eq!(letter["paymentResult"]["resultStatus"], "S");
        // At its own moment, not at the end of the hour that the clock was moved by.
        let paid = (millis(&letter["paymentTime"]) - asked) / 1_000;
        assert!((599..1_000).contains(&paid), "{letter}");
        let messages = house.messages(0).await;
        assert_eq!(messages.len(), number + 1);
        let text = messages[0]["text"].as_str().expect("a text");
        assert!(text.contains(letter["paymentId"].as_str().expect("an id")), "{text}");
        assert_eq!(millis(&messages[0]["time"]) / 1_000, millis(&letter["paymentTime"]) / 1_000);

        let last = shop.pay(&bill, &tokens.access).await;
        last.is("S SUCCESS");
        assert_eq!(last.body["paymentId"], letter["paymentId"]);
        assert_eq!(last.body["paymentTime"], letter["paymentTime"]);
        assert_eq!(shop.pay(&bill, &newer.access).await.raw, last.raw);
        assert_eq!(house.balance(0, "IQD").await, before - 25_000);
        shop.pay(&Bill { value: 25_001, ..bill }, &tokens.access).await.is("F REPEAT_REQ_INCONSISTENT");
    }
}

async fn an_unknown_payment_fails_or_stays_open_when_the_script_says_so(on: On) {
    let house = House::open("then-failure", on);
    for who in ["qi2", "alipayPlus2"] {
        let shop = house.shop(who);
        let mailbox = Mailbox::open(shop.receiver(), |_| Manner::Sign).await;
        let url = format!("{}/paid", mailbox.url);
        let tokens = house.agree(&shop, "plan", 0, None).await;
        let (before, told) = (house.balance(0, "IQD").await, house.messages(0).await.len());
        let bill = Bill::new("fails", "IQD", 25_000).notify(&url);
        house.fault(script("U", 1, Some("failure"), 5)).await;
        shop.pay(&bill, &tokens.access).await.is("U PAYMENT_IN_PROCESS");
        house.fault(script("U", 1, None, 5)).await;
        let open = Bill::new("open", "IQD", 25_000);
        shop.pay(&open, &tokens.access).await.is("U PAYMENT_IN_PROCESS");
        house.advance(6).await;
        let last = shop.pay(&bill, &tokens.access).await;
        assert_eq!(last.status, "F", "{}", last.body);
        assert_eq!(shop.inquire("fails").await, Some('F'));
        assert_eq!(shop.pay(&bill, &tokens.access).await.raw, last.raw);
        assert_eq!(house.tried(&url, 1).await["state"], "delivered");
        let letter = mailbox.letters()[0].json();
        assert_eq!(letter["paymentResult"]["resultStatus"], "F", "{letter}");
        assert_eq!(letter["paymentResult"]["resultCode"].as_str(), Some(last.code.as_str()));

        house.advance(300 * 86_400).await;
        let newer = shop.refresh(&tokens.refresh).await.tokens();
        shop.pay(&open, &newer.access).await.is("U PAYMENT_IN_PROCESS");
        assert_eq!(shop.inquire("open").await, Some('U'));
        assert_eq!(house.balance(0, "IQD").await, before);
        assert_eq!(house.messages(0).await.len(), told + 1);
    }
}

async fn a_debit_in_process_is_judged_again_when_its_time_comes(on: On) {
    let house = House::open("judged-again", on);
    let shop = house.shop("qi2");
    let tokens = house.agree(&shop, "plan", 3, None).await;
    let before = house.balance(3, "IQD").await;
    house.fault(script("U", 2, Some("success"), 60)).await;
    let most = u64::try_from(before).expect("money") - 1_000;
    let bills = ["one", "two"].map(|id| Bill::new(id, "IQD", most));
    for bill in &bills {
        shop.pay(bill, &tokens.access).await.is("U PAYMENT_IN_PROCESS");
    }
    house.advance(120).await;
    shop.pay(&bills[0], &tokens.access).await.is("S SUCCESS");
    shop.pay(&bills[1], &tokens.access).await.is("F USER_BALANCE_NOT_ENOUGH");
    assert_eq!(house.balance(3, "IQD").await, 1_000);
}

async fn a_scripted_failure_of_a_debit_is_its_end(on: On) {
    let house = House::open("failures", on);
    for who in ["qi2", "alipayPlus2"] {
        let shop = house.shop(who);
        let tokens = house.agree(&shop, "plan", 0, None).await;
        let (before, told) = (house.balance(0, "IQD").await, house.messages(0).await.len());
        for code in ["USER_BALANCE_NOT_ENOUGH", "RISK_REJECT", "USER_STATUS_ABNORMAL"] {
            house.fault(script(code, 1, None, 0)).await;
            let bill = Bill::new(code, "IQD", 25_000);
            let first = shop.pay(&bill, &tokens.access).await;
            first.is(&format!("F {code}"));
            assert_eq!(shop.pay(&bill, &tokens.access).await.raw, first.raw);
            assert_eq!(shop.inquire(code).await, Some('F'));
        }
        assert_eq!(house.balance(0, "IQD").await, before);
        assert_eq!(house.messages(0).await.len(), told + 3);
        // A fault before there is a payment leaves none.
        house.fault(script("PARAM_ILLEGAL", 1, None, 0)).await;
        let bill = Bill::new("later", "IQD", 25_000);
        shop.pay(&bill, &tokens.access).await.is("F PARAM_ILLEGAL");
        assert_eq!(shop.inquire("later").await, None);
        shop.pay(&bill, &tokens.access).await.is("S SUCCESS");
        assert_eq!(house.balance(0, "IQD").await, before - 25_000);
    }
}

async fn a_script_is_for_so_many_valid_calls_of_its_operation_and_delete_forgets_it(on: On) {
    let house = House::open("counts", on);
    let shop = house.shop("qi2");
    let tokens = house.agree(&shop, "plan", 0, None).await;
    let bill = |id: &str| Bill::new(id, "IQD", 1_000);
    house.fault(script("U", 2, Some("success"), 1)).await;
    house.fault(script("RISK_REJECT", 1, None, 0)).await;
    shop.pay(&bill("1"), &tokens.access).await.is("U PAYMENT_IN_PROCESS");
    // Neither a call that is not valid nor one of another operation uses it up.
    let mut wrong = shop.pay_body(&bill("x"), &tokens.access);
    wrong["paymentAmount"]["value"] = json!("-1");
    shop.call("pay", wrong).await.is("F PARAM_ILLEGAL");
    shop.call("prepare", shop.prepare_body("other", None)).await.is("S SUCCESS");
    shop.pay(&bill("2"), &tokens.access).await.is("U PAYMENT_IN_PROCESS");
    shop.pay(&bill("3"), &tokens.access).await.is("F RISK_REJECT");
    shop.pay(&bill("4"), &tokens.access).await.is("S SUCCESS");

    house.fault(script("RISK_REJECT", 1_000, None, 0)).await;
    shop.pay(&bill("5"), &tokens.access).await.is("F RISK_REJECT");
    assert_eq!(http(&house.url, "DELETE /sandbox/faults HTTP/1.1", "").await.expect("an answer").0, 200);
    shop.pay(&bill("6"), &tokens.access).await.is("S SUCCESS");

    // U of other operations: with `then` success the act is done and only its answer is lost.
    house.fault(json!({ "operation": "prepare", "outcome": "U" })).await;
    assert_eq!(shop.call("prepare", shop.prepare_body("p", None)).await.status, "U");
    let code = house.approve(&shop.prepare("p", None).await, 0).await;
    house.fault(json!({ "operation": "applyToken", "outcome": "U", "then": "success" })).await;
    assert_eq!(shop.apply(&code).await.status, "U");
    shop.apply(&code).await.is("S SUCCESS");

    for wrong in [
        json!({}),
        json!({ "operation": "pay" }),
        json!({ "operation": "praepare", "outcome": "U" }),
        json!({ "operation": "pay", "outcome": "S" }),
        json!({ "operation": "pay", "outcome": "NO_SUCH_CODE" }),
        json!({ "operation": "pay", "outcome": "PAYMENT_IN_PROCESS" }),
        json!({ "operation": "pay", "outcome": "U", "count": 0 }),
        json!({ "operation": "pay", "outcome": "U", "then": "perhaps" }),
        json!({ "operation": "pay", "outcome": "U", "afterSeconds": -1 }),
        json!([1]),
    ] {
        let (status, said) = house.post("/sandbox/faults", wrong.clone()).await;
        assert_eq!(status, 400, "{wrong}: {said}");
        assert!(said["error"]["code"].is_string() && said["error"]["message"].is_string(), "{said}");
    }
    shop.pay(&bill("7"), &tokens.access).await.is("S SUCCESS");
}

async fn users_are_told_of_every_debit_in_their_language(on: On) {
    let house = House::open("messages", on);
    let (qi, network) = (house.shop("qi2"), house.shop("alipayPlus2"));
    assert!(house.messages(0).await.is_empty());
    let tokens = house.agree(&qi, "plan", 0, None).await;
    let told = qi.pay(&Bill::new("pay-1", "IQD", 25_000_000), &tokens.access).await;
    told.is("S SUCCESS");
    let tokens = house.agree(&network, "agreement-1", 0, None).await;
    network.pay(&Bill::new("pay-2", "USD", 599), &tokens.access).await.is("S SUCCESS");
    let poor = house.agree(&qi, "plan", 1, None).await;
    qi.pay(&Bill::new("pay-3", "IQD", 1), &poor.access).await.is("F USER_BALANCE_NOT_ENOUGH");
    let arab = house.agree(&qi, "plan", 3, None).await;
    qi.pay(&Bill::new("pay-4", "IQD", 1_000), &arab.access).await.is("S SUCCESS");

    let user = house.user(0).await;
    assert_eq!(user["customerId"], house.file.users[0].customer_id.as_str());
    assert_eq!((&user["status"], &user["inboxCount"]), (&json!("active"), &json!(2)));
    assert_eq!(user["balances"], json!({ "IQD": "99975000000", "USD": "999401" }));
    let agreements = user["agreements"].as_array().expect("agreements");
    assert_eq!(agreements.len(), 2);
    assert!(agreements.iter().all(|one| one["status"] == "active" && one["merchant"].is_string()), "{user}");

    let messages = house.messages(0).await;
    let (newest, first) = (&messages[0], &messages[1]);
    assert!(millis(&newest["time"]) >= millis(&first["time"]));
    let text = first["text"].as_str().expect("a text");
    assert!(text.contains(told.body["paymentId"].as_str().expect("an id")), "{text}");
    assert!(text.contains("25,000 IQD"), "{text}");
    assert!(newest["text"].as_str().is_some_and(|text| text.contains("5.99 USD")));
    assert!(
        messages.iter().all(|one| one["channel"] == "inbox" && one["language"] == "en-US"),
        "{messages:?}"
    );
    assert_eq!(house.messages(1).await.len(), 1);
    assert_eq!(house.messages(3).await[0]["language"], "ar-IQ");

    network.cancel(&tokens.access).await.is("S SUCCESS");
    let ended = house.user(0).await["agreements"].to_string();
    assert!(ended.contains("\"ended\"") && ended.contains("\"active\""), "{ended}");
    for path in ["/sandbox/users/nobody", "/sandbox/messages?loginId=nobody"] {
        let (status, said) = http(&house.url, &format!("GET {path} HTTP/1.1"), "").await.expect("an answer");
        assert_eq!(status, 404, "{said}");
    }
}

async fn every_url_of_prepare_leads_to_the_same_decision(on: On) {
    let house = House::open("urls", on);
    let network = house.shop("alipayPlus2");
    let user = &house.file.users[0];
    for (number, name) in ["normalUrl", "applinkUrl", "schemeUrl", "codeValue"].into_iter().enumerate() {
        let reference = format!("agreement-{number}");
        let answer = network.call("prepare", network.prepare_body(&reference, None)).await.body;
        let url = answer[name].as_str().unwrap_or_else(|| panic!("{answer}"));
        let body = json!({ "url": url, "loginId": user.login_id, "pin": user.pin, "decision": "approve" });
        let (status, said) = house.post("/sandbox/decide", body.clone()).await;
        assert_eq!(status, 200, "{name}: {said}");
        let code = said["authCode"].as_str().expect("a code");
        let back = format!("https://shop.example/back?x=1&authCode={code}&authState=state-1");
        assert_eq!(said["redirectUrl"], back.as_str(), "{name}");
        let (status, said) = house.post("/sandbox/decide", body).await;
        assert_eq!(status, 409, "{name}: {said}");
        assert_eq!(house.decide(&auth_id(&answer), 0, "refuse").await.0, 409);
        network.apply(code).await.is("S SUCCESS");
    }
    // Refusing needs nobody to sign in, and gives no code.
    let id = network.prepare("refused", None).await;
    let (status, said) = house.post("/sandbox/decide", json!({ "authId": id, "decision": "refuse" })).await;
    assert_eq!((status, &said["authCode"]), (200, &Value::Null), "{said}");
    assert_eq!(said["redirectUrl"], "https://shop.example/back?x=1&authState=state-1");

    let id = network.prepare("wrong", None).await;
    for (user, pin, status) in [(0, "000000", 403), (2, house.file.users[2].pin.as_str(), 403)] {
        assert_eq!(house.decide_with(&id, user, pin, "approve").await.0, status);
    }
    assert_eq!(house.decide("AAAAAAAAAAAAAAAAAAAAAAAAAA", 0, "approve").await.0, 404);
    assert_eq!(house.decide(&id, 0, "perhaps").await.0, 400);
    house.approve(&id, 0).await;
}

async fn the_control_api_serves_only_this_machine_directly(on: On) {
    let house = House::open("guard", on);
    let media = "Content-Type: application/json";
    let body = r#"{"advanceSeconds": 86400}"#;
    for (head, status) in [
        ("GET /sandbox/clock HTTP/1.1", 200),
        ("GET /sandbox/clock HTTP/1.1\r\nHost: localhost", 200),
        ("GET /sandbox/clock HTTP/1.1\r\nHost: wallet.example", 403),
        ("GET /sandbox/clock HTTP/1.1\r\nHost: 127.0.0.1.wallet.example", 403),
        ("GET /sandbox/clock HTTP/1.1\r\nX-Forwarded-For: 127.0.0.1", 403),
        ("GET /sandbox/users/%2B9647701000001 HTTP/1.1\r\nForwarded: for=127.0.0.1", 403),
        ("GET /sandbox/nonsense HTTP/1.1", 404),
        ("DELETE /sandbox/clock HTTP/1.1", 405),
        ("DELETE /sandbox/faults HTTP/1.1\r\nHost: wallet.example", 403),
    ] {
        let (found, said) = http(&house.url, head, "").await.expect("an answer");
        assert_eq!(found, status, "{head}: {said}");
    }
    let before = millis(&json!(house.now().await));
    for (head, status) in [
        (format!("POST /sandbox/clock HTTP/1.1\r\nHost: wallet.example\r\n{media}"), 403),
        (format!("POST /sandbox/clock HTTP/1.1\r\nX-Forwarded-Host: localhost\r\n{media}"), 403),
        ("POST /sandbox/clock HTTP/1.1\r\nContent-Type: text/plain".to_owned(), 415),
        ("POST /sandbox/clock HTTP/1.1".to_owned(), 415),
        (format!("OPTIONS /sandbox/clock HTTP/1.1\r\nOrigin: https://wallet.example\r\n{media}"), 405),
    ] {
        let (found, said) = http(&house.url, &head, body).await.expect("an answer");
        assert_eq!(found, status, "{head}: {said}");
        assert!(said.contains("error"), "{said}");
    }
    let ahead = millis(&json!(house.now().await)) - before;
    assert!(ahead < 86_400_000, "{ahead}");
}
