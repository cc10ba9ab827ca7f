//! The operator console: people who run the wallet, what each may do there, and their sign-ins.
//!
//! An [`Operator`] is made on the command line and nowhere else ([`add`], [`set_password`], [`disable`]). Signing in
//! is in [`sign_in`]. What an operator does goes through the same acts as the command line and the wallet API, under
//! the actor of [`actor`], and each leaves its line in the journal. Not to be confused with the credentials of the
//! wallet API ([`crate::operator`]), which belong to systems.

pub mod sign_in;

use crate::handle::Bucket;
use crate::ids::{ConsoleSessionId, OperatorName};
use crate::journal;
use crate::moment::{Moment, Timestamp};
use crate::outcome::Ruled;
use crate::policy::MINUTE;
use crate::secret::Digest;
use crate::store::Tx;

/// A sign-in that is not used for so long is over.
pub const IDLE_MS: i64 = 15 * MINUTE;
/// A sign-in is over after so long, however much it is used.
pub const LIFE_MS: i64 = 12 * 60 * MINUTE;
/// "Last seen" is written at most so often.
pub const SEEN_STEP_MS: i64 = MINUTE;
/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 12;
/// Longest password, in bytes.
pub const LONGEST_PASSWORD: usize = 256;

crate::words! {
    /// What an operator may do. Everybody may look; no role holds another's acts, so that whoever sends money on its
    /// way is not who decides whose signature counts.
    ConsoleRole {
        /// Look.
        Viewer = "viewer",
        /// Look; send notifications again, freeze users, decide what is unresolved.
        Operator = "operator",
        /// Look; add and retire keys of clients.
        KeyOfficer = "key_officer",
    }
}

/// Somebody who may sign in to the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// What is typed to sign in.
    pub name: OperatorName,
    /// What the operator may do.
    pub role: ConsoleRole,
    /// Argon2id hash of the password.
    pub password_hash: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when the operator may not sign in any more.
    pub disabled_at: Option<Timestamp>,
}

/// A browser in which an operator is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id; the bucket is that of the operator's name.
    pub id: ConsoleSessionId,
    /// Who is signed in.
    pub operator: OperatorName,
    /// Digest of the token that the browser holds.
    pub digest: Digest,
    /// When the operator signed in.
    pub created_at: Timestamp,
    /// When it was last used, to [`SEEN_STEP_MS`].
    pub last_seen_at: Timestamp,
    /// Over from this time on, whatever happens.
    pub expires_at: Timestamp,
    /// The sender's address at the sign-in.
    pub address: String,
}

impl Session {
    /// Is the sign-in still good?
    pub fn lives(&self, now: Timestamp) -> bool {
        now < self.expires_at && now.since(self.last_seen_at) < IDLE_MS
    }
}

/// A name: 1 to 32 of `a-z`, `0-9`, `.`, `-`, `_`, the first a letter; nothing for any other text.
pub fn read_name(text: &str) -> Option<OperatorName> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    let good = (1..=32).contains(&text.len())
        && text.bytes().all(letter)
        && text.starts_with(|first: char| first.is_ascii_lowercase());
    good.then(|| OperatorName::new(text))
}

/// Where an operator's rows and journal lines are.
pub fn bucket_of(name: &OperatorName) -> Bucket {
    Bucket::of(&["operator", name.as_str()])
}

/// What the journal calls an operator who acts: nobody else's id looks like it.
pub fn actor(name: &OperatorName) -> String {
    format!("operator:{name}")
}

/// What came of making an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// The operator exists now.
    Now(Operator),
    /// There is one of that name, perhaps disabled. Nothing was changed: the journal knows people by their names.
    Taken,
}

/// Makes an operator. `actor` is whoever does it, for the journal.
pub fn add(
    tx: &mut dyn Tx,
    name: &OperatorName,
    role: ConsoleRole,
    password_hash: &str,
    actor: &str,
    at: &Moment,
) -> Ruled<Added> {
    if tx.operator(name)?.is_some() {
        return Ok(Added::Taken);
    }
    let operator = Operator {
        name: name.clone(),
        role,
        password_hash: password_hash.to_owned(),
        created_at: at.now,
        disabled_at: None,
    };
    tx.put_operator(&operator)?;
    journal::append(tx, at, bucket_of(name), "operator.added", name.as_str(), actor, role.as_str())?;
    Ok(Added::Now(operator))
}

/// Gives an operator another password and ends every sign-in. Nothing when there is no such operator.
pub fn set_password(
    tx: &mut dyn Tx,
    name: &OperatorName,
    password_hash: &str,
    actor: &str,
    at: &Moment,
) -> Ruled<Option<Operator>> {
    let Some(operator) = tx.operator(name)? else { return Ok(None) };
    let operator = Operator { password_hash: password_hash.to_owned(), ..operator };
    tx.put_operator(&operator)?;
    end_sessions(tx, name)?;
    journal::append(tx, at, bucket_of(name), "operator.password_set", name.as_str(), actor, "")?;
    Ok(Some(operator))
}

/// Disables an operator, for good, and ends every sign-in. Nothing when there is no such operator; doing it again
/// changes nothing.
pub fn disable(tx: &mut dyn Tx, name: &OperatorName, actor: &str, at: &Moment) -> Ruled<Option<Operator>> {
    let Some(operator) = tx.operator(name)? else { return Ok(None) };
    if operator.disabled_at.is_some() {
        return Ok(Some(operator));
    }
    let operator = Operator { disabled_at: Some(at.now), ..operator };
    tx.put_operator(&operator)?;
    end_sessions(tx, name)?;
    journal::append(tx, at, bucket_of(name), "operator.disabled", name.as_str(), actor, "")?;
    Ok(Some(operator))
}

fn end_sessions(tx: &mut dyn Tx, name: &OperatorName) -> Ruled<()> {
    for session in tx.console_sessions_of(name, usize::MAX)? {
        tx.remove_console_session(&session.id)?;
    }
    Ok(())
}

/// Writes down that an operator was refused something: the role does not allow it, or the form was not ours.
pub fn refused(tx: &mut dyn Tx, name: &OperatorName, what: &str, at: &Moment) -> Ruled<()> {
    let what: String = what.chars().take(256).collect();
    Ok(journal::append(tx, at, bucket_of(name), "console.refused", name.as_str(), &actor(name), &what)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for text in ["a", "layla.h", "key-officer_2"] {
            assert_eq!(read_name(text).map(|name| name.to_string()).as_deref(), Some(text));
        }
        let long = "a".repeat(33);
        for text in ["", "A", "1a", ".a", "a b", "a:b", "ليلى", long.as_str()] {
            assert_eq!(read_name(text), None, "{text}");
        }
    }
}
