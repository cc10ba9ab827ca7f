//! Step-up on the page: when an approval needs a one-time code beside the PIN, and what came of one that was typed.
//! The rule is `accord_core::agreement::step_up`.

use super::Submission;
use crate::app::App;
use crate::pages::confirm::CodeHint;
use accord_core::agreement::Terms;
use accord_core::agreement::limits::Limits;
use accord_core::agreement::step_up::{self, Checked, Sent, When};
use accord_core::ids::{AuthId, CustomerId};
use accord_core::money::Amount;
use accord_core::secret::Secret;
use accord_core::store::Stored;
use accord_core::{Refusal, Stop, Timestamp};
use std::sync::Arc;

/// Does approving these terms, with limits of the user's own, need a code?
pub(crate) fn needed(app: &App, terms: &Terms, own: Limits) -> bool {
    let policy = &app.options.screens.step_up;
    let When::Above(bound) = policy.when else { return policy.needed(&terms.scopes, None) };
    let dialect = app.dialect(&terms.dialect);
    let asked = dialect.as_ref().map_or(Limits::NONE, |dialect| dialect.asked(terms).limits);
    let wallet = dialect.as_ref().map_or(Limits::NONE, |dialect| dialect.policy().control.limits);
    let per_debit = |limits: Limits| Amount::new(limits.currency?, limits.per_debit?);
    let amounts = [own, asked, wallet].into_iter().filter_map(per_debit);
    let most = amounts.filter(|most| most.currency == bound.currency).min_by_key(Amount::value);
    policy.needed(&terms.scopes, most)
}

/// Sends a code to the user whose PIN was right, unless one went out a moment ago.
pub(crate) async fn send(app: &Arc<App>, terms: &Terms, customer: &CustomerId) -> Result<CodeHint, Stop> {
    let (terms, customer, at) = (terms.clone(), customer.clone(), app.clock.moment());
    let limits = app.options.screens.step_up.codes.clone();
    let dialect = terms.dialect.clone();
    let sent = app.transact_with(&dialect, move |tx, context| {
        let user = tx.user(&customer)?.ok_or(Refusal::UserFrozen)?;
        let messages = &context.voice.policy().messages;
        step_up::send(tx, &terms.auth_id, &user, &terms.display_name, &limits, messages, &at)
    });
    let sent = sent.await?;
    app.wake.notify_one();
    Ok(match sent {
        Sent::Until(_) => CodeHint::Sent,
        Sent::NotBefore(time) => CodeHint::NotBefore { time },
    })
}

/// Judges the code of a submission; nothing when it was right. Without one, one is sent.
pub(crate) async fn ask(
    app: &Arc<App>,
    submission: &Submission,
    terms: &Terms,
    customer: &CustomerId,
) -> Result<Option<CodeHint>, Stop> {
    let typed = submission.code.as_deref().map(digits).filter(|code| !code.is_empty());
    let Some(typed) = typed else { return send(app, terms, customer).await.map(Some) };
    let (id, customer, at) = (terms.auth_id.clone(), customer.clone(), app.clock.moment());
    let limits = app.options.screens.step_up.codes.clone();
    let typed = Secret::new(typed);
    let checked = app.transact(move |tx| step_up::check(tx, &id, &customer, &typed, &limits, &at));
    Ok(match checked.await? {
        Checked::Right => None,
        Checked::Wrong { left } => Some(CodeHint::Wrong { left }),
        Checked::Over => Some(CodeHint::Over),
    })
}

/// Until when the code of that session is good that was sent to that user; nothing when there is none.
pub(crate) async fn good_until(
    app: &App,
    auth_id: &AuthId,
    customer: &CustomerId,
) -> Stored<Option<Timestamp>> {
    let (id, customer, now) = (auth_id.clone(), customer.clone(), app.clock.now());
    let code = app.look(move |rows| rows.step_up(&id)).await?;
    let code = code.filter(|code| code.customer == customer && now <= code.expires_at);
    Ok(code.map(|code| code.expires_at))
}

/// What was typed, in Western digits and without spaces; at most as long as any code.
fn digits(typed: &str) -> String {
    crate::typed::plain(typed).chars().filter(|letter| !letter.is_whitespace()).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_typed_in_any_digits() {
        for typed in ["123456", " 123 456 ", "١٢٣٤٥٦", "۱۲۳۴۵۶", "\u{200F}١٢٣٤٥٦\u{200F}"] {
            assert_eq!(digits(typed), "123456", "{typed}");
        }
        assert_eq!(digits(&"9".repeat(100)).len(), 16);
    }
}
