//! Qi's acts over the model store: from prepare to a silent debit and its notice, without a socket.

#![expect(clippy::unwrap_used, reason = "a test may panic, and its helpers are no tests to clippy")]

#[path = "../../testkit/tests/stores/mod.rs"]
mod stores;

use accord_core::agreement::decide::{Answer as Decision, Decide, Decided, Shown, decide};
use accord_core::client::{Client, ClientStatus};
use accord_core::handle::Bucket;
use accord_core::ids::*;
use accord_core::ledger::post;
use accord_core::moment::{Moment, Timestamp};
use accord_core::money::{Amount, Currency};
use accord_core::payment::pay::Forced;
use accord_core::payment::{Resolution, resolve};
use accord_core::policy::{DAY, MINUTE};
use accord_core::secret::{DerivationKeys, Digest};
use accord_core::store::{Rows, Stored, Tx, look, transact};
use accord_core::user::{Language, User, UserStatus};
use accord_core::voice::Context;
use accord_core::{Refusal, Ruled, Stop};
use accord_wire::dialect::{Act, Dialect, Reason, result_only};
use accord_wire::json;
use accord_wire::qi::{Config, Qi};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use stores::{Opened, Shelf, tests_on_every_store};

tests_on_every_store!(
    prepare_answers_as_the_sample_does_and_keeps_what_the_page_shows,
    a_client_without_agreement_payment_prepares_nothing,
    a_code_buys_one_pair_in_the_papers_order,
    a_refresh_renews_the_pair_and_spares_the_old_access_token,
    a_debit_is_answered_repeated_reported_and_notified,
    a_stored_failure_carries_its_code_everywhere,
    a_refusal_before_the_payment_leaves_the_id_free,
    a_running_payment_is_unknown_until_it_ends,
    a_cancel_ends_every_token_and_may_be_repeated,
    nobody_is_told_where_nobody_named_a_url,
);

/// 2026-01-15T09:30:00+03:00.
const START: i64 = 1_768_458_600_000;
const MERCHANT: &str = "MERCH_DEMO_0001";
const STRANGER: &str = "MERCH_DEMO_0002";

/// A wallet with two merchants and a user who owns 100,000 dinars.
struct House {
    store: Opened,
    qi: Arc<Qi>,
    keys: DerivationKeys,
    customer: CustomerId,
    now: Cell<i64>,
    calls: Cell<u8>,
}

impl House {
    fn new(shelf: Shelf) -> House {
        let at = Moment::new(Timestamp(START), [9; 32]);
        let customer = CustomerId::mint(Bucket::new(5), &mut at.random("customer"));
        let house = House {
            store: shelf.open(),
            qi: Qi::new(Config::new("https://wallet.example")),
            keys: DerivationKeys::new(BTreeMap::from([(1, [3; 32])])).unwrap(),
            customer: customer.clone(),
            now: Cell::new(START),
            calls: Cell::new(0),
        };
        let user = User {
            id: customer.clone(),
            login_id: LoginId::new("+9647700000001"),
            pin_hash: String::new(),
            status: UserStatus::Active,
            qualified: true,
            language: Language::Arabic,
            created_at: at.now,
        };
        house.write(move |tx, at| {
            for id in [MERCHANT, STRANGER] {
                tx.put_client(&client(id))?;
            }
            tx.insert_user(&user)?;
            let amount = Amount::new(Currency::parse("IQD").unwrap(), 100_000_000).unwrap();
            post::credit(tx, &user.id, amount, "funding", at)?;
            Ok(())
        });
        house
    }

    fn moment(&self) -> Moment {
        self.calls.set(self.calls.get() + 1);
        Moment::new(Timestamp(self.now.get()), [self.calls.get(); 32])
    }

