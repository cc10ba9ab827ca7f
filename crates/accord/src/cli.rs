//! The command line: what can be typed. What it does is in the file of each command.

use crate::exit::Exit;
use crate::{
    agreement, audit, backup, bench, call, config, dev, doctor, keys, ledger, migrate, move_store, provision,
    receipt, serve, settlement, sign, unresolved, verify,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The e-wallet's side of agreement payments (auto debit): Qi mini program OpenAPI and Alipay+ over one core.
#[derive(Parser)]
#[command(name = "accord", version, about, after_help = EXITS)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXITS: &str = "Exit statuses: 0 done (or S), 2 usage, 3 transport or signature fault, 10 F, 11 U, 12 A, \
                     1 anything else.";

#[derive(Subcommand)]
pub enum Command {
    /// Start the sandbox: a wallet with test clients, test users and a demo merchant.
    Dev(dev::DevArgs),
    /// Start the wallet for real.
    Serve(serve::ServeArgs),
    /// Configuration files of `serve`.
    #[command(subcommand)]
    Config(config::command::ConfigCommand),
    /// Key files of `serve`.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Clients: those who sign requests.
    #[command(subcommand)]
    Client(provision::clients::ClientCommand),
    /// Public keys of clients.
    #[command(subcommand)]
    Key(provision::clients::KeyCommand),
    /// Users of the wallet.
    #[command(subcommand)]
    User(provision::users::UserCommand),
    /// Users' accounts.
    #[command(subcommand)]
    Account(provision::users::AccountCommand),
    /// Credentials of the wallet API.
    #[command(subcommand)]
    Credential(provision::credentials::CredentialCommand),
    /// Operators of the console.
    #[command(subcommand)]
    Operator(provision::operators::OperatorCommand),
    /// Sign and send one request, verify the reply.
    Call(call::CallArgs),
    /// Show the exact content to be signed, and sign it.
    Sign(sign::SignArgs),
    /// Check a signature and say why it does not hold.
    Verify(verify::VerifyArgs),
    /// Check a receipt of revocation with the wallet's public key alone.
    VerifyReceipt(receipt::VerifyReceiptArgs),
    /// Agreements, by the wallet's own hand.
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Payments and refunds without an end.
    #[command(subcommand)]
    Payment(unresolved::PaymentCommand),
    /// Bring the schema of the store up to date.
    Migrate(migrate::MigrateArgs),
    /// Copy a wallet from SQLite to PostgreSQL while it answers, and close the old store.
    Move(move_store::MoveArgs),
    /// Copy a SQLite store to one file while it is served, with a manifest that proves it whole.
    Backup(backup::BackupArgs),
    /// Make a SQLite store of a backup, after proving it whole.
    Restore(backup::RestoreArgs),
    /// Check configuration, clock, keys, store and outbound policy.
    Doctor(doctor::DoctorArgs),
    /// The ledger.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Write the settlement files of a day, one for each counterparty, with signed digests.
    Settle(settlement::settle::SettleArgs),
    /// Compare a counterparty's settlement file with ours, line by line.
    Reconcile(settlement::reconcile::ReconcileArgs),
    /// The audit journal: export it, check an export.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Measure this machine.
    Bench(bench::BenchArgs),
    #[command(name = "bench-load", hide = true)]
    BenchLoad(bench::load::LoadArgs),
}

/// Where a command works: the wallet of a configuration file, or a sandbox.
#[derive(Args, Clone, Debug)]
pub struct Where {
    /// Configuration file of `accord serve`.
    #[arg(long, value_name = "FILE", conflicts_with = "data", required_unless_present = "data")]
    pub config: Option<PathBuf>,
    /// Directory of a sandbox (`accord dev`).
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Another store than that one's: sqlite:FILE or postgres://….
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
}

/// Runs a command to its end.
pub fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Dev(args) => dev::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Config(command) => config::command::run(command),
        Command::Keys(command) => keys::run(command),
        Command::Client(command) => provision::clients::run(command),
        Command::Key(command) => provision::clients::run_keys(command),
        Command::User(command) => provision::users::run(command),
        Command::Account(command) => provision::users::run_accounts(command),
        Command::Credential(command) => provision::credentials::run(command),
        Command::Operator(command) => provision::operators::run(command),
        Command::Call(args) => call::run(args),
        Command::Sign(args) => sign::run(args),
        Command::Verify(args) => verify::run(args),
        Command::VerifyReceipt(args) => receipt::run(args),
        Command::Agreement(command) => agreement::run(command),
        Command::Payment(command) => unresolved::run(command),
        Command::Move(args) => move_store::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Restore(args) => backup::restore(args),
        Command::Migrate(args) => migrate::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Ledger(command) => ledger::run(command),
        Command::Settle(args) => settlement::settle::run(args),
        Command::Reconcile(args) => settlement::reconcile::run(args),
        Command::Audit(command) => audit::run(command),
        Command::Bench(args) => bench::run(args),
        Command::BenchLoad(args) => bench::load::run(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
