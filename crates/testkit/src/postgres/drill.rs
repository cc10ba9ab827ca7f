//! What an operator does with a server beside running it: shell commands with PostgreSQL's own tools.

use super::{Server, append, as_user, binaries, prepare_dir, start};
use std::path::{Path, PathBuf};
use std::process::Command;

impl Server {
    /// The folder of everything that is this server's: `data`, its socket, and what a test puts beside.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// Runs a script of the operator's as the server's user, with PostgreSQL's programs in its path and this server as
    /// the one meant. It must succeed.
    pub fn shell(&self, script: &str, variables: &[(&str, &str)]) {
        let bin = binaries().expect("the binaries that this server runs on");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut command: Command = as_user(Path::new("/bin/sh"));
        command.args(["-eu", "-c", script]).env("PATH", path).env("PGHOST", &self.dir);
        command.env("PGPORT", "5432").env("PGUSER", "accord").env("PGDATABASE", "postgres");
        command.envs(variables.iter().copied());
        let said = command.output().expect("a shell");
        assert!(said.status.success(), "{script}: {}", String::from_utf8_lossy(&said.stderr));
    }

    /// A server beside this one whose files a script makes in `$PGDATA`; then it is started.
    pub fn made_by(&self, name: &str, script: &str, variables: &[(&str, &str)]) -> Server {
        let bin = binaries().expect("the binaries that this server runs on");
        let dir = PathBuf::from(format!("{}-{name}", self.dir.display()));
        let _ = std::fs::remove_dir_all(&dir);
        prepare_dir(&dir);
        let data = dir.join("data");
        let data = data.to_str().expect("UTF-8");
        self.shell(script, &[variables, &[("PGDATA", data)]].concat());
        append(&dir, &format!("unix_socket_directories = '{}'\n", dir.display()));
        start(&bin, &dir);
        Server { dir, small_disk: false }
    }
}
