//! A small wallet for tests: fixed keys, clients, users and choices, and every call as a plain function.
//!
//! [`fixture`] is who lives in it, [`speech`] says each operation in either dialect, [`house`] answers. There is no
//! socket and no clock: what the server adds around this is tried by the tests that start one. The vectors
//! ([`crate::vectors`]) are told in this house.

pub mod fixture;
pub mod house;
pub mod outbound;
pub mod people;
pub mod speech;
