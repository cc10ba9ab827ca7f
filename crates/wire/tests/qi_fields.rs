//! Qi's fields, a row for each rule: missing, empty, null, of another type, too long, unknown.

#![expect(clippy::unwrap_used, reason = "a test may panic, and its helpers are no tests to clippy")]

use accord_core::client::{Client, ClientStatus};
use accord_core::ids::{ClientId, DialectName};
use accord_core::moment::Timestamp;
use accord_wire::dialect::{Dialect, Reason};
use accord_wire::json;
use accord_wire::qi::{Config, Qi};
use serde_json::{Map, Value, json};

const MISSING: &str = "required, but missing";
const NULL: &str = "required, but null";
const EMPTY: &str = "must not be empty";
const TEXT: &str = "must be a string, not a number";

fn client() -> Client {
    Client {
        id: ClientId::new("MERCH_DEMO_0001"),
        dialect: DialectName::new("qi"),
        legal_name: "Demo Trading LLC".into(),
        display_name: "Demo Shop".into(),
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

/// What reading that body says: `read`, or code and message.
fn said(operation: &str, body: &str) -> String {
    let qi = Qi::new(Config::new("https://wallet.example"));
    let operation = qi.operations().iter().find(|known| known.name == operation).unwrap();
    let body = json::parse(body.as_bytes()).unwrap();
    match qi.clone().read(operation, &client(), &body) {
        Ok(_) => "read".to_owned(),
        Err(refused) => {
            assert!(refused.message.chars().count() <= 256, "{}", refused.message);
            format!("{} {}", qi.code(Reason::Fault(refused.fault)).code, refused.message)
        }
    }
}

#[track_caller]
fn check(operation: &str, body: &str, expected: &str) {
    assert_eq!(said(operation, body), expected, "{operation} {body}");
}

fn sample(operation: &str) -> Map<String, Value> {
    let body = match operation {
        "prepare" => json!({
            "scopes": "AGREEMENT_PAY",
            "extendInfo": r#"{"language":"en-US","contractDesc":"Gym plan"}"#,
        }),
        "applyToken" => json!({ "grantType": "AUTHORIZATION_CODE", "authCode": "c" }),
        "refresh" => json!({ "grantType": "REFRESH_TOKEN", "refreshToken": "r" }),
        "cancelToken" => json!({ "accessToken": "a" }),
        "pay" => json!({
            "productCode": "51051000101000100031",
            "paymentRequestId": "p-1",
            "paymentAuthCode": "a",
            "paymentAmount": { "currency": "IQD", "value": "25000000" },
            "order": {},
        }),
        _ => json!({ "paymentId": "p", "paymentRequestId": "p-1" }),
    };
    body.as_object().unwrap().clone()
}

/// The sample with one member replaced, or removed.
fn with(operation: &str, name: &str, value: Option<Value>) -> String {
    let mut body = sample(operation);
    match value {
        Some(value) => body.insert(name.to_owned(), value),
        None => body.remove(name),
    };
    Value::Object(body).to_string()
}

fn of_name(operation: &str) -> &str {
    if operation == "refresh" { "applyToken" } else { operation }
}

#[test]
fn the_samples_and_the_examples_are_read() {
    for operation in ["prepare", "applyToken", "refresh", "cancelToken", "pay", "inquiryPayment"] {
        check(of_name(operation), &Value::Object(sample(operation)).to_string(), "read");
    }
    for (operation, body) in [
        ("prepare", include_str!("../../../examples/qi/prepare.json")),
        ("applyToken", include_str!("../../../examples/qi/applyToken.json")),
        ("applyToken", include_str!("../../../examples/qi/applyToken-refresh.json")),
        ("cancelToken", include_str!("../../../examples/qi/cancelToken.json")),
        ("pay", include_str!("../../../examples/qi/pay.json")),
        ("inquiryPayment", include_str!("../../../examples/qi/inquiryPayment.json")),
    ] {
        check(operation, body, "read");
    }
}

#[test]
fn a_required_text_must_be_there_and_be_a_text() {
    for (operation, name, max) in [
        ("prepare", "scopes", 16),
        ("prepare", "extendInfo", 4096),
        ("applyToken", "grantType", 64),
        ("applyToken", "authCode", 64),
        ("refresh", "refreshToken", 128),
        ("cancelToken", "accessToken", 128),
        ("pay", "productCode", 32),
        ("pay", "paymentRequestId", 64),
        ("pay", "paymentAuthCode", 128),
    ] {
        let unit = if name == "authCode" { "bytes" } else { "characters" };
        for (value, reason) in [
            (None, MISSING.to_owned()),
            (Some(Value::Null), NULL.to_owned()),
            (Some(json!("")), EMPTY.to_owned()),
            (Some(json!(1)), TEXT.to_owned()),
            (Some(json!(["a"])), "must be a string, not an array".to_owned()),
            (Some(json!({})), "must be a string, not an object".to_owned()),
            (Some(json!(true)), "must be a string, not a boolean".to_owned()),
            (Some(json!("x".repeat(max + 1))), format!("longer than {max} {unit}")),
        ] {
            let body = with(operation, name, value);
            check(of_name(operation), &body, &format!("PARAM_ILLEGAL {name}: {reason}"));
        }
    }
}

#[test]
fn an_optional_text_may_be_left_out_in_three_ways() {
    for (operation, name, max) in [
        ("prepare", "referenceClientId", 16),
        ("applyToken", "extendInfo", 4096),
        ("cancelToken", "extendInfo", 4096),
        ("pay", "extendInfo", 4096),
        ("inquiryPayment", "paymentId", 64),
        ("inquiryPayment", "paymentRequestId", 64),
    ] {
        for value in [None, Some(Value::Null), Some(json!("")), Some(json!("é".repeat(max)))] {
            check(operation, &with(operation, name, value), "read");
        }
        let long = with(operation, name, Some(json!("x".repeat(max + 1))));
        check(operation, &long, &format!("PARAM_ILLEGAL {name}: longer than {max} characters"));
        check(operation, &with(operation, name, Some(json!(1))), &format!("PARAM_ILLEGAL {name}: {TEXT}"));
    }
}

#[test]
fn other_words_have_codes_of_their_own() {
    const SCOPE: &str = "INVALID_SCOPE scopes: The scope is invalid. Use AGREEMENT_PAY.";
    for scope in ["USER_ID", "agreement_pay", "AGREEMENT_PAY ", "x"] {
        check("prepare", &with("prepare", "scopes", Some(json!(scope))), SCOPE);
    }
    const GRANT: &str =
        "AUTH_CLIENT_UNSUPPORTED_GRANT_TYPE The grantType must be AUTHORIZATION_CODE or REFRESH_TOKEN.";
    for grant in ["PASSWORD", "authorization_code"] {
        check("applyToken", &with("applyToken", "grantType", Some(json!(grant))), GRANT);
    }
    const PRODUCT: &str =
        "ACCESS_DENIED productCode: only agreement payment (51051000101000100031) is offered";
    for product in ["51051000101000000011", "x"] {
        check("pay", &with("pay", "productCode", Some(json!(product))), PRODUCT);
    }
    let mut cashier = sample("pay");
    cashier.insert("productCode".into(), json!("51051000101000000011"));
    cashier.remove("paymentAuthCode");
    check("pay", &Value::Object(cashier).to_string(), PRODUCT);
}

#[test]
fn limits_in_extend_info_are_checked_before_anybody_agrees() {
    let dates = "must be a date as yyyy-MM-dd";
    let years = "must be in a year from 1970 to 9998; leave it out for no such date";
    let count = "must be a whole number from 1 to 4294967295";
    for (members, expected) in [
        (r#""agreedAmount":{"currency":"IQD","value":"25000000"}"#, "read".to_owned()),
        (r#""agreedAmount":"","startTime":"","schedule":"","validTo":null,"maxCount":"""#, "read".to_owned()),
        (r#""startTime":"2026-02-28","validTo":"2026-02-28","schedule":"SEASONAL""#, "read".to_owned()),
        (r#""maxCount":12"#, "read".to_owned()),
        (r#""maxCount":"12""#, "read".to_owned()),
        (
            r#""agreedAmount":7"#,
            "PARAM_ILLEGAL extendInfo.agreedAmount: must be an object, not a number".to_owned(),
        ),
        (
            r#""agreedAmount":{"currency":"XXX","value":"1"}"#,
            "PARAM_ILLEGAL extendInfo.agreedAmount.currency: must be the code of an ISO 4217 currency in use"
                .to_owned(),
        ),
        (r#""startTime":"2026-02-29""#, format!("PARAM_ILLEGAL extendInfo.startTime: {dates}")),
        (r#""startTime":"0001-01-01""#, format!("PARAM_ILLEGAL extendInfo.startTime: {years}")),
        (r#""validTo":"9999-12-31""#, format!("PARAM_ILLEGAL extendInfo.validTo: {years}")),
        (r#""validTo":"9998-12-31""#, "read".to_owned()),
        (r#""validTo":"tomorrow""#, format!("PARAM_ILLEGAL extendInfo.validTo: {dates}")),
        (
            r#""startTime":"2026-02-28","validTo":"2026-02-27""#,
            "PARAM_ILLEGAL extendInfo.validTo: must not be before startTime".to_owned(),
        ),
        (
            r#""schedule":"WEEKLY""#,
            "PARAM_ILLEGAL extendInfo.schedule: must be one of MONTHLY, SEASONAL, YEARLY".to_owned(),
        ),
        (r#""maxCount":0"#, format!("PARAM_ILLEGAL extendInfo.maxCount: {count}")),
        (r#""maxCount":1.5"#, format!("PARAM_ILLEGAL extendInfo.maxCount: {count}")),
        (r#""maxCount":"many""#, format!("PARAM_ILLEGAL extendInfo.maxCount: {count}")),
        (r#""maxCount":true"#, format!("PARAM_ILLEGAL extendInfo.maxCount: {count}")),
        (r#""maxCount":4294967296"#, format!("PARAM_ILLEGAL extendInfo.maxCount: {count}")),
    ] {
        let info = format!(r#"{{"contractDesc":"Gym plan",{members}}}"#);
        check("prepare", &with("prepare", "extendInfo", Some(json!(info))), &expected);
    }
}

#[test]
fn members_that_are_not_acted_on_are_no_longer_than_the_paper_lets_them_be() {
    for (operation, name, max) in [
        ("pay", "paymentRedirectUrl", 1024),
        ("pay", "voidNotifyUrl", 2048),
        ("pay", "paymentOrderTitle", 256),
        ("pay", "extendInfo", 4096),
        ("applyToken", "referenceClientId", 128),
        ("applyToken", "extendInfo", 4096),
        ("cancelToken", "extendInfo", 4096),
    ] {
        let sent = |value: Value| with(operation, name, Some(value));
        check(operation, &sent(json!("ب".repeat(max))), "read");
        check(operation, &sent(json!("")), "read");
        check(operation, &sent(Value::Null), "read");
        let long = format!("PARAM_ILLEGAL {name}: longer than {max} characters");
        check(operation, &sent(json!("x".repeat(max + 1))), &long);
        check(operation, &sent(json!(7)), &format!("PARAM_ILLEGAL {name}: must be a string, not a number"));
    }
}

#[test]
fn an_id_is_not_blank() {
    for (operation, name) in [("pay", "paymentRequestId"), ("prepare", "referenceClientId")] {
        for blank in [" \u{a0}", "\u{200b}", "\u{202e}\u{202c}", "\u{3164}", "\u{2800}", "\u{feff}\u{e0041}"]
        {
            let blank = with(operation, name, Some(json!(blank)));
            check(operation, &blank, &format!("PARAM_ILLEGAL {name}: must not be blank"));
        }
    }
}

#[test]
fn extend_info_is_an_object_in_a_string() {
    const DESC: &str = r#""contractDesc":"Gym plan""#;
    let deep = format!("{{{DESC},\"x\":{}{}}}", "[".repeat(32), "]".repeat(32));
    let title = |length: usize| format!(r#"{{{DESC},"contractTitle":"{}"}}"#, "t".repeat(length));
    for (info, expected) in [
        (format!("{{{DESC}}}"), "read"),
        (format!(" {{{DESC}}} "), "read"),
        (format!(r#"{{"language":"ar-IQ",{DESC}}}"#), "read"),
        (format!(r#"{{"language":"",{DESC}}}"#), "read"),
        (format!(r#"{{"language":null,{DESC}}}"#), "read"),
        (format!(r#"{{{DESC},"more":{{"a":[1.5,null]}}}}"#), "read"),
        (
            format!(r#"{{{DESC},"contractStatusNotifyUrl":"javascript:x"}}"#),
            "PARAM_ILLEGAL extendInfo.contractStatusNotifyUrl: scheme not allowed",
        ),
        (title(256), "read"),
        (title(257), "PARAM_ILLEGAL extendInfo.contractTitle: longer than 256 characters"),
        (
            format!(r#"{{"language":"en",{DESC}}}"#),
            "PARAM_ILLEGAL extendInfo.language: must be one of en-US, ar-IQ",
        ),
        (
            format!(r#"{{"language":1,{DESC}}}"#),
            "PARAM_ILLEGAL extendInfo.language: must be a string, not a number",
        ),
        ("{}".into(), "PARAM_ILLEGAL extendInfo.contractDesc: required, but missing"),
        (r#"{"contractDesc":null}"#.into(), "PARAM_ILLEGAL extendInfo.contractDesc: required, but null"),
        (r#"{"contractDesc":""}"#.into(), "PARAM_ILLEGAL extendInfo.contractDesc: must not be empty"),
        (r#"{"contractDesc":" \n"}"#.into(), "PARAM_ILLEGAL extendInfo.contractDesc: must not be blank"),
        (
            r#"{"contractDesc":5}"#.into(),
            "PARAM_ILLEGAL extendInfo.contractDesc: must be a string, not a number",
        ),
        ("[]".into(), "PARAM_ILLEGAL extendInfo: must be an object, not an array"),
        ("null".into(), "PARAM_ILLEGAL extendInfo: must be an object, not null"),
        ("\"x\"".into(), "PARAM_ILLEGAL extendInfo: must be an object, not a string"),
        (
            format!(r#"{{{DESC},"contractDesc":"x"}}"#),
            "PARAM_ILLEGAL extendInfo: duplicate member contractDesc at byte 41",
        ),
        (deep, "PARAM_ILLEGAL extendInfo: nested deeper than 32 levels at byte 64"),
    ] {
        check("prepare", &with("prepare", "extendInfo", Some(json!(info))), expected);
    }
    for broken in ["plain words", "{", "{}{}", "{'a':1}", "{\"contractDesc\":\"\\ud800\"}", "language=en-US"]
    {
        let said = said("prepare", &with("prepare", "extendInfo", Some(json!(broken))));
        assert!(said.starts_with("PARAM_ILLEGAL extendInfo: malformed JSON: "), "{broken}: {said}");
        assert!(said.contains(" at byte "), "{broken}: {said}");
    }
    let nul = with("prepare", "extendInfo", Some(json!(r#"{"contractDesc":"a\u0000"}"#)));
    check("prepare", &nul, "PARAM_ILLEGAL extendInfo: NUL character in contractDesc at byte 25");
}

#[test]
fn an_amount_is_digits_in_a_currency_that_exists() {
    const DIGITS: &str =
        "PARAM_ILLEGAL paymentAmount.value: must be 1 to 16 digits above zero, without sign or leading zero";
    const CURRENCY: &str =
        "PARAM_ILLEGAL paymentAmount.currency: must be the code of an ISO 4217 currency in use";
    for (amount, expected) in [
        (json!({ "currency": "IQD", "value": 25_000_000 }), "read"),
        (json!({ "currency": "JPY", "value": "1" }), "read"),
        (json!({ "currency": "IQD", "value": "9999999999999999" }), "read"),
        (json!({ "currency": "IQD", "value": "10000000000000000" }), DIGITS),
        (json!({ "currency": "IQD", "value": "0" }), DIGITS),
        (json!({ "currency": "IQD", "value": -1 }), DIGITS),
        (json!({ "currency": "IQD", "value": 1.5 }), DIGITS),
        (json!({ "currency": "IQD", "value": "1.5" }), DIGITS),
        (json!({ "currency": "IQD", "value": "" }), "PARAM_ILLEGAL paymentAmount.value: must not be empty"),
        (json!({ "currency": "IQD" }), "PARAM_ILLEGAL paymentAmount.value: required, but missing"),
        (json!({ "value": "1" }), "PARAM_ILLEGAL paymentAmount.currency: required, but missing"),
        (
            json!({ "currency": "iqd", "value": "1" }),
            "PARAM_ILLEGAL paymentAmount.currency: must be three capital letters",
        ),
        (json!({ "currency": "ABC", "value": "1" }), CURRENCY),
        (json!("25000000"), "PARAM_ILLEGAL paymentAmount: must be an object, not a string"),
        (Value::Null, "PARAM_ILLEGAL paymentAmount: required, but null"),
    ] {
        check("pay", &with("pay", "paymentAmount", Some(amount)), expected);
    }
    check("pay", &with("pay", "paymentAmount", None), "PARAM_ILLEGAL paymentAmount: required, but missing");
}

#[test]
fn an_order_is_an_object_and_may_hold_anything() {
    for order in [json!({}), json!({ "referenceOrderId": 7, "orderDescription": ["x"], "orderAmount": "" })] {
        check("pay", &with("pay", "order", Some(order)), "read");
    }
    check("pay", &with("pay", "order", None), "PARAM_ILLEGAL order: required, but missing");
    check("pay", &with("pay", "order", Some(Value::Null)), "PARAM_ILLEGAL order: required, but null");
    check(
        "pay",
        &with("pay", "order", Some(json!("x"))),
        "PARAM_ILLEGAL order: must be an object, not a string",
    );
}

#[test]
fn the_token_of_a_payment_may_have_a_sibling_wallets_name() {
    let mut body = sample("pay");
    body.remove("paymentAuthCode");
    body.insert("accessToken".into(), json!("a"));
    check("pay", &Value::Object(body.clone()).to_string(), "read");
    body.insert("paymentAuthCode".into(), json!(""));
    check("pay", &Value::Object(body.clone()).to_string(), "read");
    body.insert("accessToken".into(), json!(1));
    check("pay", &Value::Object(body).to_string(), &format!("PARAM_ILLEGAL accessToken: {TEXT}"));
}

#[test]
fn urls_and_times_are_checked() {
    let url = |url: &str| with("pay", "paymentNotifyUrl", Some(json!(url)));
    let long = format!("https://shop.example/{}", "x".repeat(1004));
    for (value, expected) in [
        ("https://shop.example/n?x=1", "read"),
        ("", "read"),
        (&long[..1024], "read"),
        (&long, "PARAM_ILLEGAL paymentNotifyUrl: longer than 1024 characters"),
        ("http://shop.example/n", "PARAM_ILLEGAL paymentNotifyUrl: must be https"),
        ("javascript:alert(1)", "PARAM_ILLEGAL paymentNotifyUrl: scheme not allowed"),
        ("https://u:p@shop.example", "PARAM_ILLEGAL paymentNotifyUrl: must not hold user information"),
        ("https:///n", "PARAM_ILLEGAL paymentNotifyUrl: has no host"),
    ] {
        check("pay", &url(value), expected);
    }
    for (value, expected) in [
        (json!("2026-01-15T09:30:00+03:00"), "read"),
        (json!("2099-01-15T09:30:00Z"), "read"),
        (Value::Null, "read"),
        (
            json!("tomorrow"),
            "PARAM_ILLEGAL paymentExpiryTime: not an ISO 8601 time with offset, such as 2026-01-15T09:30:00+03:00",
        ),
    ] {
        check("pay", &with("pay", "paymentExpiryTime", Some(value)), expected);
    }
}

#[test]
fn an_inquiry_names_one_of_two_ids() {
    const NEITHER: &str = "PARAM_ILLEGAL paymentId: required when there is no paymentRequestId";
    for body in ["{}", r#"{"paymentId":"","paymentRequestId":""}"#, r#"{"paymentId":null}"#] {
        check("inquiryPayment", body, NEITHER);
    }
    check("inquiryPayment", r#"{"paymentId":"x"}"#, "read");
    check("inquiryPayment", r#"{"paymentRequestId":"x","paymentId":""}"#, "read");
}

#[test]
fn a_body_is_an_object_and_may_hold_more_than_the_paper() {
    for operation in ["prepare", "applyToken", "cancelToken", "pay", "inquiryPayment"] {
        check(operation, "[]", "PARAM_ILLEGAL body: must be an object, not an array");
        check(operation, "null", "PARAM_ILLEGAL body: must be an object, not null");
        let more = with(operation, "salesCode", Some(json!({ "a": [1, ""] })));
        check(operation, &more, "read");
    }
    let control = with("pay", "paymentRequestId", Some(json!("a\nb")));
    check("pay", &control, "PARAM_ILLEGAL paymentRequestId: must not hold control characters");
}
