//! What pruning costs those who call meanwhile: two servers over the same abandoned prepares, one that prunes them and
//! what its last calls left and one that does not, measured in turns, so that both see the same machine.

use super::BenchArgs;
use super::fill::abandon;
use super::ground;
use super::plan::{Load, Plan, Round};
use super::process::{Generator, Server};
use super::report::{decimal, median, thousandths};
use crate::exit::Exit;
use anyhow::{Context as _, anyhow};
use serde_json::json;

/// Sessions expire at once and stay.
const STILL: &str = "[qi.lifetimes]\nsession = \"1s\"\n[retention]\nundecided = \"30d\"\n";
/// Sessions expire at once and are pruned.
const PRUNING: &str = "[qi.lifetimes]\nsession = \"1s\"\n[retention]\nundecided = \"0s\"\n";

/// `accord bench prepare --during-pruning`.
pub fn run(args: &BenchArgs) -> anyhow::Result<Exit> {
    let still = Server::start(None, STILL, args.listen)?;
    let pruning = Server::start(None, PRUNING, args.listen)?;
    // The still one first: the other begins to prune while it is filled.
    for server in [&still, &pruning] {
        abandon(server.dir(), args.fill)?;
    }
    let mut rate = 100;
    for server in [&still, &pruning] {
        rate = load(server, args, 1, 4_000)?.per_second().max(rate);
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let mut rows = 0;
    for number in 1..=args.rounds {
        let wanted = rate.saturating_mul(u64::from(args.seconds)).saturating_mul(3) / 2 + 1_000;
        without.push(load(&still, args, args.seconds, wanted)?);
        let before = pruned(&pruning)?;
        with.push(load(&pruning, args, args.seconds, wanted)?);
        let taken = pruned(&pruning)?.saturating_sub(before);
        rows += taken;
        if let (false, Some(without), Some(with)) = (args.json, without.last(), with.last()) {
            eprintln!(
                "round {number}: p99 {} µs without, {} µs while {taken} rows were pruned",
                without.p99_micros, with.p99_micros
            );
        }
    }
    if pruned(&still)? > 0 || rows == 0 {
        return Err(anyhow!("the pruning server pruned {rows} rows: nothing was compared"));
    }
    let of = |rounds: &[Round], value: fn(&Round) -> u64| median(rounds.iter().map(value));
    let p99 = |rounds: &[Round]| of(rounds, |round| round.p99_micros);
    let failures: u64 = with.iter().chain(&without).map(|round| round.failures).sum();
    let report = json!({
        "operation": "prepare",
        "store": pruning.store(),
        "p99Micros": p99(&with),
        "p99MicrosWithout": p99(&without),
        "p99Ratio": decimal(thousandths(p99(&with), p99(&without))),
        "perSecond": of(&with, Round::per_second),
        "perSecondWithout": of(&without, Round::per_second),
        "filledRows": args.fill,
        "prunedRows": rows,
        "failures": failures,
    });
    println!("{}", if args.json { report.to_string() } else { format!("{report:#}") });
    Ok(if failures > 0 { Exit::Other } else { Exit::Done })
}

fn load(server: &Server, args: &BenchArgs, seconds: u32, requests: u64) -> anyhow::Result<Round> {
    let mut generator = Generator::start(&Plan {
        sandbox: server.dir().to_owned(),
        url: server.url().to_owned(),
        who: ground::WHO.to_owned(),
        load: Load::Calls {
            api: "prepare".to_owned(),
            bodies: (0..requests).map(ground::prepare).collect(),
            clients: Vec::new(),
            rate: None,
        },
        seconds: u64::from(seconds),
        connections: usize::try_from(args.connections).unwrap_or(1),
    })?;
    generator.ready()?;
    generator.go()
}

/// Rows that the server has pruned so far, as its metrics say.
fn pruned(server: &Server) -> anyhow::Result<u64> {
    let (_, text) = crate::http::get(server.url(), "/metrics").map_err(crate::exit::transport)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let value = text.lines().find_map(|line| line.strip_prefix("accord_pruned_rows_total "));
    value.map_or(Ok(0), |value| value.trim().parse().context("a counter that is no number"))
}
