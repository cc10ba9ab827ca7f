//! The result codes of both papers, typed from their tables by operation: not what we send, but what they print.
//!
//! Each is shown by a vector of its operation, or is among [`NEVER`] with the reason. A code that is in neither fails
//! a test, and so does one that is in both.

use crate::conformance::speech::{Speech, result_code};
use crate::vectors::story::Call;
use serde_json::Value;

/// Instead of an operation: the tables of the envelope, which every operation shares.
pub const COMMON: &str = "every operation";

/// Dialect, operation, and the codes that the paper prints for it.
pub const TABLES: &[(Speech, &str, &[&str])] = &[
    (
        Speech::Qi,
        COMMON,
        &[
            "SUCCESS",
            "ACCEPT",
            "PROCESS_FAIL",
            "PARAM_ILLEGAL",
            "INVALID_API",
            "ACCESS_DENIED",
            "REQUEST_TRAFFIC_EXCEED_LIMIT",
            "UNKNOWN_EXCEPTION",
            "EXPIRED_ACCESS_TOKEN",
            "INVALID_SIGNATURE",
            "INVALID_CLIENT",
            "INVALID_CLIENT_STATUS",
            "NO_INTERFACE_DEF",
            "MSG_PARSE_ERROR",
            "FUNCTION_NOT_MATCH",
            "INVALID_AGENT_TOKEN",
            "EXPIRED_AGENT_TOKEN",
            "TIMESTAMP_INVALID",
        ],
    ),
    (
        Speech::Qi,
        "prepare",
        &[
            "SUCCESS",
            "INVALID_SCOPE",
            "PARAM_ILLEGAL",
            "INVALID_AUTH_CLIENT",
            "INVALID_AUTH_CLIENT_STATUS",
            "ACCESS_DENIED",
        ],
    ),
    (
        Speech::Qi,
        "applyToken",
        &[
            "SUCCESS",
            "AUTH_CLIENT_UNSUPPORTED_GRANT_TYPE",
            "INVALID_CODE",
            "USED_CODE",
            "EXPIRED_CODE",
            "INVALID_AUTHCODE",
            "USED_AUTHCODE",
            "EXPIRED_AUTHCODE",
            "INVALID_REFRESH_TOKEN",
            "USED_REFRESH_TOKEN",
            "EXPIRED_REFRESH_TOKEN",
            "INVALID_AUTH_CLIENT",
            "INVALID_AUTH_CLIENT_STATUS",
            "REFERENCE_CLIENT_ID_NOT_MATCH",
        ],
    ),
    (
        Speech::Qi,
        "cancelToken",
        &[
            "SUCCESS",
            "INVALID_ACCESS_TOKEN",
            "EXPIRED_ACCESS_TOKEN",
            "INVALID_AUTH_CLIENT",
            "INVALID_AUTH_CLIENT_STATUS",
        ],
    ),
    (
        Speech::Qi,
        "inquiryUserInfo",
        &["SUCCESS", "INVALID_ACCESS_TOKEN", "EXPIRED_ACCESS_TOKEN", "INVALID_AUTH_CLIENT"],
    ),
    (
        Speech::Qi,
        "pay",
        &[
            "SUCCESS",
            "ACCEPT",
            "PAYMENT_IN_PROCESS",
            "REPEAT_REQ_INCONSISTENT",
            "INVALID_ACCESS_TOKEN",
            "EXPIRED_ACCESS_TOKEN",
            "USER_NOT_EXIST",
            "USER_STATUS_ABNORMAL",
            "USER_BALANCE_NOT_ENOUGH",
            "INSUFFICIENT_BALANCE",
            "PAYMENT_AMOUNT_EXCEED_LIMIT",
            "USER_AMOUNT_EXCEED_LIMIT",
            "PARTNER_NOT_EXIST",
            "PARTNER_STATUS_ABNORMAL",
            "RISK_REJECT",
            "CURRENCY_NOT_SUPPORT",
            "ORDER_STATUS_INVALID",
            "AUTH_CODE_ALREADY_USED",
            "INVALID_CODE",
            "ACCESS_DENIED",
            "UNKNOWN_EXCEPTION",
        ],
    ),
    (Speech::Qi, "inquiryPayment", &["SUCCESS", "ORDER_NOT_EXIST"]),
    (
        Speech::Qi,
        "refund",
        &[
            "SUCCESS",
            "REFUND_IN_PROCESS",
            "REPEAT_REQ_INCONSISTENT",
            "ORDER_NOT_EXIST",
            "ORDER_STATUS_INVALID",
            "REFUND_WINDOW_EXCEED",
            "REFUND_AMOUNT_EXCEED",
            "PARTNER_BALANCE_NOT_ENOUGH",
            "PARTNER_STATUS_ABNORMAL",
            "CURRENCY_NOT_SUPPORT",
        ],
    ),
    (Speech::Qi, "inquiryRefund", &["SUCCESS", "REFUND_NOT_EXIST"]),
    (
        Speech::Qi,
        "sendInbox",
        &[
            "SUCCESS",
            "ACCEPT",
            "INVALID_ACCESS_TOKEN",
            "INVALID_AUTH_CLIENT",
            "USER_STATUS_ERROR",
            "VERIFY_REQUEST_ID_INVALID",
        ],
    ),
    (
        Speech::Qi,
        "sendPush",
        &[
            "SUCCESS",
            "ACCEPT",
            "INVALID_ACCESS_TOKEN",
            "INVALID_AUTH_CLIENT",
            "USER_STATUS_ERROR",
            "VERIFY_REQUEST_ID_INVALID",
            "TEMPLATE_NOT_EXIST",
            "USER_NOT_SUBSCRIBED",
            "MESSAGE_SEND_EXCEED_LIMIT",
        ],
    ),
    (
        Speech::AlipayPlus,
        COMMON,
        &[
            "SUCCESS",
            "INVALID_SIGNATURE",
            "INVALID_CLIENT",
            "KEY_NOT_FOUND",
            "METHOD_NOT_SUPPORTED",
            "MEDIA_TYPE_NOT_ACCEPTABLE",
            "NO_INTERFACE_DEF",
            "PARAM_ILLEGAL",
            "ACCESS_DENIED",
            "PROCESS_FAIL",
            "REQUEST_TRAFFIC_EXCEED_LIMIT",
            "UNKNOWN_EXCEPTION",
        ],
    ),
    (
        Speech::AlipayPlus,
        "prepare",
        &["SUCCESS", "PARAM_ILLEGAL", "ACCESS_DENIED", "REPEAT_REQ_INCONSISTENT"],
    ),
    (
        Speech::AlipayPlus,
        "applyToken",
        &[
            "SUCCESS",
            "INVALID_REFRESH_TOKEN",
            "EXPIRED_REFRESH_TOKEN",
            "USED_REFRESH_TOKEN",
            "INVALID_CODE",
            "USED_CODE",
            "EXPIRED_CODE",
            "INVALID_AUTHCODE",
            "USED_AUTHCODE",
            "EXPIRED_AUTHCODE",
            "AUTH_CODE_EXPIRED",
            "AUTH_CLIENT_UNSUPPORTED_GRANT_TYPE",
            "USER_NOT_EXIST",
            "USER_STATUS_ABNORMAL",
        ],
    ),
    (
        Speech::AlipayPlus,
        "cancelToken",
        &[
            "SUCCESS",
            "INVALID_TOKEN",
            "INVALID_ACCESS_TOKEN",
            "EXPIRED_ACCESS_TOKEN",
            "INVALID_AUTH_CLIENT",
            "INVALID_AUTH_CLIENT_STATUS",
        ],
    ),
    (
        Speech::AlipayPlus,
        "pay",
        &[
            "SUCCESS",
            "ORDER_IS_CLOSED",
            "PAYMENT_AMOUNT_EXCEED_LIMIT",
            "USER_AMOUNT_EXCEED_LIMIT",
            "PAYMENT_COUNT_EXCEED_LIMIT",
            "INVALID_TOKEN",
            "EXPIRED_ACCESS_TOKEN",
            "USER_BALANCE_NOT_ENOUGH",
            "USER_NOT_EXIST",
            "USER_STATUS_ABNORMAL",
            "USER_KYC_NOT_QUALIFIED",
            "RISK_REJECT",
            "UNAVAILABLE_PAYMENT_METHOD",
            "USER_PAYMENT_VERIFICATION_FAILED",
            "MERCHANT_NOT_REGISTERED",
            "REPEAT_REQ_INCONSISTENT",
            "CURRENCY_NOT_SUPPORT",
            "BUSINESS_NOT_SUPPORT",
            "INVALID_CONTRACT",
            "REGULATION_RESTRICTION",
            "PAYMENT_IN_PROCESS",
        ],
    ),
    (
        Speech::AlipayPlus,
        "inquiryPayment",
        &["SUCCESS", "ORDER_NOT_EXIST", "PAYMENT_IN_PROCESS", "USER_BALANCE_NOT_ENOUGH", "ORDER_IS_CLOSED"],
    ),
    (Speech::AlipayPlus, "cancelPayment", &["SUCCESS", "CANCEL_WINDOW_EXCEED", "ORDER_NOT_EXIST"]),
    (
        Speech::AlipayPlus,
        "refund",
        &[
            "SUCCESS",
            "ORDER_NOT_EXIST",
            "REFUND_AMOUNT_EXCEED",
            "REFUND_WINDOW_EXCEED",
            "REPEAT_REQ_INCONSISTENT",
            "USER_NOT_EXIST",
            "ORDER_IS_CLOSED",
        ],
    ),
    (Speech::AlipayPlus, "inquiryUserInfo", &["SUCCESS", "INVALID_TOKEN"]),
    (Speech::AlipayPlus, "inquiryCustomerId", &["SUCCESS"]),
    (Speech::AlipayPlus, "sendOTP", &["SUCCESS", "INVALID_TOKEN"]),
    (
        Speech::AlipayPlus,
        "verifyOTP",
        &["SUCCESS", "INVALID_TOKEN", "VERIFY_UNMATCHED", "VERIFY_TIMES_EXCEED_LIMIT"],
    ),
];

