//! Limits hold: the edges of every period, and random debits, pauses, changes of limits and jumps of the clock over more
//! than two years, judged again here by plain counting of days. In both dialects, on the model store and on SQLite.
//! `ACCORD_SEED` plays one seed; the seed is printed. `ACCORD_LONG=1` plays more of them.

#[path = "limits/home.rs"]
mod home;

use accord_core::agreement::control::{self, Change, Changed};
use accord_core::agreement::limits::{Alignment, Limits, Period};
use accord_core::agreement::schedule;
use accord_core::calendar::Date;
use accord_core::message::About;
use accord_core::moment::Random;
use accord_core::money::{Amount, Currency};
use accord_core::policy::DAY;
use accord_core::{Refusal, Timestamp};
use accord_testkit::conformance::fixture::{self, RICH, START};
use accord_testkit::conformance::speech::Speech;
use home::{Home, Shelf, everywhere, moment};
use serde_json::json;

const HOUR: i64 = 3_600_000;
const ZONE: i64 = 3 * HOUR;

fn iqd(value: i64) -> Amount {
    Amount::new(fixture::currency("IQD"), value).expect("an amount")
}

/// Are two days in one period? By counting, not by the arithmetic under test.
fn together(period: Period, alignment: Alignment, anchor: i64, one: i64, other: i64) -> bool {
    let text = |day: i64| Date::of_day(day).to_string();
    let steps = |months: i64, day: i64| {
        (0..).find(|step| Date::of_day(anchor).plus_months((step + 1) * months).day_number() > day)
    };
    match (period, alignment) {
        (Period::Day, _) => one == other,
        // 1970-01-05 was a Monday.
        (Period::Week, Alignment::Calendar) => (one - 4).div_euclid(7) == (other - 4).div_euclid(7),
        (Period::Week, Alignment::Agreement) => (one - anchor) / 7 == (other - anchor) / 7,
        (Period::Month, Alignment::Calendar) => text(one)[..7] == text(other)[..7],
        (Period::Year, Alignment::Calendar) => text(one)[..4] == text(other)[..4],
        (Period::Month, Alignment::Agreement) => steps(1, one) == steps(1, other),
        (Period::Year, Alignment::Agreement) => steps(12, one) == steps(12, other),
    }
}

/// What the papers of this test say of a debit: its refusal, if any.
fn expected(
    limits: &Limits,
    paused_until: Option<i64>,
    taken: &[(i64, Amount)],
    anchor: i64,
    amount: Amount,
    now: i64,
) -> Result<(), Refusal> {
    let today = (now + ZONE).div_euclid(DAY);
    if limits.valid_to.is_some_and(|to| now >= to.0) {
        return Err(Refusal::AccessTokenUnknown);
    }
    if paused_until.is_some_and(|until| now < until) || limits.valid_from.is_some_and(|from| now < from.0) {
        return Err(Refusal::AgreementPaused);
    }
    if limits.limits_money() && limits.currency != Some(amount.currency)
        || limits.per_debit.is_some_and(|most| amount.value() > most)
    {
        return Err(Refusal::AmountOverDebitLimit);
    }
    for (period, most) in limits.periods() {
        let same = |(day, other): &&(i64, Amount)| {
            other.currency == amount.currency && together(period, limits.alignment, anchor, *day, today)
        };
        let sum: i64 = taken.iter().filter(same).map(|(_, amount)| amount.value()).sum();
        if sum + amount.value() > most {
            return Err(Refusal::AmountOverPeriodLimit);
        }
    }
    match limits.max_count.is_some_and(|most| taken.len() >= most as usize) {
        true => Err(Refusal::CountOverLimit),
        false => Ok(()),
    }
}

fn draw_limits(dice: &mut Random, debits: usize, now: i64) -> Limits {
    let mut sum = |most: u32| (dice.below(3) == 0).then(|| i64::from(1 + dice.below(most)));
    let sums = [sum(900), sum(1_500), sum(4_000), sum(12_000), sum(60_000)];
    let [per_debit, per_day, per_week, per_month, per_year] = sums;
    let any = sums.iter().any(Option::is_some);
    let most = u32::try_from(debits).expect("a count") + 1 + dice.below(40);
    Limits {
        currency: Currency::parse("IQD").filter(|_| any),
        per_debit,
        per_day,
        per_week,
        per_month,
        per_year,
        max_count: (dice.below(4) == 0).then_some(most),
        alignment: if dice.below(2) == 0 { Alignment::Calendar } else { Alignment::Agreement },
        valid_from: (dice.below(8) == 0).then(|| Timestamp(now + i64::from(dice.below(200)) * HOUR)),
        valid_to: (dice.below(8) == 0).then(|| Timestamp(now + i64::from(200 + dice.below(400)) * HOUR)),
    }
}

