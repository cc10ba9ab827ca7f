//! The ends of agreements: consultations and receipts.

use super::Books;
use accord_core::store::unbinding::{UnbindingRows, UnbindingTx};

impl UnbindingRows for Books {}

impl UnbindingTx for Books {}
