//! `accord migrate`: brings the schema of the store up to date, or says what that would do.

use crate::cli::Where;
use crate::exit::Exit;
use accord_store::sqlite::migrations;
use clap::Args;
use serde_json::json;

/// What `accord migrate` is told.
#[derive(Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    place: Where,
    /// Only say what would be done.
    #[arg(long)]
    plan: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord migrate`.
pub fn run(args: MigrateArgs) -> anyhow::Result<Exit> {
    let url = args.place.store_url()?;
    let steps = if args.plan { url.plan()? } else { url.migrate()? };
    if args.json {
        let rows: Vec<_> =
            steps.iter().map(|step| json!({ "version": step.version, "name": step.name })).collect();
        let newest = migrations::NEWEST;
        println!(
            "{}",
            json!({ "store": url.to_string(), "applied": !args.plan, "steps": rows, "newest": newest })
        );
        return Ok(Exit::Done);
    }
    let verb = if args.plan { "needs" } else { "applied" };
    for step in &steps {
        println!("{url}: {verb} {:04} {}", step.version, step.name);
    }
    if steps.is_empty() {
        println!("{url}: up to date, version {}", migrations::NEWEST);
    }
    Ok(Exit::Done)
}
