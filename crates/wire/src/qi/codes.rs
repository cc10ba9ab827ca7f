//! What Qi calls each reason: one line each, with where the paper says so. No wildcard arm: a new reason does not
//! compile until Qi has a word for it.
//!
//! Qi's own error tables end where its pages could be read; the rest comes from the platform's V1 pages and from
//! sibling wallets on the same platform. The source names them.

use crate::dialect::{Code, Fault, Reason, Status};
use accord_core::Refusal;

/// The code of every success.
pub const SUCCESS: Code =
    Code { code: "SUCCESS", status: Status::S, source: "Qi prepare, sample", meaning: "success" };

/// What Qi calls that reason.
pub fn code(reason: Reason) -> Code {
    match reason {
        Reason::Fault(fault) => of_fault(fault),
        Reason::Refusal(refusal) => of_refusal(refusal),
    }
}

/// Every reason with its code, for `docs/result-codes.md` and the sandbox's fault scripts.
pub fn result_code_rows() -> Vec<(Reason, Code)> {
    let faults = Fault::ALL.iter().map(|fault| Reason::Fault(*fault));
    let refusals = Refusal::ALL.iter().map(|refusal| Reason::Refusal(*refusal));
    faults.chain(refusals).map(|reason| (reason, code(reason))).collect()
}

/// What Qi calls a refusal by envelope or fields.
pub fn of_fault(fault: Fault) -> Code {
    let f = |code, source, meaning| Code { code, status: Status::F, source, meaning };
    let u = |code, source, meaning| Code { code, status: Status::U, source, meaning };
    match fault {
        Fault::PathUnknown => {
            f("INVALID_API", "platform V1, common error codes", "There is no such API. Check the path.")
        }
        Fault::MethodNotPost => {
            f("METHOD_NOT_SUPPORTED", "decisions, Codes", "Every API is called with the method POST.")
        }
        Fault::MediaType => f(
            "MEDIA_TYPE_NOT_ACCEPTABLE",
            "decisions, Codes",
            "The body must be sent as application/json in UTF-8.",
        ),
        Fault::TooLarge => f("PARAM_ILLEGAL", "Qi prepare, error codes", "The body is larger than allowed."),
        Fault::Header => {
            f("PARAM_ILLEGAL", "Qi prepare, error codes", "A header field is missing or malformed.")
        }
        Fault::ClientUnknown => {
            f("INVALID_CLIENT", "Rebell v1 inquiryPayment", "The Client-Id is not known.")
        }
        Fault::ClientSuspended => {
            f("INVALID_CLIENT_STATUS", "Rebell v1 inquiryPayment", "The client is suspended.")
        }
        Fault::KeyUnknown => {
            f("KEY_NOT_FOUND", "decisions, Codes", "The client has no active key of this version.")
        }
        Fault::SignatureWrong => {
            f("INVALID_SIGNATURE", "Rebell v1 inquiryPayment", "The signature is missing or wrong.")
        }
        Fault::Stale => f(
            "PARAM_ILLEGAL",
            "decisions, 8",
            "The Request-Time is too far from the server's time. Check the clock.",
        ),
        Fault::Malformed => {
            f("PARAM_ILLEGAL", "Qi prepare, error codes", "The body is not well-formed JSON.")
        }
        Fault::Field => f("PARAM_ILLEGAL", "Qi prepare, error codes", "A field is missing or illegal."),
        Fault::ScopeUnknown => {
            f("INVALID_SCOPE", "Qi prepare, error codes", "The scope is invalid. Use AGREEMENT_PAY.")
        }
        Fault::GrantTypeUnknown => f(
            "AUTH_CLIENT_UNSUPPORTED_GRANT_TYPE",
            "platform V1 applyToken, error codes",
            "The grantType must be AUTHORIZATION_CODE or REFRESH_TOKEN.",
        ),
        Fault::NotAllowed => f(
            "ACCESS_DENIED",
            "platform V1, common error codes",
            "This product is not offered to this client.",
        ),
        Fault::Overloaded => u(
            "REQUEST_TRAFFIC_EXCEED_LIMIT",
            "platform V1 pay, error codes",
            "Too many calls at this time. Call again later with the same ids.",
        ),
        Fault::Unexpected => u(
            "UNKNOWN_EXCEPTION",
            "Qi prepare, result U; platform V1, common error codes",
            "The outcome is not known. Inquire, or call again with the same ids.",
        ),
    }
}

