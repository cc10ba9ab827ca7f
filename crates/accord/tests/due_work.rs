//! Work that becomes due while the sandbox's clock is moved: agreements that fall asleep, users told of debits to come,
//! refunds that nobody knew the end of. Unknown payments are in `sandbox_flows.rs`, retries in `time_travel.rs`.

mod house;

use accord_core::calendar::Date;
use house::shop::{Bill, auth_id};
use house::support::{On, on_every_store};
use house::{House, http, millis};
use serde_json::{Value, json};

on_every_store!(
    async an_agreement_without_debits_falls_asleep_and_its_user_wakes_it,
    users_are_told_of_debits_to_come_each_at_its_own_time,
    a_refund_that_answered_unknown_reaches_its_end_when_it_is_due,
);

const DAY: i64 = 86_400;
const ZONE_MS: i64 = 3 * 3_600_000;

/// A call of the wallet's own app about the rich user's one agreement.
async fn app(house: &House, act: &str, agreement: &str) {
    let api = house.file.wallet_api.as_ref().expect("a wallet API");
    let head = format!(
        "POST /wallet/v1/agreements/{agreement}/{act} HTTP/1.1\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {}",
        api.token
    );
    let body = json!({ "customerId": house.file.users[0].customer_id }).to_string();
    let (status, said) = http(&house.url, &head, &body).await.expect("an answer");
    assert_eq!(status, 200, "{act}: {said}");
}

/// The rich user's newest agreement: id and status.
async fn agreement(house: &House) -> (String, String) {
    let user = house.user(0).await;
    let newest = &user["agreements"][0];
    let text = |name: &str| newest[name].as_str().expect("a text").to_owned();
    (text("agreementId"), text("status"))
}

/// Moves to the next noon of Baghdad, so that no midnight passes unnoticed; its day number.
async fn noon(house: &House) -> i64 {
    let now = millis(&json!(house.now().await)) + ZONE_MS;
    let noon = (now.div_euclid(DAY * 1_000) + 1) * DAY * 1_000 + DAY * 500;
    house.advance((noon - now).div_euclid(1_000)).await;
    noon.div_euclid(DAY * 1_000)
}

async fn an_agreement_without_debits_falls_asleep_and_its_user_wakes_it(on: On) {
    let mut house = House::open("asleep", on);
    house.stop();
    let config = house.data().join("accord.toml");
    let before = std::fs::read_to_string(&config).expect("a configuration");
    let asleep =
        "\n[qi.agreements]\nasleep_after_days = 30\n\n[alipay_plus.agreements]\nasleep_after_days = 30\n";
    std::fs::write(&config, before + asleep).expect("written");
    house.start();
    for (who, asleep) in [("qi2", "F RISK_REJECT"), ("alipayPlus2", "F UNAVAILABLE_PAYMENT_METHOD")] {
        noon(&house).await;
        let shop = house.shop(who);
        let tokens = house.agree(&shop, "sleepy", 0, None).await;
        let pay = |id: &str| {
            let (bill, token) = (Bill::new(id, "IQD", 1_000), tokens.access.clone());
            let shop = shop.clone();
            async move { shop.pay(&bill, &token).await }
        };
        pay("first").await.is("S SUCCESS");
        house.advance(30 * DAY).await;
        let (id, status) = agreement(&house).await;
        assert_eq!(status, "active", "{who}");
        pay("in time").await.is("S SUCCESS");
        // A month of upkeep does not make it forget when it was last used.
        for _ in 0..31 {
            house.advance(DAY).await;
        }
        assert_eq!(agreement(&house).await, (id.clone(), "asleep".to_owned()), "{who}");
        let balance = house.balance(0, "IQD").await;
        pay("asleep").await.is(asleep);
        assert_eq!(house.balance(0, "IQD").await, balance);
        app(&house, "resume", &id).await;
        assert_eq!(agreement(&house).await, (id.clone(), "active".to_owned()), "{who}");
        pay("awake").await.is("S SUCCESS");
        pay("asleep").await.is(asleep);
        house.advance(31 * DAY).await;
        assert_eq!(agreement(&house).await, (id, "asleep".to_owned()), "{who}");
    }
}

/// Debits to come that the user was told of, oldest first: when, and the text.
async fn told(house: &House) -> Vec<(i64, String)> {
    let mut messages = house.messages(0).await;
    messages
        .retain(|message| message["title"].as_str().is_some_and(|title| title.contains("will debit you")));
    messages.reverse();
    messages
        .iter()
        .map(|message| (millis(&message["time"]), message["text"].as_str().expect("a text").to_owned()))
        .collect()
}

