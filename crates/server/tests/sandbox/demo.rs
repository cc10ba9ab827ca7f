//! The demo merchant, driven as a browser would.

use super::house::{House, PIN, RICH, told};
use super::stores::{Shelf, served_from_every_store};
use serde_json::{Value, json};

served_from_every_store!(
    a_mini_program_learns_who_its_user_is_by_a_code_without_a_page,
    the_demo_merchant_answers_consult_unbinding_as_it_is_set_to,
    the_qi_flow_runs_from_prepare_to_cancel,
    the_alipay_plus_flow_runs_from_prepare_to_cancel,
    the_demo_keeps_to_its_own_origin_and_to_its_own_forms,
    a_forged_notification_is_refused_with_a_signed_answer,
);

/// A browser with one cookie, and the page it looks at.
pub struct Browser<'h> {
    house: &'h House,
    dialect: &'static str,
    /// Where the forms' answers are shown: `steps`, or the shop.
    at: &'static str,
    cookie: String,
    pub page: String,
}

impl<'h> Browser<'h> {
    async fn open(house: &'h House, dialect: &'static str) -> Browser<'h> {
        Browser::look(house, dialect, "steps").await
    }

    /// Opens the shop.
    pub async fn shop(house: &'h House, dialect: &'static str) -> Browser<'h> {
        Browser::look(house, dialect, "").await
    }

    async fn look(house: &'h House, dialect: &'static str, at: &'static str) -> Browser<'h> {
        let mut browser = Browser { house, dialect, at, cookie: String::new(), page: String::new() };
        browser.visit(&format!("{}/demo/{dialect}?view={at}", house.shop)).await;
        browser
    }

    /// Goes to a URL and follows redirects.
    pub async fn visit(&mut self, url: &str) {
        let mut url = url.to_owned();
        for _ in 0..5 {
            let reply = self.house.http.get(&url).header("cookie", &self.cookie).send().await.unwrap();
            match self.take(reply).await {
                Some(next) => url = self.absolute(&next),
                None => return,
            }
        }
        panic!("led around in a circle: {url}");
    }

    /// Sends the form of a step.
    pub async fn step(&mut self, step: &str, fields: &[(&str, &str)]) {
        let csrf = between(&self.page, "name=\"csrf\" value=\"", "\"").to_owned();
        self.post(step, &csrf, fields).await;
    }

    async fn post(&mut self, step: &str, csrf: &str, fields: &[(&str, &str)]) {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.append_pair("csrf", csrf).append_pair("at", self.at).extend_pairs(fields).finish();
        let request = self.house.http.post(format!("{}/demo/{}/{step}", self.house.shop, self.dialect));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let reply = request.header("cookie", &self.cookie).body(body).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 303, "{step}");
        let next = self.take(reply).await.unwrap();
        self.visit(&self.absolute(&next)).await;
    }

    async fn take(&mut self, reply: reqwest::Response) -> Option<String> {
        if let Some(cookie) = reply.headers().get("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        let next = reply.headers().get("location").map(|url| url.to_str().unwrap().to_owned());
        self.page = reply.text().await.unwrap();
        next
    }

    fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.house.shop) } else { url.to_owned() }
    }

    pub fn shows(&self, text: &str) {
        assert!(self.page.contains(text), "{text} is not on the page: {}", self.page);
    }

    pub fn auth_url(&self) -> String {
        between(&self.page, "id=\"open-page\"", "</a>");
        let href = between(&self.page[self.page.find("id=\"open-page\"").unwrap()..], "href=\"", "\"");
        href.replace("&#38;", "&").replace("&amp;", "&")
    }

    /// What the demo merchant has received, newest first, when it has received that.
    async fn received(&self, kind: &str) -> Value {
        let has =
            |list: &Value| list.as_array().is_some_and(|list| list.iter().any(|one| one["type"] == kind));
        let list = self.house.wait_for("/demo/notifications.json", has).await;
        let one = list.as_array().unwrap().iter().find(|one| one["type"] == kind).unwrap();
        assert_eq!((&one["verified"], &one["acknowledged"]), (&json!(true), &json!("S SUCCESS")), "{one}");
        serde_json::from_str(one["body"].as_str().unwrap()).unwrap()
    }
}

