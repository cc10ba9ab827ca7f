//! The signed digest of a settlement file: JSON beside it, with a P-256 seal over content that begins with a label of
//! its own, so that it can never pass for a protocol message (decision 39).

use crate::seal::{SealFault, SealKey, SealPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write;

/// The first line of the signed content.
pub const LABEL: &str = "accord settlement digest v1";

/// Which bytes are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// The counterparty.
    pub client: String,
    /// `2026-01-15`.
    pub date: String,
    /// The zone of that day.
    pub zone: String,
    /// `whole` or `partial`.
    pub extent: String,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
}

impl Digest {
    /// The bytes that are signed: the label and the fields, each a line. No field can hold a line break.
    pub fn content(&self) -> Vec<u8> {
        let Digest { client, date, zone, extent, bytes, sha256 } = self;
        format!("{LABEL}\n{client}\n{date}\n{zone}\n{extent}\n{bytes}\n{sha256}\n").into_bytes()
    }

    /// Signs it. The value differs each time, and every one of them verifies.
    pub fn sign(self, key: &SealKey) -> Result<Signed, SealFault> {
        let signature = STANDARD.encode(key.sign(&self.content())?);
        Ok(Signed {
            format: LABEL.to_owned(),
            digest: self,
            key_id: key.public_key().id().to_owned(),
            signature,
        })
    }
}

/// The file beside the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    /// [`LABEL`].
    pub format: String,
    /// What is signed.
    #[serde(flatten)]
    pub digest: Digest,
    /// Names the key.
    pub key_id: String,
    /// ECDSA P-256 with SHA-256, ASN.1 DER, standard Base64.
    pub signature: String,
}

impl Signed {
    /// Reads the JSON; nothing when it is none of ours.
    pub fn parse(text: &[u8]) -> Option<Signed> {
        let signed: Signed = serde_json::from_slice(text).ok()?;
        let plain = [&signed.digest.client, &signed.digest.date, &signed.digest.zone, &signed.digest.extent]
            .iter()
            .all(|field| !field.contains('\n'));
        (signed.format == LABEL && plain).then_some(signed)
    }

    /// The JSON.
    pub fn render(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// Did that key sign exactly this digest?
    pub fn holds(&self, key: &SealPublicKey) -> bool {
        let value = STANDARD.decode(&self.signature);
        value.is_ok_and(|value| key.verifies(&self.digest.content(), &value))
    }
}

/// Passes bytes on and measures them: a whole file is never in memory.
pub struct Measured<W: Write> {
    out: W,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write> Measured<W> {
    /// Measures what goes to `out`.
    pub fn new(out: W) -> Measured<W> {
        Measured { out, bytes: 0, hash: Sha256::new() }
    }

    /// Where it went, its length and its SHA-256 in hexadecimal digits.
    pub fn end(self) -> (W, u64, String) {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (self.out, self.bytes, sha256)
    }
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_holds_for_its_key_and_its_content_alone() {
        let (private, _) = SealKey::generate().unwrap();
        let key = SealKey::parse(&private).unwrap();
        let digest = Digest {
            client: "SHOP_1".into(),
            date: "2026-01-15".into(),
            zone: "+08:00".into(),
            extent: "whole".into(),
            bytes: 7,
            sha256: "00".repeat(32),
        };
        assert!(digest.content().starts_with(b"accord settlement digest v1\n"));
        let signed = digest.sign(&key).unwrap();
        let read = Signed::parse(signed.render().as_bytes()).unwrap();
        assert_eq!(read, signed);
        assert!(read.holds(key.public_key()));
        let mut other = read.clone();
        other.digest.bytes = 8;
        assert!(!other.holds(key.public_key()));
        let (stranger, _) = SealKey::generate().unwrap();
        assert!(!read.holds(SealKey::parse(&stranger).unwrap().public_key()));
        assert_eq!(Signed::parse(signed.render().replace("digest v1", "digest v2").as_bytes()), None);
    }
}
