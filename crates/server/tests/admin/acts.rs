//! What is found, and what an operator's act does and leaves behind.

use super::house::{House, PIN, RICH};
use super::stores::{Shelf, served_from_every_store};
use super::{Browser, journal, open, operator};
use accord_core::Timestamp;
use accord_core::console::ConsoleRole;
use accord_core::handle::Bucket;
use accord_core::ids::{ClientId, DialectName, NotificationId};
use accord_core::notification::{Notification, NotificationState};
use accord_wire::keys::PrivateKey;
use serde_json::{Value, json};

served_from_every_store!(
    agreements_payments_and_users_are_found_by_each_of_their_names,
    an_operator_freezes_and_unfreezes_a_user,
    a_stuck_notification_is_sent_again_once,
    a_key_officer_rotates_a_clients_key,
    what_is_unresolved_is_listed_and_decided,
    the_overview_draws_charts_and_the_journal_is_read_by_stream_and_subject,
);

/// An agreement of the rich user in the Alipay+ dialect: agreementId and access token.
async fn agree(house: &House, reference: &str) -> (String, String) {
    let body = json!({
        "pspId": "102208800000001234", "acquirerId": "102218800000001234", "authClientId": "merchant-1",
        "authClientName": "Dijla Streaming LLC", "authClientDisplayName": "Dijla <b>Stream",
        "authRedirectUrl": "https://merchant.example/back", "scopes": ["AGREEMENT_PAY"],
        "customerBelongsTo": "ALIPAY_CN", "authState": "state", "terminalType": "WEB",
        "referenceAgreementId": reference, "referenceMerchantId": "shop-1",
    });
    let prepared = house.call("alipayPlus", "prepare", body).await;
    let decide = json!({ "url": prepared["normalUrl"], "loginId": RICH, "pin": PIN, "decision": "approve" });
    let (status, decided) = house.post("/sandbox/decide", decide).await;
    assert_eq!(status, 200, "{decided}");
    let apply = json!({
        "pspId": "102208800000001234", "acquirerId": "102218800000001234", "authClientId": "merchant-1",
        "grantType": "AUTHORIZATION_CODE", "authCode": decided["authCode"], "referenceAgreementId": reference,
    });
    let applied = house.call("alipayPlus", "applyToken", apply).await;
    let token = applied["accessToken"].as_str().unwrap_or_else(|| panic!("{applied}")).to_owned();
    let user = house.user(RICH).await;
    (user["agreements"][0]["agreementId"].as_str().unwrap().to_owned(), token)
}

async fn stuck(house: &House, state: NotificationState) -> String {
    let app = house.app();
    let mut random = app.clock.moment().random("test");
    let id = NotificationId::mint(Bucket::new(7), &mut random);
    let url = format!("{}/nowhere", house.wallet);
    let row = Notification {
        id: id.clone(),
        kind: "notifyPayment".into(),
        client: ClientId::new("QI_01"),
        dialect: DialectName::new("qi"),
        target: url.clone(),
        url,
        body: "{\"paymentAuthCode\":\"secret-00\",\"x\":\"<script>\"}".into(),
        marks: Vec::new(),
        state,
        tries: 8,
        next_attempt_at: Timestamp(0),
        moot_after: None,
        created_at: app.clock.now(),
    };
    app.transact(move |tx| Ok(tx.insert_notification(&row)?)).await.unwrap();
    id.to_string()
}

