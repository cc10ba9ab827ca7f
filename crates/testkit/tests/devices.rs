//! Signed-in devices and preferences: the rules, on the model store.

mod stores;

use accord_core::agreement::EndedBy;
use accord_core::device::{self, Device, Lives, MOST, Origin};
use accord_core::message::routes::{Carrier, MessagePolicy};
use accord_core::message::{self, About, Kind};
use accord_core::preference::{self, Choice, Chosen};
use accord_core::secret::Secret;
use accord_core::store::{Rows, Store, Tx, look, transact};
use accord_core::user::{Language, User, UserStatus};
use accord_core::{Moment, Refusal, Ruled, Stop, Timestamp};
use accord_testkit::laws::samples::{agreement_id, customer_id, login_id, user};
use stores::{Opened, Shelf, on_every_store};

/// Two minutes without use, an hour in all: a deployment's choice, and not the defaults.
const LIVES: Lives = Lives { idle_ms: 120_000, life_ms: 3_600_000 };

fn at(millis: i64) -> Moment {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&millis.to_be_bytes());
    Moment::new(Timestamp(millis), seed)
}

fn act<T: Send + 'static>(
    store: &dyn Store,
    rule: impl FnMut(&mut dyn Tx) -> Ruled<T> + Send + 'static,
) -> Ruled<T> {
    transact(store, rule)
}

fn see<T: Send + 'static>(
    store: &dyn Store,
    of: impl FnOnce(&dyn Rows) -> accord_core::store::Stored<T> + Send + 'static,
) -> T {
    look(store, of).expect("a look")
}

fn house(shelf: Shelf) -> Opened {
    let store = shelf.open();
    act(&store, |tx| {
        for number in [1, 2] {
            tx.insert_user(&User { status: UserStatus::Active, ..user(number, false) })?;
        }
        Ok(())
    })
    .expect("users");
    store
}

fn sign_in(store: &dyn Store, number: u32, now: i64, before: Option<&Device>) -> (Device, Secret) {
    let origin = Origin {
        address: "192.0.2.1".into(),
        user_agent: format!("Browser\r\n{}", "x".repeat(900)),
        until: None,
    };
    let before = before.map(|device| device.id.clone());
    act(store, move |tx| {
        device::sign_in(tx, &customer_id(number), &origin, before.as_ref(), &LIVES, &at(now))
    })
    .expect("a sign-in")
}

fn lives(store: &dyn Store, token: &Secret, now: i64) -> bool {
    let token = token.clone();
    see(store, move |rows| device::find(rows, &token, &LIVES, Timestamp(now))).is_some()
}

#[test]
fn a_sign_in_ends_when_it_is_not_used_and_when_it_is_old() {
    on_every_store(|shelf| {
        let store = house(shelf);
        let (idle, token) = sign_in(&store, 1, 0, None);
        assert!(idle.user_agent.starts_with("Browserx") && idle.user_agent.len() == 256);
        assert!(lives(&store, &token, LIVES.idle_ms - 1));
        assert!(!lives(&store, &token, LIVES.idle_ms));
        let mut now = 0;
        while now < LIVES.life_ms {
            assert!(lives(&store, &token, now), "{now}");
            let id = idle.id.clone();
            act(&store, move |tx| device::touch(tx, &id, &LIVES, &at(now))).expect("a touch");
            now += LIVES.idle_ms - 1;
        }
        assert!(!lives(&store, &token, LIVES.life_ms));
        let id = idle.id;
        act(&store, move |tx| device::touch(tx, &id, &LIVES, &at(LIVES.life_ms))).expect("a touch");
        assert!(!lives(&store, &token, LIVES.life_ms), "what is over is not woken");
    });
}

#[test]
fn only_the_whole_token_is_a_token_and_a_new_sign_in_ends_the_one_before() {
    on_every_store(|shelf| {
        let store = house(shelf);
        let (first, token) = sign_in(&store, 1, 0, None);
        let id = first.id.as_str();
        for forged in [
            "",
            ".",
            id,
            &format!("{id}."),
            &format!("{id}.{}", "0".repeat(64)),
            &format!("x{}", token.reveal()),
        ] {
            assert!(!lives(&store, &Secret::new(forged), 1), "{forged}");
        }
        let (second, newer) = sign_in(&store, 1, 1, Some(&first));
        assert_ne!(first.id, second.id);
        assert!(!lives(&store, &token, 2), "the token from before the sign-in is worth nothing");
        assert!(lives(&store, &newer, 2));
        assert_eq!(see(&store, |rows| rows.devices_of(&customer_id(1), 9)), vec![second]);
    });
}

#[test]
fn a_user_has_so_many_devices_and_the_one_seen_longest_ago_gives_way() {
    on_every_store(|shelf| {
        let store = house(shelf);
        let tokens: Vec<Secret> =
            (0..=MOST as i64).map(|number| sign_in(&store, 1, number, None).1).collect();
        assert_eq!(see(&store, |rows| rows.devices_of(&customer_id(1), usize::MAX)).len(), MOST);
        let living: Vec<bool> = tokens.iter().map(|token| lives(&store, token, 100)).collect();
        assert!(!living[0] && living[1..].iter().all(|lives| *lives), "{living:?}");
    });
}

