//! Alipay+ request fields: a rule is a row. What is read, what is refused, and in which words.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use accord_core::Timestamp;
use accord_core::client::{Client, ClientStatus};
use accord_core::ids::{ClientId, DialectName};
use accord_wire::alipay_plus::{AlipayPlus, Config, OPERATIONS};
use accord_wire::dialect::{Dialect, Reason};
use accord_wire::json;
use serde_json::{Value, json};
use std::sync::Arc;

const MISSING: &str = "PARAM_ILLEGAL required, but missing";
const NULL: &str = "PARAM_ILLEGAL required, but null";
const EMPTY: &str = "PARAM_ILLEGAL must not be empty";
const EMPTY_OPTIONAL: &str = "PARAM_ILLEGAL must not be empty; leave it out or send null";
const NUMBER: &str = "PARAM_ILLEGAL must be a string, not a number";
const BOOLEAN: &str = "PARAM_ILLEGAL must be a string, not a boolean";
const READ: &str = "read";

fn client() -> Client {
    Client {
        id: ClientId::new("SANDBOX_NETWORK"),
        dialect: DialectName::new("alipay-plus"),
        legal_name: "Alipay+".into(),
        display_name: "Alipay+".into(),
        status: ClientStatus::Active,
        agreement_pay: true,
        lenient: false,
        auth_notify_url: None,
        payment_notify_url: None,
        return_url: None,
        acquirers: Vec::new(),
        redirect_hosts: Vec::new(),
        rate_limit: None,
        created_at: Timestamp(0),
    }
}

fn wallet() -> Arc<AlipayPlus> {
    let mut config = Config::new("https://wallet.example", [1; 32]);
    config.app_schemes = vec!["demoshop".into()];
    AlipayPlus::new(config)
}

/// A body that is read, for each operation; fields as in `examples/alipay-plus`.
fn body(operation: &str) -> Value {
    let text = match operation {
        "prepare" => include_str!("../../../examples/alipay-plus/prepare.json"),
        "applyToken" => include_str!("../../../examples/alipay-plus/applyToken.json"),
        "applyToken-refresh" => include_str!("../../../examples/alipay-plus/applyToken-refresh.json"),
        "cancelToken" => include_str!("../../../examples/alipay-plus/cancelToken.json"),
        "pay" => include_str!("../../../examples/alipay-plus/pay.json"),
        "pay-evaluation" => include_str!("../../../examples/alipay-plus/pay-evaluation.json"),
        _ => include_str!("../../../examples/alipay-plus/inquiryPayment.json"),
    };
    serde_json::from_str(text).unwrap()
}

fn said_to(client: &Client, operation: &str, body: &Value) -> String {
    let wallet = wallet();
    let name = operation.split('-').next().unwrap();
    let operation = OPERATIONS.iter().find(|known| known.name == name).unwrap();
    let json = json::parse(body.to_string().as_bytes()).unwrap();
    match wallet.clone().read(operation, client, &json) {
        Ok(_) => READ.to_owned(),
        Err(refused) => {
            assert!(refused.message.chars().count() <= 256, "{}", refused.message);
            format!("{} {}", wallet.code(Reason::Fault(refused.fault)).code, refused.message)
        }
    }
}

fn said(operation: &str, body: &Value) -> String {
    said_to(&client(), operation, body)
}

/// The example with the member at `path` set, or left out.
fn with(operation: &str, path: &str, value: Option<Value>) -> Value {
    let mut whole = body(operation);
    let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut place = &mut whole;
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        place = place.as_object_mut().unwrap().entry(parent).or_insert_with(|| json!({}));
    }
    let members = place.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    whole
}

/// The member at `path` set to `value` makes the wallet say `expected`; a fault names the path.
#[track_caller]
fn check(operation: &str, path: &str, value: Option<Value>, expected: &str) {
    let expected = match expected.split_once(' ') {
        Some((code, reason)) => format!("{code} {path}: {reason}"),
        None => expected.to_owned(),
    };
    assert_eq!(said(operation, &with(operation, path, value.clone())), expected, "{operation} {value:?}");
}

#[test]
fn the_examples_are_read() {
    for operation in [
        "prepare",
        "applyToken",
        "applyToken-refresh",
        "cancelToken",
        "pay",
        "pay-evaluation",
        "inquiryPayment",
    ] {
        assert_eq!(said(operation, &body(operation)), READ, "{operation}");
    }
}

