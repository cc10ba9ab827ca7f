//! Signed-in devices: what comes back, in which order, what is unique.

use super::samples::*;
use super::{end_of, keep, see};
use accord_core::device::Device;
use accord_core::ids::DeviceId;
use accord_core::moment::{Moment, Timestamp};
use accord_core::store::{Store, StoreFault};

fn device_id(number: u8, customer: u32) -> DeviceId {
    let bucket = customer_id(customer).bucket();
    DeviceId::mint(bucket, &mut Moment::new(Timestamp(0), [number; 32]).random("device"))
}

fn device(number: u8, customer: u32, at: i64, rich: bool) -> Device {
    Device {
        id: device_id(number, customer),
        customer: customer_id(customer),
        digest: digest("device", u32::from(number)),
        created_at: Timestamp(at),
        last_seen_at: time(rich),
        expires_at: Timestamp(at),
        address: text(rich),
        user_agent: text(rich),
    }
}

/// A device comes back as it was, inserted and replaced; it is inserted once and removed for good.
pub fn devices_come_back_as_they_were(store: &dyn Store) {
    for rich in [false, true] {
        let number = 1 + u8::from(rich);
        keep(store, move |tx| {
            tx.insert_device(&device(number, 1, i64::MIN, rich))?;
            assert_eq!(tx.device(&device_id(number, 1))?, Some(device(number, 1, i64::MIN, rich)));
            tx.update_device(&device(number, 1, i64::MAX, !rich))
        });
        see(store, move |rows| {
            assert_eq!(rows.device(&device_id(number, 1))?, Some(device(number, 1, i64::MAX, !rich)));
            Ok(())
        });
    }
    let again = end_of(store, |tx| tx.insert_device(&device(1, 1, 0, false)));
    assert!(matches!(again, Err(StoreFault::Conflict(_))), "{again:?}");
    keep(store, |tx| {
        tx.remove_device(&device_id(1, 1))?;
        tx.remove_device(&device_id(9, 1))
    });
    see(store, |rows| {
        assert_eq!(rows.device(&device_id(1, 1))?, None);
        assert!(rows.device(&device_id(2, 1))?.is_some());
        Ok(())
    });
    let missing = end_of(store, |tx| tx.update_device(&device(1, 1, 0, false)));
    assert!(matches!(missing, Err(StoreFault::Corrupt(_))), "{missing:?}");
}

/// A user's devices come newest first and are nobody else's; what is over comes earliest first.
pub fn devices_come_newest_first_and_go_by_expiry(store: &dyn Store) {
    // Customers 1 and 5 share a bucket.
    let mut theirs: Vec<Device> =
        [(1, 5), (2, 7), (3, 5), (4, -5)].map(|(number, at)| device(number, 1, at, true)).to_vec();
    let other = device(5, 5, 6, false);
    let (rows, foreign) = (theirs.clone(), other.clone());
    keep(store, move |tx| {
        rows.iter().try_for_each(|row| tx.insert_device(row))?;
        tx.insert_device(&foreign)
    });
    let mut over: Vec<Device> =
        theirs.iter().cloned().chain([other]).filter(|row| row.expires_at.0 < 7).collect();
    over.sort_by_key(|row| (row.expires_at, row.id.bucket(), row.id.clone()));
    theirs.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id.clone())));
    see(store, move |rows| {
        assert_eq!(rows.devices_of(&customer_id(1), 9)?, theirs);
        assert_eq!(rows.devices_of(&customer_id(1), 2)?, theirs[..2]);
        assert_eq!(rows.devices_of(&customer_id(2), 9)?, vec![]);
        assert_eq!(rows.devices_over_before(Timestamp(7), 9)?, over);
        assert_eq!(rows.devices_over_before(Timestamp(7), 2)?, over[..2]);
        assert_eq!(rows.devices_over_before(Timestamp(-5), 9)?, vec![]);
        Ok(())
    });
}
