//! `accord bench`: measures this machine, with a server of its own and a load generator in another process.
//!
//! Each round measures the machine's RSA ceiling (one verification and one signature per call, on every core) and
//! then the server, so that both saw the same machine. Figures are medians of the rounds; `failures` is their sum.

mod ceiling;
mod fill;
pub mod load;
mod process;
mod pruning;

use crate::exit::{Exit, usage};
use accord_client::SandboxFile;
use anyhow::{Context as _, anyhow};
use clap::Args;
use process::Server;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What `accord bench` is told.
#[derive(Args)]
pub struct BenchArgs {
    /// What to measure: prepare.
    operation: String,
    /// How long each round lasts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// How many rounds; the medians are told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Store of the server that is started: sqlite:FILE or postgres://…. Without it: a fresh one.
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    store: Option<String>,
    /// Measure the sandbox that answers at this URL instead of starting one.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Directory of that sandbox.
    #[arg(long, value_name = "DIR", requires = "url", default_value = "./accord-data")]
    sandbox: PathBuf,
    /// Connections that are kept alive.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// Compare the latency of prepare while the server prunes with that of one that does not.
    #[arg(long, conflicts_with_all = ["store", "url"])]
    during_pruning: bool,
    /// With --during-pruning: abandoned prepares that both stores hold beforehand.
    #[arg(long, value_name = "NUMBER", default_value_t = 200_000, requires = "during_pruning")]
    fill: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What else `accord bench` will measure one day.
const NOT_YET: &[&str] = &["apply-token", "pay", "inquiry", "flow", "notify", "fill"];

/// What one round of load said.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Round {
    /// Calls answered.
    pub calls: u64,
    /// Calls that failed, among them.
    pub failures: u64,
    /// How long it took.
    pub elapsed_micros: u64,
    /// Median latency.
    pub p50_micros: u64,
    /// 99 of 100 calls took no longer.
    pub p99_micros: u64,
    /// 999 of 1000 calls took no longer.
    pub p999_micros: u64,
}

impl Round {
    fn per_second(&self) -> u64 {
        self.calls.saturating_mul(1_000_000) / self.elapsed_micros.max(1)
    }
}

/// One round, put together.
struct Measured {
    round: Round,
    ceiling_per_second: u64,
    ceiling_cpu_nanos: u64,
    cpu_nanos_per_call: Option<u64>,
}

/// `accord bench`.
pub fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    if NOT_YET.contains(&args.operation.as_str()) {
        return Err(usage(format!("bench {} is not there yet: only prepare is", args.operation)));
    }
    if args.operation != "prepare" {
        return Err(usage(format!("there is no bench `{}`: prepare is one", args.operation)));
    }
    if args.during_pruning {
        return pruning::run(&args);
    }
    let server = match &args.url {
        Some(url) => Server::running(url, &args.sandbox)?,
        None => Server::start(args.store.as_deref())?,
    };
    let file = SandboxFile::read(server.dir())?;
    let identity = file.identity(server.dir(), "qi")?;

    // Warms caches and connections up, and tells how many requests a round needs.
    let warm = load_round(&server, &args, 1, 4_000)?;
    let mut rate = warm.per_second().max(100);
    let mut measured = Vec::new();
    for number in 1..=args.rounds {
        let ceiling = ceiling::measure(&identity.private_key, args.seconds.min(3))?;
        let wanted = rate.saturating_mul(u64::from(args.seconds)).saturating_mul(3) / 2 + 1_000;
        let before = server.cpu_nanos();
        let round = load_round(&server, &args, args.seconds, wanted)?;
        let cpu = server.cpu_nanos().zip(before).map(|(after, before)| after.saturating_sub(before));
        rate = rate.max(round.per_second());
        if !args.json {
            let (per_second, failures) = (round.per_second(), round.failures);
            eprintln!(
                "round {number}: {per_second}/s, ceiling {}/s, failures {failures}",
                ceiling.per_second
            );
        }
        measured.push(Measured {
            cpu_nanos_per_call: cpu.map(|cpu| cpu / round.calls.max(1)),
            round,
            ceiling_per_second: ceiling.per_second,
            ceiling_cpu_nanos: ceiling.cpu_nanos_each,
        });
    }
    let report = report(&measured, &server);
    if args.json {
        println!("{report}");
    } else {
        println!("{report:#}");
    }
    let failed = measured.iter().any(|measured| measured.round.failures > 0);
    Ok(if failed { Exit::Other } else { Exit::Done })
}

/// Runs the load generator as a process of its own: it signs ahead, says so, and begins when told.
fn load_round(server: &Server, args: &BenchArgs, seconds: u32, requests: u64) -> anyhow::Result<Round> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("bench-load")
        .args([Path::new("--sandbox"), server.dir()])
        .args(["--url", server.url(), "--seconds", &seconds.to_string()])
        .args(["--requests", &requests.to_string(), "--connections", &args.connections.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the load generator cannot be started")?;
    let talk = || -> anyhow::Result<Round> {
        let mut input = child.stdin.take().ok_or_else(|| anyhow!("the load generator has no input"))?;
        let output = child.stdout.take().ok_or_else(|| anyhow!("the load generator has no output"))?;
        let mut lines = BufReader::new(output).lines();
        let mut line = || lines.next().transpose().map(Option::unwrap_or_default);
        if line()? != load::READY {
            return Err(anyhow!("the load generator could not get ready; see above"));
        }
        input.write_all(b"go\n")?;
        serde_json::from_str(&line()?).context("the load generator gave no result")
    };
    let mut talk = talk;
    let round = talk();
    if round.is_err() {
        let _ = child.kill();
    }
    child.wait()?;
    round
}

fn report(measured: &[Measured], server: &Server) -> Value {
    let of = |value: fn(&Measured) -> u64| median(measured.iter().map(value));
    let cpu: Option<Vec<u64>> = measured.iter().map(|measured| measured.cpu_nanos_per_call).collect();
    let cpu_ratio = cpu.as_ref().map(|cpu| {
        let ratios =
            measured.iter().zip(cpu).map(|(measured, cpu)| thousandths(measured.ceiling_cpu_nanos, *cpu));
        decimal(median(ratios))
    });
    json!({
        "operation": "prepare",
        "store": server.store(),
        "perSecond": of(|measured| measured.round.per_second()),
        "cpuMicrosPerCall": cpu.map(|cpu| median(cpu.into_iter()) / 1_000),
        "p50Micros": of(|measured| measured.round.p50_micros),
        "p99Micros": of(|measured| measured.round.p99_micros),
        "p999Micros": of(|measured| measured.round.p999_micros),
        "ceilingPerSecond": of(|measured| measured.ceiling_per_second),
        "ratio": decimal(of(|measured| thousandths(measured.round.per_second(), measured.ceiling_per_second))),
        "cpuRatio": cpu_ratio,
        "failures": measured.iter().map(|measured| measured.round.failures).sum::<u64>(),
        "peakMemoryBytes": server.peak_memory_bytes(),
    })
}

/// The middle value; the lower one of two.
fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

fn thousandths(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1_000) / whole.max(1)
}

/// Thousandths as a JSON number with three places.
fn decimal(thousandths: u64) -> Value {
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
