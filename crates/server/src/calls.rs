//! One call of a dialect, from raw bytes to signed bytes.

use crate::admission::Ticket;
use crate::app::App;
use crate::clock::random;
use crate::limits::Permit;
use crate::risk::OnFailure;
use crate::sandbox::faults::Scripted;
use crate::telemetry;
use accord_core::payment::Resolution;
use accord_core::payment::pay::Forced;
use accord_core::risk;
use accord_core::store::StoreFault;
use accord_core::{Moment, Ruled, Stop};
use accord_wire::dialect::{Answer, Fault, Reason, Status, result_only};
use accord_wire::gateway::{Accepted, Opened, ReplyEnvelope, Request};
use accord_wire::signature::{Lane, SignJob, Signed, Signer, SignerFault};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tokio::sync::oneshot;

/// A reply, ready for the socket.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// The exact bytes that were signed.
    pub body: Vec<u8>,
}

/// What the log says of a call beside its answer.
struct Told {
    dialect: String,
    operation: &'static str,
    client: String,
}

/// Answers a call.
pub async fn answer(app: &Arc<App>, request: Request, sender: IpAddr) -> Reply {
    let began = Instant::now();
    let at = app.clock.moment();
    let trace_id = trace_id();

    let (answer, envelope, verified, told) = match open(app, &request, &at).await {
        Opened::Refused(declined) => {
            if let Some(known) = &declined.client
                && !app.refusal_budget.may_refuse(&app.options.limits, &known.client, at.now)
            {
                return turn_away(
                    app,
                    &request,
                    "more faulty calls a minute than are answered; call again later",
                );
            }
            let told = Told {
                dialect: declined.dialect.name().to_string(),
                operation: declined.operation.map_or("-", |operation| operation.name),
                client: declined.client.map_or_else(|| "-".into(), |known| known.client.id.to_string()),
            };
            (declined.answer, declined.envelope, declined.verified, told)
        }
        Opened::Accepted(accepted) => {
            let told = Told {
                dialect: accepted.dialect.name().to_string(),
                operation: accepted.operation.name,
                client: accepted.client.client.id.to_string(),
            };
            let envelope = accepted.envelope.clone();
            (execute(app, *accepted, &at).await, envelope, true, told)
        }
    };

    let sign = verified || app.options_may_sign(sender, &at);
    let signed = if sign { sign_reply(app, &envelope, &answer).await } else { Ok(None) };
    match signed {
        Ok(signed) => finish(app, &answer, &envelope, signed.as_ref(), &told, began, trace_id),
        // The call may have been done; its answer cannot be given. Never an unsigned S.
        Err(fault) => {
            tracing::error!(%fault, trace_id, "a reply could not be signed");
            let (answer, envelope) =
                app.options.gateway.refuse(&request, Fault::Overloaded, "too many calls are waiting");
            finish(app, &answer, &envelope, None, &told, began, trace_id)
        }
    }
}

/// 16 hexadecimal digits.
fn trace_id() -> String {
    format!("{:016x}", u64::from_be_bytes(random()))
}

/// Opens a request. A signer or key that is not in the directory may have been registered a moment ago: then the
/// directory is looked at again, once in a while.
async fn open(app: &Arc<App>, request: &Request, at: &Moment) -> Opened {
    let opened = app.options.gateway.open(app.clients.as_ref(), request, at);
    let unknown = match &opened {
        Opened::Refused(declined) => matches!(declined.fault, Fault::ClientUnknown | Fault::KeyUnknown),
        Opened::Accepted(_) => false,
    };
    if !unknown || !app.clients.may_look_again() {
        return opened;
    }
    let seen = app.clone();
    match app.look(move |rows| seen.clients.refresh(rows)).await {
        Ok(()) => app.options.gateway.open(app.clients.as_ref(), request, at),
        Err(_) => opened,
    }
}

/// Answers a call whose body did not arrive.
pub async fn broken(app: &Arc<App>, request: Request, sender: IpAddr, message: &str) -> Reply {
    let began = Instant::now();
    let at = app.clock.moment();
    let trace_id = trace_id();
    let (answer, envelope) = app.options.gateway.refuse(&request, Fault::Malformed, message);
    let told = Told { dialect: "-".into(), operation: "-", client: "-".into() };
    let signed = match app.options_may_sign(sender, &at) {
        true => sign_reply(app, &envelope, &answer).await.ok().flatten(),
        false => None,
    };
    finish(app, &answer, &envelope, signed.as_ref(), &told, began, trace_id)
}

impl App {
    fn options_may_sign(&self, sender: IpAddr, at: &Moment) -> bool {
        self.refusal_budget.may_sign(&self.options.limits, sender, at.now)
    }
}

