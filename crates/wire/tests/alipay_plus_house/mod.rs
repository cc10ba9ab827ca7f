//! A wallet that speaks Alipay+, on a store of the list, with one network and one user; and the requests of the examples.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test binary uses a part of the house; a panic is how a test fails"
)]

use super::stores::{Opened, Shelf};
use accord_core::agreement::decide::{Answer as Said, Decide, Decided, Shown, decide};
use accord_core::client::{Client, ClientStatus};
use accord_core::handle::Bucket;
use accord_core::ids::{ClientId, CustomerId, DialectName, LoginId, PaymentId};
use accord_core::ledger::post::credit;
use accord_core::money::{Amount, Currency};
use accord_core::notification::Notification;
use accord_core::payment::pay::Forced;
use accord_core::payment::resolve::resolve;
use accord_core::secret::{DerivationKeys, Digest};
use accord_core::store::{look, transact};
use accord_core::user::{Language, User, UserStatus};
use accord_core::voice::Context;
use accord_core::{Moment, Stop, Timestamp};
use accord_wire::alipay_plus::{AlipayPlus, Config, OPERATIONS};
use accord_wire::dialect::{Dialect, Reason};
use accord_wire::json;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// 2026-01-15T09:30:00+08:00.
pub const START: i64 = 1_768_440_600_000;

pub struct House {
    pub wallet: Arc<AlipayPlus>,
    pub store: Opened,
    pub keys: DerivationKeys,
    pub client: Client,
    pub customer: CustomerId,
    pub now: i64,
    pub calls: u64,
}

impl House {
    pub fn new(shelf: Shelf) -> House {
        House::with(shelf, |_| {})
    }

    /// A house with a network, and a user who has 10.00 US dollars.
    pub fn with(shelf: Shelf, choose: impl FnOnce(&mut Config)) -> House {
        let mut config = Config::new("https://wallet.example", [1; 32]);
        config.network_base_url = Some("https://network.example/".into());
        choose(&mut config);
        assert_eq!(config.check(), Ok(()));
        let client = Client {
            id: ClientId::new("SANDBOX_NETWORK"),
            dialect: DialectName::new("alipay-plus"),
            legal_name: "Alipay+".into(),
            display_name: "Alipay+".into(),
            status: ClientStatus::Active,
            agreement_pay: true,
            lenient: false,
            auth_notify_url: None,
            payment_notify_url: None,
            return_url: None,
            acquirers: Vec::new(),
            redirect_hosts: Vec::new(),
            rate_limit: None,
            created_at: Timestamp(0),
        };
        let at = Moment::new(Timestamp(0), [9; 32]);
        let customer = CustomerId::mint(Bucket::new(7), &mut at.random("customer"));
        let user = User {
            id: customer.clone(),
            login_id: LoginId::new("+9647700000001"),
            pin_hash: String::new(),
            status: UserStatus::Active,
            qualified: true,
            language: Language::English,
            created_at: Timestamp(0),
        };
        let store = shelf.open();
        let (row, payer) = (client.clone(), customer.clone());
        transact(&store, move |tx| {
            tx.put_client(&row)?;
            tx.insert_user(&user)?;
            let dollars = Amount::parse(Currency::parse("USD").unwrap(), "1000").unwrap();
            credit(tx, &payer, dollars, "opening", &at)?;
            Ok(())
        })
        .unwrap();
        let keys = DerivationKeys::new(BTreeMap::from([(1, [5; 32])])).unwrap();
        House { wallet: AlipayPlus::new(config), store, keys, client, customer, now: START, calls: 0 }
    }

