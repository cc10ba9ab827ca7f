//! Limits, usage, pauses and schedules of agreements.

use super::rows::Desk;
use accord_core::store::control::{ControlRows, ControlTx};

impl ControlRows for Desk<'_> {}

impl ControlTx for Desk<'_> {}
