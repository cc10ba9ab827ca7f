//! The operations' names and paths, as both papers print them. Whether a wallet serves one is for it to say.

use std::fmt;
use std::str::FromStr;

/// Which protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialectKind {
    /// Qi mini program OpenAPI.
    Qi,
    /// Alipay+ MPP.
    AlipayPlus,
}

impl DialectKind {
    /// `qi` or `alipay-plus`.
    pub fn as_str(self) -> &'static str {
        match self {
            DialectKind::Qi => "qi",
            DialectKind::AlipayPlus => "alipay-plus",
        }
    }
}

impl fmt::Display for DialectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DialectKind {
    type Err = String;

    fn from_str(text: &str) -> Result<DialectKind, String> {
        match text {
            "qi" => Ok(DialectKind::Qi),
            "alipay-plus" => Ok(DialectKind::AlipayPlus),
            _ => Err(format!("no dialect `{text}`: qi or alipay-plus")),
        }
    }
}

/// Name and path of every operation, in the order of the papers.
pub fn operations(dialect: DialectKind) -> &'static [(&'static str, &'static str)] {
    match dialect {
        // Qi 3.1 to 3.12.
        DialectKind::Qi => &[
            ("prepare", "/v1/authorizations/prepare"),
            ("applyToken", "/v1/authorizations/applyToken"),
            ("cancelToken", "/v1/authorizations/cancelToken"),
            ("inquiryUserInfo", "/v1/users/inquiryUserInfo"),
            ("pay", "/v1/payments/pay"),
            ("inquiryPayment", "/v1/payments/inquiryPayment"),
            ("refund", "/v1/payments/refund"),
            ("inquiryRefund", "/v1/payments/inquiryRefund"),
            ("merchantAccept", "/v1/payments/merchantAccept"),
            ("confirm", "/v1/payments/confirm"),
            ("cancel", "/v1/payments/cancel"),
            ("void", "/v1/payments/void"),
            ("sendInbox", "/v1/messages/sendInbox"),
            ("sendPush", "/v1/messages/sendPush"),
        ],
        // Alipay+ 1.1, and the names of its 3.12 and 3.13.
        DialectKind::AlipayPlus => &[
            ("prepare", "/v1/authorizations/prepare"),
            ("applyToken", "/v1/authorizations/applyToken"),
            ("cancelToken", "/v1/authorizations/cancelToken"),
            ("pay", "/v1/payments/pay"),
            ("inquiryPayment", "/v1/payments/inquiryPayment"),
            ("cancelPayment", "/v1/payments/cancelPayment"),
            ("refund", "/v1/payments/refund"),
            ("inquiryUserInfo", "/v1/users/inquiryUserInfo"),
            ("inquiryCustomerId", "/v1/users/inquiryCustomerId"),
            ("sendOTP", "/v1/otp/sendOTP"),
            ("verifyOTP", "/v1/otp/verifyOTP"),
        ],
    }
}

/// The path of an operation after the mount. A name that begins with `/` is a path already.
pub fn path_of(dialect: DialectKind, operation: &str) -> Option<&str> {
    if operation.starts_with('/') {
        return Some(operation);
    }
    operations(dialect).iter().find(|(name, _)| *name == operation).map(|(_, path)| *path)
}
