//! What a user can do: limit, pause, resume, end, choose.

use super::stores::{Shelf, served_from_every_store};
use crate::house::{House, PIN, RICH};
use crate::{Browser, agree, agree_qi, pay};
use accord_wire::receipt::Receipt;
use serde_json::json;

served_from_every_store!(
    limits_tighten_at_once_and_widen_with_the_pin,
    a_pause_lasts_until_its_day_and_debits_go_on_when_resumed,
    the_next_debit_is_skipped_where_its_day_is_known,
    agreements_are_told_apart_by_how_they_stand,
    an_end_asks_the_merchant_and_says_what_it_said_and_gives_a_receipt_that_holds,
    preferences_change_the_language_of_pages_and_messages,
);

async fn status(house: &House, token: &str, request: &str, value: &str) -> String {
    pay(house, token, request, value).await["result"]["resultStatus"].as_str().unwrap().to_owned()
}

async fn limits_tighten_at_once_and_widen_with_the_pin(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (agreement, token) = agree(&house, "qi", "").await;
    let mut browser = Browser::signed_in(&house, RICH).await;
    let path = format!("/wallet/agreements/{agreement}");
    let limits = format!("{path}/limits");
    let page = browser.act(&path, &limits, &[("perDebit", "٢٬٠٠٠"), ("perMonth", "5,000")]).await;
    assert!(page.says("Done.") && page.says("At most 2,000 IQD for one debit."), "{}", page.body);
    assert_eq!(status(&house, &token, "p-1", "2000001").await, "F");
    assert_eq!(status(&house, &token, "p-2", "2000000").await, "S");
    let page = browser.get(&path).await;
    assert!(page.says("Debited this month: 2,000 IQD. The limit for a month is 5,000 IQD."), "{}", page.body);

    let wider = [("perDebit", "3000"), ("perMonth", "5000")];
    assert!(browser.act(&path, &limits, &wider).await.says("Please type your PIN"));
    let wrong = [("perDebit", "3000"), ("perMonth", "5000"), ("pin", "000000")];
    let page = browser.act(&path, &limits, &wrong).await;
    assert!(page.says("The PIN is wrong") && page.body.contains("value=\"3000\""), "what was typed stays");
    assert_eq!(status(&house, &token, "p-3", "3000000").await, "F");
    let right = [("perDebit", "3000"), ("perMonth", "5000"), ("pin", PIN)];
    assert!(browser.act(&path, &limits, &right).await.says("Done."));
    let tight = [("perDebit", "3000"), ("perMonth", "1000"), ("perWeek", "50000"), ("perYear", "60000")];
    let page = browser.act(&path, &limits, &tight).await;
    assert!(
        page.says("At most 50,000 IQD a week.") && page.says("At most 60,000 IQD a year."),
        "{}",
        page.body
    );
    assert!(
        page.says("2,000 IQD. The limit for a month is 1,000 IQD. Already above the limit"),
        "{}",
        page.body
    );
    assert!(browser.act(&path, &limits, &right).await.says("Done."));
    assert_eq!(status(&house, &token, "p-4", "3000000").await, "S");
    for nonsense in ["-1", "0", "1.5", "all", "99999999999999999999"] {
        let page = browser.act(&path, &limits, &[("perDebit", nonsense)]).await;
        assert!(page.says("whole number above zero"), "{nonsense}");
    }
    let page = browser.act(&path, &limits, &[("pin", PIN)]).await;
    assert!(page.says("No limit is set.") && page.says("You removed your limits."), "{}", page.body);
    house.close().await;
}

