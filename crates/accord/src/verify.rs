//! `accord verify`: checks a signature, and when it does not hold looks for the mistake.

use crate::call;
use crate::exit::Exit;
use crate::keys::read_public_key;
use crate::sign::MessageArgs;
use accord_client::{Check, Diagnosis, diagnose, first_difference};
use accord_wire::signature::content_digest;
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// What `accord verify` is told.
#[derive(Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    message: MessageArgs,
    /// Request-Time or Response-Time, as it was sent.
    #[arg(long, value_name = "TEXT")]
    time: String,
    /// The signer's public key: SubjectPublicKeyInfo PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The value of the Signature header, or of its item signature.
    #[arg(long, value_name = "TEXT")]
    signature: String,
    /// What the signer says to have signed: shows where it first differs.
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord verify`.
pub fn run(args: VerifyArgs) -> anyhow::Result<Exit> {
    args.message.check()?;
    let key = read_public_key(&args.key)?;
    let body = call::body(Some(&args.message.body), &[])?;
    let check = Check {
        method: &args.message.method,
        target: &args.message.path,
        client_id: &args.message.client,
        time: &args.time,
        body: &body,
        signature: &args.signature,
        key: &key,
    };
    let content = check.content();
    let digest = content_digest(&content);
    let diagnosis = diagnose(&check);
    let good = diagnosis == Diagnosis::Good;
    let difference = match &args.content {
        Some(file) => {
            let theirs = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
            Some(first_difference(&content, &theirs).unwrap_or_else(|| "no difference".to_owned()))
        }
        None => None,
    };
    if args.json {
        let row = json!({
            "good": good, "diagnosis": diagnosis.to_string(), "length": digest.length, "sha256": digest.sha256,
            "difference": difference,
        });
        println!("{row}");
    } else {
        println!("{diagnosis}");
        println!("content checked: {} bytes, SHA-256 {}", digest.length, digest.sha256);
        if let Some(difference) = difference {
            println!("against the signer's content: {difference}");
        }
    }
    Ok(if good { Exit::Done } else { Exit::Transport })
}
