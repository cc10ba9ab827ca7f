//! `accord verify-receipt`: anybody checks a receipt of revocation with the wallet's public key. No server is asked.

use crate::exit::Exit;
use crate::keys::read_seal_public_key;
use accord_wire::receipt::{LABEL, Receipt, ReceiptFault};
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What `accord verify-receipt` is told.
#[derive(Args)]
pub struct VerifyReceiptArgs {
    /// The receipt's file, as the wallet gave it.
    file: PathBuf,
    /// The wallet's public key for receipts: SubjectPublicKeyInfo PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord verify-receipt`.
pub fn run(args: VerifyReceiptArgs) -> anyhow::Result<Exit> {
    let key = read_seal_public_key(&args.key)?;
    let verified = read(&args.file)?.and_then(|receipt| receipt.verify(&key).map(|_| receipt));
    match verified {
        Ok(receipt) => {
            let said: Value = serde_json::from_str(receipt.content.strip_prefix(LABEL).unwrap_or_default())?;
            if args.json {
                println!("{}", json!({ "good": true, "receipt": said }));
            } else {
                let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
                println!("the receipt holds: signed with key {}", receipt.key_id);
                println!(
                    "agreement {} of {} with {} was ended at {} by the {}",
                    text("agreementId"),
                    text("userLoginId"),
                    text("merchantName"),
                    text("endedAt"),
                    text("endedBy")
                );
                println!("{said:#}");
            }
            Ok(Exit::Done)
        }
        Err(fault) => {
            if args.json {
                println!("{}", json!({ "good": false, "fault": fault.to_string() }));
            } else {
                println!("the receipt does NOT hold: {fault}");
            }
            Ok(Exit::Transport)
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Result<Receipt, ReceiptFault>> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Receipt::read(&bytes))
}
