//! Rows of the journal: appended, never changed.

use super::engine::Engine;
use super::sql::{self, Columns, statements};
use super::value::params;
use accord_core::handle::Bucket;
use accord_core::journal::{JournalHead, JournalLine};
use accord_core::store::{StoreFault, Stored};

macro_rules! columns {
    () => {
        "bucket, number, at, act, subject, actor, detail, hash"
    };
}

statements! {
    pub(crate) JOURNAL_OF = concat!(
        "SELECT ", columns!(), " FROM journal WHERE bucket = ?1 AND subject = ?2 ORDER BY number"
    );
    AFTER = concat!(
        "SELECT ", columns!(), " FROM journal WHERE bucket = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
    );
    pub(crate) BEFORE = concat!(
        "SELECT ", columns!(), " FROM journal WHERE bucket = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"
    );
    pub(crate) ABOUT = concat!(
        "SELECT ", columns!(), " FROM journal WHERE bucket = ?1 AND subject = ?2 AND number < ?3
        ORDER BY number DESC LIMIT ?4"
    );
    HEAD = "SELECT bucket, number, hash FROM journal_heads WHERE bucket = ?1";
    HEADS = "SELECT bucket, number, hash FROM journal_heads ORDER BY bucket";
    // No row changed: the number is not behind the head.
    PUT_HEAD = "INSERT INTO journal_heads (bucket, number, hash) VALUES (?1, ?2, ?3)
        ON CONFLICT (bucket) DO UPDATE SET number = excluded.number, hash = excluded.hash
        WHERE excluded.number > journal_heads.number";
    INSERT_LINE = concat!(
        "INSERT INTO journal (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    );
}

pub(crate) fn read_line(row: &mut Columns<'_>) -> Stored<JournalLine> {
    Ok(JournalLine {
        stream: row.bucket()?,
        number: row.get()?,
        at: row.time()?,
        act: row.get()?,
        subject: row.get()?,
        actor: row.get()?,
        detail: row.get()?,
        hash: row.digest()?,
    })
}

pub(crate) fn journal_of(db: &dyn Engine, bucket: Bucket, subject: &str) -> Stored<Vec<JournalLine>> {
    sql::many(db, JOURNAL_OF, params![bucket.number(), subject], read_line)
}

pub(crate) fn after(db: &dyn Engine, stream: Bucket, number: u32, limit: usize) -> Stored<Vec<JournalLine>> {
    sql::many(db, AFTER, params![stream.number(), number, sql::limit(limit)], read_line)
}

fn read_head(row: &mut Columns<'_>) -> Stored<JournalHead> {
    Ok(JournalHead { stream: row.bucket()?, number: row.get()?, hash: row.digest()? })
}

pub(crate) fn head(db: &dyn Engine, stream: Bucket) -> Stored<Option<JournalHead>> {
    sql::one(db, HEAD, params![stream.number()], read_head)
}

/// Nothing is held for it: a line that is a head now stays where it is.
pub(crate) fn heads(db: &dyn Engine) -> Stored<Vec<JournalHead>> {
    sql::many(db, HEADS, params![], read_head)
}

pub(crate) fn insert_journal(db: &dyn Engine, line: &JournalLine) -> Stored<()> {
    if db.execute(PUT_HEAD, params![line.stream.number(), line.number, line.hash.0])? == 0 {
        return Err(StoreFault::Conflict("the stream has a line of that number, or a later one".into()));
    }
    let values = params![
        line.stream.number(),
        line.number,
        line.at.0,
        line.act,
        line.subject,
        line.actor,
        line.detail,
        line.hash.0,
    ];
    sql::write(db, INSERT_LINE, values)
}
