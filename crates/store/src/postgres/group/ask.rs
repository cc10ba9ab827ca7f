//! What a rule of a group asks for, what it was answered, and what it wants to write: values that outlive its run.

use crate::rows::engine::Row as EngineRow;
use crate::rows::value::{Params, Value};
use std::rc::Rc;
use tokio_postgres::Row;

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    Null,
    Int(i64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
}

impl Kept {
    pub(super) fn of(value: Value<'_>) -> Kept {
        match value {
            Value::Null => Kept::Null,
            Value::Int(number) => Kept::Int(number),
            Value::Text(text) => Kept::Text(text.into()),
            Value::Bytes(bytes) => Kept::Bytes(bytes.into()),
        }
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Kept::Null => Value::Null,
            Kept::Int(number) => Value::Int(*number),
            Kept::Text(text) => Value::Text(text),
            Kept::Bytes(bytes) => Value::Bytes(bytes),
        }
    }

    pub(super) fn all(params: Params<'_>) -> Vec<Kept> {
        params.iter().map(|field| Kept::of(field.value())).collect()
    }
}

/// A query of a rule.
pub(super) struct Ask {
    pub(super) sql: &'static str,
    pub(super) params: Vec<Kept>,
    /// The bucket that must be held for it.
    pub(super) bucket: Option<i64>,
    /// Has the rule itself asked? If not, it is expected to.
    pub(super) asked: bool,
    pub(super) answer: Option<Answer>,
}

impl Ask {
    /// Is it that statement with those parameters?
    pub(super) fn is(&self, sql: &'static str, params: Params<'_>) -> bool {
        same(self.sql, sql)
            && self.params.len() == params.len()
            && self.params.iter().zip(params).all(|(kept, field)| kept.value() == field.value())
    }
}

/// Statements are constants: one place, one statement.
pub(super) fn same(one: &'static str, other: &'static str) -> bool {
    std::ptr::eq(one, other)
}

/// A change that a rule wants.
pub(super) struct Write {
    pub(super) sql: &'static str,
    pub(super) params: Vec<Kept>,
    pub(super) bucket: i64,
    /// Must it change one row, or is it all the same?
    pub(super) one_row: bool,
}

/// Rows of a query, perhaps among those of others.
pub(super) struct Answer {
    pub(super) rows: Rc<Vec<Row>>,
    pub(super) mine: Vec<usize>,
    /// Columns in front that are not the query's.
    pub(super) skip: usize,
}

impl Answer {
    /// The rows, as they are read.
    pub(super) fn each(&self) -> impl Iterator<Item = Shifted<'_>> {
        self.mine.iter().filter_map(|index| Some(Shifted { row: self.rows.get(*index)?, skip: self.skip }))
    }
}

/// A row without the columns in front.
pub(super) struct Shifted<'a> {
    row: &'a Row,
    skip: usize,
}

impl Shifted<'_> {
    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.row.len().saturating_sub(self.skip)
    }
}

impl EngineRow for Shifted<'_> {
    fn value(&self, index: usize) -> Option<Value<'_>> {
        self.row.value(index + self.skip)
    }

    fn name(&self, index: usize) -> String {
        EngineRow::name(self.row, index + self.skip)
    }
}
