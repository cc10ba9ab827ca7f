//! The schema as a list of steps, and which programs may run on it.
//!
//! A step only adds (*expand*), or it takes away what programs below some level still need (*contract*). A database
//! remembers beside each step the lowest level of a program that may still run (`compatible_from`), so a program of
//! level N goes on beside one of level N + 1 as long as the newer steps are expanding ones. How steps are applied is
//! in the engines' `migrations`.

mod steps;
pub mod words;

pub use steps::{ALL, NEWEST};

use accord_core::secret::Digest;
use std::borrow::Cow;
use std::sync::Arc;

/// What a step does to programs that do not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only adds: programs of before go on.
    Expand,
    /// It takes something away, or needs what only newer programs do.
    Contract {
        /// The lowest level of a program that may run after it.
        needs: u32,
    },
}

impl Kind {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Expand => "expand",
            Kind::Contract { .. } => "contract",
        }
    }
}

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// 1 is the first.
    pub version: u32,
    /// What it does, as its file is named.
    pub name: Cow<'static, str>,
    /// What it does to programs of before.
    pub kind: Kind,
    /// Its statements, in SQLite's words; the other engine translates them.
    pub sql: Cow<'static, str>,
    /// What PostgreSQL needs besides, in its own words.
    pub of_postgres: Cow<'static, str>,
}

impl Migration {
    /// The digest of its statements, which a database remembers.
    pub(crate) fn checksum(&self) -> Digest {
        Digest::of_parts(&[&self.sql, &self.of_postgres])
    }

    /// Does a program of that level run after this step?
    pub fn bears(&self, level: u32) -> bool {
        match self.kind {
            Kind::Expand => true,
            Kind::Contract { needs } => level >= needs,
        }
    }
}

/// The steps that a program knows, in order. Its level is the number of the last.
#[derive(Debug, Clone)]
pub struct Schema(Arc<[Migration]>);

impl Default for Schema {
    /// The steps of this program.
    fn default() -> Schema {
        Schema(ALL.into())
    }
}

/// A step as a database remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) version: u32,
    pub(crate) checksum: Vec<u8>,
    pub(crate) compatible_from: u32,
}

/// Why a program does not fit a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// A step of this number was applied that needs a newer program.
    TooNew(u32),
    /// A step of this number was applied with another text.
    Differs(u32),
}

impl Schema {
    /// With one more step for tests of upgrades: `-- kind: expand`, or `-- kind: contract, needs N`, then
    /// `-- name: NAME`, then statements.
    pub fn with_extra(&self, text: &str) -> Result<Schema, String> {
        let mut lines = text.lines();
        let mut header = |name: &str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix("-- ").and_then(|line| line.strip_prefix(name));
            value.map(|value| value.trim().to_owned()).ok_or_else(|| format!("expected a line `-- {name} …`"))
        };
        let kind = match header("kind:")?.as_str() {
            "expand" => Kind::Expand,
            other => {
                let needs = other.strip_prefix("contract, needs ").and_then(|level| level.parse().ok());
                Kind::Contract { needs: needs.ok_or("kind: `expand`, or `contract, needs LEVEL`")? }
            }
        };
        let name = Cow::Owned(header("name:")?);
        let version = self.level() + 1;
        let (sql, of_postgres) = (Cow::Owned(text.to_owned()), Cow::Borrowed(""));
        let more = Migration { version, name, kind, sql, of_postgres };
        Ok(Schema(self.0.iter().cloned().chain([more]).collect()))
    }

    /// Every step.
    pub fn steps(&self) -> &[Migration] {
        &self.0
    }

    /// The number of the last step.
    pub fn level(&self) -> u32 {
        self.0.last().map_or(0, |step| step.version)
    }

    /// The lowest level of a program that may run once the steps up to that version are applied.
    pub(crate) fn compatible_from(&self, version: u32) -> u32 {
        let needs = self.0.iter().take_while(|step| step.version <= version).map(|step| match step.kind {
            Kind::Expand => 1,
            Kind::Contract { needs } => needs,
        });
        needs.max().unwrap_or(1)
    }

    /// The steps that a database still needs. None: it has all, or more that this program bears.
    pub(crate) fn pending(&self, applied: &[Applied]) -> Result<&[Migration], Misfit> {
        if let Some(last) = applied.last()
            && last.version > self.level()
            && last.compatible_from > self.level()
        {
            return Err(Misfit::TooNew(last.version));
        }
        let same = |(known, found): &(&Migration, &Applied)| {
            known.version == found.version && known.checksum().0 == found.checksum.as_slice()
        };
        if let Some((known, _)) = self.0.iter().zip(applied).find(|pair| !same(pair)) {
            return Err(Misfit::Differs(known.version));
        }
        Ok(self.0.get(applied.len()..).unwrap_or(&[]))
    }
}

