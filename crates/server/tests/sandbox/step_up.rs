//! A one-time code beside the PIN, on the page and by the control API.

use super::control::prepare;
use super::handover::{Browser, field};
use super::house::{House, PIN, RICH};
use super::stores::{Shelf, served_from_every_store};
use accord_core::agreement::step_up::{StepUpPolicy, When};
use accord_core::money::{Amount, Currency};
use accord_server::app::Screens;
use accord_server::wallet_api::Seams;
use serde_json::{Value, json};

served_from_every_store!(
    an_approval_needs_the_code_that_was_sent_after_the_pin,
    a_code_is_good_for_its_session_its_time_and_five_tries,
    a_limit_below_the_wallets_bound_needs_no_code,
    the_control_api_is_asked_for_the_code_as_well,
);

async fn open(shelf: Shelf, when: When) -> House {
    let step_up = StepUpPolicy { when, ..StepUpPolicy::default() };
    House::open_as(shelf, Seams::default(), Screens { step_up, ..Screens::default() }).await
}

/// The page of a new authorization.
async fn ask(house: &House, reference: &str) -> String {
    let mut body = prepare(reference);
    body["terminalType"] = json!("WAP");
    house.call("alipayPlus", "prepare", body).await["normalUrl"].as_str().unwrap().to_owned()
}

/// The codes that the user was sent to approve, newest first.
async fn codes(house: &House) -> Vec<String> {
    let (_, told) = house.get(&format!("/sandbox/messages?loginId={}", RICH.replace('+', "%2B"))).await;
    let messages = told["messages"].as_array().unwrap().iter();
    let texts = messages.map(|message| message["text"].as_str().unwrap().to_owned());
    let code = |text: String| {
        let digits: String =
            text.chars().filter(|letter| *letter != '\u{2068}' && *letter != '\u{2069}').collect();
        digits.contains("is your code to agree").then(|| digits.get(..6).unwrap_or_default().to_owned())
    };
    texts.filter_map(code).collect()
}

/// Another code.
fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// The second step's form with that code.
async fn confirm(browser: &Browser<'_>, page: &str, code: &str) -> super::handover::Got {
    let step = browser.get(&format!("{page}&step=approve")).await;
    let (csrf, auth_id) = (field(&step.body, "csrf"), field(&step.body, "authId"));
    let form = [
        ("csrf", csrf.as_str()),
        ("authId", &auth_id),
        ("confirm", "yes"),
        ("decision", "approve"),
        ("code", code),
    ];
    browser.post("/authorize", &form).await
}

/// The first step's form, with what the user typed.
async fn begin(browser: &Browser<'_>, page: &str, limit: &str) -> super::handover::Got {
    let shown = browser.get(page).await;
    let (csrf, auth_id) = (field(&shown.body, "csrf"), field(&shown.body, "authId"));
    let form = [
        ("csrf", csrf.as_str()),
        ("authId", &auth_id),
        ("loginId", RICH),
        ("pin", PIN),
        ("agree", "yes"),
        ("limitPerDebit", limit),
        ("decision", "approve"),
    ];
    browser.post("/authorize", &form).await
}

async fn an_approval_needs_the_code_that_was_sent_after_the_pin(shelf: Shelf) {
    let house = open(shelf, When::Always).await;
    let page = ask(&house, "always").await;
    let browser = Browser::new(&house);
    assert!(!browser.get(&page).await.body.contains("name=\"code\""), "not before the PIN");
    assert_eq!(codes(&house).await.len(), 0);
    let begun = begin(&browser, &page, "").await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    let sent = codes(&house).await;
    let [code] = sent.as_slice() else { panic!("one code: {sent:?}") };
    let second = browser.get(&format!("{page}&step=approve")).await;
    assert!(
        second.body.contains("name=\"code\"") && second.body.contains("We sent you a code"),
        "{}",
        second.body
    );
    assert!(!second.body.contains(code.as_str()), "the page does not say it");

    let missing = confirm(&browser, &page, "").await;
    assert!(missing.location.is_empty() && missing.body.contains("Please type the code"), "{}", missing.body);
    let wrong = confirm(&browser, &page, &other(code)).await;
    assert!(wrong.body.contains("Tries left: <bdi>4</bdi>"), "{}", wrong.body);
    assert_eq!(codes(&house).await.len(), 1, "no other was sent within half a minute");
    let right = confirm(&browser, &page, code).await;
    assert!(right.location.contains("authCode=281"), "{}", right.body);

    // A refusal needs none.
    let page = ask(&house, "refused").await;
    assert_eq!(browser.decide(&page, "refuse").await.status, 303);
    house.close().await;
}

async fn a_code_is_good_for_its_session_its_time_and_five_tries(shelf: Shelf) {
    let house = open(shelf, When::Always).await;
    let (one, two) = (ask(&house, "one").await, ask(&house, "two").await);
    let browser = Browser::new(&house);
    begin(&browser, &one, "").await;
    let first = codes(&house).await.remove(0);
    house.post("/sandbox/clock", json!({ "advanceSeconds": 31 })).await;
    begin(&browser, &two, "").await;
    let second = codes(&house).await.remove(0);
    assert_ne!(first, second);
    assert!(confirm(&browser, &two, &first).await.body.contains("That is another code"));
    for _ in 0..4 {
        assert!(confirm(&browser, &two, &other(&second)).await.location.is_empty());
    }
    let over = confirm(&browser, &two, &second).await;
    assert!(over.location.is_empty() && over.body.contains("no longer good"), "{}", over.body);
    // The first session's own is good still.
    assert!(confirm(&browser, &one, &first).await.location.contains("authCode=281"));
    house.close().await;
}

async fn a_limit_below_the_wallets_bound_needs_no_code(shelf: Shelf) {
    let bound = Amount::new(Currency::parse("IQD").unwrap(), 50_000_000).unwrap();
    let house = open(shelf, When::Above(bound)).await;
    for (limit, needed) in [("50000", false), ("50001", true), ("", true)] {
        let page = ask(&house, &format!("limit {limit}")).await;
        let browser = Browser::new(&house);
        begin(&browser, &page, limit).await;
        let second = browser.get(&format!("{page}&step=approve")).await;
        assert_eq!(second.body.contains("name=\"code\""), needed, "{limit}: {}", second.body);
        let got = confirm(&browser, &page, "").await;
        assert_eq!(got.location.contains("authCode=281"), !needed, "{limit}: {}", got.body);
    }
    house.close().await;
}

async fn the_control_api_is_asked_for_the_code_as_well(shelf: Shelf) {
    let house = open(shelf, When::Always).await;
    let page = ask(&house, "api").await;
    let decide = |code: Option<String>| {
        let body = json!({ "url": page, "loginId": RICH, "pin": PIN, "decision": "approve", "code": code });
        house.post("/sandbox/decide", body)
    };
    let refused = |answer: (u16, Value)| (answer.0, answer.1["error"]["code"].as_str().unwrap().to_owned());
    assert_eq!(refused(decide(None).await), (403, "CODE_NEEDED".to_owned()));
    let code = codes(&house).await.remove(0);
    assert_eq!(refused(decide(Some(other(&code))).await), (403, "CODE_NEEDED".to_owned()));
    let (status, decided) = decide(Some(code)).await;
    assert_eq!(status, 200, "{decided}");
    house.close().await;
}
