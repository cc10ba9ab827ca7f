//! What the wallet around accord does: credentials of its API, transfers in and out.

use super::Books;
use accord_core::store::operator::{OperatorRows, OperatorTx};

impl OperatorRows for Books {}

impl OperatorTx for Books {}
