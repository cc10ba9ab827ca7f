//! What a rule is going to ask for, judged by what rules that began alike asked for before, so that it can be read in the
//! same round trip.
//!
//! Each parameter of a query is remembered by where its value was seen before: among the parameters of an earlier query
//! of the same rule, in the first row of its answer, or as the bucket of a handle there. A wrong guess costs a read that
//! nobody needed, and nothing else: a rule is only ever answered what it asks, by its own parameters. Nothing here knows
//! what a statement means.

use super::ask::{Ask, Kept, same};
use crate::postgres::link::Link;
use crate::postgres::statement::Guard;
use crate::rows::engine::Row as _;
use crate::rows::value::Value;
use accord_core::ids::AgreementId;
use std::collections::HashMap;

/// A query that no run has asked for so often is forgotten.
const IDLE: u32 = 16;
/// So many first runs are learned from, and later one of so many.
const LESSONS: u32 = 32;

/// What is known, by the first statement of a rule.
#[derive(Default)]
pub(super) struct Foresight {
    rules: HashMap<(usize, usize), Lesson>,
}

#[derive(Default)]
struct Lesson {
    runs: u32,
    steps: Vec<Step>,
}

/// A query that a rule makes: that statement for the nth time, with parameters from there.
struct Step {
    sql: &'static str,
    nth: usize,
    /// For each parameter the places where its value has been each time.
    params: Vec<Vec<Source>>,
    idle: u32,
}

