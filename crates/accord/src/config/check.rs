//! From a file as written to settings that can be used: every value judged, every fault collected, none guessed.

use super::face::{self, Face};
use super::load;
use super::span::Span;
use super::{File, Limits, Tls};
use crate::keys;
use crate::storage::StoreUrl;
use crate::wallet::{Choices, Sections};
use accord_core::policy::DAY;
use accord_core::prune;
use accord_core::secret::DerivationKeys;
use accord_server::Upkeep;
use accord_server::admin::ConsoleOptions;
use accord_server::app::TlsFiles;
use accord_server::courier::CourierOptions;
use accord_server::outbound::OutboundPolicy;
use accord_server::wallet_api::Seams;
use accord_wire::seal::SealKey;
use accord_wire::settlement::Zone;
use accord_wire::signature::{WalletKey, WalletKeys};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Longest expected wait of a call under `serve`, unless the file says otherwise.
const LONGEST_WAIT_MS: u64 = 500;

/// What `accord serve` works with.
pub struct Settings {
    /// The file they come from.
    pub file: PathBuf,
    /// Without a slash at the end.
    pub public_url: String,
    /// Main listener.
    pub listen: SocketAddr,
    /// Operator's listener.
    pub admin: SocketAddr,
    /// Nothing: a proxy terminates TLS.
    pub tls: Option<TlsFiles>,
    /// Believed proxies.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where the wallet remembers.
    pub store: StoreUrl,
    /// Languages and looks of the pages.
    pub face: Face,
    /// Dialects and limits.
    pub choices: Choices,
    /// Where settlement days begin and end, but for Alipay+.
    pub settlement_zone: Zone,
    /// The wallet API and the risk engine.
    pub seams: Seams,
    /// Pruning and checkpoints; its key is opened by [`Settings::audit_key`].
    pub upkeep: Upkeep,
    /// Where notifications may go.
    pub outbound: OutboundPolicy,
    files: super::Keys,
}

/// Keys, read from their files.
pub struct LoadedKeys {
    /// Sign replies.
    pub wallet: WalletKeys,
    /// Derive codes and tokens.
    pub derivation: DerivationKeys,
    /// Cookies and form tokens.
    pub pages: [u8; 32],
    /// Handles in QR codes.
    pub qr: Option<[u8; 32]>,
}

/// Sentences about a configuration file, one a line.
#[derive(Debug)]
pub struct Faults(pub Vec<String>);

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\naccord: "))
    }
}

impl std::error::Error for Faults {}

/// Collects sentences of one file.
pub struct Collector<'f> {
    file: &'f Path,
    /// What was found.
    pub faults: Vec<String>,
}

impl<'f> Collector<'f> {
    /// For that file.
    pub fn new(file: &'f Path) -> Collector<'f> {
        Collector { file, faults: Vec::new() }
    }

    /// Notes that the value of `key` will not do.
    pub fn fault(&mut self, key: &str, what: impl std::fmt::Display) {
        self.faults.push(format!("{}, `{key}`: {what}", self.file.display()));
    }

    /// The value, or a note and nothing.
    pub fn take<T, E: std::fmt::Display>(&mut self, key: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|what| self.fault(key, what)).ok()
    }
}

/// Reads and judges a configuration file. Key files are not opened: see [`Settings::keys`].
pub fn load(path: &Path) -> Result<Settings, Faults> {
    let file: File = load::read(path).map_err(|fault| Faults(vec![fault]))?;
    check(path, file)
}

