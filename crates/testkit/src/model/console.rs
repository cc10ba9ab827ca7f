//! Operators of the console, their sign-ins, and what only the console looks up.

use super::Books;
use super::rows::sorted;
use accord_core::agreement::Agreement;
use accord_core::console::{Operator, Session};
use accord_core::handle::Bucket;
use accord_core::ids::{AuthId, ConsoleSessionId, NotificationId, OperatorName};
use accord_core::journal::JournalLine;
use accord_core::moment::Timestamp;
use accord_core::notification::{Notification, NotificationState};
use accord_core::store::Stored;
use accord_core::store::console::{ConsoleRows, ConsoleTx};
use std::cmp::Reverse;

impl ConsoleRows for Books {
    fn operator(&self, name: &OperatorName) -> Stored<Option<Operator>> {
        Ok(self.operators.get(name).cloned())
    }
    fn operators(&self, limit: usize) -> Stored<Vec<Operator>> {
        Ok(sorted(self.operators.values(), limit, |row| row.name.clone()))
    }
    fn console_session(&self, id: &ConsoleSessionId) -> Stored<Option<Session>> {
        Ok(self.console_sessions.get(id).cloned())
    }
    fn console_sessions_of(&self, name: &OperatorName, limit: usize) -> Stored<Vec<Session>> {
        let theirs = self.console_sessions.values().filter(|row| row.operator == *name);
        Ok(sorted(theirs, limit, |row| Reverse((row.created_at, row.id.clone()))))
    }
    fn console_sessions_over_before(&self, time: Timestamp, limit: usize) -> Stored<Vec<Session>> {
        let over = self.console_sessions.values().filter(|row| row.expires_at < time);
        Ok(sorted(over, limit, |row| (row.expires_at, row.id.bucket(), row.id.clone())))
    }
    fn agreement_of_authorization(&self, id: &AuthId) -> Stored<Option<Agreement>> {
        let found = self.agreements_by_auth.get(&(id.bucket(), id.clone()));
        Ok(found.and_then(|id| self.agreements.get(id)).cloned())
    }
    fn agreements_by_reference(&self, reference: &str, limit: usize) -> Stored<Vec<Agreement>> {
        let named = |id: Option<&String>| id.is_some_and(|id| id == reference);
        let asked = self.terms.values().filter(|row| named(row.reference_agreement_id.as_ref()));
        let newest = |row: &accord_core::agreement::Terms| {
            Reverse((row.created_at, row.auth_id.bucket(), row.auth_id.clone()))
        };
        let mut found = Vec::new();
        for terms in sorted(asked, usize::MAX, newest) {
            found.extend(self.agreement_of_authorization(&terms.auth_id)?);
        }
        found.truncate(limit);
        Ok(found)
    }
    fn notifications_before(
        &self,
        before: Option<(Timestamp, &NotificationId)>,
        limit: usize,
    ) -> Stored<Vec<Notification>> {
        let older = |row: &&Notification| before.is_none_or(|before| (row.created_at, &row.id) < before);
        let rows = self.notifications.values().filter(older);
        Ok(sorted(rows, limit, |row| Reverse((row.created_at, &row.id))))
    }
    fn notifications_stuck(
        &self,
        state: NotificationState,
        before: Option<(Timestamp, &NotificationId)>,
        limit: usize,
    ) -> Stored<Vec<Notification>> {
        use NotificationState::{Dead, Held, Rejected};
        if !matches!(state, Rejected | Dead | Held) {
            return Ok(Vec::new());
        }
        let mut rows = self.notifications_before(before, usize::MAX)?;
        rows.retain(|row| row.state == state);
        rows.truncate(limit);
        Ok(rows)
    }
    fn notifications_pending(&self, limit: usize) -> Stored<Vec<Notification>> {
        let rows = self.notifications.values().filter(|row| row.state == NotificationState::Pending);
        Ok(sorted(rows, limit, |row| (row.next_attempt_at, row.created_at, &row.id)))
    }
    fn journal_before(&self, stream: Bucket, number: Option<u32>, limit: usize) -> Stored<Vec<JournalLine>> {
        let lines = self.journal.range((stream, 0)..=(stream, u32::MAX)).rev().map(|(_, line)| line);
        let earlier = lines.filter(|line| number.is_none_or(|number| line.number < number));
        Ok(earlier.take(limit).cloned().collect())
    }
    fn journal_about(
        &self,
        stream: Bucket,
        subject: &str,
        number: Option<u32>,
        limit: usize,
    ) -> Stored<Vec<JournalLine>> {
        let mut lines = self.journal_before(stream, number, usize::MAX)?;
        lines.retain(|line| line.subject == subject);
        lines.truncate(limit);
        Ok(lines)
    }
}

impl ConsoleTx for Books {
    fn put_operator(&mut self, operator: &Operator) -> Stored<()> {
        self.operators.put(operator.name.clone(), operator.clone());
        Ok(())
    }
    fn insert_console_session(&mut self, session: &Session) -> Stored<()> {
        self.console_sessions.insert(session.id.clone(), session.clone())
    }
    fn update_console_session(&mut self, session: &Session) -> Stored<()> {
        self.console_sessions.change(session.id.clone(), session.clone())
    }
    fn remove_console_session(&mut self, id: &ConsoleSessionId) -> Stored<()> {
        self.console_sessions.remove(id);
        Ok(())
    }
}
