//! Books that somebody has touched: `accord ledger verify` says so, names what, and ends with status 1.

mod support;

use rusqlite::Connection;
use serde_json::Value;
use support::{On, Scratch, body, get, on_every_store, post, post_to_wallet, run, sandbox, sandbox_json};

on_every_store!(whatever_is_touched_in_the_books_is_found,);

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

#[track_caller]
fn call(data: &str, example: &str, sets: &[String]) -> Value {
    let file = format!("{EXAMPLES}/{example}.json");
    let operation = example.rsplit('/').next().expect("an operation");
    let mut args = vec!["call", operation, "--sandbox", data, "--as", "qi", &file];
    for set in sets {
        args.extend(["--set", set]);
    }
    run(&args).ends(0).json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Three debits under Qi, one of them refunded in part; money in twice, and out once.
fn trade(dir: &Scratch, data: &str, url: &str) {
    let prepared = call(data, "qi/prepare", &[]);
    let who = r#""loginId":"+9647701000001","pin":"135790""#;
    let request = format!(r#"{{"url":"{}",{who},"decision":"approve"}}"#, text(&prepared["authUrl"]));
    let decided = body(&post(url, "/sandbox/decide", &request));
    let tokens = call(data, "qi/applyToken", &[format!("authCode={}", text(&decided["authCode"]))]);
    for order in ["one", "two", "three"] {
        let token = format!("paymentAuthCode={}", text(&tokens["accessToken"]));
        let paid = call(data, "qi/pay", &[token, format!("paymentRequestId={order}")]);
        if order == "three" {
            let payment = format!("paymentId={}", text(&paid["paymentId"]));
            let request = "paymentRequestId=three".to_owned();
            call(data, "qi/refund", &[payment, request, "refundRequestId=back".to_owned()]);
        }
    }
    let customer = text(&sandbox_json(dir)["users"][0]["customerId"]);
    for (way, id, value) in [("topUp", "in-1", 7_000), ("topUp", "in-2", 8_000), ("withdraw", "out-1", 500)] {
        let order = format!(
            r#"{{"transferId":"{id}","customerId":"{customer}","amount":{{"currency":"IQD","value":"{value}"}}}}"#
        );
        let moved = post_to_wallet(dir, &format!("/transfers/{way}"), &order);
        assert_eq!(moved["repeated"], false, "{moved}");
    }
    assert!(get(url, "/health/ready").starts_with("HTTP/1.1 200"));
}

/// Books that can be touched and are whole again the next time.
struct Books<'d>(&'d Scratch);

impl Books<'_> {
    /// What [`Books::touch`] may touch.
    const TABLES: [&'static str; 7] =
        ["entries", "postings", "accounts", "payments", "refunds", "settlement_items", "transfers"];

    fn of(dir: &Scratch) -> Books<'_> {
        if let Some(schema) = dir.schema() {
            let keep = Books::TABLES.map(|table| format!("CREATE TABLE whole_{table} AS TABLE {table}"));
            schema.sql(&keep.join("; "));
        }
        Books(dir)
    }

    /// Runs the statements on whole books; the store that has them.
    fn touch(&self, what: &str, sql: &str) -> String {
        let Some(schema) = self.0.schema() else {
            let touched = self.0.file("touched.db");
            std::fs::copy(self.0.file("data/accord.db"), &touched).expect("a copy");
            let db = Connection::open(&touched).expect("the copy");
            db.execute_batch(sql).unwrap_or_else(|fault| panic!("{what}: {fault}"));
            assert!(db.total_changes() > 0, "{what}: nothing was touched");
            return format!("sqlite:{touched}");
        };
        let restore = Books::TABLES
            .map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM whole_{table}"));
        schema.sql(&format!("{}; {sql}", restore.join("; ")));
        self.0.store()
    }
}

