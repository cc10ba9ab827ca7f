//! Throw-away PostgreSQL servers for tests, from the binaries of the machine.
//!
//! [`fresh`] gives an empty schema on a server that all tests of this machine share; whoever comes first starts it,
//! and it goes away by itself a minute after the last test. [`Server`] is a server of one test's own, to be killed,
//! paused and replicated. Without binaries a test is told that there is nothing ([`None`]) and says that it was
//! skipped, unless `ACCORD_POSTGRES=required`; `ACCORD_POSTGRES=off` skips in any case. PostgreSQL refuses to run as
//! root: then its programs run as the user `postgres`, or `nobody`.

mod drill;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The oldest release that will do.
const OLDEST: u32 = 15;

/// The folder of PostgreSQL's programs, or why the test is skipped. Panics when it must not be.
pub fn binaries() -> Option<PathBuf> {
    let wish = std::env::var("ACCORD_POSTGRES").unwrap_or_default();
    let found = (wish != "off").then(look_for_binaries).flatten();
    assert!(
        found.is_some() || wish != "required",
        "ACCORD_POSTGRES=required, but there is no PostgreSQL 15 or newer"
    );
    if found.is_none() {
        eprintln!("skipped: no PostgreSQL {OLDEST} or newer on this machine, or ACCORD_POSTGRES=off");
    }
    found
}

fn look_for_binaries() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(newest_binaries).clone()
}

fn newest_binaries() -> Option<PathBuf> {
    let release = |dir: &PathBuf| {
        let said = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        said.split_whitespace().nth(2)?.split('.').next()?.parse::<u32>().ok()
    };
    let mut places: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    places.retain(|dir| ["initdb", "postgres", "pg_ctl", "psql"].iter().all(|name| dir.join(name).exists()));
    let mut known: Vec<(u32, PathBuf)> =
        places.into_iter().filter_map(|dir| Some((release(&dir)?, dir))).collect();
    known.sort();
    known.pop().filter(|(release, _)| *release >= OLDEST).map(|(_, dir)| dir)
}

/// An empty schema of one test's own, removed at its end.
pub struct Fresh {
    server: PathBuf,
    schema: String,
}

/// An empty schema on the shared server; nothing when the test is to be skipped.
pub fn fresh() -> Option<Fresh> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let bin = binaries()?;
    let server = shared(&bin);
    let schema = format!("t_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    psql(&server, "postgres", &format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"));
    Some(Fresh { server, schema })
}

impl Fresh {
    /// Where a store finds it.
    pub fn url(&self) -> String {
        url(&self.server, &format!("?options=-csearch_path%3D{}", self.schema))
    }

    /// Where a store finds it through another socket folder: something that stands between.
    pub fn url_by(&self, folder: &Path) -> String {
        url(folder, &format!("?options=-csearch_path%3D{}", self.schema))
    }

    /// The server's socket.
    pub fn socket(&self) -> PathBuf {
        self.server.join(".s.PGSQL.5432")
    }

    /// Runs statements in the schema, and gives what they say: columns with `|` between, a line each row.
    pub fn sql(&self, statements: &str) -> String {
        psql(&self.server, "postgres", &format!("SET search_path = {}; {statements}", self.schema))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let schema = &self.schema;
        let words = format!("SET client_min_messages = error; DROP SCHEMA IF EXISTS {schema} CASCADE");
        let _ = psql_command(&self.server, "postgres", &words).output();
    }
}

/// A server of one test's own. It ends with the test.
pub struct Server {
    dir: PathBuf,
    small_disk: bool,
}

impl Server {
    /// Starts an empty server with those settings (`name = value`); nothing when the test is to be skipped.
    pub fn start(settings: &[&str]) -> Option<Server> {
        let bin = binaries()?;
        let server = Server { dir: place(), small_disk: false };
        create(&bin, &server.dir, settings);
        start(&bin, &server.dir);
        Some(server)
    }