#[test]
fn nobody_signs_out_anothers_device() {
    on_every_store(|shelf| {
        let store = house(shelf);
        let ((mine, token), (theirs, _)) = (sign_in(&store, 1, 0, None), sign_in(&store, 2, 0, None));
        let (wanted, others) = (mine.id.clone(), theirs.id);
        let foreign = act(&store, move |tx| device::sign_out(tx, &customer_id(2), &wanted, &at(1)));
        assert_eq!(foreign.ok(), Some(false));
        assert!(lives(&store, &token, 2));
        let kept = mine.id.clone();
        sign_in(&store, 1, 2, None);
        let ended =
            act(&store, move |tx| device::sign_out_all(tx, &customer_id(1), Some(&kept), "me", &at(3)));
        assert_eq!(ended.ok(), Some(1));
        assert!(lives(&store, &token, 4));
        let id = mine.id;
        let ended = act(&store, move |tx| device::sign_out(tx, &customer_id(1), &id, &at(5)));
        assert_eq!(ended.ok(), Some(true));
        assert!(!lives(&store, &token, 6));
        assert!(see(&store, move |rows| rows.device(&others)).is_some());
    });
}

#[test]
fn a_frozen_user_is_signed_out_and_cannot_sign_in() {
    on_every_store(|shelf| {
        let store = house(shelf);
        let (_, token) = sign_in(&store, 1, 0, None);
        act(&store, |tx| {
            let user = tx.user(&customer_id(1))?.expect("a user");
            Ok(tx.update_user(&User { status: UserStatus::Frozen, ..user })?)
        })
        .expect("frozen");
        assert!(!lives(&store, &token, 1));
        let origin = Origin { address: String::new(), user_agent: String::new(), until: None };
        let again =
            act(&store, move |tx| device::sign_in(tx, &customer_id(1), &origin, None, &LIVES, &at(2)));
        assert!(matches!(again, Err(Stop::Refused(Refusal::UserFrozen))), "{again:?}");
    });
}

#[test]
fn a_message_is_carried_as_its_user_chose_and_as_the_deployment_does_until_then() {
    on_every_store(|shelf| {
        let store = house(shelf);
        let carriers = |store: &Opened, number: u32| {
            act(store, move |tx| {
                let user = tx.user(&customer_id(1))?.expect("a user");
                let (agreement, merchant) = (agreement_id(number), "Shop".to_owned());
                let about = About::Ended { agreement, merchant, by: EndedBy::User };
                Ok(message::tell(tx, &at(i64::from(number)), &user, about, &MessagePolicy::held())?)
            })
            .expect("told");
            let mut told = see(store, |rows| rows.deliveries_of(&customer_id(1), 99));
            told.retain(|delivery| delivery.subject == agreement_id(number).as_str());
            told.sort_by_key(|delivery| delivery.carrier);
            told.into_iter().map(|delivery| (delivery.carrier, delivery.to)).collect::<Vec<_>>()
        };
        let choose = |store: &Opened, email: Option<&str>, all: Option<&[(Kind, Carrier)]>| {
            let choice = Choice {
                language: Language::Arabic,
                email: email.map(str::to_owned),
                carried: all.map(<[_]>::to_vec),
            };
            act(store, move |tx| preference::choose(tx, &customer_id(1), &choice, &at(1))).ok()
        };
        let phone = || (Carrier::Sms, login_id(1).as_str().to_owned());
        let letter = |to: &str| (Carrier::Email, to.to_owned());
        let both = [(Kind::Ended, Carrier::Email), (Kind::Ended, Carrier::Sms), (Kind::Ended, Carrier::Sms)];
        assert_eq!(carriers(&store, 1), vec![phone()], "the deployment's choice; no address is known");
        assert_eq!(choose(&store, Some("no address"), Some(&both)), Some(Chosen::NoAddress));
        assert_eq!(choose(&store, Some("a@b.example"), None), Some(Chosen::Done));
        assert_eq!(carriers(&store, 2), vec![letter("a@b.example"), phone()]);
        assert_eq!(choose(&store, Some("a@b.example"), Some(&both[..1])), Some(Chosen::Done));
        assert_eq!(carriers(&store, 3), vec![letter("a@b.example")]);
        assert_eq!(choose(&store, None, Some(&both)), Some(Chosen::Done));
        assert_eq!(carriers(&store, 4), vec![phone()], "there is no address any more");
        assert_eq!(choose(&store, None, Some(&[(Kind::Debit, Carrier::Sms)])), Some(Chosen::Done));
        assert_eq!(carriers(&store, 5), vec![]);
        let kept = see(&store, |rows| rows.user(&customer_id(1))).map(|user| user.language);
        assert_eq!(kept, Some(Language::Arabic));
    });
}

#[test]
fn the_inbox_is_seen_up_to_a_time_that_never_goes_back() {
    on_every_store(|shelf| {
        let store = house(shelf);
        for until in [9, 3] {
            act(&store, move |tx| preference::saw_inbox(tx, &customer_id(1), Timestamp(until)))
                .expect("seen");
        }
        let seen = see(&store, |rows| rows.preferences(&customer_id(1))).expect("preferences");
        assert_eq!((seen.seen_at, seen.carried), (Timestamp(9), None), "and nothing else was chosen by it");
    });
}

#[test]
fn a_sign_in_for_one_authorization_ends_with_it_and_opens_no_wallet() {
    on_every_store(|shelf| {
        let store = house(shelf);
        let sign_in = |now: i64, until: i64| {
            let origin =
                Origin { address: String::new(), user_agent: String::new(), until: Some(Timestamp(until)) };
            act(&store, move |tx| device::sign_in(tx, &customer_id(1), &origin, None, &LIVES, &at(now)))
                .expect("a device")
                .0
        };
        let short = sign_in(1, 60_000);
        assert!(!short.opens_wallet(&LIVES));
        assert!(!short.lives(&LIVES, Timestamp(60_000)), "over when the session is");
        assert!(!sign_in(2, i64::MAX / 2).opens_wallet(&LIVES), "however long sessions may live");
    });
}
