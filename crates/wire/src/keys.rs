//! RSA keys as the papers exchange them: SubjectPublicKeyInfo and PKCS#8, as PEM or bare Base64.
//!
//! A [`PublicKey`] checks, a [`PrivateKey`] signs; both are parsed once and cheap to clone. Which client a key
//! belongs to, which version it has and from when it counts are not known here. Read on in `signature`.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicEncryptingKey};
use aws_lc_rs::signature::{self, KeyPair as _, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Shortest modulus accepted, in bits (both papers: all published keys have 2048).
pub const MIN_MODULUS_BITS: usize = 2048;
/// Longest modulus accepted, in bits.
pub const MAX_MODULUS_BITS: usize = 4096;

/// rsaEncryption (1.2.840.113549.1.1.1) as DER. An RSASSA-PSS key parses too, but could never verify RSA256.
const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Why a key could not be read, made or used. The text may be shown to an operator; it never holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Neither PEM armour nor Base64.
    #[error("the key is neither PEM nor Base64")]
    NotText,
    /// PEM of another thing than expected.
    #[error("the PEM block is `{found}`; expected `{expected}`")]
    WrongLabel {
        /// The label that was found.
        found: String,
        /// The labels that would have been read.
        expected: &'static str,
    },
    /// The bytes are not an RSA key in a known form.
    #[error("not an RSA key in the form of {0}")]
    NotRsa(&'static str),
    /// The modulus is too short or too long.
    #[error("the modulus must have {MIN_MODULUS_BITS} to {MAX_MODULUS_BITS} bits")]
    Size,
    /// The cryptographic library refused to make a key.
    #[error("a key could not be generated")]
    Generate,
    /// The cryptographic library refused to sign (a fault of memory or hardware, never of the content).
    #[error("the content could not be signed")]
    Sign,
}

/// A public key of a client, or of the wallet. Clones share one parsed key.
#[derive(Clone)]
pub struct PublicKey(Arc<PublicInner>);

struct PublicInner {
    parsed: ParsedPublicKey,
    modulus_len: usize,
    pem: String,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo: PEM (`PUBLIC KEY`) or the Base64 of its DER, as the developer centres show it.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let block = Block::read(text)?;
        match block.label.as_deref() {
            None | Some("PUBLIC KEY") => {}
            Some(found) => {
                return Err(KeyFault::WrongLabel { found: found.to_owned(), expected: "PUBLIC KEY" });
            }
        }
        let pem = block.label.is_some().then(|| format!("{}\n", text.trim()));
        Self::from_der(&block.der, pem)
    }

    fn from_der(der: &[u8], pem: Option<String>) -> Result<Self, KeyFault> {
        const FORM: &str = "SubjectPublicKeyInfo";
        let head = der.get(..der.len().min(32)).unwrap_or_default();
        if !head.windows(RSA_ENCRYPTION.len()).any(|window| window == RSA_ENCRYPTION) {
            return Err(KeyFault::NotRsa(FORM));
        }
        let parsed = ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, der)
            .map_err(|_| KeyFault::NotRsa(FORM))?;
        let modulus_bits =
            PublicEncryptingKey::from_der(der).map(|key| key.key_size_bits()).map_err(|_| KeyFault::Size)?; // it parsed above, so only the size is left to refuse
        if !(MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&modulus_bits) {
            return Err(KeyFault::Size);
        }
        let pem = pem.unwrap_or_else(|| armour("PUBLIC KEY", der));
        Ok(Self(Arc::new(PublicInner { parsed, modulus_len: modulus_bits.div_ceil(8), pem })))
    }

    /// Length of the modulus, and so of every signature of this key, in bytes.
    pub fn modulus_len(&self) -> usize {
        self.0.modulus_len
    }

    /// The key as PEM: the text it was read from, or armour around the Base64 that was given.
    pub fn pem(&self) -> &str {
        &self.0.pem
    }

    /// Whether `signature` is this key's RSASSA-PKCS1-v1_5 signature with SHA-256 over `content`.
    pub fn verifies(&self, content: &[u8], signature: &[u8]) -> bool {
        self.0.parsed.verify_sig(content, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey(RSA, {} bytes)", self.0.modulus_len)
    }
}

/// A private key of ours, or of a client of the sandbox. Clones share one parsed key; nothing of it is ever shown.
#[derive(Clone)]
pub struct PrivateKey(Arc<PrivateInner>);