/// The next time to look at: often the very edge of a day of Baghdad (21:00 UTC), at times the edge of something else.
fn step(dice: &mut Random, now: i64, edges: &[i64]) -> i64 {
    let edge = edges.iter().filter(|edge| **edge > now && **edge < now + 30 * DAY).min();
    let next = match (dice.below(8), edge) {
        (0, Some(edge)) => edge - i64::from(dice.below(2)),
        (0..=2, _) => ((now + ZONE).div_euclid(DAY) + 1) * DAY - ZONE - i64::from(dice.below(2)),
        (3 | 4, _) => now + 1,
        _ => now + i64::from(1 + dice.below(40)) * HOUR,
    };
    next.max(now)
}

fn play(seed: u64, speech: Speech, shelf: Shelf) -> [usize; 2] {
    let dice = &mut moment(0, seed).random("limits");
    // Agreements of the 29th to the 31st are the hard ones.
    let starts = ["2026-01-31", "2028-02-29", "2026-11-30", "2026-01-15", "2027-12-31"];
    let day = Date::parse(starts[(seed % 5) as usize]).expect("a date").day_number();
    let mut now = day * DAY - ZONE + i64::from(dice.below(24)) * HOUR;
    let (begin, anchor) = (now, (now + ZONE).div_euclid(DAY));
    let mut home = Home::agreed(speech, shelf, now);
    let (mut limits, mut paused_until) = (Limits::NONE, None::<i64>);
    let mut taken: Vec<(i64, Amount)> = Vec::new();
    let mut ends = [0, 0];
    while now < begin + 750 * DAY {
        let edges = [limits.valid_from, limits.valid_to, paused_until.map(Timestamp)];
        let edges: Vec<i64> = edges.into_iter().flatten().map(|edge| edge.0).collect();
        now = step(dice, now, &edges);
        match dice.below(30) {
            0 => {
                limits = draw_limits(dice, taken.len(), now);
                let set =
                    home.rule(now, move |tx, _, change, at| control::set_user_limits(tx, change, limits, at));
                assert!(matches!(set, Changed::Done(_)), "seed {seed}: {set:?}");
            }
            what @ (1 | 2) => {
                let until = now + i64::from(1 + dice.below(90)) * HOUR;
                paused_until = Some(until);
                let until = Some(Timestamp(until));
                let paused = home.rule(now, move |tx, context, change, at| match what {
                    1 => control::pause(tx, change, until, at),
                    _ => control::skip_next(tx, change, until, context.voice.policy(), at),
                });
                assert!(matches!(paused, Changed::Done(_)), "seed {seed}: {paused:?}");
            }
            3 => {
                paused_until = None;
                home.rule(now, |tx, _, change, at| control::resume(tx, change, at));
            }
            _ => {
                let foreign = dice.below(12) == 0;
                let amount = match foreign {
                    true => Amount::new(fixture::currency("USD"), 1).expect("an amount"),
                    false => iqd(i64::from(1 + dice.below(1_000))),
                };
                let wanted = expected(&limits, paused_until, &taken, anchor, amount, now);
                let end = home.debit(amount, now);
                assert_eq!(
                    end, wanted,
                    "seed {seed}, {speech:?}, {shelf:?}, at {now}: {amount:?} under {limits}"
                );
                ends[usize::from(end.is_err())] += 1;
                if end.is_ok() {
                    taken.push(((now + ZONE).div_euclid(DAY), amount));
                }
            }
        }
    }
    ends
}

