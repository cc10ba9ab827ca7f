//! One agreement with its story, and the receipt of its end.

use super::{Asked, Visit, either};
use crate::app::App;
use crate::pages::wallet::agreement::{AgreementView, Granted, Typed, render};
use crate::pages::wallet::timeline::{Event, Said, Went, What, Who};
use crate::unbinding;
use accord_core::agreement::control::{self, Controls, Overview};
use accord_core::agreement::limits::Limits;
use accord_core::agreement::{Agreement, Consent, EndedBy, Terms};
use accord_core::calendar::Date;
use accord_core::ids::{AgreementId, PaymentId};
use accord_core::journal::JournalLine;
use accord_core::message::About;
use accord_core::money::Currency;
use accord_core::payment::refund::{Refund, RefundStage};
use accord_core::payment::{Payment, PaymentStage};
use accord_core::secret::Digest;
use accord_core::store::{Rows, Stored};
use accord_core::{Timestamp, calendar};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use std::sync::Arc;

/// Payments on one page of the story.
const PAGE: usize = 50;
/// Refunds of one payment shown.
const REFUNDS: usize = 50;
/// Messages looked through for notices.
const NOTICES: usize = 1_000;

/// An agreement of the user's, as far as a page or a form needs it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) agreement: Agreement,
    pub(super) terms: Terms,
    pub(super) controls: Controls,
    pub(super) overview: Option<Overview>,
    pub(super) currency: Option<Currency>,
    pub(super) zone_offset_ms: i64,
}

impl Found {
    /// What its forms are about: this agreement as it stands now. When it stands otherwise, they are too old.
    pub(super) fn form(&self) -> String {
        let stands = format!("{:?} {:?}", self.agreement.stage, self.controls);
        format!("agreement/{}/{}", self.agreement.id, Digest::of(&stands).hex())
    }
}

/// The agreement of that id, if it is this user's.
pub(super) async fn find(visit: &Visit, id: &str) -> Result<Found, Response<Body>> {
    let id = AgreementId::read(id).ok_or_else(|| visit.nothing())?;
    let (app, customer) = (visit.app.clone(), visit.account.user.id.clone());
    let found = visit.look(move |rows| {
        let agreement = rows.agreement(&id)?.filter(|agreement| agreement.customer == customer);
        let Some(agreement) = agreement else { return Ok(None) };
        let Some(terms) = rows.terms(&agreement.auth_id)? else { return Ok(None) };
        let controls = rows.controls(&id)?.unwrap_or_else(|| Controls::none(id.clone()));
        let dialect = app.dialect(&agreement.dialect);
        let policy = dialect.as_ref().map(|dialect| dialect.policy());
        let overview = match policy {
            Some(policy) => Some(control::overview(rows, &agreement, policy, app.clock.now())?),
            None => None,
        };
        let newest = rows.payments_of_agreement(&customer, &id, None, 1)?;
        let newest = newest.first().map(|payment| payment.amount.currency);
        let own = controls.user.currency.or(controls.merchant.currency);
        let wallet = policy.map(|policy| &policy.control);
        Ok(Some(Found {
            // A limit refuses debits in every other currency: where nothing is agreed, the one that is debited counts.
            currency: own
                .or_else(|| wallet.and_then(|control| control.limits.currency))
                .or(newest)
                .or_else(|| wallet.and_then(|control| control.currency)),
            zone_offset_ms: policy.map_or(0, |policy| policy.control.day_zone_offset_ms),
            overview,
            controls,
            terms,
            agreement,
        }))
    });
    found.await?.ok_or_else(|| visit.nothing())
}

/// `GET /wallet/agreements/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    let visit = match Visit::enter(&app, &headers, &asked, format!("/wallet/agreements/{id}")).await {
        Ok(visit) => visit,
        Err(reply) => return reply,
    };
    either(
        async {
            let found = find(&visit, &id).await?;
            draw(&visit, found, None, asked.before.as_deref()).await
        }
        .await,
    )
}

