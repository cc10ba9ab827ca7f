//! Restore drills: a backup is taken under load, the store is lost, what was kept is brought back by the commands of
//! docs/operating/backup.md, and the wallet gives the answers that it gave before.

mod house;

use accord_testkit::postgres::Server;
use house::shop::{Bill, Shop};
use house::support::{On, Scratch, run};
use house::{House, Tokens};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The commands that the operator's book has under that name.
fn drill(name: &str) -> &'static str {
    let book = include_str!("../../../docs/operating/backup.md");
    let (_, rest) = book.split_once(&format!("<!-- drill: {name} -->\n```sh\n")).expect(name);
    rest.split_once("```").expect("an end").0
}

/// What a client was told.
struct Kept {
    shop: Shop,
    tokens: Tokens,
    paid: Vec<(Bill, Vec<u8>)>,
}

impl Kept {
    async fn begin(house: &House) -> Kept {
        let shop = house.shop("alipayPlus2");
        let tokens = house.agree(&shop, "kept", 0, None).await;
        let mut kept = Kept { shop, tokens, paid: Vec::new() };
        for number in 0..5 {
            kept.pay(&format!("kept-{number}")).await;
        }
        kept
    }

    async fn pay(&mut self, id: &str) {
        let bill = Bill::new(id, "IQD", 11);
        let said = self.shop.pay(&bill, &self.tokens.access).await;
        said.is("S SUCCESS");
        self.paid.push((bill, said.raw));
    }

    /// Pays until it is told to stop, and keeps the answers.
    fn storm(mut self, stop: Arc<AtomicBool>) -> tokio::task::JoinHandle<Kept> {
        tokio::spawn(async move {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                self.pay(&format!("storm-{number}")).await;
            }
            self
        })
    }

    /// Every answer again, to the byte, and a new debit with the old token.
    async fn is_all_there(&self, house: &mut House, so_many: usize) {
        let shop = self.shop.at(&house.url);
        for (bill, raw) in &self.paid[..so_many] {
            assert_eq!(&shop.pay(bill, &self.tokens.access).await.raw, raw, "{}", bill.id);
        }
        shop.pay(&Bill::new("afterwards", "IQD", 11), &self.tokens.access).await.is("S SUCCESS");
        let data = house.data().to_str().expect("UTF-8").to_owned();
        run(&["migrate", "--data", &data, "--verify"]).ends(0);
        run(&["ledger", "verify", "--data", &data]).ends(0);
        // A stop writes a checkpoint: without one nothing proves an export whole.
        house.stop();
        let journal = format!("{data}/journal.jsonl");
        let _ = std::fs::remove_file(&journal);
        run(&["audit", "export", "--data", &data, "--out", &journal]).ends(0);
        run(&["audit", "verify", &journal, "--key", &format!("{data}/keys/audit.pub.pem")]).ends(0);
        house.start();
    }
}

