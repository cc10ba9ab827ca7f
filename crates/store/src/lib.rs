//! What is remembered: the stores behind the port of `accord-core`.
//!
//! A store keeps rows, uniqueness and the order of transactions, never a business rule. [`sqlite`] is the
//! embedded one. The laws that every store obeys, and the model store that lives in memory, are in
//! `accord-testkit`.

mod rows;
pub mod sqlite;

pub use sqlite::{OpenFault, SqliteOptions, SqliteStore};
