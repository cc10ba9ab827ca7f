//! Users: created, changed, frozen; what they have and were told.

use super::door::Caller;
use super::{no_such_user, stopped, unfit};
use crate::app::App;
use crate::pages::i18n::catalogue;
use crate::pages::messages;
use crate::pin;
use crate::sandbox::answer::{Failure, Members, Told, iso};
use crate::sandbox::parameter;
use accord_core::ids::{CustomerId, LoginId};
use accord_core::operator::users::{self, Change, Changed, Created, NewUser};
use accord_core::user::{EXTERNAL_PIN, Language, User, UserStatus};
use accord_core::voice::Context;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Messages told at most: the newest.
const INBOX: usize = 200;

/// `POST /wallet/v1/users`
pub async fn create(
    State(app): State<Arc<App>>,
    Extension(Caller(actor)): Extension<Caller>,
    members: Members,
) -> Result<Told, Failure> {
    let login = members.required("loginId")?;
    let login_id = users::read_login_id(login).ok_or_else(|| {
        unfit("loginId: neither a phone number such as +9647701234567 nor an e-mail address")
    })?;
    let status = status_of(&members)?.unwrap_or(UserStatus::Active);
    let qualified = members.flag("qualified")?.unwrap_or(true);
    let language = language_of(&members, "language")?.unwrap_or(Language::English);
    let pin_hash = pin_of(&members).await?.ok_or_else(|| {
        Failure::bad("pin: missing; or say external: true for a user whom the app authenticates")
    })?;
    let new = NewUser { login_id, pin_hash, status, qualified, language, actor };
    let at = app.clock.moment();
    match app.transact(move |tx| users::create(tx, &new, &at)).await.map_err(stopped)? {
        Created::Now(user) => Ok(Told(told(&user))),
        Created::Taken => {
            let message = "somebody signs in by that loginId already";
            Err(Failure::new(StatusCode::CONFLICT, "LOGIN_ID_TAKEN", message))
        }
    }
}

