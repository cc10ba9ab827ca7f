//! `accord user …` and `accord account …`.

use super::clients::sentence;
use super::profiles;
use crate::cli::Where;
use crate::exit::{Exit, usage};
use accord_core::handle::Bucket;
use accord_core::ids::{CustomerId, LoginId};
use accord_core::ledger::post;
use accord_core::money::{Amount, Currency};
use accord_core::operator::users::read_login_id;
use accord_core::secret::Digest;
use accord_core::store::Tx;
use accord_core::user::{Language, User, UserStatus};
use accord_core::{Ruled, device, journal};
use accord_server::pin;
use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Create a user. Again with the same login id: nothing changes.
    Add(AddArgs),
    /// Show a user.
    Show(NameArgs),
    /// Stop a user from signing in and from being debited.
    Freeze(NameArgs),
    /// Undo a freeze.
    Thaw(NameArgs),
    /// Set what the wallet knows of a user beside money: the whole profile, from a JSON file.
    Profile {
        #[command(flatten)]
        user: NameArgs,
        /// Members, all optional: name, nameInArabic (fullName, firstName, secondName, thirdName, lastName), avatar,
        /// gender, birthDate, nationality, contacts (contactType, contactNo).
        file: PathBuf,
    },
    /// Give a user another PIN.
    Pin {
        #[command(flatten)]
        user: NameArgs,
        /// The PIN; without it, it is read from standard input, where no list of processes shows it.
        #[arg(long)]
        pin: Option<String>,
    },
}

#[derive(Args)]
pub struct AddArgs {
    #[command(flatten)]
    user: NameArgs,
    /// The PIN, 4 to 12 digits; without it, it is read from standard input, where no list of processes shows it.
    #[arg(long)]
    pin: Option<String>,
    /// Language of messages: en-US or ar-IQ.
    #[arg(long, default_value = "en-US")]
    language: String,
    /// A JSON file with the user's profile: see `accord user profile`.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Not identified well enough to be debited.
    #[arg(long)]
    unqualified: bool,
}

#[derive(Args)]
pub struct NameArgs {
    #[command(flatten)]
    pub(super) place: Where,
    /// What the user signs in with: a phone number such as +9647701234567, or an e-mail address.
    pub(super) login_id: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub enum AccountCommand {
    /// Bring money into a user's account, opening it when missing.
    Credit {
        #[command(flatten)]
        user: NameArgs,
        /// ISO 4217 code, such as IQD.
        currency: String,
        /// Smallest units: 25000000 are 25,000 dinars. 0 only opens the account.
        value: String,
        /// Your reference. The same one again credits nothing again.
        #[arg(long, value_name = "TEXT")]
        reference: Option<String>,
    },
}

/// `accord user …`.
pub fn run(command: UserCommand) -> anyhow::Result<Exit> {
    match command {
        UserCommand::Add(args) => add(args),
        UserCommand::Show(args) => show(args),
        UserCommand::Freeze(args) => set_status(args, UserStatus::Frozen),
        UserCommand::Thaw(args) => set_status(args, UserStatus::Active),
        UserCommand::Profile { user, file } => profiles::set(&user, &file),
        UserCommand::Pin { user, pin } => set_pin(user, pin),
    }
}

fn add(args: AddArgs) -> anyhow::Result<Exit> {
    let login = read_login(&args.user.login_id)?;
    let spoken = args.user.place.languages()?;
    let language = Language::parse(&args.language).filter(|language| spoken.contains(language));
    let language = language.ok_or_else(|| {
        let spoken: Vec<String> = spoken.iter().map(Language::to_string).collect();
        usage(format!("--language: {}", spoken.join(" or ")))
    })?;
    let hash = hashed(args.pin)?;
    let qualified = !args.unqualified;
    let written = args.profile.as_deref().map(profiles::read).transpose()?;
    let (id, created) = args.user.place.open()?.transact(move |tx, at| {
        if let Some(id) = tx.customer_of(&login)? {
            return Ok((id, false));
        }
        let mut random = at.random(&format!("user add {login}"));
        let id = CustomerId::mint(Bucket::random(&mut random), &mut random);
        tx.insert_user(&User {
            id: id.clone(),
            login_id: login.clone(),
            pin_hash: hash.clone(),
            status: UserStatus::Active,
            qualified,
            language,
            created_at: at.now,
        })?;
        if let Some(written) = &written {
            tx.put_profile(&written.clone().of(id.clone()).map_err(sentence)?)?;
        }
        journal::append(tx, at, id.bucket(), "user.added", id.as_str(), "operator", "")?;
        Ok((id, true))
    })?;
    if args.user.json {
        println!("{}", json!({ "customerId": id.as_str(), "created": created }));
    } else {
        let what = if created { "created" } else { "exists already, nothing was changed" };
        println!("user {} ({id}): {what}", args.user.login_id);
    }
    Ok(Exit::Done)
}

fn show(args: NameArgs) -> anyhow::Result<Exit> {
    let login = read_login(&args.login_id)?;
    let found = args.place.open()?.look(move |rows| {
        let Some(id) = rows.customer_of(&login)? else { return Ok(None) };
        Ok(rows.user(&id)?.map(|user| (user, rows.accounts_of(&id))))
    })?;
    let (user, accounts) = found.ok_or_else(|| anyhow!("there is no user {}", args.login_id))?;
    let balances: serde_json::Map<String, serde_json::Value> = accounts?
        .into_iter()
        .map(|account| (account.currency.to_string(), account.balance.to_string().into()))
        .collect();
    if args.json {
        let row = json!({
            "loginId": user.login_id.as_str(), "customerId": user.id.as_str(), "status": user.status.as_str(),
            "qualified": user.qualified, "language": user.language.as_str(), "balances": balances,
        });
        println!("{row}");
    } else {
        println!("{}  {}  {}  {}", user.login_id, user.id, user.status, user.language);
        for (currency, balance) in balances {
            println!("  {currency} {}", balance.as_str().unwrap_or_default());
        }
    }
    Ok(Exit::Done)
}

fn set_status(args: NameArgs, status: UserStatus) -> anyhow::Result<Exit> {
    let login = read_login(&args.login_id)?;
    args.place.open()?.transact(move |tx, at| {
        let user = known(tx, &login)?;
        if user.status == status {
            return Ok(());
        }
        if user.status == UserStatus::Closed {
            return Err(sentence(format!("user {login} is closed for good")));
        }
        let id = user.id.clone();
        tx.update_user(&User { status, ..user })?;
        if status != UserStatus::Active {
            device::sign_out_all(tx, &id, None, "operator", at)?;
        }
        let act = if status == UserStatus::Frozen { "user.frozen" } else { "user.thawed" };
        Ok(journal::append(tx, at, id.bucket(), act, id.as_str(), "operator", "")?)
    })?;
    println!("user {}: {status}", args.login_id);
    Ok(Exit::Done)
}

fn set_pin(args: NameArgs, pin: Option<String>) -> anyhow::Result<Exit> {
    let login = read_login(&args.login_id)?;
    let hash = hashed(pin)?;
    args.place.open()?.transact(move |tx, at| {
        let user = known(tx, &login)?;
        let id = user.id.clone();
        tx.update_user(&User { pin_hash: hash.clone(), ..user })?;
        device::sign_out_all(tx, &id, None, "operator", at)?;
        Ok(journal::append(tx, at, id.bucket(), "user.pin_changed", id.as_str(), "operator", "")?)
    })?;
    println!("user {}: PIN changed", args.login_id);
    Ok(Exit::Done)
}

/// `accord account …`.
pub fn run_accounts(command: AccountCommand) -> anyhow::Result<Exit> {
    let AccountCommand::Credit { user, currency, value, reference } = command;
    let login = read_login(&user.login_id)?;
    let currency = Currency::parse(&currency)
        .ok_or_else(|| usage(format!("`{currency}` is no currency of ISO 4217: write for example IQD")))?;
    let amount = Amount::parse(currency, &value);
    if amount.is_none() && value != "0" {
        return Err(usage("the value is 1 to 16 digits of the smallest unit, without sign or leading zero"));
    }
    if reference.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > 128) {
        return Err(usage("--reference: 1 to 128 characters"));
    }
    let (credited, balance) = user.place.open()?.transact(move |tx, at| {
        let customer = known(tx, &login)?.id;
        let credited = match amount {
            None => post::open(tx, &customer, currency).map(|()| false)?,
            Some(amount) => credit(tx, &customer, amount, reference.as_deref(), at)?,
        };
        Ok((credited, tx.account(&customer, currency)?.map_or(0, |account| account.balance)))
    })?;
    if user.json {
        let row =
            json!({ "credited": credited, "currency": currency.code(), "balance": balance.to_string() });
        println!("{row}");
    } else {
        let what = match (credited, amount) {
            (true, _) => "credited",
            (false, Some(_)) => "this reference was credited before, nothing was changed",
            (false, None) => "open",
        };
        println!("account {} {currency}: {what}; balance {balance}", user.login_id);
    }
    Ok(Exit::Done)
}

