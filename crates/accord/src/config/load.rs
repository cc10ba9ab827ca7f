//! Reading a configuration file: from bytes to [`File`], every fault a sentence with file, line, key and what to do.

use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads a file as TOML. The fault is for people.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|fault| {
        format!("{} cannot be read ({fault}): check the path; `accord config example` prints a file to start from", path.display())
    })?;
    parse(&text, path)
}

/// Reads a text as TOML; `path` is for the sentence.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, String> {
    toml::from_str(text).map_err(|fault| {
        let place = fault.span().map(|span| Place::of(text, span.start));
        sentence(path, place.as_ref(), fault.message())
    })
}

/// Where in a file.
struct Place {
    line: usize,
    key: String,
}

impl Place {
    fn of(text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let mut table = String::new();
        let mut key = String::new();
        for (number, line_text) in text.lines().enumerate().take(line) {
            let line_text = line_text.trim();
            if line_text.starts_with('[') {
                let name = line_text.trim_start_matches('[');
                table = name.split(']').next().unwrap_or_default().trim().to_owned();
                key = String::new();
            } else if let Some((name, _)) = line_text.split_once('=').filter(|_| number + 1 == line) {
                key = name.trim().to_owned();
            }
        }
        let joined = [table, key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        Place { line, key: joined }
    }
}

fn sentence(path: &Path, place: Option<&Place>, message: &str) -> String {
    let message = message.lines().collect::<Vec<_>>().join(", ");
    let todo = if message.contains("unknown field") {
        "correct the name or remove it"
    } else if message.contains("missing field") {
        "add it; `accord config example` shows how"
    } else {
        "`accord config example` shows every key with its form"
    };
    match place {
        Some(Place { line, key }) if !key.is_empty() => {
            format!("{}, line {line}, `{key}`: {message}: {todo}", path.display())
        }
        Some(Place { line, .. }) => format!("{}, line {line}: {message}: {todo}", path.display()),
        None => format!("{}: {message}: {todo}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SandboxFile;

    #[track_caller]
    fn faults(text: &str, parts: &[&str]) {
        let fault = parse::<SandboxFile>(text, Path::new("accord.toml")).map(|_| ()).unwrap_err();
        for part in parts {
            assert!(fault.contains(part), "`{part}` is not in: {fault}");
        }
        assert_eq!(fault.lines().count(), 1, "{fault}");
    }

    #[test]
    fn a_fault_names_file_line_key_and_what_to_do() {
        faults(
            "[qi]\nmount = []\n",
            &["accord.toml, line 2, `qi.mount`", "unknown field", "correct the name"],
        );
        faults("[qi]\nmounts = 5\n", &["line 2, `qi.mounts`", "accord config example"]);
        faults("[qi.lifetimes]\n\ncode = \"ten\"\n", &["line 3, `qi.lifetimes.code`", "not a span of time"]);
        faults("[qi\n", &["accord.toml, line 1"]);
    }
}
