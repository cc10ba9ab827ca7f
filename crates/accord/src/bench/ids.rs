//! The ids that a merchant gives its debits.

use accord_core::Timestamp;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Makes a `paymentRequestId` for each number, which no other run has used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestIds {
    run: String,
    random: bool,
}

impl RequestIds {
    /// Ids of a run that begins now: counted after that time, or random, as with merchants who send a UUID.
    pub fn new(now: Timestamp, random: bool) -> RequestIds {
        RequestIds { run: format!("{:013}{:07}", now.0, std::process::id()), random }
    }

    /// The id of debit `number`.
    pub fn of(&self, number: u64) -> String {
        let RequestIds { run, random } = self;
        if !random {
            return format!("{run}{number:012}");
        }
        let mut hasher = DefaultHasher::new();
        (run, number).hash(&mut hasher);
        format!("{:016x}{number:012}", hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_ids_stand_in_their_order_and_random_ones_do_not() {
        let run = |random| RequestIds::new(Timestamp(1_795_000_000_000), random);
        let ids = |random| (0..100).map(|number| run(random).of(number)).collect::<Vec<_>>();
        assert!(ids(false).is_sorted());
        assert!(!ids(true).is_sorted());
        assert_ne!(run(true).of(7), run(true).of(8));
        assert!(ids(true).iter().chain(&ids(false)).all(|id| id.len() <= 64));
    }
}
