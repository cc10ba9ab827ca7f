//! Qi's table of result codes, held against the paper's names.

use accord_core::Refusal;
use accord_wire::dialect::{Fault, Reason, Status};
use accord_wire::qi::codes::{SUCCESS, code};
use accord_wire::qi::result_code_rows;

/// Every name that Qi's pages, the platform's V1 pages and the decisions give to a failure of these operations.
const NAMES: &[&str] = &[
    "ACCESS_DENIED",
    "AUTH_CLIENT_UNSUPPORTED_GRANT_TYPE",
    "CURRENCY_NOT_SUPPORT",
    "EXPIRED_ACCESS_TOKEN",
    "EXPIRED_CODE",
    "EXPIRED_REFRESH_TOKEN",
    "INVALID_ACCESS_TOKEN",
    "INVALID_API",
    "INVALID_CLIENT",
    "INVALID_CLIENT_STATUS",
    "INVALID_CODE",
    "INVALID_REFRESH_TOKEN",
    "INVALID_SCOPE",
    "INVALID_SIGNATURE",
    "KEY_NOT_FOUND",
    "MEDIA_TYPE_NOT_ACCEPTABLE",
    "METHOD_NOT_SUPPORTED",
    "ORDER_NOT_EXIST",
    "ORDER_STATUS_INVALID",
    "PARAM_ILLEGAL",
    "PARTNER_NOT_EXIST",
    "PAYMENT_AMOUNT_EXCEED_LIMIT",
    "PAYMENT_IN_PROCESS",
    "PROCESS_FAIL",
    "REFUND_AMOUNT_EXCEED",
    "REFUND_IN_PROCESS",
    "REFUND_NOT_EXIST",
    "REFUND_WINDOW_EXCEED",
    "REPEAT_REQ_INCONSISTENT",
    "REQUEST_TRAFFIC_EXCEED_LIMIT",
    "RISK_REJECT",
    "UNKNOWN_EXCEPTION",
    "USED_CODE",
    "USED_REFRESH_TOKEN",
    "USER_AMOUNT_EXCEED_LIMIT",
    "USER_BALANCE_NOT_ENOUGH",
    "USER_NOT_EXIST",
    "USER_STATUS_ABNORMAL",
    "USER_STATUS_ERROR",
    "VERIFY_REQUEST_ID_INVALID",
];

#[test]
fn every_reason_has_one_line_with_its_source() {
    let rows = result_code_rows();
    assert_eq!(rows.len(), Fault::ALL.len() + Refusal::ALL.len());
    for (reason, line) in &rows {
        assert_eq!(code(*reason), *line, "{reason:?}");
        assert!(!line.source.is_empty(), "{reason:?} has no source");
        assert!(line.code.len() <= 64 && line.meaning.chars().count() <= 256, "{reason:?} is too long");
        assert!(line.meaning.ends_with('.'), "{reason:?} is no sentence");
    }
    assert_eq!((SUCCESS.code, SUCCESS.meaning), ("SUCCESS", "success"));
}

#[test]
fn the_names_are_the_papers_and_none_is_left_out() {
    let mut names: Vec<&str> = result_code_rows().iter().map(|(_, line)| line.code).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, NAMES);
}

#[test]
fn only_what_may_have_happened_is_unknown() {
    let unknown = [
        Reason::Fault(Fault::Overloaded),
        Reason::Fault(Fault::Unexpected),
        Reason::Refusal(Refusal::PaymentRunning),
        Reason::Refusal(Refusal::RefundRunning),
    ];
    for (reason, line) in result_code_rows() {
        let expected = if unknown.contains(&reason) { Status::U } else { Status::F };
        assert_eq!(line.status, expected, "{reason:?}");
    }
}
