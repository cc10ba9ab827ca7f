//! What owners learn of users and send to them: inquiryUserInfo, inquiryCustomerId, one-time codes, messages.

use super::{BOTH, Case, PLUS, QI};
use crate::conformance::fixture::{POOR, RICH, set_header};
use crate::conformance::people::scopes_of;
use crate::conformance::speech::{Speech, text};
use crate::vectors::play::{Play, S};
use accord_core::Refusal;
use accord_core::agreement::Scope;
use accord_core::message::Channel;
use accord_core::policy::{DAY, MINUTE};
use accord_core::user::UserStatus;
use accord_wire::dialect::Fault;
use accord_wire::signature::Encoding;
use serde_json::{Value, json};

const USER_INFO: &str = "inquiryUserInfo";
const CUSTOMER_ID: &str = "inquiryCustomerId";

pub(super) const CASES: &[Case] = &[
    case(
        USER_INFO,
        "everything",
        "Every scope, a whole profile; and a user of whom little is known.",
        BOTH,
        everything,
    ),
    case(USER_INFO, "by-scope", "Each scope alone opens its own members and no other.", BOTH, by_scope),
    case(
        USER_INFO,
        "scope-missing",
        "Without a scope that opens anything there is no answer.",
        BOTH,
        no_scope,
    ),
    case(
        USER_INFO,
        "token",
        "A token that is unknown, another's, expired, or whose agreement ended.",
        BOTH,
        token,
    ),
    case(USER_INFO, "user-frozen", "Nothing is told of a frozen user.", BOTH, frozen),
    case(USER_INFO, "fields", "What a field must be.", BOTH, info_fields),
    case(
        CUSTOMER_ID,
        "by-login-id",
        "The user who signs in so; a frozen one is as unknown.",
        PLUS,
        customer_id,
    ),
    case(
        CUSTOMER_ID,
        "fields",
        "What a field must be, and the way that is not offered.",
        PLUS,
        customer_fields,
    ),
    case("pay", "log-in-token", "A token of a log in learns, and never debits.", QI, log_in_cannot_debit),
];

pub(super) const CODES: &[Case] = &[
    case("sendOTP", "channels", "To the phone, or to the e-mail address where there is one.", PLUS, channels),
    case("sendOTP", "limit", "Not twice in 30 seconds, not more than ten in 24 hours.", PLUS, limit),
    case(
        "sendOTP",
        "scope-missing",
        "A token without SEND_OTP, an unknown one, a frozen user.",
        PLUS,
        otp_token,
    ),
    case("sendOTP", "fields", "What a field must be.", PLUS, send_fields),
    case("verifyOTP", "right", "The right code is right, and right again while it lives.", PLUS, right),
    case("verifyOTP", "wrong", "Wrong five times; then the right one is no longer taken.", PLUS, wrong),
    case("verifyOTP", "expired", "A code lives five minutes.", PLUS, expired),
    case("verifyOTP", "foreign", "A code is good under its own agreement only.", PLUS, foreign),
    case("verifyOTP", "fields", "What a field must be.", PLUS, verify_fields),
];

pub(super) const MESSAGES: &[Case] = &[
    case("sendInbox", "once", "One message for each requestId: repeats get the first answer.", QI, once),
    case(
        "sendInbox",
        "message-reused",
        "The same requestId for other words, or for another user.",
        QI,
        reused,
    ),
    case(
        "sendInbox",
        "user-frozen",
        "Who may not act cannot be written to; nor by a dead token.",
        QI,
        unreached,
    ),
    case("sendPush", "user-frozen", "As for the inbox.", QI, not_pushed),
    case(
        "sendPush",
        "message-reused",
        "The same requestId for other words; an inbox key is another.",
        QI,
        push_reused,
    ),
    case(
        "sendInbox",
        "scope-missing",
        "A token without NOTIFICATION_INBOX; a push needs its own.",
        QI,
        no_notice,
    ),
    case("sendInbox", "stale", "A late call is refused, unless it repeats one that was answered.", QI, stale),
    case("sendInbox", "fields", "What a field must be.", QI, message_fields),
    case("sendPush", "once", "A push and a letter of one requestId are two messages.", QI, push),
];

const fn case(
    operation: &'static str,
    name: &'static str,
    about: &'static str,
    speeches: &'static [Speech],
    tell: fn(&mut Play),
) -> Case {
    Case { operation, name, about, speeches, tell }
}

fn everything(play: &mut Play) {
    for person in [RICH, POOR] {
        let token = play.token_for(person, person.name, &scopes_of(play.speech));
        play.call(USER_INFO, &play.speech.user_info(&token), S);
    }
}

