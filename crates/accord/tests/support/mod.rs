//! Starts the built binary: commands to their end, and sandboxes that die with the test.

#![allow(dead_code, reason = "each test file uses its own part")]

use accord_testkit::postgres::{self, Fresh};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The built binary.
pub fn accord() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accord"));
    command.env_remove("RUST_LOG").env_remove("ACCORD_CONFIG");
    command
}

/// What a command said, and its exit status.
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn ends(self, status: i32) -> Said {
        assert_eq!(self.status, status, "stdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|fault| panic!("{fault}: {}", self.out))
    }

    #[track_caller]
    pub fn complains_of(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is not in: {}", self.err);
        }
    }
}

/// Runs a command to its end.
pub fn run(args: &[&str]) -> Said {
    run_with(args, "")
}

/// Runs a command with a standard input.
pub fn run_with(args: &[&str], input: &str) -> Said {
    let mut child = accord()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that does not read its input may have ended before it is written.
    let _ = child.stdin.take().expect("an input").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the binary ends");
    Said {
        status: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// The stores that stories are told on. [`on_every_store`] is the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The sandbox's own file.
    Sqlite,
    /// An empty schema on the machine's throw-away server.
    Postgres,
}

impl On {
    /// Is it on this machine? Says so when it is not.
    pub fn is_there(self) -> bool {
        self == On::Sqlite || postgres::binaries().is_some()
    }

    /// The name, for messages and directories.
    pub fn name(self) -> &'static str {
        match self {
            On::Sqlite => "sqlite",
            On::Postgres => "postgres",
        }
    }
}

/// Makes a test of each story on each store of the list. A story is a function of the store; `async` comes before
/// those that are.
#[allow(unused_macros, reason = "each test file uses its own part")]
macro_rules! on_every_store {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $story() { super::$story(super::On::Sqlite) })+
        }
        mod postgres {
            $(#[test] fn $story() {
                if super::On::Postgres.is_there() {
                    super::$story(super::On::Postgres)
                }
            })+
        }
    };
    (async $($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $story() {
                super::$story(super::On::Sqlite).await
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $story() {
                if super::On::Postgres.is_there() {
                    super::$story(super::On::Postgres).await
                }
            })+
        }
    };
}
#[allow(unused_imports, reason = "each test file uses its own part")]
pub(crate) use on_every_store;

