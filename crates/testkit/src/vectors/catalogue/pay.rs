//! pay: debits that succeed, repeat, run on, or are only judged.

use super::{BOTH, Case, PLUS};
use crate::conformance::fixture::{POOR, RICH, set_header};
use crate::conformance::house::{Trouble, Twist};
use crate::conformance::speech::Speech;
use crate::vectors::play::{Play, S};
use crate::vectors::story::Control;
use accord_core::Refusal;
use accord_core::client::ClientStatus;
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_wire::dialect::Fault;
use accord_wire::signature::Encoding;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    case("success", "A debit; repeated, it gets the same answer and moves nothing.", success),
    case(
        "after-a-refresh",
        "A repeat may come with the newer token: the agreement behind it is compared.",
        after_refresh,
    ),
    case("same-id-other-content", "The same id with another amount or agreement is refused.", other_content),
    case("same-id-other-owner", "Ids belong to their owner: another client's are others.", other_owner),
    case(
        "running-then-paid",
        "U while it runs; the money moves when it is resolved, and repeats tell so.",
        running_paid,
    ),
    case("running-then-failed", "U while it runs; a failure in the end is repeated as such.", running_failed),
    case(
        "running-past-its-expiry",
        "A payment that still runs at its paymentExpiryTime fails then, whatever it was to become.",
        running_expired,
    ),
    case(
        "running-then-agreement-ended",
        "A payment that still runs when its agreement ends is not debited: no money had moved.",
        running_ended,
    ),
    case("answer-lost", "The store cannot say: U, never F. The repeat tells what happened.", answer_lost),
    case("store-unavailable", "Nothing could be done: U, and the repeat is the first call.", unavailable),
    case(
        "stale-repeat",
        "A late call about a debit that stands gets its answer; a late new one is refused.",
        stale,
    ),
    case("currencies", "Dollars and dinars, each in its smallest unit, up to all there is.", currencies),
    case(
        "without-a-url",
        "A request that names no URL: the notice goes by the registration, or not at all.",
        no_url,
    ),
    Case {
        operation: "pay",
        name: "evaluation",
        about: "An evaluation judges like a debit, moves nothing and tells nobody.",
        speeches: PLUS,
        tell: evaluation,
    },
    Case {
        operation: "pay",
        name: "compared-fields",
        about: "payToAmount, surchargeInfo and paymentPromoInfo are compared; orders and URLs are not.",
        speeches: PLUS,
        tell: compared,
    },
    Case {
        operation: "pay",
        name: "product-not-allowed",
        about: "A client that lost agreement payments debits no more, but a repeat gets its answer.",
        speeches: PLUS,
        tell: product_not_allowed,
    },
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "pay", name, about, speeches: BOTH, tell }
}

fn success(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let first = play.pay(&tokens.access, "order-1", "25000000", S);
    assert_eq!(play.pay(&tokens.access, "order-1", "25000000", S), first);
    play.inquire("order-1", S);
}

fn after_refresh(play: &mut Play) {
    let old = play.tokens(RICH);
    let first = play.pay(&old.access, "order-1", "25000000", S);
    let new = play.refresh(&old.refresh);
    assert_eq!(play.pay(&new.access, "order-1", "25000000", S), first);
}

fn other_content(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.pay(&tokens.access, "order-1", "25000000", S);
    play.pay(&tokens.access, "order-1", "25000001", Refusal::PaymentReused);
    play.call("pay", &play.speech.pay(&tokens.access, "order-1", "USD", "25000000"), Refusal::PaymentReused);
    let prepared = play.call("prepare", &play.speech.prepare("agreement-2"), S);
    let code = play.approve(&prepared, POOR);
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    let other = crate::conformance::speech::text(&granted, "accessToken");
    play.pay(&other, "order-1", "25000000", Refusal::PaymentReused);
    play.pay("unknown", "order-1", "25000000", Refusal::PaymentReused);
}

