//! `accord serve` with a mail server and an SMS gateway in its configuration file: what the user is told of a debit
//! leaves the wallet once by each; and `accord doctor` says of both whether they can be used.

#[allow(dead_code, clippy::unwrap_used, reason = "shared with the courier's own tests")]
#[path = "../../server/tests/courier/gateway.rs"]
mod gateway;
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the courier's own tests")]
#[path = "../../server/tests/courier/smtp.rs"]
mod smtp;
mod support;

use gateway::Gateway;
use serde_json::{Value, json};
use smtp::{MailServer, Speech};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use support::{Running, Scratch, body, get, request, run};

const PHONE: &str = "+9647701234567";
const TOKEN: &str = "the gateway's token";

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A wallet that is made ready to serve, with one user, one merchant and both carriers.
struct Wallet {
    dir: Scratch,
    config: String,
    main: u16,
    api: u16,
}

impl Wallet {
    fn new(name: &str, mail: &MailServer, speech: Speech, gateway: &Gateway) -> Wallet {
        let dir = Scratch::new(name);
        let wallet = Wallet { config: dir.file("accord.toml"), main: free_port(), api: free_port(), dir };
        wallet.secret("mail.password", smtp::PASSWORD);
        wallet.secret("sms.token", TOKEN);
        let security = if speech == Speech::Tls { "tls" } else { "starttls" };
        let ca = mail.ca.to_str().expect("UTF-8");
        wallet.configure(mail.port, security, ca, &gateway.url);
        run(&["keys", "generate", "--dir", &wallet.dir.file("keys")]).ends(0);
        wallet.run(&["migrate"]).ends(0);
        let profile = json!({ "contacts": [{ "contactType": "MOBILE_PHONE", "contactNo": PHONE }] });
        let profile = wallet.dir.write("profile.json", &profile.to_string());
        let sara = "sara@example.iq";
        wallet.run(&["user", "add", sara, "--pin", "135790", "--profile", &profile]).ends(0);
        wallet.run(&["account", "credit", sara, "IQD", "25000000"]).ends(0);
        run(&["keys", "generate", "--dir", &wallet.dir.file("shop")]).ends(0);
        let public = wallet.dir.file("shop/wallet-1.pub.pem");
        wallet.run(&["client", "add", "SHOP_1", "--dialect", "qi", "--public-key", &public]).ends(0);
        wallet
    }

    fn secret(&self, name: &str, text: &str) {
        let file = self.dir.write(name, &format!("{text}\n"));
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    }

