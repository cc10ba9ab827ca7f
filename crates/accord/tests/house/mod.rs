//! A house for one test: the built binary on a directory of its own, moved by its sandbox control API.
//!
//! [`shop`] are the clients that call it, [`mailbox`] is where its notifications go. Nothing here knows how the
//! server is made; everything goes over HTTP.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod cluster;
pub mod load;
pub mod mailbox;
pub mod nodes;
pub mod shop;
#[path = "../support/mod.rs"]
pub mod support;

use accord_client::SandboxFile;
use serde_json::{Value, json};
use shop::Shop;
use std::path::PathBuf;
use std::time::Duration;
use support::{On, Running, Scratch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything takes that works. No test measures time by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A sandbox.
pub struct House {
    running: Running,
    /// Base URL.
    pub url: String,
    /// What `sandbox.json` says.
    pub file: SandboxFile,
    args: Vec<String>,
    dir: Scratch,
}

impl House {
    /// A fresh sandbox on that store.
    pub fn open(name: &str, on: On) -> House {
        House::open_with(name, on, &[])
    }

    /// A fresh sandbox, started with more arguments.
    pub fn open_with(name: &str, on: On, args: &[&str]) -> House {
        let dir = Scratch::on(name, on);
        let (running, url) = support::sandbox(&dir, args);
        let file = SandboxFile::read(&dir.path().join("data")).expect("sandbox.json");
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        House { running, url, file, args, dir }
    }

    /// Kills the process as `kill -9` does.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// Asks the process to stop and waits for it.
    pub fn stop(&mut self) {
        assert_eq!(self.running.terminate(), 0, "{}", self.running.said());
    }

    /// Starts again with more arguments, now and from now on.
    pub fn start_with(&mut self, more: &[&str]) {
        self.args.extend(more.iter().map(|text| (*text).to_owned()));
        self.start();
    }

    /// Starts again on another store.
    pub fn start_on(&mut self, store: &str) {
        self.args = vec!["--store".to_owned(), store.to_owned()];
        self.start();
    }

    /// Starts again on the same directory.
    pub fn start(&mut self) {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let (running, url) = support::sandbox(&self.dir, &args);
        (self.running, self.url) = (running, url);
        self.file = SandboxFile::read(&self.data()).expect("sandbox.json");
    }

    /// The store that it remembers in.
    pub fn store(&self) -> &Scratch {
        &self.dir
    }

    /// The directory of the sandbox.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// What the process has said so far.
    pub fn log(&self) -> String {
        self.running.said()
    }

    /// A test client: `qi2`, `alipayPlus2`, …
    pub fn shop(&self, who: &str) -> Shop {
        Shop::new(self, who)
    }

    /// A GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = http(&self.url, &format!("GET {path} HTTP/1.1"), "").await.expect("an answer");
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// A POST of JSON; status and answer.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json");
        let (status, body) = http(&self.url, &head, &body.to_string()).await.expect("an answer");
        (status, serde_json::from_str(&body).unwrap_or_else(|fault| panic!("{fault}: {path}: {body}")))
    }

    /// The server's time, as it writes it.
    pub async fn now(&self) -> String {
        self.get("/sandbox/clock").await["now"].as_str().expect("a time").to_owned()
    }

    /// Moves the clock.
    #[track_caller]
    pub fn advance(&self, seconds: i64) -> impl Future<Output = ()> {
        let call = self.post("/sandbox/clock", json!({ "advanceSeconds": seconds }));
        async move {
            let (status, said) = call.await;
            assert_eq!(status, 200, "{said}");
        }
    }

    /// Scripts a fault.
    pub async fn fault(&self, script: Value) {
        let (status, said) = self.post("/sandbox/faults", script).await;
        assert_eq!(status, 200, "{said}");
    }

    /// Decides a session as one of the users, with the right PIN.
    pub async fn decide(&self, auth_id: &str, user: usize, decision: &str) -> (u16, Value) {
        let pin = self.file.users[user].pin.clone();
        self.decide_with(auth_id, user, &pin, decision).await
    }

    /// Decides a session with any PIN.
    pub async fn decide_with(&self, auth_id: &str, user: usize, pin: &str, decision: &str) -> (u16, Value) {
        let login = &self.file.users[user].login_id;
        let body = json!({ "authId": auth_id, "loginId": login, "pin": pin, "decision": decision });
        self.post("/sandbox/decide", body).await
    }

    /// Approves a session; its code.
    pub async fn approve(&self, auth_id: &str, user: usize) -> String {
        let (status, said) = self.decide(auth_id, user, "approve").await;
        assert_eq!(status, 200, "{said}");
        said["authCode"].as_str().expect("a code").to_owned()
    }

    /// Approves a session at another node; its code.
    pub async fn approve_at(&self, url: &str, auth_id: &str, user: usize) -> String {
        let (login, pin) = (&self.file.users[user].login_id, &self.file.users[user].pin);
        let body = json!({ "authId": auth_id, "loginId": login, "pin": pin, "decision": "approve" });
        let head = "POST /sandbox/decide HTTP/1.1\r\nContent-Type: application/json";
        let (status, said) = http(url, head, &body.to_string()).await.expect("an answer");
        assert_eq!(status, 200, "{said}");
        let said: Value = serde_json::from_str(&said).expect("JSON");
        said["authCode"].as_str().expect("a code").to_owned()
    }

    /// An agreement with its tokens, all the way from prepare.
    pub async fn agree(&self, shop: &Shop, reference: &str, user: usize, notify: Option<&str>) -> Tokens {
        let auth_id = shop.prepare(reference, notify).await;
        let code = self.approve(&auth_id, user).await;
        let said = shop.apply(&code).await;
        assert_eq!(said.status, "S", "{}", said.body);
        said.tokens()
    }

    /// What the wallet holds of a user.
    pub async fn user(&self, user: usize) -> Value {
        let login = self.file.users[user].login_id.replace('+', "%2B");
        self.get(&format!("/sandbox/users/{login}")).await
    }

    /// A user's balance in minor units.
    pub async fn balance(&self, user: usize, currency: &str) -> i128 {
        let user = self.user(user).await;
        user["balances"][currency].as_str().expect("a balance").parse().expect("a number")
    }

    /// A user's messages, newest first.
    pub async fn messages(&self, user: usize) -> Vec<Value> {
        let login = self.file.users[user].login_id.replace('+', "%2B");
        let said = self.get(&format!("/sandbox/messages?loginId={login}")).await;
        said["messages"].as_array().expect("messages").clone()
    }

    /// Every notification, newest first.
    pub async fn notifications(&self) -> Vec<Value> {
        let said = self.get("/sandbox/notifications").await;
        said["notifications"].as_array().expect("notifications").clone()
    }

    /// The one notification to this URL.
    pub async fn notification(&self, url: &str) -> Value {
        let mut all = self.notifications().await;
        all.retain(|one| one["url"] == url);
        assert_eq!(all.len(), 1, "{url}: {all:?}");
        all.remove(0)
    }

    /// The one notification to this URL, once so many tries were written down or it has left the queue.
    pub async fn tried(&self, url: &str, tries: usize) -> Value {
        self.eventually(&format!("{tries} tries of {url}"), async || {
            let one = self.notification(url).await;
            (attempts(&one).len() >= tries || one["state"] != "pending").then_some(one)
        })
        .await
    }

    /// Asks until there is an answer.
    pub async fn eventually<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let patience = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < patience {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("in vain: {what}\n{}", self.log());
    }
}

