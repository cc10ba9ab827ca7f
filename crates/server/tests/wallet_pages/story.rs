//! Why was I charged? And what was I told?

use super::stores::{Shelf, served_from_every_store};
use crate::house::{House, RICH};
use crate::{Browser, agree, pay};
use accord_core::Ruled;
use accord_core::ids::LoginId;
use accord_core::message::routes::{MessagePolicy, Route, Service};
use accord_core::message::{self, About, CodePurpose};
use accord_core::people::ContactKind;
use serde_json::json;

served_from_every_store!(
    the_story_of_an_agreement_tells_every_event_with_its_reason,
    a_long_story_comes_in_pages_and_nothing_is_left_out,
    a_code_that_left_the_wallet_is_covered_in_the_inbox_and_one_that_did_not_is_shown,
);

async fn the_story_of_an_agreement_tells_every_event_with_its_reason(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (agreement, token) = agree(&house, "qi", "").await;
    let paid = pay(&house, &token, "p-1", "25000000").await;
    let payment = paid["paymentId"].as_str().unwrap().to_owned();
    pay(&house, &token, "p-2", "900000000000").await;
    let refund = json!({
        "paymentId": payment, "refundRequestId": "r-1", "refundReason": "films were late",
        "refundAmount": { "currency": "IQD", "value": "5000000" },
    });
    let refunded = house.call("qi", "refund", refund).await;
    assert_eq!(refunded["result"]["resultStatus"], "S", "{refunded}");

    let mut browser = Browser::signed_in(&house, RICH).await;
    let home = browser.get("/wallet").await;
    assert!(
        home.says("Last debit") && home.says("25,000 IQD") && home.says("99,980,000 IQD"),
        "{}",
        home.body
    );
    let page = browser.get(&format!("/wallet/agreements/{agreement}")).await;
    let story = page.body.split_once("class=\"timeline\"").unwrap().1.to_owned();
    let mut rest = story.as_str();
    for event in ["Refunded:", "Not paid:", "Paid:", "was given its key", "You agreed."] {
        let (_, after) = rest.split_once(event).unwrap_or_else(|| panic!("{event} in its place in\n{story}"));
        rest = after;
    }
    assert!(page.says("there was not enough money") && page.says("films were late"));
    assert!(page.body.contains("one month of &lt;i&gt;films&lt;/i&gt;"), "a merchant's text is text");
    assert!(page.body.contains("Monthly &lt;b&gt;plan&lt;/b&gt;"));

    let declined =
        page.body.split("/wallet/payments/").nth(2).and_then(|link| link.split('"').next()).unwrap();
    let why = browser.get(&format!("/wallet/payments/{declined}")).await;
    assert!(why.says("Why was this not paid?") && !why.says("Why was I charged?"), "{}", why.body);
    let page = browser.get(&format!("/wallet/payments/{payment}")).await;
    assert!(page.says("Why was I charged?"), "{}", page.body);
    assert_eq!(page.status, 200);
    for said in
        ["Paid: 25,000 IQD", "took this amount under the agreement", "5,000 IQD came back", "p-1", &payment]
    {
        assert!(page.says(said), "{said} in {}", page.body);
    }
    house.close().await;
}

async fn a_long_story_comes_in_pages_and_nothing_is_left_out(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (agreement, token) = agree(&house, "qi", "").await;
    for number in 0..53 {
        pay(&house, &token, &format!("p-{number}"), &format!("{}000", number + 1)).await;
        assert_eq!(house.post("/sandbox/clock", json!({ "advanceSeconds": 2 })).await.0, 200);
    }
    let mut browser = Browser::signed_in(&house, RICH).await;
    let path = format!("/wallet/agreements/{agreement}");
    let first = browser.get(&path).await;
    assert_eq!(first.body.matches("/wallet/payments/").count(), 50);
    assert!(!first.says("You agreed."), "the beginning is on the last page");
    let (_, link) = first.body.split_once(&format!("href=\"{path}?before=")).unwrap();
    let before = link.split('"').next().unwrap();
    let second = browser.get(&format!("{path}?before={before}")).await;
    assert_eq!(second.body.matches("/wallet/payments/").count(), 3);
    assert!(second.says("You agreed.") && !second.body.contains("?before="));
    house.close().await;
}

async fn a_code_that_left_the_wallet_is_covered_in_the_inbox_and_one_that_did_not_is_shown(shelf: Shelf) {
    let house = House::open(shelf).await;
    let app = house.app();
    let user = app
        .look(|rows| {
            let customer = rows.customer_of(&LoginId::new(RICH))?.unwrap();
            Ok(rows.user(&customer)?.unwrap())
        })
        .await
        .unwrap();
    let route = || Route { service: Service::On, ..Route::default() };
    let carried = MessagePolicy { email: route(), sms: route() };
    for (request, code, policy) in [("one", "483920", carried), ("two", "716253", MessagePolicy::held())] {
        let (user, at) = (user.clone(), app.clock.moment());
        let about = About::OneTimeCode {
            purpose: CodePurpose::Approval,
            request: request.to_owned(),
            merchant: "Shop".to_owned(),
            code: code.to_owned(),
            expires_at: at.now.plus_millis(300_000),
        };
        let told: Ruled<()> = app
            .transact(move |tx| {
                let way = ContactKind::MobilePhone;
                Ok(message::tell_by(tx, &at, &user, about.clone(), way, &policy)?)
            })
            .await;
        told.unwrap();
    }
    let inbox = Browser::signed_in(&house, RICH).await.get("/wallet/inbox").await;
    assert!(inbox.says("716253 is your code"), "{}", inbox.body);
    assert!(inbox.says("\u{2022}\u{2022}\u{2022}\u{2022}\u{2022}\u{2022} is your code"), "{}", inbox.body);
    assert!(!inbox.body.contains("483920"), "the PIN alone opens this page");
    house.close().await;
}
