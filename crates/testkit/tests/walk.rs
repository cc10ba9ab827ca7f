//! A walk over every route of both dialects, on a running server: each is tried unsigned, mis-signed, stale, malformed
//! and as another owner. The routes are those that the dialects name; a new one without its cases fails.

#[path = "walk/http.rs"]
mod http;
mod stores;
#[path = "walk/wrongs.rs"]
mod wrongs;

use accord_core::client::{ClientKey, ClientStatus, KeyStatus};
use accord_core::ids::{AuthId, ClientId};
use accord_core::ledger::funding::OwnLedger;
use accord_core::message::Channel;
use accord_core::store::{self, Store};
use accord_core::{Refusal, Timestamp};
use accord_server::clock::Clock;
use accord_server::outbound::OutboundPolicy;
use accord_server::{Limits, Running, ServerOptions};
use accord_testkit::conformance::fixture::{self, RICH, Signatory, WALLET_PUBLIC_KEY};
use accord_testkit::conformance::house::House;
use accord_testkit::conformance::people::scopes_of;
use accord_testkit::conformance::speech::{Speech, result_code, text};
use accord_wire::dialect::{Fault, Reason};
use accord_wire::gateway::Request;
use accord_wire::keys::PublicKey;
use accord_wire::signature::{self, PoolOptions, SigningPool, WalletKey, WalletKeys};
use http::Reply;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stores::{Opened, Picture, Shelf, tests_on_every_store};
use wrongs::{Good, WRONGS};

tests_on_every_store!(
    every_route_refuses_whatever_is_wrong_and_writes_nothing,
    every_route_is_closed_to_another_owner,
    what_is_no_page_and_no_interface_is_said_plainly,
    a_server_that_stops_says_unknown_and_never_failed,
);

/// A running server, and what was brought about on it before the walk.
struct Walk {
    runtime: tokio::runtime::Runtime,
    server: Running,
    address: SocketAddr,
    clock: Clock,
    house: House,
    store: Opened,
}

/// What a dialect's first client has.
struct Belongings {
    speech: Speech,
    /// Not yet redeemed.
    code: String,
    access: String,
    refresh: String,
    /// paymentRequestId of a payment that succeeded.
    paid: String,
    /// The wallet's id of that payment.
    payment_id: String,
    /// refundRequestId of a part of it that went back, and the wallet's id of that refund.
    refunded: (String, String),
    /// Three tokens for everything but debits: for reading and writing, for asking for a code, for verifying one.
    people: [String; 3],
    /// verifyRequestId and code, asked for by the third of them (Alipay+).
    sent: (String, String),
    /// References and ids of requests that shall be new.
    fresh: std::cell::Cell<u32>,
}