fn by_scope(play: &mut Play) {
    for scope in scopes_of(play.speech) {
        if matches!(scope, Scope::SendOtp | Scope::NotificationInbox | Scope::NotificationPush) {
            continue;
        }
        let token = play.token_for(RICH, scope.as_str(), &[scope]);
        play.call(USER_INFO, &play.speech.user_info(&token), S);
    }
}

fn no_scope(play: &mut Play) {
    let token = match play.speech {
        Speech::Qi => play.tokens(RICH).access,
        Speech::AlipayPlus => play.token_for(RICH, "agreement-1", &[Scope::AgreementPay, Scope::SendOtp]),
    };
    play.call(USER_INFO, &play.speech.user_info(&token), Refusal::ScopeMissing);
}

fn token(play: &mut Play) {
    let token = play.token_for(RICH, "agreement-1", &scopes_of(play.speech));
    let body = play.speech.user_info(&token);
    play.call(USER_INFO, &play.speech.user_info("unknown"), Refusal::AccessTokenUnknown);
    play.by_client(1);
    play.call(USER_INFO, &body, Refusal::AccessTokenUnknown);
    play.by_client(0);
    let lapsed = play.token_for(RICH, "agreement-2", &scopes_of(play.speech));
    play.call("cancelToken", &play.speech.cancel(&token), S);
    play.call(USER_INFO, &body, Refusal::AccessTokenUnknown);
    play.wait(3651 * DAY);
    play.call(USER_INFO, &play.speech.user_info(&lapsed), Refusal::AccessTokenExpired);
}

fn frozen(play: &mut Play) {
    let token = play.token_for(RICH, "agreement-1", &scopes_of(play.speech));
    play.user(RICH, UserStatus::Frozen, true);
    play.call(USER_INFO, &play.speech.user_info(&token), Refusal::UserFrozen);
}

/// Every fault of one text member.
fn spoil(play: &mut Play, operation: &str, good: &Value, member: &str, max: usize) {
    for value in [json!(null), json!(""), json!(7), json!("x".repeat(max + 1))] {
        let mut body = good.clone();
        body[member] = value;
        play.call(operation, &body, Fault::Field);
    }
}

fn info_fields(play: &mut Play) {
    let good = play.speech.user_info("unknown");
    spoil(play, USER_INFO, &good, "accessToken", 128);
    if play.speech == Speech::AlipayPlus {
        spoil(play, USER_INFO, &good, "pspId", 64);
        let mut body = good;
        body["pspId"] = json!("another");
        play.call(USER_INFO, &body, Fault::NotAllowed);
    }
}

fn customer_id(play: &mut Play) {
    play.call(CUSTOMER_ID, &play.speech.customer_id(RICH.login), S);
    play.call(CUSTOMER_ID, &play.speech.customer_id("+9647709999999"), Refusal::UserNotFound);
    play.user(RICH, UserStatus::Frozen, true);
    play.call(CUSTOMER_ID, &play.speech.customer_id(RICH.login), Refusal::UserNotFound);
}

fn customer_fields(play: &mut Play) {
    let good = play.speech.customer_id(RICH.login);
    spoil(play, CUSTOMER_ID, &good, "inquiryType", 64);
    spoil(play, CUSTOMER_ID, &good, "plaintextUserLoginId", 64);
    let mut body = good;
    body["inquiryType"] = json!("BY_PAYMENT_CODE");
    play.call(CUSTOMER_ID, &body, Fault::NotAllowed);
}

fn log_in_cannot_debit(play: &mut Play) {
    let token = play.token_for(RICH, "", &[Scope::AuthBase, Scope::UserName]);
    play.pay(&token, "order-1", "1000", Refusal::ScopeMissing);
    play.call(USER_INFO, &play.speech.user_info(&token), S);
}

const OTP: &[Scope] = &[Scope::SendOtp];

fn channels(play: &mut Play) {
    let rich = play.token_for(RICH, "agreement-1", OTP);
    for verify_type in [None, Some("MOBILE"), Some("EMAIL")] {
        play.call("sendOTP", &play.speech.send_otp(&rich, verify_type), S);
        play.wait(MINUTE);
    }
    let poor = play.token_for(POOR, "agreement-2", OTP);
    play.call("sendOTP", &play.speech.send_otp(&poor, Some("EMAIL")), Refusal::ChannelMissing);
}

fn limit(play: &mut Play) {
    let token = play.token_for(RICH, "agreement-1", OTP);
    let body = play.speech.send_otp(&token, None);
    for number in 0..10 {
        play.call("sendOTP", &body, S);
        if number == 0 {
            play.call("sendOTP", &body, Refusal::OneTimeCodeLimit);
        }
        play.wait(30_000);
    }
    play.call("sendOTP", &body, Refusal::OneTimeCodeLimit);
    play.wait(DAY);
    play.call("sendOTP", &body, S);
}

