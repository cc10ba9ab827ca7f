//! One connection: a client, the small runtime that drives it, and the statements prepared on it.

use super::fault::{PostgresFault, Trouble};
use super::group::many;
use super::settings::{PostgresOptions, PostgresUrl, Tls};
use super::statement::Translated;
use super::tls::Secure;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client, Connection, Error, NoTls, Row, Statement};

/// The oldest server that will do, as it numbers itself.
const OLDEST_SERVER: i64 = 150_000;

/// A statement prepared on one connection.
pub(super) struct Prepared {
    pub(super) statement: Statement,
    pub(super) translated: Translated,
}

/// One connection, used by one thread at a time.
pub(crate) struct Link {
    runtime: Runtime,
    pub(crate) client: Client,
    prepared: RefCell<HashMap<(usize, usize), Arc<Prepared>>>,
    /// The same for many rows at once, where there is a way to say that.
    prepared_many: RefCell<HashMap<(usize, usize), Option<Statement>>>,
    warned: Arc<AtomicBool>,
    /// Names this connection for good, in markers of commits.
    name: String,
    commits: Cell<u64>,
    patience: Duration,
}

impl Link {
    /// Connects to a server that takes writes, and looks at its version.
    pub(crate) fn open(url: &PostgresUrl, options: &PostgresOptions) -> Result<Link, PostgresFault> {
        let other = |why: String| PostgresFault::Other { place: url.to_string(), why };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| other(why.to_string()))?;
        let warned = Arc::new(AtomicBool::new(false));
        let seconds = url.config.get_connect_timeout().map_or(3, Duration::as_secs);
        let patience = options.statement_timeout + options.lock_timeout + Duration::from_secs(2);
        let client = runtime.block_on(async {
            let hosts = url.config.get_hosts().len().max(1) as u64;
            let limit = Duration::from_secs((seconds + 2) * hosts);
            match tokio::time::timeout(limit, connect(url, &warned)).await {
                Ok(client) => client,
                Err(_) => Err(PostgresFault::Unreachable {
                    place: url.to_string(),
                    why: format!("no answer within {} s", limit.as_secs()),
                }),
            }
        })?;
        let mut link = Link {
            runtime,
            client,
            prepared: RefCell::default(),
            prepared_many: RefCell::default(),
            warned,
            name: String::new(),
            commits: Cell::new(0),
            patience,
        };
        let limits = format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};
             SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'",
            options.statement_timeout.as_millis(),
            options.lock_timeout.as_millis(),
            patience.as_millis(),
        );
        let fault = |error: Error| PostgresFault::of(url, &error);
        let row = link
            .runtime
            .block_on(async {
                link.client.batch_execute(&limits).await?;
                link.client
                    .query_one(
                        "SELECT current_setting('server_version_num')::bigint, current_setting('server_version'),
                         current_setting('synchronous_commit'), replace(gen_random_uuid()::text, '-', '')",
                        &[],
                    )
                    .await
            })
            .map_err(fault)?;
        let get = |index: usize| row.try_get::<_, String>(index).map_err(fault);
        if row.try_get::<_, i64>(0).map_err(fault)? < OLDEST_SERVER {
            return Err(PostgresFault::OldServer { place: url.to_string(), found: get(1)? });
        }
        // What is acknowledged is on the disk, whatever the server does otherwise.
        if get(2)? == "off" {
            let set = link.runtime.block_on(link.client.batch_execute("SET synchronous_commit = on"));
            set.map_err(fault)?;
        }
        link.name = get(3)?;
        Ok(link)
    }

    /// Is it of no use any more?
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits for the server, but not for ever.
    pub(super) fn wait<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
        self.runtime.block_on(async {
            match tokio::time::timeout(self.patience, answer).await {
                Ok(answer) => answer.map_err(|error| Trouble::of(&error)),
                Err(_) => Err(Trouble::Lost("the server does not answer".into())),
            }
        })
    }

    /// Runs statements without parameters and gives the error as it is; none: no answer came.
    pub(super) fn wait_raw(&self, sql: &str) -> Result<(), Option<Error>> {
        self.runtime.block_on(async {
            match tokio::time::timeout(self.patience, self.client.batch_execute(sql)).await {
                Ok(answer) => answer.map_err(Some),
                Err(_) => Err(None),
            }
        })
    }

    /// Waits for the server while the schema is looked at or changed, or a store is filled: as long as it takes.
    pub(crate) fn wait_long<T, E>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.runtime.block_on(answer)
    }

    /// The statement, prepared at its first use.
    pub(super) fn prepare(&self, sql: &'static str) -> Result<Arc<Prepared>, Trouble> {
        let place = (sql.as_ptr() as usize, sql.len());
        if let Some(prepared) = self.prepared.borrow().get(&place) {
            return Ok(prepared.clone());
        }
        let translated = Translated::of(sql);
        let statement = self.wait(self.client.prepare(&translated.sql))?;
        let prepared = Arc::new(Prepared { statement, translated });
        self.prepared.borrow_mut().insert(place, prepared.clone());
        Ok(prepared)
    }

    /// The statement for many sets of parameters at once, each parameter a list; nothing: it has to run for each.
    pub(super) fn prepare_many(&self, sql: &'static str) -> Result<Option<Statement>, Trouble> {
        let place = (sql.as_ptr() as usize, sql.len());
        if let Some(prepared) = self.prepared_many.borrow().get(&place) {
            return Ok(prepared.clone());
        }
        let one = self.prepare(sql)?;
        let text = many::text(sql, one.statement.params());
        let statement = text.map(|text| self.wait(self.client.prepare(&text))).transpose()?;
        self.prepared_many.borrow_mut().insert(place, statement.clone());
        Ok(statement)
    }

    /// Rows of a query of texts and numbers that are the program's own.
    pub(super) fn rows(&self, sql: &str) -> Result<Vec<Row>, Trouble> {
        self.wait(self.client.query(sql, &[]))
    }

    /// Runs statements without parameters, in one round trip.
    pub(super) fn run(&self, sql: &str) -> Result<(), Trouble> {
        self.wait(self.client.batch_execute(sql))
    }

    /// A marker for the next commit, unlike any other: 24 bytes in hexadecimal digits.
    pub(crate) fn next_marker(&self) -> String {
        self.commits.set(self.commits.get() + 1);
        format!("{}{:016x}", self.name, self.commits.get())
    }

    /// Did the server warn since this was asked last?
    pub(super) fn warned(&self) -> bool {
        self.warned.swap(false, Ordering::Relaxed)
    }
}

async fn connect(url: &PostgresUrl, warned: &Arc<AtomicBool>) -> Result<Client, PostgresFault> {
    let fault = |error: Error| PostgresFault::of(url, &error);
    match &url.tls {
        Tls::Off => {
            let (client, connection) = url.config.connect(NoTls).await.map_err(fault)?;
            tokio::spawn(drive(connection, warned.clone()));
            Ok(client)
        }
        Tls::Verified(roots) => {
            let secure = Secure::new(roots.as_deref())
                .map_err(|why| PostgresFault::NotSecure { place: url.to_string(), why })?;
            let (client, connection) = url.config.connect(secure).await.map_err(fault)?;
            tokio::spawn(drive(connection, warned.clone()));
            Ok(client)
        }
    }
}

/// Carries messages both ways until the connection ends, and notes warnings.
async fn drive<S, T>(mut connection: Connection<S, T>, warned: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
        {
            warned.store(true, Ordering::Relaxed);
        }
    }
}
