//! What a Qi contract may say beside its text, over a real server: a sibling wallet's optional members, and the
//! subscriptions that the paper names. The user sees them before agreeing, hears of each debit to come, reads the
//! merchant's plan in the message of a debit, and the merchant is told how the contract stands.

mod house;

use accord_core::calendar::Date;
use house::mailbox::{Mailbox, Manner};
use house::shop::{Bill, Shop, auth_id};
use house::support::{On, on_every_store};
use house::{House, http, millis};
use serde_json::{Value, json};

on_every_store!(
    async every_optional_member_is_shown_kept_and_told,
    subscriptions_are_shown_and_their_debits_are_told_of_ahead,
);

const DAY: i64 = 86_400;
const ZONE_MS: i64 = 3 * 3_600_000;

/// The day number in Baghdad, after waiting for the next noon there: no midnight passes unnoticed.
async fn noon(house: &House) -> i64 {
    let now = millis(&json!(house.now().await)) + ZONE_MS;
    let noon = (now.div_euclid(DAY * 1_000) + 1) * DAY * 1_000 + DAY * 500;
    house.advance((noon - now).div_euclid(1_000)).await;
    noon.div_euclid(DAY * 1_000)
}

/// Asks for an agreement with that contract; the authId.
async fn prepare(shop: &Shop, info: &Value) -> String {
    let body = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": info.to_string() });
    let prepared = shop.call("prepare", body).await;
    prepared.is("S SUCCESS");
    auth_id(&prepared.body)
}

/// The authorization page as a browser gets it, without the marks around names.
async fn page(house: &House, auth_id: &str) -> String {
    let head = format!("GET /authorize?authId={auth_id} HTTP/1.1");
    let (status, page) = http(&house.url, &head, "").await.expect("a page");
    assert_eq!(status, 200, "{page}");
    page.replace(['\u{2068}', '\u{2069}'], "")
}

fn has(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "no `{part}` in {text}"));
}

/// When the user was told of debits to come, oldest first.
async fn told(house: &House) -> Vec<i64> {
    let mut messages = house.messages(0).await;
    messages.retain(|one| one["title"].as_str().is_some_and(|title| title.contains("will debit you")));
    messages.reverse();
    messages.iter().map(|message| millis(&message["time"])).collect()
}

async fn every_optional_member_is_shown_kept_and_told(on: On) {
    let house = House::open("members", on);
    let shop = house.shop("qi2");
    let mailbox = Mailbox::open(shop.receiver(), |_| Manner::Sign).await;
    let today = noon(&house).await;
    let first = Date::of_day(today + 10);
    let info = json!({
        "language": "en-US", "contractTitle": "Iron Gym", "contractDesc": "Twelve months of lifting.",
        "agreedAmount": { "currency": "IQD", "value": "25000000" }, "startTime": first.to_string(),
        "contractStatusNotifyUrl": format!("{}/status", mailbox.url), "schedule": "MONTHLY",
    });
    let id = prepare(&shop, &info).await;
    let shown = page(&house, &id).await;
    has(&shown, &["Iron Gym", "Twelve months of lifting.", "25,000 IQD", "for one debit"]);
    has(&shown, &["Debits are due every month", "No debit before"]);

    let code = house.approve(&id, 0).await;
    let tokens = shop.apply(&code).await.tokens();
    let status = house.tried(&format!("{}/status", mailbox.url), 1).await;
    assert_eq!(status["state"], "delivered", "{status}");
    let letter = mailbox.letters_to("/status")[0].json();
    assert_eq!(letter["contractStatus"], "VALID", "{letter}");
    assert_eq!(letter["accessToken"], tokens.access.as_str(), "{letter}");

    // Not before startTime, not above agreedAmount; and the user hears of it ahead.
    let bill = |id: &str, value: u64| Bill::new(id, "IQD", value);
    shop.pay(&bill("early", 25_000_000), &tokens.access).await.is("F RISK_REJECT");
    house.advance(10 * DAY).await;
    assert_eq!(told(&house).await, [(today + 8) * DAY * 1_000 - ZONE_MS]);
    shop.pay(&bill("above", 25_000_001), &tokens.access).await.is("F PAYMENT_AMOUNT_EXCEED_LIMIT");

    // The merchant's plan stands in the message of the debit.
    let mut body = shop.pay_body(&bill("first", 25_000_000), &tokens.access);
    body["agreedAmount"] = info["agreedAmount"].clone();
    body["nextPaymentDate"] = json!("2031-03-01");
    body["serviceExpireTime"] = json!("2031-02-28T23:59:59+03:00");
    shop.call("pay", body).await.is("S SUCCESS");
    let message = house.messages(0).await.remove(0);
    let text = message["text"].as_str().expect("a text").replace(['\u{2068}', '\u{2069}'], "");
    has(&text, &["agreed for each payment: 25,000 IQD", "next payment: 1 March 2031"]);
    has(&text, &["paid until 28 February 2031"]);

    shop.cancel(&tokens.access).await.is("S SUCCESS");
    house
        .eventually("the end of the contract", async || {
            (mailbox.letters_to("/status").len() == 2).then_some(())
        })
        .await;
    assert_eq!(mailbox.letters_to("/status")[1].json()["contractStatus"], "INVALID");
}

async fn subscriptions_are_shown_and_their_debits_are_told_of_ahead(on: On) {
    let house = House::open("subscriptions", on);
    let shop = house.shop("qi2");
    let mut before = 0;
    for (schedule, said, months) in [
        ("MONTHLY", "Debits are due every month", 1),
        ("SEASONAL", "Debits are due every three months", 3),
        ("YEARLY", "Debits are due every year", 12),
    ] {
        let today = noon(&house).await;
        // Without a startTime the day of the agreement is the first due day.
        let from = |steps: i64| Date::of_day(today).plus_months(steps * months).day_number();
        let info = json!({ "language": "en-US", "contractDesc": "Plan", "schedule": schedule });
        let id = prepare(&shop, &info).await;
        has(&page(&house, &id).await, &[said]);
        let code = house.approve(&id, 0).await;
        let tokens = shop.apply(&code).await.tokens();
        house.advance((from(2) - today) * DAY).await;
        let times = told(&house).await.split_off(before);
        let two_days_ahead = |steps: i64| (from(steps) - 2) * DAY * 1_000 - ZONE_MS;
        assert_eq!(times, [two_days_ahead(1), two_days_ahead(2)], "{schedule}");
        shop.pay(&Bill::new(schedule, "IQD", 25_000), &tokens.access).await.is("S SUCCESS");
        shop.cancel(&tokens.access).await.is("S SUCCESS");
        before += 2;
    }
}
