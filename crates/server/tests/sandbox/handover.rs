//! From a PC to a phone over HTTP (decision 20): QR code, number, and who is led back.

use super::control::prepare;
use super::house::{House, PIN, RICH};
use super::stores::{Shelf, served_from_every_store};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

served_from_every_store!(
    a_phone_decides_by_the_code_and_the_number_and_the_pc_goes_back,
    three_wrong_numbers_close_the_code_and_the_pc_decides_by_itself,
    only_the_browser_that_first_opened_the_page_may_hand_it_over,
    a_form_of_another_browser_types_no_number,
    a_code_that_the_merchant_shows_leads_to_the_page_without_a_number,
    codes_expire_with_their_session_and_only_pages_for_a_pc_show_them,
    the_sandbox_answers_the_number_and_the_open_page_goes_back,
);

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36";
const CODE: &str = "authCode=281";

/// A browser: it keeps its cookies and follows nothing by itself.
pub struct Browser<'h> {
    house: &'h House,
    cookies: Mutex<Vec<String>>,
}

/// What a browser got.
pub struct Got {
    pub status: u16,
    pub location: String,
    pub body: String,
    pub policy: String,
}

impl<'h> Browser<'h> {
    pub fn new(house: &'h House) -> Browser<'h> {
        Browser { house, cookies: Mutex::default() }
    }

    pub async fn get(&self, path: &str) -> Got {
        self.send(self.house.http.get(self.url(path))).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Got {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = self.house.http.post(self.url(path));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body.finish())).await
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.house.wallet) } else { path.to_owned() }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Got {
        let cookies = self.cookies.lock().unwrap().join("; ");
        let reply = request.header(COOKIE, cookies).header(USER_AGENT, WINDOWS).send().await.unwrap();
        for line in reply.headers().get_all(SET_COOKIE) {
            let cookie = line.to_str().unwrap().split(';').next().unwrap().to_owned();
            let name = cookie.split('=').next().unwrap().to_owned();
            let mut cookies = self.cookies.lock().unwrap();
            cookies.retain(|known| !known.starts_with(&format!("{name}=")));
            cookies.push(cookie);
        }
        let header = |name: &str| {
            reply.headers().get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
        };
        let (location, policy) = (header(LOCATION.as_str()), header("content-security-policy"));
        Got { status: reply.status().as_u16(), location, policy, body: reply.text().await.unwrap() }
    }

    /// Approves or refuses on the page at that path, in both steps.
    pub async fn decide(&self, page: &str, decision: &str) -> Got {
        let shown = self.get(page).await;
        let csrf = field(&shown.body, "csrf");
        let auth_id = field(&shown.body, "authId");
        let form = [
            ("csrf", csrf.as_str()),
            ("authId", &auth_id),
            ("loginId", RICH),
            ("pin", PIN),
            ("agree", "yes"),
            ("decision", decision),
        ];
        let once = self.post("/authorize", &form).await;
        if !once.location.contains("&step=") {
            return once;
        }
        let second = self.get(&once.location).await;
        let csrf = field(&second.body, "csrf");
        let form =
            [("csrf", csrf.as_str()), ("authId", &auth_id), ("confirm", "yes"), ("decision", decision)];
        self.post("/authorize", &form).await
    }

    /// Types a number on the phone's page.
    async fn types(&self, scanned: &str, number: &str) -> Got {
        let csrf = field(&self.get(scanned).await.body, "csrf");
        let path = scanned.split_once("/q/").map(|(_, handle)| format!("/q/{handle}")).unwrap();
        self.post(&path, &[("csrf", &csrf), ("number", number)]).await
    }

    async fn state(&self, asked: &Asked) -> Value {
        let got = self.get(&format!("/authorize/state?authId={}", asked.auth_id)).await;
        serde_json::from_str::<Value>(&got.body).map_or(json!(got.status), |told| told["state"].clone())
    }
}

pub fn field(html: &str, name: &str) -> String {
    let after =
        html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("{name}: {html}"));
    after.split('"').next().unwrap().to_owned()
}

