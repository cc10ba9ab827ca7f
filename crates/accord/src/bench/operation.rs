//! What can be measured, and what a call of it costs in signatures.

use clap::ValueEnum;

/// What `accord bench` measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// Qi prepare.
    Prepare,
    /// Qi applyToken with an authorization code.
    ApplyToken,
    /// Qi pay without a notification.
    Pay,
    /// Qi inquiryPayment.
    Inquiry,
    /// prepare, the user's decision in the sandbox, applyToken, ten debits; a flow is one unit.
    Flow,
    /// Notifications that are due, carried to a receiver on this machine.
    Notify,
    /// Fills a store with agreements and payments; measures nothing.
    Fill,
}

/// Debits of one flow.
pub const DEBITS: u64 = 10;

impl Operation {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Prepare => "prepare",
            Operation::ApplyToken => "apply-token",
            Operation::Pay => "pay",
            Operation::Inquiry => "inquiry",
            Operation::Flow => "flow",
            Operation::Notify => "notify",
            Operation::Fill => "fill",
        }
    }

    /// Verifications and signatures that one unit cannot do without.
    pub fn crypto(self) -> (u64, u64) {
        match self {
            Operation::Flow => (DEBITS + 2, DEBITS + 2),
            Operation::Notify => (0, 1),
            _ => (1, 1),
        }
    }

    /// The API's name of the call, where each unit is one call that can be signed ahead.
    pub fn api(self) -> Option<&'static str> {
        match self {
            Operation::Prepare => Some("prepare"),
            Operation::ApplyToken => Some("applyToken"),
            Operation::Pay => Some("pay"),
            Operation::Inquiry => Some("inquiryPayment"),
            Operation::Flow | Operation::Notify | Operation::Fill => None,
        }
    }
}
