//! `accord call`: signs one request, sends it, verifies the reply.
//!
//! The reply's body goes to standard output, everything else to standard error. A reply that cannot be believed
//! never reaches standard output.

use crate::exit::{Exit, transport, usage};
use crate::keys::{read_callers_key, read_public_key};
use accord_client::{
    CallFault, Client, DialectKind, Exchange, Identity, ResultWords, SandboxFile, Verification, Wallet,
    judge, operations, path_of, prepare_request,
};
use accord_server::clock::Clock;
use accord_wire::gateway::read_result;
use accord_wire::time::{format_seconds, parse_iso};
use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What `accord call` is told.
#[derive(Args)]
pub struct CallArgs {
    /// The API's name (prepare, applyToken, pay, …), or a path that begins with /.
    operation: String,
    /// The body: a file, or - for standard input. Sent exactly as it is, unless --set changes it. Without it: {}.
    #[arg(value_name = "BODY.json")]
    body: Option<PathBuf>,
    /// Set a member to a string: --set order.referenceOrderId=o-1, --set scopes.0=AGREEMENT_PAY.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Call the sandbox in that directory, at its own time.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["client", "key", "url", "dialect"])]
    sandbox: Option<PathBuf>,
    /// As which test client: qi, qi2, alipayPlus, alipayPlus2. Without it: alipayPlus for an operation that only
    /// Alipay+ has, else qi.
    #[arg(long = "as", value_name = "CLIENT", requires = "sandbox",
          value_parser = ["qi", "qi2", "alipayPlus", "alipayPlus2"])]
    who: Option<String>,
    /// Client-Id.
    #[arg(long, value_name = "ID", required_unless_present = "sandbox")]
    client: Option<String>,
    /// The client's private key: PKCS#8 PEM.
    #[arg(long, value_name = "FILE", required_unless_present = "sandbox")]
    key: Option<PathBuf>,
    /// keyVersion of that key.
    #[arg(long, value_name = "VERSION", default_value = "1")]
    key_version: String,
    /// The wallet, with its mount: https://wallet.example.iq/aps/api. Without a path: the dialect's usual mount.
    #[arg(long, value_name = "URL", required_unless_present = "sandbox")]
    url: Option<String>,
    /// qi or alipay-plus.
    #[arg(long, required_unless_present = "sandbox")]
    dialect: Option<DialectKind>,
    /// The wallet's public key, to verify the reply with: FILE, or VERSION=FILE; repeat for more. Without it the
    /// reply is not verified.
    #[arg(long = "wallet-key", value_name = "[VERSION=]FILE", conflicts_with = "sandbox")]
    wallet_keys: Vec<String>,
    /// Do not verify the reply. What it says may then come from anybody.
    #[arg(long)]
    no_verify: bool,
    /// Request-Time, as it is to be sent. Without it: now.
    #[arg(long, value_name = "TEXT")]
    time: Option<String>,
    /// One JSON object on standard output: the reply and all about it.
    #[arg(long)]
    json: bool,
}

impl CallArgs {
    /// Is nobody's signature looked at: because that was asked for, or no key of the wallet is known?
    fn unchecked(&self) -> bool {
        self.no_verify || (self.sandbox.is_none() && self.wallet_keys.is_empty())
    }
}

/// `accord call`.
pub fn run(args: CallArgs) -> anyhow::Result<Exit> {
    let body = body(args.body.as_deref(), &args.sets)?;
    let (identity, wallet) = match &args.sandbox {
        Some(dir) => of_sandbox(dir, &args)?,
        None => of_arguments(&args)?,
    };
    let time = match (&args.time, &args.sandbox) {
        (Some(time), _) => time.clone(),
        (None, sandbox) => {
            let now = match sandbox {
                Some(_) => sandbox_time(&wallet.base_url)?,
                None => Clock::new(0).now().0,
            };
            format_seconds(now, if wallet.dialect == DialectKind::Qi { 3 * 3600 } else { 8 * 3600 })
        }
    };
    let request = prepare_request(&identity, &wallet, &args.operation, &body, &time).map_err(of_fault)?;
    let client = Client::new(identity, wallet).map_err(of_fault)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    let reply = runtime.block_on(client.send(&request)).map_err(of_fault)?;
    let took = began.elapsed();
    let unchecked = args.unchecked();
    if unchecked && !args.no_verify {
        eprintln!("warning: the reply may come from anybody; give --wallet-key FILE to verify its signature");
    }
    let judged = if unchecked {
        unjudged(request, reply)
    } else {
        judge(request, reply, &client.wallet().wallet_keys)
    };
    match judged {
        Ok(exchange) => tell(&exchange, took, &args),
        Err(CallFault::Signature(exchange) | CallFault::NoResult(exchange)) if args.json => {
            println!("{}", describe(&exchange, took, &args));
            Ok(Exit::Transport)
        }
        Err(CallFault::Signature(exchange)) => {
            eprintln!("{}", about(&exchange, took, false));
            eprintln!("{}", String::from_utf8_lossy(&exchange.reply.body));
            Err(transport(format!("the reply is not to be believed, {}", exchange.verification)))
        }
        Err(CallFault::NoResult(exchange)) => {
            eprintln!("{}", about(&exchange, took, false));
            eprintln!("{}", String::from_utf8_lossy(&exchange.reply.body));
            Err(transport("the reply has no result object"))
        }
        Err(fault) => Err(of_fault(fault)),
    }
}

