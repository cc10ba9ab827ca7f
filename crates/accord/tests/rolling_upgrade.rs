//! A rolling upgrade: two nodes on one PostgreSQL under load, the schema of the next version applied beneath them, one
//! node after the other replaced, what the old version needed taken away; and no call fails.

mod house;

use house::House;
use house::shop::{Bill, Shop, auth_id};
use house::support::{On, Running, Scratch, get, run};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::RwLock;

/// The next version adds to tables that every call writes.
const WIDER: &str = "-- kind: expand\n-- name: wider\nALTER TABLE payments ADD COLUMN note TEXT;\n\
    ALTER TABLE users ADD COLUMN note TEXT;\nALTER TABLE terms ADD COLUMN note TEXT;\n\
    ALTER TABLE terms_cold ADD COLUMN note TEXT;\nCREATE INDEX payments_by_note ON payments (note, bucket);\n";
/// And takes away what only the old one needs.
const NARROWER: &str = "-- kind: contract, needs LEVEL\n-- name: narrower\nDROP INDEX payments_by_note;\n\
    ALTER TABLE payments DROP COLUMN note;\n";

/// Tasks that call at the same time.
const TASKS: usize = 6;

/// A place behind the balancer: held for reading by a call, for writing while its node is replaced.
type Place = RwLock<Option<Shop>>;

struct World {
    places: [Place; 2],
    users: Vec<(String, String)>,
    next: AtomicUsize,
    calls: AtomicUsize,
    stop: AtomicBool,
}

