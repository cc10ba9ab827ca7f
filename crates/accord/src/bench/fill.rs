//! Fills a sandbox with abandoned prepares, straight into its store: what pruning is there for.

use crate::cli::Where;
use accord_core::agreement::prepare::{Prepare, prepare};
use accord_core::agreement::{Scope, Terminal, Terms};
use accord_core::ids::{ClientId, DialectName, Owner};
use accord_core::policy::{DAY, Policy};
use accord_core::voice::Voice as _;
use accord_core::{Moment, Ruled};
use accord_server::clock::random;
use accord_wire::qi::{self, Qi};
use std::path::Path;

/// Prepares in one transaction.
const CHUNK: u32 = 1_000;

/// Leaves so many sessions in the sandbox of `dir`, each expired an hour ago or longer.
pub fn fill(dir: &Path, count: u32) -> anyhow::Result<()> {
    let place = Where { config: None, data: Some(dir.to_owned()), store: None }.open()?;
    let policy: Policy = Qi::new(qi::Config::new("https://wallet.example")).policy().clone();
    let (mut left, mut age_ms) = (count, DAY);
    while left > 0 {
        let chunk = left.min(CHUNK);
        let policy = policy.clone();
        place.transact(move |tx, now| -> Ruled<()> {
            let command = abandoned();
            for number in 0..chunk {
                let at = Moment::new(now.now.plus_millis(i64::from(number) - age_ms), random());
                prepare(tx, &command, &policy, &at)?;
            }
            Ok(())
        })?;
        left -= chunk;
        age_ms -= i64::from(chunk);
        age_ms = age_ms.max(DAY / 12);
    }
    Ok(())
}

/// As a merchant of Qi asks, without a reference.
fn abandoned() -> Prepare {
    Prepare {
        idempotency: None,
        terms: Box::new(|auth_id, created_at| Terms {
            auth_id,
            owner: Owner::of(&["abandoned"]),
            client: ClientId::new("abandoned"),
            dialect: DialectName::new(qi::NAME),
            scopes: vec![Scope::AgreementPay],
            legal_name: "Shop".into(),
            display_name: "Shop".into(),
            contract_title: None,
            contract_text: Some("25,000 IQD on the first day of each month until you cancel.".into()),
            language: None,
            redirect_url: None,
            auth_state: None,
            notify_url: None,
            auth_client_id: None,
            reference_merchant_id: None,
            reference_agreement_id: None,
            terminal: Terminal::Web,
            extras: String::new(),
            created_at,
        }),
        answer: Box::new(|auth_id, _| auth_id.as_str().as_bytes().to_vec()),
    }
}