pub fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

pub async fn decide(house: &House, url: &str, decision: &str) -> Value {
    let body = json!({ "url": url, "loginId": RICH, "pin": PIN, "decision": decision });
    let (status, decided) = house.post("/sandbox/decide", body).await;
    assert_eq!(status, 200, "{decided}");
    decided
}

async fn a_mini_program_learns_who_its_user_is_by_a_code_without_a_page(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = Browser::open(&house, "qi").await;
    browser.step("logIn", &[("loginId", RICH)]).await;
    browser.shows("inquiryUserInfo: S SUCCESS");
    browser.shows("maskLoginId");
    browser.step("logIn", &[("loginId", "+9647700000000")]).await;
    browser.shows("the sandbox answers HTTP 403");
    house.close().await;
}

async fn the_demo_merchant_answers_consult_unbinding_as_it_is_set_to(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = Browser::open(&house, "alipayPlus").await;
    browser.shows("<option selected>true</option>");
    browser.step("consult", &[("answer", "timeout")]).await;
    browser.shows("<option selected>timeout</option>");
    browser.step("consult", &[("answer", "perhaps")]).await;
    browser.shows("a field has none of its values");
    browser.shows("<option selected>timeout</option>");
    house.close().await;
}

async fn the_qi_flow_runs_from_prepare_to_cancel(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = Browser::open(&house, "qi").await;
    browser.shows(RICH);
    browser.step("pay", &[]).await;
    browser.shows("This step needs an access token");

    browser.step("prepare", &[("contractDesc", "One issue a day"), ("contractLanguage", "ar-IQ")]).await;
    browser.shows("prepare: S SUCCESS");
    let url = browser.auth_url();
    assert!(url.starts_with(&format!("{}/authorize?authId=", house.wallet)), "{url}");
    let code = decide(&house, &url, "approve").await["authCode"].as_str().unwrap().to_owned();
    browser.visit(&format!("{}/demo/qi/return", house.shop)).await;
    browser.step("code", &[("authCode", &code), ("error", ""), ("errorMessage", "")]).await;
    browser.step("applyToken", &[]).await;
    browser.shows("applyToken: S SUCCESS");
    browser.step("pay", &[("amount", "25000000"), ("currency", "IQD")]).await;
    browser.shows("pay: S SUCCESS");
    assert_eq!(house.user(RICH).await["balances"]["IQD"], "99975000000");
    let notified = browser.received("notifyPayment").await;
    assert_eq!(notified["paymentResult"]["resultStatus"], "S", "{notified}");
    browser.step("inquiryPayment", &[]).await;
    browser.shows("inquiryPayment: S SUCCESS");
    browser.shows(notified["paymentId"].as_str().unwrap());
    browser.step("refresh", &[]).await;
    browser.shows("applyToken: S SUCCESS");
    browser.step("cancelToken", &[]).await;
    browser.shows("cancelToken: S SUCCESS");
    browser.step("pay", &[]).await;
    browser.shows("INVALID_ACCESS_TOKEN");
    browser.step("reset", &[]).await;
    assert!(!browser.page.contains("INVALID_ACCESS_TOKEN"));
    house.close().await;
}

