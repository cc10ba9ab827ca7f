//! What is known of users beside their money: profiles, one-time codes, messages of merchants. A part of the port.

/// What can be read of it.
pub trait PeopleRows {}

/// What can be written of it.
pub trait PeopleTx {}
