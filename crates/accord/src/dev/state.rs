//! What a sandbox remembers beside its database: `DIR/state.json` with the port and public URL of its last start,
//! and the store it was started on.

use crate::keys::write_file;
use crate::storage::StoreUrl;
use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The remembered facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// The port of the last start.
    pub port: Option<u16>,
    /// The public URL, fixed at the first start.
    pub public_url: Option<String>,
    /// The `--store` of the last start; nothing: the default, in DIR.
    pub store: Option<String>,
}

impl State {
    fn path(dir: &Path) -> PathBuf {
        dir.join("state.json")
    }

    /// Reads the state of a sandbox; nothing when DIR is none yet.
    pub fn read(dir: &Path) -> anyhow::Result<Option<State>> {
        let path = State::path(dir);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(fault).with_context(|| format!("{} cannot be read", path.display())),
        };
        let state = serde_json::from_str(&text).with_context(|| {
            format!("{} is damaged: remove it, and the next start takes a new port", path.display())
        })?;
        Ok(Some(state))
    }

    /// Writes the state.
    pub fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        write_file(&State::path(dir), format!("{text}\n").as_bytes(), 0o644)
    }

    /// Where this sandbox remembers.
    pub fn store_url(&self, dir: &Path) -> anyhow::Result<StoreUrl> {
        let text = self.store.as_deref().unwrap_or("sqlite:accord.db");
        let dir = std::path::absolute(dir)?;
        StoreUrl::parse(text, &dir).map_err(|fault| anyhow!("{}: {fault}", State::path(&dir).display()))
    }
}
