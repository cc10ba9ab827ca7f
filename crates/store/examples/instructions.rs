//! A fixed set of calls for callgrind: request bytes in, reply bytes out, over SQLite on one thread, without signing.
//!
//! `scripts/instructions` runs it under valgrind, counts what [`measured`] executes and compares with the record.
//! `instructions OPERATION CALLS`: prepare, apply-token, pay, inquiry, or verify (the client's signature alone, which
//! is part of each of the others and not our code).

use accord_core::{Moment, Timestamp};
use accord_store::InlineStore;
use accord_testkit::conformance::fixture::{Person, START};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, text};
use accord_wire::gateway::Request;
use accord_wire::time;
use serde_json::Value;
use std::hint::black_box;
use std::sync::Arc;

/// Calls before the measured ones: statements prepared, caches warm.
const WARM: u64 = 20;

struct Calls {
    house: House,
    speech: Speech,
    number: u64,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let operation = args.next().unwrap_or_else(|| "prepare".to_owned());
    let count: u64 = args.next().and_then(|count| count.parse().ok()).unwrap_or(100);
    let dir = std::env::temp_dir().join(format!("accord-instructions-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let store = InlineStore::open(dir.join("accord.db")).expect("a store");
    let mut calls = Calls { house: House::new(Arc::new(store)), speech: Speech::Qi, number: 0 };
    let token = (operation == "pay" || operation == "inquiry").then(|| calls.token());
    for number in 0..WARM + count {
        let (name, body) = match operation.as_str() {
            "prepare" | "verify" => ("prepare", calls.speech.prepare(&number.to_string())),
            "apply-token" => ("applyToken", calls.code()),
            "pay" => ("pay", calls.pay(token.as_deref().unwrap_or_default(), number)),
            "inquiry" => {
                let body = calls.pay(token.as_deref().unwrap_or_default(), number);
                calls.call("pay", &body);
                ("inquiryPayment", calls.speech.inquire(&format!("order-{number}")))
            }
            other => panic!("no operation `{other}`"),
        };
        let (request, at) = calls.request(name, &body);
        match (operation.as_str(), number < WARM) {
            ("verify", false) => verified(&request),
            ("verify", true) => {}
            (_, true) => drop(calls.house.answer(&request, &at, Twist::default())),
            (_, false) => measured(&calls.house, &request, &at),
        }
    }
    drop(calls);
    std::fs::remove_dir_all(&dir).expect("the directory goes");
}

/// What is counted.
#[inline(never)]
fn measured(house: &House, request: &Request, at: &Moment) {
    let told = black_box(house).answer(request, at, Twist::default());
    let time = told.envelope.response_time(at.now);
    let content = told.envelope.content(&told.answer.body, &time);
    assert_eq!(told.answer.status.as_str(), "S", "{}", String::from_utf8_lossy(&told.answer.body));
    black_box((content, told.envelope.headers(None, &time)));
}

/// What is counted of the signature: the same bytes, with the same key.
#[inline(never)]
fn verified(request: &Request) {
    let key = Speech::Qi.clients()[0].key().public_key();
    black_box(key.verifies(black_box(&request.body), &[1; 256]));
}

impl Calls {
    fn moment(&mut self) -> Moment {
        self.number += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.number.to_be_bytes());
        Moment::new(Timestamp(START + i64::try_from(self.number).expect("few calls")), seed)
    }

    fn request(&mut self, operation: &str, body: &Value) -> (Request, Moment) {
        let at = self.moment();
        let sent = time::format_seconds(at.now.0, self.speech.utc_offset_seconds());
        let target = self.speech.target(operation);
        let body = body.to_string();
        (self.speech.clients()[0].request(&target, body.as_bytes(), &sent), at)
    }

    fn call(&mut self, operation: &str, body: &Value) -> Value {
        let (request, at) = self.request(operation, body);
        let told = self.house.answer(&request, &at, Twist::default());
        assert_eq!(told.answer.status.as_str(), "S", "{}", String::from_utf8_lossy(&told.answer.body));
        serde_json::from_slice(&told.answer.body).expect("an answer")
    }

    /// Body of an applyToken with a fresh code.
    fn code(&mut self) -> Value {
        let body = self.speech.prepare(&self.number.to_string());
        let answer = self.call("prepare", &body);
        let id = accord_core::ids::AuthId::read(&self.speech.auth_id(&answer)).expect("an authId");
        let at = self.moment();
        match self.house.decide(&id, Person::named("rich"), true, &at) {
            accord_core::agreement::decide::Decided::Approved { code, .. } => {
                self.speech.apply(code.reveal())
            }
            other => panic!("not approved: {other:?}"),
        }
    }

    fn token(&mut self) -> String {
        let body = self.code();
        text(&self.call("applyToken", &body), "accessToken")
    }

    fn pay(&self, token: &str, number: u64) -> Value {
        self.speech.pay(token, &format!("order-{number}"), "IQD", "1000")
    }
}
