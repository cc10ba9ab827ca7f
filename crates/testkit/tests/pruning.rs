//! Pruning: hot tables return to their size, and nobody is answered otherwise than before.
//!
//! `ACCORD_LONG=1` plays the full number of prepares.

mod stores;

use accord_core::agreement::prepare::{Idempotency, Prepare, prepare};
use accord_core::agreement::{Consent, Decision, Scope, Session, SessionStage, Terminal, Terms};
use accord_core::ids::{AuthId, ClientId, DialectName, Owner};
use accord_core::ledger::funding::OwnLedger;
use accord_core::outcome::{Refusal, Stop};
use accord_core::policy::{DAY, MINUTE, Policy};
use accord_core::prune::{self, Retention};
use accord_core::secret::Digest;
use accord_core::store::{self, Store};
use accord_core::user::Language;
use accord_core::{Moment, Ruled, Timestamp};
use accord_testkit::conformance::fixture::{self, RICH, START};
use accord_testkit::conformance::house::{House, Twist};
use accord_testkit::conformance::speech::{Speech, result_code, text};
use accord_wire::time::format_seconds;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stores::{Shelf, long, on_every_store, tests_on_every_store};

tests_on_every_store!(after_thirty_days_of_abandoned_prepares_the_hot_tables_are_empty_again);

fn moment(at: i64, number: u64) -> Moment {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Moment::new(Timestamp(at), seed)
}

/// Prunes until nothing is left for that time; says how many rows it took.
fn prune_all(store: &dyn Store, at: i64) -> usize {
    let mut taken = 0;
    loop {
        let step = store::transact(store, move |tx| {
            prune::step(tx, &Retention::default(), prune::MOST, &moment(at, 0))
        });
        let step = step.expect("a step");
        assert!(step <= prune::MOST);
        taken += step;
        if step < prune::MOST {
            return taken;
        }
    }
}

/// A prepare of the network with that reference, or of a merchant without one.
fn command(reference: Option<u64>, terms: &str) -> Prepare {
    let (state, reference_text) = (terms.to_owned(), reference.map(|number| format!("ref-{number}")));
    Prepare {
        idempotency: reference_text
            .as_ref()
            .map(|reference| Idempotency { key: Digest::of(reference), fingerprint: Digest::of(terms) }),
        terms: Box::new(move |auth_id, created_at| Terms {
            auth_id,
            owner: Owner::of(&["shop"]),
            client: ClientId::new("shop"),
            dialect: DialectName::new("some"),
            scopes: vec![Scope::AgreementPay],
            legal_name: "Shop".into(),
            display_name: "Shop".into(),
            contract_title: None,
            contract_text: Some("25,000 IQD on the first day of each month until you cancel.".into()),
            language: None,
            redirect_url: Some("https://shop.example/back".into()),
            auth_state: Some(state.clone()),
            notify_url: None,
            auth_client_id: None,
            reference_merchant_id: None,
            reference_agreement_id: reference_text.clone(),
            terminal: Terminal::Web,
            extras: String::new(),
            created_at,
        }),
        answer: Box::new(|auth_id, expires_at| format!("{auth_id} {}", expires_at.0).into_bytes()),
    }
}

fn policy() -> Policy {
    let dialect = fixture::gateway(Arc::new(OwnLedger))
        .dialect(&DialectName::new(accord_wire::qi::NAME))
        .expect("a dialect");
    dialect.policy().clone()
}

fn ask(store: &dyn Store, reference: u64, terms: &'static str, at: i64) -> Ruled<Vec<u8>> {
    store::transact(store, move |tx| {
        let policy = policy();
        prepare(tx, &command(Some(reference), terms), &policy, &moment(at, reference))
    })
}

fn auth_id(answer: &[u8]) -> AuthId {
    let text = std::str::from_utf8(answer).expect("text");
    AuthId::read(text.split(' ').next().expect("an id")).expect("an id")
}

fn session(store: &dyn Store, id: &AuthId) -> (Option<Session>, Option<Terms>) {
    let id = id.clone();
    store::look(store, move |rows| Ok((rows.session(&id)?, rows.terms(&id)?))).expect("a look")
}

/// Tables of which rows are left on purpose; the model's are called otherwise.
fn is_cold(table: &str) -> bool {
    table.ends_with("_cold") || table.starts_with("cold_")
}

