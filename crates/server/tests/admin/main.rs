//! The operator console over real sockets: who is let in, to what, and what an act leaves behind.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

mod acts;
mod door;
#[allow(dead_code, reason = "shared with the sandbox's suite")]
#[path = "../sandbox/house.rs"]
mod house;
#[path = "../../../testkit/tests/stores/mod.rs"]
mod stores;

use accord_core::console::{self, ConsoleRole, read_name};
use accord_core::journal::JournalLine;
use accord_server::admin::ConsoleOptions;
use accord_server::pin;
use accord_server::wallet_api::Seams;
use house::House;
use std::collections::BTreeMap;
use std::sync::Mutex;
use stores::Shelf;

const PASSWORD: &str = "correct horse battery";

/// A house with a console.
async fn open(shelf: Shelf) -> House {
    let console = Some(ConsoleOptions { over_tls: false });
    House::open_with(shelf, Seams { console, ..Seams::default() }).await
}

/// Makes an operator.
async fn operator(house: &House, name: &str, role: ConsoleRole) {
    let (app, hash) = (house.app(), pin::hash(PASSWORD).unwrap());
    let (name, at) = (read_name(name).unwrap(), app.clock.moment());
    app.transact(move |tx| console::add(tx, &name, role, &hash, "test", &at)).await.unwrap();
}

/// The journal about a subject, newest first: act, actor, detail.
async fn journal(house: &House, subject: &str) -> Vec<(String, String, String)> {
    let subject = subject.to_owned();
    let lines: Vec<JournalLine> = house
        .app()
        .look(move |rows| {
            let mut found = Vec::new();
            for head in rows.journal_heads()? {
                found.extend(rows.journal_about(head.stream, &subject, None, 99)?);
            }
            Ok(found)
        })
        .await
        .unwrap();
    lines.into_iter().map(|line| (line.act, line.actor, line.detail)).collect()
}

/// A browser: cookies, and the forms of the page it has seen last.
struct Browser<'h> {
    house: &'h House,
    cookies: Mutex<BTreeMap<String, String>>,
}

struct Seen {
    status: u16,
    location: String,
    cookies: Vec<String>,
    policy: String,
    html: String,
}

impl Seen {
    /// The token of the form that posts to `action`.
    fn token(&self, action: &str) -> String {
        let form = self.html.split("<form").find(|form| form.contains(&format!("action=\"{action}\"")));
        let form = form.unwrap_or_else(|| panic!("no form for {action} in {}", self.html));
        form.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    fn has_form(&self, action: &str) -> bool {
        self.html.contains(&format!("action=\"{action}\""))
    }
}

impl<'h> Browser<'h> {
    fn new(house: &'h House) -> Browser<'h> {
        Browser { house, cookies: Mutex::default() }
    }

    /// A browser in which that operator has signed in.
    async fn signed_in(house: &'h House, name: &str) -> Browser<'h> {
        let browser = Browser::new(house);
        let seen = browser.sign_in(name, PASSWORD).await;
        assert_eq!((seen.status, seen.location.as_str()), (303, "/admin"), "{}", seen.html);
        browser
    }

    async fn sign_in(&self, name: &str, password: &str) -> Seen {
        let token = self.get("/admin/sign-in").await.token("/admin/sign-in");
        self.post("/admin/sign-in", &[("csrf", &token), ("name", name), ("password", password)]).await
    }

    async fn get(&self, path: &str) -> Seen {
        self.send("GET", path, None, None).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        self.send("POST", path, Some(fields), None).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        fields: Option<&[(&str, &str)]>,
        origin: Option<&str>,
    ) -> Seen {
        let url = format!("{}{path}", self.house.wallet);
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.house.http.request(method.parse().unwrap(), url);
        request = request.header("cookie", cookies.join("; "));
        if let Some(fields) = fields {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let reply = request.send().await.unwrap();
        let header = |name: &str| {
            let value = reply.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (status, location) = (reply.status().as_u16(), header("location"));
        let policy = header("content-security-policy");
        let set = reply.headers().get_all("set-cookie").iter();
        let cookies: Vec<String> = set.map(|value| value.to_str().unwrap().to_owned()).collect();
        for line in &cookies {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        Seen { status, location, cookies, policy, html: reply.text().await.unwrap() }
    }
}
