//! Rows of agreements and of what led to them: prepare claims, terms, sessions, consents.

use super::engine::Engine;
use super::sql::{self, Columns, read_texts, statements, write_list};
use super::value::{Params, params};
use accord_core::agreement::{
    Agreement, AgreementStage, Consent, Decision, EndedBy, PrepareClaim, Scope, Session, SessionStage,
    Terminal, Terms,
};
use accord_core::handle::Bucket;
use accord_core::ids::{AgreementId, AuthId, ClientId, CustomerId, DialectName, Owner};
use accord_core::secret::{Digest, Salt};
use accord_core::store::{StoreFault, Stored};
use accord_core::user::Language;

macro_rules! terms_columns {
    () => {
        "auth_id, owner, client, dialect, scopes, legal_name, display_name, contract_title, contract_text, \
         language, redirect_url, auth_state, notify_url, auth_client_id, reference_merchant_id, \
         reference_agreement_id, terminal, extras, created_at"
    };
}

macro_rules! agreement_columns {
    () => {
        "id, auth_id, owner, client, dialect, customer, stage, ended_at, ended_by, generation, \
         code_key_version, code_salt, created_at"
    };
}

statements! {
    // A claim that is not found hot may lie cold; the second part is read only then.
    PREPARE_CLAIM = "SELECT bucket, key, fingerprint, auth_id, answer, created_at FROM prepare_claims
        WHERE bucket = ?1 AND key = ?2
        UNION ALL
        SELECT bucket, key, fingerprint, auth_id, answer, created_at FROM prepare_claims_cold
        WHERE bucket = ?1 AND key = ?2";
    pub(crate) CLAIMS_BEFORE = "SELECT bucket, key, fingerprint, auth_id, answer, created_at FROM prepare_claims
        WHERE created_at < ?1 ORDER BY created_at, bucket, key LIMIT ?2";
    INSERT_PREPARE_CLAIM = "INSERT INTO prepare_claims (bucket, key, fingerprint, auth_id, answer, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    TERMS = concat!("SELECT ", terms_columns!(), " FROM terms WHERE bucket = ?1 AND auth_id = ?2");
    INSERT_TERMS = concat!(
        "INSERT INTO terms (bucket, ", terms_columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
         ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
    );
    SESSION = "SELECT auth_id, stage, decided_at, agreement, expires_at, wrong_pins, decided_by FROM sessions
        WHERE bucket = ?1 AND auth_id = ?2";
    pub(crate) OPEN_BEFORE = "SELECT auth_id, stage, decided_at, agreement, expires_at, wrong_pins, decided_by
        FROM sessions WHERE stage = 'open' AND expires_at < ?1 ORDER BY expires_at, bucket, auth_id LIMIT ?2";
    pub(crate) DECIDED_BEFORE = "SELECT auth_id, stage, decided_at, agreement, expires_at, wrong_pins, decided_by
        FROM sessions WHERE stage <> 'open' AND decided_at < ?1 ORDER BY decided_at, bucket, auth_id LIMIT ?2";
    INSERT_SESSION = "INSERT INTO sessions
        (bucket, auth_id, stage, decided_at, agreement, expires_at, wrong_pins, decided_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    UPDATE_SESSION = "UPDATE sessions
        SET stage = ?3, decided_at = ?4, agreement = ?5, expires_at = ?6, wrong_pins = ?7, decided_by = ?8
        WHERE bucket = ?1 AND auth_id = ?2";
    CONSENT = "SELECT auth_id, decision, customer, text_digest, language, version, at, address FROM consents
        WHERE bucket = ?1 AND auth_id = ?2";
    INSERT_CONSENT = "INSERT INTO consents
        (bucket, auth_id, decision, customer, text_digest, language, version, at, address)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    pub(crate) OF_AUTHORIZATION = concat!(
        "SELECT ", agreement_columns!(), " FROM agreements WHERE bucket = ?1 AND auth_id = ?2"
    );
    // The terms of the reference first, then the agreement of each: both by an index.
    pub(crate) BY_REFERENCE = "SELECT a.id, a.auth_id, a.owner, a.client, a.dialect, a.customer, a.stage, a.ended_at,
        a.ended_by, a.generation, a.code_key_version, a.code_salt, a.created_at
        FROM terms AS t JOIN agreements AS a ON a.bucket = t.bucket AND a.auth_id = t.auth_id
        WHERE t.reference_agreement_id = ?1
        ORDER BY t.created_at DESC, t.bucket DESC, t.auth_id DESC LIMIT ?2";
    AGREEMENT = concat!("SELECT ", agreement_columns!(), " FROM agreements WHERE bucket = ?1 AND id = ?2");
    pub(crate) ENDED_BEFORE = concat!(
        "SELECT ", agreement_columns!(), " FROM agreements WHERE stage = 'ended' AND ended_at < ?1
        ORDER BY ended_at, bucket, id LIMIT ?2"
    );
    pub(crate) ENDED_BETWEEN = concat!(
        "SELECT ", agreement_columns!(), " FROM agreements WHERE stage = 'ended' AND ended_at < ?1
        AND (ended_at, bucket, id) > (?3, ?4, ?5) ORDER BY ended_at, bucket, id LIMIT ?2"
    );
    AGREEMENTS_OF = "SELECT a.id, a.auth_id, a.owner, a.client, a.dialect, a.customer, a.stage, a.ended_at,
        a.ended_by, a.generation, a.code_key_version, a.code_salt, a.created_at
        FROM user_agreements u JOIN agreements a ON a.bucket = u.agreement_bucket AND a.id = u.agreement
        WHERE u.bucket = ?1 AND u.customer = ?2 ORDER BY u.created_at DESC, u.agreement DESC LIMIT ?3";
    INSERT_AGREEMENT = "INSERT INTO agreements (bucket, id, auth_id, owner, client, dialect, customer, stage,
        ended_at, ended_by, generation, code_key_version, code_salt, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    INSERT_USER_AGREEMENT = "INSERT INTO user_agreements
        (bucket, customer, created_at, agreement, agreement_bucket) VALUES (?1, ?2, ?3, ?4, ?5)";
    // A column that is named is written in its indexes as well, though it stays as it was.
    UPDATE_AGREEMENT = "UPDATE agreements SET stage = ?3, ended_at = ?4, ended_by = ?5, generation = ?6,
        code_key_version = ?7, code_salt = ?8 WHERE bucket = ?1 AND id = ?2";
}

pub(crate) fn prepare_claim(db: &dyn Engine, bucket: Bucket, key: &Digest) -> Stored<Option<PrepareClaim>> {
    sql::one(db, PREPARE_CLAIM, params![bucket.number(), key.0], read_claim)
}

pub(crate) fn read_claim(row: &mut Columns<'_>) -> Stored<PrepareClaim> {
    Ok(PrepareClaim {
        bucket: row.bucket()?,
        key: row.digest()?,
        fingerprint: row.digest()?,
        auth_id: row.parsed(AuthId::read)?,
        answer: row.get()?,
        created_at: row.time()?,
    })
}

pub(crate) fn insert_prepare_claim(db: &dyn Engine, claim: &PrepareClaim) -> Stored<()> {
    let values = params![
        claim.bucket.number(),
        claim.key.0,
        claim.fingerprint.0,
        claim.auth_id.as_str(),
        claim.answer,
        claim.created_at.0,
    ];
    sql::write(db, INSERT_PREPARE_CLAIM, values)
}

pub(crate) fn terms(db: &dyn Engine, id: &AuthId) -> Stored<Option<Terms>> {
    sql::one(db, TERMS, params![id.bucket().number(), id.as_str()], |row| {
        Ok(Terms {
            auth_id: row.parsed(AuthId::read)?,
            owner: Owner::from_row(row.get::<String>()?),
            client: ClientId::new(row.get::<String>()?),
            dialect: DialectName::new(row.get::<String>()?),
            scopes: row.parsed(read_scopes)?,
            legal_name: row.get()?,
            display_name: row.get()?,
            contract_title: row.get()?,
            contract_text: row.get()?,
            language: row.maybe(Language::parse)?,
            redirect_url: row.get()?,
            auth_state: row.get()?,
            notify_url: row.get()?,
            auth_client_id: row.get()?,
            reference_merchant_id: row.get()?,
            reference_agreement_id: row.get()?,
            terminal: row.parsed(Terminal::parse)?,
            extras: row.get()?,
            created_at: row.time()?,
        })
    })
}

fn read_scopes(text: &str) -> Option<Vec<Scope>> {
    read_texts(text)?.iter().map(|word| Scope::parse(word)).collect()
}

pub(crate) fn insert_terms(db: &dyn Engine, terms: &Terms) -> Stored<()> {
    let values = params![
        terms.auth_id.bucket().number(),
        terms.auth_id.as_str(),
        terms.owner.as_str(),
        terms.client.as_str(),
        terms.dialect.as_str(),
        write_list(terms.scopes.iter().map(|scope| vec![scope.as_str()])),
        terms.legal_name,
        terms.display_name,
        terms.contract_title,
        terms.contract_text,
        terms.language.as_ref().map(Language::as_str),
        terms.redirect_url,
        terms.auth_state,
        terms.notify_url,
        terms.auth_client_id,
        terms.reference_merchant_id,
        terms.reference_agreement_id,
        terms.terminal.as_str(),
        terms.extras,
        terms.created_at.0,
    ];
    sql::write(db, INSERT_TERMS, values)
}

pub(crate) fn session(db: &dyn Engine, id: &AuthId) -> Stored<Option<Session>> {
    sql::one(db, SESSION, params![id.bucket().number(), id.as_str()], read_session)
}

pub(crate) fn read_session(row: &mut Columns<'_>) -> Stored<Session> {
    Ok(Session {
        auth_id: row.parsed(AuthId::read)?,
        stage: {
            let stage: String = row.get()?;
            let at = row.maybe_time()?;
            let agreement = row.maybe(AgreementId::read)?;
            match (stage.as_str(), at, agreement) {
                ("open", None, None) => SessionStage::Open,
                ("refused", Some(at), None) => SessionStage::Refused { at },
                ("approved", Some(at), Some(agreement)) => SessionStage::Approved { at, agreement },
                _ => return Err(StoreFault::Corrupt("a session's stage contradicts itself".into())),
            }
        },
        expires_at: row.time()?,
        wrong_pins: row.get()?,
        decided_by: row.get::<Option<[u8; 32]>>()?.map(Digest),
    })
}

pub(crate) fn insert_session(db: &dyn Engine, session: &Session) -> Stored<()> {
    with_session(session, |values| sql::write(db, INSERT_SESSION, values))
}

pub(crate) fn update_session(db: &dyn Engine, session: &Session) -> Stored<()> {
    with_session(session, |values| sql::change(db, UPDATE_SESSION, values, "the session"))
}

fn with_session(session: &Session, run: impl Fn(Params<'_>) -> Stored<()>) -> Stored<()> {
    let (stage, at, agreement) = match &session.stage {
        SessionStage::Open => ("open", None, None),
        SessionStage::Refused { at } => ("refused", Some(at.0), None),
        SessionStage::Approved { at, agreement } => ("approved", Some(at.0), Some(agreement.as_str())),
    };
    run(params![
        session.auth_id.bucket().number(),
        session.auth_id.as_str(),
        stage,
        at,
        agreement,
        session.expires_at.0,
        session.wrong_pins,
        session.decided_by.map(|digest| digest.0),
    ])
}

pub(crate) fn consent(db: &dyn Engine, id: &AuthId) -> Stored<Option<Consent>> {
    sql::one(db, CONSENT, params![id.bucket().number(), id.as_str()], |row| {
        Ok(Consent {
            auth_id: row.parsed(AuthId::read)?,
            decision: row.parsed(Decision::parse)?,
            customer: row.maybe(CustomerId::read)?,
            text_digest: row.digest()?,
            language: row.parsed(Language::parse)?,
            version: row.get()?,
            at: row.time()?,
            address: row.get()?,
        })
    })
}

pub(crate) fn insert_consent(db: &dyn Engine, consent: &Consent) -> Stored<()> {
    let values = params![
        consent.auth_id.bucket().number(),
        consent.auth_id.as_str(),
        consent.decision.as_str(),
        consent.customer.as_ref().map(CustomerId::as_str),
        consent.text_digest.0,
        consent.language.as_str(),
        consent.version,
        consent.at.0,
        consent.address,
    ];
    sql::write(db, INSERT_CONSENT, values)
}

pub(crate) fn read_agreement(row: &mut Columns<'_>) -> Stored<Agreement> {
    Ok(Agreement {
        id: row.parsed(AgreementId::read)?,
        auth_id: row.parsed(AuthId::read)?,
        owner: Owner::from_row(row.get::<String>()?),
        client: ClientId::new(row.get::<String>()?),
        dialect: DialectName::new(row.get::<String>()?),
        customer: row.parsed(CustomerId::read)?,
        stage: {
            let stage: String = row.get()?;
            let at = row.maybe_time()?;
            let by = row.maybe(EndedBy::parse)?;
            match (stage.as_str(), at, by) {
                ("consented", None, None) => AgreementStage::Consented,
                ("active", None, None) => AgreementStage::Active,
                ("ended", Some(at), Some(by)) => AgreementStage::Ended { at, by },
                _ => return Err(StoreFault::Corrupt("an agreement's stage contradicts itself".into())),
            }
        },
        generation: row.get()?,
        code_salt: Salt { key_version: row.get()?, salt: row.get()? },
        created_at: row.time()?,
    })
}

pub(crate) fn agreement(db: &dyn Engine, id: &AgreementId) -> Stored<Option<Agreement>> {
    sql::one(db, AGREEMENT, params![id.bucket().number(), id.as_str()], read_agreement)
}

pub(crate) fn agreements_of(db: &dyn Engine, customer: &CustomerId, limit: usize) -> Stored<Vec<Agreement>> {
    let values = params![customer.bucket().number(), customer.as_str(), sql::limit(limit)];
    sql::scan(db, AGREEMENTS_OF, values, read_agreement, |row| row.id.bucket())
}

pub(crate) fn insert_agreement(db: &dyn Engine, agreement: &Agreement) -> Stored<()> {
    let (stage, at, by) = write_stage(&agreement.stage);
    let values = params![
        agreement.id.bucket().number(),
        agreement.id.as_str(),
        agreement.auth_id.as_str(),
        agreement.owner.as_str(),
        agreement.client.as_str(),
        agreement.dialect.as_str(),
        agreement.customer.as_str(),
        stage,
        at,
        by,
        agreement.generation,
        agreement.code_salt.key_version,
        agreement.code_salt.salt,
        agreement.created_at.0,
    ];
    sql::write(db, INSERT_AGREEMENT, values)?;
    let customer = &agreement.customer;
    let values = params![
        customer.bucket().number(),
        customer.as_str(),
        agreement.created_at.0,
        agreement.id.as_str(),
        agreement.id.bucket().number(),
    ];
    sql::write(db, INSERT_USER_AGREEMENT, values)
}

pub(crate) fn update_agreement(db: &dyn Engine, agreement: &Agreement) -> Stored<()> {
    let (stage, at, by) = write_stage(&agreement.stage);
    let values = params![
        agreement.id.bucket().number(),
        agreement.id.as_str(),
        stage,
        at,
        by,
        agreement.generation,
        agreement.code_salt.key_version,
        agreement.code_salt.salt,
    ];
    sql::change(db, UPDATE_AGREEMENT, values, "the agreement")
}

fn write_stage(stage: &AgreementStage) -> (&'static str, Option<i64>, Option<&'static str>) {
    match stage {
        AgreementStage::Consented => ("consented", None, None),
        AgreementStage::Active => ("active", None, None),
        AgreementStage::Ended { at, by } => ("ended", Some(at.0), Some(by.as_str())),
    }
}
