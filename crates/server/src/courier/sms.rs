//! SMS: one HTTP request to a gateway for each message (docs/operating.md, "Messages").
//!
//! The gateway is the deployment's: https, or plain http to this machine. Its address is judged all the same (decision
//! 38): public ones, and private ones that the configuration lists. Each try of a message bears the same id, by which
//! the gateway drops a second one.

use super::Said;
use crate::dispatcher::root_cause;
use crate::outbound::{GuardedResolver, OutboundPolicy, Permit};
use crate::pages::brief::{Sized, brief};
use crate::sandbox::answer::iso;
use accord_core::message::Message;
use accord_core::message::delivery::Delivery;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// One try may take so long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The gateway of a deployment.
#[derive(Clone)]
pub struct SmsOptions {
    /// Where: POST of JSON.
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<Zeroizing<String>>,
    /// Longer texts are cut.
    pub max_segments: usize,
    /// Where the gateway may be.
    pub outbound: OutboundPolicy,
}

impl std::fmt::Debug for SmsOptions {
    /// Everything that a log may know: not the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmsOptions")
            .field("url", &self.url)
            .field("max_segments", &self.max_segments)
            .field("outbound", &self.outbound)
            .finish_non_exhaustive()
    }
}

/// A gateway that can be called.
pub struct Sms {
    options: SmsOptions,
    http: reqwest::Client,
}

impl Sms {
    /// Makes ready to call; calls nobody. The fault is a sentence.
    pub fn new(options: &SmsOptions) -> Result<Sms, String> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .dns_resolver(Arc::new(GuardedResolver(Arc::new(options.outbound.clone()))))
            .user_agent("accord")
            .build()
            .map_err(|fault| format!("the client for SMS cannot be made: {fault}"))?;
        Ok(Sms { options: options.clone(), http })
    }

    /// Connects, and sends no message: any answer to a HEAD request will do.
    pub async fn probe(&self) -> Result<(), String> {
        self.permit()?;
        let asked = self.http.head(&self.options.url).send().await;
        asked.map(|_| ()).map_err(|fault| root_cause(&fault))
    }

    fn permit(&self) -> Result<(), String> {
        match self.options.outbound.judge(&self.options.url) {
            Permit::Go => Ok(()),
            Permit::Hold => Err("only this machine may be contacted".to_owned()),
            Permit::Never(why) => Err(why),
        }
    }

    /// One try.
    pub async fn send(&self, delivery: &Delivery, message: &Message) -> Said {
        if let Err(why) = self.permit() {
            return Said::failed(why);
        }
        let digits = delivery.to.strip_prefix('+').unwrap_or_default();
        if !(6..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Said::refused("no phone number in E.164 form");
        }
        let body = body_of(delivery, message, self.options.max_segments);
        let id = id_of(delivery);
        let mut request = self
            .http
            .post(&self.options.url)
            .header("content-type", "application/json")
            .header("idempotency-key", &id)
            .body(body.to_string());
        if let Some(token) = &self.options.token {
            request = request.bearer_auth(token.as_str());
        }
        match request.send().await {
            Ok(reply) => judge(reply.status().as_u16()),
            Err(fault) if fault.is_timeout() => Said::failed("timed out"),
            Err(fault) => Said::failed(format!("no answer: {}", root_cause(&fault))),
        }
    }
}

/// The same for each try of a delivery.
fn id_of(delivery: &Delivery) -> String {
    format!("{}.{}", delivery.message, delivery.carrier)
}

fn body_of(delivery: &Delivery, message: &Message, max_segments: usize) -> Value {
    let Sized { text, encoding, segments } = brief(message, max_segments);
    let mut body = json!({
        "id": id_of(delivery),
        "to": delivery.to,
        "text": text,
        "language": message.language.as_str(),
        "encoding": encoding,
        "segments": segments,
    });
    if let (Some(expires_at), Value::Object(members)) = (delivery.expires_at, &mut body) {
        members.insert("expiresAt".to_owned(), json!(iso(expires_at)));
    }
    body
}

/// 2xx: it has it. 4xx: it will not have it, unless the fault is ours to cure (who we are, how often we ask).
fn judge(status: u16) -> Said {
    let outcome = format!("HTTP {status}");
    match status {
        200..=299 => Said::sent(outcome),
        401 | 403 | 408 | 425 | 429 => Said::failed(outcome),
        400..=499 => Said::refused(outcome),
        _ => Said::failed(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_core::message::delivery::Carried;

    #[test]
    fn a_gateway_answers_yes_or_never_or_not_now() {
        for (status, carried) in [
            (200, Carried::Sent),
            (202, Carried::Sent),
            (204, Carried::Sent),
            (400, Carried::Refused),
            (404, Carried::Refused),
            (422, Carried::Refused),
            (401, Carried::Failed),
            (403, Carried::Failed),
            (408, Carried::Failed),
            (429, Carried::Failed),
            (301, Carried::Failed),
            (500, Carried::Failed),
            (503, Carried::Failed),
        ] {
            assert_eq!(judge(status).carried, carried, "{status}");
        }
    }
}
