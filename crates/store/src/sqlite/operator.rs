//! What the wallet around accord does: credentials of its API, transfers in and out.

use super::rows::Desk;
use accord_core::store::operator::{OperatorRows, OperatorTx};

impl OperatorRows for Desk<'_> {}

impl OperatorTx for Desk<'_> {}