async fn agreements_payments_and_users_are_found_by_each_of_their_names(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    let browser = Browser::signed_in(&house, "vera").await;
    let (agreement, token) = agree(&house, "ref-0001").await;
    let customer = house.user(RICH).await["customerId"].as_str().unwrap().to_owned();
    let link = format!("href=\"/admin/agreements/{agreement}\"");
    for wanted in [agreement.as_str(), "ref-0001", RICH, customer.as_str()] {
        let wanted = wanted.replace('+', "%2B");
        let seen = browser.get(&format!("/admin/agreements?q={wanted}")).await;
        assert!(seen.html.contains(&link), "{wanted}: {}", seen.html);
    }
    assert!(!browser.get("/admin/agreements?q=ref-0002").await.html.contains(&link));
    let page = browser.get(&format!("/admin/agreements/{agreement}")).await;
    assert_eq!(page.status, 200);
    assert!(
        page.html.contains("Dijla &lt;b&gt;Stream") && page.html.contains("AGREEMENT_PAY"),
        "{}",
        page.html
    );
    assert!(!page.html.contains(&token), "no token is shown");
    assert!(page.html.contains("authorization.approve"), "{}", page.html);

    let prepared: Value = house
        .call("qi", "prepare", json!({ "scopes": "AGREEMENT_PAY", "extendInfo": json!({ "language": "en-US", "contractDesc": "Monthly" }).to_string() }))
        .await;
    let decide = json!({ "url": prepared["authUrl"], "loginId": RICH, "pin": PIN, "decision": "approve" });
    let (_, decided) = house.post("/sandbox/decide", decide).await;
    let apply = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": decided["authCode"] });
    let token = house.call("qi", "applyToken", apply).await["accessToken"].as_str().unwrap().to_owned();
    let pay = json!({
        "productCode": "51051000101000100031", "paymentRequestId": "request/1", "paymentAuthCode": token,
        "paymentAmount": { "currency": "IQD", "value": "1000000" }, "order": { "orderDescription": "one month" },
        "paymentExpiryTime": "2126-01-15T09:30:00+03:00",
    });
    let paid = house.call("qi", "pay", pay).await;
    let payment = paid["paymentId"].as_str().unwrap_or_else(|| panic!("{paid}")).to_owned();
    for query in [format!("q={payment}"), "q=request%2F1&client=QI_01".to_owned()] {
        let seen = browser.get(&format!("/admin/payments?{query}")).await;
        assert!(seen.html.contains(&format!("href=\"/admin/payments/{payment}\"")), "{query}");
    }
    let foreign = browser.get("/admin/payments?q=request%2F1&client=NET_01").await;
    assert!(!foreign.html.contains(&payment), "another owner has none of that request id");
    let page = browser.get(&format!("/admin/payments/{payment}")).await;
    assert!(page.html.contains("Order expires (paymentExpiryTime)") && page.html.contains("2126"));
    assert!(page.html.contains("user:") && page.html.contains("payable:"), "ledger entries: {}", page.html);
    house.close().await;
}

async fn an_operator_freezes_and_unfreezes_a_user(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "omar", ConsoleRole::Operator).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    let browser = Browser::signed_in(&house, "omar").await;
    let customer = house.user(RICH).await["customerId"].as_str().unwrap().to_owned();
    let (page, freeze) = (format!("/admin/users/{customer}"), format!("/admin/users/{customer}/freeze"));
    let viewer = Browser::signed_in(&house, "vera").await.get(&page).await;
    assert!(!viewer.has_form(&freeze), "a viewer is shown no act");
    let token = browser.get(&page).await.token(&freeze);
    let seen = browser.post(&freeze, &[("csrf", &token)]).await;
    assert_eq!(seen.location, format!("{page}?done=unconfirmed"));
    assert_eq!(house.user(RICH).await["status"], "active");
    let seen = browser.post(&freeze, &[("csrf", &token), ("confirm", "yes")]).await;
    assert_eq!(seen.location, format!("{page}?done=frozen"));
    assert_eq!(house.user(RICH).await["status"], "frozen");
    let seen = browser.post(&freeze, &[("csrf", &token), ("confirm", "yes")]).await;
    assert_eq!(seen.location, format!("{page}?done=as-it-was"));
    let thaw = format!("{page}/unfreeze");
    let token = browser.get(&page).await.token(&thaw);
    browser.post(&thaw, &[("csrf", &token), ("confirm", "yes")]).await;
    assert_eq!(house.user(RICH).await["status"], "active");
    let lines = journal(&house, &customer).await;
    let by = |act: &str| lines.iter().filter(|line| line.0 == act && line.1 == "operator:omar").count();
    assert_eq!((by("user.frozen"), by("user.thawed")), (1, 1), "{lines:?}");
    house.close().await;
}

