//! The wallet's own risk engine is asked before each debit.

use super::house::{House, RICH};
use super::stores::{Shelf, served_from_every_store};
use super::{System, agree, customer, pay};
use accord_core::operator::Role;
use accord_server::risk::{OnFailure, RiskOptions};
use accord_server::wallet_api::Seams;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

served_from_every_store!(
    a_verdict_is_the_payments_end,
    an_engine_that_is_away_may_be_passed_by,
    an_engine_that_talks_nonsense_has_said_nothing,
);

/// An engine that says what it is told to say, and keeps what it was asked. An empty answer: it says nothing; one with
/// a status before a bar: with that status.
async fn engine(says: Arc<Mutex<String>>) -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/judge", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (says, kept) = (says.clone(), kept.clone());
            tokio::spawn(async move {
                let mut read = Vec::new();
                let body = loop {
                    let mut part = [0; 4096];
                    let count = socket.read(&mut part).await.unwrap_or(0);
                    read.extend_from_slice(&part[..count]);
                    let text = String::from_utf8_lossy(&read).into_owned();
                    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
                    if let Some(question) = body.and_then(|body| serde_json::from_str::<Value>(&body).ok()) {
                        break question;
                    }
                    if count == 0 {
                        return;
                    }
                };
                kept.lock().unwrap().push(body);
                let says = says.lock().unwrap().clone();
                if says.is_empty() {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    return;
                }
                let (status, says) = says.split_once('|').unwrap_or(("200 OK", &says));
                let reply = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{says}",
                    says.len()
                );
                let _ = socket.write_all(reply.as_bytes()).await;
            });
        }
    });
    (url, asked)
}

async fn a_verdict_is_the_payments_end(shelf: Shelf) {
    let says = Arc::new(Mutex::new(r#"{"verdict":"approve"}"#.to_owned()));
    let (url, asked) = engine(says.clone()).await;
    let risk = Some(RiskOptions { url, timeout: Duration::from_secs(2), on_failure: OnFailure::Unknown });
    let house = House::open_with(shelf, Seams { risk, ..Seams::default() }).await;
    let app = System::with(&house, Role::App).await;
    let rich = customer(&house, RICH).await;
    let token = agree(&house, &app, &rich).await;
    let result = async |request: &str| pay(&house, &token, request).await["result"].clone();

    assert_eq!(result("p-1").await["resultStatus"], "S");
    {
        let asked = asked.lock().unwrap();
        assert_eq!(asked[0]["customerId"], rich.as_str());
        assert_eq!(asked[0]["amount"], serde_json::json!({ "currency": "IQD", "value": "1000000" }));
        assert!(!asked[0].to_string().contains(&token), "no secret is told");
    }
    *says.lock().unwrap() = r#"{"verdict":"reject"}"#.to_owned();
    let rejected = result("p-2").await;
    assert_eq!(rejected["resultCode"], "RISK_REJECT", "{rejected}");
    *says.lock().unwrap() = r#"{"verdict":"kyc"}"#.to_owned();
    let kyc = result("p-3").await;
    assert_eq!(kyc["resultStatus"], "F", "{kyc}");
    assert_ne!(kyc["resultCode"], "RISK_REJECT");

    // What has ended is repeated without another question.
    let before = asked.lock().unwrap().len();
    assert_eq!(result("p-1").await["resultStatus"], "S");
    assert_eq!(result("p-2").await["resultCode"], "RISK_REJECT");
    assert_eq!(asked.lock().unwrap().len(), before);

    // Silence: Unknown, nothing is done, and the same call may be made again.
    *says.lock().unwrap() = String::new();
    assert_eq!(result("p-4").await["resultStatus"], "U");
    *says.lock().unwrap() = r#"{"verdict":"approve"}"#.to_owned();
    assert_eq!(result("p-4").await["resultStatus"], "S");
    let (_, balances) = app.get(&format!("/users/{rich}/balances")).await;
    assert_eq!(balances["balances"]["IQD"], "99998000000");
    house.close().await;
}

async fn an_engine_that_is_away_may_be_passed_by(shelf: Shelf) {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/judge");
    let risk = Some(RiskOptions { url, timeout: Duration::from_secs(1), on_failure: OnFailure::Approve });
    let house = House::open_with(shelf, Seams { risk, ..Seams::default() }).await;
    let app = System::with(&house, Role::App).await;
    let rich = customer(&house, RICH).await;
    let token = agree(&house, &app, &rich).await;
    assert_eq!(pay(&house, &token, "p-1").await["result"]["resultStatus"], "S");
    house.close().await;
}

/// What the engine says, how the debit ends, and what is left of it.
async fn an_engine_that_talks_nonsense_has_said_nothing(shelf: Shelf) {
    let says = Arc::new(Mutex::new(String::new()));
    let (url, _) = engine(says.clone()).await;
    for (on_failure, ends, debits) in [(OnFailure::Unknown, "U", 0), (OnFailure::Approve, "S", 1)] {
        let risk = Some(RiskOptions { url: url.clone(), timeout: Duration::from_secs(2), on_failure });
        let house = House::open_with(shelf, Seams { risk, ..Seams::default() }).await;
        let app = System::with(&house, Role::App).await;
        let rich = customer(&house, RICH).await;
        let token = agree(&house, &app, &rich).await;
        let balance = async || {
            let (_, balances) = app.get(&format!("/users/{rich}/balances")).await;
            balances["balances"]["IQD"].as_str().unwrap().parse::<i64>().unwrap()
        };
        let endless = format!("{{\"verdict\":\"approve\",\"more\":\"{}\"}}", "x".repeat(100_000));
        for (number, nonsense) in [
            "no JSON at all",
            "{}",
            "[]",
            "null",
            "\"approve\"",
            "{\"verdict\":null}",
            "{\"verdict\":true}",
            "{\"verdict\":\"APPROVE\"}",
            "{\"verdict\":\"maybe\"}",
            "{\"verdict\":[\"approve\"]}",
            "{\"verdict\":\"approve\"",
            "\u{fffd}",
            "{\"verdict\":\"reject\",\"verdict\":\"approve\"}",
            "201 Created|{\"verdict\":\"approve\"}",
            &endless,
        ]
        .into_iter()
        .enumerate()
        {
            *says.lock().unwrap() = nonsense.to_owned();
            let before = balance().await;
            let request = format!("p-{number}");
            let result = pay(&house, &token, &request).await["result"].clone();
            assert_eq!(result["resultStatus"], ends, "{nonsense:.40}: {result}");
            assert_eq!(before - balance().await, debits * 1_000_000, "{nonsense:.40}");
            // Nothing was kept of an Unknown: the same call is judged anew.
            *says.lock().unwrap() = r#"{"verdict":"reject"}"#.to_owned();
            let again = pay(&house, &token, &request).await["result"].clone();
            let expected = if debits == 0 { "RISK_REJECT" } else { "SUCCESS" };
            assert_eq!(again["resultCode"], expected, "{nonsense:.40}");
        }
        house.close().await;
    }
}
