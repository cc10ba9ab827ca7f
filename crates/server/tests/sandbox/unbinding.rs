//! A user ends an agreement in the wallet: the owner is asked, the tokens die, everybody is told once, and the
//! receipt holds.

use super::stores::{Shelf, served_from_every_store};
use crate::house::{House, PIN, RICH};
use accord_wire::receipt::{LABEL, Receipt};
use serde_json::{Value, json};

served_from_every_store!(
    a_user_ends_a_binding_whose_merchant_allows_it,
    a_merchant_that_says_no_is_where_the_user_must_go,
    a_merchant_that_never_answers_holds_nobody_for_ever,
    a_contract_is_ended_at_once_and_its_merchant_told_where_it_asked_for_it,
    the_control_calls_refuse_what_makes_no_sense,
);

/// Binds the rich user by the sample of that dialect: the agreement's id, and its tokens.
struct Bound {
    agreement: String,
    access: String,
    refresh: String,
}

async fn bind(house: &House, who: &str, reference: &str) -> Bound {
    let prepare = if who == "qi" {
        json!({
            "scopes": "AGREEMENT_PAY",
            "extendInfo": json!({
                "contractDesc": "Monthly",
                "contractStatusNotifyUrl": format!("{}/demo/notify/qi?contract", house.shop),
            }).to_string(),
        })
    } else {
        json!({
            "pspId": "102208800000001234", "acquirerId": "102218800000001234", "authClientId": "merchant-1",
            "authClientName": "Dijla Streaming LLC", "authClientDisplayName": "Dijla Stream",
            "authRedirectUrl": "https://shop.example/back", "scopes": ["AGREEMENT_PAY"],
            "customerBelongsTo": "ALIPAY_CN", "authState": "state", "terminalType": "WAP", "osType": "IOS",
            "osVersion": "17", "referenceAgreementId": reference, "referenceMerchantId": "M1",
        })
    };
    let prepared = house.call(who, "prepare", prepare).await;
    let url = prepared["authUrl"]
        .as_str()
        .or(prepared["normalUrl"].as_str())
        .unwrap_or_else(|| panic!("{prepared}"));
    let decision = json!({ "url": url, "loginId": RICH, "pin": PIN, "decision": "approve" });
    let (status, decided) = house.post("/sandbox/decide", decision).await;
    assert_eq!(status, 200, "{decided}");
    let mut apply = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": decided["authCode"] });
    if who != "qi" {
        apply["pspId"] = "102208800000001234".into();
        apply["acquirerId"] = "102218800000001234".into();
        apply["authClientId"] = "merchant-1".into();
        apply["referenceMerchantId"] = "M1".into();
        apply["customerBelongsTo"] = "ALIPAY_CN".into();
    }
    let applied = house.call(who, "applyToken", apply).await;
    let text = |name: &str| applied[name].as_str().unwrap_or_else(|| panic!("{applied}")).to_owned();
    let agreements = house.user(RICH).await["agreements"].clone();
    Bound {
        agreement: agreements[0]["agreementId"].as_str().unwrap().to_owned(),
        access: text("accessToken"),
        refresh: text("refreshToken"),
    }
}

async fn end(house: &House, bound: &Bound, by: &str) -> Value {
    let (status, ended) =
        house.post("/sandbox/agreements/end", json!({ "agreementId": bound.agreement, "by": by })).await;
    assert_eq!(status, 200, "{ended}");
    ended
}

async fn answer(house: &House, answer: &str) {
    assert_eq!(house.post("/sandbox/consult", json!({ "answer": answer })).await.0, 200);
}

async fn refresh(house: &House, who: &str, bound: &Bound) -> String {
    let mut body = json!({ "grantType": "REFRESH_TOKEN", "refreshToken": bound.refresh });
    if who != "qi" {
        body["pspId"] = "102208800000001234".into();
        body["acquirerId"] = "102218800000001234".into();
        body["authClientId"] = "merchant-1".into();
        body["referenceMerchantId"] = "M1".into();
        body["customerBelongsTo"] = "ALIPAY_CN".into();
    }
    house.call(who, "applyToken", body).await["result"]["resultCode"].as_str().unwrap().to_owned()
}

/// What the demo merchant has received of that kind.
async fn received(house: &House, kind: &str) -> Vec<Value> {
    let (_, list) = house.get("/demo/notifications.json").await;
    let bodies = list.as_array().unwrap().iter().filter(|one| one["type"] == kind && one["verified"] == true);
    bodies.map(|one| serde_json::from_str(one["body"].as_str().unwrap()).unwrap()).collect()
}

async fn told(house: &House, kind: &str) -> Vec<Value> {
    let (_, list) = house.get("/sandbox/notifications").await;
    list["notifications"].as_array().unwrap().iter().filter(|one| one["type"] == kind).cloned().collect()
}

async fn ended_messages(house: &House) -> usize {
    let (_, inbox) = house.get(&format!("/sandbox/messages?loginId={}", RICH.replace('+', "%2B"))).await;
    let messages = inbox["messages"].as_array().unwrap();
    messages.iter().filter(|one| one["text"].as_str().unwrap().contains("Dijla Stream")).count()
}

fn check_receipt(house: &House, ended: &Value, bound: &Bound, by: &str) {
    let receipt = Receipt::read(ended["receipt"].to_string().as_bytes()).unwrap();
    receipt.verify(&house.receipt_key).unwrap();
    let said: Value = serde_json::from_str(receipt.content.strip_prefix(LABEL).unwrap()).unwrap();
    assert_eq!((&said["agreementId"], &said["endedBy"]), (&json!(bound.agreement), &json!(by)), "{said}");
    assert_eq!(said["wallet"], house.wallet);
    assert!(said["userLoginId"].as_str().unwrap().contains("***"), "{said}");
    let content = receipt.content.replace("\"endedBy\":\"", "\"endedBy\":\"_");
    assert!(Receipt { content, ..receipt }.verify(&house.receipt_key).is_err());
}

