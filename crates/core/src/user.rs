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

/// A language the wallet speaks to people, by its tag (BCP 47, such as `en-US`). Which ones a wallet speaks is its
/// own matter: a language is a file of messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language {
    /// ASCII, filled up with zeros.
    tag: [u8; LONGEST_TAG],
}

/// Letters of the longest tag that rows keep.
const LONGEST_TAG: usize = 15;

#[expect(non_upper_case_globals, reason = "they are named like members of a set, and were")]
impl Language {
    /// English (United States).
    pub const English: Language = Language::built_in(b"en-US");
    /// Arabic (Iraq), written right to left.
    pub const Arabic: Language = Language::built_in(b"ar-IQ");
}

impl Language {
    /// The languages whose words come with every wallet.
    pub const BUILT_IN: &'static [Language] = &[Language::English, Language::Arabic];

    const fn built_in(letters: &[u8]) -> Language {
        let mut tag = [0; LONGEST_TAG];
        let mut index = 0;
        while index < letters.len() {
            tag[index] = letters[index];
            index += 1;
        }
        Language { tag }
    }

    /// The language of that tag: a primary subtag of two or three small letters, then others of letters and digits,
    /// 15 characters at most. Says nothing of whether the wallet speaks it.
    pub fn parse(text: &str) -> Option<Language> {
        let mut parts = text.split('-');
        let primary = parts.next()?;
        let small = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
        let plain =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let fits = (2..=3).contains(&primary.len()) && small(primary) && parts.all(plain);
        let mut tag = [0; LONGEST_TAG];
        tag.get_mut(..text.len()).filter(|_| fits)?.copy_from_slice(text.as_bytes());
        Some(Language { tag })
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        let length = self.tag.iter().position(|byte| *byte == 0).unwrap_or(LONGEST_TAG);
        self.tag.get(..length).and_then(|tag| std::str::from_utf8(tag).ok()).unwrap_or_default()
    }

    /// The primary subtag: `ar` of `ar-IQ`.
    pub fn primary(&self) -> &str {
        self.as_str().split('-').next().unwrap_or_default()
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_any_tag_that_rows_can_keep() {
        for tag in ["en-US", "ar-IQ", "ckb-IQ", "de", "zh-Hant-TW", "sr-Latn-RS"] {
            assert_eq!(Language::parse(tag).map(|language| language.to_string()).as_deref(), Some(tag));
        }
        for text in [
            "",
            "e",
            "EN-us",
            "english",
            "en_US",
            "en-",
            "-US",
            "en-US ",
            "abc-12345678-901",
            "\u{661}\u{662}",
        ] {
            assert_eq!(Language::parse(text), None, "{text}");
        }
        assert_eq!(Language::parse("ar-IQ"), Some(Language::Arabic));
        assert_eq!(Language::Arabic.primary(), "ar");
    }
}
