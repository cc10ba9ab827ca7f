//! One payment of the user's: why was I charged?

use super::agreement::went;
use super::{Asked, Visit, either};
use crate::app::App;
use crate::pages::wallet::payment::{Back, PaymentView, render};
use accord_core::agreement::control;
use accord_core::ids::PaymentId;
use accord_core::money::Amount;
use accord_core::payment::refund::RefundStage;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response};
use std::sync::Arc;

/// Refunds shown.
const REFUNDS: usize = 100;

/// `GET /wallet/payments/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response<Body> {
    either(
        async {
            let visit = Visit::enter(&app, &headers, &asked, format!("/wallet/payments/{id}")).await?;
            let id = PaymentId::read(&id).ok_or_else(|| visit.nothing())?;
            let (customer, seen) = (visit.account.user.id.clone(), app.clone());
            let found = visit.look(move |rows| {
                let payment = rows.payment(&id)?.filter(|payment| payment.customer == customer);
                let Some(payment) = payment else { return Ok(None) };
                let Some(agreement) = rows.agreement(&payment.agreement)? else { return Ok(None) };
                let Some(terms) = rows.terms(&agreement.auth_id)? else { return Ok(None) };
                let limits = match seen.dialect(&agreement.dialect) {
                    Some(dialect) => {
                        control::overview(rows, &agreement, dialect.policy(), seen.clock.now())?.effective
                    }
                    None => None,
                };
                let refunds = rows.refunds_of(&payment.id, REFUNDS)?;
                Ok(Some((payment, agreement, terms, limits, refunds)))
            });
            let found = found.await?.ok_or_else(|| visit.nothing())?;
            let (payment, agreement, terms, limits, refunds) = found;
            let mut back: Vec<Back> = Vec::new();
            for refund in &refunds {
                let at = match refund.stage {
                    RefundStage::InProcess => None,
                    RefundStage::Succeeded { at } => Some(at),
                    RefundStage::Failed { .. } => continue,
                };
                let reason = refund.reason.clone().unwrap_or_default();
                back.push(Back { amount: refund.amount, at, reason });
            }
            // What a cancelled order had left came back as well.
            let refunded: i64 = back.iter().map(|back| back.amount.value()).sum();
            let rest = payment.refunded.saturating_sub(refunded);
            if let Some(amount) = Amount::new(payment.amount.currency, rest)
                && payment.closed_at.is_some()
            {
                back.push(Back { amount, at: payment.closed_at, reason: String::new() });
            }
            let view = PaymentView {
                frame: visit.frame(),
                id: payment.id.to_string(),
                request_id: payment.request_id.as_str().to_owned(),
                merchant: terms.display_name,
                legal_name: terms.legal_name,
                went: went(&payment),
                at: payment.settled_at().unwrap_or(payment.created_at),
                description: payment.description,
                amount: payment.amount,
                agreement: agreement.id.to_string(),
                agreed_at: agreement.created_at,
                limits,
                cancelled_at: payment.closed_at,
                back,
            };
            Ok(visit.page(render(&view)))
        }
        .await,
    )
}
