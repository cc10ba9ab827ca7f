//! Which result codes the vectors must show, and the page that lists all of them (`docs/result-codes.md`).

use crate::conformance::speech::Speech;
use crate::vectors::paper::{NEVER, TABLES};
use crate::vectors::stories;
use crate::vectors::story::reason_name;
use accord_core::Refusal;
use accord_wire::dialect::{Fault, Reason};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

/// Reasons that no vector can show, and why not.
pub const NOT_SHOWN: &[(Reason, &str)] = &[
    (Reason::Fault(Fault::Overloaded), "said by the server before or after the gateway: tests/walk.rs"),
    (Reason::Fault(Fault::TooLarge), "the limit is kept by the socket: tests/walk.rs"),
    (
        Reason::Refusal(Refusal::ClientSuspended),
        "the envelope refuses a suspended client before any rule is asked",
    ),
];

/// Reasons that one dialect cannot come upon, and why not.
pub const NOT_SHOWN_BY: &[(Speech, Reason, &str)] = &[
    (Speech::Qi, Reason::Refusal(Refusal::ReferenceReused), "Qi's prepare knows no reference"),
    (Speech::Qi, Reason::Refusal(Refusal::RefundTooLate), "no window unless the contract has one"),
    (Speech::Qi, Reason::Refusal(Refusal::CancelTooLate), "Qi cancels no payments"),
    (Speech::AlipayPlus, Reason::Refusal(Refusal::RefundNotFound), "no operation asks for a refund"),
    (Speech::Qi, Reason::Refusal(Refusal::OneTimeCodeWrong), "Qi has no one-time codes"),
    (Speech::Qi, Reason::Refusal(Refusal::OneTimeCodeExpired), "Qi has no one-time codes"),
    (Speech::Qi, Reason::Refusal(Refusal::OneTimeCodeLimit), "Qi has no one-time codes"),
    (Speech::AlipayPlus, Reason::Refusal(Refusal::MessageReused), "Alipay+ sends no messages of merchants"),
];

/// Why no vector of that dialect shows that reason; nothing: one must.
pub fn why_not_shown(speech: Speech, reason: Reason) -> Option<&'static str> {
    let everywhere = NOT_SHOWN.iter().find(|(unseen, _)| *unseen == reason).map(|(_, why)| *why);
    let here = NOT_SHOWN_BY.iter().find(|(of, unseen, _)| (*of, *unseen) == (speech, reason));
    everywhere.or(here.map(|(_, _, why)| *why))
}

/// The vector that shows each reason best, by dialect: the one named after it, else the one with the least beside it.
pub fn shown() -> HashMap<(Speech, Reason), String> {
    let mut shown: HashMap<(Speech, Reason), (bool, usize, String)> = HashMap::new();
    for (name, story) in stories() {
        let speech = name.split('/').next().and_then(Speech::named).expect("a dialect's folder");
        let reasons: HashSet<Reason> = story.calls().filter_map(|call| call.reason).collect();
        for reason in &reasons {
            let named = name.ends_with(&reason_name(*reason).replace('_', "-"));
            let offer = (!named, reasons.len(), name.clone());
            let best = shown.entry((speech, *reason)).or_insert_with(|| offer.clone());
            *best = best.clone().min(offer);
        }
    }
    shown.into_iter().map(|(key, (_, _, name))| (key, name)).collect()
}

/// The page.
pub fn page() -> String {
    let mut page = String::from(
        "# Result codes\n\n\
        Generated from the dialects' tables and the vectors; `ACCORD_UPDATE=1 cargo test -p accord-testkit --release` \
        writes it anew.\nThe status says what to do: S it is done, F it will not be, U ask again with the same ids. \
        The reason is our own word, the same in\nboth dialects; several reasons may share a code. The meaning is what \
        `resultMessage` says when there is nothing more exact.\n",
    );
    let shown = shown();
    for speech in Speech::ALL {
        let _ = write!(page, "\n## {}\n\n", title(speech));
        page.push_str("| Code | Status | Meaning | Reason | Where the paper says so | Vector |\n");
        page.push_str("|---|---|---|---|---|---|\n");
        page.push_str("| `SUCCESS` | S | It is done. | – | every operation | every operation's |\n");
        let mut rows = speech.codes();
        rows.sort_by_key(|(reason, code)| (code.code, reason_name(*reason)));
        for (reason, code) in rows {
            let vector = match shown.get(&(speech, reason)) {
                Some(name) => {
                    format!("[{}](../vectors/{name}.json)", name.split_once('/').map_or("", |(_, case)| case))
                }
                None => format!("none: {}", why_not_shown(speech, reason).unwrap_or("missing")),
            };
            let (name, status) = (reason_name(reason), code.status.as_str());
            let _ = writeln!(
                page,
                "| `{}` | {status} | {} | `{name}` | {} | {vector} |",
                code.code, code.meaning, code.source
            );
        }
    }
    never(&mut page);
    page
}

/// What the papers print and we do not send.
fn never(page: &mut String) {
    page.push_str("\n## Never sent, because\n\n");
    page.push_str("Codes that the papers' tables print, and why no reply of this wallet has them.\n\n");
    page.push_str("| Dialect | Code | Of | Why |\n|---|---|---|---|\n");
    for (speech, code, operations, why) in NEVER {
        let operations = match operations.is_empty() {
            true => printed_by(*speech, code).join(", "),
            false => operations.join(", "),
        };
        let _ = writeln!(page, "| {} | `{code}` | {operations} | {why} |", title(*speech));
    }
}

/// The operations whose table has that code.
fn printed_by(speech: Speech, code: &str) -> Vec<&'static str> {
    let printed = TABLES.iter().filter(|(of, _, codes)| *of == speech && codes.contains(&code));
    printed.map(|(_, operation, _)| *operation).collect()
}

fn title(speech: Speech) -> &'static str {
    match speech {
        Speech::Qi => "Qi",
        Speech::AlipayPlus => "Alipay+",
    }
}
