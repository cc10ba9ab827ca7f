//! A shop: one test client of the sandbox, in either dialect, with real signatures.

use super::{House, Tokens, http};
use accord_client::{
    CallFault, Client, DialectKind, Receiver, SignedRequest, Wallet, judge, prepare_request,
};
use serde_json::{Value, json};

/// One client. Cloned for parallel calls.
#[derive(Clone)]
pub struct Shop {
    client: Client,
    pub kind: DialectKind,
    base_url: String,
    parties: Value,
    wallet_name: String,
}

/// A reply whose signature is good.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub http_status: u16,
    pub status: String,
    pub code: String,
    pub body: Value,
    pub raw: Vec<u8>,
}

impl Heard {
    #[track_caller]
    pub fn tokens(&self) -> Tokens {
        let text =
            |name: &str| self.body[name].as_str().unwrap_or_else(|| panic!("{}", self.body)).to_owned();
        Tokens { access: text("accessToken"), refresh: text("refreshToken") }
    }

    /// Status and code at once: `F EXPIRED_CODE`.
    #[track_caller]
    pub fn is(&self, outcome: &str) {
        assert_eq!(format!("{} {}", self.status, self.code), outcome, "{}", self.body);
    }
}

/// One payment to be asked for.
#[derive(Debug, Clone)]
pub struct Bill {
    pub id: String,
    pub currency: &'static str,
    pub value: u64,
    pub notify: Option<String>,
}

impl Bill {
    pub fn new(id: &str, currency: &'static str, value: u64) -> Bill {
        Bill { id: id.to_owned(), currency, value, notify: None }
    }

    pub fn notify(self, url: &str) -> Bill {
        Bill { notify: Some(url.to_owned()), ..self }
    }
}

impl Shop {
    pub fn new(house: &House, who: &str) -> Shop {
        let (entry, kind) = house.file.client(who).expect("a client");
        let parties = match kind {
            DialectKind::Qi => json!({}),
            DialectKind::AlipayPlus => json!({ "acquirerId": entry.acquirer_id, "pspId": entry.psp_id }),
        };
        Shop {
            client: Client::from_sandbox(&house.data(), who).expect("a client"),
            kind,
            base_url: house.url.clone(),
            parties,
            wallet_name: entry.wallet_name.clone().unwrap_or_default(),
        }
    }

    /// Where it calls.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The same client, calling another node.
    pub fn at(&self, base_url: &str) -> Shop {
        let wallet = Wallet { base_url: base_url.to_owned(), ..self.client.wallet().clone() };
        let client = Client::new(self.client.identity().clone(), wallet).expect("a client");
        Shop { client, base_url: base_url.to_owned(), ..self.clone() }
    }

    /// The receiver of this client's notifications.
    pub fn receiver(&self) -> Receiver {
        Receiver {
            identity: self.client.identity().clone(),
            wallet_keys: self.client.wallet().wallet_keys.clone(),
        }
    }

    /// Calls at a time; nothing when no whole answer came. A reply that is signed wrongly fails the test.
    pub async fn try_call(&self, operation: &str, body: &Value, time: &str) -> Option<Heard> {
        self.try_send(&self.sign(operation, body, time)).await
    }

    /// A signed request, for any node.
    pub fn sign(&self, operation: &str, body: &Value, time: &str) -> SignedRequest {
        let (identity, wallet) = (self.client.identity(), self.client.wallet());
        let body = body.to_string();
        prepare_request(identity, wallet, operation, body.as_bytes(), time).expect("a signed request")
    }

    /// Sends a signed request to this client's node; nothing when no whole answer came.
    pub async fn try_send(&self, request: &SignedRequest) -> Option<Heard> {
        let url = format!("{}{}", self.base_url, request.target);
        let request = SignedRequest { url, ..request.clone() };
        let said = match self.client.send(&request).await {
            Ok(reply) => judge(request, reply, &self.client.wallet().wallet_keys),
            Err(fault) => Err(fault),
        };
        match said {
            Ok(exchange) => Some(Heard {
                http_status: exchange.reply.status,
                status: exchange.result.status.clone(),
                code: exchange.result.code.clone(),
                body: serde_json::from_slice(&exchange.reply.body).expect("JSON"),
                raw: exchange.reply.body,
            }),
            Err(CallFault::Transport(_)) => None,
            Err(fault) => panic!("{}: {fault}", self.base_url),
        }
    }

    /// Calls at the server's own time; there must be an answer.
    pub async fn call(&self, operation: &str, body: Value) -> Heard {
        let (_, clock) = http(&self.base_url, "GET /sandbox/clock HTTP/1.1", "").await.expect("a clock");
        let clock: Value = serde_json::from_str(&clock).expect("JSON");
        let said = self.try_call(operation, &body, clock["now"].as_str().expect("a time")).await;
        said.unwrap_or_else(|| panic!("no answer to {operation} {body}"))
    }

