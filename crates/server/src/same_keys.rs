//! Nodes on one store have the same keys, or say that they have not.
//!
//! A derivation or wallet key that is not the one which the store knows by its version stops a start. A node whose other
//! keys (of pages, of QR codes) differ from those of the nodes that serve is not ready until these have gone. In a
//! sandbox, whose keys are nobody's secret, nobody looks.

use crate::app::{App, ServerOptions};
use crate::clock::Clock;
use accord_core::moment::keyed_hash;
use accord_core::same_keys::{self, LABEL, Print};
use accord_core::secret::{DerivationKeys, Digest};
use accord_core::store::{self, Rows, Stored, Tx};
use accord_core::{Ruled, Timestamp, lease};
use accord_wire::signature::WalletKeys;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often a node looks, and how long its keys are those of the store after it was last heard of.
const EVERY: Duration = Duration::from_secs(5);
const LEASE_MS: i64 = 30_000;

/// What is wrong with this node's keys, in a sentence for its operator.
#[derive(Debug, Default)]
pub struct SameKeys(Mutex<Option<String>>);

impl SameKeys {
    /// The sentence, while there is one.
    pub fn fault(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, fault: Option<String>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*kept, &fault) {
            (None, Some(why)) => tracing::error!("not ready: {why}"),
            (Some(_), None) => tracing::info!("the keys of this node are those of all nodes again"),
            _ => {}
        }
        *kept = fault;
    }
}

/// The keys with a version.
pub fn lasting(derivation: &DerivationKeys, wallet: &WalletKeys) -> Vec<Print> {
    let named =
        |kind, version: &dyn std::fmt::Display, print| Print { name: format!("{kind}_{version}"), print };
    let derivation = derivation.prints().into_iter();
    let derivation = derivation.map(|(version, print)| named("derivation", &version, print));
    let wallet = wallet.keys().iter();
    let wallet = wallet.map(|key| named("wallet", &key.version, Digest::of(key.key.public_key().pem())));
    derivation.chain(wallet).collect()
}

/// The others.
fn passing(options: &ServerOptions) -> Vec<Print> {
    let pages = Print { name: "pages".into(), print: Digest(keyed_hash(&options.page_key, &[LABEL])) };
    let qr = options.qr_handles.as_ref();
    let qr = qr.map(|handles| Print { name: "qr".into(), print: Digest(handles.print()) });
    std::iter::once(pages).chain(qr).collect()
}

/// What is said of a key that is not the one of its version.
pub fn mixed_up(key: &Print) -> String {
    let (kind, version) = key.name.split_once('_').unwrap_or((&key.name, ""));
    format!(
        "`keys.{kind}`: version {version} is not the key that this store knows by that version: put the right file back \
         (another node or your copy has it), or give the new key a version of its own"
    )
}

/// Writes down the keys that the store does not know yet, and takes the others for the store's if nobody else serves.
/// A sentence in the first place: this node must not start.
pub fn begin(options: &ServerOptions, clock: &Clock) -> Ruled<Result<SameKeys, String>> {
    let same = SameKeys::default();
    if options.sandbox.is_some() {
        return Ok(Ok(same));
    }
    let (store, prints) = (options.store.as_ref(), lasting(&options.keys, &options.signer.keys()));
    if let Some(key) = store::transact(store, move |tx| same_keys::keep(tx, &prints))? {
        return Ok(Err(mixed_up(&key)));
    }
    if store.is_shared() {
        let (prints, now) = (passing(options), clock.unmoved());
        same.set(store::transact(store, move |tx| take(tx, &prints, now))?);
    }
    Ok(Ok(same))
}

/// Takes or renews the leases of these keys; a sentence about the first one that others serve without.
fn take(tx: &mut dyn Tx, prints: &[Print], now: Timestamp) -> Ruled<Option<String>> {
    for key in prints {
        if !lease::take(tx, &format!("key_{}", key.name), &key.print.hex(), LEASE_MS, now)? {
            return Ok(Some(format!(
                "`keys.{}` is not the key of the nodes that serve from this database: give this node the same file, or \
                 stop the others first",
                key.name
            )));
        }
    }
    Ok(None)
}

/// Looks until the server stops.
pub async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let prints = passing(&app.options);
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.changed() => return,
        }
        let (seen, now) = (prints.clone(), app.clock.unmoved());
        // Whoever else has the same keys has renewed them for all.
        let held = app.look(move |rows| held(rows, &seen, now)).await;
        if matches!(held, Ok(true)) {
            app.same_keys.set(None);
            continue;
        }
        let seen = prints.clone();
        let taken: Ruled<Option<String>> = app.transact(move |tx| take(tx, &seen, now)).await;
        match taken {
            Ok(fault) => app.same_keys.set(fault),
            Err(stop) => tracing::warn!(?stop, "the keys of the other nodes could not be looked at"),
        }
    }
}

/// Are these the keys of the store, for a while?
fn held(rows: &dyn Rows, prints: &[Print], now: Timestamp) -> Stored<bool> {
    for key in prints {
        let lease = lease::read(rows, &format!("key_{}", key.name))?;
        let ours =
            |lease: &lease::Lease| lease.holder == key.print.hex() && lease.until.since(now) > LEASE_MS / 2;
        if !lease.as_ref().is_some_and(ours) {
            return Ok(false);
        }
    }
    Ok(true)
}