/// Where a value is found.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    /// In a parameter, or in a column of the first row, of that statement's nth query.
    In { sql: &'static str, nth: usize, place: Place },
    /// The bucket of the handle there.
    BucketOf { sql: &'static str, nth: usize, place: Place },
    /// It is always this.
    Always(Kept),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Param(usize),
    Column(usize),
}

impl Foresight {
    /// Adds to the queries of a rule those that it will probably make, as far as their parameters are known by now.
    pub(super) fn foresee(&self, link: &Link, asks: &mut Vec<Ask>) {
        let Some(lesson) = asks.first().and_then(|first| self.rules.get(&key(first.sql))) else { return };
        for step in &lesson.steps {
            if nth_of(asks, step.sql, step.nth).is_some() {
                continue;
            }
            let Ok(prepared) = link.prepare(step.sql) else { return };
            let guard = prepared.translated.guard;
            // A bucket that is only guessed would keep others out of it for nothing.
            if guard == Guard::FirstParameter && step.guesses_first() {
                continue;
            }
            let Some(params) = step.resolve(asks) else { continue };
            let bucket = match (guard, params.first().map(Kept::value)) {
                (Guard::Home(bucket), _) => Some(bucket),
                (Guard::FirstParameter, Some(Value::Int(bucket))) => Some(bucket),
                (Guard::Reference, _) => None,
                _ => continue,
            };
            if !asks.iter().any(|ask| same(ask.sql, step.sql) && ask.params == params) {
                asks.push(Ask { sql: step.sql, params, bucket, asked: false, answer: None });
            }
        }
    }

    /// Learns from a rule that has come to its end: its queries, and which of them it used, in that order.
    pub(super) fn learn(&mut self, asks: &[Ask], used: &[usize]) {
        let trace: Vec<&Ask> = used.iter().filter_map(|index| asks.get(*index)).collect();
        let Some((first, later)) = trace.split_first() else { return };
        let lesson = self.rules.entry(key(first.sql)).or_default();
        lesson.runs = lesson.runs.saturating_add(1);
        if lesson.runs > LESSONS && !lesson.runs.is_multiple_of(LESSONS) {
            return;
        }
        lesson.steps.iter_mut().for_each(|step| step.idle += 1);
        let mut before = vec![*first];
        for ask in later {
            let nth = before.iter().filter(|earlier| same(earlier.sql, ask.sql)).count();
            let known = lesson.steps.iter_mut().find(|step| same(step.sql, ask.sql) && step.nth == nth);
            let fresh = |value: &Kept| sources(&before, value);
            match known {
                Some(step) => {
                    step.idle = 0;
                    for (sources, value) in step.params.iter_mut().zip(&ask.params) {
                        let find =
                            |sql, nth| before.iter().copied().filter(|ask| same(ask.sql, sql)).nth(nth);
                        sources.retain(|source| source.among(find).as_ref() == Some(value));
                        if sources.is_empty() {
                            *sources = fresh(value);
                        }
                    }
                }
                None => {
                    let params = ask.params.iter().map(fresh).collect();
                    lesson.steps.push(Step { sql: ask.sql, nth, params, idle: 0 });
                }
            }
            before.push(*ask);
        }
        lesson.steps.retain(|step| step.idle < IDLE);
    }
}

impl Step {
    /// The parameters, as far as they are known by now.
    fn resolve(&self, asks: &[Ask]) -> Option<Vec<Kept>> {
        let known = self.params.iter().map(|sources| {
            // What has been seen elsewhere is not guessed before it is seen there.
            let guesses = sources.iter().all(Source::is_guess);
            sources
                .iter()
                .filter(|source| guesses || !source.is_guess())
                .find_map(|source| source.value(asks))
        });
        known.collect()
    }

    fn guesses_first(&self) -> bool {
        self.params.first().is_none_or(|sources| sources.iter().all(Source::is_guess))
    }
}

fn key(sql: &'static str) -> (usize, usize) {
    (sql.as_ptr() as usize, sql.len())
}

fn nth_of<'a>(asks: &'a [Ask], sql: &'static str, nth: usize) -> Option<&'a Ask> {
    asks.iter().filter(|ask| same(ask.sql, sql)).nth(nth)
}

/// Every place among earlier queries where a value is, and last the value itself.
fn sources(before: &[&Ask], value: &Kept) -> Vec<Source> {
    let mut found = Vec::new();
    for (index, ask) in before.iter().enumerate() {
        let nth = before.iter().take(index).filter(|earlier| same(earlier.sql, ask.sql)).count();
        let width = ask.answer.as_ref().and_then(|answer| answer.each().next().map(|row| row.width()));
        let places =
            (0..ask.params.len()).map(Place::Param).chain((0..width.unwrap_or(0)).map(Place::Column));
        for place in places {
            let Some(there) = there(ask, place) else { continue };
            let sql = ask.sql;
            if there == *value {
                found.push(Source::In { sql, nth, place });
            } else if matches!(value, Kept::Int(_)) && bucket_of(&there).as_ref() == Some(value) {
                found.push(Source::BucketOf { sql, nth, place });
            }
        }
    }
    found.push(Source::Always(value.clone()));
    found
}

fn there(ask: &Ask, place: Place) -> Option<Kept> {
    match place {
        Place::Param(index) => ask.params.get(index).cloned(),
        Place::Column(index) => ask.answer.as_ref()?.each().next()?.value(index).map(Kept::of),
    }
}

/// All handles in rows have one shape, so an agreement's stands for each.
fn bucket_of(handle: &Kept) -> Option<Kept> {
    let Kept::Text(text) = handle else { return None };
    AgreementId::read(text).map(|id| Kept::Int(i64::from(id.bucket().number())))
}

impl Source {
    fn is_guess(&self) -> bool {
        matches!(self, Source::Always(_))
    }

    /// The value for a run with these queries.
    fn value(&self, asks: &[Ask]) -> Option<Kept> {
        self.among(|sql, nth| nth_of(asks, sql, nth))
    }

    fn among<'a>(&self, find: impl Fn(&'static str, usize) -> Option<&'a Ask>) -> Option<Kept> {
        match self {
            Source::In { sql, nth, place } => there(find(sql, *nth)?, *place),
            Source::BucketOf { sql, nth, place } => bucket_of(&there(find(sql, *nth)?, *place)?),
            Source::Always(value) => Some(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: &str = "SELECT a FROM claims WHERE bucket = ?1 AND owner = ?2 AND id = ?3";
    const CLOSED: &str = "SELECT b FROM closed WHERE bucket = ?1 AND owner = ?2 AND kind = ?3";

    fn ask(sql: &'static str, bucket: i64, owner: &str, last: &str) -> Ask {
        let text = |text: &str| Kept::Text(text.into());
        let params = vec![Kept::Int(bucket), text(owner), text(last)];
        Ask { sql, params, bucket: Some(bucket), asked: true, answer: None }
    }

    #[test]
    fn a_parameter_comes_from_where_it_came_from_each_time() {
        let mut foresight = Foresight::default();
        // At first the kind might be the owner's name, or the claim's; then it can only be a constant.
        foresight.learn(&[ask(CLAIM, 7, "x", "x"), ask(CLOSED, 7, "x", "x")], &[0, 1]);
        foresight.learn(&[ask(CLAIM, 8, "y", "z"), ask(CLOSED, 8, "y", "x")], &[0, 1]);
        let lesson = &foresight.rules[&key(CLAIM)];
        let [step] = lesson.steps.as_slice() else { panic!("one step") };
        assert!(!step.guesses_first());
        let resolved = step.resolve(&[ask(CLAIM, 9, "w", "v")]).expect("parameters");
        assert_eq!(resolved, ask(CLOSED, 9, "w", "x").params);
        assert_eq!(step.resolve(&[ask(CLOSED, 9, "w", "v")]), None);
    }

    #[test]
    fn what_is_not_asked_for_any_more_is_forgotten() {
        let mut foresight = Foresight::default();
        foresight.learn(&[ask(CLAIM, 7, "x", "x"), ask(CLOSED, 7, "x", "x")], &[0, 1]);
        for _ in 0..IDLE {
            foresight.learn(&[ask(CLAIM, 7, "x", "x")], &[0]);
        }
        assert!(foresight.rules[&key(CLAIM)].steps.is_empty());
    }
}
