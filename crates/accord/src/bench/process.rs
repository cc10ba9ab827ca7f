//! The measured server, started for the purpose or one that runs already, and the load generator. CPU time and memory
//! as Linux tells.

use super::load::READY;
use super::plan::{Plan, Round};
use crate::dev;
use accord_client::SandboxFile;
use anyhow::{Context as _, anyhow, bail};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Linux tells CPU time in hundredths of a second, whatever its own clock does (`USER_HZ`).
const NANOS_PER_TICK: u64 = 10_000_000;

/// A sandbox under load.
pub struct Server {
    dir: PathBuf,
    url: String,
    store: &'static str,
    pid: Option<u32>,
    child: Option<Child>,
    /// Does the directory stay?
    keep: bool,
}

impl Server {
    /// Starts a sandbox in a fresh directory, with that configuration file, and waits until it is ready. The directory
    /// is removed at the end.
    pub fn start(store: Option<&str>, config: &str, listen: SocketAddr) -> anyhow::Result<Server> {
        let dir = std::env::temp_dir().join(format!("accord-bench-{}-{}", std::process::id(), number()));
        crate::keys::private_dir(&dir)?;
        if !config.is_empty() {
            std::fs::write(dir.join("accord.toml"), config)?;
        }
        Server::spawn(
            Server { dir, url: String::new(), store: kind(store), pid: None, child: None, keep: false },
            store,
            listen,
        )
    }

    /// Starts the sandbox in that directory, which is made when it is missing and stays afterwards.
    pub fn on(dir: &Path, listen: SocketAddr) -> anyhow::Result<Server> {
        Server::with_store(dir, None, listen)
    }

    /// The same, on that store from now on.
    pub fn with_store(dir: &Path, store: Option<&str>, listen: SocketAddr) -> anyhow::Result<Server> {
        crate::keys::private_dir(dir)?;
        let dir = std::path::absolute(dir)?;
        let stored = dev::state::State::read(&dir)?.and_then(|state| state.store);
        let known = kind(store.or(stored.as_deref()));
        let server = Server { dir, url: String::new(), store: known, pid: None, child: None, keep: true };
        Server::spawn(server, store, listen)
    }

    fn spawn(mut server: Server, store: Option<&str>, listen: SocketAddr) -> anyhow::Result<Server> {
        let log = std::fs::File::create(server.dir.join("server.log"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args([Path::new("dev"), Path::new("--data"), &server.dir]);
        command.args(["--listen", &listen.to_string()]);
        if let Some(store) = store {
            command.args(["--store", store]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.context("the server cannot be started")?;
        server.pid = Some(child.id());
        server.child = Some(child);
        server.wait_until_ready()?;
        Ok(server)
    }

    /// A sandbox that runs already.
    pub fn running(url: &str, dir: &Path) -> anyhow::Result<Server> {
        let (status, _) = crate::http::get(url, "/health/ready").map_err(crate::exit::transport)?;
        if status != 200 {
            bail!("{url} is not ready: it answers {status}");
        }
        let pid = dev::holder(dir).map(|holder| holder.pid);
        let stored = crate::dev::state::State::read(dir)?.and_then(|state| state.store);
        Ok(Server {
            dir: dir.to_owned(),
            url: url.to_owned(),
            store: kind(stored.as_deref()),
            pid,
            child: None,
            keep: true,
        })
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(60);
        while Instant::now() < patience {
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = ended {
                let log = std::fs::read_to_string(self.dir.join("server.log")).unwrap_or_default();
                let last =
                    log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
                bail!("the server ended with {status}: {}", last.trim());
            }
            if let Ok(file) = SandboxFile::read(&self.dir)
                && matches!(crate::http::get(&file.base_url, "/health/ready"), Ok((200, _)))
            {
                self.url = file.base_url;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(anyhow!("the server was not ready within a minute"))
    }

    /// Directory of the sandbox.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kind of its store.
    pub fn store(&self) -> &'static str {
        self.store
    }

    /// CPU time of the server so far.
    pub fn cpu_nanos(&self) -> Option<u64> {
        cpu_nanos(self.pid?)
    }

    /// The most memory that was ever resident.
    pub fn peak_memory_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes.saturating_mul(1024))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        let _ = child.kill();
        let _ = child.wait();
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// A number that no other file of this process has.
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The load generator: a process of its own, so that its CPU time is not the server's.
pub struct Generator {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    plan: PathBuf,
}

impl Generator {
    /// Starts it with that plan.
    pub fn start(plan: &Plan) -> anyhow::Result<Generator> {
        let name = format!("accord-bench-{}-{}.plan", std::process::id(), number());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, serde_json::to_vec(plan)?).context("the plan of the load cannot be written")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args([Path::new("bench-load"), Path::new("--plan"), &path])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the load generator cannot be started")?;
        let output = child.stdout.take().ok_or_else(|| anyhow!("the load generator has no output"))?;
        Ok(Generator { child, lines: BufReader::new(output).lines(), plan: path })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        Ok(self.lines.next().transpose()?.unwrap_or_default())
    }

    /// Waits until it can begin; gives what else it said: where its receiver listens.
    pub fn ready(&mut self) -> anyhow::Result<String> {
        let line = self.line()?;
        let rest = line.strip_prefix(READY);
        rest.map(|rest| rest.trim().to_owned())
            .ok_or_else(|| anyhow!("the load generator could not get ready; see above"))
    }

    /// Lets it begin, and waits for what it saw.
    pub fn go(&mut self) -> anyhow::Result<Round> {
        let mut input = self.child.stdin.take().ok_or_else(|| anyhow!("the load generator has no input"))?;
        input.write_all(b"go\n")?;
        serde_json::from_str(&self.line()?).context("the load generator gave no result; see above")
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.plan);
    }
}

/// CPU time of a process, user and system, from `/proc/<pid>/stat`.
pub fn cpu_nanos(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets and may hold anything; the state comes after it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system).saturating_mul(NANOS_PER_TICK))
}

/// The kind of a store, by what `--store` or `state.json` says.
fn kind(store: Option<&str>) -> &'static str {
    if store.is_some_and(|store| store.starts_with("postgres")) { "postgres" } else { "sqlite" }
}
