//! Asks the owner of an agreement whether its user may end it in the wallet (Alipay+ consultUnbinding).
//!
//! The one call that the wallet makes while somebody waits. Nothing is written here: what an answer means is
//! decided in `accord_core::agreement::unbind`. An answer is believed only with HTTP 200, a result S and a valid
//! signature; everything else is no answer. A target that this server may not contact, or would only contact with
//! `--outbound`, is no answer either: the wallet never claims to have asked whom it has not asked.

use crate::app::App;
use crate::calls::sign;
use crate::dispatcher::root_cause;
use crate::outbound::Permit;
use accord_core::agreement::unbind::Consulted;
use accord_core::ids::{AgreementId, ClientId, DialectName};
use accord_core::store::{StoreFault, Stored};
use accord_core::token::live;
use accord_core::voice::Context;
use accord_wire::dialect::Consultation;
use accord_wire::directory::Directory;
use accord_wire::gateway::{self, AcknowledgementSignature, Outbound, Replied};
use accord_wire::signature::Lane;
use accord_wire::{json, time};
use std::sync::Arc;
use std::time::Duration;

/// An answer must come within this time (Alipay+ document, timeouts).
const TIMEOUT: Duration = Duration::from_secs(5);
/// So much of an answer is read.
const REPLY_LIMIT: usize = 64 * 1024;

/// Whom to ask what.
struct Question {
    client: ClientId,
    dialect: DialectName,
    consultation: Consultation,
}

/// Asks, if there is somebody to be asked. An agreement that is over, or whose code was never redeemed, needs no
/// question: there is no token to ask about.
pub async fn consult(app: &Arc<App>, agreement: &AgreementId) -> Stored<Consulted> {
    let Some(question) = question(app, agreement).await? else { return Ok(Consulted::NotAsked) };
    let answer = ask(app, &question).await;
    let said = match &answer {
        Ok(true) => "allowed",
        Ok(false) => "not allowed",
        Err(why) => why.as_str(),
    };
    tracing::info!(target: "accord::consult", %agreement, client = %question.client, answer = said, "consultation");
    Ok(match answer {
        Ok(true) => Consulted::Allowed,
        Ok(false) => Consulted::NotAllowed,
        Err(_) => Consulted::Unknown { silence_frees: question.consultation.silence_frees },
    })
}

async fn question(app: &Arc<App>, id: &AgreementId) -> Stored<Option<Question>> {
    let (inside, id) = (app.clone(), id.clone());
    app.look(move |rows| {
        let Some(agreement) = rows.agreement(&id)?.filter(|agreement| !agreement.ended()) else {
            return Ok(None);
        };
        let dialect = inside.dialect(&agreement.dialect).ok_or_else(|| {
            StoreFault::Corrupt(format!("no dialect named {} is mounted", agreement.dialect))
        })?;
        let (terms, client) = (rows.terms(&agreement.auth_id)?, rows.client(&agreement.client)?);
        let (Some(terms), Some(client)) = (terms, client) else { return Ok(None) };
        let Some(set) = rows.token_set(&agreement.id, agreement.generation)? else { return Ok(None) };
        let context = Context { keys: &inside.options.keys, voice: crate::app::as_voice(dialect.as_ref()) };
        let pair = live::pair_of(&set, context).ok_or_else(|| {
            StoreFault::Corrupt(format!("the derivation key of agreement {} is gone", agreement.id))
        })?;
        let consultation = dialect.consult(&client, &terms, &pair.access);
        let (client, dialect) = (agreement.client, agreement.dialect);
        Ok(consultation.map(|consultation| Question { client, dialect, consultation }))
    })
    .await
}

/// One signed call; yes, no, or why there is no answer. Asking again later sends the identical body.
async fn ask(app: &Arc<App>, question: &Question) -> Result<bool, String> {
    let Consultation { url, body, .. } = &question.consultation;
    match app.options.outbound.judge(url) {
        Permit::Go => {}
        Permit::Hold => return Err("this server contacts nobody but loopback".to_owned()),
        Permit::Never(why) => return Err(why),
    }
    let dispatcher = app.dispatcher.get().and_then(std::sync::Weak::upgrade);
    let dispatcher = dispatcher.ok_or("the server is about to stop")?;
    let dialect = app.dialect(&question.dialect).ok_or("its dialect is not mounted")?;
    let url = url::Url::parse(url).map_err(|_| "its URL cannot be read")?;
    let (target, client_id) = (gateway::target_of(&url), question.client.as_str());
    let request_time = time::format_seconds(app.clock.now().0, dialect.utc_offset_seconds());
    let content = gateway::outbound_content("POST", &target, client_id, &request_time, body.as_bytes());
    let signed =
        sign(app, content, Lane::Notification).await.map_err(|fault| format!("not signed: {fault}"))?;

    let mut request = dispatcher.http().post(url).timeout(TIMEOUT).body(body.clone());
    for (name, value) in Outbound::new(client_id, &request_time, &signed).headers {
        request = request.header(name, value);
    }
    let no_answer = |fault: reqwest::Error| match fault.is_timeout() {
        true => "timed out".to_owned(),
        false => format!("no answer: {}", root_cause(&fault)),
    };
    let mut reply = request.send().await.map_err(no_answer)?;
    let mut body = Vec::new();
    while let Some(chunk) = reply.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > REPLY_LIMIT {
            return Err("the answer is too long".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    let headers: Vec<(String, Vec<u8>)> = reply
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let replied = Replied { status: reply.status().as_u16(), headers: &headers, body: &body };
    if replied.status != 200 {
        return Err(format!("HTTP status {}", replied.status));
    }
    let client = app.clients.find(client_id);
    let signature = replied.check_signature(&target, client_id, |version| {
        client.as_ref().and_then(|client| client.key(version)).map(|known| &known.key)
    });
    if signature != AcknowledgementSignature::Valid {
        return Err(format!("answer not trusted: {signature}"));
    }
    match gateway::read_result(&body) {
        Some(result) if result.status == "S" => {}
        Some(_) => return Err("the result is no success".to_owned()),
        None => return Err("no result in the body".to_owned()),
    }
    let body = json::parse(&body).map_err(|fault| fault.to_string())?;
    dialect.consulted(&body).ok_or_else(|| "neither yes nor no".to_owned())
}
