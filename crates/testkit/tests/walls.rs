//! The walls of ARCHITECTURE.md, each a test that says why it stands.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn files(below: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(dir) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target" && name != "node_modules") {
                    walk(&path, ending, found);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(below), ending, &mut found);
    found.sort();
    found
}

fn named(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Lines of code that contain one of `words`, outside of comments.
fn lines_with(paths: &[PathBuf], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).expect("a source file");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = words.iter().find(|word| code.contains(**word)) {
                found.push(format!("{}:{}: {word}", named(path), number + 1));
            }
        }
    }
    found
}

#[test]
fn core_knows_only_std_and_a_hash() {
    let manifest = fs::read_to_string(root().join("crates/core/Cargo.toml")).expect("core's manifest");
    let dependencies: Vec<&str> = manifest
        .split("[dependencies]")
        .nth(1)
        .expect("dependencies")
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim().is_empty())
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .collect();
    assert_eq!(
        dependencies,
        ["hmac", "sha2"],
        "a rule that needs more than a hash has come in by the wrong door"
    );
}

#[test]
fn no_vendor_is_named_in_the_code_of_core() {
    let found = lines_with(&files("crates/core/src", ".rs"), &["alipay", "Alipay", "Qi", "qi::", "Antom"]);
    assert!(found.is_empty(), "core decides for every dialect alike: {found:#?}");
}

#[test]
fn no_dialect_imports_another() {
    let qi = lines_with(&files("crates/wire/src/qi", ".rs"), &["alipay_plus"]);
    let alipay_plus = lines_with(&files("crates/wire/src/alipay_plus", ".rs"), &["crate::qi"]);
    assert!(
        qi.is_empty() && alipay_plus.is_empty(),
        "a dialect can be taken out whole: {qi:#?} {alipay_plus:#?}"
    );
}

#[test]
fn only_one_file_reads_the_clock_or_entropy() {
    let product: Vec<PathBuf> =
        ["crates/core/src", "crates/wire/src", "crates/store/src", "crates/server/src"]
            .iter()
            .flat_map(|dir| files(dir, ".rs"))
            .filter(|path| !path.ends_with("crates/server/src/clock.rs"))
            .collect();
    let mut found = lines_with(
        &product,
        &["SystemTime::now", "Timestamp::now", "rand::fill(", "thread_rng", "SystemRandom::new"],
    );
    // The library wants a source of randomness to blind a private key while it signs; no byte of output depends on it.
    // A seal (ECDSA) draws its nonce there, which no caller may choose; every seal over a content verifies alike.
    let signing = ["crates/wire/src/keys.rs", "crates/wire/src/seal.rs"];
    found.retain(|line| !signing.iter().any(|file| line.starts_with(file)));
    assert!(found.is_empty(), "time and chance are arguments: take the call's Moment: {found:#?}");
}

#[test]
fn wire_opens_no_socket_and_stores_speak_no_protocol() {
    let wire = lines_with(
        &files("crates/wire/src", ".rs"),
        &["std::net::Tcp", "tokio", "hyper", "reqwest", "rusqlite"],
    );
    assert!(wire.is_empty(), "wire is bytes in, bytes out: {wire:#?}");
    let store = lines_with(&files("crates/store/src", ".rs"), &["accord_wire", "serde_json", "resultCode"]);
    assert!(store.is_empty(), "a store holds rows: {store:#?}");
}

#[test]
fn no_rust_file_is_longer_than_six_hundred_lines() {
    let long: Vec<String> = files("crates", ".rs")
        .into_iter()
        .filter_map(|path| {
            let lines = fs::read_to_string(&path).expect("a source file").lines().count();
            (lines > 600).then(|| format!("{} has {lines} lines", named(&path)))
        })
        .collect();
    assert!(long.is_empty(), "when a file needs a table of contents it is two files: {long:#?}");
}

