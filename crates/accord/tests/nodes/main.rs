//! Three nodes on one PostgreSQL database: what many callers do at once on all of them is done once, and nodes share
//! time, limits, sign-ins and due work.
//!
//! `ACCORD_LONG=1` plays the full number of rounds.

#[path = "../house/mod.rs"]
mod house;

mod browsers;
mod clocks;
mod killed;
mod limits;
mod once;
mod partitions;
mod paused;

/// How many rounds: few, or all of them under `ACCORD_LONG=1`.
fn rounds(few: usize, all: usize) -> usize {
    let long = std::env::var("ACCORD_LONG").is_ok_and(|long| long == "1");
    if long { all } else { few }
}