/// Waits until the load has been answered so often since.
async fn meanwhile(house: &House, user: usize, debits: i128) {
    let before = house.balance(user, "IQD").await;
    house
        .eventually("more debits", async || {
            (house.balance(user, "IQD").await <= before - 11 * debits).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_backed_up_under_load_lost_and_restored() {
    let mut house = House::open("backup", On::Sqlite);
    let data = house.data().to_str().expect("UTF-8").to_owned();
    let files = Scratch::new("backup-files");
    let out = files.file("one.db");
    let kept = Kept::begin(&house).await;
    let before = kept.paid.len();
    let stop = Arc::new(AtomicBool::new(false));
    let storm = kept.storm(stop.clone());
    meanwhile(&house, 0, 3).await;
    let backup = ["backup", "--data", &data, "--out", &out];
    let said = run(&[&backup[..], &["--json"]].concat()).ends(0).json();
    assert!(
        said["manifest"]["rows"]["payments"].as_u64().is_some_and(|rows| rows >= before as u64),
        "{said}"
    );
    meanwhile(&house, 0, 3).await;
    stop.store(true, Ordering::Relaxed);
    let kept = storm.await.expect("every call succeeds while the backup is taken");
    run(&backup).ends(1).complains_of(&["is there already"]);

    // Nothing is overwritten, and nothing that is not whole is restored.
    let store = format!("sqlite:{data}/accord.db");
    run(&["restore", "--from", &out, "--to", &store]).ends(1).complains_of(&["nothing is overwritten"]);
    house.stop();
    for more in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{data}/accord.db{more}"));
    }
    let whole = std::fs::read(&out).expect("the backup");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    let restore = || run(&["restore", "--from", &out, "--to", &store]);
    std::fs::write(&out, &changed).expect("a changed backup");
    restore().ends(1).complains_of(&["manifest"]);
    std::fs::write(&out, &whole[..whole.len() - 4096]).expect("a short backup");
    restore().ends(1).complains_of(&["its length"]);
    std::fs::write(&out, &whole).expect("the backup");
    let manifest = format!("{out}.manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("the manifest");
    std::fs::write(&manifest, text.replace("backup v1", "backup v9")).expect("another manifest");
    restore().ends(1).complains_of(&["no manifest"]);
    std::fs::remove_file(&manifest).expect("no manifest");
    restore().ends(1).complains_of(&["nothing proves"]);
    std::fs::write(&manifest, &text).expect("the manifest");
    let left: Vec<_> =
        std::fs::read_dir(&data).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("accord.db.restoring")), "{left:?}");

    assert!(restore().ends(0).out.contains("the books balance"));
    house.start();
    kept.is_all_there(&mut house, before).await;
    // What came after the backup happened as a whole or not at all.
    for (bill, _) in &kept.paid[before..] {
        let shop = kept.shop.at(&house.url);
        let stands = shop.inquire(&bill.id).await;
        assert!(stands.is_none() || stands == Some('S'), "{}: {stands:?}", bill.id);
    }
}

#[test]
fn another_store_is_sent_to_its_own_tools() {
    let dir = Scratch::new("backup-elsewhere");
    let out = dir.file("x.db");
    let place = ["--data", dir.text(), "--store", "postgres://me@localhost/wallet"];
    run(&[&["backup", "--out", &out][..], &place].concat())
        .ends(2)
        .complains_of(&["pg_basebackup", "pg_dump"]);
    let to = "postgres://me@localhost/wallet";
    run(&["restore", "--from", &out, "--to", to]).ends(2).complains_of(&["pg_basebackup"]);
    let missing = format!("sqlite:{}", dir.file("none.db"));
    let place = ["--data", dir.text(), "--store", &missing];
    run(&[&["backup", "--out", &out][..], &place].concat()).ends(1).complains_of(&["there is no database"]);
    assert!(!std::path::Path::new(&out).exists() && !dir.path().join("x.db.part").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_goes_back_to_a_moment_by_its_base_backup_and_its_log() {
    let settings = ["wal_level = replica", "archive_mode = on", "archive_command = 'false'", "fsync = off"];
    let Some(server) = Server::start(&settings) else { return };
    let folder = |name: &str| server.folder().join(name).to_str().expect("UTF-8").to_owned();
    let (archive, base) = (folder("archive"), folder("base"));
    server.shell("mkdir \"$ARCHIVE\"", &[("ARCHIVE", &archive)]);
    server.set(&format!("archive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'"));
    let mut house = House::open_with("pitr", On::Sqlite, &["--store", &server.url("")]);
    let kept = Kept::begin(&house).await;
    let stop = Arc::new(AtomicBool::new(false));
    let storm = kept.storm(stop.clone());
    meanwhile(&house, 0, 3).await;
    server.shell(drill("base backup"), &[("BASE", &base)]);
    meanwhile(&house, 0, 3).await;
    stop.store(true, Ordering::Relaxed);
    let mut kept = storm.await.expect("every call succeeds while the backup is taken");

    // The moment to go back to; what comes after it must be gone.
    let before = kept.paid.len();
    let moment = server.sql("SELECT clock_timestamp()");
    kept.pay("too late").await;
    let log = server.sql("SELECT pg_walfile_name(pg_switch_wal())");
    for _ in 0..600 {
        if server.sql(&format!("SELECT last_archived_wal >= '{log}' FROM pg_stat_archiver")) == "t" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.stop();
    server.kill();
    let variables = [("BASE", base.as_str()), ("ARCHIVE", &archive), ("MOMENT", &moment)];
    let restored = server.made_by("restored", drill("restore to a moment"), &variables);
    for _ in 0..600 {
        if restored.sql("SELECT pg_is_in_recovery()") == "f" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.start_on(&restored.url(""));
    kept.is_all_there(&mut house, before).await;
    assert_eq!(kept.shop.at(&house.url).inquire("too late").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_dumped_under_load_and_restored_into_a_new_database() {
    let Some(server) = Server::start(&["fsync = off"]) else { return };
    let dump = server.folder().join("wallet.dump").to_str().expect("UTF-8").to_owned();
    let mut house = House::open_with("dump", On::Sqlite, &["--store", &server.url("")]);
    let kept = Kept::begin(&house).await;
    let before = kept.paid.len();
    let stop = Arc::new(AtomicBool::new(false));
    let storm = kept.storm(stop.clone());
    meanwhile(&house, 0, 3).await;
    server.shell(drill("dump"), &[("DUMP", &dump)]);
    stop.store(true, Ordering::Relaxed);
    let kept = storm.await.expect("every call succeeds while the dump is taken");
    house.stop();
    server.shell(drill("restore a dump"), &[("DUMP", &dump), ("NEW_DATABASE", "wallet")]);
    house.start_on(&server.url("").replace("/postgres", "/wallet"));
    kept.is_all_there(&mut house, before).await;
}
