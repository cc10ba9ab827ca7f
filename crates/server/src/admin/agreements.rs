//! `/admin/agreements`: found by id, by user, by the owner's reference; and one of them with all that belongs to it.

use super::{Asked, PART, failed, field, journal_table, link, look, show as show_page, typed, words};
use crate::admin::door::Signed;
use crate::app::{App, as_voice};
use crate::pages::admin::{Block, Cell, Search, Table};
use crate::pages::i18n::Texts;
use accord_core::Timestamp;
use accord_core::agreement::control::{Overview, overview};
use accord_core::agreement::limits::Limits;
use accord_core::agreement::{Agreement, AgreementStage, Consent, Terms};
use accord_core::ids::{AgreementId, AuthId, CustomerId, LoginId};
use accord_core::journal::JournalLine;
use accord_core::money::Amount;
use accord_core::payment::Payment;
use accord_core::store::{Rows, Stored};
use accord_core::token::TokenSet;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use std::sync::Arc;

/// `GET /admin/agreements`
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    asked: Asked,
) -> Response<Body> {
    let t = signed.texts();
    let wanted = typed(&asked, "q");
    let fields = vec![field("q", t.text("admin-agreement-query"), &asked)];
    let mut blocks = vec![Block::Search(Search { action: "/admin/agreements", fields })];
    if !wanted.is_empty() {
        let found = match look(&app, &signed, move |rows| find(rows, &wanted)).await {
            Ok(found) => found,
            Err(page) => return *page,
        };
        blocks.push(table(&t, t.text("admin-found"), &found));
    }
    show_page(&signed, 200, "/agreements", t.text("admin-agreements"), blocks)
}

/// By whichever of its names.
fn find(rows: &dyn Rows, wanted: &str) -> Stored<Vec<Agreement>> {
    let mut found = Vec::new();
    if let Some(id) = AgreementId::read(wanted) {
        found.extend(rows.agreement(&id)?);
    }
    if let Some(id) = AuthId::read(wanted) {
        found.extend(rows.agreement_of_authorization(&id)?);
    }
    let customer = match CustomerId::read(wanted) {
        Some(id) => rows.user(&id)?.map(|user| user.id),
        None => rows.customer_of(&LoginId::new(wanted))?,
    };
    if let Some(customer) = customer {
        found.extend(rows.agreements_of(&customer, super::PAGE)?);
    }
    found.extend(rows.agreements_by_reference(wanted, super::PAGE)?);
    Ok(found)
}

/// Agreements as rows.
pub(super) fn table(t: &Texts, heading: String, agreements: &[Agreement]) -> Block {
    let row = |row: &Agreement| {
        vec![
            link("agreements", row.id.as_str()),
            words::stage(t, &row.stage),
            link("clients", row.client.as_str()),
            link("users", row.customer.as_str()),
            Cell::time(row.created_at),
        ]
    };
    Block::Table(Table {
        heading,
        columns: vec![
            t.text("admin-agreement"),
            t.text("admin-state"),
            t.text("admin-client"),
            t.text("admin-user"),
            t.text("admin-since"),
        ],
        rows: agreements.iter().map(row).collect(),
        empty: t.text("admin-nothing-found"),
        older: None,
    })
}

struct Seen {
    agreement: Agreement,
    terms: Option<Terms>,
    consent: Option<Consent>,
    stands: Option<Overview>,
    tokens: Vec<TokenSet>,
    payments: Vec<Payment>,
    journal: Vec<JournalLine>,
}

