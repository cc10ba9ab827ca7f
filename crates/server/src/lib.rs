//! Opens the doors: sockets, pages, notifications, due work, telemetry, the real clock.
//!
//! Nothing is decided here. A call goes from [`http`] to [`calls`] to the gateway of `accord-wire` and into the
//! store; a page goes from [`http`] to [`authorize`] and, on its way from a PC to a phone, [`handover`]; [`dispatcher`] carries what rules left in the outbox, and
//! [`schedule`] does what becomes due, and [`upkeep`] prunes and seals the journal. The wallet around
//! accord calls [`wallet_api`] and is asked by [`risk`]. Operators look and act in [`admin`]. [`serve::start`] puts it together.

pub mod admin;
pub mod admission;
pub mod app;
pub mod app_links;
pub mod authorize;
pub mod calls;
pub mod clients;
pub mod clock;
pub mod consult;
pub mod cookies;
pub mod courier;
pub mod demo;
pub mod dispatcher;
pub mod handover;
pub mod http;
pub mod limits;
pub mod live;
pub mod logo;
pub mod outbound;
pub mod pages;
pub mod partitions;
pub mod pin;
pub mod risk;
pub mod same_keys;
pub mod sandbox;
pub mod schedule;
pub mod serve;
pub mod shared_time;
mod sign_in;
pub mod telemetry;
pub mod typed;
pub mod unbinding;
pub mod upkeep;
pub mod wallet_api;
mod wallet_pages;

pub use app::{App, Limits, SandboxOptions, ServerOptions, TlsFiles};
pub use serve::{Running, StartFault, start};
pub use upkeep::Upkeep;
