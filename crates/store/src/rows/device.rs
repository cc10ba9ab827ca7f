//! Signed-in devices.

use super::desk::Desk;
use super::sql::{self, Columns, statements};
use super::value::{Params, params};
use accord_core::device::Device;
use accord_core::ids::{CustomerId, DeviceId};
use accord_core::moment::Timestamp;
use accord_core::store::Stored;
use accord_core::store::device::{DeviceRows, DeviceTx};

macro_rules! columns {
    () => {
        "id, customer, digest, created_at, last_seen_at, expires_at, address, user_agent"
    };
}

statements! {
    DEVICE = concat!("SELECT ", columns!(), " FROM devices WHERE bucket = ?1 AND id = ?2");
    pub(crate) OF_CUSTOMER = concat!(
        "SELECT ", columns!(), " FROM devices WHERE bucket = ?1 AND customer = ?2
        ORDER BY created_at DESC, id DESC LIMIT ?3"
    );
    pub(crate) OVER_BEFORE = concat!(
        "SELECT ", columns!(), " FROM devices WHERE expires_at < ?1 ORDER BY expires_at, bucket, id LIMIT ?2"
    );
    INSERT = concat!(
        "INSERT INTO devices (bucket, ", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    );
    UPDATE = "UPDATE devices SET customer = ?3, digest = ?4, created_at = ?5, last_seen_at = ?6, expires_at = ?7,
        address = ?8, user_agent = ?9 WHERE bucket = ?1 AND id = ?2";
    REMOVE = "DELETE FROM devices WHERE bucket = ?1 AND id = ?2";
}

fn read(row: &mut Columns<'_>) -> Stored<Device> {
    Ok(Device {
        id: row.parsed(DeviceId::read)?,
        customer: row.parsed(CustomerId::read)?,
        digest: row.digest()?,
        created_at: row.time()?,
        last_seen_at: row.time()?,
        expires_at: row.time()?,
        address: row.get()?,
        user_agent: row.get()?,
    })
}

fn with_device(device: &Device, run: impl Fn(Params<'_>) -> Stored<()>) -> Stored<()> {
    run(params![
        device.id.bucket().number(),
        device.id.as_str(),
        device.customer.as_str(),
        device.digest.0,
        device.created_at.0,
        device.last_seen_at.0,
        device.expires_at.0,
        device.address,
        device.user_agent,
    ])
}

impl DeviceRows for Desk<'_> {
    fn device(&self, id: &DeviceId) -> Stored<Option<Device>> {
        sql::one(self.0, DEVICE, params![id.bucket().number(), id.as_str()], read)
    }

    fn devices_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Device>> {
        let values = params![customer.bucket().number(), customer.as_str(), sql::limit(limit)];
        sql::many(self.0, OF_CUSTOMER, values, read)
    }

    fn devices_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Device>> {
        sql::scan(self.0, OVER_BEFORE, params![time.0, sql::limit(limit)], read, |row| row.id.bucket())
    }
}

impl DeviceTx for Desk<'_> {
    fn insert_device(&mut self, device: &Device) -> Stored<()> {
        with_device(device, |values| sql::write(self.0, INSERT, values))
    }

    fn update_device(&mut self, device: &Device) -> Stored<()> {
        with_device(device, |values| sql::change(self.0, UPDATE, values, "the device"))
    }

    fn remove_device(&mut self, id: &DeviceId) -> Stored<()> {
        sql::write(self.0, REMOVE, params![id.bucket().number(), id.as_str()])
    }
}
