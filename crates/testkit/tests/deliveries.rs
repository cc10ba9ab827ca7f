//! Which messages leave the wallet, and what becomes of them on their way: rules over the model store.

mod stores;

use accord_core::agreement::{EndedBy, step_up};
use accord_core::ids::{CustomerId, LoginId};
use accord_core::message::delivery::{self, Carried, Claimed, Delivery, DeliveryState, LEASE_MS, SCHEDULE};
use accord_core::message::routes::{self, Carrier, MessagePolicy, Route, Service};
use accord_core::message::{self, About, CodePurpose, Kind};
use accord_core::outcome::Ruled;
use accord_core::people::one_time_code::CodeLimits;
use accord_core::people::{Contact, ContactKind, Profile};
use accord_core::policy::MINUTE;
use accord_core::preference::Preferences;
use accord_core::store::{self, Rows, Stored};
use accord_core::user::User;
use accord_core::{Moment, Timestamp};
use accord_testkit::laws::samples;
use stores::{Opened, Shelf, on_every_store};

const NOW: i64 = 1_795_300_080_000;

fn at(millis: i64) -> Moment {
    Moment::new(Timestamp(millis), [3; 32])
}

fn user(login: &str) -> User {
    User { login_id: LoginId::new(login), ..samples::user(1, false) }
}

fn look<T: Send + 'static>(store: &Opened, look: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static) -> T {
    store::look(store, look).expect("a look")
}

/// A store with one user who has that login id and these contacts.
fn house(shelf: Shelf, login: &str, contacts: &[(ContactKind, &str)]) -> (Opened, User) {
    let (store, user) = (shelf.open(), user(login));
    let contact = |(kind, value): &(ContactKind, &str)| Contact { kind: *kind, value: (*value).to_owned() };
    let contacts = contacts.iter().map(contact).collect();
    let profile = Profile { contacts, ..Profile::empty(user.id.clone()) };
    let row = user.clone();
    let kept: Ruled<()> = store::transact(&store, move |tx| {
        tx.insert_user(&row)?;
        Ok(tx.put_profile(&profile)?)
    });
    kept.expect("a user");
    (store, user)
}

fn on(kinds: &[Kind]) -> Route {
    Route { service: Service::On, kinds: kinds.to_vec() }
}

fn both() -> MessagePolicy {
    let route = || Route { service: Service::On, ..Route::default() };
    MessagePolicy { email: route(), sms: route() }
}

fn ended() -> About {
    About::Ended { agreement: samples::agreement_id(1), merchant: "Shop".to_owned(), by: EndedBy::Merchant }
}

fn code(expires_at: i64) -> About {
    About::OneTimeCode {
        purpose: CodePurpose::Merchant,
        request: "r".to_owned(),
        merchant: "Shop".to_owned(),
        code: "123456".to_owned(),
        expires_at: Timestamp(expires_at),
    }
}

fn tell(store: &Opened, user: &User, about: About, only: Option<ContactKind>, policy: &MessagePolicy) {
    let (user, policy) = (user.clone(), policy.clone());
    let told: Ruled<()> = store::transact(store, move |tx| {
        match only {
            None => message::tell(tx, &at(NOW), &user, about.clone(), &policy)?,
            Some(way) => message::tell_by(tx, &at(NOW), &user, about.clone(), way, &policy)?,
        }
        Ok(())
    });
    told.expect("a message");
}

fn deliveries(store: &Opened, customer: &CustomerId) -> Vec<Delivery> {
    let customer = customer.clone();
    look(store, move |rows| rows.deliveries_of(&customer, 99))
}

fn ways(store: &Opened, customer: &CustomerId) -> Vec<(Carrier, String, DeliveryState)> {
    deliveries(store, customer).into_iter().map(|row| (row.carrier, row.to, row.state)).collect()
}

fn claim(store: &Opened, carrier: Carrier, urgent: bool, now: i64) -> Vec<Claimed> {
    store::transact(store, move |tx| delivery::claim(tx, carrier, urgent, 9, Timestamp(now)))
        .expect("a claim")
}

