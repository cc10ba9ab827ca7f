//! Everything a request handler needs, in one place, and what a server is started with.

use crate::clients::Clients;
use crate::clock::Clock;
use crate::outbound::OutboundPolicy;
use accord_core::agreement::sign_in::SignInLimits;
use accord_core::agreement::step_up::StepUpPolicy;
use accord_core::identity::Identity;
use accord_core::ids::DialectName;
use accord_core::risk::RiskEngine;
use accord_core::secret::DerivationKeys;
use accord_core::store::{self as port, Rows, Store, StoreFault, Stored, Tx};
use accord_core::voice::Context;
use accord_core::{Ruled, Stop};
use accord_wire::dialect::Dialect;
use accord_wire::gateway::Gateway;
use accord_wire::seal::SealKey;
use accord_wire::signature::SigningPool;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, Semaphore, oneshot};

/// What a server is started with. Nothing is guessed: the binary fills it from a configuration file.
pub struct ServerOptions {
    /// How this wallet is reached from outside, without a trailing slash.
    pub public_url: String,
    /// TLS on the main listener; nothing: a proxy terminates it, or the sandbox.
    pub tls: Option<TlsFiles>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where `/metrics` is served; nothing: on the main listener (sandbox).
    pub admin_listen: Option<SocketAddr>,
    /// Mounts and dialects.
    pub gateway: Arc<Gateway>,
    /// Turns the handle of a QR value back into its authorization.
    pub qr_handles: Option<Arc<accord_wire::alipay_plus::QrHandles>>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// For deriving codes and tokens.
    pub keys: DerivationKeys,
    /// For cookies and form tokens of the pages.
    pub page_key: [u8; 32],
    /// Signs replies and notifications.
    pub signer: Arc<SigningPool>,
    /// Seals receipts of revocation; nothing: none are given.
    pub receipts: Option<Arc<SealKey>>,
    /// Where notifications may go.
    pub outbound: OutboundPolicy,
    /// How many wrong PINs are borne.
    pub sign_in: SignInLimits,
    /// Limits on callers.
    pub limits: Limits,
    /// Pruning and checkpoints of the journal.
    pub upkeep: crate::upkeep::Upkeep,
    /// What the wallet around accord is wired to: its API, its risk engine.
    pub seams: crate::wallet_api::Seams,
    /// Who carries messages out of the wallet.
    pub couriers: crate::courier::CourierOptions,
    /// What the pages lead to.
    pub screens: Screens,
    /// The sandbox: control API and demo; nothing under `serve`.
    pub sandbox: Option<SandboxOptions>,
}

/// Certificate and key of the main listener, PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// What a wallet chooses about its pages.
#[derive(Debug, Clone, Default)]
pub struct Screens {
    /// The wallet's apps.
    pub apps: crate::app_links::Apps,
    /// Which approvals need a one-time code beside the PIN.
    pub step_up: StepUpPolicy,
    /// How long sign-ins to the wallet live.
    pub sign_in: accord_core::device::Lives,
}

/// Limits on callers. Nothing: no limit.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Signed refusals a minute to one address before its signature was ever good; more are unsigned.
    pub signed_refusals_per_minute: Option<u32>,
    /// Signed refusals a minute to one client for calls that are faulty though well signed; more get 503, unsigned.
    pub signed_refusals_per_client_per_minute: Option<u32>,
    /// Longest expected wait before callers over their share get 503, and at twice it everybody; in milliseconds.
    pub longest_wait_ms: Option<u64>,
}

/// What only `accord dev` has.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Directory of the sandbox: the demo merchant reads its keys there.
    pub dir: PathBuf,
    /// The demo merchant's origin, `http://localhost:PORT` while the wallet is on `127.0.0.1`.
    pub demo_url: String,
    /// How far ahead this machine's clock is taken to be, in milliseconds: for tests of nodes whose clocks are wrong.
    pub clock_skew_ms: i64,
}

