//! A map that can take back what was changed since the transaction began.

use accord_core::store::{StoreFault, Stored};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::RangeBounds;

/// Rows by key.
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    /// What each changed key held before, in the order of the changes.
    undo: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table { rows: BTreeMap::new(), undo: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.values()
    }

    pub(super) fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(range)
    }

    /// Creates a row, or says that there is one.
    pub(super) fn insert(&mut self, key: K, value: V) -> Stored<()> {
        self.free(&key)?;
        self.put(key, value);
        Ok(())
    }

    /// Is the key free?
    pub(super) fn free(&self, key: &K) -> Stored<()> {
        match self.rows.contains_key(key) {
            true => Err(StoreFault::Conflict("a row of that key exists".into())),
            false => Ok(()),
        }
    }

    /// Replaces a row, or says that there is none.
    pub(super) fn change(&mut self, key: K, value: V) -> Stored<()> {
        self.there(&key)?;
        self.put(key, value);
        Ok(())
    }

    /// The row of a key that must be there.
    pub(super) fn there(&self, key: &K) -> Stored<&V> {
        self.rows.get(key).ok_or_else(|| StoreFault::Corrupt("the row to be replaced is not there".into()))
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        let before = self.rows.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(before) = self.rows.remove(key) {
            self.undo.push((key.clone(), Some(before)));
        }
    }
}

impl<K: Debug, V: Debug> Table<K, V> {
    /// Each row as a text.
    pub(super) fn rows(&self) -> Vec<String> {
        self.rows.iter().map(|row| format!("{row:?}")).collect()
    }
}

/// A part of the books that can keep or take back its changes.
pub(super) trait Undo {
    fn keep(&mut self);
    fn take_back(&mut self);
}

impl<K: Ord, V> Undo for Table<K, V> {
    fn keep(&mut self) {
        self.undo.clear();
    }

    fn take_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }
}
