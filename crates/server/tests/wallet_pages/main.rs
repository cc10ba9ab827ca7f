//! The wallet's own pages over real sockets: as a browser without scripts uses them.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

mod acts;
mod doors;
#[allow(dead_code, reason = "shared with the sandbox's suite")]
#[path = "../sandbox/house.rs"]
mod house;
#[path = "../../../testkit/tests/stores/mod.rs"]
mod stores;
mod story;

use accord_core::handle::Bucket;
use accord_core::ids::{CustomerId, LoginId};
use accord_core::user::{Language, User, UserStatus};
use accord_server::pin;
use house::{House, PIN, RICH};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Another user of the house.
const OTHER: &str = "+9647700000009";

/// A page as it came.
struct Page {
    status: u16,
    body: String,
    location: String,
    headers: reqwest::header::HeaderMap,
}

impl Page {
    /// The token of the form that posts there.
    fn csrf(&self, action: &str) -> String {
        let form = self.body.split_once(&format!("action=\"{action}\""));
        let (_, form) = form.unwrap_or_else(|| panic!("no form for {action} in\n{}", self.body));
        let (_, value) = form.split_once("name=\"csrf\" value=\"").unwrap();
        value.split('"').next().unwrap().to_owned()
    }

    /// What a hidden field of that name says, in whichever form.
    fn hidden(&self, name: &str) -> Option<String> {
        let (_, value) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(value.split('"').next()?.to_owned())
    }

    fn says(&self, text: &str) -> bool {
        let plain = self.body.replace("<bdi>", "").replace("</bdi>", "").replace("&#39;", "'");
        plain.contains(text)
    }
}

/// A browser: it keeps cookies, and follows no redirect by itself.
struct Browser<'h> {
    house: &'h House,
    cookies: BTreeMap<String, String>,
    keeps_cookies: bool,
}

impl<'h> Browser<'h> {
    fn new(house: &'h House) -> Browser<'h> {
        Browser { house, cookies: BTreeMap::new(), keeps_cookies: true }
    }

    async fn signed_in(house: &'h House, login: &str) -> Browser<'h> {
        let mut browser = Browser::new(house);
        let page = browser.sign_in(login, PIN, "/wallet").await;
        assert_eq!((page.status, page.location.as_str()), (303, "/wallet"), "{}", page.body);
        browser
    }

    async fn sign_in(&mut self, login: &str, pin: &str, next: &str) -> Page {
        let csrf = self.get(next).await.csrf("/wallet/sign-in");
        let form = [("csrf", csrf.as_str()), ("next", next), ("loginId", login), ("pin", pin)];
        self.post("/wallet/sign-in", &form).await
    }

    async fn get(&mut self, path: &str) -> Page {
        let request = self.house.http.get(format!("{}{path}", self.house.wallet));
        self.send(request).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.house.http.post(format!("{}{path}", self.house.wallet));
        let form = "application/x-www-form-urlencoded";
        self.send(request.header("content-type", form).body(body)).await
    }

    /// Posts a form of the page at `from`, with its token, and follows the answer.
    async fn act(&mut self, from: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(from).await;
        let (csrf, due) = (page.csrf(action), page.hidden("due"));
        let mut form = vec![("csrf", csrf.as_str())];
        form.extend(due.as_deref().map(|due| ("due", due)));
        form.extend(fields);
        let page = self.post(action, &form).await;
        if page.status == 303 { self.get(&page.location).await } else { page }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            request.header("cookie", jar.join("; ")).header("user-agent", "Mozilla Firefox (Linux)");
        let reply = request.send().await.unwrap();
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            match (self.keeps_cookies, cookie.contains("Max-Age=0")) {
                (true, false) => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
                (true, true) => drop(self.cookies.remove(name)),
                (false, _) => {}
            }
        }
        let location = headers.get("location").map(|to| to.to_str().unwrap().to_owned());
        let body = reply.text().await.unwrap();
        Page { status, body, location: location.unwrap_or_default(), headers }
    }
}

/// Another user, with the same PIN.
async fn another(house: &House) {
    let app = house.app();
    let (at, hash) = (app.clock.moment(), pin::hash(PIN).unwrap());
    app.transact(move |tx| {
        let mut random = at.random("another");
        let user = User {
            id: CustomerId::mint(Bucket::random(&mut random), &mut random),
            login_id: LoginId::new(OTHER),
            pin_hash: hash.clone(),
            status: UserStatus::Active,
            qualified: true,
            language: Language::Arabic,
            created_at: at.now,
        };
        Ok(tx.insert_user(&user)?)
    })
    .await
    .unwrap();
}

/// An agreement of the rich user: its id, and the access token.
async fn agree(house: &House, who: &str, reference: &str) -> (String, String) {
    if who == "qi" {
        return agree_qi(house, json!({})).await;
    }
    let prepare = json!({
        "pspId": "102208800000001234", "acquirerId": "102218800000001234", "authClientId": "merchant-1",
        "authClientName": "Dijla Streaming LLC", "authClientDisplayName": "Dijla Stream",
        "authRedirectUrl": "https://shop.example/back", "scopes": ["AGREEMENT_PAY"],
        "customerBelongsTo": "ALIPAY_CN", "authState": "state", "terminalType": "WEB",
        "referenceAgreementId": reference, "referenceMerchantId": "M1",
    });
    agree_to(house, who, prepare).await
}

/// A Qi agreement whose contract says that as well.
async fn agree_qi(house: &House, more: Value) -> (String, String) {
    let mut contract = json!({ "language": "en-US", "contractDesc": "Monthly <b>plan</b>" });
    for (name, value) in more.as_object().unwrap() {
        contract[name] = value.clone();
    }
    let prepare = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": contract.to_string() });
    agree_to(house, "qi", prepare).await
}

async fn agree_to(house: &House, who: &str, prepare: Value) -> (String, String) {
    let prepared = house.call(who, "prepare", prepare).await;
    let url = prepared["authUrl"].as_str().or(prepared["normalUrl"].as_str()).unwrap();
    let decision = json!({ "url": url, "loginId": RICH, "pin": PIN, "decision": "approve" });
    let (status, decided) = house.post("/sandbox/decide", decision).await;
    assert_eq!(status, 200, "{decided}");
    let mut apply = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": decided["authCode"] });
    if who != "qi" {
        for (name, value) in [
            ("pspId", "102208800000001234"),
            ("acquirerId", "102218800000001234"),
            ("authClientId", "merchant-1"),
            ("referenceMerchantId", "M1"),
            ("customerBelongsTo", "ALIPAY_CN"),
        ] {
            apply[name] = value.into();
        }
    }
    let applied = house.call(who, "applyToken", apply).await;
    let token = applied["accessToken"].as_str().unwrap_or_else(|| panic!("{applied}")).to_owned();
    let agreements = house.user(RICH).await["agreements"].clone();
    (agreements[0]["agreementId"].as_str().unwrap().to_owned(), token)
}

/// A debit in the Qi dialect.
async fn pay(house: &House, token: &str, request: &str, value: &str) -> Value {
    let body = json!({
        "productCode": "51051000101000100031", "paymentRequestId": request, "paymentAuthCode": token,
        "paymentAmount": { "currency": "IQD", "value": value },
        "order": { "orderDescription": "one month of <i>films</i>" },
    });
    house.call("qi", "pay", body).await
}
