//! Operators of the console, their sign-ins, and what only the console looks up.

use super::agreement::read_agreement;
use super::desk::Desk;
use super::journal::read_line;
use super::notification::read_notification;
use super::sql::{self, Columns, statements};
use super::value::{Params, params};
use super::{agreement, journal, notification};
use accord_core::agreement::Agreement;
use accord_core::console::{ConsoleRole, Operator, Session, bucket_of};
use accord_core::handle::Bucket;
use accord_core::ids::{AuthId, ConsoleSessionId, NotificationId, OperatorName};
use accord_core::journal::JournalLine;
use accord_core::moment::Timestamp;
use accord_core::notification::{Notification, NotificationState};
use accord_core::store::Stored;
use accord_core::store::console::{ConsoleRows, ConsoleTx};

macro_rules! session_columns {
    () => {
        "id, operator, digest, created_at, last_seen_at, expires_at, address"
    };
}

statements! {
    OPERATOR = "SELECT name, role, password_hash, created_at, disabled_at FROM operators
        WHERE bucket = ?1 AND name = ?2";
    OPERATORS = "SELECT name, role, password_hash, created_at, disabled_at FROM operators
        ORDER BY name LIMIT ?1";
    PUT_OPERATOR = "INSERT INTO operators (bucket, name, role, password_hash, created_at, disabled_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (bucket, name) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash,
        created_at = excluded.created_at, disabled_at = excluded.disabled_at";
    SESSION = concat!("SELECT ", session_columns!(), " FROM console_sessions WHERE bucket = ?1 AND id = ?2");
    pub(crate) OF_OPERATOR = concat!(
        "SELECT ", session_columns!(), " FROM console_sessions WHERE bucket = ?1 AND operator = ?2
        ORDER BY created_at DESC, id DESC LIMIT ?3"
    );
    pub(crate) OVER_BEFORE = concat!(
        "SELECT ", session_columns!(), " FROM console_sessions WHERE expires_at < ?1
        ORDER BY expires_at, bucket, id LIMIT ?2"
    );
    INSERT_SESSION = concat!(
        "INSERT INTO console_sessions (bucket, ", session_columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    );
    UPDATE_SESSION = "UPDATE console_sessions SET operator = ?3, digest = ?4, created_at = ?5, last_seen_at = ?6,
        expires_at = ?7, address = ?8 WHERE bucket = ?1 AND id = ?2";
    REMOVE_SESSION = "DELETE FROM console_sessions WHERE bucket = ?1 AND id = ?2";
}

fn read_operator(row: &mut Columns<'_>) -> Stored<Operator> {
    Ok(Operator {
        name: OperatorName::new(row.get::<String>()?),
        role: row.parsed(ConsoleRole::parse)?,
        password_hash: row.get()?,
        created_at: row.time()?,
        disabled_at: row.maybe_time()?,
    })
}

fn read_session(row: &mut Columns<'_>) -> Stored<Session> {
    Ok(Session {
        id: row.parsed(ConsoleSessionId::read)?,
        operator: OperatorName::new(row.get::<String>()?),
        digest: row.digest()?,
        created_at: row.time()?,
        last_seen_at: row.time()?,
        expires_at: row.time()?,
        address: row.get()?,
    })
}

