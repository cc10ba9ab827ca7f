//! Which wallet a command works on: that of a configuration file, or a sandbox; and its store.

use crate::cli::Where;
use crate::config::check;
use crate::dev::state::State;
use crate::exit::usage;
use accord_core::store::{self, Rows, StoreFault, Stored, Tx};
use accord_core::user::Language;
use accord_core::{Moment, Ruled, Stop};
use accord_server::clock::{Clock, OFFSET_SETTING};
use accord_store::{SqliteOptions, SqliteStore};
use anyhow::{Context as _, anyhow};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a wallet remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl StoreUrl {
    /// Reads `sqlite:FILE`; a relative file is relative to `dir`.
    pub fn parse(text: &str, dir: &Path) -> Result<StoreUrl, String> {
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return Err("PostgreSQL is not there yet: use \"sqlite:FILE\"".to_owned());
        }
        let file = text.strip_prefix("sqlite:").map(|file| file.strip_prefix("//").unwrap_or(file));
        match file.filter(|file| !file.is_empty()) {
            Some(file) => Ok(StoreUrl::Sqlite(dir.join(file))),
            None => Err(format!("`{text}` is not a store: write \"sqlite:FILE\"")),
        }
    }

    /// Reads the value of `--store`: a relative file is relative to the working directory.
    pub fn of_argument(text: &str) -> anyhow::Result<StoreUrl> {
        let here = std::env::current_dir().context("the working directory cannot be read")?;
        StoreUrl::parse(text, &here).map_err(|fault| usage(format!("--store: {fault}")))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        let StoreUrl::Sqlite(path) = self;
        path
    }
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sqlite:{}", self.path().display())
    }
}

impl Where {
    /// The store that is meant; nothing is opened.
    pub fn store_url(&self) -> anyhow::Result<StoreUrl> {
        if let Some(text) = &self.store {
            return StoreUrl::of_argument(text);
        }
        match (&self.config, &self.data) {
            (Some(config), _) => Ok(check::load(config)?.store),
            (None, Some(data)) => {
                State::read(data)?.map(|state| state.store_url(data)).transpose()?.ok_or_else(|| {
                    anyhow!("{} is no sandbox: start `accord dev --data {0}` first", data.display())
                })
            }
            (None, None) => Err(usage("say which wallet: --config FILE or --data DIR")),
        }
    }

    /// The languages of that wallet.
    pub fn languages(&self) -> anyhow::Result<Vec<Language>> {
        match (&self.config, &self.data) {
            (Some(config), _) => Ok(check::load(config)?.face.languages()),
            (None, Some(data)) => {
                Ok(crate::dev::choices(&data.join("accord.toml"), "http://127.0.0.1")?.2.languages())
            }
            (None, None) => Ok(Language::BUILT_IN.to_vec()),
        }
    }

    /// Opens the store as it is: nothing is created and nothing migrated.
    pub fn open(&self) -> anyhow::Result<Place> {
        let url = self.store_url()?;
        let options = SqliteOptions { create: false, migrate: false, readers: 1, ..SqliteOptions::default() };
        let store = SqliteStore::open(url.path(), options)?;
        Place::new(Arc::new(store), self.data.is_some())
    }
}

/// An open store and its time.
pub struct Place {
    /// The store.
    pub store: Arc<SqliteStore>,
    /// The machine's clock, moved as the store says.
    pub clock: Clock,
}

impl Place {
    /// With the clock's offset that a sandbox keeps in its store; elsewhere there is none.
    pub fn new(store: Arc<SqliteStore>, sandbox: bool) -> anyhow::Result<Place> {
        let offset = store::look(store.as_ref(), |rows| rows.setting(OFFSET_SETTING))?;
        let offset = offset.filter(|_| sandbox).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Place { store, clock: Clock::new(offset) })
    }

    /// Runs a rule in one durable transaction.
    pub fn transact<T: Send + 'static>(
        &self,
        mut rule: impl FnMut(&mut dyn Tx, &Moment) -> Ruled<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let at = self.clock.moment();
        store::transact(self.store.as_ref(), move |tx| rule(tx, &at)).map_err(of_stop)
    }

    /// Looks at committed rows.
    pub fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        Ok(store::look(self.store.as_ref(), look)?)
    }
}

/// What a command says of a rule that stopped.
fn of_stop(stop: Stop) -> anyhow::Error {
    match stop {
        Stop::Refused(refusal) => anyhow!("refused: {refusal}; nothing was changed"),
        Stop::Fault(StoreFault::Corrupt(sentence)) => anyhow!(sentence),
        Stop::Fault(fault) => fault.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_sqlite_file() {
        let dir = Path::new("/etc/accord");
        for (text, path) in [
            ("sqlite:/var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:a.db", "/etc/accord/a.db"),
            ("sqlite:///var/a.db", "/var/a.db"),
        ] {
            assert_eq!(StoreUrl::parse(text, dir), Ok(StoreUrl::Sqlite(path.into())), "{text}");
        }
        for text in ["", "sqlite:", "/var/lib/a.db", "postgres://h/db", "mysql:a"] {
            assert!(StoreUrl::parse(text, dir).is_err(), "{text}");
        }
    }
}
