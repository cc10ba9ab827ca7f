//! `accord ledger statement`: an account's entries, oldest first, with the running balance.

use super::{each, wallets_zone};
use crate::cli::Where;
use crate::exit::{Exit, usage};
use crate::place::Place;
use accord_core::Timestamp;
use accord_core::ids::{ClientId, CustomerId, LoginId};
use accord_core::ledger::settle::Span;
use accord_core::money::Currency;
use accord_wire::settlement::{Day, Zone};
use accord_wire::time::parse_iso;
use anyhow::anyhow;
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What `accord ledger statement` is told.
#[derive(Args)]
pub struct StatementArgs {
    #[command(flatten)]
    place: Where,
    /// user:<customerId or login id>, or payable:<clientId>.
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// From this day or time on: 2026-01-15, or 2026-01-15T09:30:00+03:00.
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// To the end of this day, or before this time.
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// One entry, as it is listed.
struct Entry {
    at: Timestamp,
    kind: String,
    reference: String,
    posting: String,
    currency: Currency,
    amount: i64,
}

/// The statement while it is listed.
struct Listing {
    span: Span,
    zone: Zone,
    /// Balances before the span, by currency.
    opening: BTreeMap<Currency, i128>,
    balances: BTreeMap<Currency, i128>,
    rows: Vec<Value>,
    lines: Vec<String>,
}

/// `accord ledger statement`.
pub fn run(args: StatementArgs) -> anyhow::Result<Exit> {
    let wallets = wallets_zone(&args.place)?;
    let place = args.place.open()?;
    let (kind, name) = args.account.split_once(':').unwrap_or_default();
    let listing = match kind {
        "user" => {
            let mut listing = Listing::new(&args, wallets)?;
            of_user(&place, name, &mut listing)?;
            listing
        }
        "payable" => {
            let id = ClientId::new(name);
            let key = id.clone();
            let client = place.look(move |rows| rows.client(&key))?;
            let client = client.ok_or_else(|| anyhow!("there is no client {name}"))?;
            let mut listing = Listing::new(&args, Zone::of(&client.dialect, &wallets))?;
            of_client(&place, &id, &mut listing)?;
            listing
        }
        _ => return Err(usage("--account: user:<customerId or login id>, or payable:<clientId>")),
    };
    listing.tell(&args);
    Ok(Exit::Done)
}

fn of_user(place: &Place, name: &str, listing: &mut Listing) -> anyhow::Result<()> {
    let (id, login) = (CustomerId::read(name), LoginId::new(name));
    let customer = place.look(move |rows| {
        let known = match &id {
            Some(id) => rows.user(id)?.map(|user| user.id),
            None => None,
        };
        if known.is_some() { Ok(known) } else { rows.customer_of(&login) }
    })?;
    let customer = customer.ok_or_else(|| anyhow!("there is no user {name}"))?;
    let mut last = None;
    loop {
        let (customer, after) = (customer.clone(), last.take());
        let page = place.look(move |rows| {
            let after = after.as_ref().map(|(at, posting, line)| (*at, posting, *line));
            rows.entries_of_customer(&customer, after, super::PAGE)
        })?;
        for (posting, entry) in &page {
            listing.take(Entry {
                at: posting.at,
                kind: posting.kind.to_string(),
                reference: posting.reference.clone(),
                posting: posting.id.to_string(),
                currency: entry.currency,
                amount: entry.amount,
            });
        }
        match page.into_iter().next_back() {
            Some((posting, entry)) => last = Some((posting.at, posting.id, entry.line)),
            None => return Ok(()),
        }
    }
}

/// Each entry of a payable account, in whatever slot, has one settlement item (`accord ledger verify` proves it).
fn of_client(place: &Place, client: &ClientId, listing: &mut Listing) -> anyhow::Result<()> {
    each(place, client, Span { until: listing.span.until, ..Span::ALL }, |item| {
        let reference = item.refund.as_ref().map_or(item.payment.as_str(), |refund| refund.as_str());
        listing.take(Entry {
            at: item.settled_at,
            kind: item.kind.to_string(),
            reference: reference.to_owned(),
            posting: item.posting.to_string(),
            currency: item.currency,
            amount: item.amount,
        });
        Ok(())
    })
}

impl Listing {
    fn new(args: &StatementArgs, zone: Zone) -> anyhow::Result<Listing> {
        let edge = |name: &str, text: &Option<String>, of: fn(Span) -> Timestamp| {
            let Some(text) = text else { return Ok(None) };
            let read = match parse_iso(text) {
                Ok(at) => Ok(Timestamp(at)),
                Err(_) => Day::parse(text, &zone).map(|day| of(day.span())),
            };
            read.map(Some).map_err(|fault| usage(format!("--{name}: {fault}, or a time with its offset")))
        };
        let from = edge("from", &args.from, |span| span.from)?.unwrap_or(Span::ALL.from);
        let until = edge("to", &args.to, |span| span.until)?.unwrap_or(Span::ALL.until);
        Ok(Listing {
            span: Span { from, until },
            zone,
            opening: BTreeMap::new(),
            balances: BTreeMap::new(),
            rows: Vec::new(),
            lines: Vec::new(),
        })
    }

    /// Takes the next entry of the account, whenever it was.
    fn take(&mut self, entry: Entry) {
        if entry.at >= self.span.until {
            return;
        }
        let balance = self.balances.entry(entry.currency).or_default();
        *balance += i128::from(entry.amount);
        if entry.at < self.span.from {
            self.opening.insert(entry.currency, *balance);
            return;
        }
        let at = self.zone.write(entry.at);
        let Entry { kind, reference, posting, currency, amount, .. } = entry;
        self.lines.push(format!("{at}  {kind:15}  {currency} {amount:>18}  {balance:>18}  {reference}"));
        self.rows.push(json!({
            "at": at, "kind": kind, "reference": reference, "postingId": posting, "currency": currency.code(),
            "value": amount.to_string(), "balance": balance.to_string(),
        }));
    }

    fn tell(&self, args: &StatementArgs) {
        let sums = |sums: &BTreeMap<Currency, i128>| -> Map<String, Value> {
            sums.iter().map(|(currency, sum)| (currency.to_string(), sum.to_string().into())).collect()
        };
        if args.json {
            let row = json!({
                "account": args.account, "opening": sums(&self.opening), "entries": self.rows,
                "closing": sums(&self.balances),
            });
            println!("{row}");
            return;
        }
        for (currency, sum) in &self.opening {
            println!("opening {currency} {sum}");
        }
        for line in &self.lines {
            println!("{line}");
        }
        for (currency, sum) in &self.balances {
            println!("closing {currency} {sum}");
        }
    }
}
