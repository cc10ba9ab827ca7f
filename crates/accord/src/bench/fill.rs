//! Fills stores: with agreements and payments, to measure on a store that is not empty; with abandoned prepares, for
//! pruning to take away. All rows are written by the wallet's own rules.

use super::BenchArgs;
use super::ground::{self, Ground};
use super::process::Server;
use crate::cli::Where;
use crate::exit::{Exit, usage};
use crate::place::Place;
use crate::storage::{Purpose, StoreUrl};
use accord_core::agreement::prepare::{Prepare, prepare};
use accord_core::agreement::{Scope, Terminal, Terms};
use accord_core::ids::{ClientId, DialectName, Owner};
use accord_core::policy::{DAY, Policy};
use accord_core::voice::Voice as _;
use accord_core::{Moment, Ruled};
use accord_server::clock::random;
use accord_wire::qi::{self, Qi};
use anyhow::{Context as _, anyhow, bail};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Prepares in one transaction.
const CHUNK: u32 = 1_000;
/// Agreements between two words of progress.
const PROGRESS: u64 = 20_000;
/// One user for so many agreements.
const AGREEMENTS_EACH: u64 = 5;
/// What an agreement with its share of a user, and a payment, take on the disk, in bytes: measured (docs/benchmarks.md), a
/// quarter added, and the logs on top. SQLite, then PostgreSQL.
const IN_A_FILE: (u64, u64) = (2_400, 2_100);
const ON_A_SERVER: (u64, u64) = (4_700, 3_000);
const LOGS: u64 = 256 << 20;

/// `accord bench fill`.
pub fn run(args: &BenchArgs) -> anyhow::Result<Exit> {
    let Some(dir) = &args.data else {
        return Err(usage("fill needs --data DIR: the sandbox whose store is filled, and which stays"));
    };
    if args.agreements == 0 {
        return Err(usage("--agreements must be at least 1"));
    }
    let payments = args.agreements.saturating_mul(args.debits);
    let url = args.store.as_deref().map(StoreUrl::of_argument).transpose()?;
    let local = url.as_ref().is_none_or(|url| url.file().is_some());
    let (agreement, payment) = if local { IN_A_FILE } else { ON_A_SERVER };
    let rows = args.agreements.saturating_mul(agreement).saturating_add(payments.saturating_mul(payment));
    let needed = rows.saturating_add(LOGS);
    eprintln!(
        "accord: {} agreements and {payments} payments need some {} of disk",
        args.agreements,
        mebibytes(needed)
    );
    std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    if local {
        let place = url.as_ref().and_then(StoreUrl::file).and_then(Path::parent).unwrap_or(dir);
        let free = free_bytes(place)?;
        if free < needed {
            bail!(
                "{} has {} left, and {} are needed: nothing was written",
                place.display(),
                mebibytes(free),
                mebibytes(needed)
            );
        }
    } else {
        eprintln!("accord: how much the database server has left cannot be seen from here");
    }
    // Makes keys, clients and schema, and goes again.
    drop(Server::with_store(dir, args.store.as_deref(), args.listen)?);
    let place = Where { config: None, data: Some(dir.clone()), store: None }.open()?;
    if has_payments(&place)? {
        bail!("the store of {} holds payments already: fill an empty one", dir.display());
    }
    drop(place);

    let began = Instant::now();
    let users = (args.agreements / AGREEMENTS_EACH).max(ground::USERS);
    let ground = Ground::open(dir, users, args.random_ids)?;
    let empty = settled_size(dir, ground)?;
    // The first have no debits, so that the size of an agreement can be told from that of a payment.
    let bare = (args.agreements / 10).clamp(1, 5_000);
    let ground = Ground::open(dir, users, args.random_ids)?;
    ground.lives(0..bare, 0)?;
    let with_bare = settled_size(dir, ground)?;
    let ground = Ground::open(dir, users, args.random_ids)?;
    let mut made = bare;
    while made < args.agreements {
        let next = (made + PROGRESS).min(args.agreements);
        ground.lives(made..next, args.debits)?;
        made = next;
        let seconds = began.elapsed().as_secs().max(1);
        eprintln!("{made} agreements, {} a second", made / seconds);
    }
    let full = settled_size(dir, ground)?;
    let paid = (args.agreements - bare).saturating_mul(args.debits);
    let each_agreement = with_bare.zip(empty).map(|(after, before)| after.saturating_sub(before) / bare);
    let each_payment = full.zip(with_bare).zip(each_agreement).map(|((after, before), each)| {
        after.saturating_sub(before).saturating_sub(each.saturating_mul(args.agreements - bare)) / paid.max(1)
    });
    let report = json!({
        "operation": "fill",
        "agreements": args.agreements,
        "payments": paid,
        "seconds": began.elapsed().as_secs(),
        "storeBytes": full,
        "bytesPerAgreement": each_agreement,
        "bytesPerPayment": each_payment,
    });
    println!("{}", if args.json { report.to_string() } else { format!("{report:#}") });
    Ok(Exit::Done)
}

