//! HTTP/1.1 by hand, for the load generator: it must not take the cores from the server that it measures.

use accord_client::{Replied, SignedRequest};
use std::io::{Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A longer head is no reply.
const HEAD_LIMIT: usize = 65_536;

/// One connection, opened when it is first needed and kept alive.
pub struct Connection {
    address: String,
    socket: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// Host and port of an http URL.
pub fn address_of(url: &str) -> String {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned()
}

/// A signed request as it goes over the wire.
pub fn on_the_wire(request: &SignedRequest, address: &str) -> Vec<u8> {
    let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    post(&request.target, address, headers, &request.body)
}

/// A POST as it goes over the wire.
pub fn post<'h>(
    target: &str,
    address: &str,
    headers: impl Iterator<Item = (&'h str, &'h str)>,
    body: &[u8],
) -> Vec<u8> {
    let mut text = format!("POST {target} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [text.as_bytes(), body].concat()
}

/// What a reply says, without a copy.
pub struct Heard<'a> {
    /// HTTP status.
    pub status: u16,
    head: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl Heard<'_> {
    /// The value of the header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// Signed and S?
    pub fn is_signed_success(&self) -> bool {
        const SUCCESS: &[u8] = b"\"resultStatus\":\"S\"";
        self.status == 200
            && self.header("signature").is_some()
            && self.body.windows(SUCCESS.len()).any(|window| window == SUCCESS)
    }

    /// A copy, to be verified later.
    pub fn to_replied(&self) -> Replied {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let headers =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().as_bytes().to_vec()));
        Replied { status: self.status, headers: headers.collect(), body: self.body.to_vec() }
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

impl Connection {
    /// To that host and port; nothing is opened yet.
    pub fn new(address: &str) -> Connection {
        Connection { address: address.to_owned(), socket: None, buffer: Vec::with_capacity(4096) }
    }

    /// Opens it ahead of its first exchange.
    pub async fn open(&mut self) -> std::io::Result<()> {
        let fresh = TcpStream::connect(&self.address).await?;
        fresh.set_nodelay(true)?;
        self.socket = Some(fresh);
        Ok(())
    }

    /// Sends a request and reads its reply. After a failure the next exchange opens a new connection.
    pub async fn exchange(&mut self, request: &[u8]) -> std::io::Result<Heard<'_>> {
        let (head, length, keep) = match self.transfer(request).await {
            Ok(found) => found,
            Err(fault) => {
                self.socket = None;
                return Err(fault);
            }
        };
        if !keep {
            self.socket = None;
        }
        let (text, rest) = self.buffer.split_at(head);
        let text = std::str::from_utf8(text).map_err(|_| broken("a head that is no text"))?;
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        Ok(Heard {
            status: status.ok_or_else(|| broken("no status"))?,
            head: text,
            body: rest.get(..length).unwrap_or_default(),
        })
    }

    /// Length of the head, length of the body, and whether the connection stays.
    async fn transfer(&mut self, request: &[u8]) -> std::io::Result<(usize, usize, bool)> {
        if self.socket.is_none() {
            self.open().await?;
        }
        let stream = self.socket.as_mut().ok_or_else(|| broken("no connection"))?;
        let buffer = &mut self.buffer;
        stream.write_all(request).await?;
        buffer.clear();
        let head_end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(buffer).await? == 0 || buffer.len() > HEAD_LIMIT {
                return Err(broken("no reply"));
            }
        };
        let head = std::str::from_utf8(buffer.get(..head_end).unwrap_or_default()).unwrap_or_default();
        let length = header(head, "content-length").and_then(|length| length.parse::<usize>().ok());
        let length = length.ok_or_else(|| broken("no content-length"))?;
        let keep = !header(head, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        while buffer.len() < head_end.saturating_add(length) {
            if stream.read_buf(buffer).await? == 0 {
                return Err(broken("the reply ended early"));
            }
        }
        Ok((head_end, length, keep))
    }
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why.to_owned())
}
