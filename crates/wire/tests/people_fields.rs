//! Fields of the calls about users, in both dialects: examples are read, and every rule has a row.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use accord_core::Timestamp;
use accord_core::client::{Client, ClientStatus};
use accord_core::ids::{ClientId, DialectName};
use accord_wire::dialect::{Dialect, Reason};
use accord_wire::{alipay_plus, json, qi};
use serde_json::{Value, json};
use std::sync::Arc;

fn client(dialect: &str) -> Client {
    Client {
        id: ClientId::new("SOMEBODY"),
        dialect: DialectName::new(dialect),
        legal_name: "Somebody LLC".into(),
        display_name: "Somebody".into(),
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

fn alipay_plus(inquiry_customer_id: bool) -> Arc<dyn Dialect> {
    let mut config = alipay_plus::Config::new("https://wallet.example", [1; 32]);
    config.inquiry_customer_id = inquiry_customer_id;
    alipay_plus::AlipayPlus::new(config)
}

fn qi() -> Arc<dyn Dialect> {
    qi::Qi::new(qi::Config::new("https://wallet.example"))
}

/// What reading that body says: `read`, or code and message.
fn said(dialect: &Arc<dyn Dialect>, operation: &str, body: &Value) -> String {
    let operation = dialect.operations().iter().find(|known| known.name == operation).unwrap();
    let body = json::parse(body.to_string().as_bytes()).unwrap();
    match dialect.clone().read(operation, &client(dialect.name().as_str()), &body) {
        Ok(_) => "read".to_owned(),
        Err(refused) => {
            format!("{} {}", dialect.code(Reason::Fault(refused.fault)).code, refused.message)
        }
    }
}

fn example(dialect: &str, operation: &str) -> Value {
    let path = format!("{}/../../examples/{dialect}/{operation}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

const QI: &[&str] = &["inquiryUserInfo", "sendInbox", "sendPush"];
const PLUS: &[&str] = &["inquiryUserInfo", "inquiryCustomerId", "sendOTP", "verifyOTP"];

#[test]
fn the_examples_are_read() {
    for operation in QI {
        assert_eq!(said(&qi(), operation, &example("qi", operation)), "read", "{operation}");
    }
    for operation in PLUS {
        let body = example("alipay-plus", operation);
        assert_eq!(said(&alipay_plus(true), operation, &body), "read", "{operation}");
    }
}

#[test]
fn required_texts_are_strings_within_their_limit() {
    let rows: &[(&str, &str, &str, usize)] = &[
        ("qi", "inquiryUserInfo", "accessToken", 128),
        ("qi", "sendInbox", "accessToken", 128),
        ("qi", "sendInbox", "requestId", 128),
        ("qi", "sendInbox", "templateCode", 256),
        ("qi", "sendPush", "requestId", 128),
        ("alipay-plus", "inquiryUserInfo", "pspId", 64),
        ("alipay-plus", "inquiryUserInfo", "acquirerId", 64),
        ("alipay-plus", "inquiryUserInfo", "accessToken", 128),
        ("alipay-plus", "inquiryCustomerId", "plaintextUserLoginId", 64),
        ("alipay-plus", "sendOTP", "accessToken", 128),
        ("alipay-plus", "verifyOTP", "accessToken", 128),
        ("alipay-plus", "verifyOTP", "verifyRequestId", 64),
        ("alipay-plus", "verifyOTP", "otpCode", 32),
    ];
    for (name, operation, member, max) in rows {
        let dialect = if *name == "qi" { qi() } else { alipay_plus(true) };
        for (value, reason) in [
            (None, "required, but missing".to_owned()),
            (Some(Value::Null), "required, but null".to_owned()),
            (Some(json!("")), "must not be empty".to_owned()),
            (Some(json!(7)), "must be a string, not a number".to_owned()),
            (Some(json!("x".repeat(max + 1))), format!("longer than {max} characters")),
        ] {
            let mut body = example(name, operation);
            match value {
                Some(value) => body[*member] = value,
                None => drop(body.as_object_mut().unwrap().remove(*member)),
            }
            let expected = format!("PARAM_ILLEGAL {member}: {reason}");
            assert_eq!(said(&dialect, operation, &body), expected, "{operation}");
        }
    }
}

#[test]
fn a_customer_is_told_by_login_id_only_and_only_where_that_is_switched_on() {
    let good = example("alipay-plus", "inquiryCustomerId");
    let off = said(&alipay_plus(false), "inquiryCustomerId", &good);
    assert_eq!(off, "ACCESS_DENIED inquiryCustomerId: not offered by this wallet");
    let mut by_code = good.clone();
    by_code["inquiryType"] = json!("BY_PAYMENT_CODE");
    let denied = said(&alipay_plus(true), "inquiryCustomerId", &by_code);
    assert_eq!(denied, "ACCESS_DENIED inquiryType: only BY_LOGIN_ID is offered");
    let mut other = good;
    other["inquiryType"] = json!("BY_NAME");
    let illegal = said(&alipay_plus(true), "inquiryCustomerId", &other);
    assert_eq!(illegal, "PARAM_ILLEGAL inquiryType: must be one of BY_PAYMENT_CODE, BY_LOGIN_ID");
}

#[test]
fn a_code_goes_to_a_phone_or_to_an_address() {
    for (value, expected) in [
        (json!(null), "read"),
        (json!("MOBILE"), "read"),
        (json!("EMAIL"), "read"),
        (json!("SMS"), "PARAM_ILLEGAL verifyType: must be one of MOBILE, EMAIL"),
        (json!(""), "PARAM_ILLEGAL verifyType: must not be empty; leave it out or send null"),
    ] {
        let mut body = example("alipay-plus", "sendOTP");
        body["verifyType"] = value;
        assert_eq!(said(&alipay_plus(true), "sendOTP", &body), expected);
    }
}

#[test]
fn a_message_has_one_to_five_templates_with_title_and_content() {
    let good = example("qi", "sendInbox");
    let one = good["templates"][0].clone();
    let with = |change: fn(&mut Value)| {
        let mut template = one.clone();
        change(&mut template);
        json!([template])
    };
    let rows: Vec<(Value, &str)> = vec![
        (json!([one, one, one, one, one]), "read"),
        (json!([one, one, one, one, one, one]), "PARAM_ILLEGAL templates: must have 1 to 5 items"),
        (json!([]), "PARAM_ILLEGAL templates: must have 1 to 5 items"),
        (json!({}), "PARAM_ILLEGAL templates: must be an array"),
        (json!([1]), "PARAM_ILLEGAL templates[0]: must be an object, not a number"),
        (with(|t| t["language"] = json!("")), "read"),
        (with(|t| t["language"] = json!("fr-FR")), "read"),
        (with(|t| t["templateParameters"]["Url"] = json!("")), "read"),
        (with(|t| t["templateParameters"]["Url"] = json!("https://merchant.example/x")), "read"),
        (
            with(|t| t["templateParameters"]["Url"] = json!("javascript:x")),
            "PARAM_ILLEGAL templates[0].templateParameters.Url: scheme not allowed",
        ),
        (
            with(|t| t["templateParameters"]["Title"] = json!("")),
            "PARAM_ILLEGAL templates[0].templateParameters.Title: must not be empty",
        ),
        (
            with(|t| t["templateParameters"]["Content"] = json!(null)),
            "PARAM_ILLEGAL templates[0].templateParameters.Content: required, but null",
        ),
    ];
    for (templates, expected) in rows {
        let mut body = good.clone();
        body["templates"] = templates;
        assert_eq!(said(&qi(), "sendInbox", &body), expected);
    }
    let push = said(&qi(), "sendPush", &good);
    assert_eq!(push, "PARAM_ILLEGAL templateCode: must be MINI_APP_COMMON_PUSH");
}
