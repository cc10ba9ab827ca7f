//! Keys: what is unique, what an insert, an update and a put do.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::agreement::{Agreement, AgreementStage, SessionStage};
use accord_core::ids::CustomerId;
use accord_core::notification::NotificationState::Pending;
use accord_core::payment::PaymentStage::InProcess;
use accord_core::store::{Store, StoreFault, Stored, Tx};
use accord_core::token::TokenSet;
use accord_core::user::{User, UserStatus};

type Act = fn(&mut dyn Tx) -> Stored<()>;

fn insert_twice_acts() -> Vec<(&'static str, Act)> {
    vec![
        ("user", |tx| tx.insert_user(&user(1, false))),
        ("prepare claim", |tx| tx.insert_prepare_claim(&prepare_claim(1, false))),
        ("terms", |tx| tx.insert_terms(&terms(1, false))),
        ("session", |tx| tx.insert_session(&session(1, SessionStage::Open, false))),
        ("consent", |tx| tx.insert_consent(&consent(1, false))),
        ("agreement", |tx| tx.insert_agreement(&agreement(1, 1, AgreementStage::Active, false))),
        ("code", |tx| tx.insert_code(&code(1, false))),
        ("token set", |tx| tx.insert_token_set(&token_set(1, 1, false))),
        ("payment claim", |tx| tx.insert_payment_claim(&payment_claim(1, 1))),
        ("payment", |tx| tx.insert_payment(&payment(1, InProcess, None, false))),
        ("posting", |tx| tx.insert_posting(&posting(1, true).0, &posting(1, true).1)),
        ("notification", |tx| tx.insert_notification(&notification(1, Pending, 1, false))),
        ("attempt", |tx| tx.insert_attempt(&attempt(1, 1, false))),
        ("journal line", |tx| tx.insert_journal(&journal_line(1, "subject", false))),
    ]
}

/// An insert of a key that exists is a conflict, in the same transaction and in a later one.
pub fn a_key_is_inserted_once(store: &dyn Store) {
    for (what, insert) in insert_twice_acts() {
        keep(store, move |tx| {
            insert(tx)?;
            let again = insert(tx);
            assert!(matches!(again, Err(StoreFault::Conflict(_))), "{what}, same transaction: {again:?}");
            Ok(())
        });
        let again = end_of(store, insert);
        assert!(matches!(again, Err(StoreFault::Conflict(_))), "{what}, later: {again:?}");
    }
}

/// A rule may go on after a conflict; the act that met it has written nothing.
pub fn a_conflict_inside_an_act_leaves_nothing_of_it(store: &dyn Store) {
    keep(store, |tx| {
        tx.insert_user(&user(1, false))?;
        // Another id, the same login id; then the same id, another login id.
        let same_login = User { id: customer_id(2), ..user(1, false) };
        assert!(matches!(tx.insert_user(&same_login), Err(StoreFault::Conflict(_))));
        let same_id = User { login_id: login_id(2), ..user(1, false) };
        assert!(matches!(tx.insert_user(&same_id), Err(StoreFault::Conflict(_))));
        // Two lines of one number.
        let (row, mut entries) = posting(1, true);
        entries[1].line = 0;
        assert!(matches!(tx.insert_posting(&row, &entries), Err(StoreFault::Conflict(_))));
        Ok(())
    });
    see(store, |rows| {
        assert_eq!(rows.user(&customer_id(2))?, None);
        assert_eq!(rows.customer_of(&login_id(2))?, None);
        assert_eq!(rows.customer_of(&login_id(1))?, Some(customer_id(1)));
        assert_eq!(rows.posting(&posting_id(1))?, None);
        assert_eq!(rows.entries_of(&posting(1, true).0)?, vec![]);
        Ok(())
    });
}

/// An update of a key that does not exist is corruption, and creates nothing.
pub fn an_update_of_what_is_not_there_is_corruption(store: &dyn Store) {
    let updates: Vec<(&str, Act)> = vec![
        ("user", |tx| tx.update_user(&user(1, false))),
        ("session", |tx| tx.update_session(&session(1, SessionStage::Open, false))),
        ("agreement", |tx| tx.update_agreement(&agreement(1, 1, AgreementStage::Active, false))),
        ("token set", |tx| tx.update_token_set(&token_set(1, 1, false))),
        ("payment", |tx| tx.update_payment(&payment(1, InProcess, None, false))),
        ("notification", |tx| tx.update_notification(&notification(1, Pending, 1, false))),
    ];
    for (what, update) in updates {
        let end = end_of(store, update);
        assert!(matches!(end, Err(StoreFault::Corrupt(_))), "{what}: {end:?}");
    }
    super::lists::an_empty_store_has_nothing(store);
}

