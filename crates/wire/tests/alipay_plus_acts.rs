//! Alipay+ from prepare to a debit over the model store: what is answered, and what is kept.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod alipay_plus_house;
#[path = "../../testkit/tests/stores/mod.rs"]
mod stores;

use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::policy::{DAY, MINUTE};
use accord_core::{Refusal, Timestamp};
use alipay_plus_house::*;
use serde_json::{Value, json};
use stores::{Shelf, tests_on_every_store};

tests_on_every_store!(
    prepare_answers_in_the_papers_order_and_repeats_byte_for_byte,
    the_compared_fields_of_a_repeated_prepare_must_agree,
    a_wallet_that_cannot_scan_answers_no_qr_code,
    a_client_without_agreement_payments_gets_only_what_was_answered_before,
    a_code_gives_tokens_of_the_prescribed_shape_once,
    a_late_code_is_expired_and_the_user_is_told_of_as_granted,
    a_refresh_token_gives_one_successor_and_a_grace,
    a_cancelled_token_pays_no_more_and_cancels_again,
    a_payment_is_debited_once_and_told_the_same_by_inquiry,
    the_compared_fields_of_a_repeated_pay_must_agree,
    a_failure_is_a_fact_and_its_reason_is_told,
    an_evaluation_judges_and_moves_nothing,
    a_running_payment_is_unknown_until_it_ends_and_then_notified,
    a_forced_failure_is_kept,
);

fn prepare_answers_in_the_papers_order_and_repeats_byte_for_byte(shelf: Shelf) {
    let mut house = House::new(shelf);
    let first = house.bytes("prepare", &prepare(&[]), None);
    let said: Value = serde_json::from_slice(&first).unwrap();
    let names: Vec<&str> = said.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["result", "codeValue", "codeExpireTime", "applinkUrl", "normalUrl", "schemeUrl"]);
    let result = json!({ "resultCode": "SUCCESS", "resultMessage": "Success", "resultStatus": "S" });
    assert_eq!(said["result"].to_string(), result.to_string());
    assert_eq!(said["codeExpireTime"], "2026-01-15T09:45:00+08:00");

    house.now += DAY;
    let repeat = prepare(&[
        ("scopes", json!(["AGREEMENT_PAY", "AGREEMENT_PAY"])),
        ("authState", json!("another")),
        ("authClientDisplayName", json!("another")),
    ]);
    assert_eq!(house.bytes("prepare", &repeat, None), first);
    // It had expired undecided, and is open again.
    assert_eq!(house.approve(&said).len(), 32);
}

fn the_compared_fields_of_a_repeated_prepare_must_agree(shelf: Shelf) {
    let mut house = House::new(shelf);
    house.call("prepare", &prepare(&[]));
    for (name, value) in [
        ("authClientName", json!("Another")),
        ("referenceMerchantId", json!("1")),
        ("authRedirectUrl", json!("https://www.merchant.com/other")),
        ("scopes", json!(["AGREEMENT_PAY", "SEND_OTP"])),
    ] {
        let said = house.call("prepare", &prepare(&[(name, value)]));
        assert_eq!(code_of(&said), "F REPEAT_REQ_INCONSISTENT", "{name}");
    }
    for name in ["authClientId", "referenceAgreementId", "acquirerId"] {
        let other = prepare(&[(name, json!("another")), ("authClientName", json!("Another"))]);
        assert_eq!(code_of(&house.call("prepare", &other)), "S SUCCESS", "{name} is part of the key");
    }
}

fn a_wallet_that_cannot_scan_answers_no_qr_code(shelf: Shelf) {
    let mut house = House::with(shelf, |config| config.code_scan = false);
    let said = house.call("prepare", &prepare(&[]));
    let names: Vec<&str> = said.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["result", "applinkUrl", "normalUrl", "schemeUrl"]);
}

fn a_client_without_agreement_payments_gets_only_what_was_answered_before(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY"]));
    let paid = house.call("pay", &pay(&granted, &[]));
    house.client.agreement_pay = false;
    assert_eq!(code_of(&house.call("prepare", &prepare(&[]))), "S SUCCESS");
    assert_eq!(house.call("pay", &pay(&granted, &[])), paid);
    let other = ("referenceAgreementId", json!("another"));
    assert_eq!(code_of(&house.call("prepare", &prepare(std::slice::from_ref(&other)))), "F ACCESS_DENIED");
    let scopes = ("scopes", json!(["USER_LOGIN_ID"]));
    assert_eq!(code_of(&house.call("prepare", &prepare(&[other, scopes]))), "S SUCCESS");
    let second = pay(&granted, &[("paymentRequestId", json!("second"))]);
    assert_eq!(code_of(&house.call("pay", &second)), "F ACCESS_DENIED");
}