/// `GET /admin/agreements/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed): Extension<Signed>,
    Path(id): Path<String>,
) -> Response<Body> {
    let Some(id) = AgreementId::read(&id) else { return failed(&signed, 404) };
    let (seen, now) = (app.clone(), app.clock.now());
    let found = look(&app, &signed, move |rows| {
        let Some(agreement) = rows.agreement(&id)? else { return Ok(None) };
        let stands = match seen.dialect(&agreement.dialect) {
            Some(dialect) => Some(overview(rows, &agreement, as_voice(dialect.as_ref()).policy(), now)?),
            None => None,
        };
        let newest = (1..=agreement.generation).rev().take(PART);
        let tokens = newest.map(|number| rows.token_set(&agreement.id, number));
        Ok(Some(Seen {
            terms: rows.terms(&agreement.auth_id)?,
            consent: rows.consent(&agreement.auth_id)?,
            stands,
            tokens: tokens.collect::<Stored<Vec<_>>>()?.into_iter().flatten().collect(),
            payments: rows.payments_of_agreement(&agreement.customer, &agreement.id, None, PART)?,
            journal: written(rows, &agreement)?,
            agreement,
        }))
    });
    match found.await {
        Ok(Some(seen)) => {
            let t = signed.texts();
            let title = t.text("admin-agreement");
            show_page(&signed, 200, "/agreements", title, blocks(&t, &seen, now))
        }
        Ok(None) => failed(&signed, 404),
        Err(page) => *page,
    }
}

/// What was written down about the agreement and the authorization that it came of, which share a stream.
fn written(rows: &dyn Rows, agreement: &Agreement) -> Stored<Vec<JournalLine>> {
    let stream = agreement.id.bucket();
    let mut lines = rows.journal_about(stream, agreement.id.as_str(), None, PART + 1)?;
    lines.extend(rows.journal_about(stream, agreement.auth_id.as_str(), None, PART + 1)?);
    lines.sort_by_key(|line| std::cmp::Reverse(line.number));
    Ok(lines)
}

fn blocks(t: &Texts, seen: &Seen, now: Timestamp) -> Vec<Block> {
    let Seen { agreement, terms, consent, stands, tokens, payments, journal } = seen;
    let state = stands
        .as_ref()
        .map_or_else(|| words::stage(t, &agreement.stage), |stands| words::state(t, stands.state));
    let mut facts = vec![
        (t.text("admin-agreement"), Cell::code(agreement.id.as_str())),
        (t.text("admin-state"), state),
        (t.text("admin-user"), link("users", agreement.customer.as_str())),
        (t.text("admin-client"), link("clients", agreement.client.as_str())),
        (t.text("admin-dialect"), Cell::code(agreement.dialect.as_str())),
        (t.text("admin-owner"), Cell::code(agreement.owner.as_str())),
        (t.text("admin-authorization"), Cell::code(agreement.auth_id.as_str())),
        (t.text("admin-since"), Cell::time(agreement.created_at)),
    ];
    if let AgreementStage::Ended { at, by } = agreement.stage {
        facts.push((t.text("admin-ended"), Cell::time(at)));
        facts.push((t.text("admin-ended-by"), Cell::code(by.as_str())));
    }
    let mut blocks = vec![Block::Facts(String::new(), facts)];
    if let Some(terms) = terms {
        blocks.extend(of_terms(t, terms));
    }
    if let Some(consent) = consent {
        let digest = consent.text_digest.hex();
        blocks.push(Block::Facts(
            t.text("admin-consent"),
            vec![
                (t.text("admin-time"), Cell::time(consent.at)),
                (t.text("admin-language"), Cell::code(consent.language.as_str())),
                (t.text("admin-page-version"), Cell::code(&consent.version)),
                (t.text("admin-text-digest"), Cell::code(&digest)),
                (t.text("admin-address"), Cell::code(&consent.address)),
            ],
        ));
    }
    if let Some(stands) = stands {
        blocks.push(of_limits(t, stands));
    }
    blocks.push(of_tokens(t, agreement, tokens, now));
    blocks.push(super::payments::table(t, t.text("admin-payments"), payments));
    blocks.push(journal_table(t, agreement.id.bucket(), agreement.id.as_str(), journal));
    blocks
}