#[test]
fn every_crate_forbids_unsafe_code_through_the_workspace() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    for manifest in files("crates", "Cargo.toml") {
        let text = fs::read_to_string(&manifest).expect("a manifest");
        assert!(text.contains("[lints]\nworkspace = true"), "{} has lints of its own", named(&manifest));
    }
}

#[test]
fn nothing_is_left_unfinished_in_the_product() {
    let mut sources = files("crates", ".rs");
    sources.retain(|path| !path.ends_with("crates/testkit/tests/walls.rs"));
    let words = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME")];
    let found = lines_with(&sources, &words);
    assert!(
        found.is_empty(),
        "a stub is worse than a missing feature that is said to be missing: {found:#?}"
    );
}

/// Files of tests that may open a store by themselves, and why.
const OPEN_A_STORE: &[(&str, &str)] = &[
    ("crates/testkit/tests/stores/", "the list"),
    ("crates/testkit/tests/model.rs", "the model's own failures"),
    ("crates/store/tests/", "each engine's own: the laws, files, servers, migrations"),
    ("crates/wire/tests/gateway_replies.rs", "a dialect made up for the gateway, whose acts touch no row"),
    ("crates/accord/tests/nodes/limits.rs", "three stores of one database, held at one second"),
];

/// Files of tests that name one store of the list, and why.
const NAME_A_STORE: &[(&str, &str)] = &[
    ("crates/testkit/tests/stores/", "the list"),
    ("crates/testkit/tests/pruning.rs", "beside each store of the list one that is never pruned"),
    ("crates/accord/tests/support/", "the list"),
    ("crates/accord/tests/house/nodes.rs", "several nodes: PostgreSQL alone has them"),
    ("crates/accord/tests/nodes/", "several nodes"),
    ("crates/accord/tests/failover.rs", "several nodes, on servers of its own"),
    ("crates/accord/tests/store_faults.rs", "faults of a server, each a server of its own"),
    ("crates/accord/tests/rolling_upgrade.rs", "two programs on one database"),
    ("crates/accord/tests/backup.rs", "each engine is backed up in its own way"),
    ("crates/accord/tests/other_keys.rs", "several nodes, where they must not be alike"),
    ("crates/accord/tests/moving.rs", "from the one to the other"),
    ("crates/accord/tests/deployment.rs", "the manifests name PostgreSQL"),
];

/// Lines of tests that name something, but for the files that may; and the files among these that do not.
fn named_outside(below: &[&str], words: &[&str], may: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let paths: Vec<PathBuf> = below.iter().flat_map(|dir| files(dir, ".rs")).collect();
    let mut found = lines_with(&paths, words);
    found.retain(|line| !line.starts_with("crates/testkit/tests/walls.rs"));
    let idle = may.iter().filter(|(file, _)| !found.iter().any(|line| line.starts_with(file)));
    let idle = idle.map(|(file, _)| (*file).to_owned()).collect();
    found.retain(|line| !may.iter().any(|(file, _)| line.starts_with(file)));
    (found, idle)
}

#[test]
fn every_suite_that_runs_on_a_store_takes_it_from_the_one_list() {
    let tests =
        ["testkit", "store", "wire", "server", "client", "accord"].map(|name| format!("crates/{name}/tests"));
    let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
    let words = ["ModelStore", "SqliteStore", "PostgresStore"];
    let (found, idle) = named_outside(&tests, &words, OPEN_A_STORE);
    assert!(found.is_empty(), "take it from tests/stores, so that it is told on every store: {found:#?}");
    assert!(idle.is_empty(), "no exception is needed for {idle:?}");
    let words = ["Shelf::Model", "Shelf::Sqlite", "Shelf::Postgres", "On::Sqlite", "On::Postgres"];
    let (found, idle) = named_outside(&tests, &words, NAME_A_STORE);
    assert!(found.is_empty(), "let the list make a test of it for each store: {found:#?}");
    assert!(idle.is_empty(), "no exception is needed for {idle:?}");
}
