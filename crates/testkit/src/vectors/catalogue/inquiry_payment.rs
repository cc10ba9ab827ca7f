//! inquiryPayment: what became of a payment.

use super::{BOTH, Case, PLUS, QI};
use crate::conformance::fixture::{POOR, RICH};
use crate::conformance::house::Twist;
use crate::conformance::speech::{Speech, text};
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::payment::pay::Forced;
use accord_wire::dialect::Fault;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    case("succeeded", "A payment that was debited.", succeeded),
    case("failed", "A payment that failed: the inquiry succeeds and tells why.", failed),
    case("running", "A payment that is running: nothing is said of its end.", running),
    case("unknown", "No such payment: never made, refused before it existed, or another owner's.", unknown),
    case("fields", "What a field must be.", fields),
    case(
        "after-refunds",
        "What became of the money: the debit, what was refunded, what is on its way.",
        after_refunds,
    ),
    Case {
        operation: "inquiryPayment",
        name: "after-a-cancel",
        about: "A payment that was paid, refunded in part and then cancelled.",
        speeches: PLUS,
        tell: after_a_cancel,
    },
    Case {
        operation: "inquiryPayment",
        name: "by-payment-id",
        about: "By the wallet's own id, which wins over the caller's.",
        speeches: QI,
        tell: by_payment_id,
    },
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "inquiryPayment", name, about, speeches: BOTH, tell }
}

fn succeeded(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.pay(&tokens.access, "order-1", "25000000", S);
    play.inquire("order-1", S);
}

fn failed(play: &mut Play) {
    let tokens = play.tokens(POOR);
    play.pay(&tokens.access, "order-1", "25000000", Refusal::BalanceNotEnough);
    play.inquire("order-1", S);
}

fn running(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let body = play.speech.pay(&tokens.access, "order-1", "IQD", "25000000");
    let request = play.request("pay", &body);
    let twist = Twist { forced: Some(Forced::Running(None)), store: None };
    play.send_with(request, twist, Refusal::PaymentRunning);
    play.inquire("order-1", S);
}

fn unknown(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.inquire("order-1", Refusal::PaymentNotFound);
    play.pay("unknown", "order-1", "1000", Refusal::AccessTokenUnknown);
    play.inquire("order-1", Refusal::PaymentNotFound);
    play.pay(&tokens.access, "order-1", "1000", S);
    play.by_client(1);
    play.inquire("order-1", Refusal::PaymentNotFound);
    if play.speech == Speech::AlipayPlus {
        play.by_client(0);
        let mut body = play.speech.inquire("order-1");
        body["acquirerId"] = "102218800000005678".into();
        play.call("inquiryPayment", &body, Refusal::PaymentNotFound);
    }
}

fn after_refunds(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let paid = play.pay(&tokens.access, "order-1", "1000000", S);
    play.refund("order-1", &paid, "refund-1", "300000", S);
    play.refund("order-1", &paid, "refund-2", "700001", Refusal::RefundOverPayment);
    let running = play.speech.refund("order-1", &text(&paid, "paymentId"), "refund-3", "IQD", "200000");
    let twist = Twist { forced: Some(Forced::Running(None)), store: None };
    let request = play.request("refund", &running);
    play.send_with(request, twist, Refusal::RefundRunning);
    assert_eq!(
        kinds(&play.inquire("order-1", S)),
        ["PAYMENT SUCCESS", "REFUND SUCCESS", "REFUND PROCESSING"]
    );
}

fn after_a_cancel(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let paid = play.pay(&tokens.access, "order-1", "1000000", S);
    play.refund("order-1", &paid, "refund-1", "300000", S);
    play.call("cancelPayment", &play.speech.cancel_payment("order-1"), S);
    let known = play.inquire("order-1", S);
    assert_eq!(kinds(&known), ["PAYMENT CANCELLED", "REFUND SUCCESS", "CANCEL SUCCESS"]);
    assert_eq!(known["transactions"][2]["transactionAmount"]["value"], "700000");
}

/// What each transaction is and how it stands.
fn kinds(known: &Value) -> Vec<String> {
    let transactions = known["transactions"].as_array().expect("transactions");
    let kind = |one: &Value| format!("{} {}", text(one, "transactionType"), text(one, "transactionStatus"));
    transactions.iter().map(kind).collect()
}

fn fields(play: &mut Play) {
    for value in [json!(null), json!(1), json!("x".repeat(65))] {
        let mut body = play.speech.inquire("order-1");
        body["paymentRequestId"] = value;
        play.call("inquiryPayment", &body, Fault::Field);
    }
}

fn by_payment_id(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let paid = play.pay(&tokens.access, "order-1", "25000000", S);
    let payment_id = text(&paid, "paymentId");
    for body in [
        json!({ "paymentId": payment_id }),
        json!({ "paymentId": payment_id, "paymentRequestId": "another" }),
        json!({ "paymentId": "", "paymentRequestId": "order-1" }),
    ] {
        play.call("inquiryPayment", &body, S);
    }
    for body in
        [json!({ "paymentId": "unknown" }), json!({ "paymentId": "unknown", "paymentRequestId": "order-1" })]
    {
        play.call("inquiryPayment", &body, Refusal::PaymentNotFound);
    }
    play.by_client(1);
    play.call("inquiryPayment", &json!({ "paymentId": payment_id }), Refusal::PaymentNotFound);
}
