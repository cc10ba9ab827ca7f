//! What is said: envelope, signatures and both dialects. Bytes in, bytes out.
//!
//! Nothing here opens a socket, reads a clock or knows a database. Read [`gateway`] for the way of one call, then
//! [`dialect`] for what a dialect must be able to do, then the same act in [`qi`] and [`alipay_plus`].

pub mod alipay_plus;
pub mod dialect;
pub mod directory;
pub mod fields;
pub mod gateway;
pub mod json;
pub mod keys;
pub mod qi;
pub mod receipt;
pub mod redirect;
pub mod seal;
pub mod settlement;
pub mod signature;
pub mod time;