impl World {
    /// Makes a call on the next node that is there.
    async fn on_a_node<T>(&self, call: impl AsyncFnOnce(&Shop) -> T) -> T {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if let Ok(place) = self.places[number % 2].try_read()
                && let Some(shop) = place.as_ref()
            {
                let said = call(shop).await;
                self.calls.fetch_add(1, Ordering::Relaxed);
                return said;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn decide(&self, auth_id: &str, user: usize) -> String {
        let (login, pin) = &self.users[user];
        let body =
            json!({ "authId": auth_id, "loginId": login, "pin": pin, "decision": "approve" }).to_string();
        let head = "POST /sandbox/decide HTTP/1.1\r\nContent-Type: application/json";
        let (status, said) = self
            .on_a_node(async |shop| house::http(shop.base_url(), head, &body).await)
            .await
            .expect("an answer");
        assert_eq!(status, 200, "{said}");
        let said: Value = serde_json::from_str(&said).expect("JSON");
        said["authCode"].as_str().expect("a code").to_owned()
    }

    /// An agreement from prepare to its end, each call on whichever node. Everything must succeed.
    async fn live(&self, id: &str, user: usize) {
        let said = self.on_a_node(async |shop| shop.call("prepare", shop.prepare_body(id, None)).await).await;
        said.is("S SUCCESS");
        let code = self.decide(&auth_id(&said.body), user).await;
        let said = self.on_a_node(async |shop| shop.apply(&code).await).await;
        said.is("S SUCCESS");
        let tokens = said.tokens();
        let bill = Bill::new(id, "IQD", 7);
        let paid = self.on_a_node(async |shop| shop.pay(&bill, &tokens.access).await).await;
        paid.is("S SUCCESS");
        let again = self.on_a_node(async |shop| shop.pay(&bill, &tokens.access).await).await;
        assert_eq!(again.raw, paid.raw, "the same answer from any node");
        assert_eq!(self.on_a_node(async |shop| shop.inquire(id).await).await, Some('S'));
        let said = self.on_a_node(async |shop| shop.refresh(&tokens.refresh).await).await;
        said.is("S SUCCESS");
        let fresh = said.tokens();
        self.on_a_node(async |shop| shop.cancel(&fresh.access).await).await.is("S SUCCESS");
    }

    /// Waits until so many more calls were answered.
    async fn more_calls(&self, count: usize) {
        let goal = self.calls.load(Ordering::Relaxed) + count;
        while self.calls.load(Ordering::Relaxed) < goal && !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Ends the load also when the test fails.
struct Storm(Arc<World>);

impl Drop for Storm {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// A second node on the sandbox, at that port.
fn second_node(house: &House, dir: &Scratch, port: u16, more: &[&str]) -> (Running, String) {
    let data = house.data();
    let listen = format!("127.0.0.1:{port}");
    let mut args = vec!["dev", "--data", data.to_str().expect("UTF-8"), "--listen", &listen];
    args.extend(more);
    let running = Running::start(&args, &dir.path().join("second.log"));
    let url = format!("http://{listen}");
    for _ in 0..3000 {
        if get(&url, "/health/ready").starts_with("HTTP/1.1 200") {
            return (running, url);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not ready: {}", running.said());
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_versions_serve_together_while_the_schema_grows_and_no_call_fails() {
    if !On::Postgres.is_there() {
        return;
    }
    let dir = Scratch::new("rolling-files");
    let mut house = House::open("rolling", On::Postgres);
    let sql = |house: &House, words: &str| house.store().schema().expect("a schema").sql(words);
    let data = house.data().to_str().expect("UTF-8").to_owned();
    let level: usize = sql(&house, "SELECT max(version) FROM schema_migrations").parse().expect("a number");
    let wider = dir.write("wider.sql", WIDER);
    let narrower = dir.write("narrower.sql", &NARROWER.replace("LEVEL", &(level + 1).to_string()));
    let next = ["--extra-migration", &wider];
    let last = ["--extra-migration", &wider, "--extra-migration", &narrower];
    let migrate = |more: &[&str]| run(&[&["migrate", "--data", &data][..], more].concat());

    let port = free_port();
    let (mut second, second_url) = second_node(&house, &dir, port, &[]);
    let shop = house.shop("alipayPlus2");
    let users = house.file.users.iter().map(|user| (user.login_id.clone(), user.pin.clone())).collect();
    let places = [RwLock::new(Some(shop.clone())), RwLock::new(Some(shop.at(&second_url)))];
    let (next_call, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let world = Arc::new(World { places, users, next: next_call, calls, stop: AtomicBool::new(false) });
    let storm = Storm(world.clone());
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let world = world.clone();
        tasks.spawn(async move {
            // A task that breaks off ends the waiting below too.
            let _storm = Storm(world.clone());
            for number in 0.. {
                if world.stop.load(Ordering::Relaxed) {
                    return number;
                }
                world.live(&format!("t{task}-{number}"), if task % 2 == 0 { 0 } else { 3 }).await;
            }
            0
        });
    }
    world.more_calls(60).await;

    // The next version's schema, under the old version's nodes.
    let plan = migrate(&[&["--plan", "--json"][..], &next].concat()).ends(0).json();
    assert_eq!(plan["steps"][0]["kind"], "expand", "{plan}");
    assert_eq!(plan["steps"][0]["wouldStop"], json!([]), "{plan}");
    assert_eq!(plan["nodes"].as_array().map(Vec::len), Some(2), "{plan}");
    assert_eq!(migrate(&next).ends(0).out.lines().count(), 2, "the step and its index");
    migrate(&[&["--verify"][..], &next].concat()).ends(0);
    world.more_calls(60).await;

    // What would stop the old ones is refused while they are there.
    let plan = migrate(&[&["--plan", "--json"][..], &last].concat()).ends(0).json();
    assert_eq!(plan["steps"][0]["wouldStop"].as_array().map(Vec::len), Some(2), "{plan}");
    let refused = migrate(&last).ends(1);
    refused.complains_of(&[&format!(":{port}"), "newer accord first", "nothing was changed"]);

    // One node after the other: out of the balancer, stopped, replaced, back.
    let mut place = world.places[1].write().await;
    *place = None;
    assert_eq!(second.terminate(), 0, "{}", second.said());
    let (_second, _) = second_node(&house, &dir, port, &next);
    *place = Some(shop.at(&second_url));
    drop(place);
    world.more_calls(60).await;
    migrate(&last).ends(1).complains_of(&["newer accord first"]);
    let mut place = world.places[0].write().await;
    *place = None;
    house.stop();
    house.start_with(&next);
    *place = Some(shop.at(&house.url));
    drop(place);
    world.more_calls(60).await;

    // Now nobody needs what goes. (The program of these commands is the old version's: it reads the books now, or never.)
    run(&["ledger", "verify", "--data", &data]).ends(0);
    assert_eq!(migrate(&last).ends(0).out.lines().count(), 1);
    world.more_calls(60).await;
    drop(storm);
    let mut lives: usize = 0;
    while let Some(ended) = tasks.join_next().await {
        lives += ended.expect("no call failed");
    }
    println!("{} calls, {lives} agreements from beginning to end", world.calls.load(Ordering::Relaxed));
    assert!(lives > TASKS, "{lives}");
    migrate(&[&["--verify"][..], &last].concat()).ends(0);
    let refused = run(&["ledger", "verify", "--data", &data]).ends(1);
    refused.complains_of(&["run the newer accord"]);
    assert_eq!(
        sql(&house, "SELECT count(*) FROM payments WHERE stage = 'succeeded' AND amount = 7"),
        lives.to_string()
    );
    // And the old version stays out.
    let listen = format!("127.0.0.1:{}", free_port());
    run(&["dev", "--data", &data, "--listen", &listen]).ends(1).complains_of(&["run the newer accord"]);
}
