//! Hand-overs: one for each session, replaced whole, and gone when forgotten.

use super::samples::*;
use super::{keep, see};
use accord_core::agreement::handover::Handover;
use accord_core::store::Store;

fn handover(number: u32, rich: bool) -> Handover {
    Handover {
        auth_id: auth_id(number),
        session_ends_at: time(rich),
        opened_by: digest("opened by", number),
        opened_at: time(rich),
        address: text(rich),
        device: text(rich),
        number: if rich { u32::MAX } else { 0 },
        wrong: if rich { u32::MAX } else { 0 },
        taken_by: rich.then(|| digest("taken by", number)),
        taken_at: maybe_time(rich),
    }
}

/// A hand-over comes back as it was, whether it was created or replaced; forgetting one leaves the others.
pub fn handovers_come_back_as_they_were(store: &dyn Store) {
    for rich in [false, true, false] {
        keep(store, move |tx| {
            tx.put_handover(&handover(1, rich))?;
            assert_eq!(tx.handover(&auth_id(1))?, Some(handover(1, rich)));
            Ok(())
        });
        see(store, move |rows| {
            assert_eq!(rows.handover(&auth_id(1))?, Some(handover(1, rich)));
            // Number 5 shares the bucket of number 1.
            assert_eq!(rows.handover(&auth_id(5))?, None);
            Ok(())
        });
    }
    keep(store, |tx| {
        tx.put_handover(&handover(5, true))?;
        tx.remove_handover(&auth_id(1))?;
        tx.remove_handover(&auth_id(2))
    });
    see(store, |rows| {
        assert_eq!(rows.handover(&auth_id(1))?, None);
        assert_eq!(rows.handover(&auth_id(5))?, Some(handover(5, true)));
        Ok(())
    });
}
