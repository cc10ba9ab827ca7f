//! Where a wallet remembers: a SQLite file or a PostgreSQL database, and how either is opened.

use crate::dev::lock::{self, Lock};
use crate::exit::usage;
use accord_core::store::{self, Store};
use accord_store::fence::{FENCE, Fence, Stage};
use accord_store::postgres;
use accord_store::postgres::partitions::{self, Coverage, Span};
use accord_store::schema::{Applying, Outlook, Schema};
use accord_store::sqlite::migrations;
use accord_store::{PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};
use anyhow::{Context as _, bail};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a wallet remembers. Shown without passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// What was written, read.
        url: Box<PostgresUrl>,
        /// What was written; it may hold a password.
        text: String,
    },
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A sandbox: made and brought up to date when needed.
    Sandbox,
    /// A server: as it is.
    Serve,
    /// A command: as it is, with few threads.
    Command,
}

impl StoreUrl {
    /// Reads `sqlite:FILE` or `postgres://…`; a relative file is relative to `dir`.
    pub fn parse(text: &str, dir: &Path) -> Result<StoreUrl, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url = PostgresUrl::parse(text, dir).map_err(|fault| fault.to_string())?;
            return Ok(StoreUrl::Postgres { url: Box::new(url), text: text.to_owned() });
        }
        let file = text.strip_prefix("sqlite:").map(|file| file.strip_prefix("//").unwrap_or(file));
        match file.filter(|file| !file.is_empty()) {
            Some(file) => Ok(StoreUrl::Sqlite(dir.join(file))),
            // Not quoted: what was meant as a URL may hold a password.
            None => {
                Err("this is no store: write \"sqlite:FILE\" or \"postgres://USER@HOST/DATABASE\"".into())
            }
        }
    }

    /// Reads the value of `--store`: a relative file is relative to the working directory.
    pub fn of_argument(text: &str) -> anyhow::Result<StoreUrl> {
        let here = std::env::current_dir().context("the working directory cannot be read")?;
        StoreUrl::parse(text, &here).map_err(|fault| usage(format!("--store: {fault}")))
    }

    /// The SQLite file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            StoreUrl::Sqlite(path) => Some(path),
            StoreUrl::Postgres { .. } => None,
        }
    }

    /// As it can be read again, password included.
    pub fn written(&self) -> String {
        match self {
            StoreUrl::Sqlite(_) => self.to_string(),
            StoreUrl::Postgres { text, .. } => text.clone(),
        }
    }

    /// Takes the lock that keeps a second server off a SQLite file. A PostgreSQL database has as many as it likes.
    pub fn lock(&self) -> anyhow::Result<Option<Lock>> {
        self.file().map(lock::take_store).transpose()
    }

    /// Opens the store.
    pub fn open(&self, purpose: Purpose) -> anyhow::Result<Arc<dyn Store>> {
        self.open_as(purpose, &Schema::default(), None)
    }

    /// Opens the store for a program that knows those steps; a server says where it listens.
    pub fn open_as(
        &self,
        purpose: Purpose,
        schema: &Schema,
        listen: Option<SocketAddr>,
    ) -> anyhow::Result<Arc<dyn Store>> {
        let sandbox = purpose == Purpose::Sandbox;
        let few = purpose == Purpose::Command;
        let schema = schema.clone();
        let store: Arc<dyn Store> = match self {
            StoreUrl::Sqlite(path) => {
                let readers = if few { 1 } else { SqliteOptions::default().readers };
                let (create, migrate) = (sandbox, sandbox);
                let options = SqliteOptions { create, migrate, readers, schema, ..SqliteOptions::default() };
                Arc::new(SqliteStore::open(path, options)?)
            }
            StoreUrl::Postgres { url, .. } => {
                let node = listen.map(|listen| format!("{} at {listen}", machine()));
                let mut options =
                    PostgresOptions { migrate: sandbox, schema, node, ..PostgresOptions::default() };
                if few {
                    (options.writers, options.readers) = (2, 1);
                }
                Arc::new(PostgresStore::open(url.as_ref().clone(), options)?)
            }
        };
        let fence = store::look(store.as_ref(), |rows| rows.setting(FENCE))?.map(|text| Fence::read(&text));
        match fence {
            // A command may look into a file that is closed; its writes are refused by the store itself.
            Some(fence) if purpose != Purpose::Command || fence.stage == Stage::Filling => {
                bail!("{self}: {}", fence.sentence())
            }
            _ => Ok(store),
        }
    }

    /// What bringing its schema up to date would mean. Changes nothing.
    pub fn plan(&self, schema: &Schema) -> anyhow::Result<Outlook> {
        Ok(match self {
            StoreUrl::Sqlite(path) => migrations::plan(path, schema)?,
            StoreUrl::Postgres { url, .. } => postgres::migrations::plan(url, schema)?,
        })
    }

    /// Applies the steps that its schema still needs, and on PostgreSQL makes the partitions of the coming years. Says
    /// which.
    pub fn migrate(&self, schema: &Schema, span: Option<Span>) -> anyhow::Result<Applying> {
        let StoreUrl::Postgres { url, .. } = self else { return self.migrate_file(schema) };
        Ok(postgres::migrations::apply_with(url, schema, span)?)
    }

    fn migrate_file(&self, schema: &Schema) -> anyhow::Result<Applying> {
        let Some(path) = self.file() else { return Ok(Applying::default()) };
        let outlook = self.plan(schema)?;
        // One process serves from a file, so what takes something away needs nobody there.
        let narrows = outlook.level > 0 && outlook.pending.iter().any(|step| !step.bears(0));
        let _lock = if narrows { self.lock()? } else { None };
        Ok(Applying { steps: migrations::apply(path, schema)?, ..Applying::default() })
    }

    /// How far its partitions by time reach; a file has none.
    pub fn coverage(&self) -> anyhow::Result<Vec<Coverage>> {
        let StoreUrl::Postgres { url, .. } = self else { return Ok(Vec::new()) };
        Ok(partitions::look(url)?)
    }

    /// What its catalogue says beside what the steps say; nothing: they agree.
    pub fn verify(&self, schema: &Schema) -> anyhow::Result<Vec<String>> {
        Ok(match self {
            StoreUrl::Sqlite(path) => migrations::verify(path, schema)?,
            StoreUrl::Postgres { url, .. } => postgres::migrations::verify(url, schema)?,
        })
    }
}

