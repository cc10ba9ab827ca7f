//! The receipt of revocation: what a user holds against anybody who debits on.
//!
//! Its content is a fixed line and one JSON object. The line sets it apart from everything else the wallet signs
//! (decision 39). It is sealed with [`SealKey`], and checked with the public key alone: no server is asked. What it
//! says comes from the rows of the agreement, so that the same receipt can be made again at any time.

use crate::json::{self, Json};
use crate::seal::{SealFault, SealKey, SealPublicKey};
use crate::time;
use accord_core::agreement::{Agreement, AgreementStage, Terms};
use accord_core::user::{User, mask_login_id};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The first line of every receipt's content, its end included.
pub const LABEL: &str = "accord receipt of revocation v1\n";

/// A receipt, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The exact text that was sealed.
    pub content: String,
    /// The seal, ASN.1 DER.
    pub signature: Vec<u8>,
    /// Names the key that sealed it.
    pub key_id: String,
}

/// Why a receipt does not hold: a sentence for the one who holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// The file is not what a receipt's file is.
    #[error("this is no receipt: {0}")]
    NoReceipt(String),
    /// The content does not begin with the label.
    #[error("the content does not begin with the line `{}`: it is no receipt of revocation", LABEL.trim_end())]
    Label,
    /// Sealed with another key than the one given.
    #[error("the receipt names key {named}, and the key given is {given}: ask the wallet for the right one")]
    OtherKey {
        /// The key that it names.
        named: String,
        /// The key that was given.
        given: String,
    },
    /// The seal does not fit.
    #[error("the signature does not hold: the content was changed, or it was never signed with this key")]
    Signature,
}

/// The receipt for an agreement that has ended; nothing for one that lives. Times are UTC.
pub fn content(
    agreement: &Agreement,
    terms: &Terms,
    user: &User,
    wallet_url: &str,
    key_id: &str,
) -> Option<String> {
    let AgreementStage::Ended { at, by } = agreement.stage else { return None };
    let mut document = json!({
        "agreementId": agreement.id.as_str(),
        "dialect": agreement.dialect.as_str(),
        "merchantName": terms.legal_name,
        "merchantDisplayName": terms.display_name,
        "clientId": agreement.client.as_str(),
    });
    for (name, value) in [
        ("authClientId", &terms.auth_client_id),
        ("referenceMerchantId", &terms.reference_merchant_id),
        ("referenceAgreementId", &terms.reference_agreement_id),
    ] {
        if let Some(value) = value {
            document[name] = Value::from(value.as_str());
        }
    }
    document["userLoginId"] = mask_login_id(&user.login_id).into();
    document["agreedAt"] = time::format_millis(agreement.created_at.0, 0).into();
    document["endedAt"] = time::format_millis(at.0, 0).into();
    document["endedBy"] = by.as_str().into();
    document["wallet"] = wallet_url.into();
    document["keyId"] = key_id.into();
    Some(format!("{LABEL}{document}"))
}

impl Receipt {
    /// Seals a content.
    pub fn seal(content: String, key: &SealKey) -> Result<Receipt, SealFault> {
        let signature = key.sign(content.as_bytes())?;
        Ok(Receipt { content, signature, key_id: key.public_key().id().to_owned() })
    }

    /// The file: one JSON document.
    pub fn document(&self) -> Value {
        json!({
            "content": self.content,
            "signature": STANDARD.encode(&self.signature),
            "keyId": self.key_id,
        })
    }

    /// Reads a file. Nothing is checked but its form.
    pub fn read(document: &[u8]) -> Result<Receipt, ReceiptFault> {
        let no = |why: &str| ReceiptFault::NoReceipt(why.to_owned());
        let document = json::parse(document).map_err(|fault| no(&format!("not JSON: {fault}")))?;
        let text = |name: &str| {
            let value = document.get(name).and_then(Json::as_str).map(str::to_owned);
            value.ok_or_else(|| no(&format!("it has no text `{name}`")))
        };
        let signature = STANDARD.decode(text("signature")?).map_err(|_| no("`signature` is not Base64"))?;
        Ok(Receipt { content: text("content")?, signature, key_id: text("keyId")? })
    }

    /// Checks label, key and seal; gives what the receipt says.
    pub fn verify(&self, key: &SealPublicKey) -> Result<Json, ReceiptFault> {
        let said = self.content.strip_prefix(LABEL).ok_or(ReceiptFault::Label)?;
        if self.key_id != key.id() {
            return Err(ReceiptFault::OtherKey {
                named: json::shown(&self.key_id),
                given: key.id().to_owned(),
            });
        }
        if !key.verifies(self.content.as_bytes(), &self.signature) {
            return Err(ReceiptFault::Signature);
        }
        json::parse(said.as_bytes())
            .map_err(|fault| ReceiptFault::NoReceipt(format!("it says nothing: {fault}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Receipt, SealPublicKey) {
        let key = SealKey::parse(&SealKey::generate().unwrap().0).unwrap();
        let content = format!("{LABEL}{{\"agreementId\":\"a\"}}");
        (Receipt::seal(content, &key).unwrap(), key.public_key().clone())
    }

    #[test]
    fn a_receipt_holds_after_it_was_written_and_read() {
        let (receipt, key) = sealed();
        let read = Receipt::read(receipt.document().to_string().as_bytes()).unwrap();
        assert_eq!(read, receipt);
        assert_eq!(read.verify(&key).unwrap().get("agreementId").and_then(Json::as_str), Some("a"));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (receipt, key) = sealed();
        for place in 0..receipt.content.len() {
            let mut bytes = receipt.content.clone().into_bytes();
            bytes[place] ^= 1;
            let content = String::from_utf8(bytes).unwrap();
            let fault = Receipt { content, ..receipt.clone() }.verify(&key).unwrap_err();
            let expected = if place < LABEL.len() { ReceiptFault::Label } else { ReceiptFault::Signature };
            assert_eq!(fault, expected, "byte {place}");
        }
        let mut signature = receipt.signature.clone();
        *signature.last_mut().unwrap() ^= 1;
        assert_eq!(Receipt { signature, ..receipt }.verify(&key), Err(ReceiptFault::Signature));
    }

    #[test]
    fn another_key_and_another_file_are_named() {
        let (receipt, key) = sealed();
        let (_, other) = sealed();
        let said = receipt.verify(&other).unwrap_err().to_string();
        assert!(said.contains(key.id()) && said.contains(other.id()), "{said}");
        // Naming the given key does not make it sign.
        let renamed = Receipt { key_id: other.id().to_owned(), ..receipt };
        assert_eq!(renamed.verify(&other), Err(ReceiptFault::Signature));
        for file in ["", "[]", "{}", r#"{"content":"x","keyId":"y","signature":"@"}"#, r#"{"content":1}"#] {
            assert!(matches!(Receipt::read(file.as_bytes()), Err(ReceiptFault::NoReceipt(_))), "{file}");
        }
    }
}
