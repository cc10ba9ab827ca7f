//! One-time codes: the wallet sends one to its user, the user types it at the merchant, the merchant asks whether it
//! is right.
//!
//! A code is bound to the agreement whose token asked for it. Its row keeps a salted digest; the code itself is in the
//! message to the user and nowhere else, and no log ever sees it.

use crate::agreement::Scope;
use crate::ids::{AgreementId, CodeRequestId};
use crate::journal;
use crate::message::{self, About, CodePurpose};
use crate::moment::{Moment, Random, Timestamp};
use crate::outcome::{Refusal, Ruled};
use crate::people::{ContactKind, Holder, holder};
use crate::policy::{DAY, MINUTE, Policy};
use crate::secret::{Digest, Secret};
use crate::store::{Rows, Tx};
use crate::token::live::Bearer;

/// What is borne of one-time codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeLimits {
    /// Codes of one agreement in 24 hours from the first. At least 3 (Alipay+ risk control).
    pub per_day: u32,
    /// From one code to the next: 30 to 60 seconds (Alipay+ MPP FAQ).
    pub spacing_ms: i64,
    /// Life of a code.
    pub life_ms: i64,
    /// Wrong tries at one code; after them the right one is no longer taken.
    pub tries: u32,
}

impl Default for CodeLimits {
    fn default() -> CodeLimits {
        CodeLimits { per_day: 10, spacing_ms: 30_000, life_ms: 5 * MINUTE, tries: 5 }
    }
}

/// A code at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeCode {
    /// Names the request; its bucket is the agreement's.
    pub id: CodeRequestId,
    /// The agreement that it was asked for under.
    pub agreement: AgreementId,
    /// To what the user was to be reached.
    pub channel: ContactKind,
    /// 128 random bits.
    pub salt: [u8; 16],
    /// Digest of id, salt and code.
    pub digest: Digest,
    /// Wrong tries so far.
    pub wrong: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Until when it may be verified.
    pub expires_at: Timestamp,
    /// When it was found right.
    pub verified_at: Option<Timestamp>,
}

/// How many codes an agreement has had lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBudget {
    /// The agreement.
    pub agreement: AgreementId,
    /// When the counting began.
    pub window_started_at: Timestamp,
    /// Codes since then.
    pub sent: u32,
    /// When the newest was sent.
    pub last_sent_at: Timestamp,
}

/// Who asks, and by which token.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The owner.
    pub bearer: Bearer,
    /// Names the user.
    pub token: Secret,
}

impl Asker {
    fn holder(&self, rows: &dyn Rows, policy: &Policy, at: &Moment) -> Ruled<Holder> {
        holder(rows, &self.bearer, &self.token, &[Scope::SendOtp], policy, at.now)
    }
}

/// Sends a code to the user behind the token.
pub fn send(
    tx: &mut dyn Tx,
    asker: &Asker,
    channel: ContactKind,
    limits: &CodeLimits,
    policy: &Policy,
    at: &Moment,
) -> Ruled<CodeRequestId> {
    let Holder { agreement, terms, user } = asker.holder(tx, policy, at)?;
    let of_login = ContactKind::of_login(user.login_id.as_str()) == Some(channel);
    let reached = of_login
        || tx.profile(&user.id)?.is_some_and(|profile| profile.contacts.iter().any(|c| c.kind == channel));
    if !reached {
        return Err(Refusal::ChannelMissing.into());
    }
    spend(tx, &agreement.id, limits, at)?;

    let random = &mut at.random("one-time code");
    let id = CodeRequestId::mint(agreement.id.bucket(), random);
    let digits = draw(random);
    let salt = random.bytes();
    let expires_at = at.now.plus_millis(limits.life_ms);
    tx.insert_one_time_code(&OneTimeCode {
        id: id.clone(),
        agreement: agreement.id.clone(),
        channel,
        salt,
        digest: digest_of(id.as_str(), &salt, &digits),
        wrong: 0,
        sent_at: at.now,
        expires_at,
        verified_at: None,
    })?;
    let about = About::OneTimeCode {
        purpose: CodePurpose::Merchant,
        request: id.to_string(),
        merchant: terms.display_name,
        code: digits,
        expires_at,
    };
    message::tell_by(tx, at, &user, about, channel, &policy.messages)?;
    let actor = asker.bearer.owner.as_str();
    journal::append(tx, at, id.bucket(), "one_time_code.sent", agreement.id.as_str(), actor, id.as_str())?;
    Ok(id)
}

/// Counts a code, or says that there have been enough.
fn spend(tx: &mut dyn Tx, agreement: &AgreementId, limits: &CodeLimits, at: &Moment) -> Ruled<()> {
    let budget = tx.code_budget(agreement)?;
    let (window_started_at, sent) = match &budget {
        Some(budget) if at.now.since(budget.window_started_at) < DAY => {
            if at.now.since(budget.last_sent_at) < limits.spacing_ms || budget.sent >= limits.per_day {
                return Err(Refusal::OneTimeCodeLimit.into());
            }
            (budget.window_started_at, budget.sent)
        }
        Some(budget) if at.now.since(budget.last_sent_at) < limits.spacing_ms => {
            return Err(Refusal::OneTimeCodeLimit.into());
        }
        _ => (at.now, 0),
    };
    tx.put_code_budget(&CodeBudget {
        agreement: agreement.clone(),
        window_started_at,
        sent: sent + 1,
        last_sent_at: at.now,
    })?;
    Ok(())
}

/// Is this the code? Inside, a refusal is an answer too: the counted try is kept. A right code is right once and, as
/// long as it lives, right again for whoever repeats the call: the first answer may have been lost.
pub fn verify(
    tx: &mut dyn Tx,
    asker: &Asker,
    request: &str,
    code: &Secret,
    limits: &CodeLimits,
    policy: &Policy,
    at: &Moment,
) -> Ruled<Result<(), Refusal>> {
    let holder = asker.holder(tx, policy, at)?;
    let row = match CodeRequestId::read(request) {
        Some(id) => tx.one_time_code(&id)?.filter(|row| row.agreement == holder.agreement.id),
        None => None,
    };
    let Some(row) = row else { return Ok(Err(Refusal::OneTimeCodeWrong)) };
    if row.wrong >= limits.tries {
        return Ok(Err(Refusal::OneTimeCodeLimit));
    }
    if at.now > row.expires_at {
        return Ok(Err(Refusal::OneTimeCodeExpired));
    }
    if digest_of(row.id.as_str(), &row.salt, code.reveal()) != row.digest {
        tx.update_one_time_code(&OneTimeCode { wrong: row.wrong + 1, ..row })?;
        return Ok(Err(Refusal::OneTimeCodeWrong));
    }
    if row.verified_at.is_none() {
        let (subject, actor) = (row.agreement.as_str().to_owned(), asker.bearer.owner.as_str());
        journal::append(tx, at, row.id.bucket(), "one_time_code.verified", &subject, actor, row.id.as_str())?;
        tx.update_one_time_code(&OneTimeCode { verified_at: Some(at.now), ..row })?;
    }
    Ok(Ok(()))
}

/// Six digits.
pub(crate) fn draw(random: &mut Random) -> String {
    (0..6).map(|_| char::from(b'0' + random.below(10) as u8)).collect()
}

/// What rests of a code: `id` names what it was sent for.
pub(crate) fn digest_of(id: &str, salt: &[u8; 16], code: &str) -> Digest {
    let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::of_parts(&["accord one-time code v1", id, &salt, code])
}
