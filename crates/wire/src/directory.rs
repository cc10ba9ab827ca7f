//! Who the signers are: clients with their parsed keys, as the gateway looks them up.

use crate::keys::PublicKey;
use accord_core::client::{Client, ClientStatus, KeyStatus};
use std::sync::Arc;

/// A client whose keys have been parsed once.
#[derive(Debug, Clone)]
pub struct KnownClient {
    /// Its registration.
    pub client: Client,
    /// Its keys, oldest first.
    pub keys: Vec<KnownKey>,
}

/// One parsed key.
#[derive(Debug, Clone)]
pub struct KnownKey {
    /// Its version, as requests name it.
    pub version: String,
    /// Does it verify?
    pub status: KeyStatus,
    /// The key.
    pub key: PublicKey,
}

impl KnownClient {
    /// The active key of that version; the newest active one when the request names none.
    pub fn key(&self, version: Option<&str>) -> Option<&KnownKey> {
        let mut active = self.keys.iter().rev().filter(|key| key.status == KeyStatus::Active);
        match version {
            Some(version) => active.find(|key| key.version == version),
            None => active.next(),
        }
    }

    /// May it call?
    pub fn is_active(&self) -> bool {
        self.client.status == ClientStatus::Active
    }
}

/// Looks clients up by their Client-Id.
pub trait Directory: Send + Sync {
    /// The client, if it is registered.
    fn find(&self, client_id: &str) -> Option<Arc<KnownClient>>;
}
