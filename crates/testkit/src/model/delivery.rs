//! Messages on their way out of the wallet.

use super::Books;
use super::rows::sorted;
use accord_core::handle::Bucket;
use accord_core::ids::CustomerId;
use accord_core::message::delivery::{Delivery, DeliveryState};
use accord_core::message::routes::Carrier;
use accord_core::message::{Channel, Kind, Message};
use accord_core::moment::Timestamp;
use accord_core::store::Stored;
use accord_core::store::delivery::{DeliveryRows, DeliveryTx};
use std::cmp::Reverse;

type Key = (Bucket, Kind, String, Carrier);

fn key(row: &Delivery) -> Key {
    (row.customer.bucket(), row.kind, row.subject.clone(), row.carrier)
}

impl Books {
    fn on_their_way(&self, carrier: Carrier, urgent: bool) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values().filter(move |row| {
            row.state == DeliveryState::Pending && row.carrier == carrier && row.is_urgent() == urgent
        })
    }
}

impl DeliveryRows for Books {
    fn message(
        &self,
        bucket: Bucket,
        kind: Kind,
        subject: &str,
        channel: Channel,
    ) -> Stored<Option<Message>> {
        Ok(self.messages.get(&(bucket, kind, subject.to_owned(), channel)).cloned())
    }
    fn delivery(
        &self,
        bucket: Bucket,
        kind: Kind,
        subject: &str,
        carrier: Carrier,
    ) -> Stored<Option<Delivery>> {
        Ok(self.deliveries.get(&(bucket, kind, subject.to_owned(), carrier)).cloned())
    }
    fn deliveries_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Delivery>> {
        let theirs = self.deliveries.values().filter(|row| row.customer == *customer);
        Ok(sorted(theirs, limit, |row| {
            (Reverse(row.created_at), row.kind.as_str(), &row.subject, row.carrier.as_str())
        }))
    }
    fn deliveries_due(
        &self,
        carrier: Carrier,
        urgent: bool,
        until: Timestamp,
        limit: usize,
    ) -> Stored<Vec<Delivery>> {
        let due = self.on_their_way(carrier, urgent).filter(|row| row.due_at <= until);
        Ok(sorted(due, limit, |row| (row.due_at, row.customer.bucket(), row.kind.as_str(), &row.subject)))
    }
    fn next_delivery_due(&self, carrier: Carrier, urgent: bool) -> Stored<Option<Timestamp>> {
        Ok(self.on_their_way(carrier, urgent).map(|row| row.due_at).min())
    }
    fn deliveries_over_before(&self, before: Timestamp, limit: usize) -> Stored<Vec<Delivery>> {
        let over = self.deliveries.values();
        let over = over.filter(|row| row.state != DeliveryState::Pending && row.created_at < before);
        Ok(sorted(over, limit, |row| {
            let bucket = row.customer.bucket();
            (row.created_at, bucket, row.kind.as_str(), &row.subject, row.carrier.as_str())
        }))
    }
}

impl DeliveryTx for Books {
    fn insert_delivery(&mut self, delivery: &Delivery) -> Stored<()> {
        if self.deliveries.get(&key(delivery)).is_none() {
            self.deliveries.put(key(delivery), delivery.clone());
        }
        Ok(())
    }
    fn update_delivery(&mut self, delivery: &Delivery) -> Stored<()> {
        let before = self.deliveries.there(&key(delivery))?.clone();
        let Delivery { state, tries, due_at, outcome, .. } = delivery.clone();
        self.deliveries.change(key(delivery), Delivery { state, tries, due_at, outcome, ..before })
    }
    fn remove_delivery(&mut self, bucket: Bucket, kind: Kind, subject: &str, carrier: Carrier) -> Stored<()> {
        self.deliveries.remove(&(bucket, kind, subject.to_owned(), carrier));
        Ok(())
    }
}
