//! Closing the day from the command line: statements, settlement files, reconciliation.
//!
//! What belongs in a file is decided in `accord_core::ledger::settle`, how it looks in `accord_wire::settlement`; here
//! files are opened and days that are not over refused.

pub mod reconcile;
pub mod settle;
pub mod statement;

use crate::cli::Where;
use crate::config::check::{self, Faults};
use crate::config::{SandboxFile, load};
use crate::exit::usage;
use crate::keys::read_seal_key;
use crate::place::Place;
use accord_core::client::Client;
use accord_core::ids::ClientId;
use accord_core::ledger::settle::{SettlementItem, Span, Totals};
use accord_wire::seal::SealKey;
use accord_wire::settlement::sheet::{Extent, Writer};
use accord_wire::settlement::{Day, Zone};
use anyhow::anyhow;
use std::io::Write;

/// Items read at once.
const PAGE: usize = 1000;

/// The zone of the wallet's own days.
pub fn wallets_zone(place: &Where) -> anyhow::Result<Zone> {
    match (&place.config, &place.data) {
        (Some(config), _) => Ok(check::load(config)?.settlement_zone),
        (None, Some(data)) => {
            let path = data.join("accord.toml");
            let file = match path.exists() {
                true => load::read::<SandboxFile>(&path).map_err(|fault| Faults(vec![fault]))?,
                false => SandboxFile::default(),
            };
            Zone::parse(&file.settlement.zone)
                .map_err(|fault| anyhow!("{}, `settlement.zone`: {fault}", path.display()))
        }
        (None, None) => Err(usage("say which wallet: --config FILE or --data DIR")),
    }
}

/// The key that signs digests.
fn seal_key(place: &Where) -> anyhow::Result<SealKey> {
    match (&place.config, &place.data) {
        (Some(config), _) => Ok(check::load(config)?.settlement_key()?),
        (None, Some(data)) => read_seal_key(&data.join("keys/settlement.pem")),
        (None, None) => Err(usage("say which wallet: --config FILE or --data DIR")),
    }
}

/// The clients that are meant: one, or all, by id.
fn clients(place: &Place, one: Option<&str>) -> anyhow::Result<Vec<Client>> {
    match one {
        None => place.look(|rows| rows.clients()),
        Some(id) => {
            let key = ClientId::new(id);
            let found = place.look(move |rows| rows.client(&key))?;
            Ok(vec![found.ok_or_else(|| anyhow!("there is no client {id}"))?])
        }
    }
}

fn read_day(date: &str, zone: &Zone) -> anyhow::Result<Day> {
    Day::parse(date, zone).map_err(|fault| usage(format!("--date: {fault}")))
}

/// Writes a client's file of a day, page by page.
fn write_sheet<W: Write>(
    place: &Place,
    out: W,
    client: &ClientId,
    day: &Day,
    extent: Extent,
) -> anyhow::Result<(Totals, W)> {
    let mut writer = Writer::new(out, client, day, extent)?;
    let mut span = day.span();
    if let Extent::Until(at) = extent {
        span.until = span.until.min(at);
    }
    each(place, client, span, |item| Ok(writer.item(item)?))?;
    Ok(writer.finish()?)
}

/// Shows every item of a client in a span, in order. Pages are looks of their own: a long file holds up no writer.
fn each(
    place: &Place,
    client: &ClientId,
    span: Span,
    mut see: impl FnMut(&SettlementItem) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut last: Option<SettlementItem> = None;
    loop {
        let (client, after) = (client.clone(), last.take());
        let page = place.look(move |rows| {
            rows.settlement_items(&client, span, after.as_ref().map(SettlementItem::place), PAGE)
        })?;
        for item in &page {
            see(item)?;
        }
        match page.into_iter().next_back() {
            Some(item) => last = Some(item),
            None => return Ok(()),
        }
    }
}