/// The page of an agreement, with what was typed into its form if that comes back.
pub(super) async fn draw(
    visit: &Visit,
    found: Found,
    typed: Option<Typed>,
    before: Option<&str>,
) -> Result<Response<Body>, Response<Body>> {
    let csrf = visit.token(&found.form());
    let before = before.and_then(PaymentId::read);
    let told = found.clone();
    let (consent, events, older) = visit.look(move |rows| story(rows, &told, before.as_ref())).await?;
    let Found { agreement, terms, controls, overview, currency, zone_offset_ms } = found;
    let own = Typed::of(&controls.user);
    let today = calendar::day_of(visit.app.clock.now(), zone_offset_ms);
    let ended = agreement.ended();
    let view = AgreementView {
        frame: visit.frame(),
        granted: Granted {
            id: agreement.id.to_string(),
            auth_id: agreement.auth_id.to_string(),
            merchant: terms.display_name,
            legal_name: terms.legal_name,
            agreed_at: agreement.created_at,
            contract_title: terms.contract_title,
            contract_text: terms.contract_text,
            scopes: terms.scopes,
            text_digest: consent.map(|consent| consent.text_digest.hex()),
        },
        overview,
        currency,
        typed: typed.unwrap_or(own),
        csrf,
        tomorrow: Date::of_day(today + 1),
        receipt: ended && visit.app.options.receipts.is_some(),
        older: older.map(|payment| format!("/wallet/agreements/{}?before={payment}", agreement.id)),
        events,
    };
    Ok(visit.page(render(&view)))
}

type Story = (Option<Consent>, Vec<Event>, Option<PaymentId>);

/// What happened, newest first: a page of payments and what lies between them. Gives where the next page begins.
fn story(rows: &dyn Rows, found: &Found, before: Option<&PaymentId>) -> Stored<Story> {
    let agreement = &found.agreement;
    let customer = &agreement.customer;
    let theirs = |payment: &Payment| payment.agreement == agreement.id && payment.customer == *customer;
    let before = match before {
        Some(id) => rows.payment(id)?.filter(theirs),
        None => None,
    };
    let place = before.as_ref().map(|payment| (payment.created_at, &payment.id));
    let payments = rows.payments_of_agreement(customer, &agreement.id, place, PAGE)?;
    let full = payments.len() == PAGE;
    let last = payments.last().filter(|_| full);
    let (newest, oldest) = (before.map(|payment| payment.created_at), last.map(|payment| payment.created_at));

    let mut events = Vec::new();
    for payment in payments.iter().filter(|payment| !payment.evaluation) {
        events.push(debit(payment));
        if payment.refunded > 0 {
            let refunds = rows.refunds_of(&payment.id, REFUNDS)?;
            events.extend(refunds.iter().filter_map(|refund| given_back(payment, refund)));
        }
    }
    let mut between = Vec::new();
    let consent = rows.consent(&agreement.auth_id)?;
    between.push(agreed(agreement, &found.terms, consent.as_ref()));
    let journal = rows.journal_of(agreement.id.bucket(), agreement.id.as_str())?;
    between.extend(journal.iter().filter_map(|line| journalled(agreement, line)));
    for message in rows.messages(customer, NOTICES)? {
        if let About::Upcoming { agreement: of, due_at, .. } = message.about
            && of == agreement.id
        {
            between.push(Event { at: message.at, who: Who::Wallet, what: What::Notice { due_at } });
        }
    }
    let here = |event: &Event| {
        newest.is_none_or(|newest| event.at < newest) && oldest.is_none_or(|oldest| event.at >= oldest)
    };
    events.extend(between.into_iter().filter(here));
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    Ok((consent, events, last.map(|payment| payment.id.clone())))
}

fn agreed(agreement: &Agreement, terms: &Terms, consent: Option<&Consent>) -> Event {
    let language = consent.map(|consent| consent.language).or(terms.language);
    Event {
        at: agreement.created_at,
        who: Who::You,
        what: What::Agreed {
            language: language.unwrap_or(accord_core::user::Language::English),
            terminal: terms.terminal,
            address: consent.map(|consent| consent.address.clone()).unwrap_or_default(),
        },
    }
}