/// Refuses a store that holds a wallet: the keys that belong to it are elsewhere.
pub fn must_be_empty(store: &str) -> anyhow::Result<()> {
    let url = StoreUrl::of_argument(store)?;
    if url.file().is_some_and(|file| !file.exists()) {
        return Ok(());
    }
    // One without a schema cannot be opened, and is empty.
    let Ok(opened) = url.open(Purpose::Command) else { return Ok(()) };
    let clients = Place::new(opened, true)?.look(|rows| rows.clients())?;
    if clients.is_empty() {
        return Ok(());
    }
    Err(anyhow!(
        "{url} is not empty: it holds a wallet with {} clients. Name an empty store, or that wallet's directory with \
         --data",
        clients.len()
    ))
}

/// How much the store takes once it is closed and nothing waits in a log any more.
fn settled_size(dir: &Path, ground: Ground) -> anyhow::Result<Option<u64>> {
    drop(ground);
    let place = Where { config: None, data: Some(dir.to_owned()), store: None }.open()?;
    Ok(place.store.size_bytes())
}

fn has_payments(place: &Place) -> anyhow::Result<bool> {
    place.look(|rows| Ok(!rows.payments_after(None, 1)?.is_empty()))
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}

/// What is left on the file system of that directory, as `df` tells.
fn free_bytes(dir: &Path) -> anyhow::Result<u64> {
    let said = Command::new("df").arg("-Pk").arg(dir).output().context("df cannot be run")?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let kibibytes = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3));
    let kibibytes = kibibytes.and_then(|number| number.parse::<u64>().ok());
    kibibytes
        .map(|number| number.saturating_mul(1024))
        .ok_or_else(|| anyhow!("df does not say how much {} has left", dir.display()))
}

/// Leaves so many sessions in the sandbox of `dir`, each expired an hour ago or longer.
pub fn abandon(dir: &Path, count: u32) -> anyhow::Result<()> {
    let place = Where { config: None, data: Some(dir.to_owned()), store: None }.open()?;
    let policy: Policy = Qi::new(qi::Config::new("https://wallet.example")).policy().clone();
    let (mut left, mut age_ms) = (count, DAY);
    while left > 0 {
        let chunk = left.min(CHUNK);
        let policy = policy.clone();
        place.transact(move |tx, now| -> Ruled<()> {
            let command = abandoned();
            for number in 0..chunk {
                let at = Moment::new(now.now.plus_millis(i64::from(number) - age_ms), random());
                prepare(tx, &command, &policy, &at)?;
            }
            Ok(())
        })?;
        left -= chunk;
        age_ms -= i64::from(chunk);
        age_ms = age_ms.max(DAY / 12);
    }
    Ok(())
}

/// As a merchant of Qi asks, without a reference.
fn abandoned() -> Prepare {
    Prepare {
        idempotency: None,
        terms: Box::new(|auth_id, created_at| Terms {
            auth_id,
            owner: Owner::of(&["abandoned"]),
            client: ClientId::new("abandoned"),
            dialect: DialectName::new(qi::NAME),
            scopes: vec![Scope::AgreementPay],
            legal_name: "Shop".into(),
            display_name: "Shop".into(),
            contract_title: None,
            contract_text: Some("25,000 IQD on the first day of each month until you cancel.".into()),
            language: None,
            redirect_url: None,
            auth_state: None,
            notify_url: None,
            auth_client_id: None,
            reference_merchant_id: None,
            reference_agreement_id: None,
            terminal: Terminal::Web,
            extras: String::new(),
            created_at,
        }),
        answer: Box::new(|auth_id, _| auth_id.as_str().as_bytes().to_vec()),
    }
}
