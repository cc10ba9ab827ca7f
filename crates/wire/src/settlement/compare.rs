//! Reconcile: what two settlement files of one counterparty and day tell differently, line by line.

use super::sheet::{COLUMNS, HEAD, Line, Sheet};
use accord_core::ledger::settle::Totals;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Whose file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Ours.
    Ours,
    /// The counterparty's.
    Theirs,
}

impl Side {
    /// `ours` or `theirs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Ours => "ours",
            Side::Theirs => "theirs",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a few lines of a report, never many at once")]
pub enum Difference {
    /// A line that cannot be read.
    Unreadable {
        /// In whose file.
        side: Side,
        /// Where; 0: nowhere in particular.
        line: u64,
        /// Why.
        why: String,
    },
    /// The heads differ.
    Head {
        /// In what.
        field: &'static str,
        /// Ours.
        ours: String,
        /// Theirs.
        theirs: String,
    },
    /// Only one file has the item. `side` is the one that lacks it.
    Missing {
        /// Who lacks it.
        side: Side,
        /// As the other file tells it.
        item: Line,
    },
    /// A file has the item more than once.
    Twice {
        /// Whose.
        side: Side,
        /// The later one.
        item: Line,
    },
    /// Both have the item and tell it differently.
    Differs {
        /// In what; `value` and `currency` first.
        field: &'static str,
        /// Ours.
        ours: Line,
        /// Theirs.
        theirs: Line,
    },
    /// A control total is not that of the file's own items.
    Total {
        /// Whose.
        side: Side,
        /// Where; 0: it is missing.
        line: u64,
        /// Which.
        what: String,
        /// What is written.
        said: String,
        /// What the items come to.
        counted: String,
    },
}

impl Difference {
    /// The word for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Difference::Unreadable { .. } => "unreadable",
            Difference::Head { .. } => "head",
            Difference::Missing { side: Side::Ours, .. } => "missing_here",
            Difference::Missing { side: Side::Theirs, .. } => "missing_there",
            Difference::Twice { .. } => "twice",
            Difference::Differs { field: "value" | "currency", .. } => "amount",
            Difference::Differs { .. } => "field",
            Difference::Total { .. } => "total",
        }
    }

    /// Where in our file, and where in theirs.
    pub fn lines(&self) -> (Option<u64>, Option<u64>) {
        let at = |side: Side, line: u64| match side {
            _ if line == 0 => (None, None),
            Side::Ours => (Some(line), None),
            Side::Theirs => (None, Some(line)),
        };
        match self {
            Difference::Unreadable { side, line, .. } | Difference::Total { side, line, .. } => {
                at(*side, *line)
            }
            Difference::Head { .. } => (Some(1), Some(1)),
            Difference::Missing { side: Side::Ours, item } => at(Side::Theirs, item.number),
            Difference::Missing { side: Side::Theirs, item } => at(Side::Ours, item.number),
            Difference::Twice { side, item } => at(*side, item.number),
            Difference::Differs { ours, theirs, .. } => (Some(ours.number), Some(theirs.number)),
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Difference::Unreadable { side, line, why } => write!(f, "{}:{line}: {why}", side.as_str()),
            Difference::Head { field, ours, theirs } => {
                write!(f, "head: {field} is `{ours}` in ours, `{theirs}` in theirs")
            }
            Difference::Missing { side: Side::Ours, item } => {
                write!(f, "theirs:{}: missing here: {}", item.number, item.sentence())
            }
            Difference::Missing { side: Side::Theirs, item } => {
                write!(f, "ours:{}: missing there: {}", item.number, item.sentence())
            }
            Difference::Twice { side, item } => {
                write!(f, "{}:{}: a second time: {}", side.as_str(), item.number, item.sentence())
            }
            Difference::Differs { field, ours, theirs } => {
                let of = |line: &Line| value_of(line, field).to_owned();
                let (at, there) = (ours.number, theirs.number);
                let what = ours.sentence();
                write!(f, "theirs:{there}: {field} is {}, ours:{at}: {}: {what}", of(theirs), of(ours))
            }
            Difference::Total { side, line, what, said, counted } => {
                write!(
                    f,
                    "{}:{line}: {what} is written as {said}; the items come to {counted}",
                    side.as_str()
                )
            }
        }
    }
}

fn value_of<'l>(line: &'l Line, field: &str) -> &'l str {
    let at = COLUMNS.iter().position(|column| *column == field);
    at.and_then(|at| line.fields.get(at)).map_or("", String::as_str)
}

