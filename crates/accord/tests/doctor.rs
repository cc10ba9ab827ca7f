//! `accord doctor` on a wallet of `serve`: what is wrong with its seals, its zones, its wallet API, said with what to do.

mod support;

use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use support::{Scratch, run};

/// A wallet that is ready to serve.
struct Wallet {
    dir: Scratch,
    config: String,
    text: String,
}

impl Wallet {
    fn new(name: &str) -> Wallet {
        let dir = Scratch::new(name);
        let text = run(&["config", "example"]).ends(0).out;
        let config = dir.write("accord.toml", &text);
        run(&["keys", "generate", "--dir", &dir.file("keys")]).ends(0);
        run(&["migrate", "--config", &config]).ends(0);
        Wallet { dir, config, text }
    }

    /// What the doctor says of the wallet with another configuration: exit status, and `level about: finding` lines.
    #[track_caller]
    fn doctor(&self, change: impl Fn(&str) -> String) -> (i32, Vec<String>) {
        let changed = change(&self.text);
        self.dir.write("accord.toml", &changed);
        let said = run(&["doctor", "--json", "--config", &self.config]);
        let found: Value = said.json();
        let word = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
        let rows =
            found["findings"].as_array().expect("findings").iter().map(|row| {
                format!("{} {}: {}", word(row, "level"), word(row, "about"), word(row, "finding"))
            });
        (said.status, rows.collect())
    }

    /// One line has all these parts.
    #[track_caller]
    fn says(&self, status: i32, change: impl Fn(&str) -> String, parts: &[&str]) {
        let (ended, rows) = self.doctor(change);
        assert_eq!(ended, status, "{rows:#?}");
        assert!(rows.iter().any(|row| parts.iter().all(|part| row.contains(part))), "{parts:?}: {rows:#?}");
    }

    fn key(&self, name: &str) -> String {
        self.dir.file(&format!("keys/{name}.pem"))
    }
}

fn set_mode(path: &str, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn the_keys_of_seals_are_there_private_of_p256_and_each_its_own() {
    let wallet = Wallet::new("doctor-seals");
    let same = str::to_owned;
    for name in ["settlement", "receipts", "audit"] {
        wallet.says(0, same, &["ok keys", &format!("keys.{name} is a P-256 key")]);
        let line = format!("{name} = ");
        wallet.says(
            0,
            |text| text.replace(&line, &format!("# {line}")),
            &["warn keys", &format!("keys.{name} is not set"), "accord keys generate"],
        );

        let key = wallet.key(name);
        let bytes = std::fs::read(&key).expect("a key");
        set_mode(&key, 0o640);
        wallet.says(1, same, &["fault keys", &format!("keys.{name}"), "mode 0640", "chmod 600"]);
        set_mode(&key, 0o600);
        std::fs::write(&key, std::fs::read(wallet.key("wallet-1")).expect("an RSA key")).expect("written");
        wallet.says(
            1,
            same,
            &["fault keys", &format!("keys.{name}"), "expected an unencrypted PKCS#8 P-256"],
        );
        std::fs::remove_file(&key).expect("removed");
        wallet.says(1, same, &["fault keys", &format!("keys.{name}"), "cannot be read"]);
        std::fs::write(&key, &bytes).expect("written");
        set_mode(&key, 0o600);
    }
    let one = |text: &str| text.replace("keys/receipts.pem", "keys/audit.pem");
    wallet.says(1, one, &["fault keys", "keys.audit is the same key as keys.receipts"]);
    assert_eq!(wallet.doctor(same).0, 0, "all is as it was");
}

#[test]
fn a_settlement_day_is_the_day_of_limits() {
    let wallet = Wallet::new("doctor-zones");
    wallet.says(0, str::to_owned, &["ok settlement", "qi's limits are those of Asia/Baghdad"]);
    wallet.says(0, str::to_owned, &["ok settlement", "alipay_plus's limits"]);
    let zone = |zone: &'static str| {
        move |text: &str| text.replace("zone = \"Asia/Baghdad\"", &format!("zone = \"{zone}\""))
    };
    wallet.says(0, zone("+04:00"), &["warn settlement", "60 minutes apart", "qi.agreements.day_zone"]);
    // A machine without a database of zones knows this one by no name.
    if std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
        wallet.says(0, zone("Europe/Berlin"), &["warn settlement", "keeps summer time", "+03:00"]);
    }
}

