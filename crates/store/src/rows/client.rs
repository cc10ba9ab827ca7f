//! Rows of clients, their keys, and settings: the small reference tables, without a bucket.

use super::engine::Engine;
use super::sql::{self, Columns, read_texts, statements, write_texts};
use super::value::params;
use accord_core::client::{Client, ClientKey, ClientStatus, KeyStatus};
use accord_core::ids::{ClientId, DialectName};
use accord_core::store::Stored;

macro_rules! client_columns {
    () => {
        "id, dialect, legal_name, display_name, status, agreement_pay, lenient, auth_notify_url, \
         payment_notify_url, return_url, acquirers, redirect_hosts, rate_limit, created_at"
    };
}

statements! {
    CLIENT = concat!("SELECT ", client_columns!(), " FROM clients WHERE id = ?1");
    CLIENTS = concat!("SELECT ", client_columns!(), " FROM clients ORDER BY id");
    PUT_CLIENT = concat!(
        "INSERT INTO clients (", client_columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        ON CONFLICT (id) DO UPDATE SET dialect = excluded.dialect, legal_name = excluded.legal_name,
        display_name = excluded.display_name, status = excluded.status,
        agreement_pay = excluded.agreement_pay, lenient = excluded.lenient, auth_notify_url = excluded.auth_notify_url,
        payment_notify_url = excluded.payment_notify_url, return_url = excluded.return_url,
        acquirers = excluded.acquirers, redirect_hosts = excluded.redirect_hosts, rate_limit = excluded.rate_limit,
        created_at = excluded.created_at"
    );
    KEYS = "SELECT client, version, public_key, status, created_at FROM client_keys
        ORDER BY client, created_at, version";
    PUT_KEY = "INSERT INTO client_keys (client, version, public_key, status, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (client, version) DO UPDATE SET public_key = excluded.public_key,
        status = excluded.status, created_at = excluded.created_at";
    SETTING = "SELECT value FROM settings WHERE name = ?1";
    PUT_SETTING = "INSERT INTO settings (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

fn read_client(row: &mut Columns<'_>) -> Stored<Client> {
    Ok(Client {
        id: ClientId::new(row.get::<String>()?),
        dialect: DialectName::new(row.get::<String>()?),
        legal_name: row.get()?,
        display_name: row.get()?,
        status: row.parsed(ClientStatus::parse)?,
        agreement_pay: row.get()?,
        lenient: row.get()?,
        auth_notify_url: row.get()?,
        payment_notify_url: row.get()?,
        return_url: row.get()?,
        acquirers: row.parsed(read_texts)?,
        redirect_hosts: row.parsed(read_texts)?,
        rate_limit: row.get()?,
        created_at: row.time()?,
    })
}

fn read_key(row: &mut Columns<'_>) -> Stored<ClientKey> {
    Ok(ClientKey {
        client: ClientId::new(row.get::<String>()?),
        version: row.get()?,
        public_key: row.get()?,
        status: row.parsed(KeyStatus::parse)?,
        created_at: row.time()?,
    })
}

pub(crate) fn client(db: &dyn Engine, id: &ClientId) -> Stored<Option<Client>> {
    sql::one(db, CLIENT, params![id.as_str()], read_client)
}

pub(crate) fn clients(db: &dyn Engine) -> Stored<Vec<Client>> {
    sql::many(db, CLIENTS, params![], read_client)
}

pub(crate) fn put_client(db: &dyn Engine, client: &Client) -> Stored<()> {
    let values = params![
        client.id.as_str(),
        client.dialect.as_str(),
        client.legal_name,
        client.display_name,
        client.status.as_str(),
        client.agreement_pay,
        client.lenient,
        client.auth_notify_url,
        client.payment_notify_url,
        client.return_url,
        write_texts(&client.acquirers),
        write_texts(&client.redirect_hosts),
        client.rate_limit,
        client.created_at.0,
    ];
    sql::write(db, PUT_CLIENT, values)
}

pub(crate) fn client_keys(db: &dyn Engine) -> Stored<Vec<ClientKey>> {
    sql::many(db, KEYS, params![], read_key)
}

pub(crate) fn put_client_key(db: &dyn Engine, key: &ClientKey) -> Stored<()> {
    let values =
        params![key.client.as_str(), key.version, key.public_key, key.status.as_str(), key.created_at.0];
    sql::write(db, PUT_KEY, values)
}

pub(crate) fn setting(db: &dyn Engine, name: &str) -> Stored<Option<String>> {
    sql::one(db, SETTING, params![name], |row| row.get())
}

pub(crate) fn put_setting(db: &dyn Engine, name: &str, value: &str) -> Stored<()> {
    sql::write(db, PUT_SETTING, params![name, value])
}
