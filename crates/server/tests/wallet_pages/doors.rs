//! Who gets in, who does not, and what forms are worth.

use super::stores::{Shelf, served_from_every_store};
use crate::house::{FROZEN, House, PIN, RICH};
use crate::{Browser, OTHER, agree, another, pay};
use serde_json::json;

served_from_every_store!(
    who_is_not_signed_in_is_asked_to_and_learns_nothing,
    unknown_frozen_and_wrong_look_the_same_and_too_many_are_stopped,
    without_cookies_the_page_says_so,
    anothers_agreement_and_payment_are_not_there,
    a_form_is_good_once_in_its_own_sign_in,
    a_sign_in_is_a_new_device_that_its_user_sees_and_ends,
    a_sign_in_runs_out_and_ends_with_a_frozen_user,
);

async fn who_is_not_signed_in_is_asked_to_and_learns_nothing(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (agreement, token) = agree(&house, "qi", "").await;
    let paid = pay(&house, &token, "p-1", "1000000").await;
    let payment = paid["paymentId"].as_str().unwrap();
    for path in [
        "/wallet".to_owned(),
        "/wallet/inbox".to_owned(),
        "/wallet/preferences".to_owned(),
        "/wallet/devices".to_owned(),
        format!("/wallet/agreements/{agreement}"),
        format!("/wallet/agreements/{agreement}/end"),
        format!("/wallet/agreements/{agreement}/receipt"),
        format!("/wallet/payments/{payment}"),
    ] {
        let page = Browser::new(&house).get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains("action=\"/wallet/sign-in\""), "{path}");
        assert!(!page.body.contains("Dijla") && !page.body.contains("+964"), "{path}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(!policy.contains("unsafe-inline") && !policy.contains('*'), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store");
        let posted = Browser::new(&house).post(&path, &[("csrf", "x")]).await;
        assert!(!posted.body.contains("Dijla"), "{path}");
    }
    let mut browser = Browser::new(&house);
    let there = format!("/wallet/payments/{payment}");
    let page = browser.sign_in(RICH, PIN, &there).await;
    assert_eq!((page.status, page.location), (303, there), "a sign-in goes on to what was asked for");
    let page = Browser::new(&house).sign_in(RICH, PIN, "/wallet").await;
    assert_eq!(page.status, 303);
    house.close().await;
}

async fn unknown_frozen_and_wrong_look_the_same_and_too_many_are_stopped(shelf: Shelf) {
    let house = House::open(shelf).await;
    another(&house).await;
    let mut browser = Browser::new(&house);
    for (login, pin) in [(OTHER, "000000"), (FROZEN, PIN), ("+9640000000000", PIN)] {
        let page = browser.sign_in(login, pin, "/wallet").await;
        assert_eq!(page.status, 200, "{login}");
        assert!(page.says("Login and PIN do not match"), "{login}: {}", page.body);
    }
    for _ in 0..4 {
        browser.sign_in(OTHER, "000000", "/wallet").await;
    }
    let page = browser.sign_in(OTHER, PIN, "/wallet").await;
    assert!(page.says("Too many wrong PINs"), "{}", page.body);
    let page = Browser::new(&house).sign_in(OTHER, PIN, "/wallet").await;
    assert!(page.says("Too many wrong PINs"), "another browser does not help");
    house.close().await;
}

async fn without_cookies_the_page_says_so(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = Browser::new(&house);
    browser.keeps_cookies = false;
    let page = browser.sign_in(RICH, PIN, "/wallet").await;
    assert!(page.status == 200 && page.says("keeps no cookies"), "{}", page.body);
    house.close().await;
}

async fn anothers_agreement_and_payment_are_not_there(shelf: Shelf) {
    let house = House::open(shelf).await;
    another(&house).await;
    let (agreement, token) = agree(&house, "qi", "").await;
    let payment = pay(&house, &token, "p-1", "1000000").await["paymentId"].as_str().unwrap().to_owned();
    let mut other = Browser::signed_in(&house, OTHER).await;
    let missing = other.get("/wallet/agreements/nothing").await;
    assert_eq!(missing.status, 404);
    for path in [
        format!("/wallet/agreements/{agreement}"),
        format!("/wallet/agreements/{agreement}/end"),
        format!("/wallet/agreements/{agreement}/receipt"),
        format!("/wallet/payments/{payment}"),
    ] {
        let page = other.get(&path).await;
        assert_eq!((page.status, page.body == missing.body), (404, true), "{path}");
    }
    // With the owner's own token, in another's session.
    let mut owner = Browser::signed_in(&house, RICH).await;
    let path = format!("/wallet/agreements/{agreement}");
    let pause = format!("{path}/pause");
    let csrf = owner.get(&path).await.csrf(&pause);
    assert_eq!(other.post(&pause, &[("csrf", &csrf)]).await.status, 404);
    assert_eq!(house.user(RICH).await["agreements"][0]["status"], "active");
    house.close().await;
}