async fn a_user_ends_a_binding_whose_merchant_allows_it(shelf: Shelf) {
    let house = House::open(shelf).await;
    let bound = bind(&house, "alipayPlus", "agreement-1").await;
    let ended = end(&house, &bound, "user").await;
    assert_eq!(ended["status"], "ended", "{ended}");
    check_receipt(&house, &ended, &bound, "user");

    let asked = received(&house, "consultUnbinding").await;
    let question =
        json!({ "authClientId": "merchant-1", "referenceMerchantId": "M1", "accessToken": bound.access });
    assert_eq!(asked, [question]);
    assert_ne!(refresh(&house, "alipayPlus", &bound).await, "SUCCESS");
    house.wait_for("/demo/notifications.json", |list| list.to_string().contains("TOKEN_CANCELED")).await;

    // Again: it is over, nobody is asked, nobody is told, and the receipt can be had again.
    let again = end(&house, &bound, "user").await;
    assert_eq!(again["status"], "ended", "{again}");
    check_receipt(&house, &again, &bound, "user");
    assert_eq!(end(&house, &bound, "wallet").await["status"], "ended");
    assert_eq!(received(&house, "consultUnbinding").await.len(), 1);
    let notices = told(&house, "TOKEN_CANCELED").await;
    assert_eq!(notices.len(), 1, "{notices:?}");
    let body: Value = serde_json::from_str(notices[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["reason"], "Canceled by the user in the wallet.");
    assert_eq!(ended_messages(&house).await, 1);
    house.close().await;
}

async fn a_merchant_that_says_no_is_where_the_user_must_go(shelf: Shelf) {
    let house = House::open(shelf).await;
    let bound = bind(&house, "alipayPlus", "agreement-2").await;
    answer(&house, "false").await;
    for _ in 0..4 {
        let refused = end(&house, &bound, "user").await;
        assert_eq!(refused, json!({ "status": "notAllowed", "receipt": null }));
    }
    assert_eq!(refresh(&house, "alipayPlus", &bound).await, "SUCCESS");
    assert_eq!(told(&house, "TOKEN_CANCELED").await.len(), 0);

    // The wallet asks nobody.
    let ended = end(&house, &bound, "wallet").await;
    assert_eq!(ended["status"], "ended");
    check_receipt(&house, &ended, &bound, "wallet");
    assert_eq!(told(&house, "TOKEN_CANCELED").await.len(), 1);
    house.close().await;
}

async fn a_merchant_that_never_answers_holds_nobody_for_ever(shelf: Shelf) {
    let house = House::open(shelf).await;
    let bound = bind(&house, "alipayPlus", "agreement-3").await;
    answer(&house, "timeout").await;
    for status in ["unknown", "unknown"] {
        assert_eq!(end(&house, &bound, "user").await, json!({ "status": status, "receipt": null }));
    }
    // A day later both are forgotten; then the third in a row frees the user.
    assert_eq!(house.post("/sandbox/clock", json!({ "advanceSeconds": 86_400 })).await.0, 200);
    for status in ["unknown", "unknown", "ended"] {
        assert_eq!(end(&house, &bound, "user").await["status"], status);
    }
    assert_eq!(told(&house, "TOKEN_CANCELED").await.len(), 1);
    house.close().await;
}

async fn a_contract_is_ended_at_once_and_its_merchant_told_where_it_asked_for_it(shelf: Shelf) {
    let house = House::open(shelf).await;
    let bound = bind(&house, "qi", "").await;
    let ended = end(&house, &bound, "user").await;
    assert_eq!(ended["status"], "ended", "{ended}");
    check_receipt(&house, &ended, &bound, "user");
    assert_ne!(refresh(&house, "qi", &bound).await, "SUCCESS");

    let list = house
        .wait_for("/sandbox/notifications", |list| {
            let all = list["notifications"].as_array().unwrap().iter();
            all.filter(|one| one["type"] == "contractStatus" && one["state"] == "delivered").count() == 2
        })
        .await;
    let mut statuses = Vec::new();
    for one in list["notifications"].as_array().unwrap() {
        let body: Value = serde_json::from_str(one["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["modifyTime"].as_str().unwrap().len(), 10, "{body}");
        statuses.push(body["contractStatus"].as_str().unwrap().to_owned());
    }
    statuses.sort();
    assert_eq!(statuses, ["INVALID", "VALID"]);
    house.close().await;
}

async fn the_control_calls_refuse_what_makes_no_sense(shelf: Shelf) {
    let house = House::open(shelf).await;
    for (path, body, status) in [
        ("/sandbox/agreements/end", json!({ "by": "user" }), 400),
        ("/sandbox/agreements/end", json!({ "agreementId": "nonsense", "by": "user" }), 404),
        ("/sandbox/agreements/end", json!({ "agreementId": "0".repeat(26), "by": "user" }), 404),
        ("/sandbox/agreements/end", json!({ "agreementId": "0".repeat(26), "by": "merchant" }), 400),
        ("/sandbox/consult", json!({ "answer": "maybe" }), 400),
        ("/sandbox/consult", json!({}), 400),
    ] {
        let (found, told) = house.post(path, body.clone()).await;
        assert_eq!(found, status, "{path} {body}: {told}");
    }
    house.close().await;
}
