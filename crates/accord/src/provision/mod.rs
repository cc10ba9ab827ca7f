//! What a wallet needs to live: clients with their keys, users, money in. Works while a server runs on the same
//! store; a running server notices within a second.

pub mod clients;
pub mod credentials;
pub mod operators;
pub mod profiles;
pub mod users;
