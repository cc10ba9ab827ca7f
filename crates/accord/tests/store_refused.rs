//! Databases that will not do, through the binary: each is a sentence that says what to do, and an exit status;
//! nothing is half done, and no password is shown.

mod support;

use accord_testkit::postgres::Server;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::process::{Child, Command, Stdio};
use support::{Said, Scratch, run};

/// A wallet that lacks nothing but its store.
struct Wallet {
    dir: Scratch,
    example: String,
}

impl Wallet {
    fn new(name: &str) -> Wallet {
        let dir = Scratch::new(name);
        run(&["keys", "generate", "--dir", &dir.file("keys")]).ends(0);
        let example = run(&["config", "example"]).ends(0).out;
        Wallet { dir, example }
    }

    /// Runs a command on the store at that URL.
    fn run(&self, command: &[&str], store: &str) -> Said {
        let is_store = |line: &&str| line.starts_with("store = ");
        let line = self.example.lines().find(is_store).expect("a line for the store");
        let config =
            self.dir.write("accord.toml", &self.example.replace(line, &format!("store = \"{store}\"")));
        run(&[command, &["--config", &config]].concat())
    }

    /// What `serve` and every other command say of it.
    #[track_caller]
    fn refuses(&self, store: &str, parts: &[&str]) {
        for command in [&["serve"][..], &["ledger", "verify"]] {
            let said = self.run(command, store).ends(1);
            said.complains_of(parts);
            // `serve` logs to standard error too; a sentence is a line of it.
            let lines = said.err.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
            assert_eq!(lines.count(), 1, "{command:?}: {}", said.err);
            assert!(!said.err.contains("s3cret") && !said.out.contains("s3cret"), "{}", said.err);
        }
        let doctor = self.run(&["doctor"], store).ends(1);
        assert!(parts.iter().all(|part| doctor.out.contains(part)), "{}", doctor.out);
    }
}

fn at(server: &Server, user: &str, database: &str) -> String {
    format!("postgres://{user}@{}:5432/{database}", server.host())
}

#[test]
fn what_a_store_lacks_is_said_in_a_sentence() {
    let Some(server) = Server::start(&["wal_level = replica"]) else { return };
    let wallet = Wallet::new("store-lacks");
    for database in ["wallet", "empty", "songs", "newer", "older"] {
        server.sql(&format!("CREATE DATABASE {database}"));
    }
    server.sql("CREATE ROLE guest LOGIN; CREATE ROLE teller LOGIN PASSWORD 's3cret-right'");
    let (empty, whole) = (at(&server, "accord", "empty"), at(&server, "accord", "wallet"));

    wallet.run(&["serve"], "postgres://accord@/wallet").ends(1).complains_of(&[
        "accord.toml",
        "`store`",
        "host",
    ]);
    let unread = ["ledger", "verify", "--store", "postgres://accord:s3cret@h:x/wallet"];
    let said = wallet.run(&unread, &whole).ends(2);
    said.complains_of(&["--store", "postgres://USER:PASSWORD@HOST:PORT/DATABASE"]);
    assert!(!said.err.contains("s3cret"), "{}", said.err);
    wallet.refuses(
        "postgres://accord:s3cret@127.0.0.1:1/wallet",
        &["cannot be reached", "check host and port"],
    );
    wallet.refuses(&at(&server, "accord", "nowhere"), &["there is no such database", "createdb"]);

    wallet.refuses(&empty, &["schema version 0", "run `accord migrate`"]);
    wallet.run(&["migrate", "--plan"], &empty).ends(0);
    wallet.refuses(&empty, &["schema version 0", "run `accord migrate`"]);
    wallet.run(&["migrate"], &whole).ends(0);
    wallet.run(&["ledger", "verify"], &whole).ends(0);

    // Rights: none, only to read, and none to create.
    wallet.refuses(&at(&server, "guest", "wallet"), &["lacks rights", "let it own the tables"]);
    server.sql_in("wallet", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest");
    wallet
        .refuses(&at(&server, "guest", "wallet"), &["lacks rights", "INSERT, UPDATE and DELETE on accounts"]);
    wallet.run(&["migrate"], &at(&server, "guest", "empty")).ends(1).complains_of(&["lacks rights"]);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.sql_in("empty", tables), "0", "nothing is half done");

    // Somebody else's tables, an older schema, a newer one.
    server.sql_in("songs", "CREATE TABLE songs (title text)");
    wallet.refuses(&at(&server, "accord", "songs"), &["holds tables, but not those of accord"]);
    wallet.run(&["migrate"], &at(&server, "accord", "songs")).ends(1).complains_of(&["not those of accord"]);
    assert_eq!(server.sql_in("songs", tables), "1");
    for (database, change, parts) in [
        (
            "older",
            "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)",
            ["schema version", "run `accord migrate`"],
        ),
        (
            "newer",
            "INSERT INTO schema_migrations (version, name, checksum, compatible_from) VALUES (999, 'later', '\\x00', 999)",
            ["schema version 999", "run the newer accord"],
        ),
    ] {
        let url = at(&server, "accord", database);
        wallet.run(&["migrate"], &url).ends(0);
        server.sql_in(database, change);
        wallet.refuses(&url, &parts);
    }

    let replica = server.replica("replica");
    server.require_passwords();
    for who in ["teller:s3cret-wrong", "teller", "stranger:s3cret"] {
        wallet.refuses(&at(&server, who, "wallet"), &["does not let this user in", "pg_hba.conf"]);
    }
    wallet.refuses(&at(&server, "teller:s3cret-right", "wallet"), &["lacks rights"]);

    wallet.refuses(&at(&replica, "accord", "wallet"), &["read-only", "name the primary"]);
    let said = wallet.run(&["migrate"], &at(&replica, "accord", "empty")).ends(1);
    said.complains_of(&["read-only", "name the primary"]);
}

