//! `accord doctor`: configuration, clock, keys, store, outbound. Each line is ok, warn or fault, with what to do.

mod seals;

use crate::cli::Where;
use crate::config::check::{self, Settings};
use crate::dev;
use crate::exit::Exit;
use crate::keys::{openness, read_private_key, read_seal_key, read_secret};
use crate::place::Place;
use crate::storage::Purpose;
use accord_core::ledger::verify;
use accord_core::policy::DAY;
use accord_server::clock::{Clock, OFFSET_SETTING};
use accord_server::wallet_api::listen::acceptor;
use accord_server::{same_keys, serve, shared_time};
use accord_store::fence::{FENCE, Fence};
use accord_store::postgres::partitions::Coverage;
use accord_store::schema;
use accord_store::{SqliteOptions, SqliteStore};
use accord_wire::time::format_seconds;
use clap::Args;
use serde_json::json;
use std::path::Path;

/// What `accord doctor` is told.
#[derive(Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    place: Where,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// 2020-01-01: no machine that runs this program has an earlier time.
const EARLIEST: i64 = 1_577_836_800_000;

/// How long before their end partitions are missed.
const PARTITIONS_AHEAD: i64 = 90 * DAY;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fault,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fault => "fault",
        }
    }
}

/// What was found, in the order looked at.
#[derive(Default)]
struct Findings(Vec<(Level, &'static str, String)>);

impl Findings {
    fn add(&mut self, level: Level, about: &'static str, what: impl Into<String>) {
        self.0.push((level, about, what.into()));
    }

    /// Notes ok with `good`, or the error as a fault.
    fn judge<T, E: std::fmt::Display>(
        &mut self,
        about: &'static str,
        found: Result<T, E>,
        good: &str,
    ) -> Option<T> {
        match found {
            Ok(found) => {
                self.add(Level::Ok, about, good);
                Some(found)
            }
            Err(fault) => {
                self.add(Level::Fault, about, format!("{fault:#}").replace("\naccord: ", "; "));
                None
            }
        }
    }
}

/// `accord doctor`.
pub fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let mut findings = Findings::default();
    match (&args.place.config, &args.place.data) {
        (Some(config), _) => look_at_wallet(config, &mut findings),
        (None, Some(dir)) => look_at_sandbox(dir, &mut findings),
        (None, None) => {}
    }
    look_at_clock(&mut findings);
    look_at_store(&args.place, &mut findings);
    let sick = findings.0.iter().any(|(level, ..)| *level == Level::Fault);
    if args.json {
        let rows: Vec<_> = findings
            .0
            .iter()
            .map(|(level, about, what)| json!({ "level": level.as_str(), "about": about, "finding": what }))
            .collect();
        println!("{}", json!({ "healthy": !sick, "findings": rows }));
    } else {
        for (level, about, what) in &findings.0 {
            println!("{:5} {about}: {what}", level.as_str());
        }
    }
    Ok(if sick { Exit::Other } else { Exit::Done })
}

fn look_at_wallet(config: &Path, findings: &mut Findings) {
    let Some(settings) = findings.judge("configuration", check::load(config), "no fault found") else {
        return;
    };
    let keys = findings.judge("keys", settings.keys(), "every key file can be read, and only by its owner");
    if let Some(keys) = keys {
        let version = keys.wallet.signing_version();
        findings.add(Level::Ok, "keys", format!("replies are signed with keyVersion {version}"));
    }
    seals::look(&settings, findings);
    look_at_tls(&settings, findings);
    look_at_zones(&settings, findings);
    if !settings.admin.ip().is_loopback() {
        let what = format!("admin.listen {} is not loopback: keep it off public networks", settings.admin);
        findings.add(Level::Warn, "configuration", what);
    }
    if settings.tls.is_none() && settings.trusted_proxies.is_empty() {
        let what = "TLS is terminated by a proxy, but trusted_proxies is empty: every caller has the proxy's address";
        findings.add(Level::Warn, "configuration", what);
    }
    if settings.choices.limits.signed_refusals_per_minute.is_none() {
        let what =
            "limits.signed_refusals_per_minute is off: anybody can make this wallet sign refusals all day";
        findings.add(Level::Warn, "configuration", what);
    }
    look_at_carriers(&settings, findings);
    match settings.outbound.allowed.as_slice() {
        [] => findings.add(Level::Ok, "outbound", "https to public addresses only"),
        allowed => {
            let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            findings.add(
                Level::Warn,
                "outbound",
                format!("these are called although private: {}", list.join(", ")),
            );
        }
    }
}

/// Connects to mail server and SMS gateway; sends nothing.
fn look_at_carriers(settings: &check::Settings, findings: &mut Findings) {
    if !settings.choices.carriers.any() {
        let what = "no message leaves the wallet: users read them in their inbox ([email], [sms])";
        findings.add(Level::Ok, "messages", what);
        return;
    }
    let secrets = "the secrets of mail server and gateway can be read, and only by their owner";
    let Some(couriers) = findings.judge("messages", settings.couriers(), secrets) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Some(runtime) = findings.judge("messages", runtime, "carriers are looked at") else { return };
    for (carrier, place, end) in runtime.block_on(accord_server::courier::probe::probe(&couriers)) {
        match end {
            Ok(()) => findings.add(Level::Ok, "messages", format!("{carrier}: {place} answers")),
            Err(why) => {
                let what =
                    format!("{carrier}: {place} cannot be used ({why}): messages wait and are tried again");
                findings.add(Level::Fault, "messages", what);
            }
        }
    }
}

/// Certificates and keys of both listeners: read as `serve` will read them.
fn look_at_tls(settings: &Settings, findings: &mut Findings) {
    if let Some(files) = &settings.tls {
        findings.judge(
            "tls",
            serve::acceptor(files).map(|_| ()),
            "certificate and key of `listen` can be used",
        );
    }
    let Some(listen) = &settings.seams.wallet_api else { return };
    let Some(files) = &listen.tls else {
        let what = format!("{} speaks plain HTTP, to this machine only", listen.address);
        return findings.add(Level::Ok, "wallet_api", what);
    };
    // What cannot be read is said below.
    if let Ok(Some(fault)) = openness(&files.key) {
        findings.add(Level::Fault, "wallet_api", format!("`wallet_api.tls.key`: {fault}"));
    }
    let good = "certificate, key and client_ca can be used; callers need a certificate of that authority";
    let read = acceptor(files)
        .map_err(|fault| format!("{fault}: correct the file that `wallet_api.tls` names, PEM is expected"));
    findings.judge("wallet_api", read.map(|_| ()), good);
}

/// A limit's day and a settlement day that begin at different times are two answers to one question.
fn look_at_zones(settings: &Settings, findings: &mut Findings) {
    let (zone, now) = (&settings.settlement_zone, Clock::new(0).now());
    let offset = |at| i64::from(zone.offset_at(at)) * 1_000;
    let half_a_year = 182 * DAY;
    if [-half_a_year, half_a_year].iter().any(|away| offset(now.plus_millis(*away)) != offset(now)) {
        let what = format!(
            "settlement.zone {} keeps summer time, days of limits do not: write it as an offset such as \"+03:00\"",
            zone.name()
        );
        findings.add(Level::Warn, "settlement", what);
    }
    let choices = &settings.choices;
    let zones = [
        ("qi", choices.qi.as_ref().map(|(_, config)| &config.control)),
        ("alipay_plus", choices.alipay_plus.as_ref().map(|(_, config)| &config.control)),
    ];
    for (dialect, control) in zones {
        let Some(days) = control.map(|control| control.day_zone_offset_ms) else { continue };
        let about = "settlement";
        if days == offset(now) {
            findings.add(
                Level::Ok,
                about,
                format!("days of {dialect}'s limits are those of {}", zone.name()),
            );
        } else {
            let what = format!(
                "days of {dialect}'s limits begin {} minutes apart from those of settlement.zone {}: set \
                 {dialect}.agreements.day_zone and settlement.zone alike",
                (days - offset(now)).abs() / 60_000,
                zone.name()
            );
            findings.add(Level::Warn, about, what);
        }
    }
}

fn look_at_sandbox(dir: &Path, findings: &mut Findings) {
    let state = dev::state::State::read(dir);
    match state {
        Ok(Some(state)) => {
            let url = state.public_url.unwrap_or_else(|| "none yet".to_owned());
            findings.add(Level::Ok, "configuration", format!("a sandbox; public URL {url}"));
        }
        Ok(None) => {
            let what = format!("{} is no sandbox: start `accord dev --data {0}` first", dir.display());
            findings.add(Level::Fault, "configuration", what);
            return;
        }
        Err(fault) => {
            findings.add(Level::Fault, "configuration", format!("{fault:#}"));
            return;
        }
    }
    let keys = dir.join("keys");
    for name in ["wallet-1.pem", "qi-merchant.pem", "alipay-plus.pem"] {
        findings.judge("keys", read_private_key(&keys.join(name)), &format!("keys/{name}"));
    }
    for name in ["settlement.pem", "receipts.pem", "audit.pem"] {
        findings.judge("keys", read_seal_key(&keys.join(name)), &format!("keys/{name}"));
    }
    for name in ["derivation-1.key", "pages.key", "qr.key"] {
        findings.judge("keys", read_secret(&keys.join(name)), &format!("keys/{name}"));
    }
    findings.add(Level::Ok, "outbound", "a sandbox calls this machine only, unless started with --outbound");
}

fn look_at_clock(findings: &mut Findings) {
    let now = Clock::new(0).now();
    if now.0 < EARLIEST {
        let what =
            format!("the machine says {}: set its clock, or every call is stale", format_seconds(now.0, 0));
        findings.add(Level::Fault, "clock", what);
    } else {
        let what = format!("the machine says {}; calls may be 5 minutes off", format_seconds(now.0, 0));
        findings.add(Level::Ok, "clock", what);
    }
}

/// Reads the whole SQLite file.
fn look_at_file(file: &Path, findings: &mut Findings) {
    let options = SqliteOptions { create: false, migrate: false, readers: 1, ..SqliteOptions::default() };
    let Some(store) = findings.judge("store", SqliteStore::open(file, options), "the file can be opened")
    else {
        return;
    };
    match store.check_integrity() {
        Ok(faults) if faults.is_empty() => findings.add(Level::Ok, "store", "the file is sound"),
        Ok(faults) => {
            let what = format!("{}: stop the wallet and restore a backup", faults.join("; "));
            findings.add(Level::Fault, "store", what);
        }
        Err(fault) => findings.add(Level::Fault, "store", fault.to_string()),
    }
}

/// Rows without a partition of their own cannot leave by the year; a little before there is none, it is time to make some.
fn look_at_partitions(coverage: &[Coverage], findings: &mut Findings) {
    let Some(ends) = coverage.iter().map(|table| table.until.unwrap_or(0)).min() else { return };
    let strays: Vec<&str> =
        coverage.iter().filter(|table| table.strays).map(|table| table.table.as_str()).collect();
    if !strays.is_empty() {
        let what = format!(
            "rows of {} are of a time without a partition: run `accord migrate`, which makes it and moves them",
            strays.join(", ")
        );
        findings.add(Level::Warn, "partitions", what);
    }
    let until = format!("the last partition by time ends at {}", format_seconds(ends, 0));
    let soon = coverage.iter().any(|table| ends < table.now + PARTITIONS_AHEAD);
    match soon {
        true => findings.add(Level::Warn, "partitions", format!("{until}: run `accord migrate`")),
        false => findings.add(Level::Ok, "partitions", until),
    }
}

/// A key that is not the one which the store knows by its version would stop `serve`.
fn look_at_known_keys(config: &Path, place: &Place, findings: &mut Findings) {
    // What cannot be read is said elsewhere.
    let Ok(Ok(keys)) = check::load(config).map(|settings| settings.keys()) else { return };
    let prints = same_keys::lasting(&keys.derivation, &keys.wallet);
    match place.look(move |rows| accord_core::same_keys::mixed_up(rows, &prints)) {
        Ok(None) => {}
        Ok(Some(key)) => findings.add(Level::Fault, "keys", same_keys::mixed_up(&key)),
        Err(fault) => findings.add(Level::Fault, "keys", format!("{fault:#}")),
    }
}

fn look_at_store(place: &Where, findings: &mut Findings) {
    let url = match place.store_url() {
        Ok(url) => url,
        Err(fault) => {
            findings.add(Level::Fault, "store", format!("{fault:#}").replace("\naccord: ", "; "));
            return;
        }
    };
    let good = format!("{url}, schema version {}", schema::NEWEST);
    let Some(store) = findings.judge("store", url.open(Purpose::Command), &good) else { return };
    if let Some(file) = url.file() {
        look_at_file(file, findings);
    }
    match url.coverage() {
        Ok(coverage) => look_at_partitions(&coverage, findings),
        Err(fault) => findings.add(Level::Fault, "partitions", format!("{fault:#}")),
    }
    let (sandbox, config) = (place.data.is_some(), place.config.clone());
    let Some(place) = findings.judge("store", Place::new(store, sandbox), "its rows can be read") else {
        return;
    };
    if let Some(config) = &config {
        look_at_known_keys(config, &place, findings);
    }
    match (shared_time::fault(&place.clock), place.clock.machine_ahead_ms()) {
        (Some(why), _) => findings.add(Level::Fault, "clock", format!("{why}; a node here is not ready")),
        (None, Some(ahead)) => {
            let what = format!(
                "{} ms {} the database's",
                ahead.abs(),
                if ahead < 0 { "behind" } else { "ahead of" }
            );
            findings.add(Level::Ok, "clock", format!("{what}; nodes go by that one"));
        }
        (None, None) => {}
    }
    if let Ok(Some(text)) = place.look(|rows| rows.setting(FENCE)) {
        findings.add(Level::Fault, "store", Fence::read(&text).sentence());
    }
    let offset = place.look(|rows| rows.setting(OFFSET_SETTING)).ok().flatten();
    match offset.as_deref() {
        None | Some("0") => {}
        Some(offset) if sandbox => {
            findings.add(Level::Ok, "clock", format!("the sandbox is {offset} ms ahead of the machine"));
        }
        Some(_) => {
            let what = "the store was a sandbox with a moved clock; `serve` does not follow it";
            findings.add(Level::Warn, "clock", what);
        }
    }
    match place.look(|rows| rows.clients()) {
        Ok(clients) if clients.is_empty() => {
            findings.add(Level::Warn, "store", "no client is registered: `accord client add` registers one");
        }
        Ok(clients) => findings.add(Level::Ok, "store", format!("{} clients", clients.len())),
        Err(fault) => findings.add(Level::Fault, "store", format!("{fault:#}")),
    }
    match place.look(|rows| verify::verify(rows)) {
        Ok(report) if report.faults.is_empty() => {
            findings.add(Level::Ok, "ledger", format!("the books balance, {} postings", report.postings));
        }
        Ok(report) => {
            let what = format!("{}: keep the store as it is and look at it", report.faults.join("; "));
            findings.add(Level::Fault, "ledger", what);
        }
        Err(fault) => findings.add(Level::Fault, "ledger", format!("{fault:#}")),
    }
}
