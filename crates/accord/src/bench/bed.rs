//! A server to be measured, with the ground it needs, and one round of it.

use super::BenchArgs;
use super::ceiling::{self, Ceiling};
use super::ground::{self, Depth, Ground, Notify};
use super::ids::RequestIds;
use super::operation::Operation;
use super::plan::{Load, Plan, Round};
use super::process::{Generator, Server};
use crate::exit::usage;
use accord_client::{Identity, SandboxFile};
use accord_core::store::Tx;
use anyhow::{Context as _, anyhow};
use std::path::Path;
use std::time::{Duration, Instant};

/// Agreements under which debits are made.
const AGREEMENTS: u64 = 2_000;
/// Payments that are asked about.
const PAYMENTS: u64 = 5_000;
/// Requests of the warm-up.
const WARM_UP: u64 = 2_000;
/// Notifications of the warm-up.
const WARM_UP_NOTICES: u64 = 300;
/// Over so many targets notifications are spread.
const TARGETS: u64 = 64;
/// With load beyond the maximum the server turns calls away that would wait longer.
const LIMITS: &str = "[limits]\nlongest_wait_ms = 250\n";

/// A server, its ground, and what is left of it.
pub struct Bed {
    server: Server,
    ground: Ground,
    identity: Identity,
    users: Vec<(String, String)>,
    tokens: Vec<String>,
    payments: Vec<String>,
    codes: Vec<String>,
    /// With many merchants: their Client-Ids, and tokens under agreements with each in turn.
    crowd: Option<Crowd>,
    /// Do the many merchants ask, or one?
    crowded: bool,
    /// The next number that no request has had.
    next: u64,
    /// Units a second, as far as is known.
    rate: u64,
}

/// Many merchants.
struct Crowd {
    clients: Vec<String>,
    tokens: Vec<String>,
}

/// One round, put together.
pub struct Measured {
    /// What the load generator saw.
    pub round: Round,
    /// What crypto cost just before.
    pub ceiling: Ceiling,
    /// CPU time of the server for one unit.
    pub cpu_nanos_each: Option<u64>,
}

impl Measured {
    /// Units a second that the cores could do at most.
    pub fn ceiling_per_second(&self, crypto: (u64, u64)) -> u64 {
        self.ceiling.per_second(crypto, self.round.elapsed(), self.round.generator_cpu_nanos)
    }

    /// The round in a line.
    pub fn sentence(&self, operation: Operation) -> String {
        let (round, cpu) = (&self.round, self.cpu_nanos_each.unwrap_or(0) / 1_000);
        let ceiling = self.ceiling_per_second(operation.crypto());
        let (per_second, failures) = (round.per_second(), round.failures);
        format!("{per_second}/s of {ceiling}/s, {cpu} µs of the server's CPU each, failures {failures}")
    }
}

impl Bed {
    /// Starts a server, or takes the running one, and opens its store beside it.
    pub fn make(args: &BenchArgs, store: Option<&str>, data: Option<&Path>) -> anyhow::Result<Bed> {
        let beyond = args.percent.iter().any(|percent| *percent > 100) || !args.rate.is_empty();
        let server = match (&args.url, data) {
            (Some(url), _) => Server::running(url, &args.sandbox)?,
            (None, Some(dir)) => Server::on(dir, args.listen)?,
            (None, None) => {
                if let Some(store) = store {
                    super::fill::must_be_empty(store)?;
                }
                Server::start(store, if beyond { LIMITS } else { "" }, args.listen)?
            }
        };
        let file = SandboxFile::read(server.dir())?;
        let identity = file.identity(server.dir(), ground::WHO)?;
        let rich = |user: &&accord_client::SandboxUser| {
            user.status == "active" && user.balances.get("IQD").is_some_and(|balance| balance.len() > 6)
        };
        let users =
            file.users.iter().filter(rich).map(|user| (user.login_id.clone(), user.pin.clone())).collect();
        let mut bed = Bed {
            ground: Ground::open(server.dir(), ground::USERS, args.random_ids)?,
            server,
            identity,
            users,
            tokens: Vec::new(),
            payments: Vec::new(),
            codes: Vec::new(),
            crowd: None,
            crowded: false,
            next: 0,
            rate: 0,
        };
        if matches!(args.operation, Operation::Pay | Operation::Inquiry | Operation::Notify) {
            bed.tokens = bed.ground.agreements(0..AGREEMENTS, Depth::Token)?;
        }
        if let Some(merchants) = args.merchants {
            let merchants = bed.ground.merchants(merchants)?;
            // As many with each, so that numbers of agreements and merchants go on in step.
            let count = AGREEMENTS.next_multiple_of(merchants.len() as u64);
            let tokens = bed.ground.agreements_with(&merchants, count..2 * count)?;
            let clients = merchants.iter().map(|merchant| merchant.id.to_string()).collect();
            bed.crowd = Some(Crowd { clients, tokens });
        }
        if args.operation == Operation::Inquiry {
            bed.payments = bed.ground.payments(&bed.tokens, 0..PAYMENTS, None)?;
            bed.next = PAYMENTS;
        }
        Ok(bed)
    }