fn whatever_is_touched_in_the_books_is_found(on: On) {
    let dir = Scratch::on("tampering", on);
    let data = dir.file("data");
    let (mut server, url) = sandbox(&dir, &[]);
    trade(&dir, &data, &url);
    assert_eq!(server.terminate(), 0);
    let verify = |store: &str| run(&["ledger", "verify", "--data", &data, "--store", store, "--json"]);
    let good = verify(&dir.store()).ends(0).json();
    let books = Books::of(&dir);
    assert_eq!((&good["balanced"], &good["refunds"]), (&true.into(), &1.into()), "{good}");
    assert_eq!(good["transfers"], 3, "{good}");

    let debit = "posting IN (SELECT id FROM postings WHERE kind = 'debit' ORDER BY id LIMIT 1)";
    let posting = "id IN (SELECT id FROM postings WHERE kind = 'debit' ORDER BY id LIMIT 1)";
    for (what, sql, said) in [
        (
            "an entry changed",
            format!("UPDATE entries SET amount = amount + 1 WHERE line = 0 AND {debit}"),
            "not to zero",
        ),
        (
            "both entries of a posting changed alike",
            format!("UPDATE entries SET amount = amount * 2 WHERE {debit}"),
            "its entries sum to",
        ),
        (
            "an entry moved to another user",
            "UPDATE entries SET party = (SELECT 'user:' || id FROM users ORDER BY id LIMIT 1)
             WHERE party LIKE 'payable:%'"
                .to_owned(),
            "its entries sum to",
        ),
        (
            "an entry listed under another user",
            "UPDATE entries SET customer = (SELECT id FROM users WHERE login_id <> '+9647701000001' ORDER BY id
             LIMIT 1) WHERE customer IS NOT NULL"
                .to_owned(),
            "is listed under another user",
        ),
        (
            "an entry listed under nobody",
            "UPDATE entries SET customer = NULL WHERE customer IS NOT NULL".to_owned(),
            "is listed under another user",
        ),
        (
            "an entry listed at another time",
            format!("UPDATE entries SET at = at + 1 WHERE party LIKE 'user:%' AND {debit}"),
            "not to zero",
        ),
        (
            "the time at which a payment was made",
            "UPDATE payments SET created_at = created_at + 1 WHERE request_id = 'one'".to_owned(),
            "its id says otherwise",
        ),
        (
            "a payment listed under another user",
            "UPDATE payments SET customer = (SELECT id FROM users WHERE login_id <> '+9647701000001' ORDER BY id
             LIMIT 1) WHERE request_id = 'one'"
                .to_owned(),
            "does not agree with its posting",
        ),
        (
            "the time of a payment",
            "UPDATE payments SET settled_at = settled_at - 1 WHERE request_id = 'one'".to_owned(),
            "does not agree with its posting",
        ),
        ("an entry removed", format!("DELETE FROM entries WHERE line = 0 AND {debit}"), "not to zero"),
        ("all entries of a posting removed", format!("DELETE FROM entries WHERE {debit}"), "has no entries"),
        (
            "a posting removed",
            format!("DELETE FROM postings WHERE {posting}"),
            "does not agree with its posting",
        ),
        (
            "a posting removed with its entries",
            format!("DELETE FROM entries WHERE {debit}; DELETE FROM postings WHERE {posting}"),
            "its entries sum to",
        ),
        (
            "a balance changed",
            "UPDATE accounts SET balance = balance + 1 WHERE rowid_of = 1".replace(
                "rowid_of = 1",
                "customer = (SELECT id FROM users WHERE login_id = '+9647701000001') AND currency = 'IQD'",
            ),
            "its entries sum to",
        ),
        ("an account removed", "DELETE FROM accounts".to_owned(), "there is no account"),
        (
            "an invented credit",
            "INSERT INTO postings (bucket, id, kind, reference, at) SELECT bucket, id || 'x', 'credit', 'gift', at
             FROM postings LIMIT 1"
                .to_owned(),
            "",
        ),
        (
            "a payment that was never paid",
            "UPDATE payments SET posting = NULL WHERE request_id = 'one'".to_owned(),
            "is paid without a posting",
        ),
        ("an amount paid", "UPDATE payments SET amount = amount + 1".to_owned(), "does not agree"),
        ("a payment removed", "DELETE FROM payments WHERE request_id = 'one'".to_owned(), "debits were posted"),
        ("a refund's amount", "UPDATE refunds SET amount = amount - 1".to_owned(), "does not agree"),
        ("a refund removed", "DELETE FROM refunds".to_owned(), "refunds were posted"),
        ("a refunded sum", "UPDATE payments SET refunded = 0".to_owned(), "were given back"),
        (
            "a settlement item",
            "UPDATE settlement_items SET amount = amount + 1 WHERE request_id = 'one'".to_owned(),
            "settlement",
        ),
        (
            "a settlement item removed",
            "DELETE FROM settlement_items WHERE request_id = 'one'".to_owned(),
            "settlement",
        ),
        (
            "a transfer's amount",
            "UPDATE transfers SET value = value + 1 WHERE id = 'in-1'".to_owned(),
            "transfer in-1 does not agree",
        ),
        (
            "a transfer's direction",
            "UPDATE transfers SET direction = 'withdraw' WHERE id = 'in-1'".to_owned(),
            "transfer in-1 does not agree",
        ),
        (
            "a transfer's user",
            "UPDATE transfers SET customer = (SELECT id FROM users WHERE login_id <> '+9647701000001'
             ORDER BY id LIMIT 1) WHERE id = 'out-1'"
                .to_owned(),
            "transfer out-1 does not agree",
        ),
        (
            "a transfer's posting",
            "UPDATE transfers SET posting = (SELECT posting FROM transfers WHERE id = 'in-1') WHERE id = 'in-2'"
                .to_owned(),
            "transfer in-2 does not agree",
        ),
        (
            "a transfer removed, which could then be made again",
            "DELETE FROM transfers WHERE id = 'in-2'".to_owned(),
            "2 top-ups and 1 withdrawals were posted for 1 and 1 transfers",
        ),
        (
            "an invented withdrawal",
            "INSERT INTO transfers (bucket, id, customer, direction, currency, value, posting, at)
             SELECT bucket, id || 'x', customer, direction, currency, value, posting, at FROM transfers
             WHERE id = 'out-1'"
                .to_owned(),
            "transfer out-1x does not agree",
        ),
        (
            "a top-up that says it was an operator's credit",
            "UPDATE postings SET kind = 'credit' WHERE kind = 'top_up' AND reference = 'in-1'".to_owned(),
            "transfer in-1 does not agree",
        ),
    ] {
        let touched = books.touch(what, &sql);
        let report = verify(&touched);
        if report.status == 1 && !report.out.starts_with('{') {
            // A row that can no longer be read is found as well.
            assert!(said.is_empty(), "{what}: {}", report.err);
            continue;
        }
        let found = report.ends(1).json();
        let faults = found["faults"].to_string();
        assert!(found["balanced"] == false && faults.contains(said), "{what}: {faults}");
        let doctor = run(&["doctor", "--data", &data, "--store", &touched]).ends(1);
        assert!(doctor.out.contains("fault ledger"), "{what}: {}", doctor.out);
    }
}