/// Lets a call in, or says why not.
pub fn admit(app: &App, sender: IpAddr, client_id: &[u8]) -> Result<Ticket, &'static str> {
    if app.draining.load(Ordering::Relaxed) {
        return Err("the server is about to stop; call again");
    }
    let longest = app.options.limits.longest_wait_ms.map(|millis| millis.saturating_mul(1_000));
    let wait = if longest.is_some() { expected_wait_micros(app) } else { 0 };
    app.admission.enter(sender, client_id, wait, longest).ok_or("too many calls are waiting; call again")
}

/// How long a call that comes now would wait for its turn in the store and for its signature.
pub fn expected_wait_micros(app: &App) -> u64 {
    let signatures = app.options.signer.micros_for(app.admission.inside());
    signatures.max(app.options.store.expected_wait_micros())
}

/// Turns a call away at once: HTTP 503, unsigned, nothing stored.
pub fn turn_away(app: &App, request: &Request, message: &str) -> Reply {
    let began = Instant::now();
    let (answer, envelope) = app.options.gateway.refuse(request, Fault::Overloaded, message);
    let headers = envelope.headers(None, &envelope.response_time(app.clock.now()));
    telemetry::turned_away(answer.code, began.elapsed());
    Reply { status: envelope.http_status, headers, body: answer.body }
}

async fn execute(app: &Arc<App>, accepted: Accepted, at: &Moment) -> Answer {
    let dialect = accepted.dialect.clone();
    let (store, client) = (app.options.store.as_ref(), &accepted.client.client);
    match app.call_limits.permit(store, client, || app.clock.now()).await {
        Permit::Given => {}
        Permit::Over => {
            let code = dialect.code(Reason::Fault(Fault::Overloaded));
            return result_only(&code, "more calls a second than agreed; call again");
        }
        Permit::Unknown(fault) => {
            tracing::error!(%fault, "calls of a client could not be counted");
            let code = dialect.code(Reason::Fault(Fault::Unexpected));
            return result_only(&code, code.meaning);
        }
    }
    // The act moves into the store's thread and comes back with the result.
    let stale = accepted.stale.is_some();
    let (operation, only_reads) = (accepted.operation.name, accepted.act.only_reads());
    let cell = Arc::new(std::sync::Mutex::new(accepted));
    let lost = if app.options.sandbox.is_some() && !stale && app.faults.waits_for(operation) {
        let known = is_known(app, &cell).await;
        match cell.lock().map(|mut accepted| script(app, &mut accepted, known, at)) {
            Ok(Scene::Lose(answer)) => Some(answer),
            Ok(Scene::Instead(answer)) => return answer,
            Ok(Scene::Play) | Err(_) => None,
        }
    } else {
        None
    };
    if lost.is_none()
        && !stale
        && let Some(answer) = judge_risk(app, &cell).await
    {
        return answer;
    }
    let result = if only_reads {
        look(app, &cell, at).await
    } else {
        let result = act(app, &cell, at).await;
        app.wake.notify_one();
        result
    };
    if let Err(Stop::Fault(fault)) = &result {
        tracing::error!(%fault, "a call met a fault of the store");
    }
    let answer = match cell.lock() {
        Ok(accepted) => accepted.conclude(result),
        Err(_) => {
            let code = dialect.code(Reason::Fault(Fault::Unexpected));
            result_only(&code, code.meaning)
        }
    };
    lost.unwrap_or(answer)
}

/// Runs the act in a transaction.
async fn act(app: &Arc<App>, cell: &Arc<std::sync::Mutex<Accepted>>, at: &Moment) -> Ruled<Answer> {
    let (inside, keys, at) = (cell.clone(), app.options.keys.clone(), at.clone());
    app.transact(move |tx| match inside.lock() {
        Ok(mut accepted) => accepted.execute(tx, &keys, &at),
        Err(_) => Err(Stop::Fault(StoreFault::Unavailable("an earlier run of this act broke off".into()))),
    })
    .await
}

/// Answers an act that only reads, beside the writer.
async fn look(app: &Arc<App>, cell: &Arc<std::sync::Mutex<Accepted>>, at: &Moment) -> Ruled<Answer> {
    let (inside, keys, at) = (cell.clone(), app.options.keys.clone(), at.clone());
    app.look(move |rows| {
        Ok(match inside.lock() {
            Ok(mut accepted) => accepted.look(rows, &keys, &at),
            Err(_) => Err(Stop::Fault(StoreFault::Unavailable("this act broke off".into()))),
        })
    })
    .await?
}

