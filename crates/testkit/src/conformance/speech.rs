//! Each operation said in either dialect: the smallest good body, and where its answer keeps what comes next.
//!
//! Tests that are about the rules say them once for both; what only one dialect has is said by its own stories.

use crate::conformance::fixture::{ALIPAY_PLUS_1, ALIPAY_PLUS_2, QI_1, QI_2, Signatory};
use accord_wire::dialect::{Code, Operation, Reason};
use accord_wire::{alipay_plus, qi};
use serde_json::{Value, json};

/// Which dialect is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speech {
    /// Qi mini program OpenAPI.
    Qi,
    /// Alipay+ MPP.
    AlipayPlus,
}

/// pspId of every Alipay+ body.
pub const PSP_ID: &str = "102208800000001234";
/// acquirerId of every Alipay+ body.
pub const ACQUIRER_ID: &str = "102218800000001234";
/// authClientId of every Alipay+ body.
pub const AUTH_CLIENT_ID: &str = "2188123412341234";

impl Speech {
    /// Both.
    pub const ALL: [Speech; 2] = [Speech::Qi, Speech::AlipayPlus];

    /// The dialect of that name.
    pub fn named(name: &str) -> Option<Speech> {
        Speech::ALL.into_iter().find(|speech| speech.name() == name)
    }

