//! `/admin/notifications`: by state or id; body with its secrets still marked, attempts; and a person's second chance.

use super::{
    Asked, PAGE, PART, act, done, escaped, failed, field, journal_table, link, look, show as show_page,
    stopped, typed, who, words,
};
use crate::admin::door::{Fields, Signed};
use crate::app::App;
use crate::pages::admin::{Block, Cell, Search, Table};
use crate::pages::i18n::Texts;
use accord_core::Timestamp;
use accord_core::ids::NotificationId;
use accord_core::notification::resend::{self, Resent};
use accord_core::notification::{Attempt, Notification, NotificationState};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use std::sync::Arc;

/// States that can be asked for: the others are found in the whole list.
const STATES: [NotificationState; 4] = [
    NotificationState::Pending,
    NotificationState::Rejected,
    NotificationState::Dead,
    NotificationState::Held,
];

/// `GET /admin/notifications`
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    asked: Asked,
) -> Response<Body> {
    let t = signed.texts();
    let wanted = typed(&asked, "q");
    let state = NotificationState::parse(&typed(&asked, "state")).filter(|state| STATES.contains(state));
    let before = place(&typed(&asked, "before"));
    let named = NotificationId::read(&wanted);
    let by_id = !wanted.is_empty();
    let found = look(&app, &signed, move |rows| {
        let before = before.as_ref().map(|(at, id)| (*at, id));
        match (by_id, named, state) {
            (true, Some(id), _) => Ok(rows.notification(&id)?.into_iter().collect()),
            (true, None, _) => Ok(Vec::new()),
            (false, _, None) => rows.notifications_before(before, PAGE + 1),
            (false, _, Some(NotificationState::Pending)) => rows.notifications_pending(PAGE),
            (false, _, Some(state)) => rows.notifications_stuck(state, before, PAGE + 1),
        }
    });
    let mut found: Vec<Notification> = match found.await {
        Ok(found) => found,
        Err(page) => return *page,
    };
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let word = state.map_or("", NotificationState::as_str);
    let older = found.last().filter(|_| more).map(|last| {
        let place = escaped(&format!("{}.{}", last.created_at.0, last.id));
        format!("/admin/notifications?state={word}&before={place}")
    });
    let mut tabs = vec![("/admin/notifications".to_owned(), t.text("admin-all"), state.is_none())];
    tabs.extend(STATES.map(|one| {
        let href = format!("/admin/notifications?state={one}");
        (href, words::notification_word(&t, one), state == Some(one))
    }));
    let fields = vec![field("q", t.text("admin-notification-query"), &asked)];
    let blocks = vec![
        Block::Search(Search { action: "/admin/notifications", fields }),
        Block::Tabs(t.text("admin-state"), tabs),
        table(&t, &found, older),
    ];
    show_page(&signed, 200, "/notifications", t.text("admin-notifications"), blocks)
}

/// Where a page of the list begins: time and id of the row before it.
fn place(text: &str) -> Option<(Timestamp, NotificationId)> {
    let (at, id) = text.split_once('.')?;
    Some((Timestamp(at.parse().ok()?), NotificationId::read(id)?))
}

fn table(t: &Texts, found: &[Notification], older: Option<String>) -> Block {
    let row = |row: &Notification| {
        vec![
            link("notifications", row.id.as_str()),
            Cell::code(&row.kind),
            words::notification(t, row.state),
            link("clients", row.client.as_str()),
            Cell::number(&row.tries.to_string()),
            Cell::text(&row.target),
            Cell::time(row.created_at),
        ]
    };
    Block::Table(Table {
        heading: t.text("admin-found"),
        columns: vec![
            t.text("admin-notification"),
            t.text("admin-kind"),
            t.text("admin-state"),
            t.text("admin-client"),
            t.text("admin-tries"),
            t.text("admin-target"),
            t.text("admin-time"),
        ],
        rows: found.iter().map(row).collect(),
        empty: t.text("admin-nothing-found"),
        older,
    })
}

