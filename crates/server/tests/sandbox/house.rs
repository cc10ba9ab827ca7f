//! A sandbox in this process, on a store of the list: keys and rows that go when the test ends, real sockets.

use super::stores::{Place, Shelf};
use accord_client::{Client, SandboxFile};
use accord_core::client::{Client as ClientRow, ClientKey, ClientStatus, KeyStatus};
use accord_core::handle::Bucket;
use accord_core::ids::{ClientId, CustomerId, DialectName, LoginId};
use accord_core::ledger::post;
use accord_core::money::{Amount, Currency};
use accord_core::secret::DerivationKeys;
use accord_core::store::{Store, transact};
use accord_core::user::{Language, User, UserStatus};
use accord_core::{Moment, Timestamp};
use accord_server::app::Screens;
use accord_server::courier::CourierOptions;
use accord_server::outbound::OutboundPolicy;
use accord_server::wallet_api::Seams;
use accord_server::{Limits, Running, SandboxOptions, ServerOptions, pin, start};
use accord_wire::alipay_plus::{self, AlipayPlus};
use accord_wire::gateway::{Gateway, GatewayOptions, Mount};
use accord_wire::keys::PrivateKey;
use accord_wire::qi::{self, Qi};
use accord_wire::seal::{SealKey, SealPublicKey};
use accord_wire::signature::{PoolOptions, SigningPool, WalletKey, WalletKeys};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub const RICH: &str = "+9647700000001";
/// Signs in by an e-mail address.
#[allow(dead_code, reason = "not every suite writes letters")]
pub const MAIL: &str = "sara@mail.example";
pub const FROZEN: &str = "+9647700000003";
pub const PIN: &str = "135790";

/// A running sandbox.
pub struct House {
    pub wallet: String,
    pub shop: String,
    pub http: reqwest::Client,
    pub receipt_key: SealPublicKey,
    running: Running,
    ground: Ground,
}

/// What a process leaves behind when it ends: the folder with its keys, and its rows.
struct Ground {
    dir: TempDir,
    place: Place,
}

impl House {
    pub async fn open(shelf: Shelf) -> House {
        House::open_with(shelf, Seams::default()).await
    }

    /// Open with a wallet around it.
    pub async fn open_with(shelf: Shelf, seams: Seams) -> House {
        House::open_as(shelf, seams, Screens::default()).await
    }

    /// Open with choices about its pages.
    #[allow(dead_code, reason = "not every suite chooses")]
    pub async fn open_as(shelf: Shelf, seams: Seams, screens: Screens) -> House {
        House::open_on(shelf, seams, screens, CourierOptions::default()).await
    }

    /// Open with carriers for messages.
    #[allow(dead_code, reason = "not every suite carries messages")]
    pub async fn open_carrying(shelf: Shelf, couriers: CourierOptions) -> House {
        House::open_on(shelf, Seams::default(), Screens::default(), couriers).await
    }

    /// The same rows in a new process, as far as one process can play two, with carriers.
    #[allow(dead_code, reason = "not every suite carries messages")]
    pub async fn reopen_carrying(self, couriers: CourierOptions) -> House {
        self.running.shutdown().await;
        House::open_in(self.ground, false, Seams::default(), Screens::default(), couriers).await
    }

    async fn open_on(shelf: Shelf, seams: Seams, screens: Screens, couriers: CourierOptions) -> House {
        let ground = tokio::task::spawn_blocking(move || {
            let dir = TempDir::with_prefix("accord-sandbox-").unwrap();
            std::fs::create_dir(dir.path().join("keys")).unwrap();
            write_keys(dir.path());
            Ground { dir, place: Place::on(shelf) }
        });
        House::open_in(ground.await.unwrap(), true, seams, screens, couriers).await
    }

