//! The load generator, a process of its own: signs unique requests ahead, then sends them over connections that are
//! kept alive. A reply counts when it is HTTP 200, signed and S; every two hundredth is verified afterwards.

use super::flow;
use super::http1::{Connection, address_of, on_the_wire};
use super::plan::{Load, Plan, Round};
use super::process::cpu_nanos;
use super::sink;
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
use tokio::sync::Semaphore;

/// What the load generator says when it can begin.
pub const READY: &str = "ready";

/// Every so many replies one is verified.
const SAMPLE: usize = 200;
/// After an open loop: a call answered this fast was not waiting behind others.
const AT_ONCE: Duration = Duration::from_millis(20);
/// So many of them in a row, and the server has recovered.
const IN_A_ROW: u32 = 10;
/// Longest wait for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the load generator is told.
#[derive(Args)]
pub struct LoadArgs {
    /// A file with a plan.
    #[arg(long)]
    plan: PathBuf,
}

/// Everything that is the same for all connections.
pub struct Setting {
    /// Where the server answers: host and port.
    pub address: String,
    /// Who asks.
    pub identity: Identity,
    /// Who is asked.
    pub wallet: Wallet,
    /// Request-Time.
    pub time: String,
    /// When to stop.
    pub seconds: u64,
    /// How many connections.
    pub connections: usize,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    micros: Vec<u64>,
    calls: u64,
    failures: u64,
    refused: u64,
    first_failure: Option<String>,
    samples: Vec<(usize, Replied)>,
}

