//! A small SMS gateway: keeps what it is sent, and answers what the test wants.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub authorization: Option<String>,
    pub idempotency_key: Option<String>,
    pub body: Value,
}

#[derive(Clone, Default)]
struct Desk {
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

pub struct Gateway {
    pub url: String,
    desk: Desk,
}

impl Gateway {
    pub async fn open() -> Gateway {
        let desk = Desk::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let router = Router::new().route("/send", post(take)).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Gateway { url, desk }
    }

    /// The next requests are answered so, in order; after them each is taken.
    pub fn then(&self, answers: &[u16]) {
        self.desk.answers.lock().unwrap().extend(answers);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.desk.asked.lock().unwrap().clone()
    }

    pub async fn wait(&self, count: usize) -> Vec<Asked> {
        for _ in 0..300 {
            if self.asked().len() >= count {
                return self.asked();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{count} requests in vain: {:?}", self.asked());
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    desk.asked.lock().unwrap().push(Asked {
        authorization: header("authorization"),
        idempotency_key: header("idempotency-key"),
        body: serde_json::from_str(&body).unwrap(),
    });
    let answer = desk.answers.lock().unwrap().pop_front().unwrap_or(202);
    StatusCode::from_u16(answer).unwrap()
}
