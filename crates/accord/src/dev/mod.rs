//! `accord dev`: the sandbox. Makes what is missing in its directory, binds, writes `sandbox.json`, serves.
//!
//! Nothing that exists is made again: keys, users and clients of the first start stay, whatever became of them.
//! Files that are not known here are left alone.

pub mod lock;
mod ports;
pub mod provision;
pub mod state;

pub use lock::holder;

use crate::config::carriers;
use crate::config::check::{self, Collector, Faults};
use crate::config::face::{self, Face};
use crate::config::{AlipayPlus, SandboxFile, load};
use crate::exit::Exit;
use crate::keys::{private_dir, read_private_key, read_seal_key, read_secret, write_file};
use crate::logging;
use crate::migrate::ExtraSteps;
use crate::place::{Place, clock_skew_ms};
use crate::storage::{Purpose, StoreUrl};
use crate::wallet::{Choices, Sections};
use accord_core::secret::DerivationKeys;
use accord_core::store::Store;
use accord_server::admin::ConsoleOptions;
use accord_server::outbound::OutboundPolicy;
use accord_server::wallet_api::Seams;
use accord_server::{SandboxOptions, ServerOptions, Upkeep};
use accord_wire::signature::{PoolOptions, SigningPool, WalletKey, WalletKeys};
use anyhow::{Context as _, anyhow};
use clap::Args;
use state::State;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `accord dev` is told.
#[derive(Args)]
pub struct DevArgs {
    /// Address and port. Port 0: the one used last time if it is free, else any.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Directory of the sandbox.
    #[arg(long, value_name = "DIR", default_value = "./accord-data")]
    data: PathBuf,
    /// Another store than the SQLite file in DIR: sqlite:FILE or postgres://…. Remembered in DIR. On PostgreSQL a
    /// second process may join the first.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Let notifications go to other machines too; without it they wait.
    #[arg(long)]
    outbound: bool,
    #[command(flatten)]
    extra: ExtraSteps,
}

/// The configuration file of a fresh sandbox: everything may be left out.
const CONFIG: &str = "# What this sandbox leaves open; see `accord config example` for the sections [envelope], [qi],\n\
    # [alipay_plus], [limits], [sign_in] and [retention]. Everything may be left out. Limits are off unless they stand here.\n";

/// `accord dev`.
pub fn run(args: DevArgs) -> anyhow::Result<Exit> {
    logging::start(logging::Reader::Person);
    let store = args.store.as_deref().map(StoreUrl::of_argument).transpose()?;
    private_dir(&args.data)?;
    let dir = std::path::absolute(&args.data)?;
    let mut state = State::read(&dir)?.unwrap_or_default();
    let before = state.store.take();
    state.store = store.map(|url| url.written()).or(before);
    let store_url = state.store_url(&dir)?;
    let lock = match store_url.file() {
        Some(_) => Some(lock::take(&dir)?),
        None => lock::take_or_join(&dir)?,
    };
    let Some(mut lock) = lock else { return join(&args, &dir, &store_url) };
    let config = dir.join("accord.toml");
    if !config.exists() {
        write_file(&config, CONFIG.as_bytes(), 0o644)?;
    }
    provision::keys(&dir)?;
    if let Some(parent) = store_url.file().and_then(Path::parent) {
        private_dir(parent)?;
    }
    let _store_lock = store_url.lock()?;
    let bound = ports::bind(args.listen, &state)?;
    let address = bound.listener.local_addr()?;
    let store = store_url.open_as(Purpose::Sandbox, &args.extra.schema()?, Some(address))?;

    if let Some(warning) = &bound.warning {
        eprintln!("\n*** {warning} ***\n");
    }
    let (choices, upkeep, face) = choices(&config, &bound.public_url)?;
    face.put_on();
    let console = console(&config)?;
    let place = Place::new(store.clone(), true)?;
    provision::furnish(&place, &dir, &bound.demo_url)?;
    let mut file = sandbox_file(&place, &choices, &bound.public_url)?;
    file.wallet_api = Some(provision::wallet_api(&place, &dir, &bound.public_url)?);

    let options = options(&dir, (choices, upkeep, console), store, &bound, args.outbound)?;
    state.port = Some(bound.listener.local_addr()?.port());
    state.public_url = Some(bound.public_url.clone());
    state.write(&dir)?;
    file.write(&dir)?;
    lock.say(Some(&bound.public_url))?;

    let greeting = greeting(&args.data, &bound, &file, args.outbound);
    crate::serve::until_stopped(options, bound.listener, &greeting)?;
    drop(lock);
    Ok(Exit::Done)
}

