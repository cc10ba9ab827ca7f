//! `/admin`: how this node is doing, in charts.

use super::chart::{Chart, Series};
use super::{Asked, look, show as show_page, typed};
use crate::admin::door::Signed;
use crate::app::App;
use crate::live::{LIVE, STEP_MS, Sample};
use crate::pages::admin::{Block, Cell, Table};
use crate::pages::i18n::Texts;
use accord_core::Timestamp;
use accord_core::notification::NotificationState;
use accord_wire::time::format_millis;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use std::sync::Arc;

/// A span to be shown: its name in the address, samples, and how many of them make a step of the charts.
const RANGES: [(&str, usize, usize); 3] = [("15m", 90, 1), ("1h", 360, 4), ("6h", 2_160, 24)];
/// More than this is said as "or more".
const MOST: usize = 100;

/// `GET /admin`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    asked: Asked,
) -> Response<Body> {
    let t = signed.texts();
    let wanted = typed(&asked, "range");
    let [first, ..] = RANGES;
    let (range, steps, together) = RANGES.into_iter().find(|(name, ..)| *name == wanted).unwrap_or(first);
    let counted = look(&app, &signed, |rows| {
        let stuck = |state| rows.notifications_stuck(state, None, MOST).map(|rows| rows.len());
        Ok((
            rows.running_payments(MOST)?.len() + rows.running_refunds(MOST)?.len(),
            stuck(NotificationState::Rejected)? + stuck(NotificationState::Dead)?,
        ))
    });
    let (running, stuck) = match counted.await {
        Ok(counted) => counted,
        Err(page) => return *page,
    };
    let seen = |count: usize, path: &str| {
        let more = if count >= MOST { "+" } else { "" };
        let tone = if count > 0 { "warn" } else { "good" };
        Cell::badge(&format!("{count}{more}"), tone).to(path)
    };
    let tabs = RANGES.map(|(name, ..)| {
        let words = match name {
            "15m" => t.text("admin-range-15m"),
            "1h" => t.text("admin-range-1h"),
            _ => t.text("admin-range-6h"),
        };
        (format!("/admin?range={name}"), words, name == range)
    });
    let mut blocks = vec![
        Block::Facts(
            String::new(),
            vec![
                (t.text("admin-unresolved"), seen(running, "/admin/unresolved")),
                (t.text("admin-stuck"), seen(stuck, "/admin/notifications?state=rejected")),
            ],
        ),
        Block::Tabs(t.text("admin-range"), tabs.to_vec()),
        Block::Words(t.text("admin-live-words")),
        Block::Charts(charts(&t, &LIVE.history(steps, together), together)),
    ];
    let mut results = LIVE.results();
    results.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    let row = |(operation, status, code, count): (String, &'static str, String, u64)| {
        let tone = match status {
            "S" => "good",
            "F" => "warn",
            _ => "bad",
        };
        vec![
            Cell::code(&operation),
            Cell::badge(status, tone),
            Cell::code(&code),
            Cell::number(&count.to_string()),
        ]
    };
    blocks.push(Block::Table(Table {
        heading: t.text("admin-results"),
        columns: vec![
            t.text("admin-operation"),
            t.text("admin-status"),
            t.text("admin-result-code"),
            t.text("admin-count"),
        ],
        rows: results.into_iter().take(MOST).map(row).collect(),
        empty: t.text("admin-no-calls"),
        older: None,
    }));
    show_page(&signed, 200, "", t.text("admin-overview"), blocks)
}

/// Hours, minutes and seconds, in UTC.
fn clock(at: Timestamp) -> String {
    format_millis(at.0, 0).get(11..19).unwrap_or_default().to_owned()
}

fn charts(t: &Texts, steps: &[Sample], together: usize) -> Vec<Chart> {
    let times: Vec<Timestamp> = steps.iter().map(|step| step.at).collect();
    let chart = |id, title: String, description: String, scale: u64, series: Vec<Series>| Chart {
        id,
        title,
        description,
        scale,
        times: times.clone(),
        series,
        clock,
    };
    let line = |name: String, class, scale, value: &dyn Fn(&Sample) -> Option<u64>| Series {
        name,
        class,
        values: steps.iter().map(value).collect(),
        scale,
    };
    // Hundredths of a call a second.
    let span_ms = STEP_MS.unsigned_abs() * (together as u64).max(1);
    let rate = |count: u64| Some(count * 100_000 / span_ms);
    let minute = |count: u64| Some(count * 6_000_000 / span_ms);
    vec![
        chart(
            "calls",
            t.text("admin-chart-calls"),
            t.text("admin-chart-calls-words"),
            100,
            vec![
                line(t.text("admin-success"), "series-1", 100, &|step| rate(step.success)),
                line(t.text("admin-failure"), "series-2", 100, &|step| rate(step.failure)),
                line(t.text("admin-unknown"), "series-3", 100, &|step| rate(step.unknown)),
            ],
        ),
        chart(
            "latency",
            t.text("admin-chart-latency"),
            t.text("admin-chart-latency-words"),
            1_000,
            vec![
                line(t.text("admin-half"), "series-1", 1_000, &|step| step.latency_micros(500)),
                line(t.text("admin-most"), "series-2", 1_000, &|step| step.latency_micros(990)),
            ],
        ),
        chart(
            "queue",
            t.text("admin-chart-queue"),
            t.text("admin-chart-queue-words"),
            1_000,
            vec![line(t.text("admin-age"), "series-1", 1_000, &|step| Some(step.oldest_due_ms))],
        ),
        chart(
            "deliveries",
            t.text("admin-chart-deliveries"),
            t.text("admin-chart-deliveries-words"),
            100,
            vec![
                line(t.text("admin-delivered"), "series-1", 100, &|step| minute(step.delivered)),
                line(t.text("admin-undelivered"), "series-2", 100, &|step| minute(step.undelivered)),
            ],
        ),
    ]
}