    fn write<T: Send + 'static>(
        &self,
        rule: impl Fn(&mut dyn Tx, &Moment) -> Ruled<T> + Send + 'static,
    ) -> T {
        let at = self.moment();
        transact(&self.store, move |tx| rule(tx, &at)).expect("the rule ends well")
    }

    fn see<T: Send + 'static>(&self, eye: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static) -> T {
        look(&self.store, eye).expect("the store can be read")
    }

    fn read(&self, client_id: &str, operation: &str, body: &Value) -> Box<dyn Act> {
        let operation = self.qi.operations().iter().find(|known| known.name == operation).unwrap();
        let client = self.see({
            let id = ClientId::new(client_id);
            move |rows| rows.client(&id)
        });
        let body = json::parse(body.to_string().as_bytes()).unwrap();
        self.qi.clone().read(operation, &client.unwrap(), &body).expect("well formed")
    }

    /// Runs the act as the gateway does; the reply's text.
    fn run(&self, mut act: Box<dyn Act>) -> String {
        let (at, keys) = (self.moment(), self.keys.clone());
        let answer = match transact(&self.store, move |tx| act.run(tx, &keys, &at)) {
            Ok(answer) => answer,
            Err(Stop::Refused(refusal)) => {
                let code = self.qi.code(Reason::Refusal(refusal));
                result_only(&code, code.meaning)
            }
            Err(Stop::Fault(fault)) => panic!("{fault}"),
        };
        let text = String::from_utf8(answer.body).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["result"]["resultCode"], answer.code);
        assert_eq!(body["result"]["resultStatus"], answer.status.as_str());
        text
    }

    fn call_as(&self, client_id: &str, operation: &str, body: Value) -> Value {
        serde_json::from_str(&self.run(self.read(client_id, operation, &body))).unwrap()
    }

    fn call(&self, operation: &str, body: Value) -> Value {
        self.call_as(MERCHANT, operation, body)
    }

    fn prepare(&self) -> AuthId {
        let body = serde_json::from_str(include_str!("../../../examples/qi/prepare.json")).unwrap();
        let reply = self.call("prepare", body);
        let url = reply["authUrl"].as_str().unwrap();
        assert!(url.chars().count() <= 256);
        AuthId::read(url.strip_prefix("https://wallet.example/authorize?authId=").unwrap()).unwrap()
    }

    /// The user says yes; the code.
    fn approve(&self, auth_id: AuthId) -> String {
        let (keys, qi) = (self.keys.clone(), self.qi.clone());
        let command = Decide {
            auth_id,
            answer: Decision::Approve { customer: self.customer.clone() },
            shown: Shown { text_digest: Digest::of(""), language: Language::English, version: "1".into() },
            address: "127.0.0.1".into(),
            browser: None,
        };
        let decided =
            self.write(move |tx, at| decide(tx, &command, Context { keys: &keys, voice: &*qi }, at));
        match decided {
            Decided::Approved { code, .. } => code.reveal().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn redeem(&self, code: &str) -> Value {
        self.call("applyToken", json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code }))
    }

    /// From prepare to an access token.
    fn token(&self) -> String {
        let code = self.approve(self.prepare());
        text(&self.redeem(&code), "accessToken")
    }

    fn balance(&self) -> i64 {
        let customer = self.customer.clone();
        self.see(move |rows| rows.account(&customer, Currency::parse("IQD").unwrap())).unwrap().balance
    }

    fn notices(&self) -> Vec<(String, Value)> {
        let mut notices = self.see(|rows| rows.notifications(100));
        notices.reverse();
        notices.into_iter().map(|notice| (notice.url, serde_json::from_str(&notice.body).unwrap())).collect()
    }

    fn pass(&self, millis: i64) {
        self.now.set(self.now.get() + millis);
    }
}

fn client(id: &str) -> Client {
    Client {
        id: ClientId::new(id),
        dialect: DialectName::new("qi"),
        legal_name: "Demo Trading LLC".into(),
        display_name: "Demo Shop".into(),
        status: ClientStatus::Active,
        agreement_pay: true,
        lenient: false,
        auth_notify_url: Some("https://shop.example/never".into()),
        payment_notify_url: (id == MERCHANT).then(|| "https://shop.example/default".into()),
        return_url: None,
        acquirers: Vec::new(),
        redirect_hosts: Vec::new(),
        rate_limit: None,
        created_at: Timestamp(0),
    }
}

