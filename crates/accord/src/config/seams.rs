//! `[wallet_api]` and `[risk]`: what the wallet around accord is wired to.

use super::check::{Collector, read_address};
use super::span::Span;
use accord_server::risk::{OnFailure, RiskOptions};
use accord_server::wallet_api::Seams;
use accord_server::wallet_api::listen::{Listen, MutualTls};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The wallet API's listener; absent: there is none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletApi {
    /// Address and port: on this machine, unless `tls` stands here.
    pub listen: String,
    /// TLS with certificates on both sides.
    pub tls: Option<WalletApiTls>,
}

/// TLS with certificates on both sides, PEM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletApiTls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who signs the certificates of callers.
    pub client_ca: PathBuf,
}

/// The risk engine; absent: every debit is approved.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Where it is asked.
    pub url: String,
    /// How long it may take.
    pub timeout: Option<Span>,
    /// `approve` or `unknown`.
    pub on_failure: Option<String>,
}

/// Judges both sections; faults go to `notes`.
pub fn check(
    wallet_api: Option<WalletApi>,
    risk: Option<Risk>,
    dir: &Path,
    notes: &mut Collector<'_>,
) -> Seams {
    Seams {
        wallet_api: wallet_api.and_then(|section| listen(section, dir, notes)),
        risk: risk.and_then(|section| engine(section, notes)),
        // A port for those who build accord into a wallet; no driver of ours is configured by file.
        identity: None,
        console: None,
    }
}

fn listen(section: WalletApi, dir: &Path, notes: &mut Collector<'_>) -> Option<Listen> {
    let address = notes.take("wallet_api.listen", read_address(&section.listen))?;
    let tls = section.tls.map(|files| MutualTls {
        cert: dir.join(files.cert),
        key: dir.join(files.key),
        client_ca: dir.join(files.client_ca),
    });
    if let Some(files) = &tls {
        for (name, file) in [("cert", &files.cert), ("key", &files.key), ("client_ca", &files.client_ca)] {
            if !file.is_file() {
                let what = format!("there is no file {}: check the path", file.display());
                notes.fault(&format!("wallet_api.tls.{name}"), what);
            }
        }
    }
    let listen = Listen { address, tls };
    match listen.fault() {
        None => Some(listen),
        Some(why) => {
            notes.fault("wallet_api.listen", why);
            None
        }
    }
}

fn engine(section: Risk, notes: &mut Collector<'_>) -> Option<RiskOptions> {
    let Risk { url, timeout, on_failure } = section;
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        notes.fault("risk.url", format!("`{url}` must begin with https:// or http://"));
    }
    let on_failure = match on_failure.as_deref() {
        None | Some("unknown") => OnFailure::Unknown,
        Some("approve") => OnFailure::Approve,
        Some(other) => {
            let what = format!("`{other}` is neither \"approve\" nor \"unknown\"");
            notes.fault("risk.on_failure", what);
            return None;
        }
    };
    let timeout = timeout.map_or(1_000, |span| span.millis().unsigned_abs());
    if !(1..=30_000).contains(&timeout) {
        notes.fault("risk.timeout", "must be above zero and at most 30s: callers wait meanwhile");
    }
    Some(RiskOptions { url, timeout: Duration::from_millis(timeout), on_failure })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;

    fn read<T: DeserializeOwned>(text: &str) -> T {
        toml::from_str(text).unwrap()
    }

    fn faults(wallet_api: Option<WalletApi>, risk: Option<Risk>) -> String {
        let mut notes = Collector::new(Path::new("accord.toml"));
        check(wallet_api, risk, Path::new("/nowhere"), &mut notes);
        notes.faults.join("\n")
    }

    #[test]
    fn a_listener_that_others_can_reach_needs_certificates_on_both_sides() {
        assert_eq!(faults(Some(read("listen = \"127.0.0.1:9091\"")), None), "");
        let open = faults(Some(read("listen = \"0.0.0.0:9091\"")), None);
        assert!(open.contains("wallet_api.listen") && open.contains("client_ca"), "{open}");
        let tls = "listen = \"0.0.0.0:9091\"\n[tls]\ncert = \"a\"\nkey = \"b\"\nclient_ca = \"c\"";
        let missing = faults(Some(read(tls)), None);
        assert!(missing.contains("wallet_api.tls.client_ca") && missing.contains("/nowhere/c"), "{missing}");
        assert!(!missing.contains("`wallet_api.listen`"), "{missing}");
    }

    #[test]
    fn an_engine_is_asked_by_http_for_a_short_time() {
        let risk = |text: &str| faults(None, Some(read(text)));
        assert_eq!(risk("url = \"http://10.0.0.5/risk\"\ntimeout = \"2s\"\non_failure = \"approve\""), "");
        assert!(risk("url = \"ftp://x\"").contains("risk.url"));
        assert!(risk("url = \"http://x\"\ntimeout = \"31s\"").contains("risk.timeout"));
        assert!(risk("url = \"http://x\"\non_failure = \"deny\"").contains("risk.on_failure"));
    }
}
