//! Logos from a merchant's server that may be anything: `/logo/<authId>` shows a small raster image or our own.

use super::control::prepare;
use super::house::House;
use super::stores::{Shelf, served_from_every_store};
use accord_core::Timestamp;
use accord_server::logo::fetch::Fetcher;
use accord_server::logo::shelf::Logos;
use accord_server::outbound::OutboundPolicy;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

served_from_every_store!(
    a_raster_image_is_shown_and_fetched_once,
    whatever_is_no_small_raster_image_becomes_the_default,
    only_an_authorization_of_ours_has_a_logo,
);

const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
const MANY: usize = 50 * 1024 * 1024;

/// A merchant's server: what it answers stands in the path.
struct Shop {
    url: String,
    /// Requests so far.
    asked: Arc<AtomicUsize>,
    /// Bytes it could get rid of.
    sent: Arc<AtomicUsize>,
}

impl Shop {
    async fn open() -> Shop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shop = Shop { url, asked: Arc::default(), sent: Arc::default() };
        let (asked, sent) = (shop.asked.clone(), shop.sent.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(answer(socket, asked.clone(), sent.clone()));
            }
        });
        shop
    }
}

async fn answer(mut socket: TcpStream, asked: Arc<AtomicUsize>, sent: Arc<AtomicUsize>) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(socket.read_u8().await.ok()?);
    }
    asked.fetch_add(1, Ordering::Relaxed);
    let request = String::from_utf8(request).ok()?;
    let path = request.split([' ', '?']).nth(1)?.to_owned();
    let head = |status: &str, media: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n").into_bytes()
    };
    let whole = |media: &str, body: &[u8]| [head("200 OK", media, body.len()), body.to_vec()].concat();
    let reply = match path.as_str() {
        "/good" => whole("application/octet-stream", &png(64, 64)),
        "/svg" => whole("image/svg+xml", SVG),
        "/svg-as-png" => whole("image/png", SVG),
        "/html-as-png" => whole("image/png", b"<!doctype html><script>alert(1)</script>"),
        "/bomb" => whole("image/png", &png(60_000, 60_000)),
        "/missing" => head("404 Not Found", "image/png", 0),
        "/loopback" => {
            [b"HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n".to_vec()].concat()
        }
        "/metadata" => {
            b"HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n".to_vec()
        }
        "/huge" => head("200 OK", "image/png", MANY),
        "/endless" | "/drip" => b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n".to_vec(),
        _ => head("500 Oops", "text/plain", 0),
    };
    socket.write_all(&reply).await.ok()?;
    match path.as_str() {
        "/huge" | "/endless" => {
            let part = [png(64, 64), vec![0; 64 * 1024]].concat();
            while sent.load(Ordering::Relaxed) < MANY {
                socket.write_all(&part).await.ok()?;
                sent.fetch_add(part.len(), Ordering::Relaxed);
            }
        }
        "/drip" => loop {
            socket.write_all(b"\x89").await.ok()?;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        },
        _ => {}
    }
    Some(())
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// What a browser is given for a merchant whose logo is at that address: status, media type, bytes.
async fn logo(house: &House, url: Option<&str>) -> (u16, String, Vec<u8>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let mut body = prepare(&format!("logo-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    if let Some(url) = url {
        body["authClientLogo"] = json!(url);
    }
    let prepared = house.call("alipayPlus", "prepare", body).await;
    let auth_id = prepared["normalUrl"].as_str().unwrap().split_once("authId=").unwrap().1.to_owned();
    let reply = house.http.get(format!("{}/logo/{auth_id}", house.wallet)).send().await.unwrap();
    assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
    assert_eq!(reply.headers()["content-security-policy"], "default-src 'none'; sandbox");
    let media = reply.headers()["content-type"].to_str().unwrap().to_owned();
    (reply.status().as_u16(), media, reply.bytes().await.unwrap().to_vec())
}

async fn a_raster_image_is_shown_and_fetched_once(shelf: Shelf) {
    let (house, shop) = (House::open(shelf).await, Shop::open().await);
    let url = format!("{}/good", shop.url);
    let (one, two) = tokio::join!(logo(&house, Some(&url)), logo(&house, Some(&url)));
    assert_eq!(one, (200, "image/png".to_owned(), png(64, 64)), "its kind is told by its bytes");
    assert_eq!(two, one);
    assert_eq!(logo(&house, Some(&url)).await, one);
    assert_eq!(shop.asked.load(Ordering::Relaxed), 1);
    house.post("/sandbox/clock", json!({ "advanceSeconds": 2 * 3600 })).await;
    assert_eq!(logo(&house, Some(&url)).await, one);
    assert_eq!(shop.asked.load(Ordering::Relaxed), 2, "an hour later it is fetched again");
    house.close().await;
}

async fn whatever_is_no_small_raster_image_becomes_the_default(shelf: Shelf) {
    let (house, shop) = (House::open(shelf).await, Shop::open().await);
    let default = logo(&house, None).await;
    assert_eq!((default.0, default.1.as_str()), (200, "image/svg+xml"));
    for path in
        ["svg", "svg-as-png", "html-as-png", "bomb", "missing", "metadata", "huge", "endless", "drip", "oops"]
    {
        let url = format!("{}/{path}", shop.url);
        assert_eq!(logo(&house, Some(&url)).await, default, "{path}");
    }
    let sent = shop.sent.load(Ordering::Relaxed);
    assert!(sent < MANY / 2, "of two times 50 MB {sent} bytes were taken");

    let before = shop.asked.load(Ordering::Relaxed);
    assert_eq!(logo(&house, Some(&format!("{}/loopback", shop.url))).await, default);
    assert_eq!(shop.asked.load(Ordering::Relaxed), before + 1, "no redirect is followed, wherever it leads");

    // Without --outbound nobody but this machine is contacted.
    assert_eq!(logo(&house, Some("https://www.merchant.com/logo.png")).await, default);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_closes_a_page_before_its_logo_came_leaves_room_for_other_logos() {
    let shop = Shop::open().await;
    let policy = OutboundPolicy {
        allow_http: true,
        allowed: vec!["127.0.0.1".parse().unwrap()],
        ..OutboundPolicy::default()
    };
    let shelf = Logos::new(&policy).unwrap();
    let now = Timestamp(0);
    // More than the shelf remembers, none of which anybody waits for any more.
    for number in 0..300 {
        let url = format!("{}/drip?{number}", shop.url);
        let closed = tokio::time::timeout(std::time::Duration::ZERO, shelf.get(&url, now)).await;
        assert!(closed.is_err(), "it was under way");
    }
    let picture = shelf.get(&format!("{}/good", shop.url), now).await;
    assert_eq!(picture.unwrap().bytes, png(64, 64));
}

async fn only_an_authorization_of_ours_has_a_logo(shelf: Shelf) {
    let (house, shop) = (House::open(shelf).await, Shop::open().await);
    let strange = "0".repeat(26);
    for path in [
        strange.clone(),
        "x".to_owned(),
        format!("{strange}?url={}/good", shop.url),
        format!("x%2F..%2F{strange}"),
    ] {
        let reply = house.http.get(format!("{}/logo/{path}", house.wallet)).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), 404, "{path}");
        assert_eq!(reply.bytes().await.unwrap().len(), 0, "{path}");
    }
    assert_eq!(shop.asked.load(Ordering::Relaxed), 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_fetches_no_logo_from_an_address_inside() {
    let shop = Shop::open().await;
    let port = shop.url.rsplit(':').next().unwrap().to_owned();
    let fetcher = Fetcher::new(&OutboundPolicy::default()).unwrap();
    for (url, why) in [
        (format!("http://localhost:{port}/good"), "scheme"),
        (format!("https://127.0.0.1:{port}/good"), "not allowed"),
        (format!("https://[::ffff:127.0.0.1]:{port}/good"), "not allowed"),
        ("https://169.254.169.254/latest/meta-data".to_owned(), "not allowed"),
        ("https://10.0.0.1/logo.png".to_owned(), "not allowed"),
        // A name is judged by the addresses that it leads to.
        (format!("https://localhost:{port}/good"), "error sending request"),
        ("file:///etc/passwd".to_owned(), "scheme"),
    ] {
        let fault = fetcher.fetch(&url).await.expect_err(&url);
        assert!(fault.contains(why), "{url}: {fault}");
    }
    assert_eq!(shop.asked.load(Ordering::Relaxed), 0, "nobody was asked");

    // The same server, when the wallet allows its address and http.
    let policy = OutboundPolicy {
        allow_http: true,
        allowed: vec!["127.0.0.1".parse().unwrap()],
        ..OutboundPolicy::default()
    };
    let fetched = Fetcher::new(&policy).unwrap().fetch(&format!("{}/good", shop.url)).await;
    assert_eq!(fetched.unwrap().bytes, png(64, 64));
}
