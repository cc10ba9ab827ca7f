//! `/admin/payments` and `/admin/unresolved`: found by paymentId, refundId, or request id of an owner; refunds, ledger
//! and journal of one; and the decision about what nothing resolves by itself.

use super::{
    Asked, PAGE, PART, act, done, failed, field, journal_table, link, look, show as show_page, stopped,
    typed, who, words,
};
use crate::admin::door::{Fields, Signed};
use crate::app::App;
use crate::pages::admin::{Block, Cell, Field, Search, Table};
use crate::pages::i18n::Texts;
use accord_core::ids::{ClientId, PaymentId, PaymentRequestId, RefundId};
use accord_core::journal::JournalLine;
use accord_core::ledger::{Entry, Posting};
use accord_core::money::Amount;
use accord_core::payment::refund::{Refund, RefundStage};
use accord_core::payment::unresolved::{Decided, Running, decide};
use accord_core::payment::{Payment, PaymentStage, Resolution};
use accord_core::store::Stored;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use std::sync::Arc;

/// `GET /admin/payments`
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    asked: Asked,
) -> Response<Body> {
    let t = signed.texts();
    let (wanted, client, acquirer) = (typed(&asked, "q"), typed(&asked, "client"), typed(&asked, "acquirer"));
    let fields = vec![
        field("q", t.text("admin-payment-query"), &asked),
        field("client", t.text("admin-client-query"), &asked),
        field("acquirer", t.text("admin-acquirer-query"), &asked),
    ];
    let mut blocks = vec![
        Block::Words(t.text("admin-payment-words")),
        Block::Search(Search { action: "/admin/payments", fields }),
    ];
    if !wanted.is_empty() {
        let seen = app.clone();
        let found = look(&app, &signed, move |rows| {
            let mut found: Vec<Payment> = Vec::new();
            if let Some(id) = PaymentId::read(&wanted) {
                found.extend(rows.payment(&id)?);
            }
            if let Some(refund) = RefundId::read(&wanted).map(|id| rows.refund(&id)).transpose()?.flatten() {
                found.extend(rows.payment(&refund.payment)?);
            }
            let owner = match rows.client(&ClientId::new(client))? {
                Some(client) => {
                    seen.dialect(&client.dialect).map(|dialect| dialect.owner_of(&client.id, &acquirer))
                }
                None => None,
            };
            if let Some(owner) = owner
                && let Some(claim) = rows.payment_claim(&owner, &PaymentRequestId::new(wanted))?
            {
                found.extend(rows.payment(&claim.payment)?);
            }
            Ok(found)
        });
        match found.await {
            Ok(found) => blocks.push(table(&t, t.text("admin-found"), &found)),
            Err(page) => return *page,
        }
    }
    show_page(&signed, 200, "/payments", t.text("admin-payments"), blocks)
}

/// Payments as rows.
pub(super) fn table(t: &Texts, heading: String, payments: &[Payment]) -> Block {
    let row = |row: &Payment| {
        vec![
            link("payments", row.id.as_str()),
            words::payment(t, &row.stage),
            Cell::number(&t.money(&row.amount)),
            Cell::code(row.request_id.as_str()),
            Cell::text(&row.description),
            Cell::time(row.created_at),
        ]
    };
    Block::Table(Table {
        heading,
        columns: vec![
            t.text("admin-payment"),
            t.text("admin-state"),
            t.text("admin-amount"),
            t.text("admin-request-id"),
            t.text("admin-order"),
            t.text("admin-time"),
        ],
        rows: payments.iter().map(row).collect(),
        empty: t.text("admin-nothing-found"),
        older: None,
    })
}

struct Seen {
    payment: Payment,
    refunds: Vec<Refund>,
    postings: Vec<(Posting, Vec<Entry>)>,
    journal: Vec<JournalLine>,
}

/// `GET /admin/payments/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Response<Body> {
    let Some(id) = PaymentId::read(&id) else { return failed(&signed, 404) };
    let found = look(&app, &signed, move |rows| {
        let Some(payment) = rows.payment(&id)? else { return Ok(None) };
        let refunds = rows.refunds_of(&id, PART)?;
        let of_refunds = refunds.iter().flat_map(|refund| [&refund.posting, &refund.end_posting]);
        let ids = std::iter::once(&payment.posting).chain(of_refunds).flatten();
        let with_entries = |posting: Posting| rows.entries_of(&posting).map(|entries| (posting, entries));
        let postings = ids.map(|id| rows.posting(id)?.map(with_entries).transpose());
        Ok(Some(Seen {
            postings: postings.collect::<Stored<Vec<_>>>()?.into_iter().flatten().collect(),
            journal: rows.journal_about(id.bucket(), id.as_str(), None, PART + 1)?,
            refunds,
            payment,
        }))
    });
    match found.await {
        Ok(Some(seen)) => {
            let title = signed.texts().text("admin-payment");
            show_page(&signed, 200, "/payments", title, blocks(&signed, &seen))
        }
        Ok(None) => failed(&signed, 404),
        Err(page) => *page,
    }
}

