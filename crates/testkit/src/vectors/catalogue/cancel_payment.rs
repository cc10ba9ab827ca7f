//! cancelPayment: an order is closed, before, while and after it is paid.

use super::{Case, PLUS};
use crate::conformance::fixture::{POOR, RICH, set_header};
use crate::conformance::house::Twist;
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::policy::MINUTE;
use accord_wire::dialect::Fault;
use accord_wire::signature::Encoding;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    case(
        "after-pay",
        "The money goes back, the stored success no longer holds, and again it succeeds.",
        after,
    ),
    case("before-pay", "A cancel that overtakes its pay succeeds; the pay comes too late.", before),
    case("while-running", "A running payment ends closed, and is not resolved any more.", running),
    case("failed-payment", "A payment that failed stays what it was.", failed),
    case("after-refunds", "What refunds left goes back; then there is nothing to refund.", after_refunds),
    case("too-late", "Until 00:30 (UTC+8) of the day after the payment, and not a second later.", too_late),
    case("other-owner", "Another owner's order of that name is another order.", other_owner),
    case("stale", "A late call closes nothing; about a closed order it gets its answer.", stale),
    case("fields", "What a field must be.", fields),
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "cancelPayment", name, about, speeches: PLUS, tell }
}

fn cancel(play: &mut Play, order: &str) -> Value {
    play.call("cancelPayment", &play.speech.cancel_payment(order), S)
}

fn after(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let paid = play.pay(&tokens.access, "order-1", "1000000", S);
    let first = cancel(play, "order-1");
    assert_eq!(cancel(play, "order-1"), first);
    play.pay(&tokens.access, "order-1", "1000000", Refusal::OrderClosed);
    let known = play.inquire("order-1", S);
    assert_eq!(known["paymentResult"]["resultCode"], "ORDER_IS_CLOSED");
    play.refund("order-1", &paid, "refund-1", "1000", Refusal::PaymentNotRefundable);
}

fn before(play: &mut Play) {
    let tokens = play.tokens(RICH);
    cancel(play, "order-1");
    cancel(play, "order-1");
    play.pay(&tokens.access, "order-1", "1000000", Refusal::OrderClosed);
    let known = play.inquire("order-1", S);
    assert_eq!(known["paymentResult"]["resultCode"], "ORDER_IS_CLOSED");
    play.pay(&tokens.access, "order-2", "1000000", S);
}

fn running(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let body = play.speech.pay(&tokens.access, "order-1", "IQD", "1000000");
    let request = play.request("pay", &body);
    let resolution = Resolution { due_at: play.in_millis(60_000), succeed: true };
    let twist = Twist { forced: Some(Forced::Running(Some(resolution))), store: None };
    play.send_with(request, twist, Refusal::PaymentRunning);
    cancel(play, "order-1");
    play.wait(60_000);
    play.resolve();
    play.pay(&tokens.access, "order-1", "1000000", Refusal::OrderClosed);
    play.inquire("order-1", S);
}

fn failed(play: &mut Play) {
    let tokens = play.tokens(POOR);
    play.pay(&tokens.access, "order-1", "1000000", Refusal::BalanceNotEnough);
    cancel(play, "order-1");
    play.pay(&tokens.access, "order-1", "1000000", Refusal::BalanceNotEnough);
    play.inquire("order-1", S);
}

fn after_refunds(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let paid = play.pay(&tokens.access, "order-1", "1000000", S);
    play.refund("order-1", &paid, "refund-1", "400000", S);
    cancel(play, "order-1");
    play.refund("order-1", &paid, "refund-2", "1", Refusal::PaymentNotRefundable);
    play.refund("order-1", &paid, "refund-1", "400000", S);
}

fn too_late(play: &mut Play) {
    let tokens = play.tokens(RICH);
    for order in ["order-1", "order-2"] {
        play.pay(&tokens.access, order, "1000000", S);
    }
    // Stories begin at 14:30 there.
    let last = accord_core::Timestamp(crate::conformance::fixture::START + 10 * 60 * MINUTE);
    play.wait(last.0 - play.now);
    cancel(play, "order-1");
    play.call("cancelPayment", &play.speech.cancel_payment("order-2"), Refusal::CancelTooLate);
    cancel(play, "order-1");
}

fn other_owner(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let first = play.pay(&tokens.access, "order-1", "1000000", S);
    play.by_client(1);
    cancel(play, "order-1");
    play.by_client(0);
    assert_eq!(play.pay(&tokens.access, "order-1", "1000000", S), first);
}

fn stale(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.pay(&tokens.access, "order-1", "1000000", S);
    let mut request = play.request("cancelPayment", &play.speech.cancel_payment("order-1"));
    set_header(&mut request, "request-time", "2026-01-15T06:00:00Z");
    let late = play.who().sign(request, Encoding::Percent);
    play.send(late.clone(), Fault::Stale);
    cancel(play, "order-1");
    play.send(late, S);
}

fn fields(play: &mut Play) {
    for value in [json!(null), json!(1), json!(""), json!("x".repeat(65))] {
        let mut body = play.speech.cancel_payment("order-1");
        body["paymentRequestId"] = value;
        play.call("cancelPayment", &body, Fault::Field);
    }
}