/// `GET /admin/notifications/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Response<Body> {
    let Some(id) = NotificationId::read(&id) else { return failed(&signed, 404) };
    let found = look(&app, &signed, move |rows| {
        let Some(notification) = rows.notification(&id)? else { return Ok(None) };
        let journal = rows.journal_about(id.bucket(), id.as_str(), None, PART + 1)?;
        Ok(Some((notification, rows.attempts(&id)?, journal)))
    });
    match found.await {
        Ok(Some((notification, attempts, journal))) => {
            let t = signed.texts();
            let mut blocks = blocks(&signed, &t, &notification, &attempts);
            let id = &notification.id;
            blocks.push(journal_table(&t, id.bucket(), id.as_str(), &journal));
            show_page(&signed, 200, "/notifications", t.text("admin-notification"), blocks)
        }
        Ok(None) => failed(&signed, 404),
        Err(page) => *page,
    }
}

fn blocks(signed: &Signed, t: &Texts, row: &Notification, attempts: &[Attempt]) -> Vec<Block> {
    let mut facts = vec![
        (t.text("admin-notification"), Cell::code(row.id.as_str())),
        (t.text("admin-kind"), Cell::code(&row.kind)),
        (t.text("admin-state"), words::notification(t, row.state)),
        (t.text("admin-client"), link("clients", row.client.as_str())),
        (t.text("admin-dialect"), Cell::code(row.dialect.as_str())),
        (t.text("admin-url"), Cell::code(&row.url)),
        (t.text("admin-tries"), Cell::number(&row.tries.to_string())),
        (t.text("admin-time"), Cell::time(row.created_at)),
    ];
    if row.state == NotificationState::Pending {
        facts.push((t.text("admin-next-try"), Cell::time(row.next_attempt_at)));
    }
    if let Some(at) = row.moot_after {
        facts.push((t.text("admin-moot-after"), Cell::time(at)));
    }
    let mut blocks = vec![Block::Facts(String::new(), facts)];
    if matches!(row.state, NotificationState::Rejected | NotificationState::Dead) {
        let words = [
            t.text("admin-resend"),
            t.text("admin-resend-words"),
            t.text("admin-resend-confirm"),
            t.text("admin-resend-button"),
        ];
        if let Some(mut form) = act(signed, format!("/admin/notifications/{}/resend", row.id), words, false) {
            form.hidden.push(("tries", row.tries.to_string()));
            blocks.push(Block::Act(Box::new(form)));
        }
    }
    let attempt = |row: &Attempt| {
        vec![
            Cell::number(&row.number.to_string()),
            Cell::time(row.at),
            Cell::number(&row.http_status.map(|status| status.to_string()).unwrap_or_default()),
            Cell::text(&row.outcome),
        ]
    };
    blocks.push(Block::Table(Table {
        heading: t.text("admin-attempts"),
        columns: vec![
            t.text("admin-count"),
            t.text("admin-time"),
            t.text("admin-http-status"),
            t.text("admin-outcome"),
        ],
        rows: attempts.iter().map(attempt).collect(),
        empty: t.text("admin-no-attempts"),
        older: None,
    }));
    if !row.marks.is_empty() {
        blocks.push(Block::Words(t.text("admin-marks-words")));
    }
    blocks.push(Block::Source(t.text("admin-body"), crate::pages::markup::clean(&row.body)));
    blocks
}

/// `POST /admin/notifications/{id}/resend`
pub(super) async fn resend(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response<Body> {
    let Some(id) = NotificationId::read(&id) else { return failed(&signed, 404) };
    let home = format!("/admin/notifications/{id}");
    let (true, Ok(tries)) = (fields.confirmed(), fields.said("tries").parse::<u32>()) else {
        return done(&home, "unconfirmed");
    };
    let (actor, at) = (who(&signed), app.clock.moment());
    match app.transact(move |tx| resend::resend(tx, &id, tries, &actor, &at)).await {
        Ok(Resent::Due) => {
            app.wake.notify_one();
            done(&home, "resent")
        }
        Ok(Resent::Changed) => done(&home, "as-it-was"),
        Ok(Resent::Unknown) => failed(&signed, 404),
        Err(stop) => stopped(&signed, stop),
    }
}