/// A running server, shared by its handlers and workers.
pub struct App {
    /// What it was started with.
    pub options: ServerOptions,
    /// This process among those that share its store, until it ends: the holder of its leases.
    pub node: String,
    /// Time and chance.
    pub clock: Arc<Clock>,
    /// Registered clients with parsed keys.
    pub clients: Arc<Clients>,
    /// Scripted outcomes of the sandbox.
    pub faults: crate::sandbox::faults::Faults,
    /// What the sandbox's demo merchant says when asked whether a user may end an agreement.
    pub demo_consent: Arc<crate::demo::DemoConsent>,
    /// Calls that are being answered, by caller.
    pub admission: Arc<crate::admission::Admission>,
    /// Answers of unverified callers that were signed, by address.
    pub refusal_budget: crate::limits::RefusalBudget,
    /// Calls of clients that have a limit.
    pub call_limits: crate::limits::CallLimits,
    /// Carries notifications; set when the workers start.
    pub dispatcher: std::sync::OnceLock<std::sync::Weak<crate::dispatcher::Dispatcher>>,
    /// Logos of merchants.
    pub logos: crate::logo::shelf::Logos,
    /// Carries messages; set when the workers start.
    pub courier: std::sync::OnceLock<std::sync::Weak<crate::courier::Courier>>,
    /// The wallet's own risk engine; nothing: the built-in rules alone.
    pub risk: Option<Arc<dyn RiskEngine>>,
    /// Wakes the workers when something may have become due.
    pub wake: Notify,
    /// Held for writing while the sandbox's clock moves: nobody else does due work meanwhile.
    pub due_work: tokio::sync::RwLock<()>,
    /// Says whether a PIN is a user's.
    pub identity: Arc<dyn Identity>,
    /// Says when keys of this node are not those of the others.
    pub same_keys: crate::same_keys::SameKeys,
    /// Two password checks at a time: each takes 19 MiB.
    pub pin_permits: Arc<Semaphore>,
    /// Set while the server winds down.
    pub draining: std::sync::atomic::AtomicBool,
}

impl App {
    /// The dialect of that name.
    pub fn dialect(&self, name: &DialectName) -> Option<Arc<dyn Dialect>> {
        self.options.gateway.dialect(name)
    }

    /// Runs a rule in one durable transaction and waits for its end without blocking the thread.
    pub async fn transact<T: Send + 'static>(
        &self,
        rule: impl FnMut(&mut dyn Tx) -> Ruled<T> + Send + 'static,
    ) -> Ruled<T> {
        transact(self.options.store.as_ref(), rule).await
    }

    /// Looks at committed rows without blocking the thread.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Rows) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        let (send, receive) = oneshot::channel();
        let slot = Arc::new(Mutex::new(None));
        let filled = slot.clone();
        self.options.store.submit_read(
            Box::new(move |rows| {
                let seen = look(rows);
                if let Ok(mut slot) = filled.lock() {
                    *slot = Some(seen);
                }
            }),
            Box::new(move |ended| {
                let _ = send.send(ended);
            }),
        );
        receive.await.unwrap_or_else(|_| Err(StoreFault::Unavailable("the store went away".into())))?;
        let seen = slot.lock().ok().and_then(|mut slot| slot.take());
        seen.unwrap_or_else(|| Err(StoreFault::Unavailable("the store ended without looking".into())))
    }

    /// Runs a rule that needs a dialect's words and the derivation keys.
    pub async fn transact_with<T: Send + 'static>(
        self: &Arc<Self>,
        dialect: &DialectName,
        mut rule: impl FnMut(&mut dyn Tx, Context<'_>) -> Ruled<T> + Send + 'static,
    ) -> Ruled<T> {
        let Some(dialect) = self.dialect(dialect) else {
            return Err(Stop::Fault(StoreFault::Corrupt(format!("no dialect named {dialect} is mounted"))));
        };
        let app = self.clone();
        self.transact(move |tx| {
            rule(tx, Context { keys: &app.options.keys, voice: crate::app::as_voice(dialect.as_ref()) })
        })
        .await
    }
}

/// Runs a rule in one durable transaction of a store and waits for its end without blocking the thread.
pub async fn transact<T: Send + 'static>(
    store: &dyn Store,
    mut rule: impl FnMut(&mut dyn Tx) -> Ruled<T> + Send + 'static,
) -> Ruled<T> {
    let (send, receive) = oneshot::channel();
    let slot = Arc::new(Mutex::new(None));
    let filled = slot.clone();
    store.submit(
        Box::new(move |tx| port::judge(rule(tx), &filled)),
        Box::new(move |ended| {
            let _ = send.send(ended);
        }),
    );
    let ended = receive.await.unwrap_or_else(|_| Err(StoreFault::Unknown("the store went away".into())));
    port::settle(ended, &slot)
}

/// A dialect seen as the voice that rules need.
pub fn as_voice(dialect: &dyn Dialect) -> &dyn accord_core::voice::Voice {
    dialect
}