#[test]
fn required_texts_are_strings_within_their_limit() {
    for (operation, path, max) in [
        ("prepare", "pspId", 64),
        ("prepare", "acquirerId", 64),
        ("prepare", "authClientId", 64),
        ("prepare", "authClientName", 256),
        ("prepare", "authClientDisplayName", 64),
        ("prepare", "authRedirectUrl", 1024),
        ("prepare", "customerBelongsTo", 32),
        ("prepare", "authState", 256),
        ("prepare", "referenceAgreementId", 64),
        ("prepare", "referenceMerchantId", 32),
        ("applyToken", "pspId", 64),
        ("applyToken", "acquirerId", 64),
        ("applyToken", "grantType", 64),
        ("applyToken-refresh", "refreshToken", 128),
        ("cancelToken", "pspId", 64),
        ("cancelToken", "acquirerId", 64),
        ("cancelToken", "accessToken", 128),
        ("pay", "acquirerId", 64),
        ("pay", "pspId", 64),
        ("pay", "paymentRequestId", 64),
        ("pay", "paymentMethod.paymentMethodId", 128),
        ("inquiryPayment", "acquirerId", 64),
        ("inquiryPayment", "pspId", 64),
        ("inquiryPayment", "paymentRequestId", 64),
    ] {
        check(operation, path, None, MISSING);
        check(operation, path, Some(Value::Null), NULL);
        check(operation, path, Some(json!("")), EMPTY);
        check(operation, path, Some(json!(20)), NUMBER);
        check(operation, path, Some(json!(true)), BOOLEAN);
        check(operation, path, Some(json!(["x"])), "PARAM_ILLEGAL must be a string, not an array");
        let long = json!("é".repeat(max + 1));
        check(operation, path, Some(long), &format!("PARAM_ILLEGAL longer than {max} characters"));
    }
}

#[test]
fn lengths_count_characters_and_the_longest_is_read() {
    for (operation, path, max) in [
        ("prepare", "acquirerId", 64),
        ("prepare", "authClientId", 64),
        ("prepare", "authClientName", 256),
        ("prepare", "authClientDisplayName", 64),
        ("prepare", "authState", 256),
        ("prepare", "osVersion", 16),
        ("prepare", "userAgent", 1024),
        ("prepare", "referenceAgreementId", 64),
        ("prepare", "referenceMerchantId", 32),
        ("prepare", "passThroughInfo", 20_000),
        ("applyToken", "authClientId", 64),
        ("applyToken-refresh", "refreshToken", 128),
        ("cancelToken", "accessToken", 128),
        ("cancelToken", "passThroughInfo", 20_000),
        ("pay", "paymentRequestId", 64),
        ("pay", "paymentMethod.paymentMethodId", 128),
        ("pay", "passThroughInfo", 20_000),
        ("inquiryPayment", "paymentRequestId", 64),
    ] {
        check(operation, path, Some(json!("é".repeat(max))), READ);
        check(operation, path, Some(json!("😀".repeat(max))), READ);
    }
}

#[test]
fn an_auth_code_is_counted_in_bytes() {
    check("applyToken", "authCode", Some(json!("x".repeat(32))), READ);
    check("applyToken", "authCode", Some(json!("x".repeat(33))), "PARAM_ILLEGAL longer than 32 bytes");
    check("applyToken", "authCode", Some(json!("é".repeat(17))), "PARAM_ILLEGAL longer than 32 bytes");
    check("applyToken", "authCode", None, MISSING);
    check("applyToken", "authCode", Some(Value::Null), NULL);
    check("applyToken", "authCode", Some(json!("")), EMPTY);
    check("applyToken", "authCode", Some(json!(1)), NUMBER);
    check("applyToken-refresh", "refreshToken", None, MISSING);
    check("applyToken-refresh", "authCode", Some(json!(1)), READ);
}

#[test]
fn optional_texts_may_be_absent_or_null_but_not_empty() {
    for (operation, path, max) in [
        ("prepare", "osType", 0),
        ("prepare", "osVersion", 16),
        ("prepare", "authClientLogo", 2048),
        ("prepare", "userAgent", 1024),
        ("prepare", "authNotifyUrl", 2048),
        ("prepare", "passThroughInfo", 20_000),
        ("applyToken", "authClientId", 64),
        ("applyToken", "passThroughInfo", 20_000),
        ("cancelToken", "authClientId", 64),
        ("cancelToken", "passThroughInfo", 20_000),
        ("pay", "paymentMethod.paymentMethodType", 64),
        ("pay", "paymentMethod.paymentMethodMetaData.authClientId", 64),
        ("pay", "paymentExpiryTime", 0),
        ("pay", "paymentNotifyUrl", 2048),
        ("pay", "passThroughInfo", 20_000),
    ] {
        check(operation, path, None, READ);
        check(operation, path, Some(Value::Null), READ);
        check(operation, path, Some(json!("")), EMPTY_OPTIONAL);
        check(operation, path, Some(json!(1)), NUMBER);
        if max > 0 {
            let long = json!("x".repeat(max + 1));
            check(operation, path, Some(long), &format!("PARAM_ILLEGAL longer than {max} characters"));
        }
    }
}

