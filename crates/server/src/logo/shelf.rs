//! Logos that were fetched lately, by address: bounded in number, size and time, and one fetch at a time for each.

use super::fetch::{Fetcher, PATIENCE, Picture};
use crate::outbound::OutboundPolicy;
use accord_core::Timestamp;
use accord_core::policy::MINUTE;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OnceCell, Semaphore};

/// A logo is fetched again after an hour.
const KEPT_MS: i64 = 60 * MINUTE;
/// And what was no logo, after a minute.
const MISSED_MS: i64 = MINUTE;
/// So many addresses are remembered.
const MOST: usize = 256;
/// So many bytes of images in all.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// So many fetches at a time.
const AT_ONCE: usize = 8;

type Place = Arc<OnceCell<Option<Arc<Picture>>>>;

struct Entry {
    since: Timestamp,
    place: Place,
}

impl Entry {
    /// Is it under way: does somebody wait for it? Whoever closes a page does not any more.
    fn under_way(&self) -> bool {
        !self.place.initialized() && Arc::strong_count(&self.place) > 1
    }

    /// Is it under way, or young enough?
    fn fresh(&self, now: Timestamp) -> bool {
        let life = match self.place.get() {
            None => return self.under_way(),
            Some(Some(_)) => KEPT_MS,
            Some(None) => MISSED_MS,
        };
        (0..=life).contains(&now.since(self.since))
    }

    fn bytes(&self) -> usize {
        self.place.get().and_then(Option::as_ref).map_or(0, |picture| picture.bytes.len())
    }
}

/// The shelf.
pub struct Logos {
    fetcher: Fetcher,
    permits: Semaphore,
    entries: Mutex<HashMap<String, Entry>>,
}

impl Logos {
    /// An empty one, for a server that may go where that policy says.
    pub fn new(policy: &OutboundPolicy) -> Result<Logos, reqwest::Error> {
        Ok(Logos {
            fetcher: Fetcher::new(policy)?,
            permits: Semaphore::new(AT_ONCE),
            entries: Mutex::default(),
        })
    }

    /// The logo at that address; nothing when there is none that a page may show.
    pub async fn get(&self, url: &str, now: Timestamp) -> Option<Arc<Picture>> {
        let place = self.place(url, now)?;
        // Who comes while it is under way waits for the same fetch.
        let picture = place.get_or_init(|| self.fetch(url)).await.clone();
        self.tidy();
        picture
    }

    async fn fetch(&self, url: &str) -> Option<Arc<Picture>> {
        // A page does not wait for the logos of others longer than for its own.
        let _permit = tokio::time::timeout(PATIENCE, self.permits.acquire()).await.ok()?.ok()?;
        match self.fetcher.fetch(url).await {
            Ok(picture) => Some(Arc::new(picture)),
            Err(why) => {
                tracing::info!(why, "a merchant's logo was not taken");
                None
            }
        }
    }

    /// The place of that address; nothing while too many others are under way.
    fn place(&self, url: &str, now: Timestamp) -> Option<Place> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(url).filter(|entry| entry.fresh(now)) {
            return Some(entry.place.clone());
        }
        entries.remove(url);
        while entries.len() >= MOST {
            forget_oldest(&mut entries)?;
        }
        let place = Place::default();
        entries.insert(url.to_owned(), Entry { since: now, place: place.clone() });
        Some(place)
    }

    fn tidy(&self) {
        let mut entries = self.lock();
        while entries.values().map(Entry::bytes).sum::<usize>() > MOST_BYTES {
            if forget_oldest(&mut entries).is_none() {
                break;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out the oldest that is not under way.
fn forget_oldest(entries: &mut HashMap<String, Entry>) -> Option<Entry> {
    let done = entries.iter().filter(|(_, entry)| !entry.under_way());
    let oldest = done.min_by_key(|(_, entry)| entry.since).map(|(url, _)| url.clone())?;
    entries.remove(&oldest)
}
