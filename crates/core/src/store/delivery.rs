//! Messages on their way out of the wallet. A part of the port.

use crate::handle::Bucket;
use crate::ids::CustomerId;
use crate::message::delivery::Delivery;
use crate::message::routes::Carrier;
use crate::message::{Channel, Kind, Message};
use crate::moment::Timestamp;
use crate::store::Stored;

/// What can be read of them.
pub trait DeliveryRows {
    /// The message about that subject in that channel.
    fn message(&self, bucket: Bucket, kind: Kind, subject: &str, channel: Channel)
    -> Stored<Option<Message>>;
    /// The delivery of the message about that subject by that carrier.
    fn delivery(
        &self,
        bucket: Bucket,
        kind: Kind,
        subject: &str,
        carrier: Carrier,
    ) -> Stored<Option<Delivery>>;
    /// A user's deliveries, newest first, then by kind, subject and carrier.
    fn deliveries_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Delivery>>;
    /// Pending deliveries of a carrier due at `until`, urgent or not, earliest first, then by bucket, kind and subject.
    fn deliveries_due(
        &self,
        carrier: Carrier,
        urgent: bool,
        until: Timestamp,
        limit: usize,
    ) -> Stored<Vec<Delivery>>;
    /// The earliest `due_at` of any pending delivery of a carrier, urgent or not.
    fn next_delivery_due(&self, carrier: Carrier, urgent: bool) -> Stored<Option<Timestamp>>;
    /// Deliveries that are not pending, written before that time, earliest first, then by bucket, kind, subject and
    /// carrier.
    fn deliveries_over_before(&self, before: Timestamp, limit: usize) -> Stored<Vec<Delivery>>;
}

/// What can be written of them.
pub trait DeliveryTx {
    /// Leaves a delivery. Unique: bucket, kind, subject and carrier; a second one is silently the first.
    fn insert_delivery(&mut self, delivery: &Delivery) -> Stored<()>;
    /// Replaces state, tries, due time and outcome of a delivery.
    fn update_delivery(&mut self, delivery: &Delivery) -> Stored<()>;
    /// Takes a delivery away.
    fn remove_delivery(&mut self, bucket: Bucket, kind: Kind, subject: &str, carrier: Carrier) -> Stored<()>;
}
