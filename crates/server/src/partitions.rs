//! Shows how far the store is prepared for the time to come: the parts by time of its tables, read now and then.

use crate::app::App;
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// They change once a year, or once a month.
const EVERY: Duration = Duration::from_secs(600);

/// Looks until the server stops.
pub async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    loop {
        let seen = app.clone();
        match tokio::task::spawn_blocking(move || seen.options.store.time_parts()).await {
            Ok(Ok(tables)) => tables.iter().for_each(telemetry::time_parts),
            Ok(Err(fault)) => tracing::warn!(%fault, "the partitions by time could not be looked at"),
            Err(broken) => tracing::error!(%broken, "the partitions by time could not be looked at"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.changed() => return,
        }
    }
}
