//! refund: money of a payment goes back, whole or in parts, never more than was paid.

use super::{BOTH, Case, PLUS};
use crate::conformance::fixture::{POOR, RICH, set_header};
use crate::conformance::house::Twist;
use crate::conformance::speech::{Speech, text};
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::policy::DAY;
use accord_core::user::UserStatus;
use accord_wire::dialect::Fault;
use accord_wire::signature::Encoding;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    case("full", "The whole payment goes back; repeated, it gets the same answer and moves nothing.", full),
    case("in-parts", "Three parts, then one too much; the over-refund is a fact and is repeated.", parts),
    case("same-id-other-content", "The same id with another amount or for another payment.", other_content),
    case("currency", "Only in the payment's currency.", currency),
    case("not-paid", "A payment that failed, or still runs, has nothing to give back.", not_paid),
    case("unknown", "A payment that is not there, or is another owner's.", unknown),
    case("running-then-done", "U while it runs; the payer has the money when it is resolved.", running_done),
    case("running-then-failed", "U while it runs; the failure in the end is repeated.", running_failed),
    case("user", "A frozen user still gets money; one who is gone does not.", user),
    case(
        "stale-repeat",
        "A late call about a refund that stands gets its answer; a new one does not.",
        stale,
    ),
    case("fields", "What a field must be.", fields),
    Case {
        operation: "refund",
        name: "too-late",
        about: "367 days after the payment it can be refunded, and not a second later.",
        speeches: PLUS,
        tell: too_late,
    },
    Case {
        operation: "refund",
        name: "compared-fields",
        about: "refundFromAmount, refundPromoInfo and surchargeInfo are compared; the reason is not.",
        speeches: PLUS,
        tell: compared,
    },
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "refund", name, about, speeches: BOTH, tell }
}

/// A payment of one million of the rich user.
fn paid(play: &mut Play) -> Value {
    let tokens = play.tokens(RICH);
    play.pay(&tokens.access, "order-1", "1000000", S)
}

fn full(play: &mut Play) {
    let paid = paid(play);
    let first = play.refund("order-1", &paid, "refund-1", "1000000", S);
    assert_eq!(play.refund("order-1", &paid, "refund-1", "1000000", S), first);
    play.refund("order-1", &paid, "refund-2", "1", Refusal::RefundOverPayment);
}

fn parts(play: &mut Play) {
    let paid = paid(play);
    for (id, value) in [("refund-1", "300000"), ("refund-2", "300000"), ("refund-3", "300000")] {
        play.refund("order-1", &paid, id, value, S);
    }
    play.refund("order-1", &paid, "refund-4", "100001", Refusal::RefundOverPayment);
    play.refund("order-1", &paid, "refund-4", "100001", Refusal::RefundOverPayment);
    play.inquire("order-1", S);
    play.refund("order-1", &paid, "refund-5", "100000", S);
}

fn other_content(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let one = play.pay(&tokens.access, "order-1", "1000000", S);
    let other = play.pay(&tokens.access, "order-2", "1000000", S);
    play.refund("order-1", &one, "refund-1", "1000", S);
    play.refund("order-1", &one, "refund-1", "1001", Refusal::RefundReused);
    play.refund("order-2", &other, "refund-1", "1000", Refusal::RefundReused);
}

fn currency(play: &mut Play) {
    let paid = paid(play);
    let body = play.speech.refund("order-1", &text(&paid, "paymentId"), "refund-1", "USD", "1");
    play.call("refund", &body, Refusal::RefundCurrency);
}

fn not_paid(play: &mut Play) {
    let tokens = play.tokens(POOR);
    let body = play.speech.pay(&tokens.access, "order-2", "IQD", "1000");
    let request = play.request("pay", &body);
    play.send_with(request, forced(None), Refusal::PaymentRunning);
    play.pay(&tokens.access, "order-1", "1000", Refusal::BalanceNotEnough);
    if play.speech == Speech::Qi {
        // By the caller's own id: the wallet's is told of paid orders.
        for order in ["order-1", "order-2"] {
            let mut body = play.speech.refund(order, "", &format!("refund of {order}"), "IQD", "1000");
            body["paymentId"] = Value::Null;
            play.call("refund", &body, Refusal::PaymentNotRefundable);
        }
        return;
    }
    for order in ["order-1", "order-2"] {
        let known = play.inquire(order, S);
        play.refund(order, &known, &format!("refund of {order}"), "1000", Refusal::PaymentNotRefundable);
    }
}

fn unknown(play: &mut Play) {
    let paid = paid(play);
    let nothing = json!({ "paymentId": "unknown" });
    play.refund("order-9", &nothing, "refund-1", "1000", Refusal::PaymentNotFound);
    if play.speech == Speech::AlipayPlus {
        // Both ids are required, and must be of one payment.
        play.refund("order-9", &paid, "refund-1", "1000", Refusal::PaymentNotFound);
    }
    play.by_client(1);
    play.refund("order-1", &paid, "refund-1", "1000", Refusal::PaymentNotFound);
    play.by_client(0);
    play.refund("order-1", &paid, "refund-1", "1000", S);
}