    /// From now on the many merchants ask, or the one does.
    pub fn crowd(&mut self, crowded: bool) {
        self.crowded = crowded;
    }

    /// Kind of the store.
    pub fn store(&self) -> &'static str {
        self.server.store()
    }

    /// The most memory that the server ever had resident.
    pub fn peak_memory_bytes(&self) -> Option<u64> {
        self.server.peak_memory_bytes()
    }

    /// Fills caches, opens connections, and finds out how many requests a round needs.
    pub fn warm_up(&mut self, args: &BenchArgs) -> anyhow::Result<()> {
        let units = if args.operation == Operation::Notify { WARM_UP_NOTICES } else { WARM_UP };
        if args.operation == Operation::ApplyToken {
            self.codes = self.ground.agreements(0..WARM_UP, Depth::Code)?;
        }
        let (warm, _) = self.load(args, args.seconds.min(2), units)?;
        if warm.successes() == 0 {
            let why = warm.first_failure.unwrap_or_else(|| "none was answered".to_owned());
            return Err(anyhow!("the server refuses: no call succeeded; the first answer: {why}"));
        }
        self.rate = warm.per_second().max(10);
        if args.operation == Operation::ApplyToken {
            // Codes live ten minutes: made for all rounds at once, so that none is made between them.
            let rounds = u64::from(args.rounds) + args.percent.len() as u64 + args.rate.len() as u64;
            self.codes = self.ground.agreements(0..self.wanted(args).saturating_mul(rounds), Depth::Code)?;
        }
        Ok(())
    }

    fn wanted(&self, args: &BenchArgs) -> u64 {
        let seconds = u64::from(args.seconds);
        match args.operation {
            // Counted from the first to the last: as many as take the time.
            Operation::Notify => self.rate.saturating_mul(seconds),
            _ => self.rate.saturating_mul(seconds).saturating_mul(13) / 10 + 500,
        }
    }

    /// One round: the ceiling, then the load.
    pub fn round(&mut self, args: &BenchArgs) -> anyhow::Result<Measured> {
        let ceiling = ceiling::measure(&self.identity.private_key, args.seconds.min(2))?;
        let (round, cpu) = self.load(args, args.seconds, self.wanted(args))?;
        self.rate = self.rate.max(round.per_second());
        Ok(Measured { cpu_nanos_each: cpu.map(|cpu| cpu / round.successes().max(1)), round, ceiling })
    }

    /// Loads the server with so many units at most, and gives its CPU time too.
    fn load(&mut self, args: &BenchArgs, seconds: u32, units: u64) -> anyhow::Result<(Round, Option<u64>)> {
        let load = match args.operation {
            Operation::Flow => {
                let ids = RequestIds::new(self.ground.now(), args.random_ids);
                Load::Flows { users: self.users.clone(), ids }
            }
            Operation::Notify => return self.notify(args, seconds, units),
            operation => self.calls(operation, units, None)?,
        };
        self.generate(load, u64::from(seconds), args.connections)
    }

    /// Bodies of calls that nobody has sent before.
    pub fn calls(&mut self, operation: Operation, units: u64, rate: Option<u64>) -> anyhow::Result<Load> {
        let crowd = self.crowd.as_ref().filter(|_| self.crowded);
        // Requests and agreements take turns over the same merchants, so each debit is asked for by its own.
        let turn = crowd.map_or(1, |crowd| crowd.clients.len() as u64);
        self.next = self.next.next_multiple_of(turn.max(1));
        let from = self.next;
        let numbers = from..from + units;
        self.next += units;
        let of = |all: &[String], number: u64| {
            let index = usize::try_from(number % (all.len() as u64).max(1)).unwrap_or(0);
            all.get(index).cloned().unwrap_or_default()
        };
        let bodies: Vec<String> = match operation {
            Operation::ApplyToken => {
                let left = self.codes.len().saturating_sub(usize::try_from(units).unwrap_or(usize::MAX));
                let codes = self.codes.split_off(left);
                codes.iter().map(|code| ground::apply_token(code)).collect()
            }
            Operation::Pay => {
                let tokens = crowd.map_or(&self.tokens, |crowd| &crowd.tokens);
                let ids = self.ground.ids();
                numbers.map(|number| ground::pay(&of(tokens, number), ids, number, None)).collect()
            }
            Operation::Inquiry => {
                numbers.map(|number| ground::inquiry(&of(&self.payments, number))).collect()
            }
            _ => numbers.map(ground::prepare).collect(),
        };
        let api = operation.api().ok_or_else(|| usage("this operation is not one call"))?;
        let clients = crowd.map(|crowd| crowd.clients.clone()).unwrap_or_default();
        Ok(Load::Calls { api: api.to_owned(), bodies, clients, rate })
    }

    /// Runs the load generator; gives what it saw, and the server's CPU time meanwhile.
    pub fn generate(
        &mut self,
        load: Load,
        seconds: u64,
        connections: u32,
    ) -> anyhow::Result<(Round, Option<u64>)> {
        let mut generator = Generator::start(&self.plan(load, seconds, connections))?;
        generator.ready()?;
        let before = self.server.cpu_nanos();
        let round = generator.go()?;
        Ok((round, self.server.cpu_nanos().zip(before).map(|(after, before)| after.saturating_sub(before))))
    }

    fn plan(&self, load: Load, seconds: u64, connections: u32) -> Plan {
        let connections = usize::try_from(connections).unwrap_or(1);
        Plan {
            sandbox: self.server.dir().to_owned(),
            url: self.server.url().to_owned(),
            who: ground::WHO.to_owned(),
            load,
            seconds,
            connections,
        }
    }

    /// Lets so many notifications become due at one moment.
    fn notify(&mut self, args: &BenchArgs, seconds: u32, units: u64) -> anyhow::Result<(Round, Option<u64>)> {
        let units = units.max(WARM_UP_NOTICES);
        // They are written while the server is idle, and become due together afterwards.
        let writing = Duration::from_millis(2_000 + units * 2);
        let patience = writing.as_secs() + u64::from(seconds) * 4 + 20;
        let plan = self.plan(Load::Sink { expected: units }, patience, args.connections);
        let mut generator = Generator::start(&plan)?;
        let base_url = generator.ready()?;
        let due_at = self.ground.now().plus_millis(i64::try_from(writing.as_millis()).unwrap_or(i64::MAX));
        let notify = Notify { base_url, due_at, targets: TARGETS };
        let began = Instant::now();
        let numbers = self.next..self.next + units;
        self.next += units;
        self.ground.payments(&self.tokens, numbers, Some(&notify))?;
        let left = writing.checked_sub(began.elapsed());
        std::thread::sleep(left.ok_or_else(|| anyhow!("the notifications took too long to write"))?);
        let before = self.server.cpu_nanos();
        let round = generator.go()?;
        Ok((round, self.server.cpu_nanos().zip(before).map(|(after, before)| after.saturating_sub(before))))
    }

    /// Median time of a durable commit of one small row, alone.
    pub fn commit_micros(&self) -> anyhow::Result<u64> {
        let mut micros = Vec::new();
        for number in 0..100 {
            let began = Instant::now();
            self.ground
                .transact(move |tx: &mut dyn Tx, _| Ok(tx.put_setting("bench", &number.to_string())?))
                .context("the store cannot be written")?;
            micros.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        Ok(super::report::median(micros.into_iter()))
    }
}