/// A node beside the process that holds the sandbox: same keys, same public URL, same database. It makes nothing and
/// tells where it answers in `node-<port>.json`.
fn join(args: &DevArgs, dir: &Path, store_url: &StoreUrl) -> anyhow::Result<Exit> {
    let state = State::read(dir)?.unwrap_or_default();
    anyhow::ensure!(
        state.store_url(dir)? == *store_url,
        "{}: the process that holds this sandbox works on another store: name that one, or another --data",
        dir.display()
    );
    let mut bound = ports::bind(args.listen, &State::default())?;
    let address = bound.listener.local_addr()?;
    let store = store_url.open_as(Purpose::Serve, &args.extra.schema()?, Some(address))?;
    let own_url = std::mem::replace(&mut bound.public_url, state.public_url.clone().unwrap_or_default());
    let (choices, upkeep, face) = choices(&dir.join("accord.toml"), &bound.public_url)?;
    face.put_on();
    let console = console(&dir.join("accord.toml"))?;
    let place = Place::new(store.clone(), true)?;
    let mut file = sandbox_file(&place, &choices, &own_url)?;
    file.wallet_api = accord_client::SandboxFile::read(dir)?.wallet_api;
    let options = options(dir, (choices, upkeep, console), store, &bound, args.outbound)?;
    let name = format!("node-{}.json", bound.listener.local_addr()?.port());
    file.write_as(dir, &name)?;
    let greeting = format!("accord sandbox: a node at {own_url}, told in {}", dir.join(&name).display());
    let ended = crate::serve::until_stopped(options, bound.listener, &greeting);
    let _ = std::fs::remove_file(dir.join(&name));
    ended?;
    Ok(Exit::Done)
}

/// What `sandbox.json` says of a process at that URL.
fn sandbox_file(place: &Place, choices: &Choices, url: &str) -> anyhow::Result<accord_client::SandboxFile> {
    let prefix = |mounts: Option<&Vec<String>>| mounts.and_then(|mounts| mounts.first()).cloned();
    let prefixes = [
        prefix(choices.qi.as_ref().map(|(mounts, _)| mounts)).unwrap_or_default(),
        prefix(choices.alipay_plus.as_ref().map(|(mounts, _)| mounts)).unwrap_or_default(),
    ];
    provision::sandbox_file(place, url, prefixes.each_ref().map(String::as_str))
}

/// The sandbox's choices: its configuration file over the defaults of the sample in the Alipay+ paper.
pub fn choices(config: &Path, public_url: &str) -> anyhow::Result<(Choices, Upkeep, Face)> {
    let file: SandboxFile = load::read(config).map_err(|fault| Faults(vec![fault]))?;
    let mut alipay_plus: AlipayPlus = file.alipay_plus;
    if alipay_plus.psp_id.is_empty() {
        alipay_plus.psp_id = provision::PSP_ID.to_owned();
    }
    if alipay_plus.wallet_names.is_empty() {
        alipay_plus.wallet_names = vec![provision::WALLET_NAME.to_owned()];
    }
    let lifetimes = [Some(&file.qi.lifetimes), Some(&alipay_plus.lifetimes)];
    let agreements = [Some(&file.qi.agreements), Some(&alipay_plus.agreements)];
    let upkeep = check::upkeep(&file.retention, lifetimes, agreements);
    // The demo merchant is asked, and nobody else: the second clients have no URL.
    let consult = alipay_plus.consult_unbinding_url.take().filter(|url| !url.is_empty());
    let default =
        || alipay_plus.network_base_url.is_none().then(|| "{auth_notify_url}/consultUnbinding".to_owned());
    alipay_plus.consult_unbinding_url = consult.or_else(default);
    let mut notes = Collector::new(config);
    let dir = config.parent().unwrap_or(Path::new(""));
    let face = face::check(file.brand, file.messages.as_deref(), dir, &mut notes);
    let sections = Sections {
        envelope: file.envelope,
        qi: Some(file.qi),
        alipay_plus: Some(alipay_plus),
        limits: file.limits,
        sign_in: file.sign_in,
        carriers: carriers::check(file.email, file.sms, dir, true, &mut notes),
        languages: face.languages(),
        apps: file.apps,
        step_up: file.step_up,
    };
    let choices = sections.check(public_url, true, &mut notes);
    if notes.faults.is_empty() { Ok((choices, upkeep, face)) } else { Err(Faults(notes.faults).into()) }
}

