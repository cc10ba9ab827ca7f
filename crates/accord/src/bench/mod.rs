//! `accord bench`: measures this machine, with a server of its own and a load generator in another process.
//!
//! Each round measures the machine's RSA first (a verification and a signature, on every core) and then the server, so
//! that both saw the same machine. Figures are medians of the rounds; `failures` is their sum. The method and the
//! numbers of the day are in `docs/benchmarks.md`.

mod bed;
mod ceiling;
mod fill;
mod flow;
mod ground;
mod http1;
mod ids;
pub mod load;
mod merchants;
mod offered;
mod operation;
mod plan;
mod process;
mod pruning;
mod report;
mod sink;

use crate::exit::{Exit, usage};
use bed::{Bed, Measured};
use clap::Args;
use operation::Operation;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What `accord bench` is told.
#[derive(Args)]
pub struct BenchArgs {
    /// What to measure.
    #[arg(value_enum)]
    operation: Operation,
    /// How long each round lasts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// How many rounds; the medians are told.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Store of the server that is started: sqlite:FILE or postgres://…. It must be empty. Without it: a fresh one.
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    store: Option<String>,
    /// Start the server on this sandbox directory and keep it; its store may be full of rows (see fill). Without it: a
    /// fresh directory, removed at the end.
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data: Option<PathBuf>,
    /// Measure a second server in turns with the first, on this (empty) store: postgres://…, sqlite:FILE, or `empty`
    /// for a fresh file.
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    compare: Vec<String>,
    /// Measure the sandbox that answers at this URL instead of starting one.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Directory of that sandbox.
    #[arg(long, value_name = "DIR", requires = "url", default_value = "./accord-data")]
    sandbox: PathBuf,
    /// Address and port of the server that is started. Port 0: any.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0", conflicts_with = "url")]
    listen: SocketAddr,
    /// Connections that are kept alive.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: u32,
    /// Afterwards offer so many per cent of the maximum, whatever the server answers: 30,70,95,200,1000.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    percent: Vec<u64>,
    /// Afterwards offer so many calls a second, whatever the server answers.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    rate: Vec<u64>,
    /// Compare the latency of prepare while the server prunes with that of one that does not.
    #[arg(long, conflicts_with_all = ["store", "url", "data", "compare", "percent", "rate"])]
    during_pruning: bool,
    /// With --during-pruning: abandoned prepares that both stores hold beforehand.
    #[arg(long, value_name = "NUMBER", default_value_t = 200_000, requires = "during_pruning")]
    fill: u32,
    /// With pay: so many merchants, each with a row and agreements of its own, against one with all of the connections,
    /// in turns on one store. They share a key.
    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u64).range(2..=2_000),
        conflicts_with_all = ["url", "data", "compare", "percent", "rate"]
    )]
    merchants: Option<u64>,
    /// With fill: agreements to make.
    #[arg(long, value_name = "NUMBER", default_value_t = 5_000_000)]
    agreements: u64,
    /// With fill: debits under each agreement.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    debits: u64,
    /// Debits have random request ids, as UUIDs are. Without it they are counted after the time.
    #[arg(long)]
    random_ids: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord bench`.
pub fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    if args.operation == Operation::Fill {
        return fill::run(&args);
    }
    if args.during_pruning {
        if args.operation != Operation::Prepare {
            return Err(usage("--during-pruning measures prepare alone"));
        }
        return pruning::run(&args);
    }
    let offers = !args.percent.is_empty() || !args.rate.is_empty();
    if offers && args.operation.api().is_none() {
        return Err(usage("--percent and --rate go with prepare, apply-token, pay and inquiry"));
    }
    if args.merchants.is_some() {
        if args.operation != Operation::Pay {
            return Err(usage("--merchants goes with pay"));
        }
        return merchants::run(&args);
    }
    if args.data.is_some() && args.store.is_some() {
        return Err(usage("--data remembers its store: leave --store out"));
    }

    let mut beds = vec![Bed::make(&args, args.store.as_deref(), args.data.as_deref())?];
    for store in &args.compare {
        let store = Some(store.as_str()).filter(|store| *store != "empty");
        beds.push(Bed::make(&args, store, None)?);
    }
    let mut measured: Vec<Vec<Measured>> = beds.iter().map(|_| Vec::new()).collect();
    for bed in &mut beds {
        bed.warm_up(&args)?;
    }
    for number in 1..=args.rounds {
        for (bed, measured) in beds.iter_mut().zip(&mut measured) {
            let one = bed.round(&args)?;
            if !args.json {
                eprintln!("round {number}, {}: {}", bed.store(), one.sentence(args.operation));
            }
            measured.push(one);
        }
    }
    let mut reports: Vec<serde_json::Value> = Vec::new();
    for (bed, measured) in beds.iter_mut().zip(&measured) {
        let mut report = report::of(args.operation, measured, bed.store(), bed.peak_memory_bytes());
        if offers {
            report["offered"] = offered::run(bed, &args, measured)?;
        }
        reports.push(report);
    }
    report::compare(&mut reports);
    let mut failed = measured.iter().flatten().any(|measured| measured.round.failures > 0);
    failed |= reports.iter().any(offered::failed);
    let first = measured.iter().flatten().find_map(|measured| measured.round.first_failure.as_ref());
    if let Some(first) = first {
        eprintln!("accord: some calls failed; the first: {first}");
    }
    let report = match <[serde_json::Value; 1]>::try_from(reports) {
        Ok([only]) => only,
        Err(all) => serde_json::Value::Array(all),
    };
    println!("{}", if args.json { report.to_string() } else { format!("{report:#}") });
    Ok(if failed { Exit::Other } else { Exit::Done })
}