fn after_thirty_days_of_abandoned_prepares_the_hot_tables_are_empty_again(shelf: Shelf) {
    let each_day: u64 = if long() { 200_000 / 30 } else { 5_000 / 30 };
    let store = shelf.open();
    let sizes = || -> BTreeMap<String, u64> {
        store.picture().into_iter().map(|(table, rows)| (table, rows.len() as u64)).collect()
    };
    let hot = || {
        let sizes = sizes();
        ["sessions", "terms", "prepare_claims"].map(|table| sizes[table])
    };
    let warm =
        || -> BTreeMap<String, u64> { sizes().into_iter().filter(|(table, _)| !is_cold(table)).collect() };
    let before = warm();
    assert!(before.len() > 30, "{before:?}");
    for day in 0..30 {
        let at = START + day * DAY;
        for chunk in (0..each_day).collect::<Vec<_>>().chunks(500) {
            let chunk = chunk.to_vec();
            let kept: Ruled<()> = store::transact(&store, move |tx| {
                let policy = policy();
                for number in &chunk {
                    let number = day as u64 * each_day + number;
                    // Every second one is the network's, with a reference that is promised for good.
                    let reference = number.is_multiple_of(2).then_some(number);
                    prepare(tx, &command(reference, "terms"), &policy, &moment(at, number))?;
                }
                Ok(())
            });
            kept.expect("prepared");
        }
        prune_all(&store, at);
        let [sessions, terms, claims] = hot();
        let few = sessions <= 3 * each_day && terms <= 3 * each_day && claims <= 9 * each_day;
        assert!(few, "{sessions} sessions, {terms} terms, {claims} claims");
    }
    let end = START + 40 * DAY;
    prune_all(&store, end);
    assert_eq!(hot(), [0, 0, 0]);
    assert_eq!(warm(), before, "every table that is not cold has its size of before");
    let references = (30 * each_day).div_ceil(2);
    let cold: Vec<u64> =
        sizes().into_iter().filter(|(table, _)| is_cold(table)).map(|(_, rows)| rows).collect();
    // Claims, terms, and no tokens.
    assert_eq!(cold.iter().filter(|rows| **rows == references).count(), 2, "{cold:?}");
    assert_eq!(cold.iter().sum::<u64>(), 2 * references);
    assert_eq!(prune_all(&store, end), 0);

    for number in [0, 2, 30 * each_day / 4 * 2] {
        let first = START + (number / each_day) as i64 * DAY;
        let answer = ask(&store, number, "terms", end).expect("the first answer");
        let life = policy().session_life_ms;
        let id = auth_id(&answer);
        assert_eq!(answer, format!("{id} {}", first + life).into_bytes(), "byte for byte the first one");
        let (session, terms) = session(&store, &id);
        assert_eq!(session.expect("it is open again").expires_at, Timestamp(end + life));
        assert_eq!(terms.expect("the first call's terms").created_at, Timestamp(first));
        let other = ask(&store, number, "other terms", end);
        assert!(matches!(other, Err(Stop::Refused(Refusal::ReferenceReused))), "{other:?}");
    }
}

#[test]
fn a_session_that_was_opened_again_can_be_pruned_and_opened_again() {
    on_every_store(|shelf| {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        let first = ask(&*store, 1, "terms", START).expect("an answer");
        let id = auth_id(&first);
        for round in 1..4 {
            let at = START + round * 20 * DAY;
            assert!(prune_all(&*store, at) > 0);
            assert_eq!(session(&*store, &id), (None, None));
            assert_eq!(ask(&*store, 1, "terms", at).expect("an answer"), first);
            let (session, terms) = session(&*store, &id);
            assert_eq!(session.map(|session| session.stage), Some(SessionStage::Open));
            assert_eq!(terms.map(|terms| terms.created_at), Some(Timestamp(START)));
        }
    });
}

