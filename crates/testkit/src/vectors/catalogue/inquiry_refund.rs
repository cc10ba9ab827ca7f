//! inquiryRefund: what became of a refund. Qi's alone.

use super::{Case, QI};
use crate::conformance::fixture::RICH;
use crate::conformance::house::Twist;
use crate::conformance::speech::text;
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::payment::pay::Forced;
use accord_wire::dialect::Fault;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    case("succeeded", "A refund that is done, by either id; the wallet's wins.", succeeded),
    case("failed", "A refund that was refused: FAIL, and why.", failed),
    case("running", "A refund that still runs.", running),
    case("unknown", "No such refund: never made, refused before it existed, or another owner's.", unknown),
    case("fields", "What a field must be.", fields),
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "inquiryRefund", name, about, speeches: QI, tell }
}

fn paid(play: &mut Play) -> Value {
    let tokens = play.tokens(RICH);
    play.pay(&tokens.access, "order-1", "1000000", S)
}

fn status(play: &mut Play, id: &str) -> String {
    let told = play.call("inquiryRefund", &play.speech.inquire_refund(id), S);
    text(&told, "refundStatus")
}

fn succeeded(play: &mut Play) {
    let paid = paid(play);
    let done = play.refund("order-1", &paid, "refund-1", "400000", S);
    assert_eq!(status(play, "refund-1"), "SUCCESS");
    let refund_id = text(&done, "refundId");
    for body in [
        json!({ "refundId": refund_id }),
        json!({ "refundId": refund_id, "refundRequestId": "another" }),
        json!({ "refundId": "", "refundRequestId": "refund-1" }),
    ] {
        play.call("inquiryRefund", &body, S);
    }
}

fn failed(play: &mut Play) {
    let paid = paid(play);
    play.refund("order-1", &paid, "refund-1", "1000001", Refusal::RefundOverPayment);
    assert_eq!(status(play, "refund-1"), "FAIL");
}

fn running(play: &mut Play) {
    let paid = paid(play);
    let body = play.speech.refund("order-1", &text(&paid, "paymentId"), "refund-1", "IQD", "1000");
    let request = play.request("refund", &body);
    let twist = Twist { forced: Some(Forced::Running(None)), store: None };
    play.send_with(request, twist, Refusal::RefundRunning);
    assert_eq!(status(play, "refund-1"), "PROCESSING");
}

fn unknown(play: &mut Play) {
    let paid = paid(play);
    let nothing = json!({ "paymentId": "unknown" });
    play.refund("order-1", &nothing, "refund-1", "1000", Refusal::PaymentNotFound);
    play.call("inquiryRefund", &play.speech.inquire_refund("refund-1"), Refusal::RefundNotFound);
    let done = play.refund("order-1", &paid, "refund-1", "1000", S);
    play.call("inquiryRefund", &json!({ "refundId": "unknown" }), Refusal::RefundNotFound);
    play.by_client(1);
    play.call("inquiryRefund", &play.speech.inquire_refund("refund-1"), Refusal::RefundNotFound);
    let refund_id = text(&done, "refundId");
    play.call("inquiryRefund", &json!({ "refundId": refund_id }), Refusal::RefundNotFound);
}

fn fields(play: &mut Play) {
    for body in [
        json!({}),
        json!({ "refundRequestId": 1 }),
        json!({ "refundRequestId": "x".repeat(65) }),
        json!({ "refundId": "x".repeat(65), "refundRequestId": "refund-1" }),
    ] {
        play.call("inquiryRefund", &body, Fault::Field);
    }
}