/// An exchange as it came, when nobody wants to know who said it.
fn unjudged(
    request: accord_client::SignedRequest,
    reply: accord_client::Replied,
) -> Result<Exchange, CallFault> {
    let nothing = || ResultWords { status: String::new(), code: String::new(), message: String::new() };
    let result = read_result(&reply.body);
    let has_result = result.is_some();
    let result = result.unwrap_or_else(nothing);
    let verification = Verification::Unverified;
    let exchange = Exchange { request, reply, reply_content: None, verification, result };
    if has_result { Ok(exchange) } else { Err(CallFault::NoResult(Box::new(exchange))) }
}

fn tell(exchange: &Exchange, took: Duration, args: &CallArgs) -> anyhow::Result<Exit> {
    if args.json {
        println!("{}", describe(exchange, took, args));
    } else {
        eprintln!("{}", about(exchange, took, args.unchecked()));
        let mut out = std::io::stdout().lock();
        out.write_all(&exchange.reply.body)?;
        out.write_all(b"\n")?;
    }
    Ok(match exchange.result.status.as_str() {
        "S" => Exit::Done,
        "F" => Exit::Failure,
        "U" => Exit::Unknown,
        "A" => Exit::Accepted,
        _ => Exit::Other,
    })
}

/// The lines for standard error.
fn about(exchange: &Exchange, took: Duration, unchecked: bool) -> String {
    let ResultWords { status, code, message } = &exchange.result;
    let said =
        if unchecked { "not checked (--no-verify)".to_owned() } else { exchange.verification.to_string() };
    format!(
        "POST {}\nHTTP {}  {status} {code}  {message}\nreply signature: {said}\n{} ms, trace {}",
        exchange.request.url,
        exchange.reply.status,
        took.as_millis(),
        trace_id(exchange)
    )
}

fn describe(exchange: &Exchange, took: Duration, args: &CallArgs) -> Value {
    let text = String::from_utf8_lossy(&exchange.reply.body).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    json!({
        "url": exchange.request.url,
        "httpStatus": exchange.reply.status,
        "resultStatus": exchange.result.status,
        "resultCode": exchange.result.code,
        "verified": exchange.verification == Verification::Verified,
        "verification": if args.unchecked() { "not checked".to_owned() } else { exchange.verification.to_string() },
        "traceId": trace_id(exchange),
        "micros": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "body": body,
    })
}

fn trace_id(exchange: &Exchange) -> String {
    exchange.reply.header("trace-id").map_or("-".into(), |id| String::from_utf8_lossy(id).into_owned())
}

fn of_sandbox(dir: &Path, args: &CallArgs) -> anyhow::Result<(Identity, Wallet)> {
    let file = SandboxFile::read(dir)
        .with_context(|| format!("{} is no sandbox: start `accord dev --data {0}` first", dir.display()))?;
    let only_alipay_plus = path_of(DialectKind::Qi, &args.operation).is_none();
    let who = args.who.as_deref().unwrap_or(if only_alipay_plus { "alipayPlus" } else { "qi" });
    Ok((file.identity(dir, who)?, file.wallet(dir, who)?))
}

fn of_arguments(args: &CallArgs) -> anyhow::Result<(Identity, Wallet)> {
    let (Some(client), Some(key), Some(url), Some(dialect)) =
        (&args.client, &args.key, &args.url, args.dialect)
    else {
        return Err(usage("say whom to call: --sandbox DIR, or --client, --key, --url and --dialect"));
    };
    let mut wallet_keys = Vec::new();
    for text in &args.wallet_keys {
        let (version, file) = text.split_once('=').unwrap_or(("1", text));
        wallet_keys.push((version.to_owned(), read_public_key(Path::new(file))?));
    }
    let url = url.trim_end_matches('/');
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let usual = if dialect == DialectKind::Qi { "" } else { "/aps/api" };
    let path_prefix = if rest.contains('/') { "" } else { usual };
    let identity = Identity {
        client_id: client.clone(),
        key_version: args.key_version.clone(),
        private_key: read_callers_key(key)?,
    };
    let (base_url, path_prefix) = (url.to_owned(), path_prefix.to_owned());
    Ok((identity, Wallet { base_url, path_prefix, dialect, wallet_keys }))
}

