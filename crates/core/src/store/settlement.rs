//! What is settled with counterparties, day by day. A part of the port.

/// What can be read of it.
pub trait SettlementRows {}

/// What can be written of it.
pub trait SettlementTx {}
