//! The load generator: signs unique requests ahead, then sends them over connections that are kept alive.
//!
//! It speaks HTTP/1.1 by hand, because it must not take the cores from the server that it measures. A reply counts
//! when it is HTTP 200, signed and S; every two hundredth is verified afterwards.

use super::Round;
use crate::exit::Exit;
use accord_client::{Identity, Replied, SandboxFile, SignedRequest, Wallet, judge, prepare_request};
use accord_wire::time::{format_seconds, parse_iso};
use anyhow::{Context as _, anyhow};
use clap::Args;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What the load generator says when every request is signed.
pub const READY: &str = "ready";

/// Every so many replies one is verified.
const SAMPLE: usize = 200;

/// What the load generator is told.
#[derive(Args)]
pub struct LoadArgs {
    #[arg(long)]
    sandbox: PathBuf,
    #[arg(long)]
    url: String,
    #[arg(long)]
    seconds: u64,
    #[arg(long)]
    requests: usize,
    #[arg(long)]
    connections: usize,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    micros: Vec<u64>,
    failures: u64,
    samples: Vec<(usize, Replied)>,
}

/// `accord bench-load`.
pub fn run(args: LoadArgs) -> anyhow::Result<Exit> {
    let file = SandboxFile::read(&args.sandbox)?;
    let identity = file.identity(&args.sandbox, "qi")?;
    let mut wallet = file.wallet(&args.sandbox, "qi")?;
    wallet.base_url.clone_from(&args.url);
    let requests = sign_ahead(&identity, &wallet, args.requests)?;
    let wire: Vec<Vec<u8>> = requests.iter().map(|request| on_the_wire(request, &args.url)).collect();

    println!("{READY}");
    std::io::stdout().flush()?;
    let mut go = String::new();
    std::io::stdin().lock().read_line(&mut go)?;
    if go.trim() != "go" {
        return Ok(Exit::Other);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let began = Instant::now();
    let seen = runtime.block_on(send_all(&args, Arc::new(wire), began))?;
    let elapsed = began.elapsed();
    println!("{}", serde_json::to_string(&sum_up(seen, &requests, &wallet, elapsed))?);
    Ok(Exit::Done)
}

/// Signs on every core.
fn sign_ahead(identity: &Identity, wallet: &Wallet, count: usize) -> anyhow::Result<Vec<SignedRequest>> {
    let (_, clock) = crate::http::get(&wallet.base_url, "/sandbox/clock").map_err(crate::exit::transport)?;
    let clock: serde_json::Value = serde_json::from_slice(&clock)?;
    let now = clock.get("now").and_then(|now| now.as_str()).and_then(|now| parse_iso(now).ok());
    let time = format_seconds(now.ok_or_else(|| anyhow!("the sandbox tells no time"))?, 3 * 3600);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = count.div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let time = &time;
                scope.spawn(move || {
                    (worker * share..((worker + 1) * share).min(count))
                        .map(|number| {
                            prepare_request(identity, wallet, "prepare", body(number).as_bytes(), time)
                        })
                        .collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        let mut all = Vec::with_capacity(count);
        for worker in workers {
            all.extend(worker.join().map_err(|_| anyhow!("a signing thread broke"))??);
        }
        Ok(all)
    })
}

fn body(number: usize) -> String {
    format!(
        "{{\"scopes\":\"AGREEMENT_PAY\",\"extendInfo\":\"{{\\\"language\\\":\\\"en-US\\\",\\\"contractDesc\\\":\
         \\\"Monthly subscription {number}: 25,000 IQD on the first day of each month until you cancel.\\\"}}\"}}"
    )
}

fn on_the_wire(request: &SignedRequest, url: &str) -> Vec<u8> {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    let mut text = format!("POST {} HTTP/1.1\r\nhost: {host}\r\n", request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    [text.into_bytes(), request.body.clone()].concat()
}

async fn send_all(args: &LoadArgs, wire: Arc<Vec<Vec<u8>>>, began: Instant) -> anyhow::Result<Vec<Seen>> {
    let address = args.url.split_once("://").map_or(args.url.as_str(), |(_, rest)| rest);
    let address = address.trim_end_matches('/').to_owned();
    let deadline = began + Duration::from_secs(args.seconds);
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..args.connections {
        let (address, wire, next) = (address.clone(), wire.clone(), next.clone());
        tasks.push(tokio::spawn(async move { converse(&address, &wire, &next, deadline).await }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.context("a connection broke")?);
    }
    Ok(all)
}

/// One connection: a request, its reply, the next request.
async fn converse(address: &str, wire: &[Vec<u8>], next: &AtomicUsize, deadline: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut socket = None;
    let mut buffer = Vec::with_capacity(4096);
    while Instant::now() < deadline {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = wire.get(number) else { break };
        let began = Instant::now();
        match exchange(address, &mut socket, request, &mut buffer).await {
            Ok(reply) => {
                seen.micros.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
                if !is_signed_success(&reply) {
                    seen.failures += 1;
                } else if number.is_multiple_of(SAMPLE) {
                    seen.samples.push((number, reply));
                }
            }
            Err(_) => {
                seen.failures += 1;
                socket = None;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    seen
}

fn is_signed_success(reply: &Replied) -> bool {
    const SUCCESS: &[u8] = b"\"resultStatus\":\"S\"";
    reply.status == 200
        && reply.header("signature").is_some()
        && reply.body.windows(SUCCESS.len()).any(|window| window == SUCCESS)
}

async fn exchange(
    address: &str,
    socket: &mut Option<TcpStream>,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> std::io::Result<Replied> {
    let broken = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned());
    let open = match socket.take() {
        Some(open) => open,
        None => {
            let fresh = TcpStream::connect(address).await?;
            fresh.set_nodelay(true)?;
            fresh
        }
    };
    let stream = socket.insert(open);
    stream.write_all(request).await?;
    buffer.clear();
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 || buffer.len() > 65_536 {
            return Err(broken("no reply"));
        }
    };
    let head = String::from_utf8_lossy(buffer.get(..head_end).unwrap_or_default()).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: Vec<(String, Vec<u8>)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse::<usize>().ok());
    let length = length.ok_or_else(|| broken("no content-length"))?;
    while buffer.len() < head_end.saturating_add(length) {
        if stream.read_buf(buffer).await? == 0 {
            return Err(broken("the reply ended early"));
        }
    }
    let body = buffer.get(head_end..head_end + length).unwrap_or_default().to_vec();
    Ok(Replied { status: status.ok_or_else(|| broken("no status"))?, headers, body })
}

fn sum_up(seen: Vec<Seen>, requests: &[SignedRequest], wallet: &Wallet, elapsed: Duration) -> Round {
    let mut micros = Vec::new();
    let mut failures = 0;
    for connection in seen {
        micros.extend(connection.micros);
        failures += connection.failures;
        for (number, reply) in connection.samples {
            let request = requests.get(number).cloned();
            let good = request.is_some_and(|request| {
                judge(request, reply, &wallet.wallet_keys).is_ok_and(|exchange| exchange.is_success())
            });
            failures += u64::from(!good);
        }
    }
    micros.sort_unstable();
    let at = |thousandth: usize| {
        let place = micros.len().saturating_mul(thousandth) / 1_000;
        micros.get(place.min(micros.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    Round {
        calls: micros.len() as u64,
        failures,
        elapsed_micros: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        p50_micros: at(500),
        p99_micros: at(990),
        p999_micros: at(999),
    }
}
