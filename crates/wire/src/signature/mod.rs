//! The signed envelope both dialects share: what is signed, the `Signature` header, checking, and signing.
//!
//! ```text
//! POST SP <uri> LF <client-id> "." <time> "." <body>
//! ```
//!
//! Which key a Client-Id and a keyVersion name, and which result code a fault becomes, is decided by the caller.
//! Read on in `header` (the header's two directions) and `pool` (the threads that sign).

use std::fmt;

use sha2::{Digest, Sha256};

use crate::keys::PublicKey;

mod header;
mod pool;

pub use header::{
    Algorithm, Encoding, MAX_HEADER_BYTES, MAX_HEADER_ITEMS, MAX_KEY_VERSION, Reading, SignatureHeader,
    is_key_version, parse, render,
};
pub use pool::{
    DoneFn, Engine, Lane, MAX_BATCH, PoolOptions, SignJob, Signed, Signer, SignerFault, SigningPool,
    SingleBuffer, WalletKey, WalletKeys, WalletKeysFault, sign_blocking,
};

/// The bytes that a signature covers, in both directions: an answer is signed over its request's method and URI.
///
/// `uri` is path and query as sent; `client_id` and `time` are the headers' texts as sent; `body` is the raw body.
/// Nothing is decoded, normalised or re-serialised (Alipay+ 1.4, Qi 1.4).
pub fn content_to_sign(method: &[u8], uri: &[u8], client_id: &[u8], time: &[u8], body: &[u8]) -> Vec<u8> {
    let parts: [&[u8]; 9] = [method, b" ", uri, b"\n", client_id, b".", time, b".", body];
    parts.concat()
}

/// Length and SHA-256 of a content, so that a caller can compare ours with its own (decision 14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentDigest {
    /// Number of bytes.
    pub length: usize,
    /// SHA-256 as 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, SHA-256 {}", self.length, self.sha256)
    }
}

/// Measures `content` for the message of an `INVALID_SIGNATURE`.
pub fn content_digest(content: &[u8]) -> ContentDigest {
    let sha256 = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    ContentDigest { length: content.len(), sha256 }
}

/// Why a signature is not accepted. All are `INVALID_SIGNATURE` save [`KeyVersion`](Self::KeyVersion), which is
/// `KEY_NOT_FOUND`. The text is fit for the result message: it repeats nothing that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// No `Signature` header.
    #[error("Signature: header missing")]
    Missing,
    /// More than one `Signature` header.
    #[error("Signature: header sent more than once")]
    Doubled,
    /// The header is longer than [`MAX_HEADER_BYTES`] or has more than [`MAX_HEADER_ITEMS`] items.
    #[error("Signature: header too long")]
    TooLong,
    /// A byte outside visible ASCII, or an item without `=` or without a key.
    #[error("Signature: header is not a list of key=value items")]
    Unparseable,
    /// One key occurs twice.
    #[error("Signature: an item occurs more than once")]
    DuplicateItem,
    /// Another algorithm than RSA256.
    #[error("Signature: algorithm must be RSA256")]
    Algorithm,
    /// keyVersion is not 1 to 32 visible ASCII characters.
    #[error("Signature: keyVersion must be 1 to 32 visible ASCII characters")]
    KeyVersion,
    /// No item `signature`, or an empty one.
    #[error("Signature: item signature missing or empty")]
    ValueMissing,
    /// The value is not Base64.
    #[error("Signature: value is not Base64")]
    ValueEncoding,
    /// The value is not as long as the key's modulus.
    #[error("Signature: value has {got} bytes; this key's signatures have {expected}")]
    ValueLength {
        /// Bytes that were sent.
        got: usize,
        /// Bytes of the modulus.
        expected: usize,
    },
    /// Well-formed, but not this key's signature over this content.
    #[error("Signature: does not match the content")]
    Mismatch,
}

impl SignatureFault {
    /// Whether the fault is about the key version, and so `KEY_NOT_FOUND` instead of `INVALID_SIGNATURE`.
    pub fn is_key_version(self) -> bool {
        self == Self::KeyVersion
    }
}

/// Checks `header`'s value over `content` with `key`.
pub fn verify(key: &PublicKey, content: &[u8], header: &SignatureHeader) -> Result<(), SignatureFault> {
    let (got, expected) = (header.value.len(), key.modulus_len());
    if got != expected {
        return Err(SignatureFault::ValueLength { got, expected });
    }
    if key.verifies(content, &header.value) { Ok(()) } else { Err(SignatureFault::Mismatch) }
}
