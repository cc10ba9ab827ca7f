//! Codes of approvals: one for each session, replaced whole, and gone when forgotten.

use super::samples::*;
use super::{keep, see};
use accord_core::agreement::step_up::StepUp;
use accord_core::store::Store;

fn step_up(number: u32, rich: bool) -> StepUp {
    StepUp {
        auth_id: auth_id(number),
        customer: customer_id(number + u32::from(rich)),
        salt: [if rich { 0xff } else { 0 }; 16],
        digest: digest("step-up", number + u32::from(rich)),
        wrong: if rich { u32::MAX } else { 0 },
        sent_at: time(rich),
        expires_at: time(!rich),
    }
}

/// A code comes back as it was, whether it was created or replaced; forgetting one leaves the others.
pub fn codes_of_approvals_come_back_as_they_were(store: &dyn Store) {
    for rich in [false, true, false] {
        keep(store, move |tx| {
            tx.put_step_up(&step_up(1, rich))?;
            assert_eq!(tx.step_up(&auth_id(1))?, Some(step_up(1, rich)));
            Ok(())
        });
        see(store, move |rows| {
            assert_eq!(rows.step_up(&auth_id(1))?, Some(step_up(1, rich)));
            // Number 5 shares the bucket of number 1.
            assert_eq!(rows.step_up(&auth_id(5))?, None);
            Ok(())
        });
    }
    keep(store, |tx| {
        tx.put_step_up(&step_up(5, true))?;
        tx.remove_step_up(&auth_id(1))?;
        tx.remove_step_up(&auth_id(2))
    });
    see(store, |rows| {
        assert_eq!(rows.step_up(&auth_id(1))?, None);
        assert_eq!(rows.step_up(&auth_id(5))?, Some(step_up(5, true)));
        Ok(())
    });
}
