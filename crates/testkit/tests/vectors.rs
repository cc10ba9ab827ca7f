//! The vectors: told by the catalogue, kept in files, played on every store byte for byte.

use accord_core::store::Store;
use accord_store::{SqliteOptions, SqliteStore};
use accord_testkit::conformance::fixture::{CLIENTS, WALLET_PUBLIC_KEY};
use accord_testkit::conformance::speech::{Speech, result_code};
use accord_testkit::model::ModelStore;
use accord_testkit::vectors::story::{Story, reason_name};
use accord_testkit::vectors::{catalogue, codes, files, path_of, play, read, updating};
use accord_wire::keys::PublicKey;
use accord_wire::signature;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

fn told() -> BTreeMap<String, Story> {
    let mut told = BTreeMap::new();
    for (name, story) in catalogue::cases().flat_map(catalogue::Case::tell) {
        assert!(told.insert(name.clone(), story).is_none(), "two cases are called {name}");
    }
    told
}

#[test]
fn the_files_are_what_the_catalogue_tells() {
    let told = told();
    if updating() {
        for (name, story) in &told {
            let path = path_of(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, story.text()).expect("a vector");
        }
    }
    let files: BTreeSet<String> = files().into_iter().collect();
    assert_eq!(files, told.keys().cloned().collect(), "each file has a case and each case a file");
    for (name, story) in &told {
        let kept = std::fs::read_to_string(path_of(name)).expect("a vector");
        assert!(kept == story.text(), "{name} is told otherwise now; ACCORD_UPDATE=1 writes it anew");
    }
}

/// Plays every file on stores made by `store`.
fn every_vector_on(store: impl Fn(usize) -> Arc<dyn Store>) {
    let files = files();
    assert!(files.len() > 60, "there are vectors");
    for (number, name) in files.iter().enumerate() {
        if let Err(difference) = play::replay(&read(name), store(number)) {
            panic!("{name}: {difference}");
        }
    }
}

#[test]
fn the_model_store_answers_every_vector_byte_for_byte() {
    every_vector_on(|_| Arc::new(ModelStore::new()));
}

#[test]
fn sqlite_answers_every_vector_byte_for_byte() {
    let scratch = Scratch::new("vectors");
    every_vector_on(|number| {
        let file = scratch.0.join(format!("{number}.db"));
        Arc::new(
            SqliteStore::open(file, SqliteOptions { readers: 1, ..SqliteOptions::default() })
                .expect("a store"),
        )
    });
}

#[test]
fn a_file_survives_being_read_and_written() {
    for name in files() {
        let kept = std::fs::read_to_string(path_of(&name)).expect("a vector");
        assert!(read(&name).text() == kept, "{name}");
    }
}

#[test]
fn every_operation_has_a_vector_that_succeeds() {
    for speech in Speech::ALL {
        for operation in speech.operations() {
            let folder = format!("{}/{}/", speech.name(), operation.name);
            let target = speech.target(operation.name);
            let mut stories =
                files().into_iter().filter(|name| name.starts_with(&folder)).map(|name| read(&name));
            let succeeds = stories.any(|story| {
                story.calls().any(|call| call.request.target == target && call.reason.is_none())
            });
            assert!(succeeds, "{folder} shows no success");
        }
    }
}

#[test]
fn every_reason_is_shown_or_it_is_said_why_not() {
    let shown = codes::shown();
    for speech in Speech::ALL {
        for (reason, code) in speech.codes() {
            let name = reason_name(reason);
            let vector = shown.get(&(speech, reason));
            match codes::why_not_shown(speech, reason) {
                None => assert!(vector.is_some(), "{}: {name} ({}) needs a vector", speech.name(), code.code),
                Some(why) => assert_eq!(vector, None, "{}: {name} is shown after all: {why}", speech.name()),
            }
        }
    }
}

#[test]
fn every_reply_has_the_code_of_its_reason_and_the_wallets_signature() {
    let wallet = PublicKey::parse(WALLET_PUBLIC_KEY).expect("the wallet's key");
    for name in files() {
        let speech = name.split('/').next().and_then(Speech::named).expect("a dialect");
        for call in read(&name).calls() {
            let body: serde_json::Value = serde_json::from_slice(&call.reply.body).expect("JSON");
            let code = call.reason.map_or("SUCCESS", |reason| speech.code(reason).code);
            assert_eq!(result_code(&body), code, "{name}");
            let header = |name: &str| {
                let value = call.reply.headers.iter().find(|(found, _)| found == name);
                value.map_or("", |(_, value)| value.as_str()).as_bytes()
            };
            let content = signature::content_to_sign(
                call.request.method.as_bytes(),
                call.request.target.as_bytes(),
                header("client-id"),
                header("response-time"),
                &call.reply.body,
            );
            let signature = signature::parse([header("signature")]).expect("a signature");
            assert_eq!(signature::verify(&wallet, &content, &signature), Ok(()), "{name}");
        }
    }
}

#[test]
fn each_client_signs_with_a_key_of_its_own() {
    let keys: BTreeSet<String> =
        CLIENTS.iter().map(|client| client.key().public_key().pem().to_owned()).collect();
    assert_eq!(keys.len(), CLIENTS.len());
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a scratch folder");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