fn check(path: &Path, file: File) -> Result<Settings, Faults> {
    let mut notes = Collector::new(path);
    let dir = path.parent().unwrap_or(Path::new(""));
    let File { public_url, listen, store, trusted_proxies, tls, admin, keys, outbound, .. } = file;

    let public_url = notes.take("public_url", read_public_url(&public_url));
    let listen = notes.take("listen", read_address(&listen));
    let console = admin.console.then_some(ConsoleOptions { over_tls: admin.console_over_tls });
    let admin = notes.take("admin.listen", read_address(&admin.listen));
    if console.is_some() && admin.is_some_and(|admin| !admin.ip().is_loopback()) {
        let what = "the console speaks plain HTTP: listen on 127.0.0.1 and come by an SSH tunnel or a proxy with TLS";
        notes.fault("admin.console", what);
    }
    if listen.is_some() && listen == admin {
        notes.fault("admin.listen", "the same as `listen`: metrics must not be public; choose another port");
    }
    let store = notes.take("store", StoreUrl::parse(&store, dir));
    let tls = check_tls(&mut notes, tls, dir);
    let trusted_proxies = read_ips(&mut notes, "trusted_proxies", &trusted_proxies);
    let allowed = read_ips(&mut notes, "outbound.allowed", &outbound.allowed);
    let keys = check_keys(&mut notes, keys, dir);
    let face = face::check(file.brand, file.messages.as_deref(), dir, &mut notes);
    let carriers = super::carriers::check(file.email, file.sms, dir, false, &mut notes);
    let seams = super::seams::check(file.wallet_api, file.risk, dir, &mut notes);
    let seams = Seams { console, ..seams };
    let settlement_zone = notes.take("settlement.zone", Zone::parse(&file.settlement.zone));
    let qi = file.qi.as_ref().map(|qi| &qi.lifetimes);
    let alipay_plus = file.alipay_plus.as_ref().map(|alipay_plus| &alipay_plus.lifetimes);
    let agreements =
        [file.qi.as_ref().map(|qi| &qi.agreements), file.alipay_plus.as_ref().map(|it| &it.agreements)];
    let upkeep = upkeep(&file.retention, [qi, alipay_plus], agreements);
    if file.qi.is_none() && file.alipay_plus.is_none() {
        notes.fault("qi", "no dialect is served: add a section [qi] or [alipay_plus]");
    }
    let code_scan = file.alipay_plus.as_ref().is_some_and(|alipay_plus| alipay_plus.code_scan);
    if code_scan && keys.qr.is_none() {
        notes.fault(
            "keys.qr",
            "needed for `alipay_plus.code_scan`: name the key file, or set code_scan = false",
        );
    }
    let sections = Sections {
        envelope: file.envelope,
        qi: file.qi,
        alipay_plus: file.alipay_plus,
        limits: Limits {
            longest_wait_ms: file.limits.longest_wait_ms.or(Some(LONGEST_WAIT_MS)),
            ..file.limits
        },
        sign_in: file.sign_in,
        carriers,
        languages: face.languages(),
        apps: file.apps,
        step_up: file.step_up,
    };
    let choices =
        sections.check(public_url.as_deref().unwrap_or("https://wallet.example"), false, &mut notes);

    match (public_url, listen, admin, store, tls, settlement_zone) {
        (Some(public_url), Some(listen), Some(admin), Some(store), Some(tls), Some(settlement_zone))
            if notes.faults.is_empty() =>
        {
            Ok(Settings {
                file: path.to_owned(),
                public_url,
                listen,
                admin,
                tls,
                trusted_proxies,
                store,
                face,
                choices,
                settlement_zone,
                seams,
                upkeep,
                outbound: OutboundPolicy { allowed, ..OutboundPolicy::default() },
                files: keys,
            })
        }
        _ => Err(Faults(notes.faults)),
    }
}

impl Settings {
    /// Is a key named that signs digests of settlement files?
    pub fn names_settlement_key(&self) -> bool {
        self.files.settlement.is_some()
    }

    /// Opens the key that signs digests of settlement files; the wallet runs without it.
    pub fn settlement_key(&self) -> Result<SealKey, Faults> {
        let mut notes = Collector::new(&self.file);
        let key = match &self.files.settlement {
            Some(file) => notes.take("keys.settlement", keys::read_seal_key(file)),
            None => {
                let what = "no key signs settlement files: make one with `accord keys generate --dir DIR`";
                notes.fault("keys.settlement", what);
                None
            }
        };
        key.ok_or(Faults(notes.faults))
    }

    /// Opens the key that signs checkpoints of the journal, if there is one.
    pub fn audit_key(&self) -> Result<Option<SealKey>, Faults> {
        let mut notes = Collector::new(&self.file);
        let key = self.files.audit.as_deref().map(keys::read_seal_key).transpose();
        notes.take("keys.audit", key).ok_or(Faults(notes.faults))
    }

    /// Opens the key that seals receipts of revocation, if there is one.
    pub fn receipts_key(&self) -> Result<Option<SealKey>, Faults> {
        let mut notes = Collector::new(&self.file);
        let key = self.files.receipts.as_deref().map(keys::read_seal_key).transpose();
        notes.take("keys.receipts", key).ok_or(Faults(notes.faults))
    }

    /// Opens the secrets of mail server and SMS gateway.
    pub fn couriers(&self) -> Result<CourierOptions, Faults> {
        self.choices.carriers.open(&self.file)
    }

