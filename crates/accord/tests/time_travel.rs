//! What time does to sessions, codes, tokens, notifications and wrong PINs, seen from outside by moving the
//! sandbox's clock.

mod house;

use house::mailbox::{Letter, Mailbox, Manner};
use house::shop::{Bill, Shop, auth_id};
use house::support::{On, on_every_store, run};
use house::{House, attempts, millis};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

on_every_store!(
    async a_session_is_open_for_fifteen_minutes_and_a_repeated_prepare_opens_it_again,
    a_code_lives_ten_minutes_and_used_and_expired_are_told_apart_for_thirty_days,
    a_refresh_token_gives_the_same_new_pair_for_five_minutes_while_that_is_the_newest,
    tokens_live_as_long_as_their_paper_says,
    a_notification_is_tried_eight_times_at_the_times_of_the_schedule_and_then_given_up,
    a_notice_of_a_code_stops_when_the_code_is_used_or_has_expired,
    wrong_pins_block_sign_in_ever_longer_and_never_a_debit,
    the_clock_survives_a_restart_and_calls_follow_it,
);

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// The delays before each try (decision 37), in seconds.
const SCHEDULE: [i64; 8] = [0, 120, 600, 600, 3_600, 7_200, 21_600, 54_000];

async fn a_session_is_open_for_fifteen_minutes_and_a_repeated_prepare_opens_it_again(on: On) {
    let house = House::open("session-life", on);
    let qi = house.shop("qi2");
    let (early, late) = (qi.prepare("early", None).await, qi.prepare("late", None).await);
    house.advance(14 * MINUTE).await;
    house.approve(&early, 0).await;
    house.advance(MINUTE + 1).await;
    for decision in ["approve", "refuse"] {
        let (status, said) = house.decide(&late, 0, decision).await;
        assert_eq!(status, 410, "{said}");
        assert!(said["authCode"].is_null() && said["error"]["code"] == "SESSION_EXPIRED", "{said}");
    }

    let network = house.shop("alipayPlus2");
    let body = network.prepare_body("agreement-1", None);
    let first = network.call("prepare", body.clone()).await;
    let id = auth_id(&first.body);
    house.advance(15 * MINUTE + 1).await;
    assert_eq!(house.decide(&id, 0, "approve").await.0, 410);
    assert_eq!(network.call("prepare", body.clone()).await.raw, first.raw);
    house.advance(14 * MINUTE).await;
    let code = house.approve(&id, 0).await;

    // A decided session is not opened again, whenever prepare is repeated.
    for days in [0, 1, 400] {
        house.advance(days * DAY).await;
        assert_eq!(network.call("prepare", body.clone()).await.raw, first.raw);
        let (status, said) = house.decide(&id, 0, "approve").await;
        assert_eq!(status, 409, "{said}");
        assert!(!said.to_string().contains(&code), "{said}");
    }
}

async fn a_code_lives_ten_minutes_and_used_and_expired_are_told_apart_for_thirty_days(on: On) {
    let house = House::open("code-life", on);
    for who in ["qi2", "alipayPlus2"] {
        let shop = house.shop(who);
        let (used, unused) = (shop.prepare("used", None).await, shop.prepare("unused", None).await);
        let (used, unused) = (house.approve(&used, 0).await, house.approve(&unused, 0).await);
        let first = shop.apply(&used).await;
        first.is("S SUCCESS");
        house.advance(9 * MINUTE).await;
        assert_eq!(shop.apply(&used).await.tokens(), first.tokens(), "{who}");
        house.advance(MINUTE + 1).await;
        shop.apply(&used).await.is("F USED_CODE");
        shop.apply(&unused).await.is("F EXPIRED_CODE");
        house.advance(29 * DAY).await;
        shop.apply(&used).await.is("F USED_CODE");
        shop.apply(&unused).await.is("F EXPIRED_CODE");
        house.advance(DAY + MINUTE).await;
        shop.apply(&unused).await.is("F INVALID_CODE");
    }
}

/// Pays a little; the outcome.
async fn pays(shop: &Shop, id: &str, token: &str) -> String {
    let said = shop.pay(&Bill::new(id, "IQD", 1_000), token).await;
    format!("{} {}", said.status, said.code)
}

