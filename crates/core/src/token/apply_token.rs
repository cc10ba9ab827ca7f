//! applyToken with an authorization code: the first pair of tokens.

use crate::agreement::{Agreement, AgreementStage, Terms};
use crate::journal;
use crate::moment::Moment;
use crate::notification::outbox;
use crate::outcome::{Refusal, Ruled};
use crate::secret::{Secret, SecretKind};
use crate::store::{Rows, StoreFault, Tx};
use crate::token::Pair;
use crate::token::live::{self, Bearer};
use crate::user::{User, UserStatus};
use crate::voice::{Context, Event};

/// What an owner gets for a code or a refresh token.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The agreement.
    pub agreement: Agreement,
    /// What was agreed; its scopes say what may be told of the user.
    pub terms: Terms,
    /// The user.
    pub user: User,
    /// The tokens.
    pub pair: Pair,
}

/// Redeems a code. Inside, a refusal is an answer too: what it journals is kept.
///
/// The owner who comes again within the code's life gets the same tokens again, as long as they are the newest
/// and the agreement lives (decision 25): its first answer may have been lost.
pub fn apply_token(
    tx: &mut dyn Tx,
    bearer: &Bearer,
    code: &Secret,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<Result<Granted, Refusal>> {
    let policy = context.voice.policy();
    let Some(bucket) = policy.code.bucket(code.reveal()) else { return Ok(Err(Refusal::CodeUnknown)) };
    let Some(row) = tx.code(bucket, &code.digest())? else { return Ok(Err(Refusal::CodeUnknown)) };
    let agreement = tx
        .agreement(&row.agreement)?
        .ok_or_else(|| StoreFault::Corrupt(format!("a code without its agreement {}", row.agreement)))?;
    if !bearer.owns(tx, &agreement)? {
        let subject = agreement.id.as_str().to_owned();
        journal::append(tx, at, bucket, "code.foreign", &subject, bearer.owner.as_str(), "")?;
        return Ok(Err(Refusal::CodeUnknown));
    }
    if at.now.since(row.expires_at) > policy.code_memory_ms {
        return Ok(Err(Refusal::CodeUnknown));
    }
    let late = at.now > row.expires_at;
    let over = live::over(tx, &agreement, at.now)?;
    if agreement.redeemed() {
        if late || over || agreement.generation != 1 {
            return Ok(Err(Refusal::CodeUsed));
        }
        return again(tx, agreement, context).map(Ok);
    }
    // A code ends with its agreement; nobody used it.
    if late || over {
        return Ok(Err(Refusal::CodeExpired));
    }
    redeem(tx, agreement, context, at)
}

fn again(tx: &dyn Tx, agreement: Agreement, context: Context<'_>) -> Ruled<Granted> {
    let set = tx.token_set(&agreement.id, 1)?;
    let pair = set.and_then(|set| live::pair_of(&set, context));
    let pair =
        pair.ok_or_else(|| StoreFault::Corrupt(format!("agreement {} lost its tokens", agreement.id)))?;
    granted(tx, agreement, pair)
}

fn redeem(
    tx: &mut dyn Tx,
    agreement: Agreement,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<Result<Granted, Refusal>> {
    if let Err(refusal) = user_may(tx, &agreement)? {
        return Ok(Err(refusal));
    }
    let pair = live::new_pair(&agreement, 1, context, at)?;
    let agreement = Agreement { stage: AgreementStage::Active, generation: 1, ..agreement };
    tx.insert_token_set(&pair.set)?;
    tx.update_agreement(&agreement)?;
    let subject = agreement.id.as_str().to_owned();
    journal::append(tx, at, agreement.id.bucket(), "token.created", &subject, agreement.owner.as_str(), "1")?;

    let granted = granted(tx, agreement, pair)?;
    let mut notice = outbox::Notice::new(at, granted.agreement.id.bucket(), &format!("token/{subject}"));
    let access = notice.mark(live::secret_of(&granted.pair.set, SecretKind::AccessToken));
    let refresh = notice.mark(live::secret_of(&granted.pair.set, SecretKind::RefreshToken));
    let event = Event::TokenCreated {
        agreement: &granted.agreement,
        terms: &granted.terms,
        user: &granted.user,
        set: &granted.pair.set,
        access: &access,
        refresh: &refresh,
    };
    notice.leave(tx, &granted.agreement.client, context, &event)?;
    Ok(Ok(granted))
}

/// May the user of this agreement be acted for at all?
pub fn user_may(rows: &dyn Rows, agreement: &Agreement) -> Ruled<Result<(), Refusal>> {
    let user = rows.user(&agreement.customer)?;
    Ok(match user.map(|user| user.status) {
        Some(UserStatus::Active) => Ok(()),
        Some(UserStatus::Frozen) => Err(Refusal::UserFrozen),
        Some(UserStatus::Closed) | None => Err(Refusal::UserNotFound),
    })
}

/// Joins what an answer needs.
pub fn granted(rows: &dyn Rows, agreement: Agreement, pair: Pair) -> Ruled<Granted> {
    let terms = rows.terms(&agreement.auth_id)?;
    let terms =
        terms.ok_or_else(|| StoreFault::Corrupt(format!("agreement {} has no terms", agreement.id)))?;
    let user = rows.user(&agreement.customer)?.ok_or(Refusal::UserNotFound)?;
    Ok(Granted { agreement, terms, user, pair })
}
