//! Users of the wallet, and the guard before their PIN.

use crate::handle::Bucket;
use crate::ids::{CustomerId, LoginId};
use crate::moment::Timestamp;

crate::words! {
    /// What a user may do.
    UserStatus {
        /// Everything.
        Active = "active",
        /// Nothing, until thawed.
        Frozen = "frozen",
        /// Nothing any more.
        Closed = "closed",
    }
}

crate::words! {
    /// A language the wallet speaks to people.
    Language {
        /// English (United States).
        English = "en-US",
        /// Arabic (Iraq), written right to left.
        Arabic = "ar-IQ",
    }
}

/// Stands for the PIN hash of a user whom the wallet's own app authenticates: no PIN signs this user in here.
pub const EXTERNAL_PIN: &str = "external";

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Our id of the user; its bucket is where the user's money is.
    pub id: CustomerId,
    /// What the user signs in with.
    pub login_id: LoginId,
    /// Argon2id hash of the PIN (PHC string), or [`EXTERNAL_PIN`].
    pub pin_hash: String,
    /// What the user may do.
    pub status: UserStatus,
    /// Identified well enough to be debited (KYC)?
    pub qualified: bool,
    /// The language of messages.
    pub language: Language,
    /// When the user was created.
    pub created_at: Timestamp,
}

/// Counts wrong PINs of one subject: a user or a sender address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinGuard {
    /// Bucket of the subject.
    pub bucket: Bucket,
    /// `login:<digest>` or `address:<text>`.
    pub subject: String,
    /// Wrong PINs since `window_started_at`.
    pub wrong: u32,
    /// When the counting began.
    pub window_started_at: Timestamp,
    /// No sign-in before this time.
    pub blocked_until: Timestamp,
    /// How often the block has doubled.
    pub blocks: u32,
}

/// Masks a login id for display: the first four and last two characters stay (`+964••••••01`).
pub fn mask_login_id(login: &LoginId) -> String {
    let letters: Vec<char> = login.as_str().chars().collect();
    let (head, tail) = if letters.len() > 8 { (4, 2) } else { (1, 1) };
    let hidden = letters.len().saturating_sub(head + tail).max(3);
    let mut masked: String = letters.iter().take(head).collect();
    masked.extend(std::iter::repeat_n('*', hidden));
    masked.extend(letters.iter().skip(letters.len().saturating_sub(tail).max(head)));
    masked
}
