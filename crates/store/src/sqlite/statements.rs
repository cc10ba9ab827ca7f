//! The statements of one connection, prepared at their first use and kept as long as it is used.
//!
//! A statement is written once in the program, so where it lies is its name: no text is hashed or compared for a call.

use rusqlite::{Connection, PrepFlags, Statement};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;

/// A connection with its statements, for one thread.
pub(super) struct Statements<'db> {
    db: &'db Connection,
    kept: RefCell<BTreeMap<(usize, usize), Kept<'db>>>,
}

type Kept<'db> = Rc<RefCell<Statement<'db>>>;

impl<'db> Statements<'db> {
    /// No statement is prepared yet.
    pub(super) fn new(db: &'db Connection) -> Statements<'db> {
        Statements { db, kept: RefCell::default() }
    }

    /// The statement, which nobody runs at the moment.
    pub(super) fn statement(&self, sql: &'static str) -> rusqlite::Result<Kept<'db>> {
        let place = (sql.as_ptr() as usize, sql.len());
        if let Some(kept) = self.kept.borrow().get(&place)
            && kept.try_borrow_mut().is_ok()
        {
            return Ok(kept.clone());
        }
        let statement = self.db.prepare_with_flags(sql, PrepFlags::SQLITE_PREPARE_PERSISTENT)?;
        let fresh = Rc::new(RefCell::new(statement));
        self.kept.borrow_mut().entry(place).or_insert_with(|| fresh.clone());
        Ok(fresh)
    }

    /// Runs a statement without parameters and without rows.
    pub(super) fn step(&self, sql: &'static str) -> rusqlite::Result<()> {
        self.statement(sql)?.borrow_mut().execute([]).map(|_| ())
    }
}

impl Deref for Statements<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_runs_is_not_disturbed_by_another_of_its_words() {
        const NUMBERS: &str =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT i FROM n";
        let db = Connection::open_in_memory().expect("a database");
        let db = Statements::new(&db);
        let outer = db.statement(NUMBERS).expect("a statement");
        let mut outer = outer.borrow_mut();
        let mut rows = outer.query([3]).expect("rows");
        let mut seen = Vec::new();
        while let Some(row) = rows.next().expect("a row") {
            let inner = db.statement(NUMBERS).expect("another");
            let sum: Vec<i64> = inner
                .borrow_mut()
                .query_map([2], |row| row.get(0))
                .and_then(Iterator::collect)
                .expect("rows");
            seen.push((row.get::<_, i64>(0).expect("a number"), sum.len()));
        }
        assert_eq!(seen, [(1, 2), (2, 2), (3, 2)]);
        assert_eq!(db.kept.borrow().len(), 1);
    }
}
