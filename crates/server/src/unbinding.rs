//! Ends agreements in the wallet: for a user, after asking whom the paper wants asked; for the wallet itself. Gives
//! the receipt of revocation.
//!
//! The pages, the wallet API and the sandbox call this; whether the caller may act for that user is theirs to know.

use crate::app::App;
use crate::consult::consult;
use accord_core::agreement::Agreement;
use accord_core::agreement::unbind::{self, Unbound};
use accord_core::ids::AgreementId;
use accord_core::store::{StoreFault, Stored};
use accord_core::{Ruled, Stop};
use accord_wire::receipt::{self, Receipt};
use std::sync::Arc;

/// What came of the wish to end an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It is over, now or before.
    Ended {
        /// The agreement.
        agreement: Box<Agreement>,
        /// The paper for the user; nothing where the wallet has no key for receipts.
        receipt: Option<Receipt>,
    },
    /// The owner says no: send the user to the merchant of that name.
    NotAllowed {
        /// As the user knows it.
        merchant: String,
    },
    /// Nobody could be asked: try later.
    Unknown,
    /// There is no such agreement.
    NotFound,
}

/// A user ends an agreement of the user's own. May take the five seconds that the owner has for its answer.
pub async fn end_by_user(app: &Arc<App>, id: &AgreementId) -> Stored<Ending> {
    let Some(agreement) = agreement_of(app, id).await? else { return Ok(Ending::NotFound) };
    let consulted = consult(app, id).await?;
    let at = app.clock.moment();
    let wanted = id.clone();
    let unbound = app
        .transact_with(&agreement.dialect, move |tx, context| {
            unbind::by_user(tx, &wanted, consulted, context, &at)
        })
        .await;
    app.wake.notify_one();
    match done(unbound)? {
        Unbound::Ended(agreement) => ended(app, agreement).await,
        Unbound::NotAllowed(agreement) => {
            let terms = app.look(move |rows| rows.terms(&agreement.auth_id)).await?;
            Ok(Ending::NotAllowed { merchant: terms.map(|terms| terms.display_name).unwrap_or_default() })
        }
        Unbound::TryLater { .. } => Ok(Ending::Unknown),
        Unbound::NotFound => Ok(Ending::NotFound),
    }
}

/// The wallet ends an agreement: fraud, a closed account. `actor` and `reason` go to the journal.
pub async fn end_by_wallet(app: &Arc<App>, id: &AgreementId, actor: &str, reason: &str) -> Stored<Ending> {
    let Some(agreement) = agreement_of(app, id).await? else { return Ok(Ending::NotFound) };
    let at = app.clock.moment();
    let (wanted, actor, reason) = (id.clone(), actor.to_owned(), reason.to_owned());
    let found = app
        .transact_with(&agreement.dialect, move |tx, context| {
            unbind::by_wallet(tx, &wanted, &actor, &reason, context, &at)
        })
        .await;
    app.wake.notify_one();
    match done(found)? {
        Some(agreement) => ended(app, agreement).await,
        None => Ok(Ending::NotFound),
    }
}

/// The receipt of an agreement that is over, whoever ended it; nothing for one that lives, or without a key.
pub async fn receipt_of(app: &Arc<App>, id: &AgreementId) -> Stored<Option<Receipt>> {
    match agreement_of(app, id).await? {
        Some(agreement) => receipt_for(app, &agreement).await,
        None => Ok(None),
    }
}

async fn ended(app: &Arc<App>, agreement: Agreement) -> Stored<Ending> {
    // The agreement is over whatever becomes of the receipt: it can be had later.
    let receipt = receipt_for(app, &agreement).await.unwrap_or_else(|fault| {
        tracing::error!(%fault, agreement = %agreement.id, "a receipt could not be made");
        None
    });
    Ok(Ending::Ended { agreement: Box::new(agreement), receipt })
}

async fn receipt_for(app: &Arc<App>, agreement: &Agreement) -> Stored<Option<Receipt>> {
    let Some(key) = app.options.receipts.clone() else { return Ok(None) };
    let (auth_id, customer) = (agreement.auth_id.clone(), agreement.customer.clone());
    let (terms, user) = app.look(move |rows| Ok((rows.terms(&auth_id)?, rows.user(&customer)?))).await?;
    let (Some(terms), Some(user)) = (terms, user) else {
        return Err(StoreFault::Corrupt(format!("agreement {} lacks its terms or its user", agreement.id)));
    };
    let key_id = key.public_key().id();
    let Some(content) = receipt::content(agreement, &terms, &user, &app.options.public_url, key_id) else {
        return Ok(None);
    };
    Receipt::seal(content, &key).map(Some).map_err(|fault| StoreFault::Unavailable(fault.to_string()))
}

async fn agreement_of(app: &Arc<App>, id: &AgreementId) -> Stored<Option<Agreement>> {
    let id = id.clone();
    app.look(move |rows| rows.agreement(&id)).await
}

/// Ending refuses nothing; a refusal would be a fault of ours.
fn done<T>(ruled: Ruled<T>) -> Stored<T> {
    ruled.map_err(|stop| match stop {
        Stop::Fault(fault) => fault,
        Stop::Refused(refusal) => StoreFault::Corrupt(format!("an end was refused: {refusal}")),
    })
}
