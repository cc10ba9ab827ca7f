//! Many callers at one moment: one code, one paymentRequestId, one refresh token, one reference.
//!
//! On the model store, on SQLite, and on three nodes over one PostgreSQL. `ACCORD_LONG=1` plays the full number of rounds.

mod stores;

use accord_core::ids::{AuthId, PaymentId};
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::{Moment, Timestamp};
use accord_testkit::conformance::fixture::{POOR, RICH, START};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, result_code, text};
use accord_wire::gateway::Request;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

const CALLERS: usize = 64;
const TIME: &str = "2026-01-15T09:30:00+03:00";

fn rounds(long: usize, short: usize) -> usize {
    if std::env::var_os("ACCORD_LONG").is_some_and(|value| value == "1") { long } else { short }
}

/// A moment like no other.
fn moment() -> Moment {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number);
    Moment::new(Timestamp(START), seed)
}

/// A house on each store.
fn on_every_store(check: impl Fn(&House)) {
    // More nodes than elsewhere: they are what gets in each other's way.
    stores::on_every_store(|shelf| check(&House::new(Arc::new(shelf.open_for(3)))));
}

fn request(speech: Speech, operation: &str, body: &Value) -> Request {
    let [who, _] = speech.clients();
    who.request(&speech.target(operation), body.to_string().as_bytes(), TIME)
}

fn answer(house: &House, request: &Request, at: &Moment) -> Vec<u8> {
    house.answer(request, at, Twist::default()).answer.body
}

fn call(house: &House, speech: Speech, operation: &str, body: &Value) -> Value {
    let body = answer(house, &request(speech, operation, body), &moment());
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(result_code(&body), "SUCCESS", "{operation}: {body}");
    body
}

/// Sends all at once, each at a moment of its own; the answers in the order of the callers.
fn at_once(house: &House, requests: &[(Request, Moment)]) -> Vec<Vec<u8>> {
    let barrier = Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let callers: Vec<_> = requests
            .iter()
            .map(|(request, at)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    answer(house, request, at)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("an answer")).collect()
    })
}

fn copies(request: &Request, count: usize) -> Vec<(Request, Moment)> {
    (0..count).map(|_| (request.clone(), moment())).collect()
}

/// The one answer that everybody got.
fn one(answers: &[Vec<u8>]) -> Value {
    let first = answers.first().expect("an answer");
    assert!(answers.iter().all(|answer| answer == first), "callers were told different things");
    serde_json::from_slice(first).expect("JSON")
}

fn code(house: &House, speech: Speech, reference: &str) -> String {
    let prepared = call(house, speech, "prepare", &speech.prepare(reference));
    let auth_id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
    match house.decide(&auth_id, RICH, true, &moment()) {
        accord_core::agreement::decide::Decided::Approved { code, .. } => code.reveal().to_owned(),
        other => panic!("approved, not {other:?}"),
    }
}

fn tokens(house: &House, speech: Speech, reference: &str) -> Value {
    let code = code(house, speech, reference);
    call(house, speech, "applyToken", &speech.apply(&code))
}

/// How many pairs the newest agreement has, as far as its generation says and one beyond.
fn generations(house: &House) -> (u32, Vec<bool>) {
    let agreement = house.agreement_of(RICH);
    let (id, newest) = (agreement.id, agreement.generation);
    let there = house.look(move |rows| {
        (1..=newest + 1).map(|generation| Ok(rows.token_set(&id, generation)?.is_some())).collect()
    });
    (newest, there)
}

#[test]
fn a_code_buys_at_most_one_token_set() {
    on_every_store(|house| {
        for round in 0..rounds(200, 20) {
            let speech = Speech::ALL[round % 2];
            let code = code(house, speech, &format!("reference {round}"));
            let answers =
                at_once(house, &copies(&request(speech, "applyToken", &speech.apply(&code)), CALLERS));
            let granted = one(&answers);
            assert_eq!(result_code(&granted), "SUCCESS", "{granted}");
            assert_eq!(generations(house), (1, vec![true, false]), "one set for one code");
        }
    });
}

#[test]
fn a_payment_request_id_debits_at_most_once() {
    on_every_store(|house| {
        for speech in Speech::ALL {
            let access = text(&tokens(house, speech, "payments"), "accessToken");
            for round in 0..rounds(40, 6) {
                let before = house.balance(RICH, "IQD").expect("an account");
                let id = format!("{} {round}", speech.name());
                let pay = request(speech, "pay", &speech.pay(&access, &id, "IQD", "1000"));
                let answers = at_once(house, &copies(&pay, CALLERS));
                let repeat = answer(house, &pay, &moment());
                for answer in answers {
                    let body: Value = serde_json::from_slice(&answer).expect("JSON");
                    assert!(answer == repeat || result_code(&body) == "PAYMENT_IN_PROCESS", "{body}");
                }
                let paid: Value = serde_json::from_slice(&repeat).expect("JSON");
                assert_eq!(result_code(&paid), "SUCCESS", "{paid}");
                assert_eq!(house.balance(RICH, "IQD"), Some(before - 1_000), "one debit");
                assert_eq!(answer(house, &pay, &moment()), repeat, "and the same ever after");
                let reference = text(&paid, "paymentId");
                let payment = PaymentId::read(&reference).expect("a payment id");
                assert!(house.look(move |rows| rows.payment(&payment)).expect("a payment").posting.is_some());
                let postings = house.look(|rows| rows.postings_after(None, 100_000));
                assert_eq!(postings.iter().filter(|posting| posting.reference == reference).count(), 1);
            }
        }
    });
}

