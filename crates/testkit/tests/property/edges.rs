//! Draws times at which something turns over, the millisecond before and after it, and the act that shows it.

use super::acts::*;
use super::days::{self, DAY};
use super::draw::Dice;
use super::oracle::{Oracle, Stage};
use accord_testkit::conformance::speech::Speech;

const MINUTE: i64 = 60_000;

/// What to do once the time has come.
#[derive(Debug, Clone)]
pub enum Probe {
    /// This.
    Do(Act),
    /// A debit under that agreement, whatever is left of its limits by then.
    PayUnder(usize),
}

impl Dice {
    /// A time of an edge, and the probe of it.
    pub fn edge(&mut self, oracle: &Oracle) -> Option<(i64, Probe)> {
        let (at, probe) = match self.below(7) {
            0 => self.session_edge(oracle)?,
            1 | 2 => self.token_edge(oracle)?,
            3 => self.cancel_edge(oracle)?,
            _ => self.agreement_edge(oracle)?,
        };
        let at = at + self.range(-1, 1);
        (at > oracle.now && at < oracle.now + 40 * DAY).then_some((at, probe))
    }

    fn session_edge(&mut self, oracle: &Oracle) -> Option<(i64, Probe)> {
        let last = oracle.sessions.iter().rev().take(40);
        let session = last.into_iter().find(|session| session.stage == Stage::Open)?;
        let user = self.below(oracle.users.len());
        let (auth_id, customer) = (session.auth_id.clone(), oracle.users[user].id.clone());
        Some((session.expires, Probe::Do(Act::Decide { auth_id, customer, yes: true })))
    }

    /// Codes live ten minutes; a replaced pair five more.
    fn token_edge(&mut self, oracle: &Oracle) -> Option<(i64, Probe)> {
        let last: Vec<usize> =
            (oracle.agreements.len().saturating_sub(20)..oracle.agreements.len()).collect();
        let agreement = &oracle.agreements[*last.get(self.below(last.len().max(1)))?];
        let owner = agreement.owner;
        let Some(old) = agreement.pairs.iter().rev().nth(1) else {
            let code = agreement.code.clone();
            let apply = Act::Apply { owner, code, client: None, stale: false };
            return Some((agreement.made + 10 * MINUTE, Probe::Do(apply)));
        };
        let at = old.replaced? + 5 * MINUTE;
        let act = match self.below(2) {
            0 => Act::Refresh { owner, token: old.refresh.clone(), client: None, stale: false },
            _ => self.debit_with(owner, old.access.clone()),
        };
        Some((at, Probe::Do(act)))
    }

    fn debit_with(&mut self, owner: usize, token: String) -> Act {
        Act::Pay(Pay {
            owner,
            token,
            client: None,
            request: self.id("edge"),
            currency: "IQD",
            value: 1,
            other: 0,
            loose: 0,
            told: true,
            expires: None,
            evaluation: false,
            script: None,
            stale: false,
        })
    }

    /// A pair was replaced just now. What follows of it lies minutes ahead, where chance alone seldom comes: what the
    /// old pair is worth around the end of its five minutes, and after one more refresh.
    pub fn after_a_refresh(&mut self, oracle: &Oracle) -> Option<Act> {
        let (number, agreement) = oracle.agreements.iter().enumerate().rfind(|(_, agreement)| {
            agreement.pairs.iter().rev().nth(1).is_some_and(|old| old.replaced == Some(oracle.now))
        })?;
        let place = (number, agreement.pairs.len());
        if self.followed.replace(place) == Some(place) || !self.chance(50) {
            return None;
        }
        let (old, newest) = (agreement.pairs.iter().rev().nth(1)?, agreement.pairs.last()?);
        let owner = agreement.owner;
        let with = |token: &String| Act::Refresh { owner, token: token.clone(), client: None, stale: false };
        let (probe, act) = match self.below(3) {
            0 => (with(&old.refresh), with(&newest.refresh)),
            kind => {
                let until = oracle.now + 5 * MINUTE + self.of(&[-1, 0, 1, 1, 40_000]);
                let debit = kind == 1 && OWNERS[owner].speech == Speech::AlipayPlus;
                let probe =
                    if debit { self.debit_with(owner, old.access.clone()) } else { with(&old.refresh) };
                (probe, Act::Wait { until })
            }
        };
        self.probe = Some(Probe::Do(probe));
        Some(act)
    }

    /// 00:30 by the network's clock, after the day of the payment.
    fn cancel_edge(&mut self, oracle: &Oracle) -> Option<(i64, Probe)> {
        let mut last = oracle.payments.iter().rev().take(40);
        let payment = last.find(|payment| {
            OWNERS[payment.call.owner].speech == Speech::AlipayPlus && payment.paid() && !payment.closed
        })?;
        let there = 8 * 60 * MINUTE;
        let midnight = ((payment.made + there).div_euclid(DAY) + 1) * DAY - there;
        let (owner, request) = (payment.call.owner, payment.call.request.clone());
        Some((midnight + 30 * MINUTE, Probe::Do(Act::Cancel { owner, request, stale: false })))
    }

    /// Validity, pauses, sleep, and the beginning of the next period.
    fn agreement_edge(&mut self, oracle: &Oracle) -> Option<(i64, Probe)> {
        let number = self.agreement(oracle)?;
        let agreement = &oracle.agreements[number];
        let (agreed, today) = (days::day_of(agreement.made), days::day_of(oracle.now));
        let (year, month, _) = days::date(today);
        let begun = days::day_of(agreement.woken.unwrap_or(agreement.made));
        let last = agreement.taken.last().map_or(agreed, |(day, ..)| *day).max(begun);
        let sleep = oracle.setup.asleep_after.map(|most| days::start_of(last + i64::from(most) + 1));
        if let Some(sleep) = sleep.filter(|_| agreement.pause.is_none() && self.chance(50)) {
            return Some((sleep, Probe::PayUnder(number)));
        }
        let edges = [
            agreement.pause.flatten(),
            agreement.own.to,
            agreement.own.from,
            agreement.merchant.to,
            agreement.merchant.from,
            sleep,
            Some(days::start_of(today + 1)),
            Some(days::start_of(days::next_due(agreed, 1, today))),
            Some(days::start_of(days::months_later(days::number((year, month, 1)), 1))),
        ];
        let edges: Vec<i64> = edges.into_iter().flatten().collect();
        Some((self.of(&edges), Probe::PayUnder(number)))
    }
}
