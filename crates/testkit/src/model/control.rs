//! Limits, usage, pauses and schedules of agreements.

use super::Books;
use accord_core::store::control::{ControlRows, ControlTx};

impl ControlRows for Books {}

impl ControlTx for Books {}