/// What Qi calls a refusal by a rule.
pub fn of_refusal(refusal: Refusal) -> Code {
    const TOKEN: &str = "platform V1 applyToken, error codes";
    const REFUND: &str = "platform V1 refund, error codes";
    const PAY: &str = "platform V1 pay, error codes";
    let f = |code, source, meaning| Code { code, status: Status::F, source, meaning };
    match refusal {
        Refusal::ReferenceReused => {
            f("REPEAT_REQ_INCONSISTENT", PAY, "The same reference was used before with other content.")
        }
        Refusal::ProductNotAllowed => f(
            "ACCESS_DENIED",
            "platform V1, common error codes",
            "Agreement payment is not enabled for this client.",
        ),
        Refusal::ClientSuspended => {
            f("INVALID_CLIENT_STATUS", "Rebell v1 inquiryPayment", "The client is suspended.")
        }
        Refusal::CodeUnknown => f("INVALID_CODE", TOKEN, "The authCode is not known."),
        Refusal::CodeUsed => f("USED_CODE", TOKEN, "The authCode has been used."),
        Refusal::CodeExpired => f("EXPIRED_CODE", TOKEN, "The authCode has expired."),
        Refusal::RefreshTokenUnknown => {
            f("INVALID_REFRESH_TOKEN", TOKEN, "The refreshToken is not known or its agreement has ended.")
        }
        Refusal::RefreshTokenUsed => f("USED_REFRESH_TOKEN", TOKEN, "The refreshToken has been used."),
        Refusal::RefreshTokenExpired => f("EXPIRED_REFRESH_TOKEN", TOKEN, "The refreshToken has expired."),
        Refusal::AccessTokenUnknown => {
            f("INVALID_ACCESS_TOKEN", PAY, "The access token is not known or its agreement has ended.")
        }
        Refusal::AccessTokenExpired => f("EXPIRED_ACCESS_TOKEN", PAY, "The access token has expired."),
        Refusal::ScopeMissing => f(
            "ACCESS_DENIED",
            "platform V1, common error codes",
            "The access token was granted without the scope that this call needs.",
        ),
        Refusal::UserNotFound => f("USER_NOT_EXIST", PAY, "The user does not exist."),
        Refusal::UserFrozen => f("USER_STATUS_ABNORMAL", PAY, "The user's account cannot be used now."),
        Refusal::UserNotQualified => {
            f("USER_STATUS_ABNORMAL", PAY, "The user has not been identified well enough to pay.")
        }
        Refusal::AgreementPaused => {
            f("RISK_REJECT", "decisions, 33", "The agreement cannot be used at this time.")
        }
        Refusal::AmountOverDebitLimit => {
            f("PAYMENT_AMOUNT_EXCEED_LIMIT", PAY, "The amount is above the limit for one payment.")
        }
        Refusal::AmountOverPeriodLimit => {
            f("USER_AMOUNT_EXCEED_LIMIT", PAY, "The amount is above the user's limit for the period.")
        }
        Refusal::CountOverLimit => {
            f("PAYMENT_AMOUNT_EXCEED_LIMIT", "decisions, 33", "More payments than the agreement allows.")
        }
        Refusal::RiskRejected => f("RISK_REJECT", PAY, "The payment was rejected by risk control."),
        Refusal::VerificationFailed => {
            f("PROCESS_FAIL", "platform V1, common error codes", "The user's identity could not be verified.")
        }
        Refusal::MerchantNotRegistered => f("PARTNER_NOT_EXIST", PAY, "The merchant is not registered."),
        Refusal::AccountMissing => f("CURRENCY_NOT_SUPPORT", PAY, "The user cannot pay in this currency."),
        Refusal::BalanceNotEnough => f("USER_BALANCE_NOT_ENOUGH", PAY, "The user's balance is not enough."),
        Refusal::PaymentReused => {
            f("REPEAT_REQ_INCONSISTENT", PAY, "The same paymentRequestId was used before with other content.")
        }
        Refusal::PaymentRunning => Code {
            code: "PAYMENT_IN_PROCESS",
            status: Status::U,
            source: PAY,
            meaning: "The payment is still being processed. Inquire, or call again with the same id.",
        },
        Refusal::OrderExpired => f("ORDER_STATUS_INVALID", PAY, "The paymentExpiryTime has passed."),
        Refusal::OrderClosed => f("ORDER_STATUS_INVALID", PAY, "The order is closed."),
        Refusal::PaymentNotFound => {
            f("ORDER_NOT_EXIST", "platform V1 inquiryPayment, error codes", "There is no such payment.")
        }
        Refusal::PaymentNotRefundable => {
            f("ORDER_STATUS_INVALID", REFUND, "The order was not paid or is closed.")
        }
        Refusal::RefundReused => f(
            "REPEAT_REQ_INCONSISTENT",
            REFUND,
            "Payment or amount differ from the first request of this refundRequestId.",
        ),
        Refusal::RefundRunning => Code {
            code: "REFUND_IN_PROCESS",
            status: Status::U,
            source: REFUND,
            meaning: "The refund is being processed; inquire or send the same request again.",
        },
        Refusal::RefundOverPayment => {
            f("REFUND_AMOUNT_EXCEED", REFUND, "The refunds would exceed the payment.")
        }
        Refusal::RefundCurrency => {
            f("CURRENCY_NOT_SUPPORT", "refund; decision 34a", "Refunds are made in the payment's currency.")
        }
        Refusal::RefundTooLate => f("REFUND_WINDOW_EXCEED", REFUND, "The payment is too old to be refunded."),
        Refusal::RefundNotFound => {
            f("REFUND_NOT_EXIST", "platform V1 inquiryRefund, error codes", "There is no such refund.")
        }
        Refusal::CancelTooLate => f(
            "ORDER_STATUS_INVALID",
            "silent; not part of this dialect",
            "The payment is too old to be canceled.",
        ),
        Refusal::OneTimeCodeWrong | Refusal::OneTimeCodeExpired | Refusal::OneTimeCodeLimit => {
            f("PROCESS_FAIL", "silent; not part of this dialect", "The one-time code was not accepted.")
        }
        Refusal::ChannelMissing => {
            f("USER_STATUS_ERROR", "platform V2 sendInbox, error codes", "The user cannot be reached so.")
        }
        Refusal::MessageReused => f(
            "VERIFY_REQUEST_ID_INVALID",
            "platform V2 sendInbox, error codes",
            "The requestId was used for another message.",
        ),
    }
}
