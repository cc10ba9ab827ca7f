//! How a rule ends: with an answer, with a refusal, or not at all.

use crate::store::StoreFault;

crate::words! {
    /// Why the core says no. Each dialect's table says what this is called on its wire.
    Refusal {
        /// Same reference, other terms.
        ReferenceReused = "reference_reused",
        /// The client may not ask for agreement payments.
        ProductNotAllowed = "product_not_allowed",
        /// The client is suspended.
        ClientSuspended = "client_suspended",
        /// No such authorization code for this owner.
        CodeUnknown = "code_unknown",
        /// The code has been redeemed and its answer can no longer be repeated.
        CodeUsed = "code_used",
        /// The code came too late.
        CodeExpired = "code_expired",
        /// No such refresh token for this owner, or its agreement has ended.
        RefreshTokenUnknown = "refresh_token_unknown",
        /// The refresh token has been replaced and its grace is over.
        RefreshTokenUsed = "refresh_token_used",
        /// The refresh token has expired.
        RefreshTokenExpired = "refresh_token_expired",
        /// No such access token for this owner, or its agreement has ended.
        AccessTokenUnknown = "access_token_unknown",
        /// The access token has expired.
        AccessTokenExpired = "access_token_expired",
        /// The token was granted without the right to debit.
        ScopeMissing = "scope_missing",
        /// The user is gone.
        UserNotFound = "user_not_found",
        /// The user is frozen.
        UserFrozen = "user_frozen",
        /// The user has not been identified well enough.
        UserNotQualified = "user_not_qualified",
        /// The agreement is paused, asleep or not yet valid.
        AgreementPaused = "agreement_paused",
        /// Above the agreement's limit for one debit.
        AmountOverDebitLimit = "amount_over_debit_limit",
        /// Above a limit for a period.
        AmountOverPeriodLimit = "amount_over_period_limit",
        /// More debits than agreed.
        CountOverLimit = "count_over_limit",
        /// The risk engine refuses.
        RiskRejected = "risk_rejected",
        /// The user's identity could not be verified.
        VerificationFailed = "verification_failed",
        /// The merchant is not known to the wallet.
        MerchantNotRegistered = "merchant_not_registered",
        /// The user has no account in that currency.
        AccountMissing = "account_missing",
        /// Not enough money.
        BalanceNotEnough = "balance_not_enough",
        /// Same payment request id, other content.
        PaymentReused = "payment_reused",
        /// The payment is still running. The one refusal that is Unknown, never Failure.
        PaymentRunning = "payment_running",
        /// The order's expiry time has passed.
        OrderExpired = "order_expired",
        /// The order was cancelled.
        OrderClosed = "order_closed",
        /// No payment of that id for this owner.
        PaymentNotFound = "payment_not_found",
        /// The payment cannot be given back: it was never paid, or only judged.
        PaymentNotRefundable = "payment_not_refundable",
        /// Same refund request id, other content.
        RefundReused = "refund_reused",
        /// The refund is still running. Unknown, never Failure.
        RefundRunning = "refund_running",
        /// More than is left of the payment.
        RefundOverPayment = "refund_over_payment",
        /// In another currency than the payment.
        RefundCurrency = "refund_currency",
        /// The payment is too old to be refunded.
        RefundTooLate = "refund_too_late",
        /// No refund of that id for this owner.
        RefundNotFound = "refund_not_found",
        /// The payment is too old to be cancelled.
        CancelTooLate = "cancel_too_late",
        /// The one-time code is wrong, or nobody asked for it.
        OneTimeCodeWrong = "one_time_code_wrong",
        /// The one-time code has expired.
        OneTimeCodeExpired = "one_time_code_expired",
        /// Too many one-time codes, too soon, or too many tries.
        OneTimeCodeLimit = "one_time_code_limit",
        /// The user has no such channel.
        ChannelMissing = "channel_missing",
        /// Same message request id, other content.
        MessageReused = "message_reused",
    }
}

impl Refusal {
    /// Does a debit meet it before there is a payment? Then nothing is kept, and the id stays free (decision 29).
    pub fn before_a_payment(self) -> bool {
        matches!(
            self,
            Refusal::ClientSuspended
                | Refusal::ProductNotAllowed
                | Refusal::ScopeMissing
                | Refusal::AccessTokenUnknown
                | Refusal::AccessTokenExpired
                | Refusal::PaymentReused
                | Refusal::OrderExpired
        )
    }
}

/// Why a rule stopped without an answer. Whatever it wrote is taken back.
#[derive(Debug)]
pub enum Stop {
    /// The rule says no.
    Refused(Refusal),
    /// The store could not do it.
    Fault(StoreFault),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<StoreFault> for Stop {
    fn from(fault: StoreFault) -> Stop {
        Stop::Fault(fault)
    }
}

/// What a rule gives back.
pub type Ruled<T> = Result<T, Stop>;