    /// Opens every key file.
    pub fn keys(&self) -> Result<LoadedKeys, Faults> {
        let mut notes = Collector::new(&self.file);
        let mut wallet = Vec::new();
        for key in &self.files.wallet {
            let label = format!("keys.wallet, version {}", key.version);
            if let Some(read) = notes.take(&label, keys::read_private_key(&key.file)) {
                wallet.push(WalletKey { version: key.version.clone(), key: read, active: key.active });
            }
        }
        let mut derivation = BTreeMap::new();
        for key in &self.files.derivation {
            let label = format!("keys.derivation, version {}", key.version);
            if let Some(read) = notes.take(&label, keys::read_secret(&key.file)) {
                derivation.insert(key.version, read);
            }
        }
        let pages = notes.take("keys.pages", keys::read_secret(&self.files.pages));
        let qr = self.files.qr.as_deref().map(keys::read_secret).transpose();
        let qr = notes.take("keys.qr", qr);
        if let Some(tls) = &self.tls {
            check_tls_key(&mut notes, tls);
        }
        if !notes.faults.is_empty() {
            return Err(Faults(notes.faults));
        }
        let wallet = notes.take("keys.wallet", WalletKeys::new(wallet));
        match (wallet, DerivationKeys::new(derivation), pages, qr) {
            (Some(wallet), Some(derivation), Some(pages), Some(qr)) => {
                Ok(LoadedKeys { wallet, derivation, pages, qr })
            }
            _ => Err(Faults(notes.faults)),
        }
    }
}

/// Codes stay as long as a dialect tells used from expired ones, and what was debited as long as a limit or a sleep
/// counts it: they are no choices of their own.
pub fn upkeep(
    retention: &super::Retention,
    lifetimes: [Option<&super::Lifetimes>; 2],
    agreements: [Option<&super::Agreements>; 2],
) -> Upkeep {
    let usual = Upkeep::default();
    let or = |span: Option<Span>, usual: i64| span.map_or(usual, Span::millis);
    let kept = usual.retention;
    let code_memory = lifetimes.into_iter().flatten().filter_map(|lifetimes| lifetimes.code_memory);
    let asleep = agreements.into_iter().flatten().filter_map(|agreements| agreements.asleep_after_days);
    let asleep_ms = asleep.map(|days| i64::from(days).saturating_add(2).saturating_mul(DAY));
    Upkeep {
        retention: prune::Retention {
            open_ms: or(retention.undecided, kept.open_ms),
            decided_ms: or(retention.decided, kept.decided_ms),
            claim_ms: or(retention.references, kept.claim_ms),
            code_ms: code_memory.map(Span::millis).fold(kept.code_ms, i64::max),
            token_ms: or(retention.tokens, kept.token_ms),
            notification_ms: or(retention.notifications, kept.notification_ms),
            guard_ms: or(retention.pin_guards, kept.guard_ms),
            usage_ms: asleep_ms.fold(kept.usage_ms, i64::max),
            device_ms: kept.device_ms,
        },
        audit_key: None,
        checkpoint_ms: retention.checkpoint.map_or(usual.checkpoint_ms, |span| span.millis().unsigned_abs()),
    }
}

/// Reads an address with a port.
pub fn read_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "`{text}` is not an address and a port: write for example \"127.0.0.1:8080\" or \"[::]:8443\""
        )
    })
}

fn read_public_url(text: &str) -> Result<String, String> {
    let Some(host) = text.strip_prefix("https://") else {
        return Err(format!("`{text}` must begin with https://: users and merchants reach the wallet by it"));
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.is_empty()
        || host.contains(['/', '?', '#', '@', '\\'])
        || !host.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(format!(
            "`{text}` must be scheme and host, with a port if need be, and nothing after them: \
             \"https://wallet.example.iq\""
        ));
    }
    Ok(format!("https://{host}"))
}

/// Reads addresses without ports.
pub fn read_ips(notes: &mut Collector<'_>, key: &str, texts: &[String]) -> Vec<IpAddr> {
    texts
        .iter()
        .filter_map(|text| {
            let read =
                text.parse().map_err(|_| format!("`{text}` is not an IP address; ranges are not taken"));
            notes.take(key, read)
        })
        .collect()
}

fn check_tls(notes: &mut Collector<'_>, tls: Tls, dir: &Path) -> Option<Option<TlsFiles>> {
    match (tls.cert, tls.key, tls.terminated_by_proxy) {
        (None, None, true) => Some(None),
        (Some(cert), Some(key), false) => {
            let files = TlsFiles { cert: dir.join(cert), key: dir.join(key) };
            for (name, file) in [("tls.cert", &files.cert), ("tls.key", &files.key)] {
                if !file.is_file() {
                    notes.fault(name, format!("there is no file {}: check the path", file.display()));
                }
            }
            Some(Some(files))
        }
        (None, None, false) => {
            notes.fault(
                "tls",
                "nobody speaks TLS: set tls.cert and tls.key, or tls.terminated_by_proxy = true when a proxy does",
            );
            None
        }
        (_, _, true) => {
            notes.fault("tls", "either cert and key or terminated_by_proxy = true, not both: remove one");
            None
        }
        _ => {
            notes.fault("tls", "cert and key belong together: add the missing one");
            None
        }
    }
}