fn payment(id: &str, token: &str, value: Value) -> Value {
    json!({
        "productCode": "51051000101000100031",
        "paymentRequestId": id,
        "paymentAuthCode": token,
        "paymentAmount": { "currency": "IQD", "value": value },
        "order": { "referenceOrderId": "o-1", "orderDescription": "Gym plan" },
    })
}

fn text(reply: &Value, name: &str) -> String {
    reply[name].as_str().unwrap_or_else(|| panic!("no {name} in {reply}")).to_owned()
}

/// `S SUCCESS`.
fn result(reply: &Value) -> String {
    let result = &reply["result"];
    format!("{} {}", result["resultStatus"].as_str().unwrap(), result["resultCode"].as_str().unwrap())
}

fn names(reply: &Value) -> String {
    reply.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
}

fn prepare_answers_as_the_sample_does_and_keeps_what_the_page_shows(shelf: Shelf) {
    let house = House::new(shelf);
    let info =
        r#"{"language":"ar-IQ","contractDesc":"خطة","contractTitle":"T","startTime":"2026-02-01","x":1}"#;
    let body = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": info, "referenceClientId": "branch-1" });
    let reply = house.run(house.read(MERCHANT, "prepare", &body));
    let head = r#"{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},"authUrl":"https://wallet.example/authorize?authId="#;
    let id = reply.strip_prefix(head).and_then(|rest| rest.strip_suffix("\"}")).expect(&reply);

    let id = AuthId::read(id).unwrap();
    let (terms, session) =
        house.see(move |rows| Ok((rows.terms(&id)?.unwrap(), rows.session(&id)?.unwrap())));
    assert_eq!(terms.contract_text.as_deref(), Some("خطة"));
    assert_eq!(terms.contract_title.as_deref(), Some("T"));
    assert_eq!(terms.language, Some(Language::Arabic));
    assert_eq!((terms.legal_name.as_str(), terms.display_name.as_str()), ("Demo Trading LLC", "Demo Shop"));
    assert_eq!(terms.owner, Owner::of(&[MERCHANT]));
    assert_eq!(terms.extras, r#"{"startTime":"2026-02-01","referenceClientId":"branch-1"}"#);
    assert_eq!(session.expires_at, Timestamp(START + 15 * MINUTE));

    assert_ne!(house.prepare(), house.prepare(), "each call is a new draft");
}

fn a_client_without_agreement_payment_prepares_nothing(shelf: Shelf) {
    let house = House::new(shelf);
    house.write(|tx, _| Ok(tx.put_client(&Client { agreement_pay: false, ..client(MERCHANT) })?));
    let body = serde_json::from_str(include_str!("../../../examples/qi/prepare.json")).unwrap();
    assert_eq!(result(&house.call("prepare", body)), "F ACCESS_DENIED");
}

fn a_code_buys_one_pair_in_the_papers_order(shelf: Shelf) {
    let house = House::new(shelf);
    let code = house.approve(house.prepare());
    assert!(code.len() == 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    let foreign = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code });
    assert_eq!(result(&house.call_as(STRANGER, "applyToken", foreign)), "F INVALID_CODE");

    let reply = house.redeem(&code);
    assert_eq!(
        names(&reply),
        "result accessToken accessTokenExpiryTime refreshToken refreshTokenExpiryTime customerId"
    );
    assert_eq!(reply["accessTokenExpiryTime"], "2036-01-13T09:30:00+03:00");
    assert_eq!(reply["refreshTokenExpiryTime"], "2036-02-12T09:30:00+03:00");
    assert_eq!(reply["customerId"], house.customer.as_str());
    assert_eq!(text(&reply, "accessToken").len(), 40);
    assert_eq!(house.redeem(&code), reply, "a lost answer is given again");
    house.pass(10 * MINUTE + 1);
    assert_eq!(result(&house.redeem(&code)), "F USED_CODE");
    assert_eq!(result(&house.redeem("nobody made this")), "F INVALID_CODE");
    assert_eq!(house.notices(), [], "Qi has no notice of codes and tokens");

    let late = house.approve(house.prepare());
    house.pass(10 * MINUTE + 1);
    assert_eq!(result(&house.redeem(&late)), "F EXPIRED_CODE");
    house.pass(30 * DAY);
    assert_eq!(result(&house.redeem(&late)), "F INVALID_CODE");
}

