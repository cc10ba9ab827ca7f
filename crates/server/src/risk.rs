//! The driver of `accord_core::risk` that asks an engine by HTTP: one POST of JSON, one word back.
//!
//! The engine is inside: its address is the deployment's, not one of a request.

use accord_core::risk::{Question, RiskEngine, Said, Verdict};
use serde_json::{Value, json};
use std::time::Duration;

/// Which engine is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskOptions {
    /// Where: POST of JSON.
    pub url: String,
    /// How long it may take.
    pub timeout: Duration,
    /// What a failure to answer means.
    pub on_failure: OnFailure,
}

/// What it means that the engine does not answer, or nothing that can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The debit goes on.
    Approve,
    /// The call ends Unknown and nothing is done; whoever calls again is judged anew. F would be a lie: the next try
    /// may be a debit.
    Unknown,
}

/// Longest answer that is read.
const LONGEST: usize = 64 * 1024;

/// An engine behind a URL.
pub struct HttpEngine {
    options: RiskOptions,
    http: reqwest::Client,
}

impl HttpEngine {
    /// For that engine. Follows no redirect and uses no proxy.
    pub fn new(options: RiskOptions) -> Result<HttpEngine, reqwest::Error> {
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        Ok(HttpEngine { options, http })
    }
}

impl RiskEngine for HttpEngine {
    fn judge(&self, question: Question, said: Said) {
        let request = self
            .http
            .post(&self.options.url)
            .header("content-type", "application/json")
            .timeout(self.options.timeout)
            .body(written(&question).to_string());
        tokio::spawn(async move { said(ask(request).await) });
    }
}

async fn ask(request: reqwest::RequestBuilder) -> Option<Verdict> {
    let mut reply = request.send().await.ok()?;
    if reply.status() != reqwest::StatusCode::OK {
        return None;
    }
    let mut body = Vec::new();
    while let Some(part) = reply.chunk().await.ok()? {
        body.extend_from_slice(&part);
        if body.len() > LONGEST {
            return None;
        }
    }
    read(&body)
}

fn written(question: &Question) -> Value {
    json!({
        "customerId": question.customer.as_str(),
        "agreementId": question.agreement.as_str(),
        "dialect": question.dialect.as_str(),
        "clientId": question.client.as_str(),
        "merchant": question.merchant,
        "paymentRequestId": question.request_id.as_str(),
        "amount": {
            "currency": question.amount.currency.code(), "value": question.amount.value().to_string(),
        },
        "description": question.description,
        "evaluation": question.evaluation,
    })
}

/// `{"verdict": "approve" | "reject" | "kyc"}`. Read as strictly as a request: two verdicts are none.
fn read(body: &[u8]) -> Option<Verdict> {
    match accord_wire::json::parse(body).ok()?.get("verdict")?.as_str()? {
        "approve" => Some(Verdict::Approve),
        "reject" => Some(Verdict::Reject),
        "kyc" => Some(Verdict::NotQualified),
        _ => None,
    }
}
