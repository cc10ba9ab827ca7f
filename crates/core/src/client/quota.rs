//! A client's calls a second, counted for all nodes on a store together.
//!
//! Permits of the running second are reserved from one row, in chunks, and each node gives out its own chunk. So never
//! more calls are let through than agreed; what nodes have reserved and not used when the row is empty is lost, at most
//! a tenth of the limit. Each second is a window of its own: nothing is carried over.

use crate::ids::ClientId;
use crate::outcome::Ruled;
use crate::store::Tx;

/// All that nodes hold back together is at most a limit divided by this.
const LOST: u32 = 10;
/// As many nodes are expected at least, so that a second one does not come as a surprise.
const FEWEST_NODES: u32 = 4;
/// Another node's clock may be so many seconds ahead. A window beyond that was opened before the clocks were set back.
const AHEAD: i64 = 2;

/// What was reserved of a client's newest window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallQuota {
    /// Whose calls.
    pub client: ClientId,
    /// The window: seconds since 1970.
    pub window: i64,
    /// Permits that were reserved.
    pub taken: u32,
    /// Nodes that reserved some.
    pub nodes: u32,
    /// Nodes that did in the window before, as far as known.
    pub nodes_before: u32,
}

/// Permits of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// The window; a later one than was asked for, if another node's clock is ahead.
    pub window: i64,
    /// How many calls may be let through; 0: the window has no more.
    pub permits: u32,
}

/// Reserves a chunk of `limit` calls a second, in `window` or a later one. `last` is the window that this node reserved
/// from before.
pub fn reserve(
    tx: &mut dyn Tx,
    client: &ClientId,
    limit: u32,
    window: i64,
    last: Option<i64>,
) -> Ruled<Reserved> {
    let fresh = |nodes_before| CallQuota { client: client.clone(), window, taken: 0, nodes: 0, nodes_before };
    let quota = match tx.call_quota(client)? {
        Some(quota) if (window..=window.saturating_add(AHEAD)).contains(&quota.window) => quota,
        Some(quota) if quota.window.saturating_add(1) == window => fresh(quota.nodes),
        Some(_) | None => fresh(0),
    };
    let window = quota.window;
    let nodes = quota.nodes + u32::from(last != Some(window));
    let most_nodes = nodes.max(quota.nodes_before).max(FEWEST_NODES);
    let chunk = (limit / LOST.saturating_mul(most_nodes)).max(1);
    let permits = chunk.min(limit.saturating_sub(quota.taken));
    if permits > 0 {
        tx.put_call_quota(&CallQuota { taken: quota.taken + permits, nodes, ..quota })?;
    }
    Ok(Reserved { window, permits })
}