fn a_refresh_renews_the_pair_and_spares_the_old_access_token(shelf: Shelf) {
    let house = House::new(shelf);
    let code = house.approve(house.prepare());
    let first = house.redeem(&code);
    let refresh = |token: &str| {
        house.call("applyToken", json!({ "grantType": "REFRESH_TOKEN", "refreshToken": token }))
    };
    let old = text(&first, "refreshToken");
    let second = refresh(&old);
    assert_eq!(result(&second), "S SUCCESS");
    assert_ne!(second["accessToken"], first["accessToken"]);
    assert_eq!(refresh(&old), second, "the same successor within the grace time");
    house.pass(5 * MINUTE + 1);
    assert_eq!(result(&refresh(&old)), "F USED_REFRESH_TOKEN");
    let reply = house.call("pay", payment("p-1", &text(&first, "accessToken"), json!("1000")));
    assert_eq!(result(&reply), "S SUCCESS");
    assert_eq!(result(&refresh("unknown")), "F INVALID_REFRESH_TOKEN");
    house.pass(10 * 365 * DAY + 31 * DAY);
    assert_eq!(result(&refresh(&text(&second, "refreshToken"))), "F EXPIRED_REFRESH_TOKEN");
}

fn a_debit_is_answered_repeated_reported_and_notified(shelf: Shelf) {
    let house = House::new(shelf);
    let token = house.token();
    let act = || house.read(MERCHANT, "pay", &payment("p-1", &token, json!("25000000")));
    assert!(!house.see({
        let act = act();
        move |rows| act.is_known(rows)
    }));

    let reply = house.run(act());
    assert_eq!(house.balance(), 75_000_000);
    let said: Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(names(&said), "result paymentId paymentRequestId paymentTime");
    assert_eq!(
        (result(&said).as_str(), &said["paymentTime"]),
        ("S SUCCESS", &json!("2026-01-15T09:30:00+03:00"))
    );

    house.pass(MINUTE);
    assert!(house.see({
        let act = act();
        move |rows| act.is_known(rows)
    }));
    assert_eq!(house.run(act()), reply);
    let number = house.call("pay", payment("p-1", &token, json!(25_000_000)));
    assert_eq!(number, said, "the same value as a JSON number");
    assert_eq!(house.balance(), 75_000_000);
    for (name, value) in [
        ("paymentAmount", json!({ "currency": "IQD", "value": "1" })),
        ("order", json!({ "referenceOrderId": "o-2" })),
        ("order", json!({})),
        ("paymentAuthCode", json!(house.token())),
    ] {
        let mut other = payment("p-1", &token, json!("25000000"));
        other[name] = value;
        assert_eq!(result(&house.call("pay", other)), "F REPEAT_REQ_INCONSISTENT", "{name}");
    }

    let inquiry = house.call("inquiryPayment", json!({ "paymentRequestId": "p-1" }));
    assert_eq!(
        names(&inquiry),
        "result paymentId paymentRequestId paymentAmount paymentTime paymentStatus transactions"
    );
    assert_eq!(inquiry["paymentStatus"], "SUCCESS");
    assert_eq!(
        inquiry["transactions"][0]["transactionAmount"],
        json!({ "currency": "IQD", "value": "25000000" })
    );
    let by_id = json!({ "paymentId": said["paymentId"], "paymentRequestId": "another" });
    assert_eq!(house.call("inquiryPayment", by_id.clone()), inquiry);
    assert_eq!(result(&house.call_as(STRANGER, "inquiryPayment", by_id)), "F ORDER_NOT_EXIST");

    let expected = json!({
        "paymentId": said["paymentId"],
        "paymentRequestId": "p-1",
        "paymentResult": { "resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success" },
        "paymentAmount": { "currency": "IQD", "value": "25000000" },
        "paymentTime": "2026-01-15T09:30:00+03:00",
        "paymentCreateTime": "2026-01-15T09:30:00+03:00",
        "customerId": house.customer.as_str(),
    });
    assert_eq!(house.notices(), [("https://shop.example/default".to_owned(), expected)]);
}

