//! Keys of clients: added before a client begins to sign with them, retired when it no longer does.
//!
//! That a text is a public key is judged by whoever reads it: this crate knows no cryptography of keys.

use super::{ClientKey, KeyStatus};
use crate::handle::Bucket;
use crate::ids::ClientId;
use crate::journal;
use crate::moment::Moment;
use crate::outcome::Ruled;
use crate::store::Tx;

/// The setting that grows by one whenever a client or key row changes: running servers read them again.
pub const REVISION_SETTING: &str = "clients_revision";

/// Tells running servers that clients or keys have changed.
pub fn bump_revision(tx: &mut dyn Tx) -> Ruled<()> {
    let revision: u64 = tx.setting(REVISION_SETTING)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(tx.put_setting(REVISION_SETTING, &revision.saturating_add(1).to_string())?)
}

/// What came of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAdded {
    /// The key verifies from now on.
    Now,
    /// It did already. Nothing was changed.
    AsItWas,
    /// The version is taken by another key. Nothing was changed: what a version means is for good.
    VersionTaken,
    /// There is no such client.
    NoClient,
}

/// Gives a client a key. A retired one verifies again.
pub fn add(
    tx: &mut dyn Tx,
    client: &ClientId,
    version: &str,
    public_key: &str,
    actor: &str,
    at: &Moment,
) -> Ruled<KeyAdded> {
    if tx.client(client)?.is_none() {
        return Ok(KeyAdded::NoClient);
    }
    let key = match find(tx, client, version)? {
        Some(key) if key.public_key != public_key => return Ok(KeyAdded::VersionTaken),
        Some(key) if key.status == KeyStatus::Active => return Ok(KeyAdded::AsItWas),
        Some(key) => ClientKey { status: KeyStatus::Active, ..key },
        None => ClientKey {
            client: client.clone(),
            version: version.to_owned(),
            public_key: public_key.to_owned(),
            status: KeyStatus::Active,
            created_at: at.now,
        },
    };
    tx.put_client_key(&key)?;
    bump_revision(tx)?;
    journal::append(tx, at, bucket_of(client), "key.added", client.as_str(), actor, version)?;
    Ok(KeyAdded::Now)
}

/// Stops verifying with a key. False: there is no such key. Retiring it again changes nothing.
pub fn retire(tx: &mut dyn Tx, client: &ClientId, version: &str, actor: &str, at: &Moment) -> Ruled<bool> {
    let Some(key) = find(tx, client, version)? else { return Ok(false) };
    if key.status == KeyStatus::Active {
        tx.put_client_key(&ClientKey { status: KeyStatus::Retired, ..key })?;
        bump_revision(tx)?;
        journal::append(tx, at, bucket_of(client), "key.retired", client.as_str(), actor, version)?;
    }
    Ok(true)
}

/// The stream of a client's journal lines.
pub fn bucket_of(client: &ClientId) -> Bucket {
    Bucket::of(&["client", client.as_str()])
}

fn find(tx: &dyn Tx, client: &ClientId, version: &str) -> Ruled<Option<ClientKey>> {
    Ok(tx.client_keys()?.into_iter().find(|key| key.client == *client && key.version == version))
}