pub(super) fn went(payment: &Payment) -> Went {
    match payment.stage {
        PaymentStage::Succeeded { .. } => Went::Paid,
        PaymentStage::Failed { refusal, .. } => Went::Declined(refusal),
        PaymentStage::InProcess => Went::Running,
    }
}

fn debit(payment: &Payment) -> Event {
    Event {
        at: payment.settled_at().unwrap_or(payment.created_at),
        who: Who::Merchant,
        what: What::Debit {
            payment: payment.id.to_string(),
            amount: payment.amount,
            went: went(payment),
            description: payment.description.clone(),
        },
    }
}

fn given_back(payment: &Payment, refund: &Refund) -> Option<Event> {
    let RefundStage::Succeeded { at } = refund.stage else { return None };
    Some(Event {
        at,
        who: Who::Merchant,
        what: What::Refund {
            payment: payment.id.to_string(),
            amount: refund.amount,
            reason: refund.reason.clone().unwrap_or_default(),
        },
    })
}

/// A line of the journal as an event; nothing for lines that are for the operator.
fn journalled(agreement: &Agreement, line: &JournalLine) -> Option<Event> {
    let what = match line.act.as_str() {
        "token.created" => What::TokensIssued,
        "token.refreshed" => What::TokensRenewed,
        "agreement.paused" => {
            let until = line.detail.strip_prefix("until ").and_then(|until| until.parse().ok());
            What::Paused(until.map(Timestamp))
        }
        "agreement.resumed" => What::Resumed,
        "agreement.limited" => What::Limited(Limits::read(&line.detail)),
        "agreement.consulted" => What::Asked(said(&line.detail)?),
        "agreement.ended" => What::Ended(EndedBy::parse(&line.detail)?),
        _ => return None,
    };
    let user = line.actor == agreement.customer.as_str();
    let who = match what {
        What::TokensIssued | What::TokensRenewed => Who::Merchant,
        What::Ended(EndedBy::Merchant) => Who::Merchant,
        What::Ended(EndedBy::Wallet) => Who::Wallet,
        _ if user => Who::You,
        _ => Who::App,
    };
    Some(Event { at: line.at, who, what })
}

/// What the journal says of a consultation (`accord_core::agreement::unbind`).
pub(super) fn said(detail: &str) -> Option<Said> {
    match detail {
        "allowed" => Some(Said::Allowed),
        "not allowed" => Some(Said::NotAllowed),
        "no answer" => Some(Said::Nothing),
        _ => None,
    }
}

/// `GET /wallet/agreements/{id}/receipt`: the signed receipt of an agreement that is over, as a file.
pub(super) async fn receipt(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    let visit = match Visit::enter(&app, &headers, &asked, format!("/wallet/agreements/{id}")).await {
        Ok(visit) => visit,
        Err(reply) => return reply,
    };
    either(
        async {
            let found = find(&visit, &id).await?;
            let receipt = unbinding::receipt_of(&app, &found.agreement.id).await;
            let receipt = receipt.map_err(|fault| visit.fault(&fault))?.ok_or_else(|| visit.nothing())?;
            let mut reply = visit.page(receipt.document().to_string());
            let name = format!("attachment; filename=\"accord-receipt-{}.json\"", found.agreement.id);
            reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Ok(name) = HeaderValue::from_str(&name) {
                reply.headers_mut().insert(header::CONTENT_DISPOSITION, name);
            }
            Ok(reply)
        }
        .await,
    )
}

/// `GET /wallet/receipts.pub.pem`: the key that receipts are checked with, for everybody. Nothing to see where the wallet
/// seals none.
pub(super) async fn receipt_key(State(app): State<Arc<App>>) -> Response<Body> {
    let key = app.options.receipts.as_ref().map(|key| key.public_key().pem().to_owned());
    let mut reply = Response::new(Body::from(key.clone().unwrap_or_default()));
    if key.is_none() {
        *reply.status_mut() = StatusCode::NOT_FOUND;
        return reply;
    }
    for (name, value) in [
        (header::CONTENT_TYPE, "application/x-pem-file"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"receipts.pub.pem\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ] {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}
