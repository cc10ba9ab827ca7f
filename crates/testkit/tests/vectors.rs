//! The vectors: told by the catalogue, kept in files, played on every store byte for byte.

mod stores;

use accord_testkit::conformance::fixture::{CLIENTS, WALLET_PUBLIC_KEY};
use accord_testkit::conformance::speech::{Speech, result_code};
use accord_testkit::vectors::story::{Story, reason_name};
use accord_testkit::vectors::{catalogue, codes, files, paper, path_of, play, read, updating};
use accord_wire::keys::PublicKey;
use accord_wire::signature;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use stores::{Shelf, tests_on_every_store};

tests_on_every_store!(every_vector_is_answered_byte_for_byte);

fn told() -> BTreeMap<String, Story> {
    let mut told = BTreeMap::new();
    for (name, story) in catalogue::cases().flat_map(catalogue::Case::tell) {
        assert!(told.insert(name.clone(), story).is_none(), "two cases are called {name}");
    }
    told
}

/// The vectors as the files have them; written first, when that is asked for.
fn kept() -> &'static [(String, Story)] {
    static KEPT: OnceLock<Vec<(String, Story)>> = OnceLock::new();
    KEPT.get_or_init(|| {
        if updating() {
            write();
        }
        files().into_iter().map(|name| (name.clone(), read(&name))).collect()
    })
}

fn write() {
    for (name, story) in told() {
        let path = path_of(&name);
        if std::fs::read_to_string(&path).is_ok_and(|kept| kept == story.text()) {
            continue;
        }
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        // Renamed into place: another test process may be reading.
        let new = path.with_extension(format!("new-{}", std::process::id()));
        std::fs::write(&new, story.text()).expect("a vector");
        std::fs::rename(&new, &path).expect("a vector");
    }
}

#[test]
fn the_files_are_what_the_catalogue_tells() {
    let (kept, told) = (kept(), told());
    let files: BTreeSet<&String> = kept.iter().map(|(name, _)| name).collect();
    assert_eq!(files, told.keys().collect(), "each file has a case and each case a file");
    for (name, story) in kept {
        let same = told.get(name).is_some_and(|told| told.text() == story.text());
        assert!(same, "{name} is told otherwise now; ACCORD_UPDATE=1 writes it anew");
    }
}

/// Plays every file on one store, emptied before each.
fn every_vector_is_answered_byte_for_byte(shelf: Shelf) {
    assert!(kept().len() > 60, "there are vectors");
    let store = shelf.open();
    for (number, (name, story)) in kept().iter().enumerate() {
        // On PostgreSQL emptying it takes longer than the vector.
        if shelf.plays(number, 4) {
            store.empty();
            if let Err(difference) = play::replay(story, Arc::new(store.clone())) {
                panic!("{name}: {difference}");
            }
        }
    }
}

#[test]
fn a_file_survives_being_read_and_written() {
    for (name, story) in kept() {
        let text = std::fs::read_to_string(path_of(name)).expect("a vector");
        assert!(story.text() == text, "{name}");
    }
}

#[test]
fn every_operation_has_a_vector_that_succeeds() {
    for speech in Speech::ALL {
        for operation in speech.operations() {
            let folder = format!("{}/{}/", speech.name(), operation.name);
            let target = speech.target(operation.name);
            let mut calls = kept()
                .iter()
                .filter(|(name, _)| name.starts_with(&folder))
                .flat_map(|(_, story)| story.calls());
            let succeeds = calls.any(|call| call.request.target == target && call.reason.is_none());
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

/// Every code of both papers, by operation: shown by a vector of that operation, or said why not. Never both.
#[test]
fn every_code_of_the_papers_is_shown_or_it_is_said_why_not() {
    let mut shown: BTreeSet<(&str, String, String)> = BTreeSet::new();
    for (name, story) in kept() {
        let speech = name.split('/').next().and_then(Speech::named).expect("a dialect");
        for call in story.calls() {
            let of = |operation: &&str| speech.target(operation) == call.request.target;
            let operation = speech.operations().iter().map(|operation| operation.name).find(of);
            for code in paper::said_by(call) {
                shown.insert((speech.name(), paper::COMMON.to_owned(), code.clone()));
                shown.extend(operation.map(|operation| (speech.name(), operation.to_owned(), code)));
            }
        }
    }
    let mut wrong = Vec::new();
    for (speech, operation, codes) in paper::TABLES {
        for code in *codes {
            let is_shown = shown.contains(&(speech.name(), (*operation).to_owned(), (*code).to_owned()));
            // Sent, but by nothing that a vector could show.
            let excused = speech.codes().iter().any(|(reason, known)| {
                known.code == *code && codes::why_not_shown(*speech, *reason).is_some()
            });
            match (is_shown, paper::why_never(*speech, operation, code)) {
                (true, None) | (false, Some(_)) => {}
                (false, None) if excused => {}
                (true, Some(why)) => {
                    wrong.push(format!("{speech:?} {operation} {code} is sent after all: {why}"))
                }
                (false, None) => {
                    wrong.push(format!("{speech:?} {operation} {code} needs a vector or a reason"))
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_operation_has_a_table_and_no_excuse_is_idle() {
    for speech in Speech::ALL {
        for operation in speech.operations() {
            let mut tables = paper::TABLES.iter();
            assert!(
                tables.any(|(of, name, _)| (*of, *name) == (speech, operation.name)),
                "{}",
                operation.name
            );
        }
    }
    for (speech, code, operations, _) in paper::NEVER {
        let printed = paper::TABLES.iter().filter(|(of, _, codes)| of == speech && codes.contains(code));
        let printed: Vec<&str> = printed.map(|(_, operation, _)| *operation).collect();
        assert!(!printed.is_empty() && operations.iter().all(|of| printed.contains(of)), "{code}");
    }
}

#[test]
fn every_request_of_ours_has_the_wallets_signature() {
    let wallet = PublicKey::parse(WALLET_PUBLIC_KEY).expect("the wallet's key");
    let mut kinds = BTreeSet::new();
    for (name, story) in kept() {
        for sent in story.sent() {
            let header = |name: &str| {
                let value = sent.headers.iter().find(|(found, _)| found == name);
                value.map_or("", |(_, value)| value.as_str()).as_bytes()
            };
            assert!(sent.url.ends_with(&sent.target), "{name}");
            let (target, body) = (sent.target.as_bytes(), sent.body.as_bytes());
            let (client, time) = (header("client-id"), header("request-time"));
            let content = signature::content_to_sign(b"POST", target, client, time, body);
            let signature = signature::parse([header("signature")]).expect("a signature");
            assert_eq!(signature::verify(&wallet, &content, &signature), Ok(()), "{name}");
            let dialect = name.split('/').next().unwrap_or_default();
            kinds.insert(format!("{dialect} {}", sent.kind));
        }
    }
    let all = [
        "alipay-plus AUTHCODE_CREATED",
        "alipay-plus TOKEN_CANCELED",
        "alipay-plus TOKEN_CREATED",
        "alipay-plus consultUnbinding",
        "alipay-plus notifyPayment",
        "qi contractStatus",
        "qi notifyPayment",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn every_reply_has_the_code_of_its_reason_and_the_wallets_signature() {
    let wallet = PublicKey::parse(WALLET_PUBLIC_KEY).expect("the wallet's key");
    for (name, story) in kept() {
        let speech = name.split('/').next().and_then(Speech::named).expect("a dialect");
        for call in story.calls() {
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