#[test]
fn a_running_payment_ends_once_however_many_nodes_resolve_it() {
    on_every_store(|house| {
        for speech in Speech::ALL {
            let access = text(&tokens(house, speech, "resolving"), "accessToken");
            let before = house.balance(RICH, "IQD").expect("an account");
            let due_at = Timestamp(START + 60_000);
            for order in 0..10 {
                let body = speech.pay(&access, &format!("{} {order}", speech.name()), "IQD", "1000");
                let forced = Some(Forced::Running(Some(Resolution { due_at, succeed: order % 2 == 0 })));
                house.answer(&request(speech, "pay", &body), &moment(), Twist { forced, store: None });
            }
            let told = house.notices().len();
            let barrier = Barrier::new(16);
            std::thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| {
                        barrier.wait();
                        house.resolve_due(&Moment::new(due_at, moment().random("due").bytes()));
                    });
                }
            });
            assert_eq!(house.balance(RICH, "IQD"), Some(before - 5_000), "one debit each");
            assert_eq!(house.notices().len(), told + 10, "one notice each");
        }
    });
}

#[test]
fn a_balance_is_spent_once_however_many_ask() {
    on_every_store(|house| {
        let speech = Speech::Qi;
        let prepared = call(house, speech, "prepare", &speech.prepare("poor"));
        let auth_id = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
        let decided = house.decide(&auth_id, POOR, true, &moment());
        let accord_core::agreement::decide::Decided::Approved { code, .. } = decided else {
            panic!("approved")
        };
        let granted = call(house, speech, "applyToken", &speech.apply(code.reveal()));
        let access = text(&granted, "accessToken");
        let currency = accord_core::money::Currency::parse("IQD").expect("a currency");
        let ten_debits = accord_core::money::Amount::new(currency, 10_999).expect("an amount");
        house.credit(POOR, ten_debits, &moment());

        let pays: Vec<(Request, Moment)> = (0..CALLERS)
            .map(|caller| speech.pay(&access, &format!("order {caller}"), "IQD", "1000"))
            .map(|body| (request(speech, "pay", &body), moment()))
            .collect();
        let answers = at_once(house, &pays);
        let codes: Vec<String> = answers
            .iter()
            .map(|answer| result_code(&serde_json::from_slice::<Value>(answer).expect("JSON")).to_owned())
            .collect();
        assert_eq!(codes.iter().filter(|code| *code == "SUCCESS").count(), 10, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| *code == "USER_BALANCE_NOT_ENOUGH").count(), CALLERS - 10);
        assert_eq!(house.balance(POOR, "IQD"), Some(999));
    });
}

#[test]
fn sixteen_parallel_refreshes_leave_one_live_successor() {
    on_every_store(|house| {
        for round in 0..rounds(50, 10) {
            let speech = Speech::ALL[round % 2];
            let old = tokens(house, speech, &format!("reference {round}"));
            let refresh = request(speech, "applyToken", &speech.refresh(&text(&old, "refreshToken")));
            let new = one(&at_once(house, &copies(&refresh, 16)));
            assert_eq!(result_code(&new), "SUCCESS", "{new}");
            assert_ne!(text(&new, "accessToken"), text(&old, "accessToken"));
            assert_eq!(generations(house), (2, vec![true, true, false]), "one successor");
            let id = format!("after refresh {round}");
            call(house, speech, "pay", &speech.pay(&text(&new, "accessToken"), &id, "IQD", "1"));
        }
    });
}

#[test]
fn concurrent_first_prepares_open_one_session() {
    on_every_store(|house| {
        let speech = Speech::AlipayPlus;
        for round in 0..rounds(50, 10) {
            let prepare = request(speech, "prepare", &speech.prepare(&format!("reference {round}")));
            let calls = copies(&prepare, CALLERS);
            let prepared = one(&at_once(house, &calls));
            let opened = AuthId::read(&speech.auth_id(&prepared)).expect("an authId");
            // Each caller would have drawn an id of its own; only one of them is there.
            let drawn = calls.iter().map(|(_, at)| AuthId::mint(opened.bucket(), &mut at.random("prepare")));
            let there: Vec<AuthId> = drawn
                .filter(|id| {
                    let id = id.clone();
                    house.look(move |rows| rows.session(&id)).is_some()
                })
                .collect();
            assert_eq!(there, [opened]);
        }
    });
}
