//! One merchant with all of the connections against many: does a merchant have a row that its debits wait for?

use super::BenchArgs;
use super::bed::{Bed, Measured};
use super::report;
use crate::exit::Exit;

/// Rounds of many merchants and of one, in turns on one store; the ratio of the one to the many is told.
pub fn run(args: &BenchArgs) -> anyhow::Result<Exit> {
    let mut bed = Bed::make(args, args.store.as_deref(), None)?;
    // The many first.
    let mut measured: [Vec<Measured>; 2] = [Vec::new(), Vec::new()];
    for crowded in [true, false] {
        bed.crowd(crowded);
        bed.warm_up(args)?;
    }
    for number in 1..=args.rounds {
        for (crowded, measured) in [true, false].into_iter().zip(&mut measured) {
            bed.crowd(crowded);
            let one = bed.round(args)?;
            if !args.json {
                let who = if crowded { "many merchants" } else { "one merchant" };
                eprintln!("round {number}, {}, {who}: {}", bed.store(), one.sentence(args.operation));
            }
            measured.push(one);
        }
    }
    let failed = measured.iter().flatten().find(|measured| measured.round.failures > 0);
    if let Some(first) = failed.and_then(|measured| measured.round.first_failure.as_ref()) {
        eprintln!("accord: some calls failed; the first: {first}");
    }
    let peak = bed.peak_memory_bytes();
    let mut reports: Vec<serde_json::Value> = measured
        .iter()
        .zip([args.merchants.unwrap_or(1), 1])
        .map(|(measured, merchants)| {
            let mut report = report::of(args.operation, measured, bed.store(), peak);
            report["merchants"] = merchants.into();
            report
        })
        .collect();
    report::compare(&mut reports);
    let report = serde_json::Value::Array(reports);
    println!("{}", if args.json { report.to_string() } else { format!("{report:#}") });
    Ok(if failed.is_some() { Exit::Other } else { Exit::Done })
}