impl Walk {
    fn start(shelf: Shelf) -> Walk {
        let opened = shelf.open();
        let store: Arc<dyn Store> = Arc::new(opened.clone());
        let house = House::new(store.clone());
        for speech in Speech::ALL {
            register(&*store, speech, "SUSPENDED", |client| client.status = ClientStatus::Suspended);
            register(&*store, speech, "RATED", |client| client.rate_limit = Some(0));
        }
        let wallet = WalletKey { version: "1".to_owned(), key: fixture::wallet_key(), active: true };
        let wallet = WalletKeys::new(vec![wallet]).expect("the wallet's key");
        let options = ServerOptions {
            public_url: fixture::PUBLIC_URL.to_owned(),
            tls: None,
            trusted_proxies: Vec::new(),
            admin_listen: None,
            gateway: Arc::new(fixture::gateway(Arc::new(OwnLedger))),
            qr_handles: None,
            store,
            keys: fixture::derivation_keys(),
            page_key: [3; 32],
            signer: Arc::new(SigningPool::start(wallet, PoolOptions::default()).expect("signing threads")),
            receipts: None,
            // Nobody is contacted: notices are held.
            outbound: OutboundPolicy { only_loopback: true, ..OutboundPolicy::default() },
            sign_in: Default::default(),
            limits: Limits::default(),
            upkeep: Default::default(),
            couriers: Default::default(),
            seams: Default::default(),
            screens: Default::default(),
            sandbox: None,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let server = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            accord_server::start(options, listener).await.expect("a server")
        });
        let address = server.local_addr();
        Walk { runtime, server, address, clock: Clock::new(0), house, store: opened }
    }

    fn stop(self) {
        self.runtime.block_on(self.server.shutdown());
    }

    fn now(&self) -> String {
        accord_wire::time::format_millis(self.clock.now().0, 0)
    }

    fn request(&self, who: &Signatory, target: &str, body: &Value) -> Request {
        who.request(target, body.to_string().as_bytes(), &self.now())
    }

    /// A call that must succeed.
    fn call(&self, who: &Signatory, target: &str, body: &Value) -> Value {
        let request = self.request(who, target, body);
        let reply = http::send(self.address, &request);
        let answer = signed_answer(&request, &reply);
        assert_eq!((reply.status, result_code(&answer)), (200, "SUCCESS"), "{target}: {answer}");
        answer
    }

    fn code(&self, speech: Speech, who: &Signatory, reference: &str) -> String {
        let prepared = self.call(who, &speech.target("prepare"), &speech.prepare(reference));
        let auth_id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
        match self.house.decide(&auth_id, RICH, true, &self.clock.moment()) {
            accord_core::agreement::decide::Decided::Approved { code, .. } => code.reveal().to_owned(),
            other => panic!("approved, not {other:?}"),
        }
    }

    fn furnish(&self, speech: Speech) -> Belongings {
        let [who, _] = speech.clients();
        let code = self.code(speech, who, "walk 1");
        let granted = self.call(who, &speech.target("applyToken"), &speech.apply(&code));
        let (access, refresh) = (text(&granted, "accessToken"), text(&granted, "refreshToken"));
        let paid = "paid before the walk".to_owned();
        let payment = self.call(who, &speech.target("pay"), &speech.pay(&access, &paid, "IQD", "1000"));
        let payment_id = text(&payment, "paymentId");
        let refunded = "refunded before the walk".to_owned();
        let refund = speech.refund(&paid, &payment_id, &refunded, "IQD", "1");
        let refund = self.call(who, &speech.target("refund"), &refund);
        let refunded = (refunded, text(&refund, "refundId"));
        let code = self.code(speech, who, "walk 2");
        let people = ["people 1", "people 2", "people 3"].map(|name| self.token_for_all(speech, who, name));
        let mut sent = (String::new(), String::new());
        if speech == Speech::AlipayPlus {
            let answer = self.call(who, &speech.target("sendOTP"), &speech.send_otp(&people[2], None));
            sent = (text(&answer, "verifyRequestId"), self.house.one_time_code(RICH).expect("a code"));
        }
        Belongings {
            speech,
            code,
            access,
            refresh,
            paid,
            payment_id,
            refunded,
            people,
            sent,
            fresh: Default::default(),
        }
    }

    /// A token for every scope but the right to debit.
    fn token_for_all(&self, speech: Speech, who: &Signatory, reference: &str) -> String {
        let scopes = scopes_of(speech);
        let code = match speech {
            Speech::Qi => self.house.log_in(who, RICH, &scopes, &self.clock.moment()),
            Speech::AlipayPlus => {
                let body = speech.prepare_scopes(reference, &scopes);
                let prepared = self.call(who, &speech.target("prepare"), &body);
                let auth_id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
                match self.house.decide(&auth_id, RICH, true, &self.clock.moment()) {
                    accord_core::agreement::decide::Decided::Approved { code, .. } => {
                        code.reveal().to_owned()
                    }
                    other => panic!("approved, not {other:?}"),
                }
            }
        };
        text(&self.call(who, &speech.target("applyToken"), &speech.apply(&code)), "accessToken")
    }

    /// Every row of every table, once the notices of earlier calls have been dealt with.
    fn rows(&self) -> Picture {
        let mut patience = 1_000;
        while self.house.look(|rows| rows.next_notification_due()).is_some() {
            patience -= 1;
            assert!(patience > 0, "notices are held at once");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let picture = self.store.picture();
        assert!(picture.len() > 10, "{:?}", picture.keys());
        picture
    }
}

impl Belongings {
    /// A body that the operation would take; `None` for an operation that this walk does not know.
    fn good_body(&self, operation: &str) -> Option<Value> {
        self.fresh.set(self.fresh.get() + 1);
        let id = format!("walk and {}", self.fresh.get());
        Some(match operation {
            "prepare" => self.speech.prepare(&id),
            "applyToken" => self.speech.apply(&self.code),
            "cancelToken" => self.speech.cancel(&self.access),
            "pay" => self.speech.pay(&self.access, &id, "IQD", "1000"),
            "inquiryPayment" => self.speech.inquire(&self.paid),
            "refund" => self.speech.refund(&self.paid, &self.payment_id, &id, "IQD", "1"),
            "inquiryRefund" => self.speech.inquire_refund(&self.refunded.0),
            // An order that was never seen: closing it is a success, and costs the walk no payment.
            "cancelPayment" => self.speech.cancel_payment(&id),
            "inquiryUserInfo" => self.speech.user_info(&self.people[0]),
            "inquiryCustomerId" => self.speech.customer_id("+9647701000001"),
            "sendOTP" => self.speech.send_otp(&self.people[1], None),
            "verifyOTP" => self.speech.verify_otp(&self.people[2], &self.sent.0, &self.sent.1),
            "sendInbox" => self.speech.message(Channel::Inbox, &self.people[0], &id),
            "sendPush" => self.speech.message(Channel::Push, &self.people[0], &id),
            _ => return None,
        })
    }

