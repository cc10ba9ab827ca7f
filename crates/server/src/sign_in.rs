//! Checks a PIN behind the guards of decision 21: the authorization page and the wallet's own pages both come here.

use crate::app::App;
use crate::typed;
use accord_core::agreement::sign_in::{self, Begun, SignIn};
use accord_core::identity::Claim;
use accord_core::ids::CustomerId;
use accord_core::store::{StoreFault, Stored};
use accord_core::{Stop, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Longer than this nobody waits for an identity system.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// The PIN was right: it is this user.
    Right(CustomerId),
    /// Unknown, frozen or wrong: they look the same.
    Wrong,
    /// Too many wrong PINs; nothing: never again in this session.
    TooMany(Option<Timestamp>),
    /// The authorization session cannot be decided any more.
    Closed,
}

/// Counts the try, checks the PIN between two transactions, off the threads that answer calls, and takes the count
/// back when it was right.
pub async fn check(app: &Arc<App>, sign_in: SignIn, pin: String) -> Result<Checked, Stop> {
    let (begin, limits, at) = (sign_in.clone(), app.options.sign_in.clone(), app.clock.moment());
    let begun = app.transact(move |tx| sign_in::begin(tx, &begin, &limits, &at)).await?;
    let candidate = match begun {
        Begun::Check { candidate } => candidate,
        Begun::TooMany { until } => return Ok(Checked::TooMany(until)),
        Begun::Closed => return Ok(Checked::Closed),
    };
    let (customer, hash) = candidate.unzip();
    if !prove(app, Claim { customer: customer.clone(), kept: hash, typed: typed::plain(&pin) }).await? {
        return Ok(Checked::Wrong);
    }
    let at = app.clock.moment();
    app.transact(move |tx| sign_in::succeed(tx, &sign_in, &at)).await?;
    Ok(customer.map_or(Checked::Wrong, Checked::Right))
}

/// Asks the identity port. No answer is a fault, not a wrong PIN: the try was counted already, and nothing is decided.
pub async fn prove(app: &App, claim: Claim) -> Stored<bool> {
    let (send, receive) = oneshot::channel();
    app.identity.prove(
        claim,
        Box::new(move |said| {
            let _ = send.send(said);
        }),
    );
    let said = tokio::time::timeout(PATIENCE, receive).await;
    let silent = || StoreFault::Unavailable("the identity system does not answer".into());
    said.ok().and_then(Result::ok).flatten().ok_or_else(silent)
}
