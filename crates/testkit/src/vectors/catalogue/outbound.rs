//! What the wallet sends: every notice of both papers as it travels, and the question before a user's end.

use super::{BOTH, Case, PLUS, QI};
use crate::conformance::fixture::{POOR, RICH};
use crate::conformance::house::Twist;
use crate::conformance::speech::{Speech, text};
use crate::vectors::play::{Play, S};
use crate::vectors::story::Sent;
use accord_core::Refusal;
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::policy::DAY;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    case(
        "authNotify",
        "until-the-merchant-ends-it",
        PLUS,
        "AUTHCODE_CREATED, TOKEN_CREATED, TOKEN_CANCELED.",
        auth,
    ),
    case(
        "authNotify",
        "all-scopes",
        PLUS,
        "What may be told of the user is told; a refresh is not.",
        all_scopes,
    ),
    case(
        "authNotify",
        "code-never-redeemed",
        PLUS,
        "Without a token there is nothing to cancel.",
        never_redeemed,
    ),
    case("notifyPayment", "paid", BOTH, "A debit whose request named a URL, with a query.", paid),
    case(
        "notifyPayment",
        "failed",
        BOTH,
        "A failure is told like a success, without what only a success has.",
        failed,
    ),
    case("notifyPayment", "after-unknown", BOTH, "What answered U is told when it is known.", after_unknown),
    case(
        "notifyPayment",
        "expired-while-running",
        BOTH,
        "What still ran at its paymentExpiryTime failed then, and is told so.",
        expired,
    ),
    case(
        "notifyPayment",
        "settled-in-another-currency",
        PLUS,
        "payToAmount, as it differs.",
        settled_otherwise,
    ),
    case(
        "notifyPayment",
        "cancelled-while-running",
        PLUS,
        "A running order that is cancelled ended closed.",
        cancelled,
    ),
    case(
        "contractStatus",
        "until-the-merchant-ends-it",
        QI,
        "VALID with the token, INVALID with its end.",
        status,
    ),
    case(
        "contractStatus",
        "until-the-user-ends-it",
        QI,
        "The user's end is told alike; nobody is asked before.",
        by_user,
    ),
    case("consultUnbinding", "allowed", PLUS, "Yes: it is over at once, and told.", allowed),
    case(
        "consultUnbinding",
        "not-allowed",
        PLUS,
        "No: the user is sent to the merchant, and debits go on.",
        denied,
    ),
    case(
        "consultUnbinding",
        "no-answer",
        PLUS,
        "No answer: later; the third within a day frees the user.",
        silent,
    ),
];

const fn case(
    operation: &'static str,
    name: &'static str,
    speeches: &'static [Speech],
    about: &'static str,
    tell: fn(&mut Play),
) -> Case {
    Case { operation, name, about, speeches, tell }
}

/// Sends what waits, which must be of these kinds; the bodies.
fn sends(play: &mut Play, kinds: &[&str]) -> Vec<Value> {
    let sent = play.deliver();
    assert_eq!(sent.iter().map(|sent| sent.kind.as_str()).collect::<Vec<_>>(), kinds);
    sent.iter().map(|Sent { body, .. }| serde_json::from_str(body).expect("JSON")).collect()
}

fn auth(play: &mut Play) {
    let code = play.code(RICH);
    assert_eq!(sends(play, &["AUTHCODE_CREATED"])[0]["authCode"], code.as_str());
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    let access = text(&granted, "accessToken");
    assert_eq!(sends(play, &["TOKEN_CREATED"])[0]["accessToken"], access.as_str());
    play.call("cancelToken", &play.speech.cancel(&access), S);
    assert_eq!(sends(play, &["TOKEN_CANCELED"])[0]["accessToken"], access.as_str());
}

fn all_scopes(play: &mut Play) {
    let scopes = accord_core::agreement::Scope::ALL.iter().copied();
    let named = ["AGREEMENT_PAY", "USER_LOGIN_ID", "BASE_USER_INFO", "HASH_LOGIN_ID", "SEND_OTP"];
    let scopes: Vec<_> = scopes.filter(|scope| named.contains(&scope.as_str())).collect();
    let prepared = play.call("prepare", &play.speech.prepare_scopes("agreement-1", &scopes), S);
    let code = play.approve(&prepared, RICH);
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    let told = sends(play, &["AUTHCODE_CREATED", "TOKEN_CREATED"]);
    assert_eq!(told[1]["userLoginId"], granted["userLoginId"]);
    assert_eq!(told[1]["customerId"], granted["customerId"]);
    play.refresh(&text(&granted, "refreshToken"));
    sends(play, &[]);
}

fn never_redeemed(play: &mut Play) {
    play.code(RICH);
    sends(play, &["AUTHCODE_CREATED"]);
    assert_eq!(play.unbind(RICH, None), "ended");
    sends(play, &[]);
}

fn paid(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.deliver();
    let mut body = play.speech.pay(&tokens.access, "order-1", "IQD", "25000000");
    body["paymentNotifyUrl"] = "https://merchant.example/notify?shop=7&order=%D8%A8".into();
    play.call("pay", &body, S);
    let told = sends(play, &["notifyPayment"]);
    assert_eq!(told[0]["paymentResult"]["resultStatus"], "S");
    assert_eq!(told[0].get("payToAmount"), None);
    // A repeat is not told again.
    play.call("pay", &body, S);
    sends(play, &[]);
}