fn a_stored_failure_carries_its_code_everywhere(shelf: Shelf) {
    let house = House::new(shelf);
    let token = house.token();
    let mut body = payment("p-1", &token, json!("100000001"));
    body["paymentNotifyUrl"] = json!("https://shop.example/named");
    let reply = house.call("pay", body.clone());
    assert_eq!(result(&reply), "F USER_BALANCE_NOT_ENOUGH");
    assert_eq!(names(&reply), "result paymentId paymentRequestId");
    assert_eq!(house.call("pay", body), reply, "a decline is a fact");
    let inquiry = house.call("inquiryPayment", json!({ "paymentId": reply["paymentId"] }));
    assert_eq!((result(&inquiry).as_str(), &inquiry["paymentStatus"]), ("S SUCCESS", &json!("FAIL")));
    assert_eq!(inquiry["extendInfo"], r#"{"resultCode":"USER_BALANCE_NOT_ENOUGH"}"#);
    assert_eq!(inquiry["transactions"], json!([]));
    let notices = house.notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].0, "https://shop.example/named");
    assert_eq!(notices[0].1["paymentResult"]["resultCode"], "USER_BALANCE_NOT_ENOUGH");
    assert_eq!(notices[0].1.get("paymentTime"), None);
}

fn a_refusal_before_the_payment_leaves_the_id_free(shelf: Shelf) {
    let house = House::new(shelf);
    let token = house.token();
    let mut late = payment("p-1", &token, json!("1000"));
    late["paymentExpiryTime"] = json!("2026-01-15T09:29:59+03:00");
    assert_eq!(result(&house.call("pay", late)), "F ORDER_STATUS_INVALID");
    assert_eq!(
        result(&house.call("pay", payment("p-1", "unknown", json!("1000")))),
        "F INVALID_ACCESS_TOKEN"
    );
    let foreign = house.call_as(STRANGER, "pay", payment("p-1", &token, json!("1000")));
    assert_eq!(result(&foreign), "F INVALID_ACCESS_TOKEN");
    assert_eq!(
        result(&house.call("inquiryPayment", json!({ "paymentRequestId": "p-1" }))),
        "F ORDER_NOT_EXIST"
    );
    assert_eq!(result(&house.call("pay", payment("p-1", &token, json!("1000")))), "S SUCCESS");
    let dollars = json!({ "currency": "USD", "value": "1" });
    let mut body = payment("p-2", &token, json!("1"));
    body["paymentAmount"] = dollars;
    assert_eq!(result(&house.call("pay", body)), "F CURRENCY_NOT_SUPPORT");
}