/// A directory that is removed in the end, and the schema of what is started in it, if there is one.
pub struct Scratch {
    dir: PathBuf,
    schema: Option<Fresh>,
}

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        Scratch::on(name, On::Sqlite)
    }

    /// One whose sandboxes remember on that store.
    pub fn on(name: &str, on: On) -> Scratch {
        let dir =
            std::env::temp_dir().join(format!("accord-test-{}-{name}-{}", std::process::id(), on.name()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a directory");
        let schema = (on == On::Postgres).then(|| postgres::fresh().expect("a server"));
        Scratch { dir, schema }
    }

    pub fn path(&self) -> &Path {
        &self.dir
    }

    pub fn text(&self) -> &str {
        self.dir.to_str().expect("UTF-8")
    }

    pub fn file(&self, name: &str) -> String {
        self.dir.join(name).to_str().expect("UTF-8").to_owned()
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.dir.join(name), text).expect("written");
        self.file(name)
    }

    /// The schema of a sandbox on PostgreSQL.
    pub fn schema(&self) -> Option<&Fresh> {
        self.schema.as_ref()
    }

    /// A number that the store of the sandbox in this directory says.
    #[track_caller]
    pub fn count(&self, statement: &str) -> i64 {
        match &self.schema {
            Some(schema) => schema.sql(statement).parse().expect("a number"),
            None => {
                let db = rusqlite::Connection::open(self.file("data/accord.db")).expect("the database");
                db.query_row(statement, [], |row| row.get(0)).expect("a number")
            }
        }
    }

    /// Every row of a table of two columns of texts, in order.
    pub fn rows(&self, table: &str) -> Vec<String> {
        let mut rows: Vec<String> = match &self.schema {
            Some(schema) => {
                schema.sql(&format!("SELECT * FROM {table}")).lines().map(str::to_owned).collect()
            }
            None => {
                let db = rusqlite::Connection::open(self.file("data/accord.db")).expect("the database");
                let mut select = db.prepare(&format!("SELECT * FROM {table}")).expect("a table");
                let row = |row: &rusqlite::Row<'_>| {
                    Ok(format!("{}|{}", row.get::<_, String>(0)?, row.get::<_, String>(1)?))
                };
                select.query_map([], row).expect("rows").map(|row| row.expect("a row")).collect()
            }
        };
        rows.sort();
        rows
    }

    /// The store that the sandbox in this directory remembers in, as `--store` takes it.
    pub fn store(&self) -> String {
        match &self.schema {
            Some(schema) => schema.url(),
            None => format!("sqlite:{}", self.file("data/accord.db")),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A running process of `accord`, killed in the end.
pub struct Running {
    child: Child,
    pub log: PathBuf,
}

impl Running {
    /// Starts a command in the background; its output goes to `log`.
    pub fn start(args: &[&str], log: &Path) -> Running {
        Running::start_in(args, &[], log)
    }

    /// The same with these variables in its environment.
    pub fn start_in(args: &[&str], environment: &[(&str, &str)], log: &Path) -> Running {
        let file = std::fs::File::create(log).expect("a log");
        let child = accord()
            .args(args)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a log"))
            .stderr(file)
            .spawn()
            .expect("the binary starts");
        Running { child, log: log.to_owned() }
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the process has ended.
    pub fn wait(&mut self) -> i32 {
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("still running: {}", self.said());
    }

    pub fn terminate(&mut self) -> i32 {
        self.signal("TERM");
        self.wait()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let args = [format!("-{name}"), self.child.id().to_string()];
        assert!(Command::new("kill").args(args).status().expect("kill").success());
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a sandbox on `dir` with any port and waits until it is ready. Gives its base URL.
pub fn sandbox(dir: &Scratch, more: &[&str]) -> (Running, String) {
    let (data, store) = (dir.file("data"), dir.store());
    let mut args = vec!["dev", "--data", &data, "--listen", "127.0.0.1:0"];
    if dir.schema().is_some() {
        args.extend(["--store", &store]);
    }
    args.extend(more);
    let _ = std::fs::remove_file(dir.path().join("data/sandbox.json"));
    let mut running = Running::start(&args, &dir.path().join("log"));
    let patience = Instant::now() + Duration::from_secs(60);
    while Instant::now() < patience {
        if let Some(status) = running.child.try_wait().expect("a status") {
            panic!("the sandbox ended with {status}: {}", running.said());
        }
        if let Ok(text) = std::fs::read_to_string(dir.path().join("data/sandbox.json"))
            && let Ok(file) = serde_json::from_str::<Value>(&text)
        {
            let url = file["baseUrl"].as_str().expect("a base URL").to_owned();
            if get(&url, "/health/ready").starts_with("HTTP/1.1 200") {
                return (running, url);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the sandbox is not ready: {}", running.said());
}

/// `DIR/sandbox.json`.
pub fn sandbox_json(dir: &Scratch) -> Value {
    let text = std::fs::read_to_string(dir.path().join("data/sandbox.json")).expect("sandbox.json");
    serde_json::from_str(&text).expect("JSON")
}

/// A whole HTTP reply as text; empty when nobody answers.
pub fn get(base_url: &str, path: &str) -> String {
    request(base_url, &format!("GET {path} HTTP/1.1"), "")
}

/// A whole HTTP reply to a POST of JSON.
pub fn post(base_url: &str, path: &str, body: &str) -> String {
    request(base_url, &format!("POST {path} HTTP/1.1\r\nContent-Type: application/json"), body)
}

/// The JSON body of a reply to a POST of the wallet API of the sandbox in that directory.
#[track_caller]
pub fn post_to_wallet(dir: &Scratch, path: &str, json: &str) -> Value {
    let api = &sandbox_json(dir)["walletApi"];
    let said = |name: &str| api[name].as_str().unwrap_or_else(|| panic!("no {name}: {api}")).to_owned();
    let base_url = said("baseUrl");
    let (server, mount) = base_url.split_once("/wallet/").expect("the mount of the wallet API");
    let head = format!(
        "POST /wallet/{mount}{path} HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer {}",
        said("token")
    );
    body(&request(server, &head, json))
}

/// A whole HTTP reply to any request: request line and headers, then the body.
pub fn request(base_url: &str, head: &str, body: &str) -> String {
    use std::io::Read as _;
    let authority = base_url.trim_start_matches("http://");
    let Ok(mut socket) = std::net::TcpStream::connect(authority) else { return String::new() };
    let _ = socket.set_read_timeout(Some(Duration::from_secs(10)));
    let length = body.len();
    let text =
        format!("{head}\r\nHost: {authority}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = socket.write_all(text.as_bytes());
    let mut reply = String::new();
    let _ = socket.read_to_string(&mut reply);
    reply
}

/// The JSON body of a reply.
#[track_caller]
pub fn body(reply: &str) -> Value {
    let (_, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply: {reply}"));
    serde_json::from_str(body).unwrap_or_else(|fault| panic!("{fault}: {reply}"))
}
