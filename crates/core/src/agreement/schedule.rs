//! Schedule: when an agreement's debits are due, and the notice to the user before each.
//!
//! A subscription is monthly, seasonal (every three months) or yearly (Qi prepare). A schedule debits nothing and
//! refuses nothing: the merchant still asks for each debit. It tells the user what is to come, and what "the next
//! debit" is that a user may skip.
//!
//! [`Held::next_debit`] is the one answer to which debit comes next: the overview shows it, the notice tells of it, and
//! the user skips it. A debit that cannot happen (after the end of validity, beyond the agreed number, in a pause) is
//! none.
//!
//! A notice is left `notice_ahead_ms` (at least 24 hours) before the due day begins, once for each agreement and due
//! day. The row that says when the next one is due moves on in the same transaction, so two workers leave one notice.
//! Whether that debit can happen is asked when the notice is due, not before: until then the user may change it.

use crate::agreement::control::{self, Controls, Held};
use crate::agreement::{Agreement, AgreementStage};
use crate::calendar::{Date, day_of, start_of};
use crate::ids::AgreementId;
use crate::message::routes::MessagePolicy;
use crate::message::{self, About};
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::policy::ControlPolicy;
use crate::store::{Rows, Stored, Tx};
use crate::voice::Context;

crate::words! {
    /// How often a debit is due.
    Every {
        /// Each month.
        Month = "month",
        /// Each season: three months.
        Quarter = "quarter",
        /// Each year.
        Year = "year",
    }
}

impl Every {
    fn months(self) -> i64 {
        match self {
            Every::Month => 1,
            Every::Quarter => 3,
            Every::Year => 12,
        }
    }
}

/// When debits are due: on the anchor, and every so many months after it. The 31st is the last day of a shorter month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub every: Every,
    /// The first due day.
    pub anchor: Date,
}

impl Schedule {
    /// The first due day after `day`.
    pub fn next_after(&self, day: i64) -> i64 {
        let step = self.every.months();
        let passed = (Date::of_day(day).months() - self.anchor.months()).div_euclid(step);
        let nth = |count: i64| self.anchor.plus_months(count.max(0) * step).day_number();
        let candidates = (passed..=passed + 1).map(nth);
        candidates.into_iter().find(|due| *due > day).unwrap_or_else(|| nth(passed + 2))
    }
}

impl Held<'_> {
    /// The due day of the next debit that can happen: today, where one is due and none was made yet, or a later one.
    /// Nothing without a schedule, or where no debit can come.
    pub fn next_debit(&self, rows: &dyn Rows, now: Timestamp) -> Stored<Option<i64>> {
        let today = self.policy.day(now);
        let made = rows.usage_since(&self.agreement.id, today)?;
        let debited = made.iter().any(|row| row.day == today && row.count > 0);
        self.debit_from(rows, today.saturating_add(i64::from(debited)), now)
    }

    /// The first due day, `day` or later, whose debit can happen as things stand now.
    fn debit_from(&self, rows: &dyn Rows, day: i64, now: Timestamp) -> Stored<Option<i64>> {
        let Some(schedule) = self.controls.as_ref().and_then(|controls| controls.schedule) else {
            return Ok(None);
        };
        let over = self.agreement.ended() || self.judge_validity(now).is_err();
        if over || self.count_used_up(rows)? || self.asleep(rows, now)? {
            return Ok(None);
        }
        let begins = self.layers().into_iter().filter_map(|limits| limits.valid_from);
        let pause = self.controls.as_ref().and_then(|controls| controls.pause);
        let free = match pause.map(|pause| pause.until) {
            Some(None) => return Ok(None),
            until => until.flatten(),
        };
        // A day that is free in its last hour only is a day on which the debit can happen.
        let first = begins.chain(free).map(|from| self.policy.day(from)).fold(day, i64::max);
        let due = schedule.next_after(first.saturating_sub(1));
        let due_at = start_of(due, self.policy.day_zone_offset_ms);
        let valid_to = self.controls.as_ref().and_then(Controls::valid_to);
        Ok(valid_to.is_none_or(|valid_to| due_at < valid_to).then_some(due))
    }

    fn count_used_up(&self, rows: &dyn Rows) -> Stored<bool> {
        let most = self.layers().into_iter().filter_map(|limits| limits.max_count).min();
        let Some(most) = most else { return Ok(false) };
        let made = rows.usage_since(&self.agreement.id, i64::MIN)?;
        Ok(made.iter().fold(0_u32, |sum, row| sum.saturating_add(row.count)) >= most)
    }
}

