# Shortcuts; everything here is also plain cargo.
dev:
    cargo run --release -- dev
test *ARGS:
    ./scripts/test {{ARGS}}
fmt:
    cargo fmt --all
lint:
    cargo clippy --release --workspace --all-targets -- -D warnings
deny:
    cargo deny check licenses bans sources
