//! Rows of messages on their way out of the wallet.

use super::desk::Desk;
use super::message;
use super::sql::{self, Columns, statements};
use super::value::params;
use accord_core::handle::Bucket;
use accord_core::ids::{CustomerId, MessageId};
use accord_core::message::delivery::{Delivery, DeliveryState};
use accord_core::message::routes::Carrier;
use accord_core::message::{Channel, Kind, Message};
use accord_core::moment::Timestamp;
use accord_core::store::Stored;
use accord_core::store::delivery::{DeliveryRows, DeliveryTx};

macro_rules! delivery_columns {
    () => {
        "message, customer, kind, subject, carrier, recipient, state, tries, due_at, expires_at, outcome, created_at"
    };
}

statements! {
    DELIVERY = concat!("SELECT ", delivery_columns!(), " FROM deliveries
        WHERE bucket = ?1 AND kind = ?2 AND subject = ?3 AND carrier = ?4");
    pub(crate) OF_CUSTOMER = concat!("SELECT ", delivery_columns!(), " FROM deliveries
        WHERE bucket = ?1 AND customer = ?2 ORDER BY created_at DESC, kind, subject, carrier LIMIT ?3");
    pub(crate) DUE = concat!("SELECT ", delivery_columns!(), " FROM deliveries
        WHERE state = 'pending' AND carrier = ?1 AND urgent = ?2 AND due_at <= ?3
        ORDER BY due_at, bucket, kind, subject LIMIT ?4");
    NEXT_DUE = "SELECT due_at FROM deliveries WHERE state = 'pending' AND carrier = ?1 AND urgent = ?2
        ORDER BY due_at LIMIT 1";
    pub(crate) OVER_BEFORE = concat!("SELECT ", delivery_columns!(), " FROM deliveries
        WHERE state <> 'pending' AND created_at < ?1
        ORDER BY created_at, bucket, kind, subject, carrier LIMIT ?2");
    INSERT_DELIVERY = concat!("INSERT INTO deliveries (bucket, urgent, ", delivery_columns!(), ")
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        ON CONFLICT (bucket, kind, subject, carrier) DO NOTHING");
    UPDATE_DELIVERY = "UPDATE deliveries SET state = ?5, tries = ?6, due_at = ?7, outcome = ?8
        WHERE bucket = ?1 AND kind = ?2 AND subject = ?3 AND carrier = ?4";
    REMOVE_DELIVERY = "DELETE FROM deliveries
        WHERE bucket = ?1 AND kind = ?2 AND subject = ?3 AND carrier = ?4";
}

impl DeliveryRows for Desk<'_> {
    fn message(
        &self,
        bucket: Bucket,
        kind: Kind,
        subject: &str,
        channel: Channel,
    ) -> Stored<Option<Message>> {
        message::message(self.0, bucket, kind, subject, channel)
    }

    fn delivery(
        &self,
        bucket: Bucket,
        kind: Kind,
        subject: &str,
        carrier: Carrier,
    ) -> Stored<Option<Delivery>> {
        let key = params![bucket.number(), kind.as_str(), subject, carrier.as_str()];
        sql::one(self.0, DELIVERY, key, read_delivery)
    }

    fn deliveries_of(&self, customer: &CustomerId, limit: usize) -> Stored<Vec<Delivery>> {
        let values = params![customer.bucket().number(), customer.as_str(), sql::limit(limit)];
        sql::many(self.0, OF_CUSTOMER, values, read_delivery)
    }

    fn deliveries_due(
        &self,
        carrier: Carrier,
        urgent: bool,
        until: Timestamp,
        limit: usize,
    ) -> Stored<Vec<Delivery>> {
        let values = params![carrier.as_str(), urgent, until.0, sql::limit(limit)];
        sql::scan(self.0, DUE, values, read_delivery, |row| row.customer.bucket())
    }

    fn next_delivery_due(&self, carrier: Carrier, urgent: bool) -> Stored<Option<Timestamp>> {
        sql::one(self.0, NEXT_DUE, params![carrier.as_str(), urgent], |row| row.time())
    }

    fn deliveries_over_before(&self, before: Timestamp, limit: usize) -> Stored<Vec<Delivery>> {
        let values = params![before.0, sql::limit(limit)];
        sql::scan(self.0, OVER_BEFORE, values, read_delivery, |row| row.customer.bucket())
    }
}

impl DeliveryTx for Desk<'_> {
    fn insert_delivery(&mut self, delivery: &Delivery) -> Stored<()> {
        let values = params![
            delivery.customer.bucket().number(),
            delivery.is_urgent(),
            delivery.message.as_str(),
            delivery.customer.as_str(),
            delivery.kind.as_str(),
            delivery.subject,
            delivery.carrier.as_str(),
            delivery.to,
            delivery.state.as_str(),
            delivery.tries,
            delivery.due_at.0,
            delivery.expires_at.map(|at| at.0),
            delivery.outcome,
            delivery.created_at.0,
        ];
        sql::write(self.0, INSERT_DELIVERY, values)
    }

    fn update_delivery(&mut self, delivery: &Delivery) -> Stored<()> {
        let values = params![
            delivery.customer.bucket().number(),
            delivery.kind.as_str(),
            delivery.subject,
            delivery.carrier.as_str(),
            delivery.state.as_str(),
            delivery.tries,
            delivery.due_at.0,
            delivery.outcome,
        ];
        sql::change(self.0, UPDATE_DELIVERY, values, "the delivery")
    }

    fn remove_delivery(&mut self, bucket: Bucket, kind: Kind, subject: &str, carrier: Carrier) -> Stored<()> {
        let key = params![bucket.number(), kind.as_str(), subject, carrier.as_str()];
        sql::write(self.0, REMOVE_DELIVERY, key)
    }
}

fn read_delivery(row: &mut Columns<'_>) -> Stored<Delivery> {
    Ok(Delivery {
        message: row.parsed(MessageId::read)?,
        customer: row.parsed(CustomerId::read)?,
        kind: row.parsed(Kind::parse)?,
        subject: row.get()?,
        carrier: row.parsed(Carrier::parse)?,
        to: row.get()?,
        state: row.parsed(DeliveryState::parse)?,
        tries: row.get()?,
        due_at: row.time()?,
        expires_at: row.maybe_time()?,
        outcome: row.get()?,
        created_at: row.time()?,
    })
}