#[test]
fn a_lenient_client_may_send_booleans_and_empty_options() {
    let lenient = Client { lenient: true, ..client() };
    for (operation, path, value) in [
        ("prepare", "osVersion", json!("")),
        ("prepare", "authNotifyUrl", json!("")),
        ("pay", "paymentFactor.isAgreementPayment", json!(true)),
        ("pay", "paymentFactor.isPaymentEvaluation", json!(false)),
        ("pay", "payToAmount", json!("")),
        ("pay", "surchargeInfo", json!("")),
    ] {
        let body = with(operation, path, Some(value));
        assert_eq!(said_to(&lenient, operation, &body), READ, "{path}");
        assert_ne!(said(operation, &body), READ, "{path}");
    }
    let numbers = with("prepare", "osVersion", Some(json!(11)));
    assert_eq!(
        said_to(&lenient, "prepare", &numbers),
        "PARAM_ILLEGAL osVersion: must be a string, not a number"
    );
}

#[test]
fn enumerations_are_exact() {
    for (operation, path, good, reason) in [
        ("prepare", "terminalType", &["WEB", "WAP", "APP"][..], "must be one of WEB, WAP, APP"),
        ("prepare", "osType", &["IOS", "ANDROID"], "must be one of IOS, ANDROID"),
        ("prepare", "customerBelongsTo", &["ALIPAY_CN"], "not a wallet that is served here"),
        ("pay", "paymentFactor.isPaymentEvaluation", &["true", "false"], "must be one of true, false"),
    ] {
        for value in good {
            check(operation, path, Some(json!(value)), READ);
            let other = json!(value.to_lowercase() + "x");
            check(operation, path, Some(other), &format!("PARAM_ILLEGAL {reason}"));
        }
        check(operation, path, Some(json!("MINI_APP")), &format!("PARAM_ILLEGAL {reason}"));
    }
    check("prepare", "terminalType", None, MISSING);
    let grants = "PARAM_ILLEGAL must be one of AUTHORIZATION_CODE, REFRESH_TOKEN";
    check("applyToken", "grantType", Some(json!("authorization_code")), grants);
    // osType may be absent whatever the terminal.
    for terminal in ["WEB", "WAP", "APP"] {
        let mut body = with("prepare", "osType", None);
        body["terminalType"] = json!(terminal);
        assert_eq!(said("prepare", &body), READ);
    }
}

#[test]
fn scopes_are_a_set_of_known_words() {
    let all = json!(["AGREEMENT_PAY", "USER_LOGIN_ID", "BASE_USER_INFO", "HASH_LOGIN_ID", "SEND_OTP"]);
    for (value, expected) in [
        (Some(all), READ),
        (Some(json!(["AGREEMENT_PAY", "AGREEMENT_PAY"])), READ),
        (Some(json!([])), "PARAM_ILLEGAL must not be empty"),
        (Some(json!("AGREEMENT_PAY")), "PARAM_ILLEGAL must be an array, not a string"),
        (None, MISSING),
        (Some(Value::Null), NULL),
    ] {
        check("prepare", "scopes", value, expected);
    }
    let valid = "must be one of AGREEMENT_PAY, USER_LOGIN_ID, BASE_USER_INFO, HASH_LOGIN_ID, SEND_OTP";
    for (value, expected) in [
        (json!(["AGREEMENT_PAY", "agreement_pay"]), format!("scopes[1]: {valid}")),
        (json!([""]), "scopes[0]: must not be empty".to_owned()),
        (json!([1]), "scopes[0]: must be a string, not a number".to_owned()),
    ] {
        let body = with("prepare", "scopes", Some(value));
        assert_eq!(said("prepare", &body), format!("PARAM_ILLEGAL {expected}"));
    }
}

