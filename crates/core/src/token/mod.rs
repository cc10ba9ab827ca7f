//! Codes and pairs of tokens. The acts: [`apply_token`], [`refresh`], [`cancel_token`]; [`live`] judges a token.

pub mod apply_token;
pub mod cancel_token;
pub mod live;
pub mod refresh;

use crate::ids::{AgreementId, Owner};
use crate::moment::Timestamp;
use crate::secret::{Digest, Salt, Secret};

/// An authorization code at rest. It was redeemed when its agreement has had a pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Digest of the code; with the agreement's bucket its key.
    pub digest: Digest,
    /// The agreement it redeems.
    pub agreement: AgreementId,
    /// Who alone may redeem it.
    pub owner: Owner,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it may be redeemed.
    pub expires_at: Timestamp,
}

/// A pair of tokens at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// The agreement.
    pub agreement: AgreementId,
    /// Which pair of it: 1 is the first.
    pub generation: u32,
    /// Digest of the access token.
    pub access_digest: Digest,
    /// Digest of the refresh token.
    pub refresh_digest: Digest,
    /// Key version and salt of both.
    pub salt: Salt,
    /// After it the access token cannot debit.
    pub access_expires_at: Timestamp,
    /// After it the user must agree again.
    pub refresh_expires_at: Timestamp,
    /// When the pair was made.
    pub issued_at: Timestamp,
    /// When a refresh replaced it.
    pub replaced_at: Option<Timestamp>,
}

/// A pair of tokens in the clear, on its way to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Debits.
    pub access: Secret,
    /// Renews.
    pub refresh: Secret,
    /// What is kept of both.
    pub set: TokenSet,
}
