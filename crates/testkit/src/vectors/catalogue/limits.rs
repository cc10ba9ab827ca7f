//! pay: what a user's pause and limits, and those of a contract, hold back. Each refusal is a fact and is kept.

use super::{BOTH, Case, QI};
use crate::conformance::fixture::RICH;
use crate::conformance::speech::text;
use crate::vectors::play::{Play, S, Tokens};
use crate::vectors::story::Control;
use accord_core::Refusal;
use accord_core::policy::DAY;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    case(
        "agreement-paused",
        "A paused agreement is not debited; what was refused stays refused after the pause.",
        paused,
    ),
    case(
        "amount-over-debit-limit",
        "The user's limit for one debit; another currency is over it too.",
        debit,
    ),
    case("amount-over-period-limit", "The user's limit for a month ends with the month of Baghdad.", month),
    case("count-over-limit", "The user's limit for the number of debits.", count),
    Case {
        operation: "pay",
        name: "contract-limits",
        about: "The contract's own limits: agreedAmount, startTime, validTo, maxCount.",
        speeches: QI,
        tell: contract,
    },
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "pay", name, about, speeches: BOTH, tell }
}

const FREE: Control = Control::Limit { per_debit: None, per_month: None, max_count: None };

fn paused(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.control(RICH, Control::Pause);
    play.pay(&tokens.access, "order-1", "1000", Refusal::AgreementPaused);
    play.control(RICH, Control::Resume);
    play.pay(&tokens.access, "order-1", "1000", Refusal::AgreementPaused);
    play.pay(&tokens.access, "order-2", "1000", S);
}

fn debit(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.control(RICH, Control::Limit { per_debit: Some(1_000), per_month: None, max_count: None });
    play.pay(&tokens.access, "order-1", "1001", Refusal::AmountOverDebitLimit);
    play.pay(&tokens.access, "order-2", "1000", S);
    let dollars = play.speech.pay(&tokens.access, "order-3", "USD", "1");
    play.call("pay", &dollars, Refusal::AmountOverDebitLimit);
    play.control(RICH, FREE);
    play.pay(&tokens.access, "order-4", "1001", S);
}

fn month(play: &mut Play) {
    let tokens = play.tokens(RICH);
    // What was taken before the limit was set counts.
    play.pay(&tokens.access, "order-1", "1000", S);
    play.control(RICH, Control::Limit { per_debit: None, per_month: Some(1_500), max_count: None });
    play.pay(&tokens.access, "order-2", "501", Refusal::AmountOverPeriodLimit);
    play.pay(&tokens.access, "order-3", "500", S);
    play.pay(&tokens.access, "order-4", "1", Refusal::AmountOverPeriodLimit);
    // 15 January, half past nine: sixteen days later it is 31 January, seventeen days later February.
    play.wait(16 * DAY);
    play.pay(&tokens.access, "order-5", "1", Refusal::AmountOverPeriodLimit);
    play.wait(DAY);
    play.pay(&tokens.access, "order-6", "1500", S);
}

fn count(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.control(RICH, Control::Limit { per_debit: None, per_month: None, max_count: Some(2) });
    play.pay(&tokens.access, "order-1", "1000", S);
    play.pay(&tokens.access, "order-2", "1000", S);
    play.pay(&tokens.access, "order-3", "1000", Refusal::CountOverLimit);
    play.pay(&tokens.access, "order-1", "1000", S);
}

fn contract(play: &mut Play) {
    let mut body = play.speech.prepare("agreement-1");
    let info = json!({
        "contractDesc": "Gym plan, at most 25 dinars a month",
        "agreedAmount": { "currency": "IQD", "value": "25000" },
        "startTime": "2026-01-17",
        "schedule": "MONTHLY",
        "validTo": "2026-03-16",
        "maxCount": 2,
    });
    body["extendInfo"] = info.to_string().into();
    let prepared = play.call("prepare", &body, S);
    let code = play.approve(&prepared, RICH);
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    let tokens = Tokens { access: text(&granted, "accessToken"), refresh: text(&granted, "refreshToken") };
    play.pay(&tokens.access, "order-1", "25000", Refusal::AgreementPaused);
    play.wait(2 * DAY);
    play.pay(&tokens.access, "order-2", "25001", Refusal::AmountOverDebitLimit);
    play.pay(&tokens.access, "order-3", "25000", S);
    play.pay(&tokens.access, "order-4", "25000", S);
    play.pay(&tokens.access, "order-5", "25000", Refusal::CountOverLimit);
    play.wait(58 * DAY);
    play.pay(&tokens.access, "order-6", "25000", Refusal::CountOverLimit);
    // The last day is over: the token is as good as ended, and nothing is kept.
    play.wait(DAY);
    play.pay(&tokens.access, "order-7", "25000", Refusal::AccessTokenUnknown);
    play.call("applyToken", &play.speech.refresh(&tokens.refresh), Refusal::RefreshTokenUnknown);
    play.call("cancelToken", &play.speech.cancel(&tokens.access), S);
    play.call("cancelToken", &play.speech.cancel(&tokens.access), S);
}