fn otp_token(play: &mut Play) {
    let token = play.token_for(RICH, "agreement-1", &[Scope::AgreementPay]);
    play.call("sendOTP", &play.speech.send_otp(&token, None), Refusal::ScopeMissing);
    play.call("sendOTP", &play.speech.send_otp("unknown", None), Refusal::AccessTokenUnknown);
    let token = play.token_for(RICH, "agreement-2", OTP);
    play.user(RICH, UserStatus::Frozen, true);
    play.call("sendOTP", &play.speech.send_otp(&token, None), Refusal::UserFrozen);
}

fn send_fields(play: &mut Play) {
    let good = play.speech.send_otp("unknown", None);
    spoil(play, "sendOTP", &good, "accessToken", 128);
    for value in [json!(""), json!("SMS"), json!(1)] {
        let mut body = good.clone();
        body["verifyType"] = value;
        play.call("sendOTP", &body, Fault::Field);
    }
}

/// A token and the verifyRequestId and code that were sent for it.
fn sent(play: &mut Play, reference: &str) -> (String, String, String) {
    let token = play.token_for(RICH, reference, OTP);
    let answer = play.call("sendOTP", &play.speech.send_otp(&token, None), S);
    let code = play.one_time_code(RICH);
    (token, text(&answer, "verifyRequestId"), code)
}

/// A code of six digits that is not this one.
fn another(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}

fn right(play: &mut Play) {
    let (token, request, code) = sent(play, "agreement-1");
    let body = play.speech.verify_otp(&token, &request, &code);
    play.call("verifyOTP", &body, S);
    play.call("verifyOTP", &body, S);
    play.wait(5 * MINUTE);
    play.call("verifyOTP", &body, Refusal::OneTimeCodeExpired);
}

fn wrong(play: &mut Play) {
    let (token, request, code) = sent(play, "agreement-1");
    let wrong = play.speech.verify_otp(&token, &request, another(&code));
    for _ in 0..5 {
        play.call("verifyOTP", &wrong, Refusal::OneTimeCodeWrong);
    }
    let right = play.speech.verify_otp(&token, &request, &code);
    play.call("verifyOTP", &right, Refusal::OneTimeCodeLimit);
}

fn expired(play: &mut Play) {
    let (token, request, code) = sent(play, "agreement-1");
    play.wait(5 * MINUTE);
    let body = play.speech.verify_otp(&token, &request, &code);
    play.call("verifyOTP", &body, Refusal::OneTimeCodeExpired);
}

fn foreign(play: &mut Play) {
    let (token, request, code) = sent(play, "agreement-1");
    let other = play.token_for(RICH, "agreement-2", OTP);
    let body = play.speech.verify_otp(&other, &request, &code);
    play.call("verifyOTP", &body, Refusal::OneTimeCodeWrong);
    let body = play.speech.verify_otp(&token, "unknown", &code);
    play.call("verifyOTP", &body, Refusal::OneTimeCodeWrong);
    play.by_client(1);
    let body = play.speech.verify_otp(&token, &request, &code);
    play.call("verifyOTP", &body, Refusal::AccessTokenUnknown);
    play.by_client(0);
    play.call("verifyOTP", &body, S);
}

fn verify_fields(play: &mut Play) {
    let good = play.speech.verify_otp("unknown", "request", "123456");
    for (member, max) in [("accessToken", 128), ("verifyRequestId", 64), ("otpCode", 32)] {
        spoil(play, "verifyOTP", &good, member, max);
    }
}

const NOTIFY: &[Scope] = &[Scope::NotificationInbox, Scope::NotificationPush];

fn once(play: &mut Play) {
    let token = play.token_for(RICH, "", NOTIFY);
    let body = play.speech.message(Channel::Inbox, &token, "letter-1");
    let first = play.call("sendInbox", &body, S);
    let again = play.call("sendInbox", &body, S);
    assert_eq!(first["messageId"], again["messageId"]);
    // Another merchant's key of the same text is another key.
    play.by_client(1);
    let token = play.token_for(RICH, "", NOTIFY);
    let other = play.call("sendInbox", &play.speech.message(Channel::Inbox, &token, "letter-1"), S);
    assert_ne!(first["messageId"], other["messageId"]);
}

fn reused(play: &mut Play) {
    let token = play.token_for(RICH, "", NOTIFY);
    let body = play.speech.message(Channel::Inbox, &token, "letter-1");
    play.call("sendInbox", &body, S);
    let mut other = body.clone();
    other["templates"][0]["templateParameters"]["Content"] = json!("Something else.");
    play.call("sendInbox", &other, Refusal::MessageReused);
    let poor = play.token_for(POOR, "", NOTIFY);
    let body = play.speech.message(Channel::Inbox, &poor, "letter-1");
    play.call("sendInbox", &body, Refusal::MessageReused);
}

