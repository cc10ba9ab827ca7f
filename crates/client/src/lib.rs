//! The other side of the wire: whoever calls the wallet and is notified by it.
//!
//! Merchants, networks, the command line, tests and the benchmark use it; it knows nothing of the server. A call is
//! [`prepare_request`] (a plain function: sign ahead, send whenever), [`Client::send`] and [`judge`] (a plain
//! function again); [`Client::call`] does the three. Times are texts given by the caller: no clock is read here.
//! Notifications are taken by a [`Receiver`]. When a signature will not match, ask [`diagnose()`].

mod call;
mod diagnose;
mod operations;
mod receive;
mod request;
mod sandbox;

pub use accord_wire::gateway::ResultWords;
pub use call::{CallFault, Client, Exchange, REPLY_LIMIT, Replied, TIMEOUT, Verification, judge};
pub use diagnose::{Check, Diagnosis, diagnose, first_difference};
pub use operations::{DialectKind, operations, path_of};
pub use receive::{Acknowledgement, Received, Receiver, SignedAcknowledgement};
pub use request::{Identity, SignedRequest, Wallet, prepare_request, sign_request};
pub use sandbox::{SandboxClient, SandboxFault, SandboxFile, SandboxUser, SandboxWalletApi, WalletKeyFile};