const NEXT_STEP: &str =
    "it means a next step (a cashier, a queue): a debit and a message are done or not when we answer";
const CLIENT_NAMES: &str =
    "the envelope refuses such a client first, as `INVALID_CLIENT` or `INVALID_CLIENT_STATUS`";
const CODE_NAMES: &str =
    "a sibling's name for what the V1 pages call `INVALID_CODE`, `USED_CODE`, `EXPIRED_CODE`";
const AGENTS: &str = "agents that act for a merchant (`Agent-Token`) are not served";
const SUSPENDED: &str =
    "a merchant is its own signer: one that is suspended gets `INVALID_CLIENT_STATUS` from the envelope";
const OTHER_MESSAGES: &str = "of the V2 call, in which the template picks the channel; it is not served";

/// Dialect, code, the operations whose table prints it although we never send it there (nothing: any), and why not.
pub const NEVER: &[(Speech, &str, &[&str], &str)] = &[
    (Speech::Qi, "ACCEPT", &[], NEXT_STEP),
    (Speech::Qi, "NO_INTERFACE_DEF", &[], "a sibling's name: Qi's own for an unknown path is `INVALID_API`"),
    (Speech::Qi, "MSG_PARSE_ERROR", &[], "a sibling's name: a body that is no JSON is `PARAM_ILLEGAL`"),
    (Speech::Qi, "FUNCTION_NOT_MATCH", &[], "paths name operations, so parameters cannot be of another one"),
    (Speech::Qi, "INVALID_AGENT_TOKEN", &[], AGENTS),
    (Speech::Qi, "EXPIRED_AGENT_TOKEN", &[], AGENTS),
    (
        Speech::Qi,
        "TIMESTAMP_INVALID",
        &[],
        "a sibling's name: a Request-Time too far away is `PARAM_ILLEGAL`",
    ),
    (Speech::Qi, "INVALID_AUTH_CLIENT", &[], CLIENT_NAMES),
    (Speech::Qi, "INVALID_AUTH_CLIENT_STATUS", &[], CLIENT_NAMES),
    (Speech::Qi, "INVALID_AUTHCODE", &[], CODE_NAMES),
    (Speech::Qi, "USED_AUTHCODE", &[], CODE_NAMES),
    (Speech::Qi, "EXPIRED_AUTHCODE", &[], CODE_NAMES),
    (
        Speech::Qi,
        "REFERENCE_CLIENT_ID_NOT_MATCH",
        &[],
        "referenceClientId is a sibling's member: taken, kept with a contract, compared with nothing",
    ),
    (Speech::Qi, "INSUFFICIENT_BALANCE", &[], "a sibling's name: the V1 pages say `USER_BALANCE_NOT_ENOUGH`"),
    (Speech::Qi, "PARTNER_STATUS_ABNORMAL", &[], SUSPENDED),
    (
        Speech::Qi,
        "PARTNER_BALANCE_NOT_ENOUGH",
        &[],
        "what a merchant gives back is set against what it is owed, over days if need be; the books allow it to owe",
    ),
    (
        Speech::Qi,
        "AUTH_CODE_ALREADY_USED",
        &[],
        "of payment codes that a user presents; only agreements are served",
    ),
    (
        Speech::Qi,
        "INVALID_CODE",
        &["pay"],
        "of payment codes that a user presents; only agreements are served",
    ),
    (
        Speech::Qi,
        "REFUND_WINDOW_EXCEED",
        &[],
        "a merchant may refund for ever unless `refund_window_ms` is configured",
    ),
    (Speech::Qi, "TEMPLATE_NOT_EXIST", &[], OTHER_MESSAGES),
    (Speech::Qi, "USER_NOT_SUBSCRIBED", &[], OTHER_MESSAGES),
    (Speech::Qi, "MESSAGE_SEND_EXCEED_LIMIT", &[], OTHER_MESSAGES),
    (
        Speech::AlipayPlus,
        "USED_REFRESH_TOKEN",
        &[],
        "a mini program's name: toward this network a replaced one is `INVALID_REFRESH_TOKEN`",
    ),
    (Speech::AlipayPlus, "INVALID_AUTHCODE", &[], CODE_NAMES),
    (Speech::AlipayPlus, "USED_AUTHCODE", &[], CODE_NAMES),
    (Speech::AlipayPlus, "EXPIRED_AUTHCODE", &[], CODE_NAMES),
    (Speech::AlipayPlus, "AUTH_CODE_EXPIRED", &[], CODE_NAMES),
    (
        Speech::AlipayPlus,
        "AUTH_CLIENT_UNSUPPORTED_GRANT_TYPE",
        &[],
        "a mini program's name: an unknown grantType is `PARAM_ILLEGAL`",
    ),
    (Speech::AlipayPlus, "INVALID_ACCESS_TOKEN", &[], "a mini program's name: here it is `INVALID_TOKEN`"),
    (
        Speech::AlipayPlus,
        "EXPIRED_ACCESS_TOKEN",
        &["cancelToken"],
        "an expired token still ends its agreement, with `SUCCESS`",
    ),
    (
        Speech::AlipayPlus,
        "INVALID_AUTH_CLIENT",
        &[],
        "a mini program's name: another authClientId is answered as if the token did not exist",
    ),
    (Speech::AlipayPlus, "INVALID_AUTH_CLIENT_STATUS", &[], CLIENT_NAMES),
    (
        Speech::AlipayPlus,
        "CURRENCY_NOT_SUPPORT",
        &["pay"],
        "a user without an account in the currency has no usable source: `UNAVAILABLE_PAYMENT_METHOD`",
    ),
    (Speech::AlipayPlus, "BUSINESS_NOT_SUPPORT", &[], "what is not offered to a client is `ACCESS_DENIED`"),
    (
        Speech::AlipayPlus,
        "INVALID_CONTRACT",
        &[],
        "an agreement that is over is a fault of its token: `INVALID_TOKEN`",
    ),
    (
        Speech::AlipayPlus,
        "REGULATION_RESTRICTION",
        &[],
        "a refusal by law is told as `RISK_REJECT` or `USER_KYC_NOT_QUALIFIED`",
    ),
    (
        Speech::AlipayPlus,
        "ORDER_NOT_EXIST",
        &["cancelPayment"],
        "cancelling an unknown order succeeds, unless `cancel_unknown_order` is configured otherwise",
    ),
];

/// Why that code is never sent by that operation; nothing: it is.
pub fn why_never(speech: Speech, operation: &str, code: &str) -> Option<&'static str> {
    let here = |operations: &[&str]| operations.is_empty() || operations.contains(&operation);
    let found =
        NEVER.iter().find(|(of, known, operations, _)| (*of, *known) == (speech, code) && here(operations));
    found.map(|(_, _, _, why)| *why)
}

/// The codes that a reply says: that of the call, and that of the payment it tells of.
pub fn said_by(call: &Call) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(&call.reply.body) else { return Vec::new() };
    let of_payment = body["paymentResult"]["resultCode"].as_str().map(str::to_owned);
    std::iter::once(result_code(&body).to_owned()).chain(of_payment).collect()
}
