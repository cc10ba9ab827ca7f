//! A store that fails under load and comes back: no call is answered F because of it, nothing acknowledged is lost,
//! nothing is doubled, and no node is restarted.

mod house;

use accord_testkit::postgres::Server;
use house::House;
use house::load::audit::{Told, open_boxes};
use house::load::{Record, World};
use house::support::On;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const TASKS: usize = 8;

/// A wallet whose load is watched.
struct Watched<'h> {
    house: &'h House,
    world: Arc<World>,
}

impl Watched<'_> {
    async fn answers(&self, more: usize) {
        let until = self.world.acknowledged.load(Ordering::Relaxed) + more;
        let enough = async || (self.world.acknowledged.load(Ordering::Relaxed) >= until).then_some(());
        self.house.eventually("enough answers", enough).await;
    }

    /// Waits until so many calls have had no end.
    async fn unknowns(&self, more: usize) {
        let until = self.world.unknown.load(Ordering::Relaxed) + more;
        let enough = async || (self.world.unknown.load(Ordering::Relaxed) >= until).then_some(());
        self.house.eventually("calls without an end", enough).await;
    }
}

/// Breaks something under load and mends it; then everything is audited. Gives what it came to, and how many letters
/// came again.
async fn survives(house: &House, harm: impl AsyncFnOnce(&Watched<'_>)) -> (Told, usize) {
    let boxes = open_boxes(house).await;
    let urls = boxes.each_ref().map(|mailbox| mailbox.url.clone());
    let opening = Record::opening(house).await;
    let world = Arc::new(World::new(0, house, &[], urls).await);
    let mut record = Record::default();
    let tasks = world.start(TASKS, 7, &mut record);
    let watched = Watched { house, world: world.clone() };
    watched.answers(60).await;
    harm(&watched).await;
    watched.answers(100).await;
    record.absorb(tasks.stop(&world).await);
    let told = record.audit(&world).await;
    println!(
        "{} debits, {} calls without an end, {} payments among them had been made",
        told.debits, told.unknown, told.made
    );
    record.check_books(house, &opening).await;
    let again = record.check_notices(house, &boxes).await;
    record.check_books(house, &opening).await;
    (told, again)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_server_loses_nothing_and_is_lived_through() {
    let Some(server) = Server::start_on_small_disk(160, &["max_wal_size = 64MB", "wal_init_zero = off"])
    else {
        return;
    };
    let house = House::open_with("disk-full", On::Sqlite, &["--store", &server.url("")]);
    let ballast = server.dir().join("ballast");
    let (told, _) = survives(&house, async |watched| {
        fill(&ballast);
        watched.unknowns(10).await;
        std::fs::remove_file(&ballast).expect("the ballast");
        // A server that could not write its log has ended; whoever runs it starts it again.
        if !server.is_running() {
            server.restart();
        }
    })
    .await;
    assert!(told.unknown >= 10, "{}", told.unknown);
}

/// Takes all the room that is left beside that file.
fn fill(ballast: &Path) {
    let block = vec![0; 64 * 1024];
    let mut file = std::fs::File::create(ballast).expect("a file");
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_more_connections_is_worked_with_as_it_is() {
    let Some(server) = Server::start(&["fsync = off"]) else { return };
    // A node would have more than twenty.
    server.sql("CREATE ROLE teller LOGIN CONNECTION LIMIT 6");
    server.sql("CREATE DATABASE wallet OWNER teller");
    let url = format!("postgres://teller@{}:5432/wallet", server.host());
    let house = House::open_with("few-connections", On::Sqlite, &["--store", &url]);
    let (told, again) = survives(&house, async |watched| {
        watched.answers(200).await;
        server.sql("ALTER ROLE teller CONNECTION LIMIT -1");
    })
    .await;
    assert_eq!((told.unknown, again), (0, 0), "whoever has no connection waits for one");
}