    /// The same on a disk of its own with so many megabytes. That takes the right to mount; without it the test is
    /// skipped, which is said, unless `ACCORD_POSTGRES=required`.
    pub fn start_on_small_disk(megabytes: u32, settings: &[&str]) -> Option<Server> {
        let bin = binaries()?;
        let dir = place();
        fs::create_dir_all(&dir).expect("a folder");
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "accord-pg"]).arg(&dir).status();
        if !mounted.is_ok_and(|status| status.success()) {
            let _ = fs::remove_dir_all(&dir);
            let wish = std::env::var("ACCORD_POSTGRES").unwrap_or_default();
            assert!(wish != "required", "a small disk cannot be mounted: run the tests as root");
            eprintln!("skipped: a small disk cannot be mounted without being root");
            return None;
        }
        let server = Server { dir, small_disk: true };
        create(&bin, &server.dir, settings);
        start(&bin, &server.dir);
        Some(server)
    }

    /// A replica of this server, streaming from it, under that name as `application_name`.
    pub fn replica(&self, name: &str) -> Server {
        let dir = PathBuf::from(format!("{}-{name}", self.dir.display()));
        let server = Server { dir, small_disk: false };
        server.follow(self, name);
        server
    }

    /// Forgets what this server had and makes it a replica of another one, in the same place. It must not run.
    pub fn follow(&self, primary: &Server, name: &str) {
        let bin = binaries().expect("the binaries that the primary runs on");
        let _ = fs::remove_dir_all(&self.dir);
        prepare_dir(&self.dir);
        let source = format!("host={} port=5432 user=accord application_name={name}", primary.dir.display());
        run(as_user(&bin.join("pg_basebackup"))
            .args(["-R", "--no-sync", "-c", "fast", "-X", "stream", "-d", &source, "-D"])
            .arg(self.dir.join("data")));
        append(&self.dir, &format!("unix_socket_directories = '{}'\n", self.dir.display()));
        start(&bin, &self.dir);
    }

    /// Where a store finds it, with more parameters (`?…`).
    pub fn url(&self, query: &str) -> String {
        url(&self.dir, query)
    }

    /// Where a store finds this server or another one, whichever takes writes.
    pub fn url_with(&self, other: &Server) -> String {
        format!("postgres://accord@{}:5432,{}:5432/postgres", self.host(), other.host())
    }

    /// The folder of its socket, as a host of a connection.
    pub fn host(&self) -> String {
        self.dir.display().to_string().replace('/', "%2F")
    }

    /// Runs statements, and gives what they say: columns with `|` between, a line each row.
    pub fn sql(&self, statements: &str) -> String {
        self.sql_in("postgres", statements)
    }

    /// The same in another database.
    pub fn sql_in(&self, database: &str, statements: &str) -> String {
        psql(&self.dir, database, statements)
    }

    /// Ends every process of the server as a power cut would.
    pub fn kill(&self) {
        let pid = fs::read_to_string(self.dir.join("data/postmaster.pid")).expect("a running server");
        let pid = pid.lines().next().expect("a process").to_owned();
        // The first one first: else it would end the others in good order.
        let children = children(&pid);
        run(Command::new("kill").args(["-9", &pid]));
        let _ = Command::new("kill").arg("-9").args(children).stderr(Stdio::null()).status();
    }

    /// Starts it again after [`Server::kill`] or [`Server::stop`].
    pub fn restart(&self) {
        let bin = binaries().expect("binaries");
        // What is left of a killed one still has the shared memory for a moment.
        for _ in 0..50 {
            let started = starter(&bin, &self.dir).stderr(Stdio::null()).status();
            if started.is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("{} does not start again", self.dir.display());
    }

    /// Does it answer?
    pub fn is_running(&self) -> bool {
        psql_command(&self.dir, "postgres", "SELECT 1").output().is_ok_and(|said| said.status.success())
    }

    /// Stops it in good order.
    pub fn stop(&self) {
        let bin = binaries().expect("binaries");
        run(as_user(&bin.join("pg_ctl")).args(["stop", "-m", "fast", "-s", "-D"]).arg(self.dir.join("data")));
    }

    /// Changes a setting of the running server (`name = value`).
    pub fn set(&self, setting: &str) {
        append(&self.dir, &format!("{setting}\n"));
        self.sql("SELECT pg_reload_conf()");
    }

    /// From now on everybody but its owner needs a password.
    pub fn require_passwords(&self) {
        fs::write(self.dir.join("data/pg_hba.conf"), "local all accord trust\nlocal all all scram-sha-256\n")
            .expect("who may come in");
        self.sql("SELECT pg_reload_conf()");
    }

    /// The folder of the server.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// From now on it speaks TLS, with that certificate and key in PEM, and whoever comes over the network must.
    pub fn speak_tls(&self, certificate: &str, key: &str) {
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let file = self.dir.join("data").join(name);
            fs::write(&file, text).expect("a file of the server");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a private file");
            if who() == "0" {
                run(Command::new("chown").arg(server_user()).arg(&file));
            }
        }
        fs::write(
            self.dir.join("data/pg_hba.conf"),
            "local all all trust\nhostssl all all 127.0.0.0/8 trust\n",
        )
        .expect("who may come in");
        self.set("ssl = on");
    }

    /// Makes a primary of a replica.
    pub fn promote(&self) {
        let bin = binaries().expect("binaries");
        run(as_user(&bin.join("pg_ctl")).args(["promote", "-w", "-s", "-D"]).arg(self.dir.join("data")));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(bin) = look_for_binaries() {
            let _ = as_user(&bin.join("pg_ctl"))
                .args(["stop", "-m", "immediate", "-s", "-D"])
                .arg(self.dir.join("data"))
                .stderr(Stdio::null())
                .status();
        }
        if self.small_disk {
            let _ = Command::new("umount").arg("-l").arg(&self.dir).status();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A place for a server that nobody else has.
fn place() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("accord-pg-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    dir
}

/// The folder of the shared server, started if need be.
fn shared(bin: &Path) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("accord-pg-shared-{}", who()));
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.with_extension("lock"))
        .expect("a file to lock");
    lock.lock().expect("a lock");
    let ready =
        || psql_command(&dir, "postgres", "SELECT 1").output().is_ok_and(|said| said.status.success());
    if !ready() {
        let _ = as_user(&bin.join("pg_ctl"))
            .args(["stop", "-m", "immediate", "-s", "-D"])
            .arg(dir.join("data"))
            .stderr(Stdio::null())
            .status();
        let _ = fs::remove_dir_all(&dir);
        create(bin, &dir, &["fsync = off", "full_page_writes = off", "max_connections = 400"]);
        start(bin, &dir);
        watch(bin, &dir);
    }
    fs::write(dir.join("used"), "").expect("a mark of use");
    dir
}

