//! The sandbox over real sockets: the control API as tests use it, and the demo merchant as a browser uses it.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

mod app_links;
mod control;
mod demo;
mod demo_shop;
mod handover;
mod house;
mod logo;
mod page;
mod step_up;
#[path = "../../../testkit/tests/stores/mod.rs"]
mod stores;
mod unbinding;
