//! Decide: the user says yes or no, once.

use crate::agreement::*;
use crate::journal;
use crate::moment::Moment;
use crate::notification::outbox;
use crate::outcome::{Refusal, Ruled};
use crate::secret::{Secret, SecretKind, SecretRef};
use crate::store::{Rows, StoreFault, Tx};
use crate::token::Code;
use crate::user::UserStatus;
use crate::voice::{Context, Event};

/// What the user was shown, to be kept with the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// SHA-256 of the text.
    pub text_digest: Digest,
    /// Its language.
    pub language: Language,
    /// Version of the page.
    pub version: String,
}

/// The command.
#[derive(Debug, Clone)]
pub struct Decide {
    /// The session.
    pub auth_id: AuthId,
    /// Yes, by a user whose PIN was checked; or no, by anybody at the page.
    pub answer: Answer,
    /// What was shown.
    pub shown: Shown,
    /// The sender's address.
    pub address: String,
    /// Digest of the browser's cookie; nothing when there is no browser.
    pub browser: Option<Digest>,
}

/// Yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Approve {
        /// Who; the PIN has been checked.
        customer: CustomerId,
    },
    /// No.
    Refuse {
        /// Who, if signed in.
        customer: Option<CustomerId>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// Approved now, or before by the same browser or the phone it handed over to, within the code's life: lead it
    /// back with the code.
    Approved {
        /// What was agreed.
        terms: Terms,
        /// The one code of this session.
        code: Secret,
    },
    /// Refused now, or before by the same browser or the phone it handed over to.
    Refused {
        /// What was refused.
        terms: Terms,
    },
    /// Decided before, by another browser or too long ago: show the outcome, give nothing.
    Already {
        /// What was asked.
        terms: Terms,
        /// How it ended.
        session: Session,
    },
    /// Too late.
    Expired {
        /// What was asked.
        terms: Terms,
    },
    /// No such session.
    Unknown,
}

/// Decides an open session. A decided one is never decided again and never yields a second code.
pub fn decide(tx: &mut dyn Tx, command: &Decide, context: Context<'_>, at: &Moment) -> Ruled<Decided> {
    let (Some(session), Some(terms)) = (tx.session(&command.auth_id)?, tx.terms(&command.auth_id)?) else {
        return Ok(Decided::Unknown);
    };
    if session.stage != SessionStage::Open {
        return outcome_of(tx, session, terms, command.browser, context, at);
    }
    if at.now > session.expires_at {
        return Ok(Decided::Expired { terms });
    }

    let (decision, customer) = match &command.answer {
        Answer::Approve { customer } => (Decision::Approve, Some(customer.clone())),
        Answer::Refuse { customer } => (Decision::Refuse, customer.clone()),
    };
    tx.insert_consent(&Consent {
        auth_id: command.auth_id.clone(),
        decision,
        customer: customer.clone(),
        text_digest: command.shown.text_digest,
        language: command.shown.language,
        version: command.shown.version.clone(),
        at: at.now,
        address: command.address.clone(),
    })?;
    let actor = customer.as_ref().map_or("anybody", |customer| customer.as_str());
    journal::append(
        tx,
        at,
        session.auth_id.bucket(),
        &format!("authorization.{decision}"),
        session.auth_id.as_str(),
        actor,
        terms.owner.as_str(),
    )?;

    let decided_by = command.browser;
    match &command.answer {
        Answer::Refuse { .. } => {
            tx.update_session(&Session {
                stage: SessionStage::Refused { at: at.now },
                decided_by,
                ..session
            })?;
            Ok(Decided::Refused { terms })
        }
        Answer::Approve { customer } => {
            let (agreement, code) = agree(tx, &terms, customer, context, at)?;
            let stage = SessionStage::Approved { at: at.now, agreement: agreement.id };
            tx.update_session(&Session { stage, decided_by, ..session })?;
            Ok(Decided::Approved { terms, code })
        }
    }
}

/// What to show at a session: open, or how it ended for this browser.
pub fn outcome_of(
    rows: &dyn Rows,
    session: Session,
    terms: Terms,
    browser: Option<Digest>,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<Decided> {
    let same_browser = match browser {
        Some(browser) => session.decided_by == Some(browser) || handover::follows(rows, &session, browser)?,
        None => false,
    };
    let code_life = context.voice.policy().code_life_ms;
    match &session.stage {
        SessionStage::Approved { at: decided_at, agreement }
            if same_browser && at.now.since(*decided_at) <= code_life =>
        {
            let agreement = rows.agreement(agreement)?;
            let code = agreement.and_then(|agreement| code_of(&agreement, context));
            match code {
                Some(code) => Ok(Decided::Approved { terms, code }),
                None => Ok(Decided::Already { terms, session }),
            }
        }
        SessionStage::Refused { .. } if same_browser => Ok(Decided::Refused { terms }),
        SessionStage::Open if at.now > session.expires_at => Ok(Decided::Expired { terms }),
        _ => Ok(Decided::Already { terms, session }),
    }
}

/// The one authorization code of an agreement, said again.
pub fn code_of(agreement: &Agreement, context: Context<'_>) -> Option<Secret> {
    context.keys.derive(&code_ref(agreement), &context.voice.policy().code)
}

fn code_ref(agreement: &Agreement) -> SecretRef {
    SecretRef {
        kind: SecretKind::AuthCode,
        agreement: agreement.id.clone(),
        generation: 0,
        salt: agreement.code_salt.clone(),
    }
}

pub(super) fn agree(
    tx: &mut dyn Tx,
    terms: &Terms,
    customer: &CustomerId,
    context: Context<'_>,
    at: &Moment,
) -> Ruled<(Agreement, Secret)> {
    let user = tx.user(customer)?.filter(|user| user.status == UserStatus::Active);
    let user = user.ok_or(Refusal::UserFrozen)?;
    let random = &mut at.random("agreement");
    let agreement = Agreement {
        id: AgreementId::mint(terms.auth_id.bucket(), random),
        auth_id: terms.auth_id.clone(),
        owner: terms.owner.clone(),
        client: terms.client.clone(),
        dialect: terms.dialect.clone(),
        customer: customer.clone(),
        stage: AgreementStage::Consented,
        generation: 0,
        code_salt: context.keys.salt(random),
        created_at: at.now,
    };
    let code = code_of(&agreement, context)
        .ok_or_else(|| StoreFault::Corrupt("the newest derivation key derives nothing".into()))?;
    let expires_at = at.now.plus_millis(context.voice.policy().code_life_ms);
    tx.insert_agreement(&agreement)?;
    let asked = context.voice.asked(terms);
    control::begin(tx, &agreement, &asked, &context.voice.policy().control, at)?;
    tx.insert_code(&Code {
        digest: code.digest(),
        agreement: agreement.id.clone(),
        owner: terms.owner.clone(),
        issued_at: at.now,
        expires_at,
    })?;

    let mut notice = outbox::Notice::new(at, agreement.id.bucket(), &format!("code/{}", agreement.id));
    let placeholder = notice.mark(code_ref(&agreement));
    let event = Event::CodeCreated { agreement: &agreement, terms, user: &user, code: &placeholder };
    notice.moot_after(expires_at).leave(tx, &agreement.client, context, &event)?;
    Ok((agreement, code))
}
