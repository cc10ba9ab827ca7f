//! What owners learn of users and send to them, as rules on the model store: races, budgets, and what is left behind.

mod stores;

use accord_core::agreement::Scope;
use accord_core::message::{About, Channel};
use accord_core::{Moment, Timestamp};
use accord_testkit::conformance::fixture::{self, POOR, RICH, Signatory};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::people::scopes_of;
use accord_testkit::conformance::speech::{Speech, result_code, text};
use serde_json::Value;
use std::sync::Arc;
use stores::{Shelf, on_every_store};

struct Desk {
    house: House,
    now: i64,
    calls: u8,
}

impl Desk {
    fn new(shelf: Shelf) -> Desk {
        Desk { house: House::new(Arc::new(shelf.open())), now: fixture::START, calls: 0 }
    }

    fn moment(&mut self) -> Moment {
        self.calls += 1;
        Moment::new(Timestamp(self.now), [self.calls; 32])
    }

    fn call(&mut self, speech: Speech, who: &Signatory, operation: &str, body: &Value) -> Value {
        let time = accord_wire::time::format_seconds(self.now, 0);
        let request = who.request(&speech.target(operation), body.to_string().as_bytes(), &time);
        let at = self.moment();
        serde_json::from_slice(&self.house.answer(&request, &at, Twist::default()).answer.body).expect("JSON")
    }

    fn qi_token(&mut self, who: &Signatory, scopes: &[Scope]) -> String {
        let at = self.moment();
        let code = self.house.log_in(who, RICH, scopes, &at);
        text(&self.call(Speech::Qi, who, "applyToken", &Speech::Qi.apply(&code)), "accessToken")
    }
}

#[test]
fn a_message_is_left_in_the_users_language_and_each_owner_has_keys_of_its_own() {
    on_every_store(|shelf| {
        let mut desk = Desk::new(shelf);
        let [first, second] = Speech::Qi.clients();
        for who in [first, second] {
            let token = desk.qi_token(who, &scopes_of(Speech::Qi));
            for channel in [Channel::Inbox, Channel::Push] {
                let operation = if channel == Channel::Inbox { "sendInbox" } else { "sendPush" };
                let body = Speech::Qi.message(channel, &token, "one key");
                for _ in 0..2 {
                    assert_eq!(result_code(&desk.call(Speech::Qi, who, operation, &body)), "SUCCESS");
                }
            }
        }
        let messages = desk.house.look(|rows| rows.messages(&RICH.id(), 99));
        assert_eq!(messages.len(), 4, "two owners, two channels, each once: {messages:?}");
        for channel in [Channel::Inbox, Channel::Push] {
            assert_eq!(messages.iter().filter(|message| message.channel == channel).count(), 2);
        }
        for message in messages {
            assert!(
                matches!(&message.about, About::FromMerchant { title, .. } if title == "Tomorrow is your day")
            );
        }
        assert_eq!(desk.house.look(|rows| rows.messages(&POOR.id(), 99)), vec![]);
    });
}

#[test]
fn a_code_rests_as_a_digest_and_is_said_in_one_message_only() {
    on_every_store(|shelf| {
        let mut desk = Desk::new(shelf);
        let speech = Speech::AlipayPlus;
        let [who, _] = speech.clients();
        let prepared = desk.call(speech, who, "prepare", &speech.prepare_scopes("a", &[Scope::SendOtp]));
        let auth_id = accord_core::ids::AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
        let at = desk.moment();
        let code = match desk.house.decide(&auth_id, RICH, true, &at) {
            accord_core::agreement::decide::Decided::Approved { code, .. } => code.reveal().to_owned(),
            other => panic!("approved, not {other:?}"),
        };
        let token = text(&desk.call(speech, who, "applyToken", &speech.apply(&code)), "accessToken");
        let answer = desk.call(speech, who, "sendOTP", &speech.send_otp(&token, None));
        let request = text(&answer, "verifyRequestId");
        let digits = desk.house.one_time_code(RICH).expect("a code");
        assert!(digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
        assert!(!answer.to_string().contains(&digits), "the merchant must not learn it");
        let id = accord_core::ids::CodeRequestId::read(&request).expect("an id");
        let row = desk.house.look(move |rows| rows.one_time_code(&id)).expect("a row");
        assert!(!format!("{row:?}").contains(&digits));
        let verified = desk.call(speech, who, "verifyOTP", &speech.verify_otp(&token, &request, &digits));
        assert_eq!(result_code(&verified), "SUCCESS");
    });
}

#[test]
fn a_log_in_grants_what_was_asked_and_its_end_closes_everything() {
    on_every_store(|shelf| {
        let mut desk = Desk::new(shelf);
        let [who, _] = Speech::Qi.clients();
        let token = desk.qi_token(who, &[Scope::UserName]);
        let info = desk.call(Speech::Qi, who, "inquiryUserInfo", &Speech::Qi.user_info(&token));
        let members: Vec<&String> = info["userInfo"].as_object().expect("userInfo").keys().collect();
        assert_eq!(members, ["userName", "userNameInArabic"]);
        let denied = desk.call(Speech::Qi, who, "pay", &Speech::Qi.pay(&token, "p", "IQD", "1000"));
        assert_eq!(result_code(&denied), "ACCESS_DENIED");
        let at = desk.moment();
        desk.house.end_agreement(RICH, &at);
        let gone = desk.call(Speech::Qi, who, "inquiryUserInfo", &Speech::Qi.user_info(&token));
        assert_eq!(result_code(&gone), "INVALID_ACCESS_TOKEN");
    });
}
