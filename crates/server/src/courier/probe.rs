//! Can the carriers be reached? For an operator's look at a deployment, before anybody waits for a message.

use super::CourierOptions;
use super::email::Email;
use super::sms::Sms;
use accord_core::message::routes::Carrier;
use std::time::Duration;

/// So long a look may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Connects to each carrier that is configured; says where, and what is in the way.
pub async fn probe(options: &CourierOptions) -> Vec<(Carrier, String, Result<(), String>)> {
    let late = || "no answer within 8 seconds".to_owned();
    let mut found = Vec::new();
    if let Some(options) = &options.email {
        let place = format!("{}:{}", options.host, options.port);
        let end = match Email::new(options) {
            Ok(email) => tokio::time::timeout(PATIENCE, email.probe()).await.unwrap_or_else(|_| Err(late())),
            Err(fault) => Err(fault),
        };
        found.push((Carrier::Email, place, end));
    }
    if let Some(options) = &options.sms {
        let end = match Sms::new(options) {
            Ok(sms) => tokio::time::timeout(PATIENCE, sms.probe()).await.unwrap_or_else(|_| Err(late())),
            Err(fault) => Err(fault),
        };
        found.push((Carrier::Sms, options.url.clone(), end));
    }
    found
}
