//! `accord ledger verify`: proves that the books balance. `accord ledger statement` is in [`statement`].

use crate::cli::Where;
use crate::exit::Exit;
use crate::settlement::statement;
use accord_core::ledger::verify;
use clap::Subcommand;
use serde_json::json;

#[derive(Subcommand)]
pub enum LedgerCommand {
    /// Read the whole ledger and say what does not hold.
    Verify {
        #[command(flatten)]
        place: Where,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// List an account's entries with the running balance.
    Statement(statement::StatementArgs),
}

/// `accord ledger …`.
pub fn run(command: LedgerCommand) -> anyhow::Result<Exit> {
    let (place, json) = match command {
        LedgerCommand::Statement(args) => return statement::run(args),
        LedgerCommand::Verify { place, json } => (place, json),
    };
    let report = place.open()?.look(|rows| verify::verify(rows))?;
    let balanced = report.faults.is_empty();
    if json {
        let users_hold: serde_json::Map<String, serde_json::Value> = report
            .users_hold
            .iter()
            .map(|(currency, sum)| (currency.clone(), sum.to_string().into()))
            .collect();
        let in_flight: serde_json::Map<String, serde_json::Value> = report
            .refunds_in_flight
            .iter()
            .map(|(currency, sum)| (currency.clone(), sum.to_string().into()))
            .collect();
        let payable: Vec<_> = report
            .payable
            .iter()
            .map(|((client, currency), sum)| {
                json!({ "clientId": client, "currency": currency, "value": sum.to_string() })
            })
            .collect();
        let row = json!({
            "balanced": balanced, "postings": report.postings, "entries": report.entries,
            "accounts": report.accounts, "payments": report.payments, "refunds": report.refunds,
            "usersHold": users_hold, "refundsInFlight": in_flight,
            "transfers": report.transfers, "settlementItems": report.settlement_items, "payable": payable, "faults": report.faults,
        });
        println!("{row}");
    } else {
        for fault in &report.faults {
            println!("fault: {fault}");
        }
        for (currency, sum) in &report.users_hold {
            println!("users hold {sum} {currency}");
        }
        for (currency, sum) in &report.refunds_in_flight {
            println!("refunds in flight: {sum} {currency}");
        }
        for ((client, currency), sum) in &report.payable {
            println!("owed to {client}: {sum} {currency}");
        }
        println!(
            "{}: {} postings, {} entries, {} accounts, {} payments, {} transfers",
            if balanced { "the books balance" } else { "the books do NOT balance" },
            report.postings,
            report.entries,
            report.accounts,
            report.payments,
            report.transfers
        );
    }
    Ok(if balanced { Exit::Done } else { Exit::Other })
}