    /// How another owner tries it, and why that is refused; `None` for an operation that this walk does not know.
    /// No refusal: what is made is the caller's own, and not what the first client has.
    fn as_another_owner(&self, operation: &str) -> Option<Vec<(Value, Option<Refusal>)>> {
        let refused = |body, refusal| vec![(body, Some(refusal))];
        Some(match operation {
            "prepare" => vec![(self.speech.prepare("walk 1"), None)],
            "applyToken" => vec![
                (self.speech.apply(&self.code), Some(Refusal::CodeUnknown)),
                (self.speech.refresh(&self.refresh), Some(Refusal::RefreshTokenUnknown)),
            ],
            "cancelToken" => refused(self.speech.cancel(&self.access), Refusal::AccessTokenUnknown),
            "pay" => refused(
                self.speech.pay(&self.access, "another owner's", "IQD", "1000"),
                Refusal::AccessTokenUnknown,
            ),
            "inquiryPayment" => {
                let mut tries = refused(self.speech.inquire(&self.paid), Refusal::PaymentNotFound);
                if self.speech == Speech::Qi {
                    let by_id = serde_json::json!({ "paymentId": self.payment_id });
                    tries.push((by_id, Some(Refusal::PaymentNotFound)));
                }
                tries
            }
            "refund" => refused(
                self.speech.refund(&self.paid, &self.payment_id, "another owner's", "IQD", "1"),
                Refusal::PaymentNotFound,
            ),
            "inquiryRefund" => vec![
                (self.speech.inquire_refund(&self.refunded.0), Some(Refusal::RefundNotFound)),
                (serde_json::json!({ "refundId": self.refunded.1 }), Some(Refusal::RefundNotFound)),
            ],
            // Another owner's order of that name is another order; the first one's is looked at below.
            "cancelPayment" => vec![(self.speech.cancel_payment(&self.paid), None)],
            "inquiryUserInfo" => refused(self.speech.user_info(&self.people[0]), Refusal::AccessTokenUnknown),
            // Nobody owns a user: whoever may ask gets the same answer.
            "inquiryCustomerId" => vec![(self.speech.customer_id("+9647701000001"), None)],
            "sendOTP" => refused(self.speech.send_otp(&self.people[1], None), Refusal::AccessTokenUnknown),
            "verifyOTP" => refused(
                self.speech.verify_otp(&self.people[2], &self.sent.0, &self.sent.1),
                Refusal::AccessTokenUnknown,
            ),
            "sendInbox" => refused(
                self.speech.message(Channel::Inbox, &self.people[0], "another owner's"),
                Refusal::AccessTokenUnknown,
            ),
            "sendPush" => refused(
                self.speech.message(Channel::Push, &self.people[0], "another owner's"),
                Refusal::AccessTokenUnknown,
            ),
            _ => return None,
        })
    }
}

/// The rows that are in one of the two pictures only.
fn differences(before: &Picture, after: &Picture) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (one, other) in [(before, after), (after, before)] {
        for (table, rows) in one {
            let there = other.get(table);
            let gone = rows.iter().filter(|row| there.is_none_or(|there| !there.contains(row)));
            found.extend(gone.map(|row| (table.clone(), row.clone())));
        }
    }
    found
}

/// A client with the first one's key, changed.
fn register(store: &dyn Store, speech: Speech, name: &str, change: fn(&mut accord_core::client::Client)) {
    let [like, _] = speech.clients();
    let mut client = like.registration();
    client.id = ClientId::new(format!("{name}-{}", speech.name()));
    change(&mut client);
    let key = ClientKey {
        client: client.id.clone(),
        version: fixture::KEY_VERSION.to_owned(),
        public_key: like.key().public_key().pem().to_owned(),
        status: KeyStatus::Active,
        created_at: Timestamp(fixture::START),
    };
    let registered = store::transact(store, move |tx| {
        tx.put_client(&client)?;
        Ok(tx.put_client_key(&key)?)
    });
    registered.expect("a registered client");
}

