//! `accord move` under a running wallet: killed midway, resumed, and then the same wallet on PostgreSQL: the same
//! tokens, payments and answers, to the byte.

mod house;

use accord_testkit::postgres;
use house::House;
use house::shop::{Bill, Shop};
use house::support::{On, Running, Scratch, run};
use std::time::Duration;

/// So many rows that a move takes a while.
const FILLER: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
    INSERT INTO settings SELECT 'filler ' || i, 'x' FROM n";

/// What a client was told, kept to be asked for again.
struct Told {
    shop: Shop,
    prepared: Option<Vec<u8>>,
    tokens: house::Tokens,
    bills: Vec<(Bill, Vec<u8>)>,
}

async fn tell(house: &House, who: &str, user: usize) -> Told {
    let shop = house.shop(who);
    let reference = format!("plan of {who}");
    let said = shop.call("prepare", shop.prepare_body(&reference, None)).await;
    said.is("S SUCCESS");
    // Qi has no reference: each prepare is a new one.
    let prepared = (who == "alipayPlus2").then(|| said.raw.clone());
    let code = house.approve(&house::shop::auth_id(&said.body), user).await;
    let said = shop.apply(&code).await;
    let tokens = said.tokens();
    let mut bills = Vec::new();
    for (number, value) in [700, 800, u64::from(u32::MAX) * 1000].into_iter().enumerate() {
        let bill = Bill::new(&format!("{who}-{number}"), "IQD", value);
        let said = shop.pay(&bill, &tokens.access).await;
        let expected = if number < 2 { "S SUCCESS" } else { "F USER_BALANCE_NOT_ENOUGH" };
        said.is(expected);
        bills.push((bill, said.raw));
    }
    Told { shop, prepared, tokens, bills }
}

/// Asks for everything again: the same answers.
async fn asks_again(told: &Told, shop: &Shop) {
    if let Some(prepared) = &told.prepared {
        let again = shop.call("prepare", shop.prepare_body("plan of alipayPlus2", None)).await;
        assert_eq!(&again.raw, prepared);
    }
    for (bill, raw) in &told.bills {
        let again = shop.pay(bill, &told.tokens.access).await;
        assert_eq!(&again.raw, raw, "{}", bill.id);
    }
}

async fn new_debit_is_unknown(told: &Told, id: &str) {
    let said = told.shop.pay(&Bill::new(id, "IQD", 9), &told.tokens.access).await;
    assert_eq!(said.status, "U", "{}", said.body);
    let first = &told.bills[0].0.id;
    assert_eq!(told.shop.inquire(first).await, Some('S'), "inquiries go on");
    assert_eq!(told.shop.inquire(id).await, None, "nothing happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_moves_to_postgresql_and_nobody_hears_another_answer() {
    let Some(schema) = postgres::fresh() else { return };
    let mut house = House::open("moving", On::Sqlite);
    let data = house.data().to_str().expect("UTF-8").to_owned();
    let file = format!("{data}/accord.db");
    let told = [tell(&house, "qi2", 0).await, tell(&house, "alipayPlus2", 3).await];
    let balances = [house.balance(0, "IQD").await, house.balance(3, "IQD").await];
    rusqlite::Connection::open(&file).expect("the file").execute_batch(FILLER).expect("rows");

    let (from, to) = (format!("sqlite:{file}"), schema.url());
    let args = ["move", "--from", &from, "--to", &to];
    // Killed when a part of a table is there.
    let files = Scratch::new("moving-files");
    let mut moving = Running::start(&args, &files.path().join("log"));
    for _ in 0..3000 {
        let there = schema.sql("SELECT to_regclass('settings') IS NOT NULL");
        if there == "t" && schema.sql("SELECT count(*) > 1000 FROM settings") == "t" {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    moving.kill();
    let part: u64 = schema.sql("SELECT count(*) FROM settings").parse().expect("a number");
    assert!(part > 1000 && part < 120_000, "{part} rows when it was killed: {}", moving.said());

    // While it is on its way: nothing new, nothing lost, and what was answered is answered.
    for told in &told {
        new_debit_is_unknown(told, &format!("late-{}", told.bills[0].0.id)).await;
        asks_again(told, &told.shop).await;
    }
    run(&["dev", "--data", &data, "--store", &to]).ends(1).complains_of(&["another store"]);
    let elsewhere = files.file("data");
    run(&["dev", "--data", &elsewhere, "--store", &to])
        .ends(1)
        .complains_of(&["being filled", "accord move"]);

    let said = run(&[&args[..], &["--json"]].concat()).ends(0).json();
    assert!(said["resumed"].as_u64().is_some_and(|rows| rows >= part - 1), "{said}");
    let tables = said["tables"].as_array().expect("tables");
    assert!(tables.iter().all(|table| table["sha256"].as_str().is_some_and(|hex| hex.len() == 64)));
    let rows =
        |name: &str| tables.iter().find(|table| table["table"] == name).map(|table| table["rows"].clone());
    assert_eq!(rows("payments"), Some(6.into()));

    // The old store stays closed, for the running process and for the next.
    new_debit_is_unknown(&told[0], "too-late").await;
    house.stop();
    run(&["dev", "--data", &data]).ends(1).complains_of(&["was moved to", "serve from there"]);
    assert!(run(&["doctor", "--data", &data]).ends(1).out.contains("was moved to"));
    run(&["user", "freeze", "--data", &data, "+9647701000001"]).ends(1);
    run(&args).ends(1).complains_of(&["already"]);

    // The same wallet on the other store.
    house.start_with(&["--store", &to]);
    for told in &told {
        let shop = told.shop.at(&house.url);
        asks_again(told, &shop).await;
        shop.pay(&Bill::new("too-late", "IQD", 9), &told.tokens.access).await.is("S SUCCESS");
        shop.refresh(&told.tokens.refresh).await.is("S SUCCESS");
    }
    assert_eq!([house.balance(0, "IQD").await, house.balance(3, "IQD").await], balances.map(|sum| sum - 9));
    run(&["ledger", "verify", "--data", &data]).ends(0);
    // A stop writes a checkpoint: without one nothing proves an export whole.
    house.stop();
    let journal = files.file("journal.jsonl");
    run(&["audit", "export", "--data", &data, "--out", &journal]).ends(0);
    run(&["audit", "verify", &journal, "--key", &format!("{data}/keys/audit.pub.pem")]).ends(0);
}

#[test]
fn what_cannot_be_moved_is_said_in_a_sentence() {
    let dir = Scratch::new("not-moving");
    let missing = format!("sqlite:{}", dir.file("none.db"));
    let nowhere = "postgres://me@127.0.0.1:1/wallet";
    run(&["move", "--from", &missing, "--to", nowhere]).ends(1).complains_of(&["there is no database"]);
    run(&["move", "--from", nowhere, "--to", &missing]).ends(2).complains_of(&["and not back"]);
    run(&["move", "--from", &missing, "--to", &missing]).ends(2).complains_of(&["accord backup"]);
    run(&["move", "--from", &missing]).ends(2).complains_of(&["--to"]);
    let (mut running, _) = house::support::sandbox(&dir, &[]);
    let store = dir.store();
    run(&["move", "--from", &store, "--to", nowhere]).ends(1).complains_of(&["cannot be reached"]);
    run(&["move", "--from", &store, "--abort"]).ends(1).complains_of(&["not being moved"]);
    assert_eq!(running.terminate(), 0, "{}", running.said());
}
