//! The audit journal's chains and checkpoints, and what pruning keeps cold. A part of the port.

/// What can be read of it.
pub trait AuditRows {}

/// What can be written of it.
pub trait AuditTx {}