async fn a_form_is_good_once_in_its_own_sign_in(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (agreement, _) = agree(&house, "qi", "").await;
    let path = format!("/wallet/agreements/{agreement}");
    let (pause, resume) = (format!("{path}/pause"), format!("{path}/resume"));
    let status = async || house.user(RICH).await["agreements"][0]["status"].clone();
    let mut browser = Browser::signed_in(&house, RICH).await;
    let mut second = Browser::signed_in(&house, RICH).await;
    let csrf = browser.get(&path).await.csrf(&pause);
    for forged in ["", "x", &"0".repeat(64), &second.get(&path).await.csrf(&pause)] {
        let page = browser.post(&pause, &[("csrf", forged)]).await;
        assert!(page.status == 200 && page.says("out of date"), "{forged}: {}", page.body);
    }
    assert_eq!(status().await, "active");
    assert_eq!(browser.post(&pause, &[("csrf", &csrf)]).await.status, 303);
    assert_eq!(status().await, "paused");
    browser.act(&path, &resume, &[]).await;
    let page = browser.post(&pause, &[("csrf", &csrf)]).await;
    assert!(page.says("out of date"), "a form from before is not played again");
    assert_eq!(status().await, "active");
    // A token of before the sign-out is worth nothing after it.
    let csrf = browser.get(&path).await.csrf(&pause);
    let device = browser.cookies["accord_device"].clone();
    browser.act("/wallet", "/wallet/sign-out", &[]).await;
    assert!(!browser.cookies.contains_key("accord_device"));
    browser.cookies.insert("accord_device".into(), device);
    let page = browser.post(&pause, &[("csrf", &csrf)]).await;
    assert!(page.body.contains("action=\"/wallet/sign-in\""));
    assert_eq!(status().await, "active");
    house.close().await;
}

async fn a_sign_in_is_a_new_device_that_its_user_sees_and_ends(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut first = Browser::signed_in(&house, RICH).await;
    let planted = first.cookies["accord_device"].clone();
    // Somebody planted this session in the victim's browser: signing in leaves it worth nothing.
    let mut victim = Browser::new(&house);
    victim.get("/wallet").await;
    victim.cookies.insert("accord_device".into(), planted.clone());
    assert!(victim.get("/wallet").await.says("Your agreements"));
    let csrf = Browser::new(&house).get("/wallet").await.csrf("/wallet/sign-in");
    let page = victim.post("/wallet/sign-in", &[("csrf", &csrf), ("loginId", RICH), ("pin", PIN)]).await;
    assert_eq!(page.status, 200, "a form of another browser signs nobody in: {}", page.location);
    victim.cookies.remove("accord_device");
    assert_eq!(victim.sign_in(RICH, PIN, "/wallet").await.status, 303);
    assert_ne!(victim.cookies["accord_device"], planted);

    let page = first.get("/wallet/devices").await;
    assert_eq!(page.body.matches("Firefox").count() / 2, 2, "two devices by name: {}", page.body);
    assert_eq!(page.body.matches("This device").count(), 1);
    let mine = planted.split('.').next().unwrap().to_owned();
    let other = victim.cookies["accord_device"].split('.').next().unwrap().to_owned();
    let page = first.act("/wallet/devices", &format!("/wallet/devices/{other}/end"), &[]).await;
    assert!(page.says("Done."), "{}", page.body);
    assert!(victim.get("/wallet").await.body.contains("/wallet/sign-in"));
    let page = first.act("/wallet/devices", "/wallet/devices/end-all", &[]).await;
    assert!(page.says("You are signed out"));
    first.cookies.insert("accord_device".into(), planted);
    assert!(first.get("/wallet").await.body.contains("/wallet/sign-in"), "{mine}");
    house.close().await;
}

async fn a_sign_in_runs_out_and_ends_with_a_frozen_user(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = Browser::signed_in(&house, RICH).await;
    assert_eq!(house.post("/sandbox/clock", json!({ "advanceSeconds": 800 })).await.0, 200);
    assert!(browser.get("/wallet").await.says("Your agreements"));
    assert_eq!(house.post("/sandbox/clock", json!({ "advanceSeconds": 800 })).await.0, 200);
    assert!(browser.get("/wallet").await.says("Your agreements"), "use keeps it alive");
    assert_eq!(house.post("/sandbox/clock", json!({ "advanceSeconds": 901 })).await.0, 200);
    assert!(browser.get("/wallet").await.body.contains("/wallet/sign-in"));

    let mut browser = Browser::signed_in(&house, RICH).await;
    let app = house.app();
    let id =
        accord_core::ids::CustomerId::read(house.user(RICH).await["customerId"].as_str().unwrap()).unwrap();
    app.transact(move |tx| {
        let user = tx.user(&id)?.unwrap();
        Ok(tx.update_user(&accord_core::user::User {
            status: accord_core::user::UserStatus::Frozen,
            ..user
        })?)
    })
    .await
    .unwrap();
    let page = browser.get("/wallet").await;
    assert!(page.body.contains("/wallet/sign-in") && !page.says("frozen"));
    house.close().await;
}
