//! The ends of agreements: consultations and receipts. A part of the port.

/// What can be read of it.
pub trait UnbindingRows {}

/// What can be written of it.
pub trait UnbindingTx {}