fn settle(store: &Opened, claimed: &Claimed, carried: Carried, now: i64) -> Option<Delivery> {
    let row = claimed.delivery.clone();
    let settled: Ruled<Option<Delivery>> =
        store::transact(store, move |tx| delivery::settle(tx, &row, carried, "told", Timestamp(now)));
    settled.expect("an end")
}

const PHONE: &str = "+9647700000001";
const MAIL: &str = "a@b.example";

#[test]
fn a_message_goes_where_the_user_can_be_reached() {
    on_every_store(|shelf| {
        use ContactKind::{Email, MobilePhone};
        use DeliveryState::Pending;
        let mail = (Carrier::Email, MAIL.to_owned(), Pending);
        let sms = (Carrier::Sms, PHONE.to_owned(), Pending);
        for (login, contacts, expected) in [
            (PHONE, vec![], vec![sms.clone()]),
            (MAIL, vec![], vec![mail.clone()]),
            (PHONE, vec![(Email, MAIL), (Email, "c@d.example")], vec![mail.clone(), sms.clone()]),
            (MAIL, vec![(MobilePhone, PHONE), (Email, "other@b.example")], vec![mail.clone(), sms.clone()]),
            ("nobody", vec![], vec![]),
        ] {
            let (store, user) = house(shelf, login, &contacts);
            tell(&store, &user, ended(), None, &both());
            assert_eq!(ways(&store, &user.id), expected, "{login} {contacts:?}");
        }
    });
}

#[test]
fn a_carrier_carries_only_what_the_wallet_gives_it() {
    on_every_store(|shelf| {
        let (store, user) = house(shelf, PHONE, &[(ContactKind::Email, MAIL)]);
        let policy = MessagePolicy { email: on(&[Kind::Debit]), sms: on(&[Kind::Ended]) };
        tell(&store, &user, ended(), None, &policy);
        assert_eq!(ways(&store, &user.id), [(Carrier::Sms, PHONE.to_owned(), DeliveryState::Pending)]);
    });
}

#[test]
fn a_code_goes_the_one_way_that_was_asked_for_whatever_the_kinds() {
    on_every_store(|shelf| {
        for (way, expected) in
            [(ContactKind::Email, Carrier::Email), (ContactKind::MobilePhone, Carrier::Sms)]
        {
            let (store, user) = house(shelf, PHONE, &[(ContactKind::Email, MAIL)]);
            let policy = MessagePolicy { email: on(&[]), sms: on(&[]) };
            tell(&store, &user, code(NOW + MINUTE), Some(way), &policy);
            let carriers: Vec<Carrier> =
                deliveries(&store, &user.id).into_iter().map(|row| row.carrier).collect();
            assert_eq!(carriers, [expected]);
        }
    });
}

#[test]
fn without_carriers_nothing_leaves_and_in_a_sandbox_it_is_held() {
    on_every_store(|shelf| {
        let (store, user) = house(shelf, PHONE, &[(ContactKind::Email, MAIL)]);
        tell(&store, &user, ended(), None, &MessagePolicy::default());
        assert_eq!(ways(&store, &user.id), []);

        let (store, user) = house(shelf, PHONE, &[]);
        tell(&store, &user, ended(), None, &MessagePolicy::held());
        assert_eq!(ways(&store, &user.id), [(Carrier::Sms, PHONE.to_owned(), DeliveryState::Held)]);
        assert_eq!(claim(&store, Carrier::Sms, false, i64::MAX), []);
    });
}

