//! Alipay+ notices: to whom, where, and with which members.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod alipay_plus_house;
#[path = "../../testkit/tests/stores/mod.rs"]
mod stores;

use accord_core::store::transact;
use alipay_plus_house::*;
use serde_json::{Value, json};
use stores::{Shelf, tests_on_every_store};

tests_on_every_store!(
    the_network_hears_of_code_token_and_cancellation_where_it_asked,
    notices_fall_back_to_the_client_then_to_the_network_then_to_nobody,
    a_final_payment_is_notified_only_when_asked_for,
);

/// What was left in the outbox: kind, URL and the names of the body's members.
fn outline(house: &House) -> Vec<(String, String, Vec<String>)> {
    let names = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap();
        body.as_object().unwrap().keys().cloned().collect()
    };
    house
        .notices()
        .iter()
        .map(|notice| (notice.kind.clone(), notice.url.clone(), names(&notice.body)))
        .collect()
}

fn the_network_hears_of_code_token_and_cancellation_where_it_asked(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY", "USER_LOGIN_ID", "BASE_USER_INFO"]));
    house.call("applyToken", &refresh(&granted));
    house.call("cancelToken", &cancel(&granted));
    let there = "https://www.alipayplus.com/authenticationNotify?referenceAgreementId=aNDJWQNNabdad1234";
    let common = ["authorizationNotifyType", "authClientId", "referenceMerchantId", "referenceAgreementId"];
    let notice = |kind: &str, names: &[&str]| {
        let names = common.iter().chain(names).map(|name| (*name).to_owned()).collect();
        (kind.to_owned(), there.to_owned(), names)
    };
    let tokens = [
        "authState",
        "accessToken",
        "accessTokenExpiryTime",
        "refreshToken",
        "refreshTokenExpiryTime",
        "userLoginId",
        "customerId",
    ];
    let mut expected = vec![
        notice("AUTHCODE_CREATED", &["authCode", "authState", "customerId"]),
        notice("TOKEN_CREATED", &tokens),
        notice("TOKEN_CANCELED", &["accessToken", "reason"]),
    ];
    let mut said = outline(&house);
    said.sort();
    expected.sort();
    assert_eq!(said, expected);
    // At rest there are marks, not secrets.
    for notice in house.notices() {
        for secret in ["accessToken", "refreshToken"] {
            assert!(!notice.body.contains(granted[secret].as_str().unwrap()), "{}", notice.body);
        }
        assert!(!notice.marks.is_empty());
    }
}

fn notices_fall_back_to_the_client_then_to_the_network_then_to_nobody(shelf: Shelf) {
    let bind = |house: &mut House| {
        let row = house.client.clone();
        transact(&house.store, move |tx| Ok(tx.put_client(&row)?)).unwrap();
        let prepared = house.call("prepare", &prepare(&[("authNotifyUrl", Value::Null)]));
        house.approve(&prepared);
        outline(house).into_iter().map(|(_, url, _)| url).collect::<Vec<_>>()
    };
    let mut house = House::new(shelf);
    assert_eq!(bind(&mut house), ["https://network.example/aps/api/v1/authorizations/authNotify"]);
    let mut house = House::new(shelf);
    house.client.auth_notify_url = Some("https://client.example/auth".into());
    assert_eq!(bind(&mut house), ["https://client.example/auth"]);
    let mut house = House::with(shelf, |config| config.network_base_url = None);
    assert_eq!(bind(&mut house), Vec::<String>::new());
}

fn a_final_payment_is_notified_only_when_asked_for(shelf: Shelf) {
    let notified = |house: &mut House, changes: &[(&str, Value)]| {
        let granted = house.bind(json!(["AGREEMENT_PAY"]));
        house.call("pay", &pay(&granted, changes));
        let urls = outline(house).into_iter().filter(|(kind, _, _)| kind == "notifyPayment");
        urls.map(|(_, url, _)| url).collect::<Vec<_>>()
    };
    assert_eq!(notified(&mut House::new(shelf), &[]), Vec::<String>::new());
    let named = [("paymentNotifyUrl", json!("https://acquirer.example/n?x=1"))];
    assert_eq!(notified(&mut House::new(shelf), &named), ["https://acquirer.example/n?x=1"]);
    let mut always = House::with(shelf, |config| config.notify_payment_always = true);
    assert_eq!(notified(&mut always, &[]), ["https://network.example/aps/api/v1/payments/notifyPayment"]);
}
