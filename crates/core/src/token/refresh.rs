//! applyToken with a refresh token: the next pair.

use crate::agreement::Agreement;
use crate::journal;
use crate::moment::Moment;
use crate::outcome::{Refusal, Ruled};
use crate::secret::Secret;
use crate::store::{StoreFault, Tx};
use crate::token::TokenSet;
use crate::token::apply_token::{Granted, granted, user_may};
use crate::token::live::{self, Bearer};
use crate::voice::Context;

/// Makes the next pair. Within its grace time the old refresh token gives the *same* new pair, so that parallel
/// and repeated refreshes leave one live successor (decision 27).
pub fn refresh(
    tx: &mut dyn Tx,
    bearer: &Bearer,
    token: &Secret,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<Granted> {
    let policy = context.voice.policy();
    let Some((set, agreement)) = live::by_refresh(tx, bearer, token, policy)? else {
        return Err(Refusal::RefreshTokenUnknown.into());
    };
    if live::over(tx, &agreement, at.now)? {
        return Err(Refusal::RefreshTokenUnknown.into());
    }
    if let Some(replaced_at) = set.replaced_at {
        let in_grace = at.now.since(replaced_at) <= policy.refresh_grace_ms;
        if !in_grace || agreement.generation != set.generation + 1 {
            return Err(Refusal::RefreshTokenUsed.into());
        }
        let newest = tx.token_set(&agreement.id, agreement.generation)?;
        let pair = newest.and_then(|set| live::pair_of(&set, context));
        let pair =
            pair.ok_or_else(|| StoreFault::Corrupt(format!("agreement {} lost its tokens", agreement.id)))?;
        return granted(tx, agreement, pair);
    }
    if at.now > set.refresh_expires_at {
        return Err(Refusal::RefreshTokenExpired.into());
    }
    user_may(tx, &agreement)??;

    let generation = set.generation + 1;
    let pair = live::new_pair(&agreement, generation, context, at)?;
    let agreement = Agreement { generation, ..agreement };
    tx.update_token_set(&TokenSet { replaced_at: Some(at.now), ..set })?;
    tx.insert_token_set(&pair.set)?;
    tx.update_agreement(&agreement)?;
    let subject = agreement.id.as_str().to_owned();
    let number = generation.to_string();
    journal::append(
        tx,
        at,
        agreement.id.bucket(),
        "token.refreshed",
        &subject,
        agreement.owner.as_str(),
        &number,
    )?;
    granted(tx, agreement, pair)
}
