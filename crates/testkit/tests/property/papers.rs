//! What each paper calls an end of a call: written down here once more, by hand, so that a table of codes that says
//! something else is noticed.

use accord_testkit::conformance::speech::Speech;

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Success,
    // Of the envelope.
    Stale,
    // Of authorizations and tokens.
    ReferenceReused,
    CodeUnknown,
    CodeUsed,
    CodeExpired,
    RefreshUnknown,
    RefreshUsed,
    RefreshExpired,
    TokenUnknown,
    TokenExpired,
    ScopeMissing,
    // Of the user.
    UserGone,
    UserFrozen,
    UserNotQualified,
    // Of the agreement.
    Paused,
    OverDebitLimit,
    OverPeriodLimit,
    OverCount,
    // Of payments.
    RiskRejected,
    AccountMissing,
    BalanceNotEnough,
    PaymentReused,
    PaymentRunning,
    OrderExpired,
    OrderClosed,
    PaymentUnknown,
    CancelTooLate,
    // Of refunds.
    NotRefundable,
    RefundReused,
    RefundRunning,
    RefundOver,
    RefundCurrency,
    RefundTooLate,
    RefundUnknown,
}

impl End {
    /// All of them.
    pub const ALL: &[End] = &[
        End::Success,
        End::Stale,
        End::ReferenceReused,
        End::CodeUnknown,
        End::CodeUsed,
        End::CodeExpired,
        End::RefreshUnknown,
        End::RefreshUsed,
        End::RefreshExpired,
        End::TokenUnknown,
        End::TokenExpired,
        End::ScopeMissing,
        End::UserGone,
        End::UserFrozen,
        End::UserNotQualified,
        End::Paused,
        End::OverDebitLimit,
        End::OverPeriodLimit,
        End::OverCount,
        End::RiskRejected,
        End::AccountMissing,
        End::BalanceNotEnough,
        End::PaymentReused,
        End::PaymentRunning,
        End::OrderExpired,
        End::OrderClosed,
        End::PaymentUnknown,
        End::CancelTooLate,
        End::NotRefundable,
        End::RefundReused,
        End::RefundRunning,
        End::RefundOver,
        End::RefundCurrency,
        End::RefundTooLate,
        End::RefundUnknown,
    ];

    /// resultCode and resultStatus.
    pub fn words(self, speech: Speech) -> (&'static str, &'static str) {
        let code = match speech {
            Speech::Qi => self.at_qi(),
            Speech::AlipayPlus => self.at_alipay_plus(),
        };
        let status = match self {
            End::Success => "S",
            End::PaymentRunning | End::RefundRunning => "U",
            _ => "F",
        };
        (code, status)
    }

    fn at_qi(self) -> &'static str {
        match self {
            End::Success => "SUCCESS",
            End::Stale => "PARAM_ILLEGAL",
            End::ReferenceReused | End::PaymentReused | End::RefundReused => "REPEAT_REQ_INCONSISTENT",
            End::CodeUnknown => "INVALID_CODE",
            End::CodeUsed => "USED_CODE",
            End::CodeExpired => "EXPIRED_CODE",
            End::RefreshUnknown => "INVALID_REFRESH_TOKEN",
            End::RefreshUsed => "USED_REFRESH_TOKEN",
            End::RefreshExpired => "EXPIRED_REFRESH_TOKEN",
            End::TokenUnknown => "INVALID_ACCESS_TOKEN",
            End::TokenExpired => "EXPIRED_ACCESS_TOKEN",
            End::ScopeMissing => "ACCESS_DENIED",
            End::UserGone => "USER_NOT_EXIST",
            End::UserFrozen | End::UserNotQualified => "USER_STATUS_ABNORMAL",
            End::Paused | End::RiskRejected => "RISK_REJECT",
            End::OverDebitLimit | End::OverCount => "PAYMENT_AMOUNT_EXCEED_LIMIT",
            End::OverPeriodLimit => "USER_AMOUNT_EXCEED_LIMIT",
            End::AccountMissing | End::RefundCurrency => "CURRENCY_NOT_SUPPORT",
            End::BalanceNotEnough => "USER_BALANCE_NOT_ENOUGH",
            End::PaymentRunning => "PAYMENT_IN_PROCESS",
            End::OrderExpired | End::OrderClosed | End::NotRefundable => "ORDER_STATUS_INVALID",
            End::PaymentUnknown => "ORDER_NOT_EXIST",
            End::CancelTooLate => "CANCEL_WINDOW_EXCEED",
            End::RefundRunning => "REFUND_IN_PROCESS",
            End::RefundOver => "REFUND_AMOUNT_EXCEED",
            End::RefundTooLate => "REFUND_WINDOW_EXCEED",
            End::RefundUnknown => "REFUND_NOT_EXIST",
        }
    }

    fn at_alipay_plus(self) -> &'static str {
        match self {
            End::Success => "SUCCESS",
            End::Stale => "ACCESS_DENIED",
            End::ReferenceReused | End::PaymentReused | End::RefundReused => "REPEAT_REQ_INCONSISTENT",
            End::CodeUnknown => "INVALID_CODE",
            End::CodeUsed => "USED_CODE",
            End::CodeExpired => "EXPIRED_CODE",
            End::RefreshUnknown | End::RefreshUsed => "INVALID_REFRESH_TOKEN",
            End::RefreshExpired => "EXPIRED_REFRESH_TOKEN",
            End::TokenUnknown | End::ScopeMissing => "INVALID_TOKEN",
            End::TokenExpired => "EXPIRED_ACCESS_TOKEN",
            End::UserGone => "USER_NOT_EXIST",
            End::UserFrozen => "USER_STATUS_ABNORMAL",
            End::UserNotQualified => "USER_KYC_NOT_QUALIFIED",
            End::Paused | End::AccountMissing => "UNAVAILABLE_PAYMENT_METHOD",
            End::OverDebitLimit => "PAYMENT_AMOUNT_EXCEED_LIMIT",
            End::OverPeriodLimit => "USER_AMOUNT_EXCEED_LIMIT",
            End::OverCount => "PAYMENT_COUNT_EXCEED_LIMIT",
            End::RiskRejected => "RISK_REJECT",
            End::BalanceNotEnough => "USER_BALANCE_NOT_ENOUGH",
            End::PaymentRunning => "PAYMENT_IN_PROCESS",
            End::OrderExpired | End::OrderClosed | End::NotRefundable => "ORDER_IS_CLOSED",
            End::PaymentUnknown | End::RefundUnknown => "ORDER_NOT_EXIST",
            End::CancelTooLate => "CANCEL_WINDOW_EXCEED",
            End::RefundRunning => "UNKNOWN_EXCEPTION",
            End::RefundOver => "REFUND_AMOUNT_EXCEED",
            End::RefundCurrency => "CURRENCY_NOT_SUPPORT",
            End::RefundTooLate => "REFUND_WINDOW_EXCEED",
        }
    }
}
