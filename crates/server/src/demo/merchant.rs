//! The merchant's keys, its connection to the wallet, and what it may ask of the sandbox.

use super::wire_log;
use crate::pages::demo::{DemoDialect, DemoUser};
use crate::pages::demo_wire::{Exchange, UserMessage};
use accord_client::{CallFault, Client, Receiver, SandboxFile, TIMEOUT, judge, prepare_request};
use accord_core::user::Language;
use accord_wire::time::parse_iso;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::path::Path;

/// Users shown.
const MOST_USERS: usize = 6;
/// Messages shown.
const MOST_MESSAGES: usize = 10;

/// A merchant in both dialects (at Alipay+ it is merchant, acquirer and network in one).
pub(super) struct Merchant {
    file: SandboxFile,
    wallet_url: String,
    qi: Client,
    alipay_plus: Client,
    http: reqwest::Client,
}

/// The wallet's time, as it says.
#[derive(Debug, Clone)]
pub(super) struct Now {
    /// As text, fit for Request-Time.
    pub(super) text: String,
    /// Milliseconds since 1970.
    pub(super) millis: i64,
}

/// A call that was made, whatever came of it.
pub(super) struct Called {
    /// For the page.
    pub(super) shown: Exchange,
    /// The believed reply's body; or why there is none.
    pub(super) reply: Result<Reply, String>,
}

/// A reply that may be relied on.
pub(super) struct Reply {
    /// `S`, `F` or `U`.
    pub(super) status: String,
    /// `SUCCESS`, `RISK_REJECT`.
    pub(super) code: String,
    /// `S SUCCESS`, `F PARAM_ILLEGAL: what is wrong`.
    pub(super) summary: String,
    body: Value,
}

impl Reply {
    /// A text member of the body.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.body.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// A text anywhere in the body, by its JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<String> {
        self.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    }

    /// A member of the body, with line breaks, to be shown.
    pub(super) fn pretty(&self, name: &str) -> Option<String> {
        serde_json::to_string_pretty(self.body.get(name)?).ok()
    }

    /// Status and code of a result inside the body (Alipay+ inquiryPayment, paymentResult).
    pub(super) fn inner_result(&self, name: &str) -> Option<(String, String)> {
        let result = self.body.get(name)?;
        let word = |name| result.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some((word("resultStatus"), word("resultCode")))
    }
}

