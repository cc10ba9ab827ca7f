//! Rows of messages to users: one for each payment and channel.

use super::sql::{self, statements};
use accord_core::ids::{AgreementId, CustomerId, MessageId, PaymentId};
use accord_core::message::{Channel, Message};
use accord_core::outcome::Refusal;
use accord_core::store::Stored;
use accord_core::user::Language;
use rusqlite::{Connection, params};

statements! {
    MESSAGES = "SELECT id, customer, channel, language, payment, failure, merchant, currency, amount, agreement, at
        FROM messages WHERE bucket = ?1 AND customer = ?2 ORDER BY at DESC, id DESC, payment DESC LIMIT ?3";
    INSERT_MESSAGE = "INSERT INTO messages (bucket, id, customer, channel, language, payment, failure, merchant,
        currency, amount, agreement, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        ON CONFLICT (bucket, payment, channel) DO NOTHING";
}

pub(super) fn messages(db: &Connection, customer: &CustomerId, limit: usize) -> Stored<Vec<Message>> {
    let values = params![customer.bucket().number(), customer.as_str(), sql::limit(limit)];
    sql::many(db, MESSAGES, values, |row| {
        Ok(Message {
            id: row.parsed(MessageId::read)?,
            customer: row.parsed(CustomerId::read)?,
            channel: row.parsed(Channel::parse)?,
            language: row.parsed(Language::parse)?,
            payment: row.parsed(PaymentId::read)?,
            failure: row.maybe(Refusal::parse)?,
            merchant: row.get()?,
            amount: row.amount()?,
            agreement: row.parsed(AgreementId::read)?,
            at: row.time()?,
        })
    })
}

pub(super) fn insert_message(db: &Connection, message: &Message) -> Stored<()> {
    let values = params![
        message.customer.bucket().number(),
        message.id.as_str(),
        message.customer.as_str(),
        message.channel.as_str(),
        message.language.as_str(),
        message.payment.as_str(),
        message.failure.map(Refusal::as_str),
        message.merchant,
        message.amount.currency.code(),
        message.amount.value(),
        message.agreement.as_str(),
        message.at.0,
    ];
    sql::write(db, INSERT_MESSAGE, values)
}
