//! Nodes of one wallet that do not have the same keys: a key that is not the one of its version stops the start, and a
//! node whose other keys differ from those of the nodes that serve is not ready until these have gone.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};
use support::{On, Running, Scratch, get, on_every_store, run};

on_every_store!(a_key_that_is_not_the_one_of_its_version_stops_the_start);

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A node of a wallet, with its own configuration and keys.
struct Node {
    config: String,
    name: &'static str,
    admin: String,
}

impl Node {
    /// On the store of that directory; its keys are copies of those in `keys`.
    fn new(dir: &Scratch, name: &'static str, keys: &Path) -> Node {
        let own = dir.path().join(format!("keys-{name}"));
        std::fs::create_dir_all(&own).expect("a folder");
        for file in std::fs::read_dir(keys).expect("keys").flatten() {
            std::fs::copy(file.path(), own.join(file.file_name())).expect("a copy");
        }
        let (main, admin) = (free_port(), free_port());
        let example = run(&["config", "example"]).ends(0).out;
        let store = example.lines().find(|line| line.starts_with("store = ")).expect("a store").to_owned();
        let text = example
            .replace(&store, &format!("store = \"{}\"", dir.store()))
            .replace("0.0.0.0:8443", &format!("127.0.0.1:{main}"))
            .replace("127.0.0.1:9090", &format!("127.0.0.1:{admin}"))
            .replace("\"keys/", &format!("\"keys-{name}/"));
        let config = dir.write(&format!("{name}.toml"), &text);
        Node { config, name, admin: format!("http://127.0.0.1:{admin}") }
    }

    fn key(&self, dir: &Scratch, file: &str) -> std::path::PathBuf {
        dir.path().join(format!("keys-{}", self.name)).join(file)
    }

    fn start(&self, dir: &Scratch) -> Running {
        let log = dir.path().join(format!("{}.log", self.name));
        let running = Running::start(&["serve", "--config", &self.config], &log);
        self.eventually(&running, "/health/live", "HTTP/1.1 200");
        running
    }

    fn eventually(&self, running: &Running, path: &str, begins: &str) {
        let patience = Instant::now() + Duration::from_secs(90);
        while !get(&self.admin, path).starts_with(begins) {
            assert!(Instant::now() < patience, "{path} is not {begins}: {}", running.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn a_key_that_is_not_the_one_of_its_version_stops_the_start(on: On) {
    let dir = Scratch::on("other-keys", on);
    std::fs::create_dir_all(dir.path().join("data")).expect("a folder");
    let (keys, others) = (dir.file("keys"), dir.file("others"));
    for keys in [&keys, &others] {
        run(&["keys", "generate", "--dir", keys]).ends(0);
    }
    let first = Node::new(&dir, "first", Path::new(&keys));
    run(&["migrate", "--config", &first.config]).ends(0);
    let mut running = first.start(&dir);
    first.eventually(&running, "/health/ready", "HTTP/1.1 200");
    assert_eq!(running.terminate(), 0, "{}", running.said());

    for (file, key) in [("derivation-1.key", "`keys.derivation`"), ("wallet-1.pem", "`keys.wallet`")] {
        let mixed_up = Node::new(&dir, "second", Path::new(&keys));
        std::fs::copy(Path::new(&others).join(file), mixed_up.key(&dir, file)).expect("another key");
        let before = dir.rows("settings");
        let said = run(&["serve", "--config", &mixed_up.config]).ends(1);
        said.complains_of(&[
            key,
            "version 1 is not the key that this store knows",
            "put the right file back",
        ]);
        assert_eq!(dir.rows("settings"), before, "nothing is written");
        let doctor = run(&["doctor", "--config", &mixed_up.config]).ends(1).out;
        assert!(doctor.contains(&format!("fault keys: {key}")), "{doctor}");
    }

    // A key by a version of its own is welcome, and its version is the store's from then on.
    let grown = Node::new(&dir, "third", Path::new(&keys));
    std::fs::copy(Path::new(&others).join("derivation-1.key"), grown.key(&dir, "derivation-2.key"))
        .expect("a key");
    let more = "\n[[keys.derivation]]\nversion = 2\nfile = \"keys-third/derivation-2.key\"\n";
    let text = std::fs::read_to_string(&grown.config).expect("a configuration");
    std::fs::write(&grown.config, text + more).expect("written");
    let mut running = grown.start(&dir);
    grown.eventually(&running, "/health/ready", "HTTP/1.1 200");
    assert_eq!(running.terminate(), 0, "{}", running.said());
    std::fs::copy(Path::new(&keys).join("derivation-1.key"), grown.key(&dir, "derivation-2.key"))
        .expect("a key");
    run(&["serve", "--config", &grown.config]).ends(1).complains_of(&["`keys.derivation`: version 2"]);
    first.start(&dir);
}

#[test]
fn a_node_whose_pages_have_another_key_is_not_ready_while_the_others_serve() {
    if !On::Postgres.is_there() {
        return;
    }
    let dir = Scratch::on("other-pages", On::Postgres);
    let keys = dir.file("keys");
    run(&["keys", "generate", "--dir", &keys]).ends(0);
    run(&["keys", "generate", "--dir", &dir.file("others")]).ends(0);
    let first = Node::new(&dir, "first", Path::new(&keys));
    run(&["migrate", "--config", &first.config]).ends(0);
    let mut serving = first.start(&dir);
    first.eventually(&serving, "/health/ready", "HTTP/1.1 200");
    let same = Node::new(&dir, "same", Path::new(&keys));
    let beside = same.start(&dir);
    same.eventually(&beside, "/health/ready", "HTTP/1.1 200");
    for (name, file, key) in [("pages", "pages.key", "`keys.pages`"), ("qr", "qr.key", "`keys.qr`")] {
        let other = Node::new(&dir, name, Path::new(&keys));
        std::fs::copy(dir.path().join("others").join(file), other.key(&dir, file)).expect("another key");
        let running = other.start(&dir);
        let ready = get(&other.admin, "/health/ready");
        let said = format!("{key} is not the key of the nodes that serve from this database");
        assert!(ready.starts_with("HTTP/1.1 503") && ready.contains(&said), "{ready}");
        assert!(running.said().contains(&said), "{}", running.said());
        // Those that were there first go on.
        assert!(get(&first.admin, "/health/ready").starts_with("HTTP/1.1 200"));
        if name == "qr" && std::env::var("ACCORD_LONG").is_ok_and(|long| long == "1") {
            // Half a minute after the others have gone, it is the others.
            assert_eq!(serving.terminate(), 0);
            drop(beside);
            return other.eventually(&running, "/health/ready", "HTTP/1.1 200");
        }
    }
}
