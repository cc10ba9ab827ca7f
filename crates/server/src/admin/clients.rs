//! `/admin/clients`: who signs requests and with which keys; the wallet's own keys; rotation.

use super::{
    PART, act, done, escaped, failed, journal_table, link, look, show as show_page, stopped, who, words,
};
use crate::admin::door::{Fields, Signed};
use crate::app::App;
use crate::pages::admin::{Block, Cell, Field, Table};
use crate::pages::i18n::Texts;
use accord_core::client::keys::{self, KeyAdded, bucket_of};
use accord_core::client::{Client, ClientKey, KeyStatus};
use accord_core::ids::ClientId;
use accord_core::secret::Digest;
use accord_wire::keys::PublicKey;
use accord_wire::signature::is_key_version;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use std::sync::Arc;

/// `GET /admin/clients`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
) -> Response<Body> {
    let t = signed.texts();
    let found = look(&app, &signed, |rows| Ok((rows.clients()?, rows.client_keys()?)));
    let (clients, keys) = match found.await {
        Ok(found) => found,
        Err(page) => return *page,
    };
    let row = |row: &Client| {
        let of_client = |key: &&ClientKey| key.client == row.id && key.status == KeyStatus::Active;
        let active = keys.iter().filter(of_client).count();
        vec![
            link("clients", row.id.as_str()),
            Cell::text(&row.display_name),
            Cell::code(row.dialect.as_str()),
            words::client(&t, row.status),
            Cell::number(&active.to_string()),
        ]
    };
    let table = Table {
        heading: t.text("admin-clients"),
        columns: vec![
            t.text("admin-client"),
            t.text("admin-display-name"),
            t.text("admin-dialect"),
            t.text("admin-state"),
            t.text("admin-active-keys"),
        ],
        rows: clients.iter().map(row).collect(),
        empty: t.text("admin-nothing-found"),
        older: None,
    };
    let blocks =
        vec![Block::Table(table), wallet_keys(&t, &app), Block::Words(t.text("admin-wallet-key-words"))];
    show_page(&signed, 200, "/clients", t.text("admin-clients"), blocks)
}

/// The wallet's own keys: they are files, and the configuration says which there are.
fn wallet_keys(t: &Texts, app: &App) -> Block {
    let keys = app.options.signer.keys();
    let signing = keys.signing_version();
    let row = |key: &accord_wire::signature::WalletKey| {
        let public = key.key.public_key();
        vec![
            Cell::code(&key.version),
            words::key(t, key.active),
            words::yes_no(t, key.version == signing),
            Cell::number(&(public.modulus_len() * 8).to_string()),
            Cell::code(&fingerprint(public.pem())),
        ]
    };
    Block::Table(Table {
        heading: t.text("admin-wallet-keys"),
        columns: vec![
            t.text("admin-key-version"),
            t.text("admin-state"),
            t.text("admin-signs"),
            t.text("admin-bits"),
            t.text("admin-fingerprint"),
        ],
        rows: keys.keys().iter().map(row).collect(),
        empty: String::new(),
        older: None,
    })
}

/// SHA-256 of a key's Base64, without armour and line ends: the same however the PEM was wrapped.
fn fingerprint(pem: &str) -> String {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let text: String = lines.flat_map(str::chars).filter(|letter| !letter.is_whitespace()).collect();
    Digest::of(&text).hex()
}

/// `GET /admin/clients/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Response<Body> {
    let id = ClientId::new(id);
    let found = look(&app, &signed, move |rows| {
        let Some(client) = rows.client(&id)? else { return Ok(None) };
        let mut keys = rows.client_keys()?;
        keys.retain(|key| key.client == id);
        let journal = rows.journal_about(bucket_of(&id), id.as_str(), None, PART + 1)?;
        Ok(Some((client, keys, journal)))
    });
    match found.await {
        Ok(Some((client, keys, journal))) => {
            let t = signed.texts();
            let mut blocks = blocks(&signed, &t, &client, &keys);
            let (stream, subject) = (bucket_of(&client.id), client.id.as_str());
            blocks.push(journal_table(&t, stream, subject, &journal));
            show_page(&signed, 200, "/clients", t.text("admin-client"), blocks)
        }
        Ok(None) => failed(&signed, 404),
        Err(page) => *page,
    }
}