fn unreached(play: &mut Play) {
    cannot_reach(play, "sendInbox", Channel::Inbox);
}

fn not_pushed(play: &mut Play) {
    cannot_reach(play, "sendPush", Channel::Push);
}

fn cannot_reach(play: &mut Play, operation: &str, channel: Channel) {
    let token = play.token_for(RICH, "", &[Scope::NotificationInbox, Scope::NotificationPush]);
    let body = |play: &Play, token: &str| play.speech.message(channel, token, "letter-1");
    play.call(operation, &body(play, "unknown"), Refusal::AccessTokenUnknown);
    play.user(RICH, UserStatus::Frozen, true);
    play.call(operation, &body(play, &token), Refusal::ChannelMissing);
    play.user(RICH, UserStatus::Active, true);
    // The key was not used up.
    play.call(operation, &body(play, &token), S);
    play.end_agreement(RICH);
    let mut other = body(play, &token);
    other["requestId"] = json!("letter-2");
    play.call(operation, &other, Refusal::AccessTokenUnknown);
}

fn push_reused(play: &mut Play) {
    let token = play.token_for(RICH, "", &[Scope::NotificationInbox, Scope::NotificationPush]);
    play.call("sendInbox", &play.speech.message(Channel::Inbox, &token, "letter-1"), S);
    let mut body = play.speech.message(Channel::Push, &token, "letter-1");
    play.call("sendPush", &body, S);
    body["templates"][0]["templateParameters"]["Title"] = json!("Another title");
    play.call("sendPush", &body, Refusal::MessageReused);
}

fn no_notice(play: &mut Play) {
    let token = play.token_for(RICH, "", &[Scope::NotificationInbox]);
    let push = play.speech.message(Channel::Push, &token, "push-1");
    play.call("sendPush", &push, Refusal::ScopeMissing);
    let token = play.token_for(RICH, "", &[Scope::AuthBase]);
    let body = play.speech.message(Channel::Inbox, &token, "letter-1");
    play.call("sendInbox", &body, Refusal::ScopeMissing);
    let body = play.speech.message(Channel::Inbox, "unknown", "letter-1");
    play.call("sendInbox", &body, Refusal::AccessTokenUnknown);
}

fn stale(play: &mut Play) {
    let token = play.token_for(RICH, "", NOTIFY);
    let body = play.speech.message(Channel::Inbox, &token, "letter-1");
    let mut request = play.request("sendInbox", &body);
    set_header(&mut request, "request-time", "2026-01-15T06:00:00Z");
    let late = play.who().sign(request, Encoding::Percent);
    play.send(late.clone(), Fault::Stale);
    play.call("sendInbox", &body, S);
    play.send(late, S);
}

fn message_fields(play: &mut Play) {
    let good = play.speech.message(Channel::Inbox, "unknown", "letter-1");
    for (member, max) in [("accessToken", 128), ("requestId", 128), ("templateCode", 256)] {
        spoil(play, "sendInbox", &good, member, max);
    }
    let one = good["templates"][0].clone();
    let bodies = [
        ("templateCode", json!("MINI_APP_COMMON_PUSH")),
        ("templates", json!(null)),
        ("templates", json!([])),
        ("templates", json!("x")),
        ("templates", json!([one, one, one, one, one, one])),
        ("templates", json!(["x"])),
        ("templates", json!([{ "language": "en-US" }])),
        ("templates", json!([{ "templateParameters": { "Title": "t" } }])),
        ("templates", json!([{ "templateParameters": { "Content": "c" } }])),
    ];
    for (member, value) in bodies {
        let mut body = good.clone();
        body[member] = value;
        play.call("sendInbox", &body, Fault::Field);
    }
    for (member, value) in [
        ("Title", json!("x".repeat(257))),
        ("Content", json!("x".repeat(2049))),
        ("Url", json!("javascript:alert(1)")),
        ("Url", json!("http://merchant.example/")),
    ] {
        let mut body = good.clone();
        body["templates"][0]["templateParameters"][member] = value;
        play.call("sendInbox", &body, Fault::Field);
    }
}

fn push(play: &mut Play) {
    let token = play.token_for(RICH, "", NOTIFY);
    let push = play.speech.message(Channel::Push, &token, "message-1");
    let first = play.call("sendPush", &push, S);
    let again = play.call("sendPush", &push, S);
    assert_eq!(first["messageId"], again["messageId"]);
    let letter = play.call("sendInbox", &play.speech.message(Channel::Inbox, &token, "message-1"), S);
    assert_ne!(first["messageId"], letter["messageId"]);
}