async fn a_refresh_token_gives_the_same_new_pair_for_five_minutes_while_that_is_the_newest(on: On) {
    let house = House::open("grace", on);
    for (who, spent, old_access) in [
        ("qi2", "F USED_REFRESH_TOKEN", "S SUCCESS"),
        ("alipayPlus2", "F INVALID_REFRESH_TOKEN", "F INVALID_TOKEN"),
    ] {
        let shop = house.shop(who);
        let first = house.agree(&shop, "grace", 0, None).await;
        let second = shop.refresh(&first.refresh).await.tokens();
        assert!(second.access != first.access && second.refresh != first.refresh);
        house.advance(4 * MINUTE).await;
        assert_eq!(shop.refresh(&first.refresh).await.tokens(), second, "{who}");
        assert_eq!(pays(&shop, "in-grace", &first.access).await, "S SUCCESS", "{who}");
        house.advance(MINUTE + 1).await;
        shop.refresh(&first.refresh).await.is(spent);
        assert_eq!(pays(&shop, "after-grace", &first.access).await, old_access, "{who}");
        assert_eq!(pays(&shop, "by-the-new", &second.access).await, "S SUCCESS", "{who}");
        // A debit done is repeated, whatever became of the token that it was asked with.
        assert_eq!(pays(&shop, "in-grace", &first.access).await, "S SUCCESS", "{who}");

        // Within the grace time, but there is a newer pair.
        let third = shop.refresh(&second.refresh).await.tokens();
        let fourth = shop.refresh(&third.refresh).await.tokens();
        shop.refresh(&second.refresh).await.is(spent);
        assert_eq!(shop.refresh(&third.refresh).await.tokens(), fourth, "{who}");
    }
}

async fn tokens_live_as_long_as_their_paper_says(on: On) {
    let house = House::open("token-life", on);
    let network = house.shop("alipayPlus2");
    let first = house.agree(&network, "life", 0, None).await;
    let unused = house.agree(&network, "unused", 0, None).await;
    house.advance(179 * DAY).await;
    assert_eq!(pays(&network, "day-179", &first.access).await, "S SUCCESS");
    house.advance(DAY + MINUTE).await;
    assert_eq!(pays(&network, "day-180", &first.access).await, "F EXPIRED_ACCESS_TOKEN");
    house.advance(184 * DAY).await;
    let second = network.refresh(&first.refresh).await.tokens();
    assert_eq!(pays(&network, "day-180", &second.access).await, "S SUCCESS");
    house.advance(DAY).await;
    network.refresh(&unused.refresh).await.is("F EXPIRED_REFRESH_TOKEN");
    // The second pair counts from its own day.
    network.refresh(&second.refresh).await.is("S SUCCESS");

    let shop = house.shop("qi2");
    let first = house.agree(&shop, "life", 0, None).await;
    let unused = house.agree(&shop, "unused", 0, None).await;
    let second = shop.refresh(&first.refresh).await.tokens();
    house.advance(3_640 * DAY).await;
    // Qi: a refresh takes nothing from the old access token.
    assert_eq!(pays(&shop, "year-9", &first.access).await, "S SUCCESS");
    house.advance(15 * DAY).await;
    assert_eq!(pays(&shop, "year-10", &first.access).await, "F EXPIRED_ACCESS_TOKEN");
    assert_eq!(pays(&shop, "year-10", &second.access).await, "F EXPIRED_ACCESS_TOKEN");
    let third = shop.refresh(&second.refresh).await.tokens();
    assert_eq!(pays(&shop, "year-10", &third.access).await, "S SUCCESS");
    house.advance(30 * DAY).await;
    shop.refresh(&unused.refresh).await.is("F EXPIRED_REFRESH_TOKEN");
}

/// Eight tries of one and the same body, each signed anew at its own time.
fn check_tries(letters: &[Letter], notification: &Value) {
    assert_eq!(notification["state"], "dead", "{notification}");
    let tries = attempts(notification);
    assert_eq!((tries.len(), letters.len()), (8, 8), "{notification}");
    let times: Vec<i64> = tries.iter().map(|one| millis(&one["time"])).collect();
    for (number, pair) in times.windows(2).enumerate() {
        assert_eq!(pair[1] - pair[0], SCHEDULE[number + 1] * 1_000, "{notification}");
    }
    for (number, letter) in letters.iter().enumerate() {
        assert_eq!(letter.received.verified, accord_client::Verification::Verified, "{letter:?}");
        assert_eq!(letter.body, letters[0].body);
        assert_eq!(String::from_utf8_lossy(&letter.body), notification["body"].as_str().expect("a body"));
        // Request-Time has whole seconds.
        assert_eq!(letter.received.sent_at_ms, Some(times[number] / 1_000 * 1_000));
        assert_eq!(tries[number]["httpStatus"], 500);
    }
    let mut signatures: Vec<_> = letters.iter().map(|letter| letter.header("signature")).collect();
    signatures.sort();
    signatures.dedup();
    assert_eq!(signatures.len(), 8);
}

