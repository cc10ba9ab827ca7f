//! End an agreement without the wallet's pages, and say what the demo merchant answers when it is asked.

use super::answer::{Failure, Members, Told};
use crate::app::App;
use crate::demo::ConsentAnswer;
use crate::unbinding::{self, Ending};
use accord_core::agreement::EndedBy;
use accord_core::ids::AgreementId;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// `POST /sandbox/agreements/end`
pub async fn end(State(app): State<Arc<App>>, members: Members) -> Result<Told, Failure> {
    let id = AgreementId::read(members.required("agreementId")?).ok_or_else(unknown)?;
    let ending = match members.required("by").map(EndedBy::parse)? {
        Some(EndedBy::User) => unbinding::end_by_user(&app, &id).await?,
        Some(EndedBy::Wallet) => unbinding::end_by_wallet(&app, &id, "sandbox", "").await?,
        _ => return Err(Failure::bad("by: neither user nor wallet (a merchant calls cancelToken)")),
    };
    let (status, receipt) = match &ending {
        Ending::Ended { receipt, .. } => ("ended", receipt.as_ref().map(|receipt| receipt.document())),
        Ending::NotAllowed { .. } => ("notAllowed", None),
        Ending::Unknown => ("unknown", None),
        Ending::NotFound => return Err(unknown()),
    };
    Ok(Told(json!({ "status": status, "receipt": receipt })))
}

/// `POST /sandbox/consult`
pub async fn consult(State(app): State<Arc<App>>, members: Members) -> Result<Told, Failure> {
    let answer = members.required("answer")?;
    let parsed =
        ConsentAnswer::parse(answer).ok_or_else(|| Failure::bad("answer: none of true, false, timeout"))?;
    app.demo_consent.set(parsed);
    Ok(Told(json!({ "answer": answer })))
}

fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "AGREEMENT_NOT_FOUND", "there is no such agreement")
}
