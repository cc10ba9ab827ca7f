//! Limits, usage, pauses and schedules of agreements. A part of the port.

/// What can be read of it.
pub trait ControlRows {}

/// What can be written of it.
pub trait ControlTx {}
