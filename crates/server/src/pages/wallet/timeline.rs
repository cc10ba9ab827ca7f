//! The story of an agreement: every event, with who did it. It answers "why was I charged?".

use super::prose;
use crate::pages::i18n::{Key, Texts};
use crate::pages::markup::Markup;
use accord_core::Timestamp;
use accord_core::agreement::limits::Limits;
use accord_core::agreement::{EndedBy, Terminal};
use accord_core::money::Amount;
use accord_core::outcome::Refusal;
use accord_core::user::Language;

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The user, on these pages or at the authorization page.
    You,
    /// The user, in an app of the wallet.
    App,
    /// The merchant.
    Merchant,
    /// The wallet.
    Wallet,
}

/// How a debit went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// The money moved.
    Paid,
    /// It did not, for this reason.
    Declined(Refusal),
    /// It is running.
    Running,
}

/// What the owner said when it was asked about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Yes.
    Allowed,
    /// No.
    NotAllowed,
    /// Nothing.
    Nothing,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The user agreed.
    Agreed {
        /// The language of what was shown.
        language: Language,
        /// From where the user came.
        terminal: Terminal,
        /// The sender's address.
        address: String,
    },
    /// The merchant got its keys to the wallet.
    TokensIssued,
    /// They were renewed.
    TokensRenewed,
    /// The user was told of a debit to come.
    Notice {
        /// When it will be due.
        due_at: Timestamp,
    },
    /// A debit.
    Debit {
        /// Its id.
        payment: String,
        /// How much.
        amount: Amount,
        /// How it went.
        went: Went,
        /// What the merchant says it was for.
        description: String,
    },
    /// Money came back.
    Refund {
        /// The id of the debit.
        payment: String,
        /// How much.
        amount: Amount,
        /// Why, as the merchant says.
        reason: String,
    },
    /// The user's own limits changed.
    Limited(Option<Limits>),
    /// Paused, until then or until resumed.
    Paused(Option<Timestamp>),
    /// Debits again.
    Resumed,
    /// The owner was asked whether it may end.
    Asked(Said),
    /// It is over.
    Ended(EndedBy),
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub who: Who,
    /// What it was.
    pub what: What,
}

/// An event, as templates read it.
pub(super) struct Drawn {
    pub(super) at: Markup,
    pub(super) title: Markup,
    pub(super) lines: Vec<Markup>,
    pub(super) link: Option<String>,
    /// `good`, `bad`, `warn`, or nothing: how the event is marked.
    pub(super) tone: &'static str,
}

pub(super) fn draw(t: &Texts, event: &Event) -> Drawn {
    let mut lines = Vec::new();
    let mut link = None;
    let title = match &event.what {
        What::Agreed { language, terminal, address } => {
            let from = t.with(terminal_key(*terminal), &[]);
            let language = Texts(*language).text("language-name");
            lines.push(t.html(
                Key("event-agreed-how"),
                &[("from", &from), ("language", &language), ("address", address)],
            ));
            t.html(Key("event-agreed"), &[])
        }
        What::TokensIssued => t.html(Key("event-tokens"), &[]),
        What::TokensRenewed => t.html(Key("event-tokens-renewed"), &[]),
        What::Notice { due_at } => t.html(Key("event-notice"), &[("time", &t.time(*due_at))]),
        What::Debit { payment, amount, went, description } => {
            lines.extend(said_for(description));
            if let Went::Declined(refusal) = went {
                lines.push(t.html(crate::pages::messages::reason(*refusal), &[]));
            }
            link = Some(format!("/wallet/payments/{payment}"));
            t.html(debit_key(*went), &[("amount", &t.money(amount))])
        }
        What::Refund { payment, amount, reason } => {
            lines.extend(said_for(reason));
            link = Some(format!("/wallet/payments/{payment}"));
            t.html(Key("event-refund"), &[("amount", &t.money(amount))])
        }
        What::Limited(limits) => {
            let none = limits.is_some_and(|limits| limits == Limits::NONE);
            lines.extend(limits.iter().flat_map(|limits| super::agreement::say_limits(t, limits)));
            t.html(if none { Key("event-limits-removed") } else { Key("event-limits") }, &[])
        }
        What::Paused(Some(until)) => t.html(Key("event-paused-until"), &[("time", &t.time(*until))]),
        What::Paused(None) => t.html(Key("event-paused"), &[]),
        What::Resumed => t.html(Key("event-resumed"), &[]),
        What::Asked(said) => {
            let key = match said {
                Said::Allowed => Key("event-asked-allowed"),
                Said::NotAllowed => Key("event-asked-not-allowed"),
                Said::Nothing => Key("event-asked-nothing"),
            };
            t.html(key, &[])
        }
        What::Ended(by) => {
            let key = match by {
                EndedBy::User => Key("event-ended-you"),
                EndedBy::Merchant => Key("event-ended-merchant"),
                EndedBy::Wallet => Key("event-ended-wallet"),
            };
            t.html(key, &[])
        }
    };
    if event.who == Who::App {
        lines.push(t.html(Key("event-by-app"), &[]));
    }
    Drawn { at: Markup::of(&t.time(event.at)), title, lines, link, tone: tone(&event.what) }
}

fn tone(what: &What) -> &'static str {
    match what {
        What::Debit { went: Went::Paid, .. } | What::Refund { .. } | What::Resumed => "good",
        What::Debit { went: Went::Declined(_), .. } | What::Ended(_) => "bad",
        What::Debit { went: Went::Running, .. } | What::Paused(_) => "warn",
        _ => "",
    }
}

/// What a merchant says of a payment, if it says anything.
fn said_for(text: &str) -> Option<Markup> {
    (!text.trim().is_empty()).then(|| prose(text))
}

pub(super) fn debit_key(went: Went) -> Key {
    match went {
        Went::Paid => Key("event-debit-paid"),
        Went::Declined(_) => Key("event-debit-declined"),
        Went::Running => Key("event-debit-running"),
    }
}

pub(super) fn terminal_key(terminal: Terminal) -> Key {
    match terminal {
        Terminal::Web => Key("terminal-web"),
        Terminal::Wap => Key("terminal-wap"),
        Terminal::App => Key("terminal-app"),
        Terminal::MiniApp => Key("terminal-mini-app"),
    }
}
