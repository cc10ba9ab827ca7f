//! pay: why a debit is refused, and which refusals are kept.

use super::{BOTH, Case, PLUS, QI};
use crate::conformance::fixture::{POOR, RICH};
use crate::conformance::house::Twist;
use crate::conformance::speech::{Speech, text};
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::payment::pay::Forced;
use accord_core::policy::{DAY, MINUTE};
use accord_core::user::UserStatus;
use accord_wire::dialect::Fault;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    case(
        "balance-not-enough",
        "Not enough money is a fact: repeated even when there is enough; a new id debits.",
        balance,
    ),
    case("user-frozen", "A frozen user is not debited, and the failure is kept.", frozen),
    case("user-closed", "A user who is gone.", closed),
    case("user-not-qualified", "A user who is not identified well enough.", not_qualified),
    case("no-account", "The user has no account in that currency.", no_account),
    case(
        "token-unknown",
        "A token that is foreign, never ours, or of an agreement that is over.",
        token_unknown,
    ),
    case("token-expired", "An access token that has expired; the refreshed one debits.", token_expired),
    case(
        "token-replaced",
        "After its grace a replaced access token is dead at Alipay+ and lives at Qi.",
        token_replaced,
    ),
    case(
        "order-expired",
        "No debit after paymentExpiryTime. At Qi the id is not used up; at Alipay+ the order is closed.",
        order_expired,
    ),
    case(
        "fault-script",
        "Ends that only the sandbox's fault script brings about so far; kept like any other.",
        scripted,
    ),
    case(
        "fault-script-before-a-payment",
        "A scripted refusal that comes before there is a payment leaves the id free, like a real one.",
        scripted_early,
    ),
    Case { operation: "pay", name: "fields", about: "What a field must be.", speeches: QI, tell: qi_fields },
    Case {
        operation: "pay",
        name: "fields",
        about: "What a field must be.",
        speeches: PLUS,
        tell: plus_fields,
    },
    Case {
        operation: "pay",
        name: "other-products",
        about: "Only agreement payment is offered.",
        speeches: QI,
        tell: other_products,
    },
    Case {
        operation: "pay",
        name: "scope-missing",
        about: "A token without AGREEMENT_PAY debits nothing.",
        speeches: PLUS,
        tell: scope_missing,
    },
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "pay", name, about, speeches: BOTH, tell }
}

fn balance(play: &mut Play) {
    let tokens = play.tokens(POOR);
    play.pay(&tokens.access, "order-1", "1000", Refusal::BalanceNotEnough);
    play.credit(POOR, 1_500);
    play.pay(&tokens.access, "order-1", "1000", Refusal::BalanceNotEnough);
    play.inquire("order-1", S);
    play.pay(&tokens.access, "order-2", "1000", S);
}

fn with_user(play: &mut Play, status: UserStatus, qualified: bool, refusal: Refusal) {
    let tokens = play.tokens(RICH);
    play.user(RICH, status, qualified);
    play.pay(&tokens.access, "order-1", "1000", refusal);
    play.user(RICH, UserStatus::Active, true);
    play.pay(&tokens.access, "order-1", "1000", refusal);
    play.pay(&tokens.access, "order-2", "1000", S);
}

fn frozen(play: &mut Play) {
    with_user(play, UserStatus::Frozen, true, Refusal::UserFrozen);
}

fn closed(play: &mut Play) {
    with_user(play, UserStatus::Closed, true, Refusal::UserNotFound);
}

fn not_qualified(play: &mut Play) {
    with_user(play, UserStatus::Active, false, Refusal::UserNotQualified);
}

fn no_account(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.call("pay", &play.speech.pay(&tokens.access, "order-1", "EUR", "599"), Refusal::AccountMissing);
    play.inquire("order-1", S);
}

fn token_unknown(play: &mut Play) {
    let tokens = play.tokens(RICH);
    for token in ["unknown", tokens.refresh.as_str()] {
        play.pay(token, "order-1", "1000", Refusal::AccessTokenUnknown);
    }
    play.by_client(1);
    play.pay(&tokens.access, "order-1", "1000", Refusal::AccessTokenUnknown);
    play.by_client(0);
    // None of these used the id up.
    play.pay(&tokens.access, "order-1", "1000", S);
    play.end_agreement(RICH);
    play.pay(&tokens.access, "order-2", "1000", Refusal::AccessTokenUnknown);
}

fn token_expired(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.wait(match play.speech {
        Speech::Qi => 3650 * DAY,
        Speech::AlipayPlus => 180 * DAY,
    });
    play.pay(&tokens.access, "order-1", "1000", Refusal::AccessTokenExpired);
    let new = play.refresh(&tokens.refresh);
    play.pay(&new.access, "order-1", "1000", S);
}

fn token_replaced(play: &mut Play) {
    let old = play.tokens(RICH);
    play.refresh(&old.refresh);
    play.pay(&old.access, "order-1", "1000", S);
    play.wait(5 * MINUTE);
    match play.speech {
        Speech::Qi => play.pay(&old.access, "order-2", "1000", S),
        Speech::AlipayPlus => play.pay(&old.access, "order-2", "1000", Refusal::AccessTokenUnknown),
    };
    // The answer of a debit that stands is repeated to the dead token too.
    play.pay(&old.access, "order-1", "1000", S);
}