/// Is the operator console served? Off unless the sandbox's file says so, as under `serve`.
fn console(config: &Path) -> anyhow::Result<Option<ConsoleOptions>> {
    let file: SandboxFile = load::read(config).map_err(|fault| Faults(vec![fault]))?;
    Ok(file.admin.console.then_some(ConsoleOptions { over_tls: false }))
}

fn options(
    dir: &Path,
    (choices, upkeep, console): (Choices, Upkeep, Option<ConsoleOptions>),
    store: Arc<dyn Store>,
    bound: &ports::Bound,
    outbound: bool,
) -> anyhow::Result<ServerOptions> {
    let keys = dir.join("keys");
    let mounted = choices.mount(read_secret(&keys.join("qr.key"))?).map_err(|fault| anyhow!(fault))?;
    let wallet = WalletKey {
        version: "1".to_owned(),
        key: read_private_key(&keys.join("wallet-1.pem"))?,
        active: true,
    };
    let derivation = BTreeMap::from([(1, read_secret(&keys.join("derivation-1.key"))?)]);
    let signer = SigningPool::start(WalletKeys::new(vec![wallet])?, PoolOptions::default())
        .context("the signing threads cannot be started")?;
    Ok(ServerOptions {
        public_url: bound.public_url.clone(),
        tls: None,
        trusted_proxies: Vec::new(),
        admin_listen: None,
        gateway: mounted.gateway,
        qr_handles: mounted.qr_handles,
        store,
        keys: DerivationKeys::new(derivation).ok_or_else(|| anyhow!("there is no derivation key"))?,
        page_key: read_secret(&keys.join("pages.key"))?,
        signer: Arc::new(signer),
        receipts: Some(Arc::new(read_seal_key(&keys.join("receipts.pem"))?)),
        outbound: OutboundPolicy {
            allow_http: true,
            allow_loopback: true,
            only_loopback: !outbound,
            allowed: Vec::new(),
        },
        sign_in: choices.sign_in,
        couriers: choices.carriers.open(&dir.join("accord.toml"))?,
        limits: choices.limits,
        upkeep: Upkeep { audit_key: Some(read_seal_key(&keys.join("audit.pem"))?), ..upkeep },
        seams: Seams { console, ..Seams::default() },
        screens: choices.screens,
        sandbox: Some(SandboxOptions {
            dir: dir.to_owned(),
            demo_url: bound.demo_url.clone(),
            clock_skew_ms: clock_skew_ms(true)?,
        }),
    })
}

fn greeting(data: &Path, bound: &ports::Bound, file: &accord_client::SandboxFile, outbound: bool) -> String {
    let data = data.display();
    let mut lines = vec![
        "accord sandbox is ready".to_owned(),
        format!("  wallet    {}", bound.public_url),
        format!(
            "  demo      {}/demo  (a shop on a phone, its merchant, the signed messages)",
            bound.demo_url
        ),
        format!("  files     {data}/sandbox.json, {data}/keys/"),
    ];
    if let Some(user) = file.users.first() {
        lines.push(format!("  user      {} (its PIN is in sandbox.json)", user.login_id));
    }
    lines.push(format!("  try       accord call prepare --sandbox {data} examples/qi/prepare.json"));
    if !outbound {
        lines.push("  notices   go to this machine only; others wait (--outbound lets them go)".to_owned());
    }
    lines.push("Stop with Ctrl-C; the next start continues here.".to_owned());
    lines.join("\n")
}
