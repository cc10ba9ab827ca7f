//! The pages under requests that no browser makes from our forms, and people who type as their keyboards do.

use super::control::prepare;
use super::handover::{Browser, field};
use super::house::{House, PIN, RICH};
use super::stores::{Shelf, served_from_every_store};
use serde_json::json;

served_from_every_store!(
    a_web_address_is_one_however_its_scheme_is_written,
    the_text_alone_is_shown_no_longer_than_the_question_stands,
    what_cannot_be_read_is_told_by_a_page_and_changes_nothing,
    login_and_pin_are_the_same_in_whichever_digits_they_are_typed,
);

/// The page of a new authorization that leads back to `url`.
async fn ask(house: &House, reference: &str, url: &str) -> String {
    let mut body = prepare(reference);
    body["terminalType"] = json!("WAP");
    body["authRedirectUrl"] = json!(url);
    let prepared = house.call("alipayPlus", "prepare", body).await;
    prepared["normalUrl"].as_str().unwrap_or_else(|| panic!("{prepared}")).to_owned()
}

async fn a_web_address_is_one_however_its_scheme_is_written(shelf: Shelf) {
    let house = House::open(shelf).await;
    let page = ask(&house, "capitals", "HTTPS://shop.example/back").await;
    let decided = Browser::new(&house).decide(&page, "refuse").await;
    assert_eq!(decided.status, 303, "{}", decided.body);
    assert!(decided.location.starts_with("HTTPS://shop.example/back?authState="), "{}", decided.location);
    house.close().await;
}

async fn the_text_alone_is_shown_no_longer_than_the_question_stands(shelf: Shelf) {
    let house = House::open(shelf).await;
    let (decided, late) = (
        ask(&house, "text decided", "https://shop.example/back").await,
        ask(&house, "text late", "https://shop.example/back").await,
    );
    let text =
        async |page: &str| Browser::new(&house).get(&page.replace("/authorize?", "/authorize/text?")).await;
    let shown = "Dijla Streaming LLC";
    assert!(text(&decided).await.body.contains(shown) && text(&late).await.body.contains(shown));
    Browser::new(&house).decide(&decided, "refuse").await;
    let after = text(&decided).await;
    assert!(after.body.contains("Already decided") && !after.body.contains(shown), "{}", after.body);
    house.post("/sandbox/clock", json!({ "advanceSeconds": 901 })).await;
    let after = text(&late).await;
    assert!(after.body.contains("The time is over") && !after.body.contains(shown), "{}", after.body);
    house.close().await;
}

async fn what_cannot_be_read_is_told_by_a_page_and_changes_nothing(shelf: Shelf) {
    let house = House::open(shelf).await;
    let url = ask(&house, "unreadable", "https://shop.example/back").await;
    let page = url.strip_prefix(&house.wallet).unwrap();
    let (_, id) = page.split_once("authId=").unwrap();
    let form = "application/x-www-form-urlencoded";
    let long = format!("authId={id}&pin={}", "1".repeat(20_000));
    let twice = format!("authId={id}&decision=refuse&decision=approve");
    let get = |path: String| house.http.get(format!("{}{path}", house.wallet));
    let post = |path: &str, kind: &str, body: &str| {
        let request = house.http.post(format!("{}{path}", house.wallet));
        request.header("content-type", kind.to_owned()).body(body.to_owned())
    };
    for (request, status) in [
        (get(format!("{page}&authId={id}")), 400),
        (get("/wallet?done=1&done=2".to_owned()), 400),
        (post("/authorize", form, &twice), 422),
        (post("/authorize", "application/json", "{}"), 415),
        (post("/authorize", form, &long), 413),
        (post("/wallet/sign-in", form, "pin=1&pin=2"), 422),
    ] {
        let reply = request.header("accept-language", "ar-IQ").send().await.unwrap();
        assert_eq!(reply.status().as_u16(), status);
        let header = |name: &str| reply.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-type").as_deref(), Some("text/html; charset=utf-8"), "{status}");
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        let body = reply.text().await.unwrap();
        assert!(body.contains("lang=\"ar-IQ\"") && !body.contains("deserialize"), "{body}");
    }
    assert_eq!(Browser::new(&house).decide(&url, "refuse").await.status, 303, "it is open still");
    house.close().await;
}

async fn login_and_pin_are_the_same_in_whichever_digits_they_are_typed(shelf: Shelf) {
    let house = House::open(shelf).await;
    let eastern = |text: &str, zero: u32| -> String {
        let digit = |letter: char| letter.to_digit(10).and_then(|digit| char::from_u32(zero + digit));
        text.chars().map(|letter| digit(letter).unwrap_or(letter)).collect()
    };
    let typed = [
        (eastern(RICH, 0x660), eastern(PIN, 0x660)),
        (eastern(RICH, 0x6F0), eastern(PIN, 0x6F0)),
        (format!("\u{202A}{RICH}\u{202C}"), PIN.to_owned()),
    ];
    for (number, (login, pin)) in typed.iter().enumerate() {
        let page = ask(&house, &format!("digits {number}"), "https://shop.example/back").await;
        let browser = Browser::new(&house);
        let shown = browser.get(&page).await;
        let (csrf, auth_id) = (field(&shown.body, "csrf"), field(&shown.body, "authId"));
        let form = [
            ("csrf", csrf.as_str()),
            ("authId", &auth_id),
            ("loginId", login),
            ("pin", pin),
            ("agree", "yes"),
            ("decision", "approve"),
        ];
        let begun = browser.post("/authorize", &form).await;
        assert!(begun.location.contains("&step=approve"), "{login}: {}", begun.body);
    }
    house.close().await;
}
