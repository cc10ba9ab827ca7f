//! Limits hold: the edges of every period, and random debits, pauses, changes of limits and jumps of the clock over more
//! than two years, judged again here by plain counting of days. In both dialects, on every store.
//! `ACCORD_SEED` plays one seed; the seed is printed. `ACCORD_LONG=1` plays more of them.

#[path = "limits/home.rs"]
mod home;
mod stores;

use accord_core::agreement::control::{self, Change, Changed, Skip, State};
use accord_core::agreement::limits::{Alignment, Limits, Period};
use accord_core::agreement::schedule;
use accord_core::calendar::Date;
use accord_core::message::About;
use accord_core::moment::Random;
use accord_core::money::{Amount, Currency};
use accord_core::policy::DAY;
use accord_core::store::Store as _;
use accord_core::{Refusal, Timestamp};
use accord_testkit::conformance::fixture::{self, RICH, START};
use accord_testkit::conformance::speech::Speech;
use home::{Home, everywhere, moment};
use serde_json::{Value, json};
use stores::{Opened, Shelf, long, on_every_store, tests_on_every_store};

tests_on_every_store!(no_period_of_two_years_holds_more_than_its_limit_and_nothing_within_is_refused);

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

fn play(seed: u64, speech: Speech, store: &Opened) -> [usize; 2] {
    let dice = &mut moment(0, seed).random("limits");
    // Agreements of the 29th to the 31st are the hard ones.
    let starts = ["2026-01-31", "2028-02-29", "2026-11-30", "2026-01-15", "2027-12-31"];
    let day = Date::parse(starts[(seed % 5) as usize]).expect("a date").day_number();
    let mut now = day * DAY - ZONE + i64::from(dice.below(24)) * HOUR;
    let (begin, mut anchor) = (now, (now + ZONE).div_euclid(DAY));
    let mut home = Home::agreed(speech, store, now);
    let (mut limits, mut paused_until) = (Limits::NONE, None::<i64>);
    let mut taken: Vec<(i64, Amount)> = Vec::new();
    let mut ends = [0, 0];
    while now < begin + 750 * DAY {
        let edges = [limits.valid_from, limits.valid_to, paused_until.map(Timestamp)];
        let edges: Vec<i64> = edges.into_iter().flatten().map(|edge| edge.0).collect();
        now = step(dice, now, &edges);
        // An agreement whose validity is over stays so: after a while its user agrees anew.
        if limits.valid_to.is_some_and(|to| now >= to.0 + 3 * DAY) {
            home = Home::agreed(speech, store, now);
            (limits, paused_until, anchor) = (Limits::NONE, None, (now + ZONE).div_euclid(DAY));
            taken.clear();
        }
        let over = limits.valid_to.is_some_and(|to| now >= to.0);
        let fits = |changed: &Changed| match changed {
            Changed::Done(_) => !over,
            Changed::Ended => over,
            _ => false,
        };
        match dice.below(30) {
            0 => {
                let drawn = draw_limits(dice, taken.len(), now);
                let set =
                    home.rule(now, move |tx, _, change, at| control::set_user_limits(tx, change, drawn, at));
                assert!(fits(&set), "seed {seed}: {set:?}");
                limits = if over { limits } else { drawn };
            }
            what @ (1 | 2) => {
                let until = now + i64::from(1 + dice.below(90)) * HOUR;
                paused_until = if over { paused_until } else { Some(until) };
                let until = Timestamp(until);
                let paused = home.rule(now, move |tx, context, change, at| match what {
                    1 => control::pause(tx, change, Some(until), at),
                    _ => control::skip_next(tx, change, Skip::Until(until), context.voice.policy(), at),
                });
                assert!(fits(&paused), "seed {seed}: {paused:?}");
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
                    end,
                    wanted,
                    "seed {seed}, {speech:?}, {}, at {now}: {amount:?} under {limits}",
                    store.name()
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

fn no_period_of_two_years_holds_more_than_its_limit_and_nothing_within_is_refused(shelf: Shelf) {
    let asked: Option<u64> = std::env::var("ACCORD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = asked.map_or(0..if long() { 25 } else { 5 }, |seed| seed..seed + 1);
    let ([mut good, mut bad], store) = ([0, 0], shelf.open());
    for seed in seeds.filter(|seed| asked.is_some() || shelf.plays(*seed as usize, 5)) {
        println!("seed {seed}");
        for speech in Speech::ALL {
            // One dialect for each seed, unless there is time.
            if !long() && asked.is_none() && (speech == Speech::Qi) != (seed % 2 == 0) {
                continue;
            }
            let [made, refused] = play(seed, speech, &store);
            good += made;
            bad += refused;
        }
    }
    println!("{good} debits, {bad} refusals");
    assert!(good > 50 && bad > 50, "{good} debits, {bad} refusals");
}

/// Midnight of Baghdad before that day.
fn midnight(text: &str) -> i64 {
    Date::parse(text).expect("a date").day_number() * DAY - ZONE
}

#[test]
fn every_period_ends_with_its_last_millisecond_and_the_next_one_is_free() {
    use {Alignment::*, Period::*};
    everywhere(|speech, store| {
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
            let mut home = Home::agreed(speech, store, agreed_at);
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
            assert_eq!(
                said,
                wanted,
                "{period} by {alignment}, agreed {agreed}, {speech:?}, {}",
                store.name()
            );
        }
    });
}

#[test]
fn validity_pauses_and_counts_turn_over_in_one_millisecond() {
    everywhere(|speech, store| {
        let mut home = Home::agreed(speech, store, START);
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
            control::skip_next(tx, change, Skip::Until(Timestamp(skipped)), context.voice.policy(), at)
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
    on_every_store(|shelf| {
        let store = &shelf.open();
        let info = json!({
            "contractDesc": "Gym plan",
            "agreedAmount": { "currency": "IQD", "value": "25000" },
            "startTime": "2026-01-31",
            "schedule": "MONTHLY",
        });
        let mut home = Home::contracted(store, info, START);
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
    });
}

#[test]
fn a_skipped_debit_is_neither_taken_nor_told_and_the_one_after_it_is() {
    on_every_store(|shelf| {
        let store = &shelf.open();
        let info = json!({ "contractDesc": "Gym plan", "startTime": "2026-01-31", "schedule": "MONTHLY" });
        let mut home = Home::contracted(store, info, START);
        let skipped = home.rule(START + DAY, |tx, context, change, at| {
            control::skip_next(tx, change, Skip::Next, context.voice.policy(), at)
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
    });
}

/// The next debit, as the overview shows it.
fn next_due(home: &Home, now: i64) -> Option<String> {
    let (id, policy) = (home.change.agreement.clone(), home.policy());
    let overview = home.house.look(move |rows| {
        let agreement = rows.agreement(&id)?.expect("an agreement");
        control::overview(rows, &agreement, &policy, Timestamp(now))
    });
    overview.next_due.map(|day| day.to_string())
}

fn skip(home: &mut Home, skip: Skip, now: i64) -> Changed {
    home.rule(now, move |tx, context, change, at| {
        control::skip_next(tx, change, skip, context.voice.policy(), at)
    })
}

/// The due days that the user was told of, oldest first, when every notice until then was left at its own time.
fn told_until(home: &mut Home, until: i64) -> Vec<String> {
    while let Some(due) = home.house.look(|rows| rows.next_notice_due()).filter(|due| due.0 <= until) {
        let id = home.change.agreement.clone();
        home.rule(due.0, move |tx, context, _, at| schedule::announce(tx, &id, context, at));
    }
    let customer = RICH.id();
    let told = home.house.look(move |rows| rows.messages(&customer, 99)).into_iter().rev();
    told.filter_map(|message| match message.about {
        About::Upcoming { due_at, .. } => Some(Date::of_day((due_at.0 + ZONE).div_euclid(DAY)).to_string()),
        _ => None,
    })
    .collect()
}

#[test]
fn the_debit_that_is_skipped_is_the_one_that_is_shown_as_the_next() {
    on_every_store(|shelf| {
        let store = &shelf.open();
        let monthly = json!({ "contractDesc": "Gym plan", "startTime": "2026-01-31", "schedule": "MONTHLY" });
        let paused = Err(Refusal::AgreementPaused);
        // On a due day: before its debit that one is meant, after it the one of the next month.
        for (debited, shown, free_again) in
            [(false, "2026-01-31", "2026-02-28"), (true, "2026-02-28", "2026-03-31")]
        {
            let mut home = Home::contracted(store, monthly.clone(), START);
            let noon = midnight("2026-01-31") + DAY / 2;
            if debited {
                assert_eq!(home.debit(iqd(1), noon), Ok(()));
            }
            assert_eq!(next_due(&home, noon).as_deref(), Some(shown));
            let day = Date::parse(shown).expect("a day");
            assert!(matches!(skip(&mut home, Skip::Due(day), noon), Changed::Done(_)));
            let due = if debited { midnight(shown) + DAY / 2 } else { noon };
            assert_eq!(home.debit(iqd(1), due), paused, "{shown}");
            assert_eq!(home.debit(iqd(1), midnight(shown) + DAY), paused, "nor a day late");
            assert_eq!(next_due(&home, due).as_deref(), Some(free_again));
            // A second press of the same page skips nothing more.
            let again = skip(&mut home, Skip::Due(day), due);
            assert!(matches!(again, Changed::Unfit(_)), "{again:?}");
            assert_eq!(home.debit(iqd(1), midnight(free_again)), Ok(()));
        }
        // Terms that name no first day: the day of the agreement is the first due day.
        let mut home =
            Home::contracted(store, json!({ "contractDesc": "Gym plan", "schedule": "MONTHLY" }), START);
        let today = Date::of_day((START + ZONE).div_euclid(DAY));
        assert_eq!(next_due(&home, START), Some(today.to_string()));
        assert_eq!(home.debit(iqd(1), START), Ok(()));
        let next = next_due(&home, START).expect("a next debit");
        assert_eq!(next, today.plus_months(1).to_string());
        assert!(matches!(skip(&mut home, Skip::Next, START), Changed::Done(_)));
        assert_eq!(home.debit(iqd(1), midnight(&next) + DAY - 1), paused);
        assert_eq!(home.debit(iqd(1), midnight(&today.plus_months(2).to_string())), Ok(()));
    });
}

#[test]
fn nobody_is_told_of_a_debit_that_cannot_happen() {
    on_every_store(|shelf| {
        let store = &shelf.open();
        let terms = |more: Value| {
            let mut terms =
                json!({ "contractDesc": "Gym plan", "startTime": "2026-02-10", "schedule": "MONTHLY" });
            terms.as_object_mut().expect("members").extend(more.as_object().expect("members").clone());
            terms
        };
        let set = |home: &mut Home, limits: Limits, now: i64| {
            home.rule(now, move |tx, _, change, at| control::set_user_limits(tx, change, limits, at));
        };
        let (after, june) = (midnight("2026-02-11"), midnight("2026-06-01"));

        // The user set an end; moved, it lets the later ones be told.
        let mut home = Home::contracted(store, terms(json!({})), START);
        let ends = |day: &str| Limits { valid_to: Some(Timestamp(midnight(day))), ..Limits::NONE };
        set(&mut home, ends("2026-03-10"), START);
        assert_eq!(next_due(&home, after), None);
        assert_eq!(told_until(&mut home, midnight("2026-03-20")), ["2026-02-10"]);
        set(&mut home, ends("2026-05-11"), midnight("2026-03-09"));
        assert_eq!(next_due(&home, midnight("2026-03-20")).as_deref(), Some("2026-04-10"));
        assert_eq!(told_until(&mut home, june), ["2026-02-10", "2026-04-10", "2026-05-10"]);
        assert_eq!(next_due(&home, june), None);

        // The merchant's end.
        let mut home = Home::contracted(store, terms(json!({ "validTo": "2026-03-10" })), START);
        assert_eq!(next_due(&home, after).as_deref(), Some("2026-03-10"));
        assert_eq!(told_until(&mut home, june), ["2026-02-10", "2026-03-10"]);

        // The agreed number is used up.
        let mut home = Home::contracted(store, terms(json!({ "maxCount": 2 })), START);
        assert_eq!(home.debit(iqd(1), after), Ok(()));
        assert_eq!(next_due(&home, after).as_deref(), Some("2026-03-10"));
        assert_eq!(home.debit(iqd(1), after), Ok(()));
        assert_eq!(next_due(&home, after), None);
        assert_eq!(told_until(&mut home, june), Vec::<String>::new());

        // A pause, until resumed and until a date; the beginning of validity.
        let mut home = Home::contracted(store, terms(json!({})), START);
        home.rule(START, |tx, _, change, at| control::pause(tx, change, None, at));
        assert_eq!(next_due(&home, START), None);
        let nothing = skip(&mut home, Skip::Next, START);
        assert!(matches!(nothing, Changed::Unfit(_)), "{nothing:?}");
        let noon = Timestamp(midnight("2026-03-10") + DAY / 2);
        home.rule(START, move |tx, _, change, at| control::pause(tx, change, Some(noon), at));
        assert_eq!(next_due(&home, START).as_deref(), Some("2026-03-10"));
        set(&mut home, Limits { valid_from: Some(noon.plus_millis(DAY)), ..Limits::NONE }, START);
        assert_eq!(next_due(&home, START).as_deref(), Some("2026-04-10"));
        assert_eq!(told_until(&mut home, june), ["2026-04-10", "2026-05-10"]);

        // The end of the agreement.
        home.house.end_agreement(RICH, &moment(june, 900));
        assert_eq!(next_due(&home, june), None);
        assert_eq!(told_until(&mut home, june + 99 * DAY).len(), 2);
    });
}

#[test]
fn only_the_payer_changes_an_agreement_and_an_ended_one_is_over() {
    on_every_store(|shelf| {
        let store = &shelf.open();
        let mut home = Home::agreed(Speech::Qi, store, START);
        let stranger = Change { customer: fixture::POOR.id(), ..home.change.clone() };
        let changed = home.rule(START, move |tx, _, _, at| control::pause(tx, &stranger, None, at));
        assert_eq!(changed, Changed::Unknown);
        let unfit = Limits { per_day: Some(1), ..Limits::NONE };
        let changed =
            home.rule(START, move |tx, _, change, at| control::set_user_limits(tx, change, unfit, at));
        assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
        let changed = home.rule(START, |tx, _, change, at| control::pause(tx, change, Some(at.now), at));
        assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
        let changed = home.rule(START, |tx, context, change, at| {
            control::skip_next(tx, change, Skip::Next, context.voice.policy(), at)
        });
        assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
        let past = Limits { valid_to: Some(Timestamp(START)), ..Limits::NONE };
        let changed =
            home.rule(START, move |tx, _, change, at| control::set_user_limits(tx, change, past, at));
        assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
        let far = Timestamp(midnight("9998-12-31") + 2 * DAY);
        let changed = home.rule(START, move |tx, _, change, at| control::pause(tx, change, Some(far), at));
        assert!(matches!(changed, Changed::Unfit(_)), "{changed:?}");
        home.house.end_agreement(RICH, &moment(START, 900));
        let changed = home.rule(START, |tx, _, change, at| control::pause(tx, change, None, at));
        assert_eq!(changed, Changed::Ended);
    });
}

#[test]
fn an_agreement_whose_validity_is_over_does_not_come_back() {
    everywhere(|speech, store| {
        let mut home = Home::agreed(speech, store, START);
        let ends = Limits { valid_to: Some(Timestamp(START + DAY)), ..Limits::NONE };
        home.rule(START, move |tx, _, change, at| control::set_user_limits(tx, change, ends, at));
        assert_eq!(home.debit(iqd(1), START + DAY), Err(Refusal::AccessTokenUnknown));
        let lifted = home
            .rule(START + DAY, |tx, _, change, at| control::set_user_limits(tx, change, Limits::NONE, at));
        assert_eq!(lifted, Changed::Ended);
        assert_eq!(home.debit(iqd(1), START + DAY), Err(Refusal::AccessTokenUnknown));
    });
}

#[test]
fn an_agreement_whose_code_nobody_redeemed_expires_with_it() {
    everywhere(|speech, store| {
        let (house, agreement) = home::unredeemed(speech, store, START);
        let policy = house.dialect(speech.name()).policy().clone();
        let life = policy.code_life_ms;
        let state = |now: i64| {
            let (agreement, policy) = (agreement.clone(), policy.clone());
            house.look(move |rows| control::overview(rows, &agreement, &policy, Timestamp(now))).state
        };
        let agreed = agreement.created_at.0;
        assert_eq!([agreed, agreed + life].map(state), [State::Consented; 2], "{speech:?}");
        assert_eq!([agreed + life + 1, agreed + 85 * DAY].map(state), [State::Expired; 2], "{speech:?}");
    });
}