#[test]
fn a_user_who_has_chosen_gets_that_and_nothing_else() {
    on_every_store(|shelf| {
        for chosen in [vec![], vec![(Kind::Ended, Carrier::Email)], vec![(Kind::Debit, Carrier::Sms)]] {
            let (store, user) = house(shelf, PHONE, &[]);
            let (customer, carried) = (user.id.clone(), chosen.clone());
            let kept: Ruled<()> = store::transact(&store, move |tx| {
                let nobody = Preferences::of_nobody_yet(customer.clone());
                let email = Some("chosen@b.example".to_owned());
                Ok(tx.put_preferences(&Preferences { email, carried: Some(carried.clone()), ..nobody })?)
            });
            kept.expect("a choice");
            tell(&store, &user, ended(), None, &both());
            let expected = match chosen.as_slice() {
                [(Kind::Ended, Carrier::Email)] => {
                    vec![(Carrier::Email, "chosen@b.example".to_owned(), DeliveryState::Pending)]
                }
                _ => vec![],
            };
            assert_eq!(ways(&store, &user.id), expected, "{chosen:?}");
            // A code goes where it was asked to go, whatever was chosen.
            tell(&store, &user, code(NOW + MINUTE), Some(ContactKind::MobilePhone), &both());
            assert_eq!(ways(&store, &user.id).len(), expected.len() + 1);
        }
    });
}

#[test]
fn a_code_beside_the_pin_leaves_by_sms_then_e_mail_and_first_to_what_the_wallet_knows() {
    on_every_store(|shelf| {
        use ContactKind::Email;
        let (sms, mail) =
            (|to: &str| (Carrier::Sms, to.to_owned()), |to: &str| (Carrier::Email, to.to_owned()));
        let (chosen, none) = ("chosen@b.example", MessagePolicy::default());
        let only_mail = MessagePolicy { email: both().email, ..MessagePolicy::default() };
        for (login, contacts, policy, expected) in [
            (PHONE, vec![(Email, MAIL)], both(), Some(sms(PHONE))),
            (PHONE, vec![(Email, MAIL)], only_mail.clone(), Some(mail(MAIL))),
            (MAIL, vec![], both(), Some(mail(MAIL))),
            ("nobody", vec![], both(), Some(mail(chosen))),
            (PHONE, vec![], none, None),
        ] {
            let (store, user) = house(shelf, login, &contacts);
            let row = user.clone();
            let sent: Ruled<()> = store::transact(&store, move |tx| {
                // Whoever has the PIN may have chosen this address.
                let nobody = Preferences::of_nobody_yet(row.id.clone());
                tx.put_preferences(&Preferences { email: Some(chosen.to_owned()), ..nobody })?;
                let (id, limits) = (samples::auth_id(1), CodeLimits::default());
                step_up::send(tx, &id, &row, "Shop", &limits, &policy, &at(NOW))?;
                Ok(())
            });
            sent.expect("a code");
            let gone: Vec<_> =
                deliveries(&store, &user.id).into_iter().map(|row| (row.carrier, row.to)).collect();
            assert_eq!(gone, Vec::from_iter(expected.clone()), "{login} {contacts:?}");
            let customer = user.id.clone();
            let leaves = look(&store, move |rows| match rows.messages(&customer, 9)?.first() {
                Some(message) => routes::leaves(rows, message),
                None => Ok(false),
            });
            assert_eq!(leaves, expected.is_some());
        }
    });
}

#[test]
fn an_event_told_twice_leaves_each_carrier_one_delivery() {
    on_every_store(|shelf| {
        let (store, user) = house(shelf, PHONE, &[(ContactKind::Email, MAIL)]);
        // The first time there was no e-mail: a repeat must not bring what the first time did not.
        let sms = MessagePolicy { email: Route::default(), sms: on(&[Kind::Ended]) };
        tell(&store, &user, ended(), None, &sms);
        tell(&store, &user, ended(), None, &both());
        assert_eq!(ways(&store, &user.id), [(Carrier::Sms, PHONE.to_owned(), DeliveryState::Pending)]);
    });
}

#[test]
fn a_delivery_is_tried_on_its_schedule_and_then_dies() {
    on_every_store(|shelf| {
        let (store, user) = house(shelf, PHONE, &[]);
        tell(&store, &user, ended(), None, &both());
        let mut now = NOW;
        for (tried, delay) in SCHEDULE.iter().enumerate() {
            assert_eq!(
                claim(&store, Carrier::Sms, false, now + delay - 1),
                [],
                "try {tried} comes too early"
            );
            now += delay;
            let claimed = claim(&store, Carrier::Sms, false, now);
            assert_eq!(claimed.len(), 1, "try {tried}");
            let settled = settle(&store, &claimed[0], Carried::Failed, now).expect("ours");
            let dead = tried + 1 == SCHEDULE.len();
            assert_eq!(settled.state == DeliveryState::Dead, dead, "try {tried}");
        }
        assert_eq!(claim(&store, Carrier::Sms, false, i64::MAX), []);
    });
}

