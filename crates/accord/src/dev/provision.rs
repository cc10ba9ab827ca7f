//! What a sandbox is furnished with: clients, users, money. Whatever is there already stays as it is.

use crate::keys::{ensure_pair, private_dir, write_file};
use crate::place::Place;
use crate::provision::clients::sentence;
use crate::provision::profiles::Written;
use accord_client::{SandboxFile, SandboxWalletApi};
use accord_core::client::keys::bump_revision;
use accord_core::client::{Client, ClientKey, ClientStatus, KeyStatus};
use accord_core::handle::Bucket;
use accord_core::ids::{ClientId, CredentialId, CustomerId, DialectName, LoginId};
use accord_core::ledger::post;
use accord_core::money::{Amount, Currency};
use accord_core::operator;
use accord_core::secret::Digest;
use accord_core::store::{Rows, Stored, Tx};
use accord_core::user::{Language, User, UserStatus};
use accord_core::{Moment, Ruled};
use accord_server::pin;
use accord_server::wallet_api::new_secret;
use accord_wire::{alipay_plus, qi};
use anyhow::anyhow;
use serde_json::{Map, Value, json};
use std::path::Path;

/// pspId, acquirerId and walletName of the sample request that the Alipay+ paper prints.
pub const PSP_ID: &str = "102208800000001234";
/// See [`PSP_ID`].
pub const ACQUIRER_ID: &str = "102218800000001234";
/// See [`PSP_ID`].
pub const WALLET_NAME: &str = "ALIPAY_CN";

/// A client of every sandbox.
struct Furnished {
    /// Its name in `sandbox.json`.
    name: &'static str,
    id: &'static str,
    dialect: &'static str,
    key: &'static str,
    legal_name: &'static str,
    display_name: &'static str,
    /// Are its notifications sent to the demo merchant?
    demo: bool,
}

const CLIENTS: &[Furnished] = &[
    Furnished {
        name: "qi",
        id: "SANDBOX_QI_MERCHANT_01",
        dialect: qi::NAME,
        key: "qi-merchant",
        legal_name: "Dijla Streaming Services LLC",
        display_name: "Dijla Stream",
        demo: true,
    },
    Furnished {
        name: "qi2",
        id: "SANDBOX_QI_MERCHANT_02",
        dialect: qi::NAME,
        key: "qi-merchant-2",
        legal_name: "Furat Fitness Company",
        display_name: "Furat Gym",
        demo: false,
    },
    Furnished {
        name: "alipayPlus",
        id: "SANDBOX_ALIPAY_PLUS_01",
        dialect: alipay_plus::NAME,
        key: "alipay-plus",
        legal_name: "Sandbox network one",
        display_name: "Sandbox network one",
        demo: true,
    },
    Furnished {
        name: "alipayPlus2",
        id: "SANDBOX_ALIPAY_PLUS_02",
        dialect: alipay_plus::NAME,
        key: "alipay-plus-2",
        legal_name: "Sandbox network two",
        display_name: "Sandbox network two",
        demo: false,
    },
];

/// A user of every sandbox.
struct Person {
    login: &'static str,
    pin: &'static str,
    status: UserStatus,
    language: Language,
    /// What the wallet knows of the person, as `accord user profile` reads it.
    profile: &'static str,
    /// Currency and smallest units.
    opening: &'static [(&'static str, i64)],
}

const PEOPLE: &[Person] = &[
    Person {
        login: "+9647701000001",
        pin: "135790",
        status: UserStatus::Active,
        language: Language::English,
        profile: r#"{"name": {"fullName": "Sara Ahmed Hassan Al-Jubouri", "firstName": "Sara", "secondName": "Ahmed",
            "thirdName": "Hassan", "lastName": "Al-Jubouri"}, "nameInArabic": {"fullName": "سارة أحمد حسن الجبوري",
            "firstName": "سارة", "secondName": "أحمد", "thirdName": "حسن", "lastName": "الجبوري"},
            "avatar": "https://wallet.example/avatars/sara.png", "gender": "FEMALE", "birthDate": "1992-02-29",
            "nationality": "IQ", "contacts": [{"contactType": "EMAIL", "contactNo": "sara@example.com"}]}"#,
        opening: &[("IQD", 100_000_000_000), ("USD", 1_000_000)],
    },
    Person {
        login: "+9647701000002",
        pin: "246801",
        status: UserStatus::Active,
        language: Language::English,
        profile: r#"{"name": {"fullName": "Ali Kareem", "firstName": "Ali", "lastName": "Kareem"}, "gender": "MALE"}"#,
        opening: &[("IQD", 0)],
    },
    Person {
        login: "+9647701000003",
        pin: "975310",
        status: UserStatus::Frozen,
        language: Language::English,
        profile: r#"{"name": {"fullName": "Omar Yousif"}}"#,
        opening: &[("IQD", 50_000_000)],
    },
    Person {
        login: "+9647701000004",
        pin: "864201",
        status: UserStatus::Active,
        language: Language::Arabic,
        profile: r#"{"nameInArabic": {"fullName": "زينب علي", "firstName": "زينب", "lastName": "علي"},
            "gender": "FEMALE", "birthDate": "1988-07-14", "nationality": "IQ"}"#,
        opening: &[("IQD", 1_000_000_000)],
    },
];

