//! `accord migrate` from outside, on both stores: from nothing, from an older schema, on a newer one, two at once, and
//! whether the catalogue is what it should be.

mod support;

use support::{On, Said, Scratch, on_every_store, run};

on_every_store!(a_store_is_migrated_planned_and_verified, a_store_grows_under_a_running_server);

const WIDER: &str = "-- kind: expand\n-- name: wider\nALTER TABLE payments ADD COLUMN note TEXT;\n";

/// A wallet whose configuration names that store.
fn wallet(dir: &Scratch, store: &str) -> String {
    let example = run(&["config", "example"]).ends(0).out;
    let line = example.lines().find(|line| line.starts_with("store = ")).expect("a store").to_owned();
    run(&["keys", "generate", "--dir", &dir.file("keys")]).ends(0);
    dir.write("accord.toml", &example.replace(&line, &format!("store = \"{store}\"")))
}

/// Changes the database behind accord's back.
fn sql(dir: &Scratch, words: &str) {
    match dir.schema() {
        Some(schema) => drop(schema.sql(words)),
        None => {
            let db = rusqlite::Connection::open(dir.file("data/accord.db")).expect("the database");
            db.execute_batch(&words.replace("'x'", "x'78'")).expect(words);
        }
    }
}

fn a_store_is_migrated_planned_and_verified(on: On) {
    let dir = Scratch::on("migrate", on);
    std::fs::create_dir(dir.file("data")).expect("a directory");
    let config = wallet(&dir, &dir.store());
    let migrate = |more: &[&str]| -> Said { run(&[&["migrate", "--config", &config][..], more].concat()) };
    let serve = || run(&["serve", "--config", &config]);
    let sql = |words: &str| sql(&dir, words);

    // From nothing.
    let plan = migrate(&["--plan", "--json"]).ends(0).json();
    let newest = plan["newest"].as_u64().expect("a number");
    assert_eq!((plan["level"].as_u64(), plan["applied"].as_bool()), (Some(0), Some(false)), "{plan}");
    assert_eq!(plan["steps"].as_array().map(|steps| steps.len() as u64), Some(newest));
    serve().ends(1).complains_of(&["accord migrate"]);

    // Two at once do it once, and both succeed.
    let both: Vec<String> = std::thread::scope(|scope| {
        let one = || migrate(&["--json"]).ends(0).json()["steps"].as_array().map(Vec::len).unwrap_or(0);
        let tasks = [scope.spawn(one), scope.spawn(one)];
        tasks.map(|task| task.join().expect("it ends").to_string()).into()
    });
    assert!(both.contains(&newest.to_string()) && both.contains(&"0".to_owned()), "{both:?}");
    migrate(&[]).ends(0).out.contains("up to date").then_some(()).expect("nothing is left to do");
    assert!(migrate(&["--verify"]).ends(0).out.contains("as version"));

    // An extra step is no business of a wallet's.
    let file = dir.write("wider.sql", WIDER);
    migrate(&["--extra-migration", &file]).ends(2).complains_of(&["sandbox"]);

    // A newer schema that only adds is borne; --verify does not pretend to know it.
    let row =
        |from: u64| format!("INSERT INTO schema_migrations VALUES ({}, 'later', 'x', {from})", newest + 1);
    sql(&row(newest));
    let plan = migrate(&["--plan", "--json"]).ends(0).json();
    assert_eq!((plan["level"].as_u64(), plan["steps"].as_array().map(Vec::len)), (Some(newest + 1), Some(0)));
    migrate(&["--verify"]).ends(1).complains_of(&["newer accord"]);
    run(&["ledger", "verify", "--config", &config]).ends(0);
    // One that needs a newer program is not.
    sql("DELETE FROM schema_migrations WHERE name = 'later'");
    sql(&row(newest + 1));
    for said in [migrate(&[]), migrate(&["--plan"]), migrate(&["--verify"]), serve()] {
        said.ends(1).complains_of(&[&format!("schema version {}", newest + 1), "run the newer accord"]);
    }
    sql("DELETE FROM schema_migrations WHERE name = 'later'");

    // What is not as it should be is named.
    sql("ALTER TABLE users ADD COLUMN nick TEXT");
    sql("DROP INDEX codes_by_expiry");
    let said = migrate(&["--verify", "--json"]).ends(1).json();
    assert_eq!(said["same"], false);
    let differences = said["differences"].to_string();
    assert!(differences.contains("users.nick") && differences.contains("codes_by_expiry"), "{said}");
    migrate(&["--verify", "--plan"]).ends(2);
}

/// From an older level: a sandbox learns one more step.
fn a_store_grows_under_a_running_server(on: On) {
    let dir = &Scratch::on("grow", on);
    let (mut first, _) = support::sandbox(dir, &[]);
    let data = dir.file("data");
    let file = dir.write("wider.sql", WIDER);
    let migrate = |more: &[&str]| run(&[&["migrate", "--data", &data][..], more].concat());
    let plan = migrate(&["--plan", "--extra-migration", &file]).ends(0).out;
    assert!(plan.contains("wider (expand)") && plan.contains("goes on"), "{plan}");
    // Beside the running server.
    let applied = migrate(&["--extra-migration", &file]).ends(0).out;
    assert!(applied.contains("wider") && applied.lines().count() == 1, "{applied}");
    migrate(&["--verify", "--extra-migration", &file]).ends(0);
    run(&["call", "prepare", "--sandbox", &data, "../../examples/qi/prepare.json"]).ends(0);
    assert_eq!(first.terminate(), 0, "{}", first.said());
    let (_again, _) = support::sandbox(dir, &[]);
    run(&["ledger", "verify", "--data", &data]).ends(0);
}

#[test]
fn what_takes_away_from_a_file_wants_the_server_stopped() {
    let dir = Scratch::new("narrow-sqlite");
    let (mut running, _) = support::sandbox(&dir, &[]);
    let data = dir.file("data");
    let text = "-- kind: contract, needs 4\n-- name: narrower\nDROP INDEX codes_by_expiry;\n";
    let file = dir.write("narrower.sql", text);
    let migrate = || run(&["migrate", "--data", &data, "--extra-migration", &file]);
    migrate().ends(1).complains_of(&["stop that one first"]);
    assert_eq!(running.terminate(), 0, "{}", running.said());
    migrate().ends(0);
}
