//! Load that does not wait for answers: so much of the maximum, or many times more, and how much good comes of it.

use super::BenchArgs;
use super::bed::{Bed, Measured};
use super::ceiling::cores;
use super::operation::Operation;
use super::plan::Round;
use super::report::{decimal, median, thousandths};
use crate::exit::usage;
use serde_json::{Value, json};

/// Requests signed for one round at most: beyond it those that may be sent again are.
const SIGNED: u64 = 12_000;
/// Connections, so that offered load does not become a closed loop: below the maximum, and beyond it.
const WITHIN: u32 = 256;
const BEYOND: u32 = 1_000;

/// Offers each rate in turn and tells what came of it.
pub fn run(bed: &mut Bed, args: &BenchArgs, measured: &[Measured]) -> anyhow::Result<Value> {
    let maximum = median(measured.iter().map(|measured| measured.round.per_second()));
    let free = median(measured.iter().map(|measured| free_thousandths(&measured.round)));
    let sign = median(measured.iter().map(|measured| measured.ceiling.sign_nanos / 1_000));
    let commit = bed.commit_micros()?;
    let percents = args.percent.iter().map(|percent| (*percent, maximum.saturating_mul(*percent) / 100));
    let rates = args.rate.iter().map(|rate| (thousandths(*rate, maximum) / 10, *rate));
    let mut lines = Vec::new();
    for (percent, rate) in percents.chain(rates) {
        let rate = rate.max(1);
        let wanted = rate.saturating_mul(u64::from(args.seconds));
        let repeats = matches!(args.operation, Operation::Prepare | Operation::Inquiry);
        if wanted > SIGNED && !repeats && percent > 100 {
            return Err(usage(
                "only prepare and inquiry may be sent again: choose one of them, or less load",
            ));
        }
        let signed = if repeats { wanted.min(SIGNED) } else { wanted };
        let connections = args.connections.max(if percent > 100 { BEYOND } else { WITHIN });
        let load = bed.calls(args.operation, signed.max(1), Some(rate))?;
        let (round, _) = bed.generate(load, u64::from(args.seconds), connections)?;
        let good = thousandths(round.per_second(), maximum);
        // What the load generator took of the cores, the server could not have.
        let fair = good.saturating_mul(free) / free_thousandths(&round).max(1);
        if !args.json {
            eprintln!(
                "offered {rate}/s ({percent} %), {}: {}/s good, {} refused, p99 {} µs, failures {}",
                bed.store(),
                round.per_second(),
                round.refused,
                round.p99_micros,
                round.failures
            );
        }
        lines.push(json!({
            "percent": percent,
            "wantedPerSecond": rate,
            "offeredPerSecond": round.calls.saturating_mul(1_000_000) / round.elapsed_micros.max(1),
            "goodPerSecond": round.per_second(),
            "goodput": decimal(good),
            "goodputWithoutGenerator": decimal(fair),
            "refused": round.refused,
            "failures": round.failures,
            "firstFailure": round.first_failure,
            "p50Micros": round.p50_micros,
            "p99Micros": round.p99_micros,
            "p99ToSignAndCommit": decimal(thousandths(round.p99_micros, sign + commit)),
            "recoveryMillis": round.recovery_micros.map(|micros| micros / 1_000),
            "generatorCpuMicrosPerCall": round.generator_cpu_nanos / round.calls.max(1) / 1_000,
        }));
    }
    Ok(json!({ "signMicros": sign, "commitMicros": commit, "loads": lines }))
}

/// Did calls fail while they were offered?
pub fn failed(report: &Value) -> bool {
    let lines = report["offered"]["loads"].as_array();
    lines.is_some_and(|lines| lines.iter().any(|line| line["failures"] != 0))
}

/// The part of the cores that the load generator left.
fn free_thousandths(round: &Round) -> u64 {
    let whole = cores().saturating_mul(round.elapsed_micros).max(1);
    1_000_u64.saturating_sub(thousandths(round.generator_cpu_nanos / 1_000, whole))
}
