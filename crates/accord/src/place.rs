//! Which wallet a command works on: that of a configuration file, or a sandbox; and its store.

use crate::cli::Where;
use crate::config::check;
use crate::dev::state::State;
use crate::exit::usage;
use crate::storage::{Purpose, StoreUrl};
use accord_core::store::{self, Rows, Store, StoreFault, Stored, Tx};
use accord_core::user::Language;
use accord_core::{Moment, Ruled, Stop};
use accord_server::clock::{Clock, OFFSET_SETTING};
use accord_server::shared_time;
use anyhow::anyhow;
use std::sync::Arc;

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
        Place::new(self.store_url()?.open(Purpose::Command)?, self.data.is_some())
    }
}

/// An open store and its time.
pub struct Place {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The machine's clock, or that of a store with several processes; moved as a sandbox says.
    pub clock: Clock,
}

impl Place {
    /// With the clock's offset that a sandbox keeps in its store; elsewhere there is none.
    pub fn new(store: Arc<dyn Store>, sandbox: bool) -> anyhow::Result<Place> {
        let offset = store::look(store.as_ref(), |rows| rows.setting(OFFSET_SETTING))?;
        let offset = offset.filter(|_| sandbox).and_then(|text| text.parse().ok()).unwrap_or(0);
        let clock = Clock::skewed(offset, clock_skew_ms(sandbox)?);
        shared_time::begin(&clock, store.as_ref())?;
        Ok(Place { store, clock })
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

/// How far ahead a sandbox takes this machine's clock to be, in milliseconds; for tests of wrong clocks.
const SKEW: &str = "ACCORD_SANDBOX_CLOCK_SKEW_MS";

/// What the environment says of it. Outside of a sandbox nobody may say it.
pub fn clock_skew_ms(sandbox: bool) -> anyhow::Result<i64> {
    match std::env::var(SKEW) {
        Err(_) => Ok(0),
        Ok(_) if !sandbox => Err(usage(format!("{SKEW} is for tests in a sandbox (`accord dev`): unset it"))),
        Ok(text) => text.parse().map_err(|_| usage(format!("{SKEW}: `{text}` is no number of milliseconds"))),
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
