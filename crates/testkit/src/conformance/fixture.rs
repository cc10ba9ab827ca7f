//! Who lives in the house: the wallet, two clients of each dialect, users with money. The same in every test.
//!
//! The keys are thrown-away test keys (`vectors/keys`); they protect nothing.

use accord_core::client::{Client, ClientKey, ClientStatus, KeyStatus};
use accord_core::handle::Bucket;
use accord_core::ids::{ClientId, CustomerId, DialectName, LoginId};
use accord_core::ledger::funding::Funding;
use accord_core::ledger::post;
use accord_core::money::{Amount, Currency};
use accord_core::secret::DerivationKeys;
use accord_core::store::{self, Rows, Store, Stored, Tx};
use accord_core::user::{Language, User, UserStatus};
use accord_core::{Moment, Ruled, Timestamp};
use accord_wire::alipay_plus::{self, AlipayPlus};
use accord_wire::directory::{Directory, KnownClient, KnownKey};
use accord_wire::gateway::{Gateway, GatewayOptions, Mount, Request};
use accord_wire::keys::{PrivateKey, PublicKey};
use accord_wire::qi::{self, Qi};
use accord_wire::signature::{self, Encoding};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

/// When every story begins: 2026-01-15T09:30:00+03:00, in milliseconds.
pub const START: i64 = 1_768_458_600_000;
/// Where the wallet of the stories is reached.
pub const PUBLIC_URL: &str = "https://wallet.example";
/// Version of every key here.
pub const KEY_VERSION: &str = "1";
/// The wallet's public key, PEM.
pub const WALLET_PUBLIC_KEY: &str = include_str!("../../../../vectors/keys/wallet-1.pub.pem");

/// A client with its key pair.
#[derive(Debug, PartialEq, Eq)]
pub struct Signatory {
    /// Its Client-Id.
    pub client_id: &'static str,
    /// What it speaks.
    pub dialect: &'static str,
    /// The name on the page.
    pub display_name: &'static str,
    private_key: &'static str,
    public_key: &'static str,
}

/// The first client of Qi.
pub const QI_1: &Signatory = &Signatory {
    client_id: "QI_MERCHANT_01",
    dialect: qi::NAME,
    display_name: "Dijla Stream",
    private_key: include_str!("../../../../vectors/keys/qi-1.key.pem"),
    public_key: include_str!("../../../../vectors/keys/qi-1.pub.pem"),
};
/// The second client of Qi.
pub const QI_2: &Signatory = &Signatory {
    client_id: "QI_MERCHANT_02",
    dialect: qi::NAME,
    display_name: "Furat Gym",
    private_key: include_str!("../../../../vectors/keys/qi-2.key.pem"),
    public_key: include_str!("../../../../vectors/keys/qi-2.pub.pem"),
};
/// The first client of Alipay+.
pub const ALIPAY_PLUS_1: &Signatory = &Signatory {
    client_id: "ALIPAY_PLUS_NETWORK_01",
    dialect: alipay_plus::NAME,
    display_name: "Network one",
    private_key: include_str!("../../../../vectors/keys/alipay-plus-1.key.pem"),
    public_key: include_str!("../../../../vectors/keys/alipay-plus-1.pub.pem"),
};
/// The second client of Alipay+.
pub const ALIPAY_PLUS_2: &Signatory = &Signatory {
    client_id: "ALIPAY_PLUS_NETWORK_02",
    dialect: alipay_plus::NAME,
    display_name: "Network two",
    private_key: include_str!("../../../../vectors/keys/alipay-plus-2.key.pem"),
    public_key: include_str!("../../../../vectors/keys/alipay-plus-2.pub.pem"),
};
/// All clients.
pub const CLIENTS: [&Signatory; 4] = [QI_1, QI_2, ALIPAY_PLUS_1, ALIPAY_PLUS_2];

