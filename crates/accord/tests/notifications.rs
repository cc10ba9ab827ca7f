//! How notifications are carried: what each answer of a receiver means, who waits for whom, where none may go.

mod house;

use accord_client::Verification;
use house::mailbox::{Letter, Mailbox, Manner};
use house::shop::{Bill, Shop};
use house::support::{On, on_every_store};
use house::{House, attempts};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

on_every_store!(
    async a_receiver_that_hangs_or_is_dead_delays_nobody_else,
    each_answer_means_what_the_decisions_say,
    nothing_beyond_this_machine_is_contacted_without_being_asked_for,
    private_addresses_are_refused_even_when_notifications_may_go_out,
    a_notice_tells_its_own_client_and_nobody_else,
);

const DAY: i64 = 86_400;

/// Pays with a notice to this URL.
async fn notify(shop: &Shop, token: &str, id: &str, url: &str) {
    shop.pay(&Bill::new(id, "IQD", 1_000).notify(url), token).await.is("S SUCCESS");
}

fn outcome(notification: &Value, number: usize) -> &str {
    attempts(notification)[number]["outcome"].as_str().expect("an outcome")
}

async fn a_receiver_that_hangs_or_is_dead_delays_nobody_else(on: On) {
    let house = House::open("hang", on);
    let shop = house.shop("qi2");
    let tokens = house.agree(&shop, "plan", 0, None).await;
    let hanging = Mailbox::open(shop.receiver(), |_| Manner::Hang).await;
    let lively = Mailbox::open(shop.receiver(), |_| Manner::Sign).await;
    let dead = Mailbox::open(shop.receiver(), |_| Manner::Sign).await.url.clone();

    // More than any one target has places for.
    for number in 0..30 {
        let url = format!("{}/{number}", hanging.url);
        notify(&shop, &tokens.access, &format!("hang-{number}"), &url).await;
        notify(&shop, &tokens.access, &format!("dead-{number}"), &format!("{dead}/{number}")).await;
    }
    house.eventually("a hanging delivery", async || hanging.letters().first().cloned()).await;
    let url = format!("{}/paid", lively.url);
    notify(&shop, &tokens.access, "lively", &url).await;
    assert_eq!(house.tried(&url, 1).await["state"], "delivered");
    assert_eq!(lively.letters().len(), 1);

    // Had they been served one after the other, every one that hung would have had to time out before.
    let all = house.notifications().await;
    let hung = all.iter().filter(|one| one["url"].as_str().is_some_and(|url| url.starts_with(&hanging.url)));
    let still = hung.filter(|one| attempts(one).is_empty()).count();
    assert!(still >= 20, "only {still} of 30 still hang");

    // In the end all of them are known to have failed, each at its own place in the schedule.
    let url = format!("{}/0", hanging.url);
    let tried = house.tried(&url, 1).await;
    assert_eq!((&tried["state"], &attempts(&tried)[0]["httpStatus"]), (&"pending".into(), &Value::Null));
    let refused = house.tried(&format!("{dead}/29"), 1).await;
    assert!(refused["state"] == "pending" && outcome(&refused, 0).contains("refused"), "{refused}");
}

