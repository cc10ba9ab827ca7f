//! `accord settle`: the settlement files of a day, with signed digests.
//!
//! A file is written once. Run again, the command finds the same bytes and leaves them; other bytes are a fault, since
//! the counterparty may have the first ones.

use super::{clients, read_day, seal_key, wallets_zone, write_sheet};
use crate::cli::Where;
use crate::exit::Exit;
use crate::keys::write_file;
use crate::place::Place;
use accord_core::Timestamp;
use accord_core::ids::ClientId;
use accord_core::ledger::settle::Totals;
use accord_wire::seal::SealKey;
use accord_wire::settlement::digest::{Digest, Measured, Signed};
use accord_wire::settlement::sheet::Extent;
use accord_wire::settlement::{Day, Zone};
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A call that began before midnight may move its money a moment after: a day is over when this has passed as well.
const AFTER_MIDNIGHT_MS: i64 = 60_000;

/// What `accord settle` is told.
#[derive(Args)]
pub struct SettleArgs {
    #[command(flatten)]
    place: Where,
    /// The day: 2026-01-15. Alipay+ days are those of UTC+8, others those of the configured zone.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: String,
    /// One counterparty; without it every registered client.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Directory; files are <client>/<date>.csv and <client>/<date>.sig.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What is there so far of a day that is not over: <date>.partial.csv, written anew each time.
    #[arg(long)]
    partial: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// One file to be written.
struct Task {
    client: ClientId,
    day: Day,
    extent: Extent,
}

/// `accord settle`.
pub fn run(args: SettleArgs) -> anyhow::Result<Exit> {
    let zone = wallets_zone(&args.place)?;
    let key = seal_key(&args.place)?;
    let place = args.place.open()?;
    let now = place.clock.now();
    // Every day is judged before the first file is written.
    let mut tasks = Vec::new();
    for client in clients(&place, args.client.as_deref())? {
        let day = read_day(&args.date, &Zone::of(&client.dialect, &zone))?;
        let extent = extent(&day, now, args.partial)?;
        tasks.push(Task { client: client.id, day, extent });
    }
    let mut rows = Vec::new();
    for task in &tasks {
        let written = write(&place, task, &args.out, &key)?;
        if args.json {
            rows.push(describe(task, &written));
        } else {
            tell(task, &written);
        }
    }
    if args.json {
        println!("{}", json!({ "date": args.date, "files": rows }));
    }
    Ok(Exit::Done)
}

fn extent(day: &Day, now: Timestamp, partial: bool) -> anyhow::Result<Extent> {
    let over = day.span().until.plus_millis(AFTER_MIDNIGHT_MS);
    if now >= over {
        return Ok(Extent::Whole);
    }
    let (date, zone) = (day.date(), day.zone().name());
    if now < day.span().from {
        bail!("{date} has not begun in {zone}: nothing was written");
    }
    if !partial {
        bail!(
            "{date} is not over in {zone}: settle it from {} on, or say --partial; nothing was written",
            day.zone().write(over)
        );
    }
    Ok(Extent::Until(now))
}

/// A file that is there now.
struct Written {
    path: PathBuf,
    digest: Digest,
    totals: Totals,
    fresh: bool,
}

fn write(place: &Place, task: &Task, out: &Path, key: &SealKey) -> anyhow::Result<Written> {
    let Task { client, day, extent } = task;
    let dir = out.join(folder_of(client));
    std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be created", dir.display()))?;
    let whole = *extent == Extent::Whole;
    let name = if whole { day.date() } else { format!("{}.partial", day.date()) };
    let (path, seal) = (dir.join(format!("{name}.csv")), dir.join(format!("{name}.sig.json")));
    let beside = dir.join(format!(".{name}.{}.new", std::process::id()));

    let made = measure(place, task, &beside);
    let (totals, bytes, sha256) = match made {
        Ok(made) => made,
        Err(fault) => {
            let _ = std::fs::remove_file(&beside);
            return Err(fault);
        }
    };
    let fresh = match measure_file(&path)? {
        Some(before) if before == sha256 => false,
        Some(_) if whole => {
            let _ = std::fs::remove_file(&beside);
            bail!(
                "{} was written before with other bytes: it stays; run `accord ledger verify`, and move the file away \
                 to write it anew",
                path.display()
            );
        }
        _ => true,
    };
    if fresh {
        std::fs::rename(&beside, &path).with_context(|| format!("{} cannot be written", path.display()))?;
    } else {
        let _ = std::fs::remove_file(&beside);
    }

    let digest = Digest {
        client: client.to_string(),
        date: day.date(),
        zone: day.zone().name().to_owned(),
        extent: if whole { "whole" } else { "partial" }.to_owned(),
        bytes,
        sha256,
    };
    let known = std::fs::read(&seal).ok().and_then(|text| Signed::parse(&text));
    if !known.is_some_and(|known| known.digest == digest && known.holds(key.public_key())) {
        write_file(&seal, digest.clone().sign(key)?.render().as_bytes(), 0o644)?;
    }
    Ok(Written { path, digest, totals, fresh })
}

fn measure(place: &Place, task: &Task, path: &Path) -> anyhow::Result<(Totals, u64, String)> {
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    let out = Measured::new(BufWriter::new(file));
    let (totals, out) = write_sheet(place, out, &task.client, &task.day, task.extent)?;
    let (mut out, bytes, sha256) = out.end();
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok((totals, bytes, sha256))
}

/// The SHA-256 of a file that is there.
fn measure_file(path: &Path) -> anyhow::Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault).with_context(|| format!("{} cannot be read", path.display())),
    };
    let mut out = Measured::new(std::io::sink());
    let mut buffer = vec![0; 65_536];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(out.end().2)),
            read => out.write_all(buffer.get(..read).unwrap_or_default())?,
        }
    }
}

/// A client's id as the name of a directory: whatever is no letter, digit, `-` or `_` is written as its bytes, `%2f`.
fn folder_of(client: &ClientId) -> String {
    client
        .as_str()
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        })
        .collect()
}

fn describe(task: &Task, written: &Written) -> Value {
    let totals: Vec<Value> = written
        .totals
        .0
        .iter()
        .map(|((currency, kind), total)| {
            json!({
                "currency": currency.code(), "kind": kind.as_str(), "count": total.count,
                "value": total.sum.to_string(),
            })
        })
        .collect();
    let net: serde_json::Map<String, Value> = written
        .totals
        .net()
        .into_iter()
        .map(|(currency, net)| (currency.to_string(), net.sum.to_string().into()))
        .collect();
    json!({
        "clientId": task.client.as_str(), "file": written.path, "fresh": written.fresh,
        "zone": written.digest.zone, "bytes": written.digest.bytes, "sha256": written.digest.sha256,
        "totals": totals, "net": net,
    })
}

fn tell(task: &Task, written: &Written) {
    let what = if written.fresh { "wrote" } else { "kept" };
    println!("{what} {} ({}, day of {})", written.path.display(), task.client, written.digest.zone);
    for ((currency, kind), total) in &written.totals.0 {
        println!("  {kind} {currency}: {} items, {}", total.count, total.sum);
    }
    for (currency, net) in written.totals.net() {
        println!("  net {currency}: {}", net.sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_id_never_leads_out_of_the_directory() {
        for (id, folder) in
            [("SHOP_1", "SHOP_1"), ("../x", "%2e%2e%2fx"), ("a/b", "a%2fb"), (".", "%2e"), ("a%2f", "a%252f")]
        {
            assert_eq!(folder_of(&ClientId::new(id)), folder);
        }
    }
}