async fn a_notification_is_tried_eight_times_at_the_times_of_the_schedule_and_then_given_up(on: On) {
    let house = House::open("retries", on);
    let (qi, network) = (house.shop("qi2"), house.shop("alipayPlus2"));
    let broken = |_: &Letter| Manner::Status(500);
    let shop_box = Mailbox::open(qi.receiver(), broken).await;
    let network_box = Mailbox::open(network.receiver(), broken).await;

    let tokens = house.agree(&qi, "plan", 0, None).await;
    let paid = format!("{}/paid?shop=7", shop_box.url);
    qi.pay(&Bill::new("pay-1", "IQD", 25_000).notify(&paid), &tokens.access).await.is("S SUCCESS");
    let authorized = format!("{}/authorized", network_box.url);
    let tokens = house.agree(&network, "agreement-1", 0, Some(&authorized)).await;
    house.tried(&paid, 1).await;

    // All of it in one step, then a while longer: there is no ninth try.
    house.advance(SCHEDULE.iter().sum::<i64>() - 60).await;
    let nearly = house.notification(&paid).await;
    assert_eq!((&nearly["state"], attempts(&nearly).len()), (&json!("pending"), 7), "{nearly}");
    for seconds in [120, 30 * DAY] {
        house.advance(seconds).await;
        check_tries(&shop_box.letters(), &house.notification(&paid).await);
    }
    assert_eq!(shop_box.letters()[0].target, "/paid?shop=7");

    // The code was used: that notice is moot. The tokens' notice derives them anew for each try.
    let all = house.notifications().await;
    let of_kind = |kind: &str| {
        let found = all.iter().find(|one| one["type"] == kind && one["url"] == authorized.as_str());
        found.unwrap_or_else(|| panic!("{kind}")).clone()
    };
    let letters = network_box.letters();
    let created: Vec<Letter> =
        letters.into_iter().filter(|letter| letter.received.kind == "TOKEN_CREATED").collect();
    check_tries(&created, &of_kind("TOKEN_CREATED"));
    assert_eq!(created[7].text("accessToken"), tokens.access);
    assert_eq!(created[7].text("refreshToken"), tokens.refresh);
    assert_eq!(of_kind("AUTHCODE_CREATED")["state"], "moot");
}

async fn a_notice_of_a_code_stops_when_the_code_is_used_or_has_expired(on: On) {
    let house = House::open("moot", on);
    let network = house.shop("alipayPlus2");
    let mailbox = Mailbox::open(network.receiver(), |letter| match letter.received.kind.as_str() {
        "AUTHCODE_CREATED" => Manner::Status(503),
        _ => Manner::Sign,
    })
    .await;
    let url = |name: &str| format!("{}/{name}", mailbox.url);
    let (used, lapsed) = (url("used"), url("lapsed"));

    let id = network.prepare("lapsed", Some(&lapsed)).await;
    let code = house.approve(&id, 0).await;
    house.tried(&lapsed, 1).await;
    assert_eq!(mailbox.letters_to("/lapsed")[0].text("authCode"), code);
    // Tries at once and after 2 minutes; the third would come when the code is dead.
    house.advance(3 * MINUTE).await;
    assert_eq!(house.notification(&lapsed).await["state"], "pending");
    house.advance(DAY).await;
    let notice = house.notification(&lapsed).await;
    assert_eq!((&notice["state"], attempts(&notice).len()), (&json!("moot"), 2), "{notice}");

    let id = network.prepare("used", Some(&used)).await;
    let code = house.approve(&id, 0).await;
    house.tried(&used, 1).await;
    network.apply(&code).await.is("S SUCCESS");
    house.advance(DAY).await;
    let mut notices = house.notifications().await;
    notices.retain(|one| one["url"] == used.as_str());
    let seen: Vec<_> = notices.iter().map(|one| (&one["type"], &one["state"], attempts(one).len())).collect();
    let (created, code, moot) = (json!("TOKEN_CREATED"), json!("AUTHCODE_CREATED"), json!("moot"));
    assert_eq!(seen, [(&created, &json!("delivered"), 1), (&code, &moot, 1)]);
    assert_eq!(mailbox.letters().len(), 4);
}

