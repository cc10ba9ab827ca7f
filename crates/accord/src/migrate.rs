//! `accord migrate`: brings the schema of the store up to date, says what that would do, or looks whether it is as it
//! should be.

use crate::cli::Where;
use crate::exit::{Exit, usage};
use crate::storage::StoreUrl;
use accord_store::postgres::partitions::Span;
use accord_store::schema::{Applying, Kind, Migration, Outlook, Schema, words};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What `accord migrate` is told.
#[derive(Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    place: Where,
    /// Only say what would be done, who would stop working, and what would be locked.
    #[arg(long, conflicts_with = "verify")]
    plan: bool,
    /// Only compare tables, columns and indexes with what they should be; status 1 if they differ.
    #[arg(long)]
    verify: bool,
    /// On PostgreSQL: how much time a new partition holds. As the last one, if it is not said.
    #[arg(long, value_name = "SPAN")]
    partitions: Option<Partitions>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    extra: ExtraSteps,
}

/// How much time a partition holds.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Partitions {
    /// A year.
    Yearly,
    /// A month, for large houses.
    Monthly,
}

impl Partitions {
    fn span(self) -> Span {
        match self {
            Partitions::Yearly => Span::Year,
            Partitions::Monthly => Span::Month,
        }
    }
}

/// Steps of a version that is still to come, for tests of upgrades. Only a sandbox takes them.
#[derive(Args, Clone, Debug, Default)]
pub struct ExtraSteps {
    /// A file with one more step.
    #[arg(long = "extra-migration", value_name = "FILE", hide = true)]
    files: Vec<PathBuf>,
}

impl ExtraSteps {
    /// The steps of this program and those.
    pub fn schema(&self) -> anyhow::Result<Schema> {
        self.files.iter().try_fold(Schema::default(), |schema, file| {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            schema.with_extra(&text).map_err(|why| usage(format!("{}: {why}", file.display())))
        })
    }
}

/// `accord migrate`.
pub fn run(args: MigrateArgs) -> anyhow::Result<Exit> {
    if args.place.data.is_none() && !args.extra.files.is_empty() {
        return Err(usage("--extra-migration is for a sandbox: name it with --data"));
    }
    let schema = args.extra.schema()?;
    let url = args.place.store_url()?;
    if args.verify {
        return verify(&url, &schema, args.json);
    }
    if args.plan {
        let outlook = url.plan(&schema)?;
        if args.json {
            println!("{}", outlook_json(&url, &schema, &outlook));
        } else {
            tell(&url, &outlook);
        }
        return Ok(Exit::Done);
    }
    let Applying { steps, indexes, partitions } =
        url.migrate(&schema, args.partitions.map(Partitions::span))?;
    if args.json {
        let steps: Vec<_> = steps.iter().map(|step| step_json(&url, step, &[])).collect();
        let newest = schema.level();
        println!(
            "{}",
            json!({
                "store": url.to_string(), "applied": true, "steps": steps, "indexes": indexes,
                "partitions": partitions, "newest": newest,
            })
        );
        return Ok(Exit::Done);
    }
    for step in &steps {
        println!("{url}: applied {:04} {}", step.version, step.name);
    }
    for index in &indexes {
        println!("{url}: built index {index}");
    }
    for partition in &partitions {
        println!("{url}: made partition {partition}");
    }
    if steps.is_empty() && indexes.is_empty() && partitions.is_empty() {
        println!("{url}: up to date, version {}", url.plan(&schema)?.level);
    }
    Ok(Exit::Done)
}

fn verify(url: &StoreUrl, schema: &Schema, as_json: bool) -> anyhow::Result<Exit> {
    let differences = url.verify(schema)?;
    let same = differences.is_empty();
    if as_json {
        println!("{}", json!({ "store": url.to_string(), "same": same, "differences": differences }));
    } else if same {
        println!("{url}: the schema is as version {} should be", schema.level());
    } else {
        differences.iter().for_each(|line| println!("{line}"));
        println!("{url}: the schema is NOT as version {} should be", schema.level());
    }
    Ok(if same { Exit::Done } else { Exit::Other })
}

/// Which of the running nodes a step would stop, in words.
fn stops(step: &Migration, outlook: &Outlook) -> Vec<String> {
    outlook.nodes.iter().filter(|node| !step.bears(node.level)).map(ToString::to_string).collect()
}

fn locks(url: &StoreUrl, step: &Migration) -> Vec<String> {
    match url {
        StoreUrl::Sqlite(_) => {
            vec!["the file: writes wait while all steps are applied in one transaction".into()]
        }
        StoreUrl::Postgres { .. } => words::locks(&step.sql),
    }
}

fn tell(url: &StoreUrl, outlook: &Outlook) {
    for name in &outlook.unbuilt {
        println!("{url}: index {name} was not finished: it is built concurrently");
    }
    for step in &outlook.pending {
        println!("{url}: needs {:04} {} ({})", step.version, step.name, step.kind.as_str());
        if outlook.level == 0 {
            continue;
        }
        match step.kind {
            Kind::Expand => println!("    every program that runs now goes on"),
            Kind::Contract { needs } => println!("    programs below level {needs} cannot run afterwards"),
        }
        for node in stops(step, outlook) {
            println!("    would stop {node}: refused while it runs");
        }
        for lock in locks(url, step) {
            println!("    {lock}");
        }
    }
    for name in &outlook.partitions {
        println!("{url}: partition {name} is missing: it is made last");
    }
    if outlook.pending.is_empty() && outlook.unbuilt.is_empty() && outlook.partitions.is_empty() {
        println!("{url}: up to date, version {}", outlook.level);
    }
    for node in &outlook.nodes {
        println!("serves now: {node}");
    }
}

fn step_json(url: &StoreUrl, step: &Migration, stopped: &[String]) -> Value {
    let needs = match step.kind {
        Kind::Expand => None,
        Kind::Contract { needs } => Some(needs),
    };
    json!({
        "version": step.version, "name": step.name, "kind": step.kind.as_str(), "needs": needs,
        "locks": locks(url, step), "wouldStop": stopped,
    })
}

fn outlook_json(url: &StoreUrl, schema: &Schema, outlook: &Outlook) -> Value {
    let step = |step: &Migration| step_json(url, step, &stops(step, outlook));
    let steps: Vec<_> = outlook.pending.iter().map(step).collect();
    let node = |node: &accord_store::schema::Node| json!({ "address": node.address, "pid": node.pid, "level": node.level });
    let nodes: Vec<_> = outlook.nodes.iter().map(node).collect();
    json!({
        "store": url.to_string(), "applied": false, "level": outlook.level, "steps": steps,
        "indexes": outlook.unbuilt, "partitions": outlook.partitions, "nodes": nodes, "newest": schema.level(),
    })
}
