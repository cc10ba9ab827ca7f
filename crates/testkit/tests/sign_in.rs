//! Who may try a PIN, and a password at the console: what one address does wrong costs nobody else a try.

mod stores;

use accord_core::agreement::sign_in::{self, Begun, SignIn, SignInLimits};
use accord_core::console::sign_in as console;
use accord_core::ids::LoginId;
use accord_core::store;
use accord_core::{Moment, Timestamp};
use stores::{Opened, on_every_store};

const FROM: &str = "192.0.2.7";
const ELSEWHERE: &str = "192.0.2.8";

fn limits() -> SignInLimits {
    SignInLimits { per_address: 20, ..SignInLimits::default() }
}

fn at() -> Moment {
    Moment::new(Timestamp(1_795_300_080_000), [4; 32])
}

/// A try at a PIN; was it let through?
fn tries(store: &Opened, login: &str, address: &str) -> bool {
    let begin = SignIn { auth_id: None, login: LoginId::new(login), address: address.to_owned() };
    let begun = store::transact(store, move |tx| sign_in::begin(tx, &begin, &limits(), &at()));
    matches!(begun.expect("an answer"), Begun::Check { .. })
}

/// A try at a password of the console; was it let through?
fn tries_console(store: &Opened, name: &str, address: &str) -> bool {
    let attempt = console::Try { name: name.to_owned(), address: address.to_owned() };
    let begun = store::transact(store, move |tx| console::begin(tx, &attempt, &limits(), &at()));
    matches!(begun.expect("an answer"), console::Begun::Check(_))
}

#[test]
fn from_an_address_that_is_blocked_nobody_blocks_users() {
    on_every_store(|shelf| {
        for tries in [tries, tries_console] {
            let store = shelf.open();
            for stranger in 0..20 {
                assert!(tries(&store, &format!("stranger-{stranger}"), FROM));
            }
            for _ in 0..10 {
                assert!(!tries(&store, "layla", FROM), "the address is blocked");
            }
            assert!(tries(&store, "layla", ELSEWHERE), "and it counted no try of hers");
        }
    });
}

#[test]
fn five_tries_block_a_user_from_everywhere() {
    on_every_store(|shelf| {
        for tries in [tries, tries_console] {
            let store = shelf.open();
            let let_through =
                (0..9).filter(|number| tries(&store, "layla", &format!("192.0.2.{number}"))).count();
            assert_eq!(let_through, 5);
            assert!(tries(&store, "omar", FROM), "another user is not");
        }
    });
}