/// Sessions that do nothing; they end with this.
struct Crowd<'s> {
    server: &'s Server,
    user: &'static str,
    sessions: Vec<Child>,
}

impl Crowd<'_> {
    fn new<'s>(server: &'s Server, user: &'static str, count: usize) -> Crowd<'s> {
        let session = || {
            let words = ["-X", "-U", user, "-d", "wallet", "-c", "SELECT pg_sleep(600)", "-h"];
            let mut command = Command::new("psql");
            command.args(words).arg(server.dir()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("a session")
        };
        let mut crowd = Crowd { server, user, sessions: (0..count).map(|_| session()).collect() };
        let there = format!("SELECT count(*) >= {count} FROM pg_stat_activity WHERE usename = '{user}'");
        for _ in 0..1_200 {
            if server.sql(&there) == "t" {
                return crowd;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
            // One that came before an earlier connection was gone was refused.
            for one in &mut crowd.sessions {
                if one.try_wait().expect("a session").is_some() {
                    *one = session();
                }
            }
        }
        panic!("a minute, and not {count} sessions of {user}");
    }
}

impl Drop for Crowd<'_> {
    fn drop(&mut self) {
        let user = self.user;
        let end =
            format!("SELECT pg_terminate_backend(pid, 9000) FROM pg_stat_activity WHERE usename = '{user}'");
        self.server.sql(&end);
        for session in &mut self.sessions {
            let _ = session.kill();
            let _ = session.wait();
        }
    }
}

#[test]
fn a_server_without_a_free_connection_is_told_apart() {
    // Three are kept for superusers.
    let Some(server) = Server::start(&["max_connections = 8"]) else { return };
    let wallet = Wallet::new("store-full");
    server.sql("CREATE ROLE teller LOGIN");
    server.sql("CREATE DATABASE wallet OWNER teller");
    let url = at(&server, "teller", "wallet");
    wallet.run(&["migrate"], &url).ends(0);
    let crowd = Crowd::new(&server, "teller", 5);
    wallet.refuses(&url, &["takes no more connections", "raise max_connections"]);
    drop(crowd);
    wallet.run(&["ledger", "verify"], &url).ends(0);
}