async fn a_pause_lasts_until_its_day_and_debits_go_on_when_resumed(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (agreement, token) = agree(&house, "qi", "").await;
    let mut browser = Browser::signed_in(&house, RICH).await;
    let path = format!("/wallet/agreements/{agreement}");
    let (pause, resume) = (format!("{path}/pause"), format!("{path}/resume"));
    for (day, refused) in [("2020-01-01", true), ("tomorrow", true), ("2999-01-31", false)] {
        let page = browser.act(&path, &pause, &[("until", day)]).await;
        assert_eq!(page.says("choose a day in the future"), refused, "{day}");
    }
    assert_eq!(status(&house, &token, "p-1", "1000").await, "F");
    assert!(browser.get("/wallet").await.says("Paused until 31 January 2999"));
    let page = browser.act(&path, &resume, &[]).await;
    assert!(page.says("You resumed the agreement."), "{}", page.body);
    assert_eq!(status(&house, &token, "p-2", "1000").await, "S");
    house.close().await;
}

async fn the_next_debit_is_skipped_where_its_day_is_known(shelf: Shelf) {
    let house = House::open(shelf).await;
    let monthly = json!({
        "schedule": "MONTHLY", "startTime": "2020-01-31",
        "agreedAmount": { "currency": "USD", "value": "1250" },
    });
    let (agreement, _) = agree_qi(&house, monthly).await;
    let mut browser = Browser::signed_in(&house, RICH).await;
    let path = format!("/wallet/agreements/{agreement}");
    let page = browser.get(&path).await;
    assert!(page.says("Next debit: 12.50 USD on"), "{}", page.body);
    assert!(page.says("Type amounts in whole dollars (USD)."), "limits are in the contract's currency");
    let due = page.body.split("skip the debit that is due on").nth(1).and_then(|rest| rest.split('.').next());
    let due = due.unwrap().to_owned();
    let stale = browser.get(&path).await;
    let page = browser.act(&path, &format!("{path}/skip"), &[]).await;
    assert!(page.says("Done.") && page.says("You paused the agreement until"), "{}", page.body);
    assert!(!page.body.contains("/skip\""), "a debit is skipped once");
    assert!(!page.body.contains(&format!("due on{due}")), "{}", page.body);
    // The page as it was: pressed a second time, it does not skip the debit after that one.
    let action = format!("{path}/skip");
    let shown = stale.hidden("due").unwrap();
    let again = browser.post(&action, &[("csrf", &stale.csrf(&action)), ("due", &shown)]).await;
    assert!(again.status == 200 && !again.says("Done."), "{}: {}", again.status, again.body);
    let paused = |page: &super::Page| {
        page.body
            .split("paused the agreement until")
            .nth(1)
            .map(|rest| rest.chars().take(40).collect::<String>())
    };
    assert_eq!(paused(&again), paused(&page), "the pause is as long as it was");
    let none = agree_qi(&house, json!({})).await.0;
    let page = browser.get(&format!("/wallet/agreements/{none}")).await;
    assert!(!page.body.contains("/skip\""), "without a schedule nobody knows what would be skipped");
    house.close().await;
}

async fn agreements_are_told_apart_by_how_they_stand(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (one, _) = agree(&house, "qi", "").await;
    let (two, _) = agree(&house, "alipayPlus", "r-9").await;
    let mut browser = Browser::signed_in(&house, RICH).await;
    assert!(!browser.get("/wallet").await.body.contains("?state="), "nothing to choose from yet");
    browser.act(&format!("/wallet/agreements/{two}"), &format!("/wallet/agreements/{two}/pause"), &[]).await;
    for (state, shows) in [("active", &one), ("paused", &two)] {
        let page = browser.get(&format!("/wallet?state={state}")).await;
        assert_eq!(page.body.matches("href=\"/wallet/agreements/").count(), 1, "{state}: {}", page.body);
        assert!(page.body.contains(shows.as_str()), "{state}");
        assert!(
            page.body.contains(&format!("?state={state}&#38;lang=ar-IQ")),
            "the choice survives: {}",
            page.body
        );
    }
    assert!(browser.get("/wallet?state=ended").await.says("No agreement stands so."));
    for all in ["/wallet", "/wallet?state=x"] {
        assert_eq!(browser.get(all).await.body.matches("href=\"/wallet/agreements/").count(), 2, "{all}");
    }
    house.close().await;
}

