//! The ends of agreements: consultations and receipts.

use super::rows::Desk;
use accord_core::store::unbinding::{UnbindingRows, UnbindingTx};

impl UnbindingRows for Desk<'_> {}

impl UnbindingTx for Desk<'_> {}
