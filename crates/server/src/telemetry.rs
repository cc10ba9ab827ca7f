//! What operators see: one log line a call, and metrics for Prometheus. Never a secret.

use accord_core::Timestamp;
use accord_core::ids::DialectName;
use accord_core::payment::unresolved::Tally;
use accord_core::store::partitions::TimeParts;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;

/// One answered call, as the log and the metrics tell it.
#[derive(Debug)]
pub struct Call<'a> {
    /// Dialect.
    pub dialect: &'a str,
    /// Operation, or `-` when none was reached.
    pub operation: &'a str,
    /// Client-Id, or `-` when none was verified.
    pub client: &'a str,
    /// `resultCode`.
    pub code: &'a str,
    /// `resultStatus`.
    pub status: &'a str,
    /// HTTP status.
    pub http_status: u16,
    /// From the first byte read to the last byte written.
    pub took: Duration,
    /// Id of this exchange, also in the reply.
    pub trace_id: &'a str,
}

/// Logs and counts a call.
pub fn call(call: &Call<'_>) {
    tracing::info!(
        target: "accord::call",
        dialect = call.dialect,
        operation = call.operation,
        client = call.client,
        code = call.code,
        status = call.status,
        http_status = call.http_status,
        micros = u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX),
        trace_id = call.trace_id,
        "call"
    );
    crate::live::LIVE.call(call.operation, call.code, call.status, call.took);
    let labels = [
        ("dialect", call.dialect.to_owned()),
        ("operation", call.operation.to_owned()),
        ("code", call.code.to_owned()),
    ];
    counter!("accord_calls_total", &labels).increment(1);
    histogram!("accord_call_seconds", "operation" => call.operation.to_owned())
        .record(call.took.as_secs_f64());
}

/// Counts a call that was turned away. Not a line in the log for each: there are many, when there are any.
pub fn turned_away(code: &'static str, took: Duration) {
    crate::live::LIVE.call("-", code, "U", took);
    counter!("accord_calls_turned_away_total").increment(1);
}

/// Counts an attempt at a notification.
pub fn attempt(kind: &str, outcome: &str, took: Duration) {
    crate::live::LIVE.attempt(outcome == "acknowledged");
    counter!("accord_notification_attempts_total", "kind" => kind.to_owned(), "outcome" => outcome.to_owned())
        .increment(1);
    histogram!("accord_notification_seconds").record(took.as_secs_f64());
}

/// Counts a try to carry a message out of the wallet.
pub fn carried(channel: &'static str, kind: &'static str, outcome: &'static str, took: Duration) {
    counter!("accord_message_attempts_total", "channel" => channel, "kind" => kind, "outcome" => outcome)
        .increment(1);
    histogram!("accord_message_seconds", "channel" => channel).record(took.as_secs_f64());
}

/// Counts a message whose every try was in vain.
pub fn message_died(channel: &'static str, kind: &'static str) {
    counter!("accord_messages_dead_total", "channel" => channel, "kind" => kind).increment(1);
}

/// Shows how old the oldest message is that is due to leave the wallet.
pub fn messages_due(oldest_due: Duration) {
    gauge!("accord_messages_oldest_due_seconds").set(oldest_due.as_secs_f64());
}

/// Shows how old the oldest due notification is, and how long the next signature and the next call would wait.
pub fn queues(oldest_due: Duration, signature_wait: Duration, call_wait: Duration) {
    crate::live::LIVE.oldest_due(oldest_due);
    gauge!("accord_outbox_oldest_due_seconds").set(oldest_due.as_secs_f64());
    gauge!("accord_call_wait_seconds").set(call_wait.as_secs_f64());
    gauge!("accord_signature_wait_seconds").set(signature_wait.as_secs_f64());
}

/// Shows how many payments or refunds of each dialect have no end yet, and how old the oldest is.
pub fn unresolved(kind: &'static str, dialects: &[DialectName], tallies: &[Tally], now: Timestamp) {
    for dialect in dialects {
        let tally = tallies.iter().find(|tally| tally.dialect == *dialect);
        let count = tally.map_or(0, |tally| tally.count);
        let age = tally.map_or(0, |tally| now.since(tally.oldest).max(0));
        let age = Duration::from_millis(age.unsigned_abs());
        let labels = [("kind", kind.to_owned()), ("dialect", dialect.to_string())];
        gauge!("accord_unresolved", &labels).set(count);
        gauge!("accord_unresolved_oldest_seconds", &labels).set(age.as_secs_f64());
    }
}

/// Shows how far this machine's clock is ahead of the database's.
pub fn clock(ahead_ms: i64) {
    let seconds = Duration::from_millis(ahead_ms.unsigned_abs()).as_secs_f64();
    gauge!("accord_clock_offset_seconds").set(seconds.copysign(ahead_ms as f64));
}

/// Shows from when on a table's rows are still there, and until when there is a part for them; times as Prometheus counts
/// them, in seconds since 1970.
pub fn time_parts(parts: &TimeParts) {
    let seconds = |time: Option<Timestamp>| {
        Duration::from_millis(time.map_or(0, |time| time.0.max(0)).unsigned_abs()).as_secs_f64()
    };
    let table = || [("table", parts.table.clone())];
    gauge!("accord_partitions_oldest_timestamp_seconds", &table()).set(seconds(parts.since));
    gauge!("accord_partitions_ready_until_timestamp_seconds", &table()).set(seconds(parts.until));
    gauge!("accord_partitions_strays", &table()).set(if parts.strays { 1.0 } else { 0.0 });
}

/// Counts that this node stood still for a while, as a paused machine does.
pub fn stood_still() {
    counter!("accord_standstills_total").increment(1);
}

/// Counts rows that left the hot tables.
pub fn pruned(rows: usize) {
    counter!("accord_pruned_rows_total").increment(rows as u64);
}

/// The text for Prometheus.
pub fn render() -> String {
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}

/// Installs the recorder, once a process.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
    HANDLE
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("seconds".into()), &buckets)
                .ok()?
                .install_recorder()
                .ok()
        })
        .as_ref()
}