#[test]
fn redirects_lead_to_pages_and_apps_and_nowhere_else() {
    for (value, expected) in [
        ("https://shop.example/back?x=1#f", READ),
        ("https%3A%2F%2Fshop.example%2Fback", READ),
        ("com.shop.app://back", READ),
        ("demoshop://back", READ),
        ("http://shop.example/back", "PARAM_ILLEGAL must be https"),
        ("javascript:alert(1)", "PARAM_ILLEGAL scheme not allowed"),
        ("data:text/html,x", "PARAM_ILLEGAL scheme not allowed"),
        ("intent://x#Intent;end", "PARAM_ILLEGAL scheme not allowed"),
        ("othershop://back", "PARAM_ILLEGAL scheme not allowed"),
        ("https://user@shop.example/", "PARAM_ILLEGAL must not hold user information"),
        ("https:///back", "PARAM_ILLEGAL has no host"),
        ("shop.example/back", "PARAM_ILLEGAL not an absolute URL"),
    ] {
        check("prepare", "authRedirectUrl", Some(json!(value)), expected);
    }
    let fitting = format!("https://shop.example/{}", "a".repeat(1024 - 21));
    check("prepare", "authRedirectUrl", Some(json!(fitting)), READ);
}

#[test]
fn a_list_of_hosts_binds_redirects() {
    let bound = Client { redirect_hosts: vec!["Shop.Example".into()], ..client() };
    let other = "PARAM_ILLEGAL authRedirectUrl: leads to a host that is not registered";
    for (value, expected) in [
        ("https://shop.example/back", READ),
        ("https://SHOP.example:8443/back", READ),
        ("demoshop://back", READ),
        ("https://evil.example/back", other),
        ("https://shop.example.evil.example/", other),
        ("com.shop.app://back", other),
    ] {
        let body = with("prepare", "authRedirectUrl", Some(json!(value)));
        assert_eq!(said_to(&bound, "prepare", &body), expected, "{value}");
    }
}

#[test]
fn what_we_call_is_a_web_address() {
    for (operation, path) in
        [("prepare", "authNotifyUrl"), ("prepare", "authClientLogo"), ("pay", "paymentNotifyUrl")]
    {
        for (value, expected) in [
            ("https://network.example/n?x=1", READ),
            ("http://network.example/n", "PARAM_ILLEGAL must be https"),
            ("com.shop.app://n", "PARAM_ILLEGAL must be https"),
            ("javascript:alert(1)", "PARAM_ILLEGAL scheme not allowed"),
            ("https://a:b@network.example/", "PARAM_ILLEGAL must not hold user information"),
            ("https://", "PARAM_ILLEGAL has no host"),
        ] {
            check(operation, path, Some(json!(value)), expected);
        }
        let fitting = format!("https://network.example/{}", "a".repeat(2048 - 24));
        check(operation, path, Some(json!(fitting)), READ);
    }
}

#[test]
fn names_and_ids_are_of_one_line() {
    let reason = "PARAM_ILLEGAL must not hold control characters";
    for path in
        ["acquirerId", "authClientId", "authClientName", "authClientDisplayName", "referenceMerchantId"]
    {
        check("prepare", path, Some(json!("a\nb")), reason);
    }
    check("prepare", "authState", Some(json!("a\nb")), READ);
    check("pay", "paymentRequestId", Some(json!("a\tb")), reason);
}

#[test]
fn amounts_are_digits_of_a_known_currency() {
    const VALUE: &str = "PARAM_ILLEGAL must be 1 to 16 digits above zero, without sign or leading zero";
    for path in ["paymentAmount", "payToAmount"] {
        for value in ["0", "007", "-1", "1.5", "10000000000000000", "٣"] {
            check("pay", &format!("{path}.value"), Some(json!(value)), VALUE);
        }
        check("pay", &format!("{path}.value"), Some(json!(599)), NUMBER);
        check("pay", &format!("{path}.value"), None, MISSING);
        check("pay", &format!("{path}.value"), Some(json!("9999999999999999")), READ);
        let letters = "PARAM_ILLEGAL must be three capital letters";
        check("pay", &format!("{path}.currency"), Some(json!("usd")), letters);
        check("pay", path, Some(json!("599")), "PARAM_ILLEGAL must be an object, not a string");
    }
    check("pay", "paymentAmount.currency", Some(json!("ABC")), "PARAM_ILLEGAL not a currency of ISO 4217");
    check("pay", "paymentAmount", None, MISSING);
    check("pay", "payToAmount", None, READ);
    check("pay", "payToAmount", Some(Value::Null), READ);
}