impl Merchant {
    /// Reads the sandbox's files. The wallet is called at `wallet_url`, whichever process wrote them.
    pub(super) fn load(dir: &Path, wallet_url: &str) -> Result<Merchant, String> {
        let words = |fault: &dyn std::fmt::Display| format!("the demo merchant has no keys: {fault}");
        let file = SandboxFile::read(dir).map_err(|fault| words(&fault))?;
        let client = |who| {
            let identity = file.identity(dir, who).map_err(|fault| words(&fault))?;
            let mut wallet = file.wallet(dir, who).map_err(|fault| words(&fault))?;
            wallet.base_url = wallet_url.to_owned();
            Client::new(identity, wallet).map_err(|fault| words(&fault))
        };
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|fault| words(&fault))?;
        let (qi, alipay_plus) = (client("qi")?, client("alipayPlus")?);
        Ok(Merchant { wallet_url: wallet_url.to_owned(), qi, alipay_plus, http, file })
    }

    fn client(&self, dialect: DemoDialect) -> &Client {
        match dialect {
            DemoDialect::Qi => &self.qi,
            DemoDialect::AlipayPlus => &self.alipay_plus,
        }
    }

    /// Takes the wallet's notifications in that dialect.
    pub(super) fn receiver(&self, dialect: DemoDialect) -> Receiver {
        let client = self.client(dialect);
        Receiver { identity: client.identity().clone(), wallet_keys: client.wallet().wallet_keys.clone() }
    }

    /// pspId, acquirerId and the wallet's name, as the network knows them.
    pub(super) fn network(&self) -> [&str; 3] {
        let client = &self.file.alipay_plus;
        [&client.psp_id, &client.acquirer_id, &client.wallet_name].map(|id| id.as_deref().unwrap_or_default())
    }

    /// Signs, sends and judges one call. Beside its name stands its place in the order of everything that happens.
    pub(super) async fn call(
        &self,
        dialect: DemoDialect,
        (operation, number): (&str, u64),
        body: &Value,
        now: &Now,
    ) -> Result<Called, String> {
        let client = self.client(dialect);
        let body = body.to_string();
        let (identity, wallet) = (client.identity(), client.wallet());
        let request = prepare_request(identity, wallet, operation, body.as_bytes(), &now.text)
            .map_err(|fault| fault.to_string())?;
        let reply = match client.send(&request).await {
            Ok(reply) => reply,
            Err(fault) => {
                let shown = wire_log::unanswered((operation, number), &now.text, &request);
                return Ok(Called { shown, reply: Err(fault.to_string()) });
            }
        };
        Ok(match judge(request, reply, &wallet.wallet_keys) {
            Ok(exchange) => Called {
                shown: wire_log::answered((operation, number), &now.text, &exchange),
                reply: Ok(read(&exchange)),
            },
            Err(CallFault::NoResult(exchange) | CallFault::Signature(exchange)) => Called {
                shown: wire_log::answered((operation, number), &now.text, &exchange),
                reply: Err(
                    "the wallet's reply cannot be relied on; what was asked for may have happened".to_owned()
                ),
            },
            Err(fault) => return Err(fault.to_string()),
        })
    }

    /// The wallet's time.
    pub(super) async fn now(&self) -> Result<Now, String> {
        let clock = self.ask("/sandbox/clock").await?;
        let text = clock.get("now").and_then(Value::as_str).unwrap_or_default().to_owned();
        let millis =
            parse_iso(&text).map_err(|fault| format!("the sandbox's clock says {text:?}: {fault}"))?;
        Ok(Now { text, millis })
    }

    /// The sandbox's users, with what is in their accounts now.
    pub(super) async fn users(&self) -> Vec<DemoUser> {
        let mut users = Vec::new();
        for user in self.file.users.iter().take(MOST_USERS) {
            let now =
                self.ask(&format!("/sandbox/users/{}", encode(&user.login_id))).await.unwrap_or_default();
            let status = now.get("status").and_then(Value::as_str).unwrap_or(&user.status).to_owned();
            let balances = now
                .get("balances")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter_map(|(currency, value)| Some((currency.clone(), value.as_str()?.to_owned())))
                .collect();
            users.push(DemoUser { login_id: user.login_id.clone(), pin: user.pin.clone(), status, balances });
        }
        users
    }

    /// What the wallet told the user who agreed, newest first.
    pub(super) async fn messages_of(&self, customer_id: Option<&str>) -> Vec<UserMessage> {
        let Some(login) = customer_id.and_then(|id| self.login_of(id)) else { return Vec::new() };
        let answer = self.ask(&format!("/sandbox/messages?loginId={login}")).await.unwrap_or_default();
        let messages = answer.get("messages").and_then(Value::as_array);
        messages.into_iter().flatten().take(MOST_MESSAGES).map(user_message).collect()
    }

    /// How many messages the wallet has told that user.
    pub(super) async fn count_messages_of(&self, customer_id: Option<&str>) -> i64 {
        let Some(login) = customer_id.and_then(|id| self.login_of(id)) else { return 0 };
        let answer = self.ask(&format!("/sandbox/users/{login}")).await.unwrap_or_default();
        answer.get("inboxCount").and_then(Value::as_i64).unwrap_or_default()
    }

    /// The user's agreements, newest first.
    pub(super) async fn agreements_of(&self, customer_id: &str) -> Result<Vec<Value>, String> {
        let login = self.login_of(customer_id).ok_or("no such user in sandbox.json")?;
        let answer = self.ask(&format!("/sandbox/users/{login}")).await?;
        Ok(answer.get("agreements").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// The encoded loginId of a user of the sandbox.
    fn login_of(&self, customer_id: &str) -> Option<String> {
        let user = self.file.users.iter().find(|user| user.customer_id == customer_id)?;
        Some(encode(&user.login_id))
    }

    async fn ask(&self, path: &str) -> Result<Value, String> {
        self.answer(self.http.get(format!("{}{path}", self.wallet_url))).await
    }

    /// Asks the sandbox for something that changes it.
    pub(super) async fn tell(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.http.post(format!("{}{path}", self.wallet_url));
        self.answer(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// Asks the sandbox to forget something.
    pub(super) async fn clear(&self, path: &str) -> Result<Value, String> {
        self.answer(self.http.delete(format!("{}{path}", self.wallet_url))).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let fault = |fault: reqwest::Error| format!("the sandbox does not answer: {fault}");
        let reply = request.send().await.map_err(fault)?;
        let status = reply.status();
        let body = reply.bytes().await.map_err(fault)?;
        if !status.is_success() {
            let told: Value = serde_json::from_slice(&body).unwrap_or_default();
            let why = told.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
            return Err(format!("the sandbox answers HTTP {}: {why}", status.as_u16()));
        }
        serde_json::from_slice(&body).map_err(|fault| format!("the sandbox does not answer in JSON: {fault}"))
    }
}

fn read(exchange: &accord_client::Exchange) -> Reply {
    let result = &exchange.result;
    let message = if exchange.is_success() || result.message.is_empty() {
        String::new()
    } else {
        format!(": {}", result.message)
    };
    Reply {
        status: result.status.clone(),
        code: result.code.clone(),
        summary: format!("{} {}{message}", result.status, result.code),
        body: serde_json::from_slice(&exchange.reply.body).unwrap_or_default(),
    }
}

fn user_message(message: &Value) -> UserMessage {
    let text = |name| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    UserMessage {
        language: Language::parse(&text("language")).unwrap_or(Language::English),
        title: text("title"),
        text: text("text"),
        time: text("time"),
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