fn failed(play: &mut Play) {
    let tokens = play.tokens(POOR);
    play.deliver();
    play.pay(&tokens.access, "order-1", "25000000", Refusal::BalanceNotEnough);
    let told = sends(play, &["notifyPayment"]);
    assert_eq!(told[0]["paymentResult"]["resultCode"], "USER_BALANCE_NOT_ENOUGH");
    assert_eq!(told[0].get("paymentTime"), None);
}

/// A debit that runs for a minute.
fn run(play: &mut Play, expiry: Option<String>) {
    let tokens = play.tokens(RICH);
    play.deliver();
    let mut body = play.speech.pay(&tokens.access, "order-1", "IQD", "25000000");
    if let Some(expiry) = expiry {
        body["paymentExpiryTime"] = expiry.into();
    }
    let request = play.request("pay", &body);
    let resolution = Resolution { due_at: play.in_millis(60_000), succeed: true };
    let twist = Twist { forced: Some(Forced::Running(Some(resolution))), store: None };
    play.send_with(request, twist, Refusal::PaymentRunning);
    sends(play, &[]);
}

fn after_unknown(play: &mut Play) {
    run(play, None);
    play.wait(60_000);
    play.resolve();
    let told = sends(play, &["notifyPayment"]);
    assert_eq!(told[0]["paymentResult"]["resultStatus"], "S");
    play.inquire("order-1", S);
}

fn expired(play: &mut Play) {
    let expiry = play.time_in(30_000);
    run(play, Some(expiry));
    play.wait(31_000);
    play.resolve();
    let told = sends(play, &["notifyPayment"]);
    assert_eq!(told[0]["paymentResult"]["resultStatus"], "F");
    assert_eq!(told[0].get("paymentTime"), None);
    play.wait(60_000);
    play.resolve();
    sends(play, &[]);
    play.inquire("order-1", S);
}

fn settled_otherwise(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.deliver();
    let mut body = play.speech.pay(&tokens.access, "order-1", "IQD", "25000000");
    body["payToAmount"] = json!({ "currency": "USD", "value": "1908" });
    body["paymentQuote"] = json!({ "quoteId": "quote-1", "quotePrice": "1310.27", "guaranteed": "true" });
    let told =
        [play.call("pay", &body, S), play.inquire("order-1", S), sends(play, &["notifyPayment"])[0].clone()];
    assert!(told.iter().all(|told| told["payToAmount"] == body["payToAmount"]));
}

fn cancelled(play: &mut Play) {
    run(play, None);
    play.call("cancelPayment", &play.speech.cancel_payment("order-1"), S);
    let told = sends(play, &["notifyPayment"]);
    assert_eq!(told[0]["paymentResult"]["resultCode"], "ORDER_IS_CLOSED");
}

/// A contract whose merchant wants to be told of it: an access token.
fn contract(play: &mut Play) -> String {
    let mut body = play.speech.prepare("agreement-1");
    let info = json!({
        "contractTitle": "Gym plan",
        "contractDesc": "Gym plan, 25 dinars a month.",
        "contractStatusNotifyUrl": "https://merchant.example/contract?plan=7",
    });
    body["extendInfo"] = info.to_string().into();
    let prepared = play.call("prepare", &body, S);
    let code = play.approve(&prepared, RICH);
    sends(play, &[]);
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    let access = text(&granted, "accessToken");
    let told = sends(play, &["contractStatus"]);
    assert_eq!((&told[0]["contractStatus"], &told[0]["accessToken"]), (&json!("VALID"), &json!(access)));
    access
}

fn status(play: &mut Play) {
    let access = contract(play);
    play.call("cancelToken", &play.speech.cancel(&access), S);
    let told = sends(play, &["contractStatus"]);
    assert_eq!((&told[0]["contractStatus"], &told[0]["accessToken"]), (&json!("INVALID"), &json!(access)));
    play.call("cancelToken", &play.speech.cancel(&access), S);
    sends(play, &[]);
}

fn by_user(play: &mut Play) {
    let access = contract(play);
    assert_eq!(play.unbind(RICH, Some(false)), "ended");
    assert_eq!(sends(play, &["contractStatus"])[0]["contractStatus"], "INVALID");
    play.pay(&access, "order-1", "1000", Refusal::AccessTokenUnknown);
}

fn allowed(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.deliver();
    assert_eq!(play.unbind(RICH, Some(true)), "ended");
    sends(play, &["TOKEN_CANCELED"]);
    play.pay(&tokens.access, "order-1", "1000", Refusal::AccessTokenUnknown);
    play.call("applyToken", &play.speech.refresh(&tokens.refresh), Refusal::RefreshTokenUnknown);
    play.call("cancelToken", &play.speech.cancel(&tokens.access), S);
    sends(play, &[]);
}

fn denied(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.deliver();
    assert_eq!(play.unbind(RICH, Some(false)), "not allowed");
    sends(play, &[]);
    play.pay(&tokens.access, "order-1", "1000", S);
}

fn silent(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.deliver();
    assert_eq!(play.unbind(RICH, None), "try later");
    play.pay(&tokens.access, "order-1", "1000", S);
    play.deliver();
    // A day later the first silence counts no more.
    play.wait(DAY);
    for outcome in ["try later", "try later", "ended"] {
        assert_eq!(play.unbind(RICH, None), outcome);
    }
    sends(play, &["TOKEN_CANCELED"]);
    play.pay(&tokens.access, "order-2", "1000", Refusal::AccessTokenUnknown);
}
