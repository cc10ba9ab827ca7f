//! What a refusal is called on the Alipay+ wire: one line each, with where the paper says so.
//!
//! No wildcard arm: a new reason does not compile until it has a line. Where the paper is silent the source says
//! so and names what we follow instead. `docs/result-codes.md` is generated from [`result_code_rows`].

use crate::dialect::{Code, Fault, Reason, Status};
use accord_core::Refusal;

/// What Alipay+ calls that reason.
pub fn code(reason: Reason) -> Code {
    match reason {
        Reason::Fault(fault) => of_fault(fault),
        Reason::Refusal(refusal) => of_refusal(refusal),
    }
}

/// Every reason with its code, envelope first.
pub fn result_code_rows() -> Vec<(Reason, Code)> {
    let faults = Fault::ALL.iter().map(|fault| Reason::Fault(*fault));
    let refusals = Refusal::ALL.iter().map(|refusal| Reason::Refusal(*refusal));
    faults.chain(refusals).map(|reason| (reason, code(reason))).collect()
}

const fn f(code: &'static str, source: &'static str, meaning: &'static str) -> Code {
    Code { code, status: Status::F, source, meaning }
}

const fn u(code: &'static str, source: &'static str, meaning: &'static str) -> Code {
    Code { code, status: Status::U, source, meaning }
}

const PREPARE: &str = "prepare, Result/Error codes";
const APPLY: &str = "Auto Debit, refresh access token";
const PAY: &str = "Auto Debit, make payment";
const REFUND: &str = "refund";

fn of_fault(fault: Fault) -> Code {
    match fault {
        Fault::PathUnknown => f("NO_INTERFACE_DEF", PREPARE, "API is not defined."),
        Fault::MethodNotPost => f("METHOD_NOT_SUPPORTED", PREPARE, "Only POST is served."),
        Fault::MediaType => {
            f("MEDIA_TYPE_NOT_ACCEPTABLE", PREPARE, "The body must be application/json in UTF-8.")
        }
        Fault::TooLarge => f("PARAM_ILLEGAL", "prepare; decision 1", "The body is too large."),
        Fault::Header => f("PARAM_ILLEGAL", "prepare; decision 4", "A header is missing or malformed."),
        Fault::ClientUnknown => f("INVALID_CLIENT", PREPARE, "The client is invalid."),
        Fault::ClientSuspended => f("INVALID_CLIENT", PREPARE, "The client may not call at present."),
        Fault::KeyUnknown => f("KEY_NOT_FOUND", PREPARE, "The key is not found."),
        Fault::SignatureWrong => f("INVALID_SIGNATURE", PREPARE, "The signature is invalid."),
        Fault::Stale => {
            f("ACCESS_DENIED", "prepare; decision 8", "Request-Time is too far from the server's time.")
        }
        Fault::Malformed => f("PARAM_ILLEGAL", PREPARE, "The body is not the JSON that is asked for."),
        Fault::Field => f("PARAM_ILLEGAL", PREPARE, "A field is missing or not as the paper wants it."),
        Fault::ScopeUnknown => {
            f("PARAM_ILLEGAL", "prepare, scopes", "A scope is not one of the valid values.")
        }
        Fault::GrantTypeUnknown => f(
            "PARAM_ILLEGAL",
            "silent; prepare's rule for illegal values",
            "grantType is not one of the valid values.",
        ),
        Fault::NotAllowed => f("ACCESS_DENIED", "prepare; decision 12", "Access is denied."),
        Fault::Overloaded => u("REQUEST_TRAFFIC_EXCEED_LIMIT", PREPARE, "Too many requests; call again."),
        Fault::Unexpected => u("UNKNOWN_EXCEPTION", PREPARE, "The outcome is not known; call again."),
    }
}