fn number(html: &str) -> Option<String> {
    let after = html.split("<strong dir=\"ltr\">").nth(1)?;
    after.split('<').next().map(str::to_owned)
}

/// Another number than that.
fn other(number: &str, by: u32) -> String {
    let number: u32 = number.parse().unwrap();
    (10 + (number - 10 + by) % 90).to_string()
}

/// A prepared authorization.
struct Asked {
    page: String,
    auth_id: String,
    scanned: String,
}

async fn ask(house: &House, terminal: &str) -> Asked {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut body = prepare(&format!("handover-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    body["terminalType"] = json!(terminal);
    let prepared = house.call("alipayPlus", "prepare", body).await;
    let page = prepared["normalUrl"].as_str().unwrap().to_owned();
    let auth_id = page.split_once("authId=").unwrap().1.to_owned();
    Asked { page, auth_id, scanned: prepared["codeValue"].as_str().unwrap().to_owned() }
}

async fn a_phone_decides_by_the_code_and_the_number_and_the_pc_goes_back(shelf: Shelf) {
    let house = House::open(shelf).await;
    for decision in ["approve", "refuse"] {
        let asked = ask(&house, "WEB").await;
        let (pc, phone, stranger) = (Browser::new(&house), Browser::new(&house), Browser::new(&house));
        let page = pc.get(&asked.page).await;
        let shown = number(&page.body).expect("the PC shows a number");
        assert!(page.policy.contains("script-src 'self'; connect-src 'self'; "), "{}", page.policy);
        assert_eq!(number(&pc.get(&asked.page).await.body).as_ref(), Some(&shown), "a reload shows it again");
        assert_eq!(pc.state(&asked).await, "waiting");

        let image = pc.get(&format!("/qr/{}", asked.auth_id)).await;
        assert_eq!(image.status, 200);
        assert!(image.body.starts_with("<svg xmlns"), "{}", image.body);

        let scanned = phone.get(&asked.scanned).await;
        assert_eq!(scanned.status, 200);
        for hidden in [&asked.auth_id, &format!(">{shown}<")] {
            assert!(!scanned.body.contains(hidden.as_str()), "{hidden}: {}", scanned.body);
        }
        for told in ["Dijla Stream", "Chrome</bdi> on <bdi>Windows", "127.0.0.1", "(Baghdad)"] {
            assert!(scanned.body.contains(told), "{told}: {}", scanned.body);
        }
        let wrong = phone.types(&asked.scanned, &other(&shown, 1)).await;
        assert!(wrong.body.contains("Tries left: <bdi>2</bdi>"), "{}", wrong.body);
        assert!(!wrong.body.contains(&asked.auth_id));
        let unreadable = phone.types(&asked.scanned, "4x").await;
        assert!(unreadable.body.contains("type the two digits"), "{}", unreadable.body);
        assert_eq!(pc.state(&asked).await, "waiting");
        let right = phone.types(&asked.scanned, &shown).await;
        assert_eq!(
            (right.status, right.location),
            (303, format!("/authorize?authId={}&lang=en-US", asked.auth_id))
        );
        assert_eq!(pc.state(&asked).await, "taken");
        assert_eq!(number(&pc.get(&asked.page).await.body), None, "nobody else is to scan it");

        let decided = phone.decide(&asked.page, decision).await;
        assert_eq!(decided.status, 200, "the phone stays: {}", decided.location);
        assert!(decided.body.contains("The computer now goes back to"), "{}", decided.body);
        assert_eq!(pc.state(&asked).await, "over");
        let back = pc.get(&asked.page).await;
        assert_eq!(back.status, 303);
        assert!(back.location.starts_with("https://merchant.example/back?x=1&"), "{}", back.location);
        assert_eq!(back.location.contains(CODE), decision == "approve", "{}", back.location);
        assert_eq!(pc.get(&asked.page).await.location, back.location, "the same code again");

        let seen = stranger.get(&asked.page).await;
        assert_eq!((seen.status, seen.location.as_str()), (200, ""));
        assert!(!seen.body.contains("281") && seen.body.contains("Already decided"), "{}", seen.body);
        assert_eq!(stranger.state(&asked).await, 404);
        let late = stranger.get(&asked.scanned).await;
        assert!(
            late.body.contains("Already decided") && !late.body.contains(&asked.auth_id),
            "{}",
            late.body
        );
    }
    house.close().await;
}

async fn three_wrong_numbers_close_the_code_and_the_pc_decides_by_itself(shelf: Shelf) {
    let house = House::open(shelf).await;
    let asked = ask(&house, "WEB").await;
    let (pc, phone) = (Browser::new(&house), Browser::new(&house));
    let shown = number(&pc.get(&asked.page).await.body).unwrap();
    for by in [1, 2, 3] {
        let got = Browser::new(&house);
        // Each from another browser: it is the code that is closed, not a cookie.
        let told = got.types(&asked.scanned, &other(&shown, by)).await;
        assert_eq!(told.body.contains("This code is closed"), by == 3, "{}", told.body);
    }
    let closed = phone.get(&asked.scanned).await;
    assert!(closed.body.contains("This code is closed") && !closed.body.contains("<form"), "{}", closed.body);
    let handle = asked.scanned.split_once("/q/").unwrap().1;
    let forced = phone.post(&format!("/q/{handle}"), &[("number", &shown)]).await;
    assert!(forced.location.is_empty() && forced.body.contains("This code is closed"), "{}", forced.body);
    assert_eq!(pc.state(&asked).await, "dead");
    assert_eq!(number(&pc.get(&asked.page).await.body), None);
    let decided = pc.decide(&asked.page, "approve").await;
    assert_eq!(decided.status, 303);
    assert!(decided.location.contains(CODE), "{}", decided.location);
    house.close().await;
}

async fn only_the_browser_that_first_opened_the_page_may_hand_it_over(shelf: Shelf) {
    let house = House::open(shelf).await;
    let asked = ask(&house, "WEB").await;
    let (pc, second, phone) = (Browser::new(&house), Browser::new(&house), Browser::new(&house));
    // A browser that only looks ahead is no first one.
    let ahead = house.http.get(&asked.page).header("sec-purpose", "prefetch;prerender").send().await.unwrap();
    assert_eq!(number(&ahead.text().await.unwrap()), None);
    house.http.head(&asked.page).send().await.unwrap();
    let shown = number(&pc.get(&asked.page).await.body).unwrap();
    let page = second.get(&asked.page).await;
    assert_eq!(number(&page.body), None);
    assert!(
        page.body.contains("name=\"pin\"") && !page.policy.contains("script-src"),
        "it may decide by itself"
    );
    assert_eq!(second.state(&asked).await, 404);
    phone.types(&asked.scanned, &shown).await;
    phone.decide(&asked.page, "approve").await;
    assert!(pc.get(&asked.page).await.location.contains(CODE));
    assert!(second.get(&asked.page).await.body.contains("Already decided"));
    // Not after the code's life.
    house.post("/sandbox/clock", json!({ "advanceSeconds": 601 })).await;
    let late = pc.get(&asked.page).await;
    assert!(late.location.is_empty() && late.body.contains("Already decided"), "{}", late.body);
    house.close().await;
}

async fn a_form_of_another_browser_types_no_number(shelf: Shelf) {
    let house = House::open(shelf).await;
    let asked = ask(&house, "WEB").await;
    let (pc, phone, stranger) = (Browser::new(&house), Browser::new(&house), Browser::new(&house));
    let shown = number(&pc.get(&asked.page).await.body).unwrap();
    let csrf = field(&stranger.get(&asked.scanned).await.body, "csrf");
    let path = format!("/q/{}", asked.scanned.split_once("/q/").unwrap().1);
    phone.get(&asked.scanned).await;
    for by in 0..5 {
        let got = phone.post(&path, &[("csrf", &csrf), ("number", &other(&shown, by))]).await;
        assert!(got.location.is_empty() && got.body.contains("too old"), "{}", got.body);
    }
    assert_eq!(pc.state(&asked).await, "waiting", "nothing was counted");
    house.close().await;
}

async fn a_code_that_the_merchant_shows_leads_to_the_page_without_a_number(shelf: Shelf) {
    let house = House::open(shelf).await;
    let asked = ask(&house, "WEB").await;
    let (phone, pc) = (Browser::new(&house), Browser::new(&house));
    let scanned = phone.get(&asked.scanned).await;
    assert!(scanned.body.contains("Continue only if you started it"), "{}", scanned.body);
    assert!(!scanned.body.contains("name=\"number\"") && !scanned.body.contains(&asked.auth_id));
    let csrf = field(&scanned.body, "csrf");
    let path = format!("/q/{}", asked.scanned.split_once("/q/").unwrap().1);
    let unasked = phone.post(&path, &[]).await;
    assert!(unasked.location.is_empty(), "not without the form's token");
    let on = phone.post(&path, &[("csrf", &csrf)]).await;
    assert_eq!(on.status, 303);
    assert_eq!(number(&phone.get(&on.location).await.body), None, "a phone shows no code to scan");
    assert_eq!(
        number(&pc.get(&asked.page).await.body),
        None,
        "a PC that comes later has nothing to hand over"
    );
    let decided = phone.decide(&on.location, "approve").await;
    assert!(decided.location.contains(CODE), "{}", decided.body);
    assert!(pc.get(&asked.page).await.body.contains("Already decided"));
    house.close().await;
}

async fn codes_expire_with_their_session_and_only_pages_for_a_pc_show_them(shelf: Shelf) {
    let house = House::open(shelf).await;
    for terminal in ["WAP", "APP"] {
        let asked = ask(&house, terminal).await;
        let page = Browser::new(&house).get(&asked.page).await;
        assert_eq!(number(&page.body), None, "{terminal}");
        assert!(!page.policy.contains("script-src"), "{terminal}");
    }
    let asked = ask(&house, "WEB").await;
    let (pc, phone) = (Browser::new(&house), Browser::new(&house));
    let shown = number(&pc.get(&asked.page).await.body).unwrap();
    let csrf = field(&phone.get(&asked.scanned).await.body, "csrf");
    house.post("/sandbox/clock", json!({ "advanceSeconds": 901 })).await;
    assert!(phone.get(&asked.scanned).await.body.contains("The time is over"));
    let path = format!("/q/{}", asked.scanned.split_once("/q/").unwrap().1);
    let late = phone.post(&path, &[("csrf", &csrf), ("number", &shown)]).await;
    assert!(late.location.is_empty() && late.body.contains("The time is over"), "{}", late.body);
    assert_eq!(pc.state(&asked).await, "over");
    for path in ["/q/x", "/q/AAAA", "/qr/x", "/authorize/state", "/authorize/state?authId=x"] {
        assert_eq!(pc.get(path).await.status, 404, "{path}");
    }
    house.close().await;
}

async fn the_sandbox_answers_the_number_and_the_open_page_goes_back(shelf: Shelf) {
    let house = House::open(shelf).await;
    let asked = ask(&house, "WEB").await;
    let (pc, stranger) = (Browser::new(&house), Browser::new(&house));
    pc.get(&asked.page).await;
    let body = json!({ "url": asked.scanned, "loginId": RICH, "pin": PIN, "decision": "approve" });
    let (status, decided) = house.post("/sandbox/decide", body.clone()).await;
    assert_eq!(status, 200, "{decided}");
    assert_eq!(pc.get(&asked.page).await.location, decided["redirectUrl"].as_str().unwrap());
    assert!(stranger.get(&asked.page).await.body.contains("Already decided"));
    assert_eq!(house.post("/sandbox/decide", body).await.0, 409);

    // By another way than the code, the page that is open is told how it ended, and no more.
    let asked = ask(&house, "WEB").await;
    pc.get(&asked.page).await;
    let body = json!({ "url": asked.page, "loginId": RICH, "pin": PIN, "decision": "approve" });
    assert_eq!(house.post("/sandbox/decide", body).await.0, 200);
    assert!(pc.get(&asked.page).await.body.contains("Already decided"));
    house.close().await;
}
