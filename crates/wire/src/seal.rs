//! The wallet's seal: ECDSA P-256 with SHA-256 over documents that are no protocol messages (decision 39).
//!
//! A key of its own, never one of those in `keys`, so that no sealed document can pass for a signed call. The value
//! is ASN.1 DER: `openssl dgst -sha256 -verify receipts.pub.pem -signature value content` checks it as well.

use crate::keys::{Block, KeyFault, armour};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair as _, ParsedPublicKey};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

/// id-ecPublicKey with the curve prime256v1, as DER: the head of every SubjectPublicKeyInfo of P-256.
const P256: &[u8] = &[
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07,
];

/// Why a seal's key could not be read, made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// No PEM, no Base64.
    #[error(transparent)]
    Text(#[from] KeyFault),
    /// PEM of something else.
    #[error("the PEM block is `{found}`; expected `{expected}`")]
    WrongLabel {
        /// The label that was found.
        found: String,
        /// The label that would have been read.
        expected: &'static str,
    },
    /// Another kind of key.
    #[error("not a key of the curve P-256 in the form of {0}")]
    NotP256(&'static str),
    /// The cryptographic library refused to make a key.
    #[error("a key could not be generated")]
    Generate,
    /// The cryptographic library refused to sign.
    #[error("the content could not be signed")]
    Sign,
}

/// A private key that seals. Clones share one parsed key; nothing of it is ever shown.
#[derive(Clone)]
pub struct SealKey(Arc<(EcdsaKeyPair, SealPublicKey)>);

impl SealKey {
    /// Reads PKCS#8, as PEM `PRIVATE KEY` or bare Base64.
    pub fn parse(text: &str) -> Result<SealKey, SealFault> {
        let der = labelled(text, "PRIVATE KEY")?;
        let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &der)
            .map_err(|_| SealFault::NotP256("PKCS#8"))?;
        SealKey::from_pair(pair)
    }

    fn from_pair(pair: EcdsaKeyPair) -> Result<SealKey, SealFault> {
        let der = AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).map_err(|_| SealFault::Generate)?;
        let public = SealPublicKey::from_der(der.as_ref())?;
        Ok(SealKey(Arc::new((pair, public))))
    }

    /// A fresh pair: (PKCS#8 PEM, SubjectPublicKeyInfo PEM). For provisioning.
    pub fn generate() -> Result<(String, String), SealFault> {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING)
            .map_err(|_| SealFault::Generate)?;
        let pem = armour("PRIVATE KEY", pair.to_pkcs8v1().map_err(|_| SealFault::Generate)?.as_ref());
        Ok((pem, SealKey::from_pair(pair)?.public_key().pem().to_owned()))
    }

    /// The seal over `content`. It differs each time, and every one of them verifies.
    pub fn sign(&self, content: &[u8]) -> Result<Vec<u8>, SealFault> {
        let value = self.0.0.sign(&SystemRandom::new(), content).map_err(|_| SealFault::Sign)?;
        Ok(value.as_ref().to_vec())
    }

    /// The public half.
    pub fn public_key(&self) -> &SealPublicKey {
        &self.0.1
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// The public key that checks a seal. Clones share one parsed key.
#[derive(Clone)]
pub struct SealPublicKey(Arc<PublicInner>);

struct PublicInner {
    parsed: ParsedPublicKey,
    pem: String,
    id: String,
}

impl SealPublicKey {
    /// Reads a SubjectPublicKeyInfo, as PEM `PUBLIC KEY` or bare Base64.
    pub fn parse(text: &str) -> Result<SealPublicKey, SealFault> {
        SealPublicKey::from_der(&labelled(text, "PUBLIC KEY")?)
    }

    fn from_der(der: &[u8]) -> Result<SealPublicKey, SealFault> {
        const FORM: &str = "SubjectPublicKeyInfo";
        let head = der.get(..der.len().min(32)).unwrap_or_default();
        if !head.windows(P256.len()).any(|window| window == P256) {
            return Err(SealFault::NotP256(FORM));
        }
        let parsed = ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, der)
            .map_err(|_| SealFault::NotP256(FORM))?;
        let id = Sha256::digest(der).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(SealPublicKey(Arc::new(PublicInner { parsed, pem: armour("PUBLIC KEY", der), id })))
    }

    /// Names the key: the first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The key as PEM.
    pub fn pem(&self) -> &str {
        &self.0.pem
    }

    /// Is `value` this key's seal over `content`?
    pub fn verifies(&self, content: &[u8], value: &[u8]) -> bool {
        self.0.parsed.verify_sig(content, value).is_ok()
    }
}

impl fmt::Debug for SealPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealPublicKey({})", self.0.id)
    }
}

fn labelled(text: &str, expected: &'static str) -> Result<Vec<u8>, SealFault> {
    let block = Block::read(text)?;
    match block.label {
        Some(found) if found != expected => Err(SealFault::WrongLabel { found, expected }),
        _ => Ok(block.der),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::PrivateKey;

    #[test]
    fn a_generated_pair_seals_and_verifies() {
        let (private, public) = SealKey::generate().unwrap();
        let key = SealKey::parse(&private).unwrap();
        let value = key.sign(b"content").unwrap();
        let checks = SealPublicKey::parse(&public).unwrap();
        assert!(checks.verifies(b"content", &value));
        assert!(!checks.verifies(b"Content", &value));
        assert_eq!((checks.id(), checks.id().len()), (key.public_key().id(), 16));
        assert_eq!(checks.pem(), public);
    }

    #[test]
    fn a_key_of_another_kind_is_refused_with_a_reason() {
        let (rsa, rsa_public) = PrivateKey::generate().unwrap();
        let (private, public) = SealKey::generate().unwrap();
        assert_eq!(SealKey::parse(&rsa).unwrap_err(), SealFault::NotP256("PKCS#8"));
        assert_eq!(
            SealPublicKey::parse(&rsa_public).unwrap_err(),
            SealFault::NotP256("SubjectPublicKeyInfo")
        );
        assert!(SealKey::parse(&public).unwrap_err().to_string().contains("expected `PRIVATE KEY`"));
        assert!(SealPublicKey::parse(&private).unwrap_err().to_string().contains("expected `PUBLIC KEY`"));
        assert_eq!(SealPublicKey::parse("@@").unwrap_err(), SealFault::Text(KeyFault::NotText));
        assert_eq!(format!("{:?}", SealKey::parse(&private).unwrap()), "SealKey(..)");
    }
}