fn order_expired(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let mut body = play.speech.pay(&tokens.access, "order-1", "IQD", "1000");
    body["paymentExpiryTime"] = "2026-01-15T09:30:00+03:00".into();
    play.call("pay", &body, Refusal::OrderExpired);
    body["paymentExpiryTime"] = "2126-01-15T09:30:00+03:00".into();
    if play.speech == Speech::AlipayPlus {
        play.call("pay", &body, Refusal::OrderClosed);
        let known = play.inquire("order-1", S);
        assert_eq!(known["paymentResult"]["resultCode"], "ORDER_IS_CLOSED");
        body["paymentRequestId"] = "order-2".into();
    } else {
        play.inquire("order-1", Refusal::PaymentNotFound);
    }
    play.call("pay", &body, S);
    play.wait(DAY);
    body["paymentExpiryTime"] = "2026-01-15T09:30:00+03:00".into();
    play.call("pay", &body, S);
}

fn scripted(play: &mut Play) {
    let tokens = play.tokens(RICH);
    for refusal in [
        Refusal::RiskRejected,
        Refusal::VerificationFailed,
        Refusal::MerchantNotRegistered,
        Refusal::OrderClosed,
    ] {
        let body = play.speech.pay(&tokens.access, refusal.as_str(), "IQD", "1000");
        let twist = Twist { forced: Some(Forced::Fail(refusal)), store: None };
        let request = play.request("pay", &body);
        play.send_with(request, twist, refusal);
        play.call("pay", &body, refusal);
    }
}

fn scripted_early(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let body = play.speech.pay(&tokens.access, "order-1", "IQD", "1000");
    for refusal in [
        Refusal::AccessTokenExpired,
        Refusal::AccessTokenUnknown,
        Refusal::ScopeMissing,
        Refusal::PaymentReused,
    ] {
        let twist = Twist { forced: Some(Forced::Fail(refusal)), store: None };
        let request = play.request("pay", &body);
        play.send_with(request, twist, refusal);
        play.inquire("order-1", Refusal::PaymentNotFound);
    }
    play.call("pay", &body, S);
}

/// The good body with one member set; `null` where it is to be missing.
fn but(play: &Play, member: &str, value: Value) -> Value {
    let mut body = play.speech.pay("unknown", "order-1", "IQD", "1000");
    body[member] = value;
    body
}

fn amounts(play: &mut Play) {
    for value in ["", "0", "007", "-1", "+1", "1.0", "1e3", " 1", "10000000000000000", "ten"].map(Value::from)
    {
        let body = but(play, "paymentAmount", json!({ "currency": "IQD", "value": value }));
        play.call("pay", &body, Fault::Field);
    }
    for amount in [
        json!(null),
        json!("1000 IQD"),
        json!({ "value": "1000" }),
        json!({ "currency": "IQD" }),
        json!({ "currency": "iqd", "value": "1000" }),
        json!({ "currency": "XXX", "value": "1000" }),
        json!({ "currency": "IQD", "value": 1.5 }),
    ] {
        let body = but(play, "paymentAmount", amount);
        play.call("pay", &body, Fault::Field);
    }
}

fn qi_fields(play: &mut Play) {
    amounts(play);
    for (member, value) in [
        ("productCode", json!(null)),
        ("paymentRequestId", json!("")),
        ("paymentRequestId", json!("x".repeat(65))),
        ("paymentAuthCode", json!(null)),
        ("paymentAuthCode", json!("x".repeat(129))),
        ("order", json!(null)),
        ("order", json!("an order")),
        ("paymentExpiryTime", json!("tomorrow")),
        ("paymentNotifyUrl", json!("http://merchant.example/notify")),
    ] {
        let body = but(play, member, value);
        play.call("pay", &body, Fault::Field);
    }
    let tokens = play.tokens(RICH);
    let mut body = play.speech.pay(&tokens.access, "order-1", "IQD", "1000");
    body["paymentAmount"]["value"] = 1000.into();
    body["paymentExpiryTime"] = "".into();
    play.call("pay", &body, S);
}

fn plus_fields(play: &mut Play) {
    amounts(play);
    for (member, value) in [
        ("acquirerId", json!(null)),
        ("pspId", json!(1)),
        ("paymentRequestId", json!(null)),
        ("paymentRequestId", json!("x".repeat(65))),
        ("paymentAmount", json!({ "currency": "IQD", "value": 1000 })),
        ("payToAmount", json!({ "currency": "IQD" })),
        ("order", json!(null)),
        ("surchargeInfo", json!("none")),
        ("paymentMethod", json!(null)),
        ("paymentMethod", json!({ "paymentMethodType": "CONNECT_WALLET" })),
        ("paymentFactor", json!(null)),
        ("paymentFactor", json!({ "isAgreementPayment": "false" })),
        ("paymentFactor", json!({ "isAgreementPayment": true })),
        ("paymentFactor", json!({ "isAgreementPayment": "true", "isPaymentEvaluation": "yes" })),
        ("paymentExpiryTime", json!("")),
        ("paymentExpiryTime", json!("2026-01-15")),
        ("paymentNotifyUrl", json!("https://user:secret@www.alipayplus.com/")),
    ] {
        let body = but(play, member, value);
        play.call("pay", &body, Fault::Field);
    }
}

fn other_products(play: &mut Play) {
    for product in ["51051000101000100032", "AGREEMENT"] {
        let body = but(play, "productCode", product.into());
        play.call("pay", &body, Fault::NotAllowed);
    }
}

fn scope_missing(play: &mut Play) {
    let mut body = play.speech.prepare("agreement-1");
    body["scopes"] = json!(["USER_LOGIN_ID"]);
    let prepared = play.call("prepare", &body, S);
    let code = play.approve(&prepared, RICH);
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    play.pay(&text(&granted, "accessToken"), "order-1", "1000", Refusal::ScopeMissing);
}
