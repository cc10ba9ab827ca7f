//! Upkeep: the journal's checkpoints, and pruning in steps so small that no call waits long behind one.
//!
//! Nothing here is on the path of a request. What is pruned, and what stays, is said in `accord_core::prune`.

use crate::app::App;
use crate::telemetry;
use accord_core::checkpoint::{Draft, draft};
use accord_core::prune::{self, Retention};
use accord_core::store::StoreFault;
use accord_core::{Ruled, Stop};
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

/// Keeps house until the server drains; then seals what the journal has grown by since.
pub async fn run(app: Arc<App>) {
    let mut sealed = Instant::now();
    while !app.draining.load(Ordering::Relaxed) {
        let full = prune_step(&app).await == STEP;
        if sealed.elapsed() >= Duration::from_millis(app.options.upkeep.checkpoint_ms) {
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
    let now = app.clock.now();
    let drafted = match app.look(move |rows| draft(rows, now)).await {
        Ok(Some(drafted)) => drafted,
        Ok(None) => return,
        Err(fault) => return tracing::warn!(%fault, "the journal could not be read for a checkpoint"),
    };
    if let Err(stop) = keep(app, key, drafted).await {
        tracing::warn!(why = said(&stop), "no checkpoint of the journal was written");
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
