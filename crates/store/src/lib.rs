//! What is remembered: the stores behind the port of `accord-core`.
//!
//! A store keeps rows, uniqueness and the order of transactions, never a business rule. [`sqlite`] is the
//! embedded one, [`postgres`] that of a cluster. The laws that every store obeys, and the model store that lives in memory, are in
//! `accord-testkit`.

pub mod fence;
mod pace;
pub mod postgres;
mod queue;
mod rows;
pub mod schema;
pub mod sqlite;
pub mod transfer;

pub use postgres::{PostgresFault, PostgresOptions, PostgresStore, PostgresUrl};
pub use sqlite::{InlineStore, OpenFault, SqliteOptions, SqliteStore};