/// What migrating a database would mean.
#[derive(Debug, Clone, Default)]
pub struct Outlook {
    /// The last step applied; 0: none.
    pub level: u32,
    /// The steps it needs, in order.
    pub pending: Vec<Migration>,
    /// Indexes of applied steps that were not finished: they are built first.
    pub unbuilt: Vec<String>,
    /// Partitions that are missing: they are made last.
    pub partitions: Vec<String>,
    /// The nodes that serve from it now.
    pub nodes: Vec<Node>,
}

/// What migrating a database did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applying {
    /// The steps that were applied.
    pub steps: Vec<Migration>,
    /// The indexes that were built beside running nodes.
    pub indexes: Vec<String>,
    /// The partitions that were made.
    pub partitions: Vec<String>,
}

/// A node that serves from a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Machine and address where it answers.
    pub address: String,
    /// Process id there.
    pub pid: i64,
    /// The level of its program.
    pub level: u32,
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {}, level {})", self.address, self.pid, self.level)
    }
}

/// The nodes that could not run after that step.
pub(crate) fn too_old(step: &Migration, nodes: &[Node]) -> Vec<String> {
    nodes.iter().filter(|node| !step.bears(node.level)).map(Node::to_string).collect()
}

/// What a catalogue says beside what the steps say: a line for each difference.
pub(crate) fn differences(expected: &[String], found: &[String]) -> Vec<String> {
    let missing = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("missing: {line}"));
    let more = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("unexpected: {line}"));
    missing.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(schema: &Schema) -> Vec<Applied> {
        let row = |step: &Migration| Applied {
            version: step.version,
            checksum: step.checksum().0.to_vec(),
            compatible_from: schema.compatible_from(step.version),
        };
        schema.steps().iter().map(row).collect()
    }

    #[test]
    fn an_older_program_goes_on_while_newer_steps_only_add() {
        let now = Schema::default();
        let wider = now.with_extra("-- kind: expand\n-- name: a\nSELECT 1;").expect("a step");
        assert_eq!(wider.level(), NEWEST + 1);
        assert_eq!(now.pending(&applied(&wider)), Ok(&[][..]));
        assert_eq!(wider.pending(&applied(&now)).map(<[_]>::len), Ok(1));
        let text = format!("-- kind: contract, needs {}\n-- name: b\nSELECT 1;", wider.level());
        let narrower = wider.with_extra(&text).expect("a step");
        assert_eq!(now.pending(&applied(&narrower)), Err(Misfit::TooNew(NEWEST + 2)));
        assert_eq!(wider.pending(&applied(&narrower)), Ok(&[][..]));
    }

    #[test]
    fn a_step_with_another_text_is_another_step() {
        let now = Schema::default();
        let one = now.with_extra("-- kind: expand\n-- name: a\nSELECT 1;").expect("a step");
        let two = now.with_extra("-- kind: expand\n-- name: a\nSELECT 2;").expect("a step");
        assert_eq!(one.pending(&applied(&two)), Err(Misfit::Differs(NEWEST + 1)));
        for text in ["SELECT 1", "-- kind: other\n-- name: a\n", "-- kind: contract\n-- name: a"] {
            assert!(now.with_extra(text).is_err(), "{text}");
        }
    }
}