/// Leaves a process that ends the shared server when nobody has used it for a minute.
fn watch(bin: &Path, dir: &Path) {
    let script = r#"
        while sleep 10; do
          exec 9>"$1.lock"; flock 9
          [ -e "$1/data/postmaster.pid" ] || exit
          others=$("$2/psql" -AtX -h "$1" -U accord postgres -c \
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
          if [ "${others:-0}" = 0 ] && [ -z "$(find "$1/used" -newermt '1 minute ago')" ]; then
            kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"; sleep 1; rm -rf "$1"; exit
          fi
          exec 9>&-
        done"#;
    // It outlives the test that started it, in a session of its own.
    let script = format!("setsid sh -c '{}' watch \"$1\" \"$2\" &", script.replace('\'', "'\\''"));
    run(Command::new("sh").args(["-c", &script, "watch"]).arg(dir).arg(bin).stderr(Stdio::null()));
}

fn create(bin: &Path, dir: &Path, settings: &[&str]) {
    prepare_dir(dir);
    run(as_user(&bin.join("initdb"))
        .args(["--no-sync", "-A", "trust", "-U", "accord", "-E", "UTF8", "--locale=C", "-D"])
        .arg(dir.join("data")));
    // Shared memory in its own folder, so that nothing is left of a server that is killed.
    let mut text = format!(
        "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_wal_size = 256MB\nshared_buffers = 64MB\n\
         dynamic_shared_memory_type = mmap\n",
        dir.display()
    );
    for setting in settings {
        text.push_str(setting);
        text.push('\n');
    }
    append(dir, &text);
}

/// Adds settings; the file belongs to the server's user.
fn append(dir: &Path, settings: &str) {
    let file = dir.join("data/postgresql.conf");
    let before = fs::read_to_string(&file).expect("the server's settings");
    fs::write(&file, before + settings).expect("the server's settings");
}

fn prepare_dir(dir: &Path) {
    fs::create_dir_all(dir).expect("a folder");
    if who() == "0" {
        run(Command::new("chown").arg(server_user()).arg(dir));
    }
}

fn start(bin: &Path, dir: &Path) {
    run(&mut starter(bin, dir));
}

fn starter(bin: &Path, dir: &Path) -> Command {
    let mut command = as_user(&bin.join("pg_ctl"));
    command.args(["start", "-w", "-s", "-D"]).arg(dir.join("data")).arg("-l").arg(dir.join("log"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A program run as a user that is not root.
fn as_user(program: &Path) -> Command {
    let mut command = match who().as_str() {
        "0" => {
            let user = server_user();
            let mut command = Command::new("setpriv");
            command.args(["--reuid", &user, "--clear-groups"]).arg(program);
            command
        }
        _ => Command::new(program),
    };
    command.current_dir("/").env("LC_ALL", "C");
    command
}

/// The processes that a process has started.
fn children(pid: &str) -> Vec<String> {
    let is_child = |name: &String| {
        let about = fs::read_to_string(format!("/proc/{name}/stat")).unwrap_or_default();
        // Behind the name in parentheses: state, parent.
        about.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(pid)
    };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_child).collect()
}

fn server_user() -> String {
    let known = Command::new("id").args(["-u", "postgres"]).output();
    if known.is_ok_and(|said| said.status.success()) { "postgres".into() } else { "nobody".into() }
}

fn who() -> String {
    let said = Command::new("id").arg("-u").output().expect("id");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

fn url(dir: &Path, query: &str) -> String {
    format!("postgres://accord@{}:5432/postgres{query}", dir.display().to_string().replace('/', "%2F"))
}

fn psql_command(dir: &Path, database: &str, statements: &str) -> Command {
    // Debian's `psql` is a script that looks for the one of the right release, and takes longer than most statements.
    let program = look_for_binaries().map_or_else(|| PathBuf::from("psql"), |bin| bin.join("psql"));
    let mut command = Command::new(program);
    command
        .args(["-AtqX", "-v", "ON_ERROR_STOP=1", "-U", "accord", "-h"])
        .arg(dir)
        .args([database, "-c", statements]);
    command.env("PGOPTIONS", "-c client_min_messages=warning").env_remove("PGPORT");
    command
}

fn psql(dir: &Path, database: &str, statements: &str) -> String {
    let said = psql_command(dir, database, statements).output().expect("psql");
    assert!(said.status.success(), "{statements}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

fn run(command: &mut Command) {
    // Not piped: a server that it leaves behind would hold the pipe open.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(|status| status.success()), "{command:?}: {status:?}");
}
