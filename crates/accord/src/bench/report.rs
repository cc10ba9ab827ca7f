//! From rounds to the figures that are told.

use super::bed::Measured;
use super::operation::Operation;
use super::plan::calls_in;
use serde_json::{Value, json};

/// Medians of the rounds.
pub fn of(operation: Operation, measured: &[Measured], store: &str, peak_memory: Option<u64>) -> Value {
    let of = |value: &dyn Fn(&Measured) -> u64| median(measured.iter().map(value));
    let crypto = operation.crypto();
    let cpu: Option<Vec<u64>> = measured.iter().map(|measured| measured.cpu_nanos_each).collect();
    let cpu_ratio = cpu.as_ref().map(|cpu| {
        let rounds = measured.iter().zip(cpu);
        decimal(median(rounds.map(|(measured, cpu)| thousandths(measured.ceiling.nanos(crypto), *cpu))))
    });
    let per_call = crypto.0 + crypto.1;
    json!({
        "operation": operation.name(),
        "store": store,
        "perSecond": of(&|measured| measured.round.per_second()),
        "cpuMicrosPerCall": cpu.map(|cpu| median(cpu.into_iter()) / 1_000),
        "p50Micros": of(&|measured| measured.round.p50_micros),
        "p99Micros": of(&|measured| measured.round.p99_micros),
        "p999Micros": of(&|measured| measured.round.p999_micros),
        "ceilingPerSecond": of(&|measured| measured.ceiling_per_second(crypto)),
        "ratio": decimal(of(&|measured| {
            thousandths(measured.round.per_second(), measured.ceiling_per_second(crypto))
        })),
        "cpuRatio": cpu_ratio,
        "failures": measured.iter().map(|measured| measured.round.failures).sum::<u64>(),
        "peakMemoryBytes": peak_memory,
        "rounds": measured.len(),
        "callsPerUnit": calls_in(operation),
        "cryptoPerUnit": per_call,
        "verifyMicros": of(&|measured| measured.ceiling.verify_nanos / 1_000),
        "signMicros": of(&|measured| measured.ceiling.sign_nanos / 1_000),
        "generatorCpuMicrosPerCall": of(&|measured| {
            measured.round.generator_cpu_nanos / measured.round.calls.max(1) / 1_000
        }),
    })
}

/// With several servers: how each compares with the first.
pub fn compare(reports: &mut [Value]) {
    let [first, others @ ..] = reports else { return };
    let number = |report: &Value, name: &str| report[name].as_u64().unwrap_or(0);
    for report in others {
        let ratio = thousandths(number(report, "perSecond"), number(first, "perSecond"));
        report["ratioToFirst"] = decimal(ratio);
        let ratio = thousandths(number(report, "p99Micros"), number(first, "p99Micros"));
        report["p99RatioToFirst"] = decimal(ratio);
    }
}

/// The middle value; the lower one of two.
pub fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

/// How much of the whole, in thousandths.
pub fn thousandths(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1_000) / whole.max(1)
}

/// Thousandths as a JSON number with three places.
pub fn decimal(thousandths: u64) -> Value {
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_and_a_ratio_has_three_places() {
        assert_eq!(median([3, 1, 2].into_iter()), 2);
        assert_eq!(median([].into_iter()), 0);
        assert_eq!(decimal(thousandths(2, 3)).to_string(), "0.666");
    }
}
