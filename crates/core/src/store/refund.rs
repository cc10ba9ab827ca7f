//! Refunds and closed orders: money given back. A part of the port.

/// What can be read of it.
pub trait RefundRows {}

/// What can be written of it.
pub trait RefundTx {}
