//! Preferences: which messages reach a user outside of the wallet, and where.
//!
//! Every message is in the inbox, always. Beside it a message may be carried ([`Carrier`]); which kind takes which
//! carrier is the user's choice, and the deployment's until the user chooses ([`crate::message::routes`]). The language
//! is the user's own ([`crate::user::User`]); a text message goes to the number that the user signs in with. One-time
//! codes are no choice: the merchant that asks for one says where it goes.

use crate::ids::CustomerId;
use crate::journal;
use crate::message::Kind;
use crate::message::routes::Carrier;
use crate::moment::{Moment, Timestamp};
use crate::outcome::{Refusal, Ruled};
use crate::store::{Rows, Stored, Tx};
use crate::user::{Language, User};

/// What a user has chosen. There is no row before anything was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Whose.
    pub customer: CustomerId,
    /// Where e-mail goes; nothing: where the wallet knows an address.
    pub email: Option<String>,
    /// Which kind takes which carrier, each pair once, in the order of the words; nothing: not chosen yet.
    pub carried: Option<Vec<(Kind, Carrier)>>,
    /// Messages up to this time have been seen in the inbox.
    pub seen_at: Timestamp,
}

impl Preferences {
    /// Before anything was chosen.
    pub fn of_nobody_yet(customer: CustomerId) -> Preferences {
        Preferences { customer, email: None, carried: None, seen_at: Timestamp(0) }
    }

    /// Does the user want that kind by that carrier? Nothing: the user has not chosen.
    pub fn wants(&self, kind: Kind, carrier: Carrier) -> Option<bool> {
        self.carried.as_ref().map(|carried| carried.contains(&(kind, carrier)))
    }
}

/// The kinds that a user can choose for.
pub fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| *kind != Kind::OneTimeCode)
}

/// A user's preferences, chosen or not.
pub fn of(rows: &dyn Rows, customer: &CustomerId) -> Stored<Preferences> {
    Ok(rows.preferences(customer)?.unwrap_or_else(|| Preferences::of_nobody_yet(customer.clone())))
}

/// What a user chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The language of messages and pages. That the wallet speaks it is for the caller to know.
    pub language: Language,
    /// Where e-mail goes; nothing: where the wallet knows an address.
    pub email: Option<String>,
    /// Which kind takes which carrier; nothing: as before.
    pub carried: Option<Vec<(Kind, Carrier)>>,
}

/// What came of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// It holds from now on.
    Done,
    /// This is no e-mail address that letters could go to.
    NoAddress,
}

/// Keeps a user's choice, as a whole.
pub fn choose(tx: &mut dyn Tx, customer: &CustomerId, choice: &Choice, at: &Moment) -> Ruled<Chosen> {
    if choice.email.as_deref().is_some_and(|email| !is_address(email)) {
        return Ok(Chosen::NoAddress);
    }
    let user = tx.user(customer)?.ok_or(Refusal::UserNotFound)?;
    let before = of(tx, customer)?;
    let carried = match &choice.carried {
        Some(chosen) => {
            let pairs = kinds().flat_map(|kind| Carrier::ALL.iter().map(move |carrier| (kind, *carrier)));
            Some(pairs.filter(|pair| chosen.contains(pair)).collect())
        }
        None => before.carried.clone(),
    };
    let after = Preferences { email: choice.email.clone(), carried, ..before.clone() };
    if after != before {
        tx.put_preferences(&after)?;
        let subject = customer.as_str();
        journal::append(tx, at, customer.bucket(), "user.preferences_changed", subject, subject, "")?;
    }
    if user.language != choice.language {
        let (subject, word) = (customer.as_str(), choice.language.as_str());
        tx.update_user(&User { language: choice.language, ..user })?;
        journal::append(tx, at, customer.bucket(), "user.language_changed", subject, subject, word)?;
    }
    Ok(Chosen::Done)
}

/// Notes that the inbox was seen up to `until`.
pub fn saw_inbox(tx: &mut dyn Tx, customer: &CustomerId, until: Timestamp) -> Ruled<()> {
    let before = of(tx, customer)?;
    if before.seen_at < until {
        tx.put_preferences(&Preferences { seen_at: until, ..before })?;
    }
    Ok(())
}

/// One `@` with something on both sides, a host with a dot, at most 254 bytes, nothing that could end a header line.
fn is_address(text: &str) -> bool {
    let plain =
        |letter: char| !letter.is_whitespace() && !letter.is_control() && !"<>()[],;:\\\"".contains(letter);
    let Some((local, host)) = text.split_once('@') else { return false };
    text.len() <= 254
        && text.chars().all(plain)
        && !local.is_empty()
        && !host.contains('@')
        && host.split('.').count() > 1
        && host.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_a_letter_can_go_to() {
        for good in ["a@b.example", "first.last+tag@mail.example.iq", "سارة@بريد.example"] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@b.example", "a".repeat(250));
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@@b.example",
            "a@b..example",
            "a@b.example\r\nBcc: x",
            &long,
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        for bad in ["a b@c.example", "<a@b.example>", "a@b.example,c@d.example"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