/// `accord bench-load`.
pub fn run(args: LoadArgs) -> anyhow::Result<Exit> {
    let plan: Plan = serde_json::from_slice(&std::fs::read(&args.plan)?)?;
    let file = SandboxFile::read(&plan.sandbox)?;
    let mut wallet = file.wallet(&plan.sandbox, &plan.who)?;
    wallet.base_url.clone_from(&plan.url);
    let setting = Setting {
        address: address_of(&plan.url),
        identity: file.identity(&plan.sandbox, &plan.who)?,
        time: server_time(&wallet)?,
        wallet,
        seconds: plan.seconds,
        connections: plan.connections,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let round = match plan.load {
        Load::Calls { api, bodies, clients, rate } => {
            let requests = sign_ahead(&setting, &api, &bodies, &clients)?;
            let wire = requests.iter().map(|request| on_the_wire(request, &setting.address)).collect();
            let open = runtime.block_on(open_all(&setting));
            begin(READY)?;
            let (cpu, began) = (cpu_nanos(std::process::id()), Instant::now());
            let seen = runtime.block_on(send_all(&setting, open, Arc::new(wire), rate, began))?;
            let round =
                Round { elapsed_micros: micros(began.elapsed()), ..sum_up(seen, &requests, &setting) };
            let round = Round { generator_cpu_nanos: since(cpu), ..round };
            let recovery = rate.map(|_| runtime.block_on(recovery(&setting, &requests)));
            Round { recovery_micros: recovery.map(micros), ..round }
        }
        Load::Flows { users, ids } => {
            begin(READY)?;
            let cpu = cpu_nanos(std::process::id());
            let round = runtime.block_on(flow::run(Arc::new(setting), Arc::new(users), ids))?;
            Round { generator_cpu_nanos: since(cpu), ..round }
        }
        Load::Sink { expected } => {
            let sink = runtime.block_on(sink::bind())?;
            begin(&format!("{READY} {}", sink.url()?))?;
            let cpu = cpu_nanos(std::process::id());
            let round = runtime.block_on(sink.receive(expected, Duration::from_secs(plan.seconds)));
            Round { generator_cpu_nanos: since(cpu), ..round }
        }
    };
    println!("{}", serde_json::to_string(&round)?);
    Ok(Exit::Done)
}

/// Says that all is ready and waits for the word.
fn begin(ready: &str) -> anyhow::Result<()> {
    println!("{ready}");
    std::io::stdout().flush()?;
    let mut go = String::new();
    std::io::stdin().lock().read_line(&mut go)?;
    if go.trim() != "go" {
        return Err(anyhow!("the bench went away"));
    }
    Ok(())
}

fn since(before: Option<u64>) -> u64 {
    cpu_nanos(std::process::id()).zip(before).map_or(0, |(after, before)| after.saturating_sub(before))
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn server_time(wallet: &Wallet) -> anyhow::Result<String> {
    let (_, clock) = crate::http::get(&wallet.base_url, "/sandbox/clock").map_err(crate::exit::transport)?;
    let clock: serde_json::Value = serde_json::from_slice(&clock).context("the sandbox tells no time")?;
    let now = clock.get("now").and_then(|now| now.as_str()).and_then(|now| parse_iso(now).ok());
    Ok(format_seconds(now.ok_or_else(|| anyhow!("the sandbox tells no time"))?, 3 * 3600))
}

/// Signs on every core.
fn sign_ahead(
    setting: &Setting,
    api: &str,
    bodies: &[String],
    clients: &[String],
) -> anyhow::Result<Vec<SignedRequest>> {
    let who = |number: usize| {
        let client = number.checked_rem(clients.len()).and_then(|index| clients.get(index));
        let client_id = client.unwrap_or(&setting.identity.client_id).clone();
        Identity { client_id, ..setting.identity.clone() }
    };
    let bodies: Vec<(Identity, &String)> =
        bodies.iter().enumerate().map(|(number, body)| (who(number), body)).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let shares = bodies.chunks(bodies.len().div_ceil(threads).max(1));
        let workers: Vec<_> = shares
            .map(|share| {
                scope.spawn(move || {
                    let sign = |(identity, body): &(Identity, &String)| {
                        prepare_request(identity, &setting.wallet, api, body.as_bytes(), &setting.time)
                    };
                    share.iter().map(sign).collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        let mut all = Vec::with_capacity(bodies.len());
        for worker in workers {
            all.extend(worker.join().map_err(|_| anyhow!("a signing thread broke"))??);
        }
        Ok(all)
    })
}

/// Opens the connections ahead too: what is measured are calls. One that cannot be opened tries again with its first.
async fn open_all(setting: &Setting) -> Vec<Connection> {
    let mut all = Vec::with_capacity(setting.connections);
    for _ in 0..setting.connections {
        let mut connection = Connection::new(&setting.address);
        let _ = connection.open().await;
        all.push(connection);
    }
    all
}

async fn send_all(
    setting: &Setting,
    open: Vec<Connection>,
    wire: Arc<Vec<Vec<u8>>>,
    rate: Option<u64>,
    began: Instant,
) -> anyhow::Result<Vec<Seen>> {
    let deadline = began + Duration::from_secs(setting.seconds);
    let next = Arc::new(AtomicUsize::new(0));
    let pace = rate.map(|rate| Arc::new(Pace { began, deadline, rate, turns: Semaphore::new(0) }));
    let mut tasks = Vec::new();
    for connection in open {
        let (wire, next, pace) = (wire.clone(), next.clone(), pace.clone());
        tasks.push(tokio::spawn(async move {
            match pace {
                None => converse(connection, &wire, &next, deadline).await,
                Some(pace) => insist(connection, &wire, &next, &pace).await,
            }
        }));
    }
    if let Some(pace) = pace {
        std::thread::Builder::new().name("pace".into()).spawn(move || pace.run())?;
    }
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.context("a connection broke")?);
    }
    Ok(all)
}

/// One connection of a closed loop: a request, its reply, the next request.
async fn converse(
    mut connection: Connection,
    wire: &[Vec<u8>],
    next: &AtomicUsize,
    deadline: Instant,
) -> Seen {
    let mut seen = Seen::default();
    while Instant::now() < deadline {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = wire.get(number) else { break };
        seen.send(&mut connection, request, number, Instant::now()).await;
    }
    seen
}

/// How long the thread that paces an open loop sleeps at least.
const PACE: Duration = Duration::from_micros(400);

/// When the requests of an open loop are due. A thread of its own says so: the runtime's timer counts whole milliseconds,
/// which is longer than a call takes.
struct Pace {
    began: Instant,
    deadline: Instant,
    /// Requests a second.
    rate: u64,
    /// One for each request whose time has come and that no connection has taken yet; closed at the end.
    turns: Semaphore,
}

impl Pace {
    fn due(&self, number: usize) -> Instant {
        self.began + Duration::from_nanos((number as u64).saturating_mul(1_000_000_000) / self.rate.max(1))
    }

    fn run(&self) {
        let mut number = 0;
        while self.due(number) < self.deadline {
            let now = Instant::now();
            let before = number;
            while self.due(number) <= now && self.due(number) < self.deadline {
                number += 1;
            }
            self.turns.add_permits(number - before);
            // Each waking costs what is measured a little. While requests wait for a connection, none is in a hurry.
            let least = if self.turns.available_permits() > 0 { PACE * 5 } else { PACE };
            let until = self.due(number).max(now + least).min(self.deadline);
            std::thread::sleep(until.saturating_duration_since(now));
        }
        std::thread::sleep(self.deadline.saturating_duration_since(Instant::now()));
        self.turns.close();
    }
}

/// One connection of an open loop: a request is sent when its time has come, or as soon after as a connection is
/// free, and its latency counts from then.
async fn insist(mut connection: Connection, wire: &[Vec<u8>], next: &AtomicUsize, pace: &Pace) -> Seen {
    let mut seen = Seen::default();
    while let Ok(turn) = pace.turns.acquire().await {
        turn.forget();
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = wire.get(number % wire.len().max(1)) else { break };
        if Instant::now() >= pace.deadline {
            break;
        }
        seen.send(&mut connection, request, number % wire.len().max(1), pace.due(number)).await;
    }
    seen
}

impl Seen {
    async fn send(&mut self, connection: &mut Connection, request: &[u8], number: usize, began: Instant) {
        self.calls += 1;
        match connection.exchange(request).await {
            Ok(reply) if reply.is_signed_success() => {
                self.micros.push(micros(began.elapsed()));
                if number.is_multiple_of(SAMPLE) {
                    self.samples.push((number, reply.to_replied()));
                }
            }
            Ok(reply) if reply.status == 503 => self.refused += 1,
            Ok(reply) => {
                let words = format!("HTTP {}: {}", reply.status, String::from_utf8_lossy(reply.body));
                self.fail(words);
            }
            Err(fault) => {
                self.fail(fault.to_string());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    fn fail(&mut self, why: String) {
        self.failures += 1;
        self.first_failure.get_or_insert(why);
    }
}

/// How long after the end of an open loop until calls, one at a time, are answered at once again.
async fn recovery(setting: &Setting, requests: &[SignedRequest]) -> Duration {
    let began = Instant::now();
    let mut connection = Connection::new(&setting.address);
    let (mut in_a_row, mut since) = (0, Duration::ZERO);
    for request in requests.iter().cycle() {
        if began.elapsed() > PATIENCE {
            return PATIENCE;
        }
        let sent = Instant::now();
        let wire = on_the_wire(request, &setting.address);
        let good = connection.exchange(&wire).await.is_ok_and(|reply| reply.is_signed_success());
        if good && sent.elapsed() <= AT_ONCE {
            if in_a_row == 0 {
                since = began.elapsed();
            }
            in_a_row += 1;
            if in_a_row == IN_A_ROW {
                return since;
            }
        } else {
            in_a_row = 0;
        }
    }
    PATIENCE
}

fn sum_up(seen: Vec<Seen>, requests: &[SignedRequest], setting: &Setting) -> Round {
    let (mut round, mut latencies) = (Round::default(), Vec::new());
    for connection in seen {
        latencies.extend(connection.micros);
        round.calls += connection.calls;
        round.failures += connection.failures;
        round.refused += connection.refused;
        round.first_failure = round.first_failure.or(connection.first_failure);
        for (number, reply) in connection.samples {
            let request = requests.get(number).cloned();
            let good = request.is_some_and(|request| {
                judge(request, reply, &setting.wallet.wallet_keys).is_ok_and(|exchange| exchange.is_success())
            });
            if !good {
                round.failures += 1;
                round.first_failure.get_or_insert_with(|| "a reply's signature does not hold".to_owned());
            }
        }
    }
    round.with_latencies(latencies)
}