    /// The dialect's stable name.
    pub fn name(self) -> &'static str {
        match self {
            Speech::Qi => qi::NAME,
            Speech::AlipayPlus => alipay_plus::NAME,
        }
    }

    /// Where it is mounted first.
    pub fn mount(self) -> &'static str {
        match self {
            Speech::Qi => "",
            Speech::AlipayPlus => "/aps/api",
        }
    }

    /// What it serves.
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Speech::Qi => qi::OPERATIONS,
            Speech::AlipayPlus => alipay_plus::OPERATIONS,
        }
    }

    /// Mount and path of an operation.
    pub fn target(self, operation: &str) -> String {
        let found = self.operations().iter().find(|known| known.name == operation);
        let found = found.unwrap_or_else(|| panic!("{} has no {operation}", self.name()));
        format!("{}{}", self.mount(), found.path)
    }

    /// Its two clients.
    pub fn clients(self) -> [&'static Signatory; 2] {
        match self {
            Speech::Qi => [QI_1, QI_2],
            Speech::AlipayPlus => [ALIPAY_PLUS_1, ALIPAY_PLUS_2],
        }
    }

    /// A client of the other dialect.
    pub fn stranger(self) -> &'static Signatory {
        match self {
            Speech::Qi => ALIPAY_PLUS_1,
            Speech::AlipayPlus => QI_1,
        }
    }

    /// The offset of its times, in seconds east of UTC.
    pub fn utc_offset_seconds(self) -> i32 {
        match self {
            Speech::Qi => 3 * 3600,
            Speech::AlipayPlus => 8 * 3600,
        }
    }

    /// What it calls a reason.
    pub fn code(self, reason: Reason) -> Code {
        match self {
            Speech::Qi => qi::codes::code(reason),
            Speech::AlipayPlus => alipay_plus::codes::code(reason),
        }
    }

    /// Every reason with its code.
    pub fn codes(self) -> Vec<(Reason, Code)> {
        match self {
            Speech::Qi => qi::codes::result_code_rows(),
            Speech::AlipayPlus => alipay_plus::result_code_rows(),
        }
    }

    /// prepare. Alipay+ calls with one `reference` are one call; Qi knows no reference.
    pub fn prepare(self, reference: &str) -> Value {
        match self {
            Speech::Qi => json!({
                "scopes": "AGREEMENT_PAY",
                "extendInfo": json!({ "language": "en-US", "contractDesc": "Gym plan, monthly." }).to_string(),
            }),
            Speech::AlipayPlus => json!({
                "pspId": PSP_ID,
                "acquirerId": ACQUIRER_ID,
                "authClientId": AUTH_CLIENT_ID,
                "authClientName": "Merchant",
                "authClientDisplayName": "Merchant display",
                "authRedirectUrl": "https://www.merchant.com/authenticationResult?param1=123",
                "scopes": ["AGREEMENT_PAY", "BASE_USER_INFO"],
                "customerBelongsTo": "ALIPAY_CN",
                "authState": "663A8FA9-D836-48EE-8AA1-1FF682989DC7",
                "terminalType": "APP",
                "osType": "IOS",
                "osVersion": "11.0.2",
                "referenceAgreementId": reference,
                "authNotifyUrl": "https://www.alipayplus.com/authenticationNotify",
                "referenceMerchantId": "2188123412341230",
            }),
        }
    }

    /// applyToken with an authorization code.
    pub fn apply(self, code: &str) -> Value {
        self.with_parties(json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code }))
    }

    /// applyToken with a refresh token.
    pub fn refresh(self, token: &str) -> Value {
        self.with_parties(json!({ "grantType": "REFRESH_TOKEN", "refreshToken": token }))
    }

    /// cancelToken.
    pub fn cancel(self, token: &str) -> Value {
        self.with_parties(json!({ "accessToken": token }))
    }

    /// pay.
    pub fn pay(self, token: &str, id: &str, currency: &str, value: &str) -> Value {
        let amount = json!({ "currency": currency, "value": value });
        let order = json!({ "referenceOrderId": format!("order of {id}"), "orderDescription": "Gym plan" });
        match self {
            Speech::Qi => json!({
                "productCode": "51051000101000100031",
                "paymentRequestId": id,
                "paymentAuthCode": token,
                "paymentAmount": amount,
                "order": order,
                "paymentNotifyUrl": "https://merchant.example/notify",
            }),
            Speech::AlipayPlus => self.with_parties(json!({
                "order": order,
                "paymentRequestId": id,
                "paymentAmount": amount,
                "payToAmount": amount,
                "paymentMethod": { "paymentMethodType": "CONNECT_WALLET", "paymentMethodId": token },
                "paymentFactor": { "isAgreementPayment": "true" },
                "paymentNotifyUrl": "https://www.alipayplus.com/paymentNotify",
            })),
        }
    }

    /// inquiryPayment by the caller's own id.
    pub fn inquire(self, id: &str) -> Value {
        self.with_parties(json!({ "paymentRequestId": id }))
    }

    /// refund of a payment, by the caller's id of the order and the wallet's.
    pub fn refund(self, order: &str, payment_id: &str, id: &str, currency: &str, value: &str) -> Value {
        self.with_parties(json!({
            "paymentRequestId": order,
            "paymentId": payment_id,
            "refundRequestId": id,
            "refundAmount": { "currency": currency, "value": value },
            "refundReason": "The gym was closed.",
        }))
    }

    /// inquiryRefund by the caller's own id. Qi's alone.
    pub fn inquire_refund(self, id: &str) -> Value {
        self.with_parties(json!({ "refundRequestId": id }))
    }

    /// cancelPayment. Alipay+'s alone.
    pub fn cancel_payment(self, order: &str) -> Value {
        self.with_parties(json!({ "paymentRequestId": order }))
    }

    pub(super) fn with_parties(self, body: Value) -> Value {
        match (self, body) {
            (Speech::AlipayPlus, Value::Object(members)) => {
                let mut body = json!({ "pspId": PSP_ID, "acquirerId": ACQUIRER_ID });
                if let Value::Object(all) = &mut body {
                    all.extend(members);
                }
                body
            }
            (_, body) => body,
        }
    }

    /// The authId in the answer of prepare.
    pub fn auth_id(self, answer: &Value) -> String {
        let member = match self {
            Speech::Qi => "authUrl",
            Speech::AlipayPlus => "normalUrl",
        };
        let url = answer.get(member).and_then(Value::as_str).unwrap_or_default();
        let id = url.split_once("authId=").map(|(_, id)| id.split('&').next().unwrap_or(id));
        id.unwrap_or_else(|| panic!("{member} names a session: {answer}")).to_owned()
    }
}

/// A text member of an answer.
pub fn text(answer: &Value, member: &str) -> String {
    let text = answer.get(member).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("{member} in {answer}")).to_owned()
}

/// `result.resultCode` of a body.
pub fn result_code(answer: &Value) -> &str {
    answer["result"]["resultCode"].as_str().unwrap_or("no result")
}
