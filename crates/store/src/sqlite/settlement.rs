//! What is settled with counterparties, day by day.

use super::rows::Desk;
use accord_core::store::settlement::{SettlementRows, SettlementTx};

impl SettlementRows for Desk<'_> {}

impl SettlementTx for Desk<'_> {}
