//! `accord agreement …`: what the wallet itself does with agreements, by its operator's hand.

use crate::cli::Where;
use crate::config::check;
use crate::dev;
use crate::exit::{Exit, usage};
use crate::keys::{read_seal_key, read_secret};
use accord_core::agreement::unbind;
use accord_core::agreement::{Agreement, Terms};
use accord_core::ids::{AgreementId, DialectName, LoginId};
use accord_core::secret::DerivationKeys;
use accord_core::store::StoreFault;
use accord_core::user::User;
use accord_core::voice::Context;
use accord_wire::gateway::Gateway;
use accord_wire::receipt::{self, Receipt};
use accord_wire::seal::SealKey;
use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Subcommand)]
pub enum AgreementCommand {
    /// End an agreement, or all of a user's, for the wallet: fraud, a closed account. Owner and user are told.
    End(EndArgs),
    /// Print the receipt of revocation of an agreement that is over.
    Receipt(ReceiptArgs),
}

/// In whose name. A user ends agreements in the wallet, a merchant by cancelToken.
#[derive(Clone, Copy, ValueEnum)]
enum By {
    Wallet,
}

#[derive(Args)]
pub struct EndArgs {
    #[command(flatten)]
    place: Where,
    /// The agreement.
    #[arg(long, value_name = "ID", required_unless_present = "user", conflicts_with = "user")]
    agreement: Option<String>,
    /// All agreements of this user, by login id.
    #[arg(long, value_name = "LOGIN")]
    user: Option<String>,
    /// In whose name.
    #[arg(long, value_enum)]
    by: By,
    /// Why, for the journal; at most 200 characters.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct ReceiptArgs {
    #[command(flatten)]
    place: Where,
    /// The agreement.
    #[arg(long, value_name = "ID")]
    agreement: String,
}

/// `accord agreement …`.
pub fn run(command: AgreementCommand) -> anyhow::Result<Exit> {
    match command {
        AgreementCommand::End(args) => end(args),
        AgreementCommand::Receipt(args) => print_receipt(args),
    }
}

/// What ending and receipts need of a wallet beside its store.
struct Wallet {
    gateway: Arc<Gateway>,
    keys: DerivationKeys,
    receipts: Option<SealKey>,
    public_url: String,
}

impl Wallet {
    fn of(place: &Where) -> anyhow::Result<Wallet> {
        match (&place.config, &place.data) {
            (Some(config), _) => {
                let settings = check::load(config)?;
                let keys = settings.keys()?;
                let mounted = settings.choices.mount(keys.qr.unwrap_or_default());
                Ok(Wallet {
                    gateway: mounted.map_err(|fault| anyhow!(fault))?.gateway,
                    keys: keys.derivation,
                    receipts: settings.receipts_key()?,
                    public_url: settings.public_url,
                })
            }
            (None, Some(data)) => {
                let state = dev::state::State::read(data)?.unwrap_or_default();
                let public_url = state.public_url.context("the sandbox was never started")?;
                let (choices, ..) = dev::choices(&data.join("accord.toml"), &public_url)?;
                let keys = data.join("keys");
                let derivation = BTreeMap::from([(1, read_secret(&keys.join("derivation-1.key"))?)]);
                Ok(Wallet {
                    gateway: choices.mount([0; 32]).map_err(|fault| anyhow!(fault))?.gateway,
                    keys: DerivationKeys::new(derivation).context("there is no derivation key")?,
                    receipts: Some(read_seal_key(&keys.join("receipts.pem"))?),
                    public_url,
                })
            }
            (None, None) => Err(usage("say which wallet: --config FILE or --data DIR")),
        }
    }
}

fn end(args: EndArgs) -> anyhow::Result<Exit> {
    let By::Wallet = args.by;
    if args.reason.chars().count() > 200 {
        return Err(usage("--reason: at most 200 characters"));
    }
    let id = args.agreement.as_deref().map(read_id).transpose()?;
    let wallet = Wallet::of(&args.place)?;
    let (user, reason) = (args.user.clone(), args.reason.clone());
    let ended: Vec<Agreement> = args.place.open()?.transact(move |tx, at| {
        let dialects = wallet.gateway.dialects();
        let context_of = |name: &DialectName| {
            let dialect = dialects.iter().find(|dialect| dialect.name() == *name)?;
            Some(Context { keys: &wallet.keys, voice: accord_server::app::as_voice(dialect.as_ref()) })
        };
        let missing = |what: String| StoreFault::Corrupt(what);
        let Some(id) = &id else {
            let login = LoginId::new(user.as_deref().unwrap_or_default());
            let customer =
                tx.customer_of(&login)?.ok_or_else(|| missing(format!("there is no user {login}")))?;
            return unbind::all_by_wallet(tx, &customer, "operator", &reason, &context_of, at);
        };
        let known = tx.agreement(id)?.ok_or_else(|| missing(format!("there is no agreement {id}")))?;
        let context = context_of(&known.dialect);
        let context =
            context.ok_or_else(|| missing(format!("{} is not served by this wallet", known.dialect)))?;
        Ok(unbind::by_wallet(tx, id, "operator", &reason, context, at)?.into_iter().collect())
    })?;
    if args.json {
        let ids: Vec<&str> = ended.iter().map(|agreement| agreement.id.as_str()).collect();
        println!("{}", json!({ "ended": ids }));
    } else {
        for agreement in &ended {
            println!("agreement {} with {}: ended", agreement.id, agreement.client);
        }
        if ended.is_empty() {
            println!("no agreement of this user lives: nothing was changed");
        }
    }
    Ok(Exit::Done)
}

fn print_receipt(args: ReceiptArgs) -> anyhow::Result<Exit> {
    let id = read_id(&args.agreement)?;
    let wallet = Wallet::of(&args.place)?;
    let key = wallet.receipts.context("no key seals receipts: set keys.receipts")?;
    let found: Option<(Agreement, Terms, User)> = args.place.open()?.look(move |rows| {
        let Some(agreement) = rows.agreement(&id)? else { return Ok(None) };
        let (terms, user) = (rows.terms(&agreement.auth_id)?, rows.user(&agreement.customer)?);
        Ok(terms.zip(user).map(|(terms, user)| (agreement, terms, user)))
    })?;
    let (agreement, terms, user) =
        found.ok_or_else(|| anyhow!("there is no agreement {}", args.agreement))?;
    let content = receipt::content(&agreement, &terms, &user, &wallet.public_url, key.public_key().id());
    let content = content.ok_or_else(|| anyhow!("agreement {} is not over", agreement.id))?;
    println!("{:#}", Receipt::seal(content, &key)?.document());
    Ok(Exit::Done)
}

fn read_id(text: &str) -> anyhow::Result<AgreementId> {
    AgreementId::read(text).ok_or_else(|| usage(format!("`{text}` is no id of an agreement")))
}
