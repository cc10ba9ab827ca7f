//! Refunds and closed orders: money given back.

use super::Books;
use accord_core::store::refund::{RefundRows, RefundTx};

impl RefundRows for Books {}

impl RefundTx for Books {}
