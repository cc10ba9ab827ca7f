//! The same store without its threads: everything happens where it is asked for, one transaction to a commit. For
//! counting instructions and for tools; a server has [`SqliteStore`](super::SqliteStore).

use super::statements::Statements;
use super::writer::group;
use super::{Access, OpenFault, connect, create_file, migrations, readers};
use crate::queue::Job;
use crate::schema::Schema;
use accord_core::store::{Done, Look, Store, StoreFault, Work};
use rusqlite::Connection;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A store in one SQLite file that works on the caller's thread. Each thread has connections of its own, which stay open
/// until the process ends.
pub struct InlineStore {
    path: PathBuf,
}

/// The connection that writes, and the one that looks.
struct Pair {
    db: Statements<'static>,
    reader: Statements<'static>,
}

thread_local! {
    static OPEN: RefCell<HashMap<PathBuf, Rc<Pair>>> = RefCell::default();
}

impl InlineStore {
    /// Opens the file at `path`, which is made and migrated when needed.
    pub fn open(path: impl AsRef<Path>) -> Result<InlineStore, OpenFault> {
        let path = path.as_ref();
        create_file(path)?;
        migrations::migrate(&connect(path, Access::Write)?, path, &Schema::default())?;
        Ok(InlineStore { path: path.to_owned() })
    }

    fn on_this_thread(&self) -> Result<Rc<Pair>, StoreFault> {
        if let Some(open) = OPEN.with_borrow(|open| open.get(&self.path).cloned()) {
            return Ok(open);
        }
        let open = |access| -> Result<&'static Connection, StoreFault> {
            let db =
                connect(&self.path, access).map_err(|fault| StoreFault::Unavailable(fault.to_string()))?;
            Ok(Box::leak(Box::new(db)))
        };
        let (db, reader) = (open(Access::Write)?, open(Access::ReadOnly)?);
        let pair = Rc::new(Pair { db: Statements::new(db), reader: Statements::new(reader) });
        OPEN.with_borrow_mut(|open| open.insert(self.path.clone(), pair.clone()));
        Ok(pair)
    }
}

impl Store for InlineStore {
    fn submit(&self, work: Work, done: Done) {
        match self.on_this_thread() {
            Ok(open) => group(&open.db, vec![Job { work, done }]),
            Err(why) => done(Err(why)),
        }
    }

    fn submit_read(&self, look: Look, done: Done) {
        match self.on_this_thread() {
            Ok(open) => readers::serve(&open.reader, look, done),
            Err(why) => done(Err(why)),
        }
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }
}