/// The name of this machine, for the register of nodes.
fn machine() -> String {
    let read = |file: &&str| std::fs::read_to_string(file).ok().filter(|name| !name.trim().is_empty());
    let name = ["/proc/sys/kernel/hostname", "/etc/hostname"].iter().find_map(read);
    name.map_or_else(|| "a machine".to_owned(), |name| name.trim().to_owned())
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            StoreUrl::Postgres { url, .. } => write!(f, "{url}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_sqlite_file_or_a_postgresql_database() {
        let dir = Path::new("/etc/accord");
        for (text, path) in [
            ("sqlite:/var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:a.db", "/etc/accord/a.db"),
            ("sqlite:///var/a.db", "/var/a.db"),
        ] {
            assert_eq!(StoreUrl::parse(text, dir), Ok(StoreUrl::Sqlite(path.into())), "{text}");
        }
        let url = StoreUrl::parse("postgres://me:s3cret@h/db", dir).expect("a database");
        assert_eq!(url.to_string(), "postgres://me@h:5432/db");
        assert_eq!(url.written(), "postgres://me:s3cret@h/db");
        assert!(url.file().is_none() && url.lock().expect("no lock").is_none());
        for text in
            ["", "sqlite:", "/var/lib/a.db", "postgres://h", "postgres:h/db", "mysql://me:s3cret@h/db"]
        {
            let fault = StoreUrl::parse(text, dir).expect_err(text);
            assert!(!fault.contains("s3cret"), "{fault}");
        }
    }
}