pub(super) fn of_refusal(refusal: Refusal) -> Code {
    match refusal {
        Refusal::ReferenceReused => f(
            "REPEAT_REQ_INCONSISTENT",
            "prepare, API idempotency",
            "authClientName, referenceMerchantId, authRedirectUrl or scopes differ from the first request.",
        ),
        Refusal::ProductNotAllowed => {
            f("ACCESS_DENIED", PREPARE, "The client may not use agreement payments.")
        }
        Refusal::ClientSuspended => f("INVALID_CLIENT", PREPARE, "The client may not call at present."),
        Refusal::CodeUnknown => {
            f("INVALID_CODE", "silent; mini program applyToken, decision 25", "The authCode is not valid.")
        }
        Refusal::CodeUsed => {
            f("USED_CODE", "silent; mini program applyToken, decision 25", "The authCode has been used.")
        }
        Refusal::CodeExpired => {
            f("EXPIRED_CODE", "silent; mini program applyToken, decision 25", "The authCode has expired.")
        }
        Refusal::RefreshTokenUnknown => f("INVALID_REFRESH_TOKEN", APPLY, "The refreshToken is not valid."),
        Refusal::RefreshTokenUsed => f(
            "INVALID_REFRESH_TOKEN",
            "Auto Debit, refresh access token; decision 27",
            "The refreshToken has been replaced by a newer one.",
        ),
        Refusal::RefreshTokenExpired => f("EXPIRED_REFRESH_TOKEN", APPLY, "The refreshToken has expired."),
        Refusal::AccessTokenUnknown => f("INVALID_TOKEN", PAY, "The accessToken is not valid."),
        Refusal::AccessTokenExpired => f("EXPIRED_ACCESS_TOKEN", PAY, "The accessToken has expired."),
        Refusal::ScopeMissing => f(
            "INVALID_TOKEN",
            "MPP FAQ, integration",
            "The accessToken does not have the scope that this call needs.",
        ),
        Refusal::UserNotFound => f("USER_NOT_EXIST", PAY, "The user does not exist."),
        Refusal::UserFrozen => f("USER_STATUS_ABNORMAL", PAY, "The user's account is blocked."),
        Refusal::UserNotQualified => {
            f("USER_KYC_NOT_QUALIFIED", PAY, "The user has not been identified well enough.")
        }
        Refusal::AgreementPaused => f(
            "UNAVAILABLE_PAYMENT_METHOD",
            "Auto Debit, make payment; decision 33",
            "The agreement is paused or not yet valid.",
        ),
        Refusal::AmountOverDebitLimit => {
            f("PAYMENT_AMOUNT_EXCEED_LIMIT", PAY, "The amount is above the limit for one payment.")
        }
        Refusal::AmountOverPeriodLimit => {
            f("USER_AMOUNT_EXCEED_LIMIT", PAY, "The amount is above the user's limit for a period.")
        }
        Refusal::CountOverLimit => {
            f("PAYMENT_COUNT_EXCEED_LIMIT", PAY, "There have been as many payments as allowed.")
        }
        Refusal::RiskRejected => f("RISK_REJECT", PAY, "The payment was refused by risk control."),
        Refusal::VerificationFailed => {
            f("USER_PAYMENT_VERIFICATION_FAILED", PAY, "The user's identity could not be verified.")
        }
        Refusal::MerchantNotRegistered => {
            f("MERCHANT_NOT_REGISTERED", PAY, "The merchant is not registered.")
        }
        Refusal::AccountMissing => f(
            "UNAVAILABLE_PAYMENT_METHOD",
            "Auto Debit, make payment; decision 34",
            "The user has no account in this currency.",
        ),
        Refusal::BalanceNotEnough => f("USER_BALANCE_NOT_ENOUGH", PAY, "The user's balance is not enough."),
        Refusal::PaymentReused => f(
            "REPEAT_REQ_INCONSISTENT",
            "API idempotency",
            "Amount, surcharge, promotion or agreement differ from the first request of this paymentRequestId.",
        ),
        Refusal::PaymentRunning => u(
            "PAYMENT_IN_PROCESS",
            "Auto Debit, respond to payment inquiry",
            "The payment is being processed; inquire or wait for the notification.",
        ),
        Refusal::OrderExpired => f("ORDER_IS_CLOSED", PAY, "The order has expired."),
        Refusal::OrderClosed => f("ORDER_IS_CLOSED", PAY, "The order is closed."),
        Refusal::PaymentNotFound => {
            f("ORDER_NOT_EXIST", "Auto Debit, respond to payment inquiry", "The order does not exist.")
        }
        Refusal::PaymentNotRefundable => f(
            "ORDER_IS_CLOSED",
            "silent; refund of what was never paid",
            "The order was not paid or is closed.",
        ),
        Refusal::RefundReused => f(
            "REPEAT_REQ_INCONSISTENT",
            "API idempotency",
            "Amount, surcharge or promotion differ from the first request of this refundRequestId.",
        ),
        Refusal::RefundRunning => u(
            "UNKNOWN_EXCEPTION",
            "silent; refund: U means the same request again",
            "The refund is being processed; send the same request again.",
        ),
        Refusal::RefundOverPayment => {
            f("REFUND_AMOUNT_EXCEED", REFUND, "The refunds would exceed the payment.")
        }
        Refusal::RefundCurrency => {
            f("CURRENCY_NOT_SUPPORT", "refund; decision 34a", "Refunds are made in the payment's currency.")
        }
        Refusal::RefundTooLate => f("REFUND_WINDOW_EXCEED", REFUND, "The payment is too old to be refunded."),
        Refusal::RefundNotFound => f("ORDER_NOT_EXIST", REFUND, "The refund does not exist."),
        Refusal::CancelTooLate => {
            f("CANCEL_WINDOW_EXCEED", "cancelPayment, window", "The payment is too old to be canceled.")
        }
        Refusal::OneTimeCodeWrong => {
            f("VERIFY_UNMATCHED", "silent; the family's code list", "The one-time code does not match.")
        }
        Refusal::OneTimeCodeExpired => {
            f("VERIFY_UNMATCHED", "silent; the family's code list", "The one-time code has expired.")
        }
        Refusal::OneTimeCodeLimit => f(
            "VERIFY_TIMES_EXCEED_LIMIT",
            "silent; the family's code list",
            "Too many one-time codes or tries; try later.",
        ),
        Refusal::ChannelMissing => f("PROCESS_FAIL", "sendOTP, verifyType", "The user has no such channel."),
        Refusal::MessageReused => {
            f("REPEAT_REQ_INCONSISTENT", "API idempotency", "The message differs from the first request.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every code of the paper's tables that this wallet's rules can produce (document 1.9, 3.2 to 3.7).
    const PRODUCED: &[&str] = &[
        "ACCESS_DENIED",
        "CANCEL_WINDOW_EXCEED",
        "CURRENCY_NOT_SUPPORT",
        "EXPIRED_ACCESS_TOKEN",
        "EXPIRED_CODE",
        "EXPIRED_REFRESH_TOKEN",
        "INVALID_CLIENT",
        "INVALID_CODE",
        "INVALID_REFRESH_TOKEN",
        "INVALID_SIGNATURE",
        "INVALID_TOKEN",
        "KEY_NOT_FOUND",
        "MEDIA_TYPE_NOT_ACCEPTABLE",
        "MERCHANT_NOT_REGISTERED",
        "METHOD_NOT_SUPPORTED",
        "NO_INTERFACE_DEF",
        "ORDER_IS_CLOSED",
        "ORDER_NOT_EXIST",
        "PARAM_ILLEGAL",
        "PAYMENT_AMOUNT_EXCEED_LIMIT",
        "PAYMENT_COUNT_EXCEED_LIMIT",
        "PAYMENT_IN_PROCESS",
        "PROCESS_FAIL",
        "REFUND_AMOUNT_EXCEED",
        "REFUND_WINDOW_EXCEED",
        "REPEAT_REQ_INCONSISTENT",
        "REQUEST_TRAFFIC_EXCEED_LIMIT",
        "RISK_REJECT",
        "UNAVAILABLE_PAYMENT_METHOD",
        "UNKNOWN_EXCEPTION",
        "USED_CODE",
        "USER_AMOUNT_EXCEED_LIMIT",
        "USER_BALANCE_NOT_ENOUGH",
        "USER_KYC_NOT_QUALIFIED",
        "USER_NOT_EXIST",
        "USER_PAYMENT_VERIFICATION_FAILED",
        "USER_STATUS_ABNORMAL",
        "VERIFY_TIMES_EXCEED_LIMIT",
        "VERIFY_UNMATCHED",
    ];

    #[test]
    fn every_reason_has_one_line_and_every_code_of_the_paper_is_there() {
        let rows = result_code_rows();
        assert_eq!(rows.len(), Fault::ALL.len() + Refusal::ALL.len());
        let codes: BTreeSet<&str> = rows.iter().map(|(_, code)| code.code).collect();
        assert_eq!(codes, PRODUCED.iter().copied().collect());
    }

    #[test]
    fn a_line_says_what_and_where_within_the_papers_limits() {
        for (reason, code) in result_code_rows() {
            assert!(code.code.len() <= 64, "{reason:?}");
            assert!(!code.meaning.is_empty() && code.meaning.chars().count() <= 256, "{reason:?}");
            assert!(!code.source.is_empty(), "{reason:?}");
        }
    }

    #[test]
    fn only_what_is_not_final_is_unknown() {
        let unknown: Vec<Reason> = result_code_rows()
            .into_iter()
            .filter(|(_, code)| code.status == Status::U)
            .map(|(reason, _)| reason)
            .collect();
        let expected = [
            Reason::Fault(Fault::Overloaded),
            Reason::Fault(Fault::Unexpected),
            Reason::Refusal(Refusal::PaymentRunning),
            Reason::Refusal(Refusal::RefundRunning),
        ];
        assert_eq!(unknown, expected);
    }

    #[test]
    fn a_code_has_the_same_status_wherever_it_is_said() {
        for (_, one) in result_code_rows() {
            for (_, other) in result_code_rows() {
                assert!(one.code != other.code || one.status == other.status, "{}", one.code);
            }
        }
    }
}