/// A pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// The attempts of a notification.
pub fn attempts(notification: &Value) -> &[Value] {
    notification["attempts"].as_array().expect("attempts")
}

/// Milliseconds since 1970 of a time as the wallet writes it.
#[track_caller]
pub fn millis(time: &Value) -> i64 {
    accord_wire::time::parse_iso(time.as_str().expect("a text")).expect("a time")
}

/// Status and body; nothing when nobody answered to the end. `head` is the request line and headers, without Host
/// unless it has its own.
pub async fn http(base_url: &str, head: &str, body: &str) -> Option<(u16, String)> {
    let (head, body) = exchange(base_url, head, body).await?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body))
}

/// The same with the reply's whole head.
pub async fn exchange(base_url: &str, head: &str, body: &str) -> Option<(String, String)> {
    let exchange = async {
        let authority = base_url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(authority).await.ok()?;
        let host = if head.contains("\r\nHost:") { String::new() } else { format!("Host: {authority}\r\n") };
        let length = body.len();
        let text = format!("{head}\r\n{host}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        socket.write_all(text.as_bytes()).await.ok()?;
        let mut reply = Vec::new();
        socket.read_to_end(&mut reply).await.ok()?;
        let reply = String::from_utf8(reply).ok()?;
        let (head, body) = reply.split_once("\r\n\r\n")?;
        let told = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let whole = told.is_none_or(|length: usize| length == body.len());
        whole.then(|| (head.to_owned(), body.to_owned()))
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("patience")
}

/// Dice that fall the same way for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % sides
    }
}
