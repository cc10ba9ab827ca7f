//! Fault scripts: the next valid calls of an operation end as a test wants them to.
//!
//! They live in memory only: a restart forgets them, and another process on the same store never had them.

use super::answer::{Failure, Members, Told};
use super::clock::LONGEST_SECONDS;
use crate::app::App;
use accord_core::Refusal;
use accord_wire::dialect::{Dialect, Fault, Reason, Status};
use axum::extract::State;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Scripts that may wait for one operation at a time.
const LONGEST_SCRIPT: usize = 1_000;
/// Calls that one script may be for.
const MOST_CALLS: i64 = 1_000_000;

/// How a call is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripted {
    /// F with this code.
    Code {
        /// `resultCode`.
        code: &'static str,
        /// The rule's reason that has this code, where there is one: a debit then keeps it as its end.
        refusal: Option<Refusal>,
    },
    /// U.
    Unknown {
        /// What a debit becomes: done (true) or failed (false); nothing: it stays open.
        then: Option<bool>,
        /// How long after the call, in milliseconds.
        after_ms: i64,
    },
}

/// The scripts that wait, by operation, in the order they were given.
#[derive(Debug, Default)]
pub struct Faults(Mutex<HashMap<String, VecDeque<(Scripted, u32)>>>);

impl Faults {
    /// Does a script wait for this operation?
    pub fn waits_for(&self, operation: &str) -> bool {
        self.0.lock().is_ok_and(|waiting| waiting.get(operation).is_some_and(|scripts| !scripts.is_empty()))
    }

    /// How the next call of this operation is to end, if a script waits for it. Uses it up.
    pub fn take(&self, operation: &str) -> Option<Scripted> {
        let mut waiting = self.0.lock().ok()?;
        let scripts = waiting.get_mut(operation)?;
        let (scripted, count) = scripts.front_mut()?;
        let scripted = *scripted;
        *count = count.saturating_sub(1);
        if *count == 0 {
            scripts.pop_front();
        }
        Some(scripted)
    }

    /// Lets the next `count` calls of this operation end so, after those scripted before; false if too many wait.
    pub fn script(&self, operation: &str, scripted: Scripted, count: u32) -> bool {
        let Ok(mut waiting) = self.0.lock() else { return false };
        let scripts = waiting.entry(operation.to_owned()).or_default();
        let fits = scripts.len() < LONGEST_SCRIPT;
        if fits && count > 0 {
            scripts.push_back((scripted, count));
        }
        fits
    }

    /// Forgets every script.
    pub fn clear(&self) {
        if let Ok(mut waiting) = self.0.lock() {
            waiting.clear();
        }
    }
}

/// `POST /sandbox/faults`
pub async fn script(State(app): State<Arc<App>>, members: Members) -> Result<Told, Failure> {
    let (operation, scripted, count) = read(&members, &app.options.gateway.dialects())?;
    if !app.faults.script(operation, scripted, count) {
        return Err(Failure::bad("operation: too many scripts wait for it; DELETE clears them"));
    }
    Ok(Told(json!({ "operation": operation, "outcome": members.required("outcome")?, "count": count })))
}

/// `DELETE /sandbox/faults`
pub async fn clear(State(app): State<Arc<App>>) -> Told {
    app.faults.clear();
    Told(json!({}))
}

fn read<'m>(
    members: &'m Members,
    dialects: &[Arc<dyn Dialect>],
) -> Result<(&'m str, Scripted, u32), Failure> {
    let operation = members.required("operation")?;
    let serving: Vec<_> = dialects.iter().filter(|dialect| serves(dialect.as_ref(), operation)).collect();
    if serving.is_empty() {
        return Err(Failure::bad("operation: no dialect serves one of that name"));
    }
    let count = members.number("count", 1, MOST_CALLS)?.unwrap_or(1);
    let count = u32::try_from(count).map_err(|_| Failure::bad("count: too large"))?;
    let then = match members.text("then")? {
        None => None,
        Some("success") => Some(true),
        Some("failure") => Some(false),
        Some(_) => return Err(Failure::bad("then: neither success nor failure nor null")),
    };
    let after_ms = members.number("afterSeconds", 0, LONGEST_SECONDS)?.unwrap_or(0) * 1_000;
    let scripted = match members.required("outcome")? {
        "U" => Scripted::Unknown { then, after_ms },
        code => failure(code, serving.into_iter().map(|dialect| dialect.as_ref())).ok_or_else(|| {
            Failure::bad("outcome: neither U nor an F code of a dialect that serves the operation")
        })?,
    };
    Ok((operation, scripted, count))
}

fn serves(dialect: &dyn Dialect, operation: &str) -> bool {
    dialect.operations().iter().any(|one| one.name == operation)
}

/// Looks a code up in the dialects' tables. Of several refusals that have it, the one that most dialects call so.
fn failure<'d>(code: &str, dialects: impl Iterator<Item = &'d dyn Dialect> + Clone) -> Option<Scripted> {
    let faults = Fault::ALL.iter().map(|fault| Reason::Fault(*fault));
    let refusals = Refusal::ALL.iter().map(|refusal| Reason::Refusal(*refusal));
    let mut best: Option<(usize, Scripted)> = None;
    for reason in refusals.chain(faults) {
        let calls_it_so = |line: &accord_wire::dialect::Code| line.code == code && line.status == Status::F;
        let mut lines = dialects.clone().map(|dialect| dialect.code(reason)).filter(calls_it_so);
        let Some(line) = lines.next() else { continue };
        let votes = 1 + lines.count();
        let refusal = match reason {
            Reason::Refusal(refusal) => Some(refusal),
            Reason::Fault(_) => None,
        };
        // A fault never outvotes a refusal: only a refusal can be kept as a debit's end.
        let better = match &best {
            None => true,
            Some((most, _)) => refusal.is_some() && votes > *most,
        };
        if better {
            best = Some((votes, Scripted::Code { code: line.code, refusal }));
        }
    }
    best.map(|(_, scripted)| scripted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: Scripted = Scripted::Unknown { then: None, after_ms: 0 };
    const REJECTED: Scripted = Scripted::Code { code: "RISK_REJECT", refusal: Some(Refusal::RiskRejected) };

    #[test]
    fn a_script_is_for_so_many_calls_of_one_operation() {
        let faults = Faults::default();
        assert!(faults.script("pay", UNKNOWN, 2));
        assert!(faults.script("pay", REJECTED, 1));
        assert_eq!(faults.take("prepare"), None);
        let ends: Vec<_> = (0..4).map(|_| faults.take("pay")).collect();
        assert_eq!(ends, [Some(UNKNOWN), Some(UNKNOWN), Some(REJECTED), None]);
    }

    #[test]
    fn clearing_forgets_every_script() {
        let faults = Faults::default();
        assert!(faults.script("pay", UNKNOWN, 2) && faults.script("prepare", REJECTED, 1));
        faults.clear();
        assert_eq!((faults.take("pay"), faults.take("prepare")), (None, None));
    }

    #[test]
    fn scripts_that_wait_are_bounded() {
        let faults = Faults::default();
        assert!((0..LONGEST_SCRIPT).all(|_| faults.script("pay", UNKNOWN, 1)));
        assert!(!faults.script("pay", UNKNOWN, 1));
    }
}
