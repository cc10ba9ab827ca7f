//! What users have chosen: what comes back.

use super::samples::*;
use super::{keep, see};
use accord_core::message::Kind;
use accord_core::message::routes::Carrier;
use accord_core::preference::Preferences;
use accord_core::store::Store;

fn preferences(number: u32, rich: bool) -> Preferences {
    let pairs = Kind::ALL.iter().flat_map(|kind| Carrier::ALL.iter().map(|carrier| (*kind, *carrier)));
    let pairs: Vec<(Kind, Carrier)> = pairs.collect();
    Preferences {
        customer: customer_id(number),
        email: maybe(rich),
        // Chosen: all, or none at all; not chosen; by number.
        carried: if rich { Some(pairs) } else { number.is_multiple_of(5).then(Vec::new) },
        seen_at: time(rich),
    }
}

/// Preferences are replaced whole, each user's alone.
pub fn preferences_come_back_as_they_were(store: &dyn Store) {
    see(store, |rows| {
        assert_eq!(rows.preferences(&customer_id(1))?, None);
        Ok(())
    });
    for rich in [false, true, false] {
        keep(store, move |tx| {
            tx.put_preferences(&preferences(1, rich))?;
            // Customer 5 lives in the bucket of customer 1.
            tx.put_preferences(&preferences(5, !rich))?;
            assert_eq!(tx.preferences(&customer_id(1))?, Some(preferences(1, rich)));
            Ok(())
        });
        see(store, move |rows| {
            assert_eq!(rows.preferences(&customer_id(1))?, Some(preferences(1, rich)));
            assert_eq!(rows.preferences(&customer_id(5))?, Some(preferences(5, !rich)));
            Ok(())
        });
    }
}
