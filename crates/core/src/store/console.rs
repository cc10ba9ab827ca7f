//! Operators of the console, their sign-ins, and the look-ups that only the console needs. A part of the port.

use crate::agreement::Agreement;
use crate::console::{Operator, Session};
use crate::handle::Bucket;
use crate::ids::{AuthId, ConsoleSessionId, NotificationId, OperatorName};
use crate::journal::JournalLine;
use crate::moment::Timestamp;
use crate::notification::{Notification, NotificationState};
use crate::store::Stored;

/// What can be read of it.
pub trait ConsoleRows {
    /// The operator of that name.
    fn operator(&self, name: &OperatorName) -> Stored<Option<Operator>>;
    /// All operators, by name.
    fn operators(&self, limit: usize) -> Stored<Vec<Operator>>;
    /// The sign-in of that id.
    fn console_session(&self, id: &ConsoleSessionId) -> Stored<Option<Session>>;
    /// An operator's sign-ins, newest first, then by descending id.
    fn console_sessions_of(&self, name: &OperatorName, limit: usize) -> Stored<Vec<Session>>;
    /// Sign-ins whose `expires_at` is before that time, earliest first, then by bucket and id.
    fn console_sessions_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>>;

    /// The agreement that came of that authorization.
    fn agreement_of_authorization(&self, id: &AuthId) -> Stored<Option<Agreement>>;
    /// Agreements whose (hot) terms have that reference of their owner, newest terms first, then by bucket and
    /// authorization.
    fn agreements_by_reference(&self, reference: &str, limit: usize) -> Stored<Vec<Agreement>>;
    /// Notifications older than `before`, newest first, then by descending id.
    fn notifications_before(
        &self,
        before: Option<(Timestamp, &NotificationId)>,
        limit: usize,
    ) -> Stored<Vec<Notification>>;
    /// Those of them that are rejected, dead or held, whichever of these is asked for; none for every other state.
    fn notifications_stuck(
        &self,
        state: NotificationState,
        before: Option<(Timestamp, &NotificationId)>,
        limit: usize,
    ) -> Stored<Vec<Notification>>;
    /// Pending notifications, the earliest due first, then by age and id.
    fn notifications_pending(&self, limit: usize) -> Stored<Vec<Notification>>;
    /// Lines of a stream before that number, newest first.
    fn journal_before(&self, stream: Bucket, number: Option<u32>, limit: usize) -> Stored<Vec<JournalLine>>;
    /// Lines about a subject before that number, newest first.
    fn journal_about(
        &self,
        stream: Bucket,
        subject: &str,
        number: Option<u32>,
        limit: usize,
    ) -> Stored<Vec<JournalLine>>;
}

/// What can be written of it.
pub trait ConsoleTx {
    /// Keeps an operator, or replaces the row of the name.
    fn put_operator(&mut self, operator: &Operator) -> Stored<()>;
    /// Creates a sign-in. Unique: id.
    fn insert_console_session(&mut self, session: &Session) -> Stored<()>;
    /// Replaces a sign-in.
    fn update_console_session(&mut self, session: &Session) -> Stored<()>;
    /// Removes a sign-in; removing what is not there changes nothing.
    fn remove_console_session(&mut self, id: &ConsoleSessionId) -> Stored<()>;
}