fn a_code_gives_tokens_of_the_prescribed_shape_once(shelf: Shelf) {
    let mut house = House::new(shelf);
    let prepared = house.call("prepare", &prepare(&[]));
    let code = house.approve(&prepared);
    assert!(code.starts_with("28101013") && code.len() == 32, "{code}");
    assert!(code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));

    let granted = house.call("applyToken", &apply(&code));
    let names: Vec<&str> = granted.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["result", "accessToken", "accessTokenExpiryTime", "refreshToken", "refreshTokenExpiryTime"]
    );
    for name in ["accessToken", "refreshToken"] {
        let token = granted[name].as_str().unwrap();
        let rest = token.strip_prefix("28101003").unwrap();
        assert!(rest.len() == 32 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')), "{token}");
    }
    assert_ne!(granted["accessToken"], granted["refreshToken"]);
    assert_eq!(granted["accessTokenExpiryTime"], "2026-07-14T09:30:00+08:00");
    assert_eq!(granted["refreshTokenExpiryTime"], "2027-01-15T09:30:00+08:00");
    assert_eq!(house.call("applyToken", &apply(&code)), granted);

    let mut foreign = apply(&code);
    foreign["acquirerId"] = json!("another");
    assert_eq!(code_of(&house.call("applyToken", &foreign)), "F INVALID_CODE");
    let mut other_shop = apply(&code);
    other_shop["authClientId"] = json!("another");
    assert_eq!(code_of(&house.call("applyToken", &other_shop)), "F INVALID_CODE");
    assert_eq!(code_of(&house.call("applyToken", &apply("281010130"))), "F INVALID_CODE");
    house.now += 10 * MINUTE + 1;
    assert_eq!(code_of(&house.call("applyToken", &apply(&code))), "F USED_CODE");
}

fn a_late_code_is_expired_and_the_user_is_told_of_as_granted(shelf: Shelf) {
    let mut house = House::new(shelf);
    let prepared = house.call("prepare", &prepare(&[]));
    let code = house.approve(&prepared);
    house.now += 10 * MINUTE + 1;
    assert_eq!(code_of(&house.call("applyToken", &apply(&code))), "F EXPIRED_CODE");

    let mut house = House::new(shelf);
    let granted = house.bind(json!(["USER_LOGIN_ID", "BASE_USER_INFO"]));
    assert_eq!(granted["userLoginId"], "+964********01");
    assert_eq!(granted["customerId"], house.customer.as_str());
    // Without AGREEMENT_PAY the token debits nothing.
    assert_eq!(code_of(&house.call("pay", &pay(&granted, &[]))), "F INVALID_TOKEN");
}

fn a_refresh_token_gives_one_successor_and_a_grace(shelf: Shelf) {
    let mut house = House::new(shelf);
    let first = house.bind(json!(["AGREEMENT_PAY"]));
    let second = house.call("applyToken", &refresh(&first));
    assert_eq!(code_of(&second), "S SUCCESS");
    assert_ne!(second["accessToken"], first["accessToken"]);
    assert_eq!(house.call("applyToken", &refresh(&first)), second);
    let during = pay(&first, &[("paymentRequestId", json!("during grace"))]);
    assert_eq!(code_of(&house.call("pay", &during)), "S SUCCESS");

    house.now += 5 * MINUTE + 1;
    assert_eq!(code_of(&house.call("applyToken", &refresh(&first))), "F INVALID_REFRESH_TOKEN");
    let late = pay(&first, &[("paymentRequestId", json!("late"))]);
    assert_eq!(code_of(&house.call("pay", &late)), "F INVALID_TOKEN");

    house.now += 181 * DAY;
    let expired = pay(&second, &[("paymentRequestId", json!("expired"))]);
    assert_eq!(code_of(&house.call("pay", &expired)), "F EXPIRED_ACCESS_TOKEN");
    house.now += 185 * DAY;
    assert_eq!(code_of(&house.call("applyToken", &refresh(&second))), "F EXPIRED_REFRESH_TOKEN");
    let nonsense = json!({ "refreshToken": "28101003" });
    assert_eq!(code_of(&house.call("applyToken", &refresh(&nonsense))), "F INVALID_REFRESH_TOKEN");
}

