//! What is known of the users of the house, and the bodies of the calls that ask for it or write to them.

use crate::conformance::fixture::{Person, RICH, Signatory};
use crate::conformance::house::House;
use crate::conformance::speech::Speech;
use accord_core::Moment;
use accord_core::agreement::Scope;
use accord_core::agreement::decide::Shown;
use accord_core::agreement::login::log_in;
use accord_core::message::{About, Channel};
use accord_core::people::{Contact, ContactKind, Gender, PersonName, Profile};
use accord_core::secret::Digest;
use accord_core::user::Language;
use accord_core::voice::Context;
use accord_wire::qi;
use serde_json::{Value, json};

/// Every scope that may be granted in that dialect without the right to debit.
pub fn scopes_of(speech: Speech) -> Vec<Scope> {
    match speech {
        Speech::Qi => Scope::ALL.iter().copied().filter(|scope| scope.by_log_in()).collect(),
        Speech::AlipayPlus => {
            vec![Scope::UserLoginId, Scope::BaseUserInfo, Scope::HashLoginId, Scope::SendOtp]
        }
    }
}

impl Person {
    /// What the wallet knows of the user: everything of the rich one, of the other nothing.
    pub fn profile(&self) -> Option<Profile> {
        let name = |[full, first, second, third, last]: [&str; 5]| PersonName {
            full: full.to_owned(),
            first: Some(first.to_owned()),
            second: Some(second.to_owned()),
            third: Some(third.to_owned()),
            last: Some(last.to_owned()),
        };
        (self == RICH).then(|| Profile {
            customer: self.id(),
            name: Some(name(["Sara Ahmed Hassan Al-Jubouri", "Sara", "Ahmed", "Hassan", "Al-Jubouri"])),
            name_in_arabic: Some(name(["سارة أحمد حسن الجبوري", "سارة", "أحمد", "حسن", "الجبوري"])),
            avatar: Some("https://wallet.example/avatars/sara.png".to_owned()),
            gender: Some(Gender::Female),
            birth_date: Some("1992-02-29".to_owned()),
            nationality: Some("IQ".to_owned()),
            contacts: vec![Contact { kind: ContactKind::Email, value: "sara@example.iq".to_owned() }],
        })
    }
}

impl House {
    /// A mini program of a Qi client asks a signed-in user for scopes: the code.
    pub fn log_in(&self, client: &Signatory, person: &Person, scopes: &[Scope], at: &Moment) -> String {
        let shown = Shown {
            text_digest: Digest::of("the scopes of the story"),
            language: Language::English,
            version: "story".to_owned(),
        };
        let (scopes, address) = (scopes.to_vec(), "192.0.2.1".to_owned());
        let command = qi::login::log_in(&client.registration(), person.id(), scopes, shown, address);
        let (dialect, keys, at) = (self.dialect(qi::NAME), self.keys.clone(), at.clone());
        let code =
            self.transact(move |tx| log_in(tx, &command, Context { keys: &keys, voice: &*dialect }, &at));
        code.reveal().to_owned()
    }

    /// The newest one-time code in the user's messages.
    pub fn one_time_code(&self, person: &Person) -> Option<String> {
        let customer = person.id();
        self.look(move |rows| rows.messages(&customer, 50)).into_iter().find_map(|message| {
            match message.about {
                About::OneTimeCode { code, .. } => Some(code),
                _ => None,
            }
        })
    }
}

impl Speech {
    /// prepare for these scopes (Alipay+).
    pub fn prepare_scopes(self, reference: &str, scopes: &[Scope]) -> Value {
        let mut body = self.prepare(reference);
        body["scopes"] = scopes.iter().map(|scope| scope.as_str()).collect();
        body
    }

    /// inquiryUserInfo.
    pub fn user_info(self, token: &str) -> Value {
        self.cancel(token)
    }

    /// inquiryCustomerId (Alipay+).
    pub fn customer_id(self, login: &str) -> Value {
        self.with_parties(json!({ "inquiryType": "BY_LOGIN_ID", "plaintextUserLoginId": login }))
    }

    /// sendOTP (Alipay+).
    pub fn send_otp(self, token: &str, verify_type: Option<&str>) -> Value {
        self.with_parties(json!({ "accessToken": token, "verifyType": verify_type }))
    }

    /// verifyOTP (Alipay+).
    pub fn verify_otp(self, token: &str, request: &str, code: &str) -> Value {
        self.with_parties(json!({ "accessToken": token, "verifyRequestId": request, "otpCode": code }))
    }

    /// sendInbox, sendPush (Qi).
    pub fn message(self, channel: Channel, token: &str, request: &str) -> Value {
        let code = match channel {
            Channel::Inbox => "MINI_APP_COMMON_INBOX",
            Channel::Push => "MINI_APP_COMMON_PUSH",
        };
        let url = "mini://platformapi/startapp?_ariver_appid=2170020000000001";
        let template = |language, title: &str, content: &str| {
            json!({
                "templateParameters": { "Title": title, "Content": content, "Url": url },
                "language": language,
            })
        };
        json!({
            "accessToken": token,
            "requestId": request,
            "templateCode": code,
            "templates": [
                template("ar-IQ", "موعدك غدًا", "نراك في الساعة التاسعة."),
                template("en-US", "Tomorrow is your day", "See you at nine."),
            ],
        })
    }
}
