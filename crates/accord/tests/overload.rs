//! More calls than a wallet can sign: whoever floods it gets 503 at once, nothing of those calls is stored, and another
//! client is answered all the while.

mod house;

use house::House;
use house::shop::Heard;
use house::support::{On, get, on_every_store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Barrier;

on_every_store!(
    async a_flood_is_turned_away_at_once_and_starves_nobody_else,
);

/// Calls of the flood that are under way at a time, and how many each of them is followed by.
const LANES: usize = 300;
const EACH: usize = 5;

fn turned_away(said: &Heard) -> bool {
    if said.http_status != 503 {
        return false;
    }
    said.is("U REQUEST_TRAFFIC_EXCEED_LIMIT");
    true
}

async fn a_flood_is_turned_away_at_once_and_starves_nobody_else(on: On) {
    let mut house = House::open("overload", on);
    house.stop();
    let config = house.data().join("accord.toml");
    let before = std::fs::read_to_string(&config).expect("a configuration");
    std::fs::write(&config, before + "\n[limits]\nlongest_wait_ms = 30\n").expect("written");
    house.start();

    let (flood, other) = (house.shop("alipayPlus2"), house.shop("qi2"));
    let time = house.now().await;
    let (start, over) = (Arc::new(Barrier::new(LANES + 1)), Arc::new(AtomicBool::new(false)));
    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..LANES {
        let (shop, start) = (flood.clone(), start.clone());
        let sign =
            |number| shop.sign("prepare", &shop.prepare_body(&format!("{lane} {number}"), None), &time);
        let calls: Vec<_> = (0..EACH).map(sign).collect();
        lanes.spawn(async move {
            start.wait().await;
            let (mut made, mut refused) = (0, 0);
            for call in &calls {
                let said = shop.try_send(call).await.expect("an answer");
                if turned_away(&said) {
                    refused += 1;
                } else {
                    said.is("S SUCCESS");
                    made += 1;
                }
            }
            (made, refused)
        });
    }
    let quiet = tokio::spawn({
        let (start, over, time) = (start.clone(), over.clone(), time.clone());
        async move {
            let (mut made, mut refused) = (0, 0);
            start.wait().await;
            while !over.load(Ordering::Relaxed) {
                let body = other.prepare_body("the other one's", None);
                let said = other.try_call("prepare", &body, &time).await.expect("an answer");
                if turned_away(&said) {
                    refused += 1;
                } else {
                    said.is("S SUCCESS");
                    made += 1;
                }
            }
            (made, refused)
        }
    });
    let (mut made, mut refused) = (0, 0);
    while let Some(lane) = lanes.join_next().await {
        let (of_lane, not) = lane.expect("a lane that ends well");
        (made, refused) = (made + of_lane, refused + not);
    }
    over.store(true, Ordering::Relaxed);
    let (others, others_refused) = quiet.await.expect("calls that end well");
    println!(
        "the flood: {made} answered, {refused} turned away; the other: {others} answered, {others_refused} turned away"
    );
    assert_eq!(made + refused, LANES * EACH);
    assert!(refused > 0 && made > 0, "{refused} turned away, {made} answered");
    // A guess of the wait may be wrong for a moment: that is no starving.
    assert!(others > 0 && others_refused <= others, "{others} answered, {others_refused} turned away");
    assert!(refused * others > others_refused * made, "who floods is turned away before others");

    let metrics = get(&house.url, "/metrics");
    let counted = format!("\naccord_calls_turned_away_total {}\n", refused + others_refused);
    assert!(metrics.contains(&counted), "{counted}: {metrics}");
    let sessions = house.store().count("SELECT count(*) FROM sessions");
    assert_eq!(sessions, (made + others) as i64, "nothing of a call that was turned away is stored");
    // Afterwards everybody is answered again.
    let again = flood.sign("prepare", &flood.prepare_body("0 0", None), &time);
    flood.try_send(&again).await.expect("an answer").is("S SUCCESS");
}
