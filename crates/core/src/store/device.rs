//! Signed-in devices. A part of the port.

use crate::device::Device;
use crate::ids::{CustomerId, DeviceId};
use crate::moment::Timestamp;
use crate::store::Stored;

/// What can be read of it.
pub trait DeviceRows {
    /// The device of that id.
    fn device(&self, id: &DeviceId) -> Stored<Option<Device>>;
    /// A user's devices, newest first, then by descending id.
    fn devices_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Device>>;
    /// Devices whose `expires_at` is before that time, earliest first, then by bucket and id.
    fn devices_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Device>>;
}

/// What can be written of it.
pub trait DeviceTx {
    /// Creates a device. Unique: id.
    fn insert_device(&mut self, device: &Device) -> Stored<()>;
    /// Replaces a device.
    fn update_device(&mut self, device: &Device) -> Stored<()>;
    /// Removes a device; removing what is not there changes nothing.
    fn remove_device(&mut self, id: &DeviceId) -> Stored<()>;
}
