//! cancelToken: the owner ends the agreement behind a token.

use crate::agreement::EndedBy;
use crate::agreement::end::end;
use crate::moment::Moment;
use crate::outcome::{Refusal, Ruled};
use crate::secret::Secret;
use crate::store::Tx;
use crate::token::live::{self, Bearer};
use crate::voice::Context;

/// Ends the agreement behind any access token that was ever given out for it. Repeating it succeeds again: the
/// caller's wish is met, and a retry after a lost answer must not look like a failure.
pub fn cancel_token(
    tx: &mut dyn Tx,
    bearer: &Bearer,
    token: &Secret,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<()> {
    let policy = context.voice.policy();
    let Some((_, agreement)) = live::by_access(tx, bearer, token, policy)? else {
        return Err(Refusal::AccessTokenUnknown.into());
    };
    // Past its validity it is as good as ended, and ending what has ended succeeds.
    if policy.lapsed_cancel_is_expired && !live::over(tx, &agreement, at.now)? {
        let newest = tx.token_set(&agreement.id, agreement.generation)?;
        if newest.is_some_and(|set| at.now > set.refresh_expires_at) {
            return Err(Refusal::AccessTokenExpired.into());
        }
    }
    let actor = bearer.owner.as_str().to_owned();
    end(tx, agreement, EndedBy::Merchant, &actor, context, at)?;
    Ok(())
}
