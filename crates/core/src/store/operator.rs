//! What the wallet around accord does: credentials of its API, transfers in and out. A part of the port.

/// What can be read of it.
pub trait OperatorRows {}

/// What can be written of it.
pub trait OperatorTx {}