fn blocks(signed: &Signed, t: &Texts, client: &Client, keys: &[ClientKey]) -> Vec<Block> {
    let maybe = |text: &Option<String>| Cell::code(text.as_deref().unwrap_or_default());
    let facts = vec![
        (t.text("admin-client"), Cell::code(client.id.as_str())),
        (t.text("admin-state"), words::client(t, client.status)),
        (t.text("admin-dialect"), Cell::code(client.dialect.as_str())),
        (t.text("admin-display-name"), Cell::text(&client.display_name)),
        (t.text("admin-legal-name"), Cell::text(&client.legal_name)),
        (t.text("admin-auth-notify-url"), maybe(&client.auth_notify_url)),
        (t.text("admin-payment-notify-url"), maybe(&client.payment_notify_url)),
        (t.text("admin-since"), Cell::time(client.created_at)),
    ];
    let row = |key: &ClientKey| {
        vec![
            Cell::code(&key.version),
            words::client_key(t, key.status),
            Cell::code(&fingerprint(&key.public_key)),
            Cell::time(key.created_at),
        ]
    };
    let mut blocks = vec![
        Block::Facts(String::new(), facts),
        Block::Table(Table {
            heading: t.text("admin-keys"),
            columns: vec![
                t.text("admin-key-version"),
                t.text("admin-state"),
                t.text("admin-fingerprint"),
                t.text("admin-since"),
            ],
            rows: keys.iter().map(row).collect(),
            empty: t.text("admin-no-keys"),
            older: None,
        }),
    ];
    let home = format!("/admin/clients/{}", escaped(client.id.as_str()));
    let words = [
        t.text("admin-add-key"),
        t.text("admin-add-key-words"),
        t.text("admin-add-key-confirm"),
        t.text("admin-add-key-button"),
    ];
    if let Some(mut form) = act(signed, format!("{home}/keys"), words, false) {
        let long = Field { long: true, ..Field::typed("publicKey", t.text("admin-public-key"), "") };
        form.fields = vec![Field::typed("version", t.text("admin-key-version"), ""), long];
        blocks.push(Block::Act(Box::new(form)));
    }
    let active: Vec<_> = keys.iter().filter(|key| key.status == KeyStatus::Active).collect();
    let last = active.len() == 1;
    let words = [
        t.text("admin-retire-key"),
        if last { t.text("admin-retire-last-words") } else { t.text("admin-retire-key-words") },
        t.text("admin-retire-key-confirm"),
        t.text("admin-retire-key-button"),
    ];
    if let Some(oldest) = active.first()
        && let Some(mut form) = act(signed, format!("{home}/retire"), words, true)
    {
        let choices = active.iter().map(|key| (key.version.clone(), key.version.clone())).collect();
        let typed = Field::typed("version", t.text("admin-key-version"), &oldest.version);
        form.fields = vec![Field { choices, ..typed }];
        blocks.push(Block::Act(Box::new(form)));
    }
    blocks
}

/// `POST /admin/clients/{id}/keys`
pub(super) async fn add_key(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response<Body> {
    let home = format!("/admin/clients/{}", escaped(&id));
    let (id, version) = (ClientId::new(id), fields.said("version").to_owned());
    if !is_key_version(&version) {
        return done(&home, "version-unreadable");
    }
    let Ok(key) = PublicKey::parse(fields.said("publicKey")) else { return done(&home, "key-unreadable") };
    if !fields.confirmed() {
        return done(&home, "unconfirmed");
    }
    let (actor, at) = (who(&signed), app.clock.moment());
    match app.transact(move |tx| keys::add(tx, &id, &version, key.pem(), &actor, &at)).await {
        Ok(KeyAdded::Now) => done(&home, "key-added"),
        Ok(KeyAdded::AsItWas) => done(&home, "as-it-was"),
        Ok(KeyAdded::VersionTaken) => done(&home, "version-taken"),
        Ok(KeyAdded::NoClient) => failed(&signed, 404),
        Err(stop) => stopped(&signed, stop),
    }
}

/// `POST /admin/clients/{id}/retire`
pub(super) async fn retire_key(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response<Body> {
    let home = format!("/admin/clients/{}", escaped(&id));
    if !fields.confirmed() {
        return done(&home, "unconfirmed");
    }
    let (id, version) = (ClientId::new(id), fields.said("version").to_owned());
    let (actor, at) = (who(&signed), app.clock.moment());
    match app.transact(move |tx| keys::retire(tx, &id, &version, &actor, &at)).await {
        Ok(true) => done(&home, "key-retired"),
        Ok(false) => failed(&signed, 404),
        Err(stop) => stopped(&signed, stop),
    }
}
