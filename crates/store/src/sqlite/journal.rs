//! Rows of the journal: appended, never changed.

use super::sql::{self, statements};
use accord_core::handle::Bucket;
use accord_core::ids::JournalId;
use accord_core::journal::JournalLine;
use accord_core::store::Stored;
use rusqlite::{Connection, params};

statements! {
    JOURNAL_OF = "SELECT id, at, act, subject, actor, detail FROM journal
        WHERE bucket = ?1 AND subject = ?2 ORDER BY at, id";
    INSERT_LINE = "INSERT INTO journal (bucket, id, at, act, subject, actor, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
}

pub(super) fn journal_of(db: &Connection, bucket: Bucket, subject: &str) -> Stored<Vec<JournalLine>> {
    sql::many(db, JOURNAL_OF, params![bucket.number(), subject], |row| {
        Ok(JournalLine {
            id: row.parsed(JournalId::read)?,
            at: row.time()?,
            act: row.get()?,
            subject: row.get()?,
            actor: row.get()?,
            detail: row.get()?,
        })
    })
}

pub(super) fn insert_journal(db: &Connection, line: &JournalLine) -> Stored<()> {
    let values = params![
        line.id.bucket().number(),
        line.id.as_str(),
        line.at.0,
        line.act,
        line.subject,
        line.actor,
        line.detail,
    ];
    sql::write(db, INSERT_LINE, values)
}
