//! `/admin/journal`: what was done, by whom: a stream or a subject, newest first, and whether a checkpoint has sealed it.

use super::{Asked, PAGE, escaped, field, look, show as show_page, typed};
use crate::admin::door::Signed;
use crate::app::App;
use crate::pages::admin::{Block, Cell, Search, Table};
use crate::pages::i18n::Texts;
use accord_core::checkpoint::Checkpoint;
use accord_core::client::keys;
use accord_core::console::{self, read_name};
use accord_core::handle::{BUCKETS, Bucket};
use accord_core::ids::{AgreementId, ClientId};
use accord_core::journal::{JournalHead, JournalLine};
use accord_core::store::{Rows, Stored};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Heads of a table of lines.
pub(super) fn columns(t: &Texts) -> Vec<String> {
    vec![
        t.text("admin-line"),
        t.text("admin-time"),
        t.text("admin-act"),
        t.text("admin-subject"),
        t.text("admin-actor"),
        t.text("admin-detail"),
        t.text("admin-sealed"),
    ]
}

/// A line as a row; `sealed` is the newest line of its stream that a checkpoint names, if that was looked up.
pub(super) fn row(t: &Texts, line: &JournalLine, sealed: Option<u32>) -> Vec<Cell> {
    let seal = match sealed {
        None => Cell::text(""),
        Some(sealed) if line.number <= sealed => Cell::badge(&t.text("admin-yes"), "good"),
        Some(_) => Cell::badge(&t.text("admin-not-yet"), "warn"),
    };
    let stream = format!("/admin/journal?stream={}", line.stream.number());
    let subject = format!("{stream}&subject={}", escaped(&line.subject));
    vec![
        Cell::code(&format!("{}/{}", line.stream.number(), line.number)).to(stream),
        Cell::time(line.at),
        Cell::code(&line.act),
        Cell::code(&line.subject).to(subject),
        Cell::code(&line.actor),
        Cell::text(&line.detail),
        seal,
    ]
}

/// What is to be shown.
#[derive(Clone)]
enum Wanted {
    Heads,
    Stream(Bucket),
    Subject(Vec<Bucket>, String),
}

struct Seen {
    lines: Vec<JournalLine>,
    heads: Vec<JournalHead>,
    sealed: BTreeMap<Bucket, u32>,
    checkpoint: Option<Checkpoint>,
}

/// `GET /admin/journal`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    asked: Asked,
) -> Response<Body> {
    let t = signed.texts();
    let (stream, subject) = (typed(&asked, "stream"), typed(&asked, "subject"));
    let before = typed(&asked, "before").parse::<u32>().ok();
    let number = stream.parse::<u16>().ok().filter(|number| *number < BUCKETS);
    let wanted = match (number, subject.is_empty()) {
        (Some(number), true) => Wanted::Stream(Bucket::new(number)),
        (Some(number), false) => Wanted::Subject(vec![Bucket::new(number)], subject.clone()),
        (None, false) => Wanted::Subject(homes_of(&subject), subject.clone()),
        (None, true) => Wanted::Heads,
    };
    let asks = wanted.clone();
    let seen = match look(&app, &signed, move |rows| see(rows, &asks, before)).await {
        Ok(seen) => seen,
        Err(page) => return *page,
    };
    let fields = vec![
        field("subject", t.text("admin-subject-query"), &asked),
        field("stream", t.text("admin-stream-query"), &asked),
    ];
    let checkpoint = match &seen.checkpoint {
        Some(last) => vec![
            (t.text("admin-checkpoint"), Cell::code(&last.number.to_string())),
            (t.text("admin-time"), Cell::time(last.at)),
        ],
        None => vec![(t.text("admin-checkpoint"), Cell::text(&t.text("admin-no-checkpoint")))],
    };
    let mut blocks = vec![
        Block::Search(Search { action: "/admin/journal", fields }),
        Block::Facts(t.text("admin-last-checkpoint"), checkpoint),
    ];
    blocks.push(match wanted {
        Wanted::Heads => heads(&t, &seen),
        Wanted::Stream(_) | Wanted::Subject(..) => lines(&t, &seen, &subject),
    });
    show_page(&signed, 200, "/journal", t.text("admin-journal"), blocks)
}

/// The streams in which lines about a subject can be: an id of ours says it itself, names are hashed.
fn homes_of(subject: &str) -> Vec<Bucket> {
    // Every id of ours has the same shape.
    if let Some(id) = AgreementId::read(subject) {
        return vec![id.bucket()];
    }
    let operator = read_name(subject).map(|name| console::bucket_of(&name));
    operator.into_iter().chain([keys::bucket_of(&ClientId::new(subject))]).collect()
}

fn see(rows: &dyn Rows, wanted: &Wanted, before: Option<u32>) -> Stored<Seen> {
    let mut lines = Vec::new();
    let mut heads = Vec::new();
    match wanted {
        Wanted::Heads => heads = rows.journal_heads()?,
        Wanted::Stream(stream) => lines = rows.journal_before(*stream, before, PAGE + 1)?,
        Wanted::Subject(streams, subject) => {
            for stream in streams {
                lines.extend(rows.journal_about(*stream, subject, before, PAGE + 1)?);
            }
        }
    }
    let sealed = rows.sealed_heads()?.into_iter().collect();
    Ok(Seen { lines, heads, sealed, checkpoint: rows.last_checkpoint()? })
}

fn lines(t: &Texts, seen: &Seen, subject: &str) -> Block {
    let shown = seen.lines.get(..PAGE).unwrap_or(&seen.lines);
    let last = shown.last().filter(|_| seen.lines.len() > PAGE);
    let older = last.map(|last| {
        let (stream, subject) = (last.stream.number(), escaped(subject));
        format!("/admin/journal?stream={stream}&subject={subject}&before={}", last.number)
    });
    let sealed = |line: &JournalLine| Some(seen.sealed.get(&line.stream).copied().unwrap_or(0));
    Block::Table(Table {
        heading: t.text("admin-newest-first"),
        columns: columns(t),
        rows: shown.iter().map(|line| row(t, line, sealed(line))).collect(),
        empty: t.text("admin-nothing-written"),
        older,
    })
}

fn heads(t: &Texts, seen: &Seen) -> Block {
    let row = |head: &JournalHead| {
        let sealed = seen.sealed.get(&head.stream).copied().unwrap_or(0);
        let seal = match head.number.saturating_sub(sealed) {
            0 => Cell::badge(&t.text("admin-yes"), "good"),
            _ => Cell::badge(&t.text("admin-not-yet"), "warn"),
        };
        let number = head.stream.number().to_string();
        vec![
            Cell::code(&number).to(format!("/admin/journal?stream={number}")),
            Cell::number(&head.number.to_string()),
            Cell::number(&sealed.to_string()),
            seal,
            Cell::code(&head.hash.hex()),
        ]
    };
    Block::Table(Table {
        heading: t.text("admin-streams"),
        columns: vec![
            t.text("admin-stream"),
            t.text("admin-lines"),
            t.text("admin-sealed-to"),
            t.text("admin-sealed"),
            t.text("admin-hash"),
        ],
        rows: seen.heads.iter().map(row).collect(),
        empty: t.text("admin-nothing-written"),
        older: None,
    })
}
