//! Risk: asks the wallet's own engine about a debit, before the debit's transaction.
//!
//! Rules are synchronous and run inside a transaction, where nothing may be waited for; so the question is asked
//! first and the verdict goes along. A call whose answer is stored already, or whose token is not known, is not asked
//! about. The engine is inside: its address is the deployment's, not one of a request.

use accord_core::payment::pay::{Forced, Pay};
use accord_core::policy::Policy;
use accord_core::store::{Rows, Stored};
use accord_core::token::live;
use accord_core::user::UserStatus;
use accord_core::{Refusal, Stop};
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

/// What it means that the engine does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The debit goes on.
    Approve,
    /// The call ends Unknown and nothing is done; whoever calls again is judged anew.
    Unknown,
}

/// What is to become of a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Approve,
    /// It ends so.
    Refuse(Refusal),
    /// Nobody knows.
    Unknown,
}

impl Verdict {
    /// What the rule is told: such a payment is stored with this as its end.
    pub fn forced(self) -> Option<Forced> {
        match self {
            Verdict::Refuse(refusal) => Some(Forced::Fail(refusal)),
            Verdict::Approve | Verdict::Unknown => None,
        }
    }
}

/// What the engine is asked; nothing when there is nothing to ask.
pub fn question(rows: &dyn Rows, pay: &Pay, policy: &Policy) -> Stored<Option<Value>> {
    if rows.payment_claim(&pay.bearer.owner, &pay.request_id)?.is_some() {
        return Ok(None);
    }
    let agreement = match live::by_access(rows, &pay.bearer, &pay.token, policy) {
        Ok(Some((_, agreement))) => agreement,
        Ok(None) | Err(Stop::Refused(_)) => return Ok(None),
        Err(Stop::Fault(fault)) => return Err(fault),
    };
    // A user who may not pay is refused for that, whatever the engine thinks.
    let user = rows.user(&agreement.customer)?;
    if user.is_none_or(|user| user.status != UserStatus::Active || !user.qualified) {
        return Ok(None);
    }
    let terms = rows.terms(&agreement.auth_id)?;
    Ok(Some(json!({
        "customerId": agreement.customer.as_str(),
        "agreementId": agreement.id.as_str(),
        "dialect": pay.dialect.as_str(),
        "clientId": pay.client.as_str(),
        "merchant": terms.map(|terms| terms.display_name),
        "paymentRequestId": pay.request_id.as_str(),
        "amount": { "currency": pay.amount.currency.code(), "value": pay.amount.value().to_string() },
        "description": pay.description,
        "evaluation": pay.evaluation,
    })))
}

/// Asks the engine.
pub async fn ask(options: &RiskOptions, http: &reqwest::Client, question: &Value) -> Verdict {
    let asked = async {
        let reply = http
            .post(&options.url)
            .header("content-type", "application/json")
            .timeout(options.timeout)
            .body(question.to_string())
            .send()
            .await
            .ok()?;
        if !reply.status().is_success() {
            return None;
        }
        verdict_of(&reply.bytes().await.ok()?)
    };
    match (asked.await, options.on_failure) {
        (Some(verdict), _) => verdict,
        (None, OnFailure::Approve) => {
            tracing::warn!("the risk engine did not answer; the debit goes on");
            Verdict::Approve
        }
        (None, OnFailure::Unknown) => {
            tracing::warn!("the risk engine did not answer; the debit is not made");
            Verdict::Unknown
        }
    }
}

/// `{"verdict": "approve" | "reject" | "kyc"}`.
fn verdict_of(body: &[u8]) -> Option<Verdict> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match body.get("verdict")?.as_str()? {
        "approve" => Some(Verdict::Approve),
        "reject" => Some(Verdict::Refuse(Refusal::RiskRejected)),
        "kyc" => Some(Verdict::Refuse(Refusal::UserNotQualified)),
        _ => None,
    }
}