fn check_tls_key(notes: &mut Collector<'_>, tls: &TlsFiles) {
    if let Ok(Some(fault)) = keys::openness(&tls.key) {
        notes.fault("tls.key", fault);
    }
}

fn check_keys(notes: &mut Collector<'_>, keys: super::Keys, dir: &Path) -> super::Keys {
    let mut keys = keys;
    if keys.wallet.is_empty() {
        notes.fault("keys.wallet", "no key signs replies: make one with `accord keys generate --dir DIR`");
    } else if keys.wallet.iter().all(|key| !key.active) {
        notes.fault("keys.wallet", "no key is active: set active = true for the newest one");
    }
    for key in &mut keys.wallet {
        if !accord_wire::signature::is_key_version(&key.version) {
            let what = "must have 1 to 32 visible ASCII characters without comma";
            notes.fault("keys.wallet.version", format!("`{}` {what}", key.version));
        }
        key.file = dir.join(&key.file);
    }
    if keys.derivation.is_empty() {
        let what = "no key derives codes and tokens: make one with `accord keys generate --dir DIR`";
        notes.fault("keys.derivation", what);
    }
    let mut versions: Vec<u32> = keys.derivation.iter().map(|key| key.version).collect();
    versions.sort_unstable();
    if versions.first() == Some(&0) || versions.windows(2).any(|pair| pair.first() == pair.last()) {
        notes.fault("keys.derivation.version", "versions count from 1 and occur once: correct them");
    }
    for key in &mut keys.derivation {
        key.file = dir.join(&key.file);
    }
    keys.pages = dir.join(&keys.pages);
    keys.qr = keys.qr.map(|file| dir.join(file));
    keys.settlement = keys.settlement.map(|file| dir.join(file));
    keys.audit = keys.audit.map(|file| dir.join(file));
    keys.receipts = keys.receipts.map(|file| dir.join(file));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(change: impl Fn(&str) -> String) -> String {
        let text = change(crate::config::command::EXAMPLE);
        let path = Path::new("wallet.toml");
        match load::parse::<File>(&text, path)
            .map_err(|fault| Faults(vec![fault]))
            .and_then(|f| check(path, f))
        {
            Ok(_) => String::new(),
            Err(faults) => faults.to_string(),
        }
    }

    #[test]
    fn every_fault_of_a_value_is_a_sentence_with_its_key() {
        for (old, new, parts) in [
            ("https://wallet.example.iq\"", "http://wallet.example.iq\"", ["`public_url`", "https://"]),
            (
                "https://wallet.example.iq\"",
                "https://w.example/path\"",
                ["`public_url`", "nothing after them"],
            ),
            ("listen = \"0.0.0.0:8443\"", "listen = \"8443\"", ["`listen`", "an address and a port"]),
            ("\"127.0.0.1:9090\"", "\"0.0.0.0:8443\"", ["`admin.listen`", "another port"]),
            ("terminated_by_proxy = true", "terminated_by_proxy = false", ["`tls`", "tls.cert and tls.key"]),
            ("store = \"sqlite:", "store = \"mysql:", ["`store`", "sqlite:FILE"]),
            ("store = \"sqlite:", "store = \"postgres://me@h?sslrootcert=", ["`store`", "no database"]),
            ("active = true", "active = false", ["`keys.wallet`", "active = true"]),
            ("qr = ", "# qr = ", ["`keys.qr`", "code_scan"]),
            ("psp_id = \"102208800000001234\"", "psp_id = \"\"", ["`alipay_plus`", "psp_id"]),
            ("mounts = [\"/aps/api\"]", "mounts = [\"\"]", ["mounts", "wallet.toml"]),
            ("utc_offset = \"+03:00\"", "utc_offset = \"3\"", ["`qi.utc_offset`", "+03:00"]),
            ("[qi]", "[qy]", ["unknown field `qy`", "correct the name"]),
        ] {
            let said = said(|text| {
                assert!(text.contains(old), "the example has no {old}");
                text.replace(old, new)
            });
            for part in parts {
                assert!(said.contains(part), "{new}: `{part}` is not in: {said}");
            }
        }
    }

    #[test]
    fn what_was_debited_is_kept_as_long_as_a_sleep_looks_for_it() {
        let kept = |days: Option<u32>| {
            let agreements = crate::config::Agreements { asleep_after_days: days, ..Default::default() };
            upkeep(&Default::default(), [None; 2], [Some(&agreements), None]).retention.usage_ms / DAY
        };
        assert_eq!([kept(None), kept(Some(30)), kept(Some(730))], [400, 400, 732]);
    }

    #[test]
    fn the_example_has_no_fault() {
        assert_eq!(said(str::to_owned), "");
    }
}