fn a_running_payment_is_unknown_until_it_ends(shelf: Shelf) {
    let house = House::new(shelf);
    let token = house.token();
    let body = payment("p-1", &token, json!("1000"));
    let mut act = house.read(MERCHANT, "pay", &body);
    let due_at = Timestamp(START + 5_000);
    assert!(act.force(Forced::Running(Some(Resolution { due_at, succeed: true }))));
    let reply: Value = serde_json::from_str(&house.run(act)).unwrap();
    assert_eq!(
        (result(&reply).as_str(), names(&reply).as_str()),
        ("U PAYMENT_IN_PROCESS", "result paymentId paymentRequestId")
    );
    assert_eq!(house.call("pay", body.clone()), reply);
    let inquiry = house.call("inquiryPayment", json!({ "paymentRequestId": "p-1" }));
    assert_eq!((&inquiry["paymentStatus"], inquiry.get("paymentTime")), (&json!("PROCESSING"), None));
    assert_eq!(house.notices(), []);

    house.pass(5_000);
    let (keys, qi) = (house.keys.clone(), house.qi.clone());
    let id = PaymentId::read(&text(&reply, "paymentId")).unwrap();
    assert!(
        house.write(move |tx, at| { resolve::resolve(tx, &id, Context { keys: &keys, voice: &*qi }, at) })
    );
    let reply = house.call("pay", body);
    assert_eq!(
        (result(&reply).as_str(), &reply["paymentTime"]),
        ("S SUCCESS", &json!("2026-01-15T09:30:05+03:00"))
    );
    assert_eq!(house.notices().len(), 1);

    let mut act = house.read(MERCHANT, "pay", &payment("p-2", &token, json!("1000")));
    assert!(act.force(Forced::Fail(Refusal::RiskRejected)));
    let reply: Value = serde_json::from_str(&house.run(act)).unwrap();
    assert_eq!(result(&reply), "F RISK_REJECT");
    for operation in ["prepare", "applyToken", "cancelToken", "inquiryPayment"] {
        let body = match operation {
            "prepare" => serde_json::from_str(include_str!("../../../examples/qi/prepare.json")).unwrap(),
            "applyToken" => json!({ "grantType": "REFRESH_TOKEN", "refreshToken": "x" }),
            "cancelToken" => json!({ "accessToken": "x" }),
            _ => json!({ "paymentId": "x" }),
        };
        let mut act = house.read(MERCHANT, operation, &body);
        assert!(!act.force(Forced::Running(None)), "{operation}");
        assert_eq!(*act.owner(), Owner::of(&[MERCHANT]), "{operation}");
        assert!(!house.see(move |rows| act.is_known(rows)), "{operation}");
    }
}

fn a_cancel_ends_every_token_and_may_be_repeated(shelf: Shelf) {
    let house = House::new(shelf);
    let token = house.token();
    let body = json!({ "accessToken": token });
    let known = || {
        let act = house.read(MERCHANT, "cancelToken", &body);
        house.see(move |rows| act.is_known(rows))
    };
    assert_eq!(result(&house.call_as(STRANGER, "cancelToken", body.clone())), "F INVALID_ACCESS_TOKEN");
    assert!(!known(), "a stale first cancel must not end a living agreement");
    let reply = house.call("cancelToken", body.clone());
    assert_eq!((result(&reply).as_str(), names(&reply).as_str()), ("S SUCCESS", "result"));
    assert!(known());
    assert_eq!(house.call("cancelToken", body.clone()), reply);
    assert_eq!(result(&house.call("pay", payment("p-1", &token, json!("1")))), "F INVALID_ACCESS_TOKEN");
    assert_eq!(house.balance(), 100_000_000);

    let lapsed = house.token();
    house.pass(10 * 365 * DAY + 1);
    assert_eq!(result(&house.call("pay", payment("p-2", &lapsed, json!("1")))), "F EXPIRED_ACCESS_TOKEN");
    house.pass(30 * DAY);
    let reply = house.call("cancelToken", json!({ "accessToken": lapsed }));
    assert_eq!(result(&reply), "F EXPIRED_ACCESS_TOKEN");
}

fn nobody_is_told_where_nobody_named_a_url(shelf: Shelf) {
    let house = House::new(shelf);
    let body = serde_json::from_str(include_str!("../../../examples/qi/prepare.json")).unwrap();
    let url = text(&house.call_as(STRANGER, "prepare", body), "authUrl");
    let code = house.approve(AuthId::read(url.rsplit('=').next().unwrap()).unwrap());
    let grant = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code });
    let token = text(&house.call_as(STRANGER, "applyToken", grant), "accessToken");
    let reply = house.call_as(STRANGER, "pay", payment("p-1", &token, json!("1000")));
    assert_eq!(result(&reply), "S SUCCESS");
    assert_eq!(house.notices(), []);
    let customer = house.customer.clone();
    assert_eq!(house.see(move |rows| rows.messages(&customer, 9)).len(), 1, "the user is told all the same");
}