async fn the_alipay_plus_flow_runs_from_prepare_to_cancel(shelf: Shelf) {
    let house = House::open(shelf).await;
    let mut browser = Browser::open(&house, "alipayPlus").await;
    browser.step("prepare", &[("terminalType", "WAP")]).await;
    browser.shows("prepare: S SUCCESS");
    let refused = decide(&house, &browser.auth_url(), "refuse").await;
    browser.visit(refused["redirectUrl"].as_str().unwrap()).await;
    browser.shows("the wallet gave no code");

    browser.step("prepare", &[("terminalType", "WEB")]).await;
    let decided = decide(&house, &browser.auth_url(), "approve").await;
    let back = decided["redirectUrl"].as_str().unwrap();
    assert!(back.starts_with(&format!("{}/demo/alipayPlus/return?authCode=281", house.shop)), "{back}");
    let mut stranger = Browser::open(&house, "alipayPlus").await;
    stranger.visit(back).await;
    stranger.shows("authState is not the one");
    browser.visit(back).await;
    browser.shows("came back with a code");
    assert_eq!(browser.received("AUTHCODE_CREATED").await["authCode"], decided["authCode"]);

    browser.step("applyToken", &[]).await;
    browser.shows("applyToken: S SUCCESS");
    let token = browser.received("TOKEN_CREATED").await["accessToken"].as_str().unwrap().to_owned();
    browser.shows(&token);
    browser.step("pay", &[("amount", "25000000"), ("currency", "IQD")]).await;
    browser.shows("pay: S SUCCESS");
    let paid = browser.received("notifyPayment").await;
    assert_eq!(paid["paymentResult"]["resultStatus"], "S", "{paid}");
    browser.step("inquiryPayment", &[]).await;
    browser.shows("inquiryPayment: S SUCCESS");
    browser.step("refresh", &[]).await;
    browser.shows("applyToken: S SUCCESS");
    browser.step("cancelToken", &[]).await;
    browser.received("TOKEN_CANCELED").await;
    browser.step("pay", &[]).await;
    browser.shows("INVALID_TOKEN");
    house.close().await;
}

async fn the_demo_keeps_to_its_own_origin_and_to_its_own_forms(shelf: Shelf) {
    let house = House::open(shelf).await;
    for (path, location) in [("/demo/qi?lang=ar-IQ", "/demo/qi?lang=ar-IQ"), ("/demo", "/demo")] {
        let reply = house.http.get(format!("{}{path}", house.wallet)).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 303);
        assert_eq!(reply.headers()["location"], format!("{}{location}", house.shop));
    }
    let mut browser = Browser::open(&house, "qi").await;
    browser.post("prepare", "forged", &[("contractDesc", "x")]).await;
    browser.shows("The form was too old or not from here");
    assert!(!browser.page.contains("id=\"open-page\""));

    let csrf = between(&browser.page, "name=\"csrf\" value=\"", "\"");
    for (origin, status) in [(house.wallet.as_str(), "not from here"), ("null", "prepare: S SUCCESS")] {
        let request =
            house.http.post(format!("{}/demo/qi/prepare", house.shop)).header("cookie", &browser.cookie);
        let request =
            request.header("origin", origin).header("content-type", "application/x-www-form-urlencoded");
        let reply = request.body(format!("csrf={csrf}&contractDesc=x")).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 303);
        let page = house.http.get(format!("{}/demo/qi", house.shop)).header("cookie", &browser.cookie);
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains(status), "{origin}: {page}");
    }
    for path in ["/demo/nothing", "/demo/qi/nothing", "/demo/a/b/c"] {
        let reply = house.http.get(format!("{}{path}", house.shop)).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 404, "{path}");
    }
    house.close().await;
}

async fn a_forged_notification_is_refused_with_a_signed_answer(shelf: Shelf) {
    let house = House::open(shelf).await;
    for (name, signature) in
        [("qi", None), ("alipay-plus", Some("algorithm=RSA256,keyVersion=1,signature=AAAA"))]
    {
        let request = house.http.post(format!("{}/demo/notify/{name}", house.shop));
        let request =
            request.header("client-id", "QI_01").header("request-time", "2026-01-15T09:30:00+03:00");
        let request = match signature {
            Some(signature) => request.header("signature", signature),
            None => request,
        };
        let reply = request.body(r#"{"paymentResult":{"resultStatus":"S"}}"#).send().await.unwrap();
        assert!(reply.headers().contains_key("signature"));
        let (status, body) = told(reply).await;
        assert_eq!((status, body["result"]["resultStatus"].as_str()), (200, Some("F")), "{body}");
        assert_eq!(body["result"]["resultCode"], "INVALID_SIGNATURE");
    }
    let (_, list) = house.get("/demo/notifications.json").await;
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    assert!(list.as_array().unwrap().iter().all(|one| one["verified"] == false), "{list}");
    house.close().await;
}