impl Signatory {
    /// Its private key, parsed once.
    pub fn key(&self) -> &'static PrivateKey {
        static KEYS: OnceLock<HashMap<&'static str, PrivateKey>> = OnceLock::new();
        let parse = |who: &&Signatory| (who.client_id, private(who.private_key));
        let keys = KEYS.get_or_init(|| CLIENTS.iter().map(parse).collect());
        keys.get(self.client_id).unwrap_or_else(|| panic!("{} has a key", self.client_id))
    }

    /// Its registration: active, may ask for agreement payments, without defaults.
    pub fn registration(&self) -> Client {
        Client {
            id: ClientId::new(self.client_id),
            dialect: DialectName::new(self.dialect),
            legal_name: format!("{} LLC", self.display_name),
            display_name: self.display_name.to_owned(),
            status: ClientStatus::Active,
            agreement_pay: true,
            lenient: false,
            auth_notify_url: None,
            payment_notify_url: None,
            return_url: None,
            acquirers: Vec::new(),
            redirect_hosts: Vec::new(),
            rate_limit: None,
            created_at: Timestamp(START),
        }
    }

    fn registered_key(&self) -> ClientKey {
        ClientKey {
            client: ClientId::new(self.client_id),
            version: KEY_VERSION.to_owned(),
            public_key: self.public_key.to_owned(),
            status: KeyStatus::Active,
            created_at: Timestamp(START),
        }
    }

    /// A signed POST to `target` (path and query). `time` becomes Request-Time as it is.
    pub fn request(&self, target: &str, body: &[u8], time: &str) -> Request {
        let unsigned = Request {
            method: "POST".to_owned(),
            target: target.to_owned(),
            headers: [
                ("content-type", "application/json; charset=UTF-8"),
                ("client-id", self.client_id),
                ("request-time", time),
            ]
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .to_vec(),
            body: body.to_vec(),
            too_large: false,
        };
        self.sign(unsigned, Encoding::Percent)
    }

    /// Signs a request as it stands, in place of any signature before.
    pub fn sign(&self, mut request: Request, encoding: Encoding) -> Request {
        let first = |name| request.values(name).next().unwrap_or_default().to_vec();
        let (client, time) = (first("client-id"), first("request-time"));
        let (method, target) = (request.method.as_bytes(), request.target.as_bytes());
        let content = signature::content_to_sign(method, target, &client, &time, &request.body);
        let value = self.key().sign(&content).expect("a test key signs");
        let header = signature::render(KEY_VERSION, &value, encoding);
        set_header(&mut request, "signature", &header);
        request
    }
}

/// Sets a header, whatever it was; `name` in lower case.
pub fn set_header(request: &mut Request, name: &str, value: &str) {
    drop_header(request, name);
    request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
}

/// Removes a header.
pub fn drop_header(request: &mut Request, name: &str) {
    request.headers.retain(|(found, _)| found != name);
}

/// A user of the house.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    /// How stories call the user.
    pub name: &'static str,
    pub(crate) login: &'static str,
    number: u8,
    /// Currency and smallest units.
    pub opening: &'static [(&'static str, i64)],
}

/// Has much in dinars and some in dollars.
pub const RICH: &Person = &Person {
    name: "rich",
    login: "+9647701000001",
    number: 1,
    opening: &[("IQD", 100_000_000_000), ("USD", 1_000_000)],
};
/// Has an account in dinars with nothing in it.
pub const POOR: &Person =
    &Person { name: "poor", login: "+9647701000002", number: 2, opening: &[("IQD", 0)] };
/// All users.
pub const PEOPLE: [&Person; 2] = [RICH, POOR];

impl Person {
    /// The user of that name.
    pub fn named(name: &str) -> &'static Person {
        PEOPLE.into_iter().find(|person| person.name == name).unwrap_or_else(|| panic!("no user `{name}`"))
    }

    /// The user's id.
    pub fn id(&self) -> CustomerId {
        CustomerId::mint(Bucket::new(u16::from(self.number)), &mut self.moment().random("customer"))
    }

    fn moment(&self) -> Moment {
        Moment::new(Timestamp(START), [self.number; 32])
    }

    fn row(&self) -> User {
        User {
            id: self.id(),
            login_id: LoginId::new(self.login),
            pin_hash: "nobody signs in by PIN here".to_owned(),
            status: UserStatus::Active,
            qualified: true,
            language: Language::English,
            created_at: Timestamp(START),
        }
    }
}

