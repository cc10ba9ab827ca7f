//! A browser behind a round robin comes to another node with each request, and nobody notices: pages, sign-ins, codes,
//! hand-overs and the console's sessions are rows, and cookies are read with a key that all nodes have.

use crate::house::House;
use crate::house::exchange;
use crate::house::nodes::Nodes;
use crate::house::shop::auth_id;
use crate::house::support::{On, run};
use std::collections::BTreeMap;

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36";
const PASSWORD: &str = "a long enough password";

/// Keeps its cookies, follows nothing by itself, and never asks the same node twice in a row.
struct Browser<'n> {
    nodes: &'n Nodes,
    cookies: BTreeMap<String, String>,
}

struct Page {
    status: u16,
    location: String,
    body: String,
}

impl<'n> Browser<'n> {
    fn new(nodes: &'n Nodes) -> Browser<'n> {
        Browser { nodes, cookies: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "").await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let pairs: Vec<String> =
            form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        self.send("POST", path, &pairs.join("&")).await
    }

    /// A path, or a URL of any node: the path alone is taken.
    async fn send(&mut self, method: &str, path: &str, body: &str) -> Page {
        let path = match path.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/').unwrap_or(rest.len())..],
            None => path,
        };
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nUser-Agent: {WINDOWS}\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded",
            jar.join("; ")
        );
        let (head, body) = exchange(&self.nodes.next(), &head, body).await.expect("a page");
        let mut location = String::new();
        for line in head.lines() {
            match line.split_once(": ") {
                Some(("location", to)) => location = to.to_owned(),
                Some(("set-cookie", cookie)) => {
                    let (name, rest) = cookie.split_once('=').expect("a cookie");
                    let value = rest.split(';').next().unwrap_or_default();
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        Page { status: head.split(' ').nth(1).expect("a status").parse().expect("a number"), location, body }
    }
}

fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

impl Page {
    #[track_caller]
    fn field(&self, name: &str) -> String {
        let after = self.body.split(&format!("name=\"{name}\" value=\"")).nth(1);
        let after = after.unwrap_or_else(|| panic!("{name}: {} {}", self.status, self.body));
        after.split('"').next().unwrap_or_default().to_owned()
    }

    /// The token of the form that posts there.
    #[track_caller]
    fn token(&self, action: &str) -> String {
        let form = self.body.split_once(&format!("action=\"{action}\""));
        let (_, form) = form.unwrap_or_else(|| panic!("no form for {action}: {} {}", self.status, self.body));
        let (_, value) = form.split_once("name=\"csrf\" value=\"").expect("a token");
        value.split('"').next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn says(&self, text: &str) {
        assert!(self.body.contains(text), "`{text}` is not in: {} {}", self.status, self.body);
    }
}

/// Three nodes whose wallet asks for a code beside each PIN and has a console.
fn open(name: &str) -> Option<Nodes> {
    if !On::Postgres.is_there() {
        return None;
    }
    let mut house = House::open(name, On::Postgres);
    house.stop();
    let config = house.data().join("accord.toml");
    let before = std::fs::read_to_string(&config).expect("a configuration");
    let more = "\n[step_up]\nwhen = \"always\"\n\n[admin]\nconsole = true\n";
    std::fs::write(&config, before + more).expect("written");
    house.start();
    Some(Nodes::beside(house, 3))
}

/// The newest code that the user was sent to approve.
async fn code(house: &House) -> String {
    let texts = house.messages(0).await;
    let texts = texts.iter().map(|message| message["text"].as_str().expect("a text").to_owned());
    let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
    let sent = texts.map(plain).find(|text| text.contains("is your code to agree"));
    sent.expect("a code").chars().take(6).collect()
}

/// Both steps of an approval, each request at another node.
async fn approve(browser: &mut Browser<'_>, nodes: &Nodes, page: &str) -> Page {
    let user = &nodes.house.file.users[0];
    let first = browser.get(page).await;
    let (csrf, id) = (first.field("csrf"), first.field("authId"));
    let form = [
        ("csrf", csrf.as_str()),
        ("authId", &id),
        ("loginId", &user.login_id),
        ("pin", &user.pin),
        ("agree", "yes"),
        ("decision", "approve"),
    ];
    let begun = browser.post("/authorize", &form).await;
    assert_eq!(begun.status, 303, "{}", begun.body);
    let second = browser.get(&begun.location).await;
    let (csrf, code) = (second.field("csrf"), code(&nodes.house).await);
    let form = [
        ("csrf", csrf.as_str()),
        ("authId", &id),
        ("confirm", "yes"),
        ("decision", "approve"),
        ("code", &code),
    ];
    browser.post("/authorize", &form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_agrees_and_signs_in_at_whatever_node() {
    let Some(nodes) = open("nodes-browser") else { return };
    let shop = nodes.house.shop("alipayPlus2");
    let mut body = shop.prepare_body("browser", None);
    body["terminalType"] = "WAP".into();
    let prepared = shop.call("prepare", body).await;
    let page = prepared.body["normalUrl"].as_str().expect("a page").to_owned();
    let mut browser = Browser::new(&nodes);
    let decided = approve(&mut browser, &nodes, &page).await;
    let (_, code) = decided.location.split_once("authCode=").expect("a code in the redirect");
    shop.at(&nodes.next()).apply(code.split('&').next().expect("a code")).await.is("S SUCCESS");

    // Signed in for the wallet's own pages, by another browser.
    let mut browser = Browser::new(&nodes);
    let user = &nodes.house.file.users[0];
    let csrf = browser.get("/wallet").await.token("/wallet/sign-in");
    let form =
        [("csrf", csrf.as_str()), ("next", "/wallet"), ("loginId", &user.login_id), ("pin", &user.pin)];
    let signed_in = browser.post("/wallet/sign-in", &form).await;
    assert_eq!((signed_in.status, signed_in.location.as_str()), (303, "/wallet"), "{}", signed_in.body);
    for _ in 0..3 {
        browser.get("/wallet").await.says("/wallet/sign-out");
    }
    let csrf = browser.get("/wallet").await.token("/wallet/sign-out");
    let kept = browser.cookies.clone();
    browser.post("/wallet/sign-out", &[("csrf", &csrf)]).await;
    // Even who kept the cookies is signed out everywhere.
    browser.cookies = kept;
    for _ in 0..3 {
        browser.get("/wallet").await.says("action=\"/wallet/sign-in\"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_handed_over_from_a_pc_to_a_phone_across_nodes() {
    let Some(nodes) = open("nodes-handover") else { return };
    let shop = nodes.house.shop("alipayPlus2");
    let prepared = shop.call("prepare", shop.prepare_body("handed over", None)).await;
    let page = prepared.body["normalUrl"].as_str().expect("a page").to_owned();
    let scanned = prepared.body["codeValue"].as_str().expect("a code to scan").to_owned();
    let id = auth_id(&prepared.body);
    let (mut pc, mut phone) = (Browser::new(&nodes), Browser::new(&nodes));
    let shown = pc.get(&page).await;
    let number = shown.body.split("<strong dir=\"ltr\">").nth(1).and_then(|rest| rest.split('<').next());
    let number = number.expect("a number on the PC").to_owned();
    let state = format!("/authorize/state?authId={id}");
    pc.get(&state).await.says("waiting");
    let csrf = phone.get(&scanned).await.field("csrf");
    let taken = phone.post(&scanned, &[("csrf", &csrf), ("number", &number)]).await;
    assert_eq!(taken.status, 303, "{}", taken.body);
    pc.get(&state).await.says("taken");
    approve(&mut phone, &nodes, &page).await.says("The computer now goes back to");
    for _ in 0..3 {
        pc.get(&state).await.says("over");
        let back = pc.get(&page).await;
        assert!(back.location.contains("authCode="), "{} {}", back.status, back.location);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_works_at_whatever_node() {
    let Some(nodes) = open("nodes-console") else { return };
    let data = nodes.house.data();
    let data = data.to_str().expect("UTF-8");
    let secret = nodes.house.data().join("password");
    std::fs::write(&secret, PASSWORD).expect("written");
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    let secret = secret.to_str().expect("UTF-8");
    let add = ["operator", "add", "--data", data, "--name", "omar", "--role", "operator"];
    run(&[&add[..], &["--password-file", secret]].concat()).ends(0);
    let mut browser = Browser::new(&nodes);
    let csrf = browser.get("/admin/sign-in").await.token("/admin/sign-in");
    let form = [("csrf", csrf.as_str()), ("name", "omar"), ("password", PASSWORD)];
    let signed_in = browser.post("/admin/sign-in", &form).await;
    assert_eq!((signed_in.status, signed_in.location.as_str()), (303, "/admin"), "{}", signed_in.body);
    for _ in 0..3 {
        assert_eq!(browser.get("/admin").await.status, 200);
    }
    let token = browser.get("/admin/users").await.token("/admin/sign-out");
    let kept = browser.cookies.clone();
    assert_eq!(browser.post("/admin/sign-out", &[("csrf", &token)]).await.location, "/admin/sign-in");
    browser.cookies = kept;
    for _ in 0..3 {
        assert_eq!(browser.get("/admin").await.location, "/admin/sign-in");
    }
}
