//! `accord reconcile`: a counterparty's settlement file against ours. Status 0: the same; 1: they differ.

use super::{clients, read_day, wallets_zone, write_sheet};
use crate::cli::Where;
use crate::exit::{Exit, transport, usage};
use crate::keys::read_seal_public_key;
use accord_wire::settlement::Zone;
use accord_wire::settlement::compare::{Difference, compare};
use accord_wire::settlement::digest::{Measured, Signed};
use accord_wire::settlement::sheet::{self, Extent, Sheet};
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What `accord reconcile` is told.
#[derive(Args)]
pub struct ReconcileArgs {
    /// Our file. Without it: what the store tells of --date and --client.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["date", "client", "config", "data", "store"])]
    ours: Option<PathBuf>,
    /// The day.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "client")]
    date: Option<String>,
    /// The counterparty.
    #[arg(long, value_name = "ID", requires = "date")]
    client: Option<String>,
    /// Configuration file of `accord serve`.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// Directory of a sandbox (`accord dev`).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Another store than that one's: sqlite:FILE or postgres://….
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The counterparty's file.
    #[arg(long, value_name = "FILE")]
    theirs: PathBuf,
    /// Check the signed digest beside their file (….sig.json) with this P-256 public key first.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord reconcile`.
pub fn run(args: ReconcileArgs) -> anyhow::Result<Exit> {
    let theirs = read(&args.theirs)?;
    if let Some(key) = &args.key {
        check_seal(&args.theirs, &theirs, key)?;
    }
    let ours = match &args.ours {
        Some(file) => read(file)?,
        None => from_store(&args)?,
    };
    let (ours, theirs) = (sheet::read(ours.as_slice()), sheet::read(theirs.as_slice()));
    let differences = compare(&ours, &theirs);
    let same = differences.is_empty();
    if args.json {
        let rows: Vec<Value> = differences.iter().map(describe).collect();
        println!("{}", json!({ "same": same, "items": items(&ours, &theirs), "differences": rows }));
    } else {
        for difference in &differences {
            println!("{difference}");
        }
        let end = match differences.len() {
            0 => "the same".to_owned(),
            1 => "1 difference".to_owned(),
            many => format!("{many} differences"),
        };
        println!("{end}: {} items in ours, {} in theirs", ours.lines.len(), theirs.lines.len());
    }
    Ok(if same { Exit::Done } else { Exit::Other })
}

fn items(ours: &Sheet, theirs: &Sheet) -> Value {
    json!({ "ours": ours.lines.len(), "theirs": theirs.lines.len() })
}

fn describe(difference: &Difference) -> Value {
    let (ours, theirs) = difference.lines();
    json!({
        "kind": difference.kind(), "ourLine": ours, "theirLine": theirs, "sentence": difference.to_string(),
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Our file of a day that may still be running, as the store tells it now.
fn from_store(args: &ReconcileArgs) -> anyhow::Result<Vec<u8>> {
    let (Some(date), Some(client)) = (&args.date, &args.client) else {
        return Err(usage("say what is ours: --ours FILE, or --date, --client and --config or --data"));
    };
    let place = Where { config: args.config.clone(), data: args.data.clone(), store: args.store.clone() };
    let zone = wallets_zone(&place)?;
    let place = place.open()?;
    let mut bytes = Vec::new();
    for client in clients(&place, Some(client))? {
        let day = read_day(date, &Zone::of(&client.dialect, &zone))?;
        bytes = write_sheet(&place, bytes, &client.id, &day, Extent::Whole)?.1;
    }
    Ok(bytes)
}

/// Refuses a file that its digest does not tell of, or whose digest nobody with that key signed.
fn check_seal(path: &Path, bytes: &[u8], key: &Path) -> anyhow::Result<()> {
    let key = read_seal_public_key(key)?;
    let seal = path.with_extension("sig.json");
    let signed = Signed::parse(&read(&seal)?);
    let signed = signed.filter(|signed| signed.holds(&key)).ok_or_else(|| {
        transport(format!("{}: the signature does not hold for key {}", seal.display(), key.id()))
    })?;
    let mut measured = Measured::new(std::io::sink());
    measured.write_all(bytes)?;
    let (_, length, sha256) = measured.end();
    if (length, &sha256) != (signed.digest.bytes, &signed.digest.sha256) {
        let what = format!("{} is not the file that was signed: {length} bytes, {sha256}", path.display());
        return Err(transport(what));
    }
    Ok(())
}