/// Asks the risk engine about a debit, if there is one. An answer: the debit is not made now.
async fn judge_risk(app: &Arc<App>, cell: &Arc<std::sync::Mutex<Accepted>>) -> Option<Answer> {
    let (engine, options) = (app.risk.as_ref()?, app.options.seams.risk.as_ref()?);
    let seen = cell.clone();
    let asked = app.look(move |rows| match seen.lock() {
        Ok(accepted) => match accepted.act.debit() {
            Some(pay) if pay.forced.is_none() => risk::question(rows, pay, accepted.dialect.policy()),
            Some(_) | None => Ok(None),
        },
        Err(_) => Ok(None),
    });
    let unknown = || {
        let code = cell.lock().ok()?.dialect.code(Reason::Fault(Fault::Unexpected));
        Some(result_only(&code, code.meaning))
    };
    let verdict = match asked.await {
        Ok(None) => return None,
        Ok(Some(question)) => {
            let (send, receive) = oneshot::channel();
            engine.judge(
                question,
                Box::new(move |verdict| {
                    let _ = send.send(verdict);
                }),
            );
            receive.await.unwrap_or(None)
        }
        Err(fault) => {
            tracing::error!(%fault, "nothing could be looked up for the risk engine");
            return unknown();
        }
    };
    let Some(verdict) = verdict else {
        if options.on_failure == OnFailure::Approve {
            tracing::warn!("the risk engine did not answer; the debit goes on");
            return None;
        }
        tracing::warn!("the risk engine did not answer; the debit is not made");
        return unknown();
    };
    if let Some(forced) = verdict.forced() {
        cell.lock().ok()?.act.force(forced);
    }
    None
}

/// What the sandbox's fault script makes of a valid call.
enum Scene {
    /// Nothing special.
    Play,
    /// It is done, but the caller is told this.
    Lose(Answer),
    /// It is not done; the caller is told this.
    Instead(Answer),
}

/// Has this call's idempotency key been seen? Such a call gets its stored answer, and no script is used up by it.
async fn is_known(app: &App, cell: &Arc<std::sync::Mutex<Accepted>>) -> bool {
    let cell = cell.clone();
    let known = app.look(move |rows| match cell.lock() {
        Ok(accepted) => accepted.act.is_known(rows),
        Err(_) => Ok(false),
    });
    known.await.unwrap_or(false)
}

fn script(app: &App, accepted: &mut Accepted, known: bool, at: &Moment) -> Scene {
    if known {
        return Scene::Play;
    }
    let Some(scripted) = app.faults.take(accepted.operation.name) else { return Scene::Play };
    let dialect = accepted.dialect.clone();
    match scripted {
        Scripted::Code { code, refusal } => {
            if let Some(refusal) = refusal
                && accepted.act.force(Forced::Fail(refusal))
            {
                return Scene::Play;
            }
            let line = accord_wire::dialect::Code { code, status: Status::F, source: "", meaning: "" };
            Scene::Instead(result_only(&line, "as the sandbox's fault script says"))
        }
        Scripted::Unknown { then, after_ms } => {
            let resolution = then.map(|succeed| Resolution { due_at: at.now.plus_millis(after_ms), succeed });
            if accepted.act.force(Forced::Running(resolution)) {
                return Scene::Play;
            }
            let code = dialect.code(Reason::Fault(Fault::Unexpected));
            let answer = result_only(&code, "as the sandbox's fault script says");
            if then == Some(true) { Scene::Lose(answer) } else { Scene::Instead(answer) }
        }
    }
}

async fn sign_reply(
    app: &App,
    envelope: &ReplyEnvelope,
    answer: &Answer,
) -> Result<Option<(Signed, String)>, SignerFault> {
    let time = envelope.response_time(app.clock.now());
    let content = envelope.content(&answer.body, &time);
    sign(app, content, Lane::Reply).await.map(|signed| Some((signed, time)))
}

/// Has the wallet sign a content, without blocking the thread.
pub async fn sign(app: &App, content: Vec<u8>, priority: Lane) -> Result<Signed, SignerFault> {
    let (send, receive) = oneshot::channel();
    let done = Box::new(move |outcome| {
        let _ = send.send(outcome);
    });
    app.options.signer.submit(SignJob { content, priority, done });
    receive.await.unwrap_or(Err(SignerFault::Closed))
}

fn finish(
    app: &App,
    answer: &Answer,
    envelope: &ReplyEnvelope,
    signed: Option<&(Signed, String)>,
    told: &Told,
    began: Instant,
    trace_id: String,
) -> Reply {
    let unsigned_time;
    let (signed, time) = match signed {
        Some((signed, time)) => (Some(signed), time.as_str()),
        None => {
            unsigned_time = envelope.response_time(app.clock.now());
            (None, unsigned_time.as_str())
        }
    };
    let mut headers = envelope.headers(signed, time);
    telemetry::call(&telemetry::Call {
        dialect: &told.dialect,
        operation: told.operation,
        client: &told.client,
        code: answer.code,
        status: answer.status.as_str(),
        http_status: envelope.http_status,
        took: began.elapsed(),
        trace_id: &trace_id,
    });
    headers.push(("trace-id", trace_id));
    Reply { status: envelope.http_status, headers, body: answer.body.clone() }
}