async fn wrong_pins_block_sign_in_ever_longer_and_never_a_debit(on: On) {
    let house = House::open("pins", on);
    let shop = house.shop("qi2");
    let tokens = house.agree(&shop, "before", 0, None).await;
    let right = house.file.users[0].pin.clone();
    // A user who mistyped within bounds is not blocked.
    let id = shop.prepare("clumsy", None).await;
    for _ in 0..4 {
        assert_eq!(house.decide_with(&id, 0, "000000", "approve").await.0, 403);
    }
    house.approve(&id, 0).await;

    let mut waited = Vec::new();
    for round in 0..9 {
        let id = shop.prepare("guessed", None).await;
        for _ in 0..5 {
            let (status, said) = house.decide_with(&id, 0, "000000", "approve").await;
            assert_eq!(status, 403, "round {round}: {said}");
        }
        // This session has had its five; a fresh one is told until when the user is blocked, right PIN or not.
        assert_eq!(house.decide_with(&id, 0, &right, "approve").await.0, 429);
        let id = shop.prepare("fresh", None).await;
        let (status, said) = house.decide_with(&id, 0, &right, "approve").await;
        assert_eq!((status, &said["error"]["code"]), (429, &json!("TOO_MANY_TRIES")), "{said}");
        let message = said["error"]["message"].as_str().expect("a message");
        let (_, until) = message.rsplit_once(' ').expect("a time");
        let left = (millis(&json!(until)) - millis(&json!(house.now().await))) / 1_000;
        waited.push(left / MINUTE + 1);
        assert_eq!(pays(&shop, &format!("blocked-{round}"), &tokens.access).await, "S SUCCESS");
        // Others sign in as ever.
        house.approve(&shop.prepare("another", None).await, 3).await;
        house.advance(left - 30).await;
        assert_eq!(house.decide_with(&shop.prepare("still", None).await, 0, &right, "approve").await.0, 429);
        house.advance(31).await;
    }
    assert_eq!(waited, [15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
    house.approve(&shop.prepare("free", None).await, 0).await;
}

async fn the_clock_survives_a_restart_and_calls_follow_it(on: On) {
    let mut house = House::open("clock", on);
    let shop = house.shop("qi2");
    let started = millis(&json!(house.now().await));
    let healthy = std::sync::Arc::new(AtomicBool::new(false));
    let mailbox = Mailbox::open(shop.receiver(), {
        let healthy = healthy.clone();
        move |_| if healthy.load(Ordering::Relaxed) { Manner::Sign } else { Manner::Close }
    })
    .await;
    let url = format!("{}/paid", mailbox.url);
    let tokens = house.agree(&shop, "plan", 0, None).await;
    shop.pay(&Bill::new("pay-1", "IQD", 1).notify(&url), &tokens.access).await.is("S SUCCESS");
    house.tried(&url, 1).await;
    for ahead in [50 * DAY, 20_000 * DAY] {
        house.advance(ahead).await;
    }
    for kill in [false, true] {
        if kill {
            house.kill()
        } else {
            house.stop()
        }
        house.start();
        let now = millis(&json!(house.now().await));
        let ahead = now - started - 20_050 * DAY * 1_000;
        assert!((0..DAY * 1_000).contains(&ahead), "{now}");
        let data = house.data();
        let data = data.to_str().expect("UTF-8");
        let body = house.data().join("body.json");
        std::fs::write(&body, shop.prepare_body("by command", None).to_string()).expect("written");
        let file = body.to_str().expect("UTF-8");
        let said = run(&["call", "prepare", "--sandbox", data, "--as", "qi2", file]).ends(0);
        assert_eq!(said.json()["result"]["resultCode"], "SUCCESS");
        // The time of the machine is of another century.
        let stale = run(&[
            "call",
            "prepare",
            "--sandbox",
            data,
            "--as",
            "qi2",
            file,
            "--time",
            "2026-01-15T09:30:00+03:00",
        ]);
        assert_eq!(stale.ends(10).json()["result"]["resultCode"], "PARAM_ILLEGAL");
    }
    // Fifty days were enough to give the notification up; nothing revives it.
    healthy.store(true, Ordering::Relaxed);
    house.advance(DAY).await;
    // What is left of it is dead; in time it is pruned.
    let mut left = house.notifications().await;
    left.retain(|one| one["url"] == url.as_str());
    assert!(left.iter().all(|one| one["state"] == "dead"), "{left:?}");
    assert_eq!(mailbox.letters().len(), 8);
}
