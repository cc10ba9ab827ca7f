//! For tests only: the model store, and the laws that every store obeys.
//!
//! [`model`] is the port of `accord-core` in memory. [`laws`] are functions over the port; [`store_laws!`] makes
//! them the tests of a back end. [`conformance`] is a small wallet without sockets; [`vectors`] are told in it.

pub mod conformance;
pub mod laws;
pub mod model;
pub mod postgres;
pub mod vectors;
