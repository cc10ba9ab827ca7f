//! A merchant that acknowledges every notification at once: what the dispatcher is measured against.

use super::plan::Round;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ACKNOWLEDGED: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 91\r\n\r\n\
{\"result\":{\"resultCode\":\"SUCCESS\",\"resultStatus\":\"S\",\"resultMessage\":\"success, thank you\"}}";

/// A receiver on a port of its own.
pub struct Sink {
    listener: TcpListener,
}

#[derive(Default)]
struct Count {
    received: AtomicU64,
    /// Microseconds from the beginning to the first and the latest; the first is 0 while there is none.
    first: AtomicU64,
    last: AtomicU64,
}

/// Opens a receiver.
pub async fn bind() -> std::io::Result<Sink> {
    Ok(Sink { listener: TcpListener::bind(("127.0.0.1", 0)).await? })
}

impl Sink {
    /// Scheme, host and port.
    pub fn url(&self) -> std::io::Result<String> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    /// Acknowledges until so many have come, or the time is over. The round's time is that from the first to the last.
    pub async fn receive(self, expected: u64, patience: Duration) -> Round {
        let (count, began) = (Arc::new(Count::default()), Instant::now());
        let counting = count.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = self.listener.accept().await {
                tokio::spawn(acknowledge(socket, counting.clone(), began));
            }
        });
        while count.received.load(Ordering::Relaxed) < expected && began.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        accepting.abort();
        let calls = count.received.load(Ordering::Relaxed);
        let elapsed = count.last.load(Ordering::Relaxed).saturating_sub(count.first.load(Ordering::Relaxed));
        let missing = expected.saturating_sub(calls);
        Round {
            calls: calls + missing,
            failures: missing,
            first_failure: (missing > 0).then(|| "a notification did not come in time".to_owned()),
            elapsed_micros: elapsed.max(1),
            ..Round::default()
        }
    }
}

async fn acknowledge(mut socket: TcpStream, count: Arc<Count>, began: Instant) {
    let _ = socket.set_nodelay(true);
    let mut buffer = Vec::with_capacity(4096);
    loop {
        buffer.clear();
        let whole = loop {
            if let Some(length) = message_length(&buffer)
                && buffer.len() >= length
            {
                break true;
            }
            match socket.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => break false,
                Ok(_) => {}
            }
        };
        if !whole || socket.write_all(ACKNOWLEDGED).await.is_err() {
            return;
        }
        let now = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        let _ = count.first.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        count.last.fetch_max(now, Ordering::Relaxed);
        count.received.fetch_add(1, Ordering::Relaxed);
    }
}

/// Head and body together, once the head is there.
fn message_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(buffer.get(..head)?).ok()?;
    let length = text.lines().filter_map(|line| line.split_once(':'));
    let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Some(head + 4 + length.next()?.1.trim().parse::<usize>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_acknowledgement_is_as_long_as_it_says() {
        assert_eq!(message_length(ACKNOWLEDGED), Some(ACKNOWLEDGED.len()));
        assert_eq!(message_length(b"POST / HTTP/1.1\r\ncontent-le"), None);
    }
}
