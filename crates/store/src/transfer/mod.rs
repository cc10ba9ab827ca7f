//! Moving a wallet from a SQLite file to a PostgreSQL database, with whoever serves from the file still answering.
//!
//! The file is fenced first: from then on it takes no writes, so what is copied is all there is. A few tables are copied
//! at a time, the rows of each in the order of their keys in the file, so what the target has already says where to go
//! on after an interruption. In the end every table is read back and its digest compared with the file's; only then is
//! the file marked as moved and the target opened.

mod source;
mod table;
mod target;

use crate::fence::{Fence, Stage};
use crate::postgres::{PostgresFault, PostgresUrl};
use crate::schema::Schema;
use crate::sqlite::OpenFault;
use source::Source;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
pub use table::TableSum;
use table::{BATCH, Summing, Table};
use target::Target;

/// So many tables are copied, or read, at once: the server writes their rows on cores of its own.
const AT_A_TIME: usize = 4;
/// So many batches of rows are copied in one transaction.
const PAGES: u32 = 100;

/// Why a move did not come to its end. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TransferFault {
    /// The file cannot be used.
    #[error(transparent)]
    Source(#[from] OpenFault),
    /// The database cannot be used.
    #[error(transparent)]
    Target(#[from] PostgresFault),
    /// The target holds rows that this move did not bring.
    #[error("{place} is not empty (table {table}): move into a fresh database; nothing was changed")]
    NotEmpty {
        /// The target.
        place: String,
        /// A table with rows.
        table: String,
    },
    /// The target is being filled by another move.
    #[error(
        "{place} is being filled from {other} by another move: finish or abort that one, or name a fresh database; nothing was changed"
    )]
    AnotherMove {
        /// The target.
        place: String,
        /// The other move's source.
        other: String,
    },
    /// The source is on its way to another target.
    #[error(
        "{place} is being moved to {other}: name that database, or give up that move with `accord move --abort`"
    )]
    AnotherTarget {
        /// The source.
        place: String,
        /// The other target.
        other: String,
    },
    /// All of it is there already.
    #[error("{place} was moved to {other} already: serve from there")]
    AlreadyMoved {
        /// The source.
        place: String,
        /// Where it is.
        other: String,
    },
    /// There is no move to give up.
    #[error("{place} is not being moved: there is nothing to give up")]
    NotMoving {
        /// The source.
        place: String,
    },
    /// Somebody serves from the target.
    #[error("nodes serve from {place} ({nodes}): stop them first; nothing was changed")]
    Served {
        /// The target.
        place: String,
        /// The nodes.
        nodes: String,
    },
    /// A row could not be read or written as it is.
    #[error("table {table}: {why}: what was copied stays, run the same command again when that is mended")]
    Row {
        /// The table.
        table: String,
        /// What went wrong.
        why: String,
    },
    /// The two sides are not the same.
    #[error(
        "these tables are not the same on both sides: {0}: the target stays closed; give up with `accord move --abort`, and move again"
    )]
    Differs(String),
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Every table, with the digest that both sides have.
    pub tables: Vec<TableSum>,
    /// Rows that an earlier, interrupted run had copied.
    pub resumed: u64,
}

/// Copies all rows and opens the target. `told` hears of each table when it is there.
pub fn move_store(
    from: &Path,
    to: &PostgresUrl,
    mut told: impl FnMut(&str, u64),
) -> Result<Moved, TransferFault> {
    let schema = Schema::default();
    let source = Source::open(from, &schema)?;
    let before = source.fence()?;
    let place = from.display().to_string();
    if let Some(Fence { stage: Stage::Moved | Stage::Moving, other, .. }) = &before
        && *other != to.to_string()
    {
        return Err(match before.as_ref().map(|fence| fence.stage) {
            Some(Stage::Moved) => TransferFault::AlreadyMoved { place, other: other.clone() },
            _ => TransferFault::AnotherTarget { place, other: other.clone() },
        });
    }
    let target = Target::open(to, &schema)?;
    let tables = source.tables()?;
    let resumed = match agree(&source, &target, &tables, before, to)? {
        Standing::Go { resumed } => resumed,
        Standing::Copied(id) => {
            // Everything was compared; only the last stroke is missing.
            target.open_up(&id)?;
            let sides = Sides { from, to, schema: &schema };
            let here = sides.each(&tables, |source, _, table| source.sum(table), |_, _| {})?;
            return Ok(Moved { tables: sides.compare(&tables, here)?, resumed: 0 });
        }
    };
    let sides = Sides { from, to, schema: &schema };
    let here = sides.each(&tables, copy, |table, (rows, _)| told(&table.name, *rows))?;
    let sums = sides.compare(&tables, here.into_iter().map(|(_, sum)| sum).collect())?;
    let Some(fence) = source.fence()? else {
        return Err(TransferFault::NotMoving { place });
    };
    // The file first: were the target opened before, two stores could serve after a crash between.
    source.set_fence(&Fence { stage: Stage::Moved, ..fence.clone() })?;
    target.open_up(&fence.id)?;
    Ok(Moved { tables: sums, resumed })
}

enum Standing {
    /// Both sides are fenced by this move.
    Go { resumed: u64 },
    /// The source says that all is there.
    Copied(String),
}