    pub fn moment(&mut self) -> Moment {
        self.calls += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.calls.to_be_bytes());
        Moment::new(Timestamp(self.now), seed)
    }

    /// The answer's bytes, as gateway and act write them together.
    pub fn bytes(&mut self, operation: &str, body: &Value, forced: Option<Forced>) -> Vec<u8> {
        let at = self.moment();
        let operation = OPERATIONS.iter().find(|known| known.name == operation).unwrap();
        let body = json::parse(body.to_string().as_bytes()).unwrap();
        let mut act = match self.wallet.clone().read(operation, &self.client, &body) {
            Ok(act) => act,
            Err(refused) => return refusal(&self.wallet, Reason::Fault(refused.fault)),
        };
        if let Some(forced) = forced {
            assert!(act.force(forced));
        }
        let keys = self.keys.clone();
        match transact(&self.store, move |tx| act.run(tx, &keys, &at)) {
            Ok(answer) => {
                let said: Value = serde_json::from_slice(&answer.body).unwrap();
                assert_eq!(said["result"]["resultCode"], answer.code);
                assert_eq!(said["result"]["resultStatus"], answer.status.as_str());
                answer.body
            }
            Err(Stop::Refused(why)) => refusal(&self.wallet, Reason::Refusal(why)),
            Err(Stop::Fault(fault)) => panic!("{fault}"),
        }
    }

    pub fn call(&mut self, operation: &str, body: &Value) -> Value {
        serde_json::from_slice(&self.bytes(operation, body, None)).unwrap()
    }

    /// Is the call's idempotency key known?
    pub fn known(&self, operation: &str, body: &Value) -> bool {
        let operation = OPERATIONS.iter().find(|known| known.name == operation).unwrap();
        let body = json::parse(body.to_string().as_bytes()).unwrap();
        let act = self.wallet.clone().read(operation, &self.client, &body).ok().unwrap();
        look(&self.store, move |rows| act.is_known(rows)).unwrap()
    }

    /// The user agrees to what an answer of prepare leads to; gives the code.
    pub fn approve(&mut self, prepared: &Value) -> String {
        let at = self.moment();
        let auth_id = self.wallet.auth_id_of(prepared["normalUrl"].as_str().unwrap()).unwrap();
        let command = Decide {
            auth_id,
            answer: Said::Approve { customer: self.customer.clone() },
            shown: Shown {
                text_digest: Digest::of("shown"),
                language: Language::English,
                version: "1".into(),
            },
            address: "192.0.2.1".into(),
            browser: None,
        };
        let (wallet, keys) = (self.wallet.clone(), self.keys.clone());
        let decided = transact(&self.store, move |tx| {
            decide(tx, &command, Context { keys: &keys, voice: &*wallet }, &at)
        });
        match decided {
            Ok(Decided::Approved { code, .. }) => code.reveal().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    pub fn resolve(&mut self, payment: &str) -> bool {
        let at = self.moment();
        let id = PaymentId::read(payment).unwrap();
        let (wallet, keys) = (self.wallet.clone(), self.keys.clone());
        transact(&self.store, move |tx| resolve(tx, &id, Context { keys: &keys, voice: &*wallet }, &at))
            .unwrap()
    }

    /// Prepares and agrees; the answer of applyToken.
    pub fn bind(&mut self, scopes: Value) -> Value {
        let prepared = self.call("prepare", &prepare(&[("scopes", scopes)]));
        let code = self.approve(&prepared);
        let granted = self.call("applyToken", &apply(&code));
        assert_eq!(code_of(&granted), "S SUCCESS");
        granted
    }

    pub fn notices(&self) -> Vec<Notification> {
        let mut notices = look(&self.store, |rows| rows.notifications(99)).unwrap();
        notices.reverse();
        notices
    }

    pub fn balance(&self) -> i64 {
        let customer = self.customer.clone();
        look(&self.store, move |rows| rows.account(&customer, Currency::parse("USD").unwrap()))
            .unwrap()
            .map_or(0, |account| account.balance)
    }
}

pub fn refusal(wallet: &AlipayPlus, reason: Reason) -> Vec<u8> {
    let code = wallet.code(reason);
    json!({ "result": { "resultCode": code.code, "resultStatus": code.status.as_str() } })
        .to_string()
        .into_bytes()
}

pub fn code_of(answer: &Value) -> String {
    let result = &answer["result"];
    format!("{} {}", result["resultStatus"].as_str().unwrap(), result["resultCode"].as_str().unwrap())
}

fn sample(text: &str, changes: &[(&str, Value)]) -> Value {
    let mut body: Value = serde_json::from_str(text).unwrap();
    for (name, value) in changes {
        body[*name] = value.clone();
    }
    body
}

pub fn prepare(changes: &[(&str, Value)]) -> Value {
    sample(include_str!("../../../../examples/alipay-plus/prepare.json"), changes)
}

pub fn apply(code: &str) -> Value {
    sample(include_str!("../../../../examples/alipay-plus/applyToken.json"), &[("authCode", json!(code))])
}

pub fn refresh(granted: &Value) -> Value {
    let text = include_str!("../../../../examples/alipay-plus/applyToken-refresh.json");
    sample(text, &[("refreshToken", granted["refreshToken"].clone())])
}

pub fn cancel(granted: &Value) -> Value {
    let text = include_str!("../../../../examples/alipay-plus/cancelToken.json");
    sample(text, &[("accessToken", granted["accessToken"].clone())])
}

pub fn pay(granted: &Value, changes: &[(&str, Value)]) -> Value {
    let mut body = sample(include_str!("../../../../examples/alipay-plus/pay.json"), changes);
    body["paymentMethod"]["paymentMethodId"] = granted["accessToken"].clone();
    body
}

pub fn inquiry() -> Value {
    sample(include_str!("../../../../examples/alipay-plus/inquiryPayment.json"), &[])
}