#[test]
fn only_agreement_payments_are_served() {
    const PATH: &str = "paymentFactor.isAgreementPayment";
    let reason = "PARAM_ILLEGAL must be \"true\": only agreement payments are served";
    check("pay", PATH, Some(json!("true")), READ);
    check("pay", PATH, Some(json!("false")), reason);
    check("pay", PATH, None, reason);
    check("pay", PATH, Some(Value::Null), reason);
    check("pay", PATH, Some(json!("TRUE")), "PARAM_ILLEGAL must be one of true, false");
    check("pay", PATH, Some(json!(true)), BOOLEAN);
    for path in ["order", "paymentMethod", "paymentFactor"] {
        check("pay", path, None, MISSING);
        check("pay", path, Some(Value::Null), NULL);
        check("pay", path, Some(json!([])), "PARAM_ILLEGAL must be an object, not an array");
    }
}

#[test]
fn what_is_only_stored_never_causes_a_refusal() {
    for (path, value) in [
        ("order", json!({})),
        ("order.orderAmount", json!(5)),
        ("order.orderDescription", json!(["a", {"b": null}])),
        ("order.referenceOrderId", json!("")),
        ("order.goods", json!("none")),
        ("order.env.terminalType", json!("TOASTER")),
        ("paymentQuote", json!({"quotePrice": 1.5})),
        ("paymentRedirectUrl", json!("javascript:alert(1)")),
        ("paymentFactor.isInStorePayment", json!(false)),
        ("paymentMethod.customerId", json!(7)),
        ("surchargeInfo", json!({"a": 1})),
        ("paymentPromoInfo", json!([{"savingsAmount": ""}])),
        ("indirectMpp", json!({"x": true})),
    ] {
        check("pay", path, Some(value), READ);
    }
    check("pay", "surchargeInfo", Some(json!("x")), "PARAM_ILLEGAL must be an object, not a string");
    check("pay", "paymentPromoInfo", Some(json!(1)), "PARAM_ILLEGAL must be an object, not a number");
    check("prepare", "somethingNew", Some(json!(1)), READ);
}

#[test]
fn expiry_times_have_an_offset() {
    check("pay", "paymentExpiryTime", Some(json!("2026-01-15T09:30:00+08:00")), READ);
    check("pay", "paymentExpiryTime", Some(json!("2026-01-15T01:30:00.5Z")), READ);
    let reason = "PARAM_ILLEGAL not an ISO 8601 time with offset, such as 2026-01-15T09:30:00+03:00";
    for value in ["2026-01-15T09:30:00", "2026-02-30T09:30:00Z", "tomorrow", "1768440600000"] {
        check("pay", "paymentExpiryTime", Some(json!(value)), reason);
    }
}

#[test]
fn the_parties_are_judged_after_the_fields() {
    let listed = Client { acquirers: vec!["102218800000001234".into()], ..client() };
    for operation in ["prepare", "applyToken", "cancelToken", "pay", "inquiryPayment"] {
        assert_eq!(said_to(&listed, operation, &body(operation)), READ);
        let foreign = with(operation, "pspId", Some(json!("999")));
        assert_eq!(said(operation, &foreign), "ACCESS_DENIED pspId: not the id of this wallet");
        let unlisted = with(operation, "acquirerId", Some(json!("999")));
        assert_eq!(said(operation, &unlisted), READ);
        let said = said_to(&listed, operation, &unlisted);
        assert_eq!(said, "ACCESS_DENIED acquirerId: not one that this client may name");
    }
    let mut both = with("prepare", "pspId", Some(json!("999")));
    both["authState"] = json!("");
    assert_eq!(said("prepare", &both), "PARAM_ILLEGAL authState: must not be empty");
}

#[test]
fn the_first_fault_in_the_papers_order_answers() {
    let order = [
        "pspId",
        "acquirerId",
        "authClientId",
        "authClientName",
        "authClientDisplayName",
        "authRedirectUrl",
        "scopes",
        "customerBelongsTo",
        "authState",
        "terminalType",
        "referenceAgreementId",
        "referenceMerchantId",
    ];
    let mut left = json!({});
    let whole = body("prepare");
    for name in order {
        assert_eq!(said("prepare", &left), format!("PARAM_ILLEGAL {name}: required, but missing"));
        left[name] = whole[name].clone();
    }
    assert_eq!(said("prepare", &left), READ);
    assert_eq!(said("prepare", &json!([])), "PARAM_ILLEGAL body: must be an object, not an array");
}
