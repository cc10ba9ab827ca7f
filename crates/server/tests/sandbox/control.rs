//! The control API.

use super::house::{FROZEN, House, PIN, RICH, told};
use super::stores::{Shelf, served_from_every_store};
use serde_json::{Value, json};

served_from_every_store!(
    only_this_machine_and_only_json_is_served,
    every_way_to_a_session_decides_it_once,
    what_cannot_be_decided_says_why,
    one_user_may_decide_many_sessions_at_once,
    scripted_faults_happen_to_valid_calls_and_then_as_scripted,
    a_debit_shows_in_messages_and_notifications,
    secrets_in_notifications_are_shown_as_they_were_sent,
);

pub fn prepare(reference: &str) -> Value {
    json!({
        "pspId": "102208800000001234", "acquirerId": "102218800000001234",
        "authClientId": "merchant-1", "authClientName": "Dijla Streaming LLC", "authClientDisplayName": "Dijla Stream",
        "authRedirectUrl": "https://merchant.example/back?x=1#top", "scopes": ["AGREEMENT_PAY"],
        "customerBelongsTo": "ALIPAY_CN", "authState": format!("state of {reference}"), "terminalType": "WEB",
        "referenceAgreementId": reference, "referenceMerchantId": "shop-1",
    })
}

fn decision(way: &str, value: &Value, decision: &str) -> Value {
    json!({ way: value, "loginId": RICH, "pin": PIN, "decision": decision, "unknown": [1] })
}

