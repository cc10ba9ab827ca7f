//! One-time codes of approvals: bound to session and user, bounded in tries, number and time.

mod stores;

use accord_core::agreement::Scope;
use accord_core::agreement::step_up::{Checked, Sent, StepUpPolicy, When, check, send};
use accord_core::message::routes::MessagePolicy;
use accord_core::message::{About, CodePurpose};
use accord_core::money::{Amount, Currency};
use accord_core::people::one_time_code::CodeLimits;
use accord_core::policy::{DAY, MINUTE};
use accord_core::secret::Secret;
use accord_core::store::{self, Tx};
use accord_core::user::{User, UserStatus};
use accord_core::{Moment, Ruled, Timestamp};
use accord_testkit::laws::samples;
use std::cell::Cell;
use stores::{Opened, Shelf, on_every_store};

struct House {
    store: Opened,
    now: Cell<i64>,
}

fn user(number: u32) -> User {
    User { status: UserStatus::Active, ..samples::user(number, false) }
}

impl House {
    fn new(shelf: Shelf) -> House {
        let house = House { store: shelf.open(), now: Cell::new(10 * DAY) };
        house.run(|tx, _| {
            tx.insert_user(&user(1))?;
            Ok(tx.insert_user(&user(2))?)
        });
        house
    }

    fn run<T: Send + 'static>(
        &self,
        mut rule: impl FnMut(&mut dyn Tx, &Moment) -> Ruled<T> + Send + 'static,
    ) -> T {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&self.now.get().to_be_bytes());
        let at = Moment::new(Timestamp(self.now.get()), seed);
        store::transact(&self.store, move |tx| rule(tx, &at)).expect("a rule that is kept")
    }

    fn later(&self, millis: i64) -> &House {
        self.now.set(self.now.get() + millis);
        self
    }

    /// Asks for a code for a session of a user.
    fn send(&self, session: u32, number: u32) -> Sent {
        self.run(move |tx, at| {
            let limits = CodeLimits::default();
            let id = samples::auth_id(session);
            send(tx, &id, &user(number), "Shop", &limits, &MessagePolicy::default(), at)
        })
    }

    fn check(&self, session: u32, number: u32, typed: &str) -> Checked {
        let typed = Secret::new(typed);
        self.run(move |tx, at| {
            let (id, customer) = (samples::auth_id(session), user(number).id);
            check(tx, &id, &customer, &typed, &CodeLimits::default(), at)
        })
    }

    /// The codes that a user was sent, newest first.
    fn codes(&self, number: u32) -> Vec<String> {
        let customer = user(number).id;
        let messages = store::look(&self.store, move |rows| rows.messages(&customer, 99)).expect("messages");
        let code = |about: About| match about {
            About::OneTimeCode { purpose: CodePurpose::Approval, code, .. } => code,
            other => panic!("{other:?}"),
        };
        messages.into_iter().map(|message| code(message.about)).collect()
    }
}

/// Another code.
fn other(code: &str, by: u32) -> String {
    format!("{:06}", (code.parse::<u32>().expect("digits") + by) % 1_000_000)
}

#[test]
fn the_code_that_was_sent_is_right_for_its_session_and_user_alone() {
    on_every_store(|shelf| {
        let house = House::new(shelf);
        let Sent::Until(until) = house.send(1, 1) else { panic!("not sent") };
        assert_eq!(until.0, house.now.get() + 5 * MINUTE);
        let codes = house.codes(1);
        let [code] = codes.as_slice() else { panic!("one code") };
        assert_eq!(code.len(), 6);
        assert_eq!(house.check(2, 1, code), Checked::Over, "another session");
        assert_eq!(house.check(1, 2, code), Checked::Over, "another user");
        assert_eq!(house.check(1, 1, &other(code, 1)), Checked::Wrong { left: 4 });
        assert_eq!(house.check(1, 1, code), Checked::Right);
        assert_eq!(house.later(5 * MINUTE).check(1, 1, code), Checked::Right, "to the end of its life");
        assert_eq!(house.later(1).check(1, 1, code), Checked::Over);
    });
}

#[test]
fn five_wrong_codes_end_it_and_the_next_one_is_another() {
    on_every_store(|shelf| {
        let house = House::new(shelf);
        house.send(1, 1);
        let code = house.codes(1).remove(0);
        for left in [4, 3, 2, 1] {
            assert_eq!(house.check(1, 1, &other(&code, left)), Checked::Wrong { left });
        }
        assert_eq!(house.check(1, 1, ""), Checked::Over);
        assert_eq!(house.check(1, 1, &code), Checked::Over, "the right one is no longer taken");
        assert!(matches!(house.send(1, 1), Sent::NotBefore(_)), "not at once");
        assert!(matches!(house.later(30_000).send(1, 1), Sent::Until(_)));
        let next = house.codes(1).remove(0);
        assert_ne!(next, code);
        assert_eq!(house.check(1, 1, &next), Checked::Right);
    });
}

#[test]
fn a_code_is_sent_again_only_after_a_while_and_not_for_ever() {
    on_every_store(|shelf| {
        let house = House::new(shelf);
        let first = house.send(1, 1);
        assert_eq!(house.later(1_000).send(1, 1), first, "a reload sends nothing");
        assert_eq!(house.codes(1).len(), 1);
        assert!(matches!(house.send(2, 1), Sent::NotBefore(_)), "nor does another session of that user");
        assert!(matches!(house.send(2, 2), Sent::Until(_)), "another user has a count of their own");
        for sent in 2..=10 {
            assert!(matches!(house.later(30_000).send(1, 1), Sent::Until(_)), "{sent}");
            assert_eq!(house.codes(1).len(), sent);
        }
        house.later(6 * MINUTE);
        let Sent::NotBefore(again) = house.send(1, 1) else { panic!("an eleventh") };
        assert_eq!(again.0, 11 * DAY, "a day after the first");
        house.now.set(again.0);
        assert!(matches!(house.send(1, 1), Sent::Until(_)));
    });
}

#[test]
fn a_wallet_says_which_approvals_need_a_code() {
    let iqd = |value| Amount::new(Currency::parse("IQD").expect("a currency"), value);
    let bound = iqd(50_000_000).expect("an amount");
    let usd = Amount::new(Currency::parse("USD").expect("a currency"), 1);
    let pay = [Scope::UserName, Scope::AgreementPay];
    let policy = |when| StepUpPolicy { when, ..StepUpPolicy::default() };
    for (when, scopes, most, needed) in [
        (When::Never, &pay[..], None, false),
        (When::Always, &pay[..1], iqd(1), true),
        (When::Above(bound), &pay[..1], None, false),
        (When::Above(bound), &pay[..], iqd(50_000_000), false),
        (When::Above(bound), &pay[..], iqd(50_000_001), true),
        (When::Above(bound), &pay[..], None, true),
        (When::Above(bound), &pay[..], usd, true),
    ] {
        assert_eq!(policy(when).needed(scopes, most), needed, "{when:?} {most:?}");
    }
}
