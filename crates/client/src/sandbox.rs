//! `sandbox.json`: where a sandbox is, and the keys to it. Written by `accord dev`, read by everybody else.
//!
//! Members that are not known here are ignored; paths are relative to the sandbox's directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use accord_wire::keys::{KeyFault, PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};

use crate::operations::DialectKind;
use crate::request::{Identity, Wallet};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxFile {
    /// Scheme, host and port.
    pub base_url: String,
    /// The wallet's keys, oldest first.
    pub wallet_keys: Vec<WalletKeyFile>,
    /// The wallet's public key for receipts of revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_key_file: Option<String>,
    /// The Qi test client.
    pub qi: SandboxClient,
    /// A second one, for tests of isolation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qi2: Option<SandboxClient>,
    /// The Alipay+ test client.
    pub alipay_plus: SandboxClient,
    /// A second one, for tests of isolation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alipay_plus2: Option<SandboxClient>,
    /// The wallet API, with a credential that may everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_api: Option<SandboxWalletApi>,
    /// The test users.
    #[serde(default)]
    pub users: Vec<SandboxUser>,
}

/// The wallet API of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxWalletApi {
    /// Everything of it is under this.
    pub base_url: String,
    /// For `Authorization: Bearer …`.
    pub token: String,
}

/// A public key of the wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WalletKeyFile {
    /// Its version.
    pub key_version: String,
    /// SubjectPublicKeyInfo PEM.
    pub public_key_file: String,
}

/// A test client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxClient {
    /// Its Client-Id.
    pub client_id: String,
    /// The version of its key.
    pub key_version: String,
    /// PKCS#8 PEM.
    pub private_key_file: String,
    /// Where its dialect is mounted.
    #[serde(default)]
    pub path_prefix: String,
    /// The wallet's pspId (Alipay+).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psp_id: Option<String>,
    /// An acquirerId to use (Alipay+).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acquirer_id: Option<String>,
    /// The wallet's name for customerBelongsTo (Alipay+).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_name: Option<String>,
}

/// A test user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxUser {
    /// What it signs in by.
    pub login_id: String,
    /// Its PIN.
    pub pin: String,
    /// Its customerId.
    pub customer_id: String,
    /// `active` or `frozen`.
    pub status: String,
    /// Opening balances in minor units, by currency.
    pub balances: BTreeMap<String, String>,
}

/// Why the files of a sandbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SandboxFault {
    /// A file cannot be read or written.
    #[error("{path}: {fault}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        fault: std::io::Error,
    },
    /// `sandbox.json` is not what it should be.
    #[error("{path}: {fault}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: serde_json::Error,
    },
    /// A key file holds no such key.
    #[error("{path}: {fault}", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: KeyFault,
    },
    /// No client of that name.
    #[error("no client `{0}` in the sandbox: qi, qi2, alipayPlus or alipayPlus2")]
    Who(String),
}

impl SandboxFile {
    /// The file's name in the sandbox's directory.
    pub const NAME: &'static str = "sandbox.json";

    /// Reads the file in `dir`.
    pub fn read(dir: &Path) -> Result<SandboxFile, SandboxFault> {
        let path = dir.join(Self::NAME);
        let text = text_of(&path)?;
        serde_json::from_str(&text).map_err(|fault| SandboxFault::Json { path, fault })
    }

    /// Writes the file in `dir`; readers see the old one or the new one, never a part.
    pub fn write(&self, dir: &Path) -> Result<(), SandboxFault> {
        self.write_as(dir, Self::NAME)
    }

    /// Writes it under another name (`node-<port>.json`, for a second process on one directory).
    pub fn write_as(&self, dir: &Path, name: &str) -> Result<(), SandboxFault> {
        let path = dir.join(name);
        let text = serde_json::to_string_pretty(self)
            .map_err(|fault| SandboxFault::Json { path: path.clone(), fault })?;
        let partial = dir.join(format!("{name}.partial"));
        std::fs::write(&partial, text + "\n")
            .and_then(|()| std::fs::rename(&partial, &path))
            .map_err(|fault| SandboxFault::File { path, fault })
    }

    /// The test client of that name, and what it speaks.
    pub fn client(&self, who: &str) -> Result<(&SandboxClient, DialectKind), SandboxFault> {
        let found = match who {
            "qi" => Some((&self.qi, DialectKind::Qi)),
            "qi2" => self.qi2.as_ref().map(|client| (client, DialectKind::Qi)),
            "alipayPlus" => Some((&self.alipay_plus, DialectKind::AlipayPlus)),
            "alipayPlus2" => self.alipay_plus2.as_ref().map(|client| (client, DialectKind::AlipayPlus)),
            _ => None,
        };
        found.ok_or_else(|| SandboxFault::Who(who.to_owned()))
    }

    /// Who signs as that test client.
    pub fn identity(&self, dir: &Path, who: &str) -> Result<Identity, SandboxFault> {
        let (client, _) = self.client(who)?;
        let path = dir.join(&client.private_key_file);
        let private_key =
            PrivateKey::parse(&text_of(&path)?).map_err(|fault| SandboxFault::Key { path, fault })?;
        Ok(Identity {
            client_id: client.client_id.clone(),
            key_version: client.key_version.clone(),
            private_key,
        })
    }

    /// The wallet as that test client sees it.
    pub fn wallet(&self, dir: &Path, who: &str) -> Result<Wallet, SandboxFault> {
        let (client, dialect) = self.client(who)?;
        let mut wallet_keys = Vec::new();
        for key in &self.wallet_keys {
            let path = dir.join(&key.public_key_file);
            let public =
                PublicKey::parse(&text_of(&path)?).map_err(|fault| SandboxFault::Key { path, fault })?;
            wallet_keys.push((key.key_version.clone(), public));
        }
        Ok(Wallet {
            base_url: self.base_url.clone(),
            path_prefix: client.path_prefix.clone(),
            dialect,
            wallet_keys,
        })
    }
}

fn text_of(path: &Path) -> Result<String, SandboxFault> {
    std::fs::read_to_string(path).map_err(|fault| SandboxFault::File { path: path.to_owned(), fault })
}