async fn an_end_asks_the_merchant_and_says_what_it_said_and_gives_a_receipt_that_holds(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (agreement, _) = agree(&house, "alipayPlus", "r-1").await;
    let mut browser = Browser::signed_in(&house, RICH).await;
    let path = format!("/wallet/agreements/{agreement}");
    let end = format!("{path}/end");
    assert!(browser.get(&end).await.says("is asked before the agreement ends"));
    for (answer, said) in [
        (json!("false"), "does not allow the agreement to end here"),
        (json!("timeout"), "did not answer (1 of 3)"),
    ] {
        assert_eq!(house.post("/sandbox/consult", json!({ "answer": answer })).await.0, 200);
        let page = browser.act(&end, &end, &[]).await;
        assert!(page.says(said), "{answer}: {}", page.body);
        assert_eq!(browser.get(&format!("{path}/receipt")).await.status, 404);
    }
    assert_eq!(house.post("/sandbox/consult", json!({ "answer": "true" })).await.0, 200);
    let page = browser.act(&end, &end, &[]).await;
    assert!(page.says("You ended the agreement.") && page.says("Download the receipt"), "{}", page.body);
    assert!(page.says("did not allow it") && page.says("was asked and did not answer"), "it is in the story");
    let file = browser.get(&format!("{path}/receipt")).await;
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename="));
    let receipt = Receipt::read(file.body.as_bytes()).unwrap();
    let content = receipt.verify(&house.receipt_key).unwrap();
    assert_eq!(
        content.get("agreementId").and_then(accord_wire::json::Json::as_str),
        Some(agreement.as_str())
    );
    // Anybody can fetch the key that the page names, and it is the right one.
    let download = format!("accord verify-receipt --key receipts.pub.pem accord-receipt-{agreement}.json");
    assert!(page.body.contains(&download) && page.body.contains("href=\"/wallet/receipts.pub.pem\""));
    let key = Browser::new(&house).get("/wallet/receipts.pub.pem").await;
    assert_eq!((key.status, key.body.as_str()), (200, house.receipt_key.pem()));
    receipt.verify(&accord_wire::seal::SealPublicKey::parse(&key.body).unwrap()).unwrap();
    assert_eq!(browser.get(&end).await.status, 303, "what is over is not ended again");
    assert!(!browser.get(&path).await.body.contains("/pause\""), "nor changed");
    assert!(browser.get("/wallet").await.says("Ended"));
    house.close().await;
}

async fn preferences_change_the_language_of_pages_and_messages(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (_, token) = agree(&house, "qi", "").await;
    let mut browser = Browser::signed_in(&house, RICH).await;
    let here = "/wallet/preferences";
    let page = browser.act(here, here, &[("language", "en-US"), ("email", "no address")]).await;
    assert!(page.says("This is no e-mail address") && page.body.contains("value=\"no address\""));
    let page = browser.act(here, here, &[("language", "xx"), ("email", "")]).await;
    assert!(page.body.contains("lang=\"en-US\""), "a language that is not spoken changes nothing");
    let page = browser.act(here, here, &[("language", "ar-IQ"), ("email", "a@b.example")]).await;
    assert!(page.body.contains("<html lang=\"ar-IQ\" dir=\"rtl\">") && page.body.contains("a@b.example"));
    assert_eq!(status(&house, &token, "p-1", "1000000").await, "S");
    let page = browser.get("/wallet/inbox").await;
    assert!(page.body.contains("<article class=\"card\" lang=\"ar-IQ\" dir=\"rtl\">"), "{}", page.body);
    assert!(page.body.contains("جديدة"));
    assert!(!browser.get("/wallet/inbox").await.body.contains("badge info"), "now it was seen");
    house.close().await;
}
