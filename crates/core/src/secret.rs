//! Codes and tokens: derived, never stored.
//!
//! A secret is HMAC-SHA256 over a label, its kind, its agreement, its generation and the row's salt, under a
//! derivation key of some version. The row keeps version, salt and digest; a presented secret is judged by
//! digest look-up alone, and whoever must say it again (a repeat, a notification) derives it anew.

use crate::handle::{Bucket, Shape};
use crate::ids::AgreementId;
use crate::moment::{Random, Timestamp, keyed_hash};
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

    /// What a token of that shape rests as: its digest. In a dated shape the first six bytes give way to the time that the
    /// token ends with, so that new tokens lie side by side (decision 15); 208 bits of SHA-256 are left.
    pub fn digest_in(&self, shape: &Shape) -> Digest {
        let mut digest = self.digest();
        if let (Some(time), Some(head)) = (shape.time(&self.0), digest.0.first_chunk_mut()) {
            *head = time;
        }
        digest
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
    /// Six bytes of milliseconds, when it was drawn, and 80 random bits.
    pub salt: [u8; 16],
}

impl Salt {
    /// When it was drawn: what a dated secret ends with.
    fn drawn_at(&self) -> Timestamp {
        let millis = self.salt.iter().take(6).fold(0, |millis, byte| millis << 8 | i64::from(*byte));
        Timestamp(millis)
    }
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
        let time = random.now().0.clamp(0, (1 << 48) - 1).to_be_bytes();
        let mut salt: [u8; 16] = random.bytes();
        salt[..6].copy_from_slice(&time[2..]);
        Salt { key_version, salt }
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
        )
        .at(secret.salt.drawn_at());
        Some(Secret(shape.mint(bucket, &mut random)))
    }
}

impl std::fmt::Debug for DerivationKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DerivationKeys").field("versions", &self.keys.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::Alphabet;
    use crate::moment::Moment;

    #[test]
    fn tokens_of_a_dated_shape_rest_in_the_order_of_time_and_others_as_their_whole_digest() {
        let keys = DerivationKeys::new(BTreeMap::from([(1, [9; 32])])).expect("a key");
        let (plain, dated) = (Shape::plain(Alphabet::Base62, 40), Shape::plain(Alphabet::Base62, 40).dated());
        let mut before = None;
        for now in (1_795_000_000_000..).step_by(7).take(50) {
            let mut random = Moment::new(Timestamp(now), [3; 32]).random("pair");
            let agreement = AgreementId::mint(Bucket::new(5), &mut random);
            let salt = keys.salt(&mut random);
            let one = SecretRef { kind: SecretKind::AccessToken, agreement, generation: 1, salt };
            let token = keys.derive(&one, &dated).expect("a token");
            assert_eq!(token, keys.derive(&one, &dated).expect("the same token"));
            assert_eq!(dated.bucket(token.reveal()), Some(Bucket::new(5)));
            let resting = token.digest_in(&dated);
            assert!(before < Some(resting), "{before:?} before {resting:?}");
            assert_eq!(resting.0[6..], token.digest().0[6..]);
            before = Some(resting);
            let token = keys.derive(&one, &plain).expect("a token");
            assert_eq!(token.digest_in(&plain), token.digest());
        }
        // Twelve letters that look like a time tell nothing in a shape that has none: they are part of the secret.
        let token = Secret::new("0123456789ABCDEF0123456789ABCDEF");
        assert_eq!(token.digest_in(&Shape::plain(Alphabet::Hex, 32)), token.digest());
    }
}