    async fn open_in(
        ground: Ground,
        fresh: bool,
        seams: Seams,
        screens: Screens,
        couriers: CourierOptions,
    ) -> House {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (wallet, shop) = (format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"));

        let dir = ground.dir.path().to_owned();
        let (own, theirs) = (wallet.clone(), shop.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let store = ground.place.open();
            if fresh {
                let users = furnish(&*store, &theirs);
                write_file(ground.dir.path(), &own, &users);
            }
            (ground, store)
        });
        let (ground, store) = opened.await.unwrap();

        let signing =
            WalletKey { version: "1".into(), key: PrivateKey::parse(KEYS[0].1).unwrap(), active: true };
        let signer =
            SigningPool::start(WalletKeys::new(vec![signing]).unwrap(), PoolOptions::default()).unwrap();
        let receipts = SealKey::parse(&SealKey::generate().unwrap().0).unwrap();
        let receipt_key = receipts.public_key().clone();
        let mut qi = qi::Config::new(&wallet);
        qi.allow_http = true;
        let mut network = alipay_plus::Config::new(&wallet, [3; 32]);
        network.allow_http = true;
        network.consult_unbinding_url = Some("{auth_notify_url}/consultUnbinding".into());
        let (qi, network) = (Qi::new(qi), AlipayPlus::new(network));
        let mounts = vec![
            Mount { prefix: String::new(), dialect: qi.clone() },
            Mount { prefix: "/api".into(), dialect: qi },
            Mount { prefix: "/aps/api".into(), dialect: network.clone() },
        ];
        let options = ServerOptions {
            public_url: wallet.clone(),
            tls: None,
            trusted_proxies: Vec::new(),
            admin_listen: None,
            gateway: Arc::new(Gateway::new(mounts, GatewayOptions::default()).unwrap()),
            qr_handles: Some(network.qr().clone()),
            store,
            keys: DerivationKeys::new(BTreeMap::from([(1, [1; 32])])).unwrap(),
            page_key: [2; 32],
            signer: Arc::new(signer),
            receipts: Some(Arc::new(receipts)),
            outbound: OutboundPolicy {
                allow_http: true,
                allow_loopback: true,
                only_loopback: true,
                allowed: Vec::new(),
            },
            sign_in: Default::default(),
            limits: Limits::default(),
            upkeep: Default::default(),
            couriers,
            seams,
            screens,
            sandbox: Some(SandboxOptions { dir, demo_url: shop.clone(), clock_skew_ms: 0 }),
        };
        let running = start(options, listener).await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        House { wallet, shop, http, receipt_key, running, ground }
    }

    pub async fn close(self) {
        self.running.shutdown().await;
    }

    /// What its handlers share.
    #[allow(dead_code, reason = "not every suite looks behind the sockets")]
    pub fn app(&self) -> Arc<accord_server::App> {
        self.running.app.clone()
    }

    /// A client of this sandbox: `qi` or `alipayPlus`.
    pub fn client(&self, who: &str) -> Client {
        Client::from_sandbox(self.ground.dir.path(), who).unwrap()
    }

    /// Calls an operation and gives back the body of the verified reply.
    pub async fn call(&self, who: &str, operation: &str, body: Value) -> Value {
        let now = self.get("/sandbox/clock").await.1["now"].as_str().unwrap().to_owned();
        let exchange = self.client(who).call(operation, body.to_string().as_bytes(), &now).await.unwrap();
        serde_json::from_slice(&exchange.reply.body).unwrap()
    }

    /// GET of the control API: status and JSON.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        told(self.http.get(format!("{}{path}", self.wallet)).send().await.unwrap()).await
    }

    /// POST to the control API: status and JSON.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request =
            self.http.post(format!("{}{path}", self.wallet)).header("content-type", "application/json");
        told(request.body(body.to_string()).send().await.unwrap()).await
    }

    /// The user with everything the control API tells.
    pub async fn user(&self, login: &str) -> Value {
        let (status, user) = self.get(&format!("/sandbox/users/{}", login.replace('+', "%2B"))).await;
        assert_eq!(status, 200, "{user}");
        user
    }

    /// Waits until `ready` is true of what a path of the control API or the demo answers.
    pub async fn wait_for(&self, path: &str, ready: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..200 {
            let (_, answer) = self.get(path).await;
            if ready(&answer) {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("in vain: {:?}", self.get(path).await);
    }
}

pub async fn told(reply: reqwest::Response) -> (u16, Value) {
    let status = reply.status().as_u16();
    let body = reply.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or_else(|fault| panic!("{status} {fault}: {body}")))
}

