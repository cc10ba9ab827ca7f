//! A wallet of two nodes, and a primary with a synchronous standby that they work on.

use super::House;
use super::support::{Running, get};
use accord_testkit::postgres::Server;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A second process of a sandbox.
pub struct Node {
    running: Running,
    /// Base URL.
    pub url: String,
}

impl Node {
    /// Starts one beside the house, on the same store.
    pub fn join(house: &House, store: &str) -> Node {
        let node = Node::start(house, store, &[]);
        node.wait_for("/health/ready");
        node
    }

    /// Starts one with these variables in its environment, ready or not: it answers.
    pub fn start(house: &House, store: &str, environment: &[(&str, &str)]) -> Node {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let data = house.data();
        let data = data.to_str().expect("UTF-8");
        let log = house.data().join(format!("node-{address}.log"));
        let args = ["dev", "--data", data, "--store", store, "--listen", &address];
        let running = Running::start_in(&args, environment, &log);
        let node = Node { running, url: format!("http://{address}") };
        node.wait_for("/health/live");
        node
    }

    fn wait_for(&self, path: &str) {
        let patience = Instant::now() + Duration::from_secs(60);
        while !get(&self.url, path).starts_with("HTTP/1.1 200") {
            assert!(Instant::now() < patience, "{path} does not come: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the process as `kill -9` does.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// Lets the process stand still, as a paused machine does.
    pub fn pause(&self) {
        self.running.signal("STOP");
    }

    /// Lets it go on.
    pub fn wake(&self) {
        self.running.signal("CONT");
    }

    /// Asks the process to stop and waits for it.
    pub fn stop(&mut self) {
        assert_eq!(self.running.terminate(), 0, "{}", self.running.said());
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// What the process has said so far.
    pub fn log(&self) -> String {
        self.running.said()
    }
}

/// Two servers in two places, each in turn the primary and the other its synchronous standby.
pub struct Pair {
    servers: [Server; 2],
    primary: usize,
}

impl Pair {
    /// Starts both; nothing when the test is to be skipped.
    pub fn start() -> Option<Pair> {
        // Processes die here and not machines, so nothing is lost that was only written.
        let settings = ["wal_level = replica", "hot_standby = on", "max_connections = 120", "fsync = off"];
        let first = Server::start(&settings)?;
        let second = first.replica("second");
        let pair = Pair { servers: [first, second], primary: 0 };
        pair.wait_for_standby();
        Some(pair)
    }

    /// Both places, for nodes that find the primary by themselves.
    pub fn url(&self) -> String {
        self.servers[0].url_with(&self.servers[1])
    }

    /// Who takes writes now.
    pub fn primary(&self) -> &Server {
        &self.servers[self.primary]
    }

    fn standby(&self) -> &Server {
        &self.servers[1 - self.primary]
    }

    /// From now on a commit is acknowledged when the standby has it too.
    fn wait_for_standby(&self) {
        self.primary().set("synchronous_standby_names = '*'");
        let patience = Instant::now() + Duration::from_secs(60);
        let words = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while self.primary().sql(words) != "1" {
            assert!(Instant::now() < patience, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the primary as a power cut would.
    pub fn kill_primary(&self) {
        self.primary().kill();
    }

    /// Makes the standby the primary, as whoever operates the servers does; when that began.
    pub fn promote_standby(&mut self) -> Instant {
        // Nobody follows it yet, so it must wait for nobody.
        self.standby().set("synchronous_standby_names = ''");
        let began = Instant::now();
        self.standby().promote();
        self.primary = 1 - self.primary;
        began
    }

    /// Makes a synchronous standby in the place of the server that was killed.
    pub fn rebuild_standby(&self) {
        self.standby().follow(self.primary(), ["first", "second"][1 - self.primary]);
        self.wait_for_standby();
    }
}