#[test]
fn a_decided_session_is_not_opened_again_after_it_was_pruned() {
    on_every_store(|shelf| {
        let store: Arc<dyn Store> = Arc::new(shelf.open());
        let first = ask(&*store, 1, "terms", START).expect("an answer");
        let id = auth_id(&first);
        let refused = id.clone();
        let kept: Ruled<()> = store::transact(&*store, move |tx| {
            let session = tx.session(&refused)?.expect("a session");
            tx.update_session(&Session { stage: SessionStage::Refused { at: Timestamp(START) }, ..session })?;
            Ok(tx.insert_consent(&Consent {
                auth_id: refused.clone(),
                decision: Decision::Refuse,
                customer: None,
                text_digest: Digest::of("text"),
                language: Language::English,
                version: "1".into(),
                at: Timestamp(START),
                address: "127.0.0.1".into(),
            })?)
        });
        kept.expect("refused");
        prune_all(&*store, START + 29 * DAY);
        assert!(session(&*store, &id).0.is_some(), "its page still shows the outcome");
        let at = START + 31 * DAY;
        prune_all(&*store, at);
        assert_eq!(ask(&*store, 1, "terms", at).expect("an answer"), first);
        assert_eq!(session(&*store, &id), (None, None));
    });
}

/// A house whose calls are the same in every house: same times, same chance.
struct Street {
    house: House,
    calls: u64,
}

impl Street {
    fn call(&mut self, speech: Speech, operation: &str, body: &Value, at: i64) -> Value {
        self.calls += 1;
        let [who, _] = speech.clients();
        let time = format_seconds(at, 3 * 3_600);
        let request = who.request(&speech.target(operation), body.to_string().as_bytes(), &time);
        let told = self.house.answer(&request, &moment(at, self.calls), Twist::default());
        serde_json::from_slice(&told.answer.body).expect("JSON")
    }
}

#[test]
fn old_codes_and_tokens_are_answered_as_if_nothing_had_been_pruned() {
    for speech in [Speech::Qi, Speech::AlipayPlus] {
        on_every_store(|shelf| {
            let store: Arc<dyn Store> = Arc::new(shelf.open());
            let unpruned: Arc<dyn Store> = Arc::new(Shelf::Model.open());
            let [unpruned, pruned] = [(unpruned, false), (store, true)].map(|(store, prune)| {
                let mut street = Street { house: House::new(store.clone()), calls: 0 };
                let mut at = START;
                let answer = street.call(speech, "prepare", &speech.prepare("ref-1"), at);
                let id = AuthId::read(&speech.auth_id(&answer)).expect("an id");
                let decided = street.house.decide(&id, RICH, true, &moment(at, 99));
                let accord_core::agreement::decide::Decided::Approved { code, .. } = decided else {
                    panic!("not approved");
                };
                let mut pairs = Vec::new();
                let mut granted = street.call(speech, "applyToken", &speech.apply(code.reveal()), at);
                for _ in 0..3 {
                    pairs.push((text(&granted, "accessToken"), text(&granted, "refreshToken")));
                    at += DAY;
                    let refresh = speech.refresh(&pairs.last().expect("a pair").1);
                    granted = street.call(speech, "applyToken", &refresh, at);
                }
                let newest = text(&granted, "accessToken");
                street.call(speech, "pay", &speech.pay(&newest, "pay-1", "IQD", "1000"), at);
                at += 45 * DAY;
                assert!(!prune || prune_all(&*store, at) > 3);
                let mut said = Vec::new();
                for ended in [false, true] {
                    for (number, (access, refresh)) in pairs.iter().enumerate() {
                        let fresh = format!("pay-{ended}-{number}");
                        for (operation, body) in [
                            ("applyToken", speech.refresh(refresh)),
                            ("pay", speech.pay(access, &fresh, "IQD", "1000")),
                            ("pay", speech.pay(access, "pay-1", "IQD", "1000")),
                        ] {
                            said.push(street.call(speech, operation, &body, at));
                        }
                    }
                    said.push(street.call(speech, "applyToken", &speech.apply(code.reveal()), at));
                    said.push(street.call(speech, "cancelToken", &speech.cancel(&pairs[0].0), at));
                    said.push(street.call(speech, "prepare", &speech.prepare("ref-1"), at + MINUTE));
                    at += 45 * DAY;
                    assert!(!prune || ended || prune_all(&*store, at) > 0);
                }
                said.iter().map(Value::to_string).collect::<Vec<_>>()
            });
            assert_eq!(unpruned, pruned, "{}", speech.name());
            let kinds: BTreeSet<String> = pruned
                .iter()
                .map(|answer| result_code(&serde_json::from_str(answer).expect("JSON")).to_owned())
                .collect();
            assert!(kinds.contains("SUCCESS") && kinds.len() > 3, "the calls say something: {kinds:?}");
        });
    }
}