/// What the order said of the money settled to the network: payToAmount and the rate behind it, as they were received.
fn settled_as(t: &Texts, extras: &str) -> Vec<(String, Cell)> {
    let members: serde_json::Value = serde_json::from_str(extras).unwrap_or_default();
    [("payToAmount", t.text("admin-pay-to")), ("paymentQuote", t.text("admin-quote"))]
        .into_iter()
        .filter_map(|(member, name)| Some((name, Cell::code(&members.get(member)?.to_string()))))
        .collect()
}

fn blocks(signed: &Signed, seen: &Seen) -> Vec<Block> {
    let t = &signed.texts();
    let Seen { payment, refunds, postings, journal } = seen;
    let mut facts = vec![
        (t.text("admin-payment"), Cell::code(payment.id.as_str())),
        (t.text("admin-state"), words::payment(t, &payment.stage)),
        (t.text("admin-amount"), Cell::number(&t.money(&payment.amount))),
        (t.text("admin-order"), Cell::text(&payment.description)),
        (t.text("admin-request-id"), Cell::code(payment.request_id.as_str())),
        (t.text("admin-owner"), Cell::code(payment.owner.as_str())),
        (t.text("admin-client"), link("clients", payment.client.as_str())),
        (t.text("admin-agreement"), link("agreements", payment.agreement.as_str())),
        (t.text("admin-user"), link("users", payment.customer.as_str())),
        (t.text("admin-asked"), Cell::time(payment.created_at)),
        (t.text("admin-settled"), Cell::maybe_time(payment.settled_at())),
        (t.text("admin-answered-unknown"), words::yes_no(t, payment.answered_unknown)),
        (t.text("admin-evaluation"), words::yes_no(t, payment.evaluation)),
    ];
    if let PaymentStage::Failed { refusal, .. } = &payment.stage {
        facts.push((t.text("admin-refusal"), Cell::code(&refusal.to_string())));
    }
    if let Some(resolution) = payment.resolution {
        facts.push((t.text("admin-plan"), plan(t, Some(resolution))));
    }
    if let Some(at) = payment.expires_at {
        facts.push((t.text("admin-expires"), Cell::time(at)));
    }
    facts.extend(settled_as(t, &payment.extras));
    if let Some(at) = payment.closed_at {
        facts.push((t.text("admin-cancelled"), Cell::time(at)));
    }
    let mut blocks = vec![Block::Facts(String::new(), facts)];
    if payment.stage == PaymentStage::InProcess {
        blocks.extend(decision(signed, payment.id.as_str()));
    }
    let row = |row: &Refund| {
        let refusal = match &row.stage {
            RefundStage::Failed { refusal, .. } => refusal.to_string(),
            RefundStage::InProcess | RefundStage::Succeeded { .. } => String::new(),
        };
        vec![
            Cell::code(row.id.as_str()),
            words::refund(t, &row.stage),
            Cell::number(&t.money(&row.amount)),
            Cell::code(row.request_id.as_str()),
            Cell::text(row.reason.as_deref().unwrap_or_default()),
            Cell::code(&refusal),
            Cell::time(row.created_at),
        ]
    };
    blocks.push(Block::Table(Table {
        heading: t.text("admin-refunds"),
        columns: vec![
            t.text("admin-refund"),
            t.text("admin-state"),
            t.text("admin-amount"),
            t.text("admin-request-id"),
            t.text("admin-reason"),
            t.text("admin-refusal"),
            t.text("admin-time"),
        ],
        rows: refunds.iter().map(row).collect(),
        empty: t.text("admin-no-refunds"),
        older: None,
    }));
    for refund in refunds.iter().filter(|refund| refund.stage == RefundStage::InProcess) {
        blocks.extend(decision(signed, refund.id.as_str()));
    }
    blocks.push(ledger(t, postings));
    blocks.push(journal_table(t, payment.id.bucket(), payment.id.as_str(), journal));
    blocks
}

fn ledger(t: &Texts, postings: &[(Posting, Vec<Entry>)]) -> Block {
    let row = |posting: &Posting, entry: &Entry| {
        // An entry is signed; an amount is not.
        let sign = if entry.amount < 0 { "−" } else { "+" };
        let value = i64::try_from(entry.amount.unsigned_abs()).ok();
        let amount = value.and_then(|value| Amount::new(entry.currency, value));
        let amount = amount.map_or_else(|| entry.amount.to_string(), |amount| t.money(&amount));
        vec![
            Cell::code(posting.id.as_str()),
            Cell::code(posting.kind.as_str()),
            Cell::code(&entry.party.to_row()),
            Cell::number(&format!("{sign} {amount}")),
            Cell::time(posting.at),
        ]
    };
    let rows = postings.iter().flat_map(|(posting, entries)| entries.iter().map(|entry| row(posting, entry)));
    Block::Table(Table {
        heading: t.text("admin-ledger"),
        columns: vec![
            t.text("admin-posting"),
            t.text("admin-kind"),
            t.text("admin-party"),
            t.text("admin-amount"),
            t.text("admin-time"),
        ],
        rows: rows.collect(),
        empty: t.text("admin-no-money-moved"),
        older: None,
    })
}

