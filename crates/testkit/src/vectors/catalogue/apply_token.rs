//! applyToken: what codes and refresh tokens buy, once and again.

use super::{BOTH, Case};
use crate::conformance::fixture::RICH;
use crate::conformance::speech::{Speech, text};
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::policy::{DAY, MINUTE};
use accord_core::user::UserStatus;
use accord_wire::dialect::Fault;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    case("code", "A code buys one pair of tokens; within its life its owner gets the same pair again.", code),
    case(
        "code-used",
        "Once the pair is no longer the newest, or the agreement is over, the code has been used.",
        code_used,
    ),
    case("code-late", "A code lives ten minutes; used and late are told apart for thirty days.", code_late),
    case(
        "code-foreign",
        "Another client's code does not exist, and its owner can still redeem it.",
        code_foreign,
    ),
    case("code-unknown", "A code that was never ours.", code_unknown),
    case(
        "refresh",
        "A refresh token buys the next pair; for five minutes it gives the same pair again.",
        refresh,
    ),
    case(
        "refresh-used",
        "After five minutes, or two refreshes, the old refresh token is dead.",
        refresh_used,
    ),
    case("refresh-expired", "A refresh token has an end too.", refresh_expired),
    case(
        "refresh-unknown",
        "No such refresh token: foreign, never ours, or of an agreement that is over.",
        refresh_unknown,
    ),
    case("grant-type", "Only codes and refresh tokens are taken.", grant_type),
    case("user-frozen", "Nothing is granted while the user is frozen; the code is not burnt.", user_frozen),
    case("user-closed", "Nothing is granted for a user who is gone.", user_closed),
    case("fields", "What a field must be.", fields),
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "applyToken", name, about, speeches: BOTH, tell }
}

fn code(play: &mut Play) {
    let code = play.code(RICH);
    let body = play.speech.apply(&code);
    let first = play.call("applyToken", &body, S);
    assert_eq!(play.call("applyToken", &body, S), first);
}

fn code_used(play: &mut Play) {
    let code = play.code(RICH);
    let body = play.speech.apply(&code);
    let first = play.call("applyToken", &body, S);
    play.refresh(&text(&first, "refreshToken"));
    play.call("applyToken", &body, Refusal::CodeUsed);
    let prepared = play.call("prepare", &play.speech.prepare("agreement-2"), S);
    let ended = play.approve(&prepared, RICH);
    play.end_agreement(RICH);
    play.call("applyToken", &play.speech.apply(&ended), Refusal::CodeExpired);
}

fn code_late(play: &mut Play) {
    let late = play.code(RICH);
    let prepared = play.call("prepare", &play.speech.prepare("agreement-2"), S);
    let used = play.approve(&prepared, RICH);
    play.call("applyToken", &play.speech.apply(&used), S);
    play.wait(10 * MINUTE);
    for _ in 0..2 {
        play.call("applyToken", &play.speech.apply(&late), Refusal::CodeExpired);
        play.call("applyToken", &play.speech.apply(&used), Refusal::CodeUsed);
        play.wait(29 * DAY);
    }
    play.call("applyToken", &play.speech.apply(&late), Refusal::CodeUnknown);
    play.call("applyToken", &play.speech.apply(&used), Refusal::CodeUnknown);
}

fn code_foreign(play: &mut Play) {
    let code = play.code(RICH);
    let body = play.speech.apply(&code);
    play.by_client(1);
    play.call("applyToken", &body, Refusal::CodeUnknown);
    play.by_client(0);
    if play.speech == Speech::AlipayPlus {
        for (member, value) in [("acquirerId", "102218800000005678"), ("authClientId", "another")] {
            let mut body = body.clone();
            body[member] = value.into();
            play.call("applyToken", &body, Refusal::CodeUnknown);
        }
    }
    play.call("applyToken", &body, S);
}

fn code_unknown(play: &mut Play) {
    for code in ["28101013000000000000000000000000", "x", "0123456789abcdefghijklmnopqrstuv"] {
        play.call("applyToken", &play.speech.apply(code), Refusal::CodeUnknown);
    }
}

fn refresh(play: &mut Play) {
    let old = play.tokens(RICH);
    let new = play.refresh(&old.refresh);
    let again = play.refresh(&old.refresh);
    assert_eq!((new.access, &new.refresh), (again.access, &again.refresh));
    // The old access token lives through these minutes.
    play.pay(&old.access, "order-1", "1000", S);
    play.refresh(&new.refresh);
}

fn refresh_used(play: &mut Play) {
    let first = play.tokens(RICH);
    let second = play.refresh(&first.refresh);
    play.refresh(&second.refresh);
    play.call("applyToken", &play.speech.refresh(&first.refresh), Refusal::RefreshTokenUsed);
    play.wait(5 * MINUTE);
    play.call("applyToken", &play.speech.refresh(&second.refresh), Refusal::RefreshTokenUsed);
}

fn refresh_expired(play: &mut Play) {
    let tokens = play.tokens(RICH);
    play.wait(match play.speech {
        Speech::Qi => (10 * 365 + 30) * DAY,
        Speech::AlipayPlus => 365 * DAY,
    });
    play.call("applyToken", &play.speech.refresh(&tokens.refresh), Refusal::RefreshTokenExpired);
}

fn refresh_unknown(play: &mut Play) {
    let tokens = play.tokens(RICH);
    for token in ["unknown", tokens.access.as_str()] {
        play.call("applyToken", &play.speech.refresh(token), Refusal::RefreshTokenUnknown);
    }
    play.by_client(1);
    play.call("applyToken", &play.speech.refresh(&tokens.refresh), Refusal::RefreshTokenUnknown);
    play.by_client(0);
    play.end_agreement(RICH);
    play.call("applyToken", &play.speech.refresh(&tokens.refresh), Refusal::RefreshTokenUnknown);
}

fn grant_type(play: &mut Play) {
    let mut body = play.speech.apply("unknown");
    for grant_type in ["PASSWORD", "authorization_code"] {
        body["grantType"] = grant_type.into();
        play.call("applyToken", &body, Fault::GrantTypeUnknown);
    }
}

fn user_frozen(play: &mut Play) {
    let code = play.code(RICH);
    play.user(RICH, UserStatus::Frozen, true);
    play.call("applyToken", &play.speech.apply(&code), Refusal::UserFrozen);
    play.user(RICH, UserStatus::Active, true);
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    play.user(RICH, UserStatus::Frozen, true);
    play.call("applyToken", &play.speech.refresh(&text(&granted, "refreshToken")), Refusal::UserFrozen);
}

fn user_closed(play: &mut Play) {
    let code = play.code(RICH);
    play.user(RICH, UserStatus::Closed, true);
    play.call("applyToken", &play.speech.apply(&code), Refusal::UserNotFound);
}

fn fields(play: &mut Play) {
    for (member, value) in [
        ("grantType", json!(null)),
        ("grantType", json!("")),
        ("authCode", json!(null)),
        ("authCode", json!("")),
        ("authCode", json!(1)),
        ("authCode", json!("x".repeat(65))),
    ] {
        let mut body = play.speech.apply("unknown");
        body[member] = value;
        play.call("applyToken", &body, Fault::Field);
    }
    for value in [json!(null), json!("x".repeat(129))] {
        let mut body = play.speech.refresh("unknown");
        body["refreshToken"] = value;
        play.call("applyToken", &body, Fault::Field);
    }
}
