//! What a Qi merchant says of its plan with a debit: agreedAmount, nextPaymentDate and serviceExpireTime (a sibling
//! wallet's extras for agreements, Rebell pay). Kept as received and told to the user; what cannot be read is left out.

use crate::fields::{Fields, Strictness};
use crate::json::{self, Json};
use crate::qi::common;
use accord_core::calendar::Date;
use accord_core::message::Plan;
use accord_core::payment::Payment;

/// What the members of that payment's request say.
pub(super) fn of(payment: &Payment) -> Plan {
    let Ok(extras) = json::parse(payment.extras.as_bytes()) else { return Plan::NOTHING };
    let day = |name: &str| extras.get(name).and_then(Json::as_str).and_then(day);
    let agreed = Fields::at(&extras, "", Strictness::QI)
        .ok()
        .filter(|_| matches!(extras.get("agreedAmount"), Some(Json::Object(_))))
        .and_then(|fields| common::amount_of(&fields, "agreedAmount").ok());
    Plan { agreed, next: day("nextPaymentDate"), until: day("serviceExpireTime") }
}

/// A date, or the date of a time.
fn day(text: &str) -> Option<Date> {
    let (date, rest) = text.split_at_checked(10)?;
    (rest.is_empty() || rest.starts_with('T')).then(|| Date::parse(date)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_from_a_date_and_from_a_time() {
        let christmas = Date::new(2026, 12, 25);
        for text in ["2026-12-25", "2026-12-25T23:59:59+03:00"] {
            assert_eq!(day(text), christmas, "{text}");
        }
        for text in ["", "2026-02-30", "2026-12-25 at noon", "25.12.2026", "tomorrow, I think", "٢٠٢٦-١٢-٢٥"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
