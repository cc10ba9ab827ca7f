//! Prepare: an owner asks; a session opens.

use crate::agreement::{PrepareClaim, Session, SessionStage, Terms};
use crate::handle::Bucket;
use crate::ids::AuthId;
use crate::moment::{Moment, Timestamp};
use crate::outcome::{Refusal, Ruled};
use crate::policy::Policy;
use crate::secret::Digest;
use crate::store::Tx;

/// What makes two calls the same call (Alipay+ prepare, API idempotency).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Digest of owner, authClientId and referenceAgreementId.
    pub key: Digest,
    /// Digest of authClientName, referenceMerchantId, authRedirectUrl and scopes.
    pub fingerprint: Digest,
}

impl Idempotency {
    /// The bucket that the key belongs to; its session and agreement live there too.
    pub fn bucket(&self) -> Bucket {
        Bucket::new(u16::from_be_bytes([self.key.0[0], self.key.0[1]]))
    }
}

/// Makes the terms of an authorization from the id drawn for it and the time.
pub type MakeTerms = Box<dyn Fn(AuthId, Timestamp) -> Terms + Send>;
/// Makes the answer's body from the id and the session's expiry.
pub type MakeAnswer = Box<dyn Fn(&AuthId, Timestamp) -> Vec<u8> + Send>;

/// The command. Terms and answer are functions of the id that the core draws.
pub struct Prepare {
    /// Nothing: each call is a new draft (Qi).
    pub idempotency: Option<Idempotency>,
    /// The terms, under the id drawn for them.
    pub terms: MakeTerms,
    /// The answer's body for that id and expiry, as the dialect writes it.
    pub answer: MakeAnswer,
}

/// Opens a session and answers; the same reference and terms get the first answer again, byte for byte.
pub fn prepare(tx: &mut dyn Tx, command: &Prepare, policy: &Policy, at: &Moment) -> Ruled<Vec<u8>> {
    if let Some(idempotency) = &command.idempotency
        && let Some(claim) = tx.prepare_claim(idempotency.bucket(), &idempotency.key)?
    {
        if claim.fingerprint != idempotency.fingerprint {
            return Err(Refusal::ReferenceReused.into());
        }
        reopen(tx, &claim.auth_id, policy, at)?;
        return Ok(claim.answer);
    }

    let random = &mut at.random("prepare");
    let bucket = match &command.idempotency {
        Some(idempotency) => idempotency.bucket(),
        None => Bucket::random(random),
    };
    let auth_id = AuthId::mint(bucket, random);
    let expires_at = at.now.plus_millis(policy.session_life_ms);
    let answer = (command.answer)(&auth_id, expires_at);
    tx.insert_terms(&(command.terms)(auth_id.clone(), at.now))?;
    tx.insert_session(&Session {
        auth_id: auth_id.clone(),
        stage: SessionStage::Open,
        expires_at,
        wrong_pins: 0,
        decided_by: None,
    })?;
    if let Some(Idempotency { key, fingerprint }) = &command.idempotency {
        tx.insert_prepare_claim(&PrepareClaim {
            bucket,
            key: *key,
            fingerprint: *fingerprint,
            auth_id,
            answer: answer.clone(),
            created_at: at.now,
        })?;
    }
    Ok(answer)
}

/// A repeat for a session that expired undecided opens it again (decision 17), also when it was pruned since.
fn reopen(tx: &mut dyn Tx, auth_id: &AuthId, policy: &Policy, at: &Moment) -> Ruled<()> {
    let expires_at = at.now.plus_millis(policy.session_life_ms);
    match tx.session(auth_id)? {
        Some(session) if session.stage == SessionStage::Open && at.now > session.expires_at => {
            tx.update_session(&Session { expires_at, wrong_pins: 0, ..session })?;
        }
        Some(_) => {}
        // Whoever was asked and answered left a consent: that session stays decided.
        None if tx.consent(auth_id)?.is_some() => {}
        None => {
            tx.thaw_terms(auth_id)?;
            tx.insert_session(&Session {
                auth_id: auth_id.clone(),
                stage: SessionStage::Open,
                expires_at,
                wrong_pins: 0,
                decided_by: None,
            })?;
        }
    }
    Ok(())
}