    fn configure(&self, port: u16, security: &str, ca: &str, gateway: &str) {
        let example = run(&["config", "example"]).ends(0).out;
        let (main, api, admin) = (self.main, self.api, free_port());
        let text = example
            .replace("0.0.0.0:8443", &format!("127.0.0.1:{main}"))
            .replace("127.0.0.1:9090", &format!("127.0.0.1:{admin}"));
        let sections = format!(
            "\n[wallet_api]\nlisten = \"127.0.0.1:{api}\"\n\n[email]\nhost = \"localhost\"\nport = {port}\n\
             security = \"{security}\"\nca = \"{ca}\"\nuser = \"{}\"\npassword_file = \"mail.password\"\n\
             from = \"Wallet <wallet@example.iq>\"\n\n[sms]\nurl = \"{gateway}\"\ntoken_file = \"sms.token\"\n",
            smtp::USER
        );
        std::fs::write(&self.config, text + &sections).expect("written");
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> support::Said {
        run(&[args, &["--config", &self.config]].concat())
    }

    /// What the doctor says of messages, `level: finding` a line, and whether the whole is healthy.
    fn doctor(&self) -> (bool, String) {
        let said = self.run(&["doctor", "--json"]).json();
        let rows = said["findings"].as_array().expect("findings").clone();
        let of_messages = rows.iter().filter(|row| row["about"] == "messages");
        let lines: Vec<String> = of_messages
            .map(|row| {
                let word = |name: &str| row[name].as_str().expect("a text");
                format!("{}: {}", word("level"), word("finding"))
            })
            .collect();
        (said["healthy"] == true, lines.join("\n"))
    }

    fn serve(&self) -> Running {
        let running = Running::start(&["serve", "--config", &self.config], &self.dir.path().join("log"));
        let patience = Instant::now() + Duration::from_secs(60);
        while !get(&self.url(), "/health/ready").starts_with("HTTP/1.1 200") {
            assert!(Instant::now() < patience, "not ready: {}", running.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.main)
    }

    #[track_caller]
    fn call(&self, operation: &str, members: &Value) -> Value {
        let file = self.dir.write("body.json", &members.to_string());
        let (key, wallet) = (self.dir.file("shop/wallet-1.pem"), self.dir.file("keys/wallet-1.pub.pem"));
        let url = self.url();
        let whom = ["--client", "SHOP_1", "--key", &key, "--wallet-key", &wallet, "--url", &url];
        run(&[&["call", operation, &file, "--dialect", "qi"][..], &whom].concat()).ends(0).json()
    }

    /// A debit of 25,000 dinars, from prepare on; its paymentId.
    fn debit(&self) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
        let info = json!({ "language": "en-US", "contractDesc": "a plan" }).to_string();
        let prepared = self.call("prepare", &json!({ "scopes": "AGREEMENT_PAY", "extendInfo": info }));
        let made = self.run(&["credential", "add", "--role", "app", "--json"]).ends(0).json();
        let user = self.run(&["user", "show", "sara@example.iq", "--json"]).ends(0).json();
        let decision = json!({
            "url": prepared["authUrl"], "customerId": user["customerId"], "decision": "approve",
            "shownTextDigest": "ab".repeat(32),
        });
        let head = format!(
            "POST /wallet/v1/authorizations/decide HTTP/1.1\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {}",
            text(&made["token"])
        );
        let api = format!("http://127.0.0.1:{}", self.api);
        let decided = body(&request(&api, &head, &decision.to_string()));
        let code = json!({ "grantType": "AUTHORIZATION_CODE", "authCode": decided["authCode"] });
        let tokens = self.call("applyToken", &code);
        let paid = self.call(
            "pay",
            &json!({
                "productCode": "51051000101000100031", "paymentRequestId": "order-1",
                "paymentAuthCode": tokens["accessToken"], "order": { "orderDescription": "one month" },
                "paymentAmount": { "currency": "IQD", "value": "25000000" },
            }),
        );
        text(&paid["paymentId"])
    }
}

async fn a_debit_is_told_once_by_each(name: &str, speech: Speech) {
    let (mail, gateway) = (MailServer::open(speech).await, Gateway::open().await);
    let wallet = Wallet::new(name, &mail, speech, &gateway);
    let mut running = wallet.serve();
    let payment = wallet.debit();

    let letters = mail.wait(1).await;
    let letter = &letters[0];
    assert!(letter.encrypted && letter.signed_in, "{letter:?}");
    assert!(letter.from.contains("<wallet@example.iq>"), "{letter:?}");
    assert!(matches!(letter.to.as_slice(), [to] if to.contains("<sara@example.iq>")), "{letter:?}");
    let text = letter.parts().into_iter().map(|(_, text)| text).collect::<String>();
    assert!(text.contains(&payment) && text.contains("25,000 IQD"), "{text}");

    let asked = gateway.wait(1).await;
    assert_eq!(asked[0].authorization.as_deref(), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(asked[0].body["to"], PHONE);
    let text = asked[0].body["text"].as_str().expect("a text");
    assert!(text.contains("25,000 IQD") && text.contains(&payment), "{text}");

    // Once each, also after a restart: what was sent is known.
    assert_eq!(running.terminate(), 0, "{}", running.said());
    let mut again = wallet.serve();
    assert_eq!(again.terminate(), 0, "{}", again.said());
    assert_eq!((mail.letters().len(), gateway.asked().len()), (1, 1));
    for log in [running.said(), again.said()] {
        assert!(!log.contains(smtp::PASSWORD) && !log.contains(TOKEN), "no secret in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_out_by_starttls_and_sms_by_the_gateway() {
    a_debit_is_told_once_by_each("carriers-starttls", Speech::StartTls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_out_by_tls_and_sms_by_the_gateway() {
    a_debit_is_told_once_by_each("carriers-tls", Speech::Tls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_which_carrier_cannot_be_used_and_why() {
    let (mail, gateway) = (MailServer::open(Speech::StartTls).await, Gateway::open().await);
    let (stripped, other) = (MailServer::open(Speech::Stripped).await, MailServer::open(Speech::Tls).await);
    let wallet = Wallet::new("carriers-doctor", &mail, Speech::StartTls, &gateway);
    let (ca, others_ca) = (mail.ca.to_str().expect("UTF-8"), other.ca.to_str().expect("UTF-8"));
    let (healthy, said) = wallet.doctor();
    assert!(healthy, "{said}");
    let place = format!("ok: email: localhost:{} answers", mail.port);
    assert!(said.contains(&place) && said.contains("ok: sms: "), "{said}");

    #[track_caller]
    fn sick(wallet: &Wallet, parts: &[&str]) {
        let (healthy, said) = wallet.doctor();
        let line = said.lines().find(|line| line.starts_with("fault"));
        let line = line.unwrap_or_else(|| panic!("no fault: {said}"));
        assert!(!healthy && parts.iter().all(|part| line.contains(part)), "{parts:?}: {said}");
        assert!(!said.contains(smtp::PASSWORD) && !said.contains("not the password"), "{said}");
    }
    wallet.secret("mail.password", "not the password");
    sick(&wallet, &["email", "535"]);
    wallet.secret("mail.password", smtp::PASSWORD);
    wallet.configure(mail.port, "starttls", others_ca, &gateway.url);
    sick(&wallet, &["email", "ertificate"]);
    wallet.configure(stripped.port, "starttls", stripped.ca.to_str().expect("UTF-8"), &gateway.url);
    sick(&wallet, &["email", "STARTTLS"]);
    wallet.configure(free_port(), "tls", ca, &gateway.url);
    sick(&wallet, &["email", "refused"]);
    wallet.configure(mail.port, "starttls", ca, &format!("http://127.0.0.1:{}/send", free_port()));
    sick(&wallet, &["sms", "refused"]);
    wallet.configure(mail.port, "starttls", ca, &gateway.url);
    let file = wallet.dir.file("sms.token");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    sick(&wallet, &["sms.token"]);
    assert!(mail.letters().is_empty() && gateway.asked().is_empty(), "the doctor sends nothing");
}
