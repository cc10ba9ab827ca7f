//! Rows of users, of the login ids that lead to them, and of the guards before their PINs.

use super::engine::Engine;
use super::sql::{self, Columns, statements};
use super::value::params;
use accord_core::handle::Bucket;
use accord_core::ids::{CustomerId, LoginId};
use accord_core::store::{StoreFault, Stored};
use accord_core::user::{Language, PinGuard, User, UserStatus};

macro_rules! user_columns {
    () => {
        "id, login_id, pin_hash, status, qualified, language, created_at"
    };
}

statements! {
    CUSTOMER_OF = "SELECT customer FROM logins WHERE bucket = ?1 AND login_id = ?2";
    INSERT_LOGIN = "INSERT INTO logins (bucket, login_id, customer) VALUES (?1, ?2, ?3)";
    USER = concat!("SELECT ", user_columns!(), " FROM users WHERE bucket = ?1 AND id = ?2");
    USERS = concat!("SELECT ", user_columns!(), " FROM users ORDER BY login_id LIMIT ?1");
    INSERT_USER = concat!(
        "INSERT INTO users (bucket, ", user_columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    );
    UPDATE_USER = "UPDATE users SET pin_hash = ?3, status = ?4, qualified = ?5, language = ?6
        WHERE bucket = ?1 AND id = ?2";
    PIN_GUARD = "SELECT bucket, subject, wrong, window_started_at, blocked_until, blocks FROM pin_guards
        WHERE bucket = ?1 AND subject = ?2";
    PUT_PIN_GUARD = "INSERT INTO pin_guards
        (bucket, subject, wrong, window_started_at, blocked_until, blocks) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (bucket, subject) DO UPDATE SET wrong = excluded.wrong,
        window_started_at = excluded.window_started_at, blocked_until = excluded.blocked_until, blocks = excluded.blocks";
    pub(crate) GUARDS_BEFORE = "SELECT bucket, subject, wrong, window_started_at, blocked_until, blocks
        FROM pin_guards WHERE window_started_at < ?1 ORDER BY window_started_at, bucket, subject LIMIT ?2";
}

/// The bucket of a login id's row.
fn login_bucket(login: &LoginId) -> u16 {
    Bucket::of(&["login", login.as_str()]).number()
}

fn read_user(row: &mut Columns<'_>) -> Stored<User> {
    Ok(User {
        id: row.parsed(CustomerId::read)?,
        login_id: LoginId::new(row.get::<String>()?),
        pin_hash: row.get()?,
        status: row.parsed(UserStatus::parse)?,
        qualified: row.get()?,
        language: row.parsed(Language::parse)?,
        created_at: row.time()?,
    })
}

pub(crate) fn customer_of(db: &dyn Engine, login: &LoginId) -> Stored<Option<CustomerId>> {
    sql::one(db, CUSTOMER_OF, params![login_bucket(login), login.as_str()], |row| {
        row.parsed(CustomerId::read)
    })
}

pub(crate) fn user(db: &dyn Engine, id: &CustomerId) -> Stored<Option<User>> {
    sql::one(db, USER, params![id.bucket().number(), id.as_str()], read_user)
}

pub(crate) fn users(db: &dyn Engine, limit: usize) -> Stored<Vec<User>> {
    sql::scan(db, USERS, params![sql::limit(limit)], read_user, |row| row.id.bucket())
}

pub(crate) fn insert_user(db: &dyn Engine, user: &User) -> Stored<()> {
    // Looked up first, so that a conflict leaves neither of the two rows.
    if customer_of(db, &user.login_id)?.is_some() {
        return Err(StoreFault::Conflict("a user of that login id exists".into()));
    }
    let values = params![
        user.id.bucket().number(),
        user.id.as_str(),
        user.login_id.as_str(),
        user.pin_hash,
        user.status.as_str(),
        user.qualified,
        user.language.as_str(),
        user.created_at.0,
    ];
    sql::write(db, INSERT_USER, values)?;
    let login = &user.login_id;
    sql::write(db, INSERT_LOGIN, params![login_bucket(login), login.as_str(), user.id.as_str()])
}

pub(crate) fn update_user(db: &dyn Engine, user: &User) -> Stored<()> {
    let values = params![
        user.id.bucket().number(),
        user.id.as_str(),
        user.pin_hash,
        user.status.as_str(),
        user.qualified,
        user.language.as_str(),
    ];
    sql::change(db, UPDATE_USER, values, "the user")
}

pub(crate) fn read_guard(row: &mut Columns<'_>) -> Stored<PinGuard> {
    Ok(PinGuard {
        bucket: row.bucket()?,
        subject: row.get()?,
        wrong: row.get()?,
        window_started_at: row.time()?,
        blocked_until: row.time()?,
        blocks: row.get()?,
    })
}

pub(crate) fn pin_guard(db: &dyn Engine, bucket: Bucket, subject: &str) -> Stored<Option<PinGuard>> {
    sql::one(db, PIN_GUARD, params![bucket.number(), subject], read_guard)
}

pub(crate) fn put_pin_guard(db: &dyn Engine, guard: &PinGuard) -> Stored<()> {
    let values = params![
        guard.bucket.number(),
        guard.subject,
        guard.wrong,
        guard.window_started_at.0,
        guard.blocked_until.0,
        guard.blocks,
    ];
    sql::write(db, PUT_PIN_GUARD, values)
}
