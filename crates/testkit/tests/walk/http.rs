//! HTTP/1.1 by hand: a client that sends exactly what it is told, however wrong, and reads one reply.

use accord_wire::gateway::Request;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A reply as it came.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of the one header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values =
            self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }
}

/// Sends a request on a connection of its own.
pub fn send(address: SocketAddr, request: &Request) -> Reply {
    let mut socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    let own = [("host", address.to_string()), ("connection", "close".to_owned())];
    let length = ("content-length", request.body.len().to_string());
    for (name, value) in own.into_iter().chain([length]) {
        head.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    for (name, value) in &request.headers {
        head.extend([name.as_bytes(), b": ", value.as_slice(), b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    socket.write_all(&head).expect("the head is taken");
    socket.write_all(&request.body).expect("the body is taken");
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).expect("a reply");
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Reply {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of the head");
    let head = std::str::from_utf8(&bytes[..end]).expect("a head of text");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Reply { status: status.expect("a status"), headers, body: bytes[end + 4..].to_vec() }
}
