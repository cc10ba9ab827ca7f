//! The directory of clients: an immutable picture with parsed keys, renewed when the store says it is old.

use accord_core::client::keys::REVISION_SETTING;
use accord_core::store::{Rows, Store, Stored, look};
use accord_wire::directory::{Directory, KnownClient, KnownKey};
use accord_wire::keys::PublicKey;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Picture = (Option<String>, HashMap<String, Arc<KnownClient>>);

/// Clients by Client-Id. Looking one up costs no lock and no query.
pub struct Clients {
    picture: ArcSwap<Picture>,
    looked_again: Mutex<Instant>,
}

/// A stranger makes us look again no more often than this.
const PATIENCE: Duration = Duration::from_millis(200);

impl Clients {
    /// Reads the directory for the first time.
    pub fn load(store: &dyn Store) -> Stored<Clients> {
        let picture = look(store, |rows| read(rows))?;
        Ok(Clients { picture: ArcSwap::from_pointee(picture), looked_again: Mutex::new(Instant::now()) })
    }

    /// May the directory be looked at again for a signer that is not in it? Not too often.
    pub fn may_look_again(&self) -> bool {
        let Ok(mut last) = self.looked_again.lock() else { return false };
        let now = Instant::now();
        let may = now.duration_since(*last) >= PATIENCE;
        if may {
            *last = now;
        }
        may
    }

    /// Reads it again if its revision has changed.
    pub fn refresh(&self, rows: &dyn Rows) -> Stored<()> {
        if rows.setting(REVISION_SETTING)? != self.picture.load().0 {
            self.picture.store(Arc::new(read(rows)?));
        }
        Ok(())
    }

    /// Every client.
    pub fn all(&self) -> Vec<Arc<KnownClient>> {
        self.picture.load().1.values().cloned().collect()
    }
}

impl Directory for Clients {
    fn find(&self, client_id: &str) -> Option<Arc<KnownClient>> {
        self.picture.load().1.get(client_id).cloned()
    }
}

fn read(rows: &dyn Rows) -> Stored<Picture> {
    let revision = rows.setting(REVISION_SETTING)?;
    let mut keys: HashMap<String, Vec<KnownKey>> = HashMap::new();
    for row in rows.client_keys()? {
        match PublicKey::parse(&row.public_key) {
            Ok(key) => keys.entry(row.client.as_str().to_owned()).or_default().push(KnownKey {
                version: row.version,
                status: row.status,
                key,
            }),
            Err(fault) => {
                tracing::error!(client = %row.client, version = row.version, %fault, "a client's key cannot be read");
            }
        }
    }
    let clients = rows.clients()?.into_iter().map(|client| {
        let id = client.id.as_str().to_owned();
        let keys = keys.remove(&id).unwrap_or_default();
        (id, Arc::new(KnownClient { client, keys }))
    });
    Ok((revision, clients.collect()))
}
