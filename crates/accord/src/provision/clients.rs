//! `accord client …` and `accord key …`.

use crate::cli::Where;
use crate::exit::{Exit, usage};
use accord_client::DialectKind;
use accord_core::client::keys::{self, KeyAdded, bump_revision};
use accord_core::client::{Client, ClientStatus};
use accord_core::ids::{ClientId, DialectName};
use accord_core::store::{StoreFault, Tx};
use accord_core::{Moment, Ruled};
use accord_wire::fields::is_blank;
use accord_wire::signature::is_key_version;
use accord_wire::time::format_seconds;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum ClientCommand {
    /// Register a client, or change the registration of one. What is not named stays as it was.
    Add(Box<AddArgs>),
    /// List clients.
    List {
        #[command(flatten)]
        place: Where,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Refuse a client's calls until it is resumed.
    Suspend(NameArgs),
    /// Take a suspended client's calls again.
    Resume(NameArgs),
}

#[derive(Args)]
pub struct AddArgs {
    #[command(flatten)]
    place: Where,
    /// Client-Id: 1 to 64 visible ASCII characters.
    id: String,
    /// What it speaks: qi or alipay-plus.
    #[arg(long)]
    dialect: Option<DialectKind>,
    /// Registered legal name, shown with the contract (Qi).
    #[arg(long, value_name = "NAME")]
    legal_name: Option<String>,
    /// Trade name, shown in the page's title (Qi).
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// May it ask for agreement payments?
    #[arg(long, value_name = "BOOL")]
    agreement_pay: Option<bool>,
    /// Is "" absent and a JSON boolean taken (Alipay+)?
    #[arg(long, value_name = "BOOL")]
    lenient: Option<bool>,
    /// Where authorization notices go that name no URL; "" removes it.
    #[arg(long, value_name = "URL")]
    auth_notify_url: Option<String>,
    /// Where payment notices go that name no URL; "" removes it.
    #[arg(long, value_name = "URL")]
    payment_notify_url: Option<String>,
    /// Where a Qi page without the app's bridge returns to; "" removes it.
    #[arg(long, value_name = "URL")]
    return_url: Option<String>,
    /// An acquirer that it may name; repeat for more. Without any: all (Alipay+).
    #[arg(long = "acquirer", value_name = "ID")]
    acquirers: Vec<String>,
    /// A host that its redirect URLs may have; repeat for more. Without any: all.
    #[arg(long = "redirect-host", value_name = "HOST")]
    redirect_hosts: Vec<String>,
    /// Calls a second; 0: unlimited.
    #[arg(long, value_name = "CALLS")]
    rate_limit: Option<u32>,
    /// Its public key: SubjectPublicKeyInfo PEM.
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// The version of that key.
    #[arg(long, value_name = "VERSION", default_value = "1")]
    key_version: String,
}

#[derive(Args)]
pub struct NameArgs {
    #[command(flatten)]
    place: Where,
    /// Client-Id.
    id: String,
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Give a client a public key. Several versions may be active at once.
    Add {
        #[command(flatten)]
        place: Where,
        /// Client-Id.
        client: String,
        /// keyVersion, as requests will name it.
        #[arg(long, value_name = "VERSION")]
        key_version: String,
        /// SubjectPublicKeyInfo PEM.
        #[arg(long, value_name = "FILE")]
        public_key: PathBuf,
    },
    /// List public keys.
    List {
        #[command(flatten)]
        place: Where,
        /// Only of that client.
        #[arg(long, value_name = "ID")]
        client: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Stop verifying with a key.
    Retire {
        #[command(flatten)]
        place: Where,
        /// Client-Id.
        client: String,
        /// Which key.
        #[arg(long, value_name = "VERSION")]
        key_version: String,
    },
}

/// `accord client …`.
pub fn run(command: ClientCommand) -> anyhow::Result<Exit> {
    match command {
        ClientCommand::Add(args) => add(*args),
        ClientCommand::List { place, json } => list(&place, json),
        ClientCommand::Suspend(args) => set_status(args, ClientStatus::Suspended),
        ClientCommand::Resume(args) => set_status(args, ClientStatus::Active),
    }
}

/// `accord key …`.
pub fn run_keys(command: KeyCommand) -> anyhow::Result<Exit> {
    match command {
        KeyCommand::Add { place, client, key_version, public_key } => {
            check_version(&key_version)?;
            let pem = crate::keys::read_public_key(&public_key)?.pem().to_owned();
            let id = ClientId::new(client);
            let said = format!("key {key_version} of {id}");
            let changed = place.open()?.transact(move |tx, at| put_key(tx, &id, &key_version, &pem, at))?;
            println!("{said}: {}", if changed { "added" } else { "as it was" });
            Ok(Exit::Done)
        }
        KeyCommand::Retire { place, client, key_version } => {
            let id = ClientId::new(client);
            let said = format!("key {key_version} of {id}");
            place.open()?.transact(move |tx, at| {
                match keys::retire(tx, &id, &key_version, "operator", at)? {
                    true => Ok(()),
                    false => Err(sentence(format!("{id} has no key {key_version}"))),
                }
            })?;
            println!("{said}: retired");
            Ok(Exit::Done)
        }
        KeyCommand::List { place, client, json } => list_keys(&place, client, json),
    }
}

fn add(args: AddArgs) -> anyhow::Result<Exit> {
    check_id(&args.id)?;
    check_version(&args.key_version)?;
    for (name, url) in [
        ("--auth-notify-url", &args.auth_notify_url),
        ("--payment-notify-url", &args.payment_notify_url),
        ("--return-url", &args.return_url),
    ] {
        let secure = args.place.data.is_none();
        if let Some(url) = url {
            check_url(name, url, secure)?;
        }
    }
    for (name, text, most) in
        [("--legal-name", &args.legal_name, 256), ("--display-name", &args.display_name, 64)]
    {
        let length = text.as_ref().map_or(1, |text| text.trim().chars().count());
        if length > most || text.as_deref().is_some_and(is_blank) {
            return Err(usage(format!("{name}: 1 to {most} characters")));
        }
    }
    let pem = args.public_key.as_deref().map(crate::keys::read_public_key).transpose()?;
    let pem = pem.map(|key| key.pem().to_owned());
    let id = ClientId::new(args.id.clone());
    let place = args.place.open()?;
    let created = place.transact(move |tx, at| {
        let known = tx.client(&id)?;
        let dialect = args.dialect.map(|dialect| DialectName::new(dialect.as_str()));
        let mut row = match (&known, dialect) {
            (Some(known), Some(dialect)) if known.dialect != dialect => {
                let sentence =
                    format!("{id} speaks {} and keeps to it: register another Client-Id", known.dialect);
                return Err(self::sentence(sentence));
            }
            (Some(known), _) => known.clone(),
            (None, Some(dialect)) => fresh(&id, dialect, at.now),
            (None, None) => return Err(sentence(format!("{id} is new: say what it speaks with --dialect"))),
        };
        let text = |place: &mut String, text: &Option<String>| {
            if let Some(text) = text {
                *place = text.trim().to_owned();
            }
        };
        text(&mut row.legal_name, &args.legal_name);
        text(&mut row.display_name, &args.display_name);
        row.agreement_pay = args.agreement_pay.unwrap_or(row.agreement_pay);
        row.lenient = args.lenient.unwrap_or(row.lenient);
        let url = |place: &mut Option<String>, url: &Option<String>| {
            if let Some(url) = url {
                *place = Some(url.clone()).filter(|url| !url.is_empty());
            }
        };
        url(&mut row.auth_notify_url, &args.auth_notify_url);
        url(&mut row.payment_notify_url, &args.payment_notify_url);
        url(&mut row.return_url, &args.return_url);
        if !args.acquirers.is_empty() {
            row.acquirers.clone_from(&args.acquirers);
        }
        if !args.redirect_hosts.is_empty() {
            row.redirect_hosts.clone_from(&args.redirect_hosts);
        }
        if let Some(limit) = args.rate_limit {
            row.rate_limit = Some(limit).filter(|limit| *limit > 0);
        }
        tx.put_client(&row)?;
        if let Some(pem) = &pem {
            put_key(tx, &id, &args.key_version, pem, at)?;
        }
        bump_revision(tx)?;
        Ok(known.is_none())
    })?;
    println!("client {}: {}", args.id, if created { "registered" } else { "changed" });
    Ok(Exit::Done)
}

fn fresh(id: &ClientId, dialect: DialectName, now: accord_core::Timestamp) -> Client {
    Client {
        id: id.clone(),
        dialect,
        legal_name: id.to_string(),
        display_name: id.to_string(),
        status: ClientStatus::Active,
        agreement_pay: true,
        lenient: false,
        auth_notify_url: None,
        payment_notify_url: None,
        return_url: None,
        acquirers: Vec::new(),
        redirect_hosts: Vec::new(),
        rate_limit: None,
        created_at: now,
    }
}

/// Adds a key; the same key again changes nothing, another one under a taken version is refused.
fn put_key(tx: &mut dyn Tx, id: &ClientId, version: &str, pem: &str, at: &Moment) -> Ruled<bool> {
    match keys::add(tx, id, version, pem, "operator", at)? {
        KeyAdded::Now => Ok(true),
        KeyAdded::AsItWas => Ok(false),
        KeyAdded::VersionTaken => {
            Err(sentence(format!("key {version} of {id} is another key: give the new one a new version")))
        }
        KeyAdded::NoClient => Err(no_client(id)),
    }
}

fn set_status(args: NameArgs, status: ClientStatus) -> anyhow::Result<Exit> {
    let id = ClientId::new(args.id.clone());
    args.place.open()?.transact(move |tx, _| {
        let client = known(tx, &id)?;
        tx.put_client(&Client { status, ..client })?;
        bump_revision(tx)
    })?;
    println!("client {}: {status}", args.id);
    Ok(Exit::Done)
}

fn known(tx: &dyn Tx, id: &ClientId) -> Ruled<Client> {
    tx.client(id)?.ok_or_else(|| no_client(id))
}

fn no_client(id: &ClientId) -> accord_core::Stop {
    sentence(format!("there is no client {id}: `accord client list` shows them"))
}

/// A rule of this file that says no, in words for the operator. Nothing is written.
pub fn sentence(text: String) -> accord_core::Stop {
    StoreFault::Corrupt(text).into()
}

fn list(place: &Where, as_json: bool) -> anyhow::Result<Exit> {
    let clients = place.open()?.look(|rows| rows.clients())?;
    if as_json {
        let rows: Vec<_> = clients
            .iter()
            .map(|client| {
                json!({
                    "clientId": client.id.as_str(), "dialect": client.dialect.as_str(),
                    "legalName": client.legal_name, "displayName": client.display_name,
                    "status": client.status.as_str(), "agreementPay": client.agreement_pay,
                    "lenient": client.lenient, "authNotifyUrl": client.auth_notify_url,
                    "paymentNotifyUrl": client.payment_notify_url, "returnUrl": client.return_url,
                    "acquirers": client.acquirers, "redirectHosts": client.redirect_hosts,
                    "rateLimit": client.rate_limit,
                })
            })
            .collect();
        println!("{}", json!({ "clients": rows }));
    } else {
        for client in clients {
            println!("{}  {}  {}  {}", client.id, client.dialect, client.status, client.display_name);
        }
    }
    Ok(Exit::Done)
}

fn list_keys(place: &Where, client: Option<String>, as_json: bool) -> anyhow::Result<Exit> {
    let mut keys = place.open()?.look(|rows| rows.client_keys())?;
    keys.retain(|key| client.as_deref().is_none_or(|client| key.client.as_str() == client));
    if as_json {
        let rows: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "clientId": key.client.as_str(), "keyVersion": key.version, "status": key.status.as_str(),
                    "createdAt": format_seconds(key.created_at.0, 0), "publicKey": key.public_key,
                })
            })
            .collect();
        println!("{}", json!({ "keys": rows }));
    } else {
        for key in keys {
            let since = format_seconds(key.created_at.0, 0);
            println!("{}  keyVersion {}  {}  since {since}", key.client, key.version, key.status);
        }
    }
    Ok(Exit::Done)
}

fn check_id(id: &str) -> anyhow::Result<()> {
    let good = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if good { Ok(()) } else { Err(usage("Client-Id: 1 to 64 visible ASCII characters")) }
}

fn check_version(version: &str) -> anyhow::Result<()> {
    if is_key_version(version) {
        return Ok(());
    }
    Err(usage("--key-version: 1 to 32 visible ASCII characters without comma"))
}

fn check_url(name: &str, url: &str, secure: bool) -> anyhow::Result<()> {
    let scheme = url.starts_with("https://") || (!secure && url.starts_with("http://"));
    let plain = url.len() <= 2048 && url.bytes().all(|byte| byte.is_ascii_graphic());
    if url.is_empty() || (scheme && plain) {
        return Ok(());
    }
    Err(usage(format!("{name}: must begin with https:// and be at most 2048 visible ASCII characters")))
}