fn with_session(session: &Session, run: impl Fn(Params<'_>) -> Stored<()>) -> Stored<()> {
    run(params![
        session.id.bucket().number(),
        session.id.as_str(),
        session.operator.as_str(),
        session.digest.0,
        session.created_at.0,
        session.last_seen_at.0,
        session.expires_at.0,
        session.address,
    ])
}

/// No id is above a tilde.
fn place(before: Option<(Timestamp, &NotificationId)>) -> (i64, &str) {
    before.map_or((i64::MAX, "~"), |(time, id)| (time.0, id.as_str()))
}

/// Numbers of lines end below this.
fn line(before: Option<u32>) -> i64 {
    before.map_or(i64::MAX, i64::from)
}

impl ConsoleRows for Desk<'_> {
    fn operator(&self, name: &OperatorName) -> Stored<Option<Operator>> {
        sql::one(self.0, OPERATOR, params![bucket_of(name).number(), name.as_str()], read_operator)
    }

    fn operators(&self, limit: usize) -> Stored<Vec<Operator>> {
        let bucket = |row: &Operator| bucket_of(&row.name);
        sql::scan(self.0, OPERATORS, params![sql::limit(limit)], read_operator, bucket)
    }

    fn console_session(&self, id: &ConsoleSessionId) -> Stored<Option<Session>> {
        sql::one(self.0, SESSION, params![id.bucket().number(), id.as_str()], read_session)
    }

    fn console_sessions_of(&self, name: &OperatorName, limit: usize) -> Stored<Vec<Session>> {
        let values = params![bucket_of(name).number(), name.as_str(), sql::limit(limit)];
        sql::many(self.0, OF_OPERATOR, values, read_session)
    }

    fn console_sessions_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>> {
        let bucket = |row: &Session| row.id.bucket();
        sql::scan(self.0, OVER_BEFORE, params![time.0, sql::limit(limit)], read_session, bucket)
    }

    fn agreement_of_authorization(&self, id: &AuthId) -> Stored<Option<Agreement>> {
        let values = params![id.bucket().number(), id.as_str()];
        sql::one(self.0, agreement::OF_AUTHORIZATION, values, read_agreement)
    }

    fn agreements_by_reference(&self, reference: &str, limit: usize) -> Stored<Vec<Agreement>> {
        let values = params![reference, sql::limit(limit)];
        sql::scan(self.0, agreement::BY_REFERENCE, values, read_agreement, |row| row.id.bucket())
    }

    fn notifications_before(
        &self,
        before: Option<(Timestamp, &NotificationId)>,
        limit: usize,
    ) -> Stored<Vec<Notification>> {
        let (time, id) = place(before);
        let values = params![time, id, sql::limit(limit)];
        sql::scan(self.0, notification::BEFORE, values, read_notification, |row| row.id.bucket())
    }

    fn notifications_stuck(
        &self,
        state: NotificationState,
        before: Option<(Timestamp, &NotificationId)>,
        limit: usize,
    ) -> Stored<Vec<Notification>> {
        let (time, id) = place(before);
        let values = params![state.as_str(), time, id, sql::limit(limit)];
        sql::scan(self.0, notification::STUCK, values, read_notification, |row| row.id.bucket())
    }

    fn notifications_pending(&self, limit: usize) -> Stored<Vec<Notification>> {
        let values = params![sql::limit(limit)];
        sql::scan(self.0, notification::PENDING, values, read_notification, |row| row.id.bucket())
    }

    fn journal_before(&self, stream: Bucket, number: Option<u32>, limit: usize) -> Stored<Vec<JournalLine>> {
        let values = params![stream.number(), line(number), sql::limit(limit)];
        sql::many(self.0, journal::BEFORE, values, read_line)
    }

    fn journal_about(
        &self,
        stream: Bucket,
        subject: &str,
        number: Option<u32>,
        limit: usize,
    ) -> Stored<Vec<JournalLine>> {
        let values = params![stream.number(), subject, line(number), sql::limit(limit)];
        sql::many(self.0, journal::ABOUT, values, read_line)
    }
}

impl ConsoleTx for Desk<'_> {
    fn put_operator(&mut self, operator: &Operator) -> Stored<()> {
        let values = params![
            bucket_of(&operator.name).number(),
            operator.name.as_str(),
            operator.role.as_str(),
            operator.password_hash,
            operator.created_at.0,
            operator.disabled_at.map(|at| at.0),
        ];
        sql::write(self.0, PUT_OPERATOR, values)
    }

    fn insert_console_session(&mut self, session: &Session) -> Stored<()> {
        with_session(session, |values| sql::write(self.0, INSERT_SESSION, values))
    }

    fn update_console_session(&mut self, session: &Session) -> Stored<()> {
        with_session(session, |values| sql::change(self.0, UPDATE_SESSION, values, "the sign-in"))
    }

    fn remove_console_session(&mut self, id: &ConsoleSessionId) -> Stored<()> {
        sql::write(self.0, REMOVE_SESSION, params![id.bucket().number(), id.as_str()])
    }
}
