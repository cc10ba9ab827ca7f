//! Rows of the outbox: notifications, and every attempt at them.

use super::engine::Engine;
use super::sql::{self, Columns, read_list, statements, write_list};
use super::value::params;
use accord_core::ids::{AgreementId, ClientId, DialectName, NotificationId};
use accord_core::moment::Timestamp;
use accord_core::notification::{Attempt, Mark, Notification, NotificationState};
use accord_core::secret::{Salt, SecretKind, SecretRef};
use accord_core::store::Stored;

macro_rules! notification_columns {
    () => {
        "id, kind, client, dialect, url, target, body, marks, state, tries, next_attempt_at, moot_after, created_at"
    };
}

statements! {
    NOTIFICATION = concat!(
        "SELECT ", notification_columns!(), " FROM notifications WHERE bucket = ?1 AND id = ?2"
    );
    NEWEST = concat!(
        "SELECT ", notification_columns!(), " FROM notifications ORDER BY created_at DESC, id DESC LIMIT ?1"
    );
    // The target that has waited longest comes first.
    DUE_TARGETS = "SELECT target FROM notifications WHERE state = 'pending' AND next_attempt_at <= ?1
        GROUP BY target ORDER BY MIN(next_attempt_at), target LIMIT ?2";
    DUE = concat!(
        "SELECT ", notification_columns!(), " FROM notifications
        WHERE state = 'pending' AND target = ?1 AND next_attempt_at <= ?2
        ORDER BY next_attempt_at, created_at, id LIMIT ?3"
    );
    pub(crate) OVER_BEFORE = concat!(
        "SELECT ", notification_columns!(), " FROM notifications WHERE state <> 'pending' AND created_at < ?1
        ORDER BY created_at, id LIMIT ?2"
    );
    NEXT_DUE = "SELECT next_attempt_at FROM notifications WHERE state = 'pending'
        ORDER BY next_attempt_at LIMIT 1";
    INSERT_NOTIFICATION = concat!(
        "INSERT INTO notifications (bucket, ", notification_columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    );
    UPDATE_NOTIFICATION = "UPDATE notifications SET state = ?3, tries = ?4, next_attempt_at = ?5
        WHERE bucket = ?1 AND id = ?2";
    ATTEMPTS = "SELECT notification, number, at, http_status, outcome FROM attempts
        WHERE bucket = ?1 AND notification = ?2 ORDER BY number";
    INSERT_ATTEMPT = "INSERT INTO attempts (bucket, notification, number, at, http_status, outcome)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    pub(crate) BEFORE = concat!(
        "SELECT ", notification_columns!(), " FROM notifications WHERE (created_at, id) < (?1, ?2)
        ORDER BY created_at DESC, id DESC LIMIT ?3"
    );
    pub(crate) STUCK = concat!(
        "SELECT ", notification_columns!(), " FROM notifications
        WHERE state = ?1 AND state IN ('rejected', 'dead', 'held') AND (created_at, id) < (?2, ?3)
        ORDER BY created_at DESC, id DESC LIMIT ?4"
    );
    pub(crate) PENDING = concat!(
        "SELECT ", notification_columns!(), " FROM notifications WHERE state = 'pending'
        ORDER BY next_attempt_at, created_at, id LIMIT ?1"
    );
}

pub(crate) fn read_notification(row: &mut Columns<'_>) -> Stored<Notification> {
    Ok(Notification {
        id: row.parsed(NotificationId::read)?,
        kind: row.get()?,
        client: ClientId::new(row.get::<String>()?),
        dialect: DialectName::new(row.get::<String>()?),
        url: row.get()?,
        target: row.get()?,
        body: row.get()?,
        marks: row.parsed(read_marks)?,
        state: row.parsed(NotificationState::parse)?,
        tries: row.get()?,
        next_attempt_at: row.time()?,
        moot_after: row.maybe_time()?,
        created_at: row.time()?,
    })
}

