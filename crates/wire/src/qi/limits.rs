//! What a Qi contract says of limits and due days: optional members of prepare's extendInfo.
//!
//! agreedAmount and startTime are those of a sibling wallet (Rebell prepare); schedule, validTo and maxCount are ours.
//! They are checked when prepare arrives, kept as received, and read again from there when the user agrees.

use crate::fields::{FieldFault, Fields, Strictness};
use crate::json::{self, Json};
use crate::qi::common;
use accord_core::agreement::Terms;
use accord_core::agreement::control::Asked;
use accord_core::agreement::limits::Limits;
use accord_core::agreement::schedule::Every;
use accord_core::calendar::{Date, start_of};

/// The members, as the terms keep them.
pub(super) const MEMBERS: &[&str] = &["agreedAmount", "startTime", "schedule", "validTo", "maxCount"];

/// Words of `schedule`, after the subscriptions that Qi prepare names: monthly, seasonal, yearly.
const SCHEDULES: &[(&str, Every)] =
    &[("MONTHLY", Every::Month), ("SEASONAL", Every::Quarter), ("YEARLY", Every::Year)];

/// Reads the members from extendInfo. Days are those of a zone that far east of UTC.
pub(super) fn read(info: &Fields<'_>, zone_offset_ms: i64) -> Result<Asked, FieldFault> {
    let amount = match info.optional_object("agreedAmount")? {
        Some(_) => Some(common::amount_of(info, "agreedAmount")?),
        None => None,
    };
    let (from, last) = (date(info, "startTime")?, date(info, "validTo")?);
    if from.zip(last).is_some_and(|(from, last)| last < from) {
        return Err(info.fault("validTo", "must not be before startTime"));
    }
    let words: Vec<&str> = SCHEDULES.iter().map(|(word, _)| *word).collect();
    let word = info.optional_one_of("schedule", &words)?;
    let every = SCHEDULES.iter().find(|(known, _)| Some(*known) == word).map(|(_, every)| *every);
    Ok(Asked {
        limits: Limits {
            currency: amount.map(|amount| amount.currency),
            per_debit: amount.map(|amount| amount.value()),
            max_count: count(info)?,
            valid_from: from.map(|day| start_of(day.day_number(), zone_offset_ms)),
            // The last day belongs to the contract.
            valid_to: last.map(|day| start_of(day.day_number() + 1, zone_offset_ms)),
            ..Limits::NONE
        },
        every,
        first_due: every.and(from),
    })
}

/// Reads them again from terms; nothing from terms of a time when they were not yet checked.
pub(super) fn of_terms(terms: &Terms, zone_offset_ms: i64) -> Asked {
    let Ok(extras) = json::parse(terms.extras.as_bytes()) else { return Asked::NOTHING };
    let info = Fields::at(&extras, "extendInfo", Strictness::QI);
    info.and_then(|info| read(&info, zone_offset_ms)).unwrap_or(Asked::NOTHING)
}

fn date(info: &Fields<'_>, name: &str) -> Result<Option<Date>, FieldFault> {
    let Some(text) = info.optional_text(name, 10)? else { return Ok(None) };
    let date = Date::parse(text).ok_or_else(|| info.fault(name, "must be a date as yyyy-MM-dd"))?;
    if !date.showable() {
        return Err(info.fault(name, "must be in a year from 1970 to 9998; leave it out for no such date"));
    }
    Ok(Some(date))
}

fn count(info: &Fields<'_>) -> Result<Option<u32>, FieldFault> {
    let digits = match info.optional_raw("maxCount") {
        None => return Ok(None),
        Some(Json::String(text)) if text.is_empty() => return Ok(None),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) => number.to_string(),
        Some(_) => String::new(),
    };
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count = plain.then(|| digits.parse().ok()).flatten();
    count.map(Some).ok_or_else(|| info.fault("maxCount", "must be a whole number from 1 to 4294967295"))
}
