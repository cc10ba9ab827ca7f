//! Refunds and closed orders: money given back.

use super::rows::Desk;
use accord_core::store::refund::{RefundRows, RefundTx};

impl RefundRows for Desk<'_> {}

impl RefundTx for Desk<'_> {}
