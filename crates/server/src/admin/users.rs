//! `/admin/users`: found by login id or customerId, frozen and unfrozen.

use super::{
    Asked, PART, act, agreements, done, failed, field, journal_table, link, look, show as show_page, stopped,
    typed, who, words,
};
use crate::admin::door::{Fields, Signed};
use crate::app::{App, as_voice};
use crate::pages::admin::{Block, Cell, Search, Table};
use accord_core::ids::{CustomerId, DialectName, LoginId};
use accord_core::money::Amount;
use accord_core::operator::users::{self, Change, Changed};
use accord_core::user::{User, UserStatus};
use accord_core::voice::Context;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use std::sync::Arc;

/// `GET /admin/users`
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    asked: Asked,
) -> Response<Body> {
    let t = signed.texts();
    let wanted = typed(&asked, "q");
    let fields = vec![field("q", t.text("admin-user-query"), &asked)];
    let mut blocks = vec![Block::Search(Search { action: "/admin/users", fields })];
    if !wanted.is_empty() {
        let found = look(&app, &signed, move |rows| {
            let id = match CustomerId::read(&wanted) {
                Some(id) => Some(id),
                None => rows.customer_of(&LoginId::new(wanted))?,
            };
            id.map_or(Ok(None), |id| rows.user(&id))
        });
        let found = match found.await {
            Ok(found) => found,
            Err(page) => return *page,
        };
        let row = |user: &User| {
            vec![
                link("users", user.id.as_str()),
                Cell::code(user.login_id.as_str()),
                words::user(&t, user.status),
                Cell::time(user.created_at),
            ]
        };
        blocks.push(Block::Table(Table {
            heading: t.text("admin-found"),
            columns: vec![
                t.text("admin-user"),
                t.text("admin-login-id"),
                t.text("admin-state"),
                t.text("admin-since"),
            ],
            rows: found.iter().map(row).collect(),
            empty: t.text("admin-nothing-found"),
            older: None,
        }));
    }
    show_page(&signed, 200, "/users", t.text("admin-users"), blocks)
}

/// `GET /admin/users/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Response<Body> {
    let Some(id) = CustomerId::read(&id) else { return failed(&signed, 404) };
    let found = look(&app, &signed, move |rows| {
        let Some(user) = rows.user(&id)? else { return Ok(None) };
        let agreements = rows.agreements_of(&id, PART)?;
        let journal = rows.journal_about(id.bucket(), id.as_str(), None, PART + 1)?;
        Ok(Some((user, rows.accounts_of(&id)?, agreements, journal)))
    });
    let (user, accounts, agreements, journal) = match found.await {
        Ok(Some(seen)) => seen,
        Ok(None) => return failed(&signed, 404),
        Err(page) => return *page,
    };
    let t = signed.texts();
    let mut facts = vec![
        (t.text("admin-user"), Cell::code(user.id.as_str())),
        (t.text("admin-login-id"), Cell::code(user.login_id.as_str())),
        (t.text("admin-state"), words::user(&t, user.status)),
        (t.text("admin-qualified"), words::yes_no(&t, user.qualified)),
        (t.text("admin-language"), Cell::code(user.language.as_str())),
        (t.text("admin-since"), Cell::time(user.created_at)),
    ];
    for account in &accounts {
        let amount = Amount::new(account.currency, account.balance);
        let amount = amount.map_or_else(|| account.balance.to_string(), |amount| t.money(&amount));
        facts.push((t.text("admin-balance"), Cell::number(&amount)));
    }
    let mut blocks = vec![Block::Facts(String::new(), facts)];
    let form = match user.status {
        UserStatus::Active => {
            let words = [
                t.text("admin-freeze"),
                t.text("admin-freeze-words"),
                t.text("admin-freeze-confirm"),
                t.text("admin-freeze-button"),
            ];
            act(&signed, format!("/admin/users/{}/freeze", user.id), words, true)
        }
        UserStatus::Frozen => {
            let words = [
                t.text("admin-thaw"),
                t.text("admin-thaw-words"),
                t.text("admin-thaw-confirm"),
                t.text("admin-thaw-button"),
            ];
            act(&signed, format!("/admin/users/{}/unfreeze", user.id), words, false)
        }
        UserStatus::Closed => None,
    };
    blocks.extend(form.map(|form| Block::Act(Box::new(form))));
    blocks.push(agreements::table(&t, t.text("admin-agreements"), &agreements));
    blocks.push(journal_table(&t, user.id.bucket(), user.id.as_str(), &journal));
    show_page(&signed, 200, "/users", t.text("admin-user"), blocks)
}

/// `POST /admin/users/{id}/freeze`
pub(super) async fn freeze(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response<Body> {
    turn(&app, &signed, &id, &fields, (UserStatus::Active, UserStatus::Frozen), "frozen").await
}

/// `POST /admin/users/{id}/unfreeze`
pub(super) async fn unfreeze(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response<Body> {
    turn(&app, &signed, &id, &fields, (UserStatus::Frozen, UserStatus::Active), "thawed").await
}

/// Turns a user from one status to another; one that has another meanwhile stays as it is.
async fn turn(
    app: &Arc<App>,
    signed: &Signed,
    id: &str,
    fields: &Fields,
    (from, to): (UserStatus, UserStatus),
    word: &'static str,
) -> Response<Body> {
    let Some(id) = CustomerId::read(id) else { return failed(signed, 404) };
    let home = format!("/admin/users/{id}");
    if !fields.confirmed() {
        return done(&home, "unconfirmed");
    }
    let (served, actor, at) = (app.clone(), who(signed), app.clock.moment());
    let turned = app.transact(move |tx| {
        if tx.user(&id)?.is_some_and(|user| user.status != from) {
            return Ok(None);
        }
        let dialects: Vec<_> = served.options.gateway.dialects().into_iter().collect();
        let context_of = |name: &DialectName| {
            let dialect = dialects.iter().find(|dialect| dialect.name() == *name)?;
            Some(Context { keys: &served.options.keys, voice: as_voice(dialect.as_ref()) })
        };
        let change = Change { status: Some(to), ..Change::default() };
        users::change(tx, &id, &change, &actor, &context_of, &at).map(Some)
    });
    match turned.await {
        Ok(Some(Changed::Now(_))) => {
            app.wake.notify_one();
            done(&home, word)
        }
        Ok(None | Some(Changed::Closed)) => done(&home, "as-it-was"),
        Ok(Some(Changed::Unknown)) => failed(signed, 404),
        Err(stop) => stopped(signed, stop),
    }
}
