//! Rows of messages to users: one for each kind, subject and channel. What differs by kind is one line of fields.

use super::engine::Engine;
use super::sql::{self, Columns, read_list, statements, write_list};
use super::value::params;
use accord_core::Timestamp;
use accord_core::agreement::EndedBy;
use accord_core::calendar::Date;
use accord_core::handle::Bucket;
use accord_core::ids::{AgreementId, CustomerId, MessageId, PaymentId};
use accord_core::message::{About, Channel, CodePurpose, Kind, Message, Plan};
use accord_core::money::{Amount, Currency};
use accord_core::outcome::Refusal;
use accord_core::store::Stored;
use accord_core::user::Language;
use std::cmp::Reverse;

statements! {
    pub(crate) LISTED = "SELECT id, customer, channel, language, kind, details, at
        FROM inbox WHERE bucket = ?1 AND listed = ?2 ORDER BY at DESC, id DESC, subject DESC LIMIT ?3";
    // Those of debits in the moment in which their payment was made.
    pub(crate) OF_PAYMENTS = "SELECT m.id, m.customer, m.channel, m.language, m.kind, m.details, m.at
        FROM payments AS p CROSS JOIN inbox AS m
        WHERE p.bucket = ?1 AND p.customer = ?2 AND m.bucket = p.bucket AND m.kind = 'debit' AND m.subject = p.id
        AND m.listed IS NULL
        ORDER BY p.created_at DESC, m.id DESC, m.subject DESC LIMIT ?3";
    MESSAGE = "SELECT id, customer, channel, language, kind, details, at
        FROM inbox WHERE bucket = ?1 AND kind = ?2 AND subject = ?3 AND channel = ?4";
    INSERT_MESSAGE = "INSERT INTO inbox (bucket, id, customer, channel, language, kind, subject, details, at, listed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (bucket, kind, subject, channel) DO NOTHING";
}

pub(crate) fn messages(db: &dyn Engine, customer: &CustomerId, limit: usize) -> Stored<Vec<Message>> {
    let values = params![customer.bucket().number(), customer.as_str(), sql::limit(limit)];
    let mut found = sql::many(db, LISTED, values, read_message)?;
    found.extend(sql::many(db, OF_PAYMENTS, values, read_message)?);
    found.sort_by_cached_key(|row| Reverse((row.at, row.id.clone(), row.about.subject())));
    found.truncate(limit);
    Ok(found)
}

pub(crate) fn message(
    db: &dyn Engine,
    bucket: Bucket,
    kind: Kind,
    subject: &str,
    channel: Channel,
) -> Stored<Option<Message>> {
    let key = params![bucket.number(), kind.as_str(), subject, channel.as_str()];
    sql::one(db, MESSAGE, key, read_message)
}

pub(crate) fn insert_message(db: &dyn Engine, message: &Message) -> Stored<()> {
    let values = params![
        message.customer.bucket().number(),
        message.id.as_str(),
        message.customer.as_str(),
        message.channel.as_str(),
        message.language.as_str(),
        message.about.kind().as_str(),
        message.about.subject(),
        write(&message.about),
        message.at.0,
        (!found_by_payment(message)).then(|| message.customer.as_str()),
    ];
    sql::write(db, INSERT_MESSAGE, values)
}

/// Was it written in the moment in which the payment was made that it is about? Then the payment leads to it, and no
/// list of its own is written.
fn found_by_payment(message: &Message) -> bool {
    matches!(&message.about, About::Debit { payment, .. } if payment.minted_at() == Some(message.at))
}

fn read_message(row: &mut Columns<'_>) -> Stored<Message> {
    Ok(Message {
        id: row.parsed(MessageId::read)?,
        customer: row.parsed(CustomerId::read)?,
        channel: row.parsed(Channel::parse)?,
        language: row.parsed(Language::parse)?,
        about: {
            let kind: String = row.get()?;
            row.parsed(|details| read(&kind, details))?
        },
        at: row.time()?,
    })
}

