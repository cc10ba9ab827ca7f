//! `accord credential …`: who may call the wallet API.

use crate::cli::Where;
use crate::exit::{Exit, usage};
use accord_core::Timestamp;
use accord_core::ids::CredentialId;
use accord_core::operator::{self, Role};
use accord_server::wallet_api::new_secret;
use accord_wire::time::format_millis;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Subcommand)]
pub enum CredentialCommand {
    /// Make a credential and print its token, once: it cannot be shown again.
    Add(AddArgs),
    /// List credentials, without their secrets.
    List(ListArgs),
    /// Retire a credential: from now on it opens nothing.
    Retire(RetireArgs),
}

#[derive(Args)]
pub struct AddArgs {
    #[command(flatten)]
    place: Where,
    /// What it may do: reader, app, funding or operator.
    #[arg(long)]
    role: String,
    /// Which system holds it, for people; at most 64 characters.
    #[arg(long, default_value = "")]
    name: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    place: Where,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct RetireArgs {
    #[command(flatten)]
    place: Where,
    /// Its id: the part of the token before the dot.
    id: String,
}

/// `accord credential …`.
pub fn run(command: CredentialCommand) -> anyhow::Result<Exit> {
    match command {
        CredentialCommand::Add(args) => add(args),
        CredentialCommand::List(args) => list(args),
        CredentialCommand::Retire(args) => retire(args),
    }
}

fn add(args: AddArgs) -> anyhow::Result<Exit> {
    let role = Role::parse(&args.role).ok_or_else(|| usage("--role: reader, app, funding or operator"))?;
    if args.name.chars().count() > 64 || args.name.chars().any(char::is_control) {
        return Err(usage("--name: at most 64 characters, none of them a control character"));
    }
    let secret = new_secret();
    let (name, digest) = (args.name, secret.digest);
    let added = args.place.open()?.transact(move |tx, at| operator::add(tx, role, &name, digest, at))?;
    let token = format!("{}.{}", added.id, secret.text);
    if args.json {
        println!("{}", json!({ "id": added.id.as_str(), "role": role.as_str(), "token": token }));
    } else {
        eprintln!("credential {} ({role}): keep its token, it is not shown again", added.id);
        println!("{token}");
    }
    Ok(Exit::Done)
}

fn list(args: ListArgs) -> anyhow::Result<Exit> {
    let all = args.place.open()?.look(|rows| rows.credentials(10_000))?;
    let time = |at: Timestamp| format_millis(at.0, 0);
    if args.json {
        let rows: Vec<_> = all
            .iter()
            .map(|row| {
                json!({
                    "id": row.id.as_str(), "role": row.role.as_str(), "name": row.name,
                    "createdAt": time(row.created_at), "retiredAt": row.retired_at.map(time),
                })
            })
            .collect();
        println!("{}", json!({ "credentials": rows }));
    } else {
        for row in all {
            let retired = row.retired_at.map_or_else(String::new, |at| format!("  retired {}", time(at)));
            println!("{}  {:8}  {}  {}{retired}", row.id, row.role.as_str(), time(row.created_at), row.name);
        }
    }
    Ok(Exit::Done)
}

fn retire(args: RetireArgs) -> anyhow::Result<Exit> {
    let id =
        CredentialId::read(&args.id).ok_or_else(|| usage(format!("`{}` is no credential's id", args.id)))?;
    let retired = args.place.open()?.transact(move |tx, at| operator::retire(tx, &id, at))?;
    let retired = retired.ok_or_else(|| anyhow!("there is no credential {}", args.id))?;
    println!("credential {}: retired", retired.id);
    Ok(Exit::Done)
}
