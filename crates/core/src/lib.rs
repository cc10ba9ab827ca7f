//! What is true: the rules and types of agreement payments.
//!
//! This crate decides. It knows no socket, no clock, no database, no JSON and no vendor: a rule is a plain
//! function over a transaction ([`store::Tx`]), a command and a [`moment::Moment`]. Whoever calls it reads the
//! request, supplies the moment and renders the answer. Start with [`agreement::prepare`], then read
//! [`store`], the port that every store stands behind.

pub mod agreement;
pub mod calendar;
pub mod checkpoint;
pub mod client;
pub mod console;
pub mod device;
pub mod handle;
pub mod identity;
pub mod ids;
pub mod journal;
pub mod lease;
pub mod ledger;
pub mod message;
pub mod moment;
pub mod money;
pub mod notification;
pub mod operator;
pub mod outcome;
pub mod payment;
pub mod people;
pub mod policy;
pub mod preference;
pub mod prune;
pub mod risk;
pub mod same_keys;
pub mod secret;
pub mod store;
pub mod text;
pub mod token;
pub mod user;
pub mod voice;

pub use moment::{Moment, Timestamp};
pub use outcome::{Refusal, Ruled, Stop};
