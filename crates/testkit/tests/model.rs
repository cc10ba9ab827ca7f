//! The model store obeys the laws, and plays failures when asked.

use accord_core::store::{self, Store, StoreFault};
use accord_core::{Ruled, Stop};
use accord_testkit::model::{Failure, ModelStore};

accord_testkit::store_laws!(laws, ModelStore::new);

fn set(store: &dyn Store, value: &'static str) -> Ruled<()> {
    store::transact(store, move |tx| Ok(tx.put_setting("a", value)?))
}

fn setting(store: &dyn Store) -> Option<String> {
    store::look(store, |rows| rows.setting("a")).expect("a look")
}

#[test]
fn a_failure_that_was_asked_for_is_told_once() {
    let store = ModelStore::new();
    let cases = [
        (Failure::Unavailable, StoreFault::Unavailable("as asked by the test".into()), None),
        (Failure::UnknownLost, StoreFault::Unknown("as asked by the test".into()), None),
        (Failure::UnknownKept, StoreFault::Unknown("as asked by the test".into()), Some("1".to_owned())),
    ];
    for (failure, fault, left) in cases {
        store.fail_next(failure);
        let end = set(&store, "1");
        assert!(matches!(&end, Err(Stop::Fault(why)) if *why == fault), "{failure:?}: {end:?}");
        assert_eq!(setting(&store), left, "{failure:?}");
    }
    set(&store, "2").expect("no failure was asked for");
    assert_eq!(setting(&store).as_deref(), Some("2"));
}
