//! The demo's shop: subscriptions that are debited as the sandbox's clock moves, and what goes wrong with them.

use super::demo::{Browser, between, decide};
use super::house::{House, RICH};
use super::stores::{Shelf, served_from_every_store};
use serde_json::json;

served_from_every_store!(
    a_subscriber_pays_at_the_start_and_every_month_as_the_clock_moves,
    tokens_that_end_are_renewed_before_the_next_debit,
    an_open_debit_is_not_made_twice_and_the_notification_settles_it,
    a_user_ends_the_agreement_when_the_merchant_lets_it_end_and_the_shop_is_told,
    every_signed_message_stands_with_the_length_and_digest_of_its_content,
);

/// Subscribes, agrees in the wallet and comes back with the code.
async fn subscribe<'h>(house: &'h House, dialect: &'static str, plan: &str) -> Browser<'h> {
    let mut browser = Browser::shop(house, dialect).await;
    browser.step("subscribe", &[("plan", plan)]).await;
    let decided = decide(house, &browser.auth_url(), "approve").await;
    if dialect == "qi" {
        let code = decided["authCode"].as_str().unwrap();
        browser.step("code", &[("authCode", code), ("error", ""), ("errorMessage", "")]).await;
    } else {
        browser.visit(decided["redirectUrl"].as_str().unwrap()).await;
    }
    browser.shows("Debits made:");
    browser
}

/// What the rich user has paid, in whole dinars.
async fn paid(house: &House) -> i64 {
    let left: i64 = house.user(RICH).await["balances"]["IQD"].as_str().unwrap().parse().unwrap();
    (100_000_000_000 - left) / 1_000
}

/// The debits that the phone lists.
fn bills(browser: &Browser<'_>) -> usize {
    browser.page.matches("data-request=").count()
}

async fn a_subscriber_pays_at_the_start_and_every_month_as_the_clock_moves(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = subscribe(&house, "qi", "monthly").await;
    assert_eq!((paid(&house).await, bills(&browser)), (25_000, 1));
    for month in 2..=4 {
        browser.step("later", &[("by", "month")]).await;
        assert_eq!(
            (paid(&house).await, bills(&browser)),
            (25_000 * month, month as usize),
            "{}",
            browser.page
        );
    }
    browser.step("due", &[]).await;
    browser.shows("Nothing is due before");
    assert_eq!(paid(&house).await, 100_000);

    browser.step("buy", &[]).await;
    assert_eq!(paid(&house).await, 105_000);
    browser.step("pay", &[("amount", "25000001"), ("currency", "IQD")]).await;
    browser.shows("PAYMENT_AMOUNT_EXCEED_LIMIT");
    browser.step("refund", &[]).await;
    browser.shows("Refunded");
    assert_eq!(paid(&house).await, 100_000, "the extra was given back, not the debit that failed");

    browser.step("cancelToken", &[]).await;
    browser.shows("The agreement has ended.");
    browser.step("later", &[("by", "month")]).await;
    browser.shows("Nobody owes anything");
    assert_eq!(paid(&house).await, 100_000);
    house.close().await;
}

async fn tokens_that_end_are_renewed_before_the_next_debit(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = subscribe(&house, "alipayPlus", "seasonal").await;
    for debit in 2..=4 {
        browser.step("later", &[("by", "due")]).await;
        assert_eq!(paid(&house).await, 70_000 * debit, "{}", browser.page);
    }
    // Half a year has passed in between, and with it the life of the first access token.
    let refreshed = browser.page.matches("REFRESH_TOKEN").count();
    assert!(refreshed > 0, "the merchant renewed its tokens");
    house.close().await;
}

async fn an_open_debit_is_not_made_twice_and_the_notification_settles_it(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = subscribe(&house, "qi", "monthly").await;
    browser.step("fault", &[("operation", "pay"), ("outcome", "U-failure")]).await;
    browser.shows("The next call of <bdi>pay</bdi> will end so");
    browser.step("later", &[("by", "month")]).await;
    browser.shows("Not known yet");
    browser.step("due", &[]).await;
    browser.shows("Nothing is due before");
    assert_eq!((paid(&house).await, bills(&browser)), (25_000, 2));

    house.post("/sandbox/clock", json!({ "advanceSeconds": 10 })).await;
    let settled = |list: &serde_json::Value| list.as_array().is_some_and(|list| list.len() >= 2);
    house.wait_for("/demo/notifications.json", settled).await;
    browser.visit(&format!("{}/demo/qi", house.shop)).await;
    browser.shows("Not paid:");
    browser.step("due", &[]).await;
    assert_eq!((paid(&house).await, bills(&browser)), (50_000, 3), "{}", browser.page);

    browser.step("fault", &[("operation", "pay"), ("outcome", "RISK_REJECT")]).await;
    browser.step("fault", &[("operation", "pay"), ("outcome", "")]).await;
    browser.step("buy", &[]).await;
    assert_eq!(paid(&house).await, 55_000, "the fault was forgotten");
    house.close().await;
}

async fn a_user_ends_the_agreement_when_the_merchant_lets_it_end_and_the_shop_is_told(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = subscribe(&house, "alipayPlus", "monthly").await;
    browser.step("consult", &[("answer", "false")]).await;
    browser.step("userEnds", &[]).await;
    browser.shows("notAllowed");
    browser.step("consult", &[("answer", "true")]).await;
    browser.step("userEnds", &[]).await;
    browser.shows("consultUnbinding");
    house.wait_for("/demo/notifications.json", |list| list.to_string().contains("TOKEN_CANCELED")).await;
    browser.visit(&format!("{}/demo/alipayPlus", house.shop)).await;
    browser.shows("The agreement has ended.");
    browser.step("cancelPayment", &[]).await;
    browser.shows("Cancelled");
    assert_eq!(paid(&house).await, 0, "cancelling gave the money back");
    house.close().await;
}

async fn every_signed_message_stands_with_the_length_and_digest_of_its_content(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = subscribe(&house, "qi", "yearly").await;
    house.wait_for("/demo/notifications.json", |list| list.to_string().contains("notifyPayment")).await;
    browser.visit(&format!("{}/demo/qi?view=wire", house.shop)).await;
    for operation in ["prepare", "applyToken", "pay", "notifyPayment"] {
        browser.shows(&format!("<strong dir=\"ltr\">{operation}</strong>"));
    }
    // prepare was the first: its request signs method, path, Client-Id, time and body.
    let first = browser.page.rsplit_once("id=\"x1\"").unwrap().1;
    let content = between(first, "id=\"x1qc\" dir=\"ltr\" tabindex=\"0\">\n", "</pre>");
    let content =
        content.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">");
    let content = content.replace("&#38;", "&");
    assert!(content.starts_with("POST /v1/authorizations/prepare\n"), "{content}");
    let measure = format!("<bdi>{}</bdi> bytes, SHA-256 <bdi>{}</bdi>", content.len(), sha256(&content));
    assert!(first.contains(&measure), "{measure} in {first}");

    browser.visit(&format!("{}/demo/qi?view=timeline", house.shop)).await;
    let line = browser.page.split_once("id=\"timeline\"").unwrap().1;
    let places: Vec<_> = ["prepare", "A code came back", "applyToken", "pay", "Paid"]
        .map(|word| line.find(&format!(">{word}")).unwrap_or_else(|| panic!("no {word} in {line}")))
        .into();
    assert!(places.is_sorted(), "{places:?}");
    house.close().await;
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
