//! Signing a request: a plain function from body and time to everything that is sent.

use accord_wire::gateway::{Outbound, outbound_content, target_of};
use accord_wire::keys::{PrivateKey, PublicKey};
use accord_wire::signature::Signed;

use crate::call::CallFault;
use crate::operations::{DialectKind, path_of};

/// Who calls.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its Client-Id.
    pub client_id: String,
    /// The version of its key, as the wallet knows it.
    pub key_version: String,
    /// The key.
    pub private_key: PrivateKey,
}

/// Who is called.
#[derive(Debug, Clone)]
pub struct Wallet {
    /// Scheme, host and port: `https://wallet.example`.
    pub base_url: String,
    /// Where the dialect is mounted: `""`, `/aps/api`.
    pub path_prefix: String,
    /// What is spoken there.
    pub dialect: DialectKind,
    /// The wallet's public keys by version, oldest first. A reply that names none is checked with the last.
    pub wallet_keys: Vec<(String, PublicKey)>,
}

impl Wallet {
    /// The key of that version; the newest when a reply names none.
    pub fn key(&self, version: Option<&str>) -> Option<&PublicKey> {
        key_of(&self.wallet_keys, version)
    }
}

pub(crate) fn key_of<'k>(keys: &'k [(String, PublicKey)], version: Option<&str>) -> Option<&'k PublicKey> {
    let mut newest_first = keys.iter().rev();
    match version {
        Some(version) => newest_first.find(|(known, _)| known == version).map(|(_, key)| key),
        None => newest_first.next().map(|(_, key)| key),
    }
}

/// A request, ready to be sent, now or later, once or often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// Always POST.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Path and query: what is signed of the URL.
    pub target: String,
    /// Client-Id, as signed.
    pub client_id: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The exact bytes that were signed.
    pub content: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

/// Signs a call of `operation` (a name of [`operations`](crate::operations), or a path). `time` becomes
/// Request-Time as it is.
pub fn prepare_request(
    identity: &Identity,
    wallet: &Wallet,
    operation: &str,
    body: &[u8],
    time: &str,
) -> Result<SignedRequest, CallFault> {
    let path = path_of(wallet.dialect, operation)
        .ok_or_else(|| CallFault::Operation { name: operation.to_owned(), dialect: wallet.dialect })?;
    let url = format!("{}{}{path}", wallet.base_url.trim_end_matches('/'), wallet.path_prefix);
    sign_request(identity, &url, body, time)
}

/// Signs a POST to any URL.
pub fn sign_request(
    identity: &Identity,
    url: &str,
    body: &[u8],
    time: &str,
) -> Result<SignedRequest, CallFault> {
    let url = url::Url::parse(url)
        .ok()
        .filter(|parsed| matches!(parsed.scheme(), "http" | "https") && parsed.has_host())
        .ok_or_else(|| CallFault::Url(url.to_owned()))?;
    let target = target_of(&url);
    let content = outbound_content("POST", &target, &identity.client_id, time, body);
    let signature = identity.private_key.sign(&content)?;
    let signed = Signed { key_version: identity.key_version.clone(), signature };
    let Outbound { headers } = Outbound::new(&identity.client_id, time, &signed);
    Ok(SignedRequest {
        method: "POST",
        url: url.into(),
        target,
        client_id: identity.client_id.clone(),
        headers,
        content,
        body: body.to_vec(),
    })
}