/// Makes the key pairs of wallet and clients that are missing in `DIR/keys`.
pub fn keys(dir: &Path) -> anyhow::Result<()> {
    let keys = dir.join("keys");
    private_dir(&keys)?;
    let pairs = CLIENTS.iter().map(|client| client.key).chain(["wallet-1"]);
    for name in pairs {
        ensure_pair(&keys.join(format!("{name}.pem")), &keys.join(format!("{name}.pub.pem")))?;
    }
    crate::keys::ensure_seal_pair(&keys.join("settlement.pem"), &keys.join("settlement.pub.pem"))?;
    crate::keys::ensure_seal_pair(&keys.join("receipts.pem"), &keys.join("receipts.pub.pem"))?;
    crate::keys::ensure_seal_pair(&keys.join("audit.pem"), &keys.join("audit.pub.pem"))?;
    for name in ["derivation-1.key", "pages.key", "qr.key"] {
        crate::keys::ensure_secret(&keys.join(name))?;
    }
    Ok(())
}

/// Registers clients and users that are missing, and tells the demo merchant's clients where it lives now.
pub fn furnish(place: &Place, dir: &Path, demo_url: &str) -> anyhow::Result<()> {
    let mut public_keys = Vec::new();
    for client in CLIENTS {
        let path = dir.join(format!("keys/{}.pub.pem", client.key));
        public_keys.push(crate::keys::read_public_key(&path)?.pem().to_owned());
    }
    let missing: Vec<bool> = place.look(|rows| {
        PEOPLE.iter().map(|person| Ok(rows.customer_of(&LoginId::new(person.login))?.is_none())).collect()
    })?;
    let mut newcomers = Vec::new();
    for (person, missing) in PEOPLE.iter().zip(missing) {
        if missing {
            let hash = pin::hash(person.pin).map_err(|fault| anyhow!("a PIN cannot be hashed: {fault}"))?;
            newcomers.push((person, hash));
        }
    }
    let demo_url = demo_url.to_owned();
    place.transact(move |tx, at| {
        let mut changed = false;
        for (client, pem) in CLIENTS.iter().zip(&public_keys) {
            changed |= register(tx, client, pem, &demo_url, at)?;
        }
        if changed {
            bump_revision(tx)?;
        }
        for (person, hash) in &newcomers {
            enrol(tx, person, hash, at)?;
        }
        Ok(())
    })
}

/// True: rows changed.
fn register(tx: &mut dyn Tx, client: &Furnished, pem: &str, demo_url: &str, at: &Moment) -> Ruled<bool> {
    let id = ClientId::new(client.id);
    let is_qi = client.dialect == qi::NAME;
    let known = tx.client(&id)?;
    let fresh = known.is_none();
    let mut row = known.clone().unwrap_or(Client {
        id: id.clone(),
        dialect: DialectName::new(client.dialect),
        legal_name: client.legal_name.to_owned(),
        display_name: client.display_name.to_owned(),
        status: ClientStatus::Active,
        agreement_pay: true,
        lenient: false,
        auth_notify_url: None,
        payment_notify_url: None,
        return_url: None,
        acquirers: Vec::new(),
        redirect_hosts: Vec::new(),
        rate_limit: None,
        created_at: at.now,
    });
    if client.demo {
        let receiver = if is_qi { "/demo/notify/qi" } else { "/demo/notify/alipay-plus" };
        point(&mut row.payment_notify_url, demo_url, receiver, fresh);
        if is_qi {
            point(&mut row.return_url, demo_url, "/demo/qi/return", fresh);
        } else {
            point(&mut row.auth_notify_url, demo_url, receiver, fresh);
        }
    }
    let changed = known.as_ref() != Some(&row);
    if changed {
        tx.put_client(&row)?;
    }
    let has_key = tx.client_keys()?.iter().any(|key| key.client == id && key.version == "1");
    if !has_key {
        tx.put_client_key(&ClientKey {
            client: id,
            version: "1".to_owned(),
            public_key: pem.to_owned(),
            status: KeyStatus::Active,
            created_at: at.now,
        })?;
    }
    Ok(changed || !has_key)
}