fn other_owner(play: &mut Play) {
    let first = play.tokens(RICH);
    play.pay(&first.access, "order-1", "1000", S);
    play.by_client(1);
    let second = play.tokens(RICH);
    play.pay(&second.access, "order-1", "2000", S);
}

fn running(play: &mut Play, access: &str, succeed: bool) {
    let body = play.speech.pay(access, "order-1", "IQD", "25000000");
    let resolution = Resolution { due_at: play.in_millis(5_000), succeed };
    let twist = Twist { forced: Some(Forced::Running(Some(resolution))), store: None };
    let request = play.request("pay", &body);
    play.send_with(request, twist, Refusal::PaymentRunning);
    play.pay(access, "order-1", "25000000", Refusal::PaymentRunning);
    play.inquire("order-1", S);
    play.wait(5_000);
    play.resolve();
}

fn running_paid(play: &mut Play) {
    let tokens = play.tokens(RICH);
    running(play, &tokens.access, true);
    play.pay(&tokens.access, "order-1", "25000000", S);
    play.inquire("order-1", S);
}

fn running_failed(play: &mut Play) {
    let tokens = play.tokens(RICH);
    running(play, &tokens.access, false);
    play.pay(&tokens.access, "order-1", "25000000", Refusal::RiskRejected);
    play.inquire("order-1", S);
}

fn running_ended(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let body = play.speech.pay(&tokens.access, "order-1", "IQD", "25000000");
    let resolution = Resolution { due_at: play.in_millis(5_000), succeed: true };
    let twist = Twist { forced: Some(Forced::Running(Some(resolution))), store: None };
    let request = play.request("pay", &body);
    play.send_with(request, twist, Refusal::PaymentRunning);
    play.end_agreement(RICH);
    play.inquire("order-1", S);
    play.wait(5_000);
    play.resolve();
    play.pay(&tokens.access, "order-1", "25000000", Refusal::AccessTokenUnknown);
    play.inquire("order-1", S);
}

fn running_expired(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let late = Resolution { due_at: play.in_millis(60_000), succeed: true };
    let due = Resolution { due_at: play.in_millis(20_000), succeed: true };
    let ends = [
        ("order-1", Some(late), Refusal::OrderExpired.into()),
        ("order-2", None, Refusal::OrderExpired.into()),
        ("order-3", Some(due), S),
    ];
    let expiry = play.time_in(40_000);
    for (id, planned, _) in &ends {
        let mut body = play.speech.pay(&tokens.access, id, "IQD", "25000000");
        body["paymentExpiryTime"] = expiry.clone().into();
        let twist = Twist { forced: Some(Forced::Running(*planned)), store: None };
        let request = play.request("pay", &body);
        play.send_with(request, twist, Refusal::PaymentRunning);
    }
    play.wait(20_000);
    play.resolve();
    play.pay(&tokens.access, "order-1", "25000000", Refusal::PaymentRunning);
    play.wait(20_000);
    play.resolve();
    for (id, _, end) in ends {
        play.pay(&tokens.access, id, "25000000", end);
        play.inquire(id, S);
    }
    play.wait(60_000);
    play.resolve();
    play.pay(&tokens.access, "order-1", "25000000", Refusal::OrderExpired);
}

fn troubled(play: &mut Play, trouble: Trouble) {
    let tokens = play.tokens(RICH);
    let body = play.speech.pay(&tokens.access, "order-1", "IQD", "25000000");
    let request = play.request("pay", &body);
    play.send_with(request, Twist { forced: None, store: Some(trouble) }, Fault::Unexpected);
    match trouble {
        Trouble::Unknown => play.inquire("order-1", S),
        Trouble::Unavailable => play.inquire("order-1", Refusal::PaymentNotFound),
    };
    play.call("pay", &body, S);
}

fn answer_lost(play: &mut Play) {
    troubled(play, Trouble::Unknown);
}

