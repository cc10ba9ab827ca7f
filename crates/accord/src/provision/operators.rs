//! `accord operator …`: who may sign in to the operator console. Operators are made here and nowhere else.

use crate::cli::Where;
use crate::exit::{Exit, usage};
use accord_core::Timestamp;
use accord_core::console::{self, Added, ConsoleRole, LONGEST_PASSWORD, SHORTEST_PASSWORD};
use accord_core::ids::OperatorName;
use accord_server::pin;
use accord_wire::time::format_millis;
use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Make an operator of the console.
    Add(AddArgs),
    /// List operators.
    List(ListArgs),
    /// Give an operator another password; every sign-in ends.
    Password(PasswordArgs),
    /// Disable an operator, for good; every sign-in ends at once.
    Disable(DisableArgs),
}

#[derive(Args)]
pub struct AddArgs {
    #[command(flatten)]
    place: Where,
    /// What is typed to sign in: 1 to 32 of a-z, 0-9, '.', '-', '_', the first a letter.
    #[arg(long)]
    name: String,
    /// What the operator may do: viewer, operator or key_officer.
    #[arg(long)]
    role: String,
    /// A file with the password; without it, the first line of standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
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
pub struct PasswordArgs {
    #[command(flatten)]
    place: Where,
    /// Whose.
    #[arg(long)]
    name: String,
    /// A file with the password; without it, the first line of standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Args)]
pub struct DisableArgs {
    #[command(flatten)]
    place: Where,
    /// Whom.
    #[arg(long)]
    name: String,
}

/// `accord operator …`.
pub fn run(command: OperatorCommand) -> anyhow::Result<Exit> {
    match command {
        OperatorCommand::Add(args) => add(args),
        OperatorCommand::List(args) => list(args),
        OperatorCommand::Password(args) => set_password(args),
        OperatorCommand::Disable(args) => disable(args),
    }
}

fn add(args: AddArgs) -> anyhow::Result<Exit> {
    let role =
        ConsoleRole::parse(&args.role).ok_or_else(|| usage("--role: viewer, operator or key_officer"))?;
    let name = named(&args.name)?;
    let place = args.place.open()?;
    let hash = hashed(args.password_file)?;
    let added = place.transact(move |tx, at| console::add(tx, &name, role, &hash, "operator", at))?;
    match added {
        Added::Now(operator) => println!("operator {}: added, {role}", operator.name),
        Added::Taken => {
            return Err(anyhow!("there is an operator {}, or was one: choose another name", args.name));
        }
    }
    Ok(Exit::Done)
}

fn list(args: ListArgs) -> anyhow::Result<Exit> {
    let all = args.place.open()?.look(|rows| rows.operators(10_000))?;
    let time = |at: Timestamp| format_millis(at.0, 0);
    if args.json {
        let rows: Vec<_> = all
            .iter()
            .map(|row| {
                json!({
                    "name": row.name.as_str(), "role": row.role.as_str(),
                    "createdAt": time(row.created_at), "disabledAt": row.disabled_at.map(time),
                })
            })
            .collect();
        println!("{}", json!({ "operators": rows }));
    } else {
        for row in all {
            let disabled = row.disabled_at.map_or_else(String::new, |at| format!("  disabled {}", time(at)));
            println!(
                "{:32}  {:11}  {}{disabled}",
                row.name.as_str(),
                row.role.as_str(),
                time(row.created_at)
            );
        }
    }
    Ok(Exit::Done)
}

fn set_password(args: PasswordArgs) -> anyhow::Result<Exit> {
    let name = named(&args.name)?;
    let place = args.place.open()?;
    let hash = hashed(args.password_file)?;
    let known = place.transact(move |tx, at| console::set_password(tx, &name, &hash, "operator", at))?;
    let known = known.ok_or_else(|| anyhow!("there is no operator {}", args.name))?;
    println!("operator {}: has another password, and is signed out everywhere", known.name);
    Ok(Exit::Done)
}

fn disable(args: DisableArgs) -> anyhow::Result<Exit> {
    let name = named(&args.name)?;
    let known = args.place.open()?.transact(move |tx, at| console::disable(tx, &name, "operator", at))?;
    let known = known.ok_or_else(|| anyhow!("there is no operator {}", args.name))?;
    println!("operator {}: disabled", known.name);
    Ok(Exit::Done)
}

fn named(text: &str) -> anyhow::Result<OperatorName> {
    let sentence = || usage("--name: 1 to 32 of a-z, 0-9, '.', '-', '_', the first a letter");
    console::read_name(text).ok_or_else(sentence)
}

fn hashed(file: Option<PathBuf>) -> anyhow::Result<String> {
    let mut text = String::new();
    match &file {
        Some(file) => {
            text = std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
        }
        None => {
            if std::io::stdin().is_terminal() {
                eprint!("password (it is shown as you type; --password-file FILE keeps it off the screen): ");
            }
            std::io::stdin().lock().read_line(&mut text)?;
        }
    }
    let password = text.lines().next().unwrap_or_default();
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        let sentence = format!(
            "the password has {SHORTEST_PASSWORD} characters or more, and at most {LONGEST_PASSWORD} bytes"
        );
        return Err(usage(sentence));
    }
    pin::hash(password).map_err(|fault| anyhow!("the password cannot be hashed: {fault}"))
}