fn plan(t: &Texts, resolution: Option<Resolution>) -> Cell {
    match resolution {
        Some(Resolution { due_at, .. }) => Cell::time(due_at),
        None => Cell::badge(&t.text("admin-waits-for-you"), "warn"),
    }
}

/// The form that decides, for who may.
fn decision(signed: &Signed, id: &str) -> Option<Block> {
    let t = signed.texts();
    let words = [
        t.text("admin-decide"),
        t.text("admin-decide-words"),
        t.text("admin-decide-confirm"),
        t.text("admin-decide-button"),
    ];
    let mut form = act(signed, format!("/admin/unresolved/{id}"), words, false)?;
    form.fields.push(Field {
        choices: vec![
            ("failure".to_owned(), t.text("admin-to-failure")),
            ("success".to_owned(), t.text("admin-to-success")),
        ],
        ..Field::typed("to", t.text("admin-becomes"), "failure")
    });
    Some(Block::Act(Box::new(form)))
}

/// `GET /admin/unresolved`
pub(super) async fn unresolved(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
) -> Response<Body> {
    let t = signed.texts();
    let found = look(&app, &signed, |rows| Ok((rows.running_payments(PAGE)?, rows.running_refunds(PAGE)?)));
    let (payments, refunds) = match found.await {
        Ok(found) => found,
        Err(page) => return *page,
    };
    let mut rows: Vec<_> = payments
        .iter()
        .map(|row| {
            let cells = vec![
                Cell::text(&t.text("admin-payment")),
                link("payments", row.id.as_str()),
                Cell::number(&t.money(&row.amount)),
                link("clients", row.client.as_str()),
                Cell::time(row.created_at),
                plan(&t, row.resolution),
            ];
            (row.created_at, cells)
        })
        .collect();
    rows.extend(refunds.iter().map(|row| {
        let cells = vec![
            Cell::text(&t.text("admin-refund")),
            Cell::code(row.id.as_str()).to(format!("/admin/payments/{}", row.payment)),
            Cell::number(&t.money(&row.amount)),
            link("clients", row.client.as_str()),
            Cell::time(row.created_at),
            plan(&t, row.resolution),
        ];
        (row.created_at, cells)
    }));
    rows.sort_by_key(|(since, _)| *since);
    let table = Table {
        heading: t.text("admin-oldest-first"),
        columns: vec![
            t.text("admin-kind"),
            t.text("admin-id"),
            t.text("admin-amount"),
            t.text("admin-client"),
            t.text("admin-since"),
            t.text("admin-plan"),
        ],
        rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        empty: t.text("admin-none-unresolved"),
        older: None,
    };
    let blocks = vec![Block::Words(t.text("admin-unresolved-words")), Block::Table(table)];
    show_page(&signed, 200, "/unresolved", t.text("admin-unresolved"), blocks)
}

/// `POST /admin/unresolved/{id}`
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Response<Body> {
    let (Some(payment), Some(refund)) = (PaymentId::read(&id), RefundId::read(&id)) else {
        return failed(&signed, 404);
    };
    let seen = refund.clone();
    let home = match look(&app, &signed, move |rows| rows.refund(&seen)).await {
        Ok(refund) => format!("/admin/payments/{}", refund.map_or(payment.clone(), |refund| refund.payment)),
        Err(page) => return *page,
    };
    let succeed = match fields.said("to") {
        "success" => true,
        "failure" => false,
        _ => return done(&home, "unconfirmed"),
    };
    if !fields.confirmed() {
        return done(&home, "unconfirmed");
    }
    let (actor, at) = (who(&signed), app.clock.moment());
    let decided = app.transact(move |tx| {
        for running in [Running::Payment(payment.clone()), Running::Refund(refund.clone())] {
            let decided = decide(tx, &running, succeed, &actor, &at)?;
            if decided != Decided::Unknown {
                return Ok(decided);
            }
        }
        Ok(Decided::Unknown)
    });
    match decided.await {
        Ok(Decided::Due) => {
            app.wake.notify_one();
            done(&home, "decided")
        }
        Ok(Decided::Ended | Decided::Expired | Decided::AgreementOver) => done(&home, "as-it-was"),
        Ok(Decided::Unknown) => failed(&signed, 404),
        Err(stop) => stopped(&signed, stop),
    }
}
