//! `accord payment …`: payments and refunds that were answered Unknown and have no end yet: listed, and decided by a
//! person where nothing will resolve them by itself. The running server carries a decision out.

use crate::cli::Where;
use crate::exit::{Exit, usage};
use accord_core::Timestamp;
use accord_core::ids::{PaymentId, RefundId};
use accord_core::payment::Resolution;
use accord_core::payment::unresolved::{Decided, Running, decide};
use accord_core::store::{Rows, Stored};
use accord_wire::time::format_millis;
use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum PaymentCommand {
    /// List running payments and refunds, oldest first.
    Unresolved(UnresolvedArgs),
    /// Decide about a running payment or refund: the server brings it to its end and tells owner and user.
    Resolve(ResolveArgs),
}

#[derive(Args)]
pub struct UnresolvedArgs {
    #[command(flatten)]
    place: Where,
    /// Only those that were asked for longer ago than so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    older_than: u32,
    /// At most so many of each kind.
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What a running one is to become.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum End {
    Success,
    Failure,
}

#[derive(Args)]
pub struct ResolveArgs {
    #[command(flatten)]
    place: Where,
    /// paymentId or refundId.
    id: String,
    /// What it is to become. A payment that is to succeed is judged like any debit: an empty account fails it. After
    /// its paymentExpiryTime nothing can be decided: it fails then by itself. Under an agreement that is over it can
    /// only fail.
    #[arg(long, value_enum)]
    to: End,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord payment …`.
pub fn run(command: PaymentCommand) -> anyhow::Result<Exit> {
    match command {
        PaymentCommand::Unresolved(args) => list(args),
        PaymentCommand::Resolve(args) => resolve(args),
    }
}

/// One that is running, whichever it is.
struct Row {
    kind: &'static str,
    id: String,
    client: String,
    dialect: String,
    request: String,
    amount: Value,
    since: Timestamp,
    plan: Option<Resolution>,
    expires_at: Option<Timestamp>,
}

fn running(rows: &dyn Rows, limit: usize) -> Stored<Vec<Row>> {
    let money = |amount: accord_core::money::Amount| json!({ "currency": amount.currency.code(), "value": amount.value().to_string() });
    let mut all: Vec<Row> = Vec::new();
    for payment in rows.running_payments(limit)? {
        all.push(Row {
            kind: "payment",
            id: payment.id.to_string(),
            client: payment.client.to_string(),
            dialect: payment.dialect.to_string(),
            request: payment.request_id.as_str().to_owned(),
            amount: money(payment.amount),
            since: payment.created_at,
            plan: payment.resolution,
            expires_at: payment.expires_at,
        });
    }
    for refund in rows.running_refunds(limit)? {
        all.push(Row {
            kind: "refund",
            id: refund.id.to_string(),
            client: refund.client.to_string(),
            dialect: refund.dialect.to_string(),
            request: refund.request_id.as_str().to_owned(),
            amount: money(refund.amount),
            since: refund.created_at,
            plan: refund.resolution,
            expires_at: None,
        });
    }
    all.sort_by_key(|row| row.since);
    Ok(all)
}

fn list(args: UnresolvedArgs) -> anyhow::Result<Exit> {
    let place = args.place.open()?;
    let (now, limit) = (place.clock.now(), args.limit);
    let mut all = place.look(move |rows| running(rows, limit))?;
    all.retain(|row| now.since(row.since) >= i64::from(args.older_than).saturating_mul(1_000));
    if args.json {
        let rows: Vec<Value> = all
            .iter()
            .map(|row| {
                json!({
                    "kind": row.kind, "id": row.id, "clientId": row.client, "dialect": row.dialect,
                    "requestId": row.request, "amount": row.amount, "since": format_millis(row.since.0, 0),
                    "expiresAt": row.expires_at.map(|at| format_millis(at.0, 0)),
                    "ageSeconds": now.since(row.since).max(0) / 1_000,
                    "resolvesAt": row.plan.map(|plan| format_millis(plan.due_at.0, 0)),
                    "becomes": row.plan.map(|plan| if plan.succeed { "success" } else { "failure" }),
                })
            })
            .collect();
        println!("{}", json!({ "unresolved": rows }));
        return Ok(Exit::Done);
    }
    for row in &all {
        let age = now.since(row.since).max(0) / 1_000;
        let plan = match row.plan {
            Some(plan) => format!("resolves at {}", format_millis(plan.due_at.0, 0)),
            None => "waits for `accord payment resolve`".to_owned(),
        };
        println!("{} {} {} {} for {age} s, {plan}", row.kind, row.id, row.client, row.request);
    }
    println!("{} unresolved", all.len());
    Ok(Exit::Done)
}

fn resolve(args: ResolveArgs) -> anyhow::Result<Exit> {
    let candidates: Vec<Running> = PaymentId::read(&args.id)
        .map(Running::Payment)
        .into_iter()
        .chain(RefundId::read(&args.id).map(Running::Refund))
        .collect();
    if candidates.is_empty() {
        return Err(usage(format!("`{}` is neither a paymentId nor a refundId", args.id)));
    }
    let succeed = args.to == End::Success;
    let decided = args.place.open()?.transact(move |tx, at| {
        for running in &candidates {
            let decided = decide(tx, running, succeed, "operator", at)?;
            if decided != Decided::Unknown {
                return Ok(decided);
            }
        }
        Ok(Decided::Unknown)
    })?;
    match decided {
        Decided::Due if args.json => println!("{}", json!({ "id": args.id, "due": true })),
        Decided::Due => println!("{} is due: the running server brings it to its end", args.id),
        Decided::Expired => {
            return Err(anyhow!(
                "the paymentExpiryTime of {} has passed: the running server lets it fail; nothing was changed",
                args.id
            ));
        }
        Decided::AgreementOver => {
            return Err(anyhow!(
                "the agreement of {} is over, so it cannot be debited: only `--to failure` is left; nothing was changed",
                args.id
            ));
        }
        Decided::Ended => return Err(anyhow!("{} has its end already; nothing was changed", args.id)),
        Decided::Unknown => return Err(anyhow!("there is no payment or refund {}", args.id)),
    }
    Ok(Exit::Done)
}
