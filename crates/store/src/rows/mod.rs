//! What a row means: the statements of each area and how their columns are read, once for every SQL engine.
//!
//! Each file is named as in `accord-core`, and holds the rows of that idea. An engine ([`engine::Engine`]) runs the
//! statements; the schemas are in the engines' folders. Nothing here knows a business rule.

pub(crate) mod agreement;
pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod console;
pub(crate) mod control;
pub(crate) mod delivery;
pub(crate) mod desk;
pub(crate) mod device;
pub(crate) mod engine;
pub(crate) mod handover;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod message;
pub(crate) mod notification;
pub(crate) mod operator;
pub(crate) mod payment;
pub(crate) mod people;
pub(crate) mod preference;
pub(crate) mod quota;
pub(crate) mod refund;
pub(crate) mod settlement;
pub(crate) mod sql;
pub(crate) mod step_up;
pub(crate) mod token;
pub(crate) mod unbinding;
pub(crate) mod upkeep;
pub(crate) mod user;
pub(crate) mod value;

/// Every statement there is, by area.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    agreement::STATEMENTS,
    audit::STATEMENTS,
    client::STATEMENTS,
    console::STATEMENTS,
    control::STATEMENTS,
    delivery::STATEMENTS,
    device::STATEMENTS,
    handover::STATEMENTS,
    journal::STATEMENTS,
    ledger::STATEMENTS,
    message::STATEMENTS,
    notification::STATEMENTS,
    operator::STATEMENTS,
    payment::STATEMENTS,
    people::STATEMENTS,
    preference::STATEMENTS,
    quota::STATEMENTS,
    refund::STATEMENTS,
    settlement::STATEMENTS,
    step_up::STATEMENTS,
    token::STATEMENTS,
    unbinding::STATEMENTS,
    upkeep::STATEMENTS,
    user::STATEMENTS,
];
