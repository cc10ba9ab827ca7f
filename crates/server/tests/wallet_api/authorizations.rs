//! What the app shows, and what its user decides.

use super::house::{FROZEN, House, RICH};
use super::stores::{Shelf, served_from_every_store};
use super::{System, agree, code, customer, pay, prepare};
use accord_core::operator::Role;
use serde_json::{Value, json};

served_from_every_store!(
    every_way_to_a_session_resolves_it,
    an_app_decides_once_and_may_ask_again,
    what_an_app_decided_can_be_debited,
    an_app_that_scanned_a_pc_s_code_gives_the_number_that_the_pc_shows,
);

async fn every_way_to_a_session_resolves_it(shelf: Shelf) {
    let house = House::open(shelf).await;
    let app = System::with(&house, Role::App).await;
    let prepared = house.call("alipayPlus", "prepare", prepare("ref-1")).await;
    let auth_id = prepared["normalUrl"].as_str().unwrap().split_once("authId=").unwrap().1.to_owned();
    let mut texts = Vec::new();
    for (member, value) in [
        ("authId", json!(auth_id)),
        ("url", prepared["normalUrl"].clone()),
        ("url", prepared["applinkUrl"].clone()),
        ("url", prepared["schemeUrl"].clone()),
        ("qrValue", prepared["codeValue"].clone()),
    ] {
        let (status, seen) = app.post("/authorizations/resolve", json!({ member: value })).await;
        assert_eq!(status, 200, "{member} {value}: {seen}");
        assert_eq!((&seen["authId"], &seen["state"]), (&json!(auth_id), &json!("open")));
        assert_eq!(seen["merchantDisplayName"], "Dijla Stream");
        assert_eq!(seen["merchantLegalName"], "Dijla Streaming LLC");
        assert_eq!(seen["scopes"], json!(["AGREEMENT_PAY"]));
        texts.push(seen["shownText"].clone());
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(texts[0].as_str().unwrap().contains("Dijla Streaming LLC"));
    let arabic = json!({ "authId": auth_id, "language": "ar-IQ" });
    assert_ne!(app.post("/authorizations/resolve", arabic).await.1["shownText"], texts[0]);

    for (expected, body) in [
        (404, json!({ "authId": "nothing" })),
        (404, json!({ "url": "https://merchant.example/" })),
        (404, json!({ "qrValue": "nonsense" })),
        (400, json!({})),
        (400, json!({ "authId": auth_id, "url": prepared["normalUrl"] })),
        (422, json!({ "authId": auth_id, "language": "fr" })),
    ] {
        assert_eq!(app.post("/authorizations/resolve", body.clone()).await.0, expected, "{body}");
    }
    house.close().await;
}

async fn an_app_decides_once_and_may_ask_again(shelf: Shelf) {
    let house = House::open(shelf).await;
    let app = System::with(&house, Role::App).await;
    let (rich, frozen) = (customer(&house, RICH).await, customer(&house, FROZEN).await);
    let prepared = house.call("alipayPlus", "prepare", prepare("ref-1")).await;
    let body = |customer: &str, decision: &str| {
        json!({ "url": prepared["normalUrl"], "customerId": customer, "decision": decision,
                "shownTextDigest": "ab".repeat(32) })
    };
    let decide = async |body: Value| app.post("/authorizations/decide", body).await;

    assert_eq!(code(&decide(body(&frozen, "approve")).await), (409, "USER_FROZEN"));
    assert_eq!(code(&decide(body("nobody", "approve")).await), (404, "USER_NOT_FOUND"));
    assert_eq!(code(&decide(body(&rich, "maybe")).await), (422, "INVALID"));
    let mut odd = body(&rich, "approve");
    odd["shownTextDigest"] = json!("é".repeat(32));
    assert_eq!(code(&decide(odd).await), (422, "INVALID"));

    let (status, first) = decide(body(&rich, "approve")).await;
    assert_eq!((status, &first["state"]), (200, &json!("approved")), "{first}");
    let auth_code = first["authCode"].as_str().unwrap();
    let back = format!("https://merchant.example/back?authCode={auth_code}&authState=state");
    assert_eq!(first["redirectUrl"], back);
    assert_eq!(decide(body(&rich, "approve")).await.1, first, "the same answer again");
    assert_eq!(code(&decide(body(&rich, "refuse")).await), (409, "ALREADY_DECIDED"));
    let other = decide(body(&frozen, "approve")).await;
    assert_eq!(code(&other), (409, "ALREADY_DECIDED"));
    assert!(!other.1.to_string().contains(auth_code));
    let (_, seen) = app.post("/authorizations/resolve", json!({ "url": prepared["normalUrl"] })).await;
    assert_eq!(seen["state"], "approved");
    assert!(!seen.to_string().contains(auth_code));

    let consent = {
        let id = accord_core::ids::AuthId::read(first["authId"].as_str().unwrap()).unwrap();
        house
            .app()
            .look(move |rows| Ok((rows.consent(&id)?, rows.journal_of(id.bucket(), id.as_str())?)))
            .await
    };
    let (consent, lines) = consent.unwrap();
    assert_eq!(consent.unwrap().text_digest.hex(), "ab".repeat(32));
    assert!(lines.iter().any(|line| line.actor == app.id), "the credential stands in the journal: {lines:?}");

    let prepared = house.call("alipayPlus", "prepare", super::prepare("ref-2")).await;
    let refuse = json!({ "qrValue": prepared["codeValue"], "customerId": rich, "decision": "refuse" });
    let (status, refused) = app.post("/authorizations/decide", refuse).await;
    assert_eq!((status, &refused["authCode"]), (200, &Value::Null));
    assert_eq!(refused["redirectUrl"], "https://merchant.example/back?authState=state");
    house.close().await;
}

async fn what_an_app_decided_can_be_debited(shelf: Shelf) {
    let house = House::open(shelf).await;
    let app = System::with(&house, Role::App).await;
    let rich = customer(&house, RICH).await;
    let token = agree(&house, &app, &rich).await;
    let paid = pay(&house, &token, "p-1").await;
    assert_eq!(paid["result"]["resultStatus"], "S", "{paid}");
    let (_, balances) = app.get(&format!("/users/{rich}/balances")).await;
    assert_eq!(balances["balances"]["IQD"], "99999000000");
    house.close().await;
}

async fn an_app_that_scanned_a_pc_s_code_gives_the_number_that_the_pc_shows(shelf: Shelf) {
    let house = House::open(shelf).await;
    let app = System::with(&house, Role::App).await;
    let rich = customer(&house, RICH).await;
    for (reference, wrong) in [("ref-right", 1), ("ref-dead", 3)] {
        let prepared = house.call("alipayPlus", "prepare", prepare(reference)).await;
        let scan = json!({ "qrValue": prepared["codeValue"] });
        assert_eq!(app.post("/authorizations/resolve", scan.clone()).await.1["handover"], Value::Null);

        // A browser opens the page on a PC.
        let url = prepared["normalUrl"].as_str().unwrap();
        let opened = house.http.get(url).header("user-agent", "A PC").send().await.unwrap();
        let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let page = opened.text().await.unwrap();
        let shown = page.split_once("<strong dir=\"ltr\">").map_or("", |(_, rest)| rest);
        let number: u32 = shown.split('<').next().and_then(|text| text.parse().ok()).expect("a number");
        let (_, seen) = app.post("/authorizations/resolve", scan).await;
        assert_eq!(
            (&seen["handover"]["device"], &seen["handover"]["triesLeft"]),
            (&json!("A PC"), &json!(3))
        );
        assert!(
            !seen["handover"].to_string().contains(&format!("\"{number}\"")),
            "the phone is not told the number"
        );

        let body = |number: Option<u32>| {
            json!({ "qrValue": prepared["codeValue"], "customerId": rich, "decision": "approve",
                    "number": number.map(|number| number.to_string()) })
        };
        let decide = async |number| app.post("/authorizations/decide", body(number)).await;
        assert_eq!(code(&decide(None).await), (409, "NUMBER_REQUIRED"));
        for round in 1..=wrong {
            let expected = if round < 3 { "WRONG_NUMBER" } else { "HANDOVER_CLOSED" };
            assert_eq!(code(&decide(Some(if number == 10 { 11 } else { 10 })).await), (409, expected));
        }
        let decided = decide(Some(number)).await;
        if wrong == 3 {
            assert_eq!(code(&decided), (409, "HANDOVER_CLOSED"));
            continue;
        }
        assert_eq!((decided.0, &decided.1["state"]), (200, &json!("approved")), "{}", decided.1);
        let state = format!("{}/authorize/state?authId={}", house.wallet, seen["authId"].as_str().unwrap());
        let told = house.http.get(state).header("cookie", cookie).send().await.unwrap().text().await.unwrap();
        assert_eq!(told, r#"{"state":"over"}"#, "the PC's page learns of it");
    }
    house.close().await;
}