async fn a_stuck_notification_is_sent_again_once(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "omar", ConsoleRole::Operator).await;
    let browser = Browser::signed_in(&house, "omar").await;
    let id = stuck(&house, NotificationState::Dead).await;
    let list = browser.get("/admin/notifications?state=dead").await;
    assert!(list.html.contains(&id));
    assert!(!browser.get("/admin/notifications?state=rejected").await.html.contains(&id));
    let page = format!("/admin/notifications/{id}");
    let seen = browser.get(&page).await;
    assert!(seen.html.contains("secret-00") && seen.html.contains("&#60;script&#62;"), "{}", seen.html);
    let resend = format!("{page}/resend");
    let token = seen.token(&resend);
    let fields = [("csrf", token.as_str()), ("confirm", "yes"), ("tries", "8")];
    assert_eq!(browser.post(&resend, &fields).await.location, format!("{page}?done=resent"));
    let path = "/sandbox/notifications";
    house
        .wait_for(path, |told| {
            told["notifications"].as_array().unwrap().iter().any(|row| {
                row["notificationId"] == id.as_str() && row["attempts"].as_array().unwrap().len() == 1
            })
        })
        .await;
    // The same form again: it was tried meanwhile.
    assert_eq!(browser.post(&resend, &fields).await.location, format!("{page}?done=as-it-was"));
    let lines = journal(&house, &id).await;
    assert_eq!(lines, [("notification.resent".into(), "operator:omar".into(), "dead".into())]);
    let moot = stuck(&house, NotificationState::Moot).await;
    assert!(!browser.get(&format!("/admin/notifications/{moot}")).await.html.contains("/resend"));
    house.close().await;
}

async fn a_key_officer_rotates_a_clients_key(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "kamal", ConsoleRole::KeyOfficer).await;
    let browser = Browser::signed_in(&house, "kamal").await;
    let page = "/admin/clients/QI%5F01";
    let seen = browser.get(page).await;
    let keys = format!("{page}/keys");
    let token = seen.token(&keys);
    let (_, public) = PrivateKey::generate().unwrap();
    let add = async |version: &str, key: &str| {
        let fields = [("csrf", token.as_str()), ("confirm", "yes"), ("version", version), ("publicKey", key)];
        browser.post(&keys, &fields).await.location
    };
    assert_eq!(add("2", "no key").await, format!("{page}?done=key-unreadable"));
    assert_eq!(add("a,b", &public).await, format!("{page}?done=version-unreadable"));
    assert_eq!(add("1", &public).await, format!("{page}?done=version-taken"));
    assert_eq!(add("2", &public).await, format!("{page}?done=key-added"));
    assert_eq!(add("2", &public).await, format!("{page}?done=as-it-was"));
    let retire = format!("{page}/retire");
    let token = browser.get(page).await.token(&retire);
    let fields = [("csrf", token.as_str()), ("confirm", "yes"), ("version", "1")];
    assert_eq!(browser.post(&retire, &fields).await.location, format!("{page}?done=key-retired"));
    let rows = house.app().look(|rows| rows.client_keys()).await.unwrap();
    let of_qi: Vec<_> = rows.iter().filter(|key| key.client.as_str() == "QI_01").collect();
    let told: Vec<_> = of_qi.iter().map(|key| (key.version.as_str(), key.status.as_str())).collect();
    assert_eq!(told, [("1", "retired"), ("2", "active")]);
    let lines = journal(&house, "QI_01").await;
    let acts: Vec<_> = lines.iter().map(|line| (line.0.as_str(), line.1.as_str(), line.2.as_str())).collect();
    assert_eq!(acts, [("key.retired", "operator:kamal", "1"), ("key.added", "operator:kamal", "2")]);
    house.close().await;
}

