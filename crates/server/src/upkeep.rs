//! Upkeep: the journal's checkpoints, and pruning in steps so small that no call waits long behind one.
//!
//! Nothing here is on the path of a request. What is pruned, and what stays, is said in `accord_core::prune`. Of the nodes
//! on one store one does it, under a lease; two that do it at once would be in each other's way, but do no harm.

use crate::app::App;
use crate::telemetry;
use accord_core::checkpoint::{Draft, draft};
use accord_core::lease;
use accord_core::prune::{self, Retention};
use accord_core::store::StoreFault;
use accord_core::{Ruled, Stop, Timestamp};
use accord_wire::seal::SealKey;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How this server keeps house.
#[derive(Debug, Clone)]
pub struct Upkeep {
    /// How long rows stay hot.
    pub retention: Retention,
    /// Signs checkpoints of the journal; nothing: there are none.
    pub audit_key: Option<SealKey>,
    /// At least so long between two checkpoints, in milliseconds.
    pub checkpoint_ms: u64,
}

impl Default for Upkeep {
    fn default() -> Upkeep {
        Upkeep { retention: Retention::default(), audit_key: None, checkpoint_ms: 60_000 }
    }
}

/// Rows in a step. The writer is busy with one for a few milliseconds at most.
const STEP: usize = 40;
/// Between two steps while there is something to prune.
const PAUSE: Duration = Duration::from_millis(40);
/// Looks for something to prune so often.
const IDLE: Duration = Duration::from_secs(2);

/// The lease of the node that keeps house on a shared store, and how long it lasts. Renewed when half of it is over.
const LEASE: &str = "upkeep";
const LEASE_MS: i64 = 30_000;
/// How often a checkpoint is drafted that another node was quicker with.
const DRAFTS: u32 = 3;

/// Keeps house until the server drains; then seals what the journal has grown by since.
pub async fn run(app: Arc<App>) {
    let mut sealed = Instant::now();
    let mut held_until = Timestamp(i64::MIN);
    while !app.draining.load(Ordering::Relaxed) {
        let ours = is_ours(&app, &mut held_until).await;
        let full = ours && prune_step(&app).await == STEP;
        if ours && sealed.elapsed() >= Duration::from_millis(app.options.upkeep.checkpoint_ms) {
            seal(&app).await;
            sealed = Instant::now();
        }
        let pause = if full { PAUSE } else { IDLE };
        let until = Instant::now() + pause;
        while Instant::now() < until && !app.draining.load(Ordering::Relaxed) {
            tokio::time::sleep(PAUSE.min(pause)).await;
        }
    }
    seal(&app).await;
    if app.options.store.is_shared() {
        let (node, now) = (app.node.clone(), app.clock.unmoved());
        let _: Ruled<()> = app.transact(move |tx| lease::release(tx, LEASE, &node, now)).await;
    }
}

/// Is it this node that keeps house now? Takes or renews the lease where it is needed.
async fn is_ours(app: &Arc<App>, held_until: &mut Timestamp) -> bool {
    let now = app.clock.unmoved();
    if !app.options.store.is_shared() || held_until.since(now) > LEASE_MS / 2 {
        return true;
    }
    let node = app.node.clone();
    let taken: Ruled<bool> = async {
        let seen = node.clone();
        // Those that do not hold it only look.
        let others = app.look(move |rows| lease::read(rows, LEASE)).await?;
        if others.is_some_and(|lease| lease.lasts(now) && lease.holder != seen) {
            return Ok(false);
        }
        app.transact(move |tx| lease::take(tx, LEASE, &node, LEASE_MS, now)).await
    }
    .await;
    match taken {
        Ok(ours) => {
            *held_until = if ours { now.plus_millis(LEASE_MS) } else { Timestamp(i64::MIN) };
            ours
        }
        Err(stop) => {
            tracing::warn!(why = said(&stop), "the lease of upkeep could not be taken");
            false
        }
    }
}

/// Takes one step; says how many rows it took.
async fn prune_step(app: &Arc<App>) -> usize {
    let _work = app.due_work.read().await;
    let (at, retention) = (app.clock.moment(), app.options.upkeep.retention.clone());
    let pruned: Ruled<usize> = app.transact(move |tx| prune::step(tx, &retention, STEP, &at)).await;
    match pruned {
        Ok(rows) => {
            telemetry::pruned(rows);
            rows
        }
        Err(stop) => {
            tracing::warn!(why = said(&stop), "nothing was pruned");
            0
        }
    }
}

/// Writes a checkpoint if any stream of the journal has moved.
async fn seal(app: &Arc<App>) {
    let Some(key) = &app.options.upkeep.audit_key else { return };
    let _work = app.due_work.read().await;
    for drafts in 1..=DRAFTS {
        let now = app.clock.now();
        let drafted = match app.look(move |rows| draft(rows, now)).await {
            Ok(Some(drafted)) => drafted,
            Ok(None) => return,
            Err(fault) => return tracing::warn!(%fault, "the journal could not be read for a checkpoint"),
        };
        match keep(app, key, drafted).await {
            Ok(()) => return,
            // Another node, on its way out, has written that number.
            Err(Stop::Fault(StoreFault::Conflict(_))) if drafts < DRAFTS => {}
            Err(stop) => {
                return tracing::warn!(why = said(&stop), "no checkpoint of the journal was written");
            }
        }
    }
}

async fn keep(app: &Arc<App>, key: &SealKey, drafted: Draft) -> Ruled<()> {
    let signature = key
        .sign(drafted.content.as_bytes())
        .map_err(|fault| Stop::Fault(StoreFault::Unavailable(format!("audit key: {fault}"))))?;
    let checkpoint = drafted.signed(signature);
    app.transact(move |tx| Ok(tx.insert_checkpoint(&checkpoint, &drafted.heads)?)).await
}

fn said(stop: &Stop) -> String {
    match stop {
        Stop::Refused(refusal) => refusal.to_string(),
        Stop::Fault(fault) => fault.to_string(),
    }
}
