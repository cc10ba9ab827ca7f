//! The steps of this program: numbered SQL files, each applied once, in order. A file that has been released never
//! changes.

use super::{Kind, Migration};
use std::borrow::Cow;

macro_rules! sql {
    ($($file:literal),* $(,)?) => {
        Cow::Borrowed(concat!($(include_str!(concat!("../sqlite/migrations/", $file))),*))
    };
}

macro_rules! of_postgres {
    ($($file:literal),* $(,)?) => {
        Cow::Borrowed(concat!($(include_str!(concat!("../postgres/migrations/", $file))),*))
    };
}

/// Every step that this program knows, in order.
pub const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: Cow::Borrowed("first_tables"),
        kind: Kind::Expand,
        sql: sql!("0001_first_tables.sql"),
        of_postgres: of_postgres!("0001_locks_and_commits.sql"),
    },
    Migration {
        version: 2,
        name: Cow::Borrowed("refunds_controls_and_books"),
        // An older program would debit without settlement items: the books would not agree.
        kind: Kind::Contract { needs: 2 },
        sql: sql!(
            "0002_inbox.sql",
            "0002_refund.sql",
            "0002_control.sql",
            "0002_people.sql",
            "0002_unbinding.sql",
            "0002_settlement.sql",
            "0002_audit.sql",
            "0002_operator.sql",
        ),
        of_postgres: Cow::Borrowed(""),
    },
    Migration {
        version: 3,
        name: Cow::Borrowed("upkeep_pages_and_preferences"),
        // An older program reads the table of messages that goes here.
        kind: Kind::Contract { needs: 3 },
        sql: sql!(
            "0003_delivery.sql",
            "0003_statement.sql",
            "0003_upkeep.sql",
            "0003_handover.sql",
            "0003_step_up.sql",
            "0003_device.sql",
            "0003_preference.sql",
            "0003_payment_list.sql",
            "0003_console.sql",
            "0003_quota.sql",
            "0003_transfer.sql",
        ),
        of_postgres: of_postgres!("0003_nodes.sql"),
    },
];

/// The newest version that this program knows.
pub const NEWEST: u32 = ALL.len() as u32;