/// The fields of a kind, in the order of [`About`]; nothing is an empty field.
fn write(about: &About) -> String {
    let value = |amount: &Amount| amount.value().to_string();
    let fields: Vec<String> = match about {
        About::Debit { payment, failure, merchant, amount, agreement, plan } => {
            let mut fields = vec![
                payment.to_string(),
                failure.map(Refusal::as_str).unwrap_or_default().to_owned(),
                merchant.clone(),
                amount.currency.to_string(),
                value(amount),
                agreement.to_string(),
            ];
            // Without a plan they are written as they were before there were plans.
            if *plan != Plan::NOTHING {
                let day = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
                fields.extend([
                    plan.agreed.map(|amount| amount.currency.to_string()).unwrap_or_default(),
                    plan.agreed.as_ref().map(value).unwrap_or_default(),
                    day(plan.next),
                    day(plan.until),
                ]);
            }
            fields
        }
        About::Refund { refund, payment, merchant, amount } => vec![
            refund.clone(),
            payment.to_string(),
            merchant.clone(),
            amount.currency.to_string(),
            value(amount),
        ],
        About::Upcoming { agreement, merchant, amount, due_at } => vec![
            agreement.to_string(),
            merchant.clone(),
            amount.map(|amount| amount.currency.to_string()).unwrap_or_default(),
            amount.as_ref().map(value).unwrap_or_default(),
            due_at.0.to_string(),
        ],
        About::Ended { agreement, merchant, by } => {
            vec![agreement.to_string(), merchant.clone(), by.to_string()]
        }
        About::OneTimeCode { purpose, request, merchant, code, expires_at } => {
            let mut fields = vec![request.clone(), merchant.clone(), code.clone(), expires_at.0.to_string()];
            // Codes that merchants send are written as they were before there were others.
            fields.extend((*purpose != CodePurpose::Merchant).then(|| purpose.to_string()));
            fields
        }
        About::FromMerchant { request, merchant, title, content, url } => vec![
            request.clone(),
            merchant.clone(),
            title.clone(),
            content.clone(),
            url.clone().unwrap_or_default(),
        ],
    };
    write_list([fields.iter().map(String::as_str).collect()])
}

fn read(kind: &str, details: &str) -> Option<About> {
    let [fields] = <[Vec<String>; 1]>::try_from(read_list(details)?).ok()?;
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    Some(match (kind, fields.as_slice()) {
        ("debit", [payment, failure, merchant, currency, value, agreement, plan @ ..]) => About::Debit {
            payment: PaymentId::read(payment)?,
            failure: if failure.is_empty() { None } else { Some(Refusal::parse(failure)?) },
            merchant: (*merchant).to_owned(),
            amount: amount(currency, value)?,
            agreement: AgreementId::read(agreement)?,
            plan: match plan {
                [] => Plan::NOTHING,
                [currency, value, next, until] => Plan {
                    agreed: if currency.is_empty() { None } else { Some(amount(currency, value)?) },
                    next: day(next)?,
                    until: day(until)?,
                },
                _ => return None,
            },
        },
        ("refund", [refund, payment, merchant, currency, value]) => About::Refund {
            refund: (*refund).to_owned(),
            payment: PaymentId::read(payment)?,
            merchant: (*merchant).to_owned(),
            amount: amount(currency, value)?,
        },
        ("upcoming", [agreement, merchant, currency, value, due_at]) => About::Upcoming {
            agreement: AgreementId::read(agreement)?,
            merchant: (*merchant).to_owned(),
            amount: if currency.is_empty() { None } else { Some(amount(currency, value)?) },
            due_at: time(due_at)?,
        },
        ("ended", [agreement, merchant, by]) => About::Ended {
            agreement: AgreementId::read(agreement)?,
            merchant: (*merchant).to_owned(),
            by: EndedBy::parse(by)?,
        },
        ("one_time_code", [request, merchant, code, expires_at, purpose @ ..]) => About::OneTimeCode {
            purpose: match purpose {
                [] => CodePurpose::Merchant,
                [purpose] => CodePurpose::parse(purpose)?,
                _ => return None,
            },
            request: (*request).to_owned(),
            merchant: (*merchant).to_owned(),
            code: (*code).to_owned(),
            expires_at: time(expires_at)?,
        },
        ("from_merchant", [request, merchant, title, content, url]) => About::FromMerchant {
            request: (*request).to_owned(),
            merchant: (*merchant).to_owned(),
            title: (*title).to_owned(),
            content: (*content).to_owned(),
            url: (!url.is_empty()).then(|| (*url).to_owned()),
        },
        _ => return None,
    })
}

fn amount(currency: &str, value: &str) -> Option<Amount> {
    Amount::new(Currency::parse(currency)?, value.parse().ok()?)
}

/// A day, or nothing of an empty text.
fn day(text: &str) -> Option<Option<Date>> {
    if text.is_empty() { Some(None) } else { Date::parse(text).map(Some) }
}

fn time(millis: &str) -> Option<Timestamp> {
    millis.parse().ok().map(Timestamp)
}
