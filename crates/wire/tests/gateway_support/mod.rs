//! A tiny dialect, two clients' keys and a way to make any request wrong in one thing.

use std::path::PathBuf;
use std::sync::Arc;

use accord_core::client::{Client, ClientStatus, KeyStatus};
use accord_core::handle::{Alphabet, Shape};
use accord_core::ids::{ClientId, DialectName, Owner};
use accord_core::payment::pay::Forced;
use accord_core::policy::{OldAccess, Policy};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::voice::{Announcement, Event, Voice};
use accord_core::{Moment, Ruled, Timestamp};
use accord_wire::dialect::{Act, Answer, Code, Dialect, Fault, Operation, Reason, Refused, Status};
use accord_wire::directory::{Directory, KnownClient, KnownKey};
use accord_wire::gateway::{Gateway, GatewayOptions, Mount, Opened, Request};
use accord_wire::json::Json;
use accord_wire::keys::{PrivateKey, PublicKey};
use accord_wire::signature::{Encoding, content_to_sign, render};

/// 2026-01-15T09:30:00+03:00.
pub const NOW: i64 = 1_768_458_600_000;
/// The same in a header.
pub const NOW_TEXT: &str = "2026-01-15T09:30:00+03:00";

pub fn vector(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/envelope").join(name);
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

pub fn private(name: &str) -> PrivateKey {
    PrivateKey::parse(&String::from_utf8(vector(&format!("{name}.key.pem"))).unwrap()).unwrap()
}

pub fn public(name: &str) -> PublicKey {
    PublicKey::parse(&String::from_utf8(vector(&format!("{name}.pub.pem"))).unwrap()).unwrap()
}

pub fn moment() -> Moment {
    Moment::new(Timestamp(NOW), [7; 32])
}

/// Speaks like either paper: wants a text `key`, of which `known` has been seen before.
pub struct Fake {
    name: &'static str,
    qi: bool,
    policy: Policy,
}

impl Fake {
    pub fn new(name: &'static str) -> Arc<Fake> {
        let shape = Shape::plain(Alphabet::Base62, 32);
        let policy = Policy {
            session_life_ms: 1,
            code_life_ms: 1,
            code_memory_ms: 1,
            access_life_ms: 1,
            refresh_life_ms: 1,
            refresh_grace_ms: 1,
            control: accord_core::policy::ControlPolicy::default(),
            messages: accord_core::message::routes::MessagePolicy::default(),
            funding: Arc::new(accord_core::ledger::funding::OwnLedger),
            old_access: OldAccess::UntilGrace,
            lapsed_cancel_is_expired: false,
            refund_window_ms: None,
            cancel_unknown: true,
            code: shape.clone(),
            access: shape.clone(),
            refresh: shape,
        };
        Arc::new(Fake { name, qi: name == "qi", policy })
    }
}

/// Of whom, and whether its idempotency key has been seen.
struct FakeAct(Owner, bool);

impl Act for FakeAct {
    fn run(&mut self, _: &mut dyn Tx, _: &DerivationKeys, _: &Moment) -> Ruled<Answer> {
        Ok(Answer { body: b"{}".to_vec(), status: Status::S, code: "SUCCESS" })
    }
    fn is_known(&self, _: &dyn Rows) -> Stored<bool> {
        Ok(self.1)
    }
    fn owner(&self) -> &Owner {
        &self.0
    }
    fn force(&mut self, _: Forced) -> bool {
        false
    }
}

impl Voice for Fake {
    fn policy(&self) -> &Policy {
        &self.policy
    }
    fn announce(&self, _: &Client, _: &Event<'_>) -> Option<Announcement> {
        None
    }
}

impl Dialect for Fake {
    fn name(&self) -> DialectName {
        DialectName::new(self.name)
    }
    fn operations(&self) -> &'static [Operation] {
        &[
            Operation { name: "prepare", path: "/v1/authorizations/prepare" },
            Operation { name: "pay", path: "/v1/payments/pay" },
        ]
    }
    fn read(self: Arc<Self>, _: &Operation, client: &Client, body: &Json) -> Result<Box<dyn Act>, Refused> {
        match body.get("key").and_then(Json::as_str) {
            Some(key) => Ok(Box::new(FakeAct(Owner::of(&[client.id.as_str()]), key == "known"))),
            None => Err(Refused::new(Fault::Field, "key: missing")),
        }
    }
    fn code(&self, reason: Reason) -> Code {
        let code = match reason {
            Reason::Fault(fault) => fault.as_str(),
            Reason::Refusal(refusal) => refusal.as_str(),
        };
        let unknown = matches!(reason, Reason::Fault(Fault::Overloaded | Fault::Unexpected));
        let status = if unknown { Status::U } else { Status::F };
        Code { code, status, source: "test", meaning: "as the table says" }
    }
    fn utc_offset_seconds(&self) -> i32 {
        if self.qi { 10_800 } else { 0 }
    }
    fn mirrors_encoding(&self) -> bool {
        self.qi
    }
    fn trusts_unsigned_acknowledgement(&self) -> bool {
        self.qi
    }
}

