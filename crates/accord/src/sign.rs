//! `accord sign`: the exact content to be signed, its length and SHA-256, and the headers to send.

use crate::call;
use crate::exit::{Exit, usage};
use crate::keys::{read_callers_key, write_file};
use accord_server::clock::Clock;
use accord_wire::signature::{Encoding, content_digest, content_to_sign, is_key_version, render};
use accord_wire::time::format_seconds;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// The parts of a message that are signed.
#[derive(Args)]
pub struct MessageArgs {
    /// Client-Id.
    #[arg(long, value_name = "ID")]
    pub client: String,
    /// The method.
    #[arg(long, default_value = "POST")]
    pub method: String,
    /// Path and query exactly as sent: /v1/authorizations/prepare. A reply is signed over its request's.
    #[arg(long, value_name = "PATH")]
    pub path: String,
    /// The body: a file, or - for standard input, byte for byte.
    #[arg(value_name = "BODY")]
    pub body: PathBuf,
}

impl MessageArgs {
    /// Judges what would surely be a mistake.
    pub fn check(&self) -> anyhow::Result<()> {
        if !self.path.starts_with('/') {
            return Err(usage("--path: begins with /, without scheme and host"));
        }
        Ok(())
    }
}

/// How the value stands in the header.
#[derive(Clone, Copy, ValueEnum)]
pub enum EncodingArg {
    /// Standard Base64, percent-encoded.
    Percent,
    /// Standard Base64.
    Plain,
    /// URL-safe Base64 without padding.
    Base64url,
}

/// What `accord sign` is told.
#[derive(Args)]
pub struct SignArgs {
    #[command(flatten)]
    message: MessageArgs,
    /// Request-Time or Response-Time, as it is to be sent. Without it: now.
    #[arg(long, value_name = "TEXT")]
    time: Option<String>,
    /// The private key: PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// keyVersion.
    #[arg(long, value_name = "VERSION", default_value = "1")]
    key_version: String,
    /// Form of the value.
    #[arg(long, value_enum, default_value = "percent")]
    encoding: EncodingArg,
    /// Write the exact content to a file.
    #[arg(long, value_name = "FILE")]
    content_out: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `accord sign`.
pub fn run(args: SignArgs) -> anyhow::Result<Exit> {
    args.message.check()?;
    if !is_key_version(&args.key_version) {
        return Err(usage("--key-version: 1 to 32 visible ASCII characters without comma"));
    }
    let MessageArgs { client, method, path, body } = &args.message;
    let body = call::body(Some(body), &[])?;
    let time = args.time.unwrap_or_else(|| format_seconds(Clock::new(0).now().0, 3 * 3600));
    let content =
        content_to_sign(method.as_bytes(), path.as_bytes(), client.as_bytes(), time.as_bytes(), &body);
    let digest = content_digest(&content);
    let value = read_callers_key(&args.key)?.sign(&content)?;
    let encoding = match args.encoding {
        EncodingArg::Percent => Encoding::Percent,
        EncodingArg::Plain => Encoding::Plain,
        EncodingArg::Base64url => Encoding::Base64Url,
    };
    let header = render(&args.key_version, &value, encoding);
    if let Some(file) = &args.content_out {
        write_file(file, &content, 0o644)?;
    }
    let text = String::from_utf8_lossy(&content);
    if args.json {
        let row = json!({
            "content": text, "length": digest.length, "sha256": digest.sha256,
            "headers": { "Client-Id": client, "Request-Time": time, "Signature": header },
        });
        println!("{row}");
    } else {
        println!("--- content, {} bytes, SHA-256 {}", digest.length, digest.sha256);
        println!("{text}");
        println!("--- headers");
        println!("Client-Id: {client}\nRequest-Time: {time}\nSignature: {header}");
    }
    Ok(Exit::Done)
}
