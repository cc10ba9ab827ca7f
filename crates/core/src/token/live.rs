//! Which agreement a token stands for, and whether it still may act.

use crate::agreement::Agreement;
use crate::ids::Owner;
use crate::moment::Timestamp;
use crate::outcome::{Refusal, Ruled};
use crate::policy::{OldAccess, Policy};
use crate::secret::{DerivationKeys, Secret, SecretKind, SecretRef};
use crate::store::{Rows, Stored};
use crate::token::{Pair, TokenSet};
use crate::voice::Context;

/// Who presents a token or code: its owner, and the auth client when the call names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The owner, from the signature and the body.
    pub owner: Owner,
    /// Alipay+ authClientId; checked when sent.
    pub auth_client_id: Option<String>,
}

impl Bearer {
    /// May this caller act on that agreement? A stranger is answered as if it did not exist.
    pub fn owns(&self, rows: &dyn Rows, agreement: &Agreement) -> Stored<bool> {
        if agreement.owner != self.owner {
            return Ok(false);
        }
        let Some(auth_client_id) = &self.auth_client_id else { return Ok(true) };
        let terms = rows.terms(&agreement.auth_id)?;
        Ok(terms.is_some_and(|terms| terms.auth_client_id.as_ref() == Some(auth_client_id)))
    }
}

/// The pair and agreement behind an access token of this bearer, alive or not.
pub fn by_access(
    rows: &dyn Rows,
    bearer: &Bearer,
    token: &Secret,
    policy: &Policy,
) -> Ruled<Option<(TokenSet, Agreement)>> {
    let Some(bucket) = policy.access.bucket(token.reveal()) else { return Ok(None) };
    let set = rows.token_set_by_access(bucket, &token.digest_in(&policy.access))?;
    owned(rows, bearer, set)
}

/// The pair and agreement behind a refresh token of this bearer, alive or not.
pub fn by_refresh(
    rows: &dyn Rows,
    bearer: &Bearer,
    token: &Secret,
    policy: &Policy,
) -> Ruled<Option<(TokenSet, Agreement)>> {
    let Some(bucket) = policy.refresh.bucket(token.reveal()) else { return Ok(None) };
    let set = rows.token_set_by_refresh(bucket, &token.digest_in(&policy.refresh))?;
    owned(rows, bearer, set)
}

fn owned(rows: &dyn Rows, bearer: &Bearer, set: Option<TokenSet>) -> Ruled<Option<(TokenSet, Agreement)>> {
    let Some(set) = set else { return Ok(None) };
    let Some(agreement) = rows.agreement(&set.agreement)? else { return Ok(None) };
    Ok(bearer.owns(rows, &agreement)?.then_some((set, agreement)))
}

/// May this access token debit now? (decisions 27 and 32)
pub fn judge(set: &TokenSet, agreement: &Agreement, policy: &Policy, now: Timestamp) -> Result<(), Refusal> {
    if agreement.ended() {
        return Err(Refusal::AccessTokenUnknown);
    }
    if let (Some(replaced_at), OldAccess::UntilGrace) = (set.replaced_at, policy.old_access)
        && now.since(replaced_at) > policy.refresh_grace_ms
    {
        return Err(Refusal::AccessTokenUnknown);
    }
    if now > set.access_expires_at {
        return Err(Refusal::AccessTokenExpired);
    }
    Ok(())
}

/// Is it as good as ended: ended, or past its validity? Every act that begins with a code or a token asks this; what
/// it says of the token is a token fault (decision 33).
pub fn over(rows: &dyn Rows, agreement: &Agreement, now: Timestamp) -> Stored<bool> {
    let valid_to = || Ok(rows.controls(&agreement.id)?.and_then(|controls| controls.valid_to()));
    Ok(agreement.ended() || valid_to()?.is_some_and(|valid_to| now >= valid_to))
}

/// The pair in the clear, derived anew.
pub fn pair_of(set: &TokenSet, context: Context<'_>) -> Option<Pair> {
    let policy = context.voice.policy();
    let access = context.keys.derive(&secret_of(set, SecretKind::AccessToken), &policy.access)?;
    let refresh = context.keys.derive(&secret_of(set, SecretKind::RefreshToken), &policy.refresh)?;
    Some(Pair { access, refresh, set: set.clone() })
}

/// Names one secret of a pair.
pub fn secret_of(set: &TokenSet, kind: SecretKind) -> SecretRef {
    SecretRef { kind, agreement: set.agreement.clone(), generation: set.generation, salt: set.salt.clone() }
}

/// Derives a new pair of that generation.
pub fn new_pair(
    agreement: &Agreement,
    generation: u32,
    context: Context<'_>,
    at: &crate::Moment,
) -> Ruled<Pair> {
    let policy = context.voice.policy();
    let salt = DerivationKeys::salt(context.keys, &mut at.random("pair"));
    let blank = crate::secret::Digest([0; 32]);
    let set = TokenSet {
        agreement: agreement.id.clone(),
        generation,
        access_digest: blank,
        refresh_digest: blank,
        salt,
        access_expires_at: at.now.plus_millis(policy.access_life_ms),
        refresh_expires_at: at.now.plus_millis(policy.refresh_life_ms),
        issued_at: at.now,
        replaced_at: None,
    };
    let pair = pair_of(&set, context).ok_or_else(|| {
        crate::store::StoreFault::Corrupt("the newest derivation key derives nothing".to_owned())
    })?;
    let set = TokenSet {
        access_digest: pair.access.digest_in(&policy.access),
        refresh_digest: pair.refresh.digest_in(&policy.refresh),
        ..set
    };
    Ok(Pair { set, ..pair })
}