/// The keys of the vectors, private and public: to make new ones takes longer than most tests.
const KEYS: [(&str, &str, &str); 3] = [
    (
        "wallet-1",
        include_str!("../../../../vectors/keys/wallet-1.key.pem"),
        include_str!("../../../../vectors/keys/wallet-1.pub.pem"),
    ),
    (
        "qi",
        include_str!("../../../../vectors/keys/qi-1.key.pem"),
        include_str!("../../../../vectors/keys/qi-1.pub.pem"),
    ),
    (
        "alipay-plus",
        include_str!("../../../../vectors/keys/alipay-plus-1.key.pem"),
        include_str!("../../../../vectors/keys/alipay-plus-1.pub.pem"),
    ),
];

fn write_keys(dir: &Path) {
    for (name, private, public) in KEYS {
        std::fs::write(dir.join(format!("keys/{name}.pem")), private).unwrap();
        std::fs::write(dir.join(format!("keys/{name}.pub.pem")), public).unwrap();
    }
}

fn furnish(store: &dyn Store, shop: &str) -> Vec<Value> {
    let at = Moment::new(Timestamp(0), [5; 32]);
    let hash = pin::hash(PIN).unwrap();
    let shop = shop.to_owned();
    let rule = move |tx: &mut dyn accord_core::store::Tx| {
        for (id, dialect, path, pem) in
            [("QI_01", qi::NAME, "qi", KEYS[1].2), ("NET_01", alipay_plus::NAME, "alipay-plus", KEYS[2].2)]
        {
            let url = Some(format!("{shop}/demo/notify/{path}"));
            tx.put_client(&ClientRow {
                id: ClientId::new(id),
                dialect: DialectName::new(dialect),
                legal_name: "Dijla Streaming LLC".into(),
                display_name: "Dijla Stream".into(),
                status: ClientStatus::Active,
                agreement_pay: true,
                lenient: false,
                auth_notify_url: (path != "qi").then(|| url.clone()).flatten(),
                payment_notify_url: url,
                return_url: Some(format!("{shop}/demo/qi/return")),
                acquirers: Vec::new(),
                redirect_hosts: Vec::new(),
                rate_limit: None,
                created_at: at.now,
            })?;
            tx.put_client_key(&ClientKey {
                client: ClientId::new(id),
                version: "1".into(),
                public_key: pem.to_owned(),
                status: KeyStatus::Active,
                created_at: at.now,
            })?;
        }
        let mut users = Vec::new();
        for (login, status) in
            [(RICH, UserStatus::Active), (FROZEN, UserStatus::Frozen), (MAIL, UserStatus::Active)]
        {
            let mut random = at.random(login);
            let id = CustomerId::mint(Bucket::random(&mut random), &mut random);
            tx.insert_user(&User {
                id: id.clone(),
                login_id: LoginId::new(login),
                pin_hash: hash.clone(),
                status,
                qualified: true,
                language: Language::English,
                created_at: at.now,
            })?;
            let iqd = Currency::parse("IQD").unwrap();
            post::open(tx, &id, iqd)?;
            post::credit(tx, &id, Amount::new(iqd, 100_000_000_000).unwrap(), "opening", &at)?;
            users.push(json!({
                "loginId": login, "pin": PIN, "customerId": id.as_str(), "status": status.as_str(),
                "balances": { "IQD": "100000000000" },
            }));
        }
        Ok(users)
    };
    transact(store, rule).unwrap()
}

fn write_file(dir: &Path, wallet: &str, users: &[Value]) {
    let client = |id: &str, key: &str, prefix: &str| {
        json!({
            "clientId": id, "keyVersion": "1", "privateKeyFile": format!("keys/{key}.pem"), "pathPrefix": prefix,
            "pspId": "102208800000001234", "acquirerId": "102218800000001234", "walletName": "ALIPAY_CN",
        })
    };
    let file = json!({
        "baseUrl": wallet,
        "walletKeys": [{ "keyVersion": "1", "publicKeyFile": "keys/wallet-1.pub.pem" }],
        "qi": client("QI_01", "qi", ""),
        "alipayPlus": client("NET_01", "alipay-plus", "/aps/api"),
        "users": users,
    });
    let file: SandboxFile = serde_json::from_value(file).unwrap();
    file.write(dir).unwrap();
}
