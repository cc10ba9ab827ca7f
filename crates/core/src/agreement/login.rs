//! Log in: a mini program asks its user for scopes other than debits (Qi my.getAuthCode).
//!
//! The wallet's app has signed the user in already. Silent scopes are granted without a page; the others are asked for
//! by the app, which calls this rule with those that the user agreed to. What comes of it is an agreement like any
//! other, without AGREEMENT_PAY: it has a code and tokens, it can be ended, and it can never debit.

use crate::agreement::decide::{Shown, agree};
use crate::agreement::*;
use crate::journal;
use crate::moment::Moment;
use crate::outcome::{Refusal, Ruled};
use crate::secret::Secret;
use crate::store::Tx;
use crate::voice::Context;

/// The command.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// Who asks, and will own what comes of it.
    pub owner: Owner,
    /// The client that signs for the owner.
    pub client: ClientId,
    /// The dialect that the client speaks.
    pub dialect: DialectName,
    /// Registered legal name.
    pub legal_name: String,
    /// Trade name.
    pub display_name: String,
    /// Who is signed in to the app.
    pub customer: CustomerId,
    /// What was granted; AGREEMENT_PAY is not granted so.
    pub scopes: Vec<Scope>,
    /// What the app showed; nothing of a page when every scope is silent.
    pub shown: Shown,
    /// The sender's address.
    pub address: String,
}

/// Grants and gives the code. AGREEMENT_PAY, or nothing at all, is refused: a debit needs the page and the PIN.
pub fn log_in(tx: &mut dyn Tx, command: &LogIn, context: Context<'_>, at: &Moment) -> Ruled<Secret> {
    if command.scopes.is_empty() || command.scopes.iter().any(|scope| !scope.by_log_in()) {
        return Err(Refusal::ScopeMissing.into());
    }
    let random = &mut at.random("log in");
    let auth_id = AuthId::mint(Bucket::random(random), random);
    let terms = Terms {
        auth_id: auth_id.clone(),
        owner: command.owner.clone(),
        client: command.client.clone(),
        dialect: command.dialect.clone(),
        scopes: command.scopes.clone(),
        legal_name: command.legal_name.clone(),
        display_name: command.display_name.clone(),
        contract_title: None,
        contract_text: None,
        language: Some(command.shown.language),
        redirect_url: None,
        auth_state: None,
        notify_url: None,
        auth_client_id: None,
        reference_merchant_id: None,
        reference_agreement_id: None,
        terminal: Terminal::MiniApp,
        extras: "{}".to_owned(),
        created_at: at.now,
    };
    tx.insert_terms(&terms)?;
    tx.insert_consent(&Consent {
        auth_id: auth_id.clone(),
        decision: Decision::Approve,
        customer: Some(command.customer.clone()),
        text_digest: command.shown.text_digest,
        language: command.shown.language,
        version: command.shown.version.clone(),
        at: at.now,
        address: command.address.clone(),
    })?;
    let (actor, detail) = (command.customer.as_str(), command.owner.as_str());
    journal::append(tx, at, auth_id.bucket(), "authorization.log_in", auth_id.as_str(), actor, detail)?;
    agree(tx, &terms, &command.customer, context, at).map(|(_, code)| code)
}