/// The answer of a reply that is signed by the wallet over the request as it was sent.
fn signed_answer(request: &Request, reply: &Reply) -> Value {
    let wallet = PublicKey::parse(WALLET_PUBLIC_KEY).expect("the wallet's key");
    let header = |name: &str| reply.header(name).unwrap_or_default().as_bytes();
    let (method, target) = (request.method.as_bytes(), request.target.as_bytes());
    let content =
        signature::content_to_sign(method, target, header("client-id"), header("response-time"), &reply.body);
    let verified =
        signature::parse([header("signature")]).and_then(|read| signature::verify(&wallet, &content, &read));
    assert_eq!(verified, Ok(()), "{} {}: {reply:?}", request.method, request.target);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=UTF-8"));
    serde_json::from_slice(&reply.body).expect("a JSON body")
}

/// The routes that are tried on that store: on PostgreSQL, where looking through it takes longest, every third, and all
/// under `ACCORD_LONG=1`.
fn tried(speech: Speech, shelf: Shelf) -> impl Iterator<Item = (&'static str, String)> {
    let routes = routes(speech).into_iter().enumerate();
    routes.filter(move |(number, _)| shelf.plays(*number, 3)).map(|(_, route)| route)
}

/// Every route: mount, operation.
fn routes(speech: Speech) -> Vec<(&'static str, String)> {
    let gateway = fixture::gateway(Arc::new(OwnLedger));
    let mounts = gateway.mounts().iter().filter(|mount| mount.dialect.name().as_str() == speech.name());
    let routes: Vec<_> = mounts
        .flat_map(|mount| {
            let operations = mount.dialect.operations();
            operations.iter().map(|operation| (operation.name, format!("{}{}", mount.prefix, operation.path)))
        })
        .collect();
    assert!(routes.len() >= speech.operations().len());
    routes
}

fn every_route_refuses_whatever_is_wrong_and_writes_nothing(shelf: Shelf) {
    let walk = Walk::start(shelf);
    for speech in Speech::ALL {
        let [who, _] = speech.clients();
        let has = walk.furnish(speech);
        for (operation, target) in tried(speech, shelf) {
            let body =
                has.good_body(operation).unwrap_or_else(|| panic!("the walk knows no body for {operation}"));
            let before = walk.rows();
            for (name, spoil, fault) in WRONGS {
                let what = format!("{target}, {name}");
                let good = walk.request(who, &target, &body);
                let request = spoil(&Good { speech, who, request: &good });
                let reply = http::send(walk.address, &request);
                let answer = signed_answer(&request, &reply);
                let code = speech.code(Reason::Fault(*fault));
                assert_eq!(result_code(&answer), code.code, "{what}: {answer}");
                assert_eq!(answer["result"]["resultStatus"], code.status.as_str(), "{what}");
                assert_eq!(reply.status, if *fault == Fault::TooLarge { 413 } else { 200 }, "{what}");
                let sent =
                    request.values("client-id").next().map(|id| String::from_utf8_lossy(id).into_owned());
                assert_eq!(reply.header("client-id").map(str::to_owned), sent, "{what}");
            }
            let left = differences(&before, &walk.rows());
            assert!(left.is_empty(), "{target}: a refused call left something behind: {left:#?}");
        }
        // The bodies were good: signed as they should be, each is taken, at every mount.
        let last = |operation: &str| operation == "cancelToken";
        let mut routes = routes(speech);
        routes.sort_by_key(|(operation, _)| last(operation));
        for (operation, target) in routes {
            let body = has.good_body(operation).expect("a body");
            walk.call(who, &target, &body);
        }
    }
    walk.stop();
}