fn unavailable(play: &mut Play) {
    troubled(play, Trouble::Unavailable);
}

fn stale(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let first = play.pay(&tokens.access, "order-1", "25000000", S);
    for (id, known) in [("order-1", true), ("order-2", false)] {
        let body = play.speech.pay(&tokens.access, id, "IQD", "25000000");
        let mut request = play.request("pay", &body);
        set_header(&mut request, "request-time", "2026-01-15T06:00:00Z");
        let late = play.who().sign(request, Encoding::Percent);
        match known {
            true => assert_eq!(play.send(late, S), first),
            false => drop(play.send(late, Fault::Stale)),
        }
    }
}

fn currencies(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.call("pay", &play.speech.pay(&tokens.access, "order-1", "USD", "599"), S);
    play.pay(&tokens.access, "order-2", "1", S);
    play.pay(&tokens.access, "order-3", "99999999999", S);
    play.pay(&tokens.access, "order-4", "1", Refusal::BalanceNotEnough);
}

fn no_url(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let mut body = play.speech.pay(&tokens.access, "order-1", "IQD", "1000");
    if let Value::Object(members) = &mut body {
        members.remove("paymentNotifyUrl");
    }
    play.call("pay", &body, S);
}

fn evaluation(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let mut body = play.speech.pay(&tokens.access, "evaluation-1", "IQD", "25000000");
    body["paymentFactor"]["isPaymentEvaluation"] = "true".into();
    let first = play.call("pay", &body, S);
    assert_eq!(play.call("pay", &body, S), first);
    play.inquire("evaluation-1", S);
    play.pay(&tokens.access, "evaluation-1", "25000000", Refusal::PaymentReused);
    let mut body = play.speech.pay(&tokens.access, "evaluation-2", "IQD", "100000000001");
    body["paymentFactor"]["isPaymentEvaluation"] = "true".into();
    play.call("pay", &body, Refusal::BalanceNotEnough);
    // Its table has no code for limits and expiry.
    play.control(RICH, Control::Limit { per_debit: Some(1_000), per_month: Some(1_000), max_count: Some(1) });
    let mut body = play.speech.pay(&tokens.access, "evaluation-3", "IQD", "25000000");
    body["paymentFactor"]["isPaymentEvaluation"] = "true".into();
    body["paymentExpiryTime"] = "2026-01-15T09:30:00+03:00".into();
    play.call("pay", &body, S);
    play.pay(&tokens.access, "order-1", "25000000", Refusal::AmountOverDebitLimit);
}

fn compared(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let good = play.speech.pay(&tokens.access, "order-1", "IQD", "25000000");
    let first = play.call("pay", &good, S);
    for (member, value) in [
        ("order", json!({ "referenceOrderId": "another", "goods": [{ "price": 1.5 }] })),
        ("paymentNotifyUrl", json!("https://www.alipayplus.com/elsewhere")),
        ("passThroughInfo", json!("another")),
    ] {
        let mut body = good.clone();
        body[member] = value;
        assert_eq!(play.call("pay", &body, S), first, "{member}");
    }
    for (member, value) in [
        ("payToAmount", json!({ "currency": "USD", "value": "25000000" })),
        ("surchargeInfo", json!({ "surchargeAmount": { "currency": "IQD", "value": "5" } })),
        ("paymentPromoInfo", json!({ "promoId": "1" })),
    ] {
        let mut body = good.clone();
        body[member] = value;
        play.call("pay", &body, Refusal::PaymentReused);
    }
}

fn product_not_allowed(play: &mut Play) {
    assert_eq!(play.speech, Speech::AlipayPlus);
    let tokens = play.tokens(RICH);
    play.pay(&tokens.access, "order-1", "1000", S);
    play.client(ClientStatus::Active, false, &[]);
    play.pay(&tokens.access, "order-2", "1000", Refusal::ProductNotAllowed);
    play.pay(&tokens.access, "order-1", "1000", S);
}
