//! A mailbox: an HTTP server of the test on loopback. It keeps every notification and answers as it is told to.

use accord_client::{Acknowledgement, Received, Receiver};
use accord_wire::json::Json;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A notification that came.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Who it is from, judged by the client's receiver.
    pub received: Received,
}

impl Letter {
    pub fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// A member of the body that is a text.
    pub fn text(&self, name: &str) -> &str {
        self.received.body.as_ref().and_then(|body| body.get(name)).and_then(Json::as_str).unwrap_or_default()
    }
}

/// How a letter is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// HTTP 200, S, signed.
    Sign,
    /// HTTP 200, signed, with this status.
    SignAs(&'static str),
    /// HTTP 200 with this body, unsigned.
    Say(&'static str),
    /// HTTP 200, S, signed over other content.
    SignWrongly,
    /// HTTP 200, S, signed, with a message of so many spaces.
    Pad(usize),
    /// HTTP 200 and a body that never ends.
    Flood,
    /// This HTTP status with a signed S.
    Status(u16),
    /// HTTP 302 to there, with a signed S.
    Redirect(String),
    /// Nothing, the connection stays open.
    Hang,
    /// Nothing, the connection is closed.
    Close,
    /// HTTP 200, S, signed, after so many milliseconds.
    Slow(u64),
}

/// The mailbox.
pub struct Mailbox {
    /// Scheme, host and port.
    pub url: String,
    letters: Arc<Mutex<Vec<Letter>>>,
    flooded: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Mailbox {
    /// Opens one for the notifications of that client.
    pub async fn open(
        receiver: Receiver,
        manner: impl Fn(&Letter) -> Manner + Send + Sync + 'static,
    ) -> Mailbox {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let letters = Arc::new(Mutex::new(Vec::new()));
        let flooded = Arc::new(AtomicUsize::new(0));
        let shared = Arc::new((receiver, manner, letters.clone(), flooded.clone()));
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut socket, _)) = listener.accept().await else { continue };
                let shared = shared.clone();
                tokio::spawn(async move {
                    let (receiver, manner, letters, flooded) = shared.as_ref();
                    let Some(letter) = read(&mut socket, receiver).await else { return };
                    let manner = manner(&letter);
                    letters.lock().expect("letters").push(letter.clone());
                    answer(&mut socket, receiver, &letter, manner, flooded).await;
                });
            }
        });
        Mailbox { url, letters, flooded, task }
    }

    /// Every letter so far, oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().expect("letters").clone()
    }

    /// Every letter to that path.
    pub fn letters_to(&self, path: &str) -> Vec<Letter> {
        let mut letters = self.letters();
        letters.retain(|letter| letter.target == path);
        letters
    }

    /// Bytes that were sent by floods.
    pub fn flooded(&self) -> usize {
        self.flooded.load(Ordering::Relaxed)
    }
}

async fn read(socket: &mut TcpStream, receiver: &Receiver) -> Option<Letter> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).expect("a head");
            let mut lines = head.lines();
            let target = lines.next()?.split(' ').nth(1)?.to_owned();
            let headers: Vec<(String, Vec<u8>)> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.as_bytes().to_vec()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = std::str::from_utf8(&length?.1).ok()?.parse().ok()?;
            if bytes.len() >= end + 4 + length {
                let body = bytes[end + 4..end + 4 + length].to_vec();
                let received = receiver.receive(&target, &headers, &body);
                return Some(Letter { target, headers, body, received });
            }
        }
        match socket.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

async fn answer(
    socket: &mut TcpStream,
    receiver: &Receiver,
    letter: &Letter,
    manner: Manner,
    flooded: &AtomicUsize,
) {
    let signed = |status: &str, message: &str| {
        let code = if status == "S" { "SUCCESS" } else { "PARAM_ILLEGAL" };
        let answer = Acknowledgement::of(status, code, message);
        receiver.acknowledge(&letter.received, &answer, &letter.header("request-time")).expect("signed")
    };
    let (mut status, mut acknowledgement) = (200, signed("S", ""));
    match manner {
        Manner::Sign => {}
        Manner::SignAs(word) => acknowledgement = signed(word, ""),
        Manner::Say(body) => {
            acknowledgement.headers.retain(|(name, _)| *name != "signature");
            acknowledgement.body = body.as_bytes().to_vec();
        }
        // Still the same JSON, and no longer what was signed.
        Manner::SignWrongly => acknowledgement.body.push(b' '),
        Manner::Pad(count) => acknowledgement = signed("S", &" ".repeat(count)),
        Manner::Flood => {
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\n\r\n";
            let _ = socket.write_all(head.as_bytes()).await;
            while let Ok(count) = socket.write(&[b' '; 4096]).await {
                flooded.fetch_add(count, Ordering::Relaxed);
            }
            return;
        }
        Manner::Status(other) => status = other,
        Manner::Redirect(url) => {
            status = 302;
            acknowledgement.headers.push(("location", url));
        }
        Manner::Hang => {
            // Until the other side gives up.
            let _ = socket.read(&mut [0; 1]).await;
            return;
        }
        Manner::Close => return,
        Manner::Slow(delay_ms) => tokio::time::sleep(Duration::from_millis(delay_ms)).await,
    }
    let mut text = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    for (name, value) in &acknowledgement.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n", acknowledgement.body.len());
    let _ = socket.write_all(text.as_bytes()).await;
    let _ = socket.write_all(&acknowledgement.body).await;
    let _ = socket.shutdown().await;
}