/// Marks as a list: placeholder, kind, agreement, generation, key version, salt in hex.
fn write_marks(marks: &[Mark]) -> String {
    let items: Vec<[String; 6]> = marks
        .iter()
        .map(|Mark { placeholder, secret }| {
            [
                placeholder.clone(),
                secret.kind.as_str().to_owned(),
                secret.agreement.as_str().to_owned(),
                secret.generation.to_string(),
                secret.salt.key_version.to_string(),
                secret.salt.salt.iter().map(|byte| format!("{byte:02x}")).collect(),
            ]
        })
        .collect();
    write_list(items.iter().map(|fields| fields.iter().map(String::as_str).collect()))
}

fn read_marks(text: &str) -> Option<Vec<Mark>> {
    read_list(text)?
        .into_iter()
        .map(|fields| {
            let [placeholder, kind, agreement, generation, key_version, salt] =
                <[String; 6]>::try_from(fields).ok()?;
            Some(Mark {
                placeholder,
                secret: SecretRef {
                    kind: SecretKind::parse(&kind)?,
                    agreement: AgreementId::read(&agreement)?,
                    generation: generation.parse().ok()?,
                    salt: Salt {
                        key_version: key_version.parse().ok()?,
                        salt: u128::from_str_radix(&salt, 16).ok()?.to_be_bytes(),
                    },
                },
            })
        })
        .collect()
}

pub(crate) fn notification(db: &dyn Engine, id: &NotificationId) -> Stored<Option<Notification>> {
    sql::one(db, NOTIFICATION, params![id.bucket().number(), id.as_str()], read_notification)
}

pub(crate) fn notifications(db: &dyn Engine, limit: usize) -> Stored<Vec<Notification>> {
    sql::scan(db, NEWEST, params![sql::limit(limit)], read_notification, |row| row.id.bucket())
}

pub(crate) fn due_targets(db: &dyn Engine, until: Timestamp, limit: usize) -> Stored<Vec<String>> {
    sql::many(db, DUE_TARGETS, params![until.0, sql::limit(limit)], |row| row.get())
}

pub(crate) fn due_notifications(
    db: &dyn Engine,
    target: &str,
    until: Timestamp,
    limit: usize,
) -> Stored<Vec<Notification>> {
    sql::scan(db, DUE, params![target, until.0, sql::limit(limit)], read_notification, |row| row.id.bucket())
}

pub(crate) fn next_notification_due(db: &dyn Engine) -> Stored<Option<Timestamp>> {
    sql::one(db, NEXT_DUE, params![], |row| row.time())
}

pub(crate) fn insert_notification(db: &dyn Engine, notification: &Notification) -> Stored<()> {
    let values = params![
        notification.id.bucket().number(),
        notification.id.as_str(),
        notification.kind,
        notification.client.as_str(),
        notification.dialect.as_str(),
        notification.url,
        notification.target,
        notification.body,
        write_marks(&notification.marks),
        notification.state.as_str(),
        notification.tries,
        notification.next_attempt_at.0,
        notification.moot_after.map(|at| at.0),
        notification.created_at.0,
    ];
    sql::write(db, INSERT_NOTIFICATION, values)
}

pub(crate) fn update_notification(db: &dyn Engine, notification: &Notification) -> Stored<()> {
    let values = params![
        notification.id.bucket().number(),
        notification.id.as_str(),
        notification.state.as_str(),
        notification.tries,
        notification.next_attempt_at.0,
    ];
    sql::change(db, UPDATE_NOTIFICATION, values, "the notification")
}

pub(crate) fn attempts(db: &dyn Engine, id: &NotificationId) -> Stored<Vec<Attempt>> {
    sql::many(db, ATTEMPTS, params![id.bucket().number(), id.as_str()], |row| {
        Ok(Attempt {
            notification: row.parsed(NotificationId::read)?,
            number: row.get()?,
            at: row.time()?,
            http_status: row.get()?,
            outcome: row.get()?,
        })
    })
}

pub(crate) fn insert_attempt(db: &dyn Engine, attempt: &Attempt) -> Stored<()> {
    let id = &attempt.notification;
    let values = params![
        id.bucket().number(),
        id.as_str(),
        attempt.number,
        attempt.at.0,
        attempt.http_status,
        attempt.outcome,
    ];
    sql::write(db, INSERT_ATTEMPT, values)
}