async fn each_answer_means_what_the_decisions_say(on: On) {
    const S: &str = r#"{"result":{"resultStatus":"S","resultCode":"SUCCESS"}}"#;
    const F: &str = r#"{"result":{"resultStatus":"F","resultCode":"PARAM_ILLEGAL"}}"#;
    let house = House::open("answers", on);
    for who in ["qi2", "alipayPlus2"] {
        let qi = who == "qi2";
        let trusted = if qi { "delivered" } else { "pending" };
        let rows = [
            ("signed", Manner::Sign, "delivered", "acknowledged, signature valid"),
            ("unsigned", Manner::Say(S), trusted, "unsigned"),
            ("wrongly-signed", Manner::SignWrongly, trusted, "signature not accepted"),
            ("refused", Manner::SignAs("F"), "rejected", "refused with PARAM_ILLEGAL"),
            ("refused-unsigned", Manner::Say(F), "rejected", "unsigned"),
            ("unknown", Manner::SignAs("U"), "pending", "result status U"),
            ("accepted-later", Manner::Status(202), "pending", "HTTP status 202"),
            ("broken", Manner::Status(500), "pending", "HTTP status 500"),
            ("moved", Manner::Redirect("/elsewhere".into()), "pending", "HTTP status 302"),
            ("no-json", Manner::Say("OK"), "pending", "no result"),
            ("no-status", Manner::Say(r#"{"result":{}}"#), "pending", "no result"),
            ("closed", Manner::Close, "pending", "no answer"),
            ("long", Manner::Pad(63 * 1024), "delivered", "acknowledged, signature valid"),
            ("too-long", Manner::Pad(64 * 1024), "pending", "no result"),
            ("endless", Manner::Flood, "pending", "no result"),
        ];
        let shop = house.shop(who);
        let healed = Arc::new(AtomicBool::new(false));
        let manners = rows.clone();
        let seen = healed.clone();
        let mailbox = Mailbox::open(shop.receiver(), move |letter: &Letter| {
            let row = manners.iter().find(|row| format!("/{}", row.0) == letter.target);
            match seen.load(Ordering::Relaxed) {
                true => Manner::Sign,
                false => row.expect("only where it was sent: no redirect is followed").1.clone(),
            }
        })
        .await;
        let tokens = house.agree(&shop, "plan", 0, None).await;
        for (name, ..) in &rows {
            notify(&shop, &tokens.access, name, &format!("{}/{name}", mailbox.url)).await;
        }
        for (name, _, state, words) in &rows {
            let tried = house.tried(&format!("{}/{name}", mailbox.url), 1).await;
            assert_eq!(tried["state"], *state, "{who} {name}: {tried}");
            assert!(outcome(&tried, 0).contains(words), "{who} {name}: {tried}");
            assert_eq!(attempts(&tried).len(), 1, "{who} {name}: {tried}");
        }
        assert!(mailbox.letters().iter().all(|letter| letter.received.verified == Verification::Verified));
        assert!(mailbox.letters_to("/elsewhere").is_empty());
        // What the sockets hold beyond the 64 KiB that are read.
        assert!(mailbox.flooded() < 64 * 1024 * 1024, "{}", mailbox.flooded());

        // What is settled is never sent again; the rest is, and then arrives.
        healed.store(true, Ordering::Relaxed);
        house.advance(DAY).await;
        for (name, _, state, _) in &rows {
            let now = house.notification(&format!("{}/{name}", mailbox.url)).await;
            let retried = *state == "pending";
            assert_eq!(now["state"], if retried { "delivered" } else { *state }, "{who} {name}: {now}");
            assert_eq!(mailbox.letters_to(&format!("/{name}")).len(), 1 + usize::from(retried), "{now}");
        }
    }
}

async fn nothing_beyond_this_machine_is_contacted_without_being_asked_for(on: On) {
    const OUTSIDE: [&str; 4] = [
        "https://network.example/notify",
        "http://10.0.0.1/notify",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.network.example/notify",
    ];
    let house = House::open("held", on);
    let shop = house.shop("qi2");
    let tokens = house.agree(&shop, "plan", 0, None).await;
    for url in OUTSIDE {
        notify(&shop, &tokens.access, url, url).await;
        let held = house.tried(url, 1).await;
        assert_eq!((&held["state"], attempts(&held).len()), (&"held".into(), 0), "{held}");
    }
    house.advance(DAY).await;
    for url in OUTSIDE {
        let held = house.notification(url).await;
        assert_eq!((&held["state"], attempts(&held).len()), (&"held".into(), 0), "{held}");
    }
    // A name of this machine is this machine.
    let mailbox = Mailbox::open(shop.receiver(), |_| Manner::Sign).await;
    let local = mailbox.url.replace("127.0.0.1", "localhost");
    notify(&shop, &tokens.access, "local", &format!("{local}/paid")).await;
    assert_eq!(house.tried(&format!("{local}/paid"), 1).await["state"], "delivered");
}

async fn private_addresses_are_refused_even_when_notifications_may_go_out(on: On) {
    let house = House::open_with("outbound", on, &["--outbound"]);
    let shop = house.shop("qi2");
    let tokens = house.agree(&shop, "plan", 0, None).await;
    for url in
        ["http://10.0.0.1/a", "https://169.254.169.254/b", "https://[fd00::1]/c", "https://2130706434/d"]
    {
        notify(&shop, &tokens.access, url, url).await;
        let mut all = house.notifications().await;
        all.retain(|one| one["body"].as_str().is_some_and(|body| body.contains(&format!("\"{url}\""))));
        let stored = all[0]["url"].as_str().expect("a URL").to_owned();
        let tried = house.tried(&stored, 1).await;
        assert_eq!((&tried["state"], &attempts(&tried)[0]["httpStatus"]), (&"pending".into(), &Value::Null));
        // 2130706434 is 127.0.0.2: this machine, where nobody speaks TLS.
        let words = if url.contains("2130706434") { "no connection" } else { "not allowed" };
        assert!(outcome(&tried, 0).contains(words), "{tried}");
    }
}

async fn a_notice_tells_its_own_client_and_nobody_else(on: On) {
    let house = House::open("addressee", on);
    let (qi, network) = (house.shop("qi2"), house.shop("alipayPlus2"));
    let mailbox = Mailbox::open(network.receiver(), |_| Manner::Sign).await;
    let url = format!("{}/authorized?reference=a%20b&x=$1", mailbox.url);
    let code = house.approve(&network.prepare("agreement-1", Some(&url)).await, 0).await;
    // Once the code is used its notice would be moot.
    house.tried(&url, 1).await;
    let first = network.apply(&code).await.tokens();
    network.refresh(&first.refresh).await.is("S SUCCESS");
    network.cancel(&first.access).await.is("S SUCCESS");
    network.cancel(&first.access).await.is("S SUCCESS");
    let mut kinds: Vec<String> = house
        .eventually("three notices", async || Some(mailbox.letters()).filter(|all| all.len() >= 3))
        .await
        .iter()
        .map(|letter| {
            assert_eq!(letter.received.verified, Verification::Verified, "{letter:?}");
            assert_eq!(letter.target, "/authorized?reference=a%20b&x=$1");
            assert_eq!(letter.header("client-id"), house.file.alipay_plus2.as_ref().expect("it").client_id);
            assert_eq!(letter.text("referenceAgreementId"), "agreement-1");
            letter.received.kind.clone()
        })
        .collect();
    // One notice each, none of the refresh or of the repeated cancelToken.
    house.advance(DAY).await;
    assert_eq!(mailbox.letters().len(), 3);
    kinds.sort();
    assert_eq!(kinds, ["AUTHCODE_CREATED", "TOKEN_CANCELED", "TOKEN_CREATED"]);

    // Who names no URL and has no default is told nothing; another client's receiver does not believe ours.
    let tokens = house.agree(&qi, "silent", 0, None).await;
    qi.pay(&Bill::new("silent", "IQD", 1_000), &tokens.access).await.is("S SUCCESS");
    assert_eq!(house.notifications().await.len(), 3);
    let url = format!("{}/foreign", mailbox.url);
    notify(&qi, &tokens.access, "foreign", &url).await;
    house.tried(&url, 1).await;
    let letter = &mailbox.letters_to("/foreign")[0];
    assert!(matches!(letter.received.verified, Verification::Wrong(_)), "{letter:?}");
}