pub struct Clients(Vec<Arc<KnownClient>>);

impl Clients {
    /// `PLUS`, `QI` (key 1 network), `ROTATED` (key 1 retired, 2 network), `SUSPENDED`, all with the network's key.
    pub fn new() -> Clients {
        let client = |id: &str, dialect: &str, status| {
            let client = Client {
                id: ClientId::new(id),
                dialect: DialectName::new(dialect),
                legal_name: id.to_owned(),
                display_name: id.to_owned(),
                status,
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
            let key =
                |version: &str, status, name| KnownKey { version: version.into(), status, key: public(name) };
            let keys = match id {
                "ROTATED" => {
                    vec![key("1", KeyStatus::Retired, "network"), key("2", KeyStatus::Active, "network")]
                }
                _ => vec![key("0", KeyStatus::Active, "wallet"), key("1", KeyStatus::Active, "network")],
            };
            Arc::new(KnownClient { client, keys })
        };
        Clients(vec![
            client("PLUS", "alipay-plus", ClientStatus::Active),
            client("ROTATED", "alipay-plus", ClientStatus::Active),
            client("SUSPENDED", "alipay-plus", ClientStatus::Suspended),
            client("QI", "qi", ClientStatus::Active),
        ])
    }
}

impl Directory for Clients {
    fn find(&self, client_id: &str) -> Option<Arc<KnownClient>> {
        self.0.iter().find(|client| client.client.id.as_str() == client_id).cloned()
    }
}

/// Qi at `""` and `/api`, Alipay+ at `/aps/api`, as in life.
pub fn gateway() -> Gateway {
    let (qi, plus) = (Fake::new("qi"), Fake::new("alipay-plus"));
    let mounts = vec![
        Mount { prefix: String::new(), dialect: qi.clone() },
        Mount { prefix: "/aps/api".into(), dialect: plus },
        Mount { prefix: "/api".into(), dialect: qi },
    ];
    Gateway::new(mounts, GatewayOptions::default()).unwrap()
}

/// A request before it is signed; every part can be made wrong.
#[derive(Clone)]
pub struct Call {
    pub method: &'static str,
    pub target: String,
    pub client_id: &'static str,
    pub time: String,
    pub body: Vec<u8>,
    pub key_version: &'static str,
    pub encoding: Encoding,
}

impl Call {
    pub fn plus() -> Call {
        Call {
            method: "POST",
            target: "/aps/api/v1/authorizations/prepare".into(),
            client_id: "PLUS",
            time: NOW_TEXT.into(),
            body: br#"{"key":"k"}"#.to_vec(),
            key_version: "1",
            encoding: Encoding::Percent,
        }
    }

    pub fn qi() -> Call {
        Call { target: "/v1/authorizations/prepare".into(), client_id: "QI", ..Call::plus() }
    }

    /// What the signature covers.
    pub fn content(&self) -> Vec<u8> {
        let parts =
            [self.method, self.target.as_str(), self.client_id, self.time.as_str()].map(str::as_bytes);
        content_to_sign(parts[0], parts[1], parts[2], parts[3], &self.body)
    }

    /// Signed with the network's key.
    pub fn signed(&self) -> Request {
        let value = private("network").sign(&self.content()).unwrap();
        let headers = [
            ("content-type", "application/json; charset=UTF-8".to_owned()),
            ("accept", "*/*".to_owned()),
            ("client-id", self.client_id.to_owned()),
            ("request-time", self.time.clone()),
            ("signature", render(self.key_version, &value, self.encoding)),
        ];
        Request {
            method: self.method.into(),
            target: self.target.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec(),
            body: self.body.clone(),
            too_large: false,
        }
    }
}

/// Sets a header, whatever it was.
pub fn set(request: &mut Request, name: &str, value: &str) {
    drop_header(request, name);
    add(request, name, value);
}

/// Adds a header line.
pub fn add(request: &mut Request, name: &str, value: &str) {
    request.headers.push((name.into(), value.as_bytes().to_vec()));
}

/// Removes a header.
pub fn drop_header(request: &mut Request, name: &str) {
    request.headers.retain(|(found, _)| found != name);
}

pub fn open(request: &Request) -> Opened {
    gateway().open(&Clients::new(), request, &moment())
}

/// `accepted`, `stale`, or the fault and its message.
pub fn outcome(request: &Request) -> (String, String) {
    match open(request) {
        Opened::Accepted(accepted) => match accepted.stale {
            None => ("accepted".into(), String::new()),
            Some(answer) => ("stale, known keys only".into(), message(&answer)),
        },
        Opened::Refused(declined) => {
            assert_eq!(declined.answer.code, declined.fault.as_str());
            assert_eq!(declined.verified, declined.client.is_some());
            (declined.answer.code.into(), message(&declined.answer))
        }
    }
}

pub fn message(answer: &Answer) -> String {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let message = body["result"]["resultMessage"].as_str().unwrap().to_owned();
    assert!(message.chars().count() <= 256, "{message}");
    message
}