async fn what_is_unresolved_is_listed_and_decided(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "omar", ConsoleRole::Operator).await;
    let browser = Browser::signed_in(&house, "omar").await;
    let (_, token) = agree(&house, "ref-0002").await;
    let fault = json!({ "operation": "pay", "outcome": "U", "count": 1 });
    assert_eq!(house.post("/sandbox/faults", fault).await.0, 200);
    let pay = json!({
        "pspId": "102208800000001234", "acquirerId": "102218800000001234", "paymentRequestId": "u-1",
        "paymentAmount": { "currency": "IQD", "value": "1000000" },
        "paymentMethod": { "paymentMethodType": "ALIPAY_CN", "paymentMethodId": token },
        "paymentFactor": { "isAgreementPayment": "true" },
        "order": {
            "referenceOrderId": "o-1", "orderDescription": "one month",
            "orderAmount": { "currency": "IQD", "value": "1000000" },
            "merchant": { "referenceMerchantId": "shop-1", "merchantName": "Dijla", "merchantMCC": "4899",
                          "merchantAddress": { "region": "IQ", "city": "Baghdad" } },
        },
    });
    let answer = house.call("alipayPlus", "pay", pay).await;
    assert_eq!(answer["result"]["resultStatus"], "U", "{answer}");
    let list = browser.get("/admin/unresolved").await;
    let payment =
        list.html.split("href=\"/admin/payments/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = format!("/admin/payments/{payment}");
    let decide = format!("/admin/unresolved/{payment}");
    let token = browser.get(&page).await.token(&decide);
    let fields = [("csrf", token.as_str()), ("confirm", "yes"), ("to", "failure")];
    assert_eq!(browser.post(&decide, &fields).await.location, format!("{page}?done=decided"));
    let lines = journal(&house, &payment).await;
    let line = lines.iter().find(|line| line.0 == "unresolved.decided").unwrap();
    assert_eq!((line.1.as_str(), line.2.as_str()), ("operator:omar", "to fail"));
    for _ in 0..200 {
        if browser.post(&decide, &fields).await.location == format!("{page}?done=as-it-was") {
            house.close().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it never reached its end");
}

async fn the_overview_draws_charts_and_the_journal_is_read_by_stream_and_subject(shelf: Shelf) {
    let house = open(shelf).await;
    operator(&house, "vera", ConsoleRole::Viewer).await;
    let browser = Browser::signed_in(&house, "vera").await;
    house.call("qi", "prepare", json!({ "scopes": "AGREEMENT_PAY" })).await;
    let page = browser.get("/admin").await;
    assert!(page.policy.contains("script-src 'self'; connect-src 'self'"), "{}", page.policy);
    assert_eq!(page.html.matches("<svg viewBox=\"0 0 720 260\" role=\"img\"").count(), 4, "{}", page.html);
    for part in
        ["<title id=\"calls-title\">", "<desc id=\"queue-desc\">", "prepare", "<noscript><meta http-equiv"]
    {
        assert!(page.html.contains(part), "{part}");
    }
    let arabic = browser.get("/admin?lang=ar-IQ").await;
    assert!(arabic.html.contains("dir=\"rtl\""));
    assert!(browser.get("/admin/journal").await.html.contains("dir=\"rtl\""), "the choice is kept");
    let seen = browser.get("/admin/journal?subject=vera&lang=en-US").await;
    assert!(seen.html.contains("operator.added") && seen.html.contains("console.signed_in"), "{}", seen.html);
    let stream = seen.html.split("/admin/journal?stream=").nth(1).unwrap();
    let stream = stream.split(['"', '&']).next().unwrap();
    assert!(browser.get(&format!("/admin/journal?stream={stream}")).await.html.contains("operator.added"));
    assert_eq!(browser.get("/admin/journal?stream=99999&before=x").await.status, 200);
    house.close().await;
}