#[test]
fn no_period_of_two_years_holds_more_than_its_limit_and_nothing_within_is_refused() {
    let long = std::env::var_os("ACCORD_LONG").is_some_and(|value| value == "1");
    let asked: Option<u64> = std::env::var("ACCORD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = asked.map_or(0..if long { 25 } else { 5 }, |seed| seed..seed + 1);
    let [mut good, mut bad] = [0, 0];
    for seed in seeds {
        println!("seed {seed}");
        everywhere(|speech, shelf| {
            // One dialect for each seed, unless there is time.
            if !long && asked.is_none() && (speech == Speech::Qi) != (seed % 2 == 0) {
                return;
            }
            let [made, refused] = play(seed, speech, shelf);
            good += made;
            bad += refused;
        });
    }
    println!("{good} debits, {bad} refusals");
    assert!(good > 100 && bad > 100, "{good} debits, {bad} refusals");
}

/// Midnight of Baghdad before that day.
fn midnight(text: &str) -> i64 {
    Date::parse(text).expect("a date").day_number() * DAY - ZONE
}

#[test]
fn every_period_ends_with_its_last_millisecond_and_the_next_one_is_free() {
    use {Alignment::*, Period::*};
    everywhere(|speech, shelf| {
        for (period, alignment, agreed, start, next) in [
            (Day, Calendar, "2026-01-15", "2026-03-01", "2026-03-02"),
            (Day, Agreement, "2026-01-15", "2028-02-29", "2028-03-01"),
            (Week, Calendar, "2026-01-15", "2026-12-28", "2027-01-04"),
            (Week, Agreement, "2026-01-15", "2027-01-07", "2027-01-14"),
            (Month, Calendar, "2026-01-15", "2027-02-01", "2027-03-01"),
            (Month, Calendar, "2026-01-15", "2028-02-01", "2028-03-01"),
            (Month, Calendar, "2026-12-31", "2027-12-01", "2028-01-01"),
            (Month, Agreement, "2026-01-31", "2027-01-31", "2027-02-28"),
            (Month, Agreement, "2026-01-31", "2027-02-28", "2027-03-31"),
            (Month, Agreement, "2026-01-31", "2028-01-31", "2028-02-29"),
            (Month, Agreement, "2026-01-31", "2028-02-29", "2028-03-31"),
            (Month, Agreement, "2026-01-30", "2027-04-30", "2027-05-30"),
            (Year, Calendar, "2026-01-15", "2027-01-01", "2028-01-01"),
            (Year, Agreement, "2026-11-30", "2027-11-30", "2028-11-30"),
            (Year, Agreement, "2028-02-29", "2028-02-29", "2029-02-28"),
            (Year, Agreement, "2028-02-29", "2029-02-28", "2030-02-28"),
        ] {
            // Agreed in the middle of its day; the limit is set then and never again.
            let agreed_at = midnight(agreed) + 9 * HOUR;
            let mut home = Home::agreed(speech, shelf, agreed_at);
            let set = |of| (period == of).then_some(100);
            let limits = Limits {
                currency: Currency::parse("IQD"),
                per_day: set(Day),
                per_week: set(Week),
                per_month: set(Month),
                per_year: set(Year),
                alignment,
                ..Limits::NONE
            };
            home.rule(agreed_at, move |tx, _, change, at| control::set_user_limits(tx, change, limits, at));
            let (start, next) = (midnight(start).max(agreed_at), midnight(next));
            let over = Err(Refusal::AmountOverPeriodLimit);
            let said = [(60, start), (41, start + 1), (40, next - 1), (1, next - 1), (100, next), (1, next)]
                .map(|(value, at)| home.debit(iqd(value), at));
            let wanted = [Ok(()), over, Ok(()), over, Ok(()), over];
            assert_eq!(said, wanted, "{period} by {alignment}, agreed {agreed}, {speech:?}, {shelf:?}");
        }
    });
}

#[test]
fn validity_pauses_and_counts_turn_over_in_one_millisecond() {
    everywhere(|speech, shelf| {
        let mut home = Home::agreed(speech, shelf, START);
        let (from, to, later) = (START + 40 * DAY, START + 400 * DAY, START + 500 * DAY);
        let limits = Limits {
            valid_from: Some(Timestamp(from)),
            valid_to: Some(Timestamp(to)),
            max_count: Some(4),
            ..Limits::NONE
        };
        home.rule(START, move |tx, _, change, at| control::set_user_limits(tx, change, limits, at));
        let paused = Err(Refusal::AgreementPaused);
        assert_eq!([from - 1, from].map(|at| home.debit(iqd(1), at)), [paused, Ok(())]);

        // The next debit is skipped: a pause until a date. A longer pause is ended by the user.
        let (skipped, resumed) = (from + 30 * DAY, from + 90 * DAY);
        home.rule(from, move |tx, context, change, at| {
            control::skip_next(tx, change, Some(Timestamp(skipped)), context.voice.policy(), at)
        });
        assert_eq!([from, skipped - 1, skipped].map(|at| home.debit(iqd(1), at)), [paused, paused, Ok(())]);
        home.rule(skipped, |tx, _, change, at| control::pause(tx, change, None, at));
        assert_eq!(home.debit(iqd(1), resumed), paused);
        home.rule(resumed, |tx, _, change, at| control::resume(tx, change, at));
        assert_eq!(home.debit(iqd(1), resumed), Ok(()));

        // The fourth is the last that was agreed, and nothing is taken once validity is over.
        assert_eq!(home.debit(iqd(1), to - 2), Ok(()));
        assert_eq!(home.debit(iqd(1), to - 1), Err(Refusal::CountOverLimit));
        let wider = Limits { max_count: None, ..limits };
        home.rule(to - 1, move |tx, _, change, at| control::set_user_limits(tx, change, wider, at));
        let said = [to - 1, to, later].map(|at| home.debit(iqd(1), at));
        assert_eq!(said, [Ok(()), Err(Refusal::AccessTokenUnknown), Err(Refusal::AccessTokenUnknown)]);
    });
}

#[test]
fn every_due_day_of_two_years_is_told_once_and_a_day_ahead() {
    let info = json!({
        "contractDesc": "Gym plan",
        "agreedAmount": { "currency": "IQD", "value": "25000" },
        "startTime": "2026-01-31",
        "schedule": "MONTHLY",
    });
    let mut home = Home::contracted(info, START);
    let id = home.change.agreement.clone();
    let mut told = Vec::new();
    for _ in 0..25 {
        let due = home.house.look(|rows| rows.next_notice_due()).expect("a due day to come");
        // Early by a millisecond there is nothing to do; a second worker finds nothing to do either.
        for (at, moved) in [(due.0 - 1, false), (due.0, true), (due.0, false)] {
            let id = id.clone();
            assert_eq!(
                home.rule(at, move |tx, context, _, at| schedule::announce(tx, &id, context, at)),
                moved
            );
        }
        told.push(due);
    }
    let customer = RICH.id();
    let mut days: Vec<String> = Vec::new();
    for message in home.house.look(move |rows| rows.messages(&customer, 100)) {
        let About::Upcoming { due_at, amount, .. } = message.about else { panic!("{message:?}") };
        assert!(due_at.since(message.at) >= DAY, "{message:?}");
        assert_eq!(amount, Some(iqd(25_000)));
        days.push(Date::of_day((due_at.0 + ZONE).div_euclid(DAY)).to_string());
    }
    days.reverse();
    assert_eq!(days.len(), 25);
    assert_eq!(days[..3], ["2026-01-31", "2026-02-28", "2026-03-31"]);
    assert_eq!(days[24], "2028-01-31");
}

#[test]
fn a_skipped_debit_is_neither_taken_nor_told_and_the_one_after_it_is() {
    let info = json!({ "contractDesc": "Gym plan", "startTime": "2026-01-31", "schedule": "MONTHLY" });
    let mut home = Home::contracted(info, START);
    let skipped = home.rule(START + DAY, |tx, context, change, at| {
        control::skip_next(tx, change, None, context.voice.policy(), at)
    });
    let Changed::Done(controls) = skipped else { panic!("{skipped:?}") };
    let until = controls.pause.and_then(|pause| pause.until);
    assert_eq!(until, Some(Timestamp(midnight("2026-02-28"))));

    let id = home.change.agreement.clone();
    for _ in 0..2 {
        let (id, due) = (id.clone(), home.house.look(|rows| rows.next_notice_due()).expect("a due day"));
        home.rule(due.0, move |tx, context, _, at| schedule::announce(tx, &id, context, at));
    }
    let customer = RICH.id();
    let told = home.house.look(move |rows| rows.messages(&customer, 9));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].about.subject().ends_with(&midnight("2026-02-28").to_string()), "{told:?}");

    assert_eq!(home.debit(iqd(1), midnight("2026-02-28") - 1), Err(Refusal::AgreementPaused));
    assert_eq!(home.debit(iqd(1), midnight("2026-02-28")), Ok(()));
}

#[test]
fn only_the_payer_changes_an_agreement_and_an_ended_one_is_over() {
    let mut home = Home::agreed(Speech::Qi, Shelf::Model, START);
    let stranger = Change { customer: fixture::POOR.id(), ..home.change.clone() };
    let changed = home.rule(START, move |tx, _, _, at| control::pause(tx, &stranger, None, at));
    assert_eq!(changed, Changed::Unknown);
    let unfit = Limits { per_day: Some(1), ..Limits::NONE };
    let changed = home.rule(START, move |tx, _, change, at| control::set_user_limits(tx, change, unfit, at));
    assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
    let changed = home.rule(START, |tx, _, change, at| control::pause(tx, change, Some(at.now), at));
    assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
    let changed = home.rule(START, |tx, context, change, at| {
        control::skip_next(tx, change, None, context.voice.policy(), at)
    });
    assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
    home.house.end_agreement(RICH, &moment(START, 900));
    let changed = home.rule(START, |tx, _, change, at| control::pause(tx, change, None, at));
    assert_eq!(changed, Changed::Ended);
}
