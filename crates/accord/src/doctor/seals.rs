//! The keys of seals: settlement digests, receipts, checkpoints of the journal. Each present, readable by its owner
//! alone, of P-256, and one of its own (decision 39).

use super::{Findings, Level};
use crate::config::check::Settings;
use accord_wire::seal::SealKey;

/// Looks at all three.
pub fn look(settings: &Settings, findings: &mut Findings) {
    let settlement = match settings.names_settlement_key() {
        true => settings.settlement_key().map(Some),
        false => Ok(None),
    };
    let seals = [
        ("settlement", settlement, "`accord settle` will refuse to write files"),
        ("receipts", settings.receipts_key(), "users get no receipt of revocation"),
        ("audit", settings.audit_key(), "the journal has chains, but no checkpoints"),
    ];
    let mut known: Vec<(&str, String)> = Vec::new();
    for (name, read, without) in seals {
        match read {
            Err(fault) => findings.add(Level::Fault, "keys", fault.to_string()),
            Ok(None) => findings.add(
                Level::Warn,
                "keys",
                format!(
                    "keys.{name} is not set: {without}; `accord keys generate --dir DIR` makes {name}.pem, name it there"
                ),
            ),
            Ok(Some(key)) => note(name, &key, &mut known, findings),
        }
    }
}

fn note<'n>(name: &'n str, key: &SealKey, known: &mut Vec<(&'n str, String)>, findings: &mut Findings) {
    let id = key.public_key().id().to_owned();
    if let Some((other, _)) = known.iter().find(|(_, known)| *known == id) {
        let what = format!(
            "keys.{name} is the same key as keys.{other}: give each its own, or one seal can pass for another; \
             `accord keys generate --dir DIR` makes them"
        );
        return findings.add(Level::Fault, "keys", what);
    }
    findings.add(Level::Ok, "keys", format!("keys.{name} is a P-256 key, id {id}"));
    known.push((name, id));
}
