//! Vectors: exact bytes in, exact bytes out, as short stories in `vectors/<dialect>/<operation>/<case>.json`.
//!
//! A file holds everything that is needed to play it on a freshly furnished house ([`crate::conformance`]): each step
//! has a time and a seed, and either a request with its reply or something that happens beside the wire. [`story`] is
//! the file, [`play`] plays it against a store or tells a new one, [`catalogue`] is who wrote them, [`codes`] is which
//! result codes they must show. The files are the promise: read their diff as if you were the merchant.

pub mod catalogue;
pub mod codes;
pub mod paper;
pub mod play;
pub mod story;

use std::path::{Path, PathBuf};

/// The folder of the vectors.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

/// Were we asked to write files anew (`ACCORD_UPDATE=1`) instead of comparing them?
pub fn updating() -> bool {
    std::env::var_os("ACCORD_UPDATE").is_some_and(|value| value == "1")
}

/// Every vector file of both dialects, as `<dialect>/<operation>/<case>`, in order.
pub fn files() -> Vec<String> {
    let names = |dir: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(dir).map(|entries| entries.flatten().collect()).unwrap_or_default();
        let entries: Vec<std::fs::DirEntry> = entries;
        entries.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let mut files = Vec::new();
    for dialect in crate::conformance::speech::Speech::ALL.map(|speech| speech.name()) {
        for operation in names(&root().join(dialect)) {
            for case in names(&root().join(dialect).join(&operation)) {
                files.extend(case.strip_suffix(".json").map(|case| format!("{dialect}/{operation}/{case}")));
            }
        }
    }
    files.sort();
    files
}

/// Where a vector is kept.
pub fn path_of(name: &str) -> PathBuf {
    root().join(format!("{name}.json"))
}

/// Reads a vector.
pub fn read(name: &str) -> story::Story {
    let path = path_of(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    story::Story::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Every vector with its name: from the files, or, when they are being written anew, as they will be.
pub fn stories() -> Vec<(String, story::Story)> {
    if updating() {
        return catalogue::cases().flat_map(catalogue::Case::tell).collect();
    }
    files().into_iter().map(|name| (name.clone(), read(&name))).collect()
}
