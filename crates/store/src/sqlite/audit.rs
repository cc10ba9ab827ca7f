//! The audit journal's chains and checkpoints, and what pruning keeps cold.

use super::rows::Desk;
use accord_core::store::audit::{AuditRows, AuditTx};

impl AuditRows for Desk<'_> {}

impl AuditTx for Desk<'_> {}
