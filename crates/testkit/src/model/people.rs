//! What is known of users beside their money: profiles, one-time codes, messages of merchants.

use super::Books;
use accord_core::store::people::{PeopleRows, PeopleTx};

impl PeopleRows for Books {}

impl PeopleTx for Books {}
