//! Qi: the mini program OpenAPI, as far as agreement payment goes.
//!
//! One file per act, in the paper's verb. [`codes`] is the table of result codes, [`config`] what a deployment
//! chooses, [`announce`] the one notice that Qi has. No rule is here: acts call `accord-core`. The envelope
//! (signatures, headers, HTTP) is [`crate::gateway`]'s. Readings of the paper: `docs/dialects/qi.md`.

mod announce;
mod apply_token;
mod cancel_token;
pub mod codes;
mod common;
pub mod config;
mod inquiry_payment;
mod inquiry_refund;
mod inquiry_user_info;
mod limits;
pub mod login;
mod pay;
mod plan;
mod prepare;
mod refund;
mod send_message;
pub mod urls;

pub use announce::NOTIFY_PAYMENT;
pub use codes::result_code_rows;
pub use config::Config;

use crate::dialect::{Act, Code, Dialect, Fault, Operation, Reason, Refused};
use crate::json::Json;
use accord_core::agreement::Terms;
use accord_core::agreement::control::Asked;
use accord_core::client::Client;
use accord_core::ids::DialectName;
use accord_core::message::{Channel, Plan};
use accord_core::payment::Payment;
use accord_core::policy::Policy;
use accord_core::voice::{Announcement, Event, Voice};
use std::sync::Arc;

/// The stable name of this dialect.
pub const NAME: &str = "qi";

const PREPARE: &str = "prepare";
const APPLY_TOKEN: &str = "applyToken";
const CANCEL_TOKEN: &str = "cancelToken";
const PAY: &str = "pay";
const INQUIRY_PAYMENT: &str = "inquiryPayment";
const REFUND: &str = "refund";
const INQUIRY_REFUND: &str = "inquiryRefund";
const INQUIRY_USER_INFO: &str = "inquiryUserInfo";
const SEND_INBOX: &str = "sendInbox";
const SEND_PUSH: &str = "sendPush";

/// What Qi's merchants may call.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: PREPARE, path: "/v1/authorizations/prepare" },
    Operation { name: APPLY_TOKEN, path: "/v1/authorizations/applyToken" },
    Operation { name: CANCEL_TOKEN, path: "/v1/authorizations/cancelToken" },
    Operation { name: PAY, path: "/v1/payments/pay" },
    Operation { name: INQUIRY_PAYMENT, path: "/v1/payments/inquiryPayment" },
    Operation { name: REFUND, path: "/v1/payments/refund" },
    Operation { name: INQUIRY_REFUND, path: "/v1/payments/inquiryRefund" },
    Operation { name: INQUIRY_USER_INFO, path: "/v1/users/inquiryUserInfo" },
    Operation { name: SEND_INBOX, path: "/v1/messages/sendInbox" },
    Operation { name: SEND_PUSH, path: "/v1/messages/sendPush" },
];

/// The Qi dialect of one deployment.
#[derive(Debug)]
pub struct Qi {
    config: Config,
    policy: Policy,
}

impl Qi {
    /// The dialect with these choices; whoever reads them from people asks [`Config::check`] first.
    pub fn new(config: Config) -> Arc<Qi> {
        let policy = config.policy();
        Arc::new(Qi { config, policy })
    }

    /// The choices of this deployment.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

impl Voice for Qi {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn asked(&self, terms: &Terms) -> Asked {
        limits::of_terms(terms, self.policy.control.day_zone_offset_ms)
    }

    fn plan(&self, payment: &Payment) -> Plan {
        plan::of(payment)
    }

    fn announce(&self, client: &Client, event: &Event<'_>) -> Option<Announcement> {
        announce::announce(self, client, event)
    }
}

impl Dialect for Qi {
    fn name(&self) -> DialectName {
        DialectName::new(NAME)
    }

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn read(
        self: Arc<Self>,
        operation: &Operation,
        client: &Client,
        body: &Json,
    ) -> Result<Box<dyn Act>, Refused> {
        Ok(match operation.name {
            PREPARE => Box::new(prepare::read(self, client, body)?),
            APPLY_TOKEN => Box::new(apply_token::read(self, client, body)?),
            CANCEL_TOKEN => Box::new(cancel_token::read(self, client, body)?),
            PAY => Box::new(pay::read(self, client, body)?),
            INQUIRY_PAYMENT => Box::new(inquiry_payment::read(self, client, body)?),
            REFUND => Box::new(refund::read(self, client, body)?),
            INQUIRY_REFUND => Box::new(inquiry_refund::read(self, client, body)?),
            INQUIRY_USER_INFO => Box::new(inquiry_user_info::read(self, client, body)?),
            SEND_INBOX => Box::new(send_message::read(self, client, body, Channel::Inbox)?),
            SEND_PUSH => Box::new(send_message::read(self, client, body, Channel::Push)?),
            _ => return Err(Refused::new(Fault::PathUnknown, codes::of_fault(Fault::PathUnknown).meaning)),
        })
    }

    fn code(&self, reason: Reason) -> Code {
        codes::code(reason)
    }

    fn utc_offset_seconds(&self) -> i32 {
        self.config.utc_offset_seconds
    }

    fn mirrors_encoding(&self) -> bool {
        true
    }

    fn trusts_unsigned_acknowledgement(&self) -> bool {
        true
    }
}