async fn only_this_machine_and_only_json_is_served(shelf: Shelf) {
    let house = House::open(shelf).await;
    let decide = format!("{}/sandbox/decide", house.wallet);
    for (status, code, request) in [
        (415, "UNSUPPORTED_MEDIA_TYPE", house.http.post(&decide).body("{}")),
        (
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            house.http.post(&decide).header("content-type", "text/plain").body("{}"),
        ),
        (
            403,
            "FORBIDDEN",
            house.http.get(format!("{}/sandbox/clock", house.wallet)).header("host", "evil.example"),
        ),
        (
            403,
            "FORBIDDEN",
            house.http.get(format!("{}/sandbox/clock", house.wallet)).header("x-forwarded-for", "::1"),
        ),
        (404, "NOT_FOUND", house.http.get(format!("{}/sandbox/nothing/at/all", house.wallet))),
        (404, "NOT_FOUND", house.http.get(format!("{}/sandbox", house.wallet))),
        (405, "METHOD_NOT_ALLOWED", house.http.get(&decide)),
        (405, "METHOD_NOT_ALLOWED", house.http.delete(format!("{}/sandbox/clock", house.wallet))),
        (400, "BAD_REQUEST", house.http.post(&decide).header("content-type", "application/json").body("[]")),
        (400, "BAD_REQUEST", house.http.post(&decide).header("content-type", "application/json").body("{")),
        (
            413,
            "TOO_LARGE",
            house.http.post(&decide).header("content-type", "application/json").body(vec![b' '; 65 * 1024]),
        ),
    ] {
        let reply = request.send().await.unwrap();
        assert_eq!(reply.headers().get("access-control-allow-origin"), None);
        let (got, body) = told(reply).await;
        assert_eq!((got, body["error"]["code"].as_str()), (status, Some(code)), "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    house.close().await;
}

async fn every_way_to_a_session_decides_it_once(shelf: Shelf) {
    let house = House::open(shelf).await;
    for (number, member) in ["normalUrl", "applinkUrl", "schemeUrl", "codeValue"].into_iter().enumerate() {
        let reference = format!("ref-{number}");
        let prepared = house.call("alipayPlus", "prepare", prepare(&reference)).await;
        assert_eq!(prepared["result"]["resultStatus"], "S", "{prepared}");
        let (status, decided) =
            house.post("/sandbox/decide", decision("url", &prepared[member], "approve")).await;
        assert_eq!(status, 200, "{member}: {decided}");
        let code = decided["authCode"].as_str().unwrap();
        assert_eq!(
            decided["redirectUrl"],
            format!(
                "https://merchant.example/back?x=1&authCode={code}&authState=state%20of%20ref-{number}#top"
            )
        );
        let (status, again) =
            house.post("/sandbox/decide", decision("url", &prepared["normalUrl"], "approve")).await;
        assert_eq!((status, again["error"]["code"].as_str()), (409, Some("ALREADY_DECIDED")));
        assert!(!again.to_string().contains(code));
    }

    let prepared = house.call("alipayPlus", "prepare", prepare("refused")).await;
    let url = &prepared["normalUrl"];
    let (status, refused) = house.post("/sandbox/decide", json!({ "url": url, "decision": "refuse" })).await;
    assert_eq!((status, &refused["authCode"]), (200, &Value::Null), "{refused}");
    assert_eq!(
        refused["redirectUrl"],
        "https://merchant.example/back?x=1&authState=state%20of%20refused#top"
    );

    let contract = json!({ "language": "ar-IQ", "contractDesc": "اشتراك شهري" }).to_string();
    let contract = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": contract });
    let prepared = house.call("qi", "prepare", contract).await;
    let auth_url = prepared["authUrl"].as_str().unwrap();
    let auth_id = json!(auth_url.split_once("authId=").unwrap().1);
    let (status, decided) = house.post("/sandbox/decide", decision("authId", &auth_id, "approve")).await;
    assert_eq!((status, &decided["redirectUrl"]), (200, &Value::Null), "{decided}");
    assert_eq!(decided["authCode"].as_str().map(str::len), Some(32));
    house.close().await;
}

async fn what_cannot_be_decided_says_why(shelf: Shelf) {
    let house = House::open(shelf).await;
    let url = house.call("alipayPlus", "prepare", prepare("ref")).await["normalUrl"].clone();
    let with = |member: &str, value: Value| {
        let mut body = decision("url", &url, "approve");
        body[member] = value;
        body
    };
    for (status, code, body) in [
        (400, "BAD_REQUEST", with("decision", json!("maybe"))),
        (400, "BAD_REQUEST", with("decision", Value::Null)),
        (400, "BAD_REQUEST", with("pin", Value::Null)),
        (400, "BAD_REQUEST", with("pin", json!(135790))),
        (400, "BAD_REQUEST", json!({ "decision": "refuse" })),
        (403, "WRONG_SIGN_IN", with("pin", json!("000000"))),
        (403, "WRONG_SIGN_IN", with("loginId", json!(FROZEN))),
        (403, "WRONG_SIGN_IN", with("loginId", json!("nobody"))),
        (404, "SESSION_NOT_FOUND", with("url", json!("http://127.0.0.1/authorize?authId=x"))),
        (404, "SESSION_NOT_FOUND", with("authId", json!("00000000000000000000000000"))),
    ] {
        let (got, answer) = house.post("/sandbox/decide", body.clone()).await;
        assert_eq!((got, answer["error"]["code"].as_str()), (status, Some(code)), "{body} {answer}");
    }
    let (_, before) = house.get("/sandbox/clock").await;
    let (status, after) = house.post("/sandbox/clock", json!({ "advanceSeconds": 901 })).await;
    assert_eq!(status, 200);
    assert!(after["now"].as_str() > before["now"].as_str(), "{before} {after}");
    let (status, expired) = house.post("/sandbox/decide", decision("url", &url, "approve")).await;
    assert_eq!((status, expired["error"]["code"].as_str()), (410, Some("SESSION_EXPIRED")));
    for seconds in [json!(-1), json!(1.5), json!("1"), Value::Null, json!(10_000_000_000_i64)] {
        assert_eq!(
            house.post("/sandbox/clock", json!({ "advanceSeconds": seconds })).await.0,
            400,
            "{seconds}"
        );
    }
    assert_eq!(house.get("/sandbox/users/nobody").await.0, 404);
    assert_eq!(house.get("/sandbox/messages?loginId=nobody").await.0, 404);
    assert_eq!(house.get("/sandbox/messages").await.0, 400);
    house.close().await;
}

async fn one_user_may_decide_many_sessions_at_once(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut urls = Vec::new();
    for number in 0..24 {
        urls.push(
            house.call("alipayPlus", "prepare", prepare(&format!("ref-{number}"))).await["normalUrl"].clone(),
        );
    }
    let decisions = urls.iter().map(|url| {
        let request = house.http.post(format!("{}/sandbox/decide", house.wallet));
        let body = decision("url", url, "approve").to_string();
        tokio::spawn(request.header("content-type", "application/json").body(body).send())
    });
    let decisions: Vec<_> = decisions.collect();
    for decided in decisions {
        let (status, body) = told(decided.await.unwrap().unwrap()).await;
        assert_eq!(status, 200, "{body}");
    }
    let user = house.user(RICH).await;
    assert_eq!(user["agreements"].as_array().map(Vec::len), Some(24));
    house.close().await;
}

/// An agreement of the rich user with the Qi merchant; gives back the access token.
async fn agree(house: &House) -> String {
    let contract = json!({ "language": "en-US", "contractDesc": "monthly" }).to_string();
    let contract = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": contract });
    let prepared = house.call("qi", "prepare", contract).await;
    let (_, decided) = house.post("/sandbox/decide", decision("url", &prepared["authUrl"], "approve")).await;
    let grant = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": decided["authCode"] });
    let tokens = house.call("qi", "applyToken", grant).await;
    tokens["accessToken"].as_str().unwrap().to_owned()
}

async fn pay(house: &House, token: &str, request: &str) -> Value {
    let body = json!({
        "productCode": "51051000101000100031", "paymentRequestId": request, "paymentAuthCode": token,
        "paymentAmount": { "currency": "IQD", "value": "25000000" },
        "order": { "orderDescription": "one month" },
    });
    house.call("qi", "pay", body).await["result"].clone()
}

async fn scripted_faults_happen_to_valid_calls_and_then_as_scripted(shelf: Shelf) {
    let house = House::open(shelf).await;
    let token = agree(&house).await;
    for (body, why) in [
        (json!({ "operation": "fly", "outcome": "U" }), "operation"),
        (json!({ "operation": "pay", "outcome": "S" }), "outcome"),
        (json!({ "operation": "pay", "outcome": "NO_SUCH_CODE" }), "outcome"),
        (json!({ "operation": "pay", "outcome": "U", "count": 0 }), "count"),
        (json!({ "operation": "pay", "outcome": "U", "then": "maybe" }), "then"),
        (json!({ "operation": "pay", "outcome": "U", "afterSeconds": -1 }), "afterSeconds"),
    ] {
        let (status, answer) = house.post("/sandbox/faults", body).await;
        assert_eq!(status, 400);
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(why), "{answer}");
    }

    let script = json!({ "operation": "pay", "outcome": "U", "then": "success", "afterSeconds": 60 });
    assert_eq!(house.post("/sandbox/faults", script).await.0, 200);
    let script =
        json!({ "operation": "pay", "outcome": "USER_BALANCE_NOT_ENOUGH", "count": 1, "then": null });
    assert_eq!(house.post("/sandbox/faults", script).await.0, 200);
    assert_eq!(pay(&house, &token, "unknown").await["resultStatus"], "U");
    assert_eq!(pay(&house, &token, "poor").await["resultCode"], "USER_BALANCE_NOT_ENOUGH");
    assert_eq!(pay(&house, &token, "plain").await["resultStatus"], "S");
    assert_eq!(house.user(RICH).await["balances"]["IQD"], "99975000000");

    house.post("/sandbox/clock", json!({ "advanceSeconds": 61 })).await;
    let user = house.user(RICH).await;
    assert_eq!((&user["balances"]["IQD"], &user["inboxCount"]), (&json!("99950000000"), &json!(3)), "{user}");
    assert_eq!(pay(&house, &token, "unknown").await["resultStatus"], "S");

    let script = json!({ "operation": "pay", "outcome": "U", "count": 5 });
    house.post("/sandbox/faults", script).await;
    let cleared = house.http.delete(format!("{}/sandbox/faults", house.wallet)).send().await.unwrap();
    assert_eq!(cleared.status().as_u16(), 200);
    assert_eq!(pay(&house, &token, "after").await["resultStatus"], "S");
    house.close().await;
}

async fn a_debit_shows_in_messages_and_notifications(shelf: Shelf) {
    let house = House::open(shelf).await;
    let token = agree(&house).await;
    assert_eq!(pay(&house, &token, "first").await["resultStatus"], "S");
    let delivered = |answer: &Value| {
        answer["notifications"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["state"] == "delivered"))
    };
    let answer = house.wait_for("/sandbox/notifications", delivered).await;
    let notification = &answer["notifications"][0];
    assert_eq!(notification["type"], "notifyPayment", "{answer}");
    assert_eq!(notification["url"], format!("{}/demo/notify/qi", house.shop));
    assert_eq!(notification["attempts"][0]["httpStatus"], 200);
    let body: Value = serde_json::from_str(notification["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["paymentRequestId"], "first");

    let (_, answer) = house.get(&format!("/sandbox/messages?loginId={}", RICH.replace('+', "%2B"))).await;
    let message = &answer["messages"][0];
    assert_eq!((&message["channel"], &message["language"]), (&json!("inbox"), &json!("en-US")), "{answer}");
    assert!(message["text"].as_str().unwrap().contains(body["paymentId"].as_str().unwrap()));

    let user = house.user(RICH).await;
    assert_eq!(user["agreements"][0]["status"], "active");
    assert_eq!(user["agreements"][0]["merchant"], "Dijla Stream");
    house.close().await;
}

async fn secrets_in_notifications_are_shown_as_they_were_sent(shelf: Shelf) {
    let house = House::open(shelf).await;
    let prepared = house.call("alipayPlus", "prepare", prepare("ref")).await;
    let (_, decided) =
        house.post("/sandbox/decide", decision("url", &prepared["normalUrl"], "approve")).await;
    let (_, answer) = house.get("/sandbox/notifications").await;
    let body: Value = serde_json::from_str(answer["notifications"][0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["authorizationNotifyType"], "AUTHCODE_CREATED", "{answer}");
    assert_eq!(body["authCode"], decided["authCode"]);
    house.close().await;
}
