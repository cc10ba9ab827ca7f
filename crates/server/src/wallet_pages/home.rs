//! The user's agreements and balances, and the inbox.

use super::{Asked, LETTERS, Visit, either};
use crate::app::App;
use crate::pages::messages;
use crate::pages::wallet::home::{HomeView, Line, Standing, render};
use crate::pages::wallet::{Letter, render_inbox};
use accord_core::Timestamp;
use accord_core::agreement::control::{self, State as Stands};
use accord_core::agreement::{Agreement, Terms};
use accord_core::ids::CustomerId;
use accord_core::message::{About, Kind, Message, routes};
use accord_core::money::{Amount, Currency};
use accord_core::preference;
use accord_core::store::{Rows, Stored};
use accord_core::user::mask_login_id;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response};
use std::sync::Arc;

/// Agreements shown.
const AGREEMENTS: usize = 200;
/// Characters of a contract that a line of the list begins with; the page cuts it where it is wide enough.
const ABOUT: usize = 120;
/// Payments looked through for the last one that was paid.
const RECENT: usize = 20;

/// `GET /wallet`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    let visit = match Visit::enter(&app, &headers, &asked, "/wallet".to_owned()).await {
        Ok(visit) => visit,
        Err(reply) => return reply,
    };
    either(
        async {
            let (seen, customer) = (app.clone(), visit.account.user.id.clone());
            let (balances, agreements) = visit
                .look(move |rows| Ok((balances(rows, &customer)?, lines(&seen, rows, &customer)?)))
                .await?;
            let login_id = mask_login_id(&visit.account.user.login_id);
            let only = asked.state.as_deref().and_then(Standing::parse);
            let frame = visit.frame();
            Ok(visit.page(render(&HomeView { frame, login_id, balances, agreements, only })))
        }
        .await,
    )
}

fn balances(rows: &dyn Rows, customer: &CustomerId) -> Stored<Vec<(Currency, Option<Amount>)>> {
    let accounts = rows.accounts_of(customer)?;
    let shown =
        accounts.iter().map(|account| (account.currency, Amount::new(account.currency, account.balance)));
    Ok(shown.collect())
}

fn lines(app: &App, rows: &dyn Rows, customer: &CustomerId) -> Stored<Vec<Line>> {
    let agreements = rows.agreements_of(customer, AGREEMENTS)?;
    agreements.iter().map(|agreement| line(app, rows, agreement)).collect()
}

fn line(app: &App, rows: &dyn Rows, agreement: &Agreement) -> Stored<Line> {
    let terms = rows.terms(&agreement.auth_id)?;
    let overview = match app.dialect(&agreement.dialect) {
        Some(dialect) => Some(control::overview(rows, agreement, dialect.policy(), app.clock.now())?),
        None => None,
    };
    let recent = rows.payments_of_agreement(&agreement.customer, &agreement.id, None, RECENT)?;
    let last = recent.iter().find_map(|payment| Some((payment.amount, payment.paid_at()?)));
    Ok(Line {
        id: agreement.id.to_string(),
        about: terms.as_ref().map(about).unwrap_or_default(),
        merchant: terms.map(|terms| terms.display_name).unwrap_or_default(),
        auth_id: agreement.auth_id.to_string(),
        agreed_at: agreement.created_at,
        state: overview.as_ref().map_or(Stands::Lapsed, |overview| overview.state),
        paused_until: overview.as_ref().and_then(|overview| overview.paused_until),
        last,
        next: overview.and_then(|overview| overview.next_due.map(|day| (day, overview.next_amount))),
    })
}

/// The contract in a line.
fn about(terms: &Terms) -> String {
    let first =
        terms.contract_text.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
    let said = terms.contract_title.as_deref().or(first).unwrap_or_default();
    said.chars().take(ABOUT).collect()
}

/// `GET /wallet/inbox`: shows the messages, and notes that they were seen.
pub(super) async fn inbox(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    let mut visit = match Visit::enter(&app, &headers, &asked, "/wallet/inbox".to_owned()).await {
        Ok(visit) => visit,
        Err(reply) => return reply,
    };
    visit.unread = 0;
    either(
        async {
            let customer = visit.account.user.id.clone();
            let (seen_at, found) = visit
                .look(move |rows| {
                    let found = rows.messages(&customer, LETTERS)?;
                    let shown = found.into_iter().map(|message| covered(rows, message));
                    Ok((preference::of(rows, &customer)?.seen_at, shown.collect::<Stored<Vec<_>>>()?))
                })
                .await?;
            let newest = found.iter().map(|message| message.at).max();
            if let Some(newest) = newest.filter(|newest| *newest > seen_at) {
                let customer = visit.account.user.id.clone();
                let noted = app.transact(move |tx| preference::saw_inbox(tx, &customer, newest)).await;
                visit.ruled(noted)?;
            }
            let letters: Vec<Letter> = found.iter().map(|message| letter(message, seen_at)).collect();
            Ok(visit.page(render_inbox(&visit.frame(), &letters)))
        }
        .await,
    )
}

/// A message as this page shows it, which the PIN alone opens: a one-time code that went out by SMS or e-mail is covered,
/// for it is there to be more than the PIN.
fn covered(rows: &dyn Rows, mut message: Message) -> Stored<Message> {
    let away = message.about.kind() == Kind::OneTimeCode && routes::leaves(rows, &message)?;
    if away && let About::OneTimeCode { code, .. } = &mut message.about {
        *code = "\u{2022}".repeat(code.chars().count());
    }
    Ok(message)
}

fn letter(message: &Message, seen_at: Timestamp) -> Letter {
    let words = messages::render(message);
    let link = match &message.about {
        About::Debit { payment, .. } | About::Refund { payment, .. } => {
            Some(format!("/wallet/payments/{payment}"))
        }
        About::Upcoming { agreement, .. } | About::Ended { agreement, .. } => {
            Some(format!("/wallet/agreements/{agreement}"))
        }
        About::OneTimeCode { .. } | About::FromMerchant { .. } => None,
    };
    Letter {
        title: words.title,
        text: words.text,
        language: message.language,
        at: message.at,
        new: message.at > seen_at,
        link,
    }
}
