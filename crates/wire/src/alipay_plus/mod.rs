//! Alipay+ for mobile payment partners, Auto Debit: what this wallet answers and announces.
//!
//! One file per operation, in the paper's verbs: [`prepare`], [`apply_token`], [`cancel_token`], [`pay`],
//! [`inquiry_payment`], [`cancel_payment`], [`refund`]; what goes out unasked is in [`announce`]. [`config`] holds what a deployment may choose,
//! [`codes`] what a refusal is called. The envelope around a body is *not* here but in [`crate::gateway`], and no
//! rule is: an act reads its fields, calls the core and writes down what it said. Where the paper is silent, our
//! readings are in `docs/dialects/alipay-plus.md`.

pub mod announce;
pub mod apply_token;
pub mod cancel_payment;
pub mod cancel_token;
pub mod codes;
pub mod common;
pub mod config;
pub mod consult;
mod inquiry_customer_id;
pub mod inquiry_payment;
mod inquiry_user_info;
mod otp;
pub mod pay;
pub mod prepare;
pub mod qr;
pub mod refund;
pub mod urls;

pub use codes::result_code_rows;
pub use config::{Config, UrlTemplates};
pub use qr::QrHandles;

use crate::dialect::{Act, Code, Consultation, Dialect, Fault, Operation, Reason, Refused};
use crate::fields::{Fields, Strictness};
use crate::json::Json;
use accord_core::agreement::{Terminal, Terms};
use accord_core::client::Client;
use accord_core::ids::{AuthId, ClientId, DialectName, Owner};
use accord_core::policy::Policy;
use accord_core::secret::Secret;
use accord_core::voice::{Announcement, Event, Voice};
use std::sync::Arc;

/// The stable name of this dialect in rows, configuration and logs.
pub const NAME: &str = "alipay-plus";

/// Every operation served, with its path after the mount (Alipay+ document 1.1).
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "prepare", path: "/v1/authorizations/prepare" },
    Operation { name: "applyToken", path: "/v1/authorizations/applyToken" },
    Operation { name: "cancelToken", path: "/v1/authorizations/cancelToken" },
    Operation { name: "pay", path: "/v1/payments/pay" },
    Operation { name: "inquiryPayment", path: "/v1/payments/inquiryPayment" },
    Operation { name: "cancelPayment", path: "/v1/payments/cancelPayment" },
    Operation { name: "refund", path: "/v1/payments/refund" },
    Operation { name: "inquiryUserInfo", path: "/v1/users/inquiryUserInfo" },
    Operation { name: "inquiryCustomerId", path: "/v1/users/inquiryCustomerId" },
    Operation { name: "sendOTP", path: "/v1/otp/sendOTP" },
    Operation { name: "verifyOTP", path: "/v1/otp/verifyOTP" },
];

/// The dialect in one deployment.
pub struct AlipayPlus {
    config: Config,
    policy: Policy,
    qr: Arc<QrHandles>,
}

impl AlipayPlus {
    /// The dialect with these choices. Whether they make sense is said by [`Config::check`].
    pub fn new(config: Config) -> Arc<AlipayPlus> {
        let policy = config.policy();
        let qr = Arc::new(QrHandles::new(&config.handle_key));
        Arc::new(AlipayPlus { config, policy, qr })
    }

    /// What was chosen.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Turns authorization ids into what QR codes carry, and back.
    pub fn qr(&self) -> &Arc<QrHandles> {
        &self.qr
    }
}

impl Voice for AlipayPlus {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn announce(&self, client: &Client, event: &Event<'_>) -> Option<Announcement> {
        announce::announce(self, client, event)
    }
}

impl Dialect for AlipayPlus {
    fn name(&self) -> DialectName {
        DialectName::new(NAME)
    }

    fn owner_of(&self, client: &ClientId, acquirer: &str) -> Owner {
        Owner::of(&[client.as_str(), &self.config.psp_id, acquirer])
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
        let strictness =
            if client.lenient { Strictness::ALIPAY_PLUS_LENIENT } else { Strictness::ALIPAY_PLUS };
        let fields = Fields::of(body, strictness)?;
        match operation.name {
            "prepare" => prepare::read(self, client, &fields),
            "applyToken" => apply_token::read(self, client, &fields),
            "cancelToken" => cancel_token::read(self, client, &fields),
            "pay" => pay::read(self, client, &fields),
            "inquiryPayment" => inquiry_payment::read(self, client, &fields),
            "cancelPayment" => cancel_payment::read(self, client, &fields),
            "refund" => refund::read(self, client, &fields),
            "inquiryUserInfo" => inquiry_user_info::read(self, client, &fields),
            "inquiryCustomerId" => inquiry_customer_id::read(self, client, &fields),
            "sendOTP" => otp::read_send(self, client, &fields),
            "verifyOTP" => otp::read_verify(self, client, &fields),
            _ => Err(Refused::new(Fault::PathUnknown, "API is not defined.")),
        }
    }

    fn code(&self, reason: Reason) -> Code {
        codes::code(reason)
    }

    fn consult(&self, client: &Client, terms: &Terms, access: &Secret) -> Option<Consultation> {
        consult::consult(self, client, terms, access)
    }

    fn consulted(&self, body: &Json) -> Option<bool> {
        consult::consulted(body)
    }

    fn network(&self) -> Option<&'static str> {
        Some("Alipay+")
    }

    fn logo_url(&self, terms: &Terms) -> Option<String> {
        prepare::logo_url(terms)
    }

    fn code_value(&self, auth_id: &AuthId) -> Option<String> {
        AlipayPlus::code_value(self, auth_id)
    }

    fn app_url(&self, auth_id: &AuthId, terminal: Terminal) -> Option<String> {
        Some(self.urls(auth_id, terminal).scheme)
    }

    fn utc_offset_seconds(&self) -> i32 {
        self.config.utc_offset_seconds
    }

    fn mirrors_encoding(&self) -> bool {
        false
    }

    fn trusts_unsigned_acknowledgement(&self) -> bool {
        false
    }
}
