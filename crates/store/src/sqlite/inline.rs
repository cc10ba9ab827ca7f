//! The same store without its threads: everything happens where it is asked for, one transaction to a commit. For
//! counting instructions and for tools; a server has [`SqliteStore`](super::SqliteStore).

use super::writer::group;
use super::{Access, OpenFault, connect, create_file, migrations, readers};
use crate::queue::Job;
use crate::schema::Schema;
use accord_core::store::{Done, Look, Store, Work};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A store in one SQLite file that works on the caller's thread.
pub struct InlineStore {
    db: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl InlineStore {
    /// Opens the file at `path`, which is made and migrated when needed.
    pub fn open(path: impl AsRef<Path>) -> Result<InlineStore, OpenFault> {
        let path = path.as_ref();
        create_file(path)?;
        let db = connect(path, Access::Write)?;
        migrations::migrate(&db, path, &Schema::default())?;
        let reader = connect(path, Access::ReadOnly)?;
        Ok(InlineStore { db: Mutex::new(db), reader: Mutex::new(reader) })
    }
}

impl Store for InlineStore {
    fn submit(&self, work: Work, done: Done) {
        let db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        group(&db, vec![Job { work, done }]);
    }

    fn submit_read(&self, look: Look, done: Done) {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        readers::serve(&reader, look, done);
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }
}
