//! What an SQL engine does for the rows: it runs statements on the one connection of a transaction or of a look.
//!
//! Statements are written once, with `?1`, `?2`, … for parameters and in SQL that every engine understands; an
//! engine translates what its own way of writing is. It says what its errors mean, and knows no table.

use super::value::{Params, Value};
use accord_core::handle::Bucket;
use accord_core::store::Stored;

/// One connection, inside a transaction or a look.
pub(crate) trait Engine {
    /// Runs a query and shows each row, until there are none left or `each` wants no more.
    fn query(&self, sql: &'static str, params: Params<'_>, each: &mut Each<'_>) -> Stored<()>;

    /// Runs a statement that changes rows; says how many. A key that exists already is a conflict.
    fn execute(&self, sql: &'static str, params: Params<'_>) -> Stored<u64>;

    /// The same where it makes no difference how many.
    fn run(&self, sql: &'static str, params: Params<'_>) -> Stored<()> {
        self.execute(sql, params).map(|_| ())
    }

    /// Makes sure that no other transaction changes the rows of those buckets before this one has ended. False:
    /// another may have done so since they were read; read them again.
    fn hold(&self, buckets: &mut dyn Iterator<Item = Bucket>) -> Stored<bool>;
}

/// What is done with each row. False: no more.
pub(crate) type Each<'e> = dyn FnMut(&dyn Row) -> Stored<bool> + 'e;

/// One row of a query.
pub(crate) trait Row {
    /// The value of a column, counted from 0; nothing when the engine has none of a kind that [`Value`] knows.
    fn value(&self, index: usize) -> Option<Value<'_>>;
    /// The name of a column, for messages.
    fn name(&self, index: usize) -> String;
}