/// Everything that differs: heads, unreadable lines, items in the order of their lines, totals. Empty: the same.
///
/// An item is known by kind, paymentId and refundId; our postingId may be left out by the counterparty.
pub fn compare(ours: &Sheet, theirs: &Sheet) -> Vec<Difference> {
    let mut found = Vec::new();
    for (side, sheet) in [(Side::Ours, ours), (Side::Theirs, theirs)] {
        for (line, why) in &sheet.faults {
            found.push(Difference::Unreadable { side, line: *line, why: why.clone() });
        }
    }
    for ((field, ours), theirs) in HEAD.into_iter().zip(&ours.head).zip(&theirs.head) {
        if ours != theirs {
            found.push(Difference::Head { field, ours: ours.clone(), theirs: theirs.clone() });
        }
    }
    let here = by_key(Side::Ours, ours, &mut found);
    let there = by_key(Side::Theirs, theirs, &mut found);
    for line in &ours.lines {
        match there.get(&line.key()) {
            // A second line of ours was told above.
            _ if here.get(&line.key()).is_some_and(|first| first.number != line.number) => {}
            Some(other) => differ(line, other, &mut found),
            None => found.push(Difference::Missing { side: Side::Theirs, item: line.clone() }),
        }
    }
    for line in &theirs.lines {
        let first = there.get(&line.key()).is_some_and(|first| first.number == line.number);
        if first && !here.contains_key(&line.key()) {
            found.push(Difference::Missing { side: Side::Ours, item: line.clone() });
        }
    }
    for (side, sheet) in [(Side::Ours, ours), (Side::Theirs, theirs)] {
        judge_totals(side, sheet, &mut found);
    }
    found
}

type Key<'l> = (accord_core::ledger::settle::SettlementKind, &'l str, &'l str);

fn by_key<'s>(side: Side, sheet: &'s Sheet, found: &mut Vec<Difference>) -> BTreeMap<Key<'s>, &'s Line> {
    let mut lines: BTreeMap<Key<'s>, &'s Line> = BTreeMap::new();
    for line in &sheet.lines {
        match lines.entry(line.key()) {
            Entry::Occupied(_) => found.push(Difference::Twice { side, item: line.clone() }),
            Entry::Vacant(place) => {
                place.insert(line);
            }
        }
    }
    lines
}

fn differ(ours: &Line, theirs: &Line, found: &mut Vec<Difference>) {
    let mut fields: Vec<&'static str> = COLUMNS.to_vec();
    fields.sort_by_key(|field| !matches!(*field, "value" | "currency"));
    for field in fields {
        let (here, there) = (value_of(ours, field), value_of(theirs, field));
        let left_out = field == "postingId" && there.is_empty();
        if here != there && !left_out {
            found.push(Difference::Differs { field, ours: ours.clone(), theirs: theirs.clone() });
        }
    }
}

fn judge_totals(side: Side, sheet: &Sheet, found: &mut Vec<Difference>) {
    let mut totals = Totals::default();
    for line in &sheet.lines {
        totals.add(line.currency, line.kind, line.value);
    }
    let mut counted: BTreeMap<(String, String), [String; 2]> = BTreeMap::new();
    for ((currency, kind), total) in &totals.0 {
        let key = (kind.to_string(), currency.to_string());
        counted.insert(key, [total.count.to_string(), total.sum.to_string()]);
    }
    for (currency, net) in totals.net() {
        let key = ("net".to_owned(), currency.to_string());
        counted.insert(key, [net.count.to_string(), net.sum.to_string()]);
    }
    let nothing = || ["0".to_owned(), "0".to_owned()];
    let mut keys: Vec<&(String, String)> = counted.keys().chain(sheet.totals.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let (line, said) = match sheet.totals.get(key) {
            Some((line, said)) => (*line, Some(said.clone())),
            None => (0, None),
        };
        let counted = counted.get(key).cloned().unwrap_or_else(nothing);
        if said.as_ref() != Some(&counted) {
            let words = |[count, sum]: [String; 2]| format!("{count} items, {sum} {}", key.1);
            let what = if key.0 == "net" { "the net" } else { "the total of " };
            let name = if key.0 == "net" { "" } else { key.0.as_str() };
            let said = said.map_or_else(|| "nothing".to_owned(), words);
            let what = format!("{what}{name}");
            found.push(Difference::Total { side, line, what, said, counted: words(counted) });
        }
    }
    let count = sheet.lines.len().to_string();
    if let Some(said) = sheet.end.as_ref().filter(|said| **said != count) {
        let (what, said) = ("the number of items".to_owned(), said.clone());
        found.push(Difference::Total { side, line: 0, what, said, counted: count });
    }
}