/// The sandbox's own time, in milliseconds since 1970.
fn sandbox_time(base_url: &str) -> anyhow::Result<i64> {
    let (status, body) = crate::http::get(base_url, "/sandbox/clock")
        .map_err(|fault| transport(format!("{fault}: is `accord dev` running?")))?;
    let now = serde_json::from_slice::<Value>(&body).ok();
    let now = now.as_ref().and_then(|body| body.get("now")).and_then(Value::as_str);
    now.filter(|_| status == 200)
        .and_then(|now| parse_iso(now).ok())
        .ok_or_else(|| transport(format!("{base_url}/sandbox/clock answered {status} without a time")))
}

fn of_fault(fault: CallFault) -> anyhow::Error {
    match fault {
        CallFault::Operation { dialect, name } => {
            let known: Vec<&str> = operations(dialect).iter().map(|(name, _)| *name).collect();
            usage(format!("{dialect} has no operation `{name}`: {}", known.join(", ")))
        }
        CallFault::Url(url) => usage(format!("`{url}` is not an http or https URL")),
        CallFault::Transport(why) => transport(format!("no reply: {why}")),
        other => other.into(),
    }
}

/// The bytes to send.
pub fn body(file: Option<&Path>, sets: &[String]) -> anyhow::Result<Vec<u8>> {
    let bytes = match file {
        None => b"{}".to_vec(),
        Some(path) if path == Path::new("-") => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).context("standard input cannot be read")?;
            bytes
        }
        Some(path) => std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?,
    };
    if sets.is_empty() {
        return Ok(bytes);
    }
    let mut body: Value = serde_json::from_slice(&bytes)
        .map_err(|fault| usage(format!("the body is not JSON, so --set cannot change it: {fault}")))?;
    for set in sets {
        let (path, value) = set
            .split_once('=')
            .filter(|(path, _)| !path.is_empty() && path.split('.').all(|part| !part.is_empty()))
            .ok_or_else(|| {
                usage(format!("--set {set}: write PATH=VALUE, such as order.referenceOrderId=o-1"))
            })?;
        let parts: Vec<&str> = path.split('.').collect();
        put(&mut body, &parts, value).map_err(|why| usage(format!("--set {set}: {why}")))?;
    }
    Ok(serde_json::to_vec(&body)?)
}

fn put(place: &mut Value, path: &[&str], value: &str) -> Result<(), String> {
    let Some((part, rest)) = path.split_first() else {
        *place = Value::String(value.to_owned());
        return Ok(());
    };
    let index: Option<usize> = part.parse().ok();
    if place.is_null() {
        *place = if index == Some(0) { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match place {
        Value::Object(members) => put(members.entry(*part).or_insert(Value::Null), rest, value),
        Value::Array(items) => {
            let index = index.filter(|index| *index <= items.len());
            let index = index.ok_or_else(|| format!("`{part}` is no place in a list of {}", items.len()))?;
            if index == items.len() {
                items.push(Value::Null);
            }
            items.get_mut(index).map_or(Ok(()), |item| put(item, rest, value))
        }
        _ => Err(format!("there is a value where `{part}` would have to be inside")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(body: &str, sets: &[&str]) -> Result<String, String> {
        let mut value: Value = serde_json::from_str(body).unwrap();
        for set in sets {
            let (path, text) = set.split_once('=').unwrap();
            put(&mut value, &path.split('.').collect::<Vec<_>>(), text)?;
        }
        Ok(value.to_string())
    }

    #[test]
    fn set_writes_strings_into_objects_and_lists() {
        for (body, sets, expected) in [
            ("{}", vec!["a=1"], r#"{"a":"1"}"#),
            ("{}", vec!["a.b=x=y"], r#"{"a":{"b":"x=y"}}"#),
            ("{}", vec!["s.0=A", "s.1=B"], r#"{"s":["A","B"]}"#),
            (r#"{"z":1,"a":{"b":2}}"#, vec!["a.b=3"], r#"{"z":1,"a":{"b":"3"}}"#),
        ] {
            assert_eq!(set(body, &sets).as_deref(), Ok(expected));
        }
        assert!(set(r#"{"a":"text"}"#, &["a.b=1"]).is_err());
        assert!(set(r#"{"s":[]}"#, &["s.2=1"]).is_err());
    }
}
