//! Signed-in devices.

use super::Books;
use super::rows::sorted;
use accord_core::device::Device;
use accord_core::ids::{CustomerId, DeviceId};
use accord_core::moment::Timestamp;
use accord_core::store::Stored;
use accord_core::store::device::{DeviceRows, DeviceTx};
use std::cmp::Reverse;

impl DeviceRows for Books {
    fn device(&self, id: &DeviceId) -> Stored<Option<Device>> {
        Ok(self.devices.get(id).cloned())
    }
    fn devices_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Device>> {
        let theirs = self.devices.values().filter(|row| row.customer == *customer);
        Ok(sorted(theirs, limit, |row| Reverse((row.created_at, row.id.clone()))))
    }
    fn devices_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Device>> {
        let over = self.devices.values().filter(|row| row.expires_at < time);
        Ok(sorted(over, limit, |row| (row.expires_at, row.id.bucket(), row.id.clone())))
    }
}

impl DeviceTx for Books {
    fn insert_device(&mut self, device: &Device) -> Stored<()> {
        self.devices.insert(device.id.clone(), device.clone())
    }
    fn update_device(&mut self, device: &Device) -> Stored<()> {
        self.devices.change(device.id.clone(), device.clone())
    }
    fn remove_device(&mut self, id: &DeviceId) -> Stored<()> {
        self.devices.remove(id);
        Ok(())
    }
}