/// A put creates, and replaces what is there.
pub fn a_put_replaces(store: &dyn Store) {
    for rich in [false, true] {
        keep(store, move |tx| {
            tx.put_client(&client(1, rich))?;
            tx.put_client_key(&client_key(1, "1", rich))?;
            tx.put_pin_guard(&pin_guard(1, rich))?;
            tx.put_account(&account(1, "IQD", i64::from(rich)))?;
            tx.put_setting("name", if rich { "rich" } else { "poor" })
        });
    }
    see(store, |rows| {
        assert_eq!(rows.clients()?, vec![client(1, true)]);
        assert_eq!(rows.client_keys()?, vec![client_key(1, "1", true)]);
        assert_eq!(rows.pin_guard(bucket(1), "login:1")?, Some(pin_guard(1, true)));
        assert_eq!(rows.accounts_of(&customer_id(1))?, vec![account(1, "IQD", 1)]);
        assert_eq!(rows.setting("name")?.as_deref(), Some("rich"));
        Ok(())
    });
}

/// An update replaces status, PIN hash, qualification and language of a user, nothing else.
pub fn an_update_of_a_user_keeps_login_and_age(store: &dyn Store) {
    keep(store, |tx| {
        tx.insert_user(&user(1, false))?;
        tx.update_user(&User { login_id: login_id(9), created_at: time(true), ..user(1, true) })
    });
    see(store, |rows| {
        assert_eq!(rows.user(&customer_id(1))?, Some(user(1, true)));
        assert_eq!(rows.customer_of(&login_id(1))?, Some(customer_id(1)));
        assert_eq!(rows.customer_of(&login_id(9))?, None);
        assert_eq!(rows.users(9)?, vec![User { status: UserStatus::Frozen, ..user(1, true) }]);
        Ok(())
    });
}

/// Two pairs in one bucket never share a digest; an update moves the digest that leads to its pair.
pub fn digests_are_unique_in_their_bucket(store: &dyn Store) {
    keep(store, |tx| {
        tx.insert_token_set(&token_set(1, 1, false))?;
        let first = token_set(1, 1, false);
        let same_access = TokenSet { access_digest: first.access_digest, ..token_set(1, 2, false) };
        assert!(matches!(tx.insert_token_set(&same_access), Err(StoreFault::Conflict(_))));
        let same_refresh = TokenSet { refresh_digest: first.refresh_digest, ..token_set(1, 2, false) };
        assert!(matches!(tx.insert_token_set(&same_refresh), Err(StoreFault::Conflict(_))));
        assert_eq!(tx.token_set(&agreement_id(1), 2)?, None);

        tx.insert_token_set(&token_set(1, 2, false))?;
        assert!(matches!(tx.update_token_set(&same_access), Err(StoreFault::Conflict(_))));
        assert_eq!(tx.token_set(&agreement_id(1), 2)?, Some(token_set(1, 2, false)));

        let moved = TokenSet { access_digest: digest("new", 1), ..first.clone() };
        tx.update_token_set(&moved)?;
        assert_eq!(tx.token_set_by_access(bucket(1), &first.access_digest)?, None);
        assert_eq!(tx.token_set_by_access(bucket(1), &moved.access_digest)?, Some(moved.clone()));
        assert_eq!(tx.token_set_by_refresh(bucket(1), &first.refresh_digest)?, Some(moved));
        Ok(())
    });
    // Another bucket is another world.
    see(store, |rows| {
        assert_eq!(rows.token_set_by_refresh(bucket(2), &token_set(1, 1, false).refresh_digest)?, None);
        assert_eq!(rows.code(bucket(2), &digest("code", 1))?, None);
        Ok(())
    });
}

/// An agreement is unique by its authorization too, and a refused one is in nobody's list.
pub fn an_authorization_becomes_one_agreement(store: &dyn Store) {
    keep(store, |tx| {
        let first = agreement(1, 1, AgreementStage::Consented, false);
        tx.insert_agreement(&first)?;
        // Number 5 shares the bucket of number 1.
        let second =
            Agreement { auth_id: first.auth_id, ..agreement(5, 2, AgreementStage::Consented, false) };
        assert!(matches!(tx.insert_agreement(&second), Err(StoreFault::Conflict(_))));
        assert_eq!(tx.agreement(&second.id)?, None);
        assert_eq!(tx.agreements_of(&customer_id(2), 9)?, vec![]);
        Ok(())
    });
}

/// One message for each payment and channel: a second one changes nothing and is no fault.
pub fn the_second_message_about_a_payment_is_silently_the_first(store: &dyn Store) {
    let first = message(1, 1, 1, false);
    let second = message(2, 1, 1, true);
    let other = message(3, 1, 5, true);
    for row in [first.clone(), second, other.clone()] {
        keep(store, move |tx| tx.insert_message(&row));
    }
    let customer: CustomerId = customer_id(1);
    let seen = see(store, move |rows| rows.messages(&customer, 9));
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen.contains(&first) && seen.contains(&other), "{seen:?}");
}