fn every_route_is_closed_to_another_owner(shelf: Shelf) {
    let walk = Walk::start(shelf);
    for speech in Speech::ALL {
        let [first, second] = speech.clients();
        let has = walk.furnish(speech);
        let own = walk.call(first, &speech.target("prepare"), &speech.prepare("walk 1"));
        for (operation, target) in tried(speech, shelf) {
            let tries = has
                .as_another_owner(operation)
                .unwrap_or_else(|| panic!("{operation} is not tried as another owner: give it its case"));
            for (body, refusal) in tries {
                let before = walk.rows();
                let request = walk.request(second, &target, &body);
                let reply = http::send(walk.address, &request);
                let answer = signed_answer(&request, &reply);
                let Some(refusal) = refusal else {
                    assert_eq!(result_code(&answer), "SUCCESS", "{target}: {answer}");
                    assert_ne!(answer, own, "{target}: another owner got the first one's answer");
                    continue;
                };
                assert_eq!(
                    result_code(&answer),
                    speech.code(Reason::Refusal(refusal)).code,
                    "{target}: {answer}"
                );
                let mut changed = differences(&before, &walk.rows());
                // An attempt on another's code is written down, and nothing else is.
                let noted =
                    |(table, row): &(String, String)| table == "journal" && row.contains("code.foreign");
                if changed.iter().any(noted) {
                    changed.retain(|change| !noted(change) && change.0 != "journal_heads");
                }
                assert!(changed.is_empty(), "{target}: another owner changed something: {changed:#?}");
            }
        }
        // The first owner has lost nothing.
        for operation in ["applyToken", "pay", "inquiryPayment", "refund", "cancelToken"] {
            walk.call(first, &speech.target(operation), &has.good_body(operation).expect("a body"));
        }
    }
    walk.stop();
}

fn plain(method: &str, target: &str) -> Request {
    Request { method: method.to_owned(), target: target.to_owned(), ..Request::default() }
}

fn what_is_no_page_and_no_interface_is_said_plainly(shelf: Shelf) {
    let walk = Walk::start(shelf);
    for target in ["/nothing", "/api/nothing", "/aps/api", "/v1", "/vx/payments/pay"] {
        let reply = http::send(walk.address, &plain("GET", target));
        assert_eq!(reply.status, 404, "{target}");
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{target}");
        assert_eq!(reply.header("signature"), None, "{target}");
        assert!(!reply.body.is_empty(), "{target}");
        let reply = http::send(walk.address, &plain("HEAD", target));
        assert_eq!((reply.status, reply.body.len()), (404, 0), "{target}");
    }
    for target in ["/", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(http::send(walk.address, &plain("GET", target)).status, 200, "{target}");
        let reply = http::send(walk.address, &plain("HEAD", target));
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{target}");
    }
    // Every POST that is no page, and whatever is under a claimed version, belongs to a dialect.
    for (method, target, speech) in [
        ("POST", "/nothing", Speech::Qi),
        ("POST", "/api/nothing", Speech::Qi),
        ("POST", "/aps/api/nothing", Speech::AlipayPlus),
        ("POST", "//v1/payments/pay", Speech::Qi),
        ("POST", "/aps/api//v1/payments/pay", Speech::AlipayPlus),
        ("POST", "/%761/payments/pay", Speech::Qi),
        ("GET", "/v1/nothing", Speech::Qi),
        ("GET", "/v7/payments/pay", Speech::Qi),
        ("GET", "/aps/api/v1/nothing", Speech::AlipayPlus),
        ("DELETE", "/api/v1/nothing", Speech::Qi),
    ] {
        let request = plain(method, target);
        let reply = http::send(walk.address, &request);
        let answer = signed_answer(&request, &reply);
        let code = speech.code(Reason::Fault(Fault::PathUnknown)).code;
        assert_eq!((reply.status, result_code(&answer)), (200, code), "{method} {target}: {answer}");
        assert_eq!(reply.header("client-id"), None, "{method} {target}");
    }
    for speech in Speech::ALL {
        for (_, target) in routes(speech) {
            let reply = http::send(walk.address, &plain("HEAD", &target));
            assert_eq!((reply.status, reply.body.len()), (200, 0), "{target}");
        }
    }
    // The sandbox's control API is not there.
    for target in ["/sandbox/clock", "/demo"] {
        assert_eq!(http::send(walk.address, &plain("GET", target)).status, 404, "{target}");
    }
    walk.stop();
}

fn a_server_that_stops_says_unknown_and_never_failed(shelf: Shelf) {
    let walk = Walk::start(shelf);
    for speech in Speech::ALL {
        let has = walk.furnish(speech);
        let [who, _] = speech.clients();
        walk.server.app.draining.store(true, Ordering::Relaxed);
        for (operation, target) in routes(speech) {
            let body = has.good_body(operation).expect("a body");
            let reply = http::send(walk.address, &walk.request(who, &target, &body));
            let answer: Value = serde_json::from_slice(&reply.body).expect("a JSON body");
            assert_eq!(
                (reply.status, result_code(&answer)),
                (503, "REQUEST_TRAFFIC_EXCEED_LIMIT"),
                "{target}"
            );
            assert_eq!(answer["result"]["resultStatus"], "U", "{target}");
        }
        walk.server.app.draining.store(false, Ordering::Relaxed);
    }
    walk.stop();
}