#[test]
fn a_full_disk_of_the_server_leaves_no_half_schema() {
    let Some(server) = Server::start_on_small_disk(150, &["max_wal_size = 64MB", "wal_init_zero = off"])
    else {
        return;
    };
    let wallet = Wallet::new("store-disk");
    server.sql("CREATE DATABASE wallet");
    let url = at(&server, "accord", "wallet");
    let ballast = server.dir().join("ballast");
    let block = vec![0; 64 * 1024];
    let mut file = std::fs::File::create(&ballast).expect("a file");
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
    drop(file);
    let said = wallet.run(&["migrate"], &url).ends(1);
    said.complains_of(&["the server's disk is full", "free some of it"]);
    std::fs::remove_file(&ballast).expect("the ballast");
    if !server.is_running() {
        server.restart();
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.sql_in("wallet", tables), "0", "nothing is half done");
    wallet.run(&["migrate"], &url).ends(0);
    wallet.run(&["migrate", "--verify"], &url).ends(0);
}

#[test]
fn only_the_server_that_was_meant_is_spoken_to_over_tls() {
    // An address that no other server of this machine has.
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = format!("127.77.{high}.{}", low.max(1));
    let Some(server) = Server::start(&[&format!("listen_addresses = '{address}'")]) else { return };
    let issuer = || {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
    };
    let (authority, other) = (issuer(), issuer());
    let key = KeyPair::generate().expect("a key");
    let names = vec!["db.accord.test".to_owned()];
    let certificate = CertificateParams::new(names).expect("parameters").signed_by(&key, &authority);
    let wallet = Wallet::new("store-tls");
    wallet.dir.write("roots.pem", &authority.pem());
    wallet.dir.write("others.pem", &other.pem());
    wallet.dir.write("none.pem", "");
    let url =
        |name: &str, more: &str| format!("postgres://accord@{name}:5432/postgres?hostaddr={address}{more}");
    let right = url("db.accord.test", "&sslrootcert=roots.pem");

    // Before it speaks TLS at all.
    let said = wallet.run(&["migrate"], &right).ends(1);
    said.complains_of(&["no secure connection", "check sslrootcert"]);
    server.speak_tls(&certificate.expect("a certificate").pem(), &key.serialize_pem());
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while wallet.run(&["migrate"], &right).status != 0 {
        assert!(std::time::Instant::now() < patience, "it does not speak TLS");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    wallet.run(&["ledger", "verify"], &right).ends(0);
    wallet
        .run(&["ledger", "verify"], &url("db.accord.test", "&sslmode=verify-full&sslrootcert=roots.pem"))
        .ends(0);
    let encrypted = "SELECT count(*) FROM pg_hba_file_rules WHERE type LIKE 'host%' AND type <> 'hostssl'";
    assert_eq!(server.sql(encrypted), "0", "whoever came in over the network was encrypted");

    let insecure = ["no secure connection", "check sslrootcert"];
    wallet.refuses(&url("another.accord.test", "&sslrootcert=roots.pem"), &insecure);
    wallet.refuses(&url("db.accord.test", "&sslrootcert=others.pem"), &insecure);
    // The roots of this machine do not know it either.
    wallet.refuses(&url("db.accord.test", ""), &insecure);
    wallet.refuses(&url("db.accord.test", "&sslrootcert=none.pem"), &insecure);
    wallet.refuses(
        &url("db.accord.test", "&sslrootcert=missing.pem"),
        &["no secure connection", "missing.pem"],
    );
    // In the clear it does not let anybody in.
    wallet.refuses(&url("db.accord.test", "&sslmode=disable"), &["does not let this user in"]);
    for word in ["require", "prefer"] {
        let said = wallet.run(&["serve"], &url("db.accord.test", &format!("&sslmode={word}"))).ends(1);
        said.complains_of(&["`store`", word, "verify-full"]);
    }
}