/// Credits once per reference: the store keeps, under the reference's digest, what it stood for.
fn credit(
    tx: &mut dyn Tx,
    customer: &CustomerId,
    amount: Amount,
    reference: Option<&str>,
    at: &accord_core::Moment,
) -> Ruled<bool> {
    let Some(reference) = reference else {
        let id = at.random("account credit").bytes::<12>();
        let reference: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        post::credit(tx, customer, amount, &format!("credit-{reference}"), at)?;
        return Ok(true);
    };
    let setting = format!("credit:{}", Digest::of(reference).hex());
    let meaning = format!("{customer} {} {}", amount.currency, amount.value());
    match tx.setting(&setting)? {
        Some(known) if known == meaning => Ok(false),
        Some(_) => Err(sentence(format!(
            "reference `{reference}` stands for another credit: the amount, the currency or the user differs"
        ))),
        None => {
            post::credit(tx, customer, amount, reference, at)?;
            tx.put_setting(&setting, &meaning)?;
            Ok(true)
        }
    }
}

pub(super) fn known(tx: &dyn Tx, login: &LoginId) -> Ruled<User> {
    let user = match tx.customer_of(login)? {
        Some(id) => tx.user(&id)?,
        None => None,
    };
    user.ok_or_else(|| sentence(format!("there is no user {login}: `accord user add` creates one")))
}

pub(super) fn read_login(text: &str) -> anyhow::Result<LoginId> {
    let sentence =
        || usage(format!("`{text}` is neither a phone number such as +9647701234567 nor an e-mail address"));
    read_login_id(text).ok_or_else(sentence)
}

fn hashed(pin: Option<String>) -> anyhow::Result<String> {
    let pin = match pin {
        Some(pin) => pin,
        None => {
            if std::io::stdin().is_terminal() {
                eprint!("PIN: ");
            }
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if !(4..=12).contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(usage("the PIN is 4 to 12 digits; give it on standard input or with --pin"));
    }
    pin::hash(&pin).map_err(|fault| anyhow!("the PIN cannot be hashed: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_id_is_a_phone_number_or_an_address() {
        for text in ["+9647701234567", "sara@example.iq"] {
            assert!(read_login(text).is_ok(), "{text}");
        }
        for text in ["", "9647701234567", "+0964", "+964 770", "sara@", "@example.iq", "sara"] {
            assert!(read_login(text).is_err(), "{text}");
        }
    }
}