/// Brings both fences together, or says why not.
fn agree(
    source: &Source,
    target: &Target,
    tables: &[Table],
    before: Option<Fence>,
    to: &PostgresUrl,
) -> Result<Standing, TransferFault> {
    let place = to.to_string();
    target.refuse_served()?;
    let there = target.fence()?;
    match (before, there) {
        (Some(fence), Some(there)) if fence.id == there.id => match fence.stage {
            Stage::Moved => Ok(Standing::Copied(fence.id)),
            _ => Ok(Standing::Go { resumed: target.count(tables)? }),
        },
        (_, Some(there)) => Err(TransferFault::AnotherMove { place, other: there.other }),
        (Some(Fence { stage: Stage::Moved, other, .. }), None) => {
            Err(TransferFault::AlreadyMoved { place: source.place(), other })
        }
        (before, None) => {
            target.refuse_rows(tables)?;
            let id = before.map_or_else(|| target.new_id(), |fence| fence.id);
            // The source first: a target that nobody copies into is still a fresh one.
            source.set_fence(&Fence { stage: Stage::Moving, id: id.clone(), other: place })?;
            target.set_fence(&Fence {
                stage: Stage::Filling,
                id,
                other: format!("sqlite:{}", source.place()),
            })?;
            Ok(Standing::Go { resumed: 0 })
        }
    }
}

/// Copies what of a table is not there yet, some ten thousand rows in a transaction. Says how many rows that were, and
/// the digest of all that the file has.
fn copy(source: &Source, target: &Target, table: &Table) -> Result<(u64, TableSum), TransferFault> {
    let begun = target.last_key(table)?;
    let (mut after, mut sum) = (begun.clone(), Summing::default());
    let (mut copied, mut more) = (0, true);
    while more {
        let mut pages = PAGES;
        copied += target.insert(table, || {
            if !more || pages == 0 {
                return Ok(Vec::new());
            }
            pages -= 1;
            let rows = source.rows(table, after.as_deref())?;
            rows.iter().for_each(|row| sum.add(row));
            more = rows.len() == BATCH;
            after = rows.last().map(|last| table.key_of(last)).or(after.take());
            Ok(rows)
        })?;
    }
    // What an earlier run copied has not been read in this one.
    let sum = if begun.is_some() { source.sum(table)? } else { sum.of(table) };
    Ok((copied, sum))
}

/// What is copied from, and what into.
struct Sides<'m> {
    from: &'m Path,
    to: &'m PostgresUrl,
    schema: &'m Schema,
}

impl Sides<'_> {
    /// Does something with each table, several at a time, on connections of their own. `told` hears of each when it is done.
    fn each<T: Send>(
        &self,
        tables: &[Table],
        work: impl Fn(&Source, &Target, &Table) -> Result<T, TransferFault> + Sync,
        mut told: impl FnMut(&Table, &T),
    ) -> Result<Vec<T>, TransferFault> {
        let next = AtomicUsize::new(0);
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            tables.get(index).map(|table| (index, table))
        };
        let (send, receive) = mpsc::channel();
        let one_by_one = |send: &mpsc::Sender<_>| {
            let (source, target) =
                (Source::open(self.from, self.schema)?, Target::open(self.to, self.schema)?);
            while let Some((index, table)) = take() {
                let done = work(&source, &target, table)?;
                // Nobody listens any more: another one failed.
                if send.send(Ok((index, table, done))).is_err() {
                    break;
                }
            }
            Ok(())
        };
        let mut all: Vec<(usize, T)> = thread::scope(|scope| {
            for _ in 0..AT_A_TIME {
                let (send, one_by_one) = (send.clone(), &one_by_one);
                scope.spawn(move || one_by_one(&send).or_else(|fault: TransferFault| send.send(Err(fault))));
            }
            drop(send);
            receive
                .into_iter()
                .map(|done| {
                    let (index, table, done) = done?;
                    told(table, &done);
                    Ok((index, done))
                })
                .collect::<Result<_, TransferFault>>()
        })?;
        all.sort_by_key(|(index, _)| *index);
        Ok(all.into_iter().map(|(_, done)| done).collect())
    }

    /// Reads every table of the target, whose digests must be those of the file.
    fn compare(&self, tables: &[Table], here: Vec<TableSum>) -> Result<Vec<TableSum>, TransferFault> {
        let there = self.each(tables, |_, target, table| target.sum(table), |_, _| {})?;
        let differs = here.iter().zip(&there).filter(|(here, there)| here != there);
        let differs: Vec<String> = differs
            .map(|(here, there)| format!("{} ({} rows here, {} there)", here.table, here.rows, there.rows))
            .collect();
        if differs.is_empty() { Ok(here) } else { Err(TransferFault::Differs(differs.join(", "))) }
    }
}

/// Gives a move up: the target is emptied if it is named, and the file takes writes again.
pub fn abort(from: &Path, to: Option<&PostgresUrl>) -> Result<(), TransferFault> {
    let schema = Schema::default();
    let source = Source::open(from, &schema)?;
    let place = source.place();
    let fence = match source.fence()? {
        None => return Err(TransferFault::NotMoving { place }),
        Some(Fence { stage: Stage::Moved, other, .. }) => {
            return Err(TransferFault::AlreadyMoved { place, other });
        }
        Some(fence) => fence,
    };
    if let Some(to) = to {
        let target = Target::open(to, &schema)?;
        match target.fence()? {
            Some(there) if there.id == fence.id => target.clear(&source.tables()?)?,
            Some(there) => {
                return Err(TransferFault::AnotherMove { place: to.to_string(), other: there.other });
            }
            None => {}
        }
    }
    source.lift_fence()
}
