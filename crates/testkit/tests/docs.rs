//! The pages for people: every link in them leads somewhere, no two decisions have one number, and operators are told of
//! every metric.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pages() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(|name| root().join(name))
        .into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|ending| ending == "md") => found.push(path),
                _ => {}
            }
        }
    }
    found
}

/// The anchors of a page's headings, as they are made where it is read.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = page.split("```").step_by(2).collect::<String>();
    let headings =
        prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let (mut broken, mut count) = (Vec::new(), 0);
    for file in pages() {
        let page = std::fs::read_to_string(&file).expect("a page");
        let prose = page.split("```").step_by(2).collect::<String>();
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(' ') {
                continue;
            }
            count += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let there = if path.is_empty() { file.clone() } else { file.with_file_name("").join(path) };
            let fine = match std::fs::read_to_string(&there) {
                Ok(text) => anchor.is_empty() || anchors(&text).contains(anchor),
                Err(_) => anchor.is_empty() && there.is_dir(),
            };
            if !fine {
                broken.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(count > 20, "{count}");
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn operators_are_told_of_every_metric_and_of_no_other() {
    let (mut shown, mut folders) = (BTreeSet::new(), vec![root().join("crates/server/src")]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let code = std::fs::read_to_string(&path).expect("a source file");
                for made in ["gauge!(", "counter!(", "histogram!("] {
                    let names =
                        code.split(made).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                    shown.extend(names.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
                }
            }
        }
    }
    assert!(shown.len() > 10, "{shown:?}");
    let page = std::fs::read_to_string(root().join("docs/operating.md")).expect("a page");
    let (_, table) = page.split_once("\n### Metrics\n").expect("the metrics");
    let table = table.split("\n## ").next().unwrap_or_default();
    let told: BTreeSet<String> =
        table.split('`').filter(|word| word.starts_with("accord_")).map(str::to_owned).collect();
    assert_eq!(told, shown);
}

#[test]
fn every_decision_has_a_number_of_its_own_and_its_title_has_it_too() {
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("docs/decisions")).expect("decisions").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number: u32 = name.split('-').next().and_then(|text| text.parse().ok()).expect("a number");
        let page = std::fs::read_to_string(entry.path()).expect("a page");
        assert!(page.starts_with(&format!("# {number}. ")), "{name}");
        assert!(numbers.insert(number), "{name}: another decision has this number");
    }
    assert_eq!(numbers.len() as u32, *numbers.last().expect("decisions"), "none is missing");
}
