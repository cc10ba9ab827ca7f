//! Starts and stops a server: accepts connections, speaks TLS where configured, winds down without dropping a call.

use crate::app::{App, ServerOptions, TlsFiles};
use crate::clients::Clients;
use crate::clock::{Clock, OFFSET_SETTING, random};
use crate::courier::Courier;
use crate::dispatcher::Dispatcher;
use crate::http::{Peer, admin_router, router};
use crate::logo::shelf::Logos;
use crate::pin::KeptPins;
use crate::risk::HttpEngine;
use crate::{partitions, same_keys, schedule, shared_time, telemetry, upkeep, wallet_api};
use accord_core::Stop;
use accord_core::identity::Identity;
use accord_core::risk::RiskEngine;
use accord_core::store::StoreFault;
use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Calls in flight get so long to finish.
const PATIENCE: Duration = Duration::from_secs(20);
/// A connection that sends no request line and headers for so long is closed.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);
/// A TLS handshake takes no longer.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a server did not start: a sentence for its operator.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// A listener could not be opened.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// Certificate or key cannot be used.
    #[error("tls: {0}")]
    Tls(String),
    /// The wallet API would be open to others.
    #[error("wallet_api: {0}")]
    WalletApi(String),
    /// A key is not the one that the store knows.
    #[error("{0}")]
    MixedUpKeys(String),
    /// The store cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(#[from] accord_core::store::StoreFault),
    /// A carrier of messages cannot be used as configured.
    #[error("messages: {0}")]
    Messages(String),
    /// The client for notifications could not be made.
    #[error("notifications: {0}")]
    Outbound(#[from] reqwest::Error),
}

