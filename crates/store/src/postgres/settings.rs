//! Where a PostgreSQL database is and how it is reached: a URL as libpq writes it, read once.

use super::PostgresFault;
use crate::schema::Schema;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How a PostgreSQL store works.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Bring an older schema up to date, and create it in an empty database?
    pub migrate: bool,
    /// Connections that run transactions alone, 1 to 256; one more runs groups of them.
    pub writers: usize,
    /// Connections that only read, 1 to 64.
    pub readers: usize,
    /// Transactions, and looks, that may wait in the queue; one more is told at once that the store is
    /// unavailable.
    pub queue: usize,
    /// How long a statement may take on the server.
    pub statement_timeout: Duration,
    /// How long a transaction may wait for another one.
    pub lock_timeout: Duration,
    /// How often a lost commit is looked for, half a second apart, before its end is called unknown.
    pub inquiries: u32,
    /// The steps that the program knows.
    pub schema: Schema,
    /// Where this node answers, for the register of nodes; nothing: it serves nobody.
    pub node: Option<String>,
}

impl Default for PostgresOptions {
    /// Does not migrate; 16 writers, 4 readers, 4,096 in the queue; 10 s for a statement, 3 s for a lock, 20
    /// inquiries.
    fn default() -> PostgresOptions {
        PostgresOptions {
            migrate: false,
            writers: 16,
            readers: 4,
            queue: 4096,
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(3),
            inquiries: 20,
            schema: Schema::default(),
            node: None,
        }
    }
}

/// A database: hosts, name, user, password, TLS.
#[derive(Clone)]
pub struct PostgresUrl {
    pub(super) config: Config,
    pub(super) tls: Tls,
    shown: String,
}

/// Is the connection encrypted?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    /// No: the server is on this machine, or the operator says so.
    Off,
    /// Yes, with a certificate for the host's name, from one of these roots; without a file, the machine's.
    Verified(Option<PathBuf>),
}

impl PostgresUrl {
    /// Reads `postgres://user:password@host:port/database?sslmode=…`. Relative file names are relative to `dir`.
    ///
    /// `sslmode` is `disable` or `verify-full`; left out, it is `verify-full` unless the server is on this machine
    /// (a socket, or a loopback address). `sslrootcert` names a PEM file of roots. Everything else is libpq's:
    /// several hosts, `options`, `connect_timeout`, `application_name`, `target_session_attrs` and so on.
    pub fn parse(text: &str, dir: &Path) -> Result<PostgresUrl, PostgresFault> {
        let bad = |why: String| PostgresFault::BadUrl(why);
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = || percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "sslmode" => mode = Some(decode()),
                "sslrootcert" => roots = Some(dir.join(decode())),
                _ => rest.push(pair),
            }
        }
        let plain = match rest.is_empty() {
            true => place.to_owned(),
            false => format!("{place}?{}", rest.join("&")),
        };
        // Its error may quote the text, and the text may hold a password.
        let mut config: Config = plain.parse().map_err(|_| {
            bad("write postgres://USER:PASSWORD@HOST:PORT/DATABASE; special characters as %XX".into())
        })?;
        if config.get_hosts().is_empty() {
            return Err(bad("it names no host".into()));
        }
        if config.get_dbname().is_none() {
            return Err(bad("it names no database".into()));
        }
        let tls = match mode.as_deref() {
            Some("disable") if roots.is_none() => Tls::Off,
            Some("disable") => return Err(bad("sslrootcert without TLS: say sslmode=verify-full".into())),
            None if roots.is_none() && config.get_hosts().iter().all(is_here) => Tls::Off,
            None | Some("verify-full") => Tls::Verified(roots),
            Some(other) => {
                return Err(bad(format!(
                    "sslmode={other} does not say whom it trusts: write verify-full, or disable"
                )));
            }
        };
        config.ssl_mode(if tls == Tls::Off { SslMode::Disable } else { SslMode::Require });
        if config.get_application_name().is_none() {
            config.application_name("accord");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(Duration::from_secs(10));
        let shown = shown(&config);
        Ok(PostgresUrl { config, tls, shown })
    }
}

/// Without the password.
impl std::fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &PostgresUrl) -> bool {
        self.config == other.config && self.tls == other.tls
    }
}

impl Eq for PostgresUrl {}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        })
        .collect();
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    format!("postgres://{user}{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PostgresUrl, String> {
        PostgresUrl::parse(text, Path::new("/etc/accord")).map_err(|why| why.to_string())
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url = parse("postgres://me:s3cret@db.example:6432,other.example/wallet").expect("a URL");
        assert_eq!(url.to_string(), "postgres://me@db.example:6432,other.example:5432/wallet");
        let shown = format!("{url:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        for broken in
            ["postgres://me:s3cret@db.example:x/wallet", "postgres://me:s3cret@db.example/w?nonsense=1"]
        {
            let why = parse(broken).expect_err(broken);
            assert!(!why.contains("s3cret"), "{why}");
        }
    }

    #[test]
    fn only_a_server_on_this_machine_is_spoken_to_in_the_clear() {
        for (text, tls) in [
            ("postgres://me@localhost/w", Tls::Off),
            ("postgres://me@127.0.0.1:5433/w", Tls::Off),
            ("postgres://me@%2Frun%2Fpostgresql/w", Tls::Off),
            ("postgres://me@db.example/w", Tls::Verified(None)),
            ("postgres://me@db.example/w?sslmode=disable", Tls::Off),
            ("postgres://me@localhost,db.example/w", Tls::Verified(None)),
            ("postgres://me@localhost/w?sslmode=verify-full", Tls::Verified(None)),
            (
                "postgres://me@db.example/w?sslrootcert=roots.pem&connect_timeout=5",
                Tls::Verified(Some("/etc/accord/roots.pem".into())),
            ),
        ] {
            assert_eq!(parse(text).map(|url| url.tls), Ok(tls), "{text}");
        }
        for text in [
            "postgres://me@db.example/w?sslmode=require",
            "postgres://me@db.example/w?sslmode=prefer",
            "postgres://me@db.example/w?sslmode=disable&sslrootcert=roots.pem",
            "postgres://me@db.example",
            "postgres:///w",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
