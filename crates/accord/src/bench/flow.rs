//! Whole flows: prepare, the user's yes in the sandbox, applyToken, ten debits. Each call needs the answer of the one
//! before, so they are signed on the way, and the load generator's CPU time is not small.

use super::ground;
use super::http1::{Connection, on_the_wire, post};
use super::ids::RequestIds;
use super::load::Setting;
use super::operation::DEBITS;
use super::plan::Round;
use accord_client::prepare_request;
use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Runs flows on every connection until the time is over.
pub async fn run(
    setting: Arc<Setting>,
    users: Arc<Vec<(String, String)>>,
    ids: RequestIds,
) -> anyhow::Result<Round> {
    let began = Instant::now();
    let deadline = began + Duration::from_secs(setting.seconds);
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..setting.connections {
        let (setting, users, ids, next) = (setting.clone(), users.clone(), ids.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            let (mut latencies, mut failures) = (Vec::new(), Vec::new());
            let mut connection = Connection::new(&setting.address);
            while Instant::now() < deadline {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let began = Instant::now();
                match flow(&setting, &users, &ids, &mut connection, number).await {
                    Ok(()) => latencies.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)),
                    Err(fault) => failures.push(format!("{fault:#}")),
                }
            }
            (latencies, failures)
        }));
    }
    let (mut round, mut latencies) = (Round::default(), Vec::new());
    for task in tasks {
        let (good, bad) = task.await.context("a connection broke")?;
        round.calls += (good.len() + bad.len()) as u64;
        round.failures += bad.len() as u64;
        round.first_failure = round.first_failure.or(bad.into_iter().next());
        latencies.extend(good);
    }
    round.elapsed_micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(round.with_latencies(latencies))
}

async fn flow(
    setting: &Setting,
    users: &[(String, String)],
    ids: &RequestIds,
    connection: &mut Connection,
    number: u64,
) -> anyhow::Result<()> {
    let said = call(setting, connection, "prepare", &ground::prepare(number)).await?;
    let url = said.get("authUrl").and_then(Value::as_str).ok_or_else(|| anyhow!("no authUrl"))?;
    let index = number.checked_rem(users.len() as u64).and_then(|index| usize::try_from(index).ok());
    let (login, pin) = index.and_then(|index| users.get(index)).ok_or_else(|| anyhow!("no user"))?;
    let yes = json!({ "url": url, "loginId": login, "pin": pin, "decision": "approve" }).to_string();
    let headers = [("content-type", "application/json")].into_iter();
    let reply =
        connection.exchange(&post("/sandbox/decide", &setting.address, headers, yes.as_bytes())).await?;
    let decided: Value = serde_json::from_slice(reply.body)?;
    let code = decided.get("authCode").and_then(Value::as_str);
    let code = code.ok_or_else(|| anyhow!("not decided: {decided}"))?;
    let said = call(setting, connection, "applyToken", &ground::apply_token(code)).await?;
    let token = said.get("accessToken").and_then(Value::as_str).ok_or_else(|| anyhow!("no accessToken"))?;
    for debit in 0..DEBITS {
        call(setting, connection, "pay", &ground::pay(token, ids, number * DEBITS + debit, None)).await?;
    }
    Ok(())
}

async fn call(
    setting: &Setting,
    connection: &mut Connection,
    api: &str,
    body: &str,
) -> anyhow::Result<Value> {
    let request = prepare_request(&setting.identity, &setting.wallet, api, body.as_bytes(), &setting.time)?;
    let reply = connection.exchange(&on_the_wire(&request, &setting.address)).await?;
    if !reply.is_signed_success() {
        return Err(anyhow!("{api}: HTTP {}: {}", reply.status, String::from_utf8_lossy(reply.body)));
    }
    Ok(serde_json::from_slice(reply.body)?)
}