/// Sets a URL of the demo merchant; one that somebody has set to another place stays.
fn point(url: &mut Option<String>, demo_url: &str, path: &str, fresh: bool) {
    let ours = url.as_deref().is_some_and(|url| url.starts_with("http://localhost:") && url.ends_with(path));
    if fresh || ours {
        *url = Some(format!("{demo_url}{path}"));
    }
}

fn enrol(tx: &mut dyn Tx, person: &Person, hash: &str, at: &Moment) -> Ruled<()> {
    let mut random = at.random(&format!("sandbox user {}", person.login));
    let id = CustomerId::mint(Bucket::random(&mut random), &mut random);
    tx.insert_user(&User {
        id: id.clone(),
        login_id: LoginId::new(person.login),
        pin_hash: hash.to_owned(),
        status: person.status,
        qualified: true,
        language: person.language,
        created_at: at.now,
    })?;
    tx.put_profile(
        &Written::parse(person.profile).and_then(|written| written.of(id.clone())).map_err(sentence)?,
    )?;
    for (code, units) in person.opening {
        let Some(currency) = Currency::parse(code) else { continue };
        post::open(tx, &id, currency)?;
        if let Some(amount) = Amount::new(currency, *units) {
            post::credit(tx, &id, amount, &format!("sandbox opening {code}"), at)?;
        }
    }
    Ok(())
}

/// Where the wallet API is, with an operator's credential of this sandbox; `keys/wallet-api.token` keeps its token.
pub fn wallet_api(place: &Place, dir: &Path, base_url: &str) -> anyhow::Result<SandboxWalletApi> {
    let path = dir.join("keys/wallet-api.token");
    let base_url = format!("{base_url}/wallet/v1");
    if let Ok(token) = std::fs::read_to_string(&path) {
        let token = token.trim().to_owned();
        if let Some((id, secret)) = token.split_once('.')
            && let Some(id) = CredentialId::read(id)
        {
            let digest = Digest::of(secret);
            let known = place.look(move |rows| rows.credential(&id))?;
            if known.is_some_and(|row| row.retired_at.is_none() && row.digest == digest) {
                return Ok(SandboxWalletApi { base_url, token });
            }
        }
    }
    let secret = new_secret();
    let digest = secret.digest;
    let added =
        place.transact(move |tx, at| operator::add(tx, operator::Role::Operator, "sandbox", digest, at))?;
    let token = format!("{}.{}", added.id, secret.text);
    write_file(&path, format!("{token}\n").as_bytes(), 0o600)?;
    Ok(SandboxWalletApi { base_url, token })
}

/// `DIR/sandbox.json`: where everything is. Balances are those of now.
pub fn sandbox_file(place: &Place, base_url: &str, prefixes: [&str; 2]) -> anyhow::Result<SandboxFile> {
    let [qi_prefix, alipay_plus_prefix] = prefixes;
    let users =
        place.look(|rows| PEOPLE.iter().map(|person| describe(rows, person)).collect::<Stored<Vec<_>>>())?;
    let mut file = json!({
        "baseUrl": base_url,
        "walletKeys": [{ "keyVersion": "1", "publicKeyFile": "keys/wallet-1.pub.pem" }],
        "receiptKeyFile": "keys/receipts.pub.pem",
    });
    for client in CLIENTS {
        let is_qi = client.dialect == qi::NAME;
        let mut entry = json!({
            "clientId": client.id,
            "keyVersion": "1",
            "privateKeyFile": format!("keys/{}.pem", client.key),
            "pathPrefix": if is_qi { qi_prefix } else { alipay_plus_prefix },
        });
        if !is_qi {
            entry["pspId"] = PSP_ID.into();
            entry["acquirerId"] = ACQUIRER_ID.into();
            entry["walletName"] = WALLET_NAME.into();
        }
        file[client.name] = entry;
    }
    file["users"] = users.into_iter().flatten().collect();
    Ok(serde_json::from_value(file)?)
}

fn describe(rows: &dyn Rows, person: &Person) -> Stored<Option<Value>> {
    let Some(id) = rows.customer_of(&LoginId::new(person.login))? else { return Ok(None) };
    let Some(user) = rows.user(&id)? else { return Ok(None) };
    let balances: Map<String, Value> = rows
        .accounts_of(&id)?
        .into_iter()
        .map(|account| (account.currency.to_string(), account.balance.to_string().into()))
        .collect();
    Ok(Some(json!({
        "loginId": person.login,
        "pin": person.pin,
        "customerId": id.as_str(),
        "status": user.status.as_str(),
        "balances": balances,
    })))
}