#[test]
fn what_is_refused_for_good_or_sent_is_not_tried_again() {
    on_every_store(|shelf| {
        for (carried, state) in
            [(Carried::Sent, DeliveryState::Sent), (Carried::Refused, DeliveryState::Failed)]
        {
            let (store, user) = house(shelf, PHONE, &[]);
            tell(&store, &user, ended(), None, &both());
            let claimed = claim(&store, Carrier::Sms, false, NOW);
            let settled = settle(&store, &claimed[0], carried, NOW + 5).expect("ours");
            assert_eq!((settled.state, settled.outcome.as_str()), (state, "told"));
            assert_eq!(claim(&store, Carrier::Sms, false, i64::MAX), []);
        }
    });
}

#[test]
fn a_claimer_that_died_is_followed_by_another_and_writes_nothing_any_more() {
    on_every_store(|shelf| {
        let (store, user) = house(shelf, PHONE, &[]);
        tell(&store, &user, ended(), None, &both());
        let lost = claim(&store, Carrier::Sms, false, NOW);
        assert_eq!(claim(&store, Carrier::Sms, false, NOW + LEASE_MS - 1), []);
        let second = claim(&store, Carrier::Sms, false, NOW + LEASE_MS);
        assert_eq!(
            second[0].message, lost[0].message,
            "the same message id, by which a receiver drops the second"
        );

        assert_eq!(settle(&store, &lost[0], Carried::Failed, NOW + LEASE_MS), None);
        let settled = settle(&store, &second[0], Carried::Sent, NOW + LEASE_MS).expect("ours");
        assert_eq!((settled.state, settled.tries), (DeliveryState::Sent, 2));
        assert_eq!(settle(&store, &lost[0], Carried::Failed, NOW + LEASE_MS), None);
    });
}

#[test]
fn what_kills_every_claimer_ends_too() {
    on_every_store(|shelf| {
        let (store, user) = house(shelf, PHONE, &[]);
        tell(&store, &user, ended(), None, &both());
        let mut now = NOW;
        let mut claims = 0;
        while !claim(&store, Carrier::Sms, false, now).is_empty() {
            claims += 1;
            now += LEASE_MS;
        }
        assert_eq!(claims, SCHEDULE.len());
        assert_eq!(deliveries(&store, &user.id)[0].state, DeliveryState::Dead);
    });
}

#[test]
fn a_code_is_urgent_and_never_sent_after_its_life() {
    on_every_store(|shelf| {
        let life = 2 * MINUTE;
        let (store, user) = house(shelf, PHONE, &[]);
        let told = |store: &Opened| {
            tell(store, &user, code(NOW + life), Some(ContactKind::MobilePhone), &both());
        };
        told(&store);
        assert_eq!(claim(&store, Carrier::Sms, false, NOW), [], "codes have places of their own");
        let (mut now, mut tries) = (NOW, 0);
        loop {
            let claimed = claim(&store, Carrier::Sms, true, now);
            let Some(claimed) = claimed.first() else { break };
            tries += 1;
            assert!(now <= NOW + life);
            let settled = settle(&store, claimed, Carried::Failed, now).expect("ours");
            if settled.state == DeliveryState::Dead {
                break;
            }
            now = settled.due_at.0;
        }
        assert!(tries > 3, "{tries} tries within the life of a code");

        let (store, _) = house(shelf, PHONE, &[]);
        told(&store);
        assert_eq!(claim(&store, Carrier::Sms, true, NOW + life + 1), []);
        let dead = &deliveries(&store, &user.id)[0];
        assert_eq!((dead.state, dead.outcome.as_str()), (DeliveryState::Dead, delivery::EXPIRED));
    });
}