#[test]
fn the_files_of_the_wallet_apis_tls_are_read_as_serve_reads_them() {
    let wallet = Wallet::new("doctor-tls");
    let pair =
        rcgen::generate_simple_self_signed(vec!["wallet.example.iq".to_owned()]).expect("a certificate");
    for name in ["cert.pem", "ca.pem"] {
        wallet.dir.write(name, &pair.cert.pem());
    }
    let key = wallet.dir.write("key.pem", &pair.signing_key.serialize_pem());
    set_mode(&key, 0o600);
    let served = |text: &str| {
        let section = "[wallet_api]\nlisten = \"10.0.0.1:9091\"\n[wallet_api.tls]\ncert = \"cert.pem\"\n\
                       key = \"key.pem\"\nclient_ca = \"ca.pem\"\n";
        format!("{text}\n{section}")
    };
    wallet.says(0, served, &["ok wallet_api", "callers need a certificate"]);
    let loopback = |text: &str| format!("{text}\n[wallet_api]\nlisten = \"127.0.0.1:9091\"\n");
    wallet.says(0, loopback, &["ok wallet_api", "this machine only"]);

    set_mode(&key, 0o644);
    wallet.says(1, served, &["fault wallet_api", "wallet_api.tls.key", "chmod 600"]);
    set_mode(&key, 0o600);
    for name in ["cert.pem", "key.pem", "ca.pem"] {
        let text = std::fs::read_to_string(wallet.dir.file(name)).expect("a file");
        wallet.dir.write(name, "nothing");
        wallet.says(1, served, &["fault wallet_api", name, "PEM is expected"]);
        wallet.dir.write(name, &text);
    }
    // Another's key does not fit the certificate.
    let other = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    let own = std::fs::read_to_string(&key).expect("a key");
    wallet.dir.write("key.pem", &other);
    wallet.says(1, served, &["fault wallet_api", "wallet_api.tls"]);
    // The main listener's files too.
    let main = |text: &str| {
        let tls = "cert = \"cert.pem\"\nkey = \"key.pem\"\nterminated_by_proxy = false";
        text.replace("terminated_by_proxy = true", tls)
    };
    wallet.says(1, main, &["fault tls"]);
    wallet.dir.write("key.pem", &own);
    wallet.says(0, main, &["ok tls"]);
}

#[test]
fn partitions_that_end_soon_and_rows_without_one_are_said() {
    let Some(schema) = accord_testkit::postgres::fresh() else { return };
    let wallet = Wallet::new("doctor-partitions");
    let url = schema.url();
    let migrate = || run(&["migrate", "--config", &wallet.config, "--store", &url]).ends(0).out;
    let partitions = || -> Vec<String> {
        let said = run(&["doctor", "--config", &wallet.config, "--store", &url]).ends(0).out;
        said.lines().filter(|line| line.contains("partitions: ")).map(str::to_owned).collect()
    };
    assert!(migrate().contains("made partition settlement_items_"));
    let good = partitions();
    assert!(good.len() == 1 && good[0].starts_with("ok") && good[0].contains("-01-01T00:00:00"), "{good:?}");

    schema.sql(
        "INSERT INTO journal (bucket, number, at, act, subject, actor, detail, hash)
         VALUES (1, 1, 978307200000, 'a', 's', 'b', '', '')",
    );
    let strays = partitions();
    assert!(strays[0].starts_with("warn  partitions: rows of journal are of a time without"), "{strays:?}");
    assert!(migrate().contains("made partition journal_2001"));
    assert_eq!(partitions(), good);

    schema.sql(
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'
         AND relname ~ '^entries_2' AND relnamespace = to_regnamespace(current_schema())
         LOOP EXECUTE 'DROP TABLE ' || name; END LOOP; END $$",
    );
    let soon = partitions();
    assert!(soon[0].starts_with("warn") && soon[0].ends_with("run `accord migrate`"), "{soon:?}");
    assert!(migrate().contains("made partition entries_"));
    assert_eq!(partitions(), good);
}