struct PrivateInner {
    pair: KeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// Reads PKCS#8 (PEM `PRIVATE KEY`) or PKCS#1 (PEM `RSA PRIVATE KEY`), or the bare Base64 of either.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let block = Block::read(text)?;
        let pair = match block.label.as_deref() {
            Some("PRIVATE KEY") => KeyPair::from_pkcs8(&block.der).map_err(|_| KeyFault::NotRsa("PKCS#8"))?,
            Some("RSA PRIVATE KEY") => {
                KeyPair::from_der(&block.der).map_err(|_| KeyFault::NotRsa("PKCS#1"))?
            }
            Some(found) => {
                return Err(KeyFault::WrongLabel {
                    found: found.to_owned(),
                    expected: "PRIVATE KEY or RSA PRIVATE KEY",
                });
            }
            None => KeyPair::from_pkcs8(&block.der)
                .or_else(|_| KeyPair::from_der(&block.der))
                .map_err(|_| KeyFault::NotRsa("PKCS#8 or PKCS#1"))?,
        };
        Self::from_pair(pair)
    }

    fn from_pair(pair: KeyPair) -> Result<Self, KeyFault> {
        let spki =
            AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).map_err(|_| KeyFault::NotRsa("PKCS#8"))?;
        let public = PublicKey::from_der(spki.as_ref(), None)?;
        Ok(Self(Arc::new(PrivateInner { pair, public })))
    }

    /// A fresh pair of 2048 bits: (PKCS#8 PEM, SubjectPublicKeyInfo PEM). For provisioning, never while answering.
    pub fn generate() -> Result<(String, String), KeyFault> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyFault::Generate)?;
        let pkcs8 = AsDer::<Pkcs8V1Der>::as_der(&pair).map_err(|_| KeyFault::Generate)?;
        let pem = armour("PRIVATE KEY", pkcs8.as_ref());
        let key = Self::from_pair(pair)?;
        Ok((pem, key.public_key().pem().to_owned()))
    }

    /// The RSASSA-PKCS1-v1_5 signature with SHA-256 over `content`, [`modulus_len`](Self::modulus_len) bytes.
    pub fn sign(&self, content: &[u8]) -> Result<Vec<u8>, KeyFault> {
        let mut value = vec![0; self.modulus_len()];
        // PKCS1-v1_5 is deterministic; the library ignores the source of randomness.
        self.0
            .pair
            .sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), content, &mut value)
            .map_err(|_| KeyFault::Sign)?;
        Ok(value)
    }

    /// Length of the modulus in bytes.
    pub fn modulus_len(&self) -> usize {
        self.0.public.modulus_len()
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

/// DER bytes and, when there was armour, its label.
pub(crate) struct Block {
    pub(crate) label: Option<String>,
    pub(crate) der: Vec<u8>,
}

impl Block {
    /// The first PEM block of `text`, or all of `text` as Base64.
    pub(crate) fn read(text: &str) -> Result<Self, KeyFault> {
        let Some((_, rest)) = text.split_once("-----BEGIN ") else {
            return Ok(Self { label: None, der: decode(text)? });
        };
        let (label, rest) = rest.split_once("-----").ok_or(KeyFault::NotText)?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----")).ok_or(KeyFault::NotText)?;
        // A legacy block with `Proc-Type` headers (an encrypted PKCS#1 key) fails here as not Base64.
        Ok(Self { label: Some(label.chars().take(64).collect()), der: decode(body)? })
    }
}

fn decode(text: &str) -> Result<Vec<u8>, KeyFault> {
    let compact: String = text.split_ascii_whitespace().collect();
    let der = STANDARD.decode(compact).map_err(|_| KeyFault::NotText)?;
    if der.is_empty() { Err(KeyFault::NotText) } else { Ok(der) }
}

/// PEM with lines of 64 characters (RFC 7468).
pub(crate) fn armour(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_pair_signs_and_verifies_in_every_form_it_is_read_from() {
        let (private_pem, public_pem) = PrivateKey::generate().unwrap();
        let bare = |pem: &str| -> String { pem.lines().filter(|line| !line.starts_with('-')).collect() };
        let value = PrivateKey::parse(&private_pem).unwrap().sign(b"content").unwrap();
        assert_eq!(value.len(), 256);
        assert_eq!(PrivateKey::parse(&bare(&private_pem)).unwrap().sign(b"content").unwrap(), value);
        let public = PublicKey::parse(&public_pem).unwrap();
        assert!(public.verifies(b"content", &value));
        assert!(!public.verifies(b"Content", &value));
        let from_bare = PublicKey::parse(&bare(&public_pem)).unwrap();
        assert_eq!((from_bare.pem(), from_bare.modulus_len()), (public_pem.as_str(), 256));
    }

    #[test]
    fn debug_shows_nothing_of_a_private_key() {
        let (pem, _) = PrivateKey::generate().unwrap();
        assert_eq!(format!("{:?}", PrivateKey::parse(&pem).unwrap()), "PrivateKey(..)");
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_reason() {
        let (private_pem, public_pem) = PrivateKey::generate().unwrap();
        let text = |fault: KeyFault| fault.to_string();
        assert_eq!(text(PublicKey::parse("@@").unwrap_err()), "the key is neither PEM nor Base64");
        assert_eq!(text(PublicKey::parse("").unwrap_err()), "the key is neither PEM nor Base64");
        assert_eq!(
            text(PublicKey::parse("AAAA").unwrap_err()),
            "not an RSA key in the form of SubjectPublicKeyInfo"
        );
        assert!(
            text(PublicKey::parse(&private_pem).unwrap_err())
                .contains("`PRIVATE KEY`; expected `PUBLIC KEY`")
        );
        assert!(
            text(PrivateKey::parse(&public_pem).unwrap_err()).starts_with("the PEM block is `PUBLIC KEY`")
        );
        let cut = public_pem.replace("-----END PUBLIC KEY-----", "");
        assert_eq!(PublicKey::parse(&cut).unwrap_err(), KeyFault::NotText);
    }
}