async fn users_are_told_of_debits_to_come_each_at_its_own_time(on: On) {
    let house = House::open("upcoming", on);
    let shop = house.shop("qi2");
    let today = noon(&house).await;
    let midnight = |day: i64| day * DAY * 1_000 - ZONE_MS;
    let first = Date::of_day(today + 10);
    let info = json!({
        "contractDesc": "Gym plan", "agreedAmount": { "currency": "IQD", "value": "25000" },
        "startTime": first.to_string(), "schedule": "MONTHLY",
    });
    let body = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": info.to_string() });
    let prepared = shop.call("prepare", body).await;
    let code = house.approve(&auth_id(&prepared.body), 0).await;
    let access = shop.apply(&code).await.tokens().access;

    // Two days ahead, at the midnight at which it becomes due; not at the end of the step.
    let day = |steps: i64| first.plus_months(steps).day_number();
    house.advance(7 * DAY).await;
    assert_eq!(told(&house).await, []);
    house.advance(DAY).await;
    let messages = told(&house).await;
    assert_eq!(messages.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [midnight(day(0) - 2)]);
    assert!(messages[0].1.contains("25 IQD"), "{messages:?}");
    house.advance(4 * DAY).await;
    shop.pay(&Bill::new("first", "IQD", 25_000), &access).await.is("S SUCCESS");

    // Three months in one step: each at its own time, once.
    let now = (millis(&json!(house.now().await)) + ZONE_MS).div_euclid(DAY * 1_000);
    house.advance((day(3) - 1 - now) * DAY).await;
    let times: Vec<i64> = told(&house).await.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 1, 2, 3].map(|steps| midnight(day(steps) - 2)));

    // The debit of the fourth month is skipped: its user hears of the fifth only.
    house.advance(3 * DAY).await;
    let (id, _) = agreement(&house).await;
    app(&house, "skip", &id).await;
    assert_eq!(agreement(&house).await.1, "paused");
    let now = (millis(&json!(house.now().await)) + ZONE_MS).div_euclid(DAY * 1_000);
    house.advance((day(5) - 1 - now) * DAY).await;
    let times: Vec<i64> = told(&house).await.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 1, 2, 3, 5].map(|steps| midnight(day(steps) - 2)));
    shop.pay(&Bill::new("skipped", "IQD", 25_000), &access).await.is("F RISK_REJECT");
    house.advance(DAY).await;
    shop.pay(&Bill::new("fifth", "IQD", 25_000), &access).await.is("S SUCCESS");
}

async fn a_refund_that_answered_unknown_reaches_its_end_when_it_is_due(on: On) {
    let house = House::open("refunds-due", on);
    for (who, running, failed) in [
        ("qi2", "U REFUND_IN_PROCESS", "F RISK_REJECT"),
        ("alipayPlus2", "U UNKNOWN_EXCEPTION", "F RISK_REJECT"),
    ] {
        let shop = house.shop(who);
        let tokens = house.agree(&shop, "refunds", 0, None).await;
        let paid = shop.pay(&Bill::new("order", "IQD", 25_000), &tokens.access).await;
        let payment = paid.body["paymentId"].as_str().expect("an id").to_owned();
        let refund = |id: &str| {
            let mut body = shop.inquiry_body("order");
            body["paymentId"] = json!(payment);
            body["refundRequestId"] = json!(id);
            body["refundAmount"] = json!({ "currency": "IQD", "value": "10000" });
            let shop = shop.clone();
            async move { shop.call("refund", body).await }
        };
        let script = |then: &str, after: i64| -> Value {
            json!({ "operation": "refund", "outcome": "U", "then": then, "afterSeconds": after })
        };
        let before = house.balance(0, "IQD").await;
        let messages = house.messages(0).await.len();
        house.fault(script("success", 600)).await;
        refund("good").await.is(running);
        house.fault(script("failure", 900)).await;
        refund("bad").await.is(running);
        // Both are on their way: no third one fits.
        refund("third").await.is("F REFUND_AMOUNT_EXCEED");
        house.advance(590).await;
        refund("good").await.is(running);
        assert_eq!(house.balance(0, "IQD").await, before);

        // An hour in one step: the good one arrives, then the bad one goes back to the merchant.
        let started = millis(&json!(house.now().await));
        house.advance(3_600).await;
        refund("good").await.is("S SUCCESS");
        refund("bad").await.is(failed);
        assert_eq!(house.balance(0, "IQD").await, before + 10_000);
        let told = house.messages(0).await;
        assert_eq!(told.len(), messages + 1, "{told:?}");
        let after = millis(&told[0]["time"]) - started;
        assert!((0..60_000).contains(&after), "{after} ms after the step began: {told:?}");
        refund("third").await.is("F REFUND_AMOUNT_EXCEED");
        refund("fourth").await.is("S SUCCESS");
        assert_eq!(house.balance(0, "IQD").await, before + 20_000);
    }
}
