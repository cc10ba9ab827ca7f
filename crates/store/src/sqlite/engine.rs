//! SQLite as an engine of rows: statements that are kept, parameters and columns without a copy, and what its errors mean.

use super::statements::Statements;
use crate::rows::engine::{Each, Engine, Row};
use crate::rows::value::{Field, Params, Value};
use accord_core::handle::Bucket;
use accord_core::store::{StoreFault, Stored};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, Statement};

// What is bound goes as soon as a statement has run: SQLite keeps such things in a small store of its own, and asks the
// system for memory when that is full.
impl Engine for Statements<'_> {
    fn query(&self, sql: &'static str, params: Params<'_>, each: &mut Each<'_>) -> Stored<()> {
        let statement = self.statement(sql).map_err(fault)?;
        let mut statement = statement.borrow_mut();
        let shown = show(&mut statement, params, each);
        statement.clear_bindings();
        shown
    }

    fn execute(&self, sql: &'static str, params: Params<'_>) -> Stored<u64> {
        // On a full disk SQLite may roll back the whole transaction. A rule that went on then would commit line by line.
        if self.is_autocommit() {
            return Err(StoreFault::Unavailable("the database rolled the transaction back".into()));
        }
        let statement = self.statement(sql).map_err(fault)?;
        let mut statement = statement.borrow_mut();
        let changed = statement.execute(bound(params));
        statement.clear_bindings();
        changed.map(|rows| rows as u64).map_err(fault)
    }

    /// There is one writer: nobody else changes anything before the transaction ends.
    fn hold(&self, _: &mut dyn Iterator<Item = Bucket>) -> Stored<bool> {
        Ok(true)
    }
}

fn show(statement: &mut Statement<'_>, params: Params<'_>, each: &mut Each<'_>) -> Stored<()> {
    let mut rows = statement.query(bound(params)).map_err(fault)?;
    while let Some(row) = rows.next().map_err(fault)? {
        if !each(row)? {
            break;
        }
    }
    Ok(())
}

fn bound<'a>(params: Params<'a>) -> impl rusqlite::Params + 'a {
    rusqlite::params_from_iter(params.iter().map(|field| Bound(*field)))
}

/// A parameter, as SQLite asks for it.
struct Bound<'a>(&'a dyn Field);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0.value() {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn value(&self, index: usize) -> Option<Value<'_>> {
        match self.get_ref(index).ok()? {
            ValueRef::Null => Some(Value::Null),
            ValueRef::Integer(number) => Some(Value::Int(number)),
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Value::Text),
            ValueRef::Blob(bytes) => Some(Value::Bytes(bytes)),
            ValueRef::Real(_) => None,
        }
    }

    fn name(&self, index: usize) -> String {
        self.as_ref().column_name(index).unwrap_or("?").to_owned()
    }
}

/// What an error of SQLite means to the rules.
pub(super) fn fault(error: rusqlite::Error) -> StoreFault {
    let code = error.sqlite_error().map(|inner| (inner.code, inner.extended_code));
    match code {
        Some((
            ErrorCode::ConstraintViolation,
            rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY | rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE,
        )) => StoreFault::Conflict(error.to_string()),
        Some((
            ErrorCode::ConstraintViolation
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::TypeMismatch,
            _,
        )) => StoreFault::Corrupt(error.to_string()),
        _ => StoreFault::Unavailable(error.to_string()),
    }
}
