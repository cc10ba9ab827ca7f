//! The wallet API over real sockets: as the systems of a wallet use it that already has users and an app.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

mod authorizations;
mod door;
#[allow(dead_code, reason = "shared with the sandbox's suite")]
#[path = "../sandbox/house.rs"]
mod house;
mod identity;
mod mutual_tls;
mod risk;
#[path = "../../../testkit/tests/stores/mod.rs"]
mod stores;
mod transfers;
mod users;

use accord_core::operator::{self, Role};
use accord_server::wallet_api::new_secret;
use house::{House, told};
use serde_json::{Value, json};

/// A system of the wallet: a credential, and where to use it.
struct System<'h> {
    house: &'h House,
    token: String,
    id: String,
}

impl<'h> System<'h> {
    async fn with(house: &'h House, role: Role) -> System<'h> {
        let app = house.app();
        let secret = new_secret();
        let (digest, at) = (secret.digest, app.clock.moment());
        let credential = app.transact(move |tx| operator::add(tx, role, "test", digest, &at)).await.unwrap();
        let id = credential.id.to_string();
        System { house, token: format!("{id}.{}", secret.text), id }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send(method, path, if body.is_null() { String::new() } else { body.to_string() }).await
    }

    /// A call with that body, byte for byte.
    async fn send(&self, method: &str, path: &str, body: String) -> (u16, Value) {
        let url = format!("{}/wallet/v1{path}", self.house.wallet);
        let request = self.house.http.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        let request = if body.is_empty() { request } else { request.body(body) };
        told(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call("POST", path, body).await
    }
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or("none"))
}

/// The customerId of a user of the house.
async fn customer(house: &House, login: &str) -> String {
    house.user(login).await["customerId"].as_str().unwrap().to_owned()
}

fn prepare(reference: &str) -> Value {
    json!({
        "pspId": "102208800000001234", "acquirerId": "102218800000001234",
        "authClientId": "merchant-1", "authClientName": "Dijla Streaming LLC", "authClientDisplayName": "Dijla Stream",
        "authRedirectUrl": "https://merchant.example/back", "scopes": ["AGREEMENT_PAY"],
        "customerBelongsTo": "ALIPAY_CN", "authState": "state", "terminalType": "WEB",
        "referenceAgreementId": reference, "referenceMerchantId": "shop-1",
    })
}

/// An agreement of a user, by the app's own decision, in the Qi dialect: its access token.
async fn agree(house: &House, app: &System<'_>, customer: &str) -> String {
    let contract = json!({ "language": "en-US", "contractDesc": "Monthly" }).to_string();
    let body = json!({ "scopes": "AGREEMENT_PAY", "extendInfo": contract });
    let prepared = house.call("qi", "prepare", body).await;
    let decide = json!({ "url": prepared["authUrl"], "customerId": customer, "decision": "approve" });
    let (status, decided) = app.post("/authorizations/decide", decide).await;
    assert_eq!(status, 200, "{decided}");
    let apply = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": decided["authCode"] });
    let applied = house.call("qi", "applyToken", apply).await;
    applied["accessToken"].as_str().unwrap_or_else(|| panic!("{applied}")).to_owned()
}

/// Debits 1,000 dinars.
async fn pay(house: &House, token: &str, request: &str) -> Value {
    let body = json!({
        "productCode": "51051000101000100031", "paymentRequestId": request, "paymentAuthCode": token,
        "paymentAmount": { "currency": "IQD", "value": "1000000" },
        "order": { "orderDescription": "one month" },
    });
    house.call("qi", "pay", body).await
}
