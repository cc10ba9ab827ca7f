//! What is known of users beside their money: profiles, one-time codes, messages of merchants.

use super::rows::Desk;
use accord_core::store::people::{PeopleRows, PeopleTx};

impl PeopleRows for Desk<'_> {}

impl PeopleTx for Desk<'_> {}
