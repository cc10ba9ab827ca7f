//! Who wrote the vectors: stories by operation. A new case is a line in a table and a few lines of telling.
//!
//! `ACCORD_UPDATE=1` writes what is told here into the files; otherwise the files are what must be told.

mod apply_token;
mod cancel_payment;
mod cancel_token;
mod envelope;
mod inquiry_payment;
mod inquiry_refund;
mod limits;
mod outbound;
mod pay;
mod pay_failures;
mod people;
mod prepare;
mod refund;

use crate::conformance::speech::Speech;
use crate::vectors::play::Play;
use crate::vectors::story::Story;

/// A vector to be told.
pub struct Case {
    operation: &'static str,
    name: &'static str,
    /// What it shows.
    about: &'static str,
    speeches: &'static [Speech],
    tell: fn(&mut Play),
}

const QI: &[Speech] = &[Speech::Qi];
const PLUS: &[Speech] = &[Speech::AlipayPlus];
const BOTH: &[Speech] = &Speech::ALL;

impl Case {
    /// Name and story in each dialect that has it.
    pub fn tell(&self) -> Vec<(String, Story)> {
        let told = self.speeches.iter().map(|speech| {
            let mut play = Play::new(*speech, self.about);
            (self.tell)(&mut play);
            (format!("{}/{}/{}", speech.name(), self.operation, self.name), play.finish())
        });
        told.collect()
    }
}

/// Every case.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [
        envelope::CASES,
        prepare::CASES,
        apply_token::CASES,
        cancel_token::CASES,
        pay::CASES,
        pay_failures::CASES,
        limits::CASES,
        inquiry_payment::CASES,
        cancel_payment::CASES,
        refund::CASES,
        inquiry_refund::CASES,
        outbound::CASES,
        people::CASES,
        people::CODES,
        people::MESSAGES,
    ]
    .into_iter()
    .flatten()
}
