//! cancelToken: the owner ends the agreement behind a token, once and again.

use super::{BOTH, Case};
use crate::conformance::fixture::{RICH, set_header};
use crate::conformance::speech::Speech;
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::policy::DAY;
use accord_wire::dialect::Fault;
use accord_wire::signature::Encoding;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    case("twice", "Cancelling ends the agreement and every token of it; again, it succeeds again.", twice),
    case("replaced-token", "Any access token of the agreement ends it, a replaced one too.", replaced),
    case("unknown", "A token that is foreign or was never ours.", unknown),
    case(
        "expired",
        "An expired token still cancels; when all has lapsed, Qi says so and Alipay+ succeeds.",
        expired,
    ),
    case("stale", "A late call cannot end a living agreement; about an ended one it gets its answer.", stale),
    case("fields", "What a field must be.", fields),
];

const fn case(name: &'static str, about: &'static str, tell: fn(&mut Play)) -> Case {
    Case { operation: "cancelToken", name, about, speeches: BOTH, tell }
}

fn twice(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let body = play.speech.cancel(&tokens.access);
    play.call("cancelToken", &body, S);
    play.call("cancelToken", &body, S);
    play.pay(&tokens.access, "order-1", "1000", Refusal::AccessTokenUnknown);
    play.call("applyToken", &play.speech.refresh(&tokens.refresh), Refusal::RefreshTokenUnknown);
}

fn replaced(play: &mut Play) {
    let old = play.tokens(RICH);
    let new = play.refresh(&old.refresh);
    play.wait(DAY);
    play.call("cancelToken", &play.speech.cancel(&old.access), S);
    play.pay(&new.access, "order-1", "1000", Refusal::AccessTokenUnknown);
}

fn unknown(play: &mut Play) {
    let tokens = play.tokens(RICH);
    for token in ["unknown", tokens.refresh.as_str()] {
        play.call("cancelToken", &play.speech.cancel(token), Refusal::AccessTokenUnknown);
    }
    play.by_client(1);
    play.call("cancelToken", &play.speech.cancel(&tokens.access), Refusal::AccessTokenUnknown);
    play.by_client(0);
    play.pay(&tokens.access, "order-1", "1000", S);
}

fn expired(play: &mut Play) {
    let body = |play: &Play, access: &str| play.speech.cancel(access);
    let (access_days, refresh_days) = match play.speech {
        Speech::Qi => (3650, 3680),
        Speech::AlipayPlus => (180, 365),
    };
    let lapsed = play.tokens(RICH);
    play.wait((refresh_days - access_days) * DAY);
    let prepared = play.call("prepare", &play.speech.prepare("agreement-2"), S);
    let code = play.approve(&prepared, RICH);
    let granted = play.call("applyToken", &play.speech.apply(&code), S);
    let expired = crate::conformance::speech::text(&granted, "accessToken");
    play.wait(access_days * DAY);
    let cancel = body(play, &expired);
    play.call("cancelToken", &cancel, S);
    let cancel = body(play, &lapsed.access);
    match play.speech {
        Speech::Qi => play.call("cancelToken", &cancel, Refusal::AccessTokenExpired),
        Speech::AlipayPlus => play.call("cancelToken", &cancel, S),
    };
}

fn stale(play: &mut Play) {
    let tokens = play.tokens(RICH);
    let body = play.speech.cancel(&tokens.access);
    let mut request = play.request("cancelToken", &body);
    set_header(&mut request, "request-time", "2026-01-15T06:00:00Z");
    let late = play.who().sign(request, Encoding::Percent);
    play.send(late.clone(), Fault::Stale);
    play.call("cancelToken", &body, S);
    play.send(late, S);
}

fn fields(play: &mut Play) {
    for value in [json!(null), json!(""), json!(7), json!("x".repeat(129))] {
        let mut body = play.speech.cancel("unknown");
        body["accessToken"] = value;
        play.call("cancelToken", &body, Fault::Field);
    }
}
