//! `accord move`: copies a wallet from SQLite to PostgreSQL, digest by digest, and closes the old store.

use crate::exit::{Exit, usage};
use crate::storage::StoreUrl;
use accord_store::PostgresUrl;
use accord_store::transfer;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// What `accord move` is told.
#[derive(Args)]
pub struct MoveArgs {
    /// The store that is left: sqlite:FILE. Whoever serves from it goes on answering what only reads.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The store that is filled: a fresh database, postgres://….
    #[arg(long, value_name = "URL", required_unless_present = "abort")]
    to: Option<String>,
    /// Give an unfinished move up: the old store takes writes again, and the one at --to is emptied.
    #[arg(long)]
    abort: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord move`.
pub fn run(args: MoveArgs) -> anyhow::Result<Exit> {
    let from = source(&args.from)?;
    let to = args.to.as_deref().map(target).transpose()?;
    if args.abort {
        transfer::abort(&from, to.as_ref())?;
        let at = to.map(|to| format!(", {to} is empty")).unwrap_or_default();
        println!("{}: the move is given up, the store takes writes again{at}", args.from);
        return Ok(Exit::Done);
    }
    let Some(to) = to else { return Err(usage("--to: name the database to move into")) };
    let moved = transfer::move_store(&from, &to, |table, rows| {
        if rows > 0 {
            eprintln!("{table}: {rows} rows copied");
        }
    })?;
    if args.json {
        let row =
            |sum: &transfer::TableSum| json!({ "table": sum.table, "rows": sum.rows, "sha256": sum.sha256 });
        let tables: Vec<_> = moved.tables.iter().map(row).collect();
        let (from, to) = (format!("sqlite:{}", from.display()), to.to_string());
        println!("{}", json!({ "from": from, "to": to, "resumed": moved.resumed, "tables": tables }));
        return Ok(Exit::Done);
    }
    for sum in &moved.tables {
        println!("{:24} {:>10} rows  {}", sum.table, sum.rows, sum.sha256);
    }
    println!(
        "both stores say the same; {to} is open, {} stays closed: change `store` and start the nodes",
        args.from
    );
    Ok(Exit::Done)
}

fn source(text: &str) -> anyhow::Result<PathBuf> {
    match StoreUrl::of_argument(text)? {
        StoreUrl::Sqlite(path) => Ok(path),
        StoreUrl::Postgres { .. } => {
            Err(usage("--from: a wallet is moved from sqlite:FILE to postgres://…, and not back"))
        }
    }
}

fn target(text: &str) -> anyhow::Result<PostgresUrl> {
    match StoreUrl::of_argument(text)? {
        StoreUrl::Postgres { url, .. } => Ok(*url),
        StoreUrl::Sqlite(_) => {
            Err(usage("--to: a wallet is moved to postgres://…; a file is copied with `accord backup`"))
        }
    }
}
