//! What is settled with counterparties, day by day.

use super::Books;
use accord_core::store::settlement::{SettlementRows, SettlementTx};

impl SettlementRows for Books {}

impl SettlementTx for Books {}
