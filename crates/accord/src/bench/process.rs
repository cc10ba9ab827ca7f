//! The measured server: started for the purpose, or one that runs already. Its CPU time and memory as Linux tells.

use crate::dev;
use accord_client::SandboxFile;
use anyhow::{Context as _, anyhow, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
}

impl Server {
    /// Starts a sandbox in a fresh directory and waits until it is ready.
    pub fn start(store: Option<&str>) -> anyhow::Result<Server> {
        Server::in_dir(&format!("accord-bench-{}", std::process::id()), "", store)
    }

    /// Starts a sandbox with that configuration file.
    pub fn configured(name: &str, config: &str) -> anyhow::Result<Server> {
        Server::in_dir(&format!("accord-bench-{}-{name}", std::process::id()), config, None)
    }

    fn in_dir(name: &str, config: &str, store: Option<&str>) -> anyhow::Result<Server> {
        let dir = std::env::temp_dir().join(name);
        crate::keys::private_dir(&dir)?;
        if !config.is_empty() {
            std::fs::write(dir.join("accord.toml"), config)?;
        }
        let log = std::fs::File::create(dir.join("server.log"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args([Path::new("dev"), Path::new("--data"), &dir]).args(["--listen", "127.0.0.1:0"]);
        if let Some(store) = store {
            command.args(["--store", store]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("the server cannot be started")?;
        let mut server =
            Server { dir, url: String::new(), store: kind(store), pid: Some(child.id()), child: Some(child) };
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
        })
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(60);
        while Instant::now() < patience {
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = ended {
                let log = std::fs::read_to_string(self.dir.join("server.log")).unwrap_or_default();
                bail!("the server ended with {status}: {}", log.trim());
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
        let _ = std::fs::remove_dir_all(&self.dir);
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
