//! A plain GET to a sandbox on this machine: its clock and its readiness. Not for anything else: no TLS, no redirects.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
const LIMIT: u64 = 1024 * 1024;

/// Status and body, or why there is none.
pub fn get(base_url: &str, path: &str) -> Result<(u16, Vec<u8>), String> {
    let authority = base_url
        .strip_prefix("http://")
        .map(|rest| rest.split('/').next().unwrap_or_default())
        .ok_or_else(|| format!("{base_url} is not an http URL"))?;
    let fault = |fault: std::io::Error| format!("{base_url} does not answer: {fault}");
    let target = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let address = target.to_socket_addrs().map_err(fault)?.next();
    let address = address.ok_or_else(|| format!("{base_url} has no address"))?;
    let mut socket = TcpStream::connect_timeout(&address, TIMEOUT).map_err(fault)?;
    socket.set_read_timeout(Some(TIMEOUT)).map_err(fault)?;
    socket
        .write_all(
            format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .map_err(fault)?;
    let mut reply = Vec::new();
    socket.take(LIMIT).read_to_end(&mut reply).map_err(fault)?;
    split(&reply).ok_or_else(|| format!("{base_url} does not speak HTTP"))
}

fn split(reply: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = reply.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(reply.get(..end)?).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some((status, reply.get(end + 4..)?.to_vec()))
}