/// `GET /wallet/v1/users?loginId=…`
pub async fn find(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Told, Failure> {
    let login = query.as_deref().and_then(|query| parameter(query, "loginId"));
    let login = LoginId::new(login.ok_or_else(|| Failure::bad("loginId: missing in the query"))?);
    let found = app.look(move |rows| match rows.customer_of(&login)? {
        Some(id) => rows.user(&id),
        None => Ok(None),
    });
    found.await?.map(|user| Told(told(&user))).ok_or_else(no_such_user)
}

/// `GET /wallet/v1/users/{customerId}`
pub async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Told, Failure> {
    Ok(Told(told(&known(&app, &id).await?)))
}

/// `PATCH /wallet/v1/users/{customerId}`
pub async fn change(
    State(app): State<Arc<App>>,
    Extension(Caller(actor)): Extension<Caller>,
    Path(id): Path<String>,
    members: Members,
) -> Result<Told, Failure> {
    if members.flag("external")? == Some(false)
        && members.text("pin")?.is_none()
        && known(&app, &id).await?.pin_hash == EXTERNAL_PIN
    {
        return Err(Failure::bad("pin: missing; a user who is not external any more signs in with one"));
    }
    let change = Change {
        status: status_of(&members)?,
        qualified: members.flag("qualified")?,
        language: language_of(&members, "language")?,
        pin_hash: pin_of(&members).await?,
    };
    apply(&app, &id, change, actor).await
}

/// `POST /wallet/v1/users/{customerId}/freeze`
pub async fn freeze(
    State(app): State<Arc<App>>,
    Extension(Caller(actor)): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Told, Failure> {
    apply(&app, &id, Change { status: Some(UserStatus::Frozen), ..Change::default() }, actor).await
}

/// `POST /wallet/v1/users/{customerId}/unfreeze`
pub async fn unfreeze(
    State(app): State<Arc<App>>,
    Extension(Caller(actor)): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Told, Failure> {
    apply(&app, &id, Change { status: Some(UserStatus::Active), ..Change::default() }, actor).await
}

async fn apply(app: &Arc<App>, id: &str, change: Change, actor: String) -> Result<Told, Failure> {
    let id = CustomerId::read(id).ok_or_else(no_such_user)?;
    let (served, at) = (app.clone(), app.clock.moment());
    let changed = app.transact(move |tx| {
        let dialects: Vec<_> = served.options.gateway.dialects().into_iter().collect();
        let context_of = |name: &accord_core::ids::DialectName| {
            let dialect = dialects.iter().find(|dialect| dialect.name() == *name)?;
            Some(Context { keys: &served.options.keys, voice: crate::app::as_voice(dialect.as_ref()) })
        };
        users::change(tx, &id, &change, &actor, &context_of, &at)
    });
    let changed = changed.await.map_err(stopped)?;
    app.wake.notify_one();
    match changed {
        Changed::Now(user) => Ok(Told(told(&user))),
        Changed::Unknown => Err(no_such_user()),
        Changed::Closed => {
            Err(Failure::new(StatusCode::CONFLICT, "USER_CLOSED", "the user was closed, for good"))
        }
    }
}

/// `GET /wallet/v1/users/{customerId}/balances`
pub async fn balances(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Told, Failure> {
    let id = known(&app, &id).await?.id;
    let accounts = app.look(move |rows| rows.accounts_of(&id)).await?;
    let balances: Map<String, Value> = accounts
        .iter()
        .map(|account| (account.currency.to_string(), json!(account.balance.to_string())))
        .collect();
    Ok(Told(json!({ "balances": balances })))
}

/// `GET /wallet/v1/users/{customerId}/inbox`
pub async fn inbox(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Told, Failure> {
    let id = known(&app, &id).await?.id;
    let found = app.look(move |rows| rows.messages(&id, INBOX)).await?;
    let told = |message: &accord_core::message::Message| {
        let words = messages::render(message);
        json!({
            "messageId": message.id.as_str(),
            "kind": message.about.kind().as_str(),
            "subject": message.about.subject(),
            "channel": message.channel.as_str(),
            "language": message.language.as_str(),
            "title": words.title,
            "text": words.text,
            "time": iso(message.at),
        })
    };
    Ok(Told(json!({ "messages": found.iter().map(told).collect::<Vec<_>>() })))
}

/// The user of that id, or 404.
pub(super) async fn known(app: &App, id: &str) -> Result<User, Failure> {
    let id = CustomerId::read(id).ok_or_else(no_such_user)?;
    app.look(move |rows| rows.user(&id)).await?.ok_or_else(no_such_user)
}

fn told(user: &User) -> Value {
    json!({
        "customerId": user.id.as_str(),
        "loginId": user.login_id.as_str(),
        "status": user.status.as_str(),
        "qualified": user.qualified,
        "external": user.pin_hash == EXTERNAL_PIN,
        "language": user.language.as_str(),
        "createdAt": iso(user.created_at),
    })
}

fn status_of(members: &Members) -> Result<Option<UserStatus>, Failure> {
    let parse = |text| UserStatus::parse(text).ok_or_else(|| unfit("status: active, frozen or closed"));
    members.text("status")?.map(parse).transpose()
}

pub(super) fn language_of(members: &Members, name: &str) -> Result<Option<Language>, Failure> {
    let parse = |text| {
        let spoken = || catalogue::spoken().iter().map(Language::to_string).collect::<Vec<_>>().join(" or ");
        catalogue::find(text).ok_or_else(|| unfit(format!("{name}: {}", spoken())))
    };
    members.text(name)?.map(parse).transpose()
}

/// The hash of the PIN, or the mark of a user without one.
async fn pin_of(members: &Members) -> Result<Option<String>, Failure> {
    let external = members.flag("external")?.unwrap_or(false);
    let pin = match (external, members.text("pin")?) {
        (true, None) => return Ok(Some(EXTERNAL_PIN.to_owned())),
        (false, None) => return Ok(None),
        (true, Some(_)) => return Err(unfit("pin: a user is external or has a PIN, not both")),
        (false, Some(pin)) => pin.to_owned(),
    };
    if !(4..=12).contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unfit("pin: 4 to 12 digits"));
    }
    let hashed = tokio::task::spawn_blocking(move || pin::hash(&pin)).await;
    let failed = || Failure::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "the PIN cannot be hashed");
    hashed.map_err(|_| failed())?.map(Some).map_err(|_| failed())
}
