//! When silence frees a user who wants to end an agreement: three questions without an answer within 24 hours.

mod stores;

use accord_core::agreement::AgreementStage;
use accord_core::agreement::unbind::{Consulted, Unbound, by_user};
use accord_core::secret::DerivationKeys;
use accord_core::store;
use accord_core::voice::Context;
use accord_core::{Moment, Timestamp};
use accord_testkit::laws::samples::{agreement, agreement_id, customer_id, terms, user};
use accord_wire::qi::{Config, Qi};
use std::collections::BTreeMap;
use stores::{Shelf, on_every_store};

const FREES: Consulted = Consulted::Unknown { silence_frees: true };
const HOLDS: Consulted = Consulted::Unknown { silence_frees: false };

/// Plays answers at hours; gives what came of each: `ended`, `no`, or how many silences count.
fn play(shelf: Shelf, answers: &[(i64, Consulted)]) -> Vec<String> {
    let model = shelf.open();
    store::transact(&model, |tx| {
        tx.insert_user(&user(1, false))?;
        tx.insert_terms(&terms(1, false))?;
        Ok(tx.insert_agreement(&agreement(1, 1, AgreementStage::Active, false))?)
    })
    .expect("an agreement");
    let mut said = Vec::new();
    for (hour, answer) in answers.iter().copied() {
        let unbound = store::transact(&model, move |tx| {
            let keys = DerivationKeys::new(BTreeMap::from([(1, [1; 32])])).expect("a key");
            let voice = Qi::new(Config::new("https://wallet.example"));
            let at = Moment::new(Timestamp(hour * 3_600_000), [7; 32]);
            by_user(tx, &agreement_id(1), answer, Context { keys: &keys, voice: &*voice }, &at)
        });
        said.push(match unbound.expect("an end") {
            Unbound::Ended(_) => "ended".to_owned(),
            Unbound::NotAllowed(_) => "no".to_owned(),
            Unbound::TryLater { silences, .. } => silences.to_string(),
            Unbound::NotFound => "not found".to_owned(),
        });
    }
    let messages = store::look(&model, |rows| rows.messages(&customer_id(1), 9)).expect("messages");
    assert_eq!(messages.len(), usize::from(said.iter().any(|word| word == "ended")), "the user is told once");
    said
}

#[test]
fn three_silences_within_a_day_free_the_user() {
    on_every_store(|shelf| {
        assert_eq!(
            play(shelf, &[(0, FREES), (1, FREES), (23, FREES), (30, FREES)]),
            ["1", "2", "ended", "ended"]
        );
        // The window moves with the newest question; exactly a day ago no longer counts.
        assert_eq!(
            play(shelf, &[(0, FREES), (23, FREES), (24, FREES), (46, FREES)]),
            ["1", "2", "2", "ended"]
        );
    });
}

#[test]
fn an_answer_ends_the_counting_and_a_yes_ends_the_agreement() {
    on_every_store(|shelf| {
        let no = Consulted::NotAllowed;
        assert_eq!(
            play(shelf, &[(0, FREES), (1, FREES), (2, no), (3, FREES), (4, no)]),
            ["1", "2", "no", "1", "no"]
        );
        assert_eq!(play(shelf, &[(0, FREES), (1, Consulted::Allowed)]), ["1", "ended"]);
        assert_eq!(play(shelf, &[(0, Consulted::NotAsked), (1, no)]), ["ended", "ended"]);
    });
}

#[test]
fn where_silence_does_not_free_it_never_does() {
    on_every_store(|shelf| {
        let silences: Vec<_> = (0..6).map(|hour| (hour, HOLDS)).collect();
        assert_eq!(play(shelf, &silences), ["1", "2", "3", "3", "3", "3"]);
    });
}
