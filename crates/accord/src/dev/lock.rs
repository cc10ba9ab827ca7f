//! One live process to a sandbox, and to a SQLite store: a lock on a file that the system lets go of when its holder
//! dies. `DIR/lock` is the sandbox's, `<database>.lock` the store's.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The lock, held as long as this lives.
pub struct Lock {
    file: File,
}

/// Another process has the lock.
#[derive(Debug)]
struct Taken(String);

impl std::fmt::Display for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Taken {}

/// What the holder wrote about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Where it answers, once it does.
    pub url: Option<String>,
}

/// Path of the lock file.
pub fn path(dir: &Path) -> PathBuf {
    dir.join("lock")
}

/// Takes the sandbox's lock, or says who has it.
pub fn take(dir: &Path) -> anyhow::Result<Lock> {
    let todo = "stop that one, or start this one with another --data";
    lock(&path(dir), &format!("{}: a SQLite sandbox has one process at a time; {todo}", dir.display()))
}

/// Takes the sandbox's lock, or waits until the process that has it answers: nothing, and then this one is a node
/// beside it.
pub fn take_or_join(dir: &Path) -> anyhow::Result<Option<Lock>> {
    for _ in 0..600 {
        match lock(&path(dir), "the sandbox") {
            Ok(lock) => return Ok(Some(lock)),
            Err(fault) if !fault.is::<Taken>() => return Err(fault),
            Err(_) if holder(dir).is_some_and(|holder| holder.url.is_some()) => return Ok(None),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(100)),
        }
    }
    bail!(
        "{}: the process that holds this sandbox does not get ready; stop it and start again",
        dir.display()
    )
}

/// Takes the lock of a SQLite store: two servers on one file would send every notification twice.
pub fn take_store(database: &Path) -> anyhow::Result<Lock> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let what =
        format!("{}: a SQLite store serves one process at a time; stop that one first", database.display());
    lock(Path::new(&path), &what)
}

fn lock(path: &Path, what: &str) -> anyhow::Result<Lock> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let who = match read(path) {
                Some(Holder { pid, url: Some(url) }) => format!("process {pid}, which answers at {url},"),
                Some(Holder { pid, url: None }) => format!("process {pid}"),
                None => "another process".to_owned(),
            };
            return Err(Taken(format!("{who} holds {what}")).into());
        }
        Err(TryLockError::Error(fault)) => {
            return Err(fault).with_context(|| format!("{} cannot be locked", path.display()));
        }
    }
    let mut lock = Lock { file };
    lock.say(None)?;
    Ok(lock)
}

/// What the holder of the lock wrote; also after its death.
pub fn holder(dir: &Path) -> Option<Holder> {
    read(&path(dir))
}

fn read(path: &Path) -> Option<Holder> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

impl Lock {
    /// Writes who holds the lock and where it answers, for the one who finds it taken.
    pub fn say(&mut self, url: Option<&str>) -> anyhow::Result<()> {
        let holder = Holder { pid: std::process::id(), url: url.map(str::to_owned) };
        let text = serde_json::to_string(&holder)?;
        self.file.set_len(0)?;
        std::io::Seek::rewind(&mut self.file)?;
        self.file.write_all(text.as_bytes())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_has_the_lock_and_the_first_can_leave() {
        let kept = tempfile::tempdir().unwrap();
        let dir = kept.path();
        let mut first = take(dir).unwrap();
        first.say(Some("http://127.0.0.1:1")).unwrap();
        let fault = take(dir).err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(fault.contains("http://127.0.0.1:1") && fault.contains("--data"), "{fault}");
        drop(first);
        assert!(take(dir).is_ok());
    }
}
