//! Codes and tokens: derived, never stored.
//!
//! A secret is HMAC-SHA256 over a label, its kind, its agreement, its generation and the row's salt, under a
//! derivation key of some version. The row keeps version, salt and digest; a presented secret is judged by
//! digest look-up alone, and whoever must say it again (a repeat, a notification) derives it anew.

use crate::handle::{Bucket, Shape};
use crate::ids::AgreementId;
use crate::moment::{Random, keyed_hash};
use sha2::Digest as _;
use std::collections::BTreeMap;

/// SHA-256 of something: of a secret at rest, of compared fields, of a text that was shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of one text.
    pub fn of(text: &str) -> Digest {
        Digest(sha2::Sha256::digest(text.as_bytes()).into())
    }

    /// The digest of a list of parts, lengths included.
    pub fn of_parts(parts: &[&str]) -> Digest {
        let mut hash = sha2::Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Digest(hash.finalize().into())
    }

    /// A fingerprint of up to four compared fields, eight bytes each, that can tell which of them differ.
    pub fn of_fields(fields: [&str; 4]) -> Digest {
        let mut print = [0; 32];
        for (part, field) in print.chunks_exact_mut(8).zip(fields) {
            part.copy_from_slice(&Digest::of(field).0[..8]);
        }
        Digest(print)
    }

    /// The names of the fields in which two such fingerprints differ.
    pub fn differing<'n>(&self, other: &Digest, names: [&'n str; 4]) -> Vec<&'n str> {
        let parts = self.0.chunks_exact(8).zip(other.0.chunks_exact(8));
        parts.zip(names).filter(|((one, two), _)| one != two).map(|(_, name)| name).collect()
    }

    /// Lower-case hex.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex()[..8])
    }
}

/// A code or token in the clear. It shows nothing when printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret as presented or derived.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, to be sent to the one it belongs to and to nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What rests in the store.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

crate::words! {
    /// What a derived secret is.
    SecretKind {
        /// An authorization code.
        AuthCode = "auth_code",
        /// An access token.
        AccessToken = "access_token",
        /// A refresh token.
        RefreshToken = "refresh_token",
    }
}

/// What a row keeps of a derived secret, beside its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salt {
    /// Version of the derivation key.
    pub key_version: u32,
    /// 128 random bits of this row.
    pub salt: [u8; 16],
}

/// Names a derived secret, so that it can be said again without having been stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// What it is.
    pub kind: SecretKind,
    /// The agreement it belongs to.
    pub agreement: AgreementId,
    /// The generation of the pair; 0 for an authorization code.
    pub generation: u32,
    /// Key version and salt.
    pub salt: Salt,
}

/// The derivation keys of this wallet. A version is kept while a token of it lives.
#[derive(Clone)]
pub struct DerivationKeys {
    keys: BTreeMap<u32, [u8; 32]>,
}

impl DerivationKeys {
    /// Keys by version; the highest version derives whatever is new. Nothing when there is no key.
    pub fn new(keys: BTreeMap<u32, [u8; 32]>) -> Option<DerivationKeys> {
        (!keys.is_empty()).then_some(DerivationKeys { keys })
    }

    /// A fingerprint of each key, by version, that tells nothing of the key.
    pub fn prints(&self) -> Vec<(u32, Digest)> {
        let print = |key| Digest(keyed_hash(key, &[crate::same_keys::LABEL]));
        self.keys.iter().map(|(version, key)| (*version, print(key))).collect()
    }

    /// A fresh salt under the newest key.
    pub fn salt(&self, random: &mut Random) -> Salt {
        let key_version = self.keys.last_key_value().map_or(0, |(version, _)| *version);
        Salt { key_version, salt: random.bytes() }
    }

    /// Derives the secret; nothing when its key version is gone.
    pub fn derive(&self, secret: &SecretRef, shape: &Shape) -> Option<Secret> {
        let key = self.keys.get(&secret.salt.key_version)?;
        let bucket: Bucket = secret.agreement.bucket();
        let mut random = Random::new(
            key,
            &[
                b"accord secret v1",
                secret.kind.as_str().as_bytes(),
                secret.agreement.as_str().as_bytes(),
                &secret.generation.to_be_bytes(),
                &secret.salt.salt,
            ],
        );
        Some(Secret(shape.mint(bucket, &mut random)))
    }
}

impl std::fmt::Debug for DerivationKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DerivationKeys").field("versions", &self.keys.keys()).finish()
    }
}
