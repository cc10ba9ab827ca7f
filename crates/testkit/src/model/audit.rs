//! The audit journal's chains and checkpoints, and what pruning keeps cold.

use super::Books;
use accord_core::store::audit::{AuditRows, AuditTx};

impl AuditRows for Books {}

impl AuditTx for Books {}
