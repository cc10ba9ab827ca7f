//! `docs/result-codes.md` says what the tables say.

use accord_testkit::vectors::{codes, root, updating};

#[test]
fn the_page_of_result_codes_is_what_the_tables_say() {
    let path = root().join("../docs/result-codes.md");
    let page = codes::page();
    if updating() {
        std::fs::write(&path, &page).expect("the page");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/result-codes.md is out of step; ACCORD_UPDATE=1 writes it anew");
    assert!(!page.contains("none: missing"), "a reason has neither a vector nor an excuse");
}
