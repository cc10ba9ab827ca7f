//! Unbinding: questions about an agreement that brought no answer.

use super::samples::*;
use super::{keep, see};
use accord_core::agreement::unbind::Consult;
use accord_core::moment::Timestamp;
use accord_core::store::Store;

/// A consultation comes back as it was, whether it was created or replaced, each under its own agreement.
pub fn consultations_come_back_as_they_were(store: &dyn Store) {
    let lists = [vec![], vec![Timestamp(0)], vec![Timestamp(i64::MIN), Timestamp(-1), Timestamp(i64::MAX)]];
    for failed_at in lists {
        let row = Consult { agreement: agreement_id(1), failed_at };
        let put = row.clone();
        keep(store, move |tx| {
            tx.put_consult(&put)?;
            assert_eq!(tx.consult(&agreement_id(1))?, Some(put.clone()));
            Ok(())
        });
        see(store, move |rows| {
            assert_eq!(rows.consult(&agreement_id(1))?, Some(row));
            // Number 5 shares the bucket of number 1.
            assert_eq!(rows.consult(&agreement_id(5))?, None);
            Ok(())
        });
    }
}