/// A currency by its code.
pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap_or_else(|| panic!("{code} is a currency"))
}

/// Writes clients and users into an empty store.
pub fn furnish(store: &dyn Store) {
    let furnished = store::transact(store, |tx| {
        for client in CLIENTS {
            tx.put_client(&client.registration())?;
            tx.put_client_key(&client.registered_key())?;
        }
        PEOPLE.iter().try_for_each(|person| move_in(tx, person))
    });
    furnished.expect("a furnished store");
}

fn move_in(tx: &mut dyn Tx, person: &Person) -> Ruled<()> {
    tx.insert_user(&person.row())?;
    if let Some(profile) = person.profile() {
        tx.put_profile(&profile)?;
    }
    for (code, value) in person.opening {
        let at = &person.moment();
        post::open(tx, &person.id(), currency(code))?;
        if let Some(amount) = Amount::new(currency(code), *value) {
            post::credit(tx, &person.id(), amount, &format!("opening {code}"), at)?;
        }
    }
    Ok(())
}

/// The wallet's private key.
pub fn wallet_key() -> PrivateKey {
    private(include_str!("../../../../vectors/keys/wallet-1.key.pem"))
}

/// The key that codes and tokens are derived with: version 1, thirty-two bytes of 7.
pub fn derivation_keys() -> DerivationKeys {
    DerivationKeys::new(BTreeMap::from([(1, [7; 32])])).expect("one key")
}

/// Qi at `""` and `/api`, Alipay+ at `/aps/api`, with the project's own choices; inquiryCustomerId is on. Payments reach
/// money through `funding`.
pub fn gateway(funding: Arc<dyn Funding>) -> Gateway {
    let qi = Qi::new(qi::Config { funding: funding.clone(), ..qi::Config::new(PUBLIC_URL) });
    let mut plus = alipay_plus::Config::new(PUBLIC_URL, [9; 32]);
    plus.funding = funding;
    // Off by default; here it is to be seen.
    plus.inquiry_customer_id = true;
    plus.consult_unbinding_url =
        Some("https://network.example/aps/api/v1/authorizations/consultUnbinding".to_owned());
    let plus = AlipayPlus::new(plus);
    let mounts = vec![
        Mount { prefix: String::new(), dialect: qi.clone() },
        Mount { prefix: "/api".to_owned(), dialect: qi },
        Mount { prefix: "/aps/api".to_owned(), dialect: plus },
    ];
    Gateway::new(mounts, GatewayOptions::default()).expect("mounts that do not clash")
}

/// Clients as a store has them, keys parsed.
pub struct Registered(HashMap<String, Arc<KnownClient>>);

impl Registered {
    /// Reads them.
    pub fn read(rows: &dyn Rows) -> Stored<Registered> {
        let keys = rows.client_keys()?;
        let known = |client: Client| {
            let theirs = keys.iter().filter(|key| key.client == client.id);
            let keys = theirs.map(|row| KnownKey {
                version: row.version.clone(),
                status: row.status,
                key: PublicKey::parse(&row.public_key).expect("a test key"),
            });
            let id = client.id.as_str().to_owned();
            (id, Arc::new(KnownClient { keys: keys.collect(), client }))
        };
        Ok(Registered(rows.clients()?.into_iter().map(known).collect()))
    }
}

impl Directory for Registered {
    fn find(&self, client_id: &str) -> Option<Arc<KnownClient>> {
        self.0.get(client_id).cloned()
    }
}

fn private(pem: &str) -> PrivateKey {
    PrivateKey::parse(pem).expect("a test key")
}