    fn with_parties(&self, members: Value) -> Value {
        let mut body = self.parties.clone();
        let all = body.as_object_mut().expect("an object");
        all.extend(members.as_object().expect("an object").clone());
        body
    }

    pub fn prepare_body(&self, reference: &str, notify: Option<&str>) -> Value {
        match self.kind {
            DialectKind::Qi => json!({
                "scopes": "AGREEMENT_PAY",
                "extendInfo": json!({ "language": "en-US", "contractDesc": reference }).to_string(),
            }),
            DialectKind::AlipayPlus => {
                let mut body = self.with_parties(json!({
                    "authClientId": "2188123412341234",
                    "authClientName": "Merchant",
                    "authClientDisplayName": "Merchant display",
                    "referenceMerchantId": "2188123412341230",
                    "authRedirectUrl": "https://shop.example/back?x=1",
                    "scopes": ["AGREEMENT_PAY"],
                    "customerBelongsTo": self.wallet_name,
                    "authState": "state-1",
                    "terminalType": "WEB",
                    "referenceAgreementId": reference,
                }));
                if let Some(url) = notify {
                    body["authNotifyUrl"] = json!(url);
                }
                body
            }
        }
    }

    /// prepare; the authId of its page.
    pub async fn prepare(&self, reference: &str, notify: Option<&str>) -> String {
        let said = self.call("prepare", self.prepare_body(reference, notify)).await;
        assert_eq!(said.status, "S", "{}", said.body);
        auth_id(&said.body)
    }

    pub fn apply_body(&self, code: &str) -> Value {
        self.with_parties(json!({ "grantType": "AUTHORIZATION_CODE", "authCode": code }))
    }

    pub async fn apply(&self, code: &str) -> Heard {
        self.call("applyToken", self.apply_body(code)).await
    }

    pub fn refresh_body(&self, token: &str) -> Value {
        self.with_parties(json!({ "grantType": "REFRESH_TOKEN", "refreshToken": token }))
    }

    pub async fn refresh(&self, token: &str) -> Heard {
        self.call("applyToken", self.refresh_body(token)).await
    }

    pub fn cancel_body(&self, token: &str) -> Value {
        self.with_parties(json!({ "accessToken": token }))
    }

    pub async fn cancel(&self, token: &str) -> Heard {
        self.call("cancelToken", self.cancel_body(token)).await
    }

    pub fn pay_body(&self, bill: &Bill, token: &str) -> Value {
        let amount = json!({ "currency": bill.currency, "value": bill.value.to_string() });
        let order = json!({
            "referenceOrderId": format!("order of {}", bill.id),
            "orderDescription": "Monthly pass",
            "orderAmount": amount,
        });
        let common = json!({ "paymentRequestId": bill.id, "paymentAmount": amount, "order": order });
        let mut body = self.with_parties(common);
        match self.kind {
            DialectKind::Qi => {
                body["productCode"] = json!("51051000101000100031");
                body["paymentAuthCode"] = json!(token);
            }
            DialectKind::AlipayPlus => {
                body["paymentMethod"] =
                    json!({ "paymentMethodType": "CONNECT_WALLET", "paymentMethodId": token });
                body["paymentFactor"] = json!({ "isAgreementPayment": "true" });
            }
        }
        if let Some(url) = &bill.notify {
            body["paymentNotifyUrl"] = json!(url);
        }
        body
    }

    pub async fn pay(&self, bill: &Bill, token: &str) -> Heard {
        self.call("pay", self.pay_body(bill, token)).await
    }

    pub fn inquiry_body(&self, id: &str) -> Value {
        self.with_parties(json!({ "paymentRequestId": id }))
    }

    /// What inquiryPayment says of a payment: S, F or U; nothing when there is none.
    pub async fn inquire(&self, id: &str) -> Option<char> {
        self.standing(&self.call("inquiryPayment", self.inquiry_body(id)).await)
    }

    /// How a payment stands, of an answer to inquiryPayment.
    pub fn standing(&self, said: &Heard) -> Option<char> {
        if said.code == "ORDER_NOT_EXIST" {
            return None;
        }
        assert_eq!(said.status, "S", "{}", said.body);
        let word = match self.kind {
            DialectKind::Qi => &said.body["paymentStatus"],
            DialectKind::AlipayPlus => &said.body["paymentResult"]["resultStatus"],
        };
        Some(match word.as_str() {
            Some("SUCCESS" | "S") => 'S',
            Some("FAIL" | "F") => 'F',
            Some("PROCESSING" | "U") => 'U',
            _ => panic!("{}", said.body),
        })
    }
}

/// The authId in an answer of prepare.
#[track_caller]
pub fn auth_id(answer: &Value) -> String {
    let url = answer["authUrl"].as_str().or(answer["normalUrl"].as_str()).expect("a URL");
    let (_, id) = url.split_once("authId=").expect("an authId");
    id.split('&').next().unwrap_or_default().to_owned()
}
