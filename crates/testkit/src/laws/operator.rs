//! Credentials and transfers: what comes back, what is unique, in which order.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::ids::CredentialId;
use accord_core::moment::{Moment, Timestamp};
use accord_core::operator::transfer::{Direction, Transfer};
use accord_core::operator::{Credential, Role};
use accord_core::store::{Store, StoreFault};

fn credential_id(number: u8) -> CredentialId {
    CredentialId::mint(
        bucket(u32::from(number)),
        &mut Moment::new(Timestamp(0), [number; 32]).random("credential"),
    )
}

fn credential(number: u8, at: i64, retired: bool) -> Credential {
    Credential {
        id: credential_id(number),
        role: Role::ALL[usize::from(number) % Role::ALL.len()],
        name: text(retired),
        digest: digest("credential", u32::from(number)),
        created_at: Timestamp(at),
        retired_at: maybe_time(retired),
    }
}

fn transfer(id: &str, rich: bool) -> Transfer {
    Transfer {
        id: id.to_owned(),
        customer: customer_id(1),
        direction: if rich { Direction::Withdraw } else { Direction::TopUp },
        amount: amount(rich),
        posting: posting_id(1),
        at: time(rich),
    }
}

/// Credentials are replaced whole and come oldest first.
pub fn credentials_come_back_as_they_were(store: &dyn Store) {
    see(store, |rows| {
        assert_eq!(rows.credential(&credential_id(1))?, None);
        assert_eq!(rows.credentials(9)?, vec![]);
        Ok(())
    });
    keep(store, |tx| {
        for (number, at) in [(1, 5), (2, -5), (3, 5), (4, 6)] {
            tx.put_credential(&credential(number, at, false))?;
        }
        tx.put_credential(&credential(4, 6, true))
    });
    see(store, |rows| {
        assert_eq!(rows.credential(&credential_id(1))?, Some(credential(1, 5, false)));
        assert_eq!(rows.credential(&credential_id(4))?, Some(credential(4, 6, true)));
        // Number 5 shares the bucket of number 1.
        assert_eq!(rows.credential(&credential_id(5))?, None);
        let mut all = vec![
            credential(2, -5, false),
            credential(1, 5, false),
            credential(3, 5, false),
            credential(4, 6, true),
        ];
        all.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        assert_eq!(rows.credentials(9)?, all);
        assert_eq!(rows.credentials(2)?, all[..2]);
        Ok(())
    });
}

/// A transfer's id is claimed once.
pub fn a_transfer_is_inserted_once(store: &dyn Store) {
    keep(store, |tx| {
        tx.insert_transfer(&transfer("one", false))?;
        assert_eq!(tx.transfer("one")?, Some(transfer("one", false)));
        tx.insert_transfer(&transfer(ODD_TEXT, true))
    });
    see(store, |rows| {
        assert_eq!(rows.transfer("one")?, Some(transfer("one", false)));
        assert_eq!(rows.transfer(ODD_TEXT)?, Some(transfer(ODD_TEXT, true)));
        assert_eq!(rows.transfer("two")?, None);
        Ok(())
    });
    see(store, |rows| {
        let all = rows.transfers_after(None, 9)?;
        assert_eq!(all.len(), 2);
        let place = |row: &Transfer| (Transfer::bucket_of(&row.id), row.id.clone());
        assert!(place(&all[0]) < place(&all[1]), "{all:?}");
        assert_eq!(rows.transfers_after(None, 1)?, all[..1]);
        assert_eq!(rows.transfers_after(Some(&all[0].id), 9)?, all[1..]);
        assert_eq!(rows.transfers_after(Some(&all[1].id), 9)?, []);
        Ok(())
    });
    let again = end_of(store, |tx| tx.insert_transfer(&transfer("one", true)));
    assert!(matches!(again, Err(StoreFault::Conflict(_))), "{again:?}");
}