fn a_cancelled_token_pays_no_more_and_cancels_again(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY"]));
    let mut foreign = cancel(&granted);
    foreign["acquirerId"] = json!("another");
    assert_eq!(code_of(&house.call("cancelToken", &foreign)), "F INVALID_TOKEN");
    // An old call must not end a living agreement; a repeat may be old.
    assert!(!house.known("cancelToken", &cancel(&granted)));
    for _ in 0..2 {
        let said = house.call("cancelToken", &cancel(&granted));
        assert_eq!((code_of(&said).as_str(), said.as_object().unwrap().len()), ("S SUCCESS", 1));
        assert!(house.known("cancelToken", &cancel(&granted)));
    }
    assert_eq!(code_of(&house.call("pay", &pay(&granted, &[]))), "F INVALID_TOKEN");
    assert_eq!(code_of(&house.call("applyToken", &refresh(&granted))), "F INVALID_REFRESH_TOKEN");
    assert_eq!(house.balance(), 1000);
}

fn a_payment_is_debited_once_and_told_the_same_by_inquiry(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY"]));
    assert_eq!(code_of(&house.call("inquiryPayment", &inquiry())), "F ORDER_NOT_EXIST");
    let body = pay(&granted, &[("payToAmount", json!({ "currency": "HKD", "value": "4680" }))]);
    assert!(!house.known("pay", &body));
    let paid = house.call("pay", &body);
    assert!(house.known("pay", &body));
    let expected = json!({
        "result": { "resultCode": "SUCCESS", "resultMessage": "Success", "resultStatus": "S" },
        "paymentId": paid["paymentId"],
        "paymentTime": "2026-01-15T09:30:00+08:00",
        "paymentAmount": { "currency": "USD", "value": "599" },
        "payToAmount": { "currency": "HKD", "value": "4680" },
        "customerId": house.customer.as_str(),
    });
    assert_eq!(paid.to_string(), expected.to_string());
    house.now += DAY;
    assert_eq!(house.call("pay", &body), paid);
    assert_eq!(house.balance(), 401);

    let told = house.call("inquiryPayment", &inquiry());
    assert_eq!(told["paymentResult"], paid["result"]);
    for name in ["paymentId", "paymentTime", "paymentAmount", "payToAmount", "customerId"] {
        assert_eq!(told[name], paid[name], "{name}");
    }
    assert_eq!(told["paymentRequestId"], "pay-20260115-0001");
    assert_eq!(told["acquirerId"], "102218800000001234");
    let mut foreign = inquiry();
    foreign["acquirerId"] = json!("another");
    assert_eq!(code_of(&house.call("inquiryPayment", &foreign)), "F ORDER_NOT_EXIST");
}

fn the_compared_fields_of_a_repeated_pay_must_agree(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY"]));
    let promo = json!({ "b": [1, { "y": "1", "x": "2" }], "a": "z" });
    house.call("pay", &pay(&granted, &[("paymentPromoInfo", promo)]));
    let sorted = json!({ "a": "z", "b": [1, { "x": "2", "y": "1" }] });
    let same = pay(&granted, &[("paymentPromoInfo", sorted.clone()), ("order", json!({}))]);
    assert_eq!(code_of(&house.call("pay", &same)), "S SUCCESS");
    for (name, value) in [
        ("paymentAmount", json!({ "currency": "USD", "value": "598" })),
        ("payToAmount", Value::Null),
        ("surchargeInfo", json!({ "a": "1" })),
        ("paymentPromoInfo", json!({ "a": "z", "b": [{ "x": "2", "y": "1" }, 1] })),
        ("paymentFactor", json!({ "isAgreementPayment": "true", "isPaymentEvaluation": "true" })),
    ] {
        let changed = pay(&granted, &[("paymentPromoInfo", sorted.clone()), (name, value)]);
        assert_eq!(code_of(&house.call("pay", &changed)), "F REPEAT_REQ_INCONSISTENT", "{name}");
    }
    assert_eq!(house.balance(), 401);
}