fn of_terms(t: &Texts, terms: &Terms) -> Vec<Block> {
    let scopes: Vec<&str> = terms.scopes.iter().map(|scope| scope.as_str()).collect();
    let maybe = |text: &Option<String>| Cell::text(text.as_deref().unwrap_or_default());
    let mut blocks = vec![Block::Facts(
        t.text("admin-terms"),
        vec![
            (t.text("admin-display-name"), Cell::text(&terms.display_name)),
            (t.text("admin-legal-name"), Cell::text(&terms.legal_name)),
            (t.text("admin-scopes"), Cell::code(&scopes.join(" "))),
            (t.text("admin-reference"), maybe(&terms.reference_agreement_id)),
            (t.text("admin-shop"), maybe(&terms.reference_merchant_id)),
            (t.text("admin-terminal"), Cell::code(terms.terminal.as_str())),
            (t.text("admin-time"), Cell::time(terms.created_at)),
        ],
    )];
    if let Some(text) = &terms.contract_text {
        let title = terms.contract_title.as_deref().map(crate::pages::markup::clean_line);
        let heading = title.unwrap_or_else(|| t.text("contract-heading"));
        blocks.push(Block::Source(heading, crate::pages::markup::clean(text)));
    }
    blocks
}

fn of_limits(t: &Texts, stands: &Overview) -> Block {
    let money = |limits: &Limits, value: Option<i64>| {
        let amount = limits.currency.zip(value).and_then(|(currency, value)| Amount::new(currency, value));
        Cell::number(&amount.map(|amount| t.money(&amount)).unwrap_or_default())
    };
    let row = |name: String, limits: &Limits| {
        vec![
            Cell::text(&name),
            money(limits, limits.per_debit),
            money(limits, limits.per_day),
            money(limits, limits.per_week),
            money(limits, limits.per_month),
            money(limits, limits.per_year),
            Cell::number(&limits.max_count.map(|count| count.to_string()).unwrap_or_default()),
            Cell::maybe_time(limits.valid_from),
            Cell::maybe_time(limits.valid_to),
        ]
    };
    Block::Table(Table {
        heading: t.text("admin-limits"),
        columns: vec![
            t.text("admin-set-by"),
            t.text("admin-per-debit"),
            t.text("admin-per-day"),
            t.text("admin-per-week"),
            t.text("admin-per-month"),
            t.text("admin-per-year"),
            t.text("admin-count"),
            t.text("admin-valid-from"),
            t.text("admin-valid-to"),
        ],
        rows: vec![
            row(t.text("admin-by-merchant"), &stands.merchant),
            row(t.text("admin-by-user"), &stands.user),
        ],
        empty: String::new(),
        older: None,
    })
}

/// Pairs of tokens by what became of them. Nothing of a token is kept, and nothing is shown.
fn of_tokens(t: &Texts, agreement: &Agreement, tokens: &[TokenSet], now: Timestamp) -> Block {
    let row = |set: &TokenSet| {
        let state = if agreement.ended() {
            Cell::badge(&t.text("admin-ended"), "quiet")
        } else if set.replaced_at.is_some() {
            Cell::badge(&t.text("admin-replaced"), "quiet")
        } else if now >= set.access_expires_at {
            Cell::badge(&t.text("admin-expired"), "warn")
        } else {
            Cell::badge(&t.text("admin-active"), "good")
        };
        vec![
            Cell::number(&set.generation.to_string()),
            state,
            Cell::time(set.issued_at),
            Cell::time(set.access_expires_at),
            Cell::time(set.refresh_expires_at),
            Cell::maybe_time(set.replaced_at),
        ]
    };
    Block::Table(Table {
        heading: t.text("admin-tokens"),
        columns: vec![
            t.text("admin-generation"),
            t.text("admin-state"),
            t.text("admin-issued"),
            t.text("admin-access-until"),
            t.text("admin-refresh-until"),
            t.text("admin-replaced"),
        ],
        rows: tokens.iter().map(row).collect(),
        empty: t.text("admin-no-tokens"),
        older: None,
    })
}
