//! Fields of the calls that give money back, in both dialects: examples are read, and every rule has a row.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use accord_core::Timestamp;
use accord_core::client::{Client, ClientStatus};
use accord_core::ids::{ClientId, DialectName};
use accord_wire::dialect::{Dialect, Reason};
use accord_wire::{alipay_plus, json, qi};
use serde_json::{Value, json};
use std::sync::Arc;

const QI: &str = qi::NAME;
const PLUS: &str = alipay_plus::NAME;
const ALL: [(&str, &str); 4] =
    [(QI, "refund"), (QI, "inquiryRefund"), (PLUS, "refund"), (PLUS, "cancelPayment")];

fn dialect(name: &str) -> Arc<dyn Dialect> {
    match name {
        QI => qi::Qi::new(qi::Config::new("https://wallet.example")),
        _ => alipay_plus::AlipayPlus::new(alipay_plus::Config::new("https://wallet.example", [1; 32])),
    }
}

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

/// What reading that body says: `read`, or code and message.
fn said(name: &str, operation: &str, body: &Value) -> String {
    let dialect = dialect(name);
    let operation = dialect.operations().iter().find(|known| known.name == operation).unwrap();
    let body = json::parse(body.to_string().as_bytes()).unwrap();
    match dialect.clone().read(operation, &client(name), &body) {
        Ok(_) => "read".to_owned(),
        Err(refused) => {
            format!("{} {}", dialect.code(Reason::Fault(refused.fault)).code, refused.message)
        }
    }
}

/// The example with that member changed, or left out.
fn with(name: &str, operation: &str, member: &str, value: Option<Value>) -> Value {
    let path = format!("{}/../../examples/{name}/{operation}.json", env!("CARGO_MANIFEST_DIR"));
    let mut body: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    match value {
        Some(value) => body[member] = value,
        None => {
            body.as_object_mut().unwrap().remove(member);
        }
    }
    body
}

fn check(name: &str, operation: &str, member: &str, value: Option<Value>, begins: &str) {
    let body = with(name, operation, member, value);
    let said = said(name, operation, &body);
    assert!(said.starts_with(begins), "{name} {operation}: {body}: {said}, not {begins}");
}

#[test]
fn the_examples_are_read_and_may_hold_more_than_the_paper() {
    for (name, operation) in ALL {
        check(name, operation, "more", Some(json!({ "a": [1, ""] })), "read");
        assert!(said(name, operation, &json!([])).starts_with("PARAM_ILLEGAL"), "{name} {operation}");
    }
}

#[test]
fn ids_are_strings_of_at_most_64_characters() {
    let required = [
        (QI, "refund", "refundRequestId"),
        (PLUS, "refund", "acquirerId"),
        (PLUS, "refund", "pspId"),
        (PLUS, "refund", "paymentRequestId"),
        (PLUS, "refund", "paymentId"),
        (PLUS, "refund", "refundRequestId"),
        (PLUS, "cancelPayment", "acquirerId"),
        (PLUS, "cancelPayment", "pspId"),
        (PLUS, "cancelPayment", "paymentRequestId"),
    ];
    for (name, operation, member) in required {
        let fault = format!("PARAM_ILLEGAL {member}");
        for value in [None, Some(Value::Null), Some(json!("")), Some(json!(7)), Some(json!("x".repeat(65)))] {
            check(name, operation, member, value, &fault);
        }
        check(name, operation, member, Some(json!("a\nb")), &fault);
    }
    for (operation, member) in [("refund", "paymentRequestId"), ("inquiryRefund", "refundRequestId")] {
        check(QI, operation, member, Some(json!("x".repeat(64))), "read");
        check(QI, operation, member, Some(json!("x".repeat(65))), &format!("PARAM_ILLEGAL {member}"));
    }
}

#[test]
fn one_of_two_names_must_be_there() {
    check(QI, "refund", "paymentRequestId", None, "PARAM_ILLEGAL paymentId: required when there is no");
    check(QI, "inquiryRefund", "refundRequestId", None, "PARAM_ILLEGAL refundId: required when there is no");
    assert_eq!(said(QI, "inquiryRefund", &json!({ "refundId": "x" })), "read");
}

#[test]
fn amounts_are_digits_above_zero_in_a_currency_in_use() {
    for name in [QI, PLUS] {
        let amount = |currency: &str, value: Value| Some(json!({ "currency": currency, "value": value }));
        check(name, "refund", "refundAmount", amount("JPY", json!("9999999999999999")), "read");
        for value in [json!("0"), json!("01"), json!("-1"), json!("1.5"), json!("10000000000000000")] {
            check(name, "refund", "refundAmount", amount("IQD", value), "PARAM_ILLEGAL refundAmount");
        }
        check(
            name,
            "refund",
            "refundAmount",
            amount("XXX", json!("1")),
            "PARAM_ILLEGAL refundAmount.currency",
        );
        check(name, "refund", "refundAmount", None, "PARAM_ILLEGAL refundAmount");
    }
    let one = |value: Value| Some(json!({ "currency": "IQD", "value": value }));
    check(QI, "refund", "refundAmount", one(json!(1)), "read");
    check(PLUS, "refund", "refundAmount", one(json!(1)), "PARAM_ILLEGAL refundAmount");
}

#[test]
fn a_reason_has_at_most_256_characters() {
    for name in [QI, PLUS] {
        check(name, "refund", "refundReason", Some(json!("é".repeat(256))), "read");
        check(name, "refund", "refundReason", Some(json!("é".repeat(257))), "PARAM_ILLEGAL refundReason");
        check(name, "refund", "refundReason", None, "read");
    }
    check(QI, "refund", "extendInfo", Some(json!("x".repeat(4097))), "PARAM_ILLEGAL extendInfo");
}

#[test]
fn the_parties_are_judged_after_the_fields() {
    for operation in ["refund", "cancelPayment"] {
        check(PLUS, operation, "pspId", Some(json!("another")), "ACCESS_DENIED pspId");
        let mut body = with(PLUS, operation, "pspId", Some(json!("another")));
        body["paymentRequestId"] = json!(1);
        assert!(said(PLUS, operation, &body).starts_with("PARAM_ILLEGAL paymentRequestId"), "{operation}");
    }
    for member in ["refundPromoInfo", "surchargeInfo", "refundFromAmount"] {
        check(PLUS, "refund", member, Some(json!("text")), &format!("PARAM_ILLEGAL {member}"));
    }
}
