//! The last law: a seeded script of random acts gives the same answers on the model store and on this one.
//!
//! Ids come from a small pool, so that acts meet each other's rows: conflicts, missing rows, lists that fill.
//! `ACCORD_SEED` plays one seed; a failure names the seed and the act.

use super::samples::*;
use super::see;
use crate::model::ModelStore;
use accord_core::agreement::Agreement;
use accord_core::ledger::Posting;
use accord_core::moment::{Moment, Random, Timestamp};
use accord_core::notification::NotificationState;
use accord_core::outcome::{Refusal, Stop};
use accord_core::payment::Resolution;
use accord_core::store::{self, Rows, Store, StoreFault, Stored, Tx};
use accord_core::token::TokenSet;
use accord_core::user::User;
use std::sync::{Arc, Mutex};

const SEEDS: std::ops::Range<u64> = 1..4;
const TRANSACTIONS: u32 = 150;
const POOL: u32 = 9;

/// Plays the script on both and compares every answer, every end, and the whole state.
pub fn random_acts_have_the_same_end_on_the_model_store(store: &dyn Store) {
    let asked = std::env::var("ACCORD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = asked.map_or(SEEDS, |seed| seed..seed + 1);
    // The seeds run on one store, one after the other: each begins with what the last one left.
    let model = ModelStore::new();
    for seed in seeds {
        println!("seed {seed}");
        let mut dice = dice(seed);
        for number in 0..TRANSACTIONS {
            let acts: Vec<Act> = (0..=dice.below(7)).map(|_| Act::draw(&mut dice)).collect();
            let kept = dice.below(4) > 0;
            let on_model = play(&model, acts.clone(), kept);
            let on_store = play(store, acts.clone(), kept);
            assert_eq!(on_model, on_store, "seed {seed}, transaction {number}: {acts:?}, kept: {kept}");
            if number % 10 == 9 {
                let (left, right) = (see(&model, state), see(store, state));
                for (left, right) in left.iter().zip(&right) {
                    assert_eq!(left, right, "seed {seed}, after transaction {number}");
                }
                assert_eq!(left.len(), right.len());
            }
        }
    }
}

fn dice(seed: u64) -> Random {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    Moment::new(Timestamp(0), bytes).random("script")
}

/// One act: which, on what row, with what content.
#[derive(Debug, Clone, Copy)]
struct Act {
    kind: u32,
    row: u32,
    other: u32,
    rich: bool,
}

/// The kinds of acts in [`perform`].
const KINDS: u32 = 34;

impl Act {
    fn draw(dice: &mut Random) -> Act {
        let (kind, row, other) = (dice.below(KINDS), dice.below(POOL), dice.below(POOL));
        Act { kind, row, other, rich: dice.below(2) == 1 }
    }
}

/// Runs acts as one transaction; gives each act's answer and the end. A rule goes on after a fault.
fn play(store: &dyn Store, acts: Vec<Act>, kept: bool) -> Vec<String> {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let told = answers.clone();
    let end = store::transact::<()>(store, move |tx| {
        let mut said: Vec<String> = acts.iter().map(|act| plain(perform(tx, *act))).collect();
        if let Ok(mut told) = told.lock() {
            told.clear();
            told.append(&mut said);
        }
        if kept { Ok(()) } else { Err(Refusal::CodeUsed.into()) }
    });
    let mut answers = answers.lock().map(|answers| answers.clone()).unwrap_or_default();
    answers.push(match end {
        Ok(()) => "kept".to_owned(),
        Err(Stop::Refused(refusal)) => format!("refused: {refusal}"),
        Err(Stop::Fault(why)) => plain(Err(why)),
    });
    answers
}

/// An answer without the words in which a store tells of a fault.
fn plain(answer: Stored<String>) -> String {
    match answer {
        Ok(answer) => answer,
        Err(StoreFault::Conflict(_)) => "conflict".to_owned(),
        Err(StoreFault::Corrupt(_)) => "corrupt".to_owned(),
        Err(StoreFault::Unavailable(why)) => format!("unavailable: {why}"),
        Err(StoreFault::Unknown(why)) => format!("unknown: {why}"),
    }
}

fn pick<T: Clone>(all: &[T], number: u32) -> T {
    all[number as usize % all.len()].clone()
}

fn perform(tx: &mut dyn Tx, Act { kind, row, other, rich }: Act) -> Stored<String> {
    let done = match kind {
        0 => tx.put_client(&client(row, rich)),
        1 => tx.put_client_key(&client_key(row, &other.to_string(), rich)),
        2 => tx.insert_user(&User { login_id: login_id(other), ..user(row, rich) }),
        3 => tx.update_user(&user(row, rich)),
        4 => tx.put_pin_guard(&pin_guard(row, rich)),
        5 => tx.insert_prepare_claim(&prepare_claim(row, rich)),
        6 => tx.insert_terms(&terms(row, rich)),
        7 => tx.insert_session(&session(row, pick(&session_stages(), other), rich)),
        8 => tx.update_session(&session(row, pick(&session_stages(), other), rich)),
        9 => tx.insert_consent(&consent(row, rich)),
        10 => tx.insert_agreement(&agreement(row, other, pick(&agreement_stages(), other), rich)),
        11 => {
            // With the authorization and the user of another, which change nothing.
            let (auth_id, customer) = (auth_id(other), customer_id(other));
            let stage = pick(&agreement_stages(), other);
            tx.update_agreement(&Agreement { auth_id, customer, ..agreement(row, row, stage, rich) })
        }
        12 => tx.insert_code(&code(row, rich)),
        13 => tx.remove_code(bucket(row), &digest("code", row)),
        14 => tx.insert_token_set(&crossed(row, other, rich)),
        15 => tx.update_token_set(&crossed(row, other, rich)),
        16 => tx.insert_payment_claim(&payment_claim(row, other)),
        17 => tx.insert_payment(&payment(row, pick(&payment_stages(), other), script(other), rich)),
        18 => tx.update_payment(&payment(row, pick(&payment_stages(), other), script(row), rich)),
        19 => tx.put_account(&account(row, pick(&["IQD", "USD", "JPY"], other), i64::from(other))),
        20 => {
            let (posting, entries) = posting(row, rich);
            // An id is minted with its time.
            tx.insert_posting(&Posting { at: Timestamp(i64::from(row)), ..posting }, &entries)
        }
        21 => tx.insert_notification(&notification(row, state_of(other), i64::from(other), rich)),
        22 => tx.update_notification(&notification(row, state_of(other), i64::from(other), rich)),
        23 => tx.insert_attempt(&attempt(row, other, rich)),
        24 => tx.insert_message(&message(row, other % 3, other, rich)),
        25 => tx.insert_journal(&journal_line(row, pick(&["it", "she"], other), rich)),
        26 => tx.put_setting(&row.to_string(), &other.to_string()),
        // Reads in the middle of a transaction.
        30 => tx.insert_refund_claim(&refund_claim(row, other)),
        31 => tx.insert_refund(&refund(row, row, i64::from(other), pick(&refund_stages(), other), rich)),
        32 => tx.update_refund(&refund(row, row, i64::from(other), pick(&refund_stages(), other / 2), rich)),
        33 => tx.insert_closed_order(&closed_order(row, i64::from(other))),
        27 => return Ok(format!("{:?}", tx.due_targets(Timestamp(i64::from(other)), 2)?)),
        28 => return Ok(format!("{:?}", tx.agreements_of(&customer_id(row), 3)?)),
        _ => return Ok(format!("{:?}", tx.payments_to_resolve(Timestamp(i64::from(other)), 3)?)),
    };
    done.map(|()| "done".to_owned())
}

/// A pair that may share a digest with another generation of its agreement.
fn crossed(row: u32, other: u32, rich: bool) -> TokenSet {
    let twin = token_set(row, other % 2, rich);
    TokenSet { access_digest: twin.access_digest, ..token_set(row, other % 3, rich) }
}

fn script(other: u32) -> Option<Resolution> {
    (!other.is_multiple_of(3))
        .then_some(Resolution { due_at: Timestamp(i64::from(other)), succeed: other.is_multiple_of(2) })
}

fn state_of(other: u32) -> NotificationState {
    // Most are pending, so that there is something due.
    if other.is_multiple_of(3) { pick(NotificationState::ALL, other) } else { NotificationState::Pending }
}

/// Everything that can be asked, as text.
fn state(rows: &dyn Rows) -> Stored<Vec<String>> {
    // These come in an order of the store's own.
    let (mut payments, mut refunds) = (rows.payments_after(None, 99)?, rows.refunds_after(None, 99)?);
    let mut postings = rows.postings_after(None, 99)?;
    payments.sort_by(|one, other| one.id.cmp(&other.id));
    refunds.sort_by(|one, other| one.id.cmp(&other.id));
    postings.sort_by(|one, other| one.id.cmp(&other.id));
    let mut said = vec![
        format!("{:?}", (rows.clients()?, rows.client_keys()?, rows.users(5)?)),
        format!("{:?}", (payments, rows.next_payment_to_resolve()?)),
        format!("{:?}", (refunds, rows.next_refund_to_resolve()?)),
        format!("{:?}", (rows.accounts_after(None, 99)?, postings)),
        format!("{:?}", (rows.notifications(5)?, rows.next_notification_due()?)),
        format!("{:?}", (rows.journal_of(bucket(0), "it")?, rows.journal_of(bucket(1), "she")?)),
    ];
    for number in 0..POOL {
        let customer = customer_id(number);
        let at = Timestamp(i64::from(number));
        said.push(format!("{:?}", (rows.client(&client_id(number))?, rows.customer_of(&login_id(number))?)));
        said.push(format!("{:?}", (rows.user(&customer)?, rows.pin_guard(bucket(number), "login:1")?)));
        said.push(format!("{:?}", rows.prepare_claim(bucket(number), &digest("key", number))?));
        said.push(format!("{:?}", (rows.terms(&auth_id(number))?, rows.session(&auth_id(number))?)));
        said.push(format!("{:?}", (rows.consent(&auth_id(number))?, rows.agreement(&agreement_id(number))?)));
        said.push(format!("{:?}", rows.agreements_of(&customer, 3)?));
        said.push(format!("{:?}", rows.code(bucket(number), &digest("code", number))?));
        for generation in 0..3 {
            let access = digest(&format!("access/{generation}"), number);
            let refresh = digest(&format!("refresh/{generation}"), number);
            said.push(format!("{:?}", rows.token_set(&agreement_id(number), generation)?));
            said.push(format!("{:?}", rows.token_set_by_access(bucket(number), &access)?));
            said.push(format!("{:?}", rows.token_set_by_refresh(bucket(number), &refresh)?));
        }
        said.push(format!("{:?}", rows.payment_claim(&owner(number), &request_id(number))?));
        said.push(format!("{:?}", (rows.payment(&payment_id(number))?, rows.payments_to_resolve(at, 3)?)));
        said.push(format!("{:?}", (rows.accounts_of(&customer)?, rows.messages(&customer, 3)?)));
        let claim = refund_claim(number, number);
        said.push(format!("{:?}", rows.refund_claim(&claim.owner, &claim.request_id)?));
        said.push(format!(
            "{:?}",
            (rows.refunds_of(&payment_id(number), 3)?, rows.refund(&refund_id(number))?)
        ));
        said.push(format!("{:?}", rows.closed_order(&owner(number), &request_id(number))?));
        let row = rows.posting(&posting_id(number))?;
        let entries = row.as_ref().map(|row| rows.entries_of(row)).transpose()?;
        said.push(format!("{:?}", (row, entries)));
        said.push(format!("{:?}", (rows.notification(&notification_id(number))?, rows.due_targets(at, 2)?)));
        said.push(format!(
            "{:?}",
            rows.due_notifications(&format!("host-{}.example:443", number % 3), at, 2)?
        ));
        said.push(format!(
            "{:?}",
            (rows.attempts(&notification_id(number))?, rows.setting(&number.to_string())?)
        ));
    }
    Ok(said)
}