fn a_failure_is_a_fact_and_its_reason_is_told(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY"]));
    let dear = |id: &str, amount: Value| {
        pay(
            &granted,
            &[("paymentRequestId", json!(id)), ("paymentAmount", amount), ("payToAmount", Value::Null)],
        )
    };
    let body = dear("pay-20260115-0001", json!({ "currency": "USD", "value": "1001" }));
    for _ in 0..2 {
        let said = house.call("pay", &body);
        assert_eq!(code_of(&said), "F USER_BALANCE_NOT_ENOUGH");
        assert_eq!(said.as_object().unwrap().len(), 1);
    }
    let told = house.call("inquiryPayment", &inquiry());
    assert_eq!(code_of(&told), "S SUCCESS");
    assert_eq!(told["paymentResult"]["resultCode"], "USER_BALANCE_NOT_ENOUGH");
    assert_eq!(told["paymentResult"]["resultStatus"], "F");
    assert!(told.get("paymentTime").is_none() && told.get("payToAmount").is_none());

    let dinars = dear("no account", json!({ "currency": "IQD", "value": "1" }));
    assert_eq!(code_of(&house.call("pay", &dinars)), "F UNAVAILABLE_PAYMENT_METHOD");
    let late = [("paymentRequestId", json!("late")), ("paymentExpiryTime", json!("2026-01-15T01:29:59Z"))];
    assert_eq!(code_of(&house.call("pay", &pay(&granted, &late))), "F ORDER_IS_CLOSED");
    let mut shop = pay(&granted, &[("paymentRequestId", json!("shop"))]);
    shop["paymentMethod"]["paymentMethodMetaData"]["authClientId"] = json!("another");
    assert_eq!(code_of(&house.call("pay", &shop)), "F INVALID_TOKEN");
    assert_eq!(house.balance(), 1000);
}

fn an_evaluation_judges_and_moves_nothing(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY"]));
    let mut body = pay(&granted, &[("paymentNotifyUrl", json!("https://network.example/n"))]);
    body["paymentFactor"]["isPaymentEvaluation"] = json!("true");
    assert_eq!(code_of(&house.call("pay", &body)), "S SUCCESS");
    assert_eq!(house.balance(), 1000);
    assert_eq!(house.call("inquiryPayment", &inquiry())["paymentResult"]["resultStatus"], "S");
    assert!(house.notices().iter().all(|notice| notice.kind != "notifyPayment"));
}

fn a_running_payment_is_unknown_until_it_ends_and_then_notified(shelf: Shelf) {
    for (succeed, status, balance) in [(true, "S", 401), (false, "F", 1000)] {
        let mut house = House::new(shelf);
        let granted = house.bind(json!(["AGREEMENT_PAY"]));
        let resolution = Resolution { due_at: Timestamp(START + 5_000), succeed };
        let body = pay(&granted, &[]);
        let said = house.bytes("pay", &body, Some(Forced::Running(Some(resolution))));
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(code_of(&said), "U PAYMENT_IN_PROCESS");
        let told = house.call("inquiryPayment", &inquiry());
        assert_eq!(code_of(&told), "S SUCCESS");
        assert_eq!(told["paymentResult"]["resultCode"], "PAYMENT_IN_PROCESS");
        assert_eq!(code_of(&house.call("pay", &body)), "U PAYMENT_IN_PROCESS");

        house.now += 5_000;
        assert!(house.resolve(told["paymentId"].as_str().unwrap()));
        assert!(code_of(&house.call("pay", &body)).starts_with(status));
        assert_eq!(house.balance(), balance);
        let notices = house.notices();
        let notice = notices.last().unwrap();
        assert_eq!(notice.kind, "notifyPayment");
        assert_eq!(notice.url, "https://network.example/aps/api/v1/payments/notifyPayment");
        let sent: Value = serde_json::from_str(&notice.body).unwrap();
        assert_eq!(sent["paymentResult"], house.call("inquiryPayment", &inquiry())["paymentResult"]);
        assert_eq!(sent["paymentRequestId"], "pay-20260115-0001");
        assert_eq!(sent.get("paymentId").is_some(), succeed);
    }
}

fn a_forced_failure_is_kept(shelf: Shelf) {
    let mut house = House::new(shelf);
    let granted = house.bind(json!(["AGREEMENT_PAY"]));
    let body = pay(&granted, &[]);
    let said = house.bytes("pay", &body, Some(Forced::Fail(Refusal::UserNotQualified)));
    assert_eq!(code_of(&serde_json::from_slice(&said).unwrap()), "F USER_KYC_NOT_QUALIFIED");
    assert_eq!(house.bytes("pay", &body, None), said);
}