/// A running server.
pub struct Running {
    /// What its handlers share.
    pub app: Arc<App>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts everything on a bound listener. The clock goes by the store's where there is one, and its offset is read.
pub async fn start(options: ServerOptions, listener: TcpListener) -> Result<Running, StartFault> {
    telemetry::recorder();
    let address = listener.local_addr().map_err(|fault| StartFault::Listen(unspecified(), fault))?;
    let tls = options.tls.as_ref().map(acceptor).transpose()?;
    let admin = match options.admin_listen {
        Some(address) => Some(TcpListener::bind(address).await.map_err(|e| StartFault::Listen(address, e))?),
        None => None,
    };
    let wallet_api = match &options.seams.wallet_api {
        Some(listen) => Some(bind_wallet_api(listen).await?),
        None => None,
    };
    let read = tokio::task::spawn_blocking(move || {
        let (store, sandbox) = (options.store.as_ref(), options.sandbox.as_ref());
        let clock = Clock::skewed(0, sandbox.map_or(0, |sandbox| sandbox.clock_skew_ms));
        let readings = shared_time::begin(&clock, store)?;
        let offset = accord_core::store::look(store, |rows| rows.setting(OFFSET_SETTING))?;
        clock.set_offset_ms(sandbox.and(offset).and_then(|text| text.parse().ok()).unwrap_or(0));
        let same_keys = match same_keys::begin(&options, &clock) {
            Ok(same) => same.map_err(StartFault::MixedUpKeys)?,
            Err(Stop::Fault(fault)) => return Err(fault.into()),
            Err(Stop::Refused(refusal)) => return Err(StoreFault::Unavailable(refusal.to_string()).into()),
        };
        let clients = Clients::load(store)?;
        Ok::<_, StartFault>((options, clock, readings, clients, same_keys))
    });
    let (options, clock, readings, clients, same_keys) =
        read.await.unwrap_or_else(|broken| Err(StoreFault::Unavailable(broken.to_string()).into()))?;

    let risk = match &options.seams.risk {
        Some(engine) => Some(Arc::new(HttpEngine::new(engine.clone())?) as Arc<dyn RiskEngine>),
        None => None,
    };
    let pin_permits = Arc::new(Semaphore::new(2));
    let built_in = || Arc::new(KeptPins { permits: pin_permits.clone() }) as Arc<dyn Identity>;
    let identity = options.seams.identity.clone().unwrap_or_else(built_in);
    let outbound = options.outbound.clone();
    let app = Arc::new(App {
        options,
        node: random::<8>().iter().map(|byte| format!("{byte:02x}")).collect(),
        clock: Arc::new(clock),
        clients: Arc::new(clients),
        faults: Default::default(),
        demo_consent: Default::default(),
        admission: Default::default(),
        refusal_budget: Default::default(),
        call_limits: Default::default(),
        dispatcher: Default::default(),
        courier: Default::default(),
        logos: Logos::new(&outbound)?,
        risk,
        wake: Notify::new(),
        due_work: Default::default(),
        identity,
        same_keys,
        pin_permits,
        draining: AtomicBool::new(false),
    });
    let dispatcher = Dispatcher::new(app.clone(), &outbound)?;
    let _ = app.dispatcher.set(Arc::downgrade(&dispatcher));
    let courier = Courier::new(app.clone(), &app.options.couriers).map_err(StartFault::Messages)?;
    let _ = app.courier.set(Arc::downgrade(&courier));

    schedule::release_held(&app).await?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = vec![tokio::spawn(schedule::run(app.clone(), dispatcher, courier))];
    tasks.push(tokio::spawn(upkeep::run(app.clone())));
    if app.options.store.is_shared() {
        shared_time::tell(&app.clock, false);
        tasks.push(tokio::spawn(shared_time::run(app.clone(), readings, stopped.clone())));
        tasks.push(tokio::spawn(partitions::run(app.clone(), stopped.clone())));
    }
    if app.options.store.is_shared() && app.options.sandbox.is_none() {
        tasks.push(tokio::spawn(same_keys::run(app.clone(), stopped.clone())));
    }
    if app.options.seams.console.is_some() {
        tasks.push(tokio::spawn(crate::live::run(app.clone(), stopped.clone())));
    }
    if let Some(admin) = admin {
        tasks.push(tokio::spawn(accept(admin, None, admin_router(app.clone()), stopped.clone())));
    }
    if let Some((listener, tls)) = wallet_api {
        tasks.push(tokio::spawn(accept(listener, tls, wallet_api::routes(app.clone()), stopped.clone())));
    }
    tasks.push(tokio::spawn(accept(listener, tls, router(app.clone()), stopped)));
    Ok(Running { app, address, stop, tasks })
}

impl Running {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops: new calls get 503, those in flight are finished, deliveries under way are written down.
    pub async fn shutdown(self) {
        self.app.draining.store(true, Ordering::Relaxed);
        self.app.wake.notify_one();
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = tokio::time::timeout(PATIENCE, task).await;
        }
    }
}

/// Opens the wallet API's listener, or says why it must stay shut.
async fn bind_wallet_api(
    listen: &wallet_api::listen::Listen,
) -> Result<(TcpListener, Option<TlsAcceptor>), StartFault> {
    if let Some(why) = listen.fault() {
        return Err(StartFault::WalletApi(why));
    }
    let tls = listen.tls.as_ref().map(wallet_api::listen::acceptor).transpose()?;
    let address = listen.address;
    let listener = TcpListener::bind(address).await.map_err(|fault| StartFault::Listen(address, fault))?;
    Ok((listener, tls))
}

fn unspecified() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) => {
                // Out of file descriptors, most likely: others must close first.
                tracing::warn!(%fault, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = socket.set_nodelay(true);
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            match tls {
                None => converse(socket, peer, router, watcher).await,
                Some(tls) => {
                    let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(socket));
                    if let Ok(Ok(socket)) = handshake.await {
                        converse(socket, peer, router, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn converse<S>(socket: S, peer: SocketAddr, router: Router, watcher: Watcher)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(Peer(peer));
        async move { router.oneshot(request).await }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(socket), service);
    let _ = watcher.watch(connection).await;
}

/// Reads the files of the main listener's TLS.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, StartFault> {
    let fault = |file: &std::path::Path, why: String| StartFault::Tls(format!("{}: {why}", file.display()));
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| fault(&files.cert, why.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|why| fault(&files.key, why.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| StartFault::Tls(why.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|why| fault(&files.cert, why.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
