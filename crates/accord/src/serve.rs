//! `accord serve`: the wallet for real. Nothing is made silently: what is missing is said, and nothing starts.

use crate::config::check::{self, Settings};
use crate::exit::Exit;
use crate::logging;
use crate::place::clock_skew_ms;
use crate::storage::Purpose;
use accord_server::{ServerOptions, Upkeep};
use accord_store::schema::Schema;
use accord_wire::signature::{PoolOptions, SigningPool};
use anyhow::{Context as _, anyhow};
use clap::Args;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// What `accord serve` is told.
#[derive(Args)]
pub struct ServeArgs {
    /// Configuration file; `accord config example` prints one.
    #[arg(long, value_name = "FILE", env = "ACCORD_CONFIG")]
    config: PathBuf,
}

/// `accord serve`.
pub fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    clock_skew_ms(false)?;
    let settings = check::load(&args.config)?;
    logging::start(logging::Reader::Machine);
    settings.face.put_on();
    let options = options(&settings)?;
    let mut lock = settings.store.lock()?;
    if let Some(lock) = &mut lock {
        lock.say(Some(&settings.public_url))?;
    }
    let listener = TcpListener::bind(settings.listen).with_context(|| {
        format!("{}, `listen`: {} cannot be bound", args.config.display(), settings.listen)
    })?;
    listener.set_nonblocking(true)?;
    let greeting = format!("accord serves {} on {}", settings.public_url, settings.listen);
    until_stopped(options, listener, &greeting)?;
    drop(lock);
    Ok(Exit::Done)
}

fn options(settings: &Settings) -> anyhow::Result<ServerOptions> {
    let keys = settings.keys()?;
    let mounted = settings.choices.mount(keys.qr.unwrap_or_default()).map_err(|fault| anyhow!(fault))?;
    let store = settings.store.open_as(Purpose::Serve, &Schema::default(), Some(settings.listen))?;
    let signer = SigningPool::start(keys.wallet, PoolOptions::default())
        .context("the signing threads cannot be started")?;
    Ok(ServerOptions {
        public_url: settings.public_url.clone(),
        tls: settings.tls.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        admin_listen: Some(settings.admin),
        gateway: mounted.gateway,
        qr_handles: mounted.qr_handles,
        store,
        keys: keys.derivation,
        page_key: keys.pages,
        signer: Arc::new(signer),
        receipts: settings.receipts_key()?.map(Arc::new),
        outbound: settings.outbound.clone(),
        sign_in: settings.choices.sign_in.clone(),
        limits: settings.choices.limits.clone(),
        upkeep: Upkeep { audit_key: settings.audit_key()?, ..settings.upkeep.clone() },
        couriers: settings.couriers()?,
        seams: settings.seams.clone(),
        screens: settings.choices.screens.clone(),
        sandbox: None,
    })
}

/// Serves until SIGINT or SIGTERM, then finishes what is in flight. A second signal ends at once.
pub fn until_stopped(options: ServerOptions, listener: TcpListener, greeting: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(http_threads())
        .on_thread_start(yield_to_signatures)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        await_many(&listener)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let running = accord_server::start(options, listener).await?;
        println!("{greeting}");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: calls in flight are finished");
        tokio::select! {
            () = running.shutdown() => {}
            _ = terminate.recv() => tracing::warn!("a second signal: stopped at once"),
            _ = interrupt.recv() => tracing::warn!("a second signal: stopped at once"),
        }
        Ok(())
    })
}

/// Threads that read, verify and write calls: one for every two cores, unless the environment says otherwise. Next to a
/// signature this work is small, and threads that find none cost a switch to fall asleep and one to wake.
fn http_threads() -> usize {
    let told = std::env::var("TOKIO_WORKER_THREADS").ok().and_then(|told| told.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    told.unwrap_or(cores / 2).max(1)
}

/// Asks the system not to interrupt a signature for each call that comes in (`SCHED_BATCH`): the thread then finds several
/// at once, which costs less for each. Where the system has no such thing, or says no, nothing is lost but that.
fn yield_to_signatures() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::unix::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};
        use thread_priority::{ThreadPriority, set_thread_priority_and_policy, thread_native_id};
        let batch = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
        // 48 of 99 is the usual niceness, 0.
        if let Ok(usual) = 48_u8.try_into() {
            let _ = set_thread_priority_and_policy(
                thread_native_id(),
                ThreadPriority::Crossplatform(usual),
                batch,
            );
        }
    }
}

/// Lets so many callers wait to be let in as the system allows (net.core.somaxconn), at most 4,096. The standard library
/// says 128: of more that come in one moment each waits a second and tries again.
fn await_many(listener: &TcpListener) -> std::io::Result<()> {
    socket2::SockRef::from(listener).listen(4_096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;
    use std::time::Duration;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_yields_is_no_less_nice_than_others() {
        let said = std::thread::spawn(|| {
            yield_to_signatures();
            std::fs::read_to_string("/proc/thread-self/stat").expect("what the system says of a thread")
        });
        let said = said.join().expect("a thread");
        // After the name: state is the first, niceness the 17th, the policy the 39th.
        let (_, fields) = said.rsplit_once(") ").expect("a name in brackets");
        let fields: Vec<&str> = fields.split(' ').collect();
        let (niceness, policy) = (fields[16], fields[38]);
        assert_eq!((niceness, policy), ("0", "3"), "SCHED_BATCH: {said}");
    }

    #[test]
    fn three_hundred_callers_of_one_moment_are_let_in() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        await_many(&listener).expect("a longer queue");
        let address = listener.local_addr().expect("an address");
        // Nobody accepts: each must find a place in the queue. Who finds none hears nothing for a second.
        let callers: Result<Vec<TcpStream>, _> =
            (0..300).map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(900))).collect();
        assert_eq!(callers.expect("a place for each").len(), 300);
    }
}