/// When to tell of the first due day after `day`, and which that is. Nothing from the end of validity on, where that is
/// the merchant's: the user may still move an end of their own.
pub fn next_notice(
    schedule: &Schedule,
    day: i64,
    valid_to: Option<Timestamp>,
    policy: &ControlPolicy,
) -> Option<(Timestamp, i64)> {
    let due = schedule.next_after(day);
    let due_at = start_of(due, policy.day_zone_offset_ms);
    let over = valid_to.is_some_and(|valid_to| due_at >= valid_to);
    (!over).then(|| (due_at.plus_millis(-policy.notice_ahead_ms), due))
}

/// Tells the user of the next due day if that is due now, and says whether there was anything to do.
pub fn announce(tx: &mut dyn Tx, id: &AgreementId, context: Context<'_>, at: &Moment) -> Ruled<bool> {
    let Some(controls) = tx.controls(id)? else { return Ok(false) };
    let (Some(notice_at), Some(due), Some(schedule)) =
        (controls.notice_at, controls.due_day, controls.schedule)
    else {
        return Ok(false);
    };
    if notice_at > at.now {
        return Ok(false);
    }
    let policy = context.voice.policy();
    let agreement = tx.agreement(id)?;
    let agreement =
        agreement.filter(|agreement| !agreement.ended() && !agreement.code_expired(policy, at.now));
    let Some(agreement) = agreement else {
        tx.put_controls(&Controls { notice_at: None, due_day: None, ..controls })?;
        return Ok(true);
    };

    let zone = policy.control.day_zone_offset_ms;
    let due_at = start_of(due, zone);
    let held = control::hold(tx, &agreement, policy)?;
    let expected = agreement.stage == AgreementStage::Active && due_at > at.now;
    if expected && held.debit_from(tx, due, at.now)? == Some(due) {
        tell(tx, &agreement, &controls, due_at, &policy.messages, at)?;
    }
    let (today, valid_to) = (day_of(at.now, zone), controls.merchant.valid_to);
    let next = next_notice(&schedule, due.max(today), valid_to, &policy.control);
    let (notice_at, due_day) = next.unzip();
    tx.put_controls(&Controls { notice_at, due_day, ..controls })?;
    Ok(true)
}

fn tell(
    tx: &mut dyn Tx,
    agreement: &Agreement,
    controls: &Controls,
    due_at: Timestamp,
    messages: &MessagePolicy,
    at: &Moment,
) -> Ruled<()> {
    let terms = tx.terms(&agreement.auth_id)?;
    if let Some((user, terms)) = tx.user(&agreement.customer)?.zip(terms) {
        let about = About::Upcoming {
            agreement: agreement.id.clone(),
            merchant: terms.display_name,
            amount: controls.agreed_amount(),
            due_at,
        };
        message::tell(tx, at, &user, about, messages)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_days_keep_their_day_of_the_month_where_there_is_one() {
        for (every, anchor, after, due) in [
            (Every::Month, "2026-01-31", "2025-01-01", "2026-01-31"),
            (Every::Month, "2026-01-31", "2026-01-30", "2026-01-31"),
            (Every::Month, "2026-01-31", "2026-01-31", "2026-02-28"),
            (Every::Month, "2026-01-31", "2026-02-27", "2026-02-28"),
            (Every::Month, "2026-01-31", "2026-02-28", "2026-03-31"),
            (Every::Month, "2026-01-31", "2028-02-01", "2028-02-29"),
            (Every::Quarter, "2026-11-30", "2026-11-30", "2027-02-28"),
            (Every::Quarter, "2026-11-30", "2027-02-28", "2027-05-30"),
            (Every::Quarter, "2026-01-15", "2026-04-14", "2026-04-15"),
            (Every::Quarter, "2026-01-15", "2026-04-15", "2026-07-15"),
            (Every::Year, "2024-02-29", "2024-02-29", "2025-02-28"),
            (Every::Year, "2024-02-29", "2027-02-28", "2028-02-29"),
            (Every::Year, "2026-12-31", "2026-12-31", "2027-12-31"),
        ] {
            let anchor = Date::parse(anchor).expect("a date");
            let day = Date::parse(after).expect("a date").day_number();
            let found = Date::of_day(Schedule { every, anchor }.next_after(day));
            assert_eq!(found.to_string(), due, "{every} from {anchor}, after {after}");
        }
    }
}