fn forced(resolution: Option<Resolution>) -> Twist {
    Twist { forced: Some(Forced::Running(resolution)), store: None }
}

/// A refund that runs for a minute; then it is resolved.
fn run(play: &mut Play, succeed: bool) -> Value {
    let paid = paid(play);
    let body = play.speech.refund("order-1", &text(&paid, "paymentId"), "refund-1", "IQD", "600000");
    let request = play.request("refund", &body);
    let resolution = Resolution { due_at: play.in_millis(60_000), succeed };
    play.send_with(request, forced(Some(resolution)), Refusal::RefundRunning);
    play.refund("order-1", &paid, "refund-1", "600000", Refusal::RefundRunning);
    // What is on its way is not there twice.
    play.refund("order-1", &paid, "refund-2", "600000", Refusal::RefundOverPayment);
    play.inquire("order-1", S);
    play.wait(60_000);
    play.resolve();
    paid
}

fn running_done(play: &mut Play) {
    let paid = run(play, true);
    play.refund("order-1", &paid, "refund-1", "600000", S);
    play.inquire("order-1", S);
}

fn running_failed(play: &mut Play) {
    let paid = run(play, false);
    play.refund("order-1", &paid, "refund-1", "600000", Refusal::RiskRejected);
    play.refund("order-1", &paid, "refund-3", "1000000", S);
}

fn user(play: &mut Play) {
    let paid = paid(play);
    play.user(RICH, UserStatus::Frozen, true);
    play.refund("order-1", &paid, "refund-1", "1000", S);
    play.user(RICH, UserStatus::Closed, true);
    play.refund("order-1", &paid, "refund-2", "1000", Refusal::UserNotFound);
}

fn stale(play: &mut Play) {
    let paid = paid(play);
    play.refund("order-1", &paid, "refund-1", "1000", S);
    for (id, known) in [("refund-1", true), ("refund-2", false)] {
        let body = play.speech.refund("order-1", &text(&paid, "paymentId"), id, "IQD", "1000");
        let mut request = play.request("refund", &body);
        set_header(&mut request, "request-time", "2026-01-15T06:00:00Z");
        let late = play.who().sign(request, Encoding::Percent);
        if known {
            play.send(late, S)
        } else {
            play.send(late, Fault::Stale)
        };
    }
}

fn fields(play: &mut Play) {
    let spoil = |play: &mut Play, name: &str, value: Value| {
        let mut body = play.speech.refund("order-1", "payment", "refund-1", "IQD", "1000");
        body[name] = value;
        play.call("refund", &body, Fault::Field);
    };
    for value in [json!(null), json!(1), json!("x".repeat(65))] {
        spoil(play, "refundRequestId", value);
    }
    for value in [
        json!(null),
        json!("1000"),
        json!({ "currency": "IQD" }),
        json!({ "currency": "XXX", "value": "1000" }),
        json!({ "currency": "IQD", "value": "0" }),
        json!({ "currency": "IQD", "value": "-1" }),
        json!({ "currency": "IQD", "value": "1.5" }),
    ] {
        spoil(play, "refundAmount", value);
    }
    spoil(play, "refundReason", json!("x".repeat(257)));
    let mut nameless = play.speech.refund("order-1", "payment", "refund-1", "IQD", "1000");
    nameless["paymentId"] = Value::Null;
    nameless["paymentRequestId"] = Value::Null;
    play.call("refund", &nameless, Fault::Field);
}

fn too_late(play: &mut Play) {
    let paid = paid(play);
    // Each step takes a second.
    play.wait(367 * DAY - 1_000);
    play.refund("order-1", &paid, "refund-1", "1000", S);
    play.refund("order-1", &paid, "refund-2", "1000", Refusal::RefundTooLate);
    play.refund("order-1", &paid, "refund-1", "1000", S);
}

fn compared(play: &mut Play) {
    let paid = paid(play);
    let body = |play: &Play| {
        let mut body = play.speech.refund("order-1", &text(&paid, "paymentId"), "refund-1", "IQD", "1000");
        body["refundFromAmount"] = json!({ "currency": "USD", "value": "1" });
        body["refundPromoInfo"] = json!({ "a": "1", "b": "2" });
        body["surchargeInfo"] = json!({ "c": "3" });
        body
    };
    let first = body(play);
    play.call("refund", &first, S);
    let mut same = body(play);
    same["refundPromoInfo"] = json!({ "b": "2", "a": "1" });
    same["refundReason"] = json!("Another reason.");
    play.call("refund", &same, S);
    for name in ["refundFromAmount", "refundPromoInfo", "surchargeInfo"] {
        let mut other = body(play);
        other[name] = Value::Null;
        play.call("refund", &other, Refusal::RefundReused);
    }
}
